/**
 * A run for the business: every holder, the bridge to the base, and what a person should look at.
 */
import type { Opened } from "./context.ts";
import { findRun } from "./run.ts";
import type { RunChoice, RunDetails } from "./run.ts";

export interface RunSummary {
  readonly run: RunDetails;
  /** Reps by code, then house and unassigned; their bases add up to the run's. */
  readonly holders: readonly RunHolder[];
}

export interface RunHolder {
  readonly holder: "rep" | "house" | "unassigned";
  /** Null for house and unassigned. */
  readonly rep: string | null;
  readonly name: string | null;
  readonly lines: number;
  readonly base: string;
  /** The parts of the base by class. */
  readonly newBase: string;
  readonly repeatBase: string;
  readonly pay: string;
}

export async function summaryOf(context: Opened, of: RunChoice): Promise<RunSummary> {
  const run = await findRun(context, of);
  // Every component shares out the same base; the first one stands for all.
  const holders = await context.store.query<RunHolder>(
    `select t.holder, t.rep, r.name,
            (sum(t.lines) filter (where t.component = f.component))::int as lines,
            sum(t.base) filter (where t.component = f.component) as base,
            coalesce(sum(t.base) filter (where t.component = f.component and t.class = 'new'), 0)
              ::numeric(18, 2) as "newBase",
            coalesce(sum(t.base) filter (where t.component = f.component and t.class = 'repeat'), 0)
              ::numeric(18, 2) as "repeatBase",
            sum(t.pay) as pay
       from pay_total t
      cross join (select component from pay_total where company = $1 and run = $2
                   order by total limit 1) f
       left join rep r on r.company = t.company and r.rep = t.rep
      where t.company = $1 and t.run = $2
      group by t.holder, t.rep, r.name
      order by min(t.total)`,
    [context.company, run.run],
  );
  return { run, holders };
}
