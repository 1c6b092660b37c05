/** What persons are told of an order that is to be another one: all that differs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { WebOrder } from "../../src/model/index.ts";
import { inWords, otherwise } from "../../src/orders/changes/otherwise.ts";

const code = fc.constantFrom("A", "B");
const maybe = fc.option(code);
const amount = fc.constantFrom("0.00", "1.00", "2.50");
const place = fc.record({
  name: code,
  address1: code,
  address2: maybe,
  address3: maybe,
  town: maybe,
  county: maybe,
  postcode: maybe,
  country: code,
  contact: maybe,
  telephone: maybe,
  email: maybe,
});
const goods = fc.record({
  product: code,
  quantity: fc.constantFrom("1", "2"),
  unitPrice: amount,
  discount: amount,
  net: amount,
  vatCode: code,
  vat: amount,
  orderedUnit: maybe,
  orderedQuantity: fc.constant(null),
});
const charge = fc.record({
  charge: code,
  description: maybe,
  net: amount,
  vatCode: code,
  vat: amount,
});
const order: fc.Arbitrary<WebOrder> = fc.record({
  webOrder: code,
  account: code,
  orderedOn: code,
  placedBy: fc.constantFrom("customer", "assisted"),
  placedByName: maybe,
  customerReference: maybe,
  site: maybe,
  deliverTo: fc.option(place),
  guest: fc.option(fc.record({ name: code, email: code, telephone: maybe })),
  accountRequest: maybe,
  branch: maybe,
  requestedOn: maybe,
  conditions: fc.dictionary(code, code),
  currency: code,
  lines: fc
    .array(goods, { maxLength: 3 })
    .map((all) => all.map((one, at) => ({ line: at + 1, ...one }))),
  charges: fc.array(charge, { maxLength: 2 }),
  payment: fc.option(fc.record({ provider: code, reference: code, amount })),
  net: amount,
  vat: amount,
  gross: amount,
});

test("an order is otherwise in every part that differs, and in none that does not", () => {
  fc.assert(
    fc.property(order, (one) => {
      expect(otherwise(one, { ...one })).toEqual([]);
    }),
  );
  const parts = fc.constantFrom(...(Object.keys(sample()) as (keyof WebOrder)[]));
  fc.assert(
    fc.property(order, order, parts, (one, other, part) => {
      const changed = { ...one, [part]: other[part] };
      const differs = JSON.stringify(one[part]) !== JSON.stringify(other[part]);
      const told = otherwise(one, changed);
      // Charges that stand in another order, and conditions, are the same ones.
      if (part === "charges" || part === "conditions") return;
      expect(told.length > 0).toBe(differs);
      for (const { was, is } of told) expect(was).not.toBe(is);
    }),
  );
});

function sample(): WebOrder {
  return fc.sample(order, 1)[0] as WebOrder;
}

test("what was and what is to be is said of each", () => {
  const was: WebOrder = {
    webOrder: "W1",
    account: "A1",
    orderedOn: "2026-03-31",
    placedBy: "customer",
    placedByName: null,
    customerReference: "PO W1",
    site: "YARD",
    deliverTo: null,
    guest: null,
    accountRequest: null,
    branch: null,
    requestedOn: null,
    conditions: {},
    currency: "GBP",
    lines: [],
    charges: [{ charge: "CARR", description: null, net: "5.00", vatCode: "STANDARD", vat: "1.00" }],
    payment: null,
    net: "5.00",
    vat: "1.00",
    gross: "6.00",
  };
  const is: WebOrder = {
    ...was,
    customerReference: "PO NEW",
    site: null,
    deliverTo: {
      name: "New",
      address1: "1 High St",
      address2: null,
      address3: null,
      town: "Leeds",
      county: null,
      postcode: "LS1 1AA",
      country: "GB",
      contact: null,
      telephone: null,
      email: null,
    },
    requestedOn: "2026-04-09",
    conditions: { delivery: "collect" },
    charges: [],
    payment: { provider: "card", reference: "pi_1", amount: "20.08" },
  };
  expect(inWords(otherwise(was, is)).split("; ")).toEqual([
    "customer's reference: was PO W1, is to be PO NEW",
    "delivery site: was YARD, is to be none",
    "delivery wanted on: was none, is to be 2026-04-09",
    "conditions: was none, is to be delivery=collect",
    "delivery address: was none, is to be name New, line 1 1 High St, town Leeds, " +
      "postcode LS1 1AA, country GB",
    "payment: was none, is to be amount 20.08, taken by card, reference pi_1",
    "charge CARR: was 5.00 net and 1.00 VAT (STANDARD), is to be none",
  ]);
  const moved = { ...is, deliverTo: is.deliverTo && { ...is.deliverTo, postcode: "LS2 2BB" } };
  expect(inWords(otherwise(is, moved))).toBe(
    "delivery address, postcode: was LS1 1AA, is to be LS2 2BB",
  );
});
