/** Numbers that people read on the telephone and that fit an ERP's reference field. */
import { randomBytes } from "node:crypto";
import type { OrdersContext } from "../context.ts";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHARACTERS = 6;

/** AR-260331-7K3QDX */
export function numberFor(prefix: "AR" | "RT", context: OrdersContext): string {
  const random = [...randomBytes(CHARACTERS)].map((byte) => ALPHABET[byte % ALPHABET.length]);
  return `${prefix}-${todayOf(context).slice(2).replaceAll("-", "")}-${random.join("")}`;
}

/** Business date of now, ISO. */
export function todayOf({ now, settings }: Pick<OrdersContext, "now" | "settings">): string {
  return now().toZonedDateTimeISO(settings.timeZone).toPlainDate().toString();
}
