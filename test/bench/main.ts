/**
 * `npm run bench`: what Tradepost reaches, beside what the database or the machine can do with
 * nothing of ours around it, measured in the same run. Everything runs on this machine, in a
 * temporary folder and on a PostgreSQL of its own (`DATABASE_URL` is not used), and is gone at the
 * end.
 *
 *     npm run bench -- --rows 1000000 --rules 1000000 --rounds 5 --only S,P1
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureBooks } from "./books.ts";
import { stopServersBelow } from "./leftovers.ts";
import { loadAverage } from "./measure.ts";
import { measureDuringPull } from "./during-pull.ts";
import { measureHttp } from "./http.ts";
import { measureOrders } from "./orders.ts";
import { measurePages } from "./pages.ts";
import { measurePeers } from "./peers.ts";
import { measurePrices } from "./prices.ts";
import { measurePromotions } from "./promotions.ts";
import { stopChildren } from "./process.ts";
import { measurePulls } from "./pull.ts";
import { machine, table } from "./report.ts";
import type { Figure } from "./report.ts";
import { measureStart } from "./start-up.ts";

export interface Bench {
  /** Rows of the price file that is pulled. */
  readonly rows: number;
  /** Rules of the price book. */
  readonly rules: number;
  /** Rounds that medians are taken of. */
  readonly rounds: number;
  readonly seed: number;
  /** Temporary; the unprivileged user of the database can reach it. */
  readonly folder: string;
  say(line: string): void;
}

interface Group {
  /** Rows of the table of goals that are measured together. */
  readonly rows: readonly string[];
  readonly measure: (bench: Bench) => Promise<Figure[]>;
}

const GROUPS: readonly Group[] = [
  { rows: ["S1", "S2", "S3", "S4"], measure: measurePulls },
  { rows: ["S5"], measure: measureDuringPull },
  { rows: ["S6"], measure: measurePages },
  { rows: ["P1", "P6"], measure: measurePrices },
  { rows: ["P2", "P5"], measure: measureBooks },
  { rows: ["P3", "P4"], measure: measureHttp },
  { rows: ["P7"], measure: measurePromotions },
  { rows: ["O1"], measure: measureOrders },
  { rows: ["U1"], measure: measureStart },
  { rows: ["M"], measure: measurePeers },
];

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "1000000" },
    rules: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "5" },
    seed: { type: "string", default: "42" },
    only: { type: "string", default: "S,P,O,U" },
  },
});
const only = values.only.split(",");
/** `S3` for what measures that row, `S` for all of that letter. */
const isAsked = (wanted: string, { rows }: Group) => rows.some((row) => row.startsWith(wanted));
const unknown = only.filter((name) => name === "" || !GROUPS.some((group) => isAsked(name, group)));
if (unknown.length > 0) {
  const known = GROUPS.flatMap(({ rows }) => rows).join(", ");
  process.stderr.write(
    `--only takes some of ${known}, or their letters, with commas between, not ${unknown.join()}.\n`,
  );
  process.exit(2);
}

const since = performance.now();
const say = (line: string) => {
  const seconds = Math.round((performance.now() - since) / 1000);
  process.stdout.write(`${String(seconds).padStart(4)} s  ${line}\n`);
};

// A second signal ends the bench at once, and leaves its folder behind.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stopChildren);
await using scope = new AsyncDisposableStack();
const folder = await mkdtemp(join(tmpdir(), "tradepost-bench-"));
scope.defer(() => rm(folder, { recursive: true, force: true }));
// Before that: a process that died cannot have stopped its server.
scope.defer(() => stopServersBelow(folder));
await chmod(folder, 0o711);
delete process.env["DATABASE_URL"];

const bench: Bench = {
  rows: Number(values.rows),
  rules: Number(values.rules),
  rounds: Number(values.rounds),
  seed: Number(values.seed),
  folder,
  say,
};
const loadBefore = loadAverage();
const figures: Figure[] = [];
for (const group of GROUPS)
  if (only.some((name) => isAsked(name, group))) figures.push(...(await group.measure(bench)));

process.stdout.write(
  `\n${table(figures)}\n\nSeed ${bench.seed}, medians of ${bench.rounds} rounds. ${machine()}; ` +
    `it was ${loadBefore} at the start.\n`,
);
