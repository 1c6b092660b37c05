/** What is accepted, held or refused over HTTP, once for ever under its key, and how it is said. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { NOW, useApi } from "../support/api.ts";
import { pull } from "../support/canonical-rows.ts";
import { pullMerchant } from "../support/merchant.ts";

let now = NOW;
const orders = {
  connection: "erp",
  minimumNet: "20",
  smallOrderCharge: { charge: "SMALL", net: "7.50" },
  charges: { CARR: { about: "Carriage", vatCode: "STANDARD" } },
  pennyLine: { charge: "ROUND", vatCode: "ZERO", most: "0.02" },
  limits: { lineQuantity: "1000" },
};
const api = useApi(["HARROW"], { orders }, () => now);
const on = () => api.tradepost.store;

beforeAll(async () => {
  await pullMerchant(on(), "HARROW");
  await pull(on(), "HARROW", "customer", [
    { account: "A004", name: "Dean Homes", referenceRequired: true, branch: "B1" },
  ]);
  const products: Partial<Canonical<"product">>[] = [
    { product: "LIME", name: "Lime" },
    { product: "CEM-OLD", name: "Cement 50 kg", state: "discontinued", replacedBy: "CEM-MID" },
    { product: "CEM-MID", name: "Cement 30 kg", state: "discontinued", replacedBy: "CEM001" },
    { product: "GONE", name: "Slate", replacedBy: "BRK-ASH" },
    { product: "BRK-ASH", name: "Ashdown's own brick", productGroup: "OWN" },
  ];
  await pull(on(), "HARROW", "product", products);
  await pull(on(), "HARROW", "product-group", [
    { productGroup: "OWN", name: "Own brands", parent: "SPECIAL" },
    { productGroup: "SPECIAL", name: "Specials" },
  ]);
  await pull(on(), "HARROW", "assortment", [
    { products: "product-group", productCode: "SPECIAL", visibility: "hidden" },
    { ...ashdown, products: "product", productCode: "BRK-ASH", visibility: "shown" },
  ]);
  await pull(on(), "HARROW", "stock", [
    {
      product: "LIME",
      branch: "B1",
      onHandQuantity: "500",
      allocatedQuantity: "100",
      onOrderQuantity: "1000",
      nextDueOn: "2026-04-09",
    },
    { product: "LIME", branch: "B2", onHandQuantity: "9000" },
    { product: "BRK001", branch: "B1", onHandQuantity: "20" },
  ]);
  await pull(on(), "HARROW", "price-rule", [
    {
      rule: "LIME",
      customerScope: "everyone",
      productScope: "product",
      productCode: "LIME",
      kind: "fixed",
      value: "9",
    },
  ]);
  await (await api.tradepost.company("HARROW")).pricing.publish();
});
beforeEach(() => {
  now = NOW;
});

const ashdown = { customers: "account", customerCode: "A001" } as const;
const cement = { product: "CEM001", quantity: "10", unitPrice: "4.80" };
const lime = (quantity: string) => ({ product: "LIME", quantity, unitPrice: "9" });
const bricks = (quantity: string) => ({ product: "BRK001", quantity, unitPrice: "450" });

interface Answer extends Record<string, unknown> {
  readonly webOrder: string;
  readonly errors: readonly Record<string, unknown>[];
  readonly reasons: readonly { readonly code: string }[];
  readonly warnings: readonly { readonly code: string }[];
}

let keys = 0;
/** Every order has a reference of its own, so that only those look alike that are meant to. */
const made = (more: object = {}) => ({
  account: "A001",
  customerReference: `PO ${(keys += 1)}`,
  lines: [cement],
  ...more,
});
const send = (body: object, key = `key-${(keys += 1)}`) =>
  api.ask<Answer>("POST", "/v1/orders", { body, headers: { "idempotency-key": key } });
const wouldBe = (body: object) => api.ask<Answer>("POST", "/v1/orders/check", { body });
const codesOf = (list: readonly { readonly code?: unknown }[] = []) => list.map(({ code }) => code);

describe("an order's key (F10)", () => {
  /** As a shop's HTTP client sees it: status and bytes. */
  const raw = async (body: object, key: string) => {
    const answer = await fetch(`${api.url}/v1/orders`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "idempotency-key": key, ...JSON_TYPE },
      body: JSON.stringify(body),
    });
    return { status: answer.status, text: await answer.text() };
  };
  const JSON_TYPE = { "content-type": "application/json" };
  let secret = "";
  beforeAll(async () => {
    secret = await api.keyWith({});
  });

  it("makes one order of 1,000 posts at once, and every one of them gets its bytes in the end", async () => {
    const body = made({ webOrder: "F10" });
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => raw(body, "f10")));
    for (const { status } of answers) expect([201, 409, 503]).toContain(status);
    const taken = answers.filter(({ status }) => status === 201);
    expect(taken.length).toBeGreaterThan(0);
    expect(new Set([...taken, await raw(body, "f10")].map(({ text }) => text)).size).toBe(1);
    const rows = await on().query(
      "select 1 from web_order where company = 'HARROW' and number = 'F10'",
    );
    expect(rows).toHaveLength(1);
  });

  it("gives the first answer byte for byte after 30 days, whatever has become of prices and account", async () => {
    const body = made({ webOrder: "LATE", conditions: { site: "x", delivery: "collect" } });
    const first = await raw(body, "late");
    const refused = await raw({ ...made(), account: "A002" }, "late-refused");
    now = NOW.add({ hours: 31 * 24 });
    await pull(on(), "HARROW", "customer", [
      { account: "A001", name: "Ashdown Builders", onStop: true, branch: "B1", priceList: "TRADE" },
    ]);
    expect(await raw(body, "late")).toEqual(first);
    expect(first.status).toBe(201);
    expect((await raw(body, "late-new")).status).toBe(422);
    expect(refused.status).toBe(422);
    await pull(on(), "HARROW", "customer", [
      { account: "A001", name: "Ashdown Builders", branch: "B1", priceList: "TRADE" },
    ]);
  });

  it("is kept with a refusal, and belongs to one body: with another it is 422", async () => {
    const body = made({ account: "A002" });
    const first = await send(body, "refused");
    expect([first.status, first.body["code"]]).toEqual([422, "order-refused"]);
    const again = await send(body, "refused");
    expect(again.body.errors).toEqual(first.body.errors);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await send(made(), "refused");
    expect([other.status, other.body["code"]]).toEqual([422, "idempotency-key-reused"]);
  });

  it("makes no second order of a number, in whatever case it is written: it is unique for ever", async () => {
    expect((await send(made({ webOrder: "Web-77" }))).status).toBe(201);
    const again = await send(made({ webOrder: "WEB-77" }));
    expect([again.status, again.body["code"]]).toEqual([422, "web-order-number-taken"]);
  });
});

describe("text of one line", () => {
  const to = { name: "Dean", address1: "4 Quay", postcode: "LS9 8AB" };
  const broken = "Dean\r\nO99,A3";
  it.each<[string, object]>([
    ["/customerReference", { customerReference: "PO 1\nO99" }],
    ["/placedByName", { placedByName: "Ann\tSmith" }],
    ["/deliverTo/name", { deliverTo: { ...to, name: broken } }],
    ["/deliverTo/address1", { deliverTo: { ...to, address1: broken } }],
    ["/deliverTo/town", { deliverTo: { ...to, town: "Leeds\u2028York" } }],
    ["/guest/name", { account: undefined, guest: { name: broken, email: "d@dean.example" } }],
    ["/charges/0/description", { charges: [{ charge: "CARR", net: "1", description: broken }] }],
    ["/payment/reference", { payment: { provider: "card", reference: "pi\u0085_1", amount: "1" } }],
    ["/conditions/delivery", { conditions: { delivery: "collect\u001b[2J" } }],
    ["/lines/0/product", { lines: [{ ...cement, product: "CEM001\n" }] }],
  ])("with a control character in it is named, and nothing is taken: %s", async (pointer, more) => {
    const key = `one-line-${(keys += 1)}`;
    const answer = await send(made(more), key);
    expect([answer.status, answer.body["code"]]).toEqual([400, "request-invalid"]);
    expect(answer.body.errors).toMatchObject([
      {
        in: "body",
        pointer,
        expected: "one line of text, without line breaks, tabs and other control characters",
      },
    ]);
    // The key is free still, for the order as it is mended.
    expect((await send(made(), key)).status).toBe(201);
  });

  it("may hold whatever else a name is written with", async () => {
    const name = 'Zoë O\u2019Brien & "Søn" , Ltd; 建築';
    const answer = await send(made({ deliverTo: { ...to, name } }));
    expect([answer.status, answer.body["deliverTo"]]).toMatchObject([201, { name }]);
  });

  it("is asked of a new customer, too; a note may have several lines", async () => {
    const ask = (more: object) =>
      api.ask<Answer>("POST", "/v1/account-requests", {
        body: {
          tradingName: "Dean",
          address: { address1: "4 Quay" },
          contact: { name: "Ann", email: "ann@dean.example" },
          ...more,
        },
        headers: { "idempotency-key": `account-${(keys += 1)}` },
      });
    const refused = await ask({ tradingName: broken });
    expect([refused.status, refused.body.errors]).toMatchObject([
      400,
      [{ pointer: "/tradingName" }],
    ]);
    expect((await ask({ note: "Ring first.\nBack gate." })).status).toBe(201);
  });
});

describe("POST /v1/orders/check answers exactly as POST /v1/orders would", () => {
  const paid = { provider: "card", reference: "pi_9", amount: "57.60" };
  const far = { name: "Dean", address1: "4 Quay", country: "IE" };
  it.each<[string, object]>([
    ["an order as it should be", {}],
    [
      "an account on stop, too little, and no price",
      {
        account: "A002",
        lines: [
          { ...cement, quantity: "1" },
          { product: "NONE", quantity: "1", unitPrice: "1" },
        ],
      },
    ],
    ["over the credit limit", { account: "A003", lines: [{ ...cement, unitPrice: "5.20" }] }],
    ["a price that is not ours", { lines: [{ ...cement, unitPrice: "4.79" }] }],
    ["a replaced product", { lines: [{ ...cement, product: "CEM-OLD" }] }],
    [
      "a product that is not shown",
      { account: "A004", lines: [{ ...cement, product: "BRK-ASH" }] },
    ],
    [
      "no reference where one is needed",
      {
        account: "A004",
        customerReference: null,
        lines: [{ ...cement, unitPrice: "5.20" }],
      },
    ],
    ["more than one line may have", { lines: [{ ...cement, quantity: "1000.5" }] }],
    ["more than is free", { lines: [bricks("900")] }],
    ["below the minimum", { lines: [{ ...cement, quantity: "2" }] }],
    [
      "the small-order charge",
      {
        lines: [{ ...cement, quantity: "2" }],
        charges: [{ charge: "SMALL", net: "7.50" }],
      },
    ],
    ["a charge that is a product", { charges: [{ charge: "CEM001", net: "1.00" }] }],
    ["a payment of more than its gross", { payment: { ...paid, amount: "60.00" } }],
    ["a payment of its gross", { payment: { ...paid, reference: "pi_10" } }],
    ["the shop's pence", { gross: "57.61" }],
    ["another gross", { gross: "57.70" }],
    ["a day that is over", { requestedOn: "2026-03-01" }],
    ["another country", { deliverTo: far }],
    ["a unit that is not sold", { lines: [{ ...cement, unit: "PALLET" }] }],
    ["an unknown promotion code", { codes: ["NOTHING"] }],
    ["a number that was used", { webOrder: "CHECKED" }],
  ])("for %s", async (_what, more) => {
    if ("webOrder" in more) await send(made(more));
    const body = made(more);
    const check = await wouldBe(body);
    const placed = await send(body);
    expect(check.body["status"]).toBe(placed.status);
    const problem = check.body["problem"] as Answer | null;
    if (placed.status === 422) {
      const { requestId: _one, ...said } = placed.body;
      expect(problem).toEqual(said);
      return;
    }
    const { id: _id, webOrder: _number, state: _state, test: _test, ...said } = placed.body;
    expect(problem).toBeNull();
    expect(check.body["order"]).toEqual(said);
  });

  it("and keeps nothing", async () => {
    const rows = () =>
      on().query(
        `select (select count(*) from web_order) as orders,
                (select count(*) from web_order_request) as requests,
                (select count(*) from web_order_payment) as payments,
                (select count(*) from event) as events`,
      );
    const before = await rows();
    await wouldBe(made({ payment: { ...paid, reference: "pi_11" } }));
    await wouldBe(made({ account: "A003", lines: [{ ...cement, unitPrice: "5.20" }] }));
    expect(await rows()).toEqual(before);
  });
});

describe("an order is", () => {
  it("refused as a whole with every finding at once: where, found, expected, what to do", async () => {
    const { status, body } = await send(
      made({
        requestedOn: "2026-03-30",
        lines: [cement, { ...cement, product: "CEM-OLD" }, { ...cement, product: "GONE" }],
        charges: [{ charge: "CRANE", net: "25.00" }],
      }),
    );
    expect(status).toBe(422);
    expect(
      body.errors
        .filter(({ code }) => code !== "price-unknown")
        .map(({ pointer, code, found, expected, offers, detail }) => ({
          at: `${String(pointer)} ${String(code)}: ${String(found)}, expected ${String(expected)}`,
          offers,
          detail,
        })),
    ).toMatchInlineSnapshot(`
      [
        {
          "at": "/requestedOn requested-in-past: 2026-03-30, expected 2026-03-31 or later",
          "detail": "Delivery is wanted on 30/03/2026, and today is 31/03/2026.",
          "offers": undefined,
        },
        {
          "at": "/lines/1/product product-replaced: CEM-OLD, expected CEM001",
          "detail": "Product CEM-OLD is replaced by CEM-MID, and that by CEM001.",
          "offers": [
            "CEM001",
          ],
        },
        {
          "at": "/lines/2/product product-replaced: GONE, expected BRK-ASH",
          "detail": "Product GONE is replaced by BRK-ASH.",
          "offers": [
            "BRK-ASH",
          ],
        },
        {
          "at": "/charges/0/charge charge-unknown: CRANE, expected one of CARR, SMALL",
          "detail": "No charge CRANE is known; the settings name CARR, SMALL.",
          "offers": undefined,
        },
      ]
    `);
    for (const { instruction } of body.errors) expect(instruction).toBeTruthy();
  });

  it("shown the products of its own assortment alone", async () => {
    const own = { product: "BRK-ASH", quantity: "10", unitPrice: "1" };
    const errors = async (account: string) =>
      codesOf((await send(made({ account, lines: [own] }))).body.errors);
    expect(await errors("A001")).not.toContain("product-not-visible");
    expect(await errors("A004")).toContain("product-not-visible");
    const hidden = (account: string) => api.ask("GET", `/v1/customers/${account}/hidden-products`);
    expect((await hidden("A001")).body).toEqual({ account: "A001", products: [] });
    expect((await hidden("A004")).body).toEqual({ account: "A004", products: ["BRK-ASH"] });
    expect((await hidden("A999")).status).toBe(404);
  });

  it("held when a shop that lost its key sends it again, and not when it is another", async () => {
    const body = made({ lines: [{ ...cement, quantity: "11" }] });
    const first = await send(body);
    expect(first.status).toBe(201);
    const again = await send({ ...body, webOrder: "AGAIN" });
    expect([again.status, codesOf(again.body.reasons)]).toEqual([202, ["order-repeated"]]);
    expect(again.body.reasons[0]).toMatchObject({
      found: `the same as web order ${first.body.webOrder}`,
    });
    expect((await send({ ...body, customerReference: "another" })).status).toBe(201);
    now = NOW.add({ minutes: 11 });
    expect((await send(body)).status).toBe(201);
  });

  it("held but once of two that come at the same moment under two keys", async () => {
    const body = made({ lines: [{ ...cement, quantity: "12" }] });
    const answers = await Promise.all([send(body), send(body), send(body)]);
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      201, 202, 202,
    ]);
  });

  it("held when its payment is another order's", async () => {
    const payment = { provider: "card", reference: "pi_once", amount: "57.60" };
    const first = await send(made({ payment }));
    const again = await send(made({ payment }));
    expect([first.status, again.status]).toEqual([201, 202]);
    expect(codesOf(again.body.reasons)).toEqual(["payment-used-before"]);
  });

  it("told what its branch has free, less what other web orders wait for, and what comes when", async () => {
    const { body } = await send(made({ lines: [lime("300")] }));
    const next = await send(made({ lines: [lime("150")] }));
    const promises = [body, next.body].map(({ lines }) =>
      (lines as { promise: unknown }[]).map(({ promise }) => promise),
    );
    expect(promises).toEqual([
      [{ free: "400", short: "0", availableOn: "2026-03-31" }],
      [{ free: "100", short: "50", availableOn: "2026-04-09" }],
    ]);
    expect(codesOf(next.body.warnings)).toEqual(["stock-short"]);
  });

  it("carried with a penny line to what the shop has shown, visible in the answer", async () => {
    const { status, body } = await send(made({ net: "48.00", vat: "9.61", gross: "57.61" }));
    expect([status, codesOf(body.warnings)]).toEqual([201, ["penny-line"]]);
    expect(body).toMatchObject({
      gross: "57.61",
      charges: [{ charge: "ROUND", net: "0.01", vat: "0.00" }],
      rounding: { erp: { gross: "57.60" }, shop: { gross: "57.61" }, pennyLine: "0.01" },
    });
  });
});
