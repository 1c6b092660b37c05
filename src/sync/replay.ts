/**
 * What was read before, mapped by the mappings as they are now, without another pull: a snapshot's
 * content applied last, or all that is kept of a delta in the order in which it was applied. Where
 * something is not kept any more only what came after it is mapped anew, and nothing is removed.
 */
import { timesBackwards } from "../connections/index.ts";
import type { Origin, ReadEvent } from "../connector/index.ts";
import { RunStopped } from "./brake.ts";
import type { Ground, Grounds, Planning } from "./plan.ts";
import { rawEvents, rawRows } from "./raw.ts";

/** An origin that was applied; where it is kept is known. */
interface Applied extends Origin {
  readonly id: string;
  readonly runId: string;
  /** Rows read of it, those among them that were not given again. */
  readonly rows: number;
  readonly appliedAt: Temporal.Instant;
}

/** Maps kept content anew. */
export const KEPT: Ground = {
  kind: "replay",
  gather: async (planning) => {
    const { gathering, stream, key, context } = planning;
    const applied = await appliedOrigins(planning);
    if (applied.length === 0)
      return { ...EMPTY, remarks: [`Nothing was ever applied to ${stream.name}.`] };
    await gathering.restart();
    const kept = await keptSince(planning, applied);
    const isWhole = kept.length === applied.length;
    const remarks = isWhole ? [] : [historyRemark(applied, kept)];
    if (kept.length === 0 || (stream.reading === "snapshot" && !isWhole))
      throw new RunStopped(
        `Replaying ${key.connection}/${stream.name}: ${remarks.join(" ")}`,
        "Have it pulled from its source instead.",
      );
    for (const origin of kept) await mapAnew(planning, origin);
    if (stream.deletions === "keys" && (await keysCompared(planning, kept)))
      remarks.push(
        "Records that a comparison of keys removed since may come back; the next one removes them again.",
      );
    const notes = [
      `Mapped anew from what is kept of ${kept.length} ${kept.length === 1 ? "origin" : "origins"}.`,
    ];
    context.log("info", notes.join(" "), { stream: stream.name });
    return { ...EMPTY, state: "planned", removes: isWhole, remarks, notes };
  },
};

const EMPTY: Grounds = {
  state: "nothing",
  cursors: [],
  removes: false,
  shape: null,
  notes: [],
  remarks: [],
};

/** In the order of application; of a snapshot those of its last content alone. */
async function appliedOrigins({ context, stream, key }: Planning): Promise<readonly Applied[]> {
  const rows = await context.store.query<
    Omit<Applied, "keptAt" | "sha256"> & {
      keptAt: string | null;
      sha256: string | null;
      state: string;
      backwards: number;
    }
  >(
    `select o.id, o.run_id as "runId", o.name, o.kept_at as "keptAt", o.sha256, o.rows,
            o.applied_at as "appliedAt", r.state, ${timesBackwards("o.applied_at")} as backwards
       from origin o join run r on r.company = o.company and r.id = o.run_id
      where o.company = $1 and o.connection = $2 and o.stream = $3 and o.applied_at is not null
      order by o.applied_at, o.run_id, o.ordinal`,
    [key.company, key.connection, key.stream],
  );
  const origins = rows.map(({ keptAt, sha256, ...origin }) => ({
    ...origin,
    ...(keptAt === null ? {} : { keptAt }),
    ...(sha256 === null ? {} : { sha256 }),
  }));
  if (stream.reading !== "snapshot") return withoutRepeats(origins);
  // What was unchanged was not read again: its content is the one before.
  const last = origins.findLast(({ state }) => state !== "unchanged")?.runId;
  return origins.filter(({ runId }) => runId === last);
}

/** A file counts once, unless the ERP went backwards: the same content again gave no rows. */
function withoutRepeats<O extends Applied & { readonly backwards: number }>(
  origins: readonly O[],
): O[] {
  const first = new Map<string, string>();
  return origins.filter(({ sha256, appliedAt, backwards }) => {
    if (sha256 === undefined) return true;
    const at = appliedAt.toString();
    const content = `${backwards} ${sha256}`;
    const seen = first.get(content) ?? at;
    first.set(content, seen);
    return seen === at;
  });
}

/** The origins after the last one that is not kept: what came before it would undo what it did. */
async function keptSince(planning: Planning, applied: readonly Applied[]): Promise<Applied[]> {
  const kept: Applied[] = [];
  for (const origin of applied.toReversed()) {
    if (!(await isKept(planning, origin))) break;
    kept.unshift(origin);
  }
  return kept;
}

async function isKept({ context, source }: Planning, origin: Applied): Promise<boolean> {
  const { store, company } = context;
  if (origin.keptAt === undefined)
    return (await rawRows(store, company, origin.id)) === origin.rows;
  const { session } = source.connection;
  if (session.again === undefined) return false;
  return session.original === undefined || (await session.original(origin, 1)) !== null;
}

function historyRemark(applied: readonly Applied[], kept: readonly Applied[]): string {
  const missing = `${applied.length - kept.length} of the ${applied.length} origins that were applied`;
  const [first] = kept;
  return first === undefined
    ? `${missing} are not kept any more.`
    : `${missing} are not kept any more, so history is replayed from ${dayOf(first.appliedAt)} on, ` +
        "and nothing is removed.";
}

/** 31/03/2026 */
function dayOf(at: Temporal.Instant): string {
  return at.toString().slice(0, 10).split("-").toReversed().join("/");
}

async function mapAnew(planning: Planning, origin: Applied): Promise<void> {
  const { gathering, key } = planning;
  gathering.openOrigin(origin, origin.id);
  for await (const event of await eventsOf(planning, origin)) {
    if (event.kind === "rows") await gathering.takeRows(event.rows);
    else if (event.kind === "reject") await gathering.takeReject(event);
  }
  const { read } = gathering.origins.at(-1)?.rows ?? { read: 0 };
  if (read === origin.rows) return;
  throw new RunStopped(
    `Replaying ${key.connection}/${key.stream}: ${origin.rows} rows were read of ${origin.name} when ` +
      `it was applied, and ${read} are kept of it. Nothing was changed.`,
    "Have it pulled from its source instead.",
  );
}

async function eventsOf(
  { context, source, stream }: Planning,
  origin: Applied,
): Promise<AsyncIterable<ReadEvent>> {
  if (origin.keptAt === undefined) return rawEvents(context.store, context.company, origin.id);
  const events = await source.connection.session.again?.(stream.name, origin);
  if (events !== null && events !== undefined) return events;
  throw new RunStopped(
    `Replaying ${stream.name}: ${origin.name} was there a moment ago and is gone.`,
    "Try again.",
  );
}

async function keysCompared(
  { context, key }: Planning,
  kept: readonly Applied[],
): Promise<boolean> {
  const [first] = kept;
  const found = await context.store.query(
    `select from run where company = $1 and connection = $2 and stream = $3 and kind = 'keys'
        and state = 'published' and started_at > $4 limit 1`,
    [key.company, key.connection, key.stream, first?.appliedAt.toString()],
  );
  return found.length > 0;
}
