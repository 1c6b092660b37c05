/**
 * A configured connection, opened: the connector's session with the host that it may use. Promises
 * that settings were checked before anything is touched, and that a connector sees no more of the
 * outside than its host gives. Never reads a cursor: streams' state belongs to sync. Never lets a
 * secret out in a log line or a fault.
 *
 *     await using connection = await openConnection({ company: "BUILD", name: "erp", … });
 */
import { z } from "zod";
import {
  ConnectorFault,
  createHider,
  loadConnector,
  type Json,
  type Session,
  type StreamDefinition,
} from "../connector/index.ts";
import type { Store } from "../store/index.ts";
import { openGuarded } from "./guard.ts";
import { hostFor } from "./host.ts";
import type { Mode } from "./standing.ts";

export { KEY_SECRET, readKeys } from "./keys.ts";
export type { TokenKeys } from "./keys.ts";
export {
  beforeBackwards,
  EndsInThePast,
  openStandings,
  stopInWords,
  timesBackwards,
} from "./standing.ts";
export type { ChecklistItem, Deed, GoLive, Mode, Standing, Standings, Stop } from "./standing.ts";

export type Log = (
  level: "info" | "warn" | "error",
  message: string,
  facts?: Readonly<Record<string, Json>>,
) => void;

/** What a connection's entry in the settings says. */
export interface ConnectionSettings {
  readonly connector: string;
  readonly mode: Mode;
  readonly mappings: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ConnectionContext {
  readonly company: string;
  /** Folders of connectors of one's own, beside the shipped ones. */
  readonly connectorFolders?: readonly string[] | undefined;
  readonly timeZone: string;
  readonly store: Store;
  readonly now: () => Temporal.Instant;
  readonly secret: (name: string) => string | null;
  /**
   * Where the key for tokens is kept when the secret `tokens_key` is not set; made when it is
   * needed. Absent: a connector that keeps tokens needs the secret.
   */
  readonly keyFile?: string;
  readonly log: Log;
}

export interface Connection extends AsyncDisposable {
  readonly name: string;
  readonly mode: Mode;
  readonly streams: readonly StreamDefinition[];
  readonly session: Session;
}

/** Opens a connection. Throws a `config` fault that names every setting that is wrong. */
export async function openConnection(
  context: ConnectionContext & { readonly name: string; readonly settings: ConnectionSettings },
): Promise<Connection> {
  const connector = await loadConnector(context.settings.connector, context.connectorFolders);
  const parsed = connector.settings.safeParse(context.settings.settings);
  if (!parsed.success)
    throw new ConnectorFault(
      "config",
      `Opening connection "${context.name}" (${connector.name}): ${z.prettifyError(parsed.error)}`,
      `Mend companies.${context.company}.connections.${context.name}.settings in the settings file.`,
    );
  const stop = new AbortController();
  const hider = createHider();
  const host = hostFor(context, stop.signal, hider);
  const session = await openGuarded(() => connector.open(parsed.data, host), hider).catch(
    (error: unknown) => {
      stop.abort();
      throw error;
    },
  );
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
