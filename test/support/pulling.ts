/** A company that pulls from a folder of CSV files, or from whatever a test scripts. */
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openConnection, type Connection } from "../../src/connections/index.ts";
import type { ReadEvent, Session, StreamDefinition } from "../../src/connector/index.ts";
import { openJobs } from "../../src/jobs/index.ts";
import { compileMapping, type Mapping } from "../../src/mapping/index.ts";
import type { Store } from "../../src/store/index.ts";
import {
  quarantineDesk,
  syncConnection,
  type QuarantineDesk,
  type RunResult,
  type Source,
  type SyncContext,
} from "../../src/sync/index.ts";

const SHIPPED = new URL("../../mappings/tradepost-csv/", import.meta.url);

/** The shipped mapping of a record, as a set of settings would name it. */
export async function shippedMapping(record: string): Promise<Mapping> {
  const file = `mappings/tradepost-csv/${record}.yaml`;
  return compileMapping({ file, text: await readFile(new URL(`${record}.yaml`, SHIPPED), "utf8") });
}

export interface Pulling {
  readonly company: string;
  /** Of the connection: `out/` and `archive/` are in it. */
  readonly folder: string;
  readonly context: SyncContext;
  readonly source: Source;
  readonly desk: QuarantineDesk;
  readonly logged: string[];
  /** Writes a file to `out/`; lines are joined with line ends. */
  write(name: string, ...lines: readonly string[]): Promise<void>;
  /** Files below the folder, but for archive days. */
  files(): Promise<readonly string[]>;
  sync(
    options?: Parameters<typeof syncConnection>[2],
    over?: Partial<Source>,
  ): Promise<RunResult[]>;
  /** The one run of one stream. */
  run(stream: string, options?: Parameters<typeof syncConnection>[2]): Promise<RunResult>;
  /** Columns of a canonical table, ordered, one text a row. */
  rows(table: string, ...columns: readonly string[]): Promise<string[]>;
  /** What waits: "origin:line field: found". */
  waiting(): Promise<string[]>;
  /** Jobs queued since it was last asked. */
  queued(): Promise<string[]>;
  pass(seconds: number): void;
}

let companies = 0;

export async function openPulling(
  store: Store,
  records: readonly string[],
  options: { readonly settings?: Readonly<Record<string, unknown>>; leaseSeconds?: number } = {},
): Promise<Pulling> {
  companies += 1;
  const company = `P${companies}`;
  const folder = await mkdtemp(join(tmpdir(), "tradepost-sync-"));
  await mkdir(join(folder, "out"));
  const jobs = await openJobs(store, { log: () => undefined });
  // Real seconds pass, from an evening of its own.
  const clock = { ahead: Temporal.Now.instant().until("2026-03-31T20:00:00Z") };
  const logged: string[] = [];
  const context: SyncContext = {
    store,
    company,
    jobs,
    now: () => Temporal.Now.instant().add(clock.ahead),
    log: (level, message) => void logged.push(`${level}: ${message}`),
    consumers: [
      { job: "follow.customers", records: ["customer", "site"] },
      { job: "follow.sales", records: ["sales-line"] },
    ],
    leaseSeconds: options.leaseSeconds ?? 30,
    timeZone: "Europe/London",
  };
  const connection = await openConnection({
    ...context,
    name: "erp",
    secret: () => null,
    settings: {
      connector: "csv",
      mode: "read-only",
      mappings: "tradepost-csv",
      settings: { folder, stableForMs: 0, ...options.settings },
    },
  });
  onTestFinished(async () => {
    await connection[Symbol.asyncDispose]();
    await jobs.close();
    await rm(folder, { recursive: true, force: true });
  });
  const mappings = await Promise.all(records.map(shippedMapping));
  const source = { connection, mappings, dropBrakePercent: 20 };
  const sync: Pulling["sync"] = (given, over) =>
    syncConnection(context, { ...source, ...over }, given);
  return {
    company,
    folder,
    context,
    source,
    desk: quarantineDesk(context, (id) => mappings.find((mapping) => mapping.id === id)),
    logged,
    write: (name, ...lines) => writeFile(join(folder, "out", name), `${lines.join("\r\n")}\r\n`),
    files: () => filesIn(folder),
    sync,
    run: async (stream, given) => only(await sync({ ...given, streams: [stream] })),
    rows: async (table, ...columns) => {
      const found = await store.query<{ row: string }>(
        `select concat_ws(' ', ${columns.join(", ")}) as row from ${table}
          where company = $1 order by 1`,
        [company],
      );
      return found.map(({ row }) => row);
    },
    waiting: () => waiting(store, company),
    queued: () => takeJobs(store, company),
    pass: (seconds) => {
      clock.ahead = clock.ahead.add({ seconds });
    },
  };
}

function only(results: readonly RunResult[]): RunResult {
  const [result] = results;
  if (result === undefined || results.length > 1)
    throw new Error(`expected one run: ${JSON.stringify(results.map(({ state }) => state))}`);
  return result;
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((path) => path.replace(/\/\d{4}-\d\d-\d\d\//, "/"))
    .sort();
}

async function waiting(store: Store, company: string): Promise<string[]> {
  const rows = await store.query<{ item: string }>(
    `select origin_name || ':' || line || ' ' || (problems -> 0 ->> 'field') || ': '
            || (problems -> 0 ->> 'found') as item
       from quarantine where company = $1 and state = 'open' order by 1`,
    [company],
  );
  return rows.map(({ item }) => item);
}

async function takeJobs(store: Store, company: string): Promise<string[]> {
  const rows = await store.query<{ name: string }>(
    "delete from pgboss.job where singleton_key = $1 returning name",
    [company],
  );
  return rows.map(({ name }) => name).sort();
}

/** A connection of one stream whose session is what a test says. */
export function connectionOf(
  stream: Omit<StreamDefinition, "about">,
  session: Omit<Session, typeof Symbol.asyncDispose>,
): Connection {
  return {
    name: "erp",
    mode: "read-only",
    streams: [{ about: "Scripted", ...stream }],
    session: { ...session, async [Symbol.asyncDispose]() {} },
    async [Symbol.asyncDispose]() {},
  };
}

/** A connection whose stream gives what a test says; `when` is called just before each event. */
export function scripted(
  reading: "snapshot" | "delta",
  stream: string,
  events: readonly ReadEvent[],
  over: Partial<Session> & { readonly when?: (event: ReadEvent) => Promise<void> } = {},
): Connection {
  const { when, ...session } = over;
  return connectionOf(
    { name: stream, reading },
    {
      async *read() {
        for (const event of events) {
          await when?.(event);
          yield event;
        }
      },
      ...session,
    },
  );
}
