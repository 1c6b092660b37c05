/** Large price requests: the same answers from threads of their own, whatever happens meanwhile. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openBulkLane } from "../../src/http/bulk.ts";
import { LIMITS } from "../../src/http/limits.ts";
import { askPrices } from "../../src/http/price-routes.ts";
import { Problem } from "../../src/http/problem.ts";
import { Written } from "../../src/http/answering.ts";
import type { Reply } from "../../src/http/endpoint.ts";
import { NOW, useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

vi.stubEnv("TRADEPOST_SECRET_PRICE_TOKENS", "0123456789abcdef0123456789abcdef");
const api = useApi(["HARROW", "EMPTY"], {
  pricing: { tokens: { keys: [{ id: "2026", secret: "price_tokens" }] } },
});
const said: string[] = [];
const lane = openBulkLane({
  threads: 2,
  nowMs: () => NOW.epochMilliseconds,
  log: (level, message) => void said.push(`${level} ${message}`),
});

const company = (code = "HARROW") => api.tradepost.company(code);
const LINES = 9_000;
const PRODUCTS = ["CEM001", "BRK001", "CEM001", "NO-SUCH", "OLD001"];
const many = <Each>(of: (line: number) => Each) => Array.from({ length: LINES }, (_, at) => of(at));
const productOf = (line: number) => PRODUCTS[line % PRODUCTS.length] ?? "";
const columns = {
  account: "A001",
  product: many(productOf),
  quantity: many((line) => (line % 7 === 0 ? "2.5" : 1 + (line % 300))),
};
const rows = {
  account: "A001",
  lines: many((line) => ({ product: productOf(line), quantity: 1 + (line % 9) })).slice(0, 500),
};

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await (await company()).pricing.publish();
  lane.start();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await lane[Symbol.asyncDispose]();
});

/** What would go out, of a reply or a problem. */
async function outcome(work: Promise<Reply<unknown> | null>): Promise<unknown> {
  try {
    const reply = await work;
    if (reply === null) return null;
    const { body, headers } = reply;
    const content = body instanceof Written ? body.content : JSON.stringify(body);
    return { headers, text: Buffer.from(content).toString("utf8") };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.code, detail: error.message, faults: error.faults };
  }
}

const bytesOf = (body: unknown) => new Uint8Array(Buffer.from(JSON.stringify(body)));
const large = async (body: unknown, code?: string) =>
  outcome(lane.ask((await company(code)).pricing, bytesOf(body)));

/** The same by the route in this thread. */
async function direct(body: unknown): Promise<unknown> {
  const services = await company();
  const caller = { services } as unknown as Parameters<typeof askPrices.take>[1];
  const value: unknown = JSON.parse(JSON.stringify(body));
  return outcome(Promise.resolve().then(() => askPrices.take(value, caller, () => undefined)));
}

describe("a large request", () => {
  it.each([
    ["by columns", columns],
    ["by columns in a unit", { ...columns, unit: many(() => "EACH") }],
    ["by columns of a day", { ...columns, asOf: "2026-01-15", site: "S1" }],
    ["by columns with codes that are no ASCII", { ...columns, product: many(() => "½ BRICK") }],
    ["by rows", rows],
    ["by rows with tokens", { ...rows, tokens: true }],
    ["of nobody", { ...columns, account: "A999" }],
    ["of no site of the account", { ...columns, site: "S9" }],
    ["with one column too short", { ...columns, quantity: [1] }],
    ["with a wrong quantity", { ...columns, quantity: many((line) => (line === 8_000 ? 0 : 1)) }],
    ["with a word that there is not", { ...rows, lnies: [] }],
    ["of nothing that there is", { ...columns, product: many(() => "NO-SUCH") }],
  ])("%s is answered by threads as the route answers it", async (_, body) => {
    expect(await large(body)).toEqual(await direct(body));
  });

  it("that needs the database is left to the service's own thread", async () => {
    expect(await large({ ...rows, explain: true })).toBeNull();
    expect(await large({ ...rows, knownAt: "2026-03-31T08:00:00Z" })).toBeNull();
  });

  it("before the first book is told so", async () => {
    expect(await large(columns, "EMPTY")).toMatchObject({ code: "prices-not-ready" });
  });

  it("over HTTP has the answer that small ones have, line by line", async () => {
    const ask = (body: unknown) =>
      api.ask<{ unitPrice: unknown[]; problems: unknown[]; bookVersion: string }>(
        "POST",
        "/v1/prices",
        { body },
      );
    expect(JSON.stringify(columns).length).toBeGreaterThan(LIMITS.bulkBytes * 4);
    // The first one starts the threads, and is answered without them.
    const [first, second] = [await ask(columns), await ask(columns)];
    expect(second.body).toEqual(first.body);
    const few = {
      account: "A001",
      product: columns.product.slice(0, 5),
      quantity: columns.quantity.slice(0, 5),
    };
    const small = await ask(few);
    expect(second.body.unitPrice.slice(0, 5)).toEqual(small.body.unitPrice);
    expect(small.body.problems).toEqual(second.body.problems.slice(0, 1));
  });

  it("is of one book throughout, while others are published", async () => {
    const { pricing } = await company();
    const cement = { ...columns, product: many(() => "CEM001"), quantity: many(() => 1) };
    const seen = new Map<string, Set<number>>();
    const publishing = new AbortController();
    const asking = (async () => {
      while (!publishing.signal.aborted) {
        const { text } = (await large(cement)) as { text: string };
        const { bookVersion, unitPrice } = JSON.parse(text) as {
          bookVersion: string;
          unitPrice: number[];
        };
        seen.set(bookVersion, new Set([...(seen.get(bookVersion) ?? []), ...unitPrice]));
        expect(unitPrice).toHaveLength(LINES);
      }
    })();
    for (let price = 1; price <= 6; price += 1) {
      await api.tradepost.store.affect(
        "update price_rule set value = $1, row_hash = gen_random_uuid() where company = 'HARROW' and rule = 'TRD-CEM001'",
        [price],
      );
      await pricing.publish();
      await sleep(30);
    }
    publishing.abort();
    await asking;
    const prices = [...seen.values()].map((found) => [...found]);
    expect(prices.every((found) => found.length === 1)).toBe(true);
    expect(new Set(prices.flat()).size).toBe(prices.length);
    expect(prices.length).toBeGreaterThan(1);
  });

  it("is answered when its threads die, and others take their place", async () => {
    const expected = await direct(columns);
    const { pricing } = await company();
    const before = lane.threads;
    const asked = Array.from({ length: 6 }, () => lane.ask(pricing, bytesOf(columns)));
    await Promise.all(before.map((thread) => thread.terminate()));
    // What the dead ones had is given back to be answered here; what had come is right.
    for (const one of asked) expect([null, expected]).toContainEqual(await outcome(one));
    expect(said.at(-1)).toContain("another takes its place");
    expect(lane.threads).toHaveLength(2);
    expect(lane.threads.some((thread) => before.includes(thread))).toBe(false);
    expect(await large(columns)).toEqual(expected);
  });

  it("is answered here when threads cannot be had", async () => {
    await using none = openBulkLane({ threads: 0, nowMs: () => 0, log: () => undefined });
    none.start();
    expect(await outcome(none.ask((await company()).pricing, bytesOf(columns)))).toBeNull();
  });
});
