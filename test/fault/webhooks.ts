/**
 * F11. Events to a receiver that fails at three of ten requests (500, connections cut before and
 * after it took a message, silence, slowness, 429), told by two instances that are killed with
 * SIGKILL at random moments, while the secret is rotated. Whatever happened, every event that was
 * committed must have been taken, under one id, verified by the standard's own library, and those
 * of one order must have come in their order; what was rolled back must never be told.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { randomOf, type Random } from "../../deploy/demo/merchant/index.ts";
import { noteEvents } from "../../src/notify/index.ts";
import type { Store } from "../../src/store/index.ts";
import { kill, running } from "./child.ts";
import { openLaneStore } from "./lane-store.ts";
import type { Lane, LaneOptions, LaneRow } from "./lane.ts";
import { openReceiver, type Receiver } from "./webhook-receiver.ts";
import { COMPANY, openSending, TYPES } from "./webhook-world.ts";

const SENDER = join(import.meta.dirname, "webhook-sender.ts");
const INSTANCES = 2;
/** Longest that what waits may take once nothing is killed any more. */
const PATIENCE_MS = 600_000;
const DEED = { who: "the lane", why: "to see it hold" };

interface Size {
  readonly events: number;
  readonly kills: number;
}
const SMALL: Size = { events: 500, kills: 8 };
const LARGE: Size = { events: 10_000, kills: 100 };

interface Trial {
  readonly random: Random;
  readonly store: Store;
  readonly receiver: Receiver;
  readonly say: LaneOptions["say"];
  readonly complaints: string[];
}

export const webhooks: Lane = async ({ seed, ci, kills, say }) => {
  const size = { ...(ci ? SMALL : LARGE), ...(kills === undefined ? {} : { kills }) };
  await using database = await openLaneStore();
  await using receiver = await openReceiver(randomOf(seed, "receiver"));
  const { store } = database;
  const desk = openSending(store, say);
  const made = await desk.add({ url: receiver.url, about: "the lane", types: [] }, DEED);
  receiver.trust(made.secret);
  const trial: Trial = { random: randomOf(seed, "webhooks"), store, receiver, say, complaints: [] };
  const senders = Array.from({ length: INSTANCES }, () => openSender(trial));
  try {
    const half = Math.floor(size.events / 2);
    await disturbed(trial, senders, { kills: Math.floor(size.kills / 2), from: 0, to: half });
    const { secret } = await desk.rotate(made.webhook.id, 24, DEED);
    // The shop takes its time to change it: the old one must do until then.
    await disturbed(trial, senders, {
      kills: Math.ceil(size.kills / 4),
      from: half,
      to: half * 1.5,
    });
    receiver.trust(secret);
    const left = size.kills - Math.floor(size.kills / 2) - Math.ceil(size.kills / 4);
    await disturbed(trial, senders, { kills: left, from: half * 1.5, to: size.events });
    const stuck = await calm(store, senders);
    return [await judged(trial, stuck, size.kills)];
  } finally {
    for (const sender of senders) sender.close();
    await desk.close();
  }
};

interface Sender {
  /** Kills the process, once it has begun to send; another one takes its place. */
  replace(): Promise<void>;
  /** False: it ended by itself, or somebody stopped the lane. */
  runs(): boolean;
  close(): void;
}

function openSender({ store, complaints }: Trial): Sender {
  const start = () => {
    const child = spawn(process.execPath, [SENDER], {
      env: { ...process.env, DATABASE_URL: store.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid === undefined) throw new Error("a sender could not be started");
    running.add(pid);
    createInterface(child.stderr).on("line", (line) => complaints.push(line));
    const ended = once(child, "close").then(() => running.delete(pid));
    return { pid, begun: once(child.stdout, "data"), ended };
  };
  let now = start();
  return {
    replace: async () => {
      const { pid, begun, ended } = now;
      await Promise.race([begun, ended]);
      if (!running.has(pid)) return;
      kill(pid);
      await ended;
      now = start();
    },
    runs: () => running.has(now.pid),
    close: () => {
      kill(now.pid);
    },
  };
}

interface Stretch {
  readonly kills: number;
  readonly from: number;
  readonly to: number;
}

/** Events of orders are noted, some in vain, while senders are killed. */
async function disturbed(
  { random, store, receiver, say }: Trial,
  senders: readonly Sender[],
  { kills, from, to }: Stretch,
): Promise<void> {
  const first = Math.floor(from / TYPES.length);
  const last = Math.floor(to / TYPES.length);
  const between = Math.floor((last - first) / (kills + 1));
  for (let order = first; order < last; order += 1) {
    for (const type of TYPES) await note(store, `W-${order}`, type, random.chance(0.1));
    if ((order - first) % between !== between - 1) continue;
    await sleep(random.whole(20, 300));
    await random.pick(senders).replace();
  }
  say(`${receiver.requests} requests, ${receiver.taken.size} events taken so far`);
}

async function note(store: Store, order: string, type: string, inVain: boolean): Promise<void> {
  const event = {
    subject: `order/${order}`,
    at: Temporal.Now.instant(),
    data: { webOrder: order },
  };
  const undone = new Error("rolled back");
  if (inVain)
    await store
      .transaction(async (tx) => {
        await noteEvents(tx, COMPANY, [{ ...event, type: `${type}-undone` }]);
        throw undone;
      })
      .catch((error: unknown) => {
        if (error !== undone) throw error;
      });
  await store.transaction((tx) => noteEvents(tx, COMPANY, [{ ...event, type }]));
}

/** Waits until nothing waits; how many deliveries do after all patience, or senders are gone. */
async function calm(store: Store, senders: readonly Sender[]): Promise<number> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const [row] = await store.query<{ left: number }>(
      `select (select count(*) from webhook_delivery where company = $1 and state <> 'delivered')
            + (select count(*) from event e where e.company = $1 and not exists (
                 select from webhook_delivery d where d.company = $1 and d.event_id = e.id)) as left`,
      [COMPANY],
    );
    const left = row?.left ?? 0;
    const ended = senders.filter((sender) => !sender.runs()).length;
    if (left === 0 || ended > 0 || performance.now() > until) return left + ended;
    await sleep(200);
  }
}

async function judged(trial: Trial, stuck: number, kills: number): Promise<LaneRow> {
  const { store, receiver, complaints } = trial;
  const events = await store.query<{ id: string; number: number }>(
    "select id, number from event where company = $1",
    [COMPANY],
  );
  const known = new Set(events.map(({ id }) => id));
  const lost = events.filter(({ id }) => !receiver.taken.has(id));
  const strange = [...receiver.taken].filter((id) => !known.has(id));
  const disordered = [...receiver.came].filter(
    ([, numbers]) => numbers.toSorted((a, b) => a - b).join() !== numbers.join(),
  );
  return {
    row: "F11",
    experiment:
      `${events.length} webhooks, receiver failing at ${receiver.faults} of ${receiver.requests} ` +
      `requests, ${kills} kills`,
    injected: receiver.faults + kills,
    lost: lost.length,
    duplicated: receiver.doubled.length,
    changed: receiver.changed.length,
    stuck,
    unaccounted: strange.length + disordered.length,
    findings: [
      ...lost.map(({ id, number }) => `event ${number} (${id}) was never taken`),
      ...receiver.doubled.map((each) => `under two ids: ${each}`),
      ...receiver.changed,
      ...strange.map((id) => `${id} was told and is no event`),
      ...disordered.map(([order, numbers]) => `${order} came as ${numbers.join(", ")}`),
      ...(stuck === 0
        ? []
        : [`${stuck} deliveries wait still: ${complaints.slice(-5).join("; ")}`]),
    ],
  };
}
