/**
 * The stockroom system: a small ledger that speaks JSON over HTTP and signs programs in by OAuth.
 *
 *     erp: { connector: stockroom, settings: { baseUrl: https://…, clientId: …, clientSecret: … } }
 */
import { z } from "zod";
import {
  ConnectorFault,
  defineConnector,
  furthest,
  isAfter,
  positionOf,
  readFrom,
  stampOf,
} from "#connector";
import type {
  Connector,
  Found,
  Host,
  Json,
  Outcome,
  Position,
  ReadEvent,
  RenderedOrder,
  SourceRow,
  StreamDefinition,
} from "#connector";
import { HttpFault, openHttp, type HttpClient } from "#connector/http";
import { openOAuth } from "#connector/oauth";

const settings = z.strictObject({
  baseUrl: z.url().describe("Address of the system's API: https://erp.example.com/api"),
  clientId: z.string().min(1).describe("The name under which Tradepost is registered there."),
  clientSecret: z
    .string()
    .regex(/^[a-z][a-z0-9_]*$/)
    .describe("Name of the secret that belongs to clientId."),
  pageRows: z.int().min(1).max(1_000).default(500).describe("Rows asked for at a time."),
});
type Settings = z.infer<typeof settings>;

const customer = z.object({ account: z.string(), name: z.string(), onStop: z.boolean() });
const invoice = z.object({ number: z.string(), account: z.string(), net: z.string() });

// Their clerks enter invoices up to ten minutes late, so each read goes back that far.
const INVOICE_DELTA = { grain: "second", zone: "utc", ordered: true, overlap: 600 } as const;

const CUSTOMERS: StreamDefinition = {
  name: "customers",
  about: "Customer accounts",
  reading: "snapshot",
  row: customer,
  key: ["account"],
  totals: true,
};
const INVOICES: StreamDefinition = {
  name: "invoices",
  about: "Invoices by the moment they were last changed",
  reading: "delta",
  row: invoice,
  key: ["number"],
  delta: INVOICE_DELTA,
  deletions: "marked",
};

export const connector: Connector<Settings> = defineConnector({
  name: "stockroom",
  about: "The stockroom ledger, by its JSON API.",
  settings,
  streams: () => [CUSTOMERS, INVOICES],
  open: async (given, host) => {
    const auth = openOAuth(
      {
        grant: "client",
        tokenUrl: new URL("token", folderOf(given.baseUrl)).href,
        clientId: given.clientId,
        clientSecret: host.secret(given.clientSecret),
      },
      host,
    );
    const http = openHttp({ baseUrl: given.baseUrl, auth, perSecond: 20 }, host);
    const reading = { http, host, pageRows: given.pageRows };
    return {
      read: (stream, cursor) => read(reading, stream, cursor),
      orders: {
        finding: "searchable",
        find: (key) => findOrder(http, key),
        place: (order) => placeOrder(http, order),
      },
      check: async () => {
        await http.get("customers", { query: { limit: 1 }, shape: page });
        return [];
      },
      // Connections close with the host's signal; there is nothing else to close.
      async [Symbol.asyncDispose]() {},
    };
  },
});

interface Reading {
  readonly http: HttpClient;
  readonly host: Host;
  readonly pageRows: number;
}

function folderOf(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}

function read(reading: Reading, stream: string, cursor: Json | null): AsyncIterable<ReadEvent> {
  if (stream === CUSTOMERS.name) return readCustomers(reading, cursor);
  if (stream === INVOICES.name) return readInvoices(reading, cursor);
  throw new ConnectorFault(
    "config",
    `The stockroom has no stream "${stream}".`,
    `Its streams are ${CUSTOMERS.name} and ${INVOICES.name}.`,
  );
}

/** A page; rows stay as they came, since a bad one costs only itself. */
const page = z.object({
  rows: z.array(z.record(z.string(), z.unknown())),
  /** Rows of the whole list. */
  total: z.int(),
  /** Rows behind this page. */
  remaining: z.int(),
});

/** A snapshot by key: what moves while it is read shifts no other row out of it. */
async function* readCustomers(
  { http, pageRows }: Reading,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  let { after, line } = customerCursor(cursor);
  yield { kind: "origin", origin: { name: "customers" } };
  for (;;) {
    const query = { limit: pageRows, ...(after === null ? {} : { after }) };
    const { body } = await http.get("customers", { query, shape: page });
    // Bad ones too: the host sets aside those that lack their account or do not fit.
    const rows = body.rows.map((values): SourceRow => {
      line += 1;
      return { line, raw: JSON.stringify(values), values };
    });
    yield* batch(rows);
    const first = body.rows[0]?.["account"];
    if (after !== null && typeof first === "string" && first <= after)
      throw notFollowing(CUSTOMERS.name);
    // Only what the stockroom says of it ends a list, however few rows a page has.
    if (body.remaining === 0) {
      yield { kind: "totals", rows: body.total };
      // The next reading begins anew: a snapshot is always the whole.
      yield { kind: "checkpoint", cursor: { after: null, line: 0 }, more: false };
      return;
    }
    const last = body.rows.at(-1)?.["account"];
    if (typeof last !== "string" || last === after) throw notFollowing(CUSTOMERS.name);
    after = last;
    yield { kind: "mark", cursor: { after, line } };
  }
}

/** The rows gathered so far, when there are any. */
function batch(rows: SourceRow[]): ReadEvent[] {
  return rows.length === 0 ? [] : [{ kind: "rows", rows: rows.splice(0) }];
}

const customerCursorShape = z.strictObject({ after: z.string().nullable(), line: z.int() });

function customerCursor(cursor: Json | null): z.infer<typeof customerCursorShape> {
  if (cursor === null) return { after: null, line: 0 };
  const parsed = customerCursorShape.safeParse(cursor);
  if (parsed.success) return parsed.data;
  throw badCursor(CUSTOMERS.name, cursor);
}

/** A delta by (changed, number): rows that share a stamp survive a kill between them. */
async function* readInvoices(
  { http, host, pageRows }: Reading,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  let reached = invoiceCursor(cursor, host);
  const from = readFrom(reached, INVOICE_DELTA, host.timeZone);
  let last: Position | null = null;
  let remaining = 0;
  let line = 0;
  yield { kind: "origin", origin: { name: "invoices" } };
  do {
    const query = {
      limit: pageRows,
      ...(last === null ? (from === null ? {} : { from }) : { since: last.value, after: last.key }),
    };
    const { body } = await http.get("invoices", { query, shape: page });
    const lastBefore: Position | null = last;
    if (last !== null && body.remaining + body.rows.length < remaining)
      throw notFollowing(INVOICES.name);
    ({ remaining } = body);
    const rows: SourceRow[] = [];
    for (const values of body.rows) {
      const at = positionIn(values);
      line += 1;
      if (at === null) {
        // Batches keep their order with what is rejected between them.
        yield* batch(rows);
        yield reject(line, JSON.stringify(values), "It has no number, or no moment of its change.");
        continue;
      }
      if (!isAfter(last, at)) throw notFollowing(INVOICES.name);
      last = at;
      reached = furthest(reached, at);
      const removed = values["deleted"] === true ? { removed: true as const } : {};
      rows.push({ line, raw: JSON.stringify(values), values, at, ...removed });
    }
    yield* batch(rows);
    if (last === lastBefore && remaining > 0) throw notFollowing(INVOICES.name);
    if (last !== null && remaining > 0) yield { kind: "mark", cursor: { ...last } };
  } while (remaining > 0);
  if (reached !== null) yield { kind: "checkpoint", cursor: { ...reached }, more: false };
}

function reject(line: number, raw: string, reason: string): ReadEvent {
  return { kind: "reject", line, raw, reason, instruction: "Correct it in the stockroom." };
}

function positionIn(values: Readonly<Record<string, unknown>>): Position | null {
  const { number, changed } = values;
  if (typeof number !== "string" || number === "" || typeof changed !== "string") return null;
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(changed) ? { value: changed, key: number } : null;
}

function invoiceCursor(cursor: Json | null, host: Host): Position | null {
  if (cursor === null) return null;
  const position = positionOf(cursor);
  if (position === null || positionIn({ number: position.key, changed: position.value }) === null)
    throw badCursor(INVOICES.name, cursor);
  const soon = stampOf(host.now().add({ hours: 24 }), INVOICE_DELTA, host.timeZone);
  if (position.value <= soon) return position;
  throw new ConnectorFault(
    "config",
    `Reading invoices: the stored cursor ${String(position.value)} lies in the future.`,
    "The stockroom's clock was wrong, or an older backup was restored. Read the stream from its start.",
  );
}

function badCursor(stream: string, cursor: Json): ConnectorFault {
  return new ConnectorFault(
    "config",
    `Reading ${stream}: the stored cursor is none of the stockroom's: ${JSON.stringify(cursor)}.`,
    "The connection was of another kind before. Give it a new name, so that it starts afresh.",
  );
}

function notFollowing(stream: string): ConnectorFault {
  return new ConnectorFault(
    "transient",
    `Reading ${stream}: a page does not follow the one before it.`,
    "It is read again. If this stays, report it to whoever runs the stockroom.",
  );
}

const orderShape = z.object({ order: z.string(), net: z.string(), vat: z.string() });
const orderList = z.object({ rows: z.array(orderShape) });

async function findOrder(http: HttpClient, key: string): Promise<Found> {
  const { body } = await http.get("orders", { query: { reference: key }, shape: orderList });
  const [found] = body.rows;
  if (found === undefined) return { kind: "absent" };
  return { kind: "present", outcome: accepted(found, "found by our number") };
}

async function placeOrder(http: HttpClient, { key, tables }: RenderedOrder): Promise<Outcome> {
  // A kill may have come between their answer and our memory of it.
  const found = await findOrder(http, key);
  if (found.kind === "present") return found.outcome;
  try {
    const body = { json: { reference: key, tables } };
    const answer = await http.post("orders", body, { shape: orderShape });
    return accepted(answer.body, "answered at once");
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error;
    if (error.inDoubt) return { kind: "inDoubt", evidence: error.message };
    if (error.kind === "refused") return { kind: "refused", reason: error.message };
    throw error;
  }
}

function accepted({ order, net, vat }: z.infer<typeof orderShape>, evidence: string) {
  return { kind: "accepted", erpOrder: order, net, vat, evidence } as const;
}
