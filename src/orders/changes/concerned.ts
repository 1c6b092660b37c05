/**
 * What the checks of a new order say of one that is changed. What stays was agreed when the order
 * was taken: it is checked no second time, whatever has become of prices, products, days and the
 * account since. Pure.
 */
import { decimal, type WebOrder } from "../../model/index.ts";
import { sameAmount, sumOf } from "../amounts.ts";
import type { OrderRow } from "../book.ts";
import type { CheckName, OrderFinding } from "../checks.ts";
import { UNPAID } from "../payments.ts";
import type { OrderRequest } from "../request.ts";
import type { ChangeKind } from "./rows.ts";

export interface Changing {
  readonly kind: ChangeKind;
  readonly state: OrderRow["state"];
  /** The request that the order's content was made from; null: it is kept no more. */
  readonly before: OrderRequest | null;
  readonly now: OrderRequest;
  /** What it came to, and comes to. */
  readonly was: Pick<WebOrder, "lines" | "gross">;
  readonly is: Pick<WebOrder, "lines" | "gross">;
  /** A part is cancelled of what a person has yet to decide on, and holds that. */
  readonly ofHeld: boolean;
}

/** Those that are about what the change changes. */
export function concerned(
  findings: readonly OrderFinding[],
  changing: Changing,
): readonly OrderFinding[] {
  const { before, state, kind, ofHeld } = changing;
  // What it is held for it is held for with a part less, and less is never refused for it.
  if (ofHeld) return concerned(findings, { ...changing, kind: "amend", ofHeld: false }).map(asHeld);
  if (kind === "cancel") return ofCancellation(findings, changing);
  // One that the ERP refused is sent anew: all of it is checked.
  if (before === null || state === "refused") return findings;
  const told = toldOf(changing, before);
  // What speaks against an order that is held goes on holding it.
  return findings.flatMap((finding) => {
    if (concerns(finding, told)) return [finding];
    return state === "held" && finding.policy !== "accept" ? [holding(finding)] : [];
  });
}

/** Less is always taken off; what is held stays so while anything speaks against the rest. */
function ofCancellation(
  findings: readonly OrderFinding[],
  { state, before, now }: Changing,
): readonly OrderFinding[] {
  const stays = before === null ? [] : alike(before.lines, now.lines, isSame);
  const isHeld = state === "held" || state === "refused";
  return findings.flatMap((finding) => {
    const { check, code, line, policy } = finding;
    if (UNDECIDABLE.has(code) || (state === "refused" && UNPAID.has(code))) return [finding];
    if (policy === "accept") return check === "payment" ? [finding] : [];
    if (check === "quantity" && line !== null && stays[line - 1] === undefined) return [finding];
    return isHeld ? [holding(finding)] : [];
  });
}

function asHeld(finding: OrderFinding): OrderFinding {
  const { check, code, policy } = finding;
  const stays = policy !== "refuse" || UNDECIDABLE.has(code) || check === "quantity";
  return stays ? finding : holding(finding);
}

function holding(finding: OrderFinding): OrderFinding {
  return { ...finding, policy: "hold" };
}

/** What nobody can let pass, since the order could not be written, added up or done. */
const UNDECIDABLE: ReadonlySet<string> = new Set([
  "unit-unknown",
  "net-not-expressible",
  "amount-too-large",
  "vat-code-unknown",
  "currency-differs",
  "account-differs",
  "below-delivered",
]);

/** What a change changes. */
interface Told {
  /** By place: the line stays as it was; and one of which there is less at the same price. */
  readonly stays: readonly boolean[];
  readonly isLess: readonly boolean[];
  readonly charges: readonly boolean[];
  readonly lines: boolean;
  readonly grows: boolean;
  readonly shrinks: boolean;
  readonly payment: boolean;
  readonly moreLines: boolean;
  readonly place: boolean;
  readonly branch: boolean;
  readonly day: boolean;
  readonly reference: boolean;
  readonly quotation: boolean;
  readonly guest: boolean;
}

function toldOf({ now, was, is }: Changing, before: OrderRequest): Told {
  const same = alike(before.lines, now.lines, isSame);
  const less = alike(before.lines, now.lines, isSameOrLess);
  const charges = alike(before.charges, now.charges, isSameCharge);
  const isOther = (name: keyof OrderRequest) => !equal(before[name], now[name]);
  const compared = decimal.compare(decimal.parse(is.gross), decimal.parse(was.gross));
  return {
    stays: same.map((one) => one !== undefined),
    isLess: less.map((one) => one !== undefined),
    charges: charges.map((one) => one !== undefined),
    lines: before.lines.length !== now.lines.length || same.includes(undefined),
    grows: compared > 0,
    shrinks: decimal.compare(goodsOf(is), goodsOf(was)) < 0,
    payment: isPaidOtherwise(before.payment, now.payment, was.gross),
    moreLines: now.lines.length > before.lines.length,
    place: isOther("site") || isOther("deliverTo") || isOther("conditions"),
    branch: isOther("branch"),
    day: isOther("requestedOn"),
    reference: isOther("customerReference"),
    quotation: isOther("quotation"),
    guest: isOther("guest"),
  };
}

function goodsOf({ lines }: Pick<WebOrder, "lines">): decimal.Decimal {
  return decimal.parse(sumOf(lines.map(({ net }) => net)));
}

/** By another payment, or by less than it came to and was paid. */
function isPaidOtherwise(
  before: OrderRequest["payment"],
  now: OrderRequest["payment"],
  gross: string,
): boolean {
  if (now === null || before === null) return now !== before;
  const isOther = (["provider", "reference", "currency"] as const).some(
    (name) => before[name] !== now[name],
  );
  const [was, is] = [before.amount, now.amount].map((amount) => decimal.parse(amount));
  if (isOther || was === undefined || is === undefined) return true;
  return decimal.compare(is, was) < 0 && decimal.compare(is, decimal.parse(gross)) < 0;
}

function concerns({ check, code, line, charge, policy }: OrderFinding, told: Told): boolean {
  if (UNDECIDABLE.has(code)) return true;
  if (check === "payment" && policy === "accept") return true;
  if (line !== null && told.stays[line - 1] === true) return check === "totals";
  if (line !== null && told.isLess[line - 1] === true && OF_GOODS.has(check)) return false;
  if (charge !== undefined) return told.charges[charge - 1] !== true;
  if (line !== null) return true;
  return ABOUT[check]?.(told) ?? true;
}

/** What less of the same goods needs no leave for. */
const OF_GOODS: ReadonlySet<CheckName> = new Set(["product", "visibility", "stock", "limit"]);

/** Whether a change is about it; absent: always. */
const ABOUT: Partial<Record<CheckName, (told: Told) => boolean>> = {
  account: ({ grows }) => grows,
  stop: ({ grows }) => grows,
  credit: ({ grows, payment }) => grows || payment,
  payment: ({ grows, payment }) => grows || payment,
  limit: ({ grows, moreLines }) => grows || moreLines,
  minimum: ({ shrinks }) => shrinks,
  reference: ({ reference }) => reference,
  site: ({ place }) => place,
  delivery: ({ place }) => place,
  country: ({ place }) => place,
  branch: ({ branch }) => branch,
  requested: ({ day }) => day,
  agreement: ({ quotation }) => quotation,
  guest: ({ guest, grows, payment, place }) => guest || grows || payment || place,
  repeat: ({ lines, place, day, reference }) => lines || place || day || reference,
};

type Line = OrderRequest["lines"][number];
type Charge = OrderRequest["charges"][number];

/** For each of what is wanted now the one of before that it is like; each is taken once. */
function alike<One>(
  before: readonly One[],
  now: readonly One[],
  isLike: (one: One, other: One) => boolean,
): readonly (One | undefined)[] {
  const free = [...before];
  return now.map((each) => {
    const at = free.findIndex((one) => isLike(one, each));
    return at < 0 ? undefined : free.splice(at, 1)[0];
  });
}

function isSame(before: Line, now: Line): boolean {
  return isAtOnePrice(before, now) && compare(before, now) === 0;
}

/** Whether no line of what is wanted now is other than one of before, or than less of it. */
export function isLessOf(before: readonly Line[], now: readonly Line[]): boolean {
  return !alike(before, now, isSameOrLess).includes(undefined);
}

function isSameOrLess(before: Line, now: Line): boolean {
  return isAtOnePrice(before, now) && compare(before, now) >= 0;
}

function isAtOnePrice(before: Line, now: Line): boolean {
  return (
    before.product === now.product &&
    before.unit === now.unit &&
    sameAmount(before.unitPrice, now.unitPrice)
  );
}

function compare(one: Line, other: Line): number {
  return decimal.compare(decimal.parse(one.quantity), decimal.parse(other.quantity));
}

function isSameCharge(before: Charge, now: Charge): boolean {
  return (
    before.charge === now.charge &&
    before.vatCode === now.vatCode &&
    sameAmount(before.net, now.net)
  );
}

export function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}
