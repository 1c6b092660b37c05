/**
 * ERP orders that may be a web order a second time, though they bear no number of ours: keyed by
 * hand, say, beside the one that was handed over. Only a person can tell.
 */
import type { Transaction } from "../store/index.ts";
import { OTHERS } from "./changes/versions.ts";
import { besidesOurs, type LineThere, type Ours } from "./goods.ts";
import type { DeliveryState } from "./machine.ts";
import type { Recent } from "./recent.ts";
import { bears } from "./same-number.ts";
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
 * Web orders under the references that they had before changes of them. Of what is new only
 * recent changes are read, since they are large; every look at all finds the others.
 */
const BEFORE = `
  (select o.company, o.id, o.account, o.ordered_on,
          c.before #>> '{body,customerReference}' as customer_reference
     from web_order_change c
     join web_order o on o.company = c.company and o.id = c.order_id
    where c.company = $1 and c.before is not null
      and ($2::timestamptz is null or c.asked_at >= $2::timestamptz - interval '31 days'))`;

const [OURS, THEIRS] = ["o.customer_reference", "e.customer_reference"];

/**
 * Same account and same customer's reference within a day: of what is new on one of the two sides.
 * Whoever keys a reference by hand writes it in small letters or capitals.
 * $2 and $3, the orders, are null together: of all.
 */
const SUSPECTS = `
  with same as (${[
    { of: "web_order", reference: bears(OURS, THEIRS) },
    { of: BEFORE, reference: `${OURS} = ${THEIRS}` },
  ]
    .flatMap((ours) => [
      pairs(ours, "erp_order", "$2::timestamptz is null"),
      pairs(ours, LEARNED, "$2::timestamptz is not null"),
      pairs(ours, "erp_order", "o.id = any($3::uuid[])"),
    ])
    .join(" union ")})
  select o.id, o.number, o.state, o.erp_order as own, o.gross, e.erp_order as "erpOrder",
         e.customer_reference as reference
    from same
    join web_order o on o.company = $1 and o.id = same.id
    join erp_order e on e.company = $1 and e.erp_order = same.erp_order
   where not o.test
     and o.state not in ('refused', 'cancelled', 'shadowed')
     and e.erp_order is distinct from o.erp_order
     and not exists (select 1 from jsonb_array_elements_text(o.settled) s
                      where s = e.erp_order)
     and not exists (select 1 from web_order other
                      where other.company = o.company and other.erp_order = e.erp_order)
   order by o.id, e.erp_order`;

interface Candidates {
  /** The relation that they are. */
  readonly of: string;
  /** Their reference is the one of an ERP order. */
  readonly reference: string;
}

function pairs(ours: Candidates, theirs: string, where: string): string {
  return `
    select o.id, e.erp_order from ${ours.of} o
      join ${theirs} e on e.company = $1 and e.account = o.account
       and ${ours.reference}
       and e.ordered_on between o.ordered_on - 1 and o.ordered_on + 1
     where o.company = $1 and o.customer_reference <> '' and coalesce(e.web_order, '') = ''
       and e.state <> 'cancelled' and ${where}`;
}

interface Contents {
  readonly versions: readonly Ours[];
  readonly there: readonly LineThere[];
}

/** $2 and $3: the suspects, an order and an ERP order each. */
const CONTENTS = `
  select jsonb_build_array(o.body) || ${OTHERS} as versions, (
           select coalesce(jsonb_agg(jsonb_build_object('product', l.product,
                    'quantity', l.quantity::text, 'net', l.net::text)), '[]')
             from erp_order_line l
            where l.company = o.company and l.erp_order = s.erp_order) as there
    from unnest($2::uuid[], $3::text[]) with ordinality as s (id, erp_order, nth)
    join web_order o on o.company = $1 and o.id = s.id
   order by s.nth`;

/** Suspects whose contents are read at a time. */
const AT_ONCE = 500;

/** Those that have all of an order's goods, as they are or were before a change. */
async function twinsAmong(
  tx: Transaction,
  company: string,
  suspects: readonly Twin[],
): Promise<Twin[]> {
  const twins: Twin[] = [];
  for (let from = 0; from < suspects.length; from += AT_ONCE) {
    const some = suspects.slice(from, from + AT_ONCE);
    const [orders, erpOrders] = [some.map(({ id }) => id), some.map((each) => each.erpOrder)];
    const contents = await tx.query<Contents>(CONTENTS, [company, orders, erpOrders]);
    twins.push(...some.filter((_, index) => isTwin(contents[index])));
  }
  return twins;
}

function isTwin(contents: Contents | undefined): boolean {
  const { versions = [], there = [] } = contents ?? {};
  return versions.some((ours) => besidesOurs(ours, there) !== null);
}

/** How many were found for the first time. */
export async function suspectTwins(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
  { since, orders }: Recent,
): Promise<number> {
  let opened = 0;
  const suspects = await tx.query<Twin>(SUSPECTS, [company, since, orders]);
  for (const twin of await twinsAmong(tx, company, suspects)) {
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
  const same =
    `It bears no number of ours; account and reference ${reference} are the same, and it has all ` +
    `goods of ${number}.`;
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
