/** What orders are told, for tests that open the orders of a company by themselves. */
import type { OrderSettings } from "../../src/orders/index.ts";

export const ORDER_SETTINGS: OrderSettings = {
  checks: {
    account: "refuse",
    stop: "refuse",
    credit: "hold",
    product: "refuse",
    quantity: "refuse",
    minimum: "refuse",
    guest: "refuse",
    site: "refuse",
    price: "refuse",
    stale: "hold",
    agreement: "refuse",
    date: "refuse",
    totals: "refuse",
  },
  minimumNet: "0",
  answerWithinHours: 24,
  currency: "GBP",
  timeZone: "Europe/London",
  rounding: { scale: 2, mode: "half-away" },
  maxAttempts: 3,
};
