/**
 * A point to go on from after a kill: what was gathered before it lies in the run's staging and in
 * the run's mark, in the database. The next run of the stream takes both over, throws away what was
 * staged behind the mark, and publishes the whole.
 */
import { hash } from "node:crypto";
import type { Json } from "../connector/index.ts";
import type { Mapping } from "../mapping/index.ts";
import { adoptStaging, dropStagingOf } from "../store/index.ts";
import type { Queryable, Staged, Store, Transaction } from "../store/index.ts";
import { jsonOf, jsonOrNull, type At } from "./journal.ts";
import type { Lease, StreamKey } from "./lease.ts";

/** By mapping: what its rows were mapped with, and how many of them are staged. */
export type Parts = Readonly<Record<string, { readonly as: string; readonly staged: Staged }>>;

export interface Mark {
  readonly runId: string;
  /** `pull`, or days. */
  readonly reading: string;
  /** Where the stream stood when reading began. */
  readonly cursorFrom: Json | null;
  readonly cursor: Json;
  readonly parts: Parts;
  readonly startedAt: Temporal.Instant;
  readonly attempts: number;
}

/** What a mark keeps beside staged records; places are those of the run's own lists. */
export interface Held {
  readonly kind: "origin" | "item";
  readonly place: number;
  readonly body: unknown;
}

/** What a mapping's staged rows are made with: its text, and the record as it is now. */
export function madeWith({ version, record }: Mapping): string {
  const shape = hash("sha256", JSON.stringify([record.key, record.fields])).slice(0, 12);
  return `${version} ${shape}`;
}

const CHUNK = 500;

/** Commits a mark with what was gathered since the last one. */
export async function keepMark(
  store: Store,
  lease: Lease,
  at: At,
  mark: Omit<Mark, "runId" | "attempts">,
  held: readonly Held[],
): Promise<void> {
  await store.transaction(async (tx) => {
    await lease.hold(tx);
    await tx.query(
      `insert into run_mark (company, run_id, connection, stream, reading, cursor_from, cursor,
                             parts, started_at, marked_at, attempts)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
       on conflict (company, run_id) do update
         set cursor = $7, parts = $8, marked_at = $10, attempts = 0`,
      [
        at.company,
        at.runId,
        at.connection,
        at.stream,
        mark.reading,
        jsonOrNull(mark.cursorFrom),
        JSON.stringify(mark.cursor),
        JSON.stringify(mark.parts),
        mark.startedAt.toString(),
        at.now.toString(),
      ],
    );
    for (let start = 0; start < held.length; start += CHUNK)
      await tx.query(
        `insert into run_held (company, run_id, kind, place, body)
         select $1, $2, h.kind, h.place, h.body
           from jsonb_to_recordset($3::jsonb) as h(kind text, place int, body jsonb)
         on conflict (company, run_id, kind, place) do update set body = excluded.body`,
        [at.company, at.runId, jsonOf(held.slice(start, start + CHUNK))],
      );
  });
}

/** Marks of the stream's runs, the newest first. */
export async function marksOf(store: Queryable, key: StreamKey): Promise<readonly Mark[]> {
  return store.query<Mark>(
    `select run_id as "runId", reading, cursor_from as "cursorFrom", cursor, parts,
            started_at as "startedAt", attempts
       from run_mark where company = $1 and connection = $2 and stream = $3
      order by marked_at desc`,
    [key.company, key.connection, key.stream],
  );
}

/** The mark is of no use any more, or what it covers was published. */
export async function forgetMark(on: Queryable, company: string, runId: string): Promise<void> {
  await on.affect("delete from run_mark where company = $1 and run_id = $2", [company, runId]);
  await on.affect("delete from run_held where company = $1 and run_id = $2", [company, runId]);
}

/** The mark with its staging: the next run starts over. */
export async function dropMark(store: Store, company: string, runId: string): Promise<void> {
  await forgetMark(store, company, runId);
  await dropStagingOf(store, runId);
}

/** So many runs went on from one point in vain; then it may be the point that is wrong. */
const MOST_ATTEMPTS = 3;
/** Older than this nothing is gone on with. */
export const MOST_DAYS = 7;

/** Why a run does not go on from the mark; null: it does. */
export function whyNot(
  mark: Mark,
  now: Temporal.Instant,
  mappings: readonly Mapping[],
): string | null {
  if (Temporal.Instant.compare(mark.startedAt.add({ hours: 24 * MOST_DAYS }), now) < 0)
    return `it began more than ${MOST_DAYS} days ago`;
  if (mark.attempts >= MOST_ATTEMPTS)
    return `${mark.attempts} runs went on from the same point in vain`;
  const same =
    mappings.length === Object.keys(mark.parts).length &&
    mappings.every((mapping) => mark.parts[mapping.id]?.as === madeWith(mapping));
  return same ? null : "its rows were mapped by another version of the mappings";
}

class NotThere extends Error {}

/**
 * Makes another run's mark and staging this run's own. Null: the staging is not what the mark says,
 * as after a crash of the database.
 */
export async function takeOver(
  store: Store,
  lease: Lease,
  at: At,
  mark: Mark,
  mappings: readonly Mapping[],
): Promise<readonly Held[] | null> {
  try {
    return await store.transaction(async (tx) => {
      await lease.hold(tx);
      await adoptAll(tx, at, mark, mappings);
      const to = [at.company, mark.runId, at.runId];
      await tx.affect(
        "update run_mark set run_id = $3, attempts = attempts + 1 where company = $1 and run_id = $2",
        to,
      );
      await tx.affect("update run_held set run_id = $3 where company = $1 and run_id = $2", to);
      return tx.query<Held>(
        `select kind, place, body from run_held where company = $1 and run_id = $2
          order by kind, place`,
        [at.company, at.runId],
      );
    });
  } catch (error) {
    if (error instanceof NotThere) return null;
    throw error;
  }
}

async function adoptAll(
  tx: Transaction,
  { runId }: At,
  mark: Mark,
  mappings: readonly Mapping[],
): Promise<void> {
  for (const { id, record } of mappings) {
    const staged = mark.parts[id]?.staged;
    if (staged === undefined) throw new NotThere();
    if (!(await adoptStaging(tx, { record, from: mark.runId, runId, staged })))
      throw new NotThere();
  }
}
