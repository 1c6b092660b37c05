/**
 * A pull's price change past the operator's limits is held back: in the transaction that merges it,
 * the rows as they stood are put in place of those that come, so that no moment shows the change.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Transaction } from "../store/index.ts";
import { priceEffect } from "./effect.ts";
import type { PlannedMerge, PriceEffect } from "./effect.ts";
import { samePrice } from "./overlay.ts";
import type { Telling } from "./round-store.ts";

/** A change past one of these waits; absent: no limit. */
export interface HoldLimits {
  readonly customers?: number | undefined;
  readonly products?: number | undefined;
  readonly percent?: number | undefined;
}

export interface HeldMerge extends PlannedMerge {
  readonly runId: string;
  readonly at: Temporal.Instant;
}

export interface HoldingContext {
  readonly limits: HoldLimits;
  readonly alarms?: Telling;
}

/** Before the merge. True: something of it is held back. */
export async function holdBack(
  tx: Transaction,
  merge: HeldMerge,
  context: HoldingContext,
): Promise<boolean> {
  if (merge.record !== "price-rule") return false;
  const open = await openHolds(tx, merge.company);
  const held = await holdFree(tx, merge, context);
  // Only now: what an earlier hold lets go was judged when it came.
  if (open.length > 0) await followHeld(tx, merge, context, open);
  return held;
}

async function openHolds(tx: Transaction, company: string): Promise<readonly string[]> {
  const rows = await tx.query<{ id: string }>(
    "select id from price_hold where company = $1 and state in ('open', 'rejected') for update",
    [company],
  );
  return rows.map(({ id }) => id);
}

/** Of rules that no round and no earlier hold speaks for. */
async function holdFree(
  tx: Transaction,
  merge: HeldMerge,
  context: HoldingContext,
): Promise<boolean> {
  const { limits } = context;
  if (Object.values(limits).every((limit) => limit === undefined)) return false;
  const from = `${merge.from} JOIN LATERAL (SELECT WHERE NOT ${isCovered(merge.company)}) free ON true`;
  const effect = await priceEffect(tx, { ...merge, from });
  const passed = effect === null ? [] : passedLimits(effect, limits);
  if (effect === null || passed.length === 0) return false;
  await hold(tx, { ...merge, from }, effect, passed.join(", "));
  await tellHeld(tx, merge, context, passed.join(", "));
  return true;
}

/** SQL: a round, or an earlier hold, says what counts for the key already. */
function isCovered(company: string): string {
  return `EXISTS (SELECT FROM price_overlay o WHERE o.company = '${company.replaceAll("'", "''")}'
    AND o.source IS NOT NULL AND o.rule = coalesce(s.rule, t.rule)
    AND o.from_quantity = coalesce(s.from_quantity, t.from_quantity))`;
}

function passedLimits(effect: PriceEffect, limits: HoldLimits): string[] {
  const { customers = Infinity, products = Infinity, percent = Infinity } = limits;
  const largest = Math.max(Number(effect.up.largest ?? 0), Number(effect.down.largest ?? 0));
  const passed: string[] = [];
  if (effect.customers > customers)
    passed.push(`${effect.customers} customers are touched, at most ${customers} go by themselves`);
  if (effect.products > products)
    passed.push(`${effect.products} products are touched, at most ${products} go by themselves`);
  if (largest > percent)
    passed.push(`a price moves by ${largest}%, at most ${percent}% goes by itself`);
  return passed;
}

async function hold(
  tx: Transaction,
  { company, from, runId, at }: HeldMerge,
  effect: PriceEffect,
  about: string,
): Promise<void> {
  const id = randomUUIDv7();
  await tx.affect(
    `insert into price_hold (company, id, run_id, state, about, effect, held_at)
     values ($1, $2, $3, 'open', $4, $5, $6)`,
    [company, id, runId, about, JSON.stringify(effect), at],
  );
  await tx.affect(
    `insert into price_hold_rule (company, hold_id, rule, from_quantity, before, after)
     select $1, $2, coalesce(s.rule, t.rule), coalesce(s.from_quantity, t.from_quantity),
            case when t.rule is not null then to_jsonb(t) end,
            case when d.what <> 'gone' then to_jsonb(s) end
       from ${from} where d.what in ('new', 'changed', 'gone')`,
    [company, id],
  );
  await tx.affect(
    `insert into price_overlay (company, rule, from_quantity, part, hides, row, source, source_id, learned_at)
     select company, rule, from_quantity, 0, true, before, 'hold', hold_id, $3
       from price_hold_rule where company = $1 and hold_id = $2
     on conflict (company, rule, from_quantity, part) do update
        set hides = true, row = excluded.row, source = excluded.source,
            source_id = excluded.source_id, learned_at = excluded.learned_at`,
    [company, id, at],
  );
  await tx.query("analyze price_hold_rule, price_overlay");
}

/** What the ERP takes back waits no more; what it changes again waits as it is now. */
async function followHeld(
  tx: Transaction,
  { company, from, at }: HeldMerge,
  context: HoldingContext,
  open: readonly string[],
): Promise<void> {
  await tx.affect(
    `update price_hold_rule h set after = f.after
       from (select coalesce(s.rule, t.rule) as rule,
                    coalesce(s.from_quantity, t.from_quantity) as from_quantity,
                    case when d.what <> 'gone' then to_jsonb(s) end as after
               from ${from} where d.what in ('new', 'changed', 'gone')) f
      where h.company = $1 and h.hold_id = any($2::uuid[])
        and h.rule = f.rule and h.from_quantity = f.from_quantity`,
    [company, open],
  );
  for (const id of open) await dropTakenBack(tx, { company, id, at }, context);
}

async function dropTakenBack(
  tx: Transaction,
  { company, id, at }: { company: string; id: string; at: Temporal.Instant },
  { alarms }: HoldingContext,
): Promise<void> {
  await tx.affect(
    `with gone as (
       delete from price_hold_rule h using price_hold_rule k
        cross join lateral jsonb_populate_record(null::price_rule, k.before) b
        cross join lateral jsonb_populate_record(null::price_rule, k.after) a
        where k.company = $1 and k.hold_id = $2 and h.company = k.company
          and h.hold_id = k.hold_id and h.rule = k.rule and h.from_quantity = k.from_quantity
          and (k.before is null and k.after is null or k.before is not null and k.after is not null
               and ${samePrice("a", "b")}
               and (a.valid_from, a.valid_to, a.starts_at, a.ends_at)
                   is not distinct from (b.valid_from, b.valid_to, b.starts_at, b.ends_at))
       returning h.rule, h.from_quantity)
     update price_overlay o set hides = false, row = null, source = null, source_id = null,
            learned_at = $3
       from gone where o.company = $1 and o.source_id = $2
        and o.rule = gone.rule and o.from_quantity = gone.from_quantity`,
    [company, id, at],
  );
  const over = await tx.affect(
    `update price_hold p set state = 'over', decided_at = $3
      where company = $1 and id = $2 and not exists (
        select from price_hold_rule h where h.company = p.company and h.hold_id = p.id)`,
    [company, id, at],
  );
  if (over > 0) await alarms?.clear(holdAlarm(id), tx);
}

export function holdAlarm(id: string): string {
  return `price-hold/${id}`;
}

async function tellHeld(
  tx: Transaction,
  { company, runId }: HeldMerge,
  { alarms }: HoldingContext,
  about: string,
): Promise<void> {
  const [made] = await tx.query<{ id: string; rules: number }>(
    `select p.id, (select count(*) from price_hold_rule h
                    where h.company = p.company and h.hold_id = p.id) as rules
       from price_hold p where company = $1 and run_id = $2 and state = 'open'
      order by held_at desc, id desc limit 1`,
    [company, runId],
  );
  if (made === undefined) return;
  await alarms?.raise(
    {
      key: holdAlarm(made.id),
      level: "error",
      title: `a change of ${made.rules} price rules waits for a person`,
      detail: `The pull ${runId} brought it, and ${about}. The prices that it touches stay as they were and answer stale.`,
      instruction: `Look at it: price holds show ${made.id}; then price holds approve ${made.id}, or reject.`,
    },
    tx,
  );
}
