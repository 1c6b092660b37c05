/**
 * Files of an order that stands otherwise by now: what nobody has taken of them is taken back, so
 * that no import makes the order once more; for as long as that cannot be done an alarm says what
 * may lie where.
 */
import type { OrdersCapability } from "../../connector/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import { bears } from "../same-number.ts";
import { calling } from "./calling.ts";
import { patienceOf, queueIn } from "./later.ts";
import { liesNoMore, mayLie, STANDING } from "./lying.ts";
import { dropCall, sentTables, writeTakenBack } from "./own-drop.ts";
import { fenced, LeaseLost, recorded } from "./record.ts";
import { openDesk, type Sender } from "./sender.ts";

/**
 * Takes back what lies there, or only looks, where nothing may be written; whatever stands in the
 * way is told, and it is tried again.
 */
export async function takeLying(sender: Sender, mayWrite: boolean): Promise<void> {
  const { context, lease } = sender;
  if (!(await mayLie(context.store, lease.order))) return;
  const order = await fenced(context, lease, async (_tx, now) => now);
  let isDrop = order.handedOverAt !== null;
  try {
    await using desk = await openDesk(context, lease.lost);
    isDrop ||= desk.capability.takeBack !== undefined;
    const said = await takenBack(sender, desk.capability, { order, mayWrite });
    await recorded(context, lease, "that nothing of it lies there", async (tx, now) => {
      if (said !== null && (await mayLie(tx, now)))
        await writeTakenBack(tx, now, said, context.now());
      await liesNoMore(tx, now);
    });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    const why = error instanceof Error ? error.message : String(error);
    context.log("warn", `What may lie of web order ${order.number}: ${why}`);
    await tryAgain(sender, isDrop ? why : null);
  }
}

/** Null: nothing lies there. Throws where something may. */
async function takenBack(
  { context, lease }: Sender,
  capability: OrdersCapability,
  { order, mayWrite }: { readonly order: OrderRow; readonly mayWrite: boolean },
): Promise<string | null> {
  const { giveUpAfterSeconds } = context.settings;
  if (capability.takeBack === undefined || !STANDING.has(order.state)) return null;
  const { number, state } = order;
  const tables = await sentTables(context, order);
  const doing = `Taking back what lies of order ${number}`;
  return calling(doing, giveUpAfterSeconds, lease.lost, async (call) => {
    const asked = await dropCall(context, order, call, () => tables);
    const why = `It is ${state} here, and nobody had taken it.`;
    const said = mayWrite ? await capability.takeBack?.(number, why, asked) : null;
    if (typeof said === "string") return said;
    const found = await capability.find(number, asked);
    if (found.kind === "cannotTell") throw new Error(found.reason);
    if (found.kind === "present" && found.outcome.kind === "handedOver" && found.outcome.waits)
      throw new Error(
        `${mayWrite ? "Not all of it is there any more" : "Its connection is read-only"}. ${found.outcome.evidence}`,
      );
    return null;
  });
}

async function tryAgain({ context, lease }: Sender, why: string | null): Promise<void> {
  await recorded(context, lease, "that files may lie there", async (tx, order) => {
    const [row] = await tx.query<{ tries: number }>(
      `update web_order_lying set tries = tries + 1, why = coalesce($3, why)
        where company = $1 and order_id = $2 returning tries`,
      [order.company, order.id, why],
    );
    if (row === undefined) return;
    const seconds = patienceOf(context, order, row.tries);
    await tx.affect(
      `update web_order_lying set due_at = clock_timestamp() + make_interval(secs => $3)
        where company = $1 and order_id = $2`,
      [order.company, order.id, seconds],
    );
    await queueIn(context, tx, order, seconds);
  });
}

const KEY = "orders/lying";
const SHOWN = 5;

/**
 * In SQL: a person has said how "o" stands since "l", or staff have keyed it, as no answer names
 * it where orders are answered. What the ERP's own import has answered it has taken.
 */
const BY_HAND = `(exists (select 1 from web_order_event v
      where v.company = o.company and v.order_id = o.id and v.at >= l.since
        and v.from_state not in ('received', 'checked', 'held', 'queued', 'sending', v.to_state)
        and v.who not in ('erp', 'tradepost'))
  or exists (select 1 from erp_order e where e.company = o.company and ${bears("e.web_order")})
     and not exists (select 1 from order_acknowledgement a
           where a.company = o.company and ${bears("a.web_order")})
     and exists (select 1 from order_acknowledgement a where a.company = o.company))`;

/**
 * One alarm for all of them, for as long as nobody could take them back. While nobody may look,
 * of those alone that no import is known to have taken.
 */
export async function tellLying({
  alarms,
  store,
  company,
  connection,
}: OrdersContext): Promise<void> {
  if (alarms === undefined) return;
  const lying = await store.query<{
    number: string;
    state: string;
    since: Temporal.Instant;
    why: string | null;
    isByHand: boolean;
  }>(
    `select o.number, o.state, l.since, l.why, ${BY_HAND} as "isByHand"
       from web_order_lying l join web_order o on o.company = l.company and o.id = l.order_id
      where l.company = $1 and (l.why is not null or o.handed_over_at is not null)
      order by l.since, o.number`,
    [company],
  );
  const { paused: stopped } = await connection.standing();
  const untaken = lying.filter(
    ({ why, isByHand }) => why !== null || (stopped !== null && isByHand),
  );
  const [first] = untaken;
  if (first === undefined) return alarms.clear(KEY);
  const shown = untaken.slice(0, SHOWN).map(({ number, state }) => `${number} (${state})`);
  const more = untaken.length > SHOWN ? ` and ${untaken.length - SHOWN} more` : "";
  await alarms.raise({
    key: KEY,
    level: "error",
    title: `Files may lie in orders/ of web orders that stand otherwise: ${untaken.length}`,
    detail: `${shown.join(", ")}${more}: ${first.why ?? stopped ?? ""}`,
    instruction:
      "Taken by the ERP's import they would be orders once more: before it runs, take the files that " +
      "bear these numbers away from orders/, the header (NUMBER.csv) first. They are taken back by " +
      "themselves as soon as that can be done.",
    since: first.since,
  });
}
