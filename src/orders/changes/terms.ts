/**
 * By what terms a changed order is reckoned. What stays of one was agreed: its promotions are those
 * that were known and held then, whatever has begun or ended since. More goods, or others, are a
 * new agreement on the whole, by what holds now.
 */
import type { Queryable } from "../../store/index.ts";
import { findOrder, type OrderRow, type Seen } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import type { OrderRequest } from "../request.ts";
import { equal, isLessOf } from "./concerned.ts";
import { firstOf } from "./made-from.ts";
import { changesOf, PENDING, type ChangeRow } from "./rows.ts";

/**
 * The context that prices by the terms that were agreed, where the change asks for no more than
 * that. Before the transaction begins: reading them takes a connection of its own.
 *
 * @param asked the order as it is to be; "less": without some of it; "none": all of it cancelled
 * that has not come, which leaves nothing to reckon where nothing has.
 * @param upTo the change behind which it is asked; absent: the last.
 */
export async function onAgreedTerms(
  context: OrdersContext,
  { order: idOrNumber, seen }: { readonly order: string; readonly seen: Seen },
  asked: OrderRequest | "less" | "none",
  upTo = Infinity,
): Promise<OrdersContext> {
  const { store, company, pricing } = context;
  const order = await findOrder(store, company, idOrNumber, seen);
  if (order === null || pricing.asOf === undefined) return context;
  if (asked === "none" && !(await hasCome(store, order))) return context;
  const first = await firstOf(store, order);
  if (first === null) return context;
  // A part is taken off what is held, too; any other change begins at what is agreed.
  const changes = (await changesOf(store, order)).filter(
    ({ change, state }) => change <= upTo && (state !== "held" || typeof asked === "string"),
  );
  const agreed = agreedOf({ at: order.receivedAt, request: first }, changes);
  if (typeof asked !== "string" && !asksNoMore(agreed.request, asked)) return context;
  const price = await pricing.asOf(order.account, agreed.at);
  return price === null ? context : { ...context, pricing: { ...pricing, price } };
}

async function hasCome(
  on: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<boolean> {
  const [row] = await on.query<{ come: boolean }>(
    `select exists (select 1 from web_order_line
                     where company = $1 and order_id = $2
                       and greatest(despatched_quantity, invoiced_quantity) > 0) as come`,
    [company, id],
  );
  return row?.come === true;
}

interface Agreed {
  readonly at: Temporal.Instant;
  readonly request: OrderRequest;
}

/** The last that the order consists of, or is to, and when it last asked for more. Pure. */
export function agreedOf(
  first: Agreed,
  changes: readonly Pick<ChangeRow, "state" | "request" | "askedAt">[],
): Agreed {
  return changes.reduce<Agreed>((agreed, { state, request, askedAt }) => {
    if (request === null || (state !== "done" && !PENDING.includes(state))) return agreed;
    return { at: asksNoMore(agreed.request, request) ? agreed.at : askedAt, request };
  }, first);
}

/** What prices and promotions are asked by. */
const TERMS = ["account", "site", "branch", "conditions", "quotation", "codes"] as const;

function asksNoMore(before: OrderRequest, now: OrderRequest): boolean {
  return isLessOf(before.lines, now.lines) && TERMS.every((name) => equal(before[name], now[name]));
}
