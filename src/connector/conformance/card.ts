/** The connector card: what a connector can do, what it promises, and what was proved of it. */
import type { StreamDefinition } from "../contract.ts";
import { trial, type Bench } from "./bench.ts";
import { offered } from "./closing.ts";

export interface CheckResult {
  readonly id: string;
  readonly holds: string;
  /** `notHere`: it promises nothing of the kind. `untried`: nobody could try it. */
  readonly state: "passed" | "failed" | "waived" | "untried" | "notHere";
  /** What is wrong, and where, as sentences. */
  readonly findings: readonly string[];
  /** Why it is waived, untried or not for it. */
  readonly why: string | null;
}

export interface Card {
  readonly connector: string;
  readonly about: string;
  /** What a session offers besides reading; null: not known without a far side. */
  readonly capabilities: readonly string[] | null;
  readonly streams: readonly StreamCard[] | null;
  readonly checks: readonly CheckResult[];
  /** True: nothing failed; and with a rig nothing is left untried. */
  readonly fine: boolean;
}

export interface StreamCard {
  readonly name: string;
  readonly about: string;
  readonly promises: readonly string[];
}

export async function cardOf(
  bench: Bench,
  checks: readonly CheckResult[],
  canTry: boolean,
): Promise<Card> {
  const { connector, rig } = bench;
  const hasRig = rig !== null && canTry;
  return {
    connector: connector.name,
    about: connector.about,
    capabilities: hasRig ? await offered(bench).catch(() => null) : null,
    streams: (await streamsOf(bench, hasRig))?.map(streamCard) ?? null,
    checks,
    fine: checks.every(({ state }) => state !== "failed" && (rig === null || state !== "untried")),
  };
}

async function streamsOf(
  bench: Bench,
  hasRig: boolean,
): Promise<readonly StreamDefinition[] | null> {
  if (hasRig) return trial(bench, async ({ streams }) => streams);
  const parsed = bench.connector.settings.safeParse(bench.settings ?? {});
  return parsed.success ? bench.connector.streams(parsed.data) : null;
}

function streamCard(stream: StreamDefinition): StreamCard {
  return { name: stream.name, about: stream.about, promises: promisesOf(stream) };
}

function promisesOf({ reading, key, delta, deletions, totals, range }: StreamDefinition): string[] {
  const removals = deletions ?? (reading === "snapshot" ? "absence" : "never");
  return [
    reading,
    ...(key === undefined ? [] : [`key ${key.join(" + ")}`]),
    ...(delta === undefined
      ? []
      : [
          `by ${delta.grain}${delta.zone === "none" ? "" : ` (${delta.zone})`}`,
          delta.ordered ? "ordered" : "unordered",
          ...(delta.overlap === 0 ? [] : [`overlap ${delta.overlap}`]),
        ]),
    ...(removals === "never" ? [] : [`removals by ${removals}`]),
    ...(totals === true ? ["totals"] : []),
    ...(range === true ? ["range"] : []),
  ];
}
