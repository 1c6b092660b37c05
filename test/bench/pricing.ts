/**
 * Prices at scale: memory of a book and prices a second in one process, beside a bare lookup of the
 * same entries in typed arrays (no discounts, no line values, no VAT, no reasons: only what a
 * processor must touch to find a number), and through the module's door with the database below.
 */
import type { Enquiry, PriceBook, Recording } from "../../src/pricing/engine/index.ts";
import {
  calendar,
  priceLine,
  recordLine,
  startBook,
  startEnquiry,
  startRecording,
} from "../../src/pricing/engine/index.ts";
import { loadPolicy, openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import type { Store } from "../../src/store/index.ts";
import { bareLookup, dayOf } from "./price-bare.ts";
import {
  PRICING_SIZES,
  PRODUCTS,
  TODAY,
  VAT,
  accountsOf,
  batches,
  mastersOf,
  ownProduct,
  questionsOf,
  rulesOf,
} from "./price-data.ts";
import type { PricingSizes, Questions } from "./price-data.ts";
import { fillTables } from "./price-tables.ts";

export { PRICING_SIZES };

export interface MemoryFigure {
  readonly rules: number;
  /** Arrays of the book. */
  readonly bookBytes: number;
  /** Growth of the process: arrays, codes and maps; needs --expose-gc, else null. */
  readonly processBytes: number | null;
  readonly bytesPerRule: number;
  readonly compileMs: number;
}

export interface SpeedFigure {
  /** Lines in a call. */
  readonly lines: number;
  /** Medians, lines a second. */
  readonly engine: number;
  readonly bare: number;
  /** Median of the rounds' ratios. */
  readonly ratio: number;
}

export interface DoorFigure {
  readonly lines: number;
  /** Medians, lines a second: answers in texts with reasons, and columns in integers. */
  readonly rows: number;
  readonly columns: number;
}

/** The book of the bench, compiled from batches as from the database, and what it takes. */
export async function compileBenchBook(
  sizes: PricingSizes,
): Promise<{ readonly book: PriceBook; readonly figure: MemoryFigure }> {
  const policy = await loadPolicy("generic");
  const masters = mastersOf(sizes);
  const before = usedBytes();
  let compileMs = 0;
  const timed = <T>(work: () => T): T => {
    const started = performance.now();
    const result = work();
    compileMs += performance.now() - started;
    return result;
  };
  const builder = timed(() => startBook(policy, masters));
  for (const batch of batches(rulesOf(sizes), 5000)) timed(() => builder.addRules(batch));
  const book = timed(() => builder.finish());
  const after = usedBytes();
  const processBytes = before === null || after === null ? null : after - before;
  const figure = {
    rules: book.entries,
    bookBytes: book.bytes,
    processBytes,
    bytesPerRule: (processBytes ?? book.bytes) / book.entries,
    compileMs,
  };
  return { book, figure };
}

function usedBytes(): number | null {
  if (globalThis.gc === undefined) return null;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** What a line costs in a book with many lists, of what it costs in one with few. */
export async function measureLists(sizes: PricingSizes): Promise<number> {
  const many = { ...sizes, lists: 1000 };
  const few = { ...sizes, lists: 50 };
  const books = [(await compileBenchBook(many)).book, (await compileBenchBook(few)).book] as const;
  const speeds = rounds(sizes, 1000, 500, {
    many: pricingOf(many, books[0]),
    few: pricingOf(few, books[1]),
  });
  return median(speeds.map(({ many, few }) => few / many));
}

/**
 * Time of explaining 10,000 lines, of the time of pricing them: every candidate of every line with
 * what became of it and its price, in numbers. They are put into words when somebody reads them.
 */
export function measureExplaining(sizes: PricingSizes, book: PriceBook): number {
  const price = pricingOf(sizes, book);
  let recording: Recording | null = null;
  const explain = pricingOf(sizes, book, (enquiry, product, quantity) => {
    if (recording?.enquiry !== enquiry) recording = startRecording(enquiry, 10_000);
    return recordLine(recording, product, quantity).price;
  });
  const speeds = rounds(sizes, 10_000, 20, { price, explain });
  return median(speeds.map((speed) => speed.price / speed.explain));
}

type Price = (enquiry: Enquiry, product: number, quantity: number) => number;

/** Prices or explains every question of a round. */
function pricingOf(
  sizes: PricingSizes,
  book: PriceBook,
  price: Price = (enquiry, product, quantity) => priceLine(enquiry, product, quantity).price,
): (questions: Questions, lines: number) => number {
  const moment = calendar.startOfDay(TODAY, "Europe/London");
  // The book numbers codes in their order, the questions by the number in the code.
  const accounts = Int32Array.from({ length: accountsOf(sizes) }, (_, at) =>
    numberOf(book.accounts.numbers, `A${at}`),
  );
  const products = Int32Array.from({ length: PRODUCTS }, (_, at) =>
    numberOf(book.products.numbers, `P${at}`),
  );
  return (questions, lines) => {
    let sum = 0;
    questions.accounts.forEach((account, call) => {
      const enquiry = startEnquiry(book, {
        account: accounts[account] ?? -1,
        site: -1,
        branch: -1,
        moment,
        quotation: -1,
        currency: -1,
        conditions: null,
      });
      for (let line = call * lines; line < (call + 1) * lines; line += 1) {
        const product = products[questions.products[line] ?? 0] ?? -1;
        sum += price(enquiry, product, (questions.quantities[line] ?? 0) * 100_000);
      }
    });
    return sum;
  };
}

/** Engine and bare lookup, contender after contender within every round. */
export function measureSpeed(
  sizes: PricingSizes,
  book: PriceBook,
  asked: readonly number[] = SIZES.map(([lines]) => lines),
): SpeedFigure[] {
  const bare = bareLookup(sizes);
  const day = dayOf(TODAY);
  const engine = pricingOf(sizes, book);
  const plain = (questions: Questions, lines: number) => {
    let sum = 0;
    questions.accounts.forEach((account, call) => {
      for (let line = call * lines; line < (call + 1) * lines; line += 1)
        sum += bare(account, questions.products[line] ?? 0, questions.quantities[line] ?? 0, day);
    });
    return sum;
  };
  return asked.map((lines) => {
    const calls = Math.max(100, Math.min(300_000, Math.round(1_000_000 / lines)));
    const speeds = rounds(sizes, lines, calls, { engine, plain });
    return {
      lines,
      engine: median(speeds.map((speed) => speed.engine)),
      bare: median(speeds.map((speed) => speed.plain)),
      ratio: median(speeds.map((speed) => speed.engine / speed.plain)),
    };
  });
}

/** Lines a call, and calls a round. */
const SIZES: readonly (readonly [lines: number, calls: number])[] = [
  [1, 300_000],
  [1000, 1000],
  [10_000, 100],
];

function rounds<Name extends string>(
  sizes: PricingSizes,
  lines: number,
  calls: number,
  contenders: Readonly<Record<Name, (questions: Questions, lines: number) => number>>,
): Record<Name, number>[] {
  const names = Object.keys(contenders) as Name[];
  const round = (seed: number, calls: number) => {
    const questions = questionsOf(sizes, calls, lines, seed);
    const speeds = names.map((name) => {
      const started = performance.now();
      if (Number.isNaN(contenders[name](questions, lines))) throw new Error("a price is no number");
      return [name, (lines * calls * 1000) / (performance.now() - started)] as const;
    });
    return Object.fromEntries(speeds) as Record<Name, number>;
  };
  round(sizes.seed, Math.ceil(calls / 5));
  return Array.from({ length: sizes.rounds }, (_, at) => round(sizes.seed + at + 1, calls));
}

function numberOf(numbers: ReadonlyMap<string, number>, code: string): number {
  return numbers.get(code) ?? -1;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Prices that have read nothing yet, and keep nothing in a file. */
export function openBenchPricing(store: Store): Promise<Pricing> {
  const now = Temporal.Instant.from(`${TODAY}T09:00:00Z`);
  return openPricing({
    store,
    company: "BENCH",
    settings: { currency: "GBP", timeZone: "Europe/London", vat: VAT },
    policy: "generic",
    now: () => now,
    log: () => undefined,
  });
}

/**
 * Through the door: the same rules in the database, published, asked by codes and answered in
 * texts.
 */
export async function measureDoor(
  store: Store,
  sizes: PricingSizes,
): Promise<{
  readonly publishMs: number;
  readonly door: readonly DoorFigure[];
  readonly explainMs: number;
}> {
  const company = "BENCH";
  await fillTables(store, company, sizes);
  const pricing = await openBenchPricing(store);
  const { ms: publishMs } = await pricing.publish();
  const calling =
    (ask: (account: string, product: string[], quantity: number[]) => number) =>
    (questions: Questions, lines: number) => {
      let sum = 0;
      questions.accounts.forEach((account, call) => {
        const from = call * lines;
        const products = questions.products.subarray(from, from + lines);
        const quantities = questions.quantities.subarray(from, from + lines);
        sum += ask(
          `A${account}`,
          Array.from(products, (at) => `P${at}`),
          [...quantities],
        );
      });
      return sum;
    };
  const rows = calling((account, product, quantity) => {
    const lines = product.map((code, at) => ({ product: code, quantity: quantity[at] ?? 0 }));
    return pricing.price({ account, lines }).length;
  });
  const columns = calling(
    (account, product, quantity) =>
      pricing.priceColumns({ account, product, quantity }).unitPrice.length,
  );
  const door = SIZES.map(([lines, calls]) => {
    const speeds = rounds(sizes, lines, Math.ceil(calls / 5), { rows, columns });
    return {
      lines,
      rows: median(speeds.map((speed) => speed.rows)),
      columns: median(speeds.map((speed) => speed.columns)),
    };
  });
  const started = performance.now();
  await pricing.explain({
    account: "A0",
    lines: [{ product: `P${ownProduct(0, 0)}`, quantity: 10 }],
  });
  return { publishMs, door, explainMs: performance.now() - started };
}
