/** How `price of` and `price explain` show an answer: 118 columns at most, step by step. */
import { PRICE_STATES } from "../pricing/index.ts";
import type { ExplainedLine, PriceAnswer, PriceExplanation } from "../pricing/index.ts";
import { moment, pounds, price } from "./print.ts";

export type Candidate = PriceExplanation["candidates"][number];
type Explained = Exclude<ExplainedLine, { state: "problem" }>;

/** The answer itself; `sources`: how old what it rests on is. */
export function answerLines(
  line: Omit<PriceAnswer, "token">,
  { timeZone, sources }: { readonly timeZone: string; readonly sources: string },
): string[] {
  const until =
    line.validUntil === null
      ? "until further notice"
      : `until ${moment(Temporal.Instant.from(line.validUntil), timeZone)}`;
  const told =
    line.unitPrice === null
      ? "not known"
      : `${price(line.unitPrice, line.currency)} per ${line.pricingUnit}, ${until}`;
  const { means } = PRICE_STATES[line.state];
  return [
    `price     ${told}`,
    `line      ${line.quantity} × ${line.product}: ${pounds(line.net, line.currency)} net, ${pounds(line.vat, line.currency)} VAT (${line.vatCode ?? "no code"})`,
    `state     ${line.state}: ${line.stateReason ?? means}`,
    `because   ${line.because}`,
    `book      ${line.bookVersion}, ${sources}`,
  ].flatMap((text) => wrapped(text, WIDTH, 10));
}

/** The arithmetic, then every candidate under the step that looked at it. */
export function explainedLines({ explanation, currency }: Explained): string[] {
  const steps = Map.groupBy(explanation.candidates, ({ step }) => step);
  const arithmetic = explanation.arithmetic.flatMap((text) => wrapped(text, WIDTH - 2, 2));
  return [
    ...(arithmetic.length === 0 ? [] : ["How it is worked out", ...indented(arithmetic), ""]),
    ...(explanation.candidates.length === 0
      ? ["No rule is for this customer and this product."]
      : [row(["What was looked at", "price", "why, and the row of the ERP"]), RULE]),
    ...[...steps].flatMap(([step, candidates]) => [
      step,
      ...candidates.flatMap((each) => candidateLines(each, currency)),
    ]),
  ];
}

export function placeOf(row: Candidate["rows"][number]): string {
  return `${row.origin ?? row.originId}:${row.line}`;
}

const WIDTH = 118;
const RULE_WIDTH = 64;
const PRICE_WIDTH = 10;
const WHY_WIDTH = WIDTH - RULE_WIDTH - PRICE_WIDTH - 4;
const RULE = [RULE_WIDTH, PRICE_WIDTH, WHY_WIDTH].map((width) => "─".repeat(width)).join("  ");

/** What it is and whom it is for on the left, why and where from on the right. */
function candidateLines(each: Candidate, currency: string): string[] {
  const mark = each.taken ? "→ " : "  ";
  const left = [
    ...wrapped(`${mark}${each.rule}`, RULE_WIDTH, 4),
    ...wrapped(`    ${each.whom}, ${each.what}`, RULE_WIDTH, 4),
  ];
  const places = each.rows.map(placeOf);
  const right = [
    ...wrapped(each.why, WHY_WIDTH, 0),
    ...(places.length === 0 ? ["(its row has changed since)"] : places),
  ];
  const figure = each.unitPrice === null ? "–" : price(each.unitPrice, currency);
  return Array.from({ length: Math.max(left.length, right.length) }, (_, at) =>
    row([left[at] ?? "", at === 0 ? figure : "", right[at] ?? ""]),
  );
}

function row([left, figure, right]: readonly [string, string, string]): string {
  return `${left.padEnd(RULE_WIDTH)}  ${figure.padStart(PRICE_WIDTH)}  ${right}`.trimEnd();
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Broken between words; what follows the first line stands `hang` columns in. */
function wrapped(text: string, width: number, hang: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (rest.length > width) {
    const at = rest.lastIndexOf(" ", width);
    if (at <= hang) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = `${" ".repeat(hang)}${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}
