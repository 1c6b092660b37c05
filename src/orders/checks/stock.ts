/** What the stock lets us promise, line by line, and what is short of it. Pure. */
import { decimal, type WebOrderLine } from "../../model/index.ts";
import type { Checking } from "../checks.ts";
import type { StockFact } from "../surroundings.ts";
import { dayText, quantityText } from "../words.ts";

/** In selling units. */
export interface LinePromise {
  /** Free for this line, once other web orders and its earlier lines have theirs; never below 0. */
  readonly free: string;
  /** Of the line, not there now. */
  readonly short: string;
  /** When what is on order covers it: today's date when nothing is short; null: nobody knows. */
  readonly availableOn: string | null;
}

/** One for each line of the order, goods given included. */
export function checkStock(
  { facts, today, note, request }: Checking,
  lines: readonly WebOrderLine[],
): (LinePromise | null)[] {
  const taken = new Map<string, decimal.Quantity>();
  return lines.map((line, index) => {
    const stock = facts.surroundings?.stock.get(line.product);
    if (stock === undefined) return null;
    const wanted = decimal.parse<"quantity">(line.quantity);
    const before = taken.get(line.product) ?? NOTHING;
    taken.set(line.product, decimal.add(before, wanted));
    const promise = promiseOf(stock, wanted, before, today);
    // A line beyond the request's own is of goods given.
    if (promise.short !== "0" && index < request.lines.length)
      note({ check: "stock", line: index + 1, ...shortOf(line, promise) });
    return promise;
  });
}

const NOTHING = decimal.integer<"quantity">(0);

function promiseOf(
  stock: StockFact,
  wanted: decimal.Quantity,
  before: decimal.Quantity,
  today: string,
): LinePromise {
  const left = decimal.subtract(decimal.parse<"quantity">(stock.free), before);
  const free = left.digits < 0n ? NOTHING : left;
  const short = decimal.subtract(wanted, free);
  const isShort = short.digits > 0n;
  const coming = decimal.add(left, decimal.parse<"quantity">(stock.onOrder));
  const isCovered = decimal.compare(coming, wanted) >= 0;
  return {
    free: decimal.canonical(free),
    short: isShort ? decimal.canonical(short) : "0",
    availableOn: isShort ? (isCovered ? stock.nextDueOn : null) : today,
  };
}

function shortOf({ product, quantity }: WebOrderLine, { free, short, availableOn }: LinePromise) {
  const wanted = quantityText(quantity);
  return {
    code: "stock-short",
    found: wanted,
    expected: `at most ${free}`,
    about:
      `Of ${wanted} of ${product} ${free} are free now and ${short} are short; ` +
      (availableOn === null
        ? "when the rest comes is not known."
        : `the rest is due on ${dayText(availableOn)}.`),
    instruction: "Tell the customer when it comes, or offer what is free.",
  };
}
