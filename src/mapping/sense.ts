/** Whether what a row says of its fields can be true together; each is right by itself by then. */
import { senseOf } from "../model/index.ts";
import type { AnyRecord, RecordDefinition } from "../model/index.ts";
import type { FieldStep, RowProblem } from "./field.ts";
import { sentence } from "./text.ts";

export interface SenseStep {
  readonly holds: (record: AnyRecord) => boolean;
  /** Why it does not. */
  readonly explain: (record: AnyRecord) => RowProblem;
}

export function compileSense(
  record: RecordDefinition,
  steps: readonly FieldStep[],
  file: string,
): readonly SenseStep[] {
  return senseOf(record).map(({ field, fields, expected, holds, found }) => {
    const columns = steps.filter((step) => fields.includes(step.field));
    const labels = new Set(columns.flatMap((step) => step.columns.map(({ label }) => label)));
    const inSource = labels.size === 0 ? "" : `${sentence([...labels], "or")} in the source, or `;
    const instruction = `Correct ${inSource}${sentence(fields, "or")} in ${file}.`;
    return {
      holds,
      explain: (made) => ({ field, found: found(made), expected: `that ${expected}`, instruction }),
    };
  });
}

/** All that is contradictory in a record. */
export function nonsense(steps: readonly SenseStep[], record: AnyRecord): readonly RowProblem[] {
  return steps.filter(({ holds }) => !holds(record)).map(({ explain }) => explain(record));
}
