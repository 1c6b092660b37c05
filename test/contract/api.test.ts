import { beforeAll, describe, expect, it } from "vitest";
import { useApi } from "../support/api.ts";
import { pullMerchant } from "../support/merchant.ts";

const api = useApi(["HARROW", "EMPTY"]);

beforeAll(async () => {
  await pullMerchant(api.tradepost.store, "HARROW");
  const company = await api.tradepost.company("HARROW");
  await company.pricing.publish();
  await company.sales.post();
  await company.incentives.run({ plan: "flat", from: "2026-03", to: "2026-03" });
});

const post = <Body = Record<string, unknown>>(
  address: string,
  body: unknown,
  headers: Record<string, string> = {},
) => api.ask<Body>("POST", address, { body, headers });

const get = <Body = Record<string, unknown>>(address: string) => api.ask<Body>("GET", address);

/** A problem without what differs from run to run. */
function stable(body: Record<string, unknown>): Record<string, unknown> {
  const { requestId, type, ...rest } = body;
  expect(requestId).toBeTypeOf("string");
  expect(type).toBe(`urn:tradepost:problem:${String(rest["code"])}`);
  return rest;
}

/** Without identities and book versions, which are made anew in every run. */
function lasting(body: unknown): unknown {
  const text = JSON.stringify(body)
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, "(id)")
    .replaceAll(/"bookVersion":"\d+-[0-9a-f]{8}"/g, '"bookVersion":"(version)"');
  return JSON.parse(text) as unknown;
}

describe("prices", () => {
  const lines = [
    { product: "CEM001", quantity: "10" },
    { product: "BRK001", quantity: 250 },
    { product: "NONE", quantity: "1" },
  ];

  it("are answered by rows as texts, a line that cannot be priced among them", async () => {
    const { body } = await post<{ lines: unknown[] }>("/v1/prices", { account: "A001", lines });
    expect(lasting(body.lines)).toMatchInlineSnapshot(`
      [
        {
          "because": "List price (TRADE)",
          "bookVersion": "(version)",
          "currency": "GBP",
          "freshness": null,
          "net": "48.00",
          "pricingUnit": "EACH",
          "product": "CEM001",
          "quantity": "10",
          "state": "modelled",
          "stateReason": null,
          "unitPrice": "4.8000",
          "validUntil": null,
          "vat": "9.60",
          "vatCode": "STANDARD",
          "vatPercent": "20",
        },
        {
          "because": "Standard price",
          "bookVersion": "(version)",
          "currency": "GBP",
          "freshness": null,
          "net": "112.50",
          "pricingUnit": "1000",
          "product": "BRK001",
          "quantity": "250",
          "state": "modelled",
          "stateReason": null,
          "unitPrice": "450.0000",
          "validUntil": null,
          "vat": "22.50",
          "vatCode": "STANDARD",
          "vatPercent": "20",
        },
        {
          "code": "unknown-product",
          "detail": "there is no product "NONE"; products come from the ERP, and their codes are compared exactly",
          "product": "NONE",
          "quantity": "1",
          "state": "problem",
        },
      ]
    `);
  });

  it("are answered by columns as the same figures in integers", async () => {
    const { body } = await post("/v1/prices", {
      account: "A001",
      product: lines.map(({ product }) => product),
      quantity: lines.map(({ quantity }) => quantity),
    });
    expect(lasting(body)).toMatchInlineSnapshot(`
      {
        "account": "A001",
        "bookVersion": "(version)",
        "currency": "GBP",
        "freshness": null,
        "net": [
          4800,
          11250,
          null,
        ],
        "problems": [
          {
            "code": "unknown-product",
            "detail": "there is no product "NONE"; products come from the ERP, and their codes are compared exactly",
            "line": 2,
          },
        ],
        "scale": {
          "net": 2,
          "unitPrice": 4,
          "vat": 2,
        },
        "state": [
          "modelled",
          "modelled",
          "problem",
        ],
        "unitPrice": [
          48000,
          4500000,
          null,
        ],
        "validUntil": [
          null,
          null,
          null,
        ],
        "vat": [
          960,
          2250,
          null,
        ],
        "vatCode": [
          "STANDARD",
          "STANDARD",
          null,
        ],
      }
    `);
  });

  it("come with every candidate and its row when asked to explain", async () => {
    const { body } = await post<{ lines: { explanation: object }[] }>("/v1/prices", {
      account: "A001",
      explain: true,
      lines: lines.slice(0, 1),
    });
    const alone = await get<{ explanation: object }>(
      "/v1/prices/explain?account=A001&product=CEM001&quantity=10",
    );
    expect(body.lines[0]).toEqual(alone.body);
    // In which words is pricing's to say.
    expect(alone.body.explanation).toMatchObject({
      candidates: expect.arrayContaining([
        expect.objectContaining({
          taken: true,
          unitPrice: "4.8000",
          entry: expect.objectContaining({ customerCode: "TRADE" }) as object,
          rows: [expect.objectContaining({ line: 3 })],
        }),
      ]) as unknown[],
    });
  });

  it.each([
    ["account", { account: "A009" }],
    ["site", { account: "A001", site: "S9" }],
    ["branch", { account: "A001", branch: "B9" }],
    ["quotation", { account: "A001", quotation: "Q9" }],
  ])("are a problem as a whole when the %s is not known", async (what, asker) => {
    const { status, body } = await post("/v1/prices", { ...asker, lines });
    expect({ status, code: body["code"] }).toEqual({ status: 404, code: `${what}-unknown` });
    const columns = await post("/v1/prices", { ...asker, product: ["CEM001"], quantity: [1] });
    expect(stable(columns.body)).toEqual(stable(body));
    expect(body).toMatchSnapshot({ requestId: expect.any(String) as string });
  });

  it("of an unknown product cannot be explained", async () => {
    const { body } = await get("/v1/prices/explain?account=A001&product=CEM01&quantity=1");
    expect(stable(body)).toMatchInlineSnapshot(`
      {
        "code": "product-unknown",
        "detail": "Pricing: there is no product "CEM01"; products come from the ERP, and their codes are compared exactly.",
        "errors": [
          {
            "expected": "a product of the ERP, its code compared exactly",
            "found": "CEM01",
            "in": "query",
            "pointer": "/product",
          },
        ],
        "status": 404,
        "title": "The product is not known",
      }
    `);
  });

  it("of a request that is wrong say everything that is wrong, as the form that was meant", async () => {
    const rows = await post("/v1/prices", { account: "A001", lines: [{ product: "", qty: 1 }] });
    expect(stable(rows.body)).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 3 errors. First: body /lines/0/product: found the text "", expected at least 1 character.",
        "errors": [
          {
            "expected": "at least 1 character",
            "found": "the text """,
            "in": "body",
            "pointer": "/lines/0/product",
          },
          {
            "expected": "text or a number",
            "found": "nothing",
            "in": "body",
            "pointer": "/lines/0/quantity",
          },
          {
            "expected": "one of product, quantity, unit",
            "found": "the key "qty"",
            "in": "body",
            "pointer": "/lines/0/qty",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
      }
    `);
    const columns = await post("/v1/prices", { account: "A001", product: ["A"], quantity: [] });
    expect(stable(columns.body)).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 2 errors. First: body /quantity: found a list of 0, expected at least 1 list item.",
        "errors": [
          {
            "expected": "at least 1 list item",
            "found": "a list of 0",
            "in": "body",
            "pointer": "/quantity",
          },
          {
            "expected": "as many quantities as products: 1",
            "found": "a list of 0",
            "in": "body",
            "pointer": "/quantity",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
      }
    `);
  });

  it("are not there before the first book, and that passes", async () => {
    const key = await api.keyWith({ company: "EMPTY" });
    const { status, headers, body } = await api.ask<Record<string, unknown>>("POST", "/v1/prices", {
      key,
      body: { account: "A001", lines },
    });
    expect({ status, retry: headers.get("retry-after") }).toEqual({ status: 503, retry: "5" });
    expect(stable(body)).toMatchInlineSnapshot(`
      {
        "code": "prices-not-ready",
        "detail": "Pricing for EMPTY: no price book has been published yet. Pull its customers, products and prices first; the book is published by itself after the run.",
        "status": 503,
        "title": "There is no price book yet",
      }
    `);
    expect((await get("/readyz")).body["code"]).toBe("not-ready");
  });
});

describe("an order", () => {
  const order = {
    account: "A001",
    customerReference: "PO 77",
    lines: [{ product: "CEM001", quantity: "10", unitPrice: "4.80" }],
  };

  it("are all taken when forty come at once, more than the database has connections for", async () => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        post(
          "/v1/orders",
          { ...order, webOrder: `W-AT-ONCE-${index}` },
          { "idempotency-key": `at-once-${index}` },
        ),
      ),
    );
    expect(answers.filter(({ status }) => status !== 201 && status !== 202)).toEqual([]);
  });

  it("are refused with half of a character or a number that cannot name a file", async () => {
    const bad = async (change: object, key: string) => {
      const { status, body } = await post<{ errors: { pointer: string }[] }>(
        "/v1/orders",
        { ...order, ...change },
        { "idempotency-key": key },
      );
      return [status, body.errors[0]?.pointer];
    };
    expect(await bad({ customerReference: "half \ud800" }, "bad-1")).toEqual([
      400,
      "/customerReference",
    ]);
    expect(await bad({ webOrder: "W-9-lines" }, "bad-2")).toEqual([400, "/webOrder"]);
    expect(await bad({ webOrder: "CON" }, "bad-3")).toEqual([400, "/webOrder"]);
  });

  it("is taken once: the same key and body give the same answer again", async () => {
    const key = { "idempotency-key": "first-1" };
    const first = await post("/v1/orders", { ...order, webOrder: "W-1" }, key);
    expect(first.status).toBe(201);
    expect(first.headers.get("location")).toBe("/v1/orders/W-1");
    expect(first.body).toMatchObject({
      webOrder: "W-1",
      net: "48.00",
      vat: "9.60",
      gross: "57.60",
    });
    const again = await post("/v1/orders", { ...order, webOrder: "W-1" }, key);
    expect({ status: again.status, body: again.body }).toEqual({ status: 201, body: first.body });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("with a used key and another body is not taken", async () => {
    const key = { "idempotency-key": "second-1" };
    expect((await post("/v1/orders", order, key)).status).toBe(201);
    const other = await post("/v1/orders", { ...order, customerReference: "PO 78" }, key);
    expect(stable(other.body)).toMatchInlineSnapshot(`
      {
        "code": "idempotency-key-reused",
        "detail": "Key "second-1" was used with another body. Make a new key for every new order.",
        "status": 422,
        "title": "The Idempotency-Key was used for another request",
      }
    `);
  });

  it("with a number that was used is not taken", async () => {
    await post("/v1/orders", { ...order, webOrder: "W-2" }, { "idempotency-key": "third-1" });
    const other = await post(
      "/v1/orders",
      { ...order, webOrder: "W-2" },
      { "idempotency-key": "third-2" },
    );
    expect(stable(other.body)).toMatchInlineSnapshot(`
      {
        "code": "web-order-number-taken",
        "detail": "Web order W-2 exists already; a number is used once for ever. To repeat a request, send it with the Idempotency-Key of the first time.",
        "status": 422,
        "title": "The order number was used before",
      }
    `);
  });

  it("is refused with every reason and its place, and the refusal is kept with its key", async () => {
    const refused = {
      ...order,
      account: "A002",
      lines: [
        { product: "CEM001", quantity: "1", unitPrice: "4.80" },
        { product: "OLD001", quantity: "1", unitPrice: "1.00" },
      ],
    };
    const key = { "idempotency-key": "fourth-1" };
    const first = await post("/v1/orders", refused, key);
    const { errors, ...problem } = first.body as Record<string, unknown> & { errors: object[] };
    expect(problem).toMatchObject({ status: 422, code: "order-refused" });
    expect(errors).toMatchObject([
      { code: "account-on-stop", pointer: "/account" },
      { code: "quantity-below-least", pointer: "/lines/0/quantity", found: "1" },
      { code: "product-not-active", pointer: "/lines/1/product", found: "OLD001" },
      { code: "price-differs", pointer: "/lines/0/unitPrice", found: "4.80", expected: "5.2000" },
      {
        code: "price-unknown",
        pointer: "/lines/1/unitPrice",
        found: "no price known",
        expected: "a price of OLD001 for this customer",
        instruction: expect.stringMatching(/^There is no price to show: offer to ask/) as string,
      },
    ]);
    const again = await post("/v1/orders", refused, key);
    expect(stable(again.body)).toEqual(stable(first.body));
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  it("over the credit limit is held for a person: 202", async () => {
    const held = {
      ...order,
      account: "A003",
      lines: [{ product: "CEM001", quantity: "10", unitPrice: "5.20" }],
    };
    const { status, body } = await post("/v1/orders", held, { "idempotency-key": "fifth-1" });
    expect(status).toBe(202);
    expect(body).toMatchObject({ state: "held", reasons: [{ code: "over-credit-limit" }] });
  });

  it("of a test key is kept and never queued", async () => {
    const key = await api.keyWith({ test: true });
    const { body } = await api.ask<Record<string, unknown>>("POST", "/v1/orders", {
      key,
      body: order,
      headers: { "idempotency-key": "sixth-1" },
    });
    expect(body).toMatchObject({ test: true, state: "checked" });
  });

  it("can be checked without being kept", async () => {
    const before = await count();
    const fine = await post("/v1/orders/check", order);
    expect(fine.body).toMatchObject({ status: 201, verdict: "accept", findings: [] });
    const bad = await post("/v1/orders/check", { ...order, account: "A002" });
    expect(bad.body).toMatchObject({ status: 422, verdict: "refuse" });
    expect(await count()).toBe(before);
  });

  async function count(): Promise<number | undefined> {
    const rows = await api.tradepost.store.query<{ count: number }>(
      "SELECT (SELECT count(*) FROM web_order) + (SELECT count(*) FROM web_order_request) AS count",
    );
    return rows[0]?.count;
  }

  it("is amended and cancelled by the shop's key before it left, and shows what it was", async () => {
    const key = (name: string) => ({ "idempotency-key": name });
    await post("/v1/orders", { ...order, webOrder: "W-5" }, key("change-0"));
    const lines = [{ product: "CEM001", quantity: "20", unitPrice: "4.80" }];
    const amended = await post("/v1/orders/W-5/amendments", { ...order, lines }, key("change-1"));
    expect(amended).toMatchObject({
      status: 200,
      body: { webOrder: "W-5", change: 1, state: "done", net: "96.00" },
    });
    const again = await post("/v1/orders/W-5/amendments", { ...order, lines }, key("change-1"));
    expect(again.body).toEqual(amended.body);
    const test = await api.keyWith({ test: true });
    const options = { key: test, headers: key("change-2"), body: {} };
    expect(await api.ask("POST", "/v1/orders/W-5/cancellation", options)).toMatchObject({
      status: 404,
      body: { code: "order-unknown" },
    });
    const hook = { url: "https://shop.example/hook", types: ["order.*"], about: "tried out" };
    const made = { ...hook, who: "J Ross", why: "tried out" };
    expect(await api.ask("POST", "/v1/webhooks", { key: test, body: made })).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining("a test key never touches what is live") },
    });
    const part = { lines: [{ line: 1, quantity: "15" }] };
    expect(await post("/v1/orders/W-5/cancellation", part, key("change-3"))).toMatchObject({
      status: 200,
      body: { kind: "cancel", net: "24.00" },
    });
    const { body } = await get("/v1/orders/W-5");
    expect(body).toMatchObject({
      state: "queued",
      net: "24.00",
      lines: [{ quantity: "20", cancelledQuantity: "15" }],
      changes: [{ before: { net: "48.00" } }, { before: { net: "96.00" } }],
    });
    const whole = await post("/v1/orders/W-5/cancellation", {}, key("change-4"));
    expect(whole).toMatchObject({ status: 200, body: { orderState: "cancelled", net: null } });
    const late = await post("/v1/orders/W-5/amendments", order, key("change-5"));
    expect(late).toMatchObject({ status: 409, body: { code: "order-stands-otherwise" } });
  });

  it("is worked at the desk with who and why, and not by the key that handed it in", async () => {
    const held = { ...order, account: "A003", webOrder: "W-6" };
    const lines = [{ product: "CEM001", quantity: "9", unitPrice: "5.20" }];
    await post("/v1/orders", { ...held, lines }, { "idempotency-key": "desk-1" });
    const desk = await get<{ counts: object; entries: object[] }>("/v1/order-desk?kind=held");
    expect(desk.body.entries).toContainEqual(
      expect.objectContaining({ webOrder: "W-6", acts: ["release", "amend", "cancel"] }),
    );
    const act = { who: "J Ross", why: "paid by telephone" };
    const shop = await api.keyWith({ scopes: ["orders"] });
    const mayNot = await api.ask("POST", "/v1/orders/W-6/release", { key: shop, body: act });
    expect(mayNot.status).toBe(403);
    const released = await post("/v1/orders/W-6/release", act);
    expect(released).toMatchObject({ status: 200, body: { state: "queued" } });
    const audit = await api.tradepost.store.query(
      "select who, action, details from audit where subject = 'W-6'",
    );
    expect(audit).toEqual([
      {
        who: expect.stringMatching(/^J Ross \(key /),
        action: "order-released",
        details: { why: "paid by telephone" },
      },
    ]);
    expect((await post("/v1/orders/W-6/release", act)).status).toBe(409);
    expect((await post("/v1/orders/W-6/cancel", act)).body).toMatchObject({ state: "done" });
    expect((await get("/v1/order-tasks")).body).toMatchObject({ tasks: [] });
  });

  it("shows where it stands and everything that happened to it", async () => {
    await post("/v1/orders", { ...order, webOrder: "W-3" }, { "idempotency-key": "seventh-1" });
    const { body } = await get("/v1/orders/W-3");
    expect(lasting(body)).toMatchInlineSnapshot(`
      {
        "account": "A001",
        "accountRequest": null,
        "answerDueAt": null,
        "askedFor": null,
        "branch": "B1",
        "changedAt": "2026-03-31T09:00:00Z",
        "changedInErp": [],
        "changes": [],
        "charges": [],
        "conditions": {},
        "currency": "GBP",
        "customerReference": "PO 77",
        "deliverTo": null,
        "despatches": [],
        "erpNet": null,
        "erpOrder": null,
        "erpVat": null,
        "events": [
          {
            "about": "From API key (id) with key seventh-1.",
            "at": "2026-03-31T09:00:00Z",
            "event": "receive",
            "fromState": null,
            "toState": "received",
            "who": "shop",
          },
          {
            "about": "0 findings.",
            "at": "2026-03-31T09:00:00Z",
            "event": "check",
            "fromState": "received",
            "toState": "checked",
            "who": "tradepost",
          },
          {
            "about": "Waits to be handed over.",
            "at": "2026-03-31T09:00:00Z",
            "event": "queue",
            "fromState": "checked",
            "toState": "queued",
            "who": "tradepost",
          },
        ],
        "fulfilment": "open",
        "gross": "57.60",
        "guest": null,
        "handedOverAt": null,
        "id": "(id)",
        "invoices": [],
        "lines": [
          {
            "backOrderQuantity": "0",
            "cancelledQuantity": "0",
            "creditedQuantity": "0",
            "despatchedQuantity": "0",
            "discount": "0.00",
            "invoicedQuantity": "0",
            "line": 1,
            "net": "48.00",
            "orderedQuantity": null,
            "orderedUnit": null,
            "outstandingQuantity": "10",
            "price": {
              "because": "List price (TRADE)",
              "bookVersion": "(version)",
              "state": "modelled",
              "validUntil": null,
            },
            "product": "CEM001",
            "quantity": "10",
            "unitPrice": "4.80",
            "vat": "9.60",
            "vatCode": "STANDARD",
          },
        ],
        "net": "48.00",
        "orderedOn": "2026-03-31",
        "payment": null,
        "placedBy": "customer",
        "placedByName": null,
        "reasons": [],
        "receivedAt": "2026-03-31T09:00:00Z",
        "requestedOn": null,
        "site": null,
        "state": "queued",
        "tasks": [],
        "test": false,
        "vat": "9.60",
        "webOrder": "W-3",
      }
    `);
  });

  it("that is not there is a problem, whatever is asked for", async () => {
    expect(stable((await get("/v1/orders/W-9")).body)).toMatchInlineSnapshot(`
      {
        "code": "order-unknown",
        "detail": "Looking up a web order: HARROW has none with the id or number "W-9". Look at its number; a number is the shop's own, or the one in the answer to the order.",
        "status": 404,
        "title": "The order is not known",
      }
    `);
    for (const odd of ["a%20b", "%27%20or%201=1", "0".repeat(400)])
      expect((await get(`/v1/orders/${odd}`)).body["code"], odd).toBe("order-unknown");
  });

  it("of one company is not there for another", async () => {
    await post("/v1/orders", { ...order, webOrder: "W-4" }, { "idempotency-key": "eighth-1" });
    const key = await api.keyWith({ company: "EMPTY" });
    expect((await api.ask("GET", "/v1/orders/W-4", { key })).status).toBe(404);
  });
});

describe("sales", () => {
  it("are totalled by what was asked", async () => {
    const { body } = await get("/v1/sales/totals?by=account,period&from=2026-01&to=2026-12");
    expect(body).toMatchInlineSnapshot(`
      {
        "rows": [
          {
            "account": "A001",
            "assisted": null,
            "channel": null,
            "cost": "0.00",
            "currency": "GBP",
            "lines": 2,
            "net": "100.00",
            "period": "2026-03",
            "uncostedNet": "100.00",
            "vat": "20.00",
          },
        ],
        "trust": {
          "batch": 1,
          "freshness": [
            {
              "at": null,
              "source": "erp/control-totals",
            },
            {
              "at": null,
              "source": "erp/sales-documents",
            },
            {
              "at": null,
              "source": "erp/sales-lines",
            },
          ],
          "quarantined": [],
          "waiting": {
            "documents": 0,
            "lines": 0,
            "net": "0",
          },
        },
      }
    `);
    const channel = await get<{ rows: unknown[] }>("/v1/sales/totals?account=A001&by=channel");
    expect(channel.body.rows).toMatchObject([{ channel: "counter", net: "100.00" }]);
  });

  it("say what is wrong with a question", async () => {
    const { body } = await get("/v1/sales/totals?from=2026-3&to=2026-01&by=month");
    expect(stable(body)).toMatchInlineSnapshot(`
      {
        "code": "request-invalid",
        "detail": "Checking the request: 3 errors. First: query /from: found the text "2026-3", expected a period such as 2026-03.",
        "errors": [
          {
            "expected": "a period such as 2026-03",
            "found": "the text "2026-3"",
            "in": "query",
            "pointer": "/from",
          },
          {
            "expected": "some of account, period, channel, with commas between",
            "found": "the text "month"",
            "in": "query",
            "pointer": "/by",
          },
          {
            "expected": "a period not before "from", 2026-3",
            "found": "the text "2026-01"",
            "in": "query",
            "pointer": "/to",
          },
        ],
        "status": 400,
        "title": "The request does not fit the interface",
      }
    `);
    const turned = await get("/v1/sales/totals?from=2026-03&to=2026-01");
    expect(turned.body["errors"]).toMatchObject([
      { pointer: "/to", expected: 'a period not before "from", 2026-03' },
    ]);
  });

  it("equal the ERP's control totals", async () => {
    const { body } = await get<{ totalsEqual: boolean; periods: unknown[] }>(
      "/v1/reconciliation?period=2026-03",
    );
    expect(body.totalsEqual).toBe(true);
    expect(body.periods).toMatchObject([
      { documentType: "invoice", difference: { documents: 0, net: "0.00", vat: "0.00" } },
      { documentType: "credit", difference: { documents: 0, net: "0.00", vat: "0.00" } },
    ]);
  });
});

describe("pay", () => {
  it("is stated per rep, each line with its because and its way back to the file's row", async () => {
    const { body } = await get<{
      pay: string;
      lines: { document: string; sentence: string; posting: string }[];
    }>("/v1/statements/R01?plan=flat&period=2026-03");
    expect(body.pay).toBe("4.00");
    expect(body.lines.map(({ sentence }) => sentence)).toMatchInlineSnapshot(`
      [
        "Credits invoice 1001 line 1 of 16/03/2026, as it was sold. Repeat, unproven: first invoice 1001 on 16/03/2026, but sales are complete only from 16/03/2026 and no opening date is known. 4% by row 1 of flat, version 1.",
        "Repeat, unproven: first invoice 1001 on 16/03/2026, but sales are complete only from 16/03/2026 and no opening date is known. 4% by row 1 of flat, version 1.",
      ]
    `);
    const trace = await get<{ posting: object; row: Record<string, unknown> }>(
      `/v1/lines/${body.lines.find(({ document }) => document === "1001")?.posting ?? ""}`,
    );
    expect(trace.body).toMatchObject({
      posting: { document: "1001", line: 1, net: "120.00", originLine: 1 },
      row: { document: "1001", net: "120.00" },
    });
  });

  it.each([
    ["/v1/statements/R09?plan=flat&period=2026-03", 404, "rep-unknown"],
    ["/v1/statements/R01?plan=flt&period=2026-03", 404, "plan-unknown"],
    ["/v1/statements/R01?plan=flat&period=2026-02", 404, "pay-run-unknown"],
    ["/v1/pay/compare?plan=flat&against=none&from=2026-01&to=2026-03", 404, "plan-unknown"],
    ["/v1/lines/01960000-0000-7000-8000-00000000ffff", 404, "posting-unknown"],
    ["/v1/lines/12", 400, "request-invalid"],
  ])("has a problem for what is not there: %s", async (address, status, code) => {
    const answer = await get(address);
    expect({ status: answer.status, code: answer.body["code"] }).toEqual({ status, code });
  });

  it("is compared under two plans", async () => {
    const { body } = await get(
      "/v1/pay/compare?plan=new-and-repeat&against=flat&from=2026-01&to=2026-03",
    );
    expect(body).toMatchObject({
      before: { plan: "new-and-repeat" },
      after: { plan: "flat" },
      business: { base: "100.00", after: "4.00" },
    });
  });
});

describe("what pulls did", () => {
  it("is listed, and so is what waits in quarantine", async () => {
    expect((await get("/v1/runs")).body).toEqual({ runs: [] });
    expect((await get("/v1/quarantine")).body).toEqual({
      open: 0,
      worth: "0.00",
      groups: [],
      items: [],
    });
  });
});
