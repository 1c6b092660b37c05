/**
 * A merchant small enough to start in a moment, with a hostile ERP: a database of its own on a
 * server that is not killed here, settings, masters pulled once, prices published, a key for the
 * shop.
 */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { readSettings } from "../../../src/config.ts";
import { openTradepost, type Tradepost } from "../../../src/main.ts";
import type { Store } from "../../../src/store/index.ts";
import { goLive } from "../../support/live.ts";
import {
  CONNECTORS,
  QUIET_SECONDS,
  startHostileErp,
  type ErpClass,
  type HostileErp,
} from "../../support/hostile-erp/index.ts";
import { openLaneStore } from "../lane-store.ts";

export const COMPANY = "PUSH";
export const ACCOUNTS = Array.from(
  { length: 12 },
  (_, at) => `A${String(at + 1).padStart(3, "0")}`,
);
/** Product and unit price. */
export const PRODUCTS: readonly (readonly [product: string, price: string])[] = [
  ["BRICK", "0.4750"],
  ["NAIL-65", "3.4500"],
  ["CEMENT", "6.2500"],
  ["SAND", "48.9000"],
  ["DOOR", "129.9900"],
  ["HINGE", "1.2345"],
];

export interface PushWorld extends AsyncDisposable {
  readonly folder: string;
  readonly settingsFile: string;
  readonly databaseUrl: string;
  readonly store: Store;
  readonly erp: HostileErp;
  /** Of the shop. */
  readonly apiKey: string;
  /** Tradepost opened here, where nothing is killed: for pulls and to look. */
  open<T>(work: (tradepost: Tradepost) => Promise<T>): Promise<T>;
}

export interface WorldDatabase extends AsyncDisposable {
  /** For whoever looks and pulls. */
  readonly store: Store;
  /** For the services; absent: the same. */
  readonly serviceUrl?: string;
}

export async function openPushWorld(
  erpClass: ErpClass,
  seed: number,
  openDatabase: () => Promise<WorldDatabase> = openLaneStore,
): Promise<PushWorld> {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-push-"));
  const shared = join(folder, "erp");
  await mkdir(join(shared, "out"), { recursive: true });
  const erp = await startHostileErp({ class: erpClass, seed, folder: shared });
  const database = await openDatabase();
  const settingsFile = join(folder, "tradepost.yaml");
  await writeFile(settingsFile, stringify(settingsOf(shared, erp)));
  await copyMappings(join(folder, "mappings", "few"));
  await writeMasters(join(shared, "out"));
  const { store } = database;
  const open = async <T>(work: (tradepost: Tradepost) => Promise<T>): Promise<T> => {
    const settings = { ...readSettings({ file: settingsFile }), databaseUrl: store.url };
    await using tradepost = await openTradepost(settings, { log: () => undefined });
    return await work(tradepost);
  };
  const apiKey = await open(setUp);
  return {
    folder,
    settingsFile,
    databaseUrl: database.serviceUrl ?? store.url,
    store,
    erp,
    apiKey,
    open,
    async [Symbol.asyncDispose]() {
      await erp[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** All waits are a few seconds, as all lags of this ERP are. */
const FAST = {
  giveUpAfterSeconds: 2,
  quietSeconds: QUIET_SECONDS,
  retryFirstSeconds: 1,
  retryLongestSeconds: 8,
  lookAfterSeconds: 5,
};

function settingsOf(folder: string, erp: HostileErp): unknown {
  const files = {
    connector: "csv",
    mappings: "few",
    settings: { folder, stableForMs: 0 },
  };
  const isFolder = erp.connection.connector === "csv";
  const orders = { ...erp.connection, mode: "live", mappings: "few" };
  return {
    connectorFolders: [CONNECTORS],
    mappingFolders: [join(folder, "..", "mappings")],
    http: { port: 0, bulkThreads: 0 },
    leaseSeconds: 2,
    companies: {
      [COMPANY]: {
        name: "Push",
        connections: isFolder ? { erp: { ...files, mode: "live" } } : { erp: orders, files },
        orders: {
          connection: "erp",
          checks: { stale: "accept" },
          ...FAST,
        },
      },
    },
  };
}

const SHIPPED = join(import.meta.dirname, "..", "..", "..", "mappings", "tradepost-csv");
const FEW = [
  "customer",
  "product",
  "price-rule",
  "order-acknowledgement",
  "erp-order",
  "erp-order-line",
  "sales-document",
  "sales-line",
  "web-order",
];

/** No more than is read here, without the examples: a killed service starts in less time. */
async function copyMappings(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of FEW)
    await copyFile(join(SHIPPED, `${name}.yaml`), join(folder, `${name}.yaml`));
}

async function writeMasters(out: string): Promise<void> {
  const write = (name: string, lines: readonly string[]) =>
    writeFile(join(out, `${name}-0.csv`), `${lines.join("\n")}\n`);
  await write("customers", ["account,name", ...ACCOUNTS.map((one) => `${one},Customer ${one}`)]);
  await write("products", ["product,name", ...PRODUCTS.map(([code]) => `${code},${code}`)]);
  await write("price-rules", [
    "rule,customerScope,productScope,productCode,kind,value",
    ...PRODUCTS.map(([code, price]) => `P-${code},everyone,product,${code},fixed,${price}`),
  ]);
}

/** Answers the shop's key. */
async function setUp(tradepost: Tradepost): Promise<string> {
  const company = await tradepost.company(COMPANY);
  await goLive(tradepost.store, COMPANY);
  const connection = "files" in company.settings.connections ? "files" : "erp";
  for (const { state, stream, notes } of await company.sync(connection, {}))
    if (state === "failed") throw new Error(`pulling ${stream} failed: ${notes.join(" ")}`);
  await tradepost.drain();
  const { secret } = await tradepost.access.createKey({
    company: COMPANY,
    name: "Shop",
    scopes: ["orders"],
    test: false,
    createdBy: "lane",
  });
  return secret;
}
