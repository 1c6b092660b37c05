/**
 * The feed of what changed. Each thing has one row with the number of its last change; numbers are
 * given under a lock, so that whoever has read up to one has missed nothing below it.
 */
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

/**
 * What changed after the cursor; 0: from the beginning, each thing once. Null: no answer ever gave
 * that cursor, so whoever has it would wait for ever.
 */
export async function changes(
  context: ShopContext,
  kind: Kind,
  after: number,
  limit: number,
): Promise<Changes | null> {
  const { store, company } = context;
  if (after > (await lastNumber(context))) return null;
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
  const bodies = await bodiesOf(
    store,
    company,
    kind,
    shown.filter(({ gone }) => !gone).map(({ key }) => key),
  );
  return {
    changes: shown.map(({ key, changedAt }) => ({ key, body: bodies.get(key) ?? null, changedAt })),
    cursor: String(shown.at(-1)?.number ?? after),
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

/** The last number given: what is read now holds everything up to it. */
export async function lastNumber({ store, company }: ShopContext): Promise<number> {
  const [row] = await store.query<{ last: number }>(
    "select last from shop_feed where company = $1",
    [company],
  );
  return row?.last ?? 0;
}
