/**
 * Products, their groups, and what is known of them beside
 * the ERP's columns: price level and usual quantities.
 */
import { isoOf, weekdayOf } from "./calendar.ts";
import { CATALOGUE, FRACTIONAL_UNITS, type Family } from "./catalogue.ts";
import { decimalText, priceText } from "./figures.ts";
import { at, randomOf, type Random } from "./random.ts";
import type { Scope } from "./scope.ts";

export interface ProductGroup {
  readonly productGroup: string;
  readonly name: string;
  readonly parent: string | null;
}

export interface Product {
  readonly product: string;
  readonly name: string;
  readonly description: string | null;
  readonly productGroup: string;
  readonly barcode: string | null;
  readonly sellingUnit: string;
  readonly pricingUnit: string;
  readonly sellingUnitsPerPricingUnit: string;
  readonly packQuantity: string;
  readonly vatCode: string;
  readonly standardCost: string;
  readonly weightKg: string | null;
  readonly state: "active" | "blocked" | "discontinued";
  readonly soldOnWeb: boolean;
  readonly leastQuantity: string | null;
  readonly multipleQuantity: string | null;
  readonly replacedBy: string | null;
}

export interface Stock {
  readonly product: string;
  readonly branch: string;
  readonly onHandQuantity: string;
  readonly allocatedQuantity: string;
  readonly onOrderQuantity: string;
  readonly nextDueOn: string | null;
  readonly countedAt: string | null;
}

/** What buyers and sellers know of a product and no export file says. */
export interface Demand {
  /** Usual price per pricing unit in 1/10,000 pound. */
  readonly price4: number;
  /** Usual quantities on a line: least, most and step in thousandths of a selling unit. */
  readonly quantity3: readonly [least: number, most: number, step: number];
}

export interface Range {
  readonly productGroups: readonly ProductGroup[];
  readonly products: readonly Product[];
  /** By the same index as `products`. */
  readonly demand: readonly Demand[];
  /** Indexes of products by group. */
  readonly byGroup: ReadonlyMap<string, readonly number[]>;
}

export function rangeOf(scope: Scope): Range {
  const shares = allot(
    scope.products,
    CATALOGUE.families.map((family) => combinations(family)),
  );
  const made = CATALOGUE.families.flatMap((family, i) =>
    Array.from({ length: at(shares, i) }, (_, n) =>
      makeProduct(scope, family, { family: i, number: n, of: at(shares, i) }),
    ),
  );
  const products = withSuccessors(made.map((one) => one.product));
  const byGroup = new Map<string, number[]>();
  products.forEach(({ productGroup }, i) => {
    byGroup.set(productGroup, [...(byGroup.get(productGroup) ?? []), i]);
  });
  const productGroups = CATALOGUE.groups.map(({ code, name, parent }) => {
    return { productGroup: code, name, parent };
  });
  return { productGroups, products, demand: made.map((one) => one.demand), byGroup };
}

/** Deals `total` out: one each, the rest by weight; what rounding leaves goes to the first ones. */
function allot(total: number, weights: readonly number[]): readonly number[] {
  const sum = weights.reduce((left, right) => left + right, 0);
  const shared = total - weights.length;
  const shares = weights.map((weight) => 1 + Math.floor((shared * weight) / sum));
  for (let i = 0, rest = total - shares.reduce((a, b) => a + b, 0); rest > 0; i += 1, rest -= 1) {
    shares[i % shares.length] = at(shares, i % shares.length) + 1;
  }
  return shares;
}

function combinations(family: Family): number {
  return family.axes.reduce((product, axis) => product * axis.length, 1);
}

const BLOCKED_FAMILY = 5;

interface Place {
  readonly family: number;
  readonly number: number;
  readonly of: number;
}

function makeProduct(scope: Scope, family: Family, place: Place) {
  const random = randomOf(scope.seed, "product", place.family, place.number);
  const possible = combinations(family);
  const series = Math.floor(place.number / possible);
  // Fewer than possible: spread over all of them, so that a small range has large sizes too.
  const combination =
    place.of < possible
      ? Math.floor((place.number * possible) / place.of)
      : place.number % possible;
  const name = nameOf(family, combination) + (series === 0 ? "" : `, series ${series + 1}`);
  const [least, most] = family.price;
  const pence = least + ((most - least) * combination) / possible;
  const price4 = Math.max(100, Math.round(pence * (0.9 + random.next() * 0.2)) * 100);
  const code = codeOf(family, place);
  const described = describe(family, { code, name, price4, random });
  // Even a small range has a product that is blocked.
  const state = place.family === BLOCKED_FAMILY && place.number === 0 ? "blocked" : described.state;
  return {
    product: { ...described, state },
    demand: { price4, quantity3: quantity3(family) },
  };
}

function nameOf(family: Family, combination: number): string {
  let rest = combination;
  let name = family.name;
  for (const [i, axis] of [...family.axes.entries()].toReversed()) {
    name = name.replace(`{${i}}`, at(axis, rest % axis.length));
    rest = Math.floor(rest / axis.length);
  }
  return name;
}

/** Codes as three generations of buyers made them up: letters, leading zeros, slashes. */
function codeOf({ group }: Family, { family, number }: Place): string {
  const serial = String(number + 1).padStart(4, "0");
  const shelf = String(family).padStart(2, "0");
  if (group.startsWith("FIX")) return `0${shelf}${serial}`;
  if (group.startsWith("PLB")) return `${group.slice(4)}/${shelf}-${serial}`;
  return `${group.replace("-", "")}${shelf}${serial}`;
}

function quantity3(family: Family): Demand["quantity3"] {
  const [least, most, step] = family.quantity;
  if (FRACTIONAL_UNITS.includes(family.unit ?? "EACH")) return [least, most, step];
  return [least * 1000, most * 1000, step * 1000];
}

interface Draft {
  readonly code: string;
  readonly name: string;
  readonly price4: number;
  readonly random: Random;
}

function describe(family: Family, { code, name, price4, random }: Draft): Product {
  const unit = family.unit ?? "EACH";
  const [, , step] = quantity3(family);
  const sellsInSteps = step > 1000 && random.chance(0.5);
  return {
    product: code,
    name,
    description: random.chance(0.15)
      ? `${name}.\nCollect today, or next working day on our own van; "no quibble" returns.`
      : null,
    productGroup: family.group,
    barcode: random.chance(0.6) ? `50${random.whole(10_000_000_000, 99_999_999_999)}` : null,
    sellingUnit: unit,
    pricingUnit: family.per?.unit ?? unit,
    sellingUnitsPerPricingUnit: String(family.per?.sellingUnits ?? 1),
    packQuantity: String(family.pack ?? 1),
    vatCode: family.vatCode ?? "STANDARD",
    standardCost: priceText(Math.round((price4 * random.whole(52, 68)) / 100)),
    weightKg: random.chance(0.7) ? decimalText(random.whole(5, 40_000), 3) : null,
    state: random.weighted([
      ["active", 96],
      ["discontinued", 3],
      ["blocked", 1],
    ]),
    soldOnWeb: !random.chance(0.04),
    leastQuantity: sellsInSteps ? decimalText(step, 3) : null,
    multipleQuantity: sellsInSteps ? decimalText(step, 3) : null,
    replacedBy: null,
  };
}

/** Every other discontinued product names the next one of its group as its successor. */
function withSuccessors(products: readonly Product[]): readonly Product[] {
  return products.map((product, i) => {
    const next = products[i + 1];
    const replaced =
      product.state === "discontinued" &&
      i % 2 === 0 &&
      next?.state === "active" &&
      next.productGroup === product.productGroup;
    return replaced ? { ...product, replacedBy: next.product } : product;
  });
}

/**
 * Stock as last counted, on Monday morning. Each product
 * lies in the first branch and in some of the others.
 */
export function* stockOn(
  scope: Scope,
  range: Range,
  branches: readonly string[],
  day: number,
): Generator<Stock> {
  const week = day - weekdayOf(day);
  for (const [i, { product }] of range.products.entries()) {
    const random = randomOf(scope.seed, "stock", product, week);
    const stocked = randomOf(scope.seed, "stocked", product);
    const [, most, step] = at(range.demand, i).quantity3;
    const some = () => Math.ceil((random.next() * most * 3) / step) * step;
    for (const [b, branch] of branches.entries()) {
      if (b > 0 && !stocked.chance(0.35)) continue;
      const due = random.chance(0.2);
      yield {
        product,
        branch,
        onHandQuantity: decimalText(random.chance(0.06) ? 0 : some(), 3),
        allocatedQuantity: decimalText(random.chance(0.3) ? step : 0, 3),
        onOrderQuantity: decimalText(due ? some() : 0, 3),
        nextDueOn: due ? isoOf(week + random.whole(7, 40)) : null,
        countedAt: `${isoOf(week)}T05:30:00Z`,
      };
    }
  }
}
