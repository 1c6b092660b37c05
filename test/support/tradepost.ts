/**
 * The command line as a person has it: the real program in a process apart, over a test's own
 * database and the export files of a small simulated merchant.
 */
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { stringify } from "yaml";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant, type Merchant } from "../../deploy/demo/merchant/index.ts";
import type { Store } from "../../src/store/index.ts";
import { openCommands, outcome, ROOT, type Said } from "./commands.ts";
import { useDatabase } from "./database.ts";
import { goLive } from "./live.ts";

export type { Said } from "./commands.ts";

export interface TestMerchant {
  readonly merchant: Merchant;
  readonly erp: Simulator;
  readonly store: Store;
  /** The merchant's exports, settings and plans. */
  readonly folder: string;
  /** The program with these words; `env` adds to what it sees. */
  run(words: readonly string[], env?: Readonly<Record<string, string>>): Promise<Said>;
  /** The same in a process of its own, which ends with it. */
  runAlone(words: readonly string[]): Promise<Said>;
  /** Its answer to `--json`. */
  json<Data>(...words: string[]): Promise<Data>;
  /** Left running; the test stops it. */
  begin(...words: string[]): ChildProcess;
  /** Writes another settings file beside, and answers its path. */
  settings(name: string, text: string): string;
}

/** The settings that `run` and `json` work with. */
export const SETTINGS = "tradepost.yaml";

export function useTradepost(): TestMerchant {
  const database = useDatabase();
  const folder = mkdtempSync(join(tmpdir(), "tradepost-cli-"));
  const merchant = createMerchant({ customers: 30, products: 60, invoiceLines: 600, reps: 3 });
  const commands = openCommands();
  let erp: Simulator | undefined;
  const settings = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(async () => {
    const faults = { "bad-rows": 0, "broken-invoice-line": 0 };
    erp = await start(merchant, { folder: join(folder, "erp"), faults });
    settings(SETTINGS, stringify(settingsOf(merchant, folder)));
    await goLive(database.store, "HARROW");
  });
  afterAll(async () => {
    await commands.close();
    await erp?.close();
    rmSync(folder, { recursive: true });
  });
  const envWith = (env: Readonly<Record<string, string>> = {}) => ({
    ...process.env,
    npm_lifecycle_event: "",
    DATABASE_URL: database.store.url,
    ...env,
  });
  const withSettings = (words: readonly string[]) =>
    words.includes("--settings") ? words : ["--settings", join(folder, SETTINGS), ...words];
  const run: TestMerchant["run"] = (words, env) => commands.run(withSettings(words), envWith(env));
  const begin = (words: readonly string[]) => commands.begin(withSettings(words), envWith());
  return {
    merchant,
    get erp() {
      if (erp === undefined) throw new Error("The simulated ERP is there only while tests run.");
      return erp;
    },
    get store() {
      return database.store;
    },
    folder,
    run,
    runAlone: (words) => outcome(begin(words)),
    json: async <Data>(...words: string[]) =>
      JSON.parse((await run([...words, "--json"])).out) as Data,
    begin: (...words) => begin(words),
    settings,
  };
}

export function settingsOf(merchant: Merchant, folder: string) {
  const plans = join(ROOT, "deploy", "demo", "plans");
  return {
    http: { port: 0 },
    companies: {
      HARROW: {
        name: merchant.name,
        connections: {
          erp: {
            connector: "csv",
            mode: "live",
            mappings: "tradepost-csv",
            settings: { folder: join(folder, "erp"), stableForMs: 0 },
          },
        },
        sales: { channels: merchant.takenByChannels, completeFrom: merchant.opensOn },
        pay: {
          startOn: "2024-07-01",
          plans: {
            "new-and-repeat": join(plans, "new-and-repeat.yaml"),
            flat: join(plans, "flat.yaml"),
          },
        },
      },
    },
  };
}
