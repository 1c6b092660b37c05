/** Checks of going on: after a kill at any event, from any cursor, over both clock changes. */
import type { Json, ReadEvent, SourceRow, StreamDefinition } from "../contract.ts";
import { faultOf, short, trial, type Bench, type Trial } from "./bench.ts";
import { eachStream, every, notHere, untried } from "./check.ts";
import type { Check, Outcome } from "./check.ts";
import { behind, futureOf, stampFor } from "./position.ts";
import { columnsOf, freshStand, pull, pullFresh, stateOf, told, unlike } from "./pulling.ts";
import type { Kill, Stand } from "./pulling.ts";
import type { Values } from "./rig.ts";

export const RESUMING_CHECKS: readonly Check[] = [
  {
    id: "resume-any-event",
    holds: "killed at any event, it goes on from the last mark or checkpoint with the same rows",
    needsRig: true,
    run: (bench) => eachStream(bench, every, (one, stream) => resumeAnywhere(bench, one, stream)),
  },
  {
    id: "ties",
    holds: "rows with one stamp survive a kill between them, and a later one of them is found",
    needsRig: true,
    run: (bench) => eachStream(bench, withStamps, (one, stream) => ties(bench, one, stream)),
  },
  {
    id: "late-rows",
    holds: "a row that appears late, within the overlap, is found",
    needsRig: true,
    run: (bench) => eachStream(bench, withOverlap, lateRows),
  },
  {
    id: "cursor-corrupt",
    holds: "a cursor that is not one of its own is a loud config fault, never a new start",
    needsRig: true,
    run: (bench) => eachStream(bench, every, corruptCursors),
  },
  {
    id: "cursor-future",
    holds: "a cursor ahead of everything is a loud config fault: the source went backwards",
    needsRig: true,
    run: (bench) => eachStream(bench, withStamps, futureCursor),
  },
  clockChange(
    "clock-spring",
    "rows around and in the hour that spring leaves out are neither lost nor doubled",
    ["2026-03-29T00:30:00", "2026-03-29T00:59:00"],
    // The last is a wall-clock time that never was; systems write it all the same.
    { utc: ["2026-03-29T01:00:00", "2026-03-29T01:30:00"], local: ["2026-03-29T02:00:00"] },
    "2026-03-29T01:30:00",
    "2026-03-29T03:00:00Z",
  ),
  clockChange(
    "clock-autumn",
    "rows in the hour that autumn repeats are neither lost nor doubled",
    // The first time that it is between one and two, and then the second.
    ["2026-10-25T00:10:00", "2026-10-25T00:55:00"],
    { utc: ["2026-10-25T01:05:00", "2026-10-25T01:50:00"], local: ["2026-10-25T01:05:00"] },
    "2026-10-25T01:50:00",
    "2026-10-25T03:00:00Z",
  ),
];

function withStamps({ delta }: StreamDefinition): string | null {
  if (delta === undefined) return "no stream has a delta promise";
  return delta.grain === "number" ? "no stream is read by stamps" : null;
}

function withOverlap({ delta }: StreamDefinition): string | null {
  if (delta === undefined) return "no stream has a delta promise";
  return delta.overlap > 0 ? null : "no stream promises an overlap";
}

function withClock({ delta }: StreamDefinition): string | null {
  if (delta === undefined) return "no stream has a delta promise";
  const isTime = delta.grain !== "number" && delta.grain !== "day";
  return isTime ? null : "no stream is read by the time of day";
}

/** Prepares a fresh far side; each kill has one of its own. */
type Prepare = (one: Trial) => Promise<void>;

async function resumeAnywhere(
  bench: Bench,
  one: Trial,
  stream: StreamDefinition,
  prepare: Prepare = async () => {},
  isBegin: (event: ReadEvent) => boolean = () => true,
): Promise<Outcome> {
  await prepare(one);
  const clean = freshStand();
  const { events, thrown, refused } = await pullFresh(one, stream, clean, STRICT);
  if (thrown !== null) return untried(`its reading fails: ${short(thrown)}`);
  if (refused !== null) return untried(`the host refuses its reading: ${refused}`);
  const kills: Kill[] = events.flatMap(({ kind }, at): Kill[] =>
    kind === "checkpoint" ? [{ at }, { at, afterCommit: true }] : [{ at }],
  );
  const findings: string[] = [];
  const begin = events.findIndex(isBegin);
  for (const kill of spread(kills.filter(({ at }) => at >= begin))) {
    const found = await trial(bench, async (fresh) => {
      await prepare(fresh);
      return killAndGoOn(fresh, stream, kill, clean);
    });
    const kind = events[kill.at]?.kind ?? "event";
    const when = `killed ${kill.afterCommit === true ? "behind" : "at"} event ${kill.at} (${kind})`;
    if (found !== null) findings.push(`${when}: ${found}`);
    if (findings.length === 3) break;
  }
  return findings;
}

const STRICT = { strict: true } as const;

/** A stream of thousands of events is killed at the first, the last and some between. */
const MOST_KILLS = 60;

function spread<T>(all: readonly T[]): readonly T[] {
  if (all.length <= MOST_KILLS) return all;
  const step = (all.length - 1) / (MOST_KILLS - 1);
  return Array.from({ length: MOST_KILLS }, (_, index) => all[Math.round(index * step)]).filter(
    (one) => one !== undefined,
  );
}

async function killAndGoOn(
  one: Trial,
  stream: StreamDefinition,
  kill: Kill,
  clean: Stand,
): Promise<string | null> {
  const stand = freshStand();
  const first = await pullFresh(one, stream, stand, { kill, ...STRICT });
  if (!first.killed) return `the reading before the kill ends with ${short(first.thrown)}`;
  const again = await pullFresh(one, stream, stand, STRICT);
  if (again.thrown !== null) return `going on ends with ${short(again.thrown)}`;
  if (again.refused !== null) return `what it goes on with is refused: ${again.refused}`;
  const wrong = told(unlike(stateOf(stream, stand.kept), stateOf(stream, clean.kept)));
  return wrong ?? repeatedBeyondOverlap(stream, stand);
}

/** A delta may repeat rows of its overlap, and no others. */
function repeatedBeyondOverlap(stream: StreamDefinition, stand: Stand): string | null {
  const { delta } = stream;
  const last = stand.resumed.at(-1);
  if (delta === undefined || last === undefined || last.from === null) return null;
  const from = valueOf(last.from);
  const least = from === null ? null : behind(delta, from);
  if (least === null) return null;
  const early = last.rows.find(({ at }) => at !== undefined && at.value < least);
  return early === undefined
    ? null
    : `${JSON.stringify(early.at)} comes again, which lies behind the overlap of ${JSON.stringify(from)}`;
}

function valueOf(cursor: Json): string | number | null {
  if (cursor === null || typeof cursor !== "object" || Array.isArray(cursor)) return null;
  const { value } = cursor as { readonly [name: string]: Json };
  return typeof value === "string" || typeof value === "number" ? value : null;
}

const TIED = "2026-03-27T10:15:00";
/** More than a page of most rigs. */
const TIES = 5;

async function ties(bench: Bench, one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stamp = stampFor(stream.delta, TIED);
  if (one.far.add === undefined || stamp === null) return untried("the rig cannot `add` rows");
  const prepare: Prepare = async ({ far }) => {
    await far.add?.(
      stream.name,
      Array.from({ length: TIES }, () => stamp),
    );
  };
  const hasTie = (event: ReadEvent) =>
    event.kind === "rows" && event.rows.some(({ at }) => at?.value === stamp);
  const killed = await resumeAnywhere(bench, one, stream, prepare, hasTie);
  if ("passedOver" in killed || killed.length > 0) return killed;
  // One more of that stamp, with a higher key, when the cursor stands on it already.
  return trial(bench, async (fresh) => {
    await prepare(fresh);
    return foundLater(fresh, stream, [stamp], "a further row with the cursor's own stamp");
  });
}

/** Pulls, adds rows, pulls again: each of them must be there once. */
async function foundLater(
  one: Trial,
  stream: StreamDefinition,
  stamps: readonly (string | null)[],
  what: string,
): Promise<Outcome> {
  const stand = freshStand();
  const first = await pullFresh(one, stream, stand);
  if (first.thrown !== null) return untried(`its reading fails: ${short(first.thrown)}`);
  const before = one.far.rows(stream.name);
  await one.far.add?.(stream.name, stamps);
  const added = lacking(one.far.rows(stream.name), before);
  const second = await pullFresh(one, stream, stand);
  if (second.thrown !== null) return [`${what}: reading ends with ${short(second.thrown)}`];
  return missing(stream, stand.kept, added).map((lost) => `${what} is lost: ${lost}`);
}

function lacking(all: readonly Values[], before: readonly Values[]): readonly Values[] {
  const known = new Set(before.map((row) => JSON.stringify(row)));
  return all.filter((row) => !known.has(JSON.stringify(row)));
}

/** Of these rows, those that are not among the given. */
function missing(
  stream: StreamDefinition,
  given: readonly SourceRow[],
  wanted: readonly Values[],
): readonly string[] {
  const columns = columnsOf(wanted);
  const state = stateOf(stream, given);
  const wrong = unlike(state, wanted);
  return wrong.lost.map((row) => `${row} (${columns.join(", ")})`).slice(0, 2);
}

async function lateRows(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const { delta } = stream;
  const recent = stampFor(delta, TIED);
  if (one.far.add === undefined || delta === undefined) return untried("the rig cannot `add` rows");
  if (recent === null || delta.overlap < 2) return [];
  await one.far.add(stream.name, [recent]);
  const late = stampFor(delta, lateOf(delta.overlap));
  return foundLater(one, stream, [late], "a row that appears late");
}

/** Half of the overlap behind the newest row. */
function lateOf(overlap: number): string {
  return Temporal.PlainDateTime.from(TIED)
    .subtract({ seconds: Math.floor(overlap / 2) })
    .toString({ smallestUnit: "second" });
}

const NO_CURSORS: readonly Json[] = ["not a cursor", 42, [], { nonsense: true }];

async function corruptCursors(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stand = freshStand();
  await pullFresh(one, stream, stand);
  const { cursor } = stand;
  const twisted = cursor === null ? [] : twistsOf(cursor);
  const findings: string[] = [];
  for (const bad of [...NO_CURSORS, ...twisted]) {
    const found = await loud(one, stream, bad);
    if (found !== null) findings.push(`${JSON.stringify(bad)} is taken: ${found}`);
  }
  return findings.slice(0, 3);
}

/** A good cursor of which one part has another type. */
function twistsOf(cursor: Json): readonly Json[] {
  if (cursor === null || typeof cursor !== "object" || Array.isArray(cursor)) return [];
  const parts = cursor as { readonly [name: string]: Json };
  const names = Object.keys(parts).filter((name) => parts[name] !== null);
  return names.map((name) => ({ ...parts, [name]: { twisted: true } }));
}

/** Null: a config fault before any row. */
async function loud(one: Trial, stream: StreamDefinition, cursor: Json): Promise<string | null> {
  const { thrown, events } = await pullFresh(one, stream, freshStand(cursor));
  const rows = events.filter(({ kind }) => kind === "rows").length;
  if (thrown === null) return rows > 0 ? "it reads on, with rows" : "it says nothing";
  const kind = faultOf(thrown)?.kind;
  if (kind !== "config") return `${short(thrown)}, expected one of kind config`;
  return rows > 0 ? "rows come before the fault" : null;
}

async function futureCursor(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const stand = freshStand();
  await pullFresh(one, stream, stand);
  const future = stand.cursor === null ? null : futureOf(stand.cursor);
  if (future === null) return notHere("no cursor has a value that can be moved");
  const found = await loud(one, stream, future);
  return found === null ? [] : [`${JSON.stringify(future)}: ${found}`];
}

/** Rows before the change are pulled, then those in and behind it; `lost`: as only clocks show. */
function clockChange(
  id: string,
  holds: string,
  before: readonly string[],
  after: { readonly utc: readonly string[]; readonly local: readonly string[] },
  odd: string,
  now: string,
): Check {
  const run = async (one: Trial, stream: StreamDefinition): Promise<Outcome> => {
    const { delta, name } = stream;
    if (one.far.add === undefined) return untried("the rig cannot `add` rows");
    const isLocal = delta?.zone === "local";
    // In October local time is an hour ahead of UTC before the change.
    const shift = isLocal && id === "clock-autumn" ? 1 : 0;
    const first = before.map((iso) => stampFor(delta, hoursLater(iso, shift)));
    const later = isLocal ? [...after.local, odd] : after.utc;
    one.world.setNow(now);
    await one.far.add(name, first);
    return changeSurvived(
      one,
      stream,
      later.map((iso) => stampFor(delta, iso)),
    );
  };
  return { id, holds, needsRig: true, run: (bench) => eachStream(bench, withClock, run) };
}

function hoursLater(iso: string, hours: number): string {
  const at = Temporal.PlainDateTime.from(iso).add({ hours });
  return at.toString({ smallestUnit: "second" });
}

async function changeSurvived(
  one: Trial,
  stream: StreamDefinition,
  stamps: readonly (string | null)[],
): Promise<Outcome> {
  const stand = freshStand();
  const opened = await one.open();
  const first = await pull(one, opened, stream, stand);
  if (first.thrown !== null) return [`before the change: ${short(first.thrown)}`];
  await one.far.add?.(stream.name, stamps);
  const second = await pull(one, opened, stream, stand);
  if (second.thrown !== null) return [`behind the change: ${short(second.thrown)}`];
  const wrong = told(unlike(stateOf(stream, stand.kept), one.far.rows(stream.name)));
  if (wrong !== null) return [wrong];
  const third = await pull(one, opened, stream, stand);
  if (third.thrown !== null) return [`once more: ${short(third.thrown)}`];
  const still = told(unlike(stateOf(stream, stand.kept), one.far.rows(stream.name)));
  return still === null ? [] : [`when it is read once more: ${still}`];
}
