/**
 * Promotion records → offers, indexed by whom they are for and what they are on, so that a basket
 * meets only those that can matter to it.
 */
import { PRODUCT_SCOPES, CUSTOMER_SCOPES } from "../policy.ts";
import type { CustomerScope, ProductScope } from "../policy.ts";
import { divide, power, scaledOf } from "../scaled.ts";
import type { PromotionRow } from "../stage.ts";
import { placesOf } from "./totals.ts";
import type { DocumentArithmetic } from "./input.ts";

export interface Part {
  readonly scope: ProductScope;
  readonly code: string;
  /** Selling units with 5 places that a bundle takes of it. */
  readonly buy: number;
}

/** Rows of a promotion with the same terms: what they are on is one place. */
export interface Offer {
  /** Position in the set; lower is more particular within a promotion. */
  readonly index: number;
  readonly promotion: Promotion;
  readonly parts: readonly Part[];
  readonly kind: PromotionRow["kind"];
  /** Percent with 4 places where it is one, else money with 6 places; -1: none. */
  readonly value: number;
  /** Selling units with 5 places; -1: none. */
  readonly buy: number;
  readonly give: number;
  /** Product given; null: the bought one. */
  readonly given: string | null;
  /** Amount at the document's places; -1: none. */
  readonly threshold: number;
  readonly countsOver: "line" | "product" | "group" | "document";
}

/** What is said once of a promotion; of rows that differ the first by content counts. */
export interface Promotion {
  readonly promotion: string;
  readonly name: string;
  readonly code: string | null;
  /** Epoch milliseconds; the end is exclusive. */
  readonly starts: number;
  readonly ends: number;
  readonly lowers: "line" | "document";
  readonly stacks: boolean;
  readonly exclusiveGroup: string | null;
  /** Null: after all that have one. */
  readonly priority: number | null;
  readonly mostPerOrder: number;
  readonly mostUses: number;
  readonly mostUsesPerAccount: number;
  /** Amount at the document's places; Infinity: no limit. */
  readonly budget: number;
}

/** Offers for one customer, group or list. */
export interface Shelf {
  readonly byProduct: Map<string, Offer[]>;
  readonly byGroup: Map<string, Offer[]>;
  readonly everything: Offer[];
}

export interface PromotionSet {
  readonly arithmetic: DocumentArithmetic;
  readonly shelves: ReadonlyMap<string, Shelf>;
  readonly promotions: readonly Promotion[];
  /** Moments at which one starts or stops, in order. */
  readonly turns: readonly number[];
  /** Products that promotions give and a basket need not hold. */
  readonly given: readonly string[];
}

/** Compiles the promotions of a company; the caller leaves out those that are a line's price. */
export function compilePromotions(
  rows: readonly PromotionRow[],
  { arithmetic, timeZone }: { arithmetic: DocumentArithmetic; timeZone: string },
): PromotionSet {
  const places = placesOf(arithmetic);
  const sorted = rows.map((row) => ({ row, by: contentOf(row) }));
  sorted.sort((a, b) => (a.by < b.by ? -1 : 1));
  const promotions = new Map<string, Promotion>();
  const groups = new Map<string, { row: PromotionRow; rows: PromotionRow[] }>();
  for (const { row } of sorted) {
    if (!promotions.has(row.promotion))
      promotions.set(row.promotion, promotionOf(row, places, timeZone));
    const terms = termsOf(row);
    const group = groups.get(terms);
    if (group === undefined) groups.set(terms, { row, rows: [row] });
    else group.rows.push(row);
  }
  const shelves = new Map<string, Shelf>();
  let index = 0;
  for (const { row, rows: members } of groups.values()) {
    const promotion = promotions.get(row.promotion)!;
    const offer = offerOf(row, members, promotion, index, places);
    index += 1;
    shelve(shelves, row, offer);
  }
  const all = [...promotions.values()];
  const turns = all.flatMap(({ starts, ends }) => [starts, ends]).filter(Number.isFinite);
  const given = sorted.flatMap(({ row }) => row.freeProduct ?? []);
  return {
    arithmetic,
    shelves,
    promotions: all,
    turns: [...new Set(turns)].sort((a, b) => a - b),
    given: [...new Set(given)],
  };
}

/** Most particular first within a promotion, then by everything that a row says. */
function contentOf(row: PromotionRow): string {
  const customer = CUSTOMER_SCOPES.indexOf(row.customerScope);
  const product = PRODUCT_SCOPES.indexOf(row.productScope);
  const rest = Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([row.promotion, customer, product, row.productCode, rest]);
}

function termsOf(row: PromotionRow): string {
  return JSON.stringify([
    row.promotion,
    row.customerScope,
    row.customerCode,
    row.kind,
    row.value,
    row.kind === "bundle" ? null : row.buyQuantity,
    row.freeQuantity,
    row.freeProduct,
    row.thresholdValue,
    row.countsOver,
  ]);
}

export function whomKey(scope: CustomerScope, code: string): string {
  return scope === "everyone" ? "everyone" : `${scope} ${code}`;
}

function shelve(shelves: Map<string, Shelf>, row: PromotionRow, offer: Offer): void {
  const key = whomKey(row.customerScope, row.customerCode);
  const shelf = shelves.get(key) ?? {
    byProduct: new Map<string, Offer[]>(),
    byGroup: new Map<string, Offer[]>(),
    everything: [],
  };
  shelves.set(key, shelf);
  for (const { scope, code } of offer.parts) {
    if (scope === "everything") shelf.everything.push(offer);
    else {
      const by = scope === "product" ? shelf.byProduct : shelf.byGroup;
      by.set(code, [...(by.get(code) ?? []), offer]);
    }
  }
}

function promotionOf(row: PromotionRow, places: number, timeZone: string): Promotion {
  const startOf = (date: string, days: number) =>
    Temporal.PlainDate.from(date).add({ days }).toZonedDateTime({ timeZone }).epochMilliseconds;
  const at = (instant: string | null | undefined) =>
    instant === null || instant === undefined
      ? undefined
      : Temporal.Instant.from(instant).epochMilliseconds;
  return {
    promotion: row.promotion,
    name: row.name ?? row.promotion,
    code: row.code,
    starts: at(row.startsAt) ?? startOf(row.validFrom, 0),
    ends: at(row.endsAt) ?? startOf(row.validTo, 1),
    lowers: row.lowers ?? "line",
    stacks: row.stacks ?? false,
    exclusiveGroup: row.exclusiveGroup ?? null,
    priority: row.priority ?? null,
    mostPerOrder: row.mostPerOrder ?? Infinity,
    mostUses: row.mostUses ?? Infinity,
    mostUsesPerAccount: row.mostUsesPerAccount ?? Infinity,
    budget: amountOf(row.budget, places) ?? Infinity,
  };
}

function offerOf(
  row: PromotionRow,
  rows: readonly PromotionRow[],
  promotion: Promotion,
  index: number,
  places: number,
): Offer {
  const quantity = (text: string | null | undefined) =>
    text === null || text === undefined ? -1 : numberOf(text, 5, row);
  const isPercent = PERCENTS.has(row.kind);
  return {
    index,
    promotion,
    parts: rows.map((member) => ({
      scope: member.productScope,
      code: member.productCode,
      buy: Math.max(quantity(member.buyQuantity ?? "1"), 1),
    })),
    kind: row.kind,
    value: row.value === null ? -1 : numberOf(row.value, isPercent ? 4 : 6, row),
    buy: quantity(row.buyQuantity),
    give: quantity(row.freeQuantity),
    given: row.freeProduct ?? null,
    threshold: amountOf(row.thresholdValue, places) ?? -1,
    countsOver: row.countsOver ?? "line",
  };
}

const PERCENTS: ReadonlySet<PromotionRow["kind"]> = new Set(["percent", "threshold", "buy-get"]);

function numberOf(text: string, places: number, row: PromotionRow): number {
  const value = scaledOf(text, places);
  if (value === undefined)
    throw new RangeError(
      `promotion ${row.promotion} has the figure ${text}; expected at most ${places} places and 15 digits`,
    );
  return value;
}

/** An amount of money at the document's places. */
function amountOf(text: string | null | undefined, places: number): number | undefined {
  if (text === null || text === undefined) return undefined;
  const value = scaledOf(text, 6);
  return value === undefined ? undefined : moneyAt(value, places);
}

/** Money with 6 places at the document's. */
export function moneyAt(value: number, places: number): number {
  return divide(value, power(6 - places), "half-away");
}
