/** P3 and P4: prices over HTTP from the real service, beside a route that only passes JSON. */
import type { Bench } from "./main.ts";
import { askOnce, load, postOf } from "./http-client.ts";
import type { Answered } from "./http-client.ts";
import { cpuSeconds, inRounds, median, ratioOf } from "./measure.ts";
import { PRICING_SIZES, PRODUCTS, questionsOf } from "./price-data.ts";
import { answer, startChild } from "./process.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import { freePort, preparedFolder, startService } from "./service.ts";

const LINES = 10_000;
/** Connections that ask for single prices at the same time. */
const CONNECTIONS = 16;
const SECONDS = 2;
const ADDRESS = "/v1/prices";

interface Sample extends Answered {
  /** Answers for a second of the server's CPU: what neighbours on the machine disturb least. */
  readonly perCpu: number;
}

export async function measureHttp(bench: Bench): Promise<Figure[]> {
  const { secret } = await preparedFolder(bench);
  bench.say("prices over HTTP, from the service and from a bare route");
  await using service = await startService(bench);
  const key = [`authorization: Bearer ${secret}`];
  const columns = postOf(ADDRESS, columnsBody(bench), key);
  const singles = singleBodies(bench).map((body) => postOf(ADDRESS, body, key));
  const bare = { pid: 0, port: await freePort() };
  await using child = startChild("test/bench/bare-server.ts");
  const single = singles[0] ?? Buffer.alloc(0);
  child.ask({
    port: bare.port,
    answers: {
      "/columns": JSON.parse(await askOnce(service.port, columns)) as unknown,
      "/single": JSON.parse(await askOnce(service.port, single)) as unknown,
    },
  });
  await answer(child);
  bare.pid = child.pid;
  const measured = (at: { pid: number; port: number }, requests: Buffer[], connections: number) =>
    sampled(at, requests, connections);
  const bareRequests = (address: string, requests: readonly Buffer[]) =>
    requests.map((request) =>
      Buffer.from(request.toString("utf8").replace(`POST ${ADDRESS} `, `POST ${address} `)),
    );
  const many = await inRounds(bench.rounds + 1, {
    ours: () => measured(service, [columns], 1),
    bare: () => measured(bare, bareRequests("/columns", [columns]), 1),
  });
  const one = await inRounds(bench.rounds + 1, {
    ours: () => measured(service, singles, CONNECTIONS),
    bare: () => measured(bare, bareRequests("/single", singles), CONNECTIONS),
  });
  const meanwhile = (at: { pid: number; port: number }, requests: Buffer[]) =>
    whileBulkRuns(service.port, columns, () => measured(at, requests, CONNECTIONS));
  const beside = await inRounds(bench.rounds + 1, {
    ours: () => meanwhile(service, singles),
    bare: () => meanwhile(bare, bareRequests("/single", singles)),
  });
  // The first round of each warms both sides.
  return figuresOf(many.slice(1), one.slice(1), beside.slice(1));
}

/** The same work while one connection asks our service for 10,000 prices again and again. */
async function whileBulkRuns(
  port: number,
  columns: Buffer,
  work: () => Promise<Sample>,
): Promise<Sample> {
  const stop = new AbortController();
  const bulk = load({ port, requests: [columns], connections: 1, seconds: stop.signal });
  try {
    return await work();
  } finally {
    stop.abort();
    await bulk;
  }
}

async function sampled(
  at: { readonly pid: number; readonly port: number },
  requests: readonly Buffer[],
  connections: number,
): Promise<Sample> {
  const cpu = cpuSeconds(at.pid);
  const answered = await load({ port: at.port, requests, connections, seconds: SECONDS });
  return { ...answered, perCpu: (answered.rate * SECONDS) / (cpuSeconds(at.pid) - cpu) };
}

function columnsBody({ rules, seed }: Bench): string {
  const sizes = { ...PRICING_SIZES, rules };
  const { accounts, products, quantities } = questionsOf(sizes, 1, LINES, seed);
  return JSON.stringify({
    account: `A${accounts[0]}`,
    product: Array.from(products, (at) => `P${at % PRODUCTS}`),
    quantity: [...quantities],
  });
}

export function singleBodies({ rules, seed }: Bench): string[] {
  const sizes = { ...PRICING_SIZES, rules };
  const { accounts, products, quantities } = questionsOf(sizes, 500, 1, seed + 1);
  return Array.from(accounts, (account, at) =>
    JSON.stringify({
      account: `A${account}`,
      lines: [{ product: `P${products[at]}`, quantity: String(quantities[at]) }],
    }),
  );
}

type Rounds = readonly { readonly ours: Sample; readonly bare: Sample }[];

function figuresOf(many: Rounds, one: Rounds, beside: Rounds): Figure[] {
  const of = (rounds: Rounds, who: "ours" | "bare", what: keyof Sample) =>
    median(rounds.map((round) => round[who][what]));
  const ratio = (rounds: Rounds, what: keyof Sample) =>
    ratioOf(
      rounds,
      ({ ours }) => ours[what],
      ({ bare }) => bare[what],
    );
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  const [slower, answers, tail] = [ratio(many, "p50Ms"), ratio(one, "rate"), ratio(one, "p99Ms")];
  const besideTail = ratio(beside, "p99Ms");
  return [
    {
      row: "P3",
      work: `${LINES} prices by columns over HTTP, p50`,
      ours: ms(of(many, "ours", "p50Ms")),
      limit: `${ms(of(many, "bare", "p50Ms"))} bare route`,
      ratio: slower,
      goal: ratioGoal(slower, { atMost: 1.5 }),
    },
    {
      row: "P4",
      work: `single prices over HTTP, ${CONNECTIONS} connections`,
      ours: rate(of(one, "ours", "rate"), "answers"),
      limit: `${rate(of(one, "bare", "rate"), "answers")} bare route`,
      ratio: answers,
      goal: ratioGoal(answers, { atLeast: 0.6 }),
    },
    {
      row: "P4",
      work: "the same for a second of the server's CPU",
      ours: `${of(one, "ours", "perCpu").toFixed(0)} answers`,
      limit: `${of(one, "bare", "perCpu").toFixed(0)} answers`,
      ratio: ratio(one, "perCpu"),
      goal: null,
    },
    {
      row: "P4",
      work: "their p99",
      ours: ms(of(one, "ours", "p99Ms")),
      limit: `${ms(of(one, "bare", "p99Ms"))} bare route`,
      ratio: tail,
      goal: ratioGoal(tail, { atMost: 2 }),
    },
    {
      row: "P4",
      work: "their p99 while 10,000 prices are asked for again and again",
      ours: ms(of(beside, "ours", "p99Ms")),
      limit: `${ms(of(beside, "bare", "p99Ms"))} bare route, same load`,
      ratio: besideTail,
      goal: ratioGoal(besideTail, { atMost: 2 }),
    },
  ];
}
