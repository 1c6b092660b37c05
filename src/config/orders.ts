/** How web orders are taken and handed over. */
import { z } from "zod";
import { accepting } from "./accepting.ts";
import { accountRequests, guests } from "./buyers.ts";
import { duration } from "./connection.ts";
import { delivery } from "./delivery.ts";
import { orderChecks } from "./order-checks.ts";

const code = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, "a short code of letters, digits, - and _");

const goLive = z
  .strictObject({
    shadowEqualPercent: z
      .number()
      .min(0)
      .max(100)
      .default(98)
      .describe("From how many shadowed orders in percent, as staff keyed them, one may go live."),
  })
  .prefault({});

export const orders = z
  .strictObject({
    connection: code
      .optional()
      .describe("Connection that takes the web orders; absent: the only one, or erp."),
    checks: orderChecks,
    ...accepting,
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
    deskWithin: duration
      .default("4h")
      .describe("An alarm tells of orders that wait for a person longer than this."),
    ...delivery,
    goLive,
    guests,
    accountRequests,
  })
  .prefault({});
