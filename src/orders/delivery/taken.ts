/**
 * Orders that were taken while their connection stood otherwise than now. What came in shadow was
 * keyed by staff, or was to be; what came while it was live was promised to be sent. Neither is
 * sent, or never sent, by itself. Nor is one sent whose number the ERP has spoken of before.
 */
import { momentText } from "../../model/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { CountedLive, OrdersContext, Standing } from "../context.ts";
import { OrderError } from "../error.ts";
import { ANSWERED, BEFORE, byPerson, WHILE } from "../held-since.ts";
import { lostRow } from "../lost-rows.ts";
import { bears } from "../same-number.ts";
import { EARLY, FOREIGN, SENT } from "../seen.ts";
import { dayText } from "../words.ts";

/** Why a queued order is held now; null: it may go on. */
export async function heldSinceTaken(
  { store, connection, settings }: Pick<OrdersContext, "store" | "connection" | "settings">,
  order: OrderRow,
  { mode, live = null }: Standing,
): Promise<string | null> {
  const was = mode === "shadow" ? await connection.liveAt?.(order) : null;
  if (was !== null && was !== undefined)
    return notSentNow(was, connection.name ?? was.connection, settings.timeZone);
  // Ids are in the order in which they were made, whatever clock a demonstration shows.
  if (mode !== "live" || live === null || order.id > live.id) return null;
  if (await letGo(store, order, [BEFORE, WHILE])) return null;
  return `${BEFORE}: nothing was sent then, so that staff may have keyed it. Look in the ERP; release it to have it sent, or cancel it.`;
}

/** The settings may have been in shadow or read-only then, too: what counts is what is recorded. */
function notSentNow(was: CountedLive, goesTo: string, timeZone: string): string {
  const { connection, undone } = was;
  const now =
    connection !== goesTo
      ? `that was ${connection}, while orders go to ${goesTo} now, which is in shadow`
      : undone
        ? "that was undone since, so that it is in shadow"
        : "that is not undone, while the settings have it in shadow";
  return (
    `${WHILE} counted as live (go-live of ${momentText(was.at, timeZone)}); ${now}: it is not sent. ` +
    "Release it once the connection is live; or cancel it here, if staff have keyed it."
  );
}

/**
 * Why an order is held that the ERP does not show, and that was never sent; null: it may be sent.
 * Asked after the search: what that finds is there, whatever was said of it before.
 */
export async function heldSinceSpokenOf(on: Queryable, order: OrderRow): Promise<string | null> {
  const answered = await spokenOf(on, order);
  if (answered === null || (await letGo(on, order, [ANSWERED]))) return null;
  return `${ANSWERED}: ${answered}. That may be another order of this number, or this one may be there already. Look in the ERP; release it to have it sent, or cancel it.`;
}

/** What was pulled of its number and cannot be about it, in words; null: nothing. */
async function spokenOf(on: Queryable, { company, id }: OrderRow): Promise<string | null> {
  const [first] = await on.query<{ what: string; number: string; day: string }>(
    `select a.what, a.number, a.day::text as day
       from web_order o
       ${SENT}
       cross join lateral (
         select case outcome when 'refused' then 'refused' else 'accepted as ' || erp_order end
                  as what, web_order as number, answered_on as day
           from order_acknowledgement a
          where company = o.company and ${bears("web_order")} and ${EARLY} and not ${lostRow("a")}
         union all
         select 'invoiced as ' || document, web_order, document_on
           from sales_document d
          where company = o.company and ${bears("web_order")} and document_type = 'invoice'
            and ${FOREIGN} and not ${lostRow("d")}) a
      where o.company = $1 and o.id = $2
      order by day limit 1`,
    [company, id],
  );
  return first === undefined ? null : `${first.number} was ${first.what} on ${dayText(first.day)}`;
}

/** A person has let it go since it was held for that, or sent it again since. */
async function letGo(
  on: Queryable,
  { company, id }: OrderRow,
  heldFor: readonly string[],
): Promise<boolean> {
  const [row] = await on.query<{ letGo: boolean }>(
    `select exists (
       select 1 from web_order_event e
        where e.company = $1 and e.order_id = $2 and e.to_state = 'queued'
          and ${byPerson("e.who")}
          and (e.event in ('notThere', 'lost')
               or e.event = 'release' and (e.from_state = 'shadowed' or exists (
                    select 1 from web_order_event h
                     where h.company = e.company and h.order_id = e.order_id
                       and h.sequence < e.sequence and h.event = 'hold'
                       and exists (select 1 from unnest($3::text[]) as why
                                    where starts_with(h.about, why)))))) as "letGo"`,
    [company, id, heldFor],
  );
  return row?.letGo === true;
}

/** In shadow, releasing one that is not sent there would bring it back at once. */
export async function refuseInShadow(
  { connection }: Pick<OrdersContext, "connection">,
  { number, state, reasons }: Pick<OrderRow, "number" | "state" | "reasons">,
): Promise<void> {
  const isHere = state === "shadowed" || reasons.some((reason) => reason.startsWith(WHILE));
  if (!isHere || (await connection.standing()).mode === "live") return;
  throw new OrderError(
    "move-impossible",
    `Releasing web order ${number}: its connection is not live, so that nothing is sent. Go live ` +
      "first (tradepost go-live CONNECTION, and mode: live in the settings); or cancel it, where staff have keyed it.",
  );
}
