/** The commission base cut by holder, period, class and channel: the same under every plan. */
import { CHANNELS } from "../../model/index.ts";
import type { Channel } from "../../model/index.ts";
import type { Attribution } from "./attribute.ts";
import { addProduct, commonUnit, emptySum, largestRemainder, valueOf } from "./exact.ts";
import type { Sum } from "./exact.ts";
import { compareTexts, SALES_CLASSES } from "./facts.ts";
import type { SalesClass } from "./facts.ts";
import { holderCode, WHOLE } from "./share.ts";
import type { Holder } from "./share.ts";

export interface BaseCell {
  readonly holder: Holder;
  readonly period: string;
  readonly class: SalesClass;
  readonly channel: Channel;
  readonly basePence: bigint;
}

export interface Base {
  /** Reps by code, then the house, then unassigned; inside them by period, class and channel. */
  readonly cells: readonly BaseCell[];
  /** Position in `cells` of every share. */
  readonly cellOfShare: Int32Array;
  /** What every share of the run can be counted in, in ten-thousandths of a percent. */
  readonly shareUnit: number;
}

interface Draft {
  readonly number: number;
  readonly cell: Omit<BaseCell, "basePence">;
  readonly exact: Sum;
  basePence: bigint;
}

/** Columns of one period: class × channel. */
export const COLUMNS = SALES_CLASSES.length * CHANNELS.length;

/** Where a class and a channel (its number) stand in a table of `COLUMNS`. */
export function columnOf(salesClass: SalesClass, channel: number): number {
  return salesClass === "new" ? channel : CHANNELS.length + channel;
}

export function baseOf(from: Omit<Attribution, "base">): Base {
  const shareUnit = commonUnit(
    WHOLE,
    from.parts.map(({ units }) => units),
  );
  const numbers = new Int32Array(from.shares.line.length);
  const drafts = fill(from, shareUnit, numbers);
  const sorted = drafts.toSorted(compareDrafts);
  shareOut(sorted, BigInt(WHOLE / shareUnit));
  const positions = new Int32Array(drafts.length);
  for (const [position, { number }] of sorted.entries()) positions[number] = position;
  const cells = sorted.map(({ cell, basePence }) => ({ ...cell, basePence }));
  for (let index = 0; index < numbers.length; index += 1)
    numbers[index] = positions[numbers[index]!]!;
  return { cells, cellOfShare: numbers, shareUnit };
}

/** Numbers the combinations of holder, period, class and channel as they turn up: 0, 1, 2 … */
function fill(from: Omit<Attribution, "base">, unit: number, numbers: Int32Array): Draft[] {
  const { ledger, shares, evidence, classes, origins } = from;
  const { period, channel, netPence } = ledger.columns;
  const parts = from.parts.map((part) => ({ ...part, factor: part.units / unit }));
  const row = ledger.pools.periods.texts.length * COLUMNS;
  const holders = Math.max(...parts.map((part) => part.holderNumber)) + 1;
  const known = new Int32Array(holders * row).fill(-1);
  const drafts: Draft[] = [];
  for (let index = 0; index < numbers.length; index += 1) {
    const line = shares.line[index]!;
    const part = parts[shares.part[index]!]!;
    const salesClass = classes.all[evidence[line]!]!.class;
    const sold = channel[origins.ratedBy[line]!]!;
    const column = period[line]! * COLUMNS + columnOf(salesClass, sold);
    const place = part.holderNumber * row + column;
    let number = known[place]!;
    if (number < 0) {
      known[place] = number = drafts.length;
      const when = ledger.pools.periods.texts[period[line]!]!;
      const { holder } = part;
      const cell = { holder, period: when, class: salesClass, channel: CHANNELS[sold]! };
      drafts.push({ number, cell, exact: emptySum(), basePence: 0n });
    }
    numbers[index] = number;
    addProduct(drafts[number]!.exact, netPence[line]!, part.factor);
  }
  return drafts;
}

function compareDrafts({ cell: left }: Draft, { cell: right }: Draft): number {
  return (
    compareTexts(sortCode(left.holder), sortCode(right.holder)) ||
    compareTexts(left.period, right.period) ||
    compareTexts(left.class, right.class) ||
    compareTexts(left.channel, right.channel)
  );
}

function sortCode(holder: Holder): string {
  return `${holder.kind === "rep" ? 0 : holder.kind === "house" ? 1 : 2} ${holderCode(holder)}`;
}

/**
 * Over all holders a period, class and channel hold whole lines, so their base is whole pence. It
 * is shared among the holders in whole pence, and every table made of cells adds up in all
 * directions.
 */
function shareOut(drafts: readonly Draft[], denominator: bigint): void {
  const key = ({ cell }: Draft): string => `${cell.period} ${cell.class} ${cell.channel}`;
  for (const among of Map.groupBy(drafts, key).values()) {
    const exact = among.map((draft) => valueOf(draft.exact));
    const total = exact.reduce((sum, value) => sum + value, 0n) / denominator;
    const pence = largestRemainder(exact, denominator, total);
    for (const [index, draft] of among.entries()) draft.basePence = pence[index]!;
  }
}
