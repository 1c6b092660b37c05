/** Rounds in which contender follows contender, and what is said of them: medians and ratios. */
import { readFileSync } from "node:fs";

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? NaN;
}

/**
 * Every contender once a round, the first of each round another one, so that a slow spell of a
 * shared machine falls on all alike.
 */
export async function inRounds<Name extends string, Sample>(
  rounds: number,
  contenders: Readonly<Record<Name, (round: number) => Promise<Sample>>>,
): Promise<Record<Name, Sample>[]> {
  const names = Object.keys(contenders) as Name[];
  const taken: Record<Name, Sample>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = round % names.length;
    const samples: Partial<Record<Name, Sample>> = {};
    for (const name of [...names.slice(first), ...names.slice(0, first)])
      samples[name] = await contenders[name](round);
    taken.push(samples as Record<Name, Sample>);
  }
  return taken;
}

/** The median of the rounds' own ratios, which is steadier than the ratio of two medians. */
export function ratioOf<Sample>(
  rounds: readonly Sample[],
  above: (round: Sample) => number,
  below: (round: Sample) => number,
): number {
  return median(rounds.map((round) => above(round) / below(round)));
}

/** CPU seconds that a process has used; NaN where the system does not tell. */
export function cpuSeconds(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return NaN;
  }
}

export function loadAverage(): string {
  try {
    return readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" ");
  } catch {
    return "unknown";
  }
}
