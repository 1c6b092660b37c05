/**
 * Orders as rows that add up: of one order they come to its net and VAT to the penny, as agreed and
 * as it comes to now. Pure.
 */
import { decimal } from "../model/index.ts";
import { PENDING } from "./changes/rows.ts";
import { refundsOf } from "./owed.ts";
import type { Task } from "./tasks.ts";
import type { OrderLineView, OrderView } from "./view.ts";

export interface ExportRow {
  readonly kind: "line" | "charge";
  /** Null: a charge. */
  readonly line: OrderLineView | null;
  /** Product, or charge. */
  readonly code: string;
  readonly vatCode: string;
  /** As agreed; a cancellation of ours has taken its part out, one by the ERP has not. */
  readonly net: string;
  readonly vat: string;
  /** Less what the ERP cancelled; nothing of an order that was refused or cancelled as a whole. */
  readonly netNow: string;
  readonly vatNow: string;
}

/** What an order comes to as a whole, to be counted once. */
export interface ExportTotals {
  readonly net: string;
  readonly vat: string;
  readonly gross: string;
  readonly netNow: string;
  readonly vatNow: string;
  readonly grossNow: string;
  /** All that was taken for it, what was given back since among it. */
  readonly paid: string;
  /** Given back, and still to be given back. */
  readonly refunded: string;
  readonly refundOwed: string;
}

type Money = decimal.Money;

export function exportRows(order: OrderView): ExportRow[] {
  const isOver = order.state === "refused" || order.state === "cancelled";
  const isBegun = order.lines.some(
    ({ despatchedQuantity, invoicedQuantity }) =>
      units(despatchedQuantity) > 0n || units(invoicedQuantity) > 0n,
  );
  const isGone = order.lines.every((line) => staysOf(order, line) <= 0n);
  const charged = (isOver || isGone) && !isBegun ? () => ZERO : (text: string) => text;
  return [
    ...order.lines.map((line) => lineRow(order, line)),
    ...order.order.charges.map(({ charge, vatCode, net, vat }) => ({
      kind: "charge" as const,
      line: null,
      code: charge,
      vatCode,
      net,
      vat,
      netNow: charged(net),
      vatNow: charged(vat),
    })),
  ];
}

export function exportTotals(order: OrderView, rows: readonly ExportRow[]): ExportTotals {
  const refunds = (state: "open" | "done") =>
    sum(
      order.tasks
        .filter((task) => task.kind === "refund" && task.state === state)
        .map(({ amount }) => amount ?? ZERO),
    );
  const netNow = sum(rows.map((row) => row.netNow));
  const vatNow = sum(rows.map((row) => row.vatNow));
  const { net, vat, gross } = order;
  return {
    net,
    vat,
    gross,
    netNow,
    vatNow,
    grossNow: sum([netNow, vatNow]),
    paid: takenFor(order),
    refunded: refunds("done"),
    refundOwed: refunds("open"),
  };
}

/**
 * Of each payment the most that the order or a change of it said. A change leaves of it what was
 * not given back by then, or brings another one.
 */
function takenFor({ order, changes, tasks }: OrderView): string {
  const over = changes.filter(({ state }) => !PENDING.includes(state));
  const said = [
    { payment: order.payment, at: null },
    ...over.map(({ before }) => ({ payment: before?.payment ?? null, at: null })),
    ...over.map(({ payment, askedAt }) => ({ payment, at: askedAt })),
  ].flatMap(({ payment, at }) => (payment === null ? [] : [{ ...payment, at }]));
  const byReference = Map.groupBy(said, ({ provider, reference }) =>
    JSON.stringify([provider, reference]),
  );
  return sum(
    [...byReference.values()].map((payments) =>
      payments
        .map(({ amount, at, ...of }) => sum([amount, ...givenBack(refundsOf(of, tasks), at)]))
        .reduce((most, amount) => (pence(amount) > pence(most) ? amount : most)),
    ),
  );
}

/** Before a moment; null: nothing. */
function givenBack(refunds: readonly Task[], at: Temporal.Instant | null): string[] {
  return refunds
    .filter(({ kind, state }) => kind === "refund" && state === "done")
    .filter(({ closedAt }) => at !== null && closedAt !== null && earlier(closedAt, at))
    .map(({ amount }) => amount ?? ZERO);
}

function earlier(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}

const ZERO = "0.00";

function lineRow(order: OrderView, line: OrderLineView): ExportRow {
  const { product, vatCode, net, vat } = line;
  const agreed = agreedOf(order, line);
  const stays = staysOf(order, line);
  const part = (text: string) =>
    agreed === 0n || stays <= 0n ? ZERO : share(text, stays < agreed ? stays : agreed, agreed);
  return {
    kind: "line",
    line,
    code: product,
    vatCode,
    net,
    vat,
    netNow: part(net),
    vatNow: part(vat),
  };
}

/** Without what we cancelled of it. */
function agreedOf(order: OrderView, { line }: OrderLineView): bigint {
  return units(order.order.lines.find((one) => one.line === line)?.quantity ?? "0");
}

/** And without what the ERP cancelled. */
function staysOf(order: OrderView, line: OrderLineView): bigint {
  const agreed = agreedOf(order, line);
  const ours = units(line.quantity) - agreed;
  const theirs = units(line.cancelledQuantity) - ours;
  return order.state === "refused" ? 0n : agreed - theirs;
}

function share(text: string, part: bigint, whole: bigint): string {
  const digits = decimal.divideRounded(pence(text) * part, whole, "half-away");
  return decimal.format({ digits, scale: 2 });
}

function pence(text: string): bigint {
  return decimal.digitsAt(decimal.parse<"money">(text), 2);
}

function sum(amounts: readonly string[]): string {
  const whole: Money = decimal.sum(amounts.map((text) => decimal.parse<"money">(text)));
  return decimal.format({ digits: decimal.digitsAt(whole, 2), scale: 2 });
}

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), 5);
}
