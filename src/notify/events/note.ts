/** Noting what happened, in the transaction in which it happened. */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable } from "../../store/index.ts";

/** Something that shops are told of. */
export interface NewEvent {
  /** What happened: "order.accepted". */
  readonly type: string;
  /** What it happened to: "order/W-1001". */
  readonly subject: string;
  readonly at: Temporal.Instant;
  /** Numbers, ids and states: never a price, a name or an address. */
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * Exists exactly when the transaction commits. Events of one thing keep their order when whoever
 * notes them holds the thing's row locked.
 */
export async function noteEvents(
  tx: Queryable,
  company: string,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  await tx.prepared(NOTE, [
    company,
    events.map(() => randomUUIDv7()),
    events.map(({ type }) => type),
    events.map(({ subject }) => subject),
    events.map(({ at }) => at),
    JSON.stringify(events.map(({ data }) => data)),
  ]);
}

const NOTE = `
  insert into event (company, id, type, subject, at, noted_at, place, data)
  select $1, row.id, row.type, row.subject, row.at, clock_timestamp(), row.place, row.data
    from rows from (unnest($2::uuid[], $3::text[], $4::text[], $5::timestamptz[]),
                    jsonb_array_elements($6::jsonb))
         with ordinality as row (id, type, subject, at, data, place)`;
