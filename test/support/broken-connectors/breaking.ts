/**
 * Ways to break a healthy connector, the stockroom, at one place: what it says of itself, the
 * events that it gives, the host that it is given, the session that it opens.
 */
import type {
  Connector,
  ConnectorFault,
  Host,
  Json,
  ReadEvent,
  ReadOptions,
  Session,
  SourceRow,
} from "../../../src/connector/index.ts";
import type { Rig } from "../../../src/connector/conformance/index.ts";
import { connector as healthy } from "../stockroom/index.ts";
import { rig as healthyRig } from "../stockroom/simulator/conformance.ts";

export interface Broken {
  /** The check that must find it, and no other. */
  readonly breaks: string;
  /** What its author did. */
  readonly how: string;
  readonly connector: Connector;
  /** Null: what is broken shows without a far side. */
  readonly rig: Rig | null;
  /** Its `index.ts`, when that is what is broken. */
  readonly file?: string;
}

type Settings = Parameters<typeof healthy.open>[0];

/** Broken in what it says of itself. */
export function saying(breaks: string, how: string, said: Partial<Connector<Settings>>): Broken {
  return { breaks, how, connector: { ...healthy, ...said }, rig: null };
}

export interface Call {
  readonly stream: string;
  readonly cursor: Json | null;
  readonly host: Host;
  readonly settings: Settings;
  readonly session: Session;
  /** The healthy reading from any cursor. */
  from(cursor: Json | null): AsyncIterable<ReadEvent>;
}

type Give = (
  events: AsyncIterable<ReadEvent>,
  call: Call,
) => AsyncIterable<ReadEvent> | AsyncGenerator<ReadEvent>;

/** Broken in the events of one stream. */
export function giving(
  breaks: string,
  how: string,
  stream: "customers" | "invoices",
  give: Give,
  said: Partial<Connector<Settings>> = {},
): Broken {
  const open = async (settings: Settings, host: Host): Promise<Session> => {
    const session = await healthy.open(settings, host);
    const read = (name: string, cursor: Json | null, options?: ReadOptions) => {
      const from = (other: Json | null) => session.read(name, other, options);
      if (name !== stream) return from(cursor);
      const call = { stream, cursor, host, settings, session, from };
      // Nothing is asked of the far side before the first event is wanted.
      return give({ [Symbol.asyncIterator]: () => from(cursor)[Symbol.asyncIterator]() }, call);
    };
    return { ...session, read };
  };
  const connector = { ...healthy, ...said, open } as Connector;
  return { breaks, how, connector, rig: rigOf([stream]) };
}

/** Broken in what it makes of its host. */
export function hosting(breaks: string, how: string, change: (host: Host) => Host): Broken {
  const connector = {
    ...healthy,
    open: (settings: Settings, host: Host) => healthy.open(settings, change(host)),
  } as Connector;
  return { breaks, how, connector, rig: rigOf(["invoices"]) };
}

/** Broken in its session; streams that are read as ever are not tried again. */
export function opening(
  breaks: string,
  how: string,
  change: (session: Session, host: Host, settings: Settings) => Session | Promise<Session>,
  streams: readonly string[] = ["invoices"],
): Broken {
  const connector = {
    ...healthy,
    open: async (settings: Settings, host: Host) =>
      change(await healthy.open(settings, host), host, settings),
  } as Connector;
  return { breaks, how, connector, rig: rigOf(streams) };
}

export function rigOf(streams: readonly string[]): Rig {
  return { ...(healthyRig as unknown as Rig), streams };
}

/** Each row through a function; null leaves it out. */
export function eachRow(change: (row: SourceRow, call: Call) => SourceRow | null): Give {
  return async function* (events, call) {
    for await (const event of events) {
      if (event.kind !== "rows") {
        yield event;
        continue;
      }
      const rows = event.rows.map((row) => change(row, call)).filter((row) => row !== null);
      if (rows.length > 0) yield { ...event, rows };
    }
  };
}

/** Each event through a function; null leaves it out. */
export function eachEvent(change: (event: ReadEvent) => ReadEvent | null): Give {
  return async function* (events) {
    for await (const event of events) {
      const changed = change(event);
      if (changed !== null) yield changed;
    }
  };
}

/** Faults through a function, which may end the reading instead by giving events. */
export function caught(change: (fault: ConnectorFault) => readonly ReadEvent[]): Give {
  return async function* (events) {
    try {
      yield* events;
    } catch (error) {
      yield* change(error as ConnectorFault);
    }
  };
}

export function valueOf(cursor: Json | null): string {
  const { value } = (cursor ?? {}) as { readonly value?: Json };
  return typeof value === "string" ? value : "";
}

export { healthy };
