/** What a key is: its secret, its digest, its scopes. */
import { hash, randomBytes } from "node:crypto";

/** Closed list: what a key can be given, and what that opens. */
export const SCOPE_MEANINGS = {
  prices: "prices, price lists and their feed",
  shop: "products, stock and accounts, as shops are told of them",
  orders: "web orders, account requests and returns of a shop: placing, following, events",
  desk: "what staff decide of them: the desk, tasks, releases, cancellations, requests, returns",
  webhooks: "where events are sent to",
  sales: "sales, proofs and reconciliation",
  pay: "reps' pay",
  sync: "reading from the ERP, quarantine, maintenance",
  keys: "reserved: opens nothing by itself",
} as const;

export type Scope = keyof typeof SCOPE_MEANINGS;
export const SCOPES = Object.keys(SCOPE_MEANINGS) as readonly Scope[];

/** A key as people see it; the secret is not in it. */
export interface ApiKey {
  readonly company: string;
  readonly id: string;
  readonly name: string;
  /** First characters of the secret: "tp_live_Ab3f". */
  readonly hint: string;
  readonly scopes: readonly Scope[];
  /** True: orders of this key are checked and kept, never sent, never counted. */
  readonly test: boolean;
  readonly createdAt: Temporal.Instant;
  readonly createdBy: string;
  /** Null while it may be used. */
  readonly revokedAt: Temporal.Instant | null;
}

/** Whom a request comes from, once its key was found good. */
export interface KeyHolder {
  readonly company: string;
  readonly keyId: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly test: boolean;
}

// 32 random bytes are 43 characters of base64url.
const SECRET = /^tp_(?:live|test)_[\w-]{43}$/;
const HINT_LENGTH = "tp_live_".length + 4;

export function newSecret(test: boolean): string {
  return `tp_${test ? "test" : "live"}_${randomBytes(32).toString("base64url")}`;
}

export function looksLikeSecret(text: string): boolean {
  return SECRET.test(text);
}

/** A plain digest is enough: 256 random bits cannot be guessed, unlike a password. */
export function digestOf(secret: string): string {
  return hash("sha256", secret, "hex");
}

export function hintOf(secret: string): string {
  return secret.slice(0, HINT_LENGTH);
}
