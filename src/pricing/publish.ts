/**
 * The published version: a number that all processes of a company share. Each process compiles the
 * book itself; the digest of its content says whether two hold the same.
 */
import type { Queryable } from "../store/index.ts";
import { LAYOUT } from "./engine/index.ts";
import type { Policy } from "./engine/index.ts";
import type { MadeBook } from "./load.ts";

export interface PublishedVersion {
  readonly version: number;
  readonly digest: string;
  readonly maker: string;
  readonly publishedAt: Temporal.Instant;
  readonly freshness: Temporal.Instant | null;
}

/** The version published last; null before the first. */
export async function latestVersion(
  store: Queryable,
  company: string,
): Promise<PublishedVersion | null> {
  const [row] = await store.prepared<PublishedVersion>(
    `select version, digest, maker, published_at as "publishedAt", freshness
       from price_book where company = $1 order by version desc limit 1`,
    [company],
  );
  return row ?? null;
}

/** What a book is made with besides data: books of one maker can be compared by digest. */
export function makerOf(policy: Policy): string {
  return `${policy.policy} ${policy.version} layout ${LAYOUT}`;
}

/**
 * Publishes a book that was read after `before` was the latest. Null: another process has published
 * meanwhile, so this content may be the older one; read again. A book with the latest content keeps
 * its version.
 */
export async function registerBook(
  store: Queryable,
  company: string,
  before: PublishedVersion | null,
  made: MadeBook & { readonly freshness: Temporal.Instant | null },
  at: Temporal.Instant,
): Promise<PublishedVersion | null> {
  const { book, digest, freshness } = made;
  const maker = makerOf(book.policy);
  if (before?.digest === digest && before.maker === maker) {
    await store.affect("update price_book set freshness = $3 where company = $1 and version = $2", [
      company,
      before.version,
      freshness,
    ]);
    return { ...before, freshness };
  }
  const version = (before?.version ?? 0) + 1;
  const inserted = await store.affect(
    `insert into price_book (company, version, digest, maker, policy, rules, bytes, runs,
                             published_at, freshness)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
    [
      company,
      version,
      digest,
      maker,
      book.policy.policy,
      book.entries,
      book.bytes,
      JSON.stringify(made.runs),
      at,
      freshness,
    ],
  );
  return inserted === 0 ? null : { version, digest, maker, publishedAt: at, freshness };
}
