/**
 * Whether a connection may hand orders over, and whether it is stopped. The settings say what is
 * wished; that it holds is recorded here: who went live on which checklist, who said that there is
 * maintenance, and what was found when an ERP went backwards.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Json } from "../connector/index.ts";
import { momentText } from "../model/index.ts";
import type { Queryable, Store } from "../store/index.ts";

/** read-only: hands nothing over. shadow: renders and compares, never sends. live: sends. */
export type Mode = "read-only" | "shadow" | "live";

export interface Standing {
  /** What holds: `live` of the settings is shadow until go-live was recorded. */
  readonly mode: Mode;
  readonly wished: Mode;
  /** Why nothing is read or handed over now, in a sentence; null: it is not stopped. */
  readonly paused: string | null;
  /** Going live as it was recorded last; null: it was not, or is not wished. */
  readonly live: { readonly id: string; readonly at: Temporal.Instant } | null;
  /** When the last stop of it ended; null: it never stood still. */
  readonly resumedAt: Temporal.Instant | null;
}

export type StopKind = "maintenance" | "went-backwards";

/** Why a connection, or all of a company, stands still. */
export interface Stop {
  readonly id: string;
  readonly kind: StopKind;
  /** Empty: all of the company; else the connection. */
  readonly scope: string;
  readonly at: Temporal.Instant;
  readonly who: string;
  readonly why: string;
  /** It ends by itself then; null: when a person ends it. */
  readonly until: Temporal.Instant | null;
  readonly evidence: Json;
}

export interface ChecklistItem {
  readonly item: string;
  readonly state: "ok" | "not" | "waived";
  /** What was found. */
  readonly about: string;
  /** What to do about it; null where nothing is to be done. */
  readonly instruction: string | null;
  readonly waivedBy: string | null;
  readonly why: string | null;
}

export interface GoLive {
  readonly at: Temporal.Instant;
  readonly who: string;
  readonly items: readonly ChecklistItem[];
}

export interface StandingContext {
  /** Connections that there are; absent: not known. */
  readonly named?: readonly string[];
  readonly store: Store;
  readonly company: string;
  readonly timeZone: string;
  readonly now: () => Temporal.Instant;
}

/** Who did it and why; both are kept. */
export interface Deed {
  readonly who: string;
  readonly why: string;
}

export interface Standings {
  of(connection: string, wished: Mode): Promise<Standing>;
  /** When it stood still since then, for whatever reason: oldest first, and none overlaps. */
  stoodStill(connection: string, since: Temporal.Instant): Promise<readonly StoodStill[]>;
  /** Those that hold now and concern the connection; none named: all of the company's. */
  stops(connection?: string): Promise<readonly Stop[]>;
  /**
   * False: it was stopped so already, and then only `until` and the reason are taken over. Throws
   * `EndsInThePast`.
   */
  stop(on: Queryable, stop: NewStop): Promise<boolean>;
  /** Those that it ended. */
  resume(on: Queryable, scope: string, deed: Deed): Promise<readonly Stop[]>;
  /** Null: it has not gone live, or that was undone. */
  goLive(connection: string): Promise<GoLive | null>;
  /**
   * The connection that counted as live when something was taken that has an id of that moment:
   * only the one that takes the orders goes live, whatever the settings call it since, and whatever
   * mode they had then. Null: none did.
   */
  liveAt(taken: Taken): Promise<CountedLive | null>;
  /** Connections that have gone live, and nobody has undone that. */
  liveOnes(): Promise<readonly (Pick<GoLive, "at" | "who"> & { readonly connection: string })[]>;
  record(on: Queryable, connection: string, live: Omit<GoLive, "at">): Promise<void>;
  /** False: it was not live. */
  undo(on: Queryable, connection: string, deed: Deed): Promise<boolean>;
}

export interface StoodStill {
  readonly from: Temporal.Instant;
  /** Now, where it stands still yet. */
  readonly to: Temporal.Instant;
}

export interface CountedLive {
  readonly connection: string;
  readonly at: Temporal.Instant;
  readonly undone: boolean;
}

export interface Taken {
  /** In the order in which they were made, whatever clock a demonstration shows. */
  readonly id: string;
  readonly receivedAt: Temporal.Instant;
}

export type NewStop = Omit<Stop, "id" | "at">;

export function openStandings(context: StandingContext): Standings {
  const { store, company, now } = context;
  return {
    of: async (connection, wished) => {
      const [stop] = await stopsOf(context, connection);
      const paused = stop === undefined ? null : stopInWords(stop, context.timeZone);
      const resumedAt = await resumedAtOf(context, connection);
      if (wished !== "live") return { mode: wished, wished, paused, live: null, resumedAt };
      const live = await goLiveOf(store, company, connection);
      const at = live === null ? null : { id: live.id, at: live.at };
      return { mode: live === null ? "shadow" : "live", wished, paused, live: at, resumedAt };
    },
    stoodStill: (connection, since) => stoodStill(context, connection, since),
    stops: (connection) => stopsOf(context, connection),
    stop: (on, stop) => begin(on, context, stop),
    resume: (on, scope, deed) => end(on, context, scope, deed),
    goLive: (connection) => goLiveOf(store, company, connection),
    liveAt: (taken) => liveAt(store, company, taken),
    liveOnes: () =>
      store.query(
        `select open_connection as connection, at, who from connection_go_live
          where company = $1 and open_connection is not null order by id`,
        [company],
      ),
    record: async (on, connection, { who, items }) => {
      await undo(on, context, connection, { who, why: "The checklist was gone through again." });
      await on.affect(
        `insert into connection_go_live (company, id, connection, open_connection, at, who, items)
         values ($1, $2, $3, $3, $4, $5, $6)`,
        [company, randomUUIDv7(), connection, now(), who, JSON.stringify(items)],
      );
    },
    undo: (on, connection, deed) => undo(on, context, connection, deed),
  };
}

const STOP = "id, kind, scope, at, who, why, until, evidence";

async function stopsOf(
  { store, company, now, named }: StandingContext,
  connection?: string,
): Promise<readonly Stop[]> {
  // One that was renamed was stopped all the same: nobody knows what it is called now.
  return store.query<Stop>(
    `select ${STOP} from connection_stop
      where company = $1 and open_key is not null and (until is null or until > $2)
        and ($3::text is null or scope in ('', $3) or not scope = any($4))
      order by kind desc, at`,
    [company, now(), connection ?? null, named ?? null],
  );
}

/** By a person, or by its own time. */
async function resumedAtOf(
  { store, company, now, named }: StandingContext,
  connection: string,
): Promise<Temporal.Instant | null> {
  const [row] = await store.query<{ at: Temporal.Instant | null }>(
    `select max(coalesce(ended_at, until)) as at from connection_stop
      where company = $1 and (open_key is null or until <= $2)
        and (scope in ('', $3) or not scope = any($4))`,
    [company, now(), connection, named ?? null],
  );
  return row?.at ?? null;
}

async function stoodStill(
  { store, company, now, named }: StandingContext,
  connection: string,
  since: Temporal.Instant,
): Promise<readonly StoodStill[]> {
  return store.query<StoodStill>(
    `with stopped as (
       select at as began, least(ended_at, until, $2::timestamptz) as ended from connection_stop
        where company = $1 and (scope in ('', $3) or not scope = any($4)))
     select lower(span) as "from", upper(span) as "to"
       from unnest((select range_agg(tstzrange(began, ended)) from stopped
                     where began < ended and ended > $5)) as span
      order by 1`,
    [company, now(), connection, named ?? null, since],
  );
}

/** "maintenance since 31/03/2026 09:00 by J Ross: year end" */
export function stopInWords({ kind, at, who, why, until }: Stop, timeZone: string): string {
  const since = `since ${momentText(at, timeZone)}`;
  const by = until === null ? "" : ` until ${momentText(until, timeZone)}`;
  return kind === "maintenance"
    ? `maintenance ${since}${by} by ${who}: ${why}`
    : `the ERP went backwards, seen ${since.slice(6)}: ${why}`;
}

/** A stop that would be over before it began, or would end the one that holds. */
export class EndsInThePast extends Error {
  override readonly name = "EndsInThePast";
}

async function begin(
  on: Queryable,
  { company, now, timeZone }: StandingContext,
  { kind, scope, who, why, until, evidence }: NewStop,
): Promise<boolean> {
  if (until !== null && Temporal.Instant.compare(until, now()) <= 0)
    throw new EndsInThePast(
      `Stopping ${scope === "" ? "everything" : scope}: it was to end at ` +
        `${momentText(until, timeZone)}, and it is ${momentText(now(), timeZone)} now. Give a later ` +
        "moment, or none: then it ends when somebody ends it.",
    );
  // One that has ended by itself is closed by whoever comes next.
  await on.affect(
    `update connection_stop set open_key = null, ended_at = until, ended_by = 'tradepost',
            ended_why = 'Its time was over.'
      where company = $1 and open_key is not null and until <= $2`,
    [company, now()],
  );
  const key = `${kind} ${scope}`;
  const values = [company, key, kind, scope, now(), who, why, until, JSON.stringify(evidence)];
  const made = await on.affect(
    `insert into connection_stop (company, id, kind, scope, open_key, at, who, why, until, evidence)
     values ($1, $10, $3, $4, $2, $5, $6, $7, $8, $9) on conflict (company, open_key) do nothing`,
    [...values, randomUUIDv7()],
  );
  if (made > 0) return true;
  await on.affect(
    `update connection_stop set why = $3, until = $4, evidence = $5
      where company = $1 and open_key = $2`,
    [company, key, why, until, JSON.stringify(evidence)],
  );
  return false;
}

async function end(
  on: Queryable,
  { company, now }: StandingContext,
  scope: string,
  { who, why }: Deed,
): Promise<readonly Stop[]> {
  return on.query<Stop>(
    `update connection_stop set open_key = null, ended_at = $3, ended_by = $4, ended_why = $5
      where company = $1 and scope = $2 and open_key is not null
        and (until is null or until > $3)
     returning ${STOP}`,
    [company, scope, now(), who, why],
  );
}

/**
 * In SQL, of the company $1: each time that an ERP which had gone backwards went on, or that a
 * person had an order sent again which it had lost.
 */
const WENT_ON = `(
  select scope as connection, ended_at as at from connection_stop
   where company = $1 and kind = 'went-backwards' and ended_at is not null
  union all
  select connection, decided_at from web_order_lost
   where company = $1 and decision = 'send-again')`;

/**
 * In SQL: that was after `moment`: what was read by then is of an ERP that is no more, and says
 * something new where it comes again. `connection`: of that alone. One that stands still yet is not
 * read.
 */
export const beforeBackwards = (moment: string, connection = "b.connection"): string =>
  `exists (select 1 from ${WENT_ON} b where b.connection = ${connection} and b.at >= ${moment})`;

/**
 * In SQL: how often that was before `moment`: of two readings of one content with different counts
 * each says something.
 */
export const timesBackwards = (moment: string): string =>
  `(select count(*)::int from ${WENT_ON} b where b.at < ${moment})`;

async function goLiveOf(
  on: Queryable,
  company: string,
  connection: string,
): Promise<(GoLive & { readonly id: string }) | null> {
  const [row] = await on.query<GoLive & { readonly id: string }>(
    "select id, at, who, items from connection_go_live where company = $1 and open_connection = $2",
    [company, connection],
  );
  return row ?? null;
}

async function liveAt(
  on: Queryable,
  company: string,
  { id, receivedAt }: Taken,
): Promise<CountedLive | null> {
  const [row] = await on.query<CountedLive>(
    `select connection, at, open_connection is null as undone from connection_go_live
      where company = $1 and id < $2::uuid and (undone_at is null or undone_at > $3)
      order by id desc limit 1`,
    [company, id, receivedAt],
  );
  return row ?? null;
}

async function undo(
  on: Queryable,
  { company, now }: StandingContext,
  connection: string,
  { who, why }: Deed,
): Promise<boolean> {
  const undone = await on.affect(
    `update connection_go_live set open_connection = null, undone_at = $3, undone_by = $4,
            undone_why = $5 where company = $1 and open_connection = $2`,
    [company, connection, now(), who, why],
  );
  return undone > 0;
}
