/**
 * What is known around orders: who may see what, units, stock, what came before. Read for many
 * orders at once, one statement a table; a product or an account that nothing is said of costs
 * nothing. What could be found twice at once is locked by its own name, never by a row.
 */
import type { Canonical } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { hiddenFrom, readAssortment, type Assortment, type Whom } from "./assortment.ts";
import { likenessOf } from "./likeness.ts";
import { readPayments, type PaymentUse } from "./payments.ts";
import type { AccountedOrder } from "./request.ts";
import { readStock, stockAt, type Stock, type StockFact } from "./stock-facts.ts";

export type { StockFact };

export interface Surroundings {
  /** Products of the order that the customer is not shown. */
  readonly hidden: ReadonlySet<string>;
  /** Replaced product → what may be ordered in its place; null: nothing. */
  readonly replacements: ReadonlyMap<string, string | null>;
  /** Product → further units that it is sold in. */
  readonly units: ReadonlyMap<string, readonly string[]>;
  /** The ERP's branches; null, or absent: the order names none, or they are not known. */
  readonly branches?: ReadonlySet<string> | null;
  /** Product → its stock, where it is known, for the branch that fulfils. */
  readonly stock: ReadonlyMap<string, StockFact>;
  /** An order that looks the same and came a moment ago; null: none did. */
  readonly repeats: { readonly number: string; readonly receivedAt: Temporal.Instant } | null;
  /** Another order that its payment is for, or was given back of; null: it is its own. */
  readonly paymentUsedBy: PaymentUse | null;
  /**
   * alone: another one like it is being taken in at this moment; ask again with `lock: "wait"`.
   * again: one like it is before it in what was asked. Null: neither.
   */
  readonly turned: "alone" | "again" | null;
}

export interface Asked {
  readonly request: AccountedOrder;
  /** Orders of test keys are looked for among their like. */
  readonly test: boolean;
}

export interface Reading {
  readonly company: string;
  readonly now: Temporal.Instant;
  readonly repeatedWithinMinutes: number;
  /**
   * wait: until whoever takes in a like order has done so; try: never waits, and says "alone";
   * none: for an order that will not be taken in.
   */
  readonly lock: "wait" | "try" | "none";
}

/** What is read for many orders: what each of them is told of it says `surroundingsOf`. */
export interface Around {
  readonly turned: ReadonlyMap<number, "alone" | "again">;
  readonly assortment: Assortment;
  readonly units: Surroundings["units"];
  readonly branches: ReadonlySet<string> | null;
  readonly stock: Stock;
  readonly repeats: ReadonlyMap<number, NonNullable<Surroundings["repeats"]>>;
  readonly payments: ReadonlyMap<number, PaymentUse>;
}

/** Hangs on nothing but the orders, so that it is read together with all else of them. */
export async function readAround(
  tx: Queryable,
  reading: Reading,
  asked: readonly Asked[],
): Promise<Around> {
  const { company } = reading;
  const codes = asked.flatMap(({ request }) => request.lines.map(({ product }) => product));
  const accounts = asked.map(({ request }) => request.account);
  // The locks before what they guard, so that what their last holders wrote is seen.
  const [turned, repeats, payments, assortment, units, branches, stock] = await tx.atOnce(
    () => lockLikes(tx, reading, asked),
    () => readRepeats(tx, reading, asked),
    () => readPayments(tx, company, asked),
    () => readAssortment(tx, company, accounts, codes),
    () => readUnits(tx, company, asked),
    () => readBranches(tx, company, asked),
    () => readStock(tx, company, codes),
  );
  return { turned, repeats, payments, assortment, units, branches, stock };
}

/** Products that take the place of others, and who is shown them. */
export interface Replacing {
  readonly products: ReadonlyMap<string, Canonical<"product">>;
  readonly assortment: Assortment;
}

export async function readReplacing(
  tx: Queryable,
  company: string,
  accounts: readonly string[],
  products: ReadonlyMap<string, Canonical<"product">>,
): Promise<Replacing | null> {
  const found = await replacingOf(tx, company, products);
  if (found.size === 0) return null;
  const assortment = await readAssortment(tx, company, accounts, [...found.keys()]);
  return { products: found, assortment };
}

/** Who asks, and from which branch. */
export interface Asker {
  /** Place in what was asked. */
  readonly index: number;
  readonly request: AccountedOrder;
  readonly customer: Canonical<"customer"> | null;
  /** Branch that fulfils; null: none is said. */
  readonly branch: string | null;
}

/** @param products of its lines, at least. */
export function surroundingsOf(
  around: Around,
  { index, request, customer, branch }: Asker,
  products: ReadonlyMap<string, Canonical<"product">>,
  replacing: Replacing | null,
): Surroundings {
  const whom: Whom = { account: request.account, customerGroup: customer?.customerGroup ?? null };
  const codes = request.lines.map(({ product }) => product);
  return {
    hidden: hiddenFrom(whom, around.assortment, products),
    replacements: replacementsFor(whom, products, replacing),
    units: around.units,
    branches: around.branches,
    stock: stockAt(around.stock, branch, codes),
    repeats: around.repeats.get(index) ?? null,
    paymentUsedBy: around.payments.get(index) ?? null,
    turned: around.turned.get(index) ?? null,
  };
}

/** Always in one order, so that nobody waits in a ring. */
async function lockLikes(
  tx: Queryable,
  { company, lock, repeatedWithinMinutes }: Reading,
  asked: readonly Asked[],
): Promise<ReadonlyMap<number, "alone" | "again">> {
  if (lock === "none") return new Map();
  const names = asked.flatMap(({ request }, index) => [
    ...(repeatedWithinMinutes > 0 ? [{ index, name: `order ${likenessOf(request)}` }] : []),
    ...(request.payment === null ? [] : [{ index, name: paymentName(request.payment) }]),
  ]);
  if (names.length === 0) return new Map();
  const take =
    lock === "try"
      ? "pg_try_advisory_xact_lock(hashtext($1), hashtext(name))"
      : "pg_advisory_xact_lock(hashtext($1), hashtext(name)) is not null";
  const rows = await tx.prepared<{ index: number; taken: boolean }>(
    `select index, ${take} as taken
       from (select * from unnest($2::int[], $3::text[]) as n(index, name)
              order by hashtext(name) offset 0) n`,
    [company, names.map(({ index }) => index), names.map(({ name }) => name)],
  );
  const first = new Map<string, number>();
  for (const { index, name } of names) if (!first.has(name)) first.set(name, index);
  return new Map([
    ...names
      .filter(({ index, name }) => first.get(name) !== index)
      .map(({ index }) => [index, "again"] as const),
    ...rows.filter(({ taken }) => !taken).map(({ index }) => [index, "alone"] as const),
  ]);
}

function paymentName({ provider, reference }: NonNullable<AccountedOrder["payment"]>): string {
  return JSON.stringify(["payment", provider, reference]);
}

const MOST_STEPS = 5;

/** The products that replaced ones lead to, step by step. */
async function replacingOf(
  tx: Queryable,
  company: string,
  products: ReadonlyMap<string, Canonical<"product">>,
): Promise<ReadonlyMap<string, Canonical<"product">>> {
  const found = new Map<string, Canonical<"product">>();
  let wanted = [...products.values()].flatMap(({ replacedBy }) => replacedBy ?? []);
  for (let step = 0; step < MOST_STEPS && wanted.length > 0; step += 1) {
    const rows = await tx.prepared<Canonical<"product">>(
      `select product, product_group as "productGroup", state, sold_on_web as "soldOnWeb",
              replaced_by as "replacedBy"
         from product where company = $1 and product = any($2)`,
      [company, wanted],
    );
    for (const row of rows) found.set(row.product, row);
    wanted = rows.flatMap(({ replacedBy }) =>
      replacedBy === null || found.has(replacedBy) ? [] : [replacedBy],
    );
  }
  return found;
}

function replacementsFor(
  whom: Whom,
  products: ReadonlyMap<string, Canonical<"product">>,
  replacing: Replacing | null,
): Surroundings["replacements"] {
  const replaced = [...products.values()].filter(({ replacedBy }) => replacedBy !== null);
  const by: Replacing["products"] = replacing?.products ?? new Map();
  const hidden = replacing === null ? NONE : hiddenFrom(whom, replacing.assortment, by);
  return new Map(
    replaced.map(({ product, replacedBy }) => {
      let last = by.get(replacedBy ?? "");
      for (let step = 0; step < MOST_STEPS; step += 1)
        last = by.get(last?.replacedBy ?? "") ?? last;
      return [product, last !== undefined && isOrderable(last, hidden) ? last.product : null];
    }),
  );
}

const NONE: ReadonlySet<string> = new Set();

function isOrderable(
  { product, state, soldOnWeb, replacedBy }: Canonical<"product">,
  hidden: ReadonlySet<string>,
): boolean {
  return state === "active" && soldOnWeb && replacedBy === null && !hidden.has(product);
}

async function readUnits(
  tx: Queryable,
  company: string,
  asked: readonly Asked[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const lines = asked.flatMap(({ request }) => request.lines);
  const inUnits = lines.filter(({ unit }) => unit !== undefined).map(({ product }) => product);
  if (inUnits.length === 0) return new Map();
  const rows = await tx.prepared<{ product: string; units: string[] }>(
    `select product, array_agg(unit order by unit) as units
       from product_unit where company = $1 and product = any($2) group by product`,
    [company, [...new Set(inUnits)]],
  );
  return new Map(rows.map(({ product, units }) => [product, units]));
}

/** Null: no order names one, or the ERP's branches are not pulled. */
async function readBranches(
  tx: Queryable,
  company: string,
  asked: readonly Asked[],
): Promise<ReadonlySet<string> | null> {
  if (asked.every(({ request: { branch } }) => branch === null)) return null;
  const rows = await tx.prepared<{ branch: string }>(
    "select branch from branch where company = $1",
    [company],
  );
  return rows.length === 0 ? null : new Set(rows.map(({ branch }) => branch));
}

/** The newest of each; one that came to nothing is no reason to hold another. */
async function readRepeats(
  tx: Queryable,
  { company, now, repeatedWithinMinutes }: Reading,
  asked: readonly Asked[],
): Promise<ReadonlyMap<number, NonNullable<Surroundings["repeats"]>>> {
  if (repeatedWithinMinutes <= 0) return new Map();
  const rows = await tx.prepared<{ index: number; number: string; receivedAt: Temporal.Instant }>(
    `select a.index, o.number, o.received_at as "receivedAt"
       from unnest($2::int[], $3::text[], $4::text[], $6::bool[]) as a(index, account, likeness, test)
       cross join lateral (
         select number, received_at from web_order o
          where o.company = $1 and o.account = a.account and o.likeness = a.likeness
            and o.received_at >= $5 and o.test = a.test and o.state not in ('refused', 'cancelled')
          order by received_at desc limit 1) o`,
    [
      company,
      asked.map((_, index) => index),
      asked.map(({ request: { account, keptUnder = account } }) => keptUnder),
      asked.map(({ request }) => likenessOf(request)),
      now.subtract({ minutes: repeatedWithinMinutes }),
      asked.map(({ test }) => test),
    ],
  );
  return new Map(rows.map(({ index, ...repeats }) => [index, repeats]));
}
