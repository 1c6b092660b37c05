/**
 * F4. Resuming from every point of a pull, and cursors that are stale, from the future or corrupt:
 * the same rows in the end, and a loud error for the last two.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "../../connectors/csv/simulator/index.ts";
import { createMerchant, randomOf } from "../../deploy/demo/merchant/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type Tradepost } from "../../src/main.ts";
import { missing, PAGE_ROWS, RECORDS, SECRETS, writeSettings } from "./far-company.ts";
import { openFarSide } from "./far-side.ts";
import { openLaneStore } from "./lane-store.ts";
import type { Lane, LaneRow } from "./lane.ts";

const CLEAN = "CLEAN";
const BROKEN: Readonly<Record<string, unknown>> = {
  "another connector's": { name: "a.csv", sha256: "00", bytes: 1, keptAt: "a", files: 1 },
  "a text": "2026-03-31",
  "a list": [1, 2],
  "no value": { key: "1" },
  "a value of another type": { value: true, key: "1" },
  "a stamp that is none": { value: "the day before yesterday", key: "1" },
};
const FUTURE = { value: "2099-01-01T00:00:00.000Z", key: "1" };

export const cursors: Lane = async ({ seed, ci, say }) => {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-cursors-"));
  const size = ci
    ? { customers: 30, invoiceLines: 2_000 }
    : { customers: 200, invoiceLines: 30_000 };
  const erp = await start(createMerchant({ seed, ...size }), { folder });
  Object.assign(process.env, SECRETS);
  const before = process.env["DATABASE_URL"];
  try {
    await using far = await openFarSide(randomOf(seed, "cursors"), PAGE_ROWS);
    await using database = await openLaneStore();
    await far.take(join(folder, "out"));
    process.env["DATABASE_URL"] = database.store.url;
    const events = Math.ceil((far.rows("price-rules") + far.rows("sales-lines")) / PAGE_ROWS) + 8;
    const codes = Array.from({ length: events }, (_, at) => `AT${at + 1}`);
    const companies = Object.fromEntries([CLEAN, ...codes].map((code) => [code, "clean"] as const));
    const file = await writeSettings(folder, far.url, companies);
    await using tradepost = await openTradepost(readSettings({ file }), { log: () => undefined });
    await pulled(tradepost, CLEAN);
    say(`a pull broken off at each of ${events} batches and gone on with`);
    return [await resumed(tradepost, codes), ...(await strange(tradepost, codes))];
  } finally {
    if (before === undefined) delete process.env["DATABASE_URL"];
    else process.env["DATABASE_URL"] = before;
    await erp.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Until every stream has been read well; answers how many runs failed on the way. */
async function pulled(tradepost: Tradepost, code: string, breakAt = 0): Promise<number> {
  const company = await tradepost.company(code);
  let batches = 0;
  let said = "";
  for (let failures = 0; failures < 20;) {
    const results = await company.sync("erp", {
      progress: () => {
        batches += 1;
        if (batches === breakAt) throw new Error("broken off");
      },
    });
    const failed = results.filter(({ state }) => state === "failed" || state === "stopped");
    if (failed.length === 0) return failures;
    failures += failed.length;
    said = failed.map(({ stream, notes }) => `${stream}: ${notes.join(" ")}`).join("; ");
  }
  throw new Error(`the pulls of ${code} did not come to an end: ${said}`);
}

async function resumed(tradepost: Tradepost, codes: readonly string[]): Promise<LaneRow> {
  const [lost, extra]: [string[], string[]] = [[], []];
  let injected = 0;
  for (const [at, code] of codes.entries()) {
    injected += await pulled(tradepost, code, at + 1);
    for (const record of RECORDS) {
      lost.push(...(await missing(tradepost.store, record, CLEAN, code)));
      extra.push(...(await missing(tradepost.store, record, code, CLEAN)));
    }
  }
  const never = injected === 0 ? ["no pull was broken off"] : [];
  return rowOf("resume from every batch", injected, lost, extra, never);
}

/** Cursors put into the database by hand, each at a company that holds everything. */
async function strange(tradepost: Tradepost, codes: readonly string[]): Promise<LaneRow[]> {
  const [code = ""] = codes;
  const stale = await tradepost.store.query<{ cursor: unknown }>(
    `select cursor_after as cursor from run where company = $1 and stream = 'sales-lines'
        and cursor_after is not null order by started_at limit 5`,
    [code],
  );
  const rows: LaneRow[] = [];
  const [lost, extra]: [string[], string[]] = [[], []];
  const early = { value: "2026-01-01T00:00:01.000Z", key: "a" };
  const cursors = [...stale.map(({ cursor }) => cursor), early];
  for (const cursor of cursors) {
    await setCursor(tradepost, code, cursor);
    await pulled(tradepost, code);
    for (const record of RECORDS) {
      lost.push(...(await missing(tradepost.store, record, CLEAN, code)));
      extra.push(...(await missing(tradepost.store, record, code, CLEAN)));
    }
  }
  rows.push(rowOf("stale cursors", cursors.length, lost, extra, []));
  for (const [name, all] of Object.entries({ future: { FUTURE }, corrupt: BROKEN })) {
    const quiet: string[] = [];
    for (const [what, cursor] of Object.entries(all)) {
      await setCursor(tradepost, code, cursor);
      const said = await loud(tradepost, code);
      if (said !== null) quiet.push(`${name} cursor, ${what}: ${said}`);
    }
    rows.push(rowOf(`${name} cursors, told loudly`, Object.keys(all).length, quiet, [], []));
  }
  return rows;
}

async function setCursor(tradepost: Tradepost, code: string, cursor: unknown): Promise<void> {
  await tradepost.store.affect(
    `update stream_state set cursor = $2 where company = $1 and stream = 'sales-lines'`,
    [code, JSON.stringify(cursor)],
  );
}

/** Null: the run failed, said so, and left the cursor as it was. */
async function loud(tradepost: Tradepost, code: string): Promise<string | null> {
  const company = await tradepost.company(code);
  const [result] = await company.sync("erp", { streams: ["sales-lines"] });
  if (result?.state !== "failed" && result?.state !== "stopped")
    return `the run ended ${result?.state ?? "without a result"}`;
  return result.notes.join(" ").includes("cursor") ? null : `it says: ${result.notes.join(" ")}`;
}

function rowOf(
  experiment: string,
  injected: number,
  lost: readonly string[],
  extra: readonly string[],
  stuck: readonly string[],
): LaneRow {
  return {
    row: "F4",
    experiment,
    injected,
    lost: lost.length,
    duplicated: extra.length,
    stuck: stuck.length,
    unaccounted: 0,
    findings: [...lost, ...extra, ...stuck],
  };
}
