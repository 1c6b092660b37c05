/** Examples beside a mapping are its tests: raw row → records, or why it is left out or refused. */
import type { z } from "zod";
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionPath, DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import type { AnyRecord, Field, RecordDefinition, RecordValue } from "../model/index.ts";
import { checkRecord } from "./check.ts";
import type { MappedRow, Mapping } from "./compile.ts";
import { converterOf, PLAIN_LOCALE } from "./convert.ts";
import { dateForms } from "./field.ts";
import { checkOrderExamples } from "./order-examples.ts";
import type { Outbound } from "./outbound.ts";
import { examplesSchema } from "./schema.ts";
import { quoted } from "./text.ts";

type Example = z.output<typeof examplesSchema>[number];

/** Every example that does not hold, by line and path; empty when all of them do. */
export function checkExamples(
  mapping: Mapping | Outbound,
  source: DefinitionSource,
): readonly DefinitionProblem[] {
  try {
    if ("render" in mapping) return checkOrderExamples(mapping, source);
    const definition = openDefinition(source, examplesSchema, { asWritten: true });
    return definition.value.flatMap((example, index) =>
      checkExample(mapping, example, (path, found, expected, near) =>
        definition.problem([index, ...path], { found, expected, nearest: near }),
      ),
    );
  } catch (error) {
    if (error instanceof DefinitionError) return error.problems;
    throw error;
  }
}

type Problem = (
  path: DefinitionPath,
  found: string,
  expected: string,
  near?: string,
) => DefinitionProblem;

function checkExample(mapping: Mapping, example: Example, problem: Problem): DefinitionProblem[] {
  const mapped = mapping.apply(example.row);
  if (example.gives !== undefined)
    return mapped.kind === "records"
      ? compareRecords(mapping.record, mapped.records, example.gives, problem)
      : [problem(["gives"], outcomeOf(mapped), "a record")];
  if (example.ignored !== undefined)
    return mapped.kind === "ignored" && mapped.reason === example.ignored
      ? []
      : [
          problem(
            ["ignored"],
            outcomeOf(mapped),
            `a row left out because ${quoted(example.ignored)}`,
          ),
        ];
  if (mapped.kind !== "rejected")
    return [problem(["rejected"], outcomeOf(mapped), "a refused row")];
  return compareRejection(mapped, example, problem);
}

function outcomeOf(mapped: MappedRow): string {
  switch (mapped.kind) {
    case "records":
      return mapped.records.length === 1 ? "a record" : `${mapped.records.length} records`;
    case "ignored":
      return `a row left out because ${quoted(mapped.reason)}`;
    case "rejected": {
      const reasons = mapped.problems.map(
        ({ field, found, expected }) => `${field}: found ${found}, expected ${expected}`,
      );
      return `a refused row (${reasons.join("; ")})`;
    }
    default:
      return mapped satisfies never;
  }
}

function compareRejection(
  mapped: Extract<MappedRow, { kind: "rejected" }>,
  example: Example,
  problem: Problem,
): DefinitionProblem[] {
  const found = [...new Set(mapped.problems.map(({ field }) => field))].sort();
  const expected = [...new Set(example.rejected)].sort();
  const problems: DefinitionProblem[] = [];
  if (found.join() !== expected.join())
    problems.push(problem(["rejected"], outcomeOf(mapped), `problems of ${expected.join(", ")}`));
  if (example.worth !== undefined && mapped.worth !== example.worth)
    problems.push(problem(["worth"], mapped.worth ?? "nothing", example.worth));
  return problems;
}

function compareRecords(
  definition: RecordDefinition,
  found: readonly AnyRecord[],
  expected: readonly Readonly<Record<string, string>>[],
  problem: Problem,
): DefinitionProblem[] {
  if (found.length !== expected.length)
    return [problem(["gives"], `${found.length} records`, `${expected.length}`)];
  return found.flatMap((record, index) => [
    ...checkRecord(definition, record).map((one) =>
      problem(["gives", index, one.field], one.found, one.expected),
    ),
    ...compareRecord(definition, record, expected[index] ?? {}, (field, ...what) =>
      problem(["gives", ...(expected.length > 1 ? [index] : []), field], ...what),
    ),
  ]);
}

/** Fields that the example does not name must be null or have the record's own default. */
function compareRecord(
  definition: RecordDefinition,
  record: AnyRecord,
  expected: Readonly<Record<string, string>>,
  problem: (field: string, found: string, expected: string, near?: string) => DefinitionProblem,
): DefinitionProblem[] {
  const names = Object.keys(definition.fields);
  const unknown = Object.keys(expected)
    .filter((field) => !names.includes(field))
    .map((field) =>
      problem(field, `the field "${field}"`, `one of ${names.join(", ")}`, nearest(field, names)),
    );
  const different = Object.entries(definition.fields).flatMap(([name, field]) => {
    const wanted = valueOf(field, expected[name] ?? "");
    const found = record[name] ?? null;
    return wanted === found ? [] : [problem(name, shown(found), shown(wanted))];
  });
  return [...unknown, ...different];
}

/** An expected value as the example writes it: blank is null or the default, 12.50 is 12.5. */
function valueOf(field: Field, text: string): RecordValue {
  const plain = text === "" ? String(field.otherwise ?? "") : text;
  if (plain === "") return null;
  const forms = dateForms(PLAIN_LOCALE.dates, [], () => undefined);
  return converterOf(field, { locale: PLAIN_LOCALE, forms }).convert(plain) ?? plain;
}

function shown(value: RecordValue): string {
  return value === null ? "null" : quoted(value);
}
