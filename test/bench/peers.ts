/**
 * Medusa's pricing and promotion modules beside ours, in the same minutes: ours before, theirs by
 * the scripts of the folder that PEERS names, ours after. Theirs look among one price list a
 * customer and three breaks; ours have every rule of the bench to weigh: that favours them.
 *
 *     PEERS=…/peers PERF=… MEDUSA_MODULES=… npm run bench -- --only M
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "./measure.ts";
import type { Bench } from "./main.ts";
import { compileBenchBook, measureSpeed, PRICING_SIZES } from "./pricing.ts";
import { cartSpeed } from "./promotions.ts";
import { rate, ratioGoal } from "./report.ts";
import type { Figure } from "./report.ts";

/** Their title of a part → lines of a call of ours, and how much faster ours is to be. */
const PRICE_PARTS = [
  { title: "batch 1", lines: 1, atLeast: 100 },
  { title: "batch 1000", lines: 1000, atLeast: 100 },
  { title: "basket of 100 lines, 1 to 60 of each", lines: 100, atLeast: 1000 },
] as const;
const CART = "cart of 100 lines, 200 promotions";

export async function measurePeers(bench: Bench): Promise<Figure[]> {
  const folder = process.env["PEERS"];
  if (folder === undefined) {
    bench.say("peers: NOT RUN, since PEERS names no folder of their scripts");
    return [];
  }
  const sizes = { ...PRICING_SIZES, rules: bench.rules, rounds: bench.rounds, seed: bench.seed };
  const { book } = await compileBenchBook(sizes);
  const ours = () =>
    measureSpeed(
      sizes,
      book,
      PRICE_PARTS.map(({ lines }) => lines),
    );
  const cart = () => cartSpeed(bench);
  const before = { prices: ours(), cart: await cart() };
  bench.say("peers: Medusa's prices and promotions");
  const prices = await speedsOf(join(folder, "medusa-price.mjs"), bench.rounds);
  const promotions = await speedsOf(join(folder, "medusa-promotion.mjs"), bench.rounds);
  const after = { prices: ours(), cart: await cart() };
  const figure = (work: string, mine: number, theirs: number, atLeast: number): Figure => ({
    row: "M",
    work,
    ours: rate(mine, "lines"),
    limit: rate(theirs, "lines by Medusa"),
    ratio: mine / theirs,
    goal: ratioGoal(mine / theirs, { atLeast }, "times it"),
  });
  return [
    ...PRICE_PARTS.map(({ title, atLeast }, at) =>
      figure(
        `prices, ${title}`,
        median([before, after].map((side) => side.prices[at]?.engine ?? NaN)),
        prices.get(title) ?? NaN,
        atLeast,
      ),
    ),
    figure(
      `promotions, ${CART}`,
      median([before.cart, after.cart]),
      promotions.get(CART) ?? NaN,
      300,
    ),
  ];
}

const run = promisify(execFile);

/** Lines a second by the title of each part, as the script's own tables say them. */
async function speedsOf(script: string, rounds: number): Promise<ReadonlyMap<string, number>> {
  const { stdout } = await run(process.execPath, ["--expose-gc", script], {
    env: { ...process.env, ROUNDS: String(rounds) },
    maxBuffer: 16 * 1024 * 1024,
  });
  const speeds = new Map<string, number>();
  let title = "";
  for (const line of stdout.split("\n")) {
    if (/^(?:batch|basket|cart)/.test(line)) title = line.trim();
    const speed = /'medusa'\s*│\s*(\d+)/.exec(line)?.[1];
    if (speed !== undefined && !speeds.has(title)) speeds.set(title, Number(speed));
  }
  return speeds;
}
