/** One shape for a pool and for a transaction's connection: SQL in, rows out, COPY both ways. */
import { hash } from "node:crypto";
import { Readable, type Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Client, PoolClient } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { copyRows } from "./copy-frames.ts";
import type { RowBytes } from "./copy-frames.ts";
import { StoreError, codeOf } from "./error.ts";
import { parameters } from "./values.ts";

/** Pieces of COPY text; rows may be cut anywhere between two pieces. */
export type CopyChunks = AsyncIterable<Buffer | string> | Iterable<Buffer | string>;

export interface Queryable {
  /**
   * Rows of a statement. numeric and date arrive as text, timestamptz as Temporal.Instant, int8 as
   * a number, jsonb as its value. A JSON array must be given as JSON text: an array is a SQL
   * array.
   */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** The same for a text that is sent again and again: each connection plans it once. */
  prepared<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Works that do not hang on one another: in a pipelined transaction their first statements go out
   * together, and are run in this order; in another one they are done one after another.
   */
  atOnce<Results extends readonly unknown[]>(...works: Works<Results>): Promise<Results>;
  /** How many rows a statement wrote. */
  affect(sql: string, values?: readonly unknown[]): Promise<number>;
  /** `COPY … FROM STDIN`; how many rows it took. */
  copyIn(sql: string, chunks: CopyChunks): Promise<number>;
}

export type Works<Results extends readonly unknown[]> = {
  readonly [At in keyof Results]: () => Promise<Results[At]>;
};

export interface Transaction extends Queryable {
  /** What pg-boss takes as its `db` option, so that a job is queued by this very commit. */
  readonly executor: {
    executeSql(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
  };
  /** Called when this has been committed: for hints that may get lost, such as waking a worker. */
  afterCommit(hint: () => void): void;
}

/** A connection taken for one piece of work; `connect` waits for a server that is restarting. */
export type Connect = () => Promise<PoolClient>;

/** The server ended the connection instead of answering: a lone statement was not committed. */
const ENDED = "57P01";

export function queryable(connect: Connect): Queryable {
  const using = async <T>(work: (on: Queryable) => Promise<T>): Promise<T> => {
    const client = await connect();
    let fault: unknown;
    try {
      return await work(onClient(client));
    } catch (error) {
      fault = error;
      throw error;
    } finally {
      client.release(isBroken(fault));
    }
  };
  const again = async <T>(work: (on: Queryable) => Promise<T>): Promise<T> => {
    try {
      return await using(work);
    } catch (error) {
      if (codeOf(error) !== ENDED) throw error;
      return using(work);
    }
  };
  return {
    query: (sql, values) => again((on) => on.query(sql, values)),
    prepared: (sql, values) => again((on) => on.prepared(sql, values)),
    atOnce: oneByOne,
    affect: (sql, values) => again((on) => on.affect(sql, values)),
    copyIn: (sql, chunks) => using((on) => on.copyIn(sql, chunks)),
  };
}

async function oneByOne<Results extends readonly unknown[]>(
  ...works: Works<Results>
): Promise<Results> {
  const results: unknown[] = [];
  for (const work of works) results.push(await work());
  return results as unknown as Results;
}

/** All have ended before it does, so that nothing is under way when a transaction ends. */
async function together<Results extends readonly unknown[]>(
  ...works: Works<Results>
): Promise<Results> {
  const results = await Promise.allSettled(works.map((work) => work()));
  const failed = results.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return results.map((result) =>
    result.status === "fulfilled" ? result.value : undefined,
  ) as unknown as Results;
}

/** The same, their first statements in one write: a call to the system each costs most of one. */
function inOneWrite(client: PoolClient): Queryable["atOnce"] {
  return <Results extends readonly unknown[]>(...works: Works<Results>) => {
    inOneTurn(client);
    return together<Results>(...works);
  };
}

/** What is sent from now on until somebody waits for an answer goes out together. */
function inOneTurn(client: PoolClient): void {
  const { stream } = (client as PoolClient & { readonly connection: { readonly stream: Duplex } })
    .connection;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

export interface TransactionOptions {
  /**
   * Statements are sent without waiting for the answers of those before, the first ones with the
   * BEGIN: they may lock and look, and must not write. It is never begun anew on another
   * connection. Nothing can be copied in it.
   */
  readonly pipelined?: boolean;
}

/** `pg` has it as a setting of a connection; it may change while nothing is under way. */
type Pipelining = PoolClient & { pipeline: boolean };

/** BEGIN, the work, COMMIT; ROLLBACK when the work throws. */
export async function transaction<T>(
  connect: Connect,
  work: (tx: Transaction) => Promise<T>,
  { pipelined = false }: TransactionOptions = {},
): Promise<T> {
  const client = pipelined ? await connect() : await begun(connect, "BEGIN");
  (client as Pipelining).pipeline = pipelined;
  const tx = transactionOn(client, pipelined);
  let fault: unknown;
  try {
    const begin = pipelined ? beginWith(client, tx) : null;
    const [result] = await Promise.all([work(tx), begin]);
    tx.end();
    await commit(client);
    for (const hint of tx.hints) hint();
    return result;
  } catch (error) {
    fault = error;
    tx.end();
    await client.query("ROLLBACK").catch((lost: unknown) => (fault = lost));
    throw error;
  } finally {
    (client as Pipelining).pipeline = false;
    client.release(isBroken(fault));
  }
}

/** Where it fails nothing more is sent: it would be run outside a transaction. */
async function beginWith(client: PoolClient, tx: OpenTransaction): Promise<void> {
  inOneTurn(client);
  await client.query("BEGIN").catch((error: unknown) => {
    tx.end();
    throw error;
  });
}

/** Statements that all see the database as it was at one moment. */
export interface Reading {
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /** `COPY … TO STDOUT`, a call a row; what `row` is given it must not keep. */
  copyRows(sql: string, row: RowBytes): Promise<void>;
}

/** Reads of one moment, whatever is written meanwhile. Writes nothing. */
export async function reading<T>(connect: Connect, work: (at: Reading) => Promise<T>): Promise<T> {
  const client = await begun(connect, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  let fault: unknown;
  try {
    const on = onClient(client);
    return await work({
      query: (sql, values) => on.query(sql, values),
      copyRows: (sql, row) => copyRows(client, sql, row),
    });
  } catch (error) {
    fault = error;
    throw error;
  } finally {
    await client.query("ROLLBACK").catch((lost: unknown) => (fault = lost));
    client.release(isBroken(fault));
  }
}

/** Rows in batches through a cursor, all of one moment, whatever is written meanwhile. */
export async function* streamRows<Row>(
  connect: Connect,
  sql: string,
  values: readonly unknown[],
  batch: number,
): AsyncGenerator<Row[], void, undefined> {
  const client = await begun(connect, "BEGIN READ ONLY");
  let fault: unknown;
  try {
    await client.query(`DECLARE rows NO SCROLL CURSOR FOR ${sql}`, parameters(values));
    for (;;) {
      const { rows } = await client.query(`FETCH ${Math.trunc(batch)} FROM rows`);
      if (rows.length > 0) yield rows;
      if (rows.length < batch) return;
    }
  } catch (error) {
    fault = error;
    throw error;
  } finally {
    await client.query("ROLLBACK").catch((lost: unknown) => (fault = lost));
    client.release(isBroken(fault));
  }
}

/**
 * The pool may hand out a connection that just died; until it has begun, another one does as well.
 */
async function begun(connect: Connect, begin: string): Promise<PoolClient> {
  for (let attempt = 1; ; attempt += 1) {
    const client = await connect();
    try {
      await client.query(begin);
      return client;
    } catch (error) {
      client.release(true);
      if (attempt === 3 || !isPassing(error)) throw error;
    }
  }
}

/** `COPY … TO STDOUT` as it comes: the fastest way out of PostgreSQL. */
export async function* copyOut(connect: Connect, sql: string): AsyncGenerator<Buffer> {
  const client = await connect();
  let whole = false;
  try {
    for await (const chunk of client.query(copyTo(sql))) yield chunk;
    whole = true;
  } finally {
    // Left early the connection is still sending; it is of no use to anybody.
    client.release(!whole);
  }
}

export function onClient(client: Client | PoolClient): Queryable {
  return {
    query: async <Row>(sql: string, values: readonly unknown[] = []) =>
      (await client.query(sql, parameters(values))).rows as Row[],
    prepared: async <Row>(text: string, values: readonly unknown[] = []) =>
      (await client.query({ name: statementName(text), text, values: parameters(values) }))
        .rows as Row[],
    atOnce: oneByOne,
    affect: async (sql, values = []) => (await client.query(sql, parameters(values))).rowCount ?? 0,
    copyIn: async (sql, chunks) => {
      const target = client.query(copyFrom(sql));
      await pipeline(Readable.from(chunks), target);
      return target.rowCount;
    },
  };
}

interface OpenTransaction extends Transaction {
  readonly hints: readonly (() => void)[];
  end(): void;
}

const statementNames = new Map<string, string>();

function statementName(text: string): string {
  const known = statementNames.get(text);
  if (known !== undefined) return known;
  const name = `tradepost_${hash("sha256", text, "hex").slice(0, 24)}`;
  statementNames.set(text, name);
  return name;
}

/**
 * A transaction that was let out of its `work` must not write on a connection that is another's
 * now.
 */
function transactionOn(client: PoolClient, pipelined: boolean): OpenTransaction {
  const on = onClient(client);
  const hints: (() => void)[] = [];
  let ended = false;
  const guarded = <T>(work: () => Promise<T>): Promise<T> =>
    ended ? Promise.reject(endedError()) : work();
  return {
    query: (sql, values) => guarded(() => on.query(sql, values)),
    prepared: (sql, values) => guarded(() => on.prepared(sql, values)),
    atOnce: pipelined ? inOneWrite(client) : oneByOne,
    affect: (sql, values) => guarded(() => on.affect(sql, values)),
    copyIn: (sql, chunks) => guarded(() => on.copyIn(sql, chunks)),
    executor: {
      // Prepared: pg-boss sends few texts, often, and planning one costs more than running it.
      executeSql: (text, values = []) =>
        guarded(async () => client.query({ name: statementName(text), text, values })),
    },
    afterCommit: (hint) => void hints.push(hint),
    hints,
    end: () => {
      ended = true;
    },
  };
}

function endedError(): StoreError {
  return new StoreError(
    "closed",
    "Using a transaction after it ended: await every statement inside the function given to " +
      "store.transaction.",
  );
}

/** PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error. */
async function commit(client: PoolClient): Promise<void> {
  const { command } = await client.query("COMMIT");
  if (command === "COMMIT") return;
  throw new StoreError(
    "commit-lost",
    "Committing a transaction: PostgreSQL rolled it back, because a statement in it had failed and " +
      "the error was caught. Let the error out of store.transaction, nothing was written.",
  );
}

/** A connection is thrown away, not reused, when it was cut or the server ended it. */
function isBroken(fault: unknown): boolean {
  if (fault === undefined) return false;
  const code = codeOf(fault);
  if (code === "") return !(fault instanceof StoreError);
  return !/^[0-9A-Z]{5}$/.test(code) || /^(?:08|57P)/.test(code);
}

/**
 * Connection faults that pass by themselves: a server starting, stopping or restarting, or one that
 * has no connection left just now (53300).
 */
export function isPassing(error: unknown): boolean {
  if (PASSING.has(codeOf(error))) return true;
  // What `pg` says of a connection that was cut has no code.
  return error instanceof Error && /^Connection terminated|not queryable/.test(error.message);
}

const PASSING: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "53300",
  "57P01",
  "57P02",
  "57P03",
]);
