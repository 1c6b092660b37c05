/** What orders are told, for tests that open the orders of a company by themselves. */
import type { OrderSettings } from "../../src/orders/index.ts";

/** The moment at which they are. */
export const NOW = "2026-03-31T09:00:00Z";

export const ORDER_SETTINGS: OrderSettings = {
  checks: {
    account: "refuse",
    stop: "refuse",
    credit: "hold",
    product: "refuse",
    quantity: "refuse",
    minimum: "refuse",
    guest: "refuse",
    reference: "refuse",
    visibility: "refuse",
    stock: "accept",
    charge: "refuse",
    delivery: "refuse",
    country: "hold",
    requested: "refuse",
    payment: "hold",
    limit: "hold",
    repeat: "hold",
    site: "refuse",
    branch: "refuse",
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
  atOnce: 3,
  giveUpAfterSeconds: 5,
  quietSeconds: 0,
  retryFirstSeconds: 5,
  retryLongestSeconds: 3_600,
  leaseSeconds: 30,
  maxAttempts: 3,
};
