/** On what terms an order is taken: conditions, dates, codes, and what is left of agreements. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { orderPricing } from "../../src/company.ts";
import { openJobs } from "../../src/jobs/index.ts";
import type { Jobs } from "../../src/jobs/index.ts";
import { compileOutbound } from "../../src/mapping/index.ts";
import type { Outbound } from "../../src/mapping/index.ts";
import type { Canonical, WebOrder } from "../../src/model/index.ts";
import { openOrders, orderRequest } from "../../src/orders/index.ts";
import type { Orders } from "../../src/orders/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

const database = useDatabase();
let jobs: Jobs;
let outbound: Outbound;

beforeAll(async () => {
  jobs = await openJobs(database.store, { log: () => undefined });
  const file = "mappings/tradepost-csv/web-order.yaml";
  outbound = compileOutbound({ file, text: await readFile(file, "utf8") });
});
afterAll(() => jobs.close());

interface Trade {
  readonly orders: Orders;
  readonly pricing: Pricing;
}

interface Rows {
  readonly rules: readonly Partial<Canonical<"price-rule">>[];
  readonly promotions?: readonly Partial<Canonical<"promotion">>[];
  readonly quotations?: readonly Partial<Canonical<"quotation">>[];
  readonly quoted?: readonly Partial<Canonical<"quotation-line">>[];
}

/** Accounts A1 and A2, one product PLY at £20 unless rules say otherwise. */
async function trade(company: string, rows: Rows): Promise<Trade> {
  const { store } = database;
  await pull(store, company, "customer", [
    { account: "A1", name: "Ashby" },
    { account: "A2", name: "Brook" },
  ]);
  await pull(store, company, "product", [{ product: "PLY", name: "Plywood" }]);
  await pull(
    store,
    company,
    "price-rule",
    rows.rules.map((rule) => ({ ...STANDARD, ...rule })),
  );
  await pull(store, company, "promotion", rows.promotions ?? []);
  await pull(store, company, "quotation", rows.quotations ?? []);
  await pull(store, company, "quotation-line", rows.quoted ?? []);
  const settings = {
    currency: "GBP",
    timeZone: "Europe/London",
    vat: { STANDARD: "20" },
  };
  const now = () => Temporal.Instant.from("2026-03-31T09:00:00Z");
  const told = { store, company, now, log: () => undefined };
  const pricing = await openPricing({ ...told, settings, tokens: TOKENS, policy: "generic" });
  await pricing.publish();
  const connection = {
    mode: "read-only" as const,
    openSession: () => Promise.reject(new Error("nothing is sent in these tests")),
  };
  const orders = openOrders({
    ...told,
    settings: ORDER_SETTINGS,
    pricing: orderPricing(pricing, settings),
    jobs,
    connection,
    outbound,
  });
  return { orders, pricing };
}

const TOKENS = {
  keys: [{ id: "k1", secret: "a secret of more than 32 characters" }],
  hours: 24,
};
const STANDARD = {
  rule: "S",
  customerScope: "everyone",
  productScope: "product",
  productCode: "PLY",
  kind: "fixed",
  value: "20",
} as const;

let keys = 0;

/** The order as it was taken, or the codes that refuse it. */
async function place({ orders }: Trade, order: object): Promise<WebOrder | string[]> {
  keys += 1;
  const body = orderRequest.parse({ account: "A1", ...order });
  const result = await orders.accept({
    idempotencyKey: `k${keys}`,
    body,
    apiKey: "shop",
    test: false,
  });
  if ("order" in result) return result.order;
  return result.problem.problems
    .filter(({ policy }) => policy === "refuse")
    .map(({ code }) => code);
}

const line = (quantity: string, unitPrice: string, more: object = {}) => ({
  product: "PLY",
  quantity,
  unitPrice,
  ...more,
});

function taken(placed: WebOrder | string[]): WebOrder {
  if (Array.isArray(placed)) throw new Error(`refused: ${placed.join(", ")}`);
  return placed;
}

test("a price for who collects is honoured only by an order that says so, and the ERP is told", async () => {
  const collect = { delivery: "collect" };
  const one = await trade("COLLECT", {
    rules: [{}, { rule: "C", value: "18", conditions: "delivery=collect", priority: 1 }],
  });
  const lines = [{ product: "PLY", quantity: "1" }];
  const [answer] = one.pricing.price({ account: "A1", conditions: collect, tokens: true, lines });
  if (answer === undefined || answer.state === "problem") throw new Error("no price");
  expect(answer.unitPrice).toBe("18.0000");
  const signed = line("1", "18", { priceToken: answer.token });
  expect(await place(one, { lines: [signed] })).toEqual(["token-other-terms"]);
  expect(await place(one, { lines: [line("1", "18")] })).toEqual(["price-differs"]);
  expect(await place(one, { lines: [signed], conditions: { delivery: "site" } })).toEqual([
    "token-other-terms",
  ]);
  const withToken = taken(await place(one, { lines: [signed], conditions: collect }));
  const without = taken(await place(one, { lines: [line("1", "18")], conditions: collect }));
  expect([withToken.conditions, without.conditions]).toEqual([collect, collect]);
  const kept = await one.orders.show(withToken.webOrder);
  expect(kept.order.conditions).toEqual(collect);
  const header = outbound.render(kept.order).find(({ name }) => name === "header");
  const cell = (column: string) => header?.rows[0]?.[header.columns.indexOf(column)];
  expect([cell("delivery"), cell("conditions")]).toEqual(["collect", "delivery=collect"]);
});
