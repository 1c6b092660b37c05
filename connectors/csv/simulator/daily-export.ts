/** Which files an export holds, and the faults that concern whole files. */
import { calendar } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import type { Stamp, Written } from "./exporter.ts";
import { fixed, money, PRICE, QUANTITY, short } from "./figures.ts";
import type { Row, Stream } from "./layout.ts";
import { stateOf, sumOf, type ErpOrder } from "./orders.ts";

/** Each evening's export. */
const EVENING = 19 * 60;

/** Everything: all snapshots, and all deltas so far. */
export function firstExport(erp: Erp): readonly string[] {
  for (const stream of Object.keys(SNAPSHOTS)) erp.dirty.add(stream as Snapshot);
  return eveningExport(erp);
}

/** The deltas of the day and the snapshots that changed. */
export function eveningExport(erp: Erp): readonly string[] {
  const stamp = { on: erp.today(), minute: EVENING };
  for (const stream of ["customers", "control-totals"] as const) erp.dirty.add(stream);
  if (calendar.weekdayOf(erp.day) === 0) erp.dirty.add("stock");
  if (erp.faults.due("cut-off-file")) erp.dirty.add("price-rules");
  const names = [...exportDeltas(erp, stamp), ...exportSnapshots(erp, stamp)];
  erp.faults.nextExport();
  return names;
}

/** Only what is waiting in the deltas, at a time of the day. */
export function exportDeltas(erp: Erp, stamp: Stamp): readonly string[] {
  addOrders(erp);
  for (const row of erp.ledger.changed()) erp.out.add("ledger-transactions", row);
  const mended = erp.brokenLine?.file === undefined ? null : erp.brokenLine;
  if (mended !== null) erp.out.add("sales-lines", mended.row);
  const written = erp.out.finish(stamp);
  const names = written.map(({ name }) => name);
  for (const one of written) listBadRows(erp, one);
  const lines = written.find(({ stream }) => stream === "sales-lines");
  if (lines === undefined) return names;
  if (mended !== null) {
    erp.faults.heal(["broken-invoice-line"], "sales-lines", lines.name);
    erp.brokenLine = null;
  }
  listBrokenLine(erp, lines);
  return [...names, ...duplicate(erp, lines, stamp)];
}

function listBadRows(erp: Erp, { stream, name, badRows }: Written): void {
  for (const { what, line } of badRows) {
    const where = { stream, file: name, lines: [line] };
    erp.faults.plant({ kind: "bad-rows", what, ...where, leadsTo: "quarantined", worth: null });
  }
}

function listBrokenLine(erp: Erp, { stream, name }: Written): void {
  if (erp.brokenLine === null) return;
  const { row, line } = erp.brokenLine;
  erp.brokenLine = { row, line, file: name };
  erp.faults.plant({
    kind: "broken-invoice-line",
    what: `the net of ${String(row.documentType)} ${String(row.document)} is no number`,
    stream,
    file: name,
    lines: [line],
    leadsTo: "quarantined",
    worth: String(row.net),
  });
}

function duplicate(erp: Erp, written: Written, stamp: Stamp): readonly string[] {
  if (!erp.faults.due("duplicate-file")) return [];
  const copy = erp.out.again(written, stamp);
  erp.faults.plant({
    kind: "duplicate-file",
    what: `the content of ${written.name} again`,
    stream: written.stream,
    file: copy,
    lines: [],
    leadsTo: "ignored",
    worth: null,
  });
  return [copy];
}

function addOrders(erp: Erp): void {
  for (const order of erp.changedOrders) {
    if (order.number !== null) addOrder(erp, order, order.number);
  }
  erp.changedOrders.clear();
}

function addOrder(erp: Erp, order: ErpOrder, erpOrder: string): void {
  const { heading, lines } = order;
  erp.out.add("erp-orders", {
    erpOrder,
    account: heading.account,
    orderedOn: order.orderedOn,
    state: stateOf(order),
    webOrder: heading.webOrder,
    customerReference: heading.customerReference,
    branch: heading.branch,
    takenBy: heading.takenBy,
    net: money(sumOf(lines, (line) => line.net)),
    vat: money(sumOf(lines, (line) => line.vat)),
  });
  for (const line of lines) {
    erp.out.add("erp-order-lines", {
      erpOrder,
      line: line.line,
      product: line.product,
      description: line.description,
      quantity: short(line.quantity5, QUANTITY),
      despatchedQuantity: short(line.despatched5, QUANTITY),
      invoicedQuantity: short(line.invoiced5, QUANTITY),
      unitPrice: fixed(line.price4, PRICE),
      net: money(line.net),
      webOrderLine: line.webOrderLine,
    });
  }
}

type Snapshot = keyof typeof SNAPSHOTS;

/** Rows of every snapshot as they stand now. */
const SNAPSHOTS = {
  "trading-entities": ({ merchant }: Erp) => merchant.tradingEntities,
  branches: ({ merchant }: Erp) => merchant.branches,
  reps: ({ merchant }: Erp) => merchant.reps,
  customers: customerRows,
  sites: ({ merchant }: Erp) => merchant.sites,
  assignments: ({ merchant }: Erp) => merchant.assignments,
  "product-groups": ({ merchant }: Erp) => merchant.productGroups,
  products: ({ merchant }: Erp) => merchant.products,
  stock: (erp: Erp) => erp.merchant.stockOn(erp.today()),
  "price-lists": ({ merchant }: Erp) => merchant.priceLists,
  "price-rules": ({ pricing }: Erp) => pricing.rules(),
  promotions: ({ merchant }: Erp) => merchant.promotions,
  quotations: ({ merchant }: Erp) => merchant.quotations,
  "quotation-lines": ({ merchant }: Erp) => merchant.quotationLines,
  "control-totals": controlTotals,
} satisfies { readonly [S in Stream]?: (erp: Erp) => Iterable<Row<S>> };

function customerRows(erp: Erp): readonly Row<"customers">[] {
  const balances = erp.ledger.balances();
  return erp.merchant.customers.map((customer) => ({
    ...customer,
    balance: money(balances.get(customer.account) ?? 0),
  }));
}

function controlTotals(erp: Erp): readonly Row<"control-totals">[] {
  return erp.tally.periods().map(({ period, documentType, documents, net, vat }) => {
    return { period, documentType, documents, net: money(net), vat: money(vat) };
  });
}

function exportSnapshots(erp: Erp, stamp: Stamp): readonly string[] {
  const wanted = (Object.keys(SNAPSHOTS) as Snapshot[]).filter((stream) => erp.dirty.has(stream));
  erp.dirty.clear();
  return wanted.map((stream) => exportSnapshot(erp, stream, stamp));
}

function exportSnapshot(erp: Erp, stream: Snapshot, stamp: Stamp): string {
  const { faults, out } = erp;
  const rows = [...(SNAPSHOTS[stream](erp) as Iterable<Row<Stream>>)];
  const shrinks = stream === "customers" && faults.due("shrunk-snapshot");
  const cut = stream === "price-rules" && faults.due("cut-off-file");
  const foreign = stream === "products" && faults.due("windows-1252");
  const some = shrinks ? rows.slice(0, Math.ceil(rows.length * 0.4)) : rows;
  const encoding = foreign ? "windows1252" : "utf8";
  const written = out.snapshot(stream, stamp, some, { cut, encoding });
  listBadRows(erp, written);
  const whole = { stream, file: written.name, lines: [], worth: null };
  if (foreign) faults.plant({ kind: "windows-1252", what: "not UTF-8", ...whole, leadsTo: "read" });
  if (written.cutAt !== null) {
    const lines = [written.cutAt];
    faults.plant({
      kind: "cut-off-file",
      what: "ends inside a row",
      ...whole,
      lines,
      leadsTo: "refused",
    });
  }
  if (shrinks)
    faults.plant({
      kind: "shrunk-snapshot",
      what: `${some.length} rows of ${rows.length}`,
      ...whole,
      leadsTo: "stopped",
    });
  // Whatever was spoiled comes whole with the next export.
  if (shrinks || cut) erp.dirty.add(stream);
  else faults.heal(["shrunk-snapshot", "cut-off-file", "bad-rows"], stream, written.name);
  return written.name;
}
