/**
 * What a price round, or a change that waits, would make of prices: two books of the products that
 * it touches, one without it and one with it, priced against each other. Nothing is published.
 */
import type { Reading, Store } from "../store/index.ts";
import { compareGently } from "./compare.ts";
import type { BookComparison, ChangedPlace } from "./compare.ts";
import { calendar, startBook } from "./engine/index.ts";
import type { Policy, PriceBook } from "./engine/index.ts";
import { readMasters, readPromotions, readQuotations } from "./masters-read.ts";
import type { PricedCompany } from "./masters-read.ts";
import { countedRules } from "./overlay.ts";
import { literal, readRulesFrom } from "./rule-rows.ts";

/** By id. `erp`: every round and hold, against what the ERP has by itself. */
export type Proposed =
  | { readonly round: string }
  | { readonly hold: string }
  | { readonly erp: true };

export interface Candidate {
  /** They hold the products that are touched as the live book does, and perhaps no others. */
  readonly before: PriceBook;
  readonly after: PriceBook;
  /** Moment at which they are to be compared: when a round starts, when what waits would count. */
  readonly at: Temporal.Instant;
  readonly places: readonly ChangedPlace[];
}

/** Customers, products and prices that become others, exactly, and the largest of them. */
export interface ProposedEffect extends BookComparison {
  readonly at: Temporal.Instant;
}

/** So many pairs of customers (who pay by the same rules) and products are priced at most. */
const MOST_PRICED = 1_000_000;

export async function effectOf(
  store: Store,
  priced: PricedCompany,
  policy: Policy,
  of: Proposed,
  now: Temporal.Instant,
): Promise<ProposedEffect> {
  const { before, after, at, places } = await candidateOf(store, priced, policy, of, now);
  const on = at.toString();
  const options = { onBefore: on, onAfter: on, places, mostPriced: MOST_PRICED };
  return { at, ...(await compareGently(before, after, options)) };
}

export function candidateOf(
  store: Store,
  priced: PricedCompany,
  policy: Policy,
  of: Proposed,
  now: Temporal.Instant,
): Promise<Candidate> {
  const { company, settings } = priced;
  return store.reading(async (at) => {
    const changed = changedRows(literal(company), of);
    const places = await placesOf(at, company, changed);
    const moment = await momentOf(at, company, of, changed, now, settings.timeZone);
    const masters = await readMasters(at, priced, new Map());
    const promotions = await readPromotions(at, company, new Map());
    const quotations = await readQuotations(at, company, new Map());
    const book = async (side: "was" | "now") => {
      const builder = startBook(policy, masters);
      await readRulesFrom(at, othersThan(literal(company), changed, places), builder);
      await readRulesFrom(
        at,
        `(select n.* from (${changed}) k
           cross join lateral jsonb_populate_record(null::price_rule, k.${side}) n
           where k.${side} is not null) r`,
        builder,
      );
      builder.addPromotions(promotions);
      builder.addQuotations(quotations);
      return builder.finish();
    };
    return { before: await book("was"), after: await book("now"), at: moment, places };
  });
}

/** SQL: the keys of the rules that would change, with their rows without it and with it. */
function changedRows(company: string, of: Proposed): string {
  if ("round" in of)
    return `select x.rule, x.from_quantity, x.row as now,
                   case when r.state = 'loaded' then to_jsonb(p) else x.before end as was
              from price_round r
              join price_round_rule x on x.company = r.company and x.round_id = r.id
              left join price_rule p on p.company = x.company and p.rule = x.rule
                                    and p.from_quantity = x.from_quantity
             where r.company = ${company} and r.id::text = ${literal(of.round)}`;
  if ("hold" in of)
    return `select rule, from_quantity, after as now, before as was from price_hold_rule
             where company = ${company} and hold_id::text = ${literal(of.hold)}`;
  return `select o.rule, o.from_quantity, to_jsonb(p) as now, o.row as was from price_overlay o
            left join price_rule p on p.company = o.company and p.rule = o.rule
                                  and p.from_quantity = o.from_quantity and o.part = 0
           where o.company = ${company} and o.hides`;
}

/** Rules by formula read other rules' prices, so that theirs may move with them. */
async function placesOf(
  at: Reading,
  company: string,
  changed: string,
): Promise<readonly ChangedPlace[]> {
  return at.query<ChangedPlace>(
    `with k as materialized (${changed}),
          n as materialized (
            select n.* from k cross join lateral (values (k.was), (k.now)) side(row)
             cross join lateral jsonb_populate_record(null::price_rule, side.row) n
             where side.row is not null)
     select customer_scope as "customerScope", customer_code as "customerCode",
            product_scope as "productScope", product_code as "productCode" from n
     union
     select f.customer_scope, f.customer_code, f.product_scope, f.product_code
       from price_rule f
      where f.company = $1 and f.formula is not null
        and exists (select from price_formula where company = $1)
        and exists (select from n where customer_scope in ('price-list', 'everyone'))`,
    [company],
  );
}

/** A change that the ERP dates ahead is looked at on the day when all of it holds. */
async function momentOf(
  at: Reading,
  company: string,
  of: Proposed,
  changed: string,
  now: Temporal.Instant,
  timeZone: string,
): Promise<Temporal.Instant> {
  if ("round" in of) {
    const [round] = await at.query<{ at: Temporal.Instant }>(
      "select starts_at as at from price_round where company = $1 and id::text = $2",
      [company, of.round],
    );
    return round?.at ?? now;
  }
  const [latest] = await at.query<{ day: string | null }>(
    `select max((k.now ->> 'valid_from')::date) as day from (${changed}) k where $1::text <> ''`,
    [company],
  );
  if (latest?.day === null || latest?.day === undefined) return now;
  const start = Temporal.Instant.fromEpochMilliseconds(calendar.startOfDay(latest.day, timeZone));
  return Temporal.Instant.compare(start, now) > 0 ? start : now;
}

/** SQL: the rules that count and stay, of the products that are touched where those are named. */
function othersThan(company: string, changed: string, places: readonly ChangedPlace[]): string {
  const stays = `(r.rule, r.from_quantity) not in (select k.rule, k.from_quantity from (${changed}) k)`;
  const named = places.every(({ productScope }) => productScope === "product");
  const codes = [...new Set(places.map(({ productCode }) => productCode ?? ""))];
  const near = named
    ? `and (r.product_scope <> 'product' or r.product_code in (${["''", ...codes.map(literal)].join(", ")}))`
    : "";
  return `${countedRules(company)} r where ${stays} ${near}`;
}
