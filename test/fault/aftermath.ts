/** What a kill leaves, as the database and the folders tell right after it. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Ended } from "./child.ts";
import { COMPANY, type World } from "./world.ts";

interface Left {
  readonly running: number;
  /** Files that were applied. */
  readonly applied: readonly string[];
  readonly jobs: readonly string[];
  readonly sending: number;
}

/** `isLast`: whether a mark is that of a file's last rows. */
export async function whereItStruck(
  world: World,
  { marks }: Ended,
  isLast: (mark: string) => boolean,
): Promise<string> {
  const last = marks.at(-1)?.name ?? "starting";
  const [word = ""] = last.split(" ");
  const left = await lookAt(world);
  if (left === null) return "while the database was started";
  const erp = join(world.folder, "erp");
  if ((await readdir(join(erp, "orders", ".staged")).catch(() => [])).length > 0)
    return "inside the drop of an order";
  if (left.sending > 0) return "between two steps of a delivery";
  const waiting = await readdir(join(erp, "out"));
  if (waiting.some((name) => left.applied.includes(name))) return "between commit and archive";
  if (left.running > 0) return isLast(last) ? "publishing a run" : "staging a run";
  const [job] = left.jobs;
  if (job !== undefined) return `in the job ${job}`;
  return `in the step "${word}"`;
}

/**
 * The ERP takes an order when it sees its header: at every moment the rest of it must be there
 * then, as its manifest says.
 */
export async function ordersInPart({ folder }: World): Promise<string[]> {
  const orders = join(folder, "erp", "orders");
  const names = await readdir(orders);
  const found: string[] = [];
  for (const name of names.filter((each) => /^F-[^.]*(?<!-lines)\.csv$/.test(each))) {
    const number = name.slice(0, -".csv".length);
    const manifest = await readFile(join(orders, `${number}.manifest.json`), "utf8").catch(
      () => "{}",
    );
    const { files = [] } = JSON.parse(manifest) as {
      files?: readonly { readonly name: string; readonly sha256: string }[];
    };
    for (const wanted of [`${number}-lines.csv`, name]) {
      const content = await readFile(join(orders, wanted)).catch(() => Buffer.alloc(0));
      const sha256 = createHash("sha256").update(content).digest("hex");
      if (!files.some((file) => file.name === wanted && file.sha256 === sha256))
        found.push(`the header of ${number} was there, and ${wanted} was not as promised`);
    }
  }
  return found;
}

/** Null: no database or no schema yet. */
async function lookAt(world: World): Promise<Left | null> {
  const url = await world.url();
  if (url === null) return null;
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Left>(
      `select (select count(*)::int from run where company = $1 and state = 'running') as running,
              (select coalesce(array_agg(name), '{}') from origin
                where company = $1 and applied_at is not null) as applied,
              (select coalesce(array_agg(name), '{}') from pgboss.job
                where state = 'active' and name not like '\\_\\_pgboss%') as jobs,
              (select count(*)::int from web_order where company = $1 and state = 'sending') as sending`,
      [COMPANY],
    );
    return rows[0] ?? null;
  } catch {
    return null;
  } finally {
    await client.end().catch(() => undefined);
  }
}
