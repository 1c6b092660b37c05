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
import type { BasketRequest, Pricing } from "../../src/pricing/index.ts";
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
    standing: async () => ({ mode: "read-only" as const, paused: null }),
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

/** Each line's price, and the basket's net; or the code that refuses it. */
async function basket({ pricing }: Trade, more: Partial<BasketRequest>) {
  const priced = await pricing.basket({ account: "A1", lines: [], ...more });
  const lines = "answer" in priced ? priced.answer.lines : priced;
  return lines.map((each) => (each.state === "problem" ? each.code : each.unitPrice));
}

const plies = (...quantities: string[]) =>
  quantities.map((quantity) => ({ product: "PLY", quantity }));

test("what is left of a contract is given once: over the lines of a basket, and over open web orders", async () => {
  const one = await trade("LEFT", {
    rules: [
      { value: "7" },
      {
        rule: "C",
        customerScope: "account",
        customerCode: "A1",
        value: "5",
        contractQuantity: "100",
        contractUsedQuantity: "90",
      },
    ],
  });
  expect(await basket(one, { lines: plies("10", "10") })).toEqual(["5.0000", "7.0000"]);
  expect(await basket(one, { lines: plies("11", "4", "6") })).toEqual([
    "7.0000",
    "5.0000",
    "5.0000",
  ]);
  expect(await place(one, { lines: [line("10", "5"), line("10", "5")] })).toContain(
    "contract-used-up",
  );
  const mixed = taken(await place(one, { lines: [line("6", "5"), line("10", "7")] }));
  expect(mixed.net).toBe("100.00");
  expect(await basket(one, { lines: plies("10") })).toEqual(["7.0000"]);
  expect(await place(one, { lines: [line("10", "5")] })).toEqual(["contract-used-up"]);
  taken(await place(one, { lines: [line("4", "5"), line("1", "7")] }));
  expect(await place(one, { lines: [line("1", "5")] })).toContain("contract-used-up");
  await one.orders.cancel(mixed.webOrder, { who: "Jo", reason: "they rang" });
  taken(await place(one, { lines: [line("6", "5")] }));
});

test("a signed price does not stretch a contract", async () => {
  const one = await trade("STRETCH", {
    rules: [{ value: "7" }, { rule: "C", value: "5", contract: "C-1", contractQuantity: "10" }],
  });
  const sign = () => {
    const [answer] = one.pricing.price({ account: "A1", tokens: true, lines: plies("10") });
    return answer?.state === "problem" ? null : answer?.token;
  };
  const [first, second] = [sign(), sign()];
  taken(await place(one, { lines: [line("10", "5", { priceToken: first })] }));
  expect(await place(one, { lines: [line("10", "5", { priceToken: second })] })).toEqual([
    "contract-used-up",
  ]);
});

test("a quotation that is taken up, of another account or used up gives no price any more", async () => {
  const one = await trade("QUOTED", {
    rules: [{ value: "20" }],
    quotations: [{ quotation: "Q-1", account: "A1", state: "open", quotedOn: "2026-03-01" }],
    quoted: [{ quotation: "Q-1", line: 1, product: "PLY", quantity: "15", unitPrice: "6" }],
  });
  const quotation = "Q-1";
  expect(await basket(one, { quotation, lines: plies("10", "10") })).toEqual(["6.0000", "20.0000"]);
  expect(await basket(one, { quotation, account: "A2", lines: plies("1") })).toEqual([
    "unknown-quotation",
  ]);
  const asked = (account: string) => one.pricing.quotationProblem({ account, quotation });
  expect([await asked("A1"), (await asked("A2"))?.detail]).toEqual([
    null,
    'account A2 has no open quotation "Q-1"',
  ]);
  expect(await place(one, { quotation, lines: [line("10", "6"), line("10", "6")] })).toContain(
    "quotation-used-up",
  );
  taken(await place(one, { quotation, lines: [line("10", "6"), line("10", "20")] }));
  expect(await place(one, { quotation, lines: [line("1", "6")] })).toContain("quotation-ordered");
  expect((await asked("A1"))?.detail).toMatch(/^quotation Q-1 was taken up by web order W-.*once$/);
  expect(await basket(one, { quotation, lines: plies("1") })).toEqual(["unknown-quotation"]);
});

test("an order is dated of today or a little before, and unknown codes are answered", async () => {
  const one = await trade("DATED", { rules: [{}] });
  const dated = (orderedOn: string) => place(one, { orderedOn, lines: [line("1", "20")] });
  expect(await dated("1995-01-01")).toEqual(["ordered-long-ago"]);
  expect(await dated("2026-02-27")).toEqual(["ordered-long-ago"]);
  expect(await dated("2026-04-01")).toEqual(["ordered-in-future"]);
  for (const fine of ["2026-02-28", "2026-03-31"])
    expect(taken(await dated(fine)).orderedOn).toBe(fine);
  const order = { account: "A1", codes: ["NOSUCH"], lines: [line("1", "20")] };
  const { findings } = await one.orders.check(orderRequest.parse(order));
  expect(findings).toMatchObject([
    { code: "promotion-code-unknown", policy: "accept", found: "NOSUCH" },
  ]);
  expect(await place(one, { ...order, lines: [line("1", "18")] })).toEqual(["price-differs"]);
});

test("an order's lowered line says its price, what each promotion takes off, and what is left", async () => {
  const one = await trade("LOWERED", {
    rules: [{ value: "3.15" }],
    promotions: [
      {
        promotion: "BUD",
        name: "Budget",
        kind: "percent",
        value: "10",
        customerScope: "everyone",
        customerCode: "*",
        productScope: "product",
        productCode: "PLY",
        code: "BUD",
        budget: "0.59",
        validFrom: "2026-03-01",
        validTo: "2026-04-30",
      },
    ],
  });
  const order = { codes: ["BUD"], lines: [line("7", "3.15")] };
  const view = await one.orders.show(taken(await place(one, order)).webOrder);
  expect(view.lines).toMatchObject([
    {
      net: "21.46",
      price: {
        lowered: {
          unitPrice: "3.15",
          quantity: "7",
          unit: null,
          full: "22.05",
          promotions: [{ promotion: "BUD", amount: "0.59" }],
          net: "21.46",
        },
      },
    },
  ]);
});
