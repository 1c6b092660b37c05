/**
 * S5: single prices over HTTP from the real service while a price list is pulled in a process of
 * its own, as the service pulls, beside the same requests with nothing else going on.
 */
import { copyFile, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings } from "../../src/config.ts";
import { pullApart } from "../../src/main.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import type { Bench } from "./main.ts";
import { singleBodies } from "./http.ts";
import { load, postOf } from "./http-client.ts";
import type { Answered } from "./http-client.ts";
import { median } from "./measure.ts";
import { writePriceFiles } from "./price-file.ts";
import { benchSettings } from "./pull-process.ts";
import { ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import { preparedFolder, startService } from "./service.ts";

const IDLE_SECONDS = 5;
/** One customer after another, not as many as the machine can take: the wait is what is asked. */
const LOAD = { connections: 1, pauseMs: 2 };

interface Round {
  readonly idle: Answered;
  readonly during: Answered;
  readonly pullSeconds: number;
}

export async function measureDuringPull(bench: Bench): Promise<Figure[]> {
  const { secret, database } = await preparedFolder(bench);
  bench.say(`prices over HTTP while ${bench.rows} rows are pulled`);
  const files = await writePriceFiles(bench.folder, bench.rows, bench.seed);
  await using service = await startService(bench);
  await using store = await openStore({ dataFolder: database });
  const requests = singleBodies(bench).map((body) =>
    postOf("/v1/prices", body, [`authorization: Bearer ${secret}`]),
  );
  const asking = { port: service.port, requests, ...LOAD };
  await load({ ...asking, seconds: 2 });
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round += 1) {
    const idle = await load({ ...asking, seconds: IDLE_SECONDS });
    const over = new AbortController();
    const answered = load({ ...asking, seconds: over.signal });
    const since = performance.now();
    await pullFirst(bench, database, files.whole, `LOAD${round}`).finally(() => {
      over.abort();
    });
    const pullSeconds = (performance.now() - since) / 1000;
    rounds.push({ idle, during: await answered, pullSeconds });
    bench.say(
      `during a pull, round ${round + 1}: p99 ${idle.p99Ms.toFixed(2)} ms idle, ` +
        `${rounds.at(-1)?.during.p99Ms.toFixed(2)} ms in ${pullSeconds.toFixed(1)} s`,
    );
    await settle(store);
  }
  return [figureOf(rounds, bench.rows)];
}

/** The first pull of a company of its own, which the service answers nothing for. */
async function pullFirst(bench: Bench, database: string, file: string, company: string) {
  const folder = await mkdtemp(join(bench.folder, "during-"));
  const settings = readSettings({ file: await benchSettings(folder, { database, company }) });
  await copyFile(file, join(folder, "erp", "out", "price-rules.csv"));
  const [run] = await pullApart(
    settings,
    { company, connection: "erp", options: { streams: ["price-rules"] } },
    { log: () => undefined, now: () => Temporal.Now.instant() },
  );
  if (run?.state !== "published" || run.rows.read !== bench.rows)
    throw new Error(`the pull was not published: ${JSON.stringify(run?.notes)}`);
}

/** Nobody works what follows that pull, and the next idle seconds are to be idle. */
async function settle(store: Store): Promise<void> {
  await store.affect("DELETE FROM pgboss.job WHERE data ->> 'company' LIKE 'LOAD%'");
  await store.query("DELETE FROM price_rule WHERE company LIKE 'LOAD%'");
  await store.query("VACUUM ANALYZE price_rule");
  await store.query("CHECKPOINT");
  await sleep(1_000);
}

function figureOf(rounds: readonly Round[], rows: number): Figure {
  const ratio = median(rounds.map(({ idle, during }) => during.p99Ms / idle.p99Ms));
  const ms = (which: "idle" | "during") =>
    `${median(rounds.map((round) => round[which].p99Ms)).toFixed(2)} ms`;
  return {
    row: "S5",
    work: `p99 of single prices over HTTP while ${rows} rows are pulled`,
    ours: ms("during"),
    limit: `${ms("idle")} idle`,
    ratio,
    goal: ratioGoal(ratio, { atMost: 2 }),
  };
}
