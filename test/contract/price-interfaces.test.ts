/** How shops ask for prices: one that may be kept, lists that stream, changes, signed prices. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

vi.stubEnv("TRADEPOST_SECRET_PRICE_TOKENS", "0123456789abcdef0123456789abcdef");
const api = useApi(["HARROW", "EMPTY"], {
  pricing: { tokens: { keys: [{ id: "2026", secret: "price_tokens" }] } },
});

afterAll(() => {
  vi.unstubAllEnvs();
});
beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  await (await api.tradepost.company("HARROW")).pricing.publish();
});

const get = <Body = Record<string, unknown>>(
  address: string,
  headers: Record<string, string> = {},
) => api.ask<Body>("GET", address, { headers });

const post = <Body = Record<string, unknown>>(body: unknown) =>
  api.ask<Body>("POST", "/v1/prices", { body });

const ONE = "/v1/prices?account=A001&product=CEM001&quantity=10";
const LIST = "/v1/customers/A001/prices";

interface Row {
  readonly product: string;
  readonly fromQuantity: string;
  readonly unitPrice: string | null;
}

describe("one price", () => {
  it("is answered as a line of a request for several is", async () => {
    const alone = await get(ONE);
    const lines = [{ product: "CEM001", quantity: "10" }];
    const { body } = await post<{ lines: unknown[] }>({ account: "A001", lines });
    expect(alone.body).toEqual(body.lines[0]);
  });

  it("may be kept privately for a minute at most, and answers 304 while it is the same", async () => {
    const first = await get(ONE);
    expect(first.headers.get("cache-control")).toBe("private, max-age=60, must-revalidate");
    expect(first.headers.get("vary")).toBe("authorization, accept");
    const etag = first.headers.get("etag") ?? "";
    const same = await get(ONE, { "if-none-match": etag });
    expect([same.status, same.body, same.headers.get("etag")]).toEqual([304, null, etag]);
    const other = await get(ONE.replace("A001", "A002"), { "if-none-match": etag });
    expect([other.status, other.headers.get("etag") === etag]).toEqual([200, false]);
  });

  it("is never kept past the moment at which it may change", async () => {
    const { store } = api.tradepost;
    await store.affect(
      `insert into price_rule (company, rule, customer_scope, customer_code, product_scope,
         product_code, kind, value, currency, from_quantity, net, ends_at, feed, row_hash,
         origin_id, origin_line, run_id, learned_at)
       select company, 'ENDS', 'account', 'A001', 'product', 'CEM001', 'fixed', price, 'GBP',
         least_quantity, true, '2026-03-31T09:00:20Z', feed, gen_random_uuid(), origin_id, 999,
         run_id, learned_at
         from (values (0, 1.00), (50, 0.90)) as breaks(least_quantity, price)
        cross join (select * from price_rule where company = 'HARROW' limit 1) one`,
      [],
    );
    await (await api.tradepost.company("HARROW")).pricing.publish();
    const { headers, body } = await get(ONE);
    expect(body).toMatchObject({ unitPrice: "1.0000", validUntil: "2026-03-31T09:00:20Z" });
    expect(headers.get("cache-control")).toBe("private, max-age=20, must-revalidate");
    const rows = await post({ account: "A001", lines: [{ product: "CEM001", quantity: 1 }] });
    expect(rows.headers.get("cache-control")).toBe("private, max-age=20, must-revalidate");
    const columns = await post({ account: "A001", product: ["CEM001"], quantity: [1] });
    expect(columns.headers.get("cache-control")).toBe("private, max-age=20, must-revalidate");
    const list = await get(LIST);
    expect(list.headers.get("cache-control")).toBe("private, max-age=20, must-revalidate");
  });

  it("is of the moment asked for, to the second", async () => {
    const at = async (asOf: string) =>
      (await get<{ unitPrice: string }>(`${ONE}&asOf=${asOf}`)).body.unitPrice;
    expect(await at("2026-03-31T09:00:19Z")).toBe("1.0000");
    expect(await at("2026-03-31T09:00:20Z")).toBe("4.8000");
    expect(await at("2026-04-01")).toBe("4.8000");
  });

  it("is of what was known at a moment, when that is asked", async () => {
    await api.tradepost.store.affect(
      "update price_rule set learned_at = '2026-03-31T08:30:00Z' where company = 'HARROW' and rule = 'ENDS'",
      [],
    );
    const then = await get(`${ONE}&knownAt=2026-03-31T08:15:00Z`);
    expect(then.body["unitPrice"]).toBe("4.8000");
    expect((await get(`${ONE}&knownAt=2026-03-31T08:45:00Z`)).body["unitPrice"]).toBe("1.0000");
    const asked = { account: "A001", knownAt: "2026-03-31T08:15:00Z" };
    const lines = [{ product: "CEM001", quantity: "10" }];
    const { body } = await post<{ lines: unknown[] }>({ ...asked, lines, explain: true });
    expect(body.lines[0]).toMatchObject(then.body);
  });

  it("by columns is of now, and says that what was known is for rows", async () => {
    const columns = { account: "A001", product: ["CEM001"], quantity: [1] };
    const { status, body } = await post({ ...columns, knownAt: "2026-03-31T08:15:00Z" });
    expect({ status, errors: body["errors"] }).toMatchInlineSnapshot(`
      {
        "errors": [
          {
            "expected": "null: what was known at a moment is answered for \`lines\`",
            "found": "the text "2026-03-31T08:15:00Z"",
            "in": "body",
            "pointer": "/knownAt",
          },
        ],
        "status": 400,
      }
    `);
  });

  it("says what is wrong with a currency or unit that there is not", async () => {
    expect((await get(`${ONE}&currency=XXX`)).body).toMatchObject({
      code: "request-invalid",
      errors: [{ in: "query", pointer: "/currency", found: "XXX" }],
    });
    const { status, body } = await get(`${ONE}&unit=FATHOM`);
    expect({ status, detail: body["detail"] }).toMatchInlineSnapshot(`
      {
        "detail": "Pricing: no product is sold or priced in the unit "FATHOM".",
        "status": 404,
      }
    `);
  });
});

describe("a customer's price list", () => {
  it("streams as lines of JSON with every break, each as asking for it alone is answered", async () => {
    const { headers, body } = await get<Row[]>(LIST);
    expect(headers.get("content-type")).toBe("application/x-ndjson");
    expect(body.filter(({ product }) => product === "CEM001")).toMatchObject([
      { fromQuantity: "0", unitPrice: "1.0000" },
      { fromQuantity: "50", unitPrice: "0.9000" },
    ]);
    const codes = body.map(({ product }) => product);
    expect(codes).toEqual(codes.toSorted());
    for (const { product, fromQuantity, unitPrice } of body) {
      const quantity = fromQuantity === "0" ? "0.00001" : fromQuantity;
      const alone = await get(`/v1/prices?account=A001&product=${product}&quantity=${quantity}`);
      expect([product, fromQuantity, alone.body["unitPrice"]]).toEqual([
        product,
        fromQuantity,
        unitPrice,
      ]);
    }
  });

  it("is a CSV file with the same rows when that is asked for", async () => {
    const lines = (await get<Row[]>(LIST)).body;
    for (const csv of [
      await get<string>(LIST, { accept: "text/csv" }),
      await get<string>(`${LIST}?format=csv`),
    ]) {
      expect(csv.headers.get("content-type")).toBe("text/csv");
      const [head, ...rows] = csv.body.trimEnd().split("\r\n");
      expect(head).toBe(
        "product,fromQuantity,sellingUnit,state,stateReason,unitPrice,pricingUnit,currency,vatCode,validUntil,because",
      );
      expect(rows.map((each) => each.split(",").slice(0, 2))).toEqual(
        lines.map(({ product, fromQuantity }) => [product, fromQuantity]),
      );
    }
  });

  it("goes on after a product while it is of the same book, and says so when it is not", async () => {
    const whole = await get<Row[]>(LIST);
    const etag = whole.headers.get("etag") ?? "";
    const from = whole.body[0]?.product ?? "";
    const rest = await get<Row[]>(`${LIST}?after=${from}`, { "if-match": etag });
    expect(rest.body).toEqual(whole.body.filter(({ product }) => product > from));
    const stale = await get(`${LIST}?after=${from}`, { "if-match": '"another"' });
    expect([stale.status, stale.body["code"]]).toEqual([412, "price-list-changed"]);
    const same = await get(LIST, { "if-none-match": etag });
    expect([same.status, same.body]).toEqual([304, []]);
  });

  it("refuses an account that is not there and a format that it has not", async () => {
    const nobody = await get("/v1/customers/A009/prices");
    expect([nobody.status, nobody.body["code"]]).toEqual([404, "account-unknown"]);
    const xml = await get(LIST, { accept: "application/xml" });
    expect([xml.status, xml.body["code"]]).toEqual([406, "not-acceptable"]);
  });
});

describe("price changes over HTTP", () => {
  it("begin at a cursor, and a cursor that is none is a problem that says what to do", async () => {
    const { body } = await get<{ next: string }>("/v1/price-changes");
    expect(body).toEqual({ entries: [], next: expect.any(String) as string, more: false });
    expect((await get(`/v1/price-changes?after=${body.next}`)).body).toEqual(body);
    const none = await get("/v1/price-changes?after=none");
    expect([none.status, none.body["code"]]).toEqual([404, "cursor-unknown"]);
  });
});

describe("a signed price", () => {
  const asked = {
    account: "A001",
    tokens: true,
    lines: [
      { product: "CEM001", quantity: "10" },
      { product: "NONE", quantity: "1" },
    ],
  };

  it("comes with the answer, and an order that presents it is told that it holds", async () => {
    const { body } = await post<{ lines: { token?: string }[] }>(asked);
    const token = body.lines[0]?.token ?? "";
    expect(body.lines[1]).not.toHaveProperty("token");
    const { pricing } = await api.tradepost.company("HARROW");
    const presented = { account: "A001", product: "CEM001", quantity: "10" };
    expect(pricing.verifyToken(token, presented)).toMatchObject({
      fine: true,
      claims: { unitPrice: "1.0000", validUntil: "2026-03-31T09:00:20Z" },
    });
    expect(api.logged.join()).not.toContain(token);
  });

  it("holds for every quantity of its break, and for none of another", async () => {
    const { body } = await post<{ lines: { token?: string }[] }>(asked);
    const token = body.lines[0]?.token ?? "";
    const { pricing } = await api.tradepost.company("HARROW");
    const verdictOf = (quantity: string) => {
      const verdict = pricing.verifyToken(token, { account: "A001", product: "CEM001", quantity });
      return verdict.fine ? "fine" : verdict.code;
    };
    expect(["1", "10", "49.99999"].map(verdictOf)).toEqual(["fine", "fine", "fine"]);
    expect(["50", "1000"].map(verdictOf)).toEqual(["token-other-quantity", "token-other-quantity"]);
  });

  it("is refused as a whole where no key is set up", async () => {
    const key = await api.keyWith({ company: "EMPTY" });
    const { status, body } = await api.ask<{ code: string }>("POST", "/v1/prices", {
      key,
      body: asked,
    });
    expect([status, body.code]).toEqual([409, "tokens-not-set-up"]);
  });
});

describe("the README's storefront call", () => {
  it("shows a price as it stands there, and says what is not known", async () => {
    const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
    const code = /```js\n(const answer = await fetch[^]*?)```/.exec(readme)?.[1] ?? "";
    const here = code
      .replace("http://127.0.0.1:4600", api.url)
      .replace("ANDR0001", "A001")
      .replace("DRYPLS220039", "CEM001");
    const env = { ...process.env, TRADEPOST_KEY: await api.keyWith({ scopes: ["prices"] }) };
    const run = async (script: string) =>
      promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { env });
    const { stdout } = await run(here);
    expect((await run(here.replace("CEM001", "NOPE"))).stdout).toMatch(
      /^5 × NOPE: ask us\. there is no product "NOPE"/,
    );
    expect(stdout).toBe("5 × CEM001: £1.0000 per EACH, £5.00 net (modelled)\n");
  });
});
