/**
 * Prices a line by its plan: what `resolve.ts` does for every policy, for the lines that need
 * little of it. It answers the same or not at all: whatever a plan cannot tell is left to the
 * general way. Allocates nothing; what it finds on the way is in two small arrays.
 */
import * as layout from "./book.ts";
import type { Enquiry, Found, Line } from "./enquiry.ts";
import * as facts from "./facts.ts";
import * as holds from "./holding.ts";
import { isOpen } from "./lists.ts";
import * as marks from "./marks.ts";
import * as plan from "./plan.ts";
import { workOutAmounts } from "./amounts.ts";
import { divide } from "./scaled.ts";

// Constants of this file cost nothing where those of another are loaded each time.
const P_APART = plan.APART;
const P_AT = plan.AT;
const P_BIT = plan.BIT;
const P_DISCOUNT = plan.DISCOUNT;
const P_HEAD = plan.HEAD;
const P_KEYED_BY = plan.KEYED_BY;
const P_LEAVES_FIXED = plan.LEAVES_FIXED;
const P_LIST = plan.LIST;
const P_OFFERS = plan.OFFERS;
const P_OFFERS_ANY = plan.OFFERS_ANY;
const P_OFFERS_NET = plan.OFFERS_NET;
const P_OFFERS_NONE = plan.OFFERS_NONE;
const P_SHELF = plan.SHELF;
const P_SHELVES = plan.SHELVES;
const P_SIZE = plan.SIZE;
const P_START = plan.START;
const P_STEP = plan.STEP;
const P_STOPS = plan.STOPS;
const P_SUBJECT = plan.SUBJECT;
const P_TABLE = plan.TABLE;
const LAST = layout.LAST;
const RULE = layout.RULE;
const SEVERAL = layout.SEVERAL;
const TERMS = layout.TERMS;
const FACTS = facts.FACTS;
const GROUP = facts.GROUP;
const VAT_CODE = facts.VAT_CODE;
const SELLING_UNIT = facts.SELLING_UNIT;
const PRICING_UNIT = facts.PRICING_UNIT;
const PER_PRICING_UNIT = facts.PER_PRICING_UNIT;
const LEAST = holds.LEAST;
const MOST = holds.MOST;
const NEXT = holds.NEXT;
const SPAN = holds.SPAN;
const QUICK_NET = marks.QUICK_NET;
const QUICK_NOT = marks.QUICK_NOT;
const QUICK_PLAIN = marks.QUICK_PLAIN;

/** Numbers with decimals or beyond 32 bits. */
const far = new Float64Array(5);
const UNTIL = 0;
const STEP_UP = 1;
const PRICE = 2;
const COUNTED = 3;
const PERCENT_DIVISOR = 4;

/** The best so far, then the base price. */
const near = new Int32Array(16);
const AT = 0;
const BEST = 1;
const BASE = 7;
const TABLE = 0;
const SUBJECT = 1;
const KEY = 2;
const VALUE = 3;
const WORD = 4;
const ENTRY = 5;
/** What was found of the base price. */
const BASE_IS = 13;
/** Position of the step of the best. */
const BEST_AT = 14;
const NOT_ASKED = -2;
const NO_BASE = -1;
const FOUND = 0;

/** Beyond it a product of two numbers is not exact. */
const EXACT = 2 ** 52;
const WHOLE = 1_000_000;

/** The bit of no step: what is looked for is the base price. */
const FOR_BASE = 0;

/** True: the plan of the enquiry told the answer; false: nothing was changed that counts. */
export function priceQuickly(
  enquiry: Enquiry,
  product: number,
  quantity: number,
  unit: number,
  pooled: number,
): boolean {
  const { line, found } = enquiry;
  const { facts: of } = enquiry.holding;
  const fact = product * FACTS;
  const sellingUnit = of[fact + SELLING_UNIT]!;
  const perUnit = of[fact + PER_PRICING_UNIT]!;
  if (perUnit < 0 || (unit >= 0 && unit !== sellingUnit)) return false;
  const counted = pooled < 0 ? quantity : pooled;
  if (!priceByPlan(enquiry, product, counted)) return false;
  const priceUnit = of[fact + PRICING_UNIT]!;
  if (!line.quick) {
    clearLine(line);
    line.plain = true;
    line.quick = true;
  }
  line.product = product;
  line.unit = sellingUnit;
  line.priceUnit = priceUnit;
  line.perUnit = perUnit;
  line.quantity = quantity;
  line.counted = counted;
  line.netQuantity = quantity;
  line.netPer = perUnit;
  found.unit = priceUnit;
  found.perUnit = perUnit;
  workOutAmounts(enquiry, of[fact + VAT_CODE]!);
  return true;
}

/** What the line before left behind. */
export function clearLine(line: Line): void {
  line.gave = 0;
  line.tied = false;
  line.pooling = false;
  line.running = null;
  line.openLists = null;
  line.forBase = false;
  line.depth = 0;
  line.shadow = false;
  line.shaded = null;
}

/** True: `enquiry.found` has unit price and what gave it; false: nothing was changed. */
function priceByPlan(enquiry: Enquiry, product: number, counted: number): boolean {
  const steps = enquiry.plan;
  if (steps === null) return false;
  const { amounts } = enquiry.book.program;
  far[UNTIL] = Infinity;
  far[STEP_UP] = Infinity;
  far[PRICE] = -1;
  far[COUNTED] = counted;
  far[PERCENT_DIVISOR] = WHOLE / amounts.plainFactor;
  near[BASE_IS] = NOT_ASKED;
  const end = steps.length;
  for (let at = steps[0]!; at < end;) {
    const count = steps[at + P_SHELVES]!;
    const bit = steps[at + P_BIT]!;
    let shelf = at + P_STEP;
    near[AT] = steps[at + P_AT]!;
    for (let left = count; left > 0; left -= 1) {
      if (!searchShelf(enquiry, steps, shelf, product, bit)) return false;
      shelf += P_SHELF;
    }
    if (steps[at + P_OFFERS] !== P_OFFERS_NONE) {
      if (!offerBase(enquiry, steps, product, steps[at + P_OFFERS]!)) return false;
    } else if (steps[at + P_DISCOUNT] !== 0)
      if (!offerDiscount(enquiry, steps, product, steps[at + P_DISCOUNT]!)) return false;
    if (far[PRICE] >= 0 && steps[at + P_STOPS] === 1) break;
    at = shelf;
  }
  put(enquiry.found);
  return true;
}

function searchShelf(
  enquiry: Enquiry,
  steps: Int32Array,
  shelf: number,
  product: number,
  bit: number,
): boolean {
  const keyedBy = steps[shelf + P_KEYED_BY]!;
  if (keyedBy === 0) return searchCell(enquiry, steps, shelf, product, product, bit);
  if (keyedBy === 2) return searchCell(enquiry, steps, shelf, 0, product, bit);
  const { book, holding } = enquiry;
  let group = holding.facts[product * FACTS + GROUP]!;
  while (group >= 0) {
    if (!searchCell(enquiry, steps, shelf, group, product, bit)) return false;
    if (book.policy.productGroups === "own") return true;
    group = book.groups.parent[group]!;
  }
  return true;
}

function searchCell(
  enquiry: Enquiry,
  steps: Int32Array,
  shelf: number,
  key: number,
  product: number,
  bit: number,
): boolean {
  const { cells, several } = enquiry.book;
  const at = cellOf(cells, steps[shelf + P_START]!, steps[shelf + P_SIZE]!, key);
  if (at < 0) return true;
  const word = cells[at + 1]!;
  if ((word & SEVERAL) === 0)
    return weigh(enquiry, steps, shelf, key, product, bit, cells[at]!, word, -1) >= 0;
  const { spans } = enquiry.holding;
  const counted = far[COUNTED]!;
  let taken = 0;
  for (let entry = cells[at]!; ; entry += 2) {
    const each = several[entry + 1]!;
    if ((each & RULE) !== 0) taken = 0;
    if (taken === 0) {
      const least = spans[(each & TERMS) * SPAN + LEAST]!;
      if (counted < least) {
        if (least < far[STEP_UP]!) far[STEP_UP] = least;
      } else {
        taken = weigh(enquiry, steps, shelf, key, product, bit, several[entry]!, each, entry);
        if (taken < 0) return false;
      }
    }
    if ((each & LAST) !== 0) return true;
  }
}

function cellOf(cells: Int32Array, start: number, size: number, key: number): number {
  if (size < 0) {
    const at = start + key * 2;
    return cells[at + 1] === 0 ? -1 : at;
  }
  let slot = layout.homeOf(key, size);
  for (;;) {
    const at = start + slot * 3;
    if (cells[at + 2] === 0) return -1;
    if (cells[at] === key) return at + 1;
    slot = slot + 1 === size ? 0 : slot + 1;
  }
}

/** 1: it holds, so that its rule's lower breaks do not; 0: it does not; -1: a plan cannot tell. */
function weigh(
  enquiry: Enquiry,
  steps: Int32Array,
  shelf: number,
  key: number,
  product: number,
  bit: number,
  value: number,
  word: number,
  entry: number,
): number {
  const { holding } = enquiry;
  const { spans, quick } = holding;
  const row = word & TERMS;
  const span = row * SPAN;
  const counted = far[COUNTED]!;
  const least = spans[span + LEAST]!;
  if (counted < least) {
    if (least < far[STEP_UP]!) far[STEP_UP] = least;
    return 0;
  }
  const most = spans[span + MOST]!;
  if (counted > most) return 0;
  if (most < far[STEP_UP]!) far[STEP_UP] = most + 1;
  const next = spans[span + NEXT]!;
  if (next < far[UNTIL]!) far[UNTIL] = next;
  const bits = quick![row]!;
  if (bits >= 0) return 0;
  if ((bits & QUICK_NOT) !== 0 || steps[shelf + P_APART] === 1) return -1;
  if (bit === FOR_BASE) {
    if ((bits & QUICK_PLAIN) === 0) return 1;
    if (value < 0) return -1;
    if (near[BASE_IS] !== FOUND || value < near[BASE + VALUE]!) {
      near[BASE_IS] = FOUND;
      keep(BASE, steps, shelf, key, value, word, entry);
    }
    return 1;
  }
  if ((bits & bit) === 0) return 1;
  if ((bits & QUICK_PLAIN) !== 0) {
    if (steps[shelf + P_LEAVES_FIXED] === 1) return 1;
    if (value < 0) return -1;
    const price = value * enquiry.plainFactor;
    if (far[PRICE]! < 0 || price < far[PRICE]!) {
      far[PRICE] = price;
      keep(BEST, steps, shelf, key, value, word, entry);
    }
    return 1;
  }
  if (!findBase(enquiry, steps, product)) return -1;
  if (near[BASE_IS] !== FOUND) return 1;
  const price = lessPercent(enquiry, value);
  if (price < 0) return -1;
  if (far[PRICE]! < 0 || price < far[PRICE]!) {
    far[PRICE] = price;
    keep(BEST, steps, shelf, key, value, word, entry);
  }
  return 1;
}

function keep(
  to: number,
  steps: Int32Array,
  shelf: number,
  key: number,
  value: number,
  word: number,
  entry: number,
): void {
  near[to + TABLE] = steps[shelf + P_TABLE]!;
  near[to + SUBJECT] = steps[shelf + P_SUBJECT]!;
  near[to + KEY] = key;
  near[to + VALUE] = value;
  near[to + WORD] = word;
  near[to + ENTRY] = entry;
  if (to === BEST) near[BEST_AT] = near[AT]!;
}

/** Whether a plan can tell the base price; it is looked up once a line. */
function findBase(enquiry: Enquiry, steps: Int32Array, product: number): boolean {
  if (near[BASE_IS] !== NOT_ASKED) return true;
  near[BASE_IS] = NO_BASE;
  let shelf = P_HEAD;
  for (let left = steps[1]!; left > 0; left -= 1) {
    if (steps[shelf + P_LIST]! <= 0 || isOpenTo(enquiry, steps[shelf + P_LIST]!, product)) {
      if (!searchShelf(enquiry, steps, shelf, product, FOR_BASE)) return false;
      if (near[BASE_IS] === FOUND) return true;
    }
    shelf += P_SHELF;
  }
  return true;
}

/** Few accounts have several lists: their answer may allocate. */
function isOpenTo(enquiry: Enquiry, list: number, product: number): boolean {
  const { line } = enquiry;
  line.product = product;
  line.openLists = null;
  const is = isOpen(enquiry, list);
  line.openLists = null;
  return is;
}

function offerBase(enquiry: Enquiry, steps: Int32Array, product: number, offers: number): boolean {
  if (!findBase(enquiry, steps, product)) return false;
  if (near[BASE_IS] !== FOUND) return true;
  if (offers !== P_OFFERS_ANY) {
    const isNet = (enquiry.holding.quick![near[BASE + WORD]! & TERMS]! & QUICK_NET) !== 0;
    if (isNet !== (offers === P_OFFERS_NET)) return true;
  }
  const price = near[BASE + VALUE]! * enquiry.plainFactor;
  if (far[PRICE]! >= 0 && far[PRICE]! <= price) return true;
  far[PRICE] = price;
  near.copyWithin(BEST, BASE, BASE + ENTRY + 1);
  near[BEST_AT] = near[AT]!;
  return true;
}

function offerDiscount(
  enquiry: Enquiry,
  steps: Int32Array,
  product: number,
  discount: number,
): boolean {
  if (!findBase(enquiry, steps, product)) return false;
  if (near[BASE_IS] !== FOUND) return true;
  const price = lessPercent(enquiry, discount);
  if (price < 0) return false;
  if (far[PRICE]! >= 0 && far[PRICE]! <= price) return true;
  far[PRICE] = price;
  near[BEST + TABLE] = -1;
  near[BEST + SUBJECT] = -1;
  near[BEST + KEY] = -1;
  near[BEST + VALUE] = discount;
  near[BEST + WORD] = 0;
  near[BEST + ENTRY] = -1;
  near[BEST_AT] = near[AT]!;
  return true;
}

/** The base price less a percent with 4 places; below 0: not for a plan to tell. */
function lessPercent({ book }: Enquiry, percent: number): number {
  const product = near[BASE + VALUE]! * (WHOLE - percent);
  if (!(product >= 0 && product <= EXACT)) return -1;
  return divide(product, far[PERCENT_DIVISOR]!, book.policy.arithmetic.unitPrice.mode);
}

function put(found: Found): void {
  const price = far[PRICE]!;
  const has = price >= 0;
  found.price = price;
  found.step = has ? near[BEST_AT]! : -1;
  found.table = has ? near[BEST + TABLE]! : -1;
  found.subject = has ? near[BEST + SUBJECT]! : -1;
  found.key = has ? near[BEST + KEY]! : -1;
  found.value = has ? near[BEST + VALUE]! : 0;
  found.word = has ? near[BEST + WORD]! : 0;
  found.entry = has ? near[BEST + ENTRY]! : -1;
  found.links = null;
  found.until = far[UNTIL]!;
  found.stepUp = far[STEP_UP]!;
  found.doubt = null;
  found.doubtLabel = -1;
  found.basketLabel = -1;
  found.base = near[BASE_IS]!;
  if (near[BASE_IS] !== FOUND) return;
  found.base = near[BASE + VALUE]! * 100;
  found.baseTable = near[BASE + TABLE]!;
  found.baseSubject = near[BASE + SUBJECT]!;
  found.baseKey = near[BASE + KEY]!;
  found.baseValue = near[BASE + VALUE]!;
  found.baseWord = near[BASE + WORD]!;
  found.baseEntry = near[BASE + ENTRY]!;
  found.basePlain = true;
}
