/**
 * Which of our lines the lines of an ERP order are where the ERP does not say so, and what its
 * header alone tells: an order that ended there is ended, whatever its lines look like.
 */
import { expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();

/** Of each: product and quantity. */
type Goods = readonly (readonly [product: "BRICK" | "SAND", quantity: number])[];
const NET = { BRICK: 4.2, SAND: 10 } as const;
const EACH = { BRICK: 5.04, SAND: 10 } as const;
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
  lines: readonly { readonly product: "BRICK" | "SAND"; readonly quantity: number }[],
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

test("complete there without lines ends what no invoice brought, once one did bring some", async () => {
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
