/**
 * The pulling process: each file named on standard input becomes a pull through the real connector,
 * mapping, staging and merge, timed here.
 */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";
import { asked, tell } from "./process.ts";

export const COMPANY = "BENCH";

export interface Pulled {
  readonly seconds: number;
  /** CPU of this process meanwhile, the database's not counted. */
  readonly cpuSeconds: number;
  readonly rows: number;
  readonly state: string;
  readonly inserted: number;
  readonly updated: number;
  readonly removed: number;
  readonly unchanged: number;
  /** High-water mark of the process so far, and before the first pull. */
  readonly peakMb: number;
  readonly idleMb: number;
}

if (process.argv[1] === import.meta.filename) await pullWhatIsAsked(process.argv[2] ?? "");

async function pullWhatIsAsked(folder: string): Promise<void> {
  const settings = readSettings({ file: await benchSettings(folder) });
  await using tradepost = await openTradepost(settings, { log: () => undefined });
  const company = await tradepost.company(COMPANY);
  const idleMb = peakMb();
  let files = 0;
  for await (const file of asked()) {
    if (typeof file !== "string") break;
    files += 1;
    await copyFile(file, join(folder, "erp", "out", `price-rules-${files}.csv`));
    const cpu = process.cpuUsage();
    const since = performance.now();
    const [run] = await company.sync("erp", { streams: ["price-rules"] });
    const seconds = (performance.now() - since) / 1000;
    const used = process.cpuUsage(cpu);
    if (run === undefined || !["published", "unchanged"].includes(run.state))
      throw new Error(`the pull of ${file} was not published: ${JSON.stringify(run?.notes)}`);
    const counts = Object.values(run.records)[0];
    tell({
      seconds,
      cpuSeconds: (used.user + used.system) / 1e6,
      rows: run.rows.read,
      state: run.state,
      inserted: counts?.inserted ?? 0,
      updated: counts?.updated ?? 0,
      removed: counts?.removed ?? 0,
      unchanged: counts?.unchanged ?? 0,
      peakMb: peakMb(),
      idleMb,
    } satisfies Pulled);
  }
}

function peakMb(): number {
  return process.resourceUsage().maxRSS / 1024;
}

/** Settings of a company behind a folder of files. The database is the environment's. */
export async function benchSettings(
  folder: string,
  more: { readonly database?: string; readonly port?: number; readonly company?: string } = {},
): Promise<string> {
  await mkdir(join(folder, "erp", "out"), { recursive: true });
  const file = join(folder, "tradepost.yaml");
  await writeFile(
    file,
    stringify({
      ...(more.database === undefined ? {} : { database: { folder: more.database } }),
      ...(more.port === undefined ? {} : { http: { port: more.port } }),
      companies: {
        [more.company ?? COMPANY]: {
          name: "The bench",
          vat: { STANDARD: "20" },
          connections: {
            erp: {
              connector: "csv",
              mappings: "tradepost-csv",
              settings: { folder: join(folder, "erp"), stableForMs: 0 },
            },
          },
        },
      },
    }),
  );
  return file;
}
