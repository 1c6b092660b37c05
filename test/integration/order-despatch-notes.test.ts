/** Despatch notes of orders whose ERP order was never pulled. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

/** An order of bricks and sand that the ERP answers with a number. */
async function answered(one: Opened, webOrder: string, erpOrder: string, more: object = {}) {
  one.erp.next = async () => ({
    kind: "accepted",
    erpOrder,
    net: null,
    vat: null,
    evidence: "it says so",
  });
  const number = orderIn(await send(one.orders, webOrder, { webOrder, ...more })).webOrder;
  await companies.jobs.drain();
  return number;
}

async function note(
  company: string,
  despatch: string,
  erpOrder: string,
  lines: readonly (readonly [product: string, quantity: string, erpOrderLine?: number])[],
  account = "A1",
): Promise<void> {
  const { store } = companies;
  await pull(store, company, "despatch", [
    { despatch, account, despatchedOn: "2026-04-01", carrier: "Van", tracking: `T-${despatch}` },
  ]);
  await pull(
    store,
    company,
    "despatch-line",
    lines.map(([product, quantity, erpOrderLine = null], index) => ({
      despatch,
      line: index + 1,
      erpOrder,
      erpOrderLine,
      product,
      quantity,
    })),
  );
}

const standing = async ({ orders }: Opened, number: string) => {
  const { fulfilment, lines, despatches } = await orders.show(number);
  return {
    fulfilment,
    despatched: lines.map(({ despatchedQuantity }) => Number(despatchedQuantity)),
    notes: despatches.map(({ despatch }) => despatch),
  };
};

test("a note that names the number of our order counts where no ERP orders are pulled", async () => {
  const one = await companies.open("NOTED");
  const number = await answered(one, "W1", "SO1");
  // Its lines are counted by tens there.
  await note("NOTED", "DN1", "SO1", [
    ["BRICK", "1", 10],
    ["SAND", "1", 20],
  ]);
  await one.orders.advance();
  expect(await standing(one, number)).toEqual({
    fulfilment: "part despatched",
    despatched: [1, 1],
    notes: ["DN1"],
  });
  await note("NOTED", "DN2", "SO1", [
    ["BRICK", "1"],
    ["LABEL", "1"],
  ]);
  await one.orders.advance();
  await one.orders.advance();
  expect(await standing(one, number)).toEqual({
    fulfilment: "despatched",
    despatched: [2, 1],
    notes: ["DN1", "DN2"],
  });
  const { despatches } = await one.orders.show(number);
  expect(despatches[1]).toMatchObject({
    tracking: "T-DN2",
    lines: [
      { line: 1, product: "BRICK", quantity: "1" },
      { line: null, product: "LABEL", quantity: "1" },
    ],
  });
  // Lines of the ERP order that come after all say it again, and nothing counts twice.
  await pull(companies.store, "NOTED", "erp-order", [
    { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-31", webOrder: number },
  ]);
  const line = { erpOrder: "SO1", unitPrice: "1", net: "1.00" };
  await pull(companies.store, "NOTED", "erp-order-line", [
    { ...line, line: 10, product: "BRICK", quantity: "2", despatchedQuantity: "2" },
    { ...line, line: 20, product: "SAND", quantity: "1", despatchedQuantity: "1" },
  ]);
  await one.orders.advance();
  expect((await standing(one, number)).despatched).toEqual([2, 1]);
});

test("a product on two lines is told by line and product; another's note is nobody's", async () => {
  const one = await companies.open("TWICE");
  const bricks = [1, 2].map((quantity) => ({
    product: "BRICK",
    quantity: String(quantity),
    unitPrice: "4.20",
  }));
  const twice = await answered(one, "W2", "SO2", { lines: bricks });
  await note("TWICE", "DN2", "SO2", [["BRICK", "2", 2]]);
  const other = await answered(one, "W3", "SO3", { customerReference: "mine" });
  await note("TWICE", "DN3", "SO3", [["BRICK", "2"]], "STOPPED");
  await one.orders.advance();
  expect(await standing(one, twice)).toMatchObject({ despatched: [0, 2], notes: ["DN2"] });
  expect(await standing(one, other)).toMatchObject({ despatched: [0, 0], notes: [] });
});

test("a product on two lines is told by quantity, and else in the order of the lines", async () => {
  const one = await companies.open("ANYLINE");
  const bricks = [4, 6].map((quantity) => ({
    product: "BRICK",
    quantity: String(quantity),
    unitPrice: "4.20",
  }));
  const number = await answered(one, "W6", "SO6", { lines: bricks });
  await note("ANYLINE", "DN6", "SO6", [["BRICK", "5"]]);
  await one.orders.advance();
  expect((await standing(one, number)).despatched).toEqual([4, 1]);
  await note("ANYLINE", "DN7", "SO6", [["BRICK", "5"]]);
  await one.orders.advance();
  expect((await standing(one, number)).despatched).toEqual([4, 6]);
  // The same where the order's lines are there, and the notes name none of them.
  await pull(companies.store, "ANYLINE", "erp-order", [
    { erpOrder: "SO6", account: "A1", orderedOn: "2026-03-31", webOrder: number },
  ]);
  const line = { erpOrder: "SO6", product: "BRICK", unitPrice: "4.20" };
  await pull(companies.store, "ANYLINE", "erp-order-line", [
    { ...line, line: 10, quantity: "6", net: "25.20" },
    { ...line, line: 20, quantity: "4", net: "16.80" },
  ]);
  await one.orders.advance();
  expect((await standing(one, number)).despatched).toEqual([4, 6]);
});

test("a number that two web orders were answered with is no order's despatch", async () => {
  const one = await companies.open("SHARED");
  const both = [await answered(one, "W4", "SO4"), await answered(one, "W5", "SO4")];
  await note("SHARED", "DN4", "SO4", [["BRICK", "2"]]);
  await one.orders.advance();
  for (const number of both)
    expect(await standing(one, number)).toMatchObject({ despatched: [0, 0], notes: [] });
});
