/**
 * The feed of what changed. Each thing has one row with the number of its last change; numbers are
 * given under a lock, so that whoever has read up to one has missed nothing below it.
 */
import { randomBytes } from "node:crypto";
import type { Queryable, Store, Transaction } from "../store/index.ts";
import { KINDS, VIEWS, type Kind } from "./views.ts";

export interface ShopContext {
  readonly store: Store;
  readonly company: string;
  readonly now: () => Temporal.Instant;
}

/** What a shop is told of a thing, by field; decimals as texts. */
export type Body = Readonly<Record<string, unknown>>;

export interface Change {
  readonly key: string;
  /** Null: it is not there any more. */
  readonly body: Body | null;
  readonly changedAt: Temporal.Instant;
}

export interface Changes {
  readonly changes: readonly Change[];
  /** Where to go on; the same as before when there was nothing new. */
  readonly cursor: string;
  /** The number at which it stands. */
  readonly upTo: number;
  /** True: there is more already. */
  readonly more: boolean;
}

/** Documents that are looked at again: they, or what is owed on them, changed since. */
const RECENT_DOCUMENTS = `
  select d.document_type || '/' || d.document from sales_document d
   where d.company = $1 and ($2::timestamptz is null or d.learned_at >= $2)
  union
  select t.kind || '/' || t.document from ledger_transaction t
   where t.company = $1 and t.document is not null and $2::timestamptz is not null
     and t.learned_at >= $2
  union
  select p.document_type || '/' || p.document from sales_posting p
   where p.company = $1 and $2::timestamptz is not null and p.posted_at >= $2`;

/** Gives numbers to what is not as it was last told. Safe to repeat. */
export async function note(context: ShopContext, kinds: readonly Kind[] = KINDS): Promise<number> {
  const { store, company, now } = context;
  const at = now();
  return store.transaction(async (tx) => {
    const { last, notedAt } = await lockFeed(tx, company);
    const since = notedAt?.subtract({ hours: 24 }) ?? null;
    let number = last;
    for (const kind of kinds) number += await noteKind(tx, { company, kind, at, since, number });
    await tx.affect(
      `update shop_feed set last = $2, noted_at = case when $3 then $4 else noted_at end
        where company = $1`,
      [company, number, kinds.includes("document"), at],
    );
    if (number > last) await markNumbers(tx, company, number, at);
    return number - last;
  });
}

async function lockFeed(
  tx: Transaction,
  company: string,
): Promise<{ readonly last: number; readonly notedAt: Temporal.Instant | null }> {
  await tx.affect(
    "insert into shop_feed (company, last) values ($1, 0) on conflict (company) do nothing",
    [company],
  );
  const [row] = await tx.query<{ last: number; notedAt: Temporal.Instant | null }>(
    `select last, noted_at as "notedAt" from shop_feed where company = $1 for update`,
    [company],
  );
  return row ?? { last: 0, notedAt: null };
}

async function noteKind(
  tx: Transaction,
  asked: {
    readonly company: string;
    readonly kind: Kind;
    readonly at: Temporal.Instant;
    readonly since: Temporal.Instant | null;
    /** Last number given. */
    readonly number: number;
  },
): Promise<number> {
  const { company, kind, at, since, number } = asked;
  // A posted document never goes; the others are compared whole.
  const some = kind === "document";
  const narrowed = some
    ? `where v.key in (${RECENT_DOCUMENTS})`
    : "where $2::timestamptz is null or true";
  await tx.affect(
    `create temp table shop_seen on commit drop as
     select v.key, md5(v.body::text)::uuid as digest from (${VIEWS[kind]}) v ${narrowed}`,
    [company, since],
  );
  const noted = await tx.affect(
    `with changed as (
       select coalesce(s.key, i.key) as key, coalesce(s.digest, i.digest) as digest,
              s.key is null as gone
         from shop_seen s
         full join (select key, digest, gone from shop_item where company = $1 and kind = $2
                       and ($5 = false or key in (select key from shop_seen))) i on i.key = s.key
        where (s.key is null and not i.gone) or i.key is null or i.gone or s.digest <> i.digest)
     insert into shop_item (company, kind, key, digest, gone, number, changed_at)
     select $1, $2, key, digest, gone, $4 + row_number() over (order by key), $3 from changed
      where key is not null
     on conflict (company, kind, key) do update
        set digest = excluded.digest, gone = excluded.gone, number = excluded.number,
            changed_at = excluded.changed_at
      where (shop_item.digest, shop_item.gone) is distinct from (excluded.digest, excluded.gone)`,
    [company, kind, at, number, some],
  );
  await tx.affect("drop table shop_seen");
  return noted;
}

/** A number, and the mark of the pass that gave it. */
export const CURSOR = /^(\d{1,15})(?:-([0-9a-f]{8}))?$/;

const MARKS_KEPT_DAYS = 90;
const TIDIED_AT_ONCE = 100;

/**
 * Numbers of one pass have a mark by chance: a database that was restored from a backup gives them
 * once more, to other changes, and a number alone would pass over these in silence.
 */
async function markNumbers(
  tx: Transaction,
  company: string,
  number: number,
  at: Temporal.Instant,
): Promise<void> {
  await tx.affect(
    "insert into shop_feed_mark (company, number, mark, made_at) values ($1, $2, $3, $4)",
    [company, number, randomBytes(4).toString("hex"), at],
  );
  await tx.affect(
    `delete from shop_feed_mark where company = $1 and made_at < $2 and number in (
       select number from shop_feed_mark where company = $1 order by number limit $3)`,
    [company, at.subtract({ hours: 24 * MARKS_KEPT_DAYS }), TIDIED_AT_ONCE],
  );
}

/** Null: of no pass of which it is known. */
async function markOf({ store, company }: ShopContext, number: number): Promise<string | null> {
  if (number === 0) return null;
  const [pass] = await store.query<{ mark: string }>(
    `select mark from shop_feed_mark where company = $1 and number >= $2
      order by number limit 1`,
    [company, number],
  );
  return pass?.mark ?? null;
}

async function cursorOf(context: ShopContext, number: number): Promise<string> {
  const mark = await markOf(context, number);
  return mark === null ? String(number) : `${number}-${mark}`;
}

/** Null: it is of another history of this feed, or of one before marks were kept. */
async function numberOf(context: ShopContext, cursor: string): Promise<number | null> {
  const [, given = "", mark = null] = CURSOR.exec(cursor) ?? [];
  if (given === "") throw new TypeError(`"${cursor}" is no cursor`);
  const number = Number(given);
  if (number > (await lastNumber(context))) return null;
  const known = mark === null || mark === (await markOf(context, number));
  return known ? number : null;
}

/**
 * What changed after the cursor; "0": from the beginning, each thing once. Null: this feed never
 * gave that cursor, so whoever went on from it would miss changes, or wait for ever.
 */
export async function changes(
  context: ShopContext,
  kind: Kind,
  cursor: string,
  limit: number,
): Promise<Changes | null> {
  const { store, company } = context;
  const after = await numberOf(context, cursor);
  if (after === null) return null;
  const rows = await store.query<{
    key: string;
    number: number;
    gone: boolean;
    changedAt: Temporal.Instant;
  }>(
    `select key, number, gone, changed_at as "changedAt" from shop_item
      where company = $1 and kind = $2 and number > $3 order by number limit $4`,
    [company, kind, after, limit + 1],
  );
  const shown = rows.slice(0, limit);
  const upTo = shown.at(-1)?.number ?? after;
  const bodies = await bodiesOf(
    store,
    company,
    kind,
    shown.filter(({ gone }) => !gone).map(({ key }) => key),
  );
  return {
    changes: shown.map(({ key, changedAt }) => ({ key, body: bodies.get(key) ?? null, changedAt })),
    cursor: await cursorOf(context, upTo),
    upTo,
    more: rows.length > limit,
  };
}

/** As the database says it now, which may be newer than what was noted. */
async function bodiesOf(
  on: Queryable,
  company: string,
  kind: Kind,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Body>> {
  if (keys.length === 0) return new Map();
  const rows = await on.query<{ key: string; body: Body }>(
    `select v.key, v.body from (${VIEWS[kind]}) v where v.key = any($2)`,
    [company, keys],
  );
  return new Map(rows.map(({ key, body }) => [key, body]));
}

/** Where the feed ends: what is read now holds everything up to it. */
export async function lastCursor(context: ShopContext): Promise<string> {
  return cursorOf(context, await lastNumber(context));
}

async function lastNumber({ store, company }: ShopContext): Promise<number> {
  const [row] = await store.query<{ last: number }>(
    "select last from shop_feed where company = $1",
    [company],
  );
  return row?.last ?? 0;
}
