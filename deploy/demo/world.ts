/**
 * The demo's world: a merchant, its simulated ERP behind a folder, and a Tradepost set up for it.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { Client } from "pg";
import { stringify } from "yaml";
import { start, type FaultPlan, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { createMerchant, type Merchant, type MerchantOptions } from "./merchant/index.ts";

export const COMPANY = "DEMO";
export const DEMO_PORT = 4600;

export interface World extends AsyncDisposable {
  readonly merchant: Merchant;
  readonly erp: Simulator;
  readonly tradepost: Tradepost;
  readonly company: CompanyServices;
  readonly folder: string;
  /** Settings file, for commands in another terminal. */
  readonly settingsFile: string;
  /** Lets days pass at the ERP; the clock of the demo follows. */
  passDays(days: number): ReturnType<Simulator["advance"]>;
}

export interface WorldOptions {
  readonly folder: string;
  readonly merchant?: MerchantOptions;
  readonly faults?: FaultPlan;
  readonly log: (line: string) => void;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const folder = resolve(options.folder);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "erp"), { recursive: true });
  const merchant = createMerchant(options.merchant);
  const erp = await start(merchant, {
    folder: join(folder, "erp"),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  const clock = simulatedClock(merchant.today);
  const settingsFile = join(folder, "tradepost.yaml");
  await writeSettings(settingsFile, merchant, clock.aheadSeconds());
  const settings = readSettings({ file: settingsFile });
  const database = await demoDatabase(settings.databaseUrl);
  const secret = (name: string) => settings.secret(name) ?? madeSecret(name);
  const own = { ...settings, databaseUrl: database?.url ?? null, secret };
  const tradepost = await openTradepost(own, {
    service: true,
    now: clock.now,
    log: (level, message) => {
      if (level !== "info") options.log(message);
    },
  });
  return {
    merchant,
    erp,
    tradepost,
    company: await tradepost.company(COMPANY),
    folder,
    settingsFile,
    async passDays(days) {
      const happened = await erp.advance(days);
      clock.setDay(happened.today);
      await writeSettings(settingsFile, merchant, clock.aheadSeconds());
      return happened;
    },
    async [Symbol.asyncDispose]() {
      await erp.close();
      await tradepost[Symbol.asyncDispose]();
      await database?.drop();
    },
  };
}

const PRICE_TOKENS = "price_tokens";

/** The demo signs its prices with a key of its own, made anew each time. */
const madeKey = crypto.randomUUID() + crypto.randomUUID();

function madeSecret(name: string): string | null {
  return name === PRICE_TOKENS ? madeKey : null;
}

/** Real seconds pass, but from 21:00 of the simulated day. */
function simulatedClock(today: string) {
  const evening = (day: string) =>
    Temporal.PlainDate.from(day)
      .toZonedDateTime({ timeZone: "Europe/London", plainTime: "21:00" })
      .toInstant();
  let ahead = Temporal.Now.instant().until(evening(today));
  return {
    now: () => Temporal.Now.instant().add(ahead),
    aheadSeconds: () => Math.round(ahead.total("seconds")),
    setDay: (day: string) => {
      ahead = Temporal.Now.instant().until(evening(day));
    },
  };
}

async function writeSettings(file: string, merchant: Merchant, ahead: number): Promise<void> {
  const plans = resolve(import.meta.dirname, "plans");
  const settings = {
    database: { folder: "database" },
    http: { port: DEMO_PORT },
    leaseSeconds: 3,
    demonstrationClockSeconds: ahead,
    companies: {
      [COMPANY]: {
        name: merchant.name,
        connections: {
          erp: {
            connector: "csv",
            mode: "live",
            mappings: "tradepost-csv",
            // The simulated ERP renames its files into place: none is ever half written.
            settings: { folder: join(dirname(file), "erp"), stableForMs: 0 },
          },
        },
        orders: { answerWithinHours: 48 },
        pricing: { tokens: { keys: [{ id: "demo", secret: PRICE_TOKENS }] } },
        sales: { channels: merchant.takenByChannels, completeFrom: merchant.opensOn },
        pay: {
          startOn: payStart(merchant),
          plans: {
            "new-and-repeat": join(plans, "new-and-repeat.yaml"),
            flat: join(plans, "flat.yaml"),
          },
        },
      },
    },
  };
  await writeFile(file, stringify(settings));
}

/** Pay over the last two of the three years; the first decides who is new. */
function payStart({ today }: Merchant): string {
  return Temporal.PlainDate.from(today).subtract({ years: 2 }).add({ days: 1 }).toString();
}

/** On a given server the demo makes a database of its own, so that it never meets anyone's data. */
async function demoDatabase(server: string | null) {
  if (server === null) return null;
  const name = `tradepost_demo_${crypto.randomUUID().slice(0, 8)}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await onServer(server, `create database ${name}`);
  return {
    url: url.href,
    drop: () => onServer(server, `drop database if exists ${name} with (force)`),
  };
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
