/** What a merchant makes of each thing that speaks against a web order. */
import { z } from "zod";

const check = z.enum(["accept", "hold", "refuse"]);

export const orderChecks = z
  .strictObject({
    account: check.default("refuse").describe("Unknown or closed account."),
    stop: check.default("refuse").describe("Account on stop."),
    credit: check.default("hold").describe("Over the credit limit with orders not yet invoiced."),
    product: check
      .default("refuse")
      .describe("Unknown, blocked or replaced product, or not on the web."),
    quantity: check.default("refuse").describe("Below the least quantity or not a multiple."),
    minimum: check.default("refuse").describe("Below the minimum order."),
    guest: check.default("refuse").describe("A guest without an address, or not paid in full."),
    site: check.default("refuse").describe("Unknown delivery site."),
    price: check.default("refuse").describe("Price differs from ours now."),
    agreement: check
      .default("refuse")
      .describe("Quotation not open or ordered before, or more than it or a contract has left."),
    date: check.default("refuse").describe("Dated long ago, or after tomorrow."),
    stale: check.default("hold").describe("Price is ours, and its state is stale."),
    totals: check.default("refuse").describe("Net, VAT or gross does not add up."),
  })
  .prefault({});
