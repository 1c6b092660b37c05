/**
 * The feed of events. They get their numbers afterwards, under a lock: whoever has read up to one
 * has missed nothing below it, however late the transaction of an earlier event was committed.
 */
import type { Store, Transaction } from "../../store/index.ts";

export interface EventsContext {
  readonly store: Store;
  readonly company: string;
  readonly now: () => Temporal.Instant;
}

export interface ShopEvent {
  /** Place in the feed, from 1. */
  readonly number: number;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly at: Temporal.Instant;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

export interface EventsPage {
  readonly events: readonly ShopEvent[];
  /** Where to go on; the same as before when there was nothing new. */
  readonly cursor: string;
  /** True: there is more already. */
  readonly more: boolean;
}

export interface EventsQuestion {
  /** The cursor of the page before, or the last number read; 0: from the oldest that is kept. */
  readonly after: number | string;
  readonly limit: number;
  /** "order.accepted", "order.*"; absent or none: every type. */
  readonly types?: readonly string[];
  /** Those of test orders, or all others; absent: both. */
  readonly test?: boolean;
  /** "order/W-1001"; absent: of everything. */
  readonly subject?: string | undefined;
}

/** Whether a type is one of the list, as SQL; an empty list means every type. */
export function typeIn(type: string, list: string): string {
  return `(${list} = '{}' or ${type} = any(${list}) or exists (
    select from unnest(${list}) one
     where one like '%.*' and starts_with(${type}, left(one, -1))))`;
}

/** Which orders events are of: those of live keys, of test keys, or both. */
export const ORDERS_TOLD = ["live", "test", "both"] as const;
export type OrdersTold = (typeof ORDERS_TOLD)[number];

/** Whether an event "e" is of such orders, as SQL; what is of no order is told with live ones. */
export function toldOf(told: string): string {
  return `(${told} = 'both' or coalesce((e.data ->> 'test')::boolean, false) = (${told} = 'test'))`;
}

export const EVENT_COLUMNS = "e.number, e.id, e.type, e.subject, e.at, e.data";

/** Numbers given at a time: the lock is held for no longer. */
const BATCH = 5_000;

/** Gives every event that is committed by now its number; tells the last number there is. */
export async function numberEvents({ store, company }: EventsContext): Promise<number> {
  for (let given = BATCH; given === BATCH;) {
    const [waiting] = await store.query(
      "select 1 from event where company = $1 and number is null limit 1",
      [company],
    );
    given = waiting === undefined ? 0 : await store.transaction((tx) => numberSome(tx, company));
  }
  return (await feedOf({ store, company })).last;
}

async function numberSome(tx: Transaction, company: string): Promise<number> {
  await tx.affect(
    `insert into event_feed (company, last, tidied) values ($1, 0, 0)
     on conflict (company) do nothing`,
    [company],
  );
  const [feed] = await tx.query<{ last: number }>(
    "select last from event_feed where company = $1 for update",
    [company],
  );
  // A statement of its own, so that it sees what whoever held the lock before has numbered.
  const given = await tx.affect(
    `update event e set number = $2 + fresh.nth
       from (select id, row_number() over (order by noted_at, place, id) as nth
               from (select id, noted_at, place from event
                      where company = $1 and number is null
                      order by noted_at, place, id limit $3) oldest) fresh
      where e.company = $1 and e.id = fresh.id`,
    [company, feed?.last ?? 0, BATCH],
  );
  await tx.affect("update event_feed set last = last + $2 where company = $1", [company, given]);
  return given;
}

interface Feed {
  readonly last: number;
  readonly tidied: number;
}

async function feedOf({ store, company }: Pick<EventsContext, "store" | "company">): Promise<Feed> {
  const [feed] = await store.query<Feed>("select last, tidied from event_feed where company = $1", [
    company,
  ]);
  return feed ?? { last: 0, tidied: 0 };
}

/** Why a cursor cannot be gone on from: whoever did would miss events without knowing. */
export type CursorProblem = "another-feed" | "no-longer-kept";

/** A number, and the mark of the event that bears it. */
export const CURSOR = /^(\d{1,15})(?:-([0-9a-f]{8}))?$/;

/**
 * Of the event's id, by chance: a database that was restored from a backup gives the numbers since
 * once more, to other events, and a number alone would pass over them in silence.
 */
const MARK = "right(id::text, 8)";

const cursorOf = (number: number, mark: string | null): string =>
  mark === null ? String(number) : `${number}-${mark}`;

interface Kept {
  readonly number: number;
  readonly mark: string;
}

async function marksOf(
  { store, company }: EventsContext,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const kept = await store.query<Kept>(
    `select number, ${MARK} as mark from event where company = $1 and number = any($2)`,
    [company, numbers],
  );
  return new Map(kept.map(({ number, mark }) => [number, mark]));
}

export async function readEvents(
  context: EventsContext,
  { after: cursor, limit, types = [], test, subject }: EventsQuestion,
): Promise<EventsPage | CursorProblem> {
  const [, given = "", mark = null] = CURSOR.exec(String(cursor)) ?? [];
  if (given === "") throw new TypeError(`"${cursor}" is no cursor`);
  const after = Number(given);
  const last = await numberEvents(context);
  const { tidied } = await feedOf(context);
  if (after > last) return "another-feed";
  if (after !== 0 && after < tidied) return "no-longer-kept";
  const told: OrdersTold = test === undefined ? "both" : test ? "test" : "live";
  const marks = await marksOf(context, [after, last]);
  // The last one that is kept no more has no mark to compare: what follows it is all there.
  if (mark !== null && mark !== (marks.get(after) ?? mark)) return "another-feed";
  const rows = await context.store.query<ShopEvent>(
    `select ${EVENT_COLUMNS} from event e
      where e.company = $1 and e.number > $2 and e.number <= $3
        and ${typeIn("e.type", "$4::text[]")} and ($5::text is null or e.subject = $5)
        and ${toldOf("$6::text")}
      order by e.number limit $7`,
    [context.company, after, last, types, subject ?? null, told, limit + 1],
  );
  const events = rows.slice(0, limit);
  const more = rows.length > limit;
  const end = more ? events.at(-1) : undefined;
  const upTo = end?.number ?? last;
  return { events, cursor: cursorOf(upTo, end?.id.slice(-8) ?? marks.get(last) ?? null), more };
}

/** Rows looked at in one go. */
const TIDIED_AT_ONCE = 20_000;

/**
 * Deletes what is older than it is kept, oldest first and up to the first that is not; with it what
 * became of its deliveries. One that is on its way stays, and all after it, and so does what an
 * enabled webhook has yet to be given; what waits for a disabled one alone counts there as missed.
 */
export async function tidyEvents(context: EventsContext, keepDays: number): Promise<number> {
  const { store, company, now } = context;
  await numberEvents(context);
  const before = now().subtract({ hours: 24 * keepDays });
  return store.transaction(async (tx) => {
    const [found] = await tx.query<{ upTo: number | null }>(
      `select least(max(number) filter (where old), min(number) filter (where not old) - 1,
                    (select min(d.number) - 1 from webhook_delivery d
                       join webhook w on w.company = d.company and w.id = d.webhook_id
                      where d.company = $1 and d.state = 'waiting' and w.state = 'enabled'),
                    (select min(w.told) from webhook w
                      where w.company = $1 and w.state = 'enabled')) as "upTo"
         from (select number, at < $2 as old from event
                where company = $1 and number is not null order by number limit $3) oldest`,
      [company, before, TIDIED_AT_ONCE],
    );
    const upTo = found?.upTo ?? 0;
    const deleted = await tx.affect("delete from event where company = $1 and number <= $2", [
      company,
      upTo,
    ]);
    if (deleted === 0) return 0;
    await tx.affect(
      `update webhook w set told = greatest(told, $2), missed = missed + greatest(0, $2 - told) + (
              select count(*) from webhook_delivery d where d.company = w.company
                 and d.webhook_id = w.id and d.state = 'waiting' and d.number <= $2)
        where company = $1 and state = 'disabled'`,
      [company, upTo],
    );
    await tx.affect("delete from webhook_delivery where company = $1 and number <= $2", [
      company,
      upTo,
    ]);
    await tx.affect("update event_feed set tidied = $2 where company = $1", [company, upTo]);
    return deleted;
  });
}
