/**
 * What a plan pays on an attribution: exact per line, rounded once per rep, component and period.
 */
import type { Attribution } from "./attribute.ts";
import { CHANNELS, decimal } from "../../model/index.ts";
import { columnOf } from "./base.ts";
import type { Base, BaseCell } from "./base.ts";
import {
  addProduct,
  commonUnit,
  emptySum,
  largestRemainder,
  shareOutPence,
  valueOf,
} from "./exact.ts";
import type { Sum } from "./exact.ts";
import type { Plan } from "./plan.ts";
import { compileRates, componentsOf } from "./rate.ts";
import type { Rate, Rates } from "./rate.ts";
import { holderCode, WHOLE } from "./share.ts";

/** A row of a statement's summary: a cell of the base, cut by rate. */
export interface PayCell extends BaseCell {
  readonly rate: Rate;
  /** How many shares of lines. */
  readonly lines: number;
  /** 0 for the house and for what is unassigned: nobody is paid. */
  readonly payPence: bigint;
}

export interface ComponentPay {
  readonly component: string;
  readonly title: string;
  /**
   * In the order of the base's cells, inside them by rate; their bases add up to the whole base.
   */
  readonly cells: readonly PayCell[];
  /** Position in `cells` of every share of the attribution. */
  readonly cellOfShare: Int32Array;
  /** Pence of every share; they add up to their cells. Worked out when asked for. */
  readonly pence: () => Float64Array;
}

export interface PayResult {
  readonly plan: Plan;
  readonly attribution: Attribution;
  readonly components: readonly ComponentPay[];
}

export function pay(attribution: Attribution, plan: Plan): PayResult {
  const components = componentsOf(plan).map(({ component, title }) => {
    const rates = compileRates(plan, component, {
      groups: attribution.ledger.pools.productGroups,
      payStartOn: attribution.rules.payStartOn,
    });
    return { component, title, ...payComponent(attribution, rates) };
  });
  return { plan, attribution, components };
}

/** A cell while it is being filled. */
interface Draft {
  readonly cell: number;
  readonly ratePosition: number;
  readonly rate: Rate;
  /** Exact base in shares of a penny. */
  readonly base: Sum;
  lines: number;
  basePence: bigint;
  payPence: bigint;
}

/**
 * What shares and rates are counted in, and how many of both make one whole: all products are
 * integers.
 */
interface Scale {
  readonly shareUnit: number;
  readonly rateUnit: number;
  readonly denominator: number;
}

function payComponent(
  attribution: Attribution,
  rates: Rates,
): Omit<ComponentPay, "component" | "title"> {
  const { base } = attribution;
  const { shareUnit } = base;
  const rateUnit = commonUnit(
    WHOLE,
    rates.all.map(({ units }) => units),
  );
  const scale = { shareUnit, rateUnit, denominator: (WHOLE / shareUnit) * (WHOLE / rateUnit) };
  const { drafts, draftOfShare } = fillDrafts(attribution, rates);
  shareOutBase(base, drafts, BigInt(WHOLE / shareUnit));
  roundPay(base, drafts, scale);
  return {
    cells: drafts.map((draft) => cellFrom(base, draft)),
    cellOfShare: draftOfShare,
    pence: () => penceOf(attribution, { drafts, draftOfShare }, scale),
  };
}

/** The cells, and the position of every share's cell in them. */
interface Drafts {
  readonly drafts: readonly Draft[];
  readonly draftOfShare: Int32Array;
}

function fillDrafts(attribution: Attribution, rates: Rates): Drafts {
  const { ledger, shares, parts, base, origins } = attribution;
  const { day, productGroup, netPence } = ledger.columns;
  const columns = base.cells.map((it) => columnOf(it.class, CHANNELS.indexOf(it.channel)));
  const factors = parts.map((part) => part.units / base.shareUnit);
  const drafts: Draft[] = [];
  const known = new Int32Array(base.cells.length * rates.all.length).fill(-1);
  const numbers = new Int32Array(shares.line.length);
  for (let index = 0; index < numbers.length; index += 1) {
    const line = shares.line[index]!;
    const cell = base.cellOfShare[index]!;
    const on = day[origins.ratedBy[line]!]!;
    const group = productGroup[origins.groupedBy[line]!]!;
    const ratePosition = rates.find(on, columns[cell]!, group);
    const place = cell * rates.all.length + ratePosition;
    if (known[place]! < 0) known[place] = drafts.push(newDraft(cell, ratePosition, rates)) - 1;
    const draft = drafts[known[place]!]!;
    draft.lines += 1;
    addProduct(draft.base, netPence[line]!, factors[shares.part[index]!]!);
    numbers[index] = known[place]!;
  }
  return inOrder(drafts, numbers);
}

/** By cell, then by rate: as a statement lists them. */
function inOrder(drafts: readonly Draft[], draftOfShare: Int32Array): Drafts {
  const sorted = drafts.toSorted((a, b) => a.cell - b.cell || a.ratePosition - b.ratePosition);
  const position = new Map(sorted.map((draft, index) => [draft, index]));
  const moved = Int32Array.from(drafts, (draft) => position.get(draft)!);
  for (let index = 0; index < draftOfShare.length; index += 1)
    draftOfShare[index] = moved[draftOfShare[index]!]!;
  return { drafts: sorted, draftOfShare };
}

function newDraft(cell: number, ratePosition: number, rates: Rates): Draft {
  const rate = rates.all[ratePosition]!;
  return { cell, ratePosition, rate, base: emptySum(), lines: 0, basePence: 0n, payPence: 0n };
}

/**
 * The pence of a base cell are shared among its rates, so that no plan moves a penny of the base.
 */
function shareOutBase(base: Base, drafts: readonly Draft[], denominator: bigint): void {
  for (const [cell, among] of Map.groupBy(drafts, (draft) => draft.cell)) {
    const exact = among.map((draft) => valueOf(draft.base));
    const pence = largestRemainder(exact, denominator, base.cells[cell]!.basePence);
    for (const [index, draft] of among.entries()) draft.basePence = pence[index]!;
  }
}

/** Rounded once per rep and period; the rep's cells of the period share the rounded pence. */
function roundPay(base: Base, drafts: readonly Draft[], { rateUnit, denominator }: Scale): void {
  const paid = drafts.filter(({ cell }) => base.cells[cell]!.holder.kind === "rep");
  const key = ({ cell }: Draft): string =>
    `${base.cells[cell]!.period} ${holderCode(base.cells[cell]!.holder)}`;
  const scale = BigInt(denominator);
  for (const among of Map.groupBy(paid, key).values()) {
    const exact = among.map((it) => valueOf(it.base) * BigInt(it.rate.units / rateUnit));
    const sum = exact.reduce((total, value) => total + value, 0n);
    const pence = largestRemainder(exact, scale, decimal.divideRounded(sum, scale, "half-away"));
    for (const [index, draft] of among.entries()) draft.payPence = pence[index]!;
  }
}

function penceOf(
  { ledger, shares, parts, base }: Attribution,
  { drafts, draftOfShare }: Drafts,
  scale: Scale,
): Float64Array {
  const { netPence } = ledger.columns;
  const pence = new Float64Array(shares.line.length);
  const factors = parts.map((part) => part.units / scale.shareUnit);
  const members = groupedBy(draftOfShare, drafts);
  const most = Math.max(0, ...drafts.map(({ lines }) => lines));
  const scratch = { values: new Float64Array(most), factors: new Float64Array(most) };
  for (const [position, { cell, rate, payPence }] of drafts.entries()) {
    if (base.cells[cell]!.holder.kind !== "rep" || rate.units === 0) continue;
    const rateUnits = rate.units / scale.rateUnit;
    const at = members[position]!;
    for (let i = 0; i < at.length; i += 1) {
      scratch.values[i] = netPence[shares.line[at[i]!]!]!;
      scratch.factors[i] = factors[shares.part[at[i]!]!]! * rateUnits;
    }
    shareOutPence({ ...scratch, at }, scale.denominator, payPence, pence);
  }
  return pence;
}

/** The shares of every draft, in their order. */
function groupedBy(draftOfShare: Int32Array, drafts: readonly Draft[]): Int32Array[] {
  const members = drafts.map(({ lines }) => new Int32Array(lines));
  const filled = new Int32Array(drafts.length);
  for (let index = 0; index < draftOfShare.length; index += 1) {
    const draft = draftOfShare[index]!;
    members[draft]![filled[draft]!] = index;
    filled[draft]! += 1;
  }
  return members;
}

function cellFrom(base: Base, { cell, rate, lines, basePence, payPence }: Draft): PayCell {
  return { ...base.cells[cell]!, rate, lines, basePence, payPence };
}
