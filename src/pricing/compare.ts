/**
 * Which customers pay another price for which products in one book than in another. Exact: every
 * price is resolved in both. Quick: only the places whose rules changed are looked at, and
 * customers who can reach the same rules are priced once.
 */
import { enquire, isProblem } from "./ask.ts";
import { priceLine, scaled } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import { productsOf, reaches } from "./places.ts";

/** Whom and what a changed rule is for, and from which quantity. */
export interface ChangedPlace {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string | null;
  readonly fromQuantity: string;
}

/** A price that is another one; null: there is none. */
export interface EffectiveChange {
  /** One of the customers that it is so for. */
  readonly account: string;
  /** How many customers it is so for. */
  readonly accounts: number;
  readonly product: string;
  readonly quantity: string;
  readonly before: string | null;
  readonly after: string | null;
  /** 4.25 is dearer; null: cannot be told. */
  readonly percent: string | null;
}

export interface BookComparison {
  /** How many customers and products have another price, and how many pairs of them. */
  readonly customers: number;
  readonly products: number;
  readonly pairs: number;
  readonly up: number;
  readonly down: number;
  /** Priced in one book only. */
  readonly otherwise: number;
  /** How many pairs were looked at. */
  readonly looked: number;
  /** The largest, in percent; as many as were asked for. */
  readonly changes: readonly EffectiveChange[];
}

export interface ComparisonOptions {
  /** Dates of the prices, ISO: a round is compared by the day before and the day of its start. */
  readonly onBefore: string;
  readonly onAfter: string;
  readonly places: readonly ChangedPlace[];
  readonly most?: number;
}

export function compareBooks(
  before: PriceBook,
  after: PriceBook,
  options: ComparisonOptions,
): BookComparison {
  const { most = 20, places } = options;
  const found = emptyFound();
  const touched = touchedBy(before, after, places);
  for (const group of groupsOf(before, after, options))
    compareGroup(found, group, touched(group.enquiries), most);
  const { counts, customers, products, changes } = found;
  return {
    customers: customers.size,
    products: products.size,
    ...counts,
    changes: changes.toSorted(bySize).slice(0, most),
  };
}

interface Counts {
  pairs: number;
  up: number;
  down: number;
  otherwise: number;
  looked: number;
}

interface Compared {
  readonly customers: Set<string>;
  readonly products: Set<string>;
  readonly counts: Counts;
  changes: EffectiveChange[];
}

const emptyFound = (): Compared => ({
  customers: new Set(),
  products: new Set(),
  counts: { pairs: 0, up: 0, down: 0, otherwise: 0, looked: 0 },
  changes: [],
});

/** Accounts that reach the same rules on the same terms in both books: one price for them all. */
interface Group {
  readonly accounts: readonly string[];
  readonly enquiries: readonly [Enquiry, Enquiry];
}

function groupsOf(
  before: PriceBook,
  after: PriceBook,
  { onBefore, onAfter }: ComparisonOptions,
): readonly Group[] {
  const groups = new Map<string, { accounts: string[]; enquiries: readonly [Enquiry, Enquiry] }>();
  for (const account of after.accounts.codes) {
    const one = enquire(before, { account, on: onBefore }, 0);
    const other = enquire(after, { account, on: onAfter }, 0);
    if (isProblem(one) || isProblem(other)) continue;
    const key = `${reachOf(one)}|${reachOf(other)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { accounts: [account], enquiries: [one, other] });
    else group.accounts.push(account);
  }
  return [...groups.values()];
}

/** Everything that the price of a product can hang on: which rules, off what, in which currency. */
function reachOf({ shelves, base, currency, discount }: Enquiry): string {
  const places = [...shelves, base].map((step) =>
    step.map(({ start, size }) => `${start}:${size}`).join(","),
  );
  return `${currency} ${discount} ${places.join(";")}`;
}

/** Products, as codes, with the quantities to look at. */
type Touched = ReadonlyMap<string, readonly number[]>;

/** One selling unit. */
const ONE = 100_000;

/** What to look at for a group: worked out once for all that the same changed rules reach. */
function touchedBy(
  before: PriceBook,
  after: PriceBook,
  places: readonly ChangedPlace[],
): (enquiries: Group["enquiries"]) => Touched {
  const parties = [
    ...Map.groupBy(places, ({ customerScope, customerCode }) =>
      [customerScope, customerCode ?? ""].join("\n"),
    ).values(),
  ];
  const known = new Map<string, Touched>();
  return (enquiries) => {
    const reached = parties.filter(([first]) => first !== undefined && isFor(first, enquiries));
    const key = reached.map((party) => parties.indexOf(party)).join(" ");
    const found = known.get(key) ?? productsIn(before, after, reached.flat());
    known.set(key, found);
    return found;
  };
}

function isFor(
  { customerScope, customerCode }: ChangedPlace,
  enquiries: Group["enquiries"],
): boolean {
  return enquiries.some((enquiry) => reaches(enquiry, customerScope, customerCode));
}

function productsIn(before: PriceBook, after: PriceBook, places: readonly ChangedPlace[]): Touched {
  const quantities = new Map<string, number[]>();
  for (const place of places) {
    const from = scaled.scaledOf(place.fromQuantity, 5) ?? 0;
    for (const book of [before, after])
      for (const product of productsOf(book, place)) {
        const code = book.products.codes[product] ?? "";
        const known = quantities.get(code);
        if (known === undefined) quantities.set(code, from > ONE ? [ONE, from] : [ONE]);
        else if (from > ONE && !known.includes(from)) known.push(from);
      }
  }
  return quantities;
}

function compareGroup(found: Compared, group: Group, touched: Touched, most: number): void {
  const [one, other] = group.enquiries;
  const members = group.accounts.length;
  for (const [code, quantities] of touched) {
    found.counts.looked += members;
    let largest: EffectiveChange | null = null;
    for (const quantity of quantities) {
      const before = priceIn(one, code, quantity);
      const after = priceIn(other, code, quantity);
      if (before === after) continue;
      const change = changeOf(group, code, quantity, before, after);
      if (largest === null || sizeOf(change) > sizeOf(largest)) largest = change;
    }
    if (largest !== null) count(found, group, largest, most);
  }
}

function count(found: Compared, group: Group, change: EffectiveChange, most: number): void {
  const { counts } = found;
  const members = group.accounts.length;
  for (const account of group.accounts) found.customers.add(account);
  found.products.add(change.product);
  counts.pairs += members;
  if (change.percent === null) counts.otherwise += members;
  else if (change.percent.startsWith("-")) counts.down += members;
  else counts.up += members;
  found.changes.push(change);
  // Kept short as it grows; what falls out is smaller than all that stays.
  if (found.changes.length > 4 * most + 100)
    found.changes = found.changes.toSorted(bySize).slice(0, most);
}

/** Shortest decimal text; null: no price. */
function priceIn(enquiry: Enquiry, code: string, quantity: number): string | null {
  const { book } = enquiry;
  const product = book.products.numbers.get(code);
  if (product === undefined) return null;
  const { price, doubt } = priceLine(enquiry, product, quantity);
  return doubt !== null || price < 0
    ? null
    : scaled.textOf(price, book.policy.arithmetic.unitPrice.scale);
}

function changeOf(
  { accounts }: Group,
  product: string,
  quantity: number,
  before: string | null,
  after: string | null,
): EffectiveChange {
  const was = Number(before ?? "0");
  const percent =
    before === null || after === null || was === 0
      ? null
      : (((Number(after) - was) * 100) / was).toFixed(2);
  return {
    account: accounts[0] ?? "",
    accounts: accounts.length,
    product,
    quantity: scaled.shortTextOf(quantity, 5),
    before,
    after,
    percent,
  };
}

/** A price that comes or goes is shown before all others. */
function sizeOf({ percent }: EffectiveChange): number {
  return percent === null ? Infinity : Math.abs(Number(percent));
}

function bySize(left: EffectiveChange, right: EffectiveChange): number {
  const bySizes = sizeOf(right) === sizeOf(left) ? 0 : sizeOf(right) - sizeOf(left);
  return (
    bySizes ||
    (left.account < right.account ? -1 : Number(left.account > right.account)) ||
    (left.product < right.product ? -1 : Number(left.product > right.product))
  );
}
