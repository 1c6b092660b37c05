/** What a class of connector came to: everything at rest, judged, and told as rows of the table. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ErpClass, Invoiced } from "../../support/hostile-erp/index.ts";
import type { LaneRow } from "../lane.ts";
import { historyOf, jobFigures, standingsOf, sumsThatDiffer, underWay } from "./figures.ts";
import { judgeOrders } from "./judge.ts";
import type { Pulling } from "./pulling.ts";
import type { Shop } from "./shop.ts";
import type { PushWorld } from "./world.ts";

/** What is under way must come to rest by then; what does not is found to be stuck. */
const SETTLE_MS = 900_000;

const TOLD_EVERY_MS = 15_000;

/** A job may queue another one, and that one more: so often all that was there has to be done. */
const GENERATIONS = 4;

export async function settle({ store }: PushWorld, say: (line: string) => void): Promise<void> {
  const began = performance.now();
  let quiet = 0;
  let since = await nowThere(store);
  let tellAt = TOLD_EVERY_MS;
  for (;;) {
    const { orders, jobs, about } = await underWay(store, since);
    if (orders > 0) quiet = 0;
    else if (jobs === 0) [quiet, since] = [quiet + 1, await nowThere(store)];
    const passed = performance.now() - began;
    const seconds = (passed / 1000).toFixed(0);
    if (quiet === GENERATIONS) return say(`at rest after ${seconds} s`);
    if (passed > SETTLE_MS) return say(`still under way after ${seconds} s: ${about}`);
    if (passed > tellAt) {
      say(`under way after ${seconds} s: ${about}`);
      tellAt += TOLD_EVERY_MS;
    }
    await sleep(500);
  }
}

async function nowThere(store: PushWorld["store"]): Promise<Temporal.Instant> {
  const [row] = await store.query<{ at: Temporal.Instant }>("select clock_timestamp() as at");
  if (row === undefined) throw new Error("the database tells no time");
  return row.at;
}

export interface Run {
  readonly erpClass: ErpClass;
  readonly shop: Shop;
  /** Services that ended by themselves. */
  readonly crashes: readonly string[];
  readonly invoiced: Invoiced;
  readonly kills: number;
  readonly say: (line: string) => void;
}

/** An order of a hundred may need a person. */
const MOST_FOR_PERSON = 0.01;

export async function underFireRows(world: PushWorld, run: Run): Promise<readonly LaneRow[]> {
  const { store, erp } = world;
  const { erpClass, shop, crashes, invoiced, kills, say } = run;
  const books = erp.books();
  const judged = judgeOrders({ agreed: shop.agreed, standings: await standingsOf(store), books });
  const jobs = await jobFigures(store);
  const sums = await sumsThatDiffer(store, { invoiced, documents: books.documents });
  const faults = [...books.injected.values()].reduce((sum, one) => sum + one, 0);
  tellWorld(run, books);
  const unaccounted = [...judged.unaccounted, ...shop.findings, ...erp.halfSeen(), ...crashes];
  const tooMany = judged.forPerson.length > shop.agreed.size * MOST_FOR_PERSON;
  const bad = [judged.lost, judged.doubled, judged.changed, judged.stuck, unaccounted].flat();
  for (const finding of [...bad, ...judged.forPerson].slice(0, 6)) {
    const [number = ""] = finding.split(" ");
    for (const line of [finding, ...(await historyOf(store, number)).map((one) => `  ${one}`)])
      say(line);
  }
  const share = (judged.forPerson.length / Math.max(1, shop.agreed.size)) * 100;
  return [
    {
      row: "F1",
      experiment: `${erpClass}: ${shop.agreed.size} orders, ${kills} kills, ERP faults`,
      injected: kills + faults,
      lost: judged.lost.length,
      duplicated: judged.doubled.length,
      stuck: judged.stuck.length,
      changed: judged.changed.length,
      forPerson: `${share.toFixed(1)}%`,
      unaccounted: unaccounted.length,
      findings: [...bad, ...(tooMany ? judged.forPerson : [])],
    },
    {
      row: "F6",
      experiment: `${erpClass}: jobs begun again after a kill`,
      injected: jobs.ranAgain,
      lost: 0,
      duplicated: jobs.doubled.length,
      stuck: jobs.stuck.length,
      unaccounted: 0,
      findings: [...jobs.doubled, ...jobs.stuck],
    },
    {
      row: "F12",
      experiment: `${erpClass}: ${invoiced.documents} invoices and credits, sums by SQL`,
      injected: kills,
      lost: 0,
      duplicated: 0,
      stuck: 0,
      unaccounted: sums.length,
      findings: sums,
    },
  ];
}

function tellWorld(
  { shop, say }: Run,
  { injected, refused, tampered, documents, calls }: ReturnType<PushWorld["erp"]["books"]>,
): void {
  const faults = [...injected].map(([fault, count]) => `${count} ${fault}`).sort();
  say(`the ERP was called ${calls} times: ${faults.join(", ")}`);
  say(
    `it holds ${documents.length} documents of ${shop.agreed.size} orders, refused ${refused.size} ` +
      `and changed ${tampered.size} itself; requests repeated by the shop: ${shop.repeated}`,
  );
}

const BY_HAND = 5;

/** Staff key some orders once more: the next pull must show each to a person. */
export async function keyedByHandRow(
  world: PushWorld,
  erpClass: ErpClass,
  pulling: Pulling,
): Promise<LaneRow> {
  const keys = world.erp.keyByHand(BY_HAND);
  await pulling.once();
  await settle(world, () => undefined);
  const standings = await standingsOf(world.store);
  const unseen = keys.flatMap((key) => {
    const state = standings.get(key)?.state ?? "not there";
    return state === "conflict" ? [] : [`${key} was keyed twice by hand, and is ${state}`];
  });
  return {
    row: "F1",
    experiment: `${erpClass}: keyed a second time by staff`,
    injected: keys.length,
    lost: 0,
    duplicated: 0,
    stuck: 0,
    unaccounted: unseen.length,
    findings: unseen,
  };
}
