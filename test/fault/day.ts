/**
 * The kill test. Two worlds with the same merchant live through the same days: files are pulled,
 * sales posted, web orders placed and dropped, answered, despatched and invoiced. In one of them
 * the process that does the work is killed with SIGKILL at random moments and started again until
 * its work is done, and PostgreSQL is killed once. In the end both must hold the same rows and
 * totals, every order must be exactly one order of the ERP, and every count must add up.
 *
 * With DATABASE_URL each world gets a database there, and PostgreSQL is left alone.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openJobs } from "../../src/jobs/index.ts";
import { createMerchant, randomOf, type Merchant } from "../../deploy/demo/merchant/index.ts";
import { ordersInPart, whereItStruck } from "./aftermath.ts";
import { kill, runWorker, type Aim, type Ended, type Heard } from "./child.ts";
import { differences, figuresOf, judge, type Figures, type Verdict } from "./figures.ts";
import { momentsOf, type Moments } from "./moments.ts";
import { awkwardOrders, goodOrders, hasBuyers } from "./orders.ts";
import type { PlannedOrder } from "./worker.ts";
import type { Lane, LaneRow } from "./lane.ts";
import { openWorld, type World } from "./world.ts";

const SIZE = { customers: 80, invoiceLines: 5_000 };
/** Days that pass before each pull, orders placed after it, and the share of the kills by then. */
const DAYS = [
  { passes: 0, orders: 12, killed: 0.5 },
  { passes: 1, orders: 6, killed: 0.65 },
  { passes: 1, orders: 0, killed: 0.7 },
  { passes: 2, orders: 4, killed: 0.8 },
  { passes: 2, orders: 0, killed: 0.85 },
  { passes: 8, orders: 0, killed: 0.9 },
] as const;

/** Orders of a batch that the ERP takes while it is dropped, and days until all is invoiced. */
const ORDERS_TAKEN = 8;
const DAYS_TO_INVOICE = 14;
/** A worker that ends by itself, not killed, is a fault; it is tried again so that more is seen. */
const MOST_CRASHES = 2;

/** One trial: its seed's choices, and what is found beside the figures. */
interface Trial {
  readonly wanted: number;
  readonly folder: string;
  readonly merchant: Merchant;
  readonly random: ReturnType<typeof randomOf>;
  readonly say: (line: string) => void;
  /** What the killed database and the answers of the shop showed. */
  readonly databaseFindings: string[];
  readonly answerFindings: string[];
  /** Orders of which the ERP could see a part. */
  readonly halfFindings: string[];
}

/** `kills` 20 unless said otherwise; the same seed chooses the same merchant and moments. */
export const day: Lane = async ({ seed, kills = 20, say }) => {
  const folder = await mkdtemp(join(tmpdir(), "tradepost-fault-"));
  // The own server runs as a user of its own, who must be able to get there.
  await chmod(folder, 0o755);
  const trial: Trial = {
    wanted: kills,
    folder,
    merchant: suitableMerchant(seed),
    random: randomOf(seed, "kills"),
    say,
    databaseFindings: [],
    answerFindings: [],
    halfFindings: [],
  };
  say(`${kills} kills, ${SIZE.customers} customers, ${SIZE.invoiceLines} invoice lines`);
  try {
    const clean = await cleanWorld(trial);
    return rowsOf(trial, clean, await killedWorld(trial, clean.days));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The first merchant from the seed on that has all whom the orders need. */
function suitableMerchant(seed: number): Merchant {
  for (let next = seed; ; next += 1) {
    const made = createMerchant({ seed: next, ...SIZE });
    if (hasBuyers(made)) return made;
  }
}

interface Outcome {
  readonly figures: Figures;
  readonly verdict: Verdict;
  readonly injected: number;
}

/** A world that is lived through once without a kill: the measure, and the map of moments. */
async function cleanWorld(
  trial: Trial,
): Promise<Outcome & { readonly days: readonly (readonly Heard[])[] }> {
  const world = await openWorld({ ...trial, name: "clean" });
  try {
    const answers = new Map<string, string>();
    const days: (readonly Heard[])[] = [];
    for (const [day, { passes }] of DAYS.entries()) {
      if (passes > 0) await world.passDays(passes);
      const ended = await runWorker(world, await world.task(ordersOf(world, day)), { aim: null });
      if (ended.code !== 0) throw new Error(`without a kill the worker ended ${why(ended)}`);
      days.push(ended.marks);
      hear(trial, answers, ended);
      trial.say(`clean world, day ${day}: ${ended.seconds.toFixed(1)} s`);
    }
    return { ...(await weigh(world, answers)), injected: 0, days };
  } finally {
    await world.close();
  }
}

async function killedWorld(trial: Trial, days: readonly (readonly Heard[])[]): Promise<Outcome> {
  const { wanted, random, say } = trial;
  const world = await openWorld({ ...trial, name: "killed" });
  const answers = new Map<string, string>();
  const strikes: Strikes = { trial, world, answers, struck: [] };
  try {
    for (const [day, { passes, killed }] of DAYS.entries()) {
      if (passes > 0) await world.passDays(passes);
      const task = await world.task(ordersOf(world, day));
      const marks = days[day] ?? [];
      if (day === 1) await killDatabase(strikes, task, marks);
      const kills = Math.max(0, Math.round(wanted * killed) - strikes.struck.length);
      const moments = momentsOf(marks, random, kills);
      await untilDone(strikes, task, moments, () => moments.next(world, new Set(answers.keys())));
    }
    const outcome = await weigh(world, answers);
    await takeWhileKilled(strikes, days[1] ?? []);
    const after = await weigh(world, answers);
    const where = Map.groupBy(strikes.struck, (one) => one);
    say(`struck: ${[...where].map(([what, all]) => `${all.length} ${what}`).join(", ")}`);
    return {
      figures: outcome.figures,
      verdict: joined(outcome.verdict, after.verdict),
      injected: strikes.struck.length,
    };
  } finally {
    await world.close();
  }
}

interface Strikes {
  readonly trial: Trial;
  readonly world: World;
  readonly answers: Map<string, string>;
  /** Where each kill struck. */
  readonly struck: string[];
}

/** Starts workers until one of them ends its work; each is killed at the moment chosen for it. */
async function untilDone(
  strikes: Strikes,
  task: string,
  moments: Moments,
  choose: () => Aim | null,
  afterKill: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const { trial, world, answers, struck } = strikes;
  const { wanted, say, halfFindings } = trial;
  for (let crashes = 0; crashes <= MOST_CRASHES;) {
    const aim = choose();
    const ended = await runWorker(world, task, { aim });
    hear(trial, answers, ended);
    if (ended.code === 0) return;
    if (ended.code === null) {
      const where = await whereItStruck(world, ended, (mark) => moments.isLast(mark));
      struck.push(where);
      const count = `${struck.length}`.padStart(String(wanted).length);
      say(`kill ${count} of ${wanted} after ${ended.seconds.toFixed(1)} s, ${where}`);
      halfFindings.push(...(await ordersInPart(world)));
      await afterKill();
    } else {
      crashes += 1;
      say(`the worker ended by itself, ${why(ended)}`);
    }
  }
  throw new Error("the worker ended by itself too often");
}

/** PostgreSQL dies under a worker, which must get over it without being started again. */
async function killDatabase(
  { trial, world, answers }: Strikes,
  task: string,
  marks: readonly Heard[],
): Promise<void> {
  if ((await world.postmaster()) === null && world.databaseUrl !== null) return;
  const [mark] = marks.filter(({ name }) => name.startsWith("rows sales-"));
  const after = mark?.name ?? "posting";
  let pid: number | null = null;
  const ended = await runWorker(world, task, {
    aim: { kind: "database", after, delayMs: trial.random.whole(0, 100) },
    strike: async () => {
      pid = await world.postmaster();
      if (pid !== null) kill(pid);
    },
  });
  hear(trial, answers, ended);
  trial.say(`PostgreSQL (process ${pid}) killed after "${after}"; the worker ended ${why(ended)}`);
  if (ended.code !== 0 || pid === null)
    trial.databaseFindings.push(`the worker did not get over PostgreSQL's end: ${why(ended)}`);
}

/**
 * Orders are dropped, the ERP takes them in at once, and the dropper is killed: what was taken must
 * not be dropped again. Goes on until all kills are spent.
 */
async function takeWhileKilled(strikes: Strikes, marks: readonly Heard[]): Promise<void> {
  const { world, answers, struck } = strikes;
  const { wanted, random } = strikes.trial;
  const most = Math.max(wanted, struck.length);
  const moments = momentsOf(marks, random, 0);
  for (let batch = 0; batch === 0 || (struck.length < most && batch < 10); batch += 1) {
    const orders = goodOrders(world.merchant, 100 + batch * ORDERS_TAKEN, ORDERS_TAKEN);
    const left = () => orders.filter(({ number }) => !answers.has(number)).length;
    await untilDone(
      strikes,
      await world.task(orders),
      moments,
      () =>
        struck.length < most
          ? { kind: "dropping", file: random.whole(1, 2 + left() * 3), delayMs: random.whole(0, 3) }
          : null,
      () => world.erp.advance(0),
    );
  }
  await world.passDays(DAYS_TO_INVOICE);
  await untilDone(strikes, await world.task([]), moments, () => null);
}

function ordersOf({ merchant }: World, day: number): readonly PlannedOrder[] {
  const before = DAYS.slice(0, day).reduce((sum, { orders }) => sum + orders, 0);
  const good = goodOrders(merchant, before + 1, DAYS[day]?.orders ?? 0);
  return day === 0 ? [...good, ...awkwardOrders(merchant)] : good;
}

/** What the shop was told; a second answer must be the first one again. */
function hear({ answerFindings }: Trial, answers: Map<string, string>, { marks }: Ended): void {
  for (const { name, said } of marks) {
    const [word, number = ""] = name.split(" ");
    if (word !== "answered") continue;
    const before = answers.get(number);
    if (before !== undefined && before !== said)
      answerFindings.push(`${number} was answered "${before}", and later "${said}"`);
    answers.set(number, before ?? said ?? "");
  }
}

async function weigh(
  world: World,
  answers: ReadonlyMap<string, string>,
): Promise<Pick<Outcome, "figures" | "verdict">> {
  await using store = await world.look();
  await using jobs = await openJobs(store, { log: () => undefined });
  const failures = await jobs.failures();
  return {
    figures: await figuresOf(store),
    verdict: await judge(world, store, answers, failures.length),
  };
}

function joined(one: Verdict, other: Verdict): Verdict {
  const both = (name: keyof Verdict) => [...new Set([...one[name], ...other[name]])];
  return {
    lost: both("lost"),
    doubled: both("doubled"),
    stuck: both("stuck"),
    unaccounted: both("unaccounted"),
    differing: both("differing"),
  };
}

function why({ code, complaints, marks }: Ended): string {
  if (code === 0) return "well";
  const failures = marks.flatMap(({ said, name }) => (name.startsWith("failed") ? [said] : []));
  return [`with ${code}`, ...failures, ...complaints.slice(0, 30)].join("\n    ");
}

function rowsOf(trial: Trial, clean: Outcome, killed: Outcome): readonly LaneRow[] {
  const between = differences(clean.figures, killed.figures);
  trial.say(`${clean.figures.size} figures compared with a world without kills`);
  const found = {
    ...killed.verdict,
    stuck: [...killed.verdict.stuck, ...trial.databaseFindings, ...trial.halfFindings],
    doubled: [...killed.verdict.doubled, ...trial.answerFindings],
    differing: [...killed.verdict.differing, ...between],
  };
  const few =
    killed.injected < trial.wanted ? [`${killed.injected} of ${trial.wanted} kills struck`] : [];
  return [
    rowOf("a day without kills", { ...clean, few: [] }, clean.verdict),
    rowOf("pull, post and push killed at random", { ...killed, few }, found),
  ];
}

function rowOf(
  experiment: string,
  { injected, few }: { readonly injected: number; readonly few: readonly string[] },
  { lost, doubled, stuck, unaccounted, differing }: Verdict,
): LaneRow {
  return {
    row: "F1 F2 F12",
    experiment,
    injected,
    lost: lost.length,
    duplicated: doubled.length,
    stuck: stuck.length,
    unaccounted: unaccounted.length + differing.length,
    findings: [...lost, ...doubled, ...stuck, ...unaccounted, ...differing, ...few],
  };
}
