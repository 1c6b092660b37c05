/**
 * Two plans over the real ledger: what each would pay, to whom, and where they meet. Nothing is
 * written.
 */
import { checkPeriods, planOf } from "./context.ts";
import type { Opened, Periods } from "./context.ts";
import { attribute, compare, pay } from "./engine/index.ts";
import type { ComparedPay } from "./engine/index.ts";
import { readFacts } from "./facts.ts";
import { poundsText } from "./money.ts";
import { bridgeFrom } from "./run.ts";
import type { RunBridge } from "./run.ts";

export interface PlanComparison extends Periods {
  readonly before: { readonly plan: string; readonly title: string };
  readonly after: { readonly plan: string; readonly title: string };
  readonly currency: string;
  /** Last batch of the sales ledger that was read. */
  readonly watermark: number;
  readonly bridge: RunBridge;
  /** By rep code. */
  readonly reps: readonly ComparedRep[];
  /** All reps together: what the business pays. */
  readonly business: ComparedFigures;
  /** Net that is explicitly nobody's, and net that nobody is assigned to; neither is paid. */
  readonly house: string;
  readonly unassigned: string;
  /** Of the reps' base, from new customers, in percent; null without base. */
  readonly newSharePercent: string | null;
  /** Where that share would have to be for both plans to cost the same; null: nowhere. */
  readonly parityNewSharePercent: string | null;
  /** How many reps the second plan pays more, and less. */
  readonly gain: number;
  readonly lose: number;
}

/** Money as decimal text; percentages null where there is nothing to divide by. */
export interface ComparedFigures {
  readonly base: string;
  /** The part of the base from new customers. */
  readonly newBase: string;
  readonly before: string;
  readonly after: string;
  /** After less before. */
  readonly difference: string;
  readonly changePercent: string | null;
  /** The flat rate that pays what the first plan pays. */
  readonly parityRatePercent: string | null;
  /** Growth under the second plan that brings its pay to the first one's. */
  readonly growthForParityPercent: string | null;
}

export interface ComparedRep extends ComparedFigures {
  readonly rep: string;
  readonly name: string | null;
}

export async function comparePlans(
  context: Opened,
  { before, after, from, to }: Periods & { readonly before: string; readonly after: string },
): Promise<PlanComparison> {
  checkPeriods({ from, to });
  const [first, second] = [planOf(context, before), planOf(context, after)];
  const { input, watermark } = await readFacts(context, { from, to });
  const sales = attribute(input);
  const { holders, reps, house, unassigned, ...shares } = compare(
    pay(sales, first),
    pay(sales, second),
  );
  const names = await repNames(context);
  return {
    before: { plan: first.plan, title: first.title },
    after: { plan: second.plan, title: second.title },
    from,
    to,
    currency: first.currency,
    watermark,
    bridge: bridgeFrom(sales.bridge),
    reps: holders.flatMap(({ holder, ...compared }) =>
      holder.kind === "rep"
        ? [{ rep: holder.rep, name: names.get(holder.rep) ?? null, ...figuresOf(compared) }]
        : [],
    ),
    business: figuresOf(reps),
    house: poundsText(house.basePence),
    unassigned: poundsText(unassigned.basePence),
    newSharePercent: shares.newSharePercent,
    parityNewSharePercent: shares.parityNewSharePercent,
    gain: shares.gain,
    lose: shares.lose,
  };
}

function figuresOf(compared: ComparedPay): ComparedFigures {
  return {
    base: poundsText(compared.basePence),
    newBase: poundsText(compared.newPence),
    before: poundsText(compared.beforePence),
    after: poundsText(compared.afterPence),
    difference: poundsText(compared.differencePence),
    changePercent: compared.changePercent,
    parityRatePercent: compared.parityRatePercent,
    growthForParityPercent: compared.growthForParityPercent,
  };
}

export async function repNames({ store, company }: Opened): Promise<ReadonlyMap<string, string>> {
  const rows = await store.query<{ rep: string; name: string }>(
    "select rep, name from rep where company = $1",
    [company],
  );
  return new Map(rows.map(({ rep, name }) => [rep, name]));
}
