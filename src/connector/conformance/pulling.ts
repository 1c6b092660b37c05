/**
 * A pull as the host does it, in memory: rows are staged, a mark keeps them, a checkpoint commits
 * them with the cursor, and totals that differ refuse them. It can be killed at any event.
 */
import type { Json, ReadEvent, ReadOptions, SourceRow, StreamDefinition } from "../contract.ts";
import { noteThrown, type Opened, type Trial } from "./bench.ts";
import type { Values } from "./rig.ts";

/** Where a stream stands at the host. */
export interface Stand {
  cursor: Json | null;
  /** Committed, in the order they came; a snapshot's are those of its last reading. */
  kept: readonly SourceRow[];
  mark: Json | null;
  /** Read up to the mark and not yet committed. */
  marked: readonly SourceRow[];
  /** Origins that the mark holds, as far as they were read. */
  markedOrigins: readonly Counted[];
  /** Pulls that went on from the mark. */
  attempts: number;
  /** Rows of one reading that was cut by a kill, as pairs: where it went on, what came then. */
  readonly resumed: { readonly from: Json | null; readonly rows: SourceRow[] }[];
}

/** An origin with its rows so far, and the source's own number of them. */
interface Counted {
  readonly name: string;
  readonly rows: number;
  readonly stated: number | null;
}

export function freshStand(cursor: Json | null = null): Stand {
  return { cursor, kept: [], mark: null, marked: [], markedOrigins: [], attempts: 0, resumed: [] };
}

export interface Pulled {
  readonly events: readonly ReadEvent[];
  readonly thrown: unknown;
  readonly killed: boolean;
  /** Why the host would not publish it: what the source's totals say; null: it would. */
  readonly refused: string | null;
}

export interface Kill {
  /** Index of the event that is never handled. */
  readonly at: number;
  /** A checkpoint is committed first, and the session not told of it. */
  readonly afterCommit?: boolean;
}

export interface PullOptions {
  readonly kill?: Kill;
  readonly read?: ReadOptions;
  /** True: what the host would refuse is not committed, and its mark forgotten. */
  readonly strict?: boolean;
  /** Called after each event was handled. */
  readonly between?: (event: ReadEvent, index: number) => Promise<void> | void;
}

/** Readings of one pull; more than enough for a rig's data. */
const MOST_READINGS = 50;

/** Pulls what waits. Whatever is thrown is returned, and noted. */
export async function pull(
  trial: Trial,
  opened: Opened,
  stream: StreamDefinition,
  stand: Stand,
  options: PullOptions = {},
): Promise<Pulled> {
  const events: ReadEvent[] = [];
  let refused: string | null = null;
  try {
    for (let number = 0; number < MOST_READINGS; number += 1) {
      const reading = begin(stream, stand);
      const ended = await readOnce({ trial, opened, stream, stand, options, events }, reading);
      refused ??= reading.refused;
      if (ended !== "more") return { events, thrown: null, killed: ended === "killed", refused };
    }
    throw new Error(`${stream.name} still says "more" after ${MOST_READINGS} readings`);
  } catch (thrown) {
    noteThrown(trial.bench, `reading ${stream.name}`, thrown);
    return { events, thrown, killed: false, refused };
  }
}

/** So many runs go on from one point in vain; then the host starts over. */
export const MOST_ATTEMPTS = 3;

interface Reading {
  readonly from: Json | null;
  readonly stream: StreamDefinition;
  readonly staged: SourceRow[];
  readonly given: SourceRow[];
  /** Those before the mark included; the last one is open. */
  readonly origins: Counted[];
  readonly digests: string[];
  refused: string | null;
}

function begin(stream: StreamDefinition, stand: Stand): Reading {
  if (stand.attempts >= MOST_ATTEMPTS) forgetMark(stand);
  if (stand.mark !== null) stand.attempts += 1;
  const reading: Reading = {
    from: stand.mark ?? stand.cursor,
    stream,
    staged: [...stand.marked],
    given: [],
    origins: [...stand.markedOrigins],
    digests: [],
    refused: null,
  };
  stand.resumed.push({ from: reading.from, rows: reading.given });
  return reading;
}

function forgetMark(stand: Stand): void {
  stand.mark = null;
  stand.marked = [];
  stand.markedOrigins = [];
  stand.attempts = 0;
}

interface Pull {
  readonly trial: Trial;
  readonly opened: Opened;
  readonly stream: StreamDefinition;
  readonly stand: Stand;
  readonly options: PullOptions;
  readonly events: ReadEvent[];
}

async function readOnce(
  { trial, opened, stream, stand, options, events }: Pull,
  reading: Reading,
): Promise<"more" | "done" | "killed"> {
  let more = false;
  for await (const event of opened.session.read(stream.name, reading.from, options.read)) {
    const index = events.length;
    events.push(event);
    trial.bench.watch.lookAt(event);
    const isKill = options.kill?.at === index;
    if (isKill && options.kill.afterCommit !== true) return "killed";
    gather(reading, event);
    if (event.kind === "mark") keepMark(stand, reading, event.cursor);
    if (event.kind === "refused")
      await opened.session.setAside?.(stream.name, event.origin, event.reason);
    if (event.kind === "checkpoint" || event.kind === "unchanged") {
      if (event.kind === "checkpoint") closeOrigin(reading);
      if (options.strict === true && reading.refused !== null) {
        forgetMark(stand);
        return "done";
      }
      commit(stand, reading, event);
      for (const sha256 of reading.digests) trial.world.applied.add(`${stream.name} ${sha256}`);
      if (isKill) return "killed";
      await opened.session.applied?.(stream.name, event.cursor);
      ({ more } = event);
    }
    await options.between?.(event, index);
    // The host reads a snapshot to its checkpoint; the next one is another reading.
    if (more && stream.reading === "snapshot") return "more";
  }
  return "done";
}

function gather(reading: Reading, event: ReadEvent): void {
  const { origins } = reading;
  if (event.kind === "origin") {
    openOrigin(reading, event.origin.name);
    reading.digests.push(event.origin.sha256 ?? "");
  }
  if (event.kind === "rows") {
    reading.given.push(...event.rows);
    // One that lacks its key is set aside by itself.
    reading.staged.push(...event.rows.filter(({ values }) => hasKey(reading.stream, values)));
    counted(origins, { rows: event.rows.length });
  }
  if (event.kind === "reject") counted(origins, { rows: 1 });
  if (event.kind === "totals") counted(origins, { rows: 0, stated: event.rows });
}

export function hasKey({ key }: StreamDefinition, values: Values): boolean {
  return (key ?? []).every((column) => (values[column] ?? "") !== "");
}

function counted(origins: Counted[], add: { rows: number; stated?: number }): void {
  const open = origins.pop();
  if (open === undefined) return;
  const { name, rows, stated } = open;
  origins.push({ name, rows: rows + add.rows, stated: add.stated ?? stated });
}

/** The first one of a reading that goes on continues the one that the mark cut, if of its name. */
function openOrigin(reading: Reading, name: string): void {
  const goesOn = reading.digests.length === 0 && reading.origins.at(-1)?.name === name;
  if (goesOn) return;
  closeOrigin(reading);
  reading.origins.push({ name, rows: 0, stated: null });
}

function closeOrigin(reading: Reading): void {
  const { origins, stream } = reading;
  const open = origins.at(-1);
  if (open === undefined) return;
  const { name, rows, stated } = open;
  if (stated !== null && stated !== rows)
    reading.refused ??= `the totals of ${name} say ${stated} rows, and ${rows} came`;
  if (stated === null && stream.totals === true)
    reading.refused ??= `${name} came without the totals that are promised`;
}

function keepMark(stand: Stand, { staged, origins }: Reading, cursor: Json): void {
  stand.mark = cursor;
  stand.marked = [...staged];
  stand.markedOrigins = [...origins];
  stand.attempts = 0;
}

function commit(
  stand: Stand,
  { staged, origins, stream }: Reading,
  event: ReadEvent & { kind: "checkpoint" | "unchanged" },
): void {
  if (event.kind === "checkpoint")
    stand.kept = stream.reading === "snapshot" ? [...staged] : [...stand.kept, ...staged];
  stand.cursor = event.cursor;
  forgetMark(stand);
  staged.length = 0;
  origins.length = 0;
}

/** Pulls once with a session of its own. */
export async function pullFresh(
  trial: Trial,
  stream: StreamDefinition,
  stand: Stand,
  options: PullOptions = {},
): Promise<Pulled> {
  const opened = await trial.open();
  try {
    return await pull(trial, opened, stream, stand, options);
  } finally {
    await opened.close();
  }
}

/** The state that rows amount to: the last of each key, without those removed; all, without key. */
export function stateOf(stream: StreamDefinition, rows: readonly SourceRow[]): readonly Values[] {
  const { key } = stream;
  const idOf = (row: SourceRow): string | null => {
    if (key !== undefined) return keyOf(key, row.values);
    return row.at === undefined ? null : JSON.stringify(row.at.key);
  };
  const last = new Map<string, SourceRow>();
  for (const [index, row] of rows.entries()) {
    const id = idOf(row) ?? `row ${index}`;
    const before = last.get(id);
    if (before === undefined || !isOlder(row, before)) last.set(id, row);
  }
  return [...last.values()].filter(({ removed }) => removed !== true).map(({ values }) => values);
}

/** An unordered stream may bring an older version of a row behind a newer one. */
function isOlder(row: SourceRow, than: SourceRow): boolean {
  if (row.at === undefined || than.at === undefined) return false;
  return row.at.value < than.at.value;
}

export function keyOf(key: readonly string[], values: Values): string {
  return JSON.stringify(key.map((column) => values[column] ?? null));
}

/** Rows as comparable text, in the columns that the truth has. */
export function compared(rows: readonly Values[], columns: readonly string[]): string[] {
  return rows.map((values) => JSON.stringify(columns.map((name) => values[name] ?? null))).sort();
}

export function columnsOf(rows: readonly Values[]): readonly string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].sort();
}

export interface Unlike {
  readonly lost: readonly string[];
  /** Given too often, or given and not there. */
  readonly extra: readonly string[];
}

/** What the given rows lack and have too much, as multisets. */
export function unlike(given: readonly Values[], truth: readonly Values[]): Unlike {
  const columns = columnsOf(truth.length === 0 ? given : truth);
  const counts = new Map<string, number>();
  for (const row of compared(truth, columns)) counts.set(row, (counts.get(row) ?? 0) + 1);
  const extra: string[] = [];
  for (const row of compared(given, columns)) {
    const left = counts.get(row) ?? 0;
    if (left === 0) extra.push(row);
    else counts.set(row, left - 1);
  }
  const lost = [...counts].flatMap(([row, left]) => Array.from({ length: left }, () => row));
  return { lost, extra };
}

/** One line for a person; null when nothing is unlike. */
export function told({ lost, extra }: Unlike): string | null {
  const parts = [
    ...(lost.length === 0 ? [] : [`${rowCount(lost.length)} lost, such as ${clip(lost[0])}`]),
    ...(extra.length === 0
      ? []
      : [`${rowCount(extra.length)} too many, such as ${clip(extra[0])}`]),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}

function rowCount(count: number): string {
  return count === 1 ? "1 row" : `${count} rows`;
}

function clip(text: string | undefined): string {
  return text === undefined || text.length <= 100 ? (text ?? "") : `${text.slice(0, 99)}…`;
}
