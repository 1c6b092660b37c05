/** A store opened: its server, its pool, its schema brought up to date. */
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type * as adapter from "@prisma/adapter-pg";
import { Pool } from "pg";
import type { PoolClient } from "pg";
import { copyOut, isPassing, queryable, reading, streamRows, transaction } from "./connection.ts";
import type { Queryable, Reading, Transaction, TransactionOptions } from "./connection.ts";
import { StoreError, reasonOf } from "./error.ts";
import type * as generated from "./generated/client.ts";
import { migrate } from "./migrate.ts";
import { enterOwnServer } from "./server/own.ts";
import type { OwnServer } from "./server/own.ts";
import { typeParsers } from "./values.ts";

type PrismaClient = generated.PrismaClient;

export interface StoreOptions {
  /** A PostgreSQL server, 15 or newer. Absent: an own one. */
  readonly url?: string;
  /** Where an own server keeps its files; default ".tradepost/data" under the working folder. */
  readonly dataFolder?: string;
  /** True for the one service of a data folder; a second one is refused. Commands leave it out. */
  readonly service?: boolean;
  /** Told in a sentence what takes time or moves (first start, restart); default: nobody. */
  readonly log?: (line: string) => void;
  /** Applies what is missing of the schema; default true. */
  readonly migrate?: boolean;
  /** Most connections at a time; default 10. */
  readonly connections?: number;
}

export interface Store extends Queryable, AsyncDisposable {
  /** With the password: never to be logged. */
  readonly url: string;
  /** Typed reads, and single rows where nothing else must commit with them. Loaded on first use. */
  readonly prisma: PrismaClient;
  /** On one connection; commits when `work` returns, rolls back when it throws. */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Big reads: batches (default 5,000 rows) of one moment, at a constant amount of memory. */
  stream<Row = Record<string, unknown>>(
    sql: string,
    values?: readonly unknown[],
    batch?: number,
  ): AsyncIterable<Row[]>;
  /** Statements that all see one moment, on one connection; they can write nothing. */
  reading<T>(work: (at: Reading) => Promise<T>): Promise<T>;
  /** `COPY … TO STDOUT`, about four times as fast as `stream`; the caller splits the bytes. */
  copyOut(sql: string): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const log = options.log ?? (() => undefined);
  const own =
    options.url === undefined
      ? await enterOwnServer({
          dataFolder: options.dataFolder ?? ".tradepost/data",
          service: options.service ?? false,
          log,
        })
      : undefined;
  const url = options.url ?? own?.url ?? "";
  const pool = openPool(url, options.connections ?? 10, own, log);
  const connect = connector(pool, own, log);
  try {
    await checkVersion(queryable(connect));
    if (options.migrate ?? true) await migrate(connect, log);
    return assemble({ url, pool, connect, own });
  } catch (error) {
    await pool.end();
    await own?.leave();
    throw error;
  }
}

interface Parts {
  readonly url: string;
  readonly pool: Pool;
  readonly connect: () => Promise<PoolClient>;
  readonly own: OwnServer | undefined;
}

function assemble({ url, pool, connect, own }: Parts): Store {
  let prisma: PrismaClient | undefined;
  let closing: Promise<void> | undefined;
  const close = async () => {
    await prisma?.$disconnect();
    await pool.end();
    await own?.leave();
  };
  return {
    ...queryable(connect),
    url,
    get prisma() {
      return (prisma ??= loadPrisma(url));
    },
    transaction: (work, options) => transaction(connect, work, options),
    stream: (sql, values = [], batch = 5000) => streamRows(connect, sql, values, batch),
    reading: (work) => reading(connect, work),
    copyOut: (sql) => copyOut(connect, sql),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  };
}

function openPool(
  url: string,
  connections: number,
  own: OwnServer | undefined,
  log: (line: string) => void,
): Pool {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    types: typeParsers,
    application_name: "tradepost",
    connectionTimeoutMillis: 30_000,
    keepAlive: true,
    options: "-c TimeZone=UTC -c DateStyle=ISO",
  });
  // One that breaks while it is in use tells whoever uses it next; the event is for nobody.
  pool.on("connect", (client) => {
    client.on("error", () => undefined);
  });
  // An idle connection that the server drops is an event, and one without a listener ends the
  // process.
  pool.on("error", (error) => {
    // Cut by the server's own stop on leaving: nothing was lost, and it must not be started again.
    if (pool.ending) return;
    log(`The database dropped a connection: ${error.message}`);
    if (own !== undefined) void revived(own, log);
  });
  return pool;
}

async function revived(own: OwnServer, log: (line: string) => void): Promise<void> {
  try {
    await own.revive();
  } catch (error) {
    log(reasonOf(error));
  }
}

const PATIENCE_MS = 30_000;

/**
 * A connection, waiting out a server that restarts; an own server that is gone is started again.
 */
function connector(pool: Pool, own: OwnServer | undefined, log: (line: string) => void) {
  return async (): Promise<PoolClient> => {
    const giveUpAt = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pool.connect();
      } catch (error) {
        if (!isPassing(error) || performance.now() >= giveUpAt) throw error;
        if (attempt === 1) log(`The database does not answer (${reasonOf(error)}); trying again.`);
        await own?.revive();
        await sleep(250);
      }
    }
  };
}

async function checkVersion(on: Queryable): Promise<void> {
  const [row] = await on.query<{ version: string; number: number }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number",
  );
  if (row !== undefined && row.number >= 150_000) return;
  throw new StoreError(
    "server-version",
    `Opening the database: the server is PostgreSQL ${row?.version}, and Tradepost needs 15 or newer.`,
  );
}

/** By `require`, so that a process that never asks for Prisma never pays for loading it. */
function loadPrisma(url: string): PrismaClient {
  const require = createRequire(import.meta.url);
  try {
    const client = require("./generated/client.ts") as typeof generated;
    const { PrismaPg } = require("@prisma/adapter-pg") as typeof adapter;
    return new client.PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) });
  } catch (error) {
    throw new StoreError(
      "client-missing",
      `Loading the database client: ${reasonOf(error)}. It is generated by the install: run ` +
        "`npm run generate` (or `npm ci` with scripts).",
      { cause: error },
    );
  }
}
