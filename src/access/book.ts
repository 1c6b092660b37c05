/** The book of who did what, read: it is kept for ever, and only ever added to. */
import type { Queryable } from "../store/index.ts";

export interface BookEntry {
  readonly id: string;
  readonly at: Temporal.Instant;
  /** A person, or an API key as "key <id>". */
  readonly who: string;
  readonly action: string;
  readonly subject: string;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface BookQuestion {
  readonly company: string;
  /** Moments; from is included, until is not. Null: no bound. */
  readonly from: Temporal.Instant | null;
  readonly until: Temporal.Instant | null;
  /** Null: whoever, whatever. */
  readonly who: string | null;
  readonly subject: string | null;
  readonly limit: number;
  /** The last entry of the page before; null: from the newest on. */
  readonly after: Pick<BookEntry, "at" | "id"> | null;
}

/** Newest first. */
export async function readBook(
  on: Queryable,
  { company, from, until, who, subject, limit, after }: BookQuestion,
): Promise<BookEntry[]> {
  return on.query<BookEntry>(
    `SELECT id, at, who, action, subject, details FROM audit
      WHERE company = $1 AND ($2::timestamptz IS NULL OR at >= $2)
        AND ($3::timestamptz IS NULL OR at < $3)
        AND ($4::text IS NULL OR who = $4) AND ($5::text IS NULL OR subject = $5)
        AND ($6::timestamptz IS NULL OR (at, id) < ($6, $7::uuid))
      ORDER BY at DESC, id DESC LIMIT $8`,
    [company, from, until, who, subject, after?.at ?? null, after?.id ?? null, limit],
  );
}
