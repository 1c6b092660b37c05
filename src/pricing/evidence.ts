/**
 * Which rows of the canonical tables say what an entry of the book says; looked up only to explain.
 */
import type { RuleRowEvidence } from "./answer.ts";
import { calendar, conditionsText, scaled } from "./engine/index.ts";
import { countedRules } from "./overlay.ts";
import type { Entry } from "./engine/index.ts";
import type { Queryable } from "../store/index.ts";

/** Tells the name of the file or page that a row came from. */
export type OriginName = (originId: string) => Promise<{ readonly name: string } | null>;

/** Null: the account's own discount. */
export type EvidenceOf = (entry: Entry | null) => readonly RuleRowEvidence[];

/** Looks the rows of all entries up at once; the function returned gives those of one. */
export async function findEvidence(
  store: Queryable,
  company: string,
  entries: readonly Entry[],
  originName: OriginName | undefined,
  timeZone: string,
): Promise<(entry: Entry) => readonly RuleRowEvidence[]> {
  const contentOf = (of: Entry | Row) => contentIn(of, timeZone);
  const rows = [
    ...(await ruleRows(store, company, entries)),
    ...(await promotionRows(store, company, entries)),
    ...(await quotationRows(store, company, entries)),
  ];
  const wanted = new Set(entries.map(contentOf));
  const kept = rows.filter((row) => wanted.has(contentOf(row)));
  const named = await namesOf(kept, originName);
  const names = await withRounds(store, company, named, kept);
  const found = Map.groupBy(kept, contentOf);
  return (entry) => (found.get(contentOf(entry)) ?? []).map((row) => evidenceOf(row, names));
}

/** The customer's row that says the account's own discount (percent, 4 places); none: changed. */
export async function accountEvidence(
  store: Queryable,
  company: string,
  { account, discount }: { readonly account: string; readonly discount: number },
  originName: OriginName | undefined,
): Promise<readonly RuleRowEvidence[]> {
  const rows = await store.query<Omit<RuleRowEvidence, "record" | "origin"> & { value: string }>(
    `select account as row, coalesce(discount_percent, 0) as value, ${PROVENANCE}
       from customer where company = $1 and account = $2`,
    [company, account],
  );
  const kept = rows.filter(({ value }) => scaled.scaledOf(value, 4) === discount);
  const names = await namesOf(kept, originName);
  return kept.map(({ row, runId, originId, line }) => {
    const origin = names.get(originId) ?? null;
    return { record: "customer", row, runId, originId, origin, line };
  });
}

type Row = Omit<Entry, "customerScope" | "productScope" | "kind"> & {
  readonly customerScope: string;
  readonly productScope: string;
  readonly kind: string;
  readonly row: string;
  readonly runId: string;
  readonly originId: string;
  readonly line: number;
};

/**
 * What an entry and a row must share to be the same. Currency and unit count where there is money;
 * a promotion is known by its name, whatever is to be bought.
 */
function contentIn(of: Entry | Row, timeZone: string): string {
  const money = of.source === "rule" && (of.kind === "fixed" || of.kind === "amount");
  return JSON.stringify([
    of.source,
    of.customerScope,
    of.customerCode,
    of.productScope,
    of.productCode,
    of.kind,
    plain(of.value),
    of.net,
    money ? of.currency : null,
    money ? of.unit : null,
    of.source === "promotion" ? null : plain(of.fromQuantity),
    plain(of.limitQuantity),
    momentText(of.startsAt, of.validFrom, (date) => calendar.startOfDay(date, timeZone)),
    momentText(of.endsAt, of.validTo, (date) => calendar.endOfDay(date, timeZone)),
    of.label,
    plain(of.toQuantity),
    of.soldIn,
    conditionsText(of.conditions),
    of.formula,
    of.stack,
    of.priority,
  ]);
}

/** A moment counts before the day beside it. */
function momentText(
  at: string | null,
  day: string | null,
  momentOf: (date: string) => number,
): string | null {
  if (at !== null) return calendar.textOf(calendar.momentOf(at));
  return day === null ? null : calendar.textOf(momentOf(day));
}

/** "4.250000" and "4.25" are the same. */
function plain(decimal: string | null): string | null {
  if (decimal === null) return null;
  const value = scaled.scaledOf(decimal, 6);
  return value === undefined ? null : scaled.shortTextOf(value, 6);
}

function evidenceOf(row: Row, names: ReadonlyMap<string, string>): RuleRowEvidence {
  const records = {
    rule: "price-rule",
    promotion: "promotion",
    quotation: "quotation-line",
  } as const;
  const { runId, originId, line } = row;
  const origin = names.get(originId) ?? null;
  return { record: records[row.source], row: row.row, runId, originId, origin, line };
}

async function namesOf(
  rows: readonly Pick<Row, "originId">[],
  originName: OriginName | undefined,
): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(rows.map((row) => row.originId))) {
    const origin = await originName?.(id);
    if (origin !== undefined && origin !== null) names.set(id, origin.name);
  }
  return names;
}

/** Rows of a price round came from the file that it was loaded from. */
async function withRounds(
  store: Queryable,
  company: string,
  names: ReadonlyMap<string, string>,
  rows: readonly Pick<Row, "originId">[],
): Promise<ReadonlyMap<string, string>> {
  const nameless = rows.flatMap(({ originId }) => (names.has(originId) ? [] : [originId]));
  if (nameless.length === 0) return names;
  const rounds = await store.query<{ id: string; name: string }>(
    `select id, file || ' of price round ' || name as name from price_round
      where company = $1 and id = any($2::uuid[])`,
    [company, [...new Set(nameless)]],
  );
  return new Map([...names, ...rounds.map(({ id, name }) => [id, name] as const)]);
}

const BLANK = `null as "toQuantity", null as "soldIn", null as conditions, null as formula,
            null as stack`;
const RARE = `to_quantity as "toQuantity", sold_in as "soldIn", starts_at as "startsAt",
            ends_at as "endsAt", conditions, formula, stack, priority`;

const PROVENANCE = `run_id as "runId", origin_id as "originId", origin_line as "line"`;

/** Places of entries of one source as four parameter arrays; blanks stand for null. */
function placesOf(entries: readonly Entry[], source: Entry["source"]): string[][] | null {
  const places = entries.filter((entry) => entry.source === source);
  if (places.length === 0) return null;
  return [
    places.map((place) => place.customerScope),
    places.map((place) => place.customerCode ?? ""),
    places.map((place) => place.productScope),
    places.map((place) => place.productCode ?? ""),
  ];
}

async function ruleRows(
  store: Queryable,
  company: string,
  entries: readonly Entry[],
): Promise<Row[]> {
  const places = placesOf(entries, "rule");
  if (places === null) return [];
  return store.query<Row>(
    `select 'rule' as source, customer_scope as "customerScope", customer_code as "customerCode",
            product_scope as "productScope", product_code as "productCode", kind, value, net,
            currency, unit, from_quantity as "fromQuantity", 
            contract_quantity - least(coalesce(contract_used_quantity, 0), contract_quantity) as "limitQuantity",
            valid_from as "validFrom", valid_to as "validTo", contract as label, ${RARE},
            rule || case when from_quantity = 0 then '' else ' from ' || trim_scale(from_quantity) end as row, ${PROVENANCE}
       from ${countedRules("$1")} r
      where (customer_scope, coalesce(customer_code, ''), product_scope, coalesce(product_code, ''))
            in (select * from unnest($2::text[], $3::text[], $4::text[], $5::text[]))
      order by rule, from_quantity`,
    [company, ...places],
  );
}

async function promotionRows(
  store: Queryable,
  company: string,
  entries: readonly Entry[],
): Promise<Row[]> {
  const places = placesOf(entries, "promotion");
  if (places === null) return [];
  return store.query<Row>(
    `select 'promotion' as source, customer_scope as "customerScope",
            nullif(customer_code, '*') as "customerCode", product_scope as "productScope",
            nullif(product_code, '*') as "productCode", kind, coalesce(value, 0) as value,
            false as net, null as currency, null as unit,
            coalesce(buy_quantity, 0) as "fromQuantity", null as "limitQuantity",
            valid_from as "validFrom", valid_to as "validTo", promotion as label,
            starts_at as "startsAt", ends_at as "endsAt", priority, ${BLANK},
            promotion as row, ${PROVENANCE}
       from promotion
      where company = $1
        and (customer_scope, coalesce(nullif(customer_code, '*'), ''),
             product_scope, coalesce(nullif(product_code, '*'), ''))
            in (select * from unnest($2::text[], $3::text[], $4::text[], $5::text[]))
      order by promotion`,
    [company, ...places],
  );
}

async function quotationRows(
  store: Queryable,
  company: string,
  entries: readonly Entry[],
): Promise<Row[]> {
  const labels = entries.filter((entry) => entry.source === "quotation").map(({ label }) => label);
  if (labels.length === 0) return [];
  return store.query<Row>(
    `select 'quotation' as source, 'account' as "customerScope", q.account as "customerCode",
            'product' as "productScope", l.product as "productCode", 'fixed' as kind,
            l.unit_price as value, false as net, null as currency, null as unit,
            0::numeric as "fromQuantity",
            greatest(l.quantity - coalesce(l.ordered_quantity, 0), 0) as "limitQuantity",
            q.quoted_on as "validFrom", q.expires_on as "validTo", q.quotation as label,
            null as "startsAt", null as "endsAt", null as priority, ${BLANK},
            q.quotation || ' line ' || l.line as row,
            l.run_id as "runId", l.origin_id as "originId", l.origin_line as "line"
       from quotation q
       join quotation_line l on l.company = q.company and l.quotation = q.quotation
      where q.company = $1 and q.quotation = any($2)
      order by q.quotation, l.line`,
    [company, labels],
  );
}
