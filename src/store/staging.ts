/**
 * Where a run's mapped rows wait until all of a snapshot has been read: an unlogged table of its
 * own in the schema `staging`, filled by COPY. Rows get there in big pieces; nothing is awaited
 * per row.
 */
import { columnOf } from "../model/index.ts";
import type { AnyRecord, RecordDefinition } from "../model/index.ts";
import type { Queryable } from "./connection.ts";
import { rowDigest, rowText } from "./row-text.ts";
import { columnType, quoted } from "./table-sql.ts";

export interface Staging {
  /** Its table, quoted, with the schema. */
  readonly table: string;
  readonly record: RecordDefinition;
  /** Buffers a row; at most a few megabytes should wait for a `flush`. */
  add(record: AnyRecord, originId: string, line: number): void;
  /**
   * Writes what is buffered. May be called again before it is done: pieces are written in order.
   */
  flush(): Promise<void>;
  /** Rows buffered and not yet given to a `flush`. */
  readonly pending: number;
  /** Rows added in all. */
  readonly staged: number;
  drop(): Promise<void>;
}

/** What the merge needs beside the record's own columns. */
const STAGING_COLUMNS = ["row_hash", "origin_id", "origin_line", "row_seq"] as const;

/** Text is turned into bytes in pieces of this many characters. */
const PIECE = 256 * 1024;

/**
 * A table for one record of one run; what an earlier attempt of the same run left is thrown away.
 */
export async function openStaging(
  store: Queryable,
  options: { readonly record: RecordDefinition; readonly runId: string },
): Promise<Staging> {
  const { record } = options;
  const table = stagingTable(record, options.runId);
  await store.query(`DROP TABLE IF EXISTS ${table}`);
  // Autovacuum would only get in the way of a table that is dropped within minutes.
  await store.query(
    `CREATE UNLOGGED TABLE ${table} (${columnsSql(record)}) WITH (autovacuum_enabled = false)`,
  );
  const names = [...Object.keys(record.fields).map(columnOf), ...STAGING_COLUMNS].map(quoted);
  return staging(store, record, table, `COPY ${table} (${names.join(", ")}) FROM STDIN`);
}

function staging(store: Queryable, record: RecordDefinition, table: string, copy: string): Staging {
  const toText = rowText(record);
  let text = "";
  let pieces: Buffer[] = [];
  let pending = 0;
  let staged = 0;
  let written: Promise<unknown> = Promise.resolve();
  return {
    table,
    record,
    get pending() {
      return pending;
    },
    get staged() {
      return staged;
    },
    add: (row, originId, line) => {
      const fields = toText(row);
      text += `${fields}${rowDigest(fields)}\t${originId}\t${line}\t${staged}\n`;
      pending += 1;
      staged += 1;
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
    drop: async () => {
      await written.catch(() => undefined);
      await store.query(`DROP TABLE IF EXISTS ${table}`);
    },
  };
}

function stagingTable(record: RecordDefinition, runId: string): string {
  return `staging.${quoted(`${record.table}_${runId.replaceAll("-", "")}`)}`;
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
