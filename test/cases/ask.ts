/** Prices one line by the product's engine, under a policy, from records. */
import {
  calendar,
  compileBook,
  document,
  priceLine,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import { at } from "./document.ts";
import type { Records } from "./records.ts";
import { times } from "./world.ts";
import type { Goods, World } from "./world.ts";
import type { Policy } from "./strategy.ts";

export interface Line {
  readonly product: Goods;
  readonly quantity: string;
  /** Unit that the quantity is in. */
  readonly unit: string;
  /** Quantities of all lines that count together; null: only this one's. */
  readonly pooled: readonly string[] | null;
}

export interface Priced {
  /** Per pricing unit, shortest text; null: no price. */
  readonly unitPrice: string | null;
  /** What discounts are off; null: nothing. */
  readonly base: string | null;
  /** Rule that gave the price; null: none. */
  readonly rule: string | null;
  /** Percent saved against the base. */
  readonly saved: string | null;
  readonly net: string | null;
  /** Why the price is not known; null: it is known, or there is none. */
  readonly error: string | null;
}

const ANY_MOMENT = "2026-01-15T12:00:00Z";

export function price(world: World, records: Records, policy: Policy, line: Line): Priced {
  const book = compileBook(policy, records);
  const account = book.accounts.numbers.get(records.customers[0]?.account ?? "") ?? -1;
  const product = book.products.numbers.get(line.product.sku) ?? -1;
  const enquiry = startEnquiry(book, {
    account,
    site: -1,
    branch: -1,
    quotation: -1,
    day: calendar.dayOf((world.query.date ?? ANY_MOMENT).slice(0, 10)),
  });
  const found = priceLine(enquiry, product, inSellingUnits(line));
  const { unitPrice, lineNet } = policy.arithmetic;
  const isKnown = found.doubt === null && found.price >= 0;
  const fine = scaledUp(found.price, unitPrice.scale);
  return {
    unitPrice: isKnown ? scaled.shortTextOf(found.price, unitPrice.scale) : null,
    base: found.base >= 0 ? scaled.shortTextOf(found.base, 6) : null,
    rule: null,
    saved: isKnown ? scaled.shortTextOf(document.savedPercent(found.base, fine, 4), 4) : null,
    net: isKnown ? scaled.shortTextOf(found.net, lineNet.scale) : null,
    error: found.doubt === "no-price" ? null : found.doubt,
  };
}

function scaledUp(price: number, places: number): number {
  return price * scaled.power(6 - places);
}

/** What breaks count: without a sign, in units of the product's own. */
function inSellingUnits({ product, quantity, unit }: Line): number {
  const size = product.uoms[unit];
  if (size === undefined) throw new Error(`${product.sku} is not sold in ${unit}`);
  return Math.abs(at(times(quantity, size), 5));
}

export interface Rung {
  readonly from: string;
  readonly unitPrice: string | null;
}

export function ladder(
  world: World,
  records: Records,
  policy: Policy,
  asked: { readonly product: Goods; readonly uom: string; readonly currency: string },
): Rung[] {
  void [world, records, policy, asked];
  throw new Error("no ladder yet");
}
