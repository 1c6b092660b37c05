/** What the checks say of an order that is changed: only what the change is about. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

const brick = (quantity: string) => ({ product: "BRICK", quantity, unitPrice: "4.20" });
const sand = (quantity: string) => ({ product: "SAND", quantity, unitPrice: "10.00" });
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
const LINES = [brick("3"), sand("4")];
const WANTED = { lines: LINES, requestedOn: "2026-04-01", customerReference: "PO 1" };

const amend = ({ orders }: Opened, number: string, more: object) =>
  orders.amend(number, {
    ...shop,
    idempotencyKey: `amend ${number} ${JSON.stringify(more)}`,
    body: body({ ...WANTED, ...more }),
  });
const cancel = (
  { orders }: Opened,
  number: string,
  lines: { line: number; quantity: string | null }[] | null,
) =>
  orders.cancelPart(number, {
    ...shop,
    idempotencyKey: `cancel ${number} ${JSON.stringify(lines)}`,
    lines,
  });

/** 12.60 and 40.00 net, which the ERP has taken as SO1. */
async function taken(company: string): Promise<{ one: Opened; number: string }> {
  const settings = { minimumNet: "50" };
  const one = await companies.open(company, settings, { creditLimit: "60", balance: "0" });
  one.erp.next = async () => ({
    kind: "accepted",
    erpOrder: "SO1",
    net: null,
    vat: null,
    evidence: "it says so",
  });
  const number = orderIn(await send(one.orders, "k1", WANTED)).webOrder;
  await companies.jobs.drain();
  return { one, number };
}

/** Days later nothing of it would be taken any more. */
async function later(one: Opened, company: string): Promise<void> {
  const { store } = companies;
  one.now = one.now.add({ hours: 24 * 3 });
  await pull(store, company, "customer", [
    { account: "A1", name: "Ashby", onStop: true, creditLimit: "1", balance: "0" },
  ]);
  await pull(store, company, "product", [
    { product: "BRICK", name: "Brick" },
    { product: "SAND", name: "Sand", vatCode: "ZERO", state: "discontinued" },
  ]);
  const rule = { customerScope: "everyone", productScope: "product", kind: "fixed" } as const;
  await pull(store, company, "price-rule", [
    { rule: "R1", ...rule, productCode: "BRICK", value: "5.00" },
  ]);
  await companies.again(company);
}

const codes = (result: Awaited<ReturnType<typeof amend>>) =>
  "problem" in result
    ? result.problem.problems.map(({ code, line }) => [code, line])
    : [...result.answer.reasons, ...result.answer.warnings].map(({ code, line }) => [code, line]);

test("a part is cancelled whatever has become of prices, products, days, the account and the minimum", async () => {
  const { one, number } = await taken("LESS");
  await later(one, "LESS");
  // None of it would be taken today.
  const anew = await send(one.orders, "k2", { ...WANTED, webOrder: "W9" });
  expect("problem" in anew && anew.problem.problems.map(({ code }) => code).toSorted()).toEqual([
    "account-on-stop",
    "over-credit-limit",
    "price-differs",
    "product-not-active",
    "requested-in-past",
  ]);
  const less = await cancel(one, number, [{ line: 2, quantity: "1" }]);
  expect(less).toMatchObject({
    status: 202,
    answer: { state: "asked", net: "42.60", reasons: [], warnings: [] },
  });
  const touched = await cancel(one, number, [{ line: 1, quantity: "1" }]);
  expect(touched).toMatchObject({ status: 202, answer: { state: "asked", net: "38.40" } });
  expect(codes(touched)).toEqual([]);
});

test("all that is still to come is cancelled after the day that it was wanted on", async () => {
  const { one, number } = await taken("BACK");
  const { store } = companies;
  await pull(store, "BACK", "erp-order", [
    { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-31", webOrder: number },
  ]);
  const line = { erpOrder: "SO1", unitPrice: "1" };
  await pull(store, "BACK", "erp-order-line", [
    { ...line, line: 10, product: "BRICK", quantity: "3", net: "12.60", despatchedQuantity: "2" },
    { ...line, line: 20, product: "SAND", quantity: "4", net: "40.00" },
  ]);
  await one.orders.advance();
  await later(one, "BACK");
  const rest = await cancel(one, number, null);
  expect(rest).toMatchObject({ status: 202, answer: { state: "asked", net: "8.40", reasons: [] } });
  // The price that was agreed keeps where it came from.
  const [change] = await store.query<{ evidence: unknown; price: unknown }>(
    `select c.evidence -> '1' as evidence, l.price from web_order_change c
       join web_order_line l using (company, order_id) where company = 'BACK' and l.line = 1`,
  );
  expect(change?.price).not.toBeNull();
  expect(change?.evidence).toEqual(change?.price);
});

test("an amendment is checked for what it changes: the rest was agreed", async () => {
  const { one, number } = await taken("AMENDED");
  await later(one, "AMENDED");
  const named = await amend(one, number, { customerReference: "PO 2" });
  expect(named).toMatchObject({ status: 202, answer: { state: "asked", net: "52.60" } });
  expect(codes(named)).toEqual([]);
  const swapped = await amend(one, number, { lines: [sand("4"), brick("3")] });
  expect(codes(swapped)).toEqual([]);
  expect(codes(await amend(one, number, { requestedOn: "2026-04-02" }))).toEqual([
    ["requested-in-past", null],
  ]);
  // More of what is not sold any more, at a price of then, on an account that is on stop.
  const more = codes(await amend(one, number, { lines: [brick("3"), sand("5")] }));
  expect(more.toSorted(([a], [b]) => String(a).localeCompare(String(b)))).toEqual([
    ["account-on-stop", null],
    ["over-credit-limit", null],
    ["product-not-active", 2],
  ]);
  expect(codes(await amend(one, number, { lines: [brick("4"), sand("3")] }))).toEqual([
    ["price-differs", 1],
    ["below-minimum-order", null],
  ]);
  // Less of a product that is gone needs no leave for it, only for what it comes to.
  expect(codes(await amend(one, number, { lines: [brick("3"), sand("3")] }))).toEqual([
    ["below-minimum-order", null],
  ]);
});

test("an order that is held loses a part, and stays held for what speaks against it", async () => {
  const one = await companies.open("HELD", {}, { creditLimit: "30", balance: "0" });
  const number = orderIn(await send(one.orders, "k1", WANTED)).webOrder;
  expect(await one.orders.show(number)).toMatchObject({ state: "held" });
  await later(one, "HELD");
  const less = await cancel(one, number, [{ line: 2, quantity: "3" }]);
  expect(less).toMatchObject({
    status: 200,
    answer: { state: "done", orderState: "held", net: "22.60" },
  });
  expect(codes(less).map(([code]) => code)).toContain("account-on-stop");
  await companies.jobs.drain();
  expect(one.erp.orders.size).toBe(0);
});

test("what stays of a line has the price of the break that all of it had reached", async () => {
  await companies.open("BREAK");
  const rule = { customerScope: "everyone", productScope: "product", kind: "fixed" } as const;
  await pull(companies.store, "BREAK", "price-rule", [
    { rule: "R1", ...rule, productCode: "BRICK", value: "3.80", fromQuantity: "10" },
  ]);
  const one = await companies.again("BREAK");
  const lines = [{ ...brick("12"), unitPrice: "3.80" }];
  const number = orderIn(await send(one.orders, "k1", { lines })).webOrder;
  expect(await cancel(one, number, [{ line: 1, quantity: "8" }])).toMatchObject({
    answer: { net: "15.20", reasons: [], warnings: [] },
  });
});

test("what is left of a line keeps the unit that it was ordered and priced in", async () => {
  await companies.open("UNITS");
  await pull(companies.store, "UNITS", "product-unit", [
    { product: "BRICK", unit: "PACK", sellingUnits: "3" },
  ]);
  const one = await companies.again("UNITS");
  const packs = { product: "BRICK", quantity: "4", unit: "PACK", unitPrice: "12.60" };
  const number = orderIn(await send(one.orders, "k1", { lines: [packs] })).webOrder;
  expect(await one.orders.show(number)).toMatchObject({ net: "50.40" });
  // A pack of three selling units.
  expect(await cancel(one, number, [{ line: 1, quantity: "3" }])).toMatchObject({
    answer: { net: "37.80", reasons: [], warnings: [] },
  });
  await expect(cancel(one, number, [{ line: 1, quantity: "1" }])).rejects.toThrow(
    "line 1 was ordered in PACK, and 8 selling units that would be left are no quantity in PACK. " +
      "Cancel whole ones of PACK, or send the order anew as amended.",
  );
});

test("a part is cancelled by what holds now where the account was not known when it was ordered", async () => {
  await companies.open("LATER");
  const { store } = companies;
  await pull(store, "LATER", "product-unit", [
    { product: "BRICK", unit: "PACK", sellingUnits: "3" },
  ]);
  const one = await companies.again("LATER");
  const packs = { product: "BRICK", quantity: "4", unit: "PACK", unitPrice: "12.60" };
  const number = orderIn(await send(one.orders, "k1", { lines: [packs] })).webOrder;
  await store.affect(
    "update customer set learned_at = learned_at + interval '1 day' where company = 'LATER'",
  );
  expect(await cancel(one, number, [{ line: 1, quantity: "3" }])).toMatchObject({
    answer: { net: "37.80", reasons: [], warnings: [] },
  });
});
