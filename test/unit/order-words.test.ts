import { expect, test } from "vitest";
import { priceBecause } from "../../src/cli/order-view.ts";

test("a lowered line of an order is shown as its price × quantity − each promotion = net", () => {
  const promotions = [
    { promotion: "BUD", amount: "0.59" },
    { promotion: "DOC", amount: "1.00" },
  ];
  const lowered = { unitPrice: "3.1500", quantity: "7", unit: null, promotions, net: "20.46" };
  expect(priceBecause({ line: 1, price: { because: "Standard price", lowered } })).toEqual([
    "price of line 1: Standard price",
    "line 1: £3.15 × 7 − £0.59 (BUD) − £1.00 (DOC) = £20.46",
  ]);
  const boxes = { unitPrice: "0.12345", quantity: "2", unit: "BOX", promotions: [], net: "0.25" };
  expect(priceBecause({ line: 2, price: { lowered: boxes } })).toEqual([
    "line 2: £0.12345 × 2 BOX = £0.25",
  ]);
  expect(priceBecause({ line: 3, price: null })).toEqual([]);
});
