/** Checks of one undisturbed reading: its rows, its events and their order, its cursors. */
import type { Json, Position, ReadEvent, SourceRow, StreamDefinition } from "../contract.ts";
import { short, type Trial } from "./bench.ts";
import { eachReading, eachStream, every, notHere, untried, withDelta } from "./check.ts";
import type { Check, Outcome } from "./check.ts";
import { compareValues, moved } from "./position.ts";
import { columnsOf, compared, freshStand, pullFresh, stateOf, told, unlike } from "./pulling.ts";
import type { Stand } from "./pulling.ts";

const MOST_ROWS = 1_000;

type LookAtEvents = (events: readonly ReadEvent[], stream: StreamDefinition) => Outcome;

export const READING_CHECKS: readonly Check[] = [
  {
    id: "whole-read",
    holds: "a reading from the start gives every row once, and ends",
    needsRig: true,
    run: (bench) => eachStream(bench, every, wholeRead),
  },
  ofEvents("origin-first", "rows follow the origin they came from, with ascending lines", origins),
  ofEvents("small-batches", "rows come in batches of 1 to 1,000", batches),
  ofEvents("one-checkpoint", "a snapshot ends with its only checkpoint, a delta with one", lastly),
  ofEvents("cursors-keep", "cursors are plain JSON that says something", cursors),
  ofEvents("totals-agree", "the source's totals are given as promised, and agree", totals),
  ofEvents("rows-fit", "good rows have the columns of the key and the shape promised", rowsFit),
  {
    id: "rows-have-positions",
    holds: "rows of a delta promise say where they stand, and cursors are { value, key }",
    needsRig: true,
    run: (bench) => eachReading(bench, withDelta, positions),
  },
  {
    id: "order-kept",
    holds: "rows of an ordered stream ascend by (value, key); an unordered one gives no marks",
    needsRig: true,
    run: (bench) =>
      eachReading(bench, withDelta, (events, stream) =>
        stream.delta?.ordered === true ? inOrder(events) : atItsEnd(events),
      ),
  },
  {
    id: "nothing-new",
    holds: "reading again when nothing changed gives no row of a delta beyond its overlap",
    needsRig: true,
    run: (bench) => eachStream(bench, every, nothingNew),
  },
  {
    id: "range-keeps",
    holds: "asked for days, it gives the rows of these days, and all days together give all",
    needsRig: true,
    run: (bench) =>
      eachStream(
        bench,
        ({ range }) => (range === true ? null : "no stream is read by days"),
        byDays,
      ),
  },
  {
    id: "no-changes-unasked",
    holds: "`same` and `gone` come only to a host that asks for changes, and then add up",
    needsRig: true,
    run: (bench) => eachStream(bench, every, changes),
  },
];

function ofEvents(id: string, holds: string, look: LookAtEvents): Check {
  return { id, holds, needsRig: true, run: (bench) => eachReading(bench, every, look) };
}

async function wholeRead(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stand = freshStand();
  const { thrown } = await pullFresh(one, stream, stand);
  if (thrown !== null) return [`reading it ends with ${short(thrown)}`];
  const truth = one.far.rows(stream.name);
  if (truth.length === 0) return ["the rig has no rows of it: nothing can be judged"];
  const columns = columnsOf(truth);
  const given = stand.kept.filter(({ removed }) => removed !== true).map(({ values }) => values);
  const wrong = told(unlike(given, truth));
  return wrong === null ? [] : [`${wrong} (columns ${columns.join(", ")})`];
}

function origins(events: readonly ReadEvent[]): readonly string[] {
  const findings = new Set<string>();
  let open = false;
  let line = 0;
  for (const event of events) {
    if (event.kind === "origin") {
      open = true;
      line = 0;
      if (event.origin.name.trim() === "") findings.add("an origin has no name");
    }
    if (["rows", "reject", "totals"].includes(event.kind) && !open)
      findings.add(`"${event.kind}" comes before any origin`);
    const lines = event.kind === "rows" ? event.rows.map((row) => row.line) : [];
    if (event.kind === "reject") lines.push(event.line);
    for (const next of lines) {
      if (!Number.isInteger(next) || next <= line)
        findings.add(`line ${next} follows line ${line} in one origin`);
      line = next;
    }
    if (
      event.kind === "rows" &&
      event.rows.some(({ raw }) => typeof raw !== "string" || raw === "")
    )
      findings.add("a row has no raw text");
    if (event.kind === "checkpoint" || event.kind === "unchanged") open = false;
  }
  return [...findings];
}

function batches(events: readonly ReadEvent[]): readonly string[] {
  const sizes = events.flatMap((event) => (event.kind === "rows" ? [event.rows.length] : []));
  return [...new Set(sizes.filter((size) => size < 1 || size > MOST_ROWS))].map(
    (size) => `a batch of ${size} rows`,
  );
}

function lastly(events: readonly ReadEvent[], { reading }: StreamDefinition): readonly string[] {
  const ends = events.filter(({ kind }) => kind === "checkpoint" || kind === "unchanged");
  const last = events.at(-1);
  const whole = ends.length > 0 && (last?.kind === "checkpoint" || last?.kind === "unchanged");
  const waiting = last !== undefined && "more" in last && last.more;
  const several = reading === "snapshot" && ends.some((_, at) => at > 0 && !moreBefore(ends, at));
  return [
    ...(whole ? [] : [`it ends with "${last?.kind ?? "nothing"}" and not with a checkpoint`]),
    ...(several ? [`a snapshot gives ${ends.length} checkpoints`] : []),
    ...(waiting ? ["its last checkpoint says that more waits"] : []),
  ];
}

/** Another snapshot after `more` is another reading's. */
function moreBefore(ends: readonly ReadEvent[], at: number): boolean {
  const before = ends[at - 1];
  return before !== undefined && "more" in before && before.more;
}

function cursors(events: readonly ReadEvent[]): readonly string[] {
  const findings = new Set<string>();
  for (const event of events) {
    if (!("cursor" in event)) continue;
    const { cursor } = event;
    const text = JSON.stringify(cursor) as string | undefined;
    if (text === undefined || /^(?:null|""|\{\}|\[\])$/.test(text))
      findings.add(`the cursor of a ${event.kind} is ${text ?? "undefined"}`);
    else if (!isPlain(cursor)) findings.add(`a cursor holds what JSON does not keep: ${text}`);
  }
  return [...findings];
}

function isPlain(value: Json): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value !== "object") return typeof value !== "undefined";
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== Array.prototype && proto !== null) return false;
  return Object.values(value).every((part: Json) => isPlain(part));
}

function totals(events: readonly ReadEvent[], stream: StreamDefinition): Outcome {
  const findings: string[] = [];
  const said: (number | null)[] = [];
  let counted = 0;
  let open = false;
  const close = () => {
    if (open && stream.totals === true && said.at(-1) === null)
      findings.push("an origin ends without the totals that the stream promises");
  };
  for (const event of events) {
    if (event.kind === "origin") {
      close();
      open = true;
      counted = 0;
      said.push(null);
    }
    if (event.kind === "rows") counted += event.rows.length;
    if (event.kind === "reject") counted += 1;
    if (event.kind === "totals") {
      said[said.length - 1] = event.rows;
      if (event.rows !== counted) findings.push(`totals say ${event.rows} of ${counted} rows`);
    }
  }
  close();
  const none = stream.totals !== true && said.every((rows) => rows === null);
  return none ? notHere("no stream gives totals") : findings;
}

function rowsFit(events: readonly ReadEvent[], stream: StreamDefinition): Outcome {
  const { row, key } = stream;
  if (row === undefined && key === undefined) return notHere("no stream has a row shape or a key");
  const findings = new Set<string>();
  for (const { values, line } of rowsOf(events)) {
    const parsed = row?.safeParse(values);
    if (parsed !== undefined && !parsed.success) {
      const [issue] = parsed.error.issues;
      findings.add(`line ${line}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim());
    }
    const missing = (key ?? []).filter((column) => (values[column] ?? null) === null);
    if (missing.length > 0) findings.add(`a row lacks the key column ${missing.join(", ")}`);
  }
  return [...findings].slice(0, 3);
}

function rowsOf(events: readonly ReadEvent[]): readonly SourceRow[] {
  return events.flatMap((event) => (event.kind === "rows" ? event.rows : []));
}

function positions(events: readonly ReadEvent[], { delta }: StreamDefinition): readonly string[] {
  const findings = new Set<string>();
  const wanted = delta?.grain === "number" ? "number" : "string";
  const lengths = new Set<number>();
  let reached: Position | null = null;
  for (const event of events) {
    if ("cursor" in event) {
      const { cursor, kind } = event;
      if (!isPosition(cursor, wanted))
        findings.add(`the cursor of a ${kind} is ${JSON.stringify(cursor)}`);
      else if (reached !== null && compareValues(cursor, reached) < 0)
        findings.add(`the cursor of a ${kind} is behind ${JSON.stringify(reached)}`);
    }
    for (const { at } of event.kind === "rows" ? event.rows : []) {
      if (at === undefined) findings.add("a row has no `at`");
      else if (!isPosition({ ...at }, wanted) || !isStamp(at.value))
        findings.add(`a row stands at ${JSON.stringify(at)}, expected a ${wanted} and a key`);
      else {
        lengths.add(typeof at.value === "string" ? at.value.length : 0);
        if (reached === null || compareValues(at, reached) > 0) reached = at;
      }
    }
  }
  if (lengths.size > 1)
    findings.add(`stamps are of ${[...lengths].join(" and ")} characters, so text misorders them`);
  return [...findings].slice(0, 3);
}

function isPosition(cursor: Json, wanted: string): cursor is { value: string; key: string } {
  if (cursor === null || typeof cursor !== "object" || Array.isArray(cursor)) return false;
  const { value, key } = cursor as { readonly [name: string]: Json };
  return (
    typeof value === wanted && ((typeof key === "string" && key !== "") || typeof key === "number")
  );
}

function isStamp(value: string | number): boolean {
  return typeof value === "number" || moved(value, 0) !== null;
}

function inOrder(events: readonly ReadEvent[]): readonly string[] {
  let before: SourceRow["at"];
  for (const { at } of rowsOf(events)) {
    if (at !== undefined && before !== undefined && compareValues(at, before) <= 0)
      return [`${JSON.stringify(at)} comes behind ${JSON.stringify(before)}`];
    before = at;
  }
  return [];
}

/** Rows in no order are whole only at their end. */
function atItsEnd(events: readonly ReadEvent[]): readonly string[] {
  const marks = events.filter(({ kind }) => kind === "mark").length;
  const checkpoints = events.filter(({ kind }) => kind === "checkpoint").length;
  return [
    ...(marks > 0 ? [`it promises no order, and gives ${marks} marks`] : []),
    ...(checkpoints > 1 ? [`it promises no order, and gives ${checkpoints} checkpoints`] : []),
  ];
}

async function nothingNew(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stand = freshStand();
  const first = await pullFresh(one, stream, stand);
  if (first.thrown !== null) return untried(`its reading fails: ${short(first.thrown)}`);
  const { kept, cursor } = stand;
  const again = await pullFresh(one, stream, stand);
  if (again.thrown !== null) return [`the second reading ends with ${short(again.thrown)}`];
  if (stand.cursor === null && cursor !== null) return ["the second reading empties its cursor"];
  const wrong = told(unlike(stateOf(stream, stand.kept), stateOf(stream, kept)));
  return wrong === null ? overlapOnly(stream, kept, stand) : [`the second reading: ${wrong}`];
}

/** Rows that came again must lie within the overlap behind the cursor. */
function overlapOnly(
  stream: StreamDefinition,
  before: readonly SourceRow[],
  stand: Stand,
): readonly string[] {
  if (stream.reading === "snapshot") return [];
  const again = stand.kept.length - before.length;
  if (again === 0 || (stream.delta?.overlap ?? 0) > 0) return [];
  return [`${again} rows come again, and the stream promises no overlap`];
}

/** A day in the midst of a rig's rows, which are all of March 2026 or before. */
const MIDDAY = Temporal.PlainDate.from("2026-03-15");
const SLICES = [
  { from: MIDDAY.subtract({ years: 20 }), to: MIDDAY },
  { from: MIDDAY.add({ days: 1 }), to: MIDDAY.add({ years: 1 }) },
] as const;

async function byDays(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const all: SourceRow[] = [];
  const findings: string[] = [];
  for (const range of SLICES) {
    const stand = freshStand();
    const { thrown } = await pullFresh(one, stream, stand, { read: { range } });
    if (thrown !== null) return [`asked for days it ends with ${short(thrown)}`];
    const stray = stand.kept.find(({ at }) => at !== undefined && isOutside(at.value, range));
    if (stray !== undefined)
      findings.push(
        `${JSON.stringify(stray.at)} is not of ${range.from.toString()} to ${range.to.toString()}`,
      );
    all.push(...stand.kept);
  }
  const given = all.map(({ values }) => values);
  const wrong = told(unlike(given, one.far.rows(stream.name)));
  return [...findings, ...(wrong === null ? [] : [`all days together: ${wrong}`])];
}

/** By the date as it is written: a stamp of UTC may be of the next day here. */
function isOutside(value: string | number, range: (typeof SLICES)[number]): boolean {
  if (typeof value === "number") return false;
  const day = Temporal.PlainDate.from(value.slice(0, 10));
  const compare = (a: Temporal.PlainDate, b: Temporal.PlainDate) =>
    Temporal.PlainDate.compare(a, b);
  return (
    compare(day, range.from.subtract({ days: 1 })) < 0 ||
    compare(day, range.to.add({ days: 1 })) > 0
  );
}

/** What the host makes of changes must be what the whole would be. */
async function changes(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stand = freshStand();
  const first = await pullFresh(one, stream, stand);
  if (first.thrown !== null) return untried(`its reading fails: ${short(first.thrown)}`);
  const told = first.events.filter(({ kind }) => kind === "same" || kind === "gone");
  if (told.length > 0) return [`"${told[0]?.kind}" comes though nobody asked for changes`];
  if (stream.reading === "delta") return [];
  const before = stand.kept.map(({ values }) => values);
  await one.far.remove?.(stream.name, 0);
  await one.far.add?.(stream.name, [null]);
  const second = await pullFresh(one, stream, stand, { read: { changes: true } });
  if (second.thrown !== null) return [`reading changes ends with ${short(second.thrown)}`];
  const isWhole = !second.events.some(({ kind }) => kind === "same" || kind === "gone");
  return isWhole ? [] : addUp(second.events, before, one.far.rows(stream.name));
}

type Values = SourceRow["values"];

/** Each content in turn makes the next: what was there, less what is gone, with what came. */
function addUp(
  events: readonly ReadEvent[],
  before: readonly Values[],
  truth: readonly Values[],
): readonly string[] {
  const columns = columnsOf(truth);
  let state = compared(before, columns);
  for (const content of contentsOf(events)) {
    const next = nextState(content, state, columns);
    if ("wrong" in next) return [next.wrong];
    state = next.rows;
  }
  return state.sort().join("\n") === compared(truth, columns).join("\n")
    ? []
    : ["rows that stayed, less those gone, with those given are not the content that is there"];
}

function contentsOf(events: readonly ReadEvent[]): readonly (readonly ReadEvent[])[] {
  const contents: ReadEvent[][] = [[]];
  for (const event of events) {
    contents.at(-1)?.push(event);
    if (event.kind === "checkpoint" || event.kind === "unchanged") contents.push([]);
  }
  return contents.slice(0, -1);
}

function nextState(
  events: readonly ReadEvent[],
  state: readonly string[],
  columns: readonly string[],
): { readonly rows: string[] } | { readonly wrong: string } {
  if (events.some(({ kind }) => kind === "unchanged")) return { rows: [...state] };
  const textOf = (rows: readonly SourceRow[]) =>
    compared(
      rows.map(({ values }) => values),
      columns,
    );
  const given = textOf(rowsOf(events));
  if (!events.some(({ kind }) => kind === "same" || kind === "gone")) return { rows: given };
  const left = [...state];
  for (const row of textOf(events.flatMap((event) => (event.kind === "gone" ? event.rows : [])))) {
    const at = left.indexOf(row);
    if (at < 0) return { wrong: "a row is said to be gone that was not there before" };
    left.splice(at, 1);
  }
  const same = events.reduce((sum, event) => sum + (event.kind === "same" ? event.rows : 0), 0);
  if (left.length !== same)
    return { wrong: `${same} rows are said to be the same, and ${left.length} are not gone` };
  return { rows: [...left, ...given] };
}
