/**
 * A configured connection, opened: the connector's session with the host that it may use. Promises
 * that settings were checked before anything is touched, and that a connector sees no more of the
 * outside than its host gives. Never reads a cursor: streams' state belongs to sync.
 *
 *     await using connection = await openConnection({ company: "BUILD", name: "erp", … });
 */
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import {
  ConnectorFault,
  loadConnector,
  type Host,
  type Json,
  type Session,
  type StreamDefinition,
} from "../connector/index.ts";
import type { Store } from "../store/index.ts";

export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  facts?: Readonly<Record<string, Json>>,
) => void;

/** What a connection's entry in the settings says. */
export interface ConnectionSettings {
  readonly connector: string;
  readonly mode: "read-only" | "live";
  readonly mappings: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ConnectionContext {
  readonly company: string;
  readonly timeZone: string;
  readonly store: Store;
  readonly now: () => Temporal.Instant;
  readonly secret: (name: string) => string | null;
  readonly log: Log;
}

export interface Connection extends AsyncDisposable {
  readonly name: string;
  readonly mode: "read-only" | "live";
  readonly streams: readonly StreamDefinition[];
  readonly session: Session;
}

/** Opens a connection. Throws a `config` fault that names every setting that is wrong. */
export async function openConnection(
  context: ConnectionContext & { readonly name: string; readonly settings: ConnectionSettings },
): Promise<Connection> {
  const connector = await loadConnector(context.settings.connector);
  const parsed = connector.settings.safeParse(context.settings.settings);
  if (!parsed.success)
    throw new ConnectorFault(
      "config",
      `Opening connection "${context.name}" (${connector.name}): ${z.prettifyError(parsed.error)}`,
      `Mend companies.${context.company}.connections.${context.name}.settings in the settings file.`,
    );
  const stop = new AbortController();
  const session = await connector.open(parsed.data, hostFor(context, stop.signal));
  return {
    name: context.name,
    mode: context.settings.mode,
    streams: connector.streams(parsed.data),
    session,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await session[Symbol.asyncDispose]();
    },
  };
}

function hostFor(
  context: ConnectionContext & { readonly name: string },
  signal: AbortSignal,
): Host {
  const { company, name, store } = context;
  return {
    now: context.now,
    timeZone: context.timeZone,
    signal,
    log: (level, message, facts) => {
      context.log(level, message, { connection: name, ...facts });
    },
    secret: (wanted) => {
      const found = context.secret(wanted);
      if (found !== null) return found;
      throw new ConnectorFault(
        "config",
        `Connection "${name}" needs the secret "${wanted}", and it is not set.`,
        `Set TRADEPOST_SECRET_${wanted.toUpperCase()} in the environment of the service.`,
      );
    },
    wait: (ms) => setTimeout(ms, undefined, { signal }),
    turn: () => Promise.reject(new Error("no rate limit yet")),
    tokens: {
      read: () => Promise.reject(new Error("no tokens yet")),
      write: () => Promise.reject(new Error("no tokens yet")),
      alone: () => Promise.reject(new Error("no tokens yet")),
    },
    appliedBefore: async (stream, sha256) => {
      const rows = await store.query(
        `select 1 from origin where company = $1 and connection = $2 and stream = $3
           and sha256 = $4 and applied_at is not null limit 1`,
        [company, name, stream, sha256],
      );
      return rows.length > 0;
    },
  };
}
