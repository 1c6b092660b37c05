/** What a line's own price means for promotions over the basket. */
import type { Enquiry } from "../enquiry.ts";
import { headOf } from "../entry.ts";

/** `closed`: why no promotion may lower it; `promotion`: the one that gave its price. */
export function openTo(enquiry: Enquiry): { closed: string | null; promotion: string | null } {
  const { found } = enquiry;
  if (found.price < 0 || found.table < 0) return { closed: null, promotion: null };
  const { source, net, label } = headOf(enquiry, found);
  if (source === "quotation") return { closed: "a quoted price", promotion: null };
  if (source === "promotion") return { closed: null, promotion: label };
  return { closed: net ? "a net price" : null, promotion: null };
}
