/** S1 to S3: pulls of a price list, beside plain SQL on the same file in the same server. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { PULL_MEMORY } from "../../src/main.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { inRounds, median, ratioOf } from "./measure.ts";
import { writePriceFiles } from "./price-file.ts";
import type { PriceFiles } from "./price-file.ts";
import { answer, startChild } from "./process.ts";
import type { Pulled } from "./pull-process.ts";
import { contentOf, copySql, mergeSql, prepareSql, removeSql } from "./pull-sql.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import type { Bench } from "./main.ts";

/** One contender's three pulls of a round, with what it stored in the end. */
interface Round {
  readonly first: number;
  readonly again: number;
  readonly changed: number;
  readonly content: string;
  readonly pulled: readonly Pulled[];
}

export async function measurePulls(bench: Bench): Promise<Figure[]> {
  bench.say(`writing a price file of ${bench.rows} rows (seed ${bench.seed})`);
  const files = await writePriceFiles(bench.folder, bench.rows, bench.seed);
  await using server = await openStore({ dataFolder: join(bench.folder, "pull-server") });
  const rounds = await inRounds(bench.rounds, {
    ours: async (round) => shown(bench, round, "ours", await pullOurs(server, files, bench.folder)),
    sql: async (round) => shown(bench, round, "SQL ", await pullSql(server, files)),
  });
  for (const { ours, sql } of rounds)
    if (ours.content !== sql.content)
      throw new Error(`the contents differ: ours ${ours.content}, by SQL ${sql.content}`);
  return figuresOf(rounds, files.rows);
}

function shown(bench: Bench, round: number, who: string, one: Round): Round {
  const text = (seconds: number) => `${seconds.toFixed(2)} s`;
  bench.say(
    `pull, round ${round + 1}, ${who}: first ${text(one.first)}, again ${text(one.again)}, ` +
      `1% changed ${text(one.changed)}`,
  );
  return one;
}

async function pullOurs(server: Store, files: PriceFiles, folder: string): Promise<Round> {
  await using database = await freshDatabase(server, "bench_ours");
  const own = await mkdtemp(join(folder, "pull-"));
  const pulled: Pulled[] = [];
  {
    await using child = startChild("test/bench/pull-process.ts", {
      arguments: [own],
      environment: { DATABASE_URL: database.url },
      node: PULL_MEMORY,
    });
    for (const file of [files.whole, files.whole, files.changed]) {
      await database.query("CHECKPOINT");
      child.ask(file);
      pulled.push(await answer<Pulled>(child));
    }
  }
  await rm(own, { recursive: true });
  const [first = NaN, again = NaN, changed = NaN] = pulled.map(({ seconds }) => seconds);
  return { first, again, changed, pulled, content: await contentOf(database) };
}

async function pullSql(server: Store, files: PriceFiles): Promise<Round> {
  await using database = await freshDatabase(server, "bench_sql");
  await prepareSql(database);
  const timed = async (path: string, merge: () => Promise<void>) => {
    await database.query("CHECKPOINT");
    const since = performance.now();
    await copySql(database, path);
    const copied = performance.now() - since;
    await database.query("ANALYZE stage");
    const merging = performance.now();
    await merge();
    return (copied + performance.now() - merging) / 1000;
  };
  const first = await timed(files.whole, () => mergeSql(database));
  await database.query("VACUUM ANALYZE price_rule");
  const again = await timed(files.whole, () => mergeSql(database));
  const changed = await timed(files.changed, async () => {
    await removeSql(database);
    await mergeSql(database);
  });
  return { first, again, changed, pulled: [], content: await contentOf(database) };
}

/** A database of its own in the same server, with the schema; dropped at the end. */
async function freshDatabase(server: Store, name: string): Promise<Store> {
  await server.query(`CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  // As much memory for a sort or a hash table as our merge takes.
  url.searchParams.set("options", "-c work_mem=128MB");
  const store = await openStore({ url: url.href });
  const drop = async () => {
    await store.close();
    await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
  };
  return { ...store, url: url.href, [Symbol.asyncDispose]: drop };
}

function figuresOf(rounds: readonly { ours: Round; sql: Round }[], rows: number): Figure[] {
  const figure = (
    row: string,
    work: string,
    step: "first" | "again" | "changed",
    atLeast: number,
  ): Figure => {
    const ratio = ratioOf(
      rounds,
      ({ sql }) => sql[step],
      ({ ours }) => ours[step],
    );
    return {
      row,
      work,
      ours: rate(rows / median(rounds.map(({ ours }) => ours[step])), "rows"),
      limit: `${rate(rows / median(rounds.map(({ sql }) => sql[step])), "rows")} COPY and merge`,
      ratio,
      goal: ratioGoal(ratio, { atLeast }),
    };
  };
  const peak = median(rounds.map(({ ours }) => ours.pulled[0]?.peakMb ?? NaN));
  const idle = median(rounds.map(({ ours }) => ours.pulled[0]?.idleMb ?? NaN));
  return [
    figure("S1", `first pull of ${rows} price rules`, "first", 0.7),
    figure("S2", "the same file again", "again", 10),
    figure("S3", "1% changed, removed rows found", "changed", 1.5),
    {
      row: "S4",
      work: `peak memory of S1's process (${idle.toFixed(0)} MB before it)`,
      ours: `${peak.toFixed(0)} MB`,
      limit: "–",
      ratio: null,
      goal: { of: peak, atMost: 256, words: "≤ 256 MB, at ten times the rows" },
    },
  ];
}
