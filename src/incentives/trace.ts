/** From a line of a statement back to the row of the file that it came from. */
import type { Trace } from "../sales/index.ts";
import { IncentivesError } from "./context.ts";
import type { Opened } from "./context.ts";
import { findRun } from "./run.ts";
import type { Run } from "./run.ts";
import { readLines } from "./statement.ts";
import type { StatementLine } from "./statement.ts";

export interface PayTrace {
  readonly run: Run;
  /** Who the line is paid to: a rep's code, "HOUSE" or "unassigned". */
  readonly holder: string;
  readonly line: StatementLine;
  /**
   * The posting, its document line as the database holds it, and the file and line it came from.
   */
  readonly sale: Trace | null;
}

/** `id` as a statement prints it: "12/1042". */
export async function traceOf(context: Opened, id: string): Promise<PayTrace> {
  const [, run = "", number = ""] = /^(\d{1,9})\/(\d{1,9})$/.exec(id) ?? [];
  if (number === "") throw unknown(id, "a pay line is named by run and number, such as 12/1042");
  const { bridge: _, notes: __, ...found } = await findRun(context, { run: Number(run) });
  const [line] = await readLines(context, found, { number: Number(number) });
  if (line === undefined) throw unknown(id, `run ${run} has ${found.lines} lines`);
  const [holder] = await context.store.query<{ code: string }>(
    `select case t.holder when 'rep' then t.rep when 'house' then 'HOUSE' else t.holder end as code
       from pay_line l join pay_total t on t.company = l.company and t.run = l.run and t.total = l.total
      where l.company = $1 and l.run = $2 and l.number = $3`,
    [context.company, found.run, Number(number)],
  );
  const sale = await context.sales.trace(line.posting);
  return { run: found, holder: holder?.code ?? "", line, sale };
}

function unknown(id: string, reason: string): IncentivesError {
  return new IncentivesError(
    "pay-line-unknown",
    `Looking up the pay line "${id}": ${reason}. A statement prints the name of every line in its ` +
      "column `ref`.",
  );
}
