/**
 * What the hostile ERP makes beside orders, by our number: accounts and returns. It keeps what it
 * was sent, and shows it as late as its class has it.
 */
import type { Draws } from "./faults.ts";
import { INDEX_LAG_MS, type ErpClass } from "./ledger.ts";

export type Sent = Readonly<Record<string, unknown>>;

export interface HeldRequest {
  readonly number: string;
  readonly key: string;
  readonly sent: Sent;
  /** From when a search can see it, in milliseconds. */
  readonly visibleAt: number;
}

export interface Requests {
  /** Field that bears our number. */
  readonly keyField: string;
  /** Makes one, or with a native key gives the one that is there. */
  commit(sent: Sent): HeldRequest;
  /** Null: it takes it; else why not. */
  refusal(sent: Sent): string | null;
  seen(key: string): readonly HeldRequest[];
  /** Those of another number with the same name, as a search for customers shows them. */
  alike(key: string, name: string): readonly HeldRequest[];
  all(): readonly HeldRequest[];
}

export interface RequestsKind {
  readonly keyField: string;
  readonly prefix: string;
  readonly refusal: (sent: Sent) => string | null;
}

export const RETURNS: RequestsKind = {
  keyField: "key",
  prefix: "RMA",
  refusal: ({ lines }) =>
    Array.isArray(lines) && lines.length > 0 ? null : "a return needs goods that come back",
};

export const ACCOUNTS: RequestsKind = {
  keyField: "request",
  prefix: "ACC",
  refusal: ({ name }) => (name === "" ? "an account needs a name" : null),
};

export function openRequests(
  { keyField, prefix, refusal }: RequestsKind,
  erpClass: ErpClass,
  draws: Draws,
): Requests {
  const held: HeldRequest[] = [];
  const visible = () => held.filter(({ visibleAt }) => visibleAt <= Date.now());
  return {
    keyField,
    refusal,
    commit: (sent) => {
      const key = String(sent[keyField]);
      const before = held.filter((one) => one.key === key);
      if (erpClass === "native-key" && before[0] !== undefined) return before[0];
      const lag = erpClass === "eventually-searchable" ? draws.of("lag", key, before.length) : 0;
      const number = `${prefix}-${String(held.length + 1).padStart(6, "0")}`;
      const made = { number, key, sent, visibleAt: Date.now() + lag * INDEX_LAG_MS };
      held.push(made);
      return made;
    },
    seen: (key) => visible().filter((one) => one.key === key),
    alike: (key, name) =>
      visible().filter(({ key: own, sent }) => own !== key && sent["name"] === name),
    all: () => held,
  };
}
