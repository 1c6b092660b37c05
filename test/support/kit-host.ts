/**
 * A host for tests of the kit: its clock moves only when somebody waits, and it notes what was
 * waited, logged and asked.
 */
import type { Host, KeptToken } from "../../src/connector/index.ts";

export interface KitHost extends Host {
  readonly waits: number[];
  readonly lines: string[];
  /** Turns asked for. */
  readonly turns: number[];
  readonly kept: Map<string, KeptToken>;
  stop(): void;
  /** Seconds. */
  pass(seconds: number): void;
}

export function kitHost(secrets: Readonly<Record<string, string>> = {}): KitHost {
  const stopping = new AbortController();
  let at = Temporal.Instant.from("2026-03-31T08:00:00Z");
  const [waits, lines, turns]: [number[], string[], number[]] = [[], [], []];
  const kept = new Map<string, KeptToken>();
  let before: Promise<unknown> = Promise.resolve();
  return {
    waits,
    lines,
    turns,
    kept,
    stop: () => {
      stopping.abort(new Error("the session ends"));
    },
    pass: (seconds) => {
      at = at.add({ seconds });
    },
    now: () => at,
    timeZone: "Europe/London",
    signal: stopping.signal,
    log: (level, message, facts) => {
      lines.push(`${level}: ${message}${facts === undefined ? "" : JSON.stringify(facts)}`);
    },
    secret: (name) => secrets[name] ?? "",
    appliedBefore: () => Promise.resolve(false),
    turn: async (perSecond) => {
      turns.push(perSecond);
    },
    wait: async (ms) => {
      stopping.signal.throwIfAborted();
      waits.push(ms);
      at = at.add({ milliseconds: Math.ceil(ms) });
    },
    tokens: {
      read: async (name) => kept.get(name) ?? null,
      write: async (name, value, seen) => {
        if ((kept.get(name)?.version ?? 0) !== (seen?.version ?? 0)) return false;
        kept.set(name, { value, version: (seen?.version ?? 0) + 1 });
        return true;
      },
      alone: async (_name, refresh) => {
        const turn = before.then(refresh);
        before = turn.catch(() => undefined);
        return turn;
      },
    },
  };
}
