/**
 * Where a run's mapped rows wait until all of a snapshot has been read: an unlogged table of its
 * own in the schema `staging`, filled by COPY. Rows get there in big pieces; nothing is awaited
 * per row.
 */
import { columnOf } from "../model/index.ts";
import type { AnyRecord, RecordDefinition } from "../model/index.ts";
import type { Queryable, Transaction } from "./connection.ts";
import { rowDigest, rowText } from "./row-text.ts";
import { columnType, quoted } from "./table-sql.ts";

export interface Staging {
  /** Its table, quoted, with the schema. */
  readonly table: string;
  readonly record: RecordDefinition;
  /** Buffers a row; at most a few megabytes should wait for a `flush`. */
  add(record: AnyRecord, originId: string, line: number): void;
  /** Like `add`, of a record that the source says is gone: only its key is looked at. */
  addGone(key: AnyRecord, originId: string, line: number): void;
  /**
   * Writes what is buffered. May be called again before it is done: pieces are written in order.
   */
  flush(): Promise<void>;
  /** Rows buffered and not yet given to a `flush`. */
  readonly pending: number;
  /** Rows added in all, and of them those that are gone. */
  readonly staged: number;
  readonly gone: number;
  /** Rows that the table holds once all is flushed. */
  readonly held: number;
  /** Takes back what these origins gave; all must be flushed. */
  forget(originIds: readonly string[]): Promise<void>;
  drop(): Promise<void>;
}

/** What the merge needs beside the record's own columns. */
const STAGING_COLUMNS = ["row_hash", "origin_id", "origin_line", "row_seq"] as const;

/** Text is turned into bytes in pieces of this many characters. */
const PIECE = 256 * 1024;

/** What stands for the digest of a record that is gone. */
export const GONE = "00000000-0000-0000-0000-000000000000";

/** How far a staging had come when it was looked at, so that another run can go on with it. */
export interface Staged {
  readonly staged: number;
  readonly gone: number;
  readonly held: number;
}

/**
 * A table for one record of one run; what an earlier attempt of the same run left is thrown away.
 */
export async function openStaging(
  store: Queryable,
  options: { readonly record: RecordDefinition; readonly runId: string },
): Promise<Staging> {
  const { record, runId } = options;
  const table = stagingTable(record, runId);
  await store.query(`DROP TABLE IF EXISTS ${table}`);
  // Autovacuum would only get in the way of a table that is dropped within minutes.
  await store.query(
    `CREATE UNLOGGED TABLE ${table} (${columnsSql(record)}) WITH (autovacuum_enabled = false)`,
  );
  return stagingIn(store, options, { staged: 0, gone: 0, held: 0 });
}

/**
 * Another run's table, from now on this one's: what was staged behind `staged` is thrown away.
 * False: it is not there or holds other rows than it should, as after the server's crash, which
 * empties unlogged tables; the transaction must then not be committed.
 */
export async function adoptStaging(
  tx: Transaction,
  options: {
    readonly record: RecordDefinition;
    readonly from: string;
    readonly runId: string;
    readonly staged: Staged;
  },
): Promise<boolean> {
  const { record, from, runId, staged } = options;
  const [was] = await tx.query("SELECT 1 WHERE to_regclass($1) IS NOT NULL", [
    stagingTable(record, from),
  ]);
  if (was === undefined) return false;
  const table = stagingTable(record, runId);
  // Waits for a COPY of the other run that is under way; its next one finds no table.
  await tx.query(
    `ALTER TABLE ${stagingTable(record, from)} RENAME TO ${quoted(stagingName(record, runId))}`,
  );
  await tx.affect(`DELETE FROM ${table} WHERE row_seq >= $1`, [staged.staged]);
  const [held] = await tx.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`);
  return held?.rows === staged.held;
}

/** Rows that a staging table holds; null: it is not there. */
export async function stagedRows(store: Queryable, { table }: Staging): Promise<number | null> {
  const [there] = await store.query("SELECT 1 WHERE to_regclass($1) IS NOT NULL", [table]);
  if (there === undefined) return null;
  const [held] = await store.query<{ rows: number }>(`SELECT count(*) AS rows FROM ${table}`);
  return held?.rows ?? null;
}

/** The staging of a table that is there, from where it stands. */
export function stagingIn(
  store: Queryable,
  { record, runId }: { readonly record: RecordDefinition; readonly runId: string },
  from: Staged,
): Staging {
  const table = stagingTable(record, runId);
  const names = [...Object.keys(record.fields).map(columnOf), ...STAGING_COLUMNS].map(quoted);
  const rows = buffered(store, `COPY ${table} (${names.join(", ")}) FROM STDIN`);
  const toText = rowText(record);
  let { staged, gone, held } = from;
  const add = (fields: string, digest: string, originId: string, line: number) => {
    rows.add(`${fields}${digest}\t${originId}\t${line}\t${staged}\n`);
    staged += 1;
    held += 1;
  };
  return {
    table,
    record,
    get pending() {
      return rows.pending;
    },
    get staged() {
      return staged;
    },
    get gone() {
      return gone;
    },
    get held() {
      return held;
    },
    add: (row, originId, line) => {
      const fields = toText(row);
      add(fields, rowDigest(fields), originId, line);
    },
    addGone: (key, originId, line) => {
      const named = record.key.map((name) => [name, key[name] ?? null] as const);
      add(toText(Object.fromEntries(named)), GONE, originId, line);
      gone += 1;
    },
    flush: rows.flush,
    forget: async (originIds) => {
      const taken = await store.query<{ gone: boolean }>(
        `DELETE FROM ${table} WHERE origin_id = ANY($1) RETURNING row_hash = '${GONE}' AS gone`,
        [originIds],
      );
      held -= taken.length;
      gone -= taken.filter((row) => row.gone).length;
    },
    drop: async () => {
      await rows.written().catch(() => undefined);
      await store.query(`DROP TABLE IF EXISTS ${table}`);
    },
  };
}

/** Lines of text on their way to the database, in pieces, one after another. */
function buffered(store: Queryable, copy: string) {
  let text = "";
  let pieces: Buffer[] = [];
  let pending = 0;
  let written: Promise<unknown> = Promise.resolve();
  return {
    get pending() {
      return pending;
    },
    written: () => written,
    add: (line: string) => {
      text += line;
      pending += 1;
      if (text.length < PIECE) return;
      pieces.push(Buffer.from(text));
      text = "";
    },
    flush: () => {
      if (pending === 0) return written.then(() => undefined);
      const taken = [...pieces, Buffer.from(text)];
      [text, pieces, pending] = ["", [], 0];
      const done = written.then(() => store.copyIn(copy, taken));
      written = done;
      return done.then(() => undefined);
    },
  };
}

function stagingTable(record: RecordDefinition, runId: string): string {
  return `staging.${quoted(stagingName(record, runId))}`;
}

function stagingName(record: RecordDefinition, runId: string): string {
  return `${record.table}_${runId.replaceAll("-", "")}`;
}

/** The types of the target's columns, without keys, defaults or constraints. */
function columnsSql(record: RecordDefinition): string {
  const fields = Object.entries(record.fields).map(
    ([name, field]) => `${quoted(columnOf(name))} ${columnType(field)}`,
  );
  return [
    ...fields,
    "row_hash uuid NOT NULL",
    "origin_id uuid NOT NULL",
    "origin_line int NOT NULL",
    "row_seq int NOT NULL",
  ].join(", ");
}
