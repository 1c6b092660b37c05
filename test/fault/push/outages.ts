/**
 * The database fails under a service that takes and hands over orders: it is killed and started
 * again, its disk is full, its answers to COMMIT are lost. The service is never started again; what
 * it answered with 2xx must be in the ERP once and as agreed.
 *
 *     npm run test:fault -- outages --kills 5
 */
import { setTimeout as sleep } from "node:timers/promises";
import { randomOf } from "../../../deploy/demo/merchant/index.ts";
import { openStore } from "../../../src/store/index.ts";
import { startCommitCutter, type CommitCutter } from "../../support/commit-cutter.ts";
import { startKillablePostgres, type KillablePostgres } from "../../support/killable-postgres.ts";
import type { LaneOptions, LaneRow } from "../lane.ts";
import { historyOf, standingsOf } from "./figures.ts";
import { judgeOrders } from "./judge.ts";
import { settle } from "./outcome.ts";
import { keepPulling } from "./pulling.ts";
import { openService, type Service } from "./service.ts";
import { runShop } from "./shop.ts";
import { openPushWorld, type PushWorld } from "./world.ts";

interface Outage {
  readonly about: string;
  /** Megabytes of a disk of its own. */
  readonly diskMb?: number;
  /** One failure from its beginning to its end; answers how many things were broken. */
  strike(broken: Broken): Promise<number>;
}

interface Broken {
  readonly postgres: KillablePostgres;
  readonly cutter: CommitCutter;
  readonly random: ReturnType<typeof randomOf>;
}

const OUTAGES: readonly Outage[] = [
  {
    about: "PostgreSQL killed and started again",
    strike: async ({ postgres, random }) => {
      await postgres.kill();
      await sleep(random.whole(0, 1_000));
      await postgres.start();
      return 1;
    },
  },
  {
    about: "connection lost at COMMIT",
    strike: async ({ cutter }) => {
      const before = cutter.cuts();
      cutter.setShare(0.25);
      await sleep(1_500);
      cutter.setShare(0);
      return cutter.cuts() - before;
    },
  },
  {
    about: "disk full",
    diskMb: 400,
    strike: async ({ postgres, random }) => {
      const isFull = await postgres.fillDisk();
      await sleep(random.whole(2_000, 4_000));
      await postgres.freeDisk();
      // Where it ended by itself for want of room, whoever made room starts it again.
      await postgres.start();
      return isFull ? 1 : 0;
    },
  },
];

const LONG = 50;
const CI = 5;
const ORDERS_EACH = 40;
/** Between two orders of a buyer, so that they come before, in and after a failure. */
const PACE_MS = 800;
const BETWEEN_MS = 1_000;

export async function outages(options: LaneOptions): Promise<readonly LaneRow[]> {
  const { ci, say } = options;
  const times = options.kills ?? (ci ? CI : LONG);
  const rows: LaneRow[] = [];
  for (const outage of OUTAGES) {
    say(`${outage.about}: ${times} times`);
    const postgres = await startKillablePostgres({ ...outage, say });
    if (postgres === null) continue;
    await using server = postgres;
    rows.push(await underOutage(outage, server, times, options));
  }
  return rows;
}

async function underOutage(
  outage: Outage,
  postgres: KillablePostgres,
  times: number,
  { seed, say }: LaneOptions,
): Promise<LaneRow> {
  const random = randomOf(seed, "outage", outage.about);
  await using cutter = await startCommitCutter(postgres.url, () => random.next());
  await using world = await openPushWorld("searchable", seed, async () => {
    const store = await openStore({ url: postgres.url });
    return { store, serviceUrl: cutter.url, [Symbol.asyncDispose]: () => store.close() };
  });
  const service = openService(world.settingsFile, world.databaseUrl);
  try {
    await service.ready();
    const pulling = keepPulling(world, () => undefined);
    const progress = { sent: 0, over: 0, broken: 0 };
    const selling = runShop({
      seed,
      orders: times * ORDERS_EACH,
      apiKey: world.apiKey,
      urls: () => [service].flatMap((one) => one.url() ?? []),
      next: async () => {
        while (progress.sent >= (progress.over + 1) * ORDERS_EACH && progress.over < times)
          await sleep(20);
        progress.sent += 1;
        await sleep(random.next() * PACE_MS);
      },
    });
    const striking = strikeAgain(outage, { postgres, cutter, random }, times, progress);
    const [shop] = await Promise.all([selling, striking]);
    await settle(world, say);
    await pulling.stop();
    const row = await judged(outage, world, service, shop, progress.broken, say);
    await service.stop();
    return row;
  } finally {
    await service.kill();
  }
}

async function strikeAgain(
  outage: Outage,
  broken: Broken,
  times: number,
  progress: { sent: number; over: number; broken: number },
): Promise<void> {
  while (progress.over < times) {
    await sleep(broken.random.whole(BETWEEN_MS / 2, BETWEEN_MS));
    progress.broken += await outage.strike(broken);
    progress.over += 1;
  }
}

async function judged(
  { about }: Outage,
  { store, erp }: PushWorld,
  service: Service,
  shop: Awaited<ReturnType<typeof runShop>>,
  broken: number,
  say: (line: string) => void,
): Promise<LaneRow> {
  const standings = await standingsOf(store);
  const found = judgeOrders({ agreed: shop.agreed, standings, books: erp.books() });
  say(`the shop sent ${shop.repeated} requests again`);
  const idle = broken === 0 ? [`nothing failed while ${about} was tried`] : [];
  const unaccounted = [...found.unaccounted, ...shop.findings, ...service.crashes, ...idle];
  const findings = [found.lost, found.doubled, found.changed, found.stuck, unaccounted].flat();
  for (const finding of findings.slice(0, 4)) {
    const [number = ""] = finding.split(" ");
    for (const line of [finding, ...(await historyOf(store, number))]) say(line);
  }
  const share = (found.forPerson.length / Math.max(1, shop.agreed.size)) * 100;
  return {
    row: "F7",
    experiment: `${about}, ${shop.agreed.size} orders`,
    injected: broken,
    lost: found.lost.length,
    duplicated: found.doubled.length,
    changed: found.changed.length,
    stuck: found.stuck.length,
    unaccounted: unaccounted.length,
    forPerson: `${share.toFixed(1)}%`,
    findings,
  };
}
