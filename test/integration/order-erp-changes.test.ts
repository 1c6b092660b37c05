/** What staff change on lines of a confirmed order is told, wherever the ERP keeps its charges. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

type Held = readonly (readonly [product: string | null, quantity: string, net: string])[];
const GOODS: Held = [
  ["BRICK", "2", "8.40"],
  ["SAND", "1", "10.00"],
];
const CARR = ["CARR", "1", "7.50"] as const;
const SWAPPED: Held = [
  ["GRIT", "84", "8.40"],
  ["SAND", "1", "10.00"],
];
/** 18.40 of goods and 7.50 of carriage. */
const CARRIAGE = { charges: [{ charge: "CARR", net: "7.50", vatCode: "ZERO" }] };

async function held(one: Opened, company: string, net: string | null, lines: Held) {
  one.now = one.now.add({ minutes: 5 });
  const at = one.now.toString();
  const row = { erpOrder: "SO1", account: "A1", webOrder: "W1", orderedOn: "2026-03-31" };
  await pull(companies.store, company, "erp-order", [{ ...row, net, vat: null }], at);
  const rows = lines.map(([product, quantity, lineNet], index) => ({
    erpOrder: "SO1",
    line: index + 1,
    product,
    quantity,
    unitPrice: "1",
    net: lineNet,
  }));
  await pull(companies.store, company, "erp-order-line", rows, at);
  await one.orders.advance();
}

async function confirmed(company: string, more: object, net: string, lines: Held) {
  const one = await companies.open(company);
  orderIn(await send(one.orders, "k1", { webOrder: "W1", ...more }));
  await companies.jobs.drain();
  await held(one, company, net, lines);
  expect(await one.orders.show("W1")).toMatchObject({ state: "confirmed", changedInErp: [] });
  return one;
}

const changed = async ({ orders }: Opened) =>
  (await orders.show("W1")).changedInErp.map(({ line, product, what, was, is }) => [
    line,
    product,
    what,
    was,
    is,
  ]);
const told = async ({ orders }: Opened) =>
  (await orders.show("W1")).events.filter(({ event }) => event === "erp-change").length;

const SWAP = [
  [1, "BRICK", "line removed", "2", null],
  [null, "GRIT", "line added", null, "84"],
];

test.each([
  ["HEADER", GOODS, SWAPPED],
  ["TEXT", [...GOODS, [null, "1", "7.50"]], [...SWAPPED, [null, "1", "7.50"]]],
  ["CODE", [...GOODS, CARR], [...SWAPPED, CARR]],
] as [string, Held, Held][])(
  "goods that are swapped are told where carriage stands in the %s",
  async (company, before, after) => {
    const one = await confirmed(company, CARRIAGE, "25.90", before);
    await held(one, company, "25.90", after);
    expect(await changed(one)).toEqual(SWAP);
    await held(one, company, "25.90", before);
    expect(await changed(one)).toEqual([]);
    expect(await told(one)).toBe(2);
  },
);

test("of two charges one stands on a line, the other in the header", async () => {
  const pallet = { charge: "PALLET", net: "5.00", vatCode: "ZERO" };
  const order = { charges: [...CARRIAGE.charges, pallet] };
  const onLine = ["PALLET", "1", "5.00"] as const;
  const one = await confirmed("BOTH", order, "30.90", [...GOODS, onLine]);
  await held(one, "BOTH", "30.90", [...SWAPPED, onLine]);
  expect(await changed(one)).toEqual(SWAP);
});

test("a charge of the order on a line is none that was added; at another price it is told", async () => {
  const one = await confirmed("DEARER", CARRIAGE, "25.90", [...GOODS, CARR]);
  expect(await told(one)).toBe(0);
  await held(one, "DEARER", "27.90", [...GOODS, ["CARR", "1", "9.50"]]);
  expect(await changed(one)).toEqual([
    [null, "CARR", "price", "7.50", "9.50"],
    [null, null, "net", "25.90", "27.90"],
  ]);
});

test("of lines that do not come to the order's net what is more is told, and nothing that may only be missing", async () => {
  const one = await confirmed("PARTLY", {}, "18.40", GOODS);
  // Carriage that staff added in the header, beside goods that they swapped on a line.
  await held(one, "PARTLY", "25.90", SWAPPED);
  expect(await changed(one)).toEqual([
    [null, "GRIT", "line added", null, "84"],
    [null, null, "net", "18.40", "25.90"],
  ]);
  await held(one, "PARTLY", "25.90", [
    ["BRICK", "1", "4.20"],
    ["SAND", "3", "27.00"],
  ]);
  expect(await changed(one)).toEqual([
    [2, "SAND", "quantity", "1", "3"],
    [null, null, "net", "18.40", "25.90"],
  ]);
});
