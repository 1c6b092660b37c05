/**
 * O1: orders a second that are taken durably, with their job and their book in one commit, beside
 * one bare INSERT with its commit on as many connections; and the same over HTTP.
 */
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Bench } from "./main.ts";
import { askOnce, load, postOf } from "./http-client.ts";
import { inRounds, median, ratioOf } from "./measure.ts";
import type { OrderFigures, OrderQuestion, Taken } from "./order-process.ts";
import { answer, startChild } from "./process.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure, Goal } from "./report.ts";
import { freePort, startServiceOn } from "./service.ts";

const CONNECTIONS = 16;
const REFERENCE = /"customerReference":"[^"]*"/;
const SECONDS = 2;

type Rounds = readonly Readonly<Record<"ours" | "bare", Taken>>[];

export async function measureOrders(bench: Bench): Promise<Figure[]> {
  bench.say(`orders: ${bench.rules} price rules, then orders in this process and bare rows`);
  const database = join(bench.folder, "orders-server");
  const taken = await takenInProcess(bench, database);
  const [ours, rows] = (["ours", "bare"] as const).map((who) =>
    rate(median(taken.many.map((round) => round[who].rate)), who === "ours" ? "orders" : "rows"),
  );
  bench.say(`${ours} beside ${rows}; orders over HTTP, from the service and from a bare route`);
  const http = await takenOverHttp(bench, database, taken);
  const { many, one, orderBytes } = taken;
  const bare = `bare INSERT of ${orderBytes} bytes`;
  return [
    ...figuresOf(many, `orders of 3 lines taken, ${CONNECTIONS} callers`, bare, 0.4),
    ...figuresOf(one, "the same, one caller", bare, null),
    ...figuresOf(
      http,
      `POST /v1/orders, ${CONNECTIONS} connections`,
      "bare route with INSERT",
      null,
    ),
  ];
}

async function takenInProcess(bench: Bench, database: string): Promise<OrderFigures> {
  const { rules, rounds, seed } = bench;
  const folder = await mkdtemp(join(bench.folder, "orders-"));
  await using child = startChild("test/bench/order-process.ts");
  child.ask({ folder, database, rules, rounds, seed } satisfies OrderQuestion);
  return await answer<OrderFigures>(child);
}

async function takenOverHttp(
  bench: Bench,
  database: string,
  { secret, bodies }: OrderFigures,
): Promise<Rounds> {
  await using service = await startServiceOn(bench, database);
  const key = `authorization: Bearer ${secret}`;
  let sent = 0;
  const next = () => {
    sent += 1;
    // Each under a reference of its own: alike ones would be held as sent twice.
    const reference = `"customerReference":"HTTP ${sent}"`;
    const body = (bodies[sent % bodies.length] ?? "").replace(REFERENCE, reference);
    return postOf("/v1/orders", body, [key, `idempotency-key: http-${sent}`]);
  };
  const first = JSON.parse(await askOnce(service.port, next())) as unknown;
  const barePort = await freePort();
  await using child = startChild("test/bench/order-bare.ts");
  child.ask({ port: barePort, database, answer: first });
  await answer(child);
  const at = (port: number) => () =>
    load({ port, requests: next, connections: CONNECTIONS, seconds: SECONDS });
  const rounds = { ours: at(service.port), bare: at(barePort) };
  return (await inRounds(bench.rounds + 1, rounds)).slice(1);
}

function figuresOf(
  rounds: Rounds,
  work: string,
  limit: string,
  atLeast: number | null,
): readonly Figure[] {
  const figure = (
    what: keyof Taken,
    words: string,
    shown: (value: number) => string,
    goal: (ratio: number) => Goal | null,
  ): Figure => {
    const ratio = ratioOf(
      rounds,
      ({ ours }) => ours[what],
      ({ bare }) => bare[what],
    );
    const of = (who: "ours" | "bare") => shown(median(rounds.map((round) => round[who][what])));
    return {
      row: "O1",
      work: words,
      ours: of("ours"),
      limit: `${of("bare")} ${limit}`,
      ratio,
      goal: goal(ratio),
    };
  };
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  return [
    figure(
      "rate",
      work,
      (value) => rate(value, "orders"),
      (ratio) => (atLeast === null ? null : ratioGoal(ratio, { atLeast })),
    ),
    figure("p50Ms", "their p50", ms, () => null),
    figure("p99Ms", "their p99", ms, () => null),
  ];
}
