/**
 * Lines of the sales ledger held by columns: a few dozen bytes a line, and every text once.
 * Whatever the order in which lines are added, a closed ledger is the same.
 */
import { CHANNELS } from "../../model/index.ts";
import type { Channel } from "../../model/index.ts";
import { compareTexts, dateOf, dayNumber } from "./facts.ts";
import type { LineFact } from "./facts.ts";

/** Texts numbered as they turn up: 0, 1, 2 … */
export interface Pool {
  readonly texts: readonly string[];
  /** The text's number; a new one gets the next. */
  readonly numberOf: (text: string) => number;
  /** The text's number; -1 when it never turned up. */
  readonly find: (text: string) => number;
}

/** Entry i of every column is line i. Texts are numbers of a pool, -1 for null. */
export interface Columns {
  readonly netPence: Float64Array;
  /** Date as in 20260331. */
  readonly day: Int32Array;
  readonly account: Int32Array;
  readonly tradingEntity: Int32Array;
  readonly document: Int32Array;
  readonly line: Int32Array;
  readonly productGroup: Int32Array;
  readonly creditsDocument: Int32Array;
  readonly creditsLine: Int32Array;
  readonly period: Int32Array;
  readonly version: Int32Array;
  readonly lineClass: Int16Array;
  readonly currency: Int16Array;
  readonly channel: Uint8Array;
  /** `CREDIT`, `REVERSAL`, `REFERENCE`. */
  readonly flags: Uint8Array;
}

export const CREDIT = 1;
export const REVERSAL = 2;
/** Outside the asked periods: there for first invoices and for what credit notes refer to. */
export const REFERENCE = 4;

export interface Pools {
  readonly accounts: Pool;
  readonly tradingEntities: Pool;
  readonly productGroups: Pool;
  readonly periods: Pool;
  readonly lineClasses: Pool;
  readonly currencies: Pool;
  readonly documents: DocumentPool;
}

/** Document numbers, each inside its source. */
interface DocumentPool {
  readonly texts: readonly string[];
  readonly sources: readonly string[];
  readonly numberOf: (source: string, document: string) => number;
}

export interface Ledger {
  /** Lines by date, document type, document, line and version. */
  readonly count: number;
  readonly columns: Columns;
  readonly pools: Pools;
  /** Line `index` as it was added. */
  readonly lineAt: (index: number) => LineFact;
}

export interface OpenLedger {
  /** Adds a line to attribute. */
  readonly add: (line: LineFact) => void;
  /** Adds a line outside the asked periods: it decides about others and is not paid itself. */
  readonly refer: (line: LineFact) => void;
  readonly close: () => Ledger;
}

export function openLedger(): OpenLedger {
  const pools = openPools();
  const dayOf = openDays();
  const postingIds: string[] = [];
  let columns = columnsOf(1024);
  const put = (line: LineFact, flags: number): void => {
    assertPence(line);
    if (postingIds.length === columns.day.length) columns = grown(columns);
    columns.day[postingIds.length] = dayOf(line.documentOn);
    write(columns, pools, postingIds.length, line, flags);
    postingIds.push(line.postingId);
  };
  return {
    add: (line) => put(line, flagsOf(line)),
    refer: (line) => put(line, flagsOf(line) | REFERENCE),
    close() {
      const order = orderOf(columns, pools, postingIds.length);
      const sorted = order === null ? columns : gathered(columns, order);
      const ids = order === null ? postingIds : Array.from(order, (from) => postingIds[from]!);
      return {
        count: ids.length,
        columns: sorted,
        pools,
        lineAt: (index) => read(sorted, pools, index, ids[index]!),
      };
    },
  };
}

function assertPence({ netPence, documentType, document, line }: LineFact): void {
  if (!Number.isSafeInteger(netPence))
    throw new RangeError(
      `Reading the sales ledger for pay: line ${line} of ${documentType} ${document} has a net of ` +
        `${netPence} pence; expected a whole number within ±9,007,199,254,740,991`,
    );
}

function flagsOf({ documentType, reversal }: LineFact): number {
  return (documentType === "credit" ? CREDIT : 0) | (reversal ? REVERSAL : 0);
}

const CHANNEL_NUMBER: ReadonlyMap<string, number> = new Map(
  CHANNELS.map((channel, number) => [channel, number]),
);

function write(to: Columns, pools: Pools, index: number, line: LineFact, flags: number): void {
  const { source, creditsDocument, productGroup } = line;
  to.netPence[index] = line.netPence;
  to.account[index] = pools.accounts.numberOf(line.account);
  to.tradingEntity[index] = pools.tradingEntities.numberOf(line.tradingEntity);
  to.document[index] = pools.documents.numberOf(source, line.document);
  to.line[index] = line.line;
  to.productGroup[index] = productGroup === null ? -1 : pools.productGroups.numberOf(productGroup);
  to.creditsDocument[index] =
    creditsDocument === null ? -1 : pools.documents.numberOf(source, creditsDocument);
  to.creditsLine[index] = line.creditsLine ?? -1;
  to.period[index] = pools.periods.numberOf(line.period);
  to.version[index] = line.version;
  to.lineClass[index] = pools.lineClasses.numberOf(line.lineClass);
  to.currency[index] = pools.currencies.numberOf(line.currency);
  to.channel[index] = CHANNEL_NUMBER.get(line.channel) ?? CHANNELS.length - 1;
  to.flags[index] = flags;
}

function read(from: Columns, pools: Pools, index: number, postingId: string): LineFact {
  const text = (pool: Pool, number: number): string => pool.texts[number]!;
  const document = from.document[index]!;
  const productGroup = from.productGroup[index]!;
  const creditsDocument = from.creditsDocument[index]!;
  const creditsLine = from.creditsLine[index]!;
  const flags = from.flags[index]!;
  return {
    postingId,
    source: pools.documents.sources[document]!,
    documentType: (flags & CREDIT) === 0 ? "invoice" : "credit",
    document: pools.documents.texts[document]!,
    line: from.line[index]!,
    version: from.version[index]!,
    reversal: (flags & REVERSAL) !== 0,
    account: text(pools.accounts, from.account[index]!),
    tradingEntity: text(pools.tradingEntities, from.tradingEntity[index]!),
    documentOn: dateOf(from.day[index]!),
    period: text(pools.periods, from.period[index]!),
    channel: channelAt(from.channel[index]!),
    productGroup: productGroup < 0 ? null : text(pools.productGroups, productGroup),
    lineClass: text(pools.lineClasses, from.lineClass[index]!),
    currency: text(pools.currencies, from.currency[index]!),
    netPence: from.netPence[index]!,
    creditsDocument: creditsDocument < 0 ? null : pools.documents.texts[creditsDocument]!,
    creditsLine: creditsLine < 0 ? null : creditsLine,
  };
}

export function channelAt(number: number): Channel {
  return CHANNELS[number]!;
}

/** The order of the lines, or null when they are in it already, as a database gives them. */
function orderOf(columns: Columns, pools: Pools, count: number): Int32Array | null {
  const compare = comparison(columns, pools);
  let inOrder = true;
  for (let i = 1; i < count && inOrder; i += 1) inOrder = compare(i - 1, i) <= 0;
  return inOrder ? null : Int32Array.from({ length: count }, (_, index) => index).sort(compare);
}

function comparison(
  { day, flags, document, line, version }: Columns,
  { documents: { texts, sources } }: Pools,
): (a: number, b: number) => number {
  const byDocument = (a: number, b: number): number =>
    a === b ? 0 : compareTexts(texts[a]!, texts[b]!) || compareTexts(sources[a]!, sources[b]!);
  return (a, b) =>
    day[a]! - day[b]! ||
    // By name: credit, invoice.
    (flags[b]! & CREDIT) - (flags[a]! & CREDIT) ||
    byDocument(document[a]!, document[b]!) ||
    line[a]! - line[b]! ||
    version[a]! - version[b]! ||
    (flags[a]! & REVERSAL) - (flags[b]! & REVERSAL);
}

function columnsOf(length: number): Columns {
  return {
    netPence: new Float64Array(length),
    day: new Int32Array(length),
    account: new Int32Array(length),
    tradingEntity: new Int32Array(length),
    document: new Int32Array(length),
    line: new Int32Array(length),
    productGroup: new Int32Array(length),
    creditsDocument: new Int32Array(length),
    creditsLine: new Int32Array(length),
    period: new Int32Array(length),
    version: new Int32Array(length),
    lineClass: new Int16Array(length),
    currency: new Int16Array(length),
    channel: new Uint8Array(length),
    flags: new Uint8Array(length),
  };
}

const COLUMN_NAMES = Object.keys(columnsOf(0)) as readonly (keyof Columns)[];

function grown(columns: Columns): Columns {
  const next = columnsOf(columns.day.length * 2);
  for (const name of COLUMN_NAMES) next[name].set(columns[name]);
  return next;
}

function gathered(columns: Columns, order: Int32Array): Columns {
  const next = columnsOf(order.length);
  for (const name of COLUMN_NAMES) {
    const [from, to] = [columns[name], next[name]];
    for (let i = 0; i < order.length; i += 1) to[i] = from[order[i]!]!;
  }
  return next;
}

function openPools(): Pools {
  return {
    accounts: openPool(),
    tradingEntities: openPool(),
    productGroups: openPool(),
    periods: openPool(),
    lineClasses: openPool(),
    currencies: openPool(),
    documents: openDocuments(),
  };
}

function openPool(): Pool {
  const texts: string[] = [];
  const numbers = new Map<string, number>();
  // Neighbouring lines mostly have the same text.
  let last: string | undefined;
  let lastNumber = -1;
  return {
    texts,
    find: (text) => numbers.get(text) ?? -1,
    numberOf(text) {
      if (text === last) return lastNumber;
      last = text;
      lastNumber = numbers.get(text) ?? texts.length;
      if (lastNumber === texts.length) {
        numbers.set(text, lastNumber);
        texts.push(text);
      }
      return lastNumber;
    },
  };
}

function openDocuments(): DocumentPool {
  const texts: string[] = [];
  const sources: string[] = [];
  const bySource = new Map<string, Map<string, number>>();
  return {
    texts,
    sources,
    numberOf(source, document) {
      let numbers = bySource.get(source);
      if (numbers === undefined) bySource.set(source, (numbers = new Map<string, number>()));
      const found = numbers.get(document);
      if (found !== undefined) return found;
      numbers.set(document, texts.length);
      sources.push(source);
      return texts.push(document) - 1;
    },
  };
}

/** Dates repeat: a few thousand stand behind millions of lines. */
function openDays(): (date: string) => number {
  const days = new Map<string, number>();
  let last: string | undefined;
  let day = 0;
  return (date) => {
    if (date === last) return day;
    last = date;
    day = days.get(date) ?? dayNumber(date);
    days.set(date, day);
    return day;
  };
}
