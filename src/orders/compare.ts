/** What was agreed beside what the ERP holds: pure, each difference a sentence. */
import type { HeldLine } from "../connector/index.ts";
import { decimal } from "../model/index.ts";
import { sameAmount } from "./amounts.ts";
import { goodsOf, goodsThere, type Goods } from "./goods.ts";

/** What was agreed. */
export interface Agreed {
  readonly net: string;
  readonly vat: string;
  readonly lines: readonly {
    readonly product: string;
    readonly quantity: string;
    readonly net: string;
  }[];
  readonly charges: readonly { readonly charge: string }[];
}

export interface HeldThere {
  readonly net: string | null;
  readonly vat: string | null;
  /** Absent or null: not told. */
  readonly lines?: readonly HeldLine[] | null;
}

export function differencesOf(agreed: Agreed, held: HeldThere): string[] {
  return [
    ...amountDiffers("net", agreed.net, held.net),
    ...amountDiffers("VAT", agreed.vat, held.vat),
    ...(held.lines === null || held.lines === undefined ? [] : linesDiffer(agreed, held.lines)),
  ];
}

/** True: a sentence of `differencesOf`. */
export function isDifference(sentence: string): boolean {
  return sentence.startsWith("Agreed ");
}

function amountDiffers(name: string, agreed: string, held: string | null): string[] {
  if (held === null || sameAmount(held, agreed)) return [];
  const by = decimal.format(decimal.subtract(decimal.parse(held), decimal.parse(agreed)));
  return [`Agreed ${name} is ${agreed}, the ERP holds ${held}: ${by}.`];
}

/** By product; lines without one, and charges kept under their codes, are what the totals hold. */
function linesDiffer(agreed: Agreed, held: readonly HeldLine[]): string[] {
  const [ours, theirs] = [goodsOf(agreed.lines), goodsThere(agreed, held)];
  const products = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return products.flatMap((product) =>
    lineDiffers(product, ours.get(product), theirs.get(product)),
  );
}

const NONE: Goods = { quantity: decimal.zero(), net: null };

function lineDiffers(product: string, ours = NONE, theirs = NONE): string[] {
  const [agreed, held] = [ours, theirs].map(({ quantity }) => decimal.canonical(quantity));
  if (agreed !== held) return [`Agreed are ${agreed} of ${product}, the ERP holds ${held}.`];
  if (ours.net === null || theirs.net === null || decimal.compare(ours.net, theirs.net) === 0)
    return [];
  const [net, there] = [ours.net, theirs.net].map((each) => decimal.format(each));
  return [`Agreed net of ${product} is ${net}, the ERP holds ${there}.`];
}

/** What ERPs write where a number is yet to come. */
const PLACEHOLDER =
  /^(?:tb[ac]|to be (?:advised|confirmed)|draft|pending|none|null|n\/?a|[0?.-]+)$/i;

/** True: this is the number of an order, and no blank or placeholder of a draft. */
export function isOrderNumber(text: string): boolean {
  const number = text.trim();
  return number !== "" && !PLACEHOLDER.test(number);
}

/** A document that is no order yet, and may never be one. */
export function isDraft(held: { readonly erpOrder: string; readonly state?: string | null }) {
  return !isOrderNumber(held.erpOrder) || /^(?:draft|pending)$/i.test(held.state?.trim() ?? "");
}

export function isGivenUp(state: string | null | undefined): boolean {
  return /^(?:cancelled|canceled|deleted|void(?:ed)?)$/i.test(state?.trim() ?? "");
}
