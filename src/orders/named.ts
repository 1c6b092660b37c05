/**
 * What was pulled bears the number of an order that nobody knows the end of, and was not taken for
 * it: its day lies far off, or its number there is none. It may be the order all the same, so that
 * nobody sends that again unseen.
 */
import type { Queryable } from "../store/index.ts";
import { addEvent, type OrderRow } from "./book.ts";
import { heldOrder } from "./changes/path.ts";
import type { OrdersContext } from "./context.ts";
import { OrderError } from "./error.ts";
import { lostRow } from "./lost-rows.ts";
import { bears } from "./same-number.ts";
import { dayText } from "./words.ts";

const NUMBER = (row: string) => `coalesce(nullif(${row}.erp_order, ''), 'no number')`;

/** A number there that a person has looked at is known. */
const open = (row: string) =>
  `not ${lostRow(row)} and not o.settled ? coalesce(${row}.erp_order, '')`;

const NAMED = `
  select o.id, x.what, x.day::text as day
    from web_order o
   cross join lateral (
     select case a.outcome when 'refused' then 'refused' else 'accepted as ' || ${NUMBER("a")} end
              as what, a.answered_on as day
       from order_acknowledgement a
      where a.company = o.company and ${bears("a.web_order")} and ${open("a")}
     union all
     select 'shown as ' || ${NUMBER("e")} || ' of ' || e.account, e.ordered_on
       from erp_order e
      where e.company = o.company and ${bears("e.web_order")} and ${open("e")}
     union all
     select 'invoiced as ' || d.document || ' (order ' || ${NUMBER("d")} || ')', d.document_on
       from sales_document d
      where d.company = o.company and ${bears("d.web_order")} and d.document_type = 'invoice'
        and ${open("d")}) x
   where o.company = $1 and o.id = any($2::uuid[])
   order by o.id, x.day, x.what`;

/** In a sentence, by the order's id; those that nothing names are not in it. */
export async function namedIn(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows =
    orders.length === 0
      ? []
      : await on.query<{ id: string; what: string; day: string | null }>(NAMED, [company, orders]);
  const found = Map.groupBy(rows, ({ id }) => id);
  return new Map([...found].map(([id, named]) => [id, inWords(named)]));
}

function inWords(rows: readonly { readonly what: string; readonly day: string | null }[]): string {
  const named = rows.map(({ what, day }) => (day === null ? what : `${what} on ${dayText(day)}`));
  return (
    `What was pulled names it: ${[...new Set(named)].join("; ")}. That was not taken for it, since its day ` +
    "or its number there does not fit; it may be this order all the same."
  );
}

const TOLD = "named";

/** Throws where something names it that nobody was told of; whoever asks once more knows it. */
export async function refuseNamed(context: OrdersContext, order: OrderRow): Promise<void> {
  const { store, company } = context;
  const sentence = (await namedIn(store, company, [order.id])).get(order.id);
  if (sentence === undefined || (await wasTold(store, order, sentence))) return;
  await store.transaction(async (tx) => {
    const now = await heldOrder(tx, company, order.id);
    const page = { event: TOLD, fromState: now.state, toState: now.state, who: "tradepost" };
    await addEvent(tx, now, { ...page, about: sentence, at: context.now() });
  });
  throw new OrderError(
    "move-impossible",
    `Sending web order ${order.number} again: ${sentence} Look in the ERP: if it is, resolve the order ` +
      "with its number there; if that is another order, send this one again once more.",
  );
}

async function wasTold(
  on: Queryable,
  { company, id }: OrderRow,
  sentence: string,
): Promise<boolean> {
  const rows = await on.query(
    "select 1 from web_order_event where company = $1 and order_id = $2 and event = $3 and about = $4",
    [company, id, TOLD, sentence],
  );
  return rows.length > 0;
}
