/** What webhooks are given by whoever opens them. */
import type { LookupFunction } from "node:net";
import type { Queryable, Store } from "../../store/index.ts";
import type { Alarms } from "../alarms.ts";
import { allowedOf, type Allowed } from "./address.ts";
import { WAITS_SECONDS } from "./waits.ts";

export interface SealedText {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

/** Seals secrets for the database; `bound` is what a text belongs to, and it opens there alone. */
export interface Seal {
  seal(text: string, bound: readonly string[]): SealedText;
  open(sealed: SealedText, bound: readonly string[]): string;
  /** True when it is sealed with the key that seals now. */
  current(keyId: string): boolean;
}

/** Who does something and why. */
export interface Deed {
  readonly who: string;
  readonly why: string | null;
}

export interface WebhooksOptions {
  readonly store: Store;
  readonly company: string;
  readonly now: () => Temporal.Instant;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
  readonly alarms: Pick<Alarms, "raise" | "clear">;
  readonly seal: () => Promise<Seal>;
  /** Adds to the book of who did what. */
  readonly audit: (
    on: Queryable,
    entry: {
      readonly who: string;
      readonly action: string;
      readonly subject: string;
      readonly details: Readonly<Record<string, string | number | boolean | null>>;
    },
  ) => Promise<void>;
  /** Types that events have, to find a misspelt one. */
  readonly types: readonly string[];
  /** Hosts, addresses and networks inside the house that webhooks may go to. */
  readonly allow: readonly string[];
  /** One that took nothing for so long is disabled. */
  readonly disableAfterDays: number;
  /** Messages on their way to one webhook at a time, a process; default 4. */
  readonly atOnce?: number;
  readonly timeoutMs?: number;
  /** How long a sender that died keeps its message; longer than `timeoutMs`. */
  readonly leaseSeconds?: number;
  readonly waitsSeconds?: readonly number[];
  readonly lookup?: LookupFunction;
  /** From 0 to 1. */
  readonly chance?: () => number;
}

export interface WebhooksContext extends Required<Omit<WebhooksOptions, "lookup">> {
  readonly allowed: Allowed;
  readonly lookup: LookupFunction | undefined;
}

export function contextOf(options: WebhooksOptions): WebhooksContext {
  return {
    atOnce: 4,
    timeoutMs: 15_000,
    leaseSeconds: 45,
    waitsSeconds: WAITS_SECONDS,
    chance: Math.random,
    ...options,
    lookup: options.lookup,
    allowed: allowedOf(options.allow),
  };
}

export type WebhookErrorCode =
  | "webhook-unknown"
  | "webhook-address"
  | "webhook-types"
  | "webhook-disabled"
  | "event-unknown";

export class WebhookError extends Error {
  override readonly name = "WebhookError";
  readonly code: WebhookErrorCode;
  constructor(code: WebhookErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
