/**
 * What is free of products at the branch that fulfils: what lies there, less what the ERP has
 * promised, less what web orders wait for that the ERP has not promised yet.
 */
import type { Queryable } from "../store/index.ts";
import { OPEN_LINES } from "./fulfilment.ts";

/** In selling units; may be below 0 where more was promised than is there. */
export interface StockFact {
  readonly free: string;
  readonly onOrder: string;
  /** When the next purchase order is due, ISO date; null: none. */
  readonly nextDueOn: string | null;
}

interface Row extends StockFact {
  readonly product: string;
  readonly branch: string;
}

/** Of every branch; a product whose stock nobody states is not in it. */
export type Stock = ReadonlyMap<string, readonly Row[]>;

export async function readStock(
  tx: Queryable,
  company: string,
  products: readonly string[],
): Promise<Stock> {
  const rows = await tx.prepared<Row>(FREE, [company, [...new Set(products)]]);
  return Map.groupBy(rows, ({ product }) => product);
}

/** Of the branch that fulfils, where stock is stated for it, else of all branches together. */
export function stockAt(
  stock: Stock,
  branch: string | null,
  products: readonly string[],
): ReadonlyMap<string, StockFact> {
  const own = products.flatMap((product) => {
    const all = stock.get(product) ?? [];
    const fact = all.find((row) => row.branch === branch) ?? all.find((row) => row.branch === "");
    return fact === undefined ? [] : [[product, fact] as const];
  });
  return new Map(own);
}

/** An order can wait so long for the ERP to take it, and is counted all the same. */
const LONGEST_WAIT = "14 days";

/** Ids are made in the order of time: none of an order before the moment is below it. */
const firstIdOf = (moment: string) =>
  `(lpad(to_hex((extract(epoch from ${moment} - interval '${LONGEST_WAIT}') * 1000)::bigint),
         12, '0') || repeat('0', 20))::uuid`;

/** (product, branch, free, onOrder, nextDueOn); branch '' is all of them together. */
const FREE = `
  with s as materialized (
    select product, branch, on_hand_quantity - allocated_quantity as free,
           on_order_quantity as coming, next_due_on as due, learned_at
      from stock where company = $1 and product = any($2)),
  said as (select product, max(learned_at) as said_at from s group by product),
  waiting as (
    select said.product, open.branch, open.quantity
      from said cross join lateral (
        select l.branch, sum(l.quantity) as quantity
          from ${OPEN_LINES} l
         where l.company = $1 and l.product = said.product
           and l.order_id >= ${firstIdOf("said.said_at")}
           and l.quantity > 0 and (l.taken_at is null or l.taken_at > said.said_at)
         group by l.branch) open)
  select s.product, s.branch, trim_scale(s.free - coalesce(w.quantity, 0))::text as free,
         trim_scale(s.coming)::text as "onOrder", s.due::text as "nextDueOn"
    from s left join waiting w on w.product = s.product and w.branch = s.branch
  union all
  select s.product, '', trim_scale(sum(s.free) - coalesce(
           (select sum(w.quantity) from waiting w where w.product = s.product), 0))::text,
         trim_scale(sum(s.coming))::text, min(s.due)::text
    from s group by s.product`;
