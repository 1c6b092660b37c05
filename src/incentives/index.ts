/**
 * Reps' pay from the sales ledger: dated assignments, new and repeat customers, plans as files.
 * Promises that every penny of a statement says why and leads back to a file's row, that Σ reps +
 * house + unassigned is the commission base to the penny, and that the same input gives the same
 * hash. Never changes a run that was written, never pays on anything but posted invoice and credit
 * lines.
 *
 *     const incentives = openIncentives({ store, company, sales, settings, now });
 *     const { run } = await incentives.run({ plan: "flat", from: "2026-03", to: "2026-03" });
 *     const statement = await incentives.statement({ rep: "R01", of: { run } });
 *     statementLines(statement, "Europe/London").join("\n");
 */
import { comparePlans, type PlanComparison } from "./comparison.ts";
import { readPlans, type IncentivesContext, type Periods } from "./context.ts";
import type { Plan } from "./engine/index.ts";
import { calculate, listRuns, type NewRun, type Run, type RunChoice } from "./run.ts";
import { statementOf, type Statement } from "./statement.ts";
import { summaryOf, type RunSummary } from "./summary.ts";
import { traceOf, type PayTrace } from "./trace.ts";

export interface Incentives {
  readonly plans: readonly Plan[];
  /** Calculates and keeps; when the latest version says exactly the same, that one is given. */
  run(what: Periods & { readonly plan: string }): Promise<NewRun>;
  /** Newest first. */
  runs(which?: { readonly plan?: string; readonly limit?: number }): Promise<readonly Run[]>;
  summary(of: RunChoice): Promise<RunSummary>;
  statement(of: { readonly rep: string; readonly of: RunChoice }): Promise<Statement>;
  /** Two plans over the ledger as it is; nothing is written. */
  compare(
    what: Periods & { readonly before: string; readonly after: string },
  ): Promise<PlanComparison>;
  /** From a statement's line ("12/1042") to the file's row that it came from. */
  trace(payLineId: string): Promise<PayTrace>;
}

/** Reads the plans: a file that cannot be used throws here, with every problem and its line. */
export function openIncentives(context: IncentivesContext): Incentives {
  const opened = { ...context, plans: readPlans(context.settings) };
  return {
    plans: [...opened.plans.values()],
    run: (what) => calculate(opened, what),
    runs: (which = {}) => listRuns(opened, which),
    summary: (of) => summaryOf(opened, of),
    statement: (of) => statementOf(opened, of),
    compare: (what) => comparePlans(opened, what),
    trace: (payLineId) => traceOf(opened, payLineId),
  };
}

export {
  comparisonLines,
  comparisonRows,
  statementLines,
  statementRows,
  summaryLines,
} from "./print.ts";
export { planSchema } from "./plan-file.ts";
export { IncentivesError } from "./context.ts";
export { AssignmentError } from "./engine/index.ts";
export type { IncentivesContext, IncentivesSettings, Periods } from "./context.ts";
export type { PlanComparison } from "./comparison.ts";
export type { NewRun, Run, RunChoice } from "./run.ts";
export type { Statement } from "./statement.ts";
export type { RunSummary } from "./summary.ts";
export type { PayTrace } from "./trace.ts";
