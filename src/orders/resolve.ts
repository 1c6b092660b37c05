/**
 * A person settles a conflict or a doubt: the order stands in the ERP, under this number. What
 * nobody has seen is not believed, and a second document of the order is not settled unseen.
 */
import { decimal } from "../model/index.ts";
import type { Transaction } from "../store/index.ts";
import { forgetDespatched, isOwnAccount, isSettled, ownersOf, type Owner } from "./anothers.ts";
import type { Act } from "./audit.ts";
import { move, type OrderRow } from "./book.ts";
import { isOrderNumber } from "./compare.ts";
import type { OrdersContext } from "./context.ts";
import { OrderError } from "./error.ts";
import { DUPLICATE } from "./judgement.ts";
import { keepLetStand, letStandAs, moneyIfTheyStand } from "./let-stand.ts";
import { lostRow } from "./lost-rows.ts";
import { after } from "./machine.ts";
import { sumIfStated } from "./parts.ts";
import { bears } from "./same-number.ts";
import { closeTask, listTasks } from "./tasks.ts";
import { isAboutTwin } from "./twins.ts";

export interface Resolution extends Act {
  /** Absent: the number that it has already. */
  readonly erpOrder?: string;
  /** Others of the ERP's for the same order that the person has looked at, too. */
  readonly also?: readonly string[];
  /** True: the person saw it there, though no pull has shown it. */
  readonly seenThere?: boolean;
}

/** What pulls have shown under an ERP order number. */
interface Shown {
  readonly erpOrder: string;
  /** Null: only an answer or an invoice names it. */
  readonly state: string | null;
  /** An account that is neither the order's nor its head office's; null: it is of one of those. */
  readonly foreignAccount: string | null;
  /** The web order that it bears; null: none. */
  readonly webOrder: string | null;
  readonly net: string | null;
  readonly vat: string | null;
}

export async function resolveOrder(
  tx: Transaction,
  context: OrdersContext,
  order: OrderRow,
  asked: Resolution,
): Promise<OrderRow> {
  const also = asked.also ?? [];
  if (after(order.state, "resolve") === null)
    throw impossible(
      order,
      `it is "${order.state}"`,
      "Only a conflict, a doubt, or one that was handed over is resolved.",
    );
  await oneAtATime(tx, order);
  const shown = await shownOf(tx, order, asked.erpOrder ?? order.erpOrder);
  const named = [...shown.map((one) => one.erpOrder), order.erpOrder, asked.erpOrder];
  const owners = await ownersOf(tx, order, named.filter(isString));
  const settledOnes = owners.filter(isSettled);
  const parts = partsOf(order, shown);
  const whole = [asked.erpOrder, order.erpOrder, parts[0]?.erpOrder].find((number) =>
    parts.some((part) => part.erpOrder === number),
  );
  const open = openNumbers(order, shown).filter(
    (number) => number === whole || !parts.some((part) => part.erpOrder === number),
  );
  const isFree = (number: string) => !settledOnes.some((owner) => owner.erpOrder === number);
  const erpOrder = asked.erpOrder ?? only(order, open.filter(isFree));
  if (erpOrder !== null) mayBe(order, { ...asked, erpOrder }, shown, settledOnes);
  const claimed = owners.map((owner) => owner.erpOrder);
  const anothers = [...new Set(claimed.filter((number) => number !== erpOrder))];
  const known = [erpOrder, ...also, ...anothers];
  const others = open.filter((number) => !known.includes(number));
  if (others.length > 0) throw othersOpen(order, erpOrder, others);
  const isOther = erpOrder !== order.erpOrder;
  const row = shown.find((one) => one.erpOrder === erpOrder);
  const wrong = isOther && order.erpOrder !== null && !also.includes(order.erpOrder);
  const kept = order.settled.filter((number) => !wrong || number !== order.erpOrder);
  const own = erpOrder === null ? [] : [erpOrder];
  // What answers said of it and is another's is settled, too: it is none of this one.
  const settled = [...new Set([...kept, ...own, ...also, ...anothers, ...order.reasons])];
  if (isOther && anothers.includes(order.erpOrder ?? "")) await forgetDespatched(tx, order);
  const rows = row !== undefined && parts.includes(row) ? parts : [row];
  const sums = {
    erpNet: sumIfStated(rows.map((one) => one?.net ?? null)),
    erpVat: sumIfStated(rows.map((one) => one?.vat ?? null)),
  };
  const stated = isOther || sums.erpNet !== null ? sums : order;
  const there = { erpOrder, net: stated.erpNet, vat: stated.erpVat };
  const { company, id } = order;
  const isLet = order.state === "conflict";
  const letStand = isLet ? await letStandAs(tx, company, [{ order, there }]) : {};
  const means = (await moneyIfTheyStand(tx, company, [order], letStand)).get(id);
  await keepLetStand(tx, order, letStand[id] ?? null);
  const moved = await move(tx, order, {
    event: "resolve",
    who: asked.who,
    at: context.now(),
    about: `${inWords(erpOrder, asked, row)}: ${asked.reason}${means === undefined ? "" : ` (${means})`}`,
    set: { erpOrder, nextAttemptAt: null, answerDueAt: null, settled, ...(isOther ? sums : {}) },
  });
  if (erpOrder !== null) await closeTwins(tx, order, erpOrder, asked.who, context.now());
  return moved;
}

/** Of two orders that are resolved at one moment as one ERP order the second one sees the first. */
async function oneAtATime(tx: Transaction, { company }: OrderRow): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtext($1), hashtext('resolve'))", [company]);
}

function inWords(erpOrder: string | null, { also = [] }: Resolution, row: Shown | undefined) {
  const unseen = row === undefined ? ", where no pull has shown it yet" : "";
  const more = also.length === 0 ? "" : `, and ${also.join(" and ")} was looked at as well`;
  return erpOrder === null ? "Resolved" : `Resolved: it is ${erpOrder} there${unseen}${more}`;
}

/** Those that bear our number, as some ERPs write it in capitals, and the one that is asked for. */
async function shownOf(
  tx: Transaction,
  { company, id }: OrderRow,
  asked: string | null,
): Promise<Shown[]> {
  return tx.query<Shown>(
    `with o as (select * from web_order where company = $1 and id = $2),
     pulled as (
       select e.erp_order as "erpOrder", e.state, nullif(e.web_order, '') as "webOrder",
              case when not ${isOwnAccount("e")} then e.account end as "foreignAccount",
              e.net::text as net, e.vat::text as vat
         from o join erp_order e on e.company = o.company and (${BEARS("e")} or e.erp_order = $3)
        where not ${lostRow("e")}),
     named as (
       select o.number, a.erp_order
         from o join order_acknowledgement a on a.company = o.company and ${BEARS("a")}
        where a.outcome = 'accepted' and not ${lostRow("a")}
       union
       select o.number, d.erp_order
         from o join sales_document d on d.company = o.company and ${BEARS("d")}
        where d.document_type = 'invoice' and not ${lostRow("d")})
     select * from pulled
     union all
     select n.erp_order, null, n.number, null, null, null from named n
      where n.erp_order not in ('', '-') and not exists (select 1 from pulled p where p."erpOrder" = n.erp_order)
     order by 1`,
    [company, id, asked],
  );
}

const BEARS = (row: string) => bears(`${row}.web_order`);

/** Documents of this order that may deliver goods; those that were settled before are known. */
function openNumbers(order: OrderRow, shown: readonly Shown[]): string[] {
  return shown
    .filter(({ erpOrder }) => isOrderNumber(erpOrder))
    .filter(({ webOrder }) => webOrder?.toLowerCase() === order.number.toLowerCase())
    .filter(({ state }) => state !== "cancelled")
    .map(({ erpOrder }) => erpOrder)
    .filter((number) => number === order.erpOrder || !order.settled.includes(number));
}

/** Those that are one order in parts, as their nets say; none: each is one of its own. */
function partsOf(order: OrderRow, shown: readonly Shown[]): readonly Shown[] {
  // Their goods or accounts have said otherwise.
  if (order.reasons.some((reason) => reason.startsWith(DUPLICATE))) return [];
  const numbers = openNumbers(order, shown);
  const rows = shown.filter(({ erpOrder, state }) => state !== null && numbers.includes(erpOrder));
  const nets = rows.map(({ net }) => net);
  const sum = sumIfStated(nets);
  const isLess = (net: string | null): boolean =>
    net !== null && decimal.compare(decimal.parse(net), decimal.parse(order.net)) < 0;
  const isNoMore =
    sum !== null && decimal.compare(decimal.parse(sum), decimal.parse(order.net)) <= 0;
  return rows.length > 1 && isNoMore && nets.every(isLess) ? rows : [];
}

function only(order: OrderRow, open: readonly string[]): string | null {
  const isDouble = order.reasons.some((reason) => reason.startsWith(DUPLICATE));
  if (order.state === "confirmed" || order.state === "accepted" || isDouble || open.length > 1)
    throw impossible(
      order,
      open.length > 1 ? `the ERP has it as ${open.join(" and ")}` : `it is "${order.state}"`,
      "Name the one that it is: --erp-order NUMBER.",
    );
  const number = order.erpOrder ?? open[0] ?? null;
  // Nobody would ever send it again, nor look for it.
  if (number === null && order.state !== "conflict")
    throw impossible(
      order,
      "no pull shows it there, and no number was given",
      "Look in the ERP. If it is there, name its number: --erp-order NUMBER --seen-there.",
    );
  return number;
}

/** An ERP order is that of one web order at most, and somebody must have seen it. */
function mayBe(
  order: OrderRow,
  { erpOrder, seenThere = false }: Resolution & { readonly erpOrder: string },
  shown: readonly Shown[],
  owners: readonly Owner[],
): void {
  if (!isOrderNumber(erpOrder))
    throw impossible(order, `"${erpOrder}" is no order number`, "Name the number it has there.");
  const row = shown.find((one) => one.erpOrder === erpOrder);
  const owner = owners.find((one) => one.erpOrder === erpOrder);
  const borne = row?.webOrder ?? order.number;
  if (owner?.isBorne === true || borne.toLowerCase() !== order.number.toLowerCase())
    throw impossible(
      order,
      `ERP order ${erpOrder} is that of ${borne} already, whose number it bears`,
      `If it is ${order.number} all the same, correct its number in the ERP, and pull.`,
    );
  if (owner !== undefined)
    throw impossible(
      order,
      `ERP order ${erpOrder} is that of ${owner.number} already, which is ${owner.state}`,
      `If it is ${order.number} all the same, resolve ${owner.number} under the number that it ` +
        "has there first, or cancel it.",
    );
  const named = order.erpOrder === erpOrder || namedIn(order.reasons, erpOrder);
  const isForeign = (row?.foreignAccount ?? null) !== null;
  if (isForeign && row?.webOrder === null && order.erpOrder !== erpOrder)
    throw impossible(
      order,
      `ERP order ${erpOrder} is account ${row.foreignAccount ?? ""}'s, and bears no web order's ` +
        `number; ${order.number} was ordered by ${order.account}`,
      "Look at the number again. If it is right, correct the account in the ERP, or enter " +
        `${order.number} there as the web order's number, and pull.`,
    );
  if (row === undefined && !named && !seenThere)
    throw impossible(
      order,
      `no pull has shown an ERP order ${erpOrder}`,
      "Pull first, if it is new there; or say that you saw it yourself: --seen-there.",
    );
}

function isString(number: string | null | undefined): number is string {
  return typeof number === "string";
}

/** "… is there as SO1 and SO2." names SO2. */
function namedIn(reasons: readonly string[], erpOrder: string): boolean {
  return reasons.some((reason) =>
    reason
      .split(/\s/)
      .some((word) => word === erpOrder || word.replace(/[.,:;]$/, "") === erpOrder),
  );
}

function othersOpen(order: OrderRow, erpOrder: string | null, others: readonly string[]) {
  return impossible(
    order,
    `the ERP shows ${others.join(" and ")} of it as well, not cancelled there`,
    `Cancel it there before goods leave twice, pull, and resolve ${order.number} as ` +
      `${erpOrder ?? "the one that stays"}; or, if you have seen that it does no harm: ` +
      `--also ${others.join(",")}.`,
  );
}

function impossible(order: OrderRow, found: string, todo: string): OrderError {
  return new OrderError(
    "move-impossible",
    `Resolving web order ${order.number}: ${found}. ${todo}`,
  );
}

/** Whoever links an order to the one that staff keyed has answered what was asked about it. */
async function closeTwins(
  tx: Transaction,
  order: OrderRow,
  erpOrder: string,
  who: string,
  at: Temporal.Instant,
): Promise<void> {
  const open = await listTasks(tx, order.company, { order: order.id, kind: "look" });
  for (const { id, about } of open)
    if (isAboutTwin(about, erpOrder))
      await closeTask(
        tx,
        order.company,
        { id, state: "done", who, reason: `It is ${order.number} itself.` },
        at,
      );
}
