/**
 * Which of our lines the lines of an ERP order are where the ERP does not say so, and what its
 * header alone tells: an order that ended there is ended, whatever its lines look like. Goods on
 * lines of none of ours count before anything of a payment is given back.
 */
import { expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();

/** Of each: product and quantity. */
type Goods = readonly (readonly [product: Product, quantity: number])[];
type Product = keyof typeof NET;
const NET = { BRICK: 4.2, SAND: 10, GRIT: 4 } as const;
const EACH = { BRICK: 5.04, SAND: 10, GRIT: 4.8 } as const;
const sumOf = (goods: Goods, of: typeof NET | typeof EACH) =>
  goods.reduce((sum, [product, quantity]) => sum + quantity * of[product], 0).toFixed(2);

/** Bricks on two lines, as for two rooms. */
const TWICE: Goods = [
  ["BRICK", 4],
  ["BRICK", 6],
];

/** Paid in full, and taken in by an ERP that answers with the number SO1. */
async function paid(company: string, goods: Goods): Promise<Opened> {
  const one = await companies.open(company);
  one.erp.next = async () => ({
    kind: "accepted",
    erpOrder: "SO1",
    net: null,
    vat: null,
    evidence: "it says so",
  });
  const lines = goods.map(([product, quantity]) => ({
    product,
    quantity: String(quantity),
    unitPrice: NET[product].toFixed(2),
  }));
  const payment = { provider: "card", reference: "pi_1", amount: sumOf(goods, EACH) };
  orderIn(await send(one.orders, "k1", { webOrder: "W1", lines, payment }));
  await companies.jobs.drain();
  return one;
}

/** Each pull is of a moment of its own. */
let moment = Temporal.Instant.from("2026-03-31T09:00:00Z");

async function pulled(
  company: string,
  one: Opened,
  { order, lines = [] }: { readonly order: object; readonly lines?: readonly object[] },
): Promise<void> {
  const { store } = companies;
  moment = moment.add({ seconds: 1 });
  const before = { account: "A1", orderedOn: "2026-03-31", webOrder: "W1" };
  await pull(store, company, "erp-order", [{ erpOrder: "SO1", ...before, ...order }]);
  const rows = lines.map((line) => ({ erpOrder: "SO1", unitPrice: "1", ...line }));
  await pull(store, company, "erp-order-line", rows as Canonical<"erp-order-line">[]);
  for (const table of ["erp_order", "erp_order_line"])
    await store.affect(`update ${table} set learned_at = $2 where company = $1`, [company, moment]);
  await salesOf(store, company).post();
  await one.orders.advance();
}

const bricks = (line: number, quantity: number, more: object = {}) => ({
  line,
  product: "BRICK",
  quantity: String(quantity),
  net: (quantity * NET.BRICK).toFixed(2),
  ...more,
});
const sums = (goods: Goods) => {
  const net = sumOf(goods, NET);
  return { net, vat: (Number(sumOf(goods, EACH)) - Number(net)).toFixed(2) };
};

async function invoiced(
  company: string,
  document: string,
  lines: readonly {
    readonly product: Product;
    readonly quantity: number;
    readonly erpOrderLine?: number;
  }[],
): Promise<void> {
  const goods = lines.map(({ product, quantity }) => [product, quantity] as const);
  const [net, gross] = [sumOf(goods, NET), sumOf(goods, EACH)];
  const paper = { documentType: "invoice", document } as const;
  const whole = { account: "A1", documentOn: "2026-03-31", webOrder: "W1", erpOrder: "SO1" };
  const vat = (Number(gross) - Number(net)).toFixed(2);
  await pull(companies.store, company, "sales-document", [{ ...paper, ...whole, net, vat, gross }]);
  const rows = lines.map(({ product, quantity, ...more }, index) => {
    const [lineNet, lineGross] = [NET[product] * quantity, EACH[product] * quantity];
    return {
      ...paper,
      line: index + 1,
      product,
      quantity: String(quantity),
      unitPrice: String(NET[product]),
      net: lineNet.toFixed(2),
      vat: (lineGross - lineNet).toFixed(2),
      ...more,
    };
  });
  await pull(companies.store, company, "sales-line", rows);
}

const stands = async ({ orders }: Opened) => {
  const { fulfilment, lines, changedInErp } = await orders.show("W1");
  const of = (quantity: (line: (typeof lines)[number]) => string) =>
    lines.map((line) => Number(quantity(line)));
  return {
    fulfilment,
    despatched: of(({ despatchedQuantity }) => despatchedQuantity),
    cancelled: of(({ cancelledQuantity }) => cancelledQuantity),
    changed: changedInErp.map(({ line, what, was, is }) => [line, what, was, is]),
  };
};
const invoicedOf = async ({ orders }: Opened) =>
  (await orders.show("W1")).lines.map(({ invoicedQuantity }) => Number(invoicedQuantity));
const owed = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "refund" })).map(({ about, amount }) => [about, amount]);
const told = async ({ orders }: Opened) =>
  (await orders.show("W1")).events.filter(({ event }) => event === "erp-change").length;

test("a product on two lines is followed where the ERP does not say which is which", async () => {
  const one = await paid("ROOMS", TWICE);
  const lines = [bricks(1, 4), bricks(2, 6)];
  await pulled("ROOMS", one, { order: sums(TWICE), lines });
  expect([await stands(one), await told(one)]).toMatchObject([
    { fulfilment: "open", changed: [] },
    0,
  ]);
  await pulled("ROOMS", one, { order: { ...sums(TWICE), state: "cancelled" } });
  expect(await stands(one)).toMatchObject({ fulfilment: "cancelled", cancelled: [4, 6] });
  expect(await owed(one)).toEqual([["W1 came short by 50.40", "50.40"]]);
});

test.for([
  ["in another order", [bricks(1, 6), bricks(2, 4)]],
  ["numbered by tens", [bricks(10, 4), bricks(20, 6)]],
  ["behind a line of text", [bricks(2, 4), bricks(3, 6)]],
  ["joined", [bricks(1, 10)]],
  ["split", [bricks(1, 4), bricks(2, 2), bricks(3, 4)]],
  ["one of them named", [bricks(7, 6, { webOrderLine: 2 }), bricks(8, 4)]],
] as const)("lines of one product that stand there %s are no change", async ([how, lines]) => {
  const company = how.toUpperCase().replaceAll(" ", "");
  const one = await paid(company, TWICE);
  await pulled(company, one, { order: sums(TWICE), lines });
  expect([await stands(one), await told(one)]).toMatchObject([
    { fulfilment: "open", changed: [] },
    0,
  ]);
  // Five of all went out, from the first line there on.
  let left = 5;
  const gone = lines.map((line) => {
    const despatched = Math.min(left, Number(line.quantity));
    left -= despatched;
    return { ...line, despatchedQuantity: String(despatched) };
  });
  await pulled(company, one, { order: { ...sums(TWICE), state: "complete" }, lines: gone });
  const { despatched, cancelled } = await stands(one);
  expect(despatched.map((quantity, at) => quantity + (cancelled[at] ?? 0))).toEqual([4, 6]);
  expect(despatched.reduce((sum, quantity) => sum + quantity)).toBe(5);
  expect(await owed(one)).toEqual([["W1 came short by 25.20", "25.20"]]);
});

test("an invoice of a product on two lines counts for the order, whichever line it is of", async () => {
  const one = await paid("BILLED", TWICE);
  await pulled("BILLED", one, { order: sums(TWICE), lines: [bricks(1, 4), bricks(2, 6)] });
  await invoiced("BILLED", "I1", [
    { product: "BRICK", quantity: 4 },
    { product: "BRICK", quantity: 1 },
  ]);
  const lines = [bricks(1, 4, { invoicedQuantity: "4" }), bricks(2, 6, { invoicedQuantity: "1" })];
  await pulled("BILLED", one, { order: { ...sums(TWICE), state: "complete" }, lines });
  await one.orders.advance();
  expect(await invoicedOf(one)).toEqual([4, 1]);
  expect(await stands(one)).toMatchObject({ fulfilment: "invoiced", cancelled: [0, 5] });
  expect(await owed(one)).toEqual([["W1 came short by 25.20", "25.20"]]);
});

test.for([
  ["named, and kept", { erpOrderLine: 2 }, true, "complete"],
  ["named, and removed", { erpOrderLine: 2 }, false, "complete"],
  ["named, and cancelled", { erpOrderLine: 2 }, true, "cancelled"],
  ["not named, and kept", {}, true, "complete"],
  ["not named, and removed", {}, false, "complete"],
] as const)(
  "the second line alone invoiced, %s there: the first one does not come",
  async ([how, named, kept, state]) => {
    const company = how.toUpperCase().replaceAll(/\W/g, "");
    const one = await paid(company, TWICE);
    await pulled(company, one, { order: sums(TWICE), lines: [bricks(1, 4), bricks(2, 6)] });
    await invoiced(company, "I1", [{ product: "BRICK", quantity: 6, ...named }]);
    const first = bricks(1, 4, { invoicedQuantity: "0" });
    const second = bricks(2, 6, { invoicedQuantity: "6" });
    // The one that staff took off is pulled no more.
    if (!kept)
      await companies.store.affect("delete from erp_order_line where company = $1", [company]);
    const lines = kept ? [first, second] : [second];
    await pulled(company, one, { order: { ...sums(TWICE), state }, lines });
    expect(await invoicedOf(one)).toEqual([0, 6]);
    expect(await stands(one)).toMatchObject({ fulfilment: "invoiced", cancelled: [4, 0] });
    await one.orders.advance();
    expect(await owed(one)).toEqual([["W1 came short by 20.16", "20.16"]]);
  },
);

test("an invoice that names a line of the ERP's order leaves the others to be cancelled", async () => {
  const one = await paid("LEFT", TWICE);
  // Its lines are not pulled: its numbers are taken for ours.
  await invoiced("LEFT", "I1", [{ product: "BRICK", quantity: 4, erpOrderLine: 2 }]);
  await salesOf(companies.store, "LEFT").post();
  expect(await invoicedOf(one)).toEqual([0, 4]);
  // They come, and say otherwise.
  const lines = [bricks(1, 6, { invoicedQuantity: "0" }), bricks(2, 4, { invoicedQuantity: "4" })];
  await pulled("LEFT", one, { order: sums(TWICE), lines });
  expect(await invoicedOf(one)).toEqual([4, 0]);
});

test("what staff change of one of two lines of a product is told of that line alone", async () => {
  const one = await paid("MORE", TWICE);
  await pulled("MORE", one, { order: sums(TWICE), lines: [bricks(1, 4), bricks(2, 6)] });
  const now: Goods = [
    ["BRICK", 4],
    ["BRICK", 9],
  ];
  await pulled("MORE", one, { order: sums(now), lines: [bricks(1, 4), bricks(2, 9)] });
  expect((await stands(one)).changed).toEqual([
    [2, "quantity", "6", "9"],
    [null, "net", "42.00", "54.60"],
    [null, "VAT", "8.40", "10.92"],
  ]);
});

test("an ERP that exports its orders without their lines ends them by their state", async () => {
  const goods: Goods = [
    ["BRICK", 10],
    ["SAND", 1],
  ];
  const given = await paid("HEADERS", goods);
  await pulled("HEADERS", given, { order: sums(goods) });
  expect(await given.orders.show("W1")).toMatchObject({ state: "confirmed", fulfilment: "open" });
  await pulled("HEADERS", given, { order: { ...sums(goods), state: "cancelled" } });
  expect(await stands(given)).toMatchObject({ fulfilment: "cancelled", cancelled: [10, 1] });
  expect(await owed(given)).toEqual([["W1 came short by 60.40", "60.40"]]);
  // Reopened there: it comes after all.
  await pulled("HEADERS", given, { order: sums(goods) });
  expect(await stands(given)).toMatchObject({ fulfilment: "open", cancelled: [0, 0] });
  expect(await owed(given)).toEqual([]);
});

test("complete there without lines ends what no invoice brought, days after one that did bring some", async () => {
  const goods: Goods = [
    ["BRICK", 10],
    ["SAND", 1],
  ];
  const one = await paid("SHORT", goods);
  await pulled("SHORT", one, { order: sums(goods) });
  // Its invoices may come with the next pull.
  await pulled("SHORT", one, { order: { ...sums(goods), state: "complete" } });
  expect([await stands(one), await owed(one)]).toMatchObject([{ cancelled: [0, 0] }, []]);
  await invoiced("SHORT", "I1", [
    { product: "BRICK", quantity: 6 },
    { product: "SAND", quantity: 1 },
  ]);
  await pulled("SHORT", one, { order: { ...sums(goods), state: "complete" } });
  expect([await stands(one), await owed(one)]).toMatchObject([{ cancelled: [0, 0] }, []]);
  one.now = one.now.add({ hours: 24 * 5 });
  await one.orders.advance();
  expect(await stands(one)).toMatchObject({ fulfilment: "invoiced", cancelled: [4, 0] });
  expect(await owed(one)).toEqual([["W1 came short by 20.16", "20.16"]]);
});

test("what is cancelled there and keyed anew is held once, and no change", async () => {
  const goods: Goods = [
    ["BRICK", 10],
    ["SAND", 1],
  ];
  const sand = { line: 2, product: "SAND", quantity: "1", net: "10.00" };
  const one = await paid("ANEW", goods);
  await pulled("ANEW", one, { order: sums(goods), lines: [bricks(1, 10), sand] });
  await pulled("ANEW", one, { order: { ...sums(goods), state: "cancelled" } });
  expect(await owed(one)).toEqual([["W1 came short by 60.40", "60.40"]]);
  const anew = { erpOrder: "SO2" };
  // Its lines come with the next pull.
  await pulled("ANEW", one, { order: { ...sums(goods), ...anew } });
  expect([await stands(one), await owed(one)]).toMatchObject([{ cancelled: [0, 0] }, []]);
  const lines = [bricks(1, 10, anew), { ...sand, ...anew }];
  await pulled("ANEW", one, { order: { ...sums(goods), ...anew }, lines });
  expect((await one.orders.show("W1")).erpOrder).toBe("SO2");
  expect(await stands(one)).toMatchObject({ fulfilment: "open", changed: [], cancelled: [0, 0] });
});

/** Bricks are out, and grit goes in their place: on a line that is none of ours. */
async function substituted(company: string, grit: number): Promise<Opened> {
  const goods: Goods = [
    ["SAND", 1],
    ["BRICK", 10],
  ];
  const one = await paid(company, goods);
  await pull(companies.store, company, "product", [{ product: "GRIT", name: "Grit" }]);
  const sand = { line: 1, product: "SAND", quantity: "1", net: "10.00" };
  await pulled(company, one, { order: sums(goods), lines: [sand, bricks(2, 10)] });
  const gone = { despatchedQuantity: String(grit), net: (grit * NET.GRIT).toFixed(2) };
  const lines = [
    { ...sand, despatchedQuantity: "1" },
    bricks(2, 0),
    { line: 3, product: "GRIT", quantity: String(grit), ...gone },
  ];
  await pulled(company, one, { order: { ...sums(goods), state: "complete" }, lines });
  return one;
}
const questions = async ({ orders }: Opened) => orders.tasks({ kind: "look" });

test("other goods in the place of what does not come are asked of a person until they are invoiced, and then count", async () => {
  const one = await substituted("OTHER", 10);
  expect(await owed(one)).toEqual([]);
  const [question, more] = await questions(one);
  expect([question?.about, question?.amount, more]).toEqual([
    "W1 came otherwise: 50.40 is short, other goods for 40.00 net went out",
    "50.40",
    undefined,
  ]);
  expect(question?.instruction).toContain("the ERP sent GRIT for 40.00 net");
  await invoiced("OTHER", "I1", [
    { product: "SAND", quantity: 1 },
    { product: "GRIT", quantity: 10 },
  ]);
  await salesOf(companies.store, "OTHER").post();
  await one.orders.advance();
  expect(await questions(one)).toEqual([]);
  // Paid 60.40, charged 10.00 for sand and 48.00 for grit.
  const [refund, another] = await one.orders.tasks({ kind: "refund" });
  expect([refund?.about, refund?.amount, another]).toEqual([
    "W1 came short by 2.40",
    "2.40",
    undefined,
  ]);
  expect(refund?.instruction).toMatch(
    /^Other goods were invoiced for it, 48\.00 with VAT, and are counted\. Refund 2\.40 by card/,
  );
});

test("other goods that are worth as much owe nothing back, and those that no invoice charges do once a person says so", async () => {
  const one = await substituted("CHARGED", 10.5);
  await invoiced("CHARGED", "I1", [
    { product: "SAND", quantity: 1 },
    { product: "GRIT", quantity: 10.5 },
  ]);
  await salesOf(companies.store, "CHARGED").post();
  await one.orders.advance();
  expect([await questions(one), await owed(one)]).toEqual([[], []]);
  for (const [company, state, refunds] of [
    ["GIVEN", "done", [["W1 came short by 50.40", "50.40"]]],
    ["AGREED", "dropped", []],
  ] as const) {
    const other = await substituted(company, 10);
    const [question] = await questions(other);
    const end = { state, who: "kim", reason: "they rang" } as const;
    await other.orders.closeTask({ id: question?.id ?? "", ...end });
    await other.orders.advance();
    expect([await questions(other), await owed(other)]).toEqual([[], refunds]);
  }
});
