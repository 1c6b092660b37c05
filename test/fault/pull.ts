/**
 * F2. Pulls over HTTP from a far side that misbehaves on a quarter of its answers and is edited
 * while it is read; the pulling process is killed with SIGKILL at random moments. Whatever
 * happened, the end must be the same rows as those of a company that pulled from the quiet far
 * side, every run's sums must hold, and no price rule may be seen before its run is whole.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { start } from "../../connectors/csv/simulator/index.ts";
import { createMerchant, randomOf, type Random } from "../../deploy/demo/merchant/index.ts";
import type { Store } from "../../src/store/index.ts";
import { kill, running } from "./child.ts";
import { missing, PAGE_ROWS, RECORDS, SECRETS, writeSettings } from "./far-company.ts";
import { openFarSide, STREAMS, type FarSide } from "./far-side.ts";
import { openLaneStore } from "./lane-store.ts";
import type { Lane, LaneOptions, LaneRow } from "./lane.ts";

const CLEAN = "CLEAN";
const FAULTY = "FAULTY";
const WORKER = join(import.meta.dirname, "pull-worker.ts");
/** Longest that one process may take before it counts as stuck. */
const PATIENCE_MS = 180_000;
interface Size {
  readonly kills: number;
  readonly customers: number;
  readonly invoiceLines: number;
  readonly priceRules: number;
}
const SMALL: Size = { kills: 50, customers: 120, invoiceLines: 12_000, priceRules: 6_000 };
const LARGE: Size = { kills: 500, customers: 600, invoiceLines: 130_000, priceRules: 60_000 };

interface Trial {
  readonly random: Random;
  readonly far: FarSide;
  readonly store: Store;
  readonly settings: string;
  readonly say: LaneOptions["say"];
  readonly struck: number[];
  /** What was seen that must not be. */
  readonly lost: string[];
  readonly stuck: string[];
}

export const pull: Lane = async ({ seed, ci, kills, say }) => {
  const size = { ...(ci ? SMALL : LARGE), ...(kills === undefined ? {} : { kills }) };
  const folder = await mkdtemp(join(tmpdir(), "tradepost-pull-"));
  const random = randomOf(seed, "pull");
  const erp = await start(createMerchant({ seed, ...size }), { folder });
  try {
    await using far = await openFarSide(random, PAGE_ROWS);
    await using database = await openLaneStore();
    await far.take(join(folder, "out"));
    const { store } = database;
    const settings = await writeSettings(folder, far.url, { [CLEAN]: "clean", [FAULTY]: "faulty" });
    const trial: Trial = { random, far, store, settings, say, struck: [], lost: [], stuck: [] };
    say(STREAMS.map(({ name }) => `${far.rows(name)} ${name}`).join(", "));
    for (let day = 0; day === 0 || (trial.struck.length < size.kills && day < 40); day += 1) {
      if (day > 0) {
        await erp.advance(1);
        await far.take(join(folder, "out"));
      }
      await killed(trial, day, Math.ceil(size.kills * Math.min(1, (day + 1) / 4)));
    }
    return [await judged(trial, size)];
  } finally {
    await erp.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** One day of pulls, killed until so many kills have struck in all, and then let to its end. */
async function killed(trial: Trial, day: number, until: number): Promise<void> {
  const { far, random, struck, say } = trial;
  far.disturb(true);
  while (struck.length < until) {
    // After the start of a pull: most kills strike while rows come, some while they are published.
    const ended = await work(trial, FAULTY, {
      afterRows: random.whole(1, day === 0 ? 60 : 18),
      delayMs: random.whole(0, 120),
    });
    if (ended === "killed") struck.push(1);
    await looks(trial);
    if (ended === "well") break;
  }
  far.disturb(false);
  const ended = await work(trial, FAULTY, null);
  if (ended !== "well") trial.stuck.push(`pulls did not come to an end: ${ended}`);
  say(`${struck.length} kills so far`);
}

interface Aim {
  /** After so many lines of progress, or less when there are not so many. */
  readonly afterRows: number;
  readonly delayMs: number;
}

async function work(trial: Trial, company: string, aim: Aim | null): Promise<string> {
  const child = spawn(process.execPath, [WORKER, trial.settings, company], {
    env: {
      ...process.env,
      DATABASE_URL: trial.store.url,
      ...SECRETS,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the pulling process could not be started");
  running.add(pid);
  let lines = 0;
  const complaints: string[] = [];
  createInterface(child.stdout).on("line", () => {
    lines += 1;
    if (aim !== null && lines === aim.afterRows)
      void sleep(aim.delayMs).then(() => {
        kill(pid);
      });
  });
  createInterface(child.stderr).on("line", (line) => complaints.push(line));
  const late = setTimeout(() => {
    complaints.push(`it did not end within ${PATIENCE_MS / 1000} s`);
    kill(pid);
  }, PATIENCE_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  clearTimeout(late);
  running.delete(pid);
  if (complaints.some((line) => line.includes(SECRETS.TRADEPOST_SECRET_FAR_SIDE)))
    trial.lost.push("a secret was shown");
  if (code === 0) return "well";
  if (code === null && aim !== null) return "killed";
  return complaints.slice(-12).join("\n");
}

/** After a kill: of price rules all of a run is to be seen, or nothing. */
async function looks({ store, lost }: Trial): Promise<void> {
  const torn = await store.query<{ run: string }>(
    `select r.id::text as run from run r
      where r.company = $1 and r.stream = 'price-rules' and r.state in ('running', 'failed')
        and exists (select 1 from price_rule p where p.company = $1 and p.run_id = r.id)`,
    [FAULTY],
  );
  for (const { run } of torn)
    lost.push(`price rules of the run ${run} were seen before it was whole`);
}

async function judged(trial: Trial, { kills }: Size): Promise<LaneRow> {
  const { far, store, say, struck } = trial;
  const clean = await work(trial, CLEAN, null);
  if (clean !== "well") throw new Error(`the pull without faults did not end well: ${clean}`);
  say([...far.played].map(([kind, times]) => `${times} ${kind}`).join(", "));
  const lost = [...trial.lost];
  const extra: string[] = [];
  for (const name of RECORDS) {
    lost.push(...(await missing(store, name, CLEAN, FAULTY)));
    extra.push(...(await missing(store, name, FAULTY, CLEAN)));
  }
  const stuck = [...trial.stuck, ...(await leftOver(store))];
  if (struck.length < kills) stuck.push(`${struck.length} of ${kills} kills struck`);
  const unaccounted = await sums(store);
  const faults = [...far.played.values()].reduce((sum, times) => sum + times, 0);
  return {
    row: "F2",
    experiment: `pull over HTTP: ${struck.length} kills, ${faults} faults of pages`,
    injected: struck.length + faults,
    lost: lost.length,
    duplicated: extra.length,
    stuck: stuck.length,
    unaccounted: unaccounted.length,
    findings: [...lost, ...extra, ...stuck, ...unaccounted],
  };
}

async function leftOver(store: Store): Promise<string[]> {
  const rows = await store.query<{ what: string }>(
    `select 'the run ' || id || ' of ' || stream || ' says running' as what
       from run where company = $1 and state = 'running'
     union all select 'the stream ' || stream || ' is held by ' || holder
       from stream_state where company = $1 and holder is not null
     union all select 'in quarantine: ' || origin_name || ':' || line || ' ' || problems::text
       from quarantine where company = $1 and state = 'open'
     union all select 'staging is left: ' || relname from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'staging' and c.relkind = 'r'`,
    [FAULTY],
  );
  return rows.map(({ what }) => what);
}

/** The two sums of every published run, added up by SQL of their own. */
async function sums(store: Store): Promise<string[]> {
  const rows = await store.query<{ what: string }>(
    `select 'rows of ' || stream || ' in run ' || id || ' do not add up' as what
       from run where company = $1 and rows_read <> mapped + ignored + repeated + quarantined
     union all select mapping || ' in run ' || id || ' does not add up: ' || c::text
       from run, jsonb_each(counts) as each(mapping, c)
      where company = $1 and state in ('published', 'unchanged')
        and ((c->>'before')::int + (c->>'inserted')::int - (c->>'removed')::int <> (c->>'after')::int
          or (c->>'inserted')::int + (c->>'updated')::int + (c->>'unchanged')::int
             + (c->>'repeated')::int + (c->>'conflicts')::int <> (c->>'mapped')::int)`,
    [FAULTY],
  );
  return rows.map(({ what }) => what);
}
