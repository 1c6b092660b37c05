/** What was agreed beside what the ERP holds: pure, each difference a sentence. */
import type { HeldLine } from "../connector/index.ts";
import { decimal } from "../model/index.ts";
import { sameAmount } from "./amounts.ts";

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

interface Sum {
  readonly quantity: string;
  /** Null: a line of it does not state its net. */
  readonly net: string | null;
}

/**
 * By product, since an ERP may split or join lines. Its lines without a product, and charges that
 * it keeps under their codes, are what the totals hold.
 */
function linesDiffer({ lines, charges }: Agreed, held: readonly HeldLine[]): string[] {
  const ours = sums(lines);
  const goods = held.flatMap(({ product, quantity, net }) =>
    product === null || charges.some(({ charge }) => charge === product && !ours.has(product))
      ? []
      : [{ product, quantity, net }],
  );
  const theirs = sums(goods);
  const products = [...new Set([...ours.keys(), ...theirs.keys()])].sort();
  return products.flatMap((product) =>
    lineDiffers(product, ours.get(product), theirs.get(product)),
  );
}

const NONE: Sum = { quantity: "0", net: null };

function lineDiffers(product: string, ours: Sum = NONE, theirs: Sum = NONE): string[] {
  if (!sameAmount(ours.quantity, theirs.quantity))
    return [`Agreed are ${shown(ours)} of ${product}, the ERP holds ${shown(theirs)}.`];
  if (ours.net === null || theirs.net === null || sameAmount(ours.net, theirs.net)) return [];
  return [`Agreed net of ${product} is ${ours.net}, the ERP holds ${theirs.net}.`];
}

function shown({ quantity }: Sum): string {
  return decimal.canonical(decimal.parse(quantity));
}

function sums(
  lines: readonly {
    readonly product: string;
    readonly quantity: string;
    readonly net: string | null;
  }[],
): Map<string, Sum> {
  const found = new Map<string, Sum>();
  for (const { product, quantity, net } of lines) {
    const before = found.get(product);
    found.set(product, {
      quantity: before === undefined ? quantity : added(before.quantity, quantity),
      net: net === null || before?.net === null ? null : added(before?.net ?? "0", net),
    });
  }
  return found;
}

function added(one: string, other: string): string {
  return decimal.format(decimal.sum([decimal.parse(one), decimal.parse(other)]));
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
