/**
 * The order's totals as the ERP will compute them beside the shop's. Where the settings give a
 * penny line, an order whose gross is a few pence from the shop's carries the difference as a
 * charge without VAT, so that the customer owes in the ERP what the shop has shown. Pure.
 */
import { decimal, type WebOrder } from "../model/index.ts";
import { sameAmount, sumOf, type Totals } from "./amounts.ts";
import type { Checking } from "./checks.ts";
import type { computeOrder } from "./compute.ts";

type Stated = { readonly [Name in keyof Totals]: string | null };

export interface Rounded {
  /** As the shop sent them; null: it did not say. */
  readonly shop: Stated;
  /** As the ERP computes them, a penny line left out. */
  readonly erp: Totals;
  /** The shop's gross less the ERP's; null: the shop did not say its gross. */
  readonly difference: string | null;
  /** Net of the penny line that the order carries; null: it carries none. */
  readonly pennyLine: string | null;
}

type Amounts = Pick<WebOrder, "lines" | "charges" | keyof Totals>;

export function withPennyLine(
  { lines, charges, totals }: ReturnType<typeof computeOrder>,
  { request, facts, settings }: Pick<Checking, "request" | "facts" | "settings">,
): { readonly order: Amounts; readonly rounding: Rounded | null } {
  const order = { lines, charges, ...totals };
  const { net = null, vat = null, gross = null } = request;
  const shop = { net, vat, gross };
  if (net === null && vat === null && gross === null) return { order, rounding: null };
  const difference = gross === null ? null : less(gross, totals.gross);
  const rounding = { shop, erp: totals, difference, pennyLine: null };
  const { pennyLine } = settings;
  if (difference === null || pennyLine === undefined || contradict(request))
    return { order, rounding };
  const isFree = Number(facts.vatRates[pennyLine.vatCode] ?? "1") === 0;
  if (!isFree || !isWithin(difference, pennyLine.most)) return { order, rounding };
  const { charge, vatCode } = pennyLine;
  const made = { charge, description: "Rounding", net: difference, vatCode, vat: "0.00" };
  return {
    order: {
      lines,
      charges: [...charges, made],
      net: sumOf([totals.net, difference]),
      vat: totals.vat,
      gross: sumOf([totals.gross, difference]),
    },
    rounding: { ...rounding, pennyLine: difference },
  };
}

/** A net and a VAT that do not come to the gross beside them: no penny line mends that. */
export function contradict({
  net,
  vat,
  gross,
}: Pick<Checking["request"], "net" | "vat" | "gross">): boolean {
  if (net === undefined || vat === undefined || gross === undefined) return false;
  return !sameAmount(sumOf([net, vat]), gross);
}

function less(left: string, right: string): string {
  return sumOf([left, decimal.format(decimal.negate(decimal.parse<"money">(right)))]);
}

/** Not 0, and at most so much to either side. */
function isWithin(difference: string, most: string): boolean {
  const value = decimal.parse<"money">(difference);
  const size = value.digits < 0n ? decimal.negate(value) : value;
  return size.digits !== 0n && decimal.compare(size, decimal.parse(most)) <= 0;
}
