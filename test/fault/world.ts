/**
 * One world of the fault test: a merchant, its simulated ERP, settings and a database of their own.
 * The ERP lives in this process; Tradepost lives in workers, which come and are killed.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { ALL_FAULTS, start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import type { Merchant } from "../../deploy/demo/merchant/index.ts";
import { openStore, type Store } from "../../src/store/index.ts";
import type { PlannedOrder, Task } from "./worker.ts";

export const COMPANY = "FAULT";

export interface World {
  readonly name: string;
  readonly folder: string;
  readonly merchant: Merchant;
  readonly erp: Simulator;
  /** Of the server given by DATABASE_URL; null: the world has a server of its own. */
  readonly databaseUrl: string | null;
  /** Lets days pass at the ERP, and moves the workers' clock along. */
  passDays(days: number): ReturnType<Simulator["advance"]>;
  /** Writes down what the next worker shall do; answers the file. */
  task(orders: readonly PlannedOrder[]): Promise<string>;
  /** To look at the database; starts an own server that does not run, and stops it on closing. */
  look(): Promise<Store>;
  /** Of the database, without joining its users; null: no server runs yet. */
  url(): Promise<string | null>;
  /** The own server's process; null: none was started, or it is not ours. */
  postmaster(): Promise<number | null>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly name: string;
  readonly folder: string;
  readonly merchant: Merchant;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { name, merchant } = options;
  const folder = join(options.folder, name);
  await mkdir(join(folder, "erp", "orders", ".journal"), { recursive: true });
  const erp = await start(merchant, { folder: join(folder, "erp"), faults: ALL_FAULTS });
  const database = await ownDatabase(name);
  const dataFolder = join(folder, "database");
  const look = () =>
    openStore({
      ...(database === null ? { dataFolder } : { url: database.url }),
      migrate: false,
      connections: 2,
    });
  await writeSettings(folder, merchant, merchant.today);
  return {
    name,
    folder,
    merchant,
    erp,
    databaseUrl: database?.url ?? null,
    async passDays(days) {
      const happened = await erp.advance(days);
      await writeSettings(folder, merchant, happened.today);
      return happened;
    },
    async task(orders) {
      const file = join(folder, "task.json");
      const settings = join(folder, "tradepost.yaml");
      await writeFile(file, JSON.stringify({ settings, company: COMPANY, orders } satisfies Task));
      return file;
    },
    look,
    url: () => (database === null ? readUrl(dataFolder) : Promise.resolve(database.url)),
    postmaster: () => (database === null ? readPostmaster(dataFolder) : Promise.resolve(null)),
    async close() {
      await erp.close();
      // The last to leave stops an own server, also one that a killed worker left behind.
      if (database === null) await (await look()).close();
      await database?.drop();
      await removeFolders(folder, dataFolder);
    },
  };
}

/** Real seconds pass, but from 21:00 of the simulated day. */
async function writeSettings(folder: string, merchant: Merchant, today: string): Promise<void> {
  const evening = Temporal.PlainDate.from(today)
    .toZonedDateTime({ timeZone: "Europe/London", plainTime: "21:00" })
    .toInstant();
  const settings = {
    database: { folder: "database" },
    leaseSeconds: 2,
    demonstrationClockSeconds: Math.round(Temporal.Now.instant().until(evening).total("seconds")),
    companies: {
      [COMPANY]: {
        name: merchant.name,
        connections: {
          erp: {
            connector: "csv",
            mode: "live",
            mappings: "tradepost-csv",
            // The simulated ERP renames its files into place: none is ever half written.
            settings: { folder: join(folder, "erp"), stableForMs: 0 },
          },
        },
        // A sender that is killed has seconds to be gone, and a doubt does not outlive the lane.
        orders: {
          answerWithinHours: 72,
          giveUpAfterSeconds: 2,
          quietSeconds: 0.5,
          retryFirstSeconds: 0.5,
          retryLongestSeconds: 5,
          lookAfterSeconds: 2,
        },
        sales: { channels: merchant.takenByChannels, completeFrom: merchant.opensOn },
      },
    },
  };
  await writeFile(join(folder, "tradepost.yaml"), stringify(settings));
}

/** On a given server each world has a database of its own. */
async function ownDatabase(world: string) {
  const server = process.env["DATABASE_URL"] || null;
  if (server === null) return null;
  const name = `tradepost_fault_${world}_${process.pid}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await onServer(server, `CREATE DATABASE ${name}`);
  return {
    url: url.href,
    drop: () => onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

async function onServer(url: string, sql: string): Promise<void> {
  await using admin = await openStore({ url, migrate: false, connections: 1 });
  await admin.query(sql);
}

/** Where the own server keeps its files: in its folder, or where a note in it says. */
async function homeOf(dataFolder: string): Promise<string> {
  const note = await readFile(join(dataFolder, "location.txt"), "utf8").catch(() => dataFolder);
  return note.trim();
}

async function readUrl(dataFolder: string): Promise<string | null> {
  const home = await homeOf(dataFolder);
  const read = (name: string) => readFile(join(home, name), "utf8").catch(() => "");
  const password = (await read("password")).trim();
  const [, , , port = ""] = (await read("postgres/postmaster.pid")).split("\n");
  if (password === "" || port === "") return null;
  return `postgresql://tradepost:${password}@127.0.0.1:${port}/tradepost`;
}

async function readPostmaster(dataFolder: string): Promise<number | null> {
  const file = join(await homeOf(dataFolder), "postgres", "postmaster.pid");
  const pid = Number((await readFile(file, "utf8").catch(() => "")).split("\n")[0]);
  return pid > 0 ? pid : null;
}

async function removeFolders(folder: string, dataFolder: string): Promise<void> {
  const home = await homeOf(dataFolder);
  if (home !== dataFolder) await rm(home, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
}
