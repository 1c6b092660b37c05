/**
 * Reads a stream as a run does, up to the point where a run publishes. Nothing is put away or set
 * aside at the source: the next run finds all as it was.
 */
import type { Json, ReadEvent, StreamDefinition } from "../connector/index.ts";
import { RunStopped } from "./brake.ts";
import type { Source, SyncContext } from "./context.ts";
import { ShapeChanged } from "./drift-watch.ts";
import type { Gathering } from "./gathering.ts";
import type { StreamKey } from "./lease.ts";
import type { PlanState } from "./plan-document.ts";
import { checkDefinition, watchPromises, type Promises } from "./promises.ts";
import { keepPending, type OriginWatch } from "./watch.ts";

export interface Gathered {
  readonly state: PlanState;
  /** Cursors of the content, in order. */
  readonly cursors: readonly Json[];
  readonly notes: readonly string[];
}

export interface PlanReading {
  readonly context: SyncContext;
  readonly source: Source;
  readonly stream: StreamDefinition;
  readonly key: StreamKey;
  readonly gathering: Gathering;
  readonly watch: OriginWatch;
  readonly cursor: Json | null;
}

interface Progress {
  readonly promises: Promises;
  readonly cursors: Json[];
  readonly notes: string[];
  state: PlanState;
  /** Rows of an origin that would be put aside: they are not gathered. */
  passesBy: boolean;
  isOver: boolean;
}

export async function readForPlan(reading: PlanReading): Promise<Gathered> {
  const { context, source, stream, key, cursor, gathering } = reading;
  const { session } = source.connection;
  checkDefinition(stream, session);
  const { now, timeZone } = context;
  const progress: Progress = {
    promises: watchPromises({
      key,
      stream,
      stored: cursor,
      from: cursor,
      clock: { now, timeZone },
    }),
    cursors: [],
    notes: [],
    state: "nothing",
    passesBy: false,
    isOver: false,
  };
  for await (const event of session.read(stream.name, cursor)) {
    await take(reading, progress, event);
    if (progress.isOver) break;
  }
  if (progress.cursors.length === 0 && gathering.rows().read > 0)
    throw new RunStopped(
      `Reading ${key.connection}/${stream.name} ended without a checkpoint after ` +
        `${gathering.rows().read} rows.`,
      "There is nothing whole to plan with: try again.",
    );
  return progress;
}

async function take(
  { context, gathering, stream, key }: PlanReading,
  progress: Progress,
  event: ReadEvent,
): Promise<void> {
  switch (event.kind) {
    case "origin":
    case "rows":
    case "reject":
    case "totals":
      if (event.kind === "origin") progress.passesBy = false;
      if (progress.passesBy) return;
      try {
        await gather(gathering, progress, event);
      } catch (error) {
        await keepPending(context, key, error);
        await passBy(gathering, stream, progress, error);
      }
      return;
    case "refused":
      await gathering.forget(event.origin.name);
      progress.notes.push(
        `${event.origin.name} would not be applied: ${event.reason} ${event.instruction}`,
      );
      if (progress.state === "nothing") progress.state = "refused";
      return;
    case "mark":
      progress.promises.cursor(event.cursor, "mark");
      return;
    case "unchanged":
      progress.state = "unchanged";
      progress.isOver = true;
      progress.notes.push(
        `${event.origin.name} equals the snapshot applied last: all is the same.`,
      );
      return;
    case "checkpoint":
      closeContent(gathering, stream, progress, event);
      return;
    case "same":
    case "gone":
      throw new RunStopped(`The event "${event.kind}" came and was not asked for.`, "Report it.");
    default:
      event satisfies never;
  }
}

async function gather(
  gathering: Gathering,
  { promises }: Progress,
  event: ReadEvent & { kind: "origin" | "rows" | "reject" | "totals" },
): Promise<void> {
  switch (event.kind) {
    case "origin":
      gathering.closeOrigin();
      gathering.openOrigin(event.origin);
      return;
    case "rows":
      promises.rows(event.rows);
      await gathering.takeRows(event.rows);
      return;
    case "reject":
      await gathering.takeReject(event);
      return;
    case "totals":
      gathering.takeTotal(event);
      return;
    default:
      event satisfies never;
  }
}

/** A file whose shape is another one would wait by itself. */
async function passBy(
  gathering: Gathering,
  stream: StreamDefinition,
  progress: Progress,
  error: unknown,
): Promise<void> {
  const origin = gathering.origins.at(-1);
  const waits = error instanceof ShapeChanged && error.reaction === "quarantine";
  if (!waits || origin === undefined || stream.reading === "snapshot") throw error;
  await gathering.forget(origin.name);
  progress.passesBy = true;
  progress.notes.push(`${origin.name} would not be applied: ${error.message}`);
}

/** A delta may go on: all that waits is one plan. A snapshot is one piece of content. */
function closeContent(
  gathering: Gathering,
  stream: StreamDefinition,
  progress: Progress,
  { cursor, more }: ReadEvent & { kind: "checkpoint" },
): void {
  if (!progress.passesBy) gathering.closeOrigin();
  progress.promises.cursor(cursor, "checkpoint");
  progress.cursors.push(cursor);
  progress.state = "planned";
  if (stream.reading !== "snapshot") return;
  progress.isOver = true;
  if (more)
    progress.notes.push("Another snapshot waits behind this one; the plan is of the first alone.");
}
