/** A snapshot given as what changed since the one before it. */
import { ConnectorFault } from "../contract.ts";
import type { ReadEvent, SourceRow } from "../contract.ts";
import type { KeptRow } from "./changes.ts";
import type { Limits } from "./scan.ts";
import { createSplitter } from "./split.ts";
import type { Changed, Survey } from "./table.ts";
import { sourceRow } from "./table.ts";

const BATCH_ROWS = 1_000;

/** What is gone first: a row that merely moved is gone and there again. */
export function* changedRows(
  name: string,
  survey: Survey,
  changed: Changed,
  limits: Limits,
): Generator<ReadEvent> {
  const { same, gone, fresh, rejects } = changed;
  yield { kind: "same", rows: same };
  for (const rows of batches(name, survey, gone, limits)) yield { kind: "gone", rows };
  for (const rows of batches(name, survey, fresh, limits)) yield { kind: "rows", rows };
  for (const { line, raw, reason, instruction } of rejects)
    yield { kind: "reject", line, raw, reason, instruction };
}

/** Split like any other rows, below a header of as many columns, each with its own line. */
function* batches(
  name: string,
  { columns, delimiter, encoding }: Survey,
  kept: readonly KeptRow[],
  limits: Limits,
): Generator<readonly SourceRow[]> {
  const splitter = createSplitter({ ...limits, delimiter, encoding, keep: true });
  splitter.push(Buffer.from(`${columns.map((_, at) => at).join(delimiter)}\n`));
  for (let from = 0; from < kept.length; from += BATCH_ROWS) {
    const batch = kept.slice(from, from + BATCH_ROWS);
    // Two line ends: what a window ends with is never half of one.
    const text = batch.map(({ bytes }) => `${bytes}\n`).join("");
    const items = splitter.push(Buffer.from(`${text}\n`, "latin1"));
    const rows = batch.map(({ line }, at) => {
      const item = items[at];
      if (item?.kind !== "record") throw notAlike(name, line);
      return sourceRow(columns, { ...item, line });
    });
    if (items.length !== batch.length) throw notAlike(name, batch[0]?.line ?? 0);
    yield rows;
  }
}

function notAlike(name: string, line: number): ConnectorFault {
  return new ConnectorFault(
    "defect",
    `Reading ${name}: line ${line} was a row when the file was looked at, and is none by itself.`,
    "Nothing of it was applied. Keep the file and report it.",
  );
}
