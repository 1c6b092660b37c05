/** What makes two orders look like one that was sent twice. Pure. */
import { createHash } from "node:crypto";
import { decimal } from "../model/index.ts";
import type { AccountedOrder } from "./request.ts";

/**
 * Equal for orders of the same buyer, for the same goods, to the same place and day, under the same
 * reference of the customer. Prices are no part of it: they may have changed between two tries.
 */
export function likenessOf(request: AccountedOrder): string {
  const { account, keptUnder = account, guest, site, deliverTo } = request;
  const { customerReference, requestedOn } = request;
  const lines = request.lines
    .map(({ product, quantity, unit = null }) =>
      JSON.stringify([product, unit, decimal.canonical(decimal.parse(quantity))]),
    )
    .toSorted();
  const whole = [
    keptUnder,
    guest?.email ?? null,
    site,
    deliverTo,
    customerReference,
    requestedOn,
    lines,
  ];
  return createHash("sha256").update(JSON.stringify(whole)).digest("base64url").slice(0, 22);
}
