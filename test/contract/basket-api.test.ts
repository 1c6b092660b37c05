/** Baskets and the orders made of them; every answer is checked against the documentation. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { useApi } from "../support/api.ts";
import { pull } from "../support/canonical-rows.ts";
import { pullMerchant } from "../support/merchant.ts";

const api = useApi(["HARROW"]);

const promotion = (
  code: string,
  more: Partial<Canonical<"promotion">>,
): Partial<Canonical<"promotion">> => ({
  promotion: code,
  name: `Offer ${code}`,
  customerScope: "everyone",
  customerCode: "*",
  productScope: "product",
  productCode: "CEM001",
  kind: "percent",
  validFrom: "2026-01-01",
  validTo: "2026-12-31",
  ...more,
});

beforeAll(async () => {
  const { store } = api.tradepost;
  await pullMerchant(store, "HARROW");
  await pull(store, "HARROW", "promotion", [
    promotion("SPRING", { value: "10", code: "SPRING", mostUses: 1 }),
    promotion("BRICKS", {
      kind: "free-goods",
      productCode: "BRK001",
      buyQuantity: "500",
      freeQuantity: "2",
      freeProduct: "CEM001",
    }),
  ]);
  await (await api.tradepost.company("HARROW")).pricing.publish();
});

interface Basket {
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly totals: unknown;
}

const post = <Body = Record<string, unknown>>(
  address: string,
  body: unknown,
  headers: Record<string, string> = {},
) => api.ask<Body>("POST", address, { body, headers });

const cement = (quantity: string) => [{ product: "CEM001", quantity }];

describe("POST /v1/baskets", () => {
  test("answers lines, promotions with their reasons, free goods, VAT and totals", async () => {
    const { status, body } = await post<Basket>("/v1/baskets", {
      account: "A001",
      lines: [...cement("10"), { product: "BRK001", quantity: 500 }],
      charges: [{ charge: "CARR", amount: "15.00" }],
      twin: true,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      lines: [{ net: "48.00", lowered: "0.00" }, { net: "225.00" }],
      free: [{ promotion: "BRICKS", product: "CEM001", quantity: "2", net: "0.00", worth: "9.60" }],
      applied: [{ promotion: "BRICKS", saving: "9.60" }],
      notApplied: [{ promotion: "SPRING", reason: "code-not-given" }],
      vat: [{ vatPercent: "20", net: "288.00", vat: "57.60", gross: "345.60" }],
      totals: { net: "288.00", vat: "57.60", gross: "345.60" },
    });
  });

  test("refuses whom it cannot price for, and what no basket is", async () => {
    const unknown = await post("/v1/baskets", { account: "NOBODY", lines: cement("1") });
    expect([unknown.status, unknown.body["code"]]).toEqual([404, "account-unknown"]);
    const many = Array.from({ length: 1001 }, () => cement("1")).flat();
    expect((await post("/v1/baskets", { account: "A001", lines: many })).status).toBe(400);
    expect((await post("/v1/baskets", { account: "A001", lines: [] })).status).toBe(400);
  });
});

describe("an order with promotions", () => {
  const order = (key: string, more: object = {}) =>
    post<{ webOrder: string; lines: { net: string; unitPrice: string; product: string }[] }>(
      "/v1/orders",
      {
        account: "A001",
        codes: ["spring"],
        lines: [{ ...cement("10")[0], unitPrice: "4.80" }],
        ...more,
      },
      { "idempotency-key": key },
    );

  test("two at once: one gets the last use, the other pays the full price; cancelled, it comes back", async () => {
    const both = await Promise.all([order("k1"), order("k2")]);
    expect(both.map(({ status }) => status)).toEqual([201, 201]);
    const nets = both.map(({ body }) => body.lines[0]?.net ?? "");
    expect(nets.toSorted()).toEqual(["43.20", "48.00"]);
    const winner = both[nets.indexOf("43.20")]?.body;
    // The ERP is told the price that comes to what is left.
    expect(winner?.lines[0]?.unitPrice).toBe("4.320000");
    const company = await api.tradepost.company("HARROW");
    const third = await order("k3", { net: "43.20" });
    expect(third.status).toBe(422);
    await company.orders.cancel(winner?.webOrder ?? "", { who: "Ann", reason: "not wanted" });
    expect((await order("k4", { net: "43.20" })).status).toBe(201);
  });

  test("carries the goods that are given on lines of their own, and tells of a code that gives nothing", async () => {
    const { status, body } = await order("k5", {
      codes: ["NOSUCH"],
      lines: [{ product: "BRK001", quantity: "1000", unitPrice: "450" }],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      net: "450.00",
      lines: [{ product: "BRK001" }, { product: "CEM001", quantity: "4", net: "0.00" }],
      warnings: [{ code: "promotion-code-unknown", found: "NOSUCH" }],
    });
  });
});
