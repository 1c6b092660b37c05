/** What the parts of the module work with, and its one error. */
import { nearest } from "../definition/index.ts";
import type { DefinitionSource } from "../definition/index.ts";
import type { Sales } from "../sales/index.ts";
import type { Store } from "../store/index.ts";
import type { Plan } from "./engine/index.ts";
import { readPlan } from "./plan-file.ts";

export interface IncentivesSettings {
  /** Plan files, read by the caller. */
  readonly plans: readonly DefinitionSource[];
  /** Currency of the ledger that is paid on. */
  readonly currency: string;
  /** Lines dated before it count for class, never for pay; null: no start. */
  readonly payStartOn: string | null;
  readonly newWithinMonths: number;
  /** From when the sales history is complete; null: from the ledger's first document. */
  readonly historyFrom: string | null;
  /** Cash and guest accounts besides those that the ERP marks. */
  readonly cashAccounts?: readonly string[];
}

export interface IncentivesContext {
  readonly store: Store;
  readonly company: string;
  readonly sales: Pick<Sales, "postings" | "watermark" | "trace">;
  readonly settings: IncentivesSettings;
  readonly now: () => Temporal.Instant;
  /** Told when a person should look at something. */
  readonly log?: (message: string) => void;
}

/** The context with its plans read. */
export interface Opened extends IncentivesContext {
  readonly plans: ReadonlyMap<string, Plan>;
}

/** Accounting periods YYYY-MM, both inclusive. */
export interface Periods {
  readonly from: string;
  readonly to: string;
}

export type IncentivesErrorCode =
  | "plan-unknown"
  | "plan-unusable"
  | "periods-unusable"
  | "run-unknown"
  | "rep-unknown"
  | "pay-line-unknown"
  | "bridge-broken"
  | "run-broken";

export class IncentivesError extends Error {
  override readonly name = "IncentivesError";
  readonly code: IncentivesErrorCode;

  constructor(code: IncentivesErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Every plan of the settings, or an error that names the file and what is wrong with it. */
export function readPlans({ plans, currency }: IncentivesSettings): ReadonlyMap<string, Plan> {
  const found = new Map<string, Plan>();
  for (const source of plans) {
    const plan = readPlan(source);
    if (plan.currency !== currency)
      throw new IncentivesError(
        "plan-unusable",
        `Reading the plan ${source.file}: it pays on ${plan.currency}, the company's ledger is in ` +
          `${currency}. Correct \`currency:\` in the plan.`,
      );
    if (found.has(plan.plan))
      throw new IncentivesError(
        "plan-unusable",
        `Reading the plan ${source.file}: its code "${plan.plan}" is that of another file too. ` +
          "Give each plan a code of its own, or keep both as versions in one file.",
      );
    found.set(plan.plan, plan);
  }
  return found;
}

export function planOf({ plans }: Opened, code: string): Plan {
  const plan = plans.get(code);
  if (plan !== undefined) return plan;
  const known = [...plans.keys()];
  const hint = nearest(code, known);
  throw new IncentivesError(
    "plan-unknown",
    `Looking up the plan "${code}": the settings name ${known.join(", ") || "no plan"}.` +
      (hint === undefined ? " Name one of them under pay: plans:." : ` Did you mean "${hint}"?`),
  );
}

export function checkPeriods({ from, to }: Periods): void {
  const isPeriod = (text: string): boolean => /^\d{4}-(0[1-9]|1[0-2])$/.test(text);
  if (isPeriod(from) && isPeriod(to) && from <= to) return;
  throw new IncentivesError(
    "periods-unusable",
    `Choosing accounting periods: found "${from}" to "${to}", expected two months such as 2026-01 ` +
      "and 2026-03, the first not after the second.",
  );
}
