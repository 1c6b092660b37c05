/** Connectors that read wrongly: what they give, where they go on, which cursors they take. */
import type {
  Connector,
  DeltaPromise,
  Json,
  ReadEvent,
  SourceRow,
} from "../../../src/connector/index.ts";
import { z } from "zod";
import { eachEvent, eachRow, giving, valueOf, type Broken } from "./breaking.ts";
import { customers, invoices } from "./statics.ts";

const DELTA = { grain: "second", zone: "utc", ordered: true, overlap: 600 } as const;

/** As ever, but the promise of the invoices. */
function promising(delta: Partial<DeltaPromise>): Pick<Connector, "streams"> {
  return { streams: () => [customers, { ...invoices, delta: { ...DELTA, ...delta } }] };
}

const NEEDS_TELEPHONE = z.object({ account: z.string(), telephone: z.string() });
const NO_OVERLAP = promising({ overlap: 0 });

export const BROKEN_READINGS: readonly Broken[] = [
  giving("whole-read", "it gives a row twice", "customers", async function* (events) {
    let extra = 0;
    let line = 0;
    for await (const event of events) {
      if (event.kind === "totals") yield { ...event, rows: event.rows + extra };
      else if (event.kind === "reject") yield { ...event, line: (line += 1) };
      else if (event.kind === "rows") {
        const isTwice = (row: SourceRow) => row.values["account"] === "C000000007";
        const rows = event.rows.flatMap((row) => (isTwice(row) ? [row, row] : [row]));
        extra += rows.length - event.rows.length;
        yield { ...event, rows: rows.map((row) => ({ ...row, line: (line += 1) })) };
      } else yield event;
    }
  }),
  giving(
    "origin-first",
    "it counts no lines",
    "invoices",
    eachRow((row) => ({ ...row, line: 1 })),
  ),
  giving(
    "origin-first",
    "it does not say where rows come from",
    "invoices",
    eachEvent((event) => (event.kind === "origin" ? null : event)),
  ),
  giving("small-batches", "it gives empty batches", "invoices", async function* (events) {
    for await (const event of events) {
      yield event;
      if (event.kind === "origin") yield { kind: "rows", rows: [] };
    }
  }),
  giving(
    "one-checkpoint",
    "its last checkpoint says that more waits",
    "invoices",
    eachEvent((event) => (event.kind === "checkpoint" ? { ...event, more: true } : event)),
  ),
  giving("cursors-keep", "its last cursor is empty", "customers", async function* (events, call) {
    const isEmpty = JSON.stringify(call.cursor) === "{}";
    for await (const event of isEmpty ? call.from(null) : events)
      yield event.kind === "checkpoint" ? { ...event, cursor: {} } : event;
  }),
  giving(
    "totals-agree",
    "it counts the header as a row",
    "customers",
    eachEvent((event) => (event.kind === "totals" ? { ...event, rows: event.rows + 1 } : event)),
  ),
  giving("rows-fit", "its rows lack a column of their shape", "customers", (events) => events, {
    streams: () => [{ ...customers, row: NEEDS_TELEPHONE }, invoices],
  }),
  giving(
    "rows-have-positions",
    "its stamps differ in length",
    "invoices",
    eachRow((row) => {
      if (row.at?.key !== "I000000003") return row;
      return { ...row, at: { ...row.at, value: String(row.at.value).replace("Z", ".0Z") } };
    }),
  ),
  giving(
    "rows-have-positions",
    "its last cursor forgets the key",
    "invoices",
    eachEvent((event) =>
      event.kind === "checkpoint"
        ? { ...event, cursor: { value: valueOf(event.cursor), key: "A" } }
        : event,
    ),
  ),
  giving("order-kept", "it gives each page from its end", "invoices", async function* (events) {
    for await (const event of events) {
      if (event.kind !== "rows") {
        yield event;
        continue;
      }
      const lines = event.rows.map(({ line }) => line);
      const rows = event.rows
        .toReversed()
        .map((row, index) => ({ ...row, line: lines[index] ?? 0 }));
      yield { ...event, rows };
    }
  }),
  giving("nothing-new", "it asks >= and promises >", "invoices", (events) => events, NO_OVERLAP),
  giving("no-changes-unasked", "it tells what is the same", "customers", async function* (events) {
    for await (const event of events) {
      yield event;
      if (event.kind === "origin") yield { kind: "same", rows: 0 };
    }
  }),
  giving(
    "resume-any-event",
    "its mark comes before its rows",
    "customers",
    async function* (events) {
      let rows: ReadEvent | null = null;
      for await (const event of events) {
        if (event.kind === "rows") {
          rows = event;
          continue;
        }
        if (event.kind === "mark") yield event;
        if (rows !== null) yield rows;
        if (event.kind !== "mark") yield event;
        rows = null;
      }
    },
  ),
  giving(
    "resume-any-event",
    "its totals over a mark are those of the rest",
    "customers",
    (events, call) => {
      const before = (call.cursor as { readonly line?: number } | null)?.line ?? 0;
      const rest = eachEvent((event) =>
        event.kind === "totals" ? { ...event, rows: event.rows - before } : event,
      );
      return rest(events, call);
    },
  ),
  giving(
    "ties",
    "its cursor is a bare stamp",
    "invoices",
    eachRow((row, { cursor }) => (String(row.at?.value) > valueOf(cursor) ? row : null)),
    NO_OVERLAP,
  ),
  giving("late-rows", "it never looks back", "invoices", eachRow(strictlyBehind)),
  giving("cursor-corrupt", "it starts over with a strange cursor", "invoices", (events, call) =>
    call.cursor === null || isPosition(call.cursor) ? events : call.from(null),
  ),
  giving("cursor-future", "it waits for what is to come", "invoices", (events, call) =>
    valueOf(call.cursor).startsWith("29") ? empty() : events,
  ),
  giving(
    "clock-spring",
    "it takes stamps for local time, and leaves out what no clock shows",
    "invoices",
    eachRow((row) => (String(row.at?.value).startsWith("2026-03-29T01") ? null : row)),
  ),
  giving(
    "clock-autumn",
    "it takes the second hour for the first",
    "invoices",
    eachRow((row) => (String(row.at?.value).startsWith("2026-10-25T01") ? null : row)),
  ),
  giving(
    "edited-while-paging",
    "it takes a row that comes again for a double",
    "invoices",
    (events, call) => {
      const seen = new Set<unknown>();
      const once = eachRow((row, { cursor }) => {
        const known = seen.has(row.at?.key) && row.removed !== true;
        seen.add(row.at?.key);
        return known ? null : strictlyBehind(row, { cursor });
      });
      return once(events, call);
    },
    NO_OVERLAP,
  ),
  giving(
    "removals-show",
    "it gives removed rows as if they were there",
    "invoices",
    eachRow(({ removed: _removed, ...row }) => row),
  ),
];

function strictlyBehind(row: SourceRow, { cursor }: { readonly cursor: Json | null }) {
  const { value, key } = (cursor ?? { value: "", key: "" }) as { value: string; key: string };
  const at = row.at ?? { value: "", key: "" };
  return at.value > value || (at.value === value && at.key > key) ? row : null;
}

function isPosition(cursor: Json): boolean {
  const { value, key } = cursor as { readonly value?: Json; readonly key?: Json };
  return typeof value === "string" && typeof key === "string";
}

async function* empty(): AsyncGenerator<ReadEvent> {}
