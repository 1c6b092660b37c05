/**
 * Prices in a thread of their own: what such a thread is sent of a published book, and how it asks
 * it. The arrays of a book are shared; only what is small is copied.
 */
import type { PriceAsker, PriceColumnsRequest, PriceLine, PriceRequest } from "./answer.ts";
import { columnsAnswer, firstEnd } from "./asking.ts";
import type { WrittenColumns } from "./asking.ts";
import { writeColumns } from "./columns-json.ts";
import type { WrittenPart } from "./columns-json.ts";
import { numberedSet } from "./columns.ts";
import { withTokens } from "./price-token.ts";
import type { TokenSettings } from "./price-token.ts";
import { priceRows, untilText } from "./price.ts";
import { ProductIndex } from "./product-index.ts";
import type { Root } from "./root.ts";
import { openShared } from "./shared.ts";
import type { SharedRoot } from "./shared.ts";
import type { SharedHead } from "./shared-prices.ts";
import { NO_FACTS, compileStanding } from "./standing.ts";
import type { Standing, StandingFacts } from "./standing.ts";

/** What a thread keeps of a company; `book` and `facts` only when they are new. */
export interface BulkNews {
  readonly book: SharedRoot | null;
  readonly head: SharedHead;
  readonly facts: StandingFacts | null;
  readonly tokens: TokenSettings;
}

/** Lines of a request by columns whose codes stand in `bytes`. */
export interface BulkColumns {
  readonly asker: PriceAsker;
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Selling units with 5 places. */
  readonly quantities: Float64Array;
  /** The lines from this one … */
  readonly from: number;
  /** … to below that one. */
  readonly to: number;
}

export interface BulkPart extends WrittenPart {
  /** When the first of the prices ceases to hold. */
  readonly until: string | null;
  /** No line could be priced. */
  readonly allProblems: boolean;
}

/** A company's prices in the thread that was sent them. */
export interface BulkPricing {
  price(request: PriceRequest): PriceLine[];
  columnsJson(request: PriceColumnsRequest): WrittenColumns;
  /** Null: it is not known who asks. */
  part(columns: BulkColumns): BulkPart | null;
  readonly signs: boolean;
  secondsUntil(moment: string): number;
}

interface Kept {
  readonly root: Root;
  readonly facts: StandingFacts;
  readonly standing: Standing;
  readonly index: ProductIndex;
}

/** The prices of one company in a thread: told news, asked with the moment of the request. */
export interface BulkDesk {
  tell(news: BulkNews): void;
  /** Null before the first book. */
  at(ms: number): BulkPricing | null;
}

export function openBulkDesk(company: string): BulkDesk {
  let kept: Kept | null = null;
  let tokens: TokenSettings = { keys: [], hours: 0 };
  return {
    tell(news) {
      ({ tokens } = news);
      kept = keptOf(kept, news);
    },
    at: (ms) => (kept === null ? null : pricingAt(kept, { company, tokens }, ms)),
  };
}

function keptOf(before: Kept | null, { book, head, facts }: BulkNews): Kept | null {
  const opened = book === null ? before?.root : openShared(book);
  if (opened === undefined) return null;
  const root = { ...opened, ...head, publishedAt: opened.publishedAt };
  const known = facts ?? before?.facts ?? NO_FACTS;
  const same = before !== null && before.root.book === root.book;
  return {
    root,
    facts: known,
    standing: same && facts === null ? before.standing : compileStanding(root.book, known),
    index: same ? before.index : new ProductIndex(root.book.products.codes),
  };
}

function pricingAt(
  kept: Kept,
  { company, tokens }: { readonly company: string; readonly tokens: TokenSettings },
  ms: number,
): BulkPricing {
  const { standing, index } = kept;
  const nowMs = () => ms;
  const stand: Root["stand"] = (enquiry, product) => standing.of(enquiry, product, nowMs);
  const root: Root = { ...kept.root, standing, stand };
  const now = () => Temporal.Instant.fromEpochMilliseconds(ms);
  return {
    price(request) {
      const lines = priceRows(root, request, ms);
      if (request.tokens !== true) return lines;
      return withTokens({ company, tokens, now }, root, request, lines);
    },
    columnsJson: (request) => columnsAnswer(root, request, ms),
    part: (columns) => partOf(root, index, columns, ms),
    signs: tokens.keys.length > 0,
    secondsUntil: (moment) => Math.max(0, Math.floor((Date.parse(moment) - ms) / 1000)),
  };
}

function partOf(
  root: Root,
  index: ProductIndex,
  { asker, bytes, starts, ends, quantities, from, to }: BulkColumns,
  now: number,
): BulkPart | null {
  const product = new Int32Array(to);
  for (let line = from; line < to; line += 1)
    product[line] = index.numberOf(bytes, starts[line] ?? 0, ends[line] ?? 0);
  const codeOf = (line: number) =>
    Buffer.from(bytes.subarray(starts[line], ends[line])).toString("latin1");
  const set = numberedSet(
    root,
    asker,
    { product, quantity: quantities, codeOf },
    { from, to, now },
  );
  if (set === null) return null;
  const first = firstEnd(set);
  return {
    ...writeColumns(set),
    until: first === Infinity ? null : untilText(root, first),
    allProblems: set.problems.length === set.lines,
  };
}
