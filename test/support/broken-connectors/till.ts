/**
 * Another healthy connector, for promises that the stockroom does not make: a till whose movements
 * are stamped by the wall clock, come in no order, are read by days, and vanish without a trace, so
 * that only their keys tell. Its far side is in memory.
 */
import { z } from "zod";
import {
  ConnectorFault,
  type Connector,
  type Host,
  type Json,
  type ReadEvent,
  type ReadOptions,
  type Session,
  type SourceRow,
  type StreamDefinition,
} from "../../../src/connector/index.ts";
import {
  furthest,
  positionOf,
  readFrom,
  stampOf,
  type DeltaPromise,
  type Position,
} from "../../../src/connector/contract.ts";
import type { Rig } from "../../../src/connector/conformance/index.ts";
import type { Broken } from "./breaking.ts";

interface Movement {
  readonly id: string;
  readonly at: string;
  readonly quantity: number;
}

/** What a flaw changes; the healthy till has none. */
interface Parts {
  readonly delta: DeltaPromise;
  readonly from: (cursor: Position | null, host: Host) => string | null;
  readonly inDays: (at: string, range: NonNullable<ReadOptions["range"]>) => boolean;
  readonly ends: (events: readonly ReadEvent[]) => readonly ReadEvent[];
  readonly keys: (rows: readonly Movement[]) => readonly Movement[];
}

const DELTA: DeltaPromise = { grain: "minute", zone: "local", ordered: false, overlap: 120 };

const HEALTHY: Parts = {
  delta: DELTA,
  from: (cursor, host) => readFrom(cursor, DELTA, host.timeZone) as string | null,
  inDays: (at, { from, to }) => at.slice(0, 10) >= String(from) && at.slice(0, 10) <= String(to),
  ends: (events) => events,
  keys: (rows) => rows,
};

/** Far sides by the number in the settings. */
const tills = new Map<number, Movement[]>();
let started = 0;

const settings = z.strictObject({ till: z.int().describe("Number of the till.") });

export function tillOf(parts: Partial<Parts> = {}): Connector {
  const all = { ...HEALTHY, ...parts };
  return {
    name: "till",
    about: "A till with movements.",
    settings,
    streams: () => [movementsOf(all)],
    open: async (given, host) => openTill(all, (given as z.infer<typeof settings>).till, host),
  };
}

function movementsOf({ delta }: Parts): StreamDefinition {
  return {
    name: "movements",
    about: "What went over the counter",
    reading: "delta",
    key: ["id"],
    delta,
    deletions: "keys",
    range: true,
  };
}

async function openTill(parts: Parts, till: number, host: Host): Promise<Session> {
  const rows = () => tills.get(till) ?? [];
  return {
    read: (stream, cursor, options) => read(parts, stream, { rows, cursor, host, options }),
    keys: (stream) => give(stream, parts.keys(rows()), []),
    async [Symbol.asyncDispose]() {},
  };
}

interface Asked {
  readonly rows: () => readonly Movement[];
  readonly cursor: Json | null;
  readonly host: Host;
  readonly options: ReadOptions | undefined;
}

async function* read(parts: Parts, stream: string, asked: Asked): AsyncGenerator<ReadEvent> {
  const { cursor, host, options, rows } = asked;
  const reached = cursor === null ? null : known(positionOf(cursor), cursor, host);
  const from = parts.from(reached, host);
  const given = rows()
    .filter(({ at }) => from === null || at >= from)
    .filter(({ at }) => options?.range === undefined || parts.inDays(at, options.range));
  const furthestOf = (all: readonly Movement[]) =>
    all.reduce<Position | null>(
      (far, { at, id }) => furthest(far, { value: at, key: id }),
      reached,
    );
  const end = furthestOf(given);
  const checkpoint: ReadEvent[] =
    end === null ? [] : [{ kind: "checkpoint", cursor: { ...end }, more: false }];
  yield* give(stream, given, parts.ends(checkpoint));
}

/** In no order: every other row first. */
async function* give(
  stream: string,
  rows: readonly Movement[],
  ends: readonly ReadEvent[],
): AsyncGenerator<ReadEvent> {
  if (stream !== "movements")
    throw new ConnectorFault("config", "No such stream.", "Name movements.");
  yield { kind: "origin", origin: { name: "movements" } };
  const mixed = [...rows.filter((_, n) => n % 2 === 1), ...rows.filter((_, n) => n % 2 === 0)];
  const given = mixed.map((values, n): SourceRow => {
    const at = { value: values.at, key: values.id };
    return { line: n + 1, raw: JSON.stringify(values), values: { ...values }, at };
  });
  for (let n = 0; n < given.length; n += 3) yield { kind: "rows", rows: given.slice(n, n + 3) };
  yield* ends;
}

function known(position: Position | null, cursor: Json, host: Host): Position {
  const soon = stampOf(host.now().add({ hours: 24 }), DELTA, host.timeZone);
  const isStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(String(position?.value));
  if (position !== null && isStamp && position.value <= soon) return position;
  throw new ConnectorFault("config", `No cursor: ${JSON.stringify(cursor)}.`, "Start afresh.");
}

const NO_SERVER = "it is in memory";

export const tillRig: Rig = {
  waivers: Object.fromEntries(
    [
      "bad-rows",
      "page-twice",
      "page-missing",
      "page-short",
      "page-earlier",
      "pages-out-of-order",
      "waits-as-told",
      "tries-again",
      "fault-sign-in",
      "fault-throttled",
      "fault-failing",
      "fault-garbage",
      "stops-at-once",
      "flat-memory",
    ].map((id) => [id, NO_SERVER]),
  ),
  start: async () => {
    started += 1;
    const till = started;
    const movement = (n: number, at: string) => ({ id: `M${100 + n}`, at, quantity: n });
    tills.set(
      till,
      Array.from({ length: 7 }, (_, n) => movement(n, `2026-03-${12 + n}T10:0${n}`)),
    );
    const rows = () => tills.get(till) ?? [];
    let next = 50;
    return {
      settings: { till },
      rows: () => rows().map((row) => ({ ...row })),
      add: (_stream, stamps) => {
        const added = stamps.map((at) => movement((next += 1), at ?? "2026-03-27T09:00"));
        tills.set(till, [...rows(), ...added]);
      },
      edit: (_stream, index) => {
        next += 1;
        const changed = { at: "2026-03-27T11:00", quantity: next };
        tills.set(
          till,
          rows().map((row, n) => (n === index ? { ...row, ...changed } : row)),
        );
      },
      remove: (_stream, index) => {
        tills.set(till, rows().toSpliced(index, 1));
      },
      close: () => {
        tills.delete(till);
      },
    };
  },
};

function broken(breaks: string, how: string, parts: Partial<Parts>): Broken {
  return { breaks, how, connector: tillOf(parts), rig: tillRig };
}

export const BROKEN_TILLS: readonly Broken[] = [
  broken("clock-autumn", "a bare wall clock is its cursor", {
    delta: { ...DELTA, overlap: 120 },
    from: (cursor) => (cursor === null ? null : minutesBefore(String(cursor.value), 2)),
  }),
  broken("range-keeps", "it gives all, whatever days were asked for", { inDays: () => true }),
  broken("range-keeps", "it takes the last day for one too many", {
    inDays: (at, { from, to }) => at.slice(0, 10) >= String(from) && at.slice(0, 10) < String(to),
  }),
  broken("removals-show", "its keys are those of the rows it knew", {
    keys: (rows) => [...rows, { id: "M101", at: "2026-03-13T10:01", quantity: 1 }],
  }),
  broken("order-kept", "it ends twice, though rows are whole only at their end", {
    ends: (events) => [...events, ...events],
  }),
];

function minutesBefore(stamp: string, minutes: number): string {
  const at = Temporal.PlainDateTime.from(stamp).subtract({ minutes });
  return at.toString({ smallestUnit: "minute" });
}
