/** The ways in which an opened company is asked for prices. */
import type {
  ExplainedLine,
  PriceColumns,
  PriceColumnsRequest,
  PriceLine,
  PriceRequest,
} from "./answer.ts";
import type { Problem } from "./ask.ts";
import { columnsJson } from "./columns-json.ts";
import { columnSet, plainColumns } from "./columns.ts";
import type { ColumnSet } from "./columns.ts";
import { explainRows } from "./explain.ts";
import type { OriginName } from "./evidence.ts";
import type { KnownAt } from "./known.ts";
import { priceRows, untilText } from "./price.ts";
import { priceListOf } from "./price-list.ts";
import type { PriceList, PriceListRequest } from "./price-list.ts";
import { verdictOn, withTokens } from "./price-token.ts";
import type { Signing } from "./price-token.ts";
import type { Root } from "./root.ts";
import { sharedPrices } from "./shared-prices.ts";
import type { SharedPrices } from "./shared-prices.ts";
import type { Presented, TokenVerdict } from "./token.ts";
import type { Queryable } from "../store/index.ts";

export interface Asking {
  /** One line an answer, in the order asked. Throws `PricesNotReady` before the first book. */
  price(request: PriceRequest): PriceLine[];
  priceColumns(request: PriceColumnsRequest): PriceColumns;
  /** The book that answers now, for other threads. Throws `PricesNotReady` before the first. */
  shared(): SharedPrices;
  /** The same as the JSON of an answer, in UTF-8. */
  columnsJson(request: PriceColumnsRequest): WrittenColumns;
  explain(request: PriceRequest): Promise<ExplainedLine[]>;
  /** The same from what was known at a moment, which is also when it is asked for by itself. */
  known(request: PriceRequest, knownAt: Temporal.Instant): Promise<PriceLine[]>;
  explainKnown(request: PriceRequest, knownAt: Temporal.Instant): Promise<ExplainedLine[]>;
  /** A customer's whole price list; a problem: it is not known who asks. */
  priceList(request: PriceListRequest): PriceList | Problem;
  /** Whether a signed price that an order presents is ours, holds, and is for what it orders. */
  verifyToken(token: string, presented: Omit<Presented, "company" | "at">): TokenVerdict;
  /** Whether answers can carry tokens. */
  readonly signs: boolean;
  /** Whole seconds from now until a moment; 0 when it has passed. */
  secondsUntil(moment: string): number;
}

export interface WrittenColumns {
  readonly json: Uint8Array<ArrayBuffer>;
  /** Set when no line could be priced: what the first one's problem is. */
  readonly problem: PriceColumns["problems"][number] | null;
  /** When the first of the prices ceases to hold; null: none does by itself. */
  readonly until: string | null;
}

export interface AskingOptions extends Signing {
  readonly store: Queryable;
  readonly current: () => Root;
  readonly today: () => number;
  readonly origin: OriginName | undefined;
  readonly rootAt: (asked: KnownAt) => Promise<Root>;
}

export function askingOf(options: AskingOptions): Asking {
  const { store, company, current, today, now, origin } = options;
  return {
    price: (request) => {
      const root = current();
      const lines = priceRows(root, request, today());
      return request.tokens === true ? withTokens(options, root, request, lines) : lines;
    },
    priceColumns: (request) => plainColumns(columnSet(current(), request, today())),
    columnsJson: (request) => columnsAnswer(current(), request, today()),
    shared: () => sharedPrices(company, options.tokens, current()),
    explain: async (request) => {
      const root = current();
      const lines = await explainRows(store, company, root, request, today(), origin);
      if (request.tokens !== true) return lines;
      const signed = withTokens(options, root, request, lines);
      return lines.map((line, at) => ({ ...line, ...signed[at] }) as ExplainedLine);
    },
    known: async (request, knownAt) => {
      const root = await options.rootAt({ account: request.account, knownAt });
      return priceRows(root, request, knownAt.epochMilliseconds);
    },
    explainKnown: async (request, knownAt) => {
      const root = await options.rootAt({ account: request.account, knownAt });
      const at = knownAt.epochMilliseconds;
      return explainRows(store, company, root, request, at, origin);
    },
    priceList: (request) => priceListOf(current(), request, today()),
    verifyToken: (token, presented) =>
      verdictOn(
        options,
        token,
        presented,
        (endedMs) => current().standing?.keptUntilMs(endedMs) ?? null,
      ),
    signs: options.tokens.keys.length > 0,
    secondsUntil: (moment) =>
      Math.max(0, Math.floor((Date.parse(moment) - now().epochMilliseconds) / 1000)),
  };
}

/** A request by columns, answered from a root. */
export function columnsAnswer(
  root: Root,
  request: PriceColumnsRequest,
  now: number,
): WrittenColumns {
  const set = columnSet(root, request, now);
  const [problem = null] = set.problems.length === set.lines ? set.problems : [];
  const first = firstEnd(set);
  const until = first === Infinity ? null : untilText(root, first);
  return { problem, json: columnsJson(set, request.account), until };
}

/** When the first of the prices ceases to hold. */
export function firstEnd({ until }: ColumnSet): number {
  let first = Infinity;
  for (let line = 0; line < until.length; line += 1) {
    const end = until[line] ?? Infinity;
    if (end < first) first = end;
  }
  return first;
}
