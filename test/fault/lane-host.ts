/** The host of a session in a lane: nothing is waited for, nothing is logged. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../src/connector/index.ts";

export function laneHost(given: Partial<Host> & { readonly signal: AbortSignal }): Host {
  return {
    now: () => Temporal.Instant.from("2026-03-31T02:00:00Z"),
    timeZone: "Europe/London",
    log: () => undefined,
    secret: () => "",
    appliedBefore: async () => false,
    tokens: {
      read: async () => null,
      write: async () => false,
      alone: (_name, refresh) => refresh(),
    },
    turn: async () => {},
    wait: async () => {},
    ...given,
  };
}

/** Runs with a folder for temporary files that is cleared away afterwards. */
export async function inOwnFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const before = process.env["TMPDIR"];
  const folder = await mkdtemp(join(tmpdir(), "tradepost-lane-"));
  process.env["TMPDIR"] = folder;
  try {
    return await work(folder);
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
    await rm(folder, { recursive: true, force: true });
  }
}
