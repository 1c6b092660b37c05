/**
 * Which customers pay another price for which products in one book than in another. Exact: every
 * price is resolved in both, at every quantity from which either may be another one. Quick: only
 * the places whose rules changed are looked at, and customers who can reach the same rules are
 * priced once.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { enquire, isProblem } from "./ask.ts";
import { priceLine, scaled } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";
import { productsOf, reaches } from "./places.ts";

/** Whom and what a changed rule is for. */
export interface ChangedPlace {
  readonly customerScope: string;
  readonly customerCode: string | null;
  readonly productScope: string;
  readonly productCode: string | null;
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
  /** False: there are more pairs than were to be looked at, and the counts are of those only. */
  readonly whole: boolean;
  /** The largest, in percent; as many as were asked for. */
  readonly changes: readonly EffectiveChange[];
}

export interface ComparisonOptions {
  /** Dates or moments of the prices, ISO. */
  readonly onBefore: string;
  readonly onAfter: string;
  readonly places: readonly ChangedPlace[];
  /** How many changes are listed. */
  readonly most?: number;
  /** At most so many pairs are priced; absent: all. */
  readonly mostPriced?: number;
}

export function compareBooks(
  before: PriceBook,
  after: PriceBook,
  options: ComparisonOptions,
): BookComparison {
  const comparing = compared(before, after, options);
  for (;;) {
    const { done, value } = comparing.next();
    if (done === true) return value;
  }
}

const BREATH_MS = 8;

/** The same, letting others work in between: nothing here may hold up an answer. */
export async function compareGently(
  before: PriceBook,
  after: PriceBook,
  options: ComparisonOptions,
): Promise<BookComparison> {
  const comparing = compared(before, after, options);
  for (let since = performance.now(); ;) {
    const { done, value } = comparing.next();
    if (done === true) return value;
    if (performance.now() - since < BREATH_MS) continue;
    await breathe();
    since = performance.now();
  }
}

function* compared(
  before: PriceBook,
  after: PriceBook,
  options: ComparisonOptions,
): Generator<undefined, BookComparison> {
  const { most = 20, mostPriced = Infinity, places } = options;
  const found = emptyFound();
  const touched = touchedBy(before, after, places);
  let priced = 0;
  let whole = true;
  for (const group of groupsOf(before, after, options)) {
    yield;
    for (const code of touched(group.enquiries)) {
      if (priced >= mostPriced) {
        whole = false;
        break;
      }
      priced += 1;
      if (priced % 500 === 0) yield;
      comparePair(found, group, code, most);
    }
  }
  const { counts, customers, products, changes } = found;
  return {
    customers: customers.size,
    products: products.size,
    ...counts,
    whole,
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
function reachOf({ shelves, base, lists, currency, discount }: Enquiry): string {
  const places = [...shelves, base].map((step) =>
    step.map(({ start, size, list }) => `${start}:${size}:${list}`).join(","),
  );
  return `${currency} ${discount} ${places.join(";")} ${JSON.stringify(lists)}`;
}

/** Products, as codes. */
type Touched = ReadonlySet<string>;

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
  const codes = new Set<string>();
  for (const place of places)
    for (const book of [before, after])
      for (const product of productsOf(book, place)) codes.add(book.products.codes[product] ?? "");
  return codes;
}

function comparePair(found: Compared, group: Group, code: string, most: number): void {
  const [one, other] = group.enquiries;
  found.counts.looked += group.accounts.length;
  let largest: EffectiveChange | null = null;
  for (const quantity of quantitiesOf(one, other, code)) {
    const before = priceIn(one, code, quantity);
    const after = priceIn(other, code, quantity);
    if (before === after) continue;
    const change = changeOf(group, code, quantity, before, after);
    if (largest === null || sizeOf(change) > sizeOf(largest)) largest = change;
  }
  if (largest !== null) count(found, group, largest, most);
}

/** One selling unit. */
const ONE = 100_000;
/** More breaks than any price list has. */
const MOST_BREAKS = 500;

/** One, and every quantity at which a rule of either book starts or stops. */
function quantitiesOf(one: Enquiry, other: Enquiry, code: string): ReadonlySet<number> {
  const quantities = new Set([ONE]);
  for (const enquiry of [one, other]) {
    const { book, found } = enquiry;
    const product = book.products.numbers.get(code);
    if (product === undefined) continue;
    let quantity = 1;
    for (let looked = 0; looked < MOST_BREAKS; looked += 1) {
      priceLine(enquiry, product, quantity);
      if (found.stepUp === Infinity) break;
      quantity = found.stepUp;
      quantities.add(quantity);
      // Then less than one is not what one is.
      if (quantity <= ONE) quantities.add(1);
      // A price of several bands is only another one some way into its band.
      if (book.policy.breaks === "incremental") quantities.add(quantity + 100 * ONE);
    }
  }
  return quantities;
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
