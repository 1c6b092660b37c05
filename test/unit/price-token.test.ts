import { describe, expect, it } from "vitest";
import { signToken, verifyToken } from "../../src/pricing/token.ts";
import type { TokenClaims, TokenKey } from "../../src/pricing/token.ts";

const old: TokenKey = { id: "2025", secret: "an old secret of thirty-two characters" };
const key: TokenKey = { id: "2026", secret: "a secret that has thirty-two characters" };
const claims: TokenClaims = {
  company: "HARROW",
  account: "A001",
  site: null,
  branch: null,
  conditions: { delivery: "collect" },
  quotation: null,
  product: "CEM001",
  unit: "EACH",
  fromQuantity: "10",
  belowQuantity: "50",
  unitPrice: "4.8000",
  pricingUnit: "EACH",
  currency: "GBP",
  validUntil: "2026-04-01T00:00:00Z",
  issuedAt: "2026-03-31T09:00:00Z",
  bookVersion: "17-3fa9c2d1",
  because: "List price (TRADE)",
};
const token = signToken([key], claims);
const presented = {
  company: "HARROW",
  account: "A001",
  product: "CEM001",
  quantity: "10",
  at: Temporal.Instant.from("2026-03-31T10:00:00Z"),
};
const verdict = (more: object, text = token, keys: readonly TokenKey[] = [key]) => {
  const found = verifyToken(keys, text, { ...presented, ...more });
  return found.fine ? "fine" : `${found.code}: ${found.detail}`;
};

describe("a signed price", () => {
  it("holds for whom and what it was given, and within its quantities", () => {
    expect(verifyToken([key], token, presented)).toEqual({ fine: true, claims });
    expect(verdict({ quantity: "49.99999", unitPrice: "4.80", currency: "GBP" })).toBe("fine");
    expect(verdict({ conditions: { delivery: "collect" }, unit: "EACH", site: null })).toBe("fine");
  });

  it("is refused with what differs and what to do", () => {
    const differs = [
      { at: Temporal.Instant.from("2026-04-01T00:00:00Z") },
      { company: "OTHER" },
      { account: "A002" },
      { product: "BRK001" },
      { quantity: "9" },
      { quantity: "50" },
      { quantity: "many" },
      { unit: "BOX" },
      { site: "S1" },
      { conditions: {} },
      { unitPrice: "4.79" },
      { currency: "EUR" },
    ];
    expect(differs.map((each) => verdict(each)).join("\n")).toMatchInlineSnapshot(`
      "token-expired: it was good until 2026-04-01T00:00:00Z, and it is 2026-04-01T00:00:00Z; ask for the price anew
      token-other-company: it is of another company's prices
      token-other-account: it is for account A001, and the order is of A002; ask for the price of that account
      token-other-product: it is for CEM001, and the line is of BRK001; send each line its own token
      token-other-quantity: it is for 10 to below 50 EACH, and the line is of 9; ask for the price of that quantity
      token-other-quantity: it is for 10 to below 50 EACH, and the line is of 50; ask for the price of that quantity
      token-other-quantity: it is for 10 to below 50 EACH, and the line is of many; ask for the price of that quantity
      token-other-terms: it is for unit EACH, and the order has BOX; ask for the price on the order's own terms
      token-other-terms: it is for site (none), and the order has S1; ask for the price on the order's own terms
      token-other-terms: it is for delivery collect, and the order has none; ask for the price on the order's own terms
      token-changed: it is for GBP 4.8000 per EACH, and the line says GBP 4.79; send the price that was answered
      token-changed: it is for GBP 4.8000 per EACH, and the line says EUR ; send the price that was answered"
    `);
  });

  it("is refused when a character of it was changed, or it is of a key that is gone", () => {
    const [head = "", body = "", signature = ""] = token.split(".");
    const cheaper = Buffer.from(JSON.stringify({ ...claims, unitPrice: "0.01" }));
    const none = Buffer.from(JSON.stringify({ alg: "none", typ: "tradepost-price", kid: "2026" }));
    expect(verdict({}, `${head}.${cheaper.toString("base64url")}.${signature}`)).toMatch(
      /^token-bad-signature/,
    );
    expect(verdict({}, `${none.toString("base64url")}.${body}.`)).toMatch(/^token-malformed/);
    expect(verdict({}, `${none.toString("base64url")}.${body}.${signature}`)).toMatch(
      /^token-key-unknown/,
    );
    expect(verdict({}, "x".repeat(9_000))).toMatch(/^token-malformed/);
    expect(verdict({}, signToken([old], claims))).toMatch(/^token-key-unknown/);
    expect(verdict({}, signToken([old], claims), [key, old])).toBe("fine");
  });
});
