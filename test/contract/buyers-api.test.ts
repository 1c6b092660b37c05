/** The example shop and the PHP file against the real API; buyers whom the ERP does not know. */
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { useApi } from "../support/api.ts";
import { pull } from "../support/canonical-rows.ts";
import { pullMerchant } from "../support/merchant.ts";

process.env["TRADEPOST_SECRET_PRICE_TOKENS"] ??= "the example shop's tokens are signed with this";
const api = useApi(["HARROW"], {
  orders: { connection: "erp", guests: { account: "A001" } },
  pricing: { tokens: { keys: [{ id: "2026", secret: "price_tokens" }] } },
});
const EXAMPLES = join(import.meta.dirname, "../../deploy/examples");
const SHOP = join(EXAMPLES, "shop/shop.js");

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await pull(api.tradepost.store, "HARROW", "customer", [{ account: "A004", name: "Dale" }]);
  await (await api.tradepost.company("HARROW")).pricing.publish();
});

interface Kept {
  cursor: string;
  orders: Record<string, { body: unknown; state?: string; waits?: string }>;
}

interface Shop {
  readonly url: string;
  readonly child: ChildProcess;
}

describe("the example shop", () => {
  const folder = mkdtempSync(join(tmpdir(), "tradepost-shop-"));
  const file = join(folder, "orders.json");
  let shop: Shop;

  async function start(key?: string): Promise<Shop> {
    const env = {
      ...process.env,
      TRADEPOST_URL: api.url,
      TRADEPOST_KEY: key ?? (await api.keyWith({ scopes: ["prices", "orders"] })),
      SHOP_ACCOUNT: "A001",
      SHOP_PRODUCTS: "BRK001,CEM001,NOSUCH",
      SHOP_FILE: file,
      SHOP_PORT: "0",
    };
    const child = spawn(process.execPath, [SHOP], { env, stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(child.stdout, "data")) as [Buffer];
    return { child, url: /http:\S+/.exec(said.toString())?.[0] ?? "" };
  }

  async function stop({ child }: Shop): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill();
    await once(child, "exit");
  }

  const page = async (path: string, form?: Record<string, string>) => {
    const body = form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) };
    return (await fetch(`${shop.url}${path}`, body)).text();
  };

  beforeAll(async () => void (shop = await start()));
  afterAll(async () => {
    await stop(shop);
    rmSync(folder, { recursive: true });
  });

  test("is at most 100 lines of plain Node", () => {
    const text = readFileSync(SHOP, "utf8");
    expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(100);
    expect([...text.matchAll(/from "([^"]+)"/g)].map(([, from]) => from)).toEqual(
      expect.arrayContaining(["node:http"]),
    );
    expect(text.match(/from "(?!node:)/)).toBeNull();
  });

  test("shows the customer's prices, places an order at them, follows it, and links its invoice", async () => {
    const { body: asked } = await api.ask<{ lines: { unitPrice: string }[] }>(
      "POST",
      "/v1/prices",
      {
        body: { account: "A001", lines: [{ product: "CEM001", quantity: "25" }] },
      },
    );
    const front = await page("/?CEM001=25");
    expect(front).toContain(asked.lines[0]?.unitPrice);
    const sent = JSON.parse(unescaped(/name="lines" value="([^"]*)"/.exec(front)?.[1] ?? "")) as {
      product: string;
    }[];
    const cement = sent.filter(({ product }) => product === "CEM001");
    expect(cement).toEqual([
      {
        product: "CEM001",
        quantity: "25",
        unitPrice: expect.stringMatching(/^4\.80*$/),
        priceToken: expect.any(String),
      },
    ]);
    // A price per 1,000 says so.
    expect(front).toMatch(/<td>450\.0+ per 1,000/);
    const number = /href="\/([^"]+)"/.exec(await page("/", { lines: JSON.stringify(cement) }))?.[1];
    expect(number).toMatch(/^SHOP-/);
    await confirmAndInvoice(number ?? "");
    await until(async () => (await page("/")).includes("confirmed"));
    expect(await page(`/${number}`)).toContain(`href="/${number}/I77"`);
    expect(await page(`/${number}/I77`)).toContain("120.00");
  });

  test("sends an order whose answer was lost again with its key: it is taken once", async () => {
    await stop(shop);
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    for (const order of Object.values(kept.orders)) {
      delete order.state;
    }
    writeFileSync(file, JSON.stringify(kept));
    shop = await start();
    const now = () => Object.values((JSON.parse(readFileSync(file, "utf8")) as Kept).orders);
    await until(async () => now().every(({ state }) => state !== undefined));
    const orders = await (await api.tradepost.company("HARROW")).orders.list();
    expect(orders.map((order) => order.number)).toEqual(Object.keys(kept.orders));
  });

  test("finds its place in the feed again, and sends what a restored backup has forgotten", async () => {
    await stop(shop);
    const lines = [{ product: "CEM001", quantity: "3", unitPrice: "4.8" }];
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const known = Object.keys(kept.orders);
    // Taken after the backup that is in use now; one was cancelled since.
    for (const [number, state] of [
      ["SHOP-LOST", "queued"],
      ["SHOP-CANCELLED", "cancelled"],
    ] as const)
      kept.orders[number] = { body: { webOrder: number, account: "A001", lines }, state };
    kept.cursor = "999-0a1b2c3d";
    writeFileSync(file, JSON.stringify(kept));
    shop = await start();
    const company = await api.tradepost.company("HARROW");
    const numbers = async () => (await company.orders.list()).map((order) => order.number);
    await until(async () => (await numbers()).includes("SHOP-LOST"));
    await until(async () => {
      const now = JSON.parse(readFileSync(file, "utf8")) as Kept;
      return !now.cursor.startsWith("999") && now.cursor !== "0";
    });
    expect((await numbers()).toSorted()).toEqual([...known, "SHOP-LOST"].toSorted());
    const orders = () => (JSON.parse(readFileSync(file, "utf8")) as Kept).orders;
    for (const number of known)
      await until(
        async () => orders()[number]?.state === (await company.orders.show(number)).state,
      );
    expect(orders()["SHOP-CANCELLED"]?.state).toBe("cancelled");
  });

  test("sells what has a price beside what has none, and says what is wrong with a quantity or an order", async () => {
    const front = await page("/");
    expect(front).toContain("<td>ask");
    const lines = unescaped(/name="lines" value="([^"]*)"/.exec(front)?.[1] ?? "");
    const products = (JSON.parse(lines) as { product: string }[]).map(({ product }) => product);
    expect(products).toEqual(["BRK001", "CEM001"]);
    expect(await page("/?CEM001=abc")).toMatch(/quantity: found .*"abc"/);
    expect(await page("/SHOP-NONE")).toContain("SHOP-NONE");
  });

  test("shows its customer no other's order, and leads nobody into the API", async () => {
    const cement = { product: "CEM001", quantity: "6", unitPrice: "5.20" };
    const theirs = { webOrder: "THEIRS-1", account: "A004", lines: [cement] };
    const headers = { "idempotency-key": "theirs" };
    const taken = await api.ask("POST", "/v1/orders", { body: theirs, headers });
    expect(taken.status).toBe(201);
    for (const path of ["/THEIRS-1", "/theirs-1", "/THEIRS-1/I77", "/THEIRS-1%3Faccount=A004"]) {
      const said = await page(path);
      expect(said, path).not.toContain("31.2");
      expect(said, path).toContain("has none of the account");
    }
    // Neither up in the addresses, nor on to another query.
    for (const path of [
      "/..%2fprices",
      "/%2e%2e%2fcustomers",
      "/A%3F%23",
      "/%252e%252e%252fprices",
    ])
      expect(await page(path), path).toContain("has none of the account");
    // As kept for another login.
    await stop(shop);
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    kept.orders["THEIRS-1"] = { body: theirs, state: "queued" };
    writeFileSync(file, JSON.stringify(kept));
    shop = await start();
    expect(await page("/")).not.toContain("THEIRS-1");
  });

  test("answers an address that is none, and goes on", async () => {
    expect((await fetch(`${shop.url}/%ff`)).status).toBe(502);
    expect(await page("/")).toContain("CEM001");
  });

  test("keeps an order that a bad key could not send, says why, and sends it with a good one", async () => {
    await stop(shop);
    const lines = [{ product: "CEM001", quantity: "4", unitPrice: "4.8" }];
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const body = { webOrder: "SHOP-ROTATED", account: "A001", lines };
    kept.orders["SHOP-ROTATED"] = { body };
    writeFileSync(file, JSON.stringify(kept));
    const mine = () => (JSON.parse(readFileSync(file, "utf8")) as Kept).orders["SHOP-ROTATED"];
    shop = await start("tp_live_mistyped");
    await until(async () => mine()?.waits?.includes("not known") === true);
    expect(mine()?.state).toBeUndefined();
    await stop(shop);
    shop = await start();
    await until(async () => mine()?.state !== undefined);
    expect(mine()?.state).not.toContain("refused");
  });

  /** The ERP takes it as agreed, and invoices it. */
  async function confirmAndInvoice(webOrder: string): Promise<void> {
    const { store } = api.tradepost;
    const company = await api.tradepost.company("HARROW");
    const amounts = { net: "120.00", vat: "24.00" };
    await pull(store, "HARROW", "erp-order", [
      { erpOrder: "SO77", account: "A001", orderedOn: "2026-03-31", webOrder, ...amounts },
    ]);
    await pull(store, "HARROW", "sales-document", [
      {
        documentType: "invoice",
        document: "I77",
        account: "A001",
        documentOn: "2026-03-31",
        erpOrder: "SO77",
        webOrder,
        ...amounts,
        gross: "144.00",
      },
    ]);
    await pull(store, "HARROW", "sales-line", [
      {
        documentType: "invoice",
        document: "I77",
        line: 1,
        product: "CEM001",
        quantity: "25",
        unitPrice: "4.8",
        erpOrder: "SO77",
        ...amounts,
      },
    ]);
    await company.orders.advance();
    await company.sales.post();
  }
});

function unescaped(html: string): string {
  return html.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await holds()) return;
    await sleep(50);
  }
  throw new Error("it did not come to hold within 30 seconds");
}

interface OpenApi {
  readonly paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
}

describe("the PHP file", () => {
  const file = join(EXAMPLES, "order.php");
  const text = readFileSync(file, "utf8");

  test("asks the addresses that OpenAPI has, with its headers and its fields", async () => {
    const { paths } = (await api.ask("GET", "/v1/openapi.json")).body as OpenApi;
    const asked = [...text.matchAll(/ask\('(\w+)', ['"]([^'"]+)['"](.*)/g)].map(
      ([, method = "", path = "", rest = ""]) => ({
        operation:
          paths[path.replace("$number", "{number}").replace(/\?.*/, "")]?.[method.toLowerCase()],
        path,
        headers: [...rest.matchAll(/"([\w-]+): /g)].map(([, name]) => name),
        query: [...path.matchAll(/[?&](\w+)=/g)].map(([, name]) => name),
      }),
    );
    expect(asked.map(({ path }) => path)).toEqual([
      "/v1/orders",
      "/v1/orders/check",
      "/v1/orders/$number?account=$account",
    ]);
    for (const { operation, headers, query } of asked) {
      expect(operation).toBeDefined();
      const known = (operation?.parameters ?? []).map(({ name }) => name);
      expect(known).toEqual(expect.arrayContaining([...headers, ...query]));
    }
    expect(asked[0]?.headers).toEqual(["Idempotency-Key"]);
    expect(text).toContain("'Authorization: Bearer '");
    const openapi = JSON.stringify(paths) + readFileSync("src/http/openapi.json", "utf8");
    const fields = [...text.matchAll(/\['?(\w+)'?\]|'(\w+)' =>/g)].map(([, a, b]) => a ?? b ?? "");
    expect(fields.filter((field) => !openapi.includes(`"${field}"`))).toEqual([]);
  });

  test("is PHP, as far as this machine can tell", () => {
    const { error, status, stdout, stderr } = spawnSync("php", ["-l", file], { encoding: "utf8" });
    if (error !== undefined) {
      console.warn(`NOT CHECKED: there is no php here, so ${file} was not parsed by PHP.`);
      // What can be told without it: every bracket is closed.
      for (const [open, close] of ["()", "[]", "{}"])
        expect(text.split(open ?? "").length).toBe(text.split(close ?? "").length);
      return;
    }
    expect([status, stdout, stderr]).toEqual([0, expect.stringContaining("No syntax errors"), ""]);
  });
});

describe("buyers whom the ERP does not know, over HTTP", () => {
  const request = {
    tradingName: "Quayle Roofing",
    address: { address1: "7 Orrery Row", postcode: "YO1 7AA" },
    contact: { name: "Mina Quayle", email: "mina@quayle.example" },
  };
  const keyed = (key: string) => ({ headers: { "idempotency-key": key } });

  test("a request for an account is taken once, followed by the shop, and decided by a person alone", async () => {
    const asked = await api.ask<{ number: string; id: string }>("POST", "/v1/account-requests", {
      ...keyed("ar-1"),
      body: request,
    });
    expect(asked).toMatchObject({ status: 201, body: { state: "held", test: false } });
    const { number, id } = asked.body;
    const again = await api.ask("POST", "/v1/account-requests", {
      ...keyed("ar-1"),
      body: request,
    });
    expect([again.status, again.body]).toEqual([201, asked.body]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = { ...request, tradingName: "Other" };
    expect(
      await api.ask("POST", "/v1/account-requests", { ...keyed("ar-1"), body: other }),
    ).toMatchObject({ status: 422, body: { code: "idempotency-key-reused" } });
    const taken = await api.ask("POST", "/v1/orders", {
      ...keyed("ar-order"),
      body: {
        accountRequest: id,
        lines: [{ product: "CEM001", quantity: "2", unitPrice: "4.80" }],
      },
    });
    expect(taken).toMatchObject({ status: 202, body: { account: number, state: "held" } });
    expect(await api.ask("GET", `/v1/account-requests/${number}`)).toMatchObject({
      body: { state: "held", orders: [{ state: "held" }] },
    });
    const decision = { who: "J Ross", why: "no references" };
    const others = await api.keyWith({ scopes: ["prices", "orders", "sync"] });
    const key = await api.keyWith({ scopes: ["desk"] });
    const refuse = `/v1/account-requests/${number}/refuse`;
    expect(await api.ask("POST", refuse, { body: decision, key: others })).toMatchObject({
      status: 403,
    });
    expect(await api.ask("GET", "/v1/account-requests", { key })).toMatchObject({
      body: { requests: [{ number, tradingName: "Quayle Roofing", orders: 1 }] },
    });
    expect(await api.ask("GET", `/v1/account-requests/${number}/file`, { key })).toMatchObject({
      body: { body: { contact: { name: "Mina Quayle" } } },
    });
    expect(await api.ask("POST", refuse, { body: decision, key })).toMatchObject({
      status: 200,
      body: { state: "refused", orders: [{ state: "refused" }] },
    });
    expect(await api.ask("POST", refuse, { body: decision })).toMatchObject({
      status: 409,
      body: { code: "account-request-settled" },
    });
  });

  test("a return is taken once, is no more than was sold, and is decided by a person", async () => {
    const body = {
      account: "A001",
      invoice: "1001",
      lines: [{ line: 1, quantity: "3" }],
      reason: "split bags",
      wanted: "credit",
    };
    const asked = await api.ask<{ number: string }>("POST", "/v1/returns", {
      ...keyed("r-1"),
      body,
    });
    expect(asked).toMatchObject({ status: 201, body: { state: "asked", amount: "17.28" } });
    const more = { ...body, lines: [{ line: 1, quantity: "30" }] };
    expect(await api.ask("POST", "/v1/returns", { ...keyed("r-2"), body: more })).toMatchObject({
      status: 422,
      body: { code: "return-too-much", errors: [{ pointer: "/lines/0/quantity", found: "30" }] },
    });
    const { number } = asked.body;
    expect(await api.ask("GET", `/v1/returns/${number}`)).toMatchObject({ body: { number } });
    expect(await api.ask("GET", "/v1/returns?account=A001")).toMatchObject({
      body: { returns: [{ number }] },
    });
    const decision = { who: "J Ross", why: "bags were split" };
    const agree = `/v1/returns/${number}/agree`;
    const others = await api.keyWith({ scopes: ["orders", "sync"] });
    expect(await api.ask("POST", agree, { body: decision, key: others })).toMatchObject({
      status: 403,
    });
    const key = await api.keyWith({ scopes: ["desk"] });
    expect(await api.ask("POST", agree, { body: decision, key })).toMatchObject({
      body: { state: "agreed", decidedBy: expect.stringContaining("J Ross") },
    });
    const act = (word: string, more: object) =>
      api.ask("POST", `/v1/returns/${number}/${word}`, { body: { ...decision, ...more }, key });
    expect(await act("replaced", { by: "D1" })).toMatchObject({
      status: 409,
      body: { code: "return-settled" },
    });
    expect(await act("entered", { erpReturn: "R-7" })).toMatchObject({
      body: { state: "agreed", erp: "placed", erpReturn: "R-7" },
    });
  });

  test("a return to be replaced ends over the API with the number that brings other goods", async () => {
    const body = {
      account: "A001",
      invoice: "1001",
      lines: [{ line: 1, quantity: "1" }],
      reason: "wet",
      wanted: "replace",
    };
    const asked = await api.ask<{ number: string }>("POST", "/v1/returns", {
      ...keyed("r-3"),
      body,
    });
    const { number } = asked.body;
    const key = await api.keyWith({ scopes: ["desk"] });
    const act = (word: string, more: object = {}) =>
      api.ask("POST", `/v1/returns/${number}/${word}`, {
        body: { who: "J Ross", why: "it was wet", ...more },
        key,
      });
    await act("agree");
    await act("entered", { erpReturn: "R-8" });
    expect(await act("replaced", { by: "D-2042" })).toMatchObject({
      status: 422,
      body: { code: "replacement-unknown" },
    });
    expect(await act("replaced", { by: "D-2042", seenThere: true })).toMatchObject({
      status: 200,
      body: { state: "replaced", replacedBy: "D-2042" },
    });
  });

  test("all that is kept of orders is given out a page at a time, to the desk alone", async () => {
    const key = await api.keyWith({ scopes: ["desk"] });
    interface Page {
      readonly orders: readonly { readonly webOrder: string; readonly events: unknown[] }[];
      readonly next: string | null;
    }
    const seen: string[] = [];
    let after = "";
    do {
      const { status, body } = await api.ask<Page>("GET", `/v1/orders?limit=1${after}`, { key });
      expect(status).toBe(200);
      for (const { webOrder, events } of body.orders) {
        expect(events.length).toBeGreaterThan(0);
        seen.push(webOrder);
      }
      after = body.next === null ? "" : `&after=${body.next}`;
    } while (after !== "");
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen).size).toBe(seen.length);
    expect(await api.ask("GET", "/v1/orders?from=2026-02-01&to=2026-01-01", { key })).toMatchObject(
      { status: 400 },
    );
    const shop = await api.keyWith({ scopes: ["orders", "shop"] });
    expect((await api.ask("GET", "/v1/orders", { key: shop })).status).toBe(403);
  });
});
