/**
 * ERP orders that may be a web order a second time, though they bear no number of ours: keyed by
 * hand, say, beside the one that was handed over. Only a person can tell.
 */
import type { Transaction } from "../store/index.ts";
import type { DeliveryState } from "./machine.ts";
import type { Recent } from "./recent.ts";
import { openTask } from "./tasks.ts";

interface Twin {
  readonly id: string;
  readonly number: string;
  readonly state: DeliveryState;
  /** Its own number there; null: it has none yet. */
  readonly own: string | null;
  readonly gross: string;
  readonly erpOrder: string;
  readonly reference: string;
}

/** ERP orders of which anything was learned since $2. */
const LEARNED = `
  (select * from erp_order
    where company = $1 and erp_order in (
      select erp_order from erp_order where company = $1 and learned_at >= $2
      union
      select erp_order from erp_order_line where company = $1 and learned_at >= $2))`;

/**
 * Same account, same customer's reference and the same lines, within a day: of what is new on one
 * of the two sides. $2 and $3, the orders, are null together: of all.
 */
const TWINS = `
  with same as (
    ${pairs("erp_order", "$2::timestamptz is null")} union
    ${pairs(LEARNED, "$2::timestamptz is not null")} union
    ${pairs("erp_order", "o.id = any($3::uuid[])")}),
  suspects as (
    select o.company, o.id, o.number, o.state, o.erp_order as own, o.gross,
           o.customer_reference as reference, e.erp_order
      from same
      join web_order o on o.company = $1 and o.id = same.id
      join erp_order e on e.company = $1 and e.erp_order = same.erp_order
     where not o.test
       and o.state not in ('refused', 'cancelled', 'shadowed')
       and e.erp_order is distinct from o.erp_order
       and not exists (select 1 from jsonb_array_elements_text(o.settled) s
                        where s = e.erp_order)
       and not exists (select 1 from web_order other
                        where other.company = o.company and other.erp_order = e.erp_order))
  select s.id, s.number, s.state, s.own, s.gross, s.erp_order as "erpOrder", s.reference
    from suspects s
    cross join lateral (
      select array_agg(l.product || ' ' || trim_scale(l.quantity) order by l.product, l.quantity)
             as lines
        from web_order_line l where l.company = s.company and l.order_id = s.id) ours
    cross join lateral (
      select array_agg(l.product || ' ' || trim_scale(l.quantity) order by l.product, l.quantity)
             as lines
        from erp_order_line l
       where l.company = s.company and l.erp_order = s.erp_order and l.product is not null) theirs
   where ours.lines = theirs.lines
   order by s.id, s.erp_order`;

function pairs(theirs: string, where: string): string {
  return `
    select o.id, e.erp_order from web_order o
      join ${theirs} e on e.company = $1 and e.account = o.account
       and e.customer_reference = o.customer_reference
       and e.ordered_on between o.ordered_on - 1 and o.ordered_on + 1
     where o.company = $1 and o.customer_reference <> '' and coalesce(e.web_order, '') = ''
       and e.state <> 'cancelled' and ${where}`;
}

/** How many were found for the first time. */
export async function suspectTwins(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  { since, orders }: Recent,
): Promise<number> {
  let opened = 0;
  for (const twin of await tx.query<Twin>(TWINS, [company, since, orders])) {
    const { id: order, number, gross: amount, erpOrder } = twin;
    const about = `${aboutTwin(erpOrder)}${number}`;
    // As long as it is open it says what to do as the order stands by then.
    const task = { order, kind: "look", about, instruction: whatToDo(twin), amount } as const;
    if ((await openTask(tx, company, task, at)).opened) opened += 1;
  }
  return opened;
}

const aboutTwin = (erpOrder: string): string => `ERP order ${erpOrder} may be `;

/** Whether a task asks about that ERP order. */
export function isAboutTwin(about: string, erpOrder: string): boolean {
  return about.startsWith(aboutTwin(erpOrder));
}

function whatToDo({ number, state, own, erpOrder, reference }: Twin): string {
  const same = `It bears no number of ours; account, reference ${reference} and lines are the same.`;
  if (own !== null)
    return (
      `${same} ${number} is ${own} there: if both are the same order, cancel one of them in the ERP. ` +
      "Close this task either way."
    );
  const link = `tradepost orders resolve ${number} --erp-order ${erpOrder} --who NAME --why WHY`;
  return WAITS.has(state)
    ? `${same} ${number} is not handed over yet: if it was keyed by hand, cancel ${number} here and ` +
        `keep ${erpOrder}. Close this task either way.`
    : `${same} No other ERP order is known to be ${number}, so do not cancel ${erpOrder} unless you find one: ` +
        `if it is ${number}, link it: ${link}. If it is not, close this task.`;
}

const WAITS: ReadonlySet<DeliveryState> = new Set(["held", "queued", "checked"]);
