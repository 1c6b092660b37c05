/** Tries, each written before the first byte of it leaves, and the doubts that they left. */
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { Doubt } from "./next-step.ts";

type Order = Pick<OrderRow, "company" | "id">;

export type AttemptOutcome =
  | "accepted"
  | "handedOver"
  | "refused"
  | "notNow"
  | "absent"
  | "cannotTell"
  | "several"
  | "draft"
  | "inDoubt"
  | "fault"
  /** The far side could not be asked: no fault of the order. */
  | "away"
  | "lost"
  /** Written, and then nothing was sent. */
  | "notSent"
  /** A person has said how it ended. */
  | "settled";

/** After one of these it is known what became of what was sent. */
const CLEAR = "('accepted', 'handedOver', 'refused', 'notNow', 'notSent', 'settled')";

export interface NewAttempt {
  readonly intent: number;
  readonly what: "find" | "place" | "amend" | "cancel";
  readonly version: number;
  readonly holder: string;
  /** Set: from now on it may change something at the ERP, for so long. */
  readonly placing: { readonly hash: string; readonly giveUpSeconds: number } | null;
}

export async function beginAttempt(
  tx: Queryable,
  { company, id }: Order,
  { intent, what, version, holder, placing }: NewAttempt,
): Promise<number> {
  const [row] = await tx.query<{ attempt: number }>(
    `insert into web_order_attempt
       (company, order_id, attempt, intent, what, version, holder, hash, started_at, placed_at,
        quiet_from)
     select $1, $2::uuid, coalesce(max(attempt), 0) + 1, $3, $4, $5, $6::uuid, $7,
            clock_timestamp(),
            case when $7::text is not null then clock_timestamp() end,
            case when $7::text is not null
                 then clock_timestamp() + make_interval(secs => $8) end
       from web_order_attempt where company = $1 and order_id = $2::uuid
     returning attempt`,
    [
      company,
      id,
      intent,
      what,
      version,
      holder,
      placing?.hash ?? null,
      placing?.giveUpSeconds ?? 0,
    ],
  );
  if (row === undefined) throw new Error("an insert returned no row");
  return row.attempt;
}

/** Its call has ended, or was given up: nothing of it is on its way any more. */
export async function endAttempt(
  tx: Queryable,
  { company, id }: Order,
  attempt: number,
  outcome: AttemptOutcome,
  evidence: string,
): Promise<void> {
  await tx.affect(
    `update web_order_attempt
        set ended_at = clock_timestamp(), outcome = $4, evidence = $5,
            quiet_from = case when placed_at is not null then clock_timestamp() end
      where company = $1 and order_id = $2 and attempt = $3`,
    [company, id, attempt, outcome, evidence],
  );
}

/**
 * What a sender left that lost its lease: nobody knows whether it still runs, so that its calls
 * count as running until they must have been given up. nothing: it had only asked.
 */
export async function endLost(
  tx: Queryable,
  { company, id }: Order,
  lostAt: Temporal.Instant | null,
): Promise<"nothing" | "something" | "unknown"> {
  const ended = await tx.query<{ placed: boolean }>(
    `update web_order_attempt
        set ended_at = clock_timestamp(), outcome = 'lost',
            evidence = 'Its sender stopped before an outcome was recorded.',
            quiet_from = case when placed_at is not null
                              then greatest(quiet_from, $3::timestamptz) end
      where company = $1 and order_id = $2 and outcome is null
     returning placed_at is not null as placed`,
    [company, id, lostAt],
  );
  if (ended.length === 0) return "unknown";
  return ended.some(({ placed }) => placed) ? "something" : "nothing";
}

/** Whatever its holder has begun and not ended; an attempt that sent something ends as `sent`. */
export async function endOpen(
  tx: Queryable,
  { company, id }: Order,
  holder: string,
  sent: "fault" | "notSent",
  evidence: string,
  asked: "fault" | "away" = "fault",
): Promise<void> {
  await tx.affect(
    `update web_order_attempt
        set ended_at = clock_timestamp(), evidence = $5,
            outcome = case when placed_at is null then $6 else $4 end,
            quiet_from = case when placed_at is not null then clock_timestamp() end
      where company = $1 and order_id = $2 and holder = $3 and outcome is null`,
    [company, id, holder, sent, evidence, asked],
  );
}

export async function attemptEnded(
  on: Queryable,
  { company, id }: Order,
  attempt: number,
  holder: string,
): Promise<boolean> {
  const rows = await on.query(
    `select 1 from web_order_attempt
      where company = $1 and order_id = $2 and attempt = $3 and holder = $4
        and outcome is not null`,
    [company, id, attempt, holder],
  );
  return rows.length === 1;
}

export interface DoubtFound extends Doubt {
  readonly attempt: number;
  readonly quietFrom: Temporal.Instant;
  readonly placedAt: Temporal.Instant;
  /** Seconds from the last sending to the last search that did not find it; null: none. */
  readonly absentSeconds: number | null;
  readonly sinceSentSeconds: number;
}

/** Calls of an intent that may have arrived; null: there are none. */
export async function doubtOf(
  on: Queryable,
  { company, id }: Order,
  intent: number,
): Promise<DoubtFound | null> {
  const [row] = await on.query<DoubtFound>(
    `with unclear as (
       select attempt, placed_at, quiet_from from web_order_attempt
        where company = $1 and order_id = $2 and intent = $3
          and placed_at is not null and coalesce(outcome, '') not in ${CLEAR}),
     last as (
       select max(attempt) as attempt, max(placed_at) as placed_at,
              max(quiet_from) as quiet_from
         from unclear having count(*) > 0)
     select (select count(*) from web_order_attempt a
              where a.company = $1 and a.order_id = $2 and a.intent = $3
                and a.placed_at is not null
                and coalesce(a.outcome, '') not in ('notSent', 'settled')) as placings,
            l.attempt, l.quiet_from as "quietFrom", l.placed_at as "placedAt",
            extract(epoch from clock_timestamp() - l.quiet_from)::float as "quietSeconds",
            extract(epoch from clock_timestamp() - l.placed_at)::float as "sinceSentSeconds",
            (select count(*) from web_order_attempt a
              where a.company = $1 and a.order_id = $2 and a.intent = $3
                and a.attempt > l.attempt and a.placed_at is null
                and a.outcome in ('absent', 'cannotTell', 'draft', 'fault')) as searches,
            (select extract(epoch from max(a.started_at) - l.placed_at)::float
               from web_order_attempt a
              where a.company = $1 and a.order_id = $2 and a.attempt > l.attempt
                and a.placed_at is null and a.outcome = 'absent') as "absentSeconds"
       from last l`,
    [company, id, intent],
  );
  return row ?? null;
}

/** A person has looked: whatever was sent before did not arrive. */
export async function settleDoubts(tx: Queryable, { company, id }: Order): Promise<void> {
  await tx.affect(
    `update web_order_attempt set outcome = 'settled'
      where company = $1 and order_id = $2 and placed_at is not null
        and coalesce(outcome, '') not in ${CLEAR}`,
    [company, id],
  );
}

/** Nothing of what was placed is there any more: it was taken back, or the ERP has lost it. */
export async function settlePlaced(tx: Queryable, { company, id }: Order): Promise<void> {
  await tx.affect(
    `update web_order_attempt set outcome = 'settled'
      where company = $1 and order_id = $2 and placed_at is not null and outcome is not null`,
    [company, id],
  );
}

/** How often the far side has put an intent off; null: a call of it may have arrived. */
export async function timesPutOff(
  on: Queryable,
  { company, id }: Order,
  intent: number,
): Promise<number | null> {
  const [row] = await on.query<{ times: number; unclear: number }>(
    `select count(*) filter (where outcome = 'notNow')::int as times,
            count(*) filter (where outcome not in ${CLEAR})::int as unclear
       from web_order_attempt
      where company = $1 and order_id = $2 and intent = $3 and placed_at is not null`,
    [company, id, intent],
  );
  return row === undefined || row.unclear > 0 ? null : row.times;
}

/** How often the ERP was told of an intent, or was to be: at least once. */
export async function triesOf(
  on: Queryable,
  { company, id }: Order,
  intent: number,
): Promise<number> {
  const [row] = await on.query<{ tries: number }>(
    `select count(*) as tries from web_order_attempt
      where company = $1 and order_id = $2 and intent = $3`,
    [company, id, intent],
  );
  return Math.max(1, row?.tries ?? 1);
}
