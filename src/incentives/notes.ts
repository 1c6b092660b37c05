/** What a person should look at before anybody is paid. */
import { shareAt } from "./engine/index.ts";
import type { PayResult, Rate } from "./engine/index.ts";
import { poundsText } from "./money.ts";

export type NoteKind =
  /** Neither history nor an opening date proves a customer new: paid as repeat. */
  | "unproven-customer"
  /** A credit note that names no invoice of the ledger: treated by its own date. */
  | "unlinked-credit"
  /** Nobody is assigned to an account, or not to all of it. */
  | "unassigned-account"
  /** No row of the plan fits, or the plan had no version on the date. */
  | "no-rate"
  /** A credit note for a line before the pay start: nothing was taken back. */
  | "credit-before-pay-start";

export interface Note {
  readonly kind: NoteKind;
  /** Trading entity, account or document, by kind. */
  readonly about: string;
  readonly lines: number;
  /** The part of the base that it is about, pounds and pence, fractions of a penny dropped. */
  readonly net: string;
}

/** By kind, what it is about in order of its worth. */
export function notesOf(result: PayResult): Note[] {
  const { attribution, components } = result;
  const tallies = new Map<string, { kind: NoteKind; about: string; lines: number; net: bigint }>();
  for (let index = 0; index < attribution.shares.line.length; index += 1) {
    const rates = components.map(({ cells, cellOfShare }) => cells[cellOfShare[index] ?? -1]?.rate);
    const { line, part } = shareAt(attribution, index);
    for (const { kind, about } of kindsOf(result, index, rates)) {
      const tally = tallies.get(`${kind} ${about}`) ?? { kind, about, lines: 0, net: 0n };
      tally.lines += 1;
      tally.net += BigInt(line.netPence) * BigInt(part.units);
      tallies.set(`${kind} ${about}`, tally);
    }
  }
  return [...tallies.values()]
    .sort(
      (a, b) => order(a.kind, b.kind) || order(size(b.net), size(a.net)) || order(a.about, b.about),
    )
    .map(({ net, ...tally }) => ({ ...tally, net: poundsText(net / WHOLE) }));
}

/** Ten-thousandths of a percent in the whole. */
const WHOLE = 1_000_000n;

function kindsOf(
  { attribution }: PayResult,
  index: number,
  rates: readonly (Rate | undefined)[],
): { kind: NoteKind; about: string }[] {
  const { line, part, evidence, link } = shareAt(attribution, index);
  const found: { kind: NoteKind; about: string }[] = [];
  if (evidence.basis === "unproven")
    found.push({ kind: "unproven-customer", about: evidence.tradingEntity });
  if (link.kind === "unlinked") found.push({ kind: "unlinked-credit", about: line.document });
  if (part.holder.kind === "unassigned")
    found.push({ kind: "unassigned-account", about: line.account });
  if (rates.some((rate) => rate?.basis === "before-pay-start"))
    found.push({ kind: "credit-before-pay-start", about: line.document });
  const isRated = rates.some((rate) => rate?.basis === "row" || rate?.basis === "before-pay-start");
  if (!isRated && part.holder.kind === "rep") found.push({ kind: "no-rate", about: line.account });
  return found;
}

function order<T extends string | bigint>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function size(value: bigint): bigint {
  return value < 0n ? -value : value;
}
