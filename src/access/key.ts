/** What a key is: its secret, its digest, its scopes. */
import { hash, randomBytes } from "node:crypto";

/** Closed list: what a key can be given. */
export const SCOPES = [
  "prices",
  "shop",
  "orders",
  "desk",
  "webhooks",
  "sales",
  "pay",
  "sync",
  "keys",
] as const;
export type Scope = (typeof SCOPES)[number];

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
