/**
 * Orders that were taken while their connection stood otherwise than now. What came in shadow was
 * keyed by staff, or was to be; what came while it was live was promised to be sent. Neither is
 * sent, or never sent, by itself.
 */
import type { Queryable } from "../../store/index.ts";
import type { OrderRow } from "../book.ts";
import type { OrdersContext, Standing } from "../context.ts";
import { OrderError } from "../error.ts";

const BEFORE = "Taken before its connection went live";
const WHILE = "Taken while its connection was live";

/** Why a queued order is held now; null: it may go on. */
export async function heldSinceTaken(
  { store, connection }: Pick<OrdersContext, "store" | "connection">,
  order: OrderRow,
  { mode, live = null }: Standing,
): Promise<string | null> {
  const liveAs = mode === "shadow" ? await connection.liveAt?.(order) : null;
  if (liveAs !== null && liveAs !== undefined) return notSentNow(liveAs, connection.name ?? liveAs);
  // Ids are in the order in which they were made, whatever clock a demonstration shows.
  if (mode !== "live" || live === null || order.id > live.id) return null;
  if (await letGo(store, order)) return null;
  return `${BEFORE}: nothing was sent then, so that staff may have keyed it. Look in the ERP; release it to have it sent, or cancel it.`;
}

function notSentNow(liveAs: string, goesTo: string): string {
  const now =
    liveAs === goesTo
      ? "it is in shadow now (that was undone, or the service was started with other settings)"
      : `that was ${liveAs}, while orders go to ${goesTo} now, which is in shadow`;
  return `${WHILE}, and ${now}: it is not sent. Release it once the connection is live; or cancel it here, if staff have keyed it.`;
}

/** A person has let it go since it was held for that, or sent it again since. */
async function letGo(on: Queryable, { company, id }: OrderRow): Promise<boolean> {
  const [row] = await on.query<{ letGo: boolean }>(
    `select exists (
       select 1 from web_order_event e
        where e.company = $1 and e.order_id = $2 and e.to_state = 'queued'
          and (e.event in ('notThere', 'lost') and e.who <> 'tradepost'
               or e.event = 'release' and (e.from_state = 'shadowed' or exists (
                    select 1 from web_order_event h
                     where h.company = e.company and h.order_id = e.order_id
                       and h.sequence < e.sequence and h.event = 'hold'
                       and (starts_with(h.about, $3) or starts_with(h.about, $4)))))) as "letGo"`,
    [company, id, BEFORE, WHILE],
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
