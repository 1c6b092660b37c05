/** How web orders are taken and handed over. */
import { z } from "zod";
import { accountRequests, guests } from "./buyers.ts";
import { orderChecks } from "./order-checks.ts";

const code = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, "a short code of letters, digits, - and _");
const decimalText = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'a decimal such as "20" or "12.50", not negative');

export const orders = z
  .strictObject({
    connection: code
      .optional()
      .describe("Connection that takes the web orders; absent: the only one, or erp."),
    checks: orderChecks,
    minimumNet: decimalText.default("0").describe("Least net value of an order."),
    oldestDays: z
      .number()
      .int()
      .nonnegative()
      .default(31)
      .describe("How many days ago an order may be dated."),
    answerWithinHours: z
      .number()
      .positive()
      .default(24)
      .describe("A handed-over order without an answer by then is in doubt."),
    guests,
    accountRequests,
  })
  .prefault({});
