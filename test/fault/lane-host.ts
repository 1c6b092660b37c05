/** The host of a session in a lane: nothing is waited for, nothing is logged. */
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
