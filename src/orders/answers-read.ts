/**
 * Whether anybody could have seen an answer of the ERP. While its connection stands still, or where
 * nothing has looked for answers since, silence says nothing: an answer may lie there unread, and
 * whoever sends an order again by such silence has it there twice.
 */
import { momentText } from "../model/index.ts";
import type { OrderRow } from "./book.ts";
import type { AnswerStream, OrdersContext } from "./context.ts";
import { OrderError } from "./error.ts";

/** Null: it was handed over and never answered, or could not be. */
type Dropped = Pick<OrderRow, "number" | "handedOverAt">;

/** Why nobody knows whether the ERP has answered since, in half a sentence; null: it is known. */
export async function unreadBecause(
  context: OrdersContext,
  order: Dropped,
  since: Temporal.Instant,
): Promise<string | null> {
  const { mode, paused } = await context.connection.standing();
  if (paused !== null) return `its connection stands still (${paused})`;
  if (mode === "read-only") return "its connection is read-only";
  const answers = await context.connection.answers?.();
  if (answers === undefined || order.handedOverAt === null) return null;
  const unread = notReadSince(answers, order.handedOverAt, since);
  if (unread.length === 0) return null;
  const named = unread.map(({ connection, stream }) => `${connection}/${stream}`).join(" and ");
  const last = latest(unread);
  const when =
    last === null
      ? "was never read"
      : `was not read since ${momentText(last, context.settings.timeZone)}`;
  return `${named} ${when}`;
}

/**
 * Of the streams that bring answers, those that count and were not looked at since: which were
 * looked at after the order had been handed over, or all where none was.
 */
function notReadSince(
  answers: readonly AnswerStream[],
  handedOver: Temporal.Instant,
  since: Temporal.Instant,
): readonly AnswerStream[] {
  const isAfter = (at: Temporal.Instant) => (one: AnswerStream) =>
    one.lookedAt !== null && Temporal.Instant.compare(one.lookedAt, at) >= 0;
  const counted = answers.filter(isAfter(handedOver));
  return counted.length === 0 ? answers : counted.filter((one) => !isAfter(since)(one));
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

/**
 * Throws for an order whose answer may lie there unread: the connection stands still, or nothing
 * was read since it goes on again.
 */
export async function refuseUnread(context: OrdersContext, order: Dropped): Promise<void> {
  const { resumedAt = null } = await context.connection.standing();
  const { handedOverAt: dropped } = order;
  const isLater =
    resumedAt !== null && (dropped === null || Temporal.Instant.compare(resumedAt, dropped) > 0);
  const since = isLater ? resumedAt : dropped;
  const why = await unreadBecause(context, order, since ?? context.now());
  if (why === null) return;
  const { name = "CONNECTION" } = context.connection;
  throw new OrderError(
    "move-impossible",
    `Sending web order ${order.number} again: ${why}, so that the ERP may have answered it and nobody ` +
      `has read that. Once ${name} goes on, read what waits there (tradepost sync --connection ${name}), and look again.`,
  );
}

export interface Unread extends Pick<OrderRow, "number" | "answerDueAt"> {
  readonly because: string;
}

/** The order stays handed over, and says why nobody can tell more. */
export async function sayUnread(
  { store, settings }: OrdersContext,
  { company, id, version, answerDueAt }: OrderRow,
  because: string,
): Promise<void> {
  const due = answerDueAt === null ? "" : ` by ${momentText(answerDueAt, settings.timeZone)}`;
  const reason = `The ERP was to answer it${due}, and nobody knows whether it has: ${because}.`;
  await store.affect(
    `update web_order set reasons = $4
      where company = $1 and id = $2 and version = $3 and reasons is distinct from $4`,
    [company, id, version, JSON.stringify([reason])],
  );
}

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
