/** Whole files, pages or tables that must not be applied: each waits in quarantine as one item. */
import { randomUUIDv7 } from "node:crypto";
import type { Origin } from "../connector/index.ts";
import type { Queryable, Store } from "../store/index.ts";
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

/** "Reading a.csv: its header does not fit" → "Its header does not fit", as its name is told. */
function ofItself(reason: string, name: string): string {
  const before = `Reading ${name}: `;
  if (!reason.startsWith(before)) return reason;
  const rest = reason.slice(before.length);
  return rest.slice(0, 1).toUpperCase() + rest.slice(1);
}

/** Of an origin that was never applied; null: it was, or is not known. */
export async function asideOrigin(
  store: Queryable,
  company: string,
  originId: string,
): Promise<AsideOrigin | null> {
  const [row] = await store.query<AsideOrigin>(
    `select connection, stream, name, sha256 from origin
      where company = $1 and id = $2 and applied_at is null`,
    [company, originId],
  );
  return row ?? null;
}

interface AsideOrigin {
  readonly connection: string;
  readonly stream: string;
  readonly name: string;
  readonly sha256: string | null;
}

/** Written at once, whatever becomes of the run; gives what a person should know of it. */
export async function refuseOrigin(
  store: Store,
  lease: Lease,
  at: At,
  origin: Origin,
  { reason: why, instruction }: Refusal,
): Promise<string> {
  const reason = ofItself(why, origin.name);
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
