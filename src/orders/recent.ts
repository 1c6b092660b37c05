/**
 * What a look every minute need not read again: orders that are over, of which nothing was pulled
 * and to which nothing happened for long.
 */
import type { OrdersContext } from "./context.ts";

/** Rows become visible long after the moment that they bear, and clocks differ. */
const SINCE_HOURS = 24;
/** So often everything is looked at all the same: within what a look goes back. */
const ALL_EVERY_HOURS = 12;

/** Null: everything is looked at. `done`: it was. */
export interface Span {
  readonly since: Temporal.Instant | null;
  done(): void;
}

/** Of one process: the first look is at everything. */
export function spans({ now }: Pick<OrdersContext, "now">): () => Span {
  let lookedAtAll: Temporal.Instant | null = null;
  return () => {
    const at = now();
    const fresh = lookedAtAll !== null && lookedAtAll.until(at).total("hours") < ALL_EVERY_HOURS;
    return {
      since: fresh ? at.subtract({ hours: SINCE_HOURS }) : null,
      done: () => {
        if (!fresh) lookedAtAll = at;
      },
    };
  };
}

/** Beyond so many, as after a first pull, looking at everything costs less than naming them. */
const MOST_NAMED = 20_000;

/** In SQL, the rows of the ERP that were learned since $2. */
const learned = (column: string, tables: readonly string[]): string =>
  tables
    .map((table) => `select ${column} from ${table} where company = $1 and learned_at >= $2`)
    .join(" union ");

/** Papers that are for several orders name them on their lines alone. */
const OF_ERP_ORDERS = [
  "erp_order",
  "erp_order_line",
  "despatch_line",
  "sales_document",
  "sales_line",
];

const RECENT = `
  select w.id from web_order w where w.company = $1 and w.changed_at >= $2
  union
  select w.id from web_order w
    join (${learned("web_order", ["erp_order", "order_acknowledgement", "sales_document"])}) told
      on w.number_folded = lower(told.web_order)
   where w.company = $1
  union
  select w.id from web_order w
    join (${learned("erp_order", OF_ERP_ORDERS)}) told
      on w.erp_order = told.erp_order
   where w.company = $1
  limit ${MOST_NAMED + 1}`;

/** Both null: everything is looked at. */
export interface Recent {
  readonly since: Temporal.Instant | null;
  /** Ids of orders that were moved since, or of which a row was learned since. */
  readonly orders: readonly string[] | null;
}

export async function recentOrders(
  { store, company }: Pick<OrdersContext, "store" | "company">,
  since: Temporal.Instant | null,
): Promise<Recent> {
  if (since === null) return ALL;
  const found = await store.query<{ id: string }>(RECENT, [company, since]);
  return found.length > MOST_NAMED ? ALL : { since, orders: found.map(({ id }) => id) };
}

/** So many are compared at once: few statements, and none of them long or of much memory. */
const PAGE = 20_000;

/** The orders named, or (null) all but test orders, by their ids. */
export async function* inPages(
  { store, company }: Pick<OrdersContext, "store" | "company">,
  orders: readonly string[] | null,
): AsyncGenerator<readonly string[]> {
  if (orders !== null) {
    const sorted = orders.toSorted();
    for (let from = 0; from < sorted.length; from += PAGE) yield sorted.slice(from, from + PAGE);
    return;
  }
  for (let after: string | null = null; ;) {
    const rows: readonly { readonly id: string }[] = await store.query(
      `select id from web_order
        where company = $1 and not test and ($2::uuid is null or id > $2) order by id limit ${PAGE}`,
      [company, after],
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ id }) => id);
    after = last.id;
  }
}

const ALL: Recent = { since: null, orders: null };
