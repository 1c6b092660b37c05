/**
 * Who looks at no desk is told: an order that waits for a person longer than the settings allow,
 * and at once the first conflict and the first doubt that searching did not settle in its time. One
 * alarm each, which holds as long as any such order waits.
 */
import type { NewAlarm } from "../notify/index.ts";
import type { OrdersContext } from "./context.ts";
import { LOOK_IN_DOUBT } from "./delivery/follow.ts";
import { windowSeconds } from "./delivery/history.ts";
import { ORDERS_AT_DESK, type DeskKind } from "./desk-list.ts";
import { amountText } from "./words.ts";

const WAITING = "orders/desk/waiting";
const CONFLICT = "orders/desk/conflict";
const DOUBT = "orders/desk/doubt";

const FOUR_HOURS = 4 * 3600;
/** Numbers of orders that an alarm names. */
const NAMED = 5;

export async function tellDesk(context: OrdersContext): Promise<void> {
  const { alarms } = context;
  if (alarms === undefined) return;
  const tell = async (key: string, alarm: NewAlarm | null): Promise<void> =>
    alarm === null ? alarms.clear(key) : alarms.raise(alarm);
  await tell(WAITING, await waiting(context));
  await tell(CONFLICT, await conflicts(context));
  await tell(DOUBT, await doubts(context));
}

interface Waiting {
  readonly kind: Exclude<DeskKind, "task">;
  readonly orders: number;
  readonly gross: string;
  /** Of the oldest of all kinds. */
  readonly since: Temporal.Instant;
  /** Those of most money. */
  readonly numbers: readonly string[];
}

async function waiting(context: OrdersContext): Promise<NewAlarm | null> {
  const { store, company, settings, now } = context;
  const seconds = settings.deskWithinSeconds ?? FOUR_HOURS;
  const at = now();
  const today = at.toZonedDateTimeISO(settings.timeZone).toPlainDate().toString();
  const kinds = await store.query<Waiting>(
    `select kind, count(*)::int as orders, sum(gross)::text as gross, min(min("changedAt")) over () as since,
            (array_agg(number order by gross desc, number))[1:${NAMED}] as numbers
       from (${ORDERS_AT_DESK}) at_desk where "changedAt" <= $4::timestamptz
      group by kind order by sum(gross) desc, kind`,
    [company, at, today, at.subtract({ seconds })],
  );
  const [first] = kinds;
  if (first === undefined) return null;
  const orders = kinds.reduce((sum, one) => sum + one.orders, 0);
  return {
    key: WAITING,
    level: "error",
    title: `web orders wait for a person longer than they may: ${orders}`,
    detail: kinds
      .map(({ kind, orders: count, gross, numbers }) => {
        const more = count > numbers.length ? ` and ${count - numbers.length} more` : "";
        return `${count} ${WORDS[kind]} (${amountText(gross, settings.currency)}): ${numbers.join(", ")}${more}.`;
      })
      .join(" "),
    instruction: `See why each waits and what can be done: \`tradepost orders desk\`.`,
    since: first.since.add({ seconds }),
  };
}

const WORDS: Readonly<Record<Waiting["kind"], string>> = {
  held: "held",
  "in doubt": "in doubt",
  refused: "refused",
  conflict: "in conflict",
  late: "late",
};

interface AtOnce {
  readonly number: string;
  readonly since: Temporal.Instant;
}

async function conflicts({ store, company }: OrdersContext): Promise<NewAlarm | null> {
  const orders = await store.query<AtOnce>(
    `select number, changed_at as since from web_order
      where company = $1 and state = 'conflict' and not test order by changed_at, id`,
    [company],
  );
  return atOnce(orders, {
    key: CONFLICT,
    title: "the ERP holds web orders otherwise than they were agreed",
    detail: "What each order is and what the ERP has instead is shown with it.",
    instruction:
      "Compare them: `tradepost orders desk` says what to do with each. Put it right in the ERP, " +
      "then resolve it; or cancel it there and here, unless what is there is another's.",
  });
}

/** Its time is over, and it was searched for since: nothing but a person may settle it now. */
async function doubts({ store, company, settings }: OrdersContext): Promise<NewAlarm | null> {
  const window = await windowSeconds(store, company, settings.quietSeconds);
  const orders = await store.query<AtOnce>(
    `select o.number, o.changed_at as since
       from web_order o
       cross join lateral (
         select max(coalesce(a.quiet_from, a.ended_at)) as quiet_from from web_order_attempt a
          where a.company = o.company and a.order_id = o.id and a.placed_at is not null) sent
      where o.company = $1 and o.state = 'inDoubt' and not o.test and o.handed_over_at is null
        and (exists (select 1 from web_order_attempt s
                      where s.company = o.company and s.order_id = o.id and s.placed_at is null
                        and s.ended_at is not null
                        and s.started_at > sent.quiet_from + make_interval(secs => $2))
             -- Nothing of it was sent: another content stands under its number.
             or sent.quiet_from is null
                and exists (select 1 from web_order_task t
                             where t.company = o.company and t.order_id = o.id
                               and t.state = 'open' and starts_with(t.about, $3)))
      order by o.changed_at, o.id`,
    [company, window, LOOK_IN_DOUBT],
  );
  return atOnce(orders, {
    key: DOUBT,
    title: "searching the ERP does not settle whether it has web orders",
    detail: "They are searched for further, and not sent again by themselves.",
    instruction:
      "Look in the ERP: `tradepost orders desk`. Resolve each that is there with its number; " +
      "send again what is not.",
  });
}

/** Null: there is none. */
function atOnce(
  orders: readonly AtOnce[],
  alarm: Pick<NewAlarm, "key" | "title" | "detail" | "instruction">,
): NewAlarm | null {
  const [first] = orders;
  if (first === undefined) return null;
  const named = orders.slice(0, NAMED).map(({ number }) => number);
  const more = orders.length > NAMED ? ` and ${orders.length - NAMED} more` : "";
  return {
    ...alarm,
    level: "error",
    title: `${alarm.title}: ${orders.length}`,
    detail: `${named.join(", ")}${more}. ${alarm.detail}`,
    since: first.since,
  };
}
