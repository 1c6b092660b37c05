/** One order as a person reads it: where it stands, lines, papers, changes and its whole book. */
import { z } from "zod";
import type { OrderView } from "../orders/index.ts";
import { day, moment, plain, pounds, table, words } from "./print.ts";

export function orderText(view: OrderView, timeZone: string): string {
  return [
    ...headOf(view),
    "",
    linesOf(view),
    ...section("", priceLines(view)),
    ...section("papers", papersOf(view)),
    ...section("changes", changesOf(view, timeZone)),
    ...section("changed in the ERP since it was confirmed", differencesOf(view)),
    ...section("tasks", tasksOf(view, timeZone)),
    "",
    eventsOf(view, timeZone),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [
    "",
    ...(title === "" ? [] : [title]),
    ...lines.map((line) => (title === "" ? line : `  ${line}`)),
  ];
}

function headOf(view: OrderView): string[] {
  const { order } = view;
  const by = order.placedBy === "assisted" ? "staff for the customer" : "the customer";
  const asked = view.askedFor === null ? "" : `, ${view.askedFor} asked for`;
  return [
    `web order   ${view.number}${view.test ? " (test)" : ""}`,
    `account     ${view.account}`,
    `ordered     ${day(order.orderedOn)}, by ${by}`,
    ...(order.requestedOn === null ? [] : [`wanted      ${day(order.requestedOn)}`]),
    `state       ${words(view.state)}, ${view.fulfilment}${asked}`,
    `ERP order   ${view.erpOrder ?? "none yet"}`,
    `total       ${pounds(view.net)} net, ${pounds(view.vat)} VAT, ${pounds(view.gross)} gross`,
    ...view.reasons.map((reason) => `why         ${reason}`),
    ...(view.acts.length === 0 ? [] : [`can         ${view.acts.join(", ")}`]),
  ];
}

/** With the charges below. Columns that would say nothing are left out. */
function linesOf({ lines, order: { charges } }: OrderView): string {
  type Line = OrderView["lines"][number];
  type Row = { readonly line?: Line; readonly code: string } & Pick<Line, "net" | "vat">;
  const rows: readonly Row[] = [
    ...lines.map((line) => ({ line, code: line.product, net: line.net, vat: line.vat })),
    ...charges.map(({ charge, description, net, vat }) => {
      const code = description === null ? charge : `${charge} (${description})`;
      return { code, net, vat };
    }),
  ];
  const of = (head: string, value: (line: Line) => string) => ({
    head,
    right: true,
    of: ({ line }: Row) => (line === undefined ? "" : plain(value(line))),
  });
  const quantity = (head: string, value: (line: Line) => string) =>
    lines.some((line) => plain(value(line)) !== "0") ? [of(head, value)] : [];
  return table(rows, [
    of("line", (line) => String(line.line)),
    { head: "product", of: ({ code }) => code },
    of("ordered", (line) => line.quantity),
    of("despatched", (line) => line.despatchedQuantity),
    of("invoiced", (line) => line.invoicedQuantity),
    of("credited", (line) => line.creditedQuantity),
    ...quantity("cancelled", (line) => line.cancelledQuantity),
    ...quantity("back order", (line) => line.backOrderQuantity),
    of("unit price", (line) => line.unitPrice),
    { head: "net", right: true, of: ({ net }) => pounds(net) },
    { head: "VAT", right: true, of: ({ vat }) => pounds(vat) },
  ]);
}

function priceLines({ lines }: OrderView): string[] {
  return lines.flatMap((line) => priceBecause(line));
}

function papersOf({ despatches, invoices }: OrderView): string[] {
  type Line = OrderView["despatches"][number]["lines"][number];
  type Lines = readonly (Line & { readonly about?: string | null; readonly net?: string })[];
  const of = (lines: Lines): string =>
    lines
      .map(({ line, product, quantity, about, net }) => {
        const where = line === null ? "" : `line ${line}: `;
        if (product === null && net !== undefined) return `${about ?? "text"} ${pounds(net)}`;
        return `${where}${plain(quantity)} × ${product ?? about ?? "text"}`;
      })
      .join(", ");
  return [
    ...despatches.map(({ despatch, despatchedOn, carrier, tracking, lines }) => {
      const by = [carrier, tracking].filter((part) => part !== null).join(" ");
      return `${day(despatchedOn)}  despatch note ${despatch}${by === "" ? "" : ` (${by})`}: ${of(lines)}`;
    }),
    ...invoices.map(({ kind, document, documentOn, net, gross, currency, lines }) => {
      const money = `${pounds(net, currency)} net, ${pounds(gross, currency)} gross`;
      return `${day(documentOn)}  ${kind === "credit" ? "credit note" : "invoice"} ${document}, ${money}: ${of(lines)}`;
    }),
  ];
}

function changesOf({ changes, order }: OrderView, timeZone: string): string[] {
  return changes.map((one) => {
    const what = one.kind === "amend" ? "amendment" : "cancellation";
    const less = one.cancelled
      .map(({ line, quantity, product }) => `${plain(quantity)} × ${product} of line ${line}`)
      .join(", ");
    const was = one.before === null ? "" : `${pounds(one.before.net, order.currency)} → `;
    const to = one.net === null ? "nothing" : pounds(one.net, order.currency);
    const why = one.why === null ? "" : `: ${one.why}`;
    return (
      `${moment(one.askedAt, timeZone)}  ${what} ${one.change}, ${one.state}, ${was}${to} net` +
      `${less === "" ? "" : ` (less ${less})`}, by ${one.who}${why}`
    );
  });
}

function differencesOf({ changedInErp }: OrderView): string[] {
  return changedInErp.map(({ line, product, what, was, is }) => {
    const where = line === null ? (product ?? "the order") : `line ${line}, ${product ?? ""}`;
    return `${where}: ${what} was ${was ?? "not there"}, is ${is ?? "not there"}`;
  });
}

function tasksOf({ tasks }: OrderView, timeZone: string): string[] {
  return tasks.map(({ id, kind, state, about, instruction, openedAt, closedBy, reason }) =>
    state === "open"
      ? `${id.slice(-8)}  ${kind}, open since ${moment(openedAt, timeZone)}: ${about}. ${instruction}`
      : `${id.slice(-8)}  ${kind}, ${state} by ${closedBy ?? ""}: ${about} (${reason ?? ""})`,
  );
}

function eventsOf({ events }: OrderView, timeZone: string): string {
  return table(events, [
    { head: "when", of: (event) => moment(event.at, timeZone) },
    { head: "state", of: (event) => words(event.toState) },
    { head: "who", of: (event) => event.who },
    { head: "what", of: (event) => event.about },
  ]);
}

/** Why the price was what it was when the order was taken, and what promotions made of it. */
export function priceBecause({
  line,
  price,
}: Pick<OrderView["lines"][number], "line" | "price">): string[] {
  const kept = evidence.safeParse(price).data;
  if (kept === undefined) return [];
  const { because, lowered } = kept;
  const said = because === undefined ? [] : [`price of line ${line}: ${because}`];
  if (lowered === undefined) return said;
  const { unitPrice, quantity, unit, promotions, net } = lowered;
  const of = `${each(unitPrice)} × ${plain(quantity)}${unit === null ? "" : ` ${unit}`}`;
  const less = promotions.map(({ promotion, amount }) => ` − ${pounds(amount)} (${promotion})`);
  return [...said, `line ${line}: ${of}${less.join("")} = ${pounds(net)}`];
}

/** A price with all its places, two at least. */
function each(price: string): string {
  const [whole = "", part = ""] = plain(price).split(".");
  return `${pounds(`${whole}.00`).slice(0, -3)}.${part.padEnd(2, "0")}`;
}

const evidence = z.object({
  because: z.string().optional(),
  lowered: z
    .object({
      unitPrice: z.string(),
      quantity: z.string(),
      unit: z.string().nullable(),
      promotions: z.array(z.object({ promotion: z.string(), amount: z.string() })),
      net: z.string(),
    })
    .optional(),
});
