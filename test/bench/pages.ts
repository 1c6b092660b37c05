/** S6: pages of JSON read through the connector kit, beside node:http reading and parsing them. */
import http from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { Host } from "#connector";
import { numberedPages, openHttp } from "#connector/http";
import type { Bench } from "./main.ts";
import { inRounds, median, ratioOf } from "./measure.ts";
import type { PageServer } from "./page-server.ts";
import { answer, startChild } from "./process.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";
import { freePort } from "./service.ts";

const PAGES = 200;
const ROWS = 500;

interface Page {
  readonly rows: readonly unknown[];
}

export async function measurePages(bench: Bench): Promise<Figure[]> {
  bench.say(`${PAGES} pages of ${ROWS} rows over HTTP, by the kit and by node:http`);
  const port = await freePort();
  await using server = startChild("test/bench/page-server.ts");
  server.ask({ port, pages: PAGES, rows: ROWS } satisfies PageServer);
  await answer(server);
  const figures: Figure[] = [];
  for (const atATime of [1, 4]) {
    const rounds = await inRounds(bench.rounds + 1, {
      kit: () => timed(() => byKit(port, atATime)),
      bare: () => timed(() => byHand(port, atATime)),
    });
    // The first round warms both.
    figures.push(figureOf(rounds.slice(1), atATime));
  }
  return figures;
}

/** Rows a second. */
async function timed(read: () => Promise<number>): Promise<number> {
  const since = performance.now();
  const rows = await read();
  if (rows !== PAGES * ROWS) throw new Error(`${rows} rows came instead of ${PAGES * ROWS}`);
  return (rows * 1000) / (performance.now() - since);
}

async function byKit(port: number, atATime: number): Promise<number> {
  const over = new AbortController();
  const client = openHttp(
    { baseUrl: `http://127.0.0.1:${port}/`, perSecond: 1_000_000, concurrency: atATime },
    hostOf(over.signal),
  );
  let rows = 0;
  const pages = numberedPages<Page>({
    get: (page) => client.get<Page>("p", { query: { page } }),
    rows: (body) => body.rows,
    last: (_body, index) => index === PAGES - 1,
    ahead: atATime,
  });
  for await (const { body } of pages) rows += body.rows.length;
  over.abort();
  return rows;
}

/** What the kit is given where nothing limits it. */
function hostOf(signal: AbortSignal): Host {
  const nothing = () => Promise.resolve(null);
  return {
    now: () => Temporal.Now.instant(),
    timeZone: "Europe/London",
    signal,
    log: () => undefined,
    secret: () => "",
    appliedBefore: () => Promise.resolve(false),
    tokens: { read: nothing, write: () => Promise.resolve(true), alone: (_name, work) => work() },
    turn: () => Promise.resolve(),
    wait: (ms) => wait(ms),
  };
}

async function byHand(port: number, atATime: number): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: atATime });
  let [rows, next] = [0, 0];
  const lane = async () => {
    while (next < PAGES) {
      const page = next;
      next += 1;
      const read = await got(`http://127.0.0.1:${port}/p?page=${page}`, agent);
      rows += read.rows.length;
    }
  };
  await Promise.all(Array.from({ length: atATime }, lane));
  agent.destroy();
  return rows;
}

function got(url: string, agent: http.Agent): Promise<Page> {
  return new Promise((resolve, reject) => {
    http
      .get(url, { agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")) as Page);
        });
      })
      .on("error", reject);
  });
}

function figureOf(rounds: readonly { kit: number; bare: number }[], atATime: number): Figure {
  const ratio = ratioOf(
    rounds,
    ({ kit }) => kit,
    ({ bare }) => bare,
  );
  return {
    row: "S6",
    work: `pages of ${ROWS} rows over HTTP, ${atATime} at a time`,
    ours: rate(median(rounds.map(({ kit }) => kit)), "rows"),
    limit: `${rate(median(rounds.map(({ bare }) => bare)), "rows")} node:http`,
    ratio,
    goal: ratioGoal(ratio, { atLeast: 0.5 }),
  };
}
