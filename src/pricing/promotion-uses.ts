/**
 * What orders hold of promotions with a limit. Reserved in the transaction that takes the order in,
 * so that two orders at once never share the last use, and given back when the order is not to be.
 */
import type { Queryable } from "../store/index.ts";
import { scaled } from "./engine/index.ts";
import type { document } from "./engine/index.ts";

/** A promotion that an order holds, and what it gives away there. */
export interface PromotionHeld {
  readonly promotion: string;
  /** Decimal text in the company's currency. */
  readonly given: string;
}

export interface Reservation {
  readonly company: string;
  /** Id of the web order. */
  readonly order: string;
  readonly account: string;
  readonly held: readonly PromotionHeld[];
  readonly at: Temporal.Instant;
}

interface UseRow {
  readonly promotion: string;
  readonly orders: number;
  readonly ofAccount: number;
  readonly given: string;
}

/**
 * How often promotions are held, and what they have given. With `isFinal` the rows are locked until
 * the transaction ends: what is read is what a reservation in it will find.
 */
export async function usesOf(
  queryable: Queryable,
  { company, account, promotions }: UsesOf,
  { places, isFinal }: { readonly places: number; readonly isFinal: boolean },
): Promise<ReadonlyMap<string, document.PromotionUse>> {
  if (promotions.length === 0) return new Map();
  if (isFinal) await lockTallies(queryable, company, promotions);
  const rows = await queryable.query<UseRow>(
    `select t.promotion, t.orders, t.given,
            (select count(*)::int from promotion_use u
              where u.company = t.company and u.promotion = t.promotion and u.account = $3
                and u.released_at is null)
              as "ofAccount"
       from promotion_tally t where t.company = $1 and t.promotion = any($2)`,
    [company, promotions, account],
  );
  return new Map(
    rows.map(({ promotion, orders, ofAccount, given }) => [
      promotion,
      { orders, ofAccount, given: scaled.scaledOf(given, places) ?? Infinity },
    ]),
  );
}

export interface UsesOf {
  readonly company: string;
  readonly account: string;
  readonly promotions: readonly string[];
}

/** Always in the same order, so that two orders cannot wait for each other. */
async function lockTallies(
  queryable: Queryable,
  company: string,
  promotions: readonly string[],
): Promise<void> {
  const sorted = [...new Set(promotions)].sort();
  await queryable.query(
    `insert into promotion_tally (company, promotion, orders, given)
     select $1, promotion, 0, 0 from unnest($2::text[]) promotion order by promotion
     on conflict do nothing`,
    [company, sorted],
  );
  await queryable.query(
    `select 1 from promotion_tally where company = $1 and promotion = any($2)
      order by promotion for update`,
    [company, sorted],
  );
}

/** Counts the order among those that hold its promotions. Repeating it changes nothing. */
export async function reservePromotions(tx: Queryable, reservation: Reservation): Promise<void> {
  const { company, order, account, held, at } = reservation;
  if (held.length === 0) return;
  const promotions = held.map(({ promotion }) => promotion);
  await lockTallies(tx, company, promotions);
  await tx.query(
    `with new as (
       insert into promotion_use (company, promotion, order_id, account, given, reserved_at)
       select $1, promotion, $2, $3, given, $6
         from unnest($4::text[], $5::numeric[]) as held (promotion, given)
       on conflict do nothing returning promotion, given)
     update promotion_tally t set orders = t.orders + 1, given = t.given + new.given
       from new where t.company = $1 and t.promotion = new.promotion`,
    [company, order, account, promotions, held.map(({ given }) => given), at],
  );
}

/** For an order whose goods change: what it held before is forgotten; it holds these instead. */
export async function replacePromotions(tx: Queryable, reservation: Reservation): Promise<void> {
  const { company, order } = reservation;
  await releasePromotions(tx, reservation);
  await tx.affect("delete from promotion_use where company = $1 and order_id = $2", [
    company,
    order,
  ]);
  await reservePromotions(tx, reservation);
}

interface HeldBy {
  readonly company: string;
  readonly order: string;
}

/** Gives back what an order that is cancelled or refused held. Repeating it changes nothing. */
export async function releasePromotions(
  tx: Queryable,
  { company, order, at }: HeldBy & { readonly at: Temporal.Instant },
): Promise<void> {
  const held = await usedBy(tx, { company, order }, "is null");
  if (held.length === 0) return;
  await lockTallies(tx, company, held);
  await tx.query(
    `with gone as (
       update promotion_use set released_at = $3
        where company = $1 and order_id = $2 and released_at is null
       returning promotion, given)
     update promotion_tally t set orders = t.orders - 1, given = t.given - gone.given
       from gone where t.company = $1 and t.promotion = gone.promotion`,
    [company, order, at],
  );
}

/**
 * Takes again what an order gave back that lives after all: those of its promotions that are not
 * used up, or all of them where the order stands whatever they allow. Answers those that it does
 * not hold. Repeating it changes nothing.
 */
export async function reclaimPromotions(
  tx: Queryable,
  { company, order, beyondLimits }: HeldBy & { readonly beyondLimits: boolean },
): Promise<string[]> {
  const given = await usedBy(tx, { company, order }, "is not null");
  if (given.length === 0) return [];
  await lockTallies(tx, company, given);
  const spent = beyondLimits ? [] : await spentOf(tx, { company, order });
  await tx.query(
    `with taken as (
       update promotion_use set released_at = null
        where company = $1 and order_id = $2 and released_at is not null
          and promotion <> all($3::text[])
       returning promotion, given)
     update promotion_tally t set orders = t.orders + 1, given = t.given + taken.given
       from taken where t.company = $1 and t.promotion = taken.promotion`,
    [company, order, spent],
  );
  return spent;
}

async function usedBy(
  tx: Queryable,
  { company, order }: HeldBy,
  released: "is null" | "is not null",
): Promise<string[]> {
  const rows = await tx.query<{ promotion: string }>(
    `select promotion from promotion_use
      where company = $1 and order_id = $2 and released_at ${released}`,
    [company, order],
  );
  return rows.map(({ promotion }) => promotion);
}

/** Of what the order gave back, what it would take beyond a limit. */
async function spentOf(tx: Queryable, { company, order }: HeldBy): Promise<string[]> {
  const rows = await tx.query<{ promotion: string }>(
    `select u.promotion
       from promotion_use u
       join promotion_tally t on t.company = u.company and t.promotion = u.promotion
       join promotion p on p.company = u.company and p.promotion = u.promotion
      where u.company = $1 and u.order_id = $2 and u.released_at is not null
        and (t.orders >= p.most_uses or t.given + u.given > p.budget
             or (select count(*) from promotion_use x
                  where x.company = u.company and x.promotion = u.promotion
                    and x.account = u.account and x.released_at is null)
                >= p.most_uses_per_account)
      order by 1`,
    [company, order],
  );
  return rows.map(({ promotion }) => promotion);
}
