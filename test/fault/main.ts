/**
 * The fault tests: what is promised, tried under kills, cut connections, mutated input and clocks
 * that jump.
 *
 *     npm run test:fault                       every lane, a seed of its own
 *     npm run test:fault -- sync               the lanes of pulling alone; or one by its name
 *     npm run test:fault -- day --kills 100 --seed 7
 *     npm run test:fault -- orders --class searchable --orders 500   pushing, one class of ERP
 *     npm run test:fault -- --ci               the same seeds each time, small
 *
 * Ends with 1 unless every figure of its table but "injected" is 0, and at most 1% of the orders
 * wait for a person. Rows of goal "-" are of naive clients, for comparison.
 */
import { parseArgs } from "node:util";
import { kill, running } from "./child.ts";
import { clock } from "./clock.ts";
import { day } from "./day.ts";
import { cursors } from "./cursors.ts";
import { files } from "./files.ts";
import { input } from "./input.ts";
import type { Lane, LaneRow } from "./lane.ts";
import { pull } from "./pull.ts";
import { keys } from "./push/keys.ts";
import { outages } from "./push/outages.ts";
import { push } from "./push/push.ts";
import { webhooks } from "./webhooks.ts";

const LANES: Readonly<Record<string, Lane>> = {
  day,
  pull,
  cursors,
  files,
  input,
  clock,
  keys,
  push,
  outages,
  webhooks,
};
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  sync: ["pull", "cursors", "files", "input", "clock"],
  orders: ["keys", "push", "outages", "webhooks"],
};
const CI_SEED = 20_260_331;

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    for (const pid of running) kill(pid);
    process.exitCode = 130;
    // What a lane starts anew is ended with it.
    setTimeout(() => {
      for (const pid of running) kill(pid);
      process.exit(130);
    }, 5_000).unref();
  });

await main();

async function main(): Promise<void> {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      kills: { type: "string" },
      orders: { type: "string" },
      class: { type: "string" },
      seed: { type: "string" },
      ci: { type: "boolean", default: false },
    },
  });
  const seed = wholeNumber("seed", options.seed) ?? Math.floor(Math.random() * 1e9);
  const kills = wholeNumber("kills", options.kills);
  const orders = wholeNumber("orders", options.orders);
  const rows: LaneRow[] = [];
  for (const name of chosen(positionals)) {
    const lane = LANES[name];
    if (lane === undefined) throw new Error(`there is no lane ${name}`);
    const began = performance.now();
    const given = { seed: options.ci ? CI_SEED : seed, ci: options.ci, kills, orders };
    tell(`${name}: seed ${given.seed}`);
    rows.push(...(await lane({ ...given, class: options.class, say: inset })));
    tell(`${name}: ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
  }
  report(rows);
}

function chosen(names: readonly string[]): readonly string[] {
  if (names.length === 0) return Object.keys(LANES);
  return names.flatMap((name) => {
    if (name in LANES) return [name];
    const group = GROUPS[name];
    if (group !== undefined) return group;
    usage(
      `there is no lane "${name}"; there are ${Object.keys({ ...LANES, ...GROUPS }).join(", ")}`,
    );
  });
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0) return value;
  usage(`--${name} takes a whole number, found "${text}"`);
}

function usage(problem: string): never {
  process.stderr.write(`${problem}\n`);
  process.exit(2);
}

/** Every figure but "injected" must be 0. */
function report(rows: readonly LaneRow[]): void {
  for (const { row, experiment, findings } of rows)
    for (const finding of findings.slice(0, 20)) tell(`${row}, ${experiment}: ${finding}`);
  const heads = ["goal", "experiment", "injected", "lost", "duplicated", "changed", "stuck"];
  heads.push("unaccounted", "for a person");
  const shown = (figure: number) => figure.toLocaleString("en-GB");
  const cells = rows.map((one) => [
    one.row,
    one.experiment,
    ...[one.injected, one.lost, one.duplicated].map(shown),
    one.changed === undefined ? "-" : shown(one.changed),
    ...[one.stuck, one.unaccounted].map(shown),
    one.forPerson ?? "-",
  ]);
  const widths = heads.map((head, at) =>
    Math.max(head.length, ...cells.map((row) => row[at]?.length ?? 0)),
  );
  tell("");
  for (const row of [heads, ...cells])
    tell(
      row
        .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join(" | "),
    );
  if (rows.some(({ findings }) => findings.length > 0)) process.exitCode = 1;
}

function inset(line: string): void {
  tell(`  ${line}`);
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
