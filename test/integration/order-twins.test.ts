/** ERP orders that may be a web order a second time, by the goods of both: told to a person. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };

const sand = (quantity: string) => ({ product: "SAND", quantity, unitPrice: "10.00" });
const CARRIAGE = { charges: [{ charge: "CARR", net: "7.50" }] };

type Keyed = readonly (readonly [product: string, quantity: string])[];

/** An ERP order of account A1, keyed on the order's day; null: it bears no number of ours. */
async function keyed(company: string, erpOrder: string, lines: Keyed, more: object = {}) {
  const net = (product: string, quantity: string) =>
    product === "CARR" ? "7.50" : `${Number(quantity) * 10}.00`;
  await pull(companies.store, company, "erp-order", [
    { erpOrder, account: "A1", orderedOn: "2026-03-31", customerReference: "PO1", ...more },
  ]);
  await pull(
    companies.store,
    company,
    "erp-order-line",
    lines.map(([product, quantity], at) => ({
      erpOrder,
      line: at + 1,
      product,
      quantity,
      unitPrice: "10.00",
      net: net(product, quantity),
    })),
  );
}

async function handedOver(company: string, more: object): Promise<Opened> {
  const one = await companies.open(company);
  orderIn(await send(one.orders, "k1", { webOrder: "W1", customerReference: "PO1", ...more }));
  await companies.jobs.drain();
  return one;
}

const suspected = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "look" })).map(({ about }) => about.split(" ")[2] ?? "").sort();

test.each([
  ["JOINED", { lines: [sand("4"), sand("6")] }],
  ["SPLIT", { lines: [sand("10")] }],
  ["CHARGED", { lines: [sand("10")], ...CARRIAGE }],
])("keyed joined, split, with carriage or without it is one again: %s", async (company, order) => {
  const one = await handedOver(company, order);
  await keyed(company, "SO1", [["SAND", "10"]], { webOrder: "W1" });
  await keyed(company, "SO2", [["SAND", "10"]], { customerReference: "po1" });
  await keyed(company, "SO3", [
    ["SAND", "6"],
    ["SAND", "4"],
  ]);
  await keyed(company, "SO4", [
    ["CARR", "1"],
    ["SAND", "10"],
  ]);
  await keyed(company, "SO5", [["SAND", "9"]]);
  await keyed(company, "SO6", [["BRICK", "10"]]);
  await keyed(company, "SO7", [["SAND", "10"]], { customerReference: "PO2" });
  await keyed(company, "SO8", [["SAND", "10"]], { orderedOn: "2026-04-02" });
  await keyed(company, "SO9", []);
  await one.orders.advance();
  await one.orders.advance();
  expect(await suspected(one)).toEqual(["SO2", "SO3", "SO4"]);
  const [task] = await one.orders.tasks({ kind: "look" });
  expect(task?.instruction).toMatch(/reference po1 are the same, and it has all goods of W1/i);
});

test("an order is compared as it was before each of its changes, too, under the reference of then", async () => {
  const one = await companies.open("CHANGED");
  one.mode = "read-only";
  orderIn(
    await send(one.orders, "k1", {
      webOrder: "W1",
      customerReference: "PO1",
      lines: [sand("10"), sand("2")],
    }),
  );
  const lines = [{ line: 2, quantity: "2" }];
  await one.orders.cancelPart("W1", { ...SHOP, idempotencyKey: "c1", lines });
  const more = body({ customerReference: "PO2", lines: [sand("20")] });
  await one.orders.amend("W1", { ...SHOP, idempotencyKey: "a1", body: more });
  expect(await one.orders.show("W1")).toMatchObject({ net: "200.00", state: "queued" });
  for (const [erpOrder, quantity, customerReference] of [
    ["SO12", "12", "PO1"],
    ["SO10", "10", "PO1"],
    ["SO20", "20", "PO2"],
    ["SO13", "13", "PO1"],
    ["SO30", "20", "PO3"],
  ] as const)
    await keyed("CHANGED", erpOrder, [["SAND", quantity]], { customerReference });
  await one.orders.advance();
  expect(await suspected(one)).toEqual(["SO10", "SO12", "SO20"]);
  // Also where only what is new is looked at.
  await companies.store.affect("delete from web_order_task where company = 'CHANGED'");
  await companies.store.affect(
    "update erp_order set learned_at = $1 where company = 'CHANGED' and erp_order = 'SO12'",
    [one.now],
  );
  await companies.store.affect(
    "update web_order set changed_at = changed_at - interval '9 days' where company = 'CHANGED'",
  );
  await one.orders.advance();
  expect(await suspected(one)).toContain("SO12");
});
