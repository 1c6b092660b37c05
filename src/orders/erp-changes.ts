/**
 * What staff changed of an order in the ERP after it was confirmed: shown beside what was agreed
 * and told once, never taken over and never a conflict.
 */
import { decimal } from "../model/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import { addEvent, orderOf } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import { ERP_LINES } from "./fulfilment.ts";
import { noteChanged } from "./told.ts";
import { suspectTwins } from "./twins.ts";

export interface ErpDifference {
  /** Line of the order; null: the order as a whole, or a line that only the ERP has. */
  readonly line: number | null;
  readonly product: string | null;
  readonly what: "quantity" | "price" | "line added" | "line removed" | "net" | "VAT" | "state";
  /** What was agreed; null: it was not there. */
  readonly was: string | null;
  /** What the ERP holds; null: it is not there. */
  readonly is: string | null;
}

/** By order. */
export async function changedInErp(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly ErpDifference[]>> {
  const looks = await on.query<{ order: string; differences: readonly ErpDifference[] }>(
    `select order_id as "order", differences from web_order_erp_look
      where company = $1 and order_id = any($2::uuid[])`,
    [company, orders],
  );
  return new Map(looks.map(({ order, differences }) => [order, differences]));
}

interface Look {
  readonly id: string;
  readonly version: number;
  readonly learnedAt: Temporal.Instant;
  readonly net: string;
  readonly vat: string;
  readonly erpNet: string | null;
  readonly erpVat: string | null;
  readonly erpState: string;
  readonly lines: readonly LineLook[];
  /** As they were noticed last; null: it is looked at for the first time. */
  readonly before: readonly ErpDifference[] | null;
}

/** A line of ours, a line of the ERP, or both of them together. */
interface LineLook {
  readonly line: number | null;
  readonly product: string | null;
  readonly quantity: string | null;
  readonly net: string | null;
  readonly erpQuantity: string | null;
  readonly erpNet: string | null;
}

/**
 * Confirmed orders whose rows in the ERP, or who themselves, moved since they were compared. Rows
 * that were pulled before a change was done show the order before it; lines that do not add up are
 * not all there, so that only the sums are compared.
 */
const LOOKS = `
  with moved as (
    select o.company, o.id, o.number, o.version, o.net, o.vat, e.net as erp_net, e.vat as erp_vat,
           e.state as erp_state, greatest(e.learned_at, l.learned_at) as learned_at, l.whole, k.differences
      from web_order o
      join erp_order e on e.company = o.company and e.erp_order = o.erp_order
      left join lateral (
        select max(x.learned_at) as learned_at, sum(x.net) = e.net or e.net is null as whole
          from erp_order_line x where x.company = e.company and x.erp_order = e.erp_order) l on true
      left join web_order_erp_look k on k.company = o.company and k.order_id = o.id
     where o.company = $1 and ($2::uuid is null or o.id = $2) and o.state = 'confirmed'
       and not o.test
       and (k.version, k.learned_at)
           is distinct from (o.version, greatest(e.learned_at, l.learned_at))
       and not exists (select 1 from web_order_change c
                        where c.company = o.company and c.order_id = o.id
                          and (c.state in ('asked', 'task')
                               or c.state = 'done'
                                  and c.ended_at >= greatest(e.learned_at, l.learned_at)))),
  theirs as (
    select x.order_id, x.line, min(x.product) as product, sum(x.quantity) as quantity,
           sum(x.net) as net
      from (${ERP_LINES}) x join moved m on m.id = x.order_id and m.whole
     where x.product is not null
     group by x.order_id, x.line, case when x.line is null then x.product end)
  select m.id, m.version, m.learned_at as "learnedAt", m.net, m.vat, m.erp_net as "erpNet",
         m.erp_vat as "erpVat", m.erp_state as "erpState", m.differences as before,
         coalesce((
           select jsonb_agg(jsonb_build_object('line', l.line,
                    'product', coalesce(l.product, t.product), 'quantity', l.quantity::text,
                    'net', l.net::text, 'erpQuantity', t.quantity::text, 'erpNet', t.net::text)
                    order by l.line nulls last, t.product)
             from (select * from web_order_line w
                    where w.company = m.company and w.order_id = m.id) l
             full join (select * from theirs s where s.order_id = m.id) t on t.line = l.line
            where exists (select 1 from theirs s where s.order_id = m.id)), '[]') as lines
    from moved m`;

/** After each pull: what staff did in the ERP, and what they may have keyed a second time. */
export async function noticeWhatStaffDid(context: OrdersContext): Promise<void> {
  const { store, company, now } = context;
  await store.transaction((tx) => noticeErpChanges(tx, company, now()));
  const twins = await store.transaction((tx) => suspectTwins(tx, company, now()));
  if (twins > 0)
    context.log("warn", `${twins} ERP orders may be web orders a second time: orders desk`);
}

/** How many orders were found changed otherwise than before. */
async function noticeErpChanges(
  tx: Transaction,
  company: string,
  at: Temporal.Instant,
): Promise<number> {
  let noticed = 0;
  for (const look of await tx.query<Look>(LOOKS, [company, null])) {
    const differences = differencesOf(look);
    const same = textOf(look.before ?? []) === textOf(differences);
    await keep(tx, company, look, differences, at);
    if (same) continue;
    const order = await orderOf(tx, company, look.id);
    await addEvent(tx, order, {
      event: "erp-change",
      fromState: order.state,
      toState: order.state,
      who: "erp",
      at,
      about: inWords(differences),
    });
    await noteChanged(tx, order, "order.changed-in-erp", at);
    noticed += 1;
  }
  return noticed;
}

async function keep(
  tx: Transaction,
  company: string,
  { id, version, learnedAt }: Look,
  differences: readonly ErpDifference[],
  at: Temporal.Instant,
): Promise<void> {
  // The row is held, so that the pages of its book do not clash.
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    id,
  ]);
  await tx.affect(
    `insert into web_order_erp_look (company, order_id, version, learned_at, differences, noticed_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (company, order_id) do update
        set version = excluded.version, learned_at = excluded.learned_at,
            differences = excluded.differences,
            noticed_at = case when web_order_erp_look.differences = excluded.differences
                              then web_order_erp_look.noticed_at else excluded.noticed_at end`,
    [company, id, version, learnedAt, JSON.stringify(differences), at],
  );
}

/** The database keeps the fields of a value in an order of its own. */
function textOf(differences: readonly ErpDifference[]): string {
  return JSON.stringify(
    differences.map(({ line, product, what, was, is }) => [line, product, what, was, is]),
  );
}

function differencesOf(look: Look): ErpDifference[] {
  const { net, vat, erpNet, erpVat, erpState } = look;
  const found = look.lines.flatMap((line) => ofLine(line));
  const whole = (what: "net" | "VAT", was: string, is: string | null): ErpDifference[] =>
    is === null || money(is) === money(was)
      ? []
      : [{ line: null, product: null, what, was: money(was), is: money(is) }];
  const state: ErpDifference[] =
    erpState === "cancelled"
      ? [{ line: null, product: null, what: "state", was: "open", is: "cancelled" }]
      : [];
  return [...state, ...found, ...whole("net", net, erpNet), ...whole("VAT", vat, erpVat)];
}

function ofLine(look: LineLook): ErpDifference[] {
  const { line, product, quantity, net, erpQuantity, erpNet } = look;
  const of = { line, product };
  if (quantity === null || net === null)
    return [{ ...of, what: "line added", was: null, is: plain(erpQuantity ?? "0") }];
  if (erpQuantity === null || erpNet === null)
    return [{ ...of, what: "line removed", was: plain(quantity), is: null }];
  const found: ErpDifference[] = [];
  if (plain(quantity) !== plain(erpQuantity))
    found.push({ ...of, what: "quantity", was: plain(quantity), is: plain(erpQuantity) });
  const expected = scaledNet(net, quantity, erpQuantity);
  const off = decimal.subtract(decimal.parse(erpNet), expected);
  // Of another quantity the net is rounded anew: a penny is no other price.
  const most = found.length === 0 ? 0n : 1n;
  const digits = decimal.digitsAt(off, 2);
  if (digits > most || digits < -most)
    found.push({ ...of, what: "price", was: decimal.format(expected), is: money(erpNet) });
  return found;
}

/** What so many would come to at the price agreed. */
function scaledNet(net: string, quantity: string, erpQuantity: string): decimal.Decimal {
  const [of, to] = [quantity, erpQuantity].map((text) =>
    decimal.digitsAt(decimal.parse(text), QUANTITY_PLACES),
  );
  if (of === undefined || to === undefined || of === 0n) return decimal.zero();
  const pence = decimal.digitsAt(decimal.parse(net), 2);
  return { digits: decimal.divideRounded(pence * to, of, "half-away"), scale: 2 };
}

const QUANTITY_PLACES = 5;

function plain(quantity: string): string {
  return decimal.canonical(decimal.parse(quantity));
}

function money(text: string): string {
  return decimal.format(decimal.parse(text));
}

function inWords(differences: readonly ErpDifference[]): string {
  if (differences.length === 0) return "The ERP holds what was agreed again.";
  const said = differences.map(({ line, product, what, was, is }) => {
    const where = line === null ? (product ?? "the order") : `line ${line} (${product ?? ""})`;
    return `${where}: ${what} ${was ?? "none"} → ${is ?? "none"}`;
  });
  return `Changed in the ERP: ${said.join("; ")}.`;
}
