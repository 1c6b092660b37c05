/**
 * One line that the ERP charged against our price of it: equal to the penny, explained by evidence
 * that is named, or not. Knows no database; what it cannot price it says so.
 */
import type { Trial, TrialAnswer, TrialCandidate, TrialPrice } from "../pricing/index.ts";
import type { ParityStateName } from "./context.ts";
import type { ChargedLine } from "./facts.ts";
import { dateText, percentText, priceText, signedPounds } from "./words.ts";

export interface Verdict {
  readonly state: ParityStateName;
  readonly reason: string;
  readonly evidence: string;
  /** Our price; null: there is none. */
  readonly ours: TrialPrice | null;
  readonly because: string;
  /** Null: our price was not asked. */
  readonly pricedOn: string | null;
  readonly counted: string | null;
}

/** Quantities of a document that a policy may count breaks over. */
export interface Pooled {
  quantity(line: ChargedLine): string | null;
}

/** What the ERP charged, in integers. */
interface Charged {
  /** Null: only the price is known. */
  readonly net: number | null;
  /** Per pricing unit with 6 places: before the line's discount, and after it. */
  readonly full: number;
  readonly less: number;
  /** With 4 places. */
  readonly percent: number;
}

interface Case {
  readonly line: ChargedLine;
  readonly trial: Trial;
  readonly charged: Charged;
  readonly on: string;
  readonly counted: string;
  /** The same line asked for another day or quantity. */
  readonly ask: (on: string, counted: string) => TrialAnswer;
}

export function judge(line: ChargedLine, trial: Trial, pooled: Pooled): Verdict {
  const about = caseOf(line, trial, pooled);
  if (typeof about === "string") return unpriced(about);
  const answer = about.ask(about.on, about.counted);
  const asked = { pricedOn: about.on, counted: about.counted };
  if (answer.state !== "priced") return { ...unpricedBy(answer), ...asked };
  const found = reasonOf(about, answer);
  return { ...found, ours: answer, because: answer.because, ...asked };
}

/**
 * Whether the line was charged at our price, a typed discount apart; null: it has no price of ours.
 */
export function fits(line: ChargedLine, trial: Trial, pooled: Pooled): boolean | null {
  const about = caseOf(line, trial, pooled);
  if (typeof about === "string") return null;
  const answer = about.ask(about.on, about.counted);
  if (answer.state !== "priced") return null;
  return isOurs(about.charged, answer) || typedDiscount(about, answer) !== null;
}

/** The line as it is asked for; or why it is not. */
function caseOf(line: ChargedLine, trial: Trial, pooled: Pooled): Case | string {
  const { product } = line;
  if (line.lineClass !== "goods") return line.lineClass === "text" ? "text" : "charge";
  if (product === null) return "text";
  if (integerOf(line.quantity) <= 0) return "no-quantity";
  const { account, quantity, branch } = line;
  const of = { account, branch: branch !== null && trial.hasBranch(branch) ? branch : null };
  return {
    line,
    trial,
    charged: chargedOf(line),
    on: decidingDate(line, trial),
    counted: pooled.quantity(line) ?? orderedQuantity(line),
    ask: (on, counted) => trial.price({ ...of, on }, { product, quantity, counted }),
  };
}

function unpriced(reason: string, because = ""): Verdict {
  const ours = { ours: null, because, pricedOn: null, counted: null };
  return { state: "unpriced", reason, evidence: "", ...ours };
}

function unpricedBy(answer: Exclude<TrialAnswer, TrialPrice>): Verdict {
  if (answer.state === "unknown") return unpriced("no-price", answer.because);
  if (answer.code === "unknown-product") return unpriced("product-gone", answer.detail);
  if (answer.code === "unknown-account") return unpriced("account-gone", answer.detail);
  return unpriced("no-price", answer.detail);
}

/** Columns have a fixed number of places: without the point they are integers. */
function integerOf(text: string): number {
  return Number(text.replace(".", ""));
}

function chargedOf({ net, unitPrice, discountPercent }: ChargedLine): Charged {
  const full = integerOf(unitPrice);
  const percent = integerOf(discountPercent);
  const pence = net === null ? null : integerOf(net);
  return { net: pence, full, percent, less: Math.round(full * (1 - percent / 1_000_000)) };
}

/** The policy's date where it is known; else the invoice's. */
export function decidingDate(line: ChargedLine, { policy }: Pick<Trial, "policy">): string {
  switch (policy.decides.date) {
    case "order":
      return line.orderedOn ?? line.invoicedOn;
    case "despatch":
      return line.despatchedOn ?? line.invoicedOn;
    case "invoice":
      return line.invoicedOn;
    default:
      return policy.decides.date satisfies never;
  }
}

/** A break holds for what was ordered, however it was delivered. */
export function orderedQuantity(line: ChargedLine): string {
  if (line.orderedQuantity !== null) return line.orderedQuantity;
  return line.partsQuantity ?? line.creditedQuantity ?? line.quantity;
}

type Found = Pick<Verdict, "state" | "reason" | "evidence">;

function reasonOf(about: Case, ours: TrialPrice): Found {
  if (isOurs(about.charged, ours)) return vatOf(about, ours);
  return (
    typedDiscount(about, ours) ??
    samePrice(about, ours) ??
    otherDate(about) ??
    otherQuantity(about) ??
    otherRule(about) ?? { state: "mismatch", reason: "unexplained", evidence: "" }
  );
}

/** The net is ours to the penny; where its VAT is not, why. */
function vatOf({ line, charged }: Case, ours: TrialPrice): Found {
  const found = (reason: string, evidence: string): Found => ({
    state: "match",
    reason,
    evidence,
  });
  const vat = integerOf(line.vat);
  if (charged.net === null || ours.vat === null || vat === ours.vat) return found("", "");
  const { vatCode, parts } = line;
  const by = `VAT ${signedPounds(vat - ours.vat, line.currency)}`;
  if (vatCode !== null && ours.vatCode !== null && vatCode !== ours.vatCode)
    return found("vat-code", `${by}: charged under the code ${vatCode}, ours is ${ours.vatCode}`);
  const apart = Math.abs(vat - ours.vat);
  if (parts > 1 && apart <= parts)
    return found(
      "vat-part-delivery",
      `${by}: the order's line was invoiced in ${parts} parts; the last one is what was left of it`,
    );
  return apart === 1
    ? found("vat-rounding", `${by}: rounded for the document, or another way than ours`)
    : found("vat-unexplained", by);
}

function isOurs({ net, full, less }: Charged, ours: TrialPrice): boolean {
  return net === null ? full === ours.unitPrice || less === ours.unitPrice : net === ours.net;
}

function explained(reason: string, evidence: string): Found {
  return { state: "explained", reason, evidence };
}

function typedDiscount({ charged, line }: Case, ours: TrialPrice): Found | null {
  if (charged.percent === 0 || charged.full !== ours.unitPrice) return null;
  return explained(
    "discount",
    `${percentText(line.discountPercent)} typed on the line; the price before it, ` +
      `${priceText(ours.unitPrice, line.currency)}, is ours`,
  );
}

/** Unit price and discount are ours, and the pence are not. */
function samePrice({ charged, line, ask, on }: Case, ours: TrialPrice): Found | null {
  if (charged.full !== ours.unitPrice && charged.less !== ours.unitPrice) return null;
  if (line.parts > 1 && line.partsQuantity !== null && line.partsNet !== null) {
    const whole = ask(on, line.partsQuantity);
    const apart = Math.abs((charged.net ?? ours.net) - ours.net);
    if (whole.state === "priced" && apart <= line.parts)
      return explained(
        "part-delivery",
        `the order's line was invoiced in ${line.parts} parts; the last one is what was left of it`,
      );
  }
  return {
    state: "mismatch",
    reason: "rounding",
    evidence: `the same price ${priceText(ours.unitPrice, line.currency)} comes to other pence`,
  };
}

/** How far apart the dates of order and invoice may be where the order is not held. */
const DAYS_BEFORE = 14;

function otherDate(about: Case): Found | null {
  const { line, on, counted, ask, charged } = about;
  const known = [
    [line.orderedOn, "order"],
    [line.despatchedOn, "despatch"],
    [line.invoicedOn, "invoice"],
  ] as const;
  for (const [date, what] of known) {
    if (date === null || date === on) continue;
    const answer = ask(date, counted);
    if (isCharged(charged, answer))
      return explained(
        "other-date",
        `the price of the ${what}'s date, ${dateText(date)}${onTop(about, answer)}`,
      );
  }
  const first = Temporal.PlainDate.from(on);
  for (let days = 1; days <= DAYS_BEFORE; days += 1) {
    const date = first.subtract({ days }).toString();
    const answer = ask(date, counted);
    if (isCharged(charged, answer))
      return explained(
        "other-date",
        `the price of ${dateText(date)}, ${days} ${days === 1 ? "day" : "days"} before` +
          `${line.orderedOn === null ? "; its order is not held any more" : ""}${onTop(about, answer)}`,
      );
  }
  return null;
}

function isCharged({ net, full, less, percent }: Charged, answer: TrialAnswer): boolean {
  if (answer.state !== "priced") return false;
  return answer.net === net || (percent === 0 ? full : less) === answer.unitPrice
    ? true
    : percent !== 0 && full === answer.unitPrice;
}

function onTop({ charged, line }: Case, answer: TrialAnswer): string {
  return answer.state === "priced" && charged.percent !== 0 && charged.full === answer.unitPrice
    ? `, less ${percentText(line.discountPercent)} typed on the line`
    : "";
}

function otherQuantity(about: Case): Found | null {
  const { line, counted, on, ask, charged } = about;
  const known = [
    [line.quantity, "the line alone"],
    [line.orderedQuantity, "the order's line"],
    [line.partsQuantity, "all deliveries of the order's line"],
  ] as const;
  for (const [quantity, what] of known) {
    if (quantity === null || quantity === counted || integerOf(quantity) <= 0) continue;
    const answer = ask(on, quantity);
    if (isCharged(charged, answer))
      return explained(
        "other-quantity",
        `the price of ${plainText(quantity)}, the quantity of ${what}${onTop(about, answer)}`,
      );
  }
  return null;
}

function plainText(quantity: string): string {
  return quantity.replace(/\.?0+$/, "");
}

/** A rule that was looked at and did not win says this price. */
function otherRule(about: Case): Found | null {
  const { line, trial, charged, on, counted } = about;
  const { account, quantity, product } = line;
  if (product === null) return null;
  const all = trial.candidates({ account, on }, { product, quantity, counted });
  const taken = all.find((each) => each.taken);
  const says = all.find(
    ({ taken: wins, unitPrice }) =>
      !wins && unitPrice !== null && (unitPrice === charged.full || unitPrice === charged.less),
  );
  if (says === undefined) return null;
  const evidence = `${says.rule}; it ${says.why}`;
  const reason = explains(says, taken);
  return reason === null
    ? { state: "mismatch", reason: "other-rule", evidence }
    : explained(reason, evidence);
}

/** Null: nothing about the rule says why it should hold for this line and not for others. */
function explains(says: TrialCandidate, taken: TrialCandidate | undefined): string | null {
  if (says.source === "quotation" || says.source === "promotion") return says.source;
  if (says.label !== null) return "contract";
  return says.place === taken?.place && says.fromQuantity !== taken.fromQuantity
    ? "other-quantity"
    : null;
}
