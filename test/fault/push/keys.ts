/**
 * F10. A thousand posts at once under one key, some with another body, to two instances of which
 * one is killed meanwhile; each is sent again until it is answered. One order may come of it: every
 * post of the body that came first must get the same bytes, every other must be told that the key
 * is used. After 30 days the first answer must still be given, and nothing be ordered.
 *
 *     npm run test:fault -- keys --orders 20 --kills 20 --seed 7
 */
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { parse, stringify } from "yaml";
import { randomOf, type Random } from "../../../deploy/demo/merchant/index.ts";
import type { LaneOptions, LaneRow } from "../lane.ts";
import { standingsOf } from "./figures.ts";
import { judgeOrders } from "./judge.ts";
import { settle } from "./outcome.ts";
import { keepPulling } from "./pulling.ts";
import { openService, type Service } from "./service.ts";
import { agreedOf, ask, type Answer } from "./shop.ts";
import { ACCOUNTS, openPushWorld, PRODUCTS, type PushWorld } from "./world.ts";

const POSTS = 1_000;
/** One post of so many bears another body than the others. */
const OTHER_EVERY = 10;
const KEYS = { ci: 4, long: 20 };
const DAYS_LATER = 31;
/** Of one post, over all its tries. */
const PATIENCE_MS = 120_000;
/** What is killed is killed while the posts are answered. */
const WITHIN_MS = 600;

/** What is sent under one key. */
interface Tried {
  readonly key: string;
  readonly bodies: readonly [string, string];
}

interface Ordered {
  readonly tried: Tried;
  /** The one that came first. */
  readonly body: string;
  readonly answer: Answer;
}

interface Burst {
  readonly world: PushWorld;
  readonly services: readonly Service[];
  readonly random: Random;
  readonly findings: Set<string>;
  /** Posts that had to be sent again. */
  repeated: number;
}

export async function keys(options: LaneOptions): Promise<readonly LaneRow[]> {
  const { ci, seed, say } = options;
  const count = options.orders ?? (ci ? KEYS.ci : KEYS.long);
  const kills = options.kills ?? Math.ceil(count / 2);
  await using world = await openPushWorld("searchable", seed);
  const services = [1, 2].map(() => openService(world.settingsFile, world.databaseUrl));
  const random = randomOf(seed, "keys");
  const burst: Burst = { world, services, random, findings: new Set(), repeated: 0 };
  const ordered: Ordered[] = [];
  try {
    await Promise.all(services.map((service) => service.ready()));
    const pulling = keepPulling(world, say);
    for (let place = 0; place < count; place += 1) {
      ordered.push(...(await atOnce(burst, triedOf(random, place), place < kills)));
      say(`${place + 1} keys, ${burst.repeated} posts sent again`);
    }
    await settle(world, say);
    await pulling.stop();
    await Promise.all(services.map((service) => service.stop()));
    say(`${DAYS_LATER} days later`);
    await daysLater(burst, ordered);
    await settle(world, say);
    return [await judged(burst, ordered, { count, kills })];
  } finally {
    await Promise.all(services.map((service) => service.kill()));
  }
}

/** Every second one leaves the number to us, so that nothing but its key tells it from others. */
function triedOf(random: Random, place: number): Tried {
  const [product, unitPrice] = random.pick(PRODUCTS);
  const body = (quantity: number) =>
    JSON.stringify({
      ...(place % 2 === 0 ? { webOrder: `K-${place}` } : {}),
      account: random.pick(ACCOUNTS),
      customerReference: `K-${place}`,
      lines: [{ product, quantity: String(quantity), unitPrice }],
    });
  return { key: `key-${place}`, bodies: [body(2), body(3)] };
}

/** The order that came of it; more than one is a finding. */
async function atOnce(burst: Burst, tried: Tried, kills: boolean): Promise<readonly Ordered[]> {
  const { services, random, findings } = burst;
  const killing = kills ? killSoon(random.pick(services), random.whole(0, WITHIN_MS)) : null;
  const answers = await Promise.all(
    Array.from({ length: POSTS }, async (_, post) => {
      const body = tried.bodies[post % OTHER_EVERY === 0 ? 1 : 0];
      return { body, answer: await send(burst, tried.key, body) };
    }),
  );
  await killing;
  const taken = new Map<string, Ordered>();
  for (const { body, answer } of answers)
    if (answer.status === 201) taken.set(answer.text, { tried, body, answer });
  if (taken.size !== 1) findings.add(`${tried.key} was answered by ${taken.size} orders`);
  for (const { body, answer } of answers)
    for (const one of taken.values()) findDifference(burst, one, body, answer);
  return [...taken.values()];
}

/** The body that was ordered has that answer, and no other body has any. */
function findDifference(
  { findings }: Burst,
  { tried: { key }, body: ordered, answer: first }: Ordered,
  body: string,
  answer: Answer,
): void {
  const { status, text } = answer;
  const isRight =
    body === ordered
      ? status === first.status && text === first.text
      : status === 422 && text.includes('"idempotency-key-reused"');
  if (!isRight) findings.add(`${key} was answered ${status} ${text}`);
}

async function killSoon(service: Service, withinMs: number): Promise<void> {
  await sleep(withinMs);
  await service.kill();
  service.start();
  await service.ready();
}

async function send(burst: Burst, key: string, body: string): Promise<Answer> {
  const { services, world, random } = burst;
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const answering = services.flatMap((service) => service.url() ?? []);
    if (answering.length > 0) {
      const post = { url: random.pick(answering), apiKey: world.apiKey, key, body };
      const answer = await ask(post);
      if (answer !== null) return answer;
    }
    burst.repeated += 1;
    await sleep(random.whole(50, 500));
  }
  return { status: 504, text: `no answer within ${PATIENCE_MS / 1000} s` };
}

/** By a service whose clock is that much ahead, after all that one does when it starts. */
async function daysLater(burst: Burst, ordered: readonly Ordered[]): Promise<void> {
  const { world } = burst;
  const settings = parse(await readFile(world.settingsFile, "utf8")) as object;
  const demonstrationClockSeconds = DAYS_LATER * 86_400;
  await writeFile(world.settingsFile, stringify({ ...settings, demonstrationClockSeconds }));
  const service = openService(world.settingsFile, world.databaseUrl);
  const later: Burst = { ...burst, services: [service] };
  try {
    await service.ready();
    for (const one of ordered)
      for (const body of one.tried.bodies)
        findDifference(burst, one, body, await send(later, one.tried.key, body));
  } finally {
    await service.stop();
  }
}

async function judged(
  { world: { store, erp }, services, findings, repeated }: Burst,
  ordered: readonly Ordered[],
  { count, kills }: { readonly count: number; readonly kills: number },
): Promise<LaneRow> {
  const agreed = new Map(
    ordered.map(({ answer }) => {
      const { webOrder, ...order } = agreedOf(answer.text);
      return [webOrder, order];
    }),
  );
  const standings = await standingsOf(store);
  const found = judgeOrders({ agreed, standings, books: erp.books() });
  const lost = Math.max(0, count - agreed.size) + found.lost.length;
  const doubled = Math.max(0, standings.size - count) + found.doubled.length;
  const crashes = services.flatMap((service) => service.crashes);
  const unaccounted = [...found.unaccounted, ...findings, ...crashes];
  return {
    row: "F10",
    experiment: `${count} keys, ${POSTS} posts at once of each, and ${DAYS_LATER} days later`,
    injected: kills + repeated,
    lost,
    duplicated: doubled,
    changed: found.changed.length,
    stuck: found.stuck.length,
    unaccounted: unaccounted.length,
    findings: [
      ...(lost > 0 ? [`${count} keys came to ${agreed.size} orders`] : []),
      ...(doubled > 0 ? [`${count} keys came to ${standings.size} orders in the book`] : []),
      ...[found.lost, found.doubled, found.changed, found.stuck, unaccounted].flat(),
    ],
  };
}
