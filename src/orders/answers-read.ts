/**
 * Whether anybody could have seen an answer of the ERP. While its connection stands still, where
 * one of the streams that bring answers was not read since, or where a row that names the order
 * could not be used, silence says nothing: whoever sends an order again by it has it there twice.
 */
import { momentText } from "../model/index.ts";
import type { OrderRow } from "./book.ts";
import type {
  AnswerStream,
  OrdersContext,
  Standing,
  StoodStill,
  UnusableAnswer,
} from "./context.ts";
import { OrderError } from "./error.ts";

/** Null: it was handed over and never answered, or could not be. */
type Dropped = Pick<OrderRow, "number" | "handedOverAt">;

/** What is known of the reading of answers at one moment. */
export interface Reading {
  readonly standing: Standing;
  /** Null: that is not known, and they count as read. */
  readonly answers: readonly AnswerStream[] | null;
  readonly unusable: readonly UnusableAnswer[];
}

type Awaited = Pick<OrderRow, "handedOverAt" | "answerDueAt">;

/** When their connection stood still since the first of them was handed over. */
export async function stoodStillSince(
  { connection }: Pick<OrdersContext, "connection">,
  orders: readonly Awaited[],
): Promise<readonly StoodStill[]> {
  const [first] = orders
    .flatMap(({ handedOverAt }) => handedOverAt ?? [])
    .toSorted((one, other) => Temporal.Instant.compare(one, other));
  return first === undefined ? [] : ((await connection.stoodStill?.(first)) ?? []);
}

/**
 * By when the ERP is to have answered: as long as the connection stood still its import did, too,
 * and that time is none of it. Null: it need not answer.
 */
export function answerDue(
  { handedOverAt, answerDueAt }: Awaited,
  still: readonly StoodStill[],
): Temporal.Instant | null {
  if (handedOverAt === null || answerDueAt === null) return answerDueAt;
  let due = answerDueAt;
  for (const { from, to } of still) {
    if (Temporal.Instant.compare(from, due) >= 0) break;
    const began = Temporal.Instant.compare(from, handedOverAt) < 0 ? handedOverAt : from;
    if (Temporal.Instant.compare(began, to) < 0) due = due.add(began.until(to));
  }
  return due;
}

/** `numbers`: of the orders that it is asked for. */
export async function readingOf(
  { connection }: Pick<OrdersContext, "connection">,
  numbers: readonly string[],
): Promise<Reading> {
  return {
    standing: await connection.standing(),
    answers: (await connection.answers?.()) ?? null,
    unusable: (await connection.unusable?.(numbers)) ?? [],
  };
}

/** Why nobody knows whether the ERP has answered since, in half a sentence; null: it is known. */
export function unreadBecause(
  reading: Reading,
  order: Dropped,
  { since, timeZone }: { readonly since: Temporal.Instant; readonly timeZone: string },
): string | null {
  const { mode, paused } = reading.standing;
  if (paused !== null) return `its connection stands still (${paused})`;
  if (mode === "read-only") return "its connection is read-only";
  if (reading.answers === null || order.handedOverAt === null) return null;
  // Any of them may bring the answer, and one that was read says nothing of what the others hold.
  const unread = reading.answers.filter(
    ({ lookedAt }) => lookedAt === null || Temporal.Instant.compare(lookedAt, since) < 0,
  );
  if (unread.length === 0) return unusableBecause(reading, order);
  const named = unread.map(({ connection, stream }) => `${connection}/${stream}`).join(" and ");
  const last = latest(unread);
  const when =
    last === null ? "was never read" : `was not read since ${momentText(last, timeZone)}`;
  return `${named} ${when}`;
}

/** An answer that was read and could not be used is no silence either. */
function unusableBecause({ unusable }: Reading, order: Dropped): string | null {
  const row = unusable.find(({ name, lastSeenAt }) =>
    name === null
      ? order.handedOverAt !== null && Temporal.Instant.compare(lastSeenAt, order.handedOverAt) >= 0
      : name === order.number,
  );
  if (row === undefined) return null;
  const stream = `${row.connection}/${row.stream}`;
  const what =
    row.name === null
      ? `a whole file of ${stream} (${row.origin})`
      : `a row of ${stream} that names it (${row.origin}, line ${row.line})`;
  return `${what} waits in quarantine: ${row.reason}`;
}

function latest(streams: readonly AnswerStream[]): Temporal.Instant | null {
  return streams.reduce<Temporal.Instant | null>(
    (last, { lookedAt }) =>
      lookedAt !== null && (last === null || Temporal.Instant.compare(lookedAt, last) > 0)
        ? lookedAt
        : last,
    null,
  );
}

/** An answer may have come since the last look; what is sent again rests on a fresh one. */
const READ_WITHIN_HOURS = 1;

/** Why one in doubt is not to be sent again now, in half a sentence; null: nothing is unread. */
export function unreadNow(
  { now, settings }: Pick<OrdersContext, "now" | "settings">,
  reading: Reading,
  order: Dropped,
): string | null {
  const { resumedAt = null } = reading.standing;
  const fresh = now().subtract({ hours: READ_WITHIN_HOURS });
  const since = [fresh, resumedAt, order.handedOverAt]
    .filter((at) => at !== null)
    .reduce((one, other) => (Temporal.Instant.compare(one, other) > 0 ? one : other));
  return unreadBecause(reading, order, { since, timeZone: settings.timeZone });
}

/**
 * Throws for an order whose answer may lie there unread: the connection stands still, nothing was
 * read since it goes on again or lately, or what was read of it waits in quarantine.
 */
export async function refuseUnread(context: OrdersContext, order: Dropped): Promise<void> {
  const why = unreadNow(context, await readingOf(context, [order.number]), order);
  if (why === null) return;
  const { name = "CONNECTION" } = context.connection;
  throw new OrderError(
    "move-impossible",
    `Sending web order ${order.number} again: ${why}, so that the ERP may have answered it and nobody ` +
      `has read that. Once ${name} goes on, read what waits there (tradepost sync --connection ${name}), ` +
      "put right or dismiss what is in quarantine, and look again.",
  );
}

export interface Unread extends Pick<OrderRow, "number" | "answerDueAt"> {
  readonly because: string;
}

/**
 * The order stays handed over, and says why nobody can tell more. Null: the ERP still has time, and
 * what was said of that holds no more.
 */
export async function sayUnread(
  { store, settings }: OrdersContext,
  { company, id, version, answerDueAt, reasons }: OrderRow,
  because: string | null,
): Promise<void> {
  if (because === null && reasons[0]?.startsWith(TO_ANSWER) !== true) return;
  const due = answerDueAt === null ? "" : ` by ${momentText(answerDueAt, settings.timeZone)}`;
  const said =
    because === null ? [] : [`${TO_ANSWER}${due}, and nobody knows whether it has: ${because}.`];
  await store.affect(
    `update web_order set reasons = $4
      where company = $1 and id = $2 and version = $3 and reasons is distinct from $4`,
    [company, id, version, JSON.stringify(said)],
  );
}

const TO_ANSWER = "The ERP was to answer it";

/** Orders whose time for an answer is up where nobody reads answers: one alarm for all of them. */
export async function tellUnread(
  { alarms, connection: { name = "CONNECTION" } }: OrdersContext,
  unread: readonly Unread[],
): Promise<void> {
  if (alarms === undefined) return;
  const [first] = unread;
  if (first === undefined) return alarms.clear(UNREAD);
  const shown = unread.slice(0, SHOWN).map(({ number }) => number);
  const more = unread.length > SHOWN ? ` and ${unread.length - SHOWN} more` : "";
  await alarms.raise({
    key: UNREAD,
    level: "error",
    title: `The ERP was to answer web orders, and its answers are not read: ${unread.length}`,
    detail: `${shown.join(", ")}${more}: ${first.because}.`,
    instruction:
      `Read what waits there as soon as it goes on: tradepost sync --connection ${name}; and let a schedule read it. ` +
      "Until then send none of them again.",
    ...(first.answerDueAt === null ? {} : { since: first.answerDueAt }),
  });
}

const UNREAD = "orders/unread";
const SHOWN = 5;
