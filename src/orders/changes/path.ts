/** Whether a change is made here at once, or asked of the ERP. */
import type { Queryable } from "../../store/index.ts";
import { OrderError, orderOf, type OrderRow, type Seen } from "../book.ts";
import { nothingLeft } from "../delivery/intents.ts";
import { bears } from "../same-number.ts";

/** here: no byte of the order ever left. asked: the ERP may have it, so it is told. */
export type Path = "here" | "asked";

/** The order with its row held, so that nobody moves it meanwhile. */
export async function heldOrder(
  tx: Queryable,
  company: string,
  idOrNumber: string,
  seen: Seen = {},
): Promise<OrderRow> {
  const { id } = await orderOf(tx, company, idOrNumber, seen);
  await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
    company,
    id,
  ]);
  return orderOf(tx, company, id);
}

/** Throws where it can be neither. */
export async function pathOf(
  tx: Queryable,
  order: OrderRow,
  doing: "Amending" | "Cancelling",
): Promise<Path> {
  const say = (found: string, todo: string): OrderError =>
    new OrderError("change-impossible", `${doing} web order ${order.number}: it ${found}. ${todo}`);
  switch (order.state) {
    case "received":
    case "checked":
      return "here";
    case "held":
    case "queued":
      return (await nothingLeft(tx, order)) ? "here" : "asked";
    case "sending":
    case "inDoubt":
    case "handedOver":
    case "accepted":
    case "confirmed":
      return "asked";
    case "refused":
      await sentOnce(tx, order);
      return "here";
    case "conflict":
      throw say(
        "is in conflict with what the ERP holds",
        "A person settles that first: tradepost orders desk",
      );
    case "cancelled":
      throw say("is cancelled", "Hand in a new order.");
    case "shadowed":
      throw say("was compared and never sent, since its connection is in shadow", "Staff key it.");
    default:
      return order.state satisfies never;
  }
}

/** Throws for an order that a file refused: its number would be known there as refused for ever. */
export async function sentOnce(
  tx: Queryable,
  { company, number }: Pick<OrderRow, "company" | "number">,
): Promise<void> {
  const [row] = await tx.query<{ there: boolean }>(
    `select exists (select 1 from order_acknowledgement
                     where company = $1 and ${bears("web_order", "$2")}
                       and outcome = 'refused') as there`,
    [company, number],
  );
  if (row?.there !== true) return;
  throw new OrderError(
    "change-impossible",
    `Sending web order ${number} again: the ERP refused it by an answer that names its number, and ` +
      "it is sent under that only once. Hand in a new order with another number, and cancel this one.",
  );
}
