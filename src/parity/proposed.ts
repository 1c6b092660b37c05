/**
 * Impact of what is not so yet: of days to come, of a price round, of changes that wait for a
 * person. What was sold of late is priced again, and every customer's price is compared, whether
 * anybody bought of late or not.
 */
import { trialUnder } from "../pricing/index.ts";
import type { Proposed, Trial } from "../pricing/index.ts";
import { today } from "./context.ts";
import type { ParityContext } from "./context.ts";
import { impact, soldReach } from "./impact.ts";
import type { Impact, ImpactQuestion } from "./impact.ts";

export type Asked = Omit<ImpactQuestion, "before" | "after">;

/** Effective prices are told of all customers and products, not of one that is asked for. */
const isOfAll = ({ account, product }: Asked) => account === undefined && product === undefined;

export async function impactBetween(
  context: ParityContext,
  { from, to, ...asked }: Asked & { readonly from: string; readonly to: string },
): Promise<Impact> {
  const { pricing } = context;
  const trial = pricing.trial();
  const sold = await impact(context, {
    ...asked,
    before: { trial, on: from },
    after: { trial, on: to },
  });
  const { most } = asked;
  const effective = isOfAll(asked) ? await pricing.effectBetween({ from, to, most }) : null;
  return { ...sold, effective };
}

/** At the moment when it starts, or would count. */
export async function impactOf(
  context: ParityContext,
  of: Proposed,
  asked: Asked,
): Promise<Impact> {
  const { pricing } = context;
  const live = pricing.trial();
  const { before, after, at, places } = await pricing.candidate(of);
  const on = at.toString();
  const named = places.every(({ productScope }) => productScope === "product");
  const touched = named ? new Set(places.map(({ productCode }) => productCode ?? "")) : null;
  const sold = await impact(context, {
    ...asked,
    before: { trial: overlaid(live, before, touched), on },
    after: { trial: overlaid(live, after, touched), on },
  });
  return { ...sold, effective: isOfAll(asked) ? await pricing.effect(of) : null };
}

/** The candidates hold the products that are touched, and perhaps no others; null: all. */
function overlaid(live: Trial, candidate: Trial, touched: ReadonlySet<string> | null): Trial {
  if (touched === null) return candidate;
  const of = (product: string) => (touched.has(product) ? candidate : live);
  return {
    ...candidate,
    price: (asker, line) => of(line.product).price(asker, line),
    candidates: (asker, line) => of(line.product).candidates(asker, line),
  };
}

/** The prices that answer today against those of the ERP's own rows: what waits for a person. */
export async function impactOfErpRows(context: ParityContext, asked: Asked): Promise<Impact> {
  const { pricing } = context;
  const live = pricing.trial();
  const rows = await pricing.trialRows(await soldReach(context, asked.days));
  const on = today(context);
  const sold = await impact(context, {
    ...asked,
    before: { trial: live, on },
    after: { trial: trialUnder(live.policy, rows), on },
  });
  return { ...sold, effective: isOfAll(asked) ? await pricing.effect({ erp: true }) : null };
}
