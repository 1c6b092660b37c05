/**
 * The feed of price changes: an entry for each published book, written with it. A shop that asks
 * anew for what the entries name, and for what has reached its `validUntil`, always holds the right
 * prices.
 */
import type { Queryable } from "../store/index.ts";
import { EVERYTHING, scopesSince } from "./change-scopes.ts";
import type { PriceScope, Seen } from "./change-scopes.ts";

export type { PriceScope, Seen };
export { seenNow } from "./change-scopes.ts";

/** How long a shop may be away. */
export const KEPT_DAYS = 30;

export interface PriceChangeEntry extends PriceScope {
  /** Answers of an older book may be wrong from this moment. */
  readonly from: string;
  readonly bookVersion: string;
}

export interface PriceChanges {
  readonly entries: readonly PriceChangeEntry[];
  /** Where the next question goes on. */
  readonly next: string;
  /** True: there are more at once. */
  readonly more: boolean;
}

/** A cursor that cannot be gone on from. */
export class CursorRefused extends Error {
  override readonly name = "CursorRefused";
  readonly code: "cursor-unknown" | "cursor-expired";

  constructor(code: "cursor-unknown" | "cursor-expired", found: string) {
    super(
      `Reading price changes: ${found}. Ask without a cursor for a new one, drop every price that ` +
        "is kept, and go on from there.",
    );
    this.code = code;
  }
}

export interface NewBook {
  readonly company: string;
  readonly version: number;
  readonly digest: string;
  readonly at: Temporal.Instant;
  /** What was known before the book was read. */
  readonly seen: Seen;
}

/** In the transaction that publishes the book. */
export async function noteChange(tx: Queryable, book: NewBook, now: Seen): Promise<void> {
  const { company, version, digest, at, seen } = book;
  const [last] = await tx.query<{ version: number; seen: Seen }>(
    "select version, seen from price_change where company = $1 order by version desc limit 1",
    [company],
  );
  // A version that wrote no entry stands between: what it changed is not known any more.
  const scopes =
    last?.version === version - 1
      ? await scopesSince(tx, company, last.seen, { ...now, settings: seen.settings })
      : [EVERYTHING];
  await tx.affect(
    `insert into price_change (company, version, digest, published_at, scopes, seen)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [company, version, digest, at, JSON.stringify(scopes), JSON.stringify(seen)],
  );
}

interface Kept {
  readonly version: number;
  readonly digest: string;
  readonly publishedAt: Temporal.Instant;
  readonly scopes: readonly PriceScope[];
}

/** Books of one answer; each has a bounded number of entries. */
const MOST_BOOKS = 20;

/**
 * Entries after a cursor, none of a book that this process does not answer from yet. Without a
 * cursor: none, and a cursor to begin at.
 */
export async function changesAfter(
  on: Queryable,
  company: string,
  root: { readonly number: number; readonly digest: string },
  cursor: string | null,
): Promise<PriceChanges> {
  if (cursor === null) return { entries: [], next: cursorOf(root), more: false };
  const after = await placeOf(on, company, cursor, root.number);
  const books = await on.query<Kept>(
    `select version, digest, published_at as "publishedAt", scopes from price_change
      where company = $1 and version > $2 and version <= $3 order by version limit $4`,
    [company, after, root.number, MOST_BOOKS + 1],
  );
  const told = books.slice(0, MOST_BOOKS);
  const last = told.at(-1);
  return {
    entries: told.flatMap(entriesOf),
    next: last === undefined ? cursor : cursorOf({ number: last.version, digest: last.digest }),
    more: books.length > told.length,
  };
}

function entriesOf({ version, digest, publishedAt, scopes }: Kept): PriceChangeEntry[] {
  const bookVersion = `${version}-${digest.slice(0, 8)}`;
  return scopes.map((scope) => ({ ...scope, from: publishedAt.toString(), bookVersion }));
}

function cursorOf({
  number,
  digest,
}: {
  readonly number: number;
  readonly digest: string;
}): string {
  return Buffer.from(`${number}.${digest.slice(0, 8)}`).toString("base64url");
}

/** The version that a cursor stands at. */
async function placeOf(
  on: Queryable,
  company: string,
  cursor: string,
  newest: number,
): Promise<number> {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const [, number, digest] = /^(\d{1,9})\.([0-9a-f]{1,8})$/.exec(text) ?? [];
  if (number === undefined || digest === undefined)
    throw new CursorRefused("cursor-unknown", "the cursor is none of ours");
  const version = Number(number);
  const [book] = await on.query<{ digest: string; gone: boolean }>(
    `select b.digest, exists (
              select from generate_series($2::int + 1, $3::int) v
               where not exists (select from price_change c
                                  where c.company = $1 and c.version = v)) as gone
       from price_book b where b.company = $1 and b.version = $2`,
    [company, version, newest],
  );
  // A process that follows late may not yet answer from the book that another told of.
  if (book === undefined || book.digest.slice(0, 8) !== digest)
    throw new CursorRefused("cursor-unknown", "the cursor is of another history of price books");
  if (book.gone)
    throw new CursorRefused(
      "cursor-expired",
      `the cursor is older than the ${KEPT_DAYS} days for which changes are kept`,
    );
  return version;
}

/** Deletes what is kept no longer; says how many. */
export async function tidyChanges(
  on: Queryable,
  company: string,
  now: Temporal.Instant,
): Promise<number> {
  return on.affect(
    `delete from price_change c where c.company = $1 and c.published_at < $2
        and c.version < (select max(version) from price_change where company = $1)`,
    [company, now.subtract({ hours: KEPT_DAYS * 24 })],
  );
}
