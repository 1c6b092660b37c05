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
  const rows = events.map((event) => ({
    ...event,
    id: randomUUIDv7(),
    at: event.at.toString(),
  }));
  await tx.prepared(NOTE, [company, JSON.stringify(rows)]);
}

const NOTE = `
  insert into event (company, id, type, subject, at, noted_at, place, data)
  select $1, row.id, row.type, row.subject, row.at, clock_timestamp(), row.place, row.data
    from rows from (jsonb_to_recordset($2::jsonb)
           as (id uuid, type text, subject text, at timestamptz, data jsonb))
         with ordinality as row (id, type, subject, at, data, place)`;
