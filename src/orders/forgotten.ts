/** Orders whose guest was forgotten: what the ERP would be sent of them is nobody's name. */
import type { WebOrder } from "../model/index.ts";

/** Stands where a name or an address was. */
export const BLANKED = "(blanked)";

export function isForgotten({ guest }: Pick<WebOrder, "guest">): boolean {
  return guest?.name === BLANKED;
}
