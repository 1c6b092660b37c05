/** Whole files, pages or tables that must not be applied: each waits in quarantine as one item. */
import { randomUUIDv7 } from "node:crypto";
import type { Origin } from "../connector/index.ts";
import type { Store } from "../store/index.ts";
import { emptyRowCounts } from "./accounting.ts";
import { NOT_A_RECORD } from "./gathering.ts";
import { storeOrigins, type At } from "./journal.ts";
import type { Lease } from "./lease.ts";
import { openItems } from "./quarantine.ts";

export interface Refusal {
  readonly reason: string;
  readonly instruction: string;
}

/** What is known of an origin wherever it lies. */
export function factsOf({ name, sha256, bytes }: Origin): Origin {
  return {
    name,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(bytes === undefined ? {} : { bytes }),
  };
}

/** Written at once, whatever becomes of the run; gives what a person should know of it. */
export async function refuseOrigin(
  store: Store,
  lease: Lease,
  at: At,
  origin: Origin,
  { reason, instruction }: Refusal,
): Promise<string> {
  const refused = { ...factsOf(origin), id: randomUUIDv7(), rows: emptyRowCounts() };
  const found = { field: "", found: reason, expected: "a whole file", instruction };
  const { id: originId, name: originName } = refused;
  await store.transaction(async (tx) => {
    await lease.hold(tx);
    await storeOrigins(tx, at, [refused], null);
    await openItems(tx, at, [
      { ...NOT_A_RECORD, originId, originName, line: 0, raw: "", problems: [found] },
    ]);
  });
  return `${originName} was not applied: ${reason} ${instruction}`;
}
