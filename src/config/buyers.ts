/** Buyers whom the ERP does not know: guests, and those who ask for an account. */
import { z } from "zod";

const account = z.string().min(1).max(40);

export const guests = z
  .strictObject({
    account: account.describe("The cash account that guests' orders go to, at its prices."),
    forgetAfterDays: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe(
        "So many days after an order is done, its guest's name and addresses are blanked; absent: kept.",
      ),
  })
  .optional()
  .describe("Orders of buyers without an account, paid in full; absent: guests are refused.");

export const accountRequests = z
  .strictObject({
    pricesOf: account
      .optional()
      .describe(
        "Account at whose prices orders are checked until theirs is opened; absent: that of guests.",
      ),
    forgetRefusedAfterDays: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("So many days after a refusal what was asked is blanked; absent: it is kept."),
  })
  .prefault({})
  .describe("Requests of new trade customers for an account.");
