/** Prices one line by the product's engine, under a policy, from records. */
import {
  compileBook,
  document,
  entryOf,
  explainLine,
  isRefusal,
  ladderOf,
  priceLine,
  reviseBook,
  scaled,
  startEnquiry,
} from "../../src/pricing/engine/index.ts";
import type { Enquiry, Explanation, PriceBook } from "../../src/pricing/engine/index.ts";
import { at } from "./document.ts";
import type { Records } from "./records.ts";
import { momentOf } from "./rule-rows.ts";
import { sortOf } from "./tiers.ts";
import { BUYER, conditionText, times } from "./world.ts";
import type { Goods, World } from "./world.ts";
import type { Policy } from "./strategy.ts";

export interface Line {
  readonly product: Goods;
  readonly quantity: string;
  /** Unit that the quantity is in. */
  readonly unit: string;
  /** Quantities of all lines that count together, in the same unit; null: only this one's. */
  readonly pooled: readonly string[] | null;
}

export interface Priced {
  /** Per unit that is asked for, shortest text; null: no price. */
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
  const enquiry = enquiryOf(world, book, line.product);
  const asked = [
    enquiry,
    book.products.numbers.get(line.product.sku) ?? -1,
    Math.abs(at(line.quantity, 5)),
    book.units.indexOf(line.unit),
    line.pooled === null ? -1 : inSellingUnits(line, line.pooled),
  ] as const;
  const answer = answerIn(enquiry, priceLine(...asked));
  checkExplanation(explainLine(...asked), answer, answerIn(enquiry, enquiry.found));
  return answer;
}

function answerIn(enquiry: Enquiry, found: Enquiry["found"]): Priced {
  const { unitPrice, lineNet } = enquiry.book.policy.arithmetic;
  const isKnown = found.doubt === null && found.price >= 0;
  const fine = found.price * scaled.power(6 - unitPrice.scale);
  return {
    unitPrice: isKnown ? scaled.shortTextOf(found.price, unitPrice.scale) : null,
    base: found.base >= 0 ? scaled.shortTextOf(found.base, 6) : null,
    rule: isKnown ? ruleOf(enquiry) : null,
    saved: isKnown ? scaled.shortTextOf(document.savedPercent(found.base, fine, 4), 4) : null,
    net: isKnown ? scaled.shortTextOf(found.net, lineNet.scale) : null,
    error: found.doubt === "no-price" ? null : found.doubt,
  };
}

/** What explains an answer is the same answer, names what gave it, and why each other did not. */
function checkExplanation(of: Explanation, answer: Priced, again: Priced): void {
  const text = JSON.stringify(of);
  const wrong =
    /undefined|NaN/.exec(text)?.[0] ??
    (answer.unitPrice !== again.unitPrice ? `it comes to ${again.unitPrice}` : null) ??
    of.candidates.find(({ why }) => why.trim() === "")?.rule ??
    (answer.unitPrice !== null && !of.candidates.some(({ taken }) => taken) ? "none won" : null) ??
    (answer.unitPrice !== null && of.arithmetic.length === 0 ? "no arithmetic" : null);
  if (wrong !== null) throw new Error(`the explanation does not hold: ${wrong}: ${text}`);
}

/** Who asks, when, in what money, and what is so besides. */
function enquiryOf(
  world: World,
  book: PriceBook,
  product: Goods,
  currency = world.query.currency || world.currency,
): Enquiry {
  return startEnquiry(book, {
    account: book.accounts.numbers.get(world.query.customer ?? BUYER) ?? -1,
    site: -1,
    branch: -1,
    moment: momentOf(world.query.date ?? ANY_MOMENT).epochMilliseconds,
    quotation: -1,
    currency: book.currencies.indexOf(currency),
    conditions: conditionsOf(world, product),
  });
}

function conditionsOf({ query }: World, product: Goods): ReadonlyMap<string, string> {
  const said: [string, unknown][] = [
    ["quantity", sortOf(query)],
    ["sku", product.sku],
    ["brand", query.brand ?? product.brand],
    ["variant", query.variant],
    ["option", query.option],
    ["campaign", query.campaign],
    ["territory", query.territory],
    ["sales_partner", query.sales_partner],
    ["channel", query.channel],
    ["region", query.region],
    ["customer", query.customer],
    ["customer_group", query.customer_groups ?? query.customer_group],
    ["currency", query.currency],
    ["is_return", query.is_return],
    ...Object.entries(query.attrs ?? {}),
  ];
  const told = said.flatMap(([name, value]) => conditionText(name, value));
  return new Map(
    told.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
  );
}

function inSellingUnits({ product, unit }: Line, quantities: readonly string[]): number {
  const size = product.uoms[unit];
  if (size === undefined) throw new Error(`${product.sku} is not sold in ${unit}`);
  return quantities.reduce((sum, quantity) => sum + at(times(quantity, size), 5), 0);
}

/** The rule stands in the contract's place, since that is what an answer names. */
function ruleOf(enquiry: Enquiry): string | null {
  const { found } = enquiry;
  return found.table < 0 ? null : entryOf(enquiry, found).label;
}

export interface Rung {
  readonly from: string;
  readonly unitPrice: string | null;
}

/** The breaks that the buyer sees. */
export function ladder(
  world: World,
  book: PriceBook,
  asked: { readonly product: Goods; readonly uom: string; readonly currency: string },
): Rung[] {
  const enquiry = enquiryOf(world, book, asked.product, asked.currency);
  const product = book.products.numbers.get(asked.product.sku) ?? -1;
  return ladderOf(enquiry, product, book.units.indexOf(asked.uom))
    .filter(({ price }) => price >= 0)
    .map(({ quantity, price }) => ({
      from: scaled.shortTextOf(quantity, 5),
      unitPrice: scaled.shortTextOf(price, book.policy.arithmetic.unitPrice.scale),
    }));
}

/** A book compiled from its records, and one that was changed to hold the same. */
export function booksOf(policy: Policy, records: Records, before: Records): PriceBook[] {
  const whole = compileBook(policy, records);
  const revised = reviseBook(compileBook(policy, before), {
    masters: records,
    before: rulesOnlyIn(before, records),
    after: rulesOnlyIn(records, before),
  });
  return isRefusal(revised) ? [whole] : [whole, revised];
}

function rulesOnlyIn({ rules }: Records, other: Records) {
  const held = new Set(other.rules.map((rule) => JSON.stringify(rule)));
  const changed = rules.filter((rule) => !held.has(JSON.stringify(rule)));
  return { rules: changed, promotions: [], quotations: [] };
}
