/** What a merchant makes of each thing that speaks against a web order. */
import { z } from "zod";

const check = z.enum(["accept", "hold", "refuse"]);

export const orderChecks = z
  .strictObject({
    account: check.default("refuse").describe("Unknown or closed account."),
    stop: check.default("refuse").describe("Account on stop."),
    guest: check.default("refuse").describe("A guest without an address, or not paid in full."),
    credit: check.default("hold").describe("Over the credit limit with orders not yet invoiced."),
    reference: check
      .default("refuse")
      .describe("No reference of the customer's own where the ERP says that it needs one."),
    product: check
      .default("refuse")
      .describe("Unknown, blocked or replaced product, or not on the web."),
    visibility: check
      .default("refuse")
      .describe("Product that the assortment hides from the customer."),
    quantity: check
      .default("refuse")
      .describe("Below the least quantity, not a multiple, or a unit that it is not sold in."),
    stock: check.default("accept").describe("Less is free than the order wants."),
    minimum: check
      .default("refuse")
      .describe("Below the minimum order, and without the small-order charge."),
    charge: check.default("refuse").describe("Charge that the settings do not name as it is sent."),
    site: check.default("refuse").describe("Unknown delivery site, or a site beside an address."),
    branch: check
      .default("refuse")
      .describe("Unknown branch; where the ERP's branches are not pulled, none is looked for."),
    delivery: check.default("refuse").describe("Delivery address that no carrier takes."),
    country: check
      .default("hold")
      .describe("Delivery to another country than VAT was worked out for."),
    requested: check
      .default("refuse")
      .describe("Delivery wanted on a day that is over or without deliveries."),
    price: check.default("refuse").describe("Price differs from ours now."),
    stale: check.default("hold").describe("Price is ours, and its state is stale."),
    agreement: check
      .default("refuse")
      .describe("Quotation not open or ordered before, or more than it or a contract has left."),
    date: check.default("refuse").describe("Dated long ago, or after tomorrow."),
    totals: check.default("refuse").describe("Net, VAT or gross does not add up."),
    payment: check
      .default("hold")
      .describe("Paid too much, in another currency, or with another order's payment."),
    limit: check.default("hold").describe("Beyond the limits of one order."),
    repeat: check
      .default("hold")
      .describe("The same order a moment ago under another key and number."),
  })
  .prefault({});
