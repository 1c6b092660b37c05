/** What sort of rule gave a price: one word that prices are counted by. */
import type { Enquiry } from "./enquiry.ts";
import { headOf } from "./entry.ts";
import type { CustomerScope } from "./policy.ts";

/**
 * `account-price`: a price agreed with the account; `price-list-discount`: a percent or amount off
 * for all on a list; `account-discount` is a rule, `whole-account-discount` the account's own
 * field.
 */
export type PriceKind =
  | "quotation"
  | "promotion"
  | "contract"
  | "whole-account-discount"
  | `${CustomerScope}-${"price" | "discount"}`;

/** Null: nothing gave a price. */
export function priceKindOf(enquiry: Enquiry): PriceKind | null {
  const { found } = enquiry;
  if (found.price < 0) return null;
  if (found.table < 0) return "whole-account-discount";
  const { source, label, customerScope, kind } = headOf(enquiry, found);
  if (source !== "rule") return source;
  if (label !== null) return "contract";
  return `${customerScope}-${kind === "fixed" || kind === "markup" ? "price" : "discount"}`;
}
