/**
 * Explanations of prices, held to what they promise: a reason for every candidate, a row of a file
 * behind it, and arithmetic that whoever reads it can work out again to the penny.
 */
import { count } from "../../../src/cli.ts";
import { decimal } from "../../../src/model/index.ts";
import type { ExplainedLine, PriceExplanation } from "../../../src/pricing/index.ts";
import { randomOf } from "../merchant/index.ts";
import type { Story } from "../story.ts";
import type { World } from "../world.ts";

export type Explained = Exclude<ExplainedLine, { state: "problem" }>;
type Row = PriceExplanation["candidates"][number]["rows"][number];

/** What is wrong with an explanation; nothing when a finance person can follow it to its end. */
export function faultsOf({ explanation, ...answer }: Explained): string[] {
  const { candidates, arithmetic } = explanation;
  const priced = answer.unitPrice !== null;
  const taken = candidates.filter((each) => each.taken).length;
  return [
    ...(priced && taken === 0 ? ["a price that nothing gives"] : []),
    ...(!priced && answer.because === "" ? ["no price, and no reason why"] : []),
    ...candidates.flatMap(({ rule, why, rows }) => [
      ...(why === "" ? [`no reason for ${rule}`] : []),
      ...(rows.length === 0 ? [`no row behind ${rule}`] : []),
      ...rows.filter(({ origin }) => origin === null).map(({ row }) => `no file for ${row}`),
    ]),
    ...(priced ? sumFaults(arithmetic, answer) : []),
    ...[explanation.asked, ...arithmetic, ...candidates.flatMap(({ rule, why }) => [rule, why])]
      .filter((text) => INTERNAL.test(text))
      .map((text) => `internal words in "${text}"`),
  ];
}

/** ISO dates and words of the program, which no finance person should meet. */
const INTERNAL = /\d{4}-\d{2}-\d{2}T|\b(?:null|undefined|NaN|Infinity)\b|\d{13}/;

const MONEY = String.raw`(?:£|[A-Z]{3} )([\d,]+\.\d+)`;
const STEP = new RegExp(String.raw`${MONEY} ([−+]) ${MONEY} = ${MONEY}(?:, rounded ${MONEY})?`);
const LINE = new RegExp(
  String.raw`^([\d,.]+) \S+ at ${MONEY} per \S+(?: \(([\d,.]+) \S+\))?: ${MONEY}(?:, rounded ${MONEY})?$`,
);
const VAT = new RegExp(
  String.raw`^VAT \S+ at ([\d.]+)% of ${MONEY}: ${MONEY}(?:, rounded ${MONEY})?$`,
);

/** The sums as they are printed, worked out again. */
function sumFaults(
  arithmetic: readonly string[],
  { unitPrice, net, vat }: Omit<Explained, "explanation">,
): string[] {
  const of = (pattern: RegExp) =>
    arithmetic.flatMap((text) => {
      const found = pattern.exec(text);
      return found === null ? [] : [found.map((part) => (part ?? "").replaceAll(",", ""))];
    });
  const steps = of(STEP).flatMap(([text = "", from = "", sign, by = "", to = "", rounded = ""]) => {
    const off = decimal.parse(by);
    const left = decimal.add(decimal.parse(from), sign === "+" ? off : decimal.negate(off));
    return [...differ(text, left, to), ...near(text, to, rounded, 4)];
  });
  const [line] = of(LINE);
  if (line === undefined) return [...steps, "no line says what the quantity comes to"];
  const [text = "", quantity = "", price = "", per = "1", exact = "", rounded = ""] = line;
  const product = decimal.multiply(decimal.parse(quantity), decimal.parse(price));
  const times = decimal.multiply(decimal.parse(exact), decimal.parse(per === "" ? "1" : per));
  const value = rounded === "" ? exact : rounded;
  const taxes = of(VAT).flatMap(([told = "", rate = "", from = "", amount = "", round = ""]) => [
    ...differ(told, decimal.percentOf(decimal.parse(from), decimal.parse(rate)), amount),
    ...near(told, amount, round, 2),
    ...differ(told, decimal.parse(from), net ?? ""),
    ...differ(told, decimal.parse(round === "" ? amount : round), vat ?? ""),
  ]);
  return [
    ...steps,
    ...differ(text, decimal.parse(price), unitPrice ?? ""),
    ...differ(text, product, decimal.canonical(times)),
    ...near(text, exact, rounded, 2),
    ...differ(text, decimal.parse(value), net ?? ""),
    ...taxes,
  ];
}

function differ(text: string, found: decimal.Decimal, told: string): string[] {
  if (told !== "" && decimal.compare(found, decimal.parse(told)) === 0) return [];
  return [`${decimal.canonical(found)} is not ${told} in "${text}"`];
}

/** Rounded half away from zero to so many places, where it was rounded. */
function near(text: string, exact: string, rounded: string, scale: number): string[] {
  if (rounded === "") return [];
  return differ(text, decimal.round(decimal.parse(exact), { scale, mode: "half-away" }), rounded);
}

const ASKED = 400;
const FOLLOWED = 60;

/** Explanations of lines of every kind, on days past, today and to come. */
export async function proveExplanations(story: Story, world: World): Promise<void> {
  const { company, merchant } = world;
  const random = randomOf(merchant.seed, "explanations");
  const agreed = merchant.priceRules.filter(({ customerScope }) => customerScope === "account");
  const days = [0, -90, -400, 45, 200].map((ahead) =>
    Temporal.PlainDate.from(merchant.today).add({ days: ahead }).toString(),
  );
  const open = merchant.quotations.filter(({ state }) => state === "open");
  const found: Explained[] = [];
  const faults: string[] = [];
  for (let turn = 0; turn < ASKED / 4; turn += 1) {
    const rule = random.pick(agreed);
    const quoted = turn % 10 === 0 ? random.pick(open) : undefined;
    const account = quoted?.account ?? rule.customerCode ?? "";
    const products = [
      rule.productScope === "product" ? rule.productCode : random.pick(merchant.products).product,
      merchant.quotationLines.find((line) => line.quotation === quoted?.quotation)?.product ??
        random.pick(merchant.products).product,
      random.pick(merchant.products).product,
      random.pick(merchant.products).product,
    ];
    const lines = products.map((product) => ({
      product,
      quantity: random.pick(["1", "5", "12", "2.5", "100", "1200"]),
    }));
    const on = quoted === undefined ? random.pick(days) : merchant.today;
    const quotation = quoted?.quotation ?? null;
    for (const line of await company.pricing.explain({ account, asOf: on, quotation, lines }))
      if (line.state === "problem") faults.push(line.detail);
      else found.push(line);
  }
  const told = found.flatMap(({ explanation }) => explanation.candidates);
  const winners = new Set(
    found.map(({ because }) =>
      because
        .replace(/[:,;(].*/, "")
        .replace(/ \S*\d\S*$/, "")
        .trim(),
    ),
  );
  story.say(`the prices that won: ${[...winners].sort().join(", ")}`);
  story.holds(
    `${count(found.length)} explanations of ${count(told.length)} candidates: each has its reason and its row, and the sums come to the net and VAT`,
    [...faults, ...found.flatMap(faultsOf)].slice(0, 5),
    [],
  );
  await followed(
    story,
    world,
    told.flatMap(({ rows }) => rows),
  );
}

/** Rows of the files themselves: each begins with the key that the explanation names. */
async function followed(story: Story, { company }: World, rows: readonly Row[]): Promise<void> {
  const each = new Map(rows.map((row) => [`${row.originId}:${row.line}`, row]));
  const some = [...each.values()].filter((_, at) => at % Math.ceil(each.size / FOLLOWED) === 0);
  const wrong: string[] = [];
  for (const { row, originId, line, origin } of some) {
    const text = await company.originalOf(originId, line);
    const [key = ""] = row.split(/ from | line /);
    if (text?.includes(key) !== true) wrong.push(`${origin}:${line} says ${text}, not ${row}`);
  }
  story.holds(
    `they end at ${count(each.size)} rows of files; ${some.length} of those looked up in the files are the very rows`,
    wrong.slice(0, 5),
    [],
  );
}
