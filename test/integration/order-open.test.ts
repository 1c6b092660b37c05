/** What may still count of orders is marked, so that what is over costs nothing. */
import { expect, test } from "vitest";
import { orderText } from "../../src/cli.ts";
import { exportRows, exportTotals, OPEN_ORDERS, recordInvoiced } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { leftOutByMarks } from "../support/open-marks.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();
const LINES = [
  { product: "BRICK", quantity: "3", unitPrice: "4.20" },
  { product: "SAND", quantity: "2", unitPrice: "10.00" },
];
const MARKED = `select count(*)::int as orders from web_order
                 where company = $1 and open_account is not null`;

const marked = async (company: string) =>
  (await companies.store.query<{ orders: number }>(MARKED, [company]))[0]?.orders;

async function invoice(company: string, webOrder: string, quantities: readonly number[]) {
  const lines = quantities.map((quantity, index) => ({
    webOrder,
    line: index + 1,
    invoicedQuantity: String(quantity),
    creditedQuantity: "0",
  }));
  const at = Temporal.Now.instant();
  await companies.store.transaction((tx) => recordInvoiced(tx, { company, at, lines }));
}

test("an order is marked as open until all of it is invoiced, cancelled or refused, and again when it is not", async () => {
  const one = await companies.open("MARKS");
  one.mode = "read-only";
  const numbers: string[] = [];
  for (const key of ["k1", "k2", "k3"])
    numbers.push(orderIn(await send(one.orders, key, { customerReference: key })).webOrder);
  const [first = "", second = ""] = numbers;
  const advanced = async () => {
    await one.orders.advance();
    return marked("MARKS");
  };
  await invoice("MARKS", first, [2, 0]);
  await one.orders.cancel(second, { who: "kim", reason: "they rang" });
  expect(await advanced()).toBe(2);
  await invoice("MARKS", first, [2, 1]);
  expect(await advanced()).toBe(1);
  // The invoice turned out to be another order's.
  await invoice("MARKS", first, [0, 1]);
  expect(await advanced()).toBe(2);
  expect(await leftOutByMarks(companies.store)).toEqual([]);
});

test("a charge that an invoice carries is the ledger's, and counts no more while goods are still to come", async () => {
  const { orders } = await companies.open("CARRIED");
  const { store } = companies;
  const charges = [{ charge: "CARR", net: "10.00", vatCode: "STANDARD" }];
  const { webOrder } = orderIn(await send(orders, "k1", { charges }));
  const open = async () => {
    const sum = `select sum(open)::numeric(18, 2) as open from ${OPEN_ORDERS} o where company = $1`;
    return (await store.query<{ open: string }>(sum, ["CARRIED"]))[0]?.open;
  };
  // 8.40 bricks and 1.68 VAT, 10.00 sand without, 10.00 carriage and 2.00 VAT.
  expect(await open()).toBe("32.08");
  const document = { documentType: "invoice", document: "I1" } as const;
  const goodsOf = (net: string) => ({ quantity: "1", unitPrice: net, net });
  const money = { net: "14.20", vat: "2.84", gross: "17.04" };
  const documentOn = "2026-03-31";
  await pull(store, "CARRIED", "sales-document", [
    { ...document, account: "A1", documentOn, webOrder, ...money },
  ]);
  await pull(store, "CARRIED", "sales-line", [
    { ...document, line: 1, product: "BRICK", ...goodsOf("4.20"), vat: "0.84" },
    { ...document, line: 2, lineClass: "carriage", ...goodsOf("10.00"), vat: "2.00" },
  ]);
  const sales = salesOf(store, "CARRIED");
  await sales.post();
  expect(await open()).toBe("15.04");
  expect(await leftOutByMarks(store)).toEqual([]);
  // A person sees it among the lines, and on the invoice.
  const invoices = (await sales.documentsOf([webOrder])).get(webOrder) ?? [];
  const shown = orderText({ ...(await orders.show(webOrder)), invoices }, "Europe/London");
  expect(shown).toMatch(/^ +CARR +£10\.00 +£2\.00$/m);
  expect(shown).toContain(
    "invoice I1, £14.20 net, £17.04 gross: line 1: 1 × BRICK, carriage £10.00",
  );
});

test("what is exported of an order adds up to the penny: its lines and charges, as agreed and as it comes to now", async () => {
  const one = await companies.open("ADDUP");
  // It is not sent meanwhile.
  one.mode = "read-only";
  const { store } = companies;
  const charges = [{ charge: "CARR", net: "7.35", vatCode: "STANDARD" }];
  const payment = { provider: "card", reference: "P1", amount: "50.98" };
  const three = [
    { product: "BRICK", quantity: "7", unitPrice: "4.20" },
    { product: "SAND", quantity: "1", unitPrice: "10.00" },
  ];
  const { webOrder } = orderIn(await send(one.orders, "k1", { lines: three, charges, payment }));
  const exported = async () => {
    const order = await one.orders.show(webOrder);
    const rows = exportRows(order);
    const totals = exportTotals(order, rows);
    const sum = (of: "net" | "vat") =>
      rows.reduce((pence, row) => pence + Math.round(Number(row[of]) * 100), 0) / 100;
    expect([sum("net"), sum("vat")]).toEqual([Number(order.net), Number(order.vat)]);
    return { rows: rows.map(({ code, net, netNow }) => `${code} ${net} ${netNow}`), totals };
  };
  // 29.40 + 10.00 + 7.35, and VAT on bricks and carriage.
  expect((await exported()).totals).toMatchObject({ net: "46.75", grossNow: "54.10" });
  // The buyer cancels two bricks before it has gone; the ERP despatches three and ends the line.
  const kim = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };
  await one.orders.cancelPart(webOrder, { ...kim, lines: [{ line: 1, quantity: "2" }] });
  const erpOrder = "SO-ADDUP";
  const there = { erpOrder, account: "A1", orderedOn: "2026-03-31", webOrder };
  await pull(store, "ADDUP", "erp-order", [{ ...there, state: "complete" }]);
  const bricks = { product: "BRICK", unitPrice: "4.20", quantity: "3", net: "12.60" };
  const sand = { product: "SAND", unitPrice: "10.00", quantity: "1", net: "10.00" };
  await pull(store, "ADDUP", "erp-order-line", [
    { ...bricks, erpOrder, line: 1, despatchedQuantity: "3" },
    { ...sand, erpOrder, line: 2, despatchedQuantity: "1" },
  ]);
  await one.orders.advance();
  const { rows, totals } = await exported();
  expect(rows).toEqual(["BRICK 21.00 12.60", "SAND 10.00 10.00", "CARR 7.35 7.35"]);
  expect(totals).toMatchObject({
    net: "38.35",
    gross: "44.02",
    netNow: "29.95",
    grossNow: "33.94",
  });
  expect([totals.refunded, totals.refundOwed]).toEqual(["0.00", "17.04"]);
});

test("after any sequence of what can happen to orders the marked ones come to the sum of all", async () => {
  const one = await companies.open("ANY");
  const { store } = companies;
  const numbers: string[] = [];
  let seed = 7;
  const pick = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const some = () => numbers[pick(numbers.length)] ?? "";
  const goods = () => ({
    lines: [
      { product: "BRICK", quantity: String(1 + pick(4)), unitPrice: "4.20" },
      { product: "SAND", quantity: String(1 + pick(2)), unitPrice: "10.00" },
    ].slice(0, 1 + pick(2)),
  });
  const kim = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };
  const shop = () => ({ ...kim, idempotencyKey: `c${seed}`, decides: false });
  const erpSays = (state: "open" | "complete" | "cancelled") => async () => {
    const order = { erpOrder: `SO-${some()}`, account: "A1", orderedOn: "2026-03-31", state };
    await pull(store, "ANY", "erp-order", [{ ...order, webOrder: order.erpOrder.slice(3) }]);
    const line = {
      erpOrder: order.erpOrder,
      line: 1,
      product: "BRICK",
      quantity: "1",
      net: "4.20",
    };
    await pull(store, "ANY", "erp-order-line", [{ ...line, unitPrice: "4.20" }]);
    await one.orders.advance();
  };
  const acts: (() => Promise<unknown>)[] = [
    () => invoice("ANY", some(), [pick(5), pick(3)]),
    () => invoice("ANY", some(), [9, 9]),
    () => one.orders.amend(some(), { ...shop(), body: body(goods()) }),
    () => one.orders.amend(some(), { ...kim, body: body(goods()) }),
    () => one.orders.cancelPart(some(), { ...shop(), lines: [{ line: 1, quantity: "1" }] }),
    () => one.orders.cancel(some(), { who: "kim", reason: "they rang" }),
    () => one.orders.release(some(), { who: "kim", reason: "they rang" }),
    erpSays("open"),
    erpSays("complete"),
    erpSays("cancelled"),
    () => companies.jobs.drain(),
    () => one.orders.advance(),
    async () => {
      one.erp.next = async () => ({ kind: "refused", reason: "blocked", evidence: "it says so" });
    },
    () => one.orders.sendAgain(some(), { who: "kim", reason: "mended" }),
  ];
  const done = new Set<number>();
  for (let step = 0; step < 40; step += 1) {
    // Every other one is like the one before, and held. In the end none is sent any more.
    const more = { lines: LINES, customerReference: `PO ${Math.floor(step / 10)}` };
    if (step === 34) one.mode = "shadow";
    if (step % 5 === 0) numbers.push(orderIn(await send(one.orders, `k${step}`, more)).webOrder);
    const act = pick(acts.length);
    // Much cannot be done as an order stands; what is done to none of them proves nothing.
    const came = await acts[act]?.().then(
      () => true,
      () => false,
    );
    if (came === true) done.add(act);
    expect(await leftOutByMarks(store), `step ${step}, act ${act}`).toEqual([]);
  }
  expect(done.size).toBeGreaterThanOrEqual(acts.length - 3);
});
