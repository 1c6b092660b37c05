/** Whose a line is: dated assignments laid out as calendars that cover every day of an account. */
import { decimal } from "../../model/index.ts";
import { compareTexts, dayNumber, HOUSE } from "./facts.ts";
import type { AssignmentFact } from "./facts.ts";
import type { Pool } from "./ledger.ts";

/** 100 % in the engine's unit of share and rate: ten-thousandths of a percent. */
export const WHOLE = 1_000_000;

export type Holder =
  | { readonly kind: "rep"; readonly rep: string }
  /** Explicitly nobody's: an assignment says so. */
  | { readonly kind: "house" }
  /** Nobody said whose it is. */
  | { readonly kind: "unassigned" };

/** A holder's part of an account between two days. */
export interface Part {
  readonly holder: Holder;
  /** Number of the holder inside a run: 0 unassigned, 1 house, then the reps. */
  readonly holderNumber: number;
  /** In ten-thousandths of a percent: 1,000,000 is the whole. */
  readonly units: number;
  /** Days of the assignment, inclusive; null: open. */
  readonly from: string | null;
  readonly to: string | null;
}

/**
 * From a day on (20260331) these hold the account, until the next segment; they add up to the
 * whole.
 */
export interface Segment {
  readonly from: number;
  /** Positions in the calendars' `parts`. */
  readonly parts: readonly number[];
}

/**
 * Assignments that cannot be: shares over 100, a share out of range, an end before its beginning.
 */
export interface AssignmentProblem {
  readonly account: string;
  readonly from: string;
  /** Null: until further notice. */
  readonly to: string | null;
  readonly found: string;
}

export interface Calendars {
  /** Every part that a day of an account has; the first one is "all of it nobody's". */
  readonly parts: readonly Part[];
  /**
   * By the account's number in the pool: its segments by date; undefined: nobody was ever assigned.
   */
  readonly byAccount: readonly (readonly Segment[] | undefined)[];
  readonly problems: readonly AssignmentProblem[];
}

/** A holder with its number. */
type Numbered = Pick<Part, "holder" | "holderNumber">;

const UNASSIGNED: Numbered = { holder: { kind: "unassigned" }, holderNumber: 0 };
const NOBODY: readonly number[] = [0];

export function compileCalendars(
  accounts: Pool,
  assignments: readonly AssignmentFact[],
): Calendars {
  const holders = new Map<string, Numbered>([
    [HOUSE, { holder: { kind: "house" }, holderNumber: 1 }],
  ]);
  const problems: AssignmentProblem[] = [];
  const parts: Part[] = [{ ...UNASSIGNED, units: WHOLE, from: null, to: null }];
  const byAccount: (Segment[] | undefined)[] = Array.from({ length: accounts.texts.length });
  for (const [account, rows] of Map.groupBy(assignments, (row) => row.account)) {
    const stretches = stretchesOf(rows, holders, problems);
    const number = accounts.find(account);
    if (number < 0) continue;
    byAccount[number] = stretches.map(({ from, held }) => ({
      from,
      parts: held.map((part) => parts.push(part) - 1),
    }));
  }
  problems.sort((a, b) => compareTexts(a.account, b.account) || compareTexts(a.from, b.from));
  return { parts, byAccount, problems };
}

/** Who holds an account with these segments on a day. */
export function partsOn(segments: readonly Segment[] | undefined, day: number): readonly number[] {
  if (segments === undefined) return NOBODY;
  for (let i = segments.length - 1; i >= 0; i -= 1)
    if (segments[i]!.from <= day) return segments[i]!.parts;
  return NOBODY;
}

/** One stretch for every day on which something changes. */
function stretchesOf(
  rows: readonly AssignmentFact[],
  holders: Map<string, Numbered>,
  problems: AssignmentProblem[],
): { from: number; held: readonly Part[] }[] {
  const parts = rows.flatMap((row) => partOf(row, holders, problems));
  const starts = new Set<string>();
  for (const { from, to } of parts) {
    if (from !== null) starts.add(from);
    if (to !== null) starts.add(addDays(to, 1));
  }
  const days = [...starts].sort(compareTexts);
  return days.map((from, index) => {
    const next = days[index + 1];
    const here = parts.filter((part) => (part.from ?? "") <= from && (part.to ?? "9") >= from);
    const total = here.reduce((sum, part) => sum + part.units, 0);
    if (total > WHOLE) {
      const to = next === undefined ? null : addDays(next, -1);
      problems.push({ account: rows[0]!.account, from, to, found: sumText(here, total) });
    }
    return { from: dayNumber(from), held: filled(here, total) };
  });
}

function partOf(
  row: AssignmentFact,
  holders: Map<string, Numbered>,
  problems: AssignmentProblem[],
): Part[] {
  const { account, rep, validFrom: from, validTo: to } = row;
  const share = decimal.tryParse(row.sharePercent);
  const units = share === undefined ? 0 : Number(decimal.digitsAt(share, 4));
  const refuse = (found: string): Part[] => {
    problems.push({ account, from, to, found });
    return [];
  };
  if (units <= 0 || units > WHOLE) return refuse(`${rep} has a share of ${row.sharePercent}%`);
  if (to !== null && to < from) return refuse(`${rep}'s assignment ends before it begins`);
  const numbered = holders.get(rep) ?? {
    holder: { kind: "rep", rep },
    holderNumber: holders.size + 1,
  };
  holders.set(rep, numbered);
  return [{ ...numbered, units, from, to }];
}

/** The parts in a fixed order, and the rest of the whole explicitly unassigned. */
function filled(parts: readonly Part[], total: number): readonly Part[] {
  const sorted = parts.toSorted((a, b) => compareTexts(holderCode(a.holder), holderCode(b.holder)));
  if (total >= WHOLE) return sorted;
  return [...sorted, { ...UNASSIGNED, units: WHOLE - total, from: null, to: null }];
}

function sumText(parts: readonly Part[], total: number): string {
  const each = parts
    .map(({ holder, units }) => `${holderCode(holder)} ${percentText(units)}%`)
    .sort(compareTexts);
  return `shares add up to ${percentText(total)}% (${each.join(" + ")})`;
}

/** Code of a holder as people write it. */
export function holderCode(holder: Holder): string {
  switch (holder.kind) {
    case "rep":
      return holder.rep;
    case "house":
      return HOUSE;
    case "unassigned":
      return "unassigned";
    default:
      return holder satisfies never;
  }
}

/** 600000 → "60", 333333 → "33.3333". */
export function percentText(units: number): string {
  return decimal.canonical(decimal.integer(units, 4));
}

export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}
