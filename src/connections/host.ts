/** What a session may use of the outside, and nothing else. */
import { setTimeout } from "node:timers/promises";
import { ConnectorFault, type Hider, type Host } from "../connector/index.ts";
import type { ConnectionContext } from "./index.ts";
import { hiddenFacts, learn } from "./guard.ts";
import { beforeBackwards } from "./standing.ts";
import { KEY_SECRET, readKeys, type TokenKeys } from "./keys.ts";
import { tokenStore } from "./tokens.ts";
import { turnOf } from "./turn.ts";

/** Longer than any request for a token takes, its tries included. */
const LEASE_SECONDS = 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function hostFor(
  context: ConnectionContext & { readonly name: string },
  signal: AbortSignal,
  hider: Hider,
): Host {
  const { company, name: connection, store, now } = context;
  const wait = (ms: number) => waiting(ms, signal);
  let keys: Promise<TokenKeys> | null = null;
  return {
    now,
    timeZone: context.timeZone,
    signal,
    log: (level, message, facts) => {
      context.log(level, hider.hide(message), { connection, ...hiddenFacts(facts ?? {}, hider) });
    },
    secret: (wanted) => {
      const found = context.secret(wanted);
      if (found === null) throw secretMissing(connection, wanted);
      hider.add(found);
      return found;
    },
    wait,
    turn: turnOf({ store, company, connection, now, wait }),
    tokens: tokenStore({
      store,
      company,
      connection,
      now,
      wait,
      keys: () => (keys ??= readKeys(context.secret(KEY_SECRET), context.keyFile ?? null)),
      learnt: (text) => {
        learn(text, hider);
      },
      leaseSeconds: LEASE_SECONDS,
    }),
    appliedBefore: async (stream, sha256) => {
      const rows = await store.query(
        `select 1 from origin where company = $1 and connection = $2 and stream = $3
           and sha256 = $4 and applied_at is not null
           and not ${beforeBackwards("applied_at")} limit 1`,
        [company, connection, stream, sha256],
      );
      return rows.length > 0;
    },
  };
}

async function waiting(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await setTimeout(Math.min(Math.max(ms, 0), LONGEST_TIMER_MS), undefined, { signal });
  } catch (error) {
    // The timer's own word for it would hide why the session was stopped.
    signal.throwIfAborted();
    throw error;
  }
}

function secretMissing(connection: string, wanted: string): ConnectorFault {
  return new ConnectorFault(
    "config",
    `Connection "${connection}" needs the secret "${wanted}", and it is not set.`,
    `Set TRADEPOST_SECRET_${wanted.toUpperCase()} in the environment of the service.`,
  );
}
