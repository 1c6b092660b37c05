/**
 * Which orders may still count: against their account's credit (`open_account`), and against stock
 * and contracts (`open_product` of a line). The marks keep what is over out of every sum, so that
 * taking an order costs the same however many came before it. They are set by whoever makes
 * something count, in the same transaction; taking `open_account` away is left to `closeSettled`,
 * so that a mark may be there too long and is never missing.
 */
import type { Queryable } from "../store/index.ts";
import { chargedOnce } from "./delivered.ts";
import { OVER_STATES, type DeliveryState } from "./machine.ts";

interface OrderKey {
  readonly company: string;
  readonly id: string;
}

/** Of the line `l` of the order `o`: some of it may still be charged. */
const IS_OPEN = `(${chargedOnce()} + l.cancelled_quantity) / l.quantity < 1`;

/** Its product while some of it is open, else null. */
const OPEN_PRODUCT = `case when o.state <> all($3) and ${IS_OPEN} then l.product end`;

/** Of the order `o`: a line or a change of it may still come to something. */
const MAY_COUNT = `
  (exists (select 1 from web_order_line l
            where l.company = o.company and l.order_id = o.id and ${IS_OPEN})
   or exists (select 1 from web_order_change c
               where c.company = o.company and c.order_id = o.id
                 and c.state in ('held', 'asked', 'task')))`;

/** The order `o` counts, whatever its mark says; `states` are those that are over. */
const counts = (states: string) => `(not o.test and o.state <> all(${states}) and ${MAY_COUNT})`;

/** Something of the order `o` was invoiced, cancelled or asked to be changed. */
const TOUCHED = `
  (o.invoiced_charges <> 0 or exists (select 1 from web_order_line l
            where l.company = o.company and l.order_id = o.id
              and (l.invoiced_quantity <> 0 or l.cancelled_quantity <> 0))
   or exists (select 1 from web_order_change c
               where c.company = o.company and c.order_id = o.id))`;

/**
 * They count from now on, where they can, and as their lines say; whoever calls it has changed what
 * they come to.
 */
export async function openAgain(
  tx: Queryable,
  company: string,
  orders: readonly string[],
): Promise<void> {
  if (orders.length === 0) return;
  await markLines(tx, company, orders);
  await tx.affect(
    `update web_order o set open_account = o.account
      where o.company = $1 and o.id = any($2::uuid[]) and o.open_account is null
        and ${counts("$3")}`,
    [company, orders, [...OVER_STATES]],
  );
  await tx.affect(
    `update web_order o set open_gross = null
      where o.company = $1 and o.id = any($2::uuid[]) and o.open_gross is not null and ${TOUCHED}`,
    [company, orders],
  );
}

async function markLines(tx: Queryable, company: string, orders: readonly string[]): Promise<void> {
  await tx.affect(
    `update web_order_line l set open_product = ${OPEN_PRODUCT} from web_order o
      where o.company = $1 and o.id = any($2::uuid[]) and l.company = $1 and l.order_id = o.id
        and l.open_product is distinct from ${OPEN_PRODUCT}`,
    [company, orders, [...OVER_STATES]],
  );
}

/** With a move: an order that is over counts no more, and one that lives again does. */
export async function followState(
  tx: Queryable,
  { company, id }: OrderKey,
  from: DeliveryState,
  to: DeliveryState,
): Promise<void> {
  const isOver = OVER_STATES.has(to);
  if (OVER_STATES.has(from) === isOver) return;
  if (!isOver) return openAgain(tx, company, [id]);
  await markLines(tx, company, [id]);
  await tx.affect("update web_order set open_account = null where company = $1 and id = $2", [
    company,
    id,
  ]);
}

/**
 * Takes the mark from orders of which nothing counts any more; how many. One that somebody is at,
 * or whose lines somebody writes, is left for the next time: nobody waits, and what they make count
 * is not missed.
 */
export async function closeSettled(tx: Queryable, company: string): Promise<number> {
  const over = [...OVER_STATES];
  const settled = await tx.query<{ id: string }>(
    `select o.id from web_order o
      where o.company = $1 and o.open_account is not null and not ${counts("$2")}`,
    [company, over],
  );
  if (settled.length === 0) return 0;
  const ids = settled.map(({ id }) => id);
  const held = await tx.query<{ id: string }>(
    `select id from web_order where company = $1 and id = any($2::uuid[]) for update skip locked`,
    [company, ids],
  );
  const lines = await tx.query<{ id: string; lines: number }>(
    `with locked as (
       select order_id from web_order_line where company = $1 and order_id = any($2::uuid[])
          for update skip locked)
     select order_id as id, count(*)::int as lines from locked group by order_id`,
    [company, held.map(({ id }) => id)],
  );
  // A statement of its own, which sees what was committed before the locks were held.
  return tx.affect(
    `update web_order o set open_account = null
       from unnest($2::uuid[], $3::int[]) as held (id, lines)
      where o.company = $1 and o.id = held.id and not ${counts("$4")}
        and held.lines = (select count(*) from web_order_line l
                           where l.company = o.company and l.order_id = o.id)`,
    [company, lines.map(({ id }) => id), lines.map((line) => line.lines), over],
  );
}
