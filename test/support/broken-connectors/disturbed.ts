/** Connectors that a far side's bad behaviour brings down, or worse, does not. */
import { closeSync, openSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  ConnectorFault,
  type FaultKind,
  type Host,
  type Json,
  type KeptToken,
  type ReadEvent,
  type SourceRow,
  type TokenStore,
} from "../../../src/connector/index.ts";
import { openHttp } from "../../../src/connector/http/index.ts";
import { openOAuth } from "../../../src/connector/oauth/index.ts";
import { caught, eachEvent, eachRow, giving, healthy, hosting, opening } from "./breaking.ts";
import type { Broken, Call } from "./breaking.ts";

const DONE: ReadEvent = { kind: "checkpoint", cursor: { after: null, line: 0 }, more: false };

/** Faults of one kind called another. */
function renamed(from: FaultKind, to: FaultKind, only = /./) {
  return caught((fault) => {
    const { kind, message, instruction } = fault;
    if (kind !== from || !only.test(message)) throw fault;
    throw new ConnectorFault(to, message, instruction);
  });
}

export const BROKEN_WHEN_DISTURBED: readonly Broken[] = [
  giving("removed-while-paging", "it pages by offset", "customers", readByOffset),
  giving(
    "bad-rows",
    "a NUL ends its reading",
    "invoices",
    eachRow((row) => {
      if (!row.raw.includes(String.raw`\u0000`)) return row;
      throw new ConnectorFault("defect", "A row holds a NUL.", "Report it.");
    }),
  ),
  giving(
    "bad-rows",
    "it gives rows of a delta that do not say where they stand",
    "invoices",
    eachEvent((event) => {
      if (event.kind !== "reject") return event;
      const { line, raw } = event;
      return {
        kind: "rows",
        rows: [{ line, raw, values: JSON.parse(raw) as SourceRow["values"] }],
      };
    }),
  ),
  giving(
    "page-twice",
    "it takes a page that comes again for the end",
    "customers",
    endingAt((page, before) => page === before.at(-1)),
  ),
  giving(
    "page-earlier",
    "it knows the page before alone, and takes any older one for the end",
    "customers",
    endingAt((page, before) => before.slice(0, -1).includes(page)),
  ),
  giving(
    "page-short",
    "a page that is not full is the end",
    "customers",
    async function* (events, call) {
      let rows = rowsBefore(call);
      let ofPage = 0;
      for await (const event of events) {
        if (event.kind === "mark" && ofPage < call.settings.pageRows) {
          yield* [{ kind: "totals", rows } as const, DONE];
          return;
        }
        ofPage = event.kind === "mark" ? 0 : ofPage + rowsOf(event);
        rows += rowsOf(event);
        yield event;
      }
    },
  ),
  giving(
    "page-missing",
    "it counts its own rows and calls that totals",
    "customers",
    (events, call) => {
      let rows = rowsBefore(call);
      return eachEvent((event) => {
        if (event.kind === "rows" && !isAscending(event.rows))
          throw new ConnectorFault("defect", "Rows are out of order.", "Report it.");
        rows += rowsOf(event);
        return event.kind === "totals" ? { ...event, rows } : event;
      })(events, call);
    },
  ),
  giving(
    "pages-out-of-order",
    "rows from the end on seem to be the end",
    "customers",
    (events, call) => {
      let rows = rowsBefore(call);
      let descending = false;
      return eachEvent((event) => {
        if (event.kind === "rows") descending ||= event.rows.length > 1 && !isAscending(event.rows);
        rows += rowsOf(event);
        return event.kind === "totals" && descending ? { ...event, rows } : event;
      })(events, call);
    },
  ),
  giving("token-expires", "it passes over the page that was refused", "invoices", passOver),
  hosting("token-shared", "each session keeps a token of its own", (host) => ({
    ...host,
    tokens: ownTokens(),
  })),
  hosting("waits-as-told", "it waits by a timer of its own", (host) => ({
    ...host,
    wait: () => setTimeout(1),
  })),
  hosting("tries-again", "it gives up at the first failure", (host) => ({
    ...host,
    wait: (ms) => {
      if (ms > 1_000) return host.wait(ms);
      throw new ConnectorFault("transient", "A request failed.", "It is tried again later.");
    },
  })),
  giving(
    "fault-sign-in",
    "a refused sign-in may mend itself",
    "invoices",
    renamed("auth", "transient"),
  ),
  giving(
    "fault-throttled",
    "its limit is a failure",
    "invoices",
    renamed("throttled", "transient"),
  ),
  giving(
    "fault-failing",
    "a failing server refuses",
    "invoices",
    renamed("transient", "refused", /answered 500/),
  ),
  giving(
    "fault-garbage",
    "a login page has no rows",
    "customers",
    caught((fault) => {
      if (!/cannot be used|another shape/.test(fault.message)) throw fault;
      return [DONE];
    }),
  ),
];

/** Ends with a page that seems to be another one again, and counts its own rows. */
function endingAt(isEnd: (page: string, before: readonly string[]) => boolean) {
  return async function* (events: AsyncIterable<ReadEvent>, call: Call): AsyncGenerator<ReadEvent> {
    const before: string[] = [];
    let rows = rowsBefore(call);
    for await (const event of events) {
      if (event.kind === "rows") {
        const page = event.rows.map(({ raw }) => raw).join();
        if (isAscending(event.rows) && isEnd(page, before)) {
          yield* [{ kind: "totals", rows } as const, DONE];
          return;
        }
        before.push(page);
      }
      rows += rowsOf(event);
      yield event;
    }
  };
}

function rowsBefore({ cursor }: Call): number {
  return (cursor as { readonly line?: number } | null)?.line ?? 0;
}

function rowsOf(event: ReadEvent): number {
  return event.kind === "rows" ? event.rows.length : event.kind === "reject" ? 1 : 0;
}

function isAscending(rows: readonly { readonly raw: string }[]): boolean {
  return rows.every(({ raw }, index) => index === 0 || (rows[index - 1]?.raw ?? "") < raw);
}

/** As many do: rows that are removed meanwhile shift others over the edge of a page. */
async function* readByOffset(_events: unknown, call: Call): AsyncGenerator<ReadEvent> {
  const { host, settings, cursor } = call;
  const given = (cursor ?? { offset: 0 }) as { readonly offset?: Json };
  if (typeof given.offset !== "number")
    throw new ConnectorFault("config", "That is no cursor of customers.", "Start afresh.");
  const { baseUrl, clientId, clientSecret } = settings;
  const secret = host.secret(clientSecret);
  const tokenUrl = `${baseUrl}/token`;
  const auth = openOAuth({ grant: "client", tokenUrl, clientId, clientSecret: secret }, host);
  const http = openHttp({ baseUrl, auth, perSecond: 20 }, host);
  yield { kind: "origin", origin: { name: "customers" } };
  const seen = new Set<unknown>();
  for (let { offset } = given as { offset: number }; ;) {
    const query = { offset, limit: settings.pageRows };
    const { body } = await http.get("customers", { query });
    if (typeof body !== "object" || body === null || !("rows" in body))
      throw new ConnectorFault("defect", "That is no page.", "Report it.");
    const { rows, total } = body as { rows: Record<string, unknown>[]; total: number };
    // So much it sees; what was shifted away it does not.
    if (rows.some(({ account }) => seen.has(account)))
      throw new ConnectorFault("transient", "A row came twice.", "It is read again.");
    for (const { account } of rows) seen.add(account);
    const line = (index: number) => offset + index + 1;
    for (const [n, values] of rows.entries()) {
      const raw = JSON.stringify(values);
      if (values["account"] !== undefined)
        yield { kind: "rows", rows: [{ line: line(n), raw, values }] };
      else
        yield { kind: "reject", line: line(n), raw, reason: "No account.", instruction: "Add it." };
    }
    offset += rows.length;
    if (offset >= total || rows.length === 0) {
      yield { kind: "totals", rows: total };
      yield { kind: "checkpoint", cursor: { offset: 0 }, more: false };
      return;
    }
  }
}

/** The page behind a renewed token is left out. */
async function* passOver(_events: unknown, call: Call): AsyncGenerator<ReadEvent> {
  let renewed = false;
  const host: Host = {
    ...call.host,
    log: (level, message, facts) => {
      renewed ||= message.includes("token was refused");
      call.host.log(level, message, facts);
    },
  };
  const session = await healthy.open(call.settings, host);
  for await (const event of session.read(call.stream, call.cursor)) {
    const skips = event.kind === "rows" && renewed;
    if (skips) renewed = false;
    else yield event;
  }
}

function ownTokens(): TokenStore {
  const kept = new Map<string, KeptToken>();
  return {
    read: async (name) => kept.get(name) ?? null,
    write: async (name, value, seen) => {
      kept.set(name, { value, version: (seen?.version ?? 0) + 1 });
      return true;
    },
    alone: (_name, refresh) => refresh(),
  };
}

/** What connectors that leave files open have left open. */
const left: number[] = [];

export function closeWhatIsLeft(): void {
  for (const file of left.splice(0)) closeSync(file);
}

function leak(): number {
  const file = openSync("/dev/null", "r");
  left.push(file);
  return file;
}

function close(file: number): void {
  left.splice(left.indexOf(file), 1);
  closeSync(file);
}

export const BROKEN_ENDINGS: readonly Broken[] = [
  giving("closes-whole", "it leaves a file open behind the last row", "invoices", (events, call) =>
    eachEvent((event) => {
      if (event.kind === "checkpoint") leak();
      return event;
    })(events, call),
  ),
  giving("left-early", "it closes its file behind the loop", "invoices", async function* (events) {
    const file = leak();
    try {
      for await (const event of events) yield event;
    } catch (error) {
      close(file);
      throw error;
    }
    close(file);
  }),
  opening(
    "stops-at-once",
    "it does not know the host's signal",
    async (_session, host, settings) => {
      const own = new AbortController();
      const session = await healthy.open(settings, { ...host, signal: own.signal });
      return {
        ...session,
        [Symbol.asyncDispose]: async () => {
          own.abort(new Error("closed"));
        },
      };
    },
  ),
  giving("flat-memory", "it keeps all rows until the end", "invoices", async function* (events) {
    const all: ReadEvent[] = [];
    for await (const event of events) {
      all.push(event);
      yield event;
    }
    if (all.length === 0) yield DONE;
  }),
  opening("absent-is-absent", "what it cannot do throws", (session) => ({
    ...session,
    survey: () => {
      throw new ConnectorFault("refused", "Surveys are not supported.", "Do without.");
    },
  })),
  opening("unknown-stream", "it knows every stream", (session) => ({
    ...session,
    read: (stream, cursor, options) =>
      stream === "no-such-stream" ? nothing() : session.read(stream, cursor, options),
  })),
  giving(
    "originals-kept",
    "it says where originals are, and cannot show them",
    "invoices",
    eachEvent((event) =>
      event.kind === "origin"
        ? { ...event, origin: { ...event.origin, keptAt: "archive" } }
        : event,
    ),
  ),
  opening("faults-only", "it throws whatever comes", (session) => ({
    ...session,
    read: (stream, cursor, options) => {
      if (stream === "no-such-stream") throw new Error("no such stream");
      return session.read(stream, cursor, options);
    },
  })),
  opening("secrets-stay-inside", "it logs what it signs in with", (session, host, settings) => {
    host.log("info", `Signing in with ${host.secret(settings.clientSecret)}.`);
    return session;
  }),
  giving(
    "secrets-stay-inside",
    "it names an origin with its key",
    "invoices",
    async function* (events, { host, settings }) {
      const key = host.secret(settings.clientSecret);
      for await (const event of events)
        yield event.kind === "origin"
          ? { ...event, origin: { name: `/invoices?key=${key}` } }
          : event;
    },
  ),
];

async function* nothing(): AsyncGenerator<ReadEvent> {}
