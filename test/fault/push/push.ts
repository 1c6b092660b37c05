/**
 * Web orders under fire, once for each class of connector: two services on one database take orders
 * over HTTP and hand them to a hostile ERP, and both are killed at random moments all the while.
 *
 *     npm run test:fault -- orders --class searchable --kills 100 --orders 1000 --seed 7
 */
import { setTimeout as sleep } from "node:timers/promises";
import { randomOf } from "../../../deploy/demo/merchant/index.ts";
import type { ErpClass } from "../../support/hostile-erp/index.ts";
import type { LaneOptions, LaneRow } from "../lane.ts";
import { keyedByHandRow, settle, underFireRows } from "./outcome.ts";
import { naiveRows } from "./naive.ts";
import { openService, type Service } from "./service.ts";
import { keepPulling } from "./pulling.ts";
import { runShop } from "./shop.ts";
import { openPushWorld } from "./world.ts";

export const CLASSES: readonly ErpClass[] = [
  "native-key",
  "searchable",
  "eventually-searchable",
  "file-drop",
];

interface Size {
  readonly kills: number;
  readonly orders: number;
}

const LONG: Size = { kills: 1_000, orders: 10_000 };
const CI: Size = { kills: 25, orders: 500 };

export async function push(options: LaneOptions): Promise<readonly LaneRow[]> {
  const { ci, say, seed } = options;
  const size = ci ? CI : LONG;
  const wanted = { kills: options.kills ?? size.kills, orders: options.orders ?? size.orders };
  const classes = CLASSES.filter((one) => (options.class ?? one) === one);
  if (classes.length === 0)
    throw new Error(`there is no class ${options.class}; there are ${CLASSES.join(", ")}`);
  const rows: LaneRow[] = [];
  for (const erpClass of classes) {
    say(`${erpClass}: ${wanted.orders} orders, ${wanted.kills} kills`);
    rows.push(...(await underFire(erpClass, wanted, options)));
  }
  return [...rows, ...(await naiveRows({ seed, orders: ci ? 200 : 600, say }))];
}

async function underFire(
  erpClass: ErpClass,
  size: Size,
  { seed, say }: LaneOptions,
): Promise<readonly LaneRow[]> {
  await using world = await openPushWorld(erpClass, seed);
  const services = [1, 2].map(() => openService(world.settingsFile, world.databaseUrl));
  try {
    await Promise.all(services.map((service) => service.ready()));
    say(`started in ${services.map(({ starts }) => starts[0]?.toFixed(1)).join(" and ")} s`);
    const fire: Fire = { size, seed, kills: 0, sent: 0 };
    const pulling = keepPulling(world, say);
    const selling = runShop({
      seed,
      orders: size.orders,
      apiKey: world.apiKey,
      urls: () => services.flatMap((service) => service.url() ?? []),
      next: () => nextOrder(fire),
    });
    const killing = services.map((service, at) => killAgain(service, at, fire));
    const told = setInterval(() => say(`${fire.sent} orders, ${fire.kills} kills`), TOLD_EVERY_MS);
    const [shop] = await Promise.all([selling, ...killing]).finally(() => clearInterval(told));
    const starts = services.flatMap((service) => service.starts);
    say(`${fire.kills} kills; a start takes ${mean(starts).toFixed(1)} s`);
    await settle(world, say);
    await pulling.stop();
    const invoiced = await world.erp.invoice();
    await pulling.once();
    await settle(world, say);
    const crashes = services.flatMap((service) => service.crashes);
    const run = { erpClass, shop, crashes, invoiced, kills: fire.kills, say };
    const rows = await underFireRows(world, run);
    const seen = await keyedByHandRow(world, erpClass, pulling);
    await Promise.all(services.map((service) => service.stop()));
    return [...rows, seen];
  } finally {
    await Promise.all(services.map((service) => service.kill()));
  }
}

/** Kills and orders go along with each other, so that there are both to the end. */
interface Fire {
  readonly size: Size;
  readonly seed: number;
  kills: number;
  sent: number;
}

const TOLD_EVERY_MS = 30_000;
/** How far the one may be ahead of the other, of all. */
const AHEAD = 0.04;
const MOMENT_MS = 20;

/** At a moment of its work, or of its start. */
async function killAgain(service: Service, place: number, fire: Fire): Promise<void> {
  const random = randomOf(fire.seed, "kills", place);
  for (;;) {
    while (fire.kills / fire.size.kills > fire.sent / fire.size.orders + AHEAD)
      await sleep(MOMENT_MS);
    if (fire.kills >= fire.size.kills) return;
    fire.kills += 1;
    if (random.chance(STARTING)) await sleep(random.whole(0, 1_000));
    else {
      await service.ready();
      await sleep(random.whole(0, WORKING_MS));
    }
    await service.kill();
    service.start();
  }
}

/** Share of the kills that strike while a service starts. */
const STARTING = 0.15;
const WORKING_MS = 2_000;

async function nextOrder(fire: Fire): Promise<void> {
  const { size } = fire;
  const isAhead = () => fire.sent / size.orders > fire.kills / Math.max(1, size.kills) + AHEAD;
  while (size.kills > 0 && isAhead()) await sleep(MOMENT_MS);
  fire.sent += 1;
}

function mean(all: readonly number[]): number {
  return all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);
}
