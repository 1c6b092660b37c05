/** Two plans over the same sales: per rep and for the business, and where they meet. */
import { decimal } from "../../model/index.ts";
import type { Attribution } from "./attribute.ts";
import type { SalesClass } from "./facts.ts";
import type { PayResult } from "./pay.ts";
import { holderCode } from "./share.ts";
import type { Holder } from "./share.ts";

export interface ComparedPay {
  readonly basePence: bigint;
  /** The part of the base from new customers. */
  readonly newPence: bigint;
  readonly beforePence: bigint;
  readonly afterPence: bigint;
  /** After less before: positive when the second plan pays more. */
  readonly differencePence: bigint;
  /** Difference in percent of the first plan's pay, one decimal; null when that is nothing. */
  readonly changePercent: string | null;
  /**
   * The flat rate on the whole base that pays what the first plan pays, 4 decimals; null without
   * base.
   */
  readonly parityRatePercent: string | null;
  /**
   * Growth of the base under the second plan that restores the first plan's pay, one decimal; null
   * without pay.
   */
  readonly growthForParityPercent: string | null;
}

export interface ComparedHolder extends ComparedPay {
  readonly holder: Holder;
}

export interface Comparison {
  /** Reps by code, then house and unassigned, which earn nothing. */
  readonly holders: readonly ComparedHolder[];
  /** All reps together: what the business pays. */
  readonly reps: ComparedPay;
  readonly house: ComparedPay;
  readonly unassigned: ComparedPay;
  /** The whole base, Σ holders. */
  readonly basePence: bigint;
  /** Share of the reps' base from new customers, in percent, 2 decimals; null without base. */
  readonly newSharePercent: string | null;
  /**
   * The share from new customers at which both plans cost the same, by the plans' average rates on
   * new and on repeat sales here; null when no share does it.
   */
  readonly parityNewSharePercent: string | null;
  readonly gain: number;
  readonly lose: number;
}

export function compare(before: PayResult, after: PayResult): Comparison {
  if (before.attribution !== after.attribution)
    throw new TypeError("Comparing plans: both must be paid on one attribution of the same sales");
  const byHolder = Map.groupBy(totalsOf(before, after), (total) => holderCode(total.holder));
  const holders = [...byHolder.values()].map((totals) => {
    const { holder } = totals[0]!;
    return { holder, ...compared(totals) };
  });
  const of = (kind: Holder["kind"]): Total[] =>
    [...byHolder.values()].flat().filter(({ holder }) => holder.kind === kind);
  const reps = compared(of("rep"));
  return {
    holders,
    reps,
    house: compared(of("house")),
    unassigned: compared(of("unassigned")),
    basePence: holders.reduce((sum, { basePence }) => sum + basePence, 0n),
    newSharePercent: percentOf(reps.newPence, reps.basePence, 2),
    parityNewSharePercent: parityNewShare(of("rep")),
    gain: holders.filter(({ differencePence }) => differencePence > 0n).length,
    lose: holders.filter(({ differencePence }) => differencePence < 0n).length,
  };
}

/** What a holder has of one class under both plans. */
interface Total {
  readonly holder: Holder;
  readonly class: SalesClass;
  readonly basePence: bigint;
  readonly beforePence: bigint;
  readonly afterPence: bigint;
}

function totalsOf(before: PayResult, after: PayResult): Total[] {
  const payOf = (result: PayResult): bigint[] => payByBaseCell(result);
  const [old, fresh] = [payOf(before), payOf(after)];
  return before.attribution.base.cells.map(({ holder, class: salesClass, basePence }, cell) => ({
    holder,
    class: salesClass,
    basePence,
    beforePence: old[cell]!,
    afterPence: fresh[cell]!,
  }));
}

function payByBaseCell({ attribution, components }: PayResult): bigint[] {
  const positions = new Map(
    attribution.base.cells.map((cell, position) => [cellKey(cell), position]),
  );
  const pence: bigint[] = Array.from({ length: positions.size }, () => 0n);
  for (const cell of components.flatMap((component) => component.cells))
    pence[positions.get(cellKey(cell))!]! += cell.payPence;
  return pence;
}

function cellKey(cell: Attribution["base"]["cells"][number]): string {
  return `${cell.period} ${cell.class} ${cell.channel} ${cell.holder.kind} ${holderCode(cell.holder)}`;
}

function compared(totals: readonly Total[]): ComparedPay {
  const sum = (value: (total: Total) => bigint): bigint =>
    totals.reduce((all, total) => all + value(total), 0n);
  const basePence = sum((it) => it.basePence);
  const beforePence = sum((it) => it.beforePence);
  const afterPence = sum((it) => it.afterPence);
  return {
    basePence,
    newPence: sum((it) => (it.class === "new" ? it.basePence : 0n)),
    beforePence,
    afterPence,
    differencePence: afterPence - beforePence,
    changePercent: percentOf(afterPence - beforePence, beforePence, 1),
    parityRatePercent: percentOf(beforePence, basePence, 4),
    growthForParityPercent: percentOf(beforePence - afterPence, afterPence, 1),
  };
}

/**
 * Both plans cost the same at the share s of new customers where
 * s·new₁ + (1−s)·repeat₁ = s·new₂ + (1−s)·repeat₂, with each plan's average rates.
 */
function parityNewShare(totals: readonly Total[]): string | null {
  const [fresh, repeat] = (["new", "repeat"] as const).map((salesClass) =>
    compared(totals.filter((total) => total.class === salesClass)),
  );
  const [a, b] = [fresh!, repeat!];
  // Rates over the common denominator a.base × b.base.
  const repeatGap = b.differencePence * a.basePence;
  const newGap = a.differencePence * b.basePence;
  const share = percentOf(repeatGap, repeatGap - newGap, 2);
  return share === null ||
    share.startsWith("-") ||
    decimal.compare(decimal.parse(share), decimal.integer(100)) > 0
    ? null
    : share;
}

/** `part ÷ whole` in percent, rounded half away from zero; null when the whole is not positive. */
function percentOf(part: bigint, whole: bigint, places: number): string | null {
  if (whole === 0n) return null;
  const [top, bottom] = whole < 0n ? [-part, -whole] : [part, whole];
  const digits = decimal.divideRounded(top * 10n ** BigInt(places + 2), bottom, "half-away");
  return decimal.format({ digits, scale: places });
}
