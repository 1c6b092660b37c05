/** The ERP's own totals, kept as documents are posted. */
import type { PostedDocument } from "./posting.ts";
import type { SoldBy } from "./orders.ts";

export interface PeriodTotal {
  readonly period: string;
  readonly documentType: "invoice" | "credit";
  readonly documents: number;
  readonly net: number;
  readonly vat: number;
}

export interface ChannelTotal {
  readonly account: string;
  readonly period: string;
  /** The channel that the sale truly came through. */
  readonly channel: SoldBy;
  /** The channel that the files show. */
  readonly shows: SoldBy | "unknown";
  /** Credits count negative. */
  readonly goods: number;
  readonly all: number;
}

export interface Tally {
  post(posted: PostedDocument, period: string): void;
  periods(): readonly PeriodTotal[];
  channels(): Iterable<ChannelTotal>;
  /** Goods by account since the last call. */
  takeQuarter(): ReadonlyMap<string, number>;
  /** "INV500001/2": invoice and credit lines whose price was typed over. */
  typed(): readonly string[];
  counts(): { readonly documents: number; readonly lines: number };
}

type Growing<T> = { -readonly [K in keyof T]: T[K] };

export function tallyOf(): Tally {
  const periods = new Map<string, Growing<PeriodTotal>>();
  const channels = new Map<string, Growing<ChannelTotal>>();
  let quarter = new Map<string, number>();
  let documents = 0;
  let lines = 0;
  const typed: string[] = [];
  return {
    post(posted, period) {
      documents += 1;
      lines += posted.lines.length;
      for (const line of posted.lines)
        if (line.typed) typed.push(`${posted.document}/${line.line}`);
      addPeriod(periods, posted, period);
      const goods = addChannel(channels, posted, period);
      const { account } = posted.heading;
      quarter.set(account, (quarter.get(account) ?? 0) + goods);
    },
    periods: () => [...periods.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
    channels: () => channels.values(),
    takeQuarter() {
      const taken = quarter;
      quarter = new Map();
      return taken;
    },
    typed: () => typed,
    counts: () => ({ documents, lines }),
  };
}

function keyOf({ period, documentType }: Pick<PeriodTotal, "period" | "documentType">): string {
  return `${period}|${documentType}`;
}

function addPeriod(
  periods: Map<string, Growing<PeriodTotal>>,
  { documentType, net, vat }: PostedDocument,
  period: string,
): void {
  const key = keyOf({ period, documentType });
  const total = periods.get(key) ?? { period, documentType, documents: 0, net: 0, vat: 0 };
  periods.set(key, total);
  total.documents += 1;
  total.net += net;
  total.vat += vat;
}

/** Gives the goods that it added. */
function addChannel(
  channels: Map<string, Growing<ChannelTotal>>,
  { documentType, heading, lines, net }: PostedDocument,
  period: string,
): number {
  const { account, channel, shows } = heading;
  const key = `${account}|${period}|${channel}|${shows}`;
  const total = channels.get(key) ?? { account, period, channel, shows, goods: 0, all: 0 };
  channels.set(key, total);
  const sign = documentType === "credit" ? -1 : 1;
  let goods = 0;
  for (const line of lines) if (line.lineClass === "goods") goods += sign * line.net;
  total.goods += goods;
  total.all += sign * net;
  return goods;
}
