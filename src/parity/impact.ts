/**
 * What changed prices do: customers and products whose price becomes another one, and what that
 * would have meant on the sales of late, line by line at the quantities that were bought.
 */
import type { BookComparison, Trial, TrialPrice } from "../pricing/index.ts";
import { STANDING_LINES } from "../sales/index.ts";
import { today } from "./context.ts";
import type { ParityContext } from "./context.ts";
import { CHARGED } from "./facts.ts";
import type { ChargedLine } from "./facts.ts";
import { orderedQuantity } from "./judge.ts";
import { inSlices } from "./slices.ts";
import { moneyText, unitText } from "./words.ts";

/** Prices of a day: a book, and the day it is asked for. */
export interface PricesOf {
  readonly trial: Trial;
  /** Day or moment, ISO. */
  readonly on: string;
}

export interface ImpactQuestion {
  readonly before: PricesOf;
  readonly after: PricesOf;
  /** How many days of sales, up to today. */
  readonly days: number;
  readonly account?: string;
  readonly product?: string;
  /** At most so many customers, products and prices are listed, the largest first. */
  readonly most: number;
}

/** Net of the same lines before and after; `difference` is after less before. */
export interface ImpactSum {
  readonly lines: number;
  readonly before: string;
  readonly after: string;
  readonly difference: string;
  /** Null: nothing to compare with. */
  readonly percent: string | null;
}

export interface ImpactPrice {
  readonly account: string;
  readonly product: string;
  /** The quantity bought most often. */
  readonly quantity: string;
  readonly before: string | null;
  readonly after: string | null;
  readonly percent: string | null;
  readonly lines: number;
  readonly difference: string;
  /** Which rule gave the one and gives the other. */
  readonly becauseBefore: string;
  readonly becauseAfter: string;
}

export interface Impact {
  readonly from: string;
  readonly to: string;
  readonly beforeOn: string;
  readonly afterOn: string;
  readonly days: number;
  readonly all: ImpactSum;
  /** Lines whose net would have been another one. */
  readonly changed: ImpactSum;
  readonly dearer: ImpactSum;
  readonly cheaper: ImpactSum;
  /** Lines that have a price on one side only, or on neither. */
  readonly lost: number;
  readonly won: number;
  readonly unpriced: number;
  readonly changedCustomers: number;
  readonly changedProducts: number;
  readonly customers: readonly (ImpactSum & { readonly account: string })[];
  readonly products: readonly (ImpactSum & { readonly product: string })[];
  readonly prices: readonly ImpactPrice[];
  /**
   * Every customer's price that becomes another one, bought of late or not; null: one customer or
   * product was asked for.
   */
  readonly effective: BookComparison | null;
}

interface Both {
  readonly line: ChargedLine;
  readonly before: TrialPrice | null;
  readonly after: TrialPrice | null;
  readonly becauseBefore: string;
  readonly becauseAfter: string;
}

export async function impact(
  context: ParityContext,
  question: ImpactQuestion,
): Promise<Omit<Impact, "effective">> {
  const { before, after, days, most } = question;
  const to = today(context);
  const from = Temporal.PlainDate.from(to).subtract({ days }).toString();
  const sold = await soldLines(context, question, from, to);
  const priced = await inSlices(sold, (line) => bothPrices(line, before, after));
  const known = priced.filter((each) => each.before !== null && each.after !== null);
  const changed = known.filter((each) => differenceOf(each) !== 0);
  return {
    from,
    to,
    beforeOn: before.on,
    afterOn: after.on,
    days,
    all: sumOf(known),
    changed: sumOf(changed),
    dearer: sumOf(changed.filter((each) => differenceOf(each) > 0)),
    cheaper: sumOf(changed.filter((each) => differenceOf(each) < 0)),
    lost: priced.filter((each) => each.before !== null && each.after === null).length,
    won: priced.filter((each) => each.before === null && each.after !== null).length,
    unpriced: priced.filter((each) => each.before === null && each.after === null).length,
    changedCustomers: new Set(changed.map(({ line }) => line.account)).size,
    changedProducts: new Set(changed.map(({ line }) => line.product)).size,
    customers: largest(changed, most, ({ line }) => line.account).map(([account, of]) => ({
      account,
      ...sumOf(of),
    })),
    products: largest(changed, most, ({ line }) => line.product ?? "").map(([product, of]) => ({
      product,
      ...sumOf(of),
    })),
    prices: pricesOf(priced, most),
  };
}

/** Who bought what on these days. */
export async function soldReach(
  context: ParityContext,
  days: number,
): Promise<{ readonly accounts: readonly string[]; readonly products: readonly string[] }> {
  const to = today(context);
  const from = Temporal.PlainDate.from(to).subtract({ days }).toString();
  const [sold] = await context.store.query<{ accounts: string[]; products: string[] }>(
    `select coalesce(array_agg(distinct account), '{}') as accounts,
            coalesce(array_agg(distinct product) filter (where product is not null), '{}') as products
       from ${STANDING_LINES} standing
      where company = $1 and document_on between $2::date and $3::date and line_class = 'goods'`,
    [context.company, from, to],
  );
  return sold ?? { accounts: [], products: [] };
}

async function soldLines(
  { store, company }: ParityContext,
  { account, product }: ImpactQuestion,
  from: string,
  to: string,
): Promise<ChargedLine[]> {
  const documents = await store.query<{ documentType: string; document: string }>(
    `select distinct document_type as "documentType", document from ${STANDING_LINES} standing
      where company = $1 and document_on between $2::date and $3::date and line_class = 'goods'
        and ($4::text is null or account = $4) and ($5::text is null or product = $5)`,
    [company, from, to, account ?? null, product ?? null],
  );
  const lines = await store.query<ChargedLine>(CHARGED, [
    company,
    documents.map(({ documentType }) => documentType),
    documents.map(({ document }) => document),
  ]);
  return lines.filter(
    (line) =>
      line.lineClass === "goods" &&
      line.product !== null &&
      Number(line.quantity) > 0 &&
      (product === undefined || line.product === product),
  );
}

function bothPrices(line: ChargedLine, before: PricesOf, after: PricesOf): Both {
  const was = priceOf(line, before);
  const willBe = priceOf(line, after);
  return {
    line,
    before: was.state === "priced" ? was : null,
    after: willBe.state === "priced" ? willBe : null,
    becauseBefore: was.state === "problem" ? was.detail : was.because,
    becauseAfter: willBe.state === "problem" ? willBe.detail : willBe.because,
  };
}

function priceOf(line: ChargedLine, { trial, on }: PricesOf): ReturnType<Trial["price"]> {
  const { account, branch, quantity, product } = line;
  const at = branch !== null && trial.hasBranch(branch) ? branch : null;
  return trial.price(
    { account, branch: at, on },
    { product: product ?? "", quantity, counted: orderedQuantity(line) },
  );
}

/** In pence; what is credited counts the other way. */
function differenceOf({ line, before, after }: Both): number {
  if (before === null || after === null) return 0;
  return signOf(line) * (after.net - before.net);
}

function signOf({ documentType }: ChargedLine): number {
  return documentType === "credit" ? -1 : 1;
}

function sumOf(lines: readonly Both[]): ImpactSum {
  let before = 0;
  let after = 0;
  for (const each of lines) {
    before += signOf(each.line) * (each.before?.net ?? 0);
    after += signOf(each.line) * (each.after?.net ?? 0);
  }
  return {
    lines: lines.length,
    before: moneyText(before),
    after: moneyText(after),
    difference: moneyText(after - before),
    percent: percentOf(before, after),
  };
}

/** Two places, cut off towards 0. */
function percentOf(before: number, after: number): string | null {
  if (before === 0) return null;
  return moneyText(Math.trunc(((after - before) * 10_000) / Math.abs(before)));
}

function largest(
  lines: readonly Both[],
  most: number,
  of: (line: Both) => string,
): [string, Both[]][] {
  const sum = (group: readonly Both[]) =>
    Math.abs(group.reduce((total, each) => total + differenceOf(each), 0));
  return [...Map.groupBy(lines, of)]
    .map(([name, group]) => ({ name, group, sum: sum(group) }))
    .sort((left, right) => right.sum - left.sum || (left.name < right.name ? -1 : 1))
    .slice(0, most)
    .map(({ name, group }) => [name, group]);
}

/** Of each customer and product the price at the quantity bought most often. */
function pricesOf(priced: readonly Both[], most: number): ImpactPrice[] {
  const apart = priced.filter(({ before, after }) => before?.unitPrice !== after?.unitPrice);
  return largest(apart, most, ({ line }) => `${line.account}\n${line.product ?? ""}`).flatMap(
    ([, group]) => {
      const byQuantity = [...Map.groupBy(group, ({ line }) => orderedQuantity(line)).values()];
      const [usual] = byQuantity.sort((left, right) => right.length - left.length);
      const each = usual?.[0];
      if (each === undefined) return [];
      const { line, before, after, becauseBefore, becauseAfter } = each;
      return {
        account: line.account,
        product: line.product ?? "",
        quantity: orderedQuantity(line),
        before: before === null ? null : unitText(before.unitPrice),
        after: after === null ? null : unitText(after.unitPrice),
        percent:
          before === null || after === null ? null : percentOf(before.unitPrice, after.unitPrice),
        lines: group.length,
        difference: moneyText(group.reduce((sum, one) => sum + differenceOf(one), 0)),
        becauseBefore,
        becauseAfter,
      };
    },
  );
}
