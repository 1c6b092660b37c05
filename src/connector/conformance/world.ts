/** A host of the suite's own: a clock that only waiting moves, and everything written down. */
import { setImmediate } from "node:timers/promises";
import { ConnectorFault } from "../contract.ts";
import type { Host, Json, KeptToken, ReadEvent, TokenStore } from "../contract.ts";

/** Before the spring change of 2026, and after every row of a fresh far side. */
const START = "2026-03-28T12:00:00Z";

export interface World {
  readonly logs: string[];
  /** Milliseconds that the connector let the host wait. */
  readonly waits: number[];
  readonly applied: Set<string>;
  readonly tokens: TokenStore;
  /** True once the connector has asked for a token. */
  keepsTokens(): boolean;
  setNow(iso: string): void;
  host(signal: AbortSignal): Host;
}

export function createWorld(secrets: Readonly<Record<string, string>>, watch: Watch): World {
  let now = Temporal.Instant.from(START);
  const world = { logs: [] as string[], waits: [] as number[], applied: new Set<string>() };
  let asked = false;
  const tokens = memoryTokens(watch, () => {
    asked = true;
  });
  const wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    world.waits.push(ms);
    now = now.add({ milliseconds: Math.max(0, Math.ceil(ms)) });
    await setImmediate();
    signal.throwIfAborted();
  };
  return {
    ...world,
    tokens,
    keepsTokens: () => asked,
    setNow: (iso) => {
      now = Temporal.Instant.from(iso);
    },
    host: (signal) => ({
      now: () => now,
      timeZone: "Europe/London",
      signal,
      log: (level, message, facts) => {
        const line = `${level}: ${message} ${facts === undefined ? "" : JSON.stringify(facts)}`;
        world.logs.push(line);
        watch.look("its log", line);
      },
      secret: (name) => secretOf(secrets, name),
      appliedBefore: async (stream, sha256) => world.applied.has(`${stream} ${sha256}`),
      tokens,
      turn: async (perSecond) => {
        signal.throwIfAborted();
        now = now.add({ milliseconds: Math.ceil(1_000 / perSecond) });
        await setImmediate();
      },
      wait: (ms) => wait(ms, signal),
    }),
  };
}

function secretOf(secrets: Readonly<Record<string, string>>, name: string): string {
  const value = secrets[name];
  if (value !== undefined) return value;
  throw new ConnectorFault(
    "config",
    `The secret "${name}" is not set.`,
    "Let the rig's `secrets` hold it under the name that its settings give.",
  );
}

/** Compare-and-swap, and one refresher at a time over all sessions of a trial. */
function memoryTokens(watch: Watch, asked: () => void): TokenStore {
  const kept = new Map<string, KeptToken>();
  const queues = new Map<string, Promise<unknown>>();
  return {
    read: async (name) => {
      asked();
      return kept.get(name) ?? null;
    },
    write: async (name, value, seen) => {
      watch.learn(value);
      const version = kept.get(name)?.version ?? 0;
      if (version !== (seen?.version ?? 0)) return false;
      kept.set(name, { value, version: version + 1 });
      return true;
    },
    alone: async (name, refresh) => {
      const before = queues.get(name) ?? Promise.resolve();
      const mine = before.then(refresh, refresh);
      queues.set(
        name,
        mine.catch(() => undefined),
      );
      return mine;
    },
  };
}

/** Longer values only: a short one would be found in any text. */
const LEAST_SECRET = 8;

/** Where secrets were seen, by the places that a person or a log can read. */
export interface Watch {
  learn(secret: string): void;
  look(where: string, text: string): void;
  lookAt(event: ReadEvent): void;
  readonly sightings: Set<string>;
}

export function createWatch(): Watch {
  const secrets = new Set<string>();
  const sightings = new Set<string>();
  const look = (where: string, text: string): void => {
    for (const secret of secrets) if (text.includes(secret)) sightings.add(where);
  };
  return {
    sightings,
    look,
    learn: (secret) => {
      for (const part of [secret, ...leavesOf(secret)])
        if (part.length >= LEAST_SECRET) secrets.add(part);
    },
    lookAt: (event) => {
      look(`a "${event.kind}" event`, JSON.stringify(event));
    },
  };
}

/** The texts of a token that is kept as JSON: access and refresh token, not its dates. */
function leavesOf(text: string): string[] {
  if (!text.startsWith("{")) return [];
  try {
    const parsed = JSON.parse(text) as Record<string, Json>;
    return Object.entries(parsed).flatMap(([name, value]) =>
      typeof value === "string" && /token|secret|access|refresh/i.test(name) ? [value] : [],
    );
  } catch {
    return [];
  }
}
