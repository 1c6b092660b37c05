/**
 * Numbers of the tables of a book: one for each source × customer scope × product scope. A table is
 * a directory of regions, one per subject (an account, a group, a price list …).
 */
import { CUSTOMER_SCOPES, PRODUCT_SCOPES } from "./policy.ts";
import type { CustomerScope, Place, ProductScope } from "./policy.ts";

export type Source = "rule" | "promotion" | "quotation";

const PLACES = CUSTOMER_SCOPES.length * PRODUCT_SCOPES.length;
const SOURCES: readonly Source[] = ["rule", "promotion", "quotation"];

export const TABLES = PLACES * SOURCES.length;

export function tableOf(source: Source, customer: CustomerScope, product: ProductScope): number {
  const place =
    CUSTOMER_SCOPES.indexOf(customer) * PRODUCT_SCOPES.length + PRODUCT_SCOPES.indexOf(product);
  return SOURCES.indexOf(source) * PLACES + place;
}

export function sourceOf(table: number): Source {
  return SOURCES[Math.floor(table / PLACES)]!;
}

export function placeOf(table: number): Place {
  const place = table % PLACES;
  return {
    customer: CUSTOMER_SCOPES[Math.floor(place / PRODUCT_SCOPES.length)]!,
    product: PRODUCT_SCOPES[place % PRODUCT_SCOPES.length]!,
  };
}
