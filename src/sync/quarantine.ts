/**
 * What could not be used waits here with its raw form, the reason and what to do, and nothing that
 * was read is lost. An item closes when its row is replayed well, when the stream's next whole
 * snapshot lacks it, when a delta brings the same record, or when a person dismisses it. A row that
 * comes again unchanged keeps its item: open stays open and dismissed stays dismissed.
 */
import { randomUUID, randomUUIDv7 } from "node:crypto";
import type { Mapping } from "../mapping/index.ts";
import type { AnyRecord } from "../model/index.ts";
import { keyText, type Queryable, type Staging, type Transaction } from "../store/index.ts";
import { jsonOf, type At } from "./journal.ts";
import { concernedOf, fingerprintOf, reasonOf } from "./reason.ts";

export interface Problem {
  /** Field of the record, or "" when the whole row is meant. */
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  readonly instruction: string;
}

/** An item about to be stored. */
export interface NewItem {
  readonly mapping: string | null;
  readonly record: string | null;
  /** Key of the record that the row would have been, " / " between; null when it cannot be told. */
  readonly recordKey: string | null;
  readonly originId: string;
  readonly originName: string;
  /** Physical line; 0: the whole file. */
  readonly line: number;
  /** "" when only the archived original has it. */
  readonly raw: string;
  readonly values: Readonly<Record<string, unknown>> | null;
  readonly problems: readonly Problem[];
  /** Money at risk as decimal text; null when the mapping names none. */
  readonly worth: string | null;
  /** Keys of the records that the row stands for, where they are several. */
  readonly recordKeys?: readonly string[];
  /** Fields of the record that the row still tells. */
  readonly told?: AnyRecord;
}

/** A new item as it is written, with what it shares with others. */
type Written = NewItem & {
  readonly id: string;
  readonly fingerprint: string;
  readonly reason: string;
  readonly scope: string | null;
  readonly code: string | null;
  readonly follows: string | null;
  readonly firstSeenAt: string;
  readonly correction: unknown;
};

const CHUNK = 500;
const COLUMNS = `company, connection, stream, run_id, state, opened_at, last_seen_at, came_again,
  closed_by_hand, id, mapping, origin_id, origin_name, line, raw, row_values, record, record_key,
  problems, reason, fingerprint, worth, customer_scope, customer_code, follows, first_seen_at,
  correction, correction_holds`;

interface OpenedItems {
  /** Every item that a row of this content has, new or not. */
  readonly ids: readonly string[];
}

/** Opens an item for each row; one that came before, unchanged, keeps the item that it has. */
export async function openItems(
  tx: Transaction,
  at: At,
  items: readonly NewItem[],
): Promise<OpenedItems> {
  const known = await knownRows(tx, at, items);
  const written: Written[] = [];
  const again: Again[] = [];
  for (const item of items) {
    const fingerprint = fingerprintOf(item);
    const before = fingerprint === null ? undefined : known.get(fingerprint);
    const kept = before?.kept.shift();
    if (kept === undefined) written.push(newRow(at, item, fingerprint, before?.last));
    else again.push({ ...kept, originId: item.originId, name: item.originName, line: item.line });
  }
  await comeAgain(tx, at, again);
  const accounts = await accountsOfLines(tx, at.company, written);
  await insertItems(tx, at, written, accounts);
  return { ids: [...written, ...again].map(({ id }) => id) };
}

/** Of the rows that the run brought, those dismissed before that came again unchanged. */
export async function dismissedAgain(
  on: Queryable,
  company: string,
  runId: string,
): Promise<number> {
  const [again] = await on.query<{ dismissed: number }>(
    `select count(*)::int as dismissed from quarantine
      where company = $1 and state = 'dismissed' and run_id = $2`,
    [company, runId],
  );
  return again?.dismissed ?? 0;
}

interface Kept {
  readonly id: string;
  readonly state: "open" | "dismissed" | "resolved";
}

interface Again extends Kept {
  readonly originId: string;
  readonly name: string;
  readonly line: number;
}

interface KnownRow extends Kept {
  readonly fingerprint: string;
  readonly holds: boolean;
  readonly correction: unknown;
  readonly firstSeenAt: Temporal.Instant;
}

interface KnownRows {
  /** Items that a row which comes again keeps, one each. */
  readonly kept: Kept[];
  /** The newest item of such a row, whatever became of it. */
  readonly last: KnownRow;
}

/** By fingerprint (32 hexadecimal digits). */
async function knownRows(
  tx: Transaction,
  at: At,
  items: readonly NewItem[],
): Promise<ReadonlyMap<string, KnownRows>> {
  const prints = items.map(fingerprintOf).filter((print) => print !== null);
  const known = new Map<string, KnownRows>();
  if (prints.length === 0) return known;
  const rows = await tx.query<KnownRow>(
    `select id, state, replace(fingerprint::text, '-', '') as fingerprint, correction,
            correction_holds as holds, first_seen_at as "firstSeenAt"
       from quarantine
      where company = $1 and connection = $2 and stream = $3 and fingerprint = any($4::uuid[])
      order by opened_at desc, id desc`,
    [at.company, at.connection, at.stream, [...new Set(prints)]],
  );
  for (const row of rows) {
    const found = known.get(row.fingerprint) ?? { kept: [], last: row };
    if (row.state !== "resolved") found.kept.push(row);
    known.set(row.fingerprint, found);
  }
  return known;
}

function newRow(
  at: At,
  item: NewItem,
  fingerprint: string | null,
  last: KnownRow | undefined,
): Written {
  const concerned = concernedOf(item);
  return {
    ...item,
    raw: item.raw.replaceAll("\u0000", "\u2400"),
    id: randomUUIDv7(),
    fingerprint: fingerprint ?? randomUUID(),
    reason: reasonOf(item.problems),
    scope: concerned?.scope ?? null,
    code: concerned?.code ?? null,
    follows: last?.id ?? null,
    firstSeenAt: (last?.firstSeenAt ?? at.now).toString(),
    correction: last?.holds === true ? last.correction : null,
  };
}

/** The same rows at the places where they stand now. */
async function comeAgain(tx: Transaction, at: At, again: readonly Again[]): Promise<void> {
  if (again.length === 0) return;
  await tx.query(
    `update quarantine q
        set run_id = $2, last_seen_at = $3, came_again = came_again + 1, origin_id = i."originId",
            origin_name = i.name, line = i.line
       from jsonb_to_recordset($4::jsonb) as i(id uuid, "originId" uuid, name text, line int)
      where q.company = $1 and q.id = i.id`,
    [at.company, at.runId, at.now.toString(), jsonOf(again)],
  );
}

/** Lines name their document, and the document its account. */
const PARENTS: Readonly<Record<string, { table: string; key: readonly string[] }>> = {
  "sales-line": { table: "sales_document", key: ["documentType", "document"] },
  "erp-order-line": { table: "erp_order", key: ["erpOrder"] },
  "despatch-line": { table: "despatch", key: ["despatch"] },
  "quotation-line": { table: "quotation", key: ["quotation"] },
};

function parentKey(item: NewItem): string | null {
  const parent = PARENTS[item.record ?? ""];
  const parts = parent?.key.map((field) => item.told?.[field]) ?? [];
  return parts.length === 0 || parts.some((part) => typeof part !== "string")
    ? null
    : parts.join(" / ");
}

/** By record and the key of its parent. */
async function accountsOfLines(
  tx: Transaction,
  company: string,
  items: readonly NewItem[],
): Promise<ReadonlyMap<string, string>> {
  const accounts = new Map<string, string>();
  for (const [record, { table, key }] of Object.entries(PARENTS)) {
    const lines = items.filter((item) => item.record === record && parentKey(item) !== null);
    if (lines.length === 0) continue;
    const columns = key.map((field) => field.replace(/[A-Z]/, (big) => `_${big.toLowerCase()}`));
    const found = await tx.query<{ key: string; account: string }>(
      `select concat_ws(' / ', ${columns.join(", ")}) as key, account from ${table}
        where company = $1 and (${columns.join(", ")}) in
              (select * from unnest(${columns.map((_, index) => `$${index + 2}::text[]`).join(", ")}))`,
      [company, ...key.map((field) => lines.map((item) => item.told?.[field] ?? ""))],
    );
    for (const each of found) accounts.set(`${record} ${each.key}`, each.account);
  }
  return accounts;
}

async function insertItems(
  tx: Transaction,
  at: At,
  items: readonly Written[],
  accounts: ReadonlyMap<string, string>,
): Promise<void> {
  for (let start = 0; start < items.length; start += CHUNK) {
    const chunk = items.slice(start, start + CHUNK).map((item) => {
      const account = accounts.get(`${item.record} ${parentKey(item)}`);
      return account === undefined ? item : { ...item, scope: "account", code: account };
    });
    await tx.query(
      `insert into quarantine (${COLUMNS})
       select $1, $2, $3, $4, 'open', $5, $5, 0, false,
              i.id, i.mapping, i."originId", i."originName", i.line, i.raw, i."values", i.record,
              i."recordKey", i.problems, i.reason, i.fingerprint, i.worth, i.scope, i.code,
              i.follows, i."firstSeenAt", i.correction, i.correction is not null
         from jsonb_to_recordset($6::jsonb) as i(id uuid, mapping text, "originId" uuid,
              "originName" text, line int, raw text, "values" jsonb, record text,
              "recordKey" text, problems jsonb, reason text, fingerprint uuid, worth numeric,
              scope text, code text, follows uuid, "firstSeenAt" timestamptz, correction jsonb)`,
      [at.company, at.connection, at.stream, at.runId, at.now.toString(), jsonOf(chunk)],
    );
  }
}

/**
 * A whole snapshot came, and what was left open is answered by it, but for the items of rows that
 * are in it (`still`). With them go corrections that stood in for rows which are no longer there.
 */
export async function closeAnswered(
  tx: Transaction,
  at: At,
  still: readonly string[],
): Promise<void> {
  const of = [at.company, at.connection, at.stream];
  await tx.affect(
    `update quarantine set state = 'resolved', closed_at = $4, closed_by = 'a newer snapshot'
      where company = $1 and connection = $2 and stream = $3 and state = 'open'
        and id <> all($5::uuid[])`,
    [...of, at.now.toString(), still],
  );
  await tx.affect(
    `update quarantine set correction_holds = false
      where company = $1 and connection = $2 and stream = $3 and correction_holds
        and id <> all($4::uuid[])`,
    [...of, still],
  );
}

/** The last snapshot again: only whole files that were refused since are answered. */
export async function closeAnsweredFiles(tx: Transaction, at: At): Promise<void> {
  await tx.affect(
    `update quarantine set state = 'resolved', closed_at = $4, closed_by = 'a newer snapshot'
      where company = $1 and connection = $2 and stream = $3 and state = 'open'
        and mapping is null and line = 0`,
    [at.company, at.connection, at.stream, at.now.toString()],
  );
}

/** Rows of origins that were mapped anew: what is not still bad is answered. */
export async function closeReplayed(
  tx: Transaction,
  at: At,
  origins: readonly { readonly id: string }[],
  still: readonly string[],
): Promise<void> {
  await tx.affect(
    `update quarantine set state = 'resolved', closed_at = $4, closed_by = 'a replay of the stream'
      where company = $1 and connection = $2 and stream = $3 and state = 'open'
        and origin_id = any($5::uuid[]) and id <> all($6::uuid[])`,
    [at.company, at.connection, at.stream, at.now.toString(), origins.map(({ id }) => id), still],
  );
}

/**
 * Records that are staged have arrived well: rows that would have been the same records are
 * answered.
 */
export async function closeArrivedItems(
  tx: Transaction,
  at: At,
  mapping: Mapping,
  staging: Staging,
): Promise<void> {
  const arrived = `exists (select 1 from ${staging.table} s
                            where ${keyText(mapping.record, "s")} = q.record_key)`;
  const of = [at.company, at.connection, at.stream, mapping.id];
  await tx.affect(
    `update quarantine q
        set state = 'resolved', closed_at = $5, closed_by = 'the record arrived well'
      where company = $1 and connection = $2 and stream = $3 and mapping = $4 and state = 'open'
        and ${arrived}`,
    [...of, at.now.toString()],
  );
  await tx.affect(
    `update quarantine q set correction_holds = false
      where company = $1 and connection = $2 and stream = $3 and mapping = $4
        and correction_holds and ${arrived}`,
    of,
  );
}

/** A delta brought the record's row again, bad in another way: only the newer item counts. */
export async function closeSuperseded(
  tx: Transaction,
  at: At,
  items: readonly NewItem[],
  still: readonly string[],
): Promise<void> {
  const keyed = items.filter(({ mapping, recordKey }) => mapping !== null && recordKey !== null);
  if (keyed.length === 0) return;
  await tx.affect(
    `update quarantine q
        set state = 'resolved', closed_at = $4, closed_by = 'a newer row of the same record'
       from (select distinct * from unnest($5::text[], $6::text[]) as i(mapping, record_key)) i
      where company = $1 and connection = $2 and stream = $3 and state = 'open'
        and q.mapping = i.mapping and q.record_key = i.record_key and id <> all($7::uuid[])`,
    [
      at.company,
      at.connection,
      at.stream,
      at.now.toString(),
      keyed.map(({ mapping }) => mapping),
      keyed.map(({ recordKey }) => recordKey),
      still,
    ],
  );
}

/**
 * Keys of records that people corrected and whose bad rows are here again: by mapping, with " / "
 * between. A snapshot that lacks them must not remove them.
 */
export async function correctedKeys(
  tx: Transaction,
  at: At,
  items: readonly NewItem[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const keys = new Map<string, readonly string[]>();
  if (items.length === 0) return keys;
  const rows = await tx.query<{ mapping: string; keys: string[]; fingerprint: string }>(
    `select mapping, correction -> 'keys' as keys, replace(fingerprint::text, '-', '') as fingerprint
       from quarantine
      where company = $1 and connection = $2 and stream = $3 and correction_holds`,
    [at.company, at.connection, at.stream],
  );
  if (rows.length === 0) return keys;
  const here = new Set(items.map(fingerprintOf));
  for (const row of rows)
    if (here.has(row.fingerprint))
      keys.set(row.mapping, [...(keys.get(row.mapping) ?? []), ...row.keys]);
  return keys;
}
