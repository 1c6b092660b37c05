/**
 * Signed price tokens: a price that was answered, with for whom and for what, so that an order can
 * present it later and be charged it. A JWS in compact form (RFC 7515, HS256): libraries of a
 * shop can read it, and nobody can change it.
 *
 *     const token = signToken(keys, claims);
 *     verifyToken(keys, token, presented); // { fine: true, claims } or why not
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { scaled } from "./engine/index.ts";

/** What tokens are signed with; `id` stands in the token, the secret nowhere. */
export interface TokenKey {
  readonly id: string;
  /** At least 32 characters. */
  readonly secret: string;
}

const decimalText = z.string().regex(/^\d+(?:\.\d+)?$/);
const code = z.string().min(1);

const claimsSchema = z.strictObject({
  company: code,
  account: code,
  /** Null: the account's usual one. */
  site: code.nullable(),
  /** Null: the account's own. */
  branch: code.nullable(),
  /** Attribute → value that the price was asked with: `{ delivery: "collect" }`. */
  conditions: z.record(z.string(), z.string()),
  /** Number of the quotation that the price was asked by; null: none. */
  quotation: code.nullable(),
  product: code,
  /** Unit that the quantity counts; null: the selling unit. */
  unit: code.nullable(),
  /** The price holds from this quantity (it included) … */
  fromQuantity: decimalText,
  /** … to below this one; null: for any more. */
  belowQuantity: decimalText.nullable(),
  /** Net price per pricing unit. */
  unitPrice: decimalText,
  pricingUnit: z.string(),
  currency: z.string(),
  /** The moment from which it is honoured no more. */
  validUntil: z.iso.datetime({ offset: true }),
  issuedAt: z.iso.datetime({ offset: true }),
  bookVersion: z.string(),
  /** Which rule gave the price, as the answer said it. */
  because: z.string(),
});

/** What a token says. Quantities and prices are decimal texts, moments ISO. */
export type TokenClaims = z.output<typeof claimsSchema>;

/** What an order presents with the token. Absent: not compared. */
export interface Presented {
  readonly company: string;
  readonly account: string;
  readonly site?: string | null;
  readonly branch?: string | null;
  readonly conditions?: Readonly<Record<string, string>>;
  readonly quotation?: string | null;
  readonly product: string;
  /** Null: not stated, which means the unit of the token. */
  readonly unit?: string | null;
  /** Decimal text. */
  readonly quantity: string;
  /** What the order wants to be charged, decimal text. */
  readonly unitPrice?: string | null;
  readonly currency?: string | null;
  readonly at: Temporal.Instant;
}

export type TokenProblemCode =
  | "token-malformed"
  | "token-key-unknown"
  | "token-bad-signature"
  | "token-expired"
  | "token-other-company"
  | "token-other-account"
  | "token-other-product"
  | "token-other-quantity"
  | "token-other-terms"
  | "token-changed";

export interface TokenProblem {
  readonly fine: false;
  readonly code: TokenProblemCode;
  /** What was found, what was expected, what to do. Never the token or a secret. */
  readonly detail: string;
  /** Of a token whose signature holds. */
  readonly claims: TokenClaims | null;
}

export type TokenVerdict = { readonly fine: true; readonly claims: TokenClaims } | TokenProblem;

/** Signs with the first key. */
export function signToken(keys: readonly [TokenKey, ...TokenKey[]], claims: TokenClaims): string {
  const [key] = keys;
  const signed = `${headOf(key.id)}.${encode(claims)}`;
  return `${signed}.${signatureOf(key, signed).toString("base64url")}`;
}

/** The algorithm is never read from a token: only this one is taken. */
function headOf(id: string): string {
  return encode({ alg: "HS256", typ: "tradepost-price", kid: id });
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

function signatureOf({ secret }: TokenKey, signed: string): Buffer {
  return createHmac("sha256", secret).update(signed).digest();
}

/** Far above what a token of long codes needs. */
const MOST_CHARACTERS = 8_192;

/** Whether the token is ours, still holds, and is for what the order presents. */
export function verifyToken(
  keys: readonly TokenKey[],
  token: string,
  presented: Presented,
): TokenVerdict {
  const [head = "", body = "", signature = "", ...rest] =
    token.length > MOST_CHARACTERS ? [] : token.split(".");
  const id = keyIdOf(head);
  if (id === null || body === "" || signature === "" || rest.length > 0)
    return refused("token-malformed", "it is no price token; send it exactly as it was answered");
  const key = keys.find((each) => each.id === id && headOf(each.id) === head);
  if (key === undefined)
    return refused(
      "token-key-unknown",
      `it was signed with the key "${printed(id)}", which is no longer in use; ask for the price anew`,
    );
  const found = Buffer.from(signature, "base64url");
  const expected = signatureOf(key, `${head}.${body}`);
  if (found.length !== expected.length || !timingSafeEqual(found, expected))
    return refused(
      "token-bad-signature",
      "its signature does not fit what it says; send it exactly as it was answered",
    );
  const claims = claimsSchema.safeParse(decode(body)).data;
  if (claims === undefined)
    return refused("token-malformed", "it is of another release; ask for the price anew");
  const problem = differenceOf(claims, presented);
  return problem === null ? { fine: true, claims } : { fine: false, ...problem, claims };
}

function refused(code: TokenProblemCode, detail: string): TokenProblem {
  return { fine: false, code, detail, claims: null };
}

function keyIdOf(head: string): string | null {
  const value = decode(head);
  if (typeof value !== "object" || value === null || !("kid" in value)) return null;
  return typeof value.kid === "string" ? value.kid : null;
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as unknown;
  } catch {
    return null;
  }
}

/** What a stranger wrote is shown short, and never steers a terminal. */
function printed(text: string): string {
  return text.slice(0, 40).replaceAll(/[^\w.-]/g, "?");
}

type Difference = Pick<TokenProblem, "code" | "detail">;

function differenceOf(claims: TokenClaims, presented: Presented): Difference | null {
  const { company, account, product, at } = presented;
  if (claims.company !== company)
    return { code: "token-other-company", detail: "it is of another company's prices" };
  if (claims.account !== account)
    return {
      code: "token-other-account",
      detail: `it is for account ${claims.account}, and the order is of ${account}; ask for the price of that account`,
    };
  if (claims.product !== product)
    return {
      code: "token-other-product",
      detail: `it is for ${claims.product}, and the line is of ${product}; send each line its own token`,
    };
  return (
    otherQuantity(claims, presented) ??
    otherTerms(claims, presented) ??
    otherPrice(claims, presented) ??
    expired(claims, at)
  );
}

function expired({ validUntil }: TokenClaims, at: Temporal.Instant): Difference | null {
  if (Temporal.Instant.compare(at, Temporal.Instant.from(validUntil)) < 0) return null;
  return {
    code: "token-expired",
    detail: `it was good until ${validUntil}, and it is ${at.toString()}; ask for the price anew`,
  };
}

function otherQuantity(claims: TokenClaims, { quantity }: Presented): Difference | null {
  const [asked, from, below] = [quantity, claims.fromQuantity, claims.belowQuantity].map((text) =>
    text === null ? Infinity : (scaled.scaledOf(text, 5) ?? NaN),
  );
  if (asked !== undefined && from !== undefined && below !== undefined)
    if (asked >= from && asked < below) return null;
  const until = claims.belowQuantity === null ? "" : ` to below ${claims.belowQuantity}`;
  const unit = claims.unit === null ? "" : ` ${claims.unit}`;
  return {
    code: "token-other-quantity",
    detail:
      `it is for ${claims.fromQuantity}${until}${unit}, and the line is of ${quantity}; ` +
      "ask for the price of that quantity",
  };
}

function otherTerms(claims: TokenClaims, presented: Presented): Difference | null {
  const asked = presented.conditions;
  const pairs: [name: string, inToken: string | null, inOrder: string | null | undefined][] = [
    ["unit", claims.unit, claims.unit === null ? undefined : (presented.unit ?? undefined)],
    ["site", claims.site, presented.site],
    ["branch", claims.branch, presented.branch],
    ["quotation", claims.quotation, presented.quotation],
    ...(asked === undefined
      ? []
      : [...new Set([...Object.keys(claims.conditions), ...Object.keys(asked)])].map(
          (name): [string, string | null, string | null] => [
            name,
            claims.conditions[name] ?? null,
            asked[name] ?? null,
          ],
        )),
  ];
  for (const [name, inToken, inOrder] of pairs)
    if (inOrder !== undefined && inOrder !== inToken)
      return {
        code: "token-other-terms",
        detail:
          `it is for ${name} ${inToken ?? "(none)"}, and the order has ${inOrder ?? "none"}; ` +
          "ask for the price on the order's own terms",
      };
  return null;
}

function otherPrice(claims: TokenClaims, { unitPrice, currency }: Presented): Difference | null {
  const same =
    (unitPrice ?? null) === null ||
    scaled.scaledOf(unitPrice ?? "", 6) === scaled.scaledOf(claims.unitPrice, 6);
  if (same && (currency ?? claims.currency) === claims.currency) return null;
  return {
    code: "token-changed",
    detail:
      `it is for ${claims.currency} ${claims.unitPrice} per ${claims.pricingUnit}, and the line says ` +
      `${currency ?? claims.currency} ${unitPrice ?? ""}; send the price that was answered`,
  };
}
