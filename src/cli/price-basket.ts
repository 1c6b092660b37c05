/** `price basket`: several lines together, as the shop's basket shows them. */
import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import type { BasketAnswer, BasketRequest, Pricing } from "../pricing/index.ts";
import { answer, example, NotFound, UsageError, type Opened } from "./command.ts";
import { addAskingOptions } from "./price-asking.ts";
import type { AskingOptions } from "./price-asking.ts";
import { moment, pounds, price, table } from "./print.ts";

interface BasketOptions extends AskingOptions {
  readonly line: readonly string[];
  readonly code: readonly string[];
  readonly charge: readonly string[];
  readonly quotation?: string;
  readonly credit: boolean;
  readonly twin: boolean;
}

export function addBasketCommand(
  price: Command,
  ready: (opened: Opened) => Promise<Pricing>,
): void {
  const several = (value: string, before: readonly string[]) => [...before, value];
  addAskingOptions(price.command("basket <account> [file]"))
    .description("A whole basket: promotions over it, VAT by rate and totals.")
    .option(
      "--line <product=quantity[@unit]>",
      "a line, in selling units or in the unit; again for each",
      several,
      [],
    )
    .option("--code <code>", "a promotion's code that the buyer gives; again for each", several, [])
    .option("--charge <code=amount>", "delivery and the like, without VAT", several, [])
    .option("--quotation <quotation>", "quotation that the buyer orders by")
    .option("--credit", "as a credit note", false)
    .option("--twin", "with what other systems' arithmetic makes of it", false)
    .addHelpText(
      "after",
      "\nThe file (- for standard input) has lines of product,quantity or product,quantity,unit, or the JSON of POST /v1/baskets.\n" +
        example("price basket ANDR0001 --line DRYPLS220039=5 --charge CARR=12.50 --twin"),
    )
    .action(
      async (
        account: string,
        file: string | undefined,
        options: BasketOptions,
        command: Command,
      ) => {
        await answer(command, async (opened) => {
          const pricing = await ready(opened);
          const request = await requestOf(account, file, options);
          const basket = known(await pricing.basket(request));
          return { text: basketText(basket, opened), data: basket };
        });
      },
    );
}

async function requestOf(
  account: string,
  file: string | undefined,
  options: BasketOptions,
): Promise<BasketRequest> {
  const { line, code, charge, on, asOf, when, quotation, credit, twin, ...where } = options;
  const given = file === undefined ? { lines: [] } : parsed(await readInput(file), file);
  const lines = [...given.lines, ...line.map(lineOf)];
  if (lines.length === 0)
    throw new UsageError(
      "The basket has no lines. Name a file of product,quantity lines, or give --line product=quantity.",
    );
  const day = asOf ?? on;
  return {
    ...given,
    ...where,
    ...(day === undefined ? {} : { asOf: day }),
    ...(quotation === undefined ? {} : { quotation }),
    account,
    conditions: { ...given.conditions, ...when },
    credit: credit || given.credit === true,
    twin: twin || given.twin === true,
    lines,
    codes: [...(given.codes ?? []), ...code],
    charges: [...(given.charges ?? []), ...charge.map(chargeOf)],
  };
}

type Line = BasketRequest["lines"][number];

/** "NAILS=2@BOX": a unit stands behind the quantity. */
function lineOf(text: string): Line {
  const { name, value } = pair(text, "--line", "product=quantity, or product=quantity@unit");
  const [quantity = "", unit, ...more] = value.split("@");
  if (quantity === "" || unit === "" || more.length > 0)
    throw new UsageError(`--line ${text}: expected product=quantity, or product=quantity@unit.`);
  return { product: name, quantity, ...(unit === undefined ? {} : { unit }) };
}

function chargeOf(text: string): NonNullable<BasketRequest["charges"]>[number] {
  const { name, value } = pair(text, "--charge", "code=amount");
  if (!/^-?\d+(\.\d{1,2})?$/.test(value))
    throw new UsageError(`--charge ${text}: expected an amount such as 12.50 after the "=".`);
  return { charge: name, amount: value, vatCode: "STANDARD" };
}

interface Pair {
  readonly name: string;
  readonly value: string;
}

function pair(text: string, option: string, expected: string): Pair {
  const at = text.lastIndexOf("=");
  if (at < 1 || at === text.length - 1)
    throw new UsageError(`${option} ${text}: expected ${expected}.`);
  return { name: text.slice(0, at), value: text.slice(at + 1) };
}

async function readInput(file: string): Promise<string> {
  if (file === "-") return readAll(process.stdin);
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new NotFound(`The basket ${file} cannot be read: ${String(cause)}`);
  });
}

type Given = Partial<Omit<BasketRequest, "lines">> & Pick<BasketRequest, "lines">;

function parsed(text: string, file: string): Given {
  if (!text.trimStart().startsWith("{")) return { lines: rowsOf(text, file) };
  const { lines = [], ...rest } = jsonOf(text, file);
  return { ...rest, lines };
}

function jsonOf(text: string, file: string): Partial<BasketRequest> {
  try {
    return JSON.parse(text) as Partial<BasketRequest>;
  } catch (cause) {
    throw new UsageError(`The basket ${file} is no JSON: ${String(cause)}`);
  }
}

function rowsOf(text: string, file: string): Line[] {
  return text.split(/\r?\n/).flatMap((row, index) => {
    if (row.trim() === "" || (index === 0 && /^product[,;\t]/i.test(row))) return [];
    const cells = row.split(/[,;\t]/).map((cell) => cell.trim());
    const [product = "", quantity = "", unit = "", ...rest] = cells;
    if (product === "" || quantity === "" || rest.length > 0)
      throw new UsageError(
        `${file}:${index + 1}: found "${row}"; expected product,quantity or product,quantity,unit.`,
      );
    return { product, quantity, ...(unit === "" ? {} : { unit }) };
  });
}

function known(priced: Awaited<ReturnType<Pricing["basket"]>>): BasketAnswer {
  if ("answer" in priced) return priced.answer;
  throw new NotFound(`Pricing the basket: ${priced[0]?.detail ?? "there is no answer"}.`);
}

function basketText(basket: BasketAnswer, { company }: Opened): string {
  const money = (text: string | null) => pounds(text, basket.currency);
  const { timeZone } = company.settings;
  const until =
    basket.validUntil === null
      ? "until further notice"
      : `until ${moment(Temporal.Instant.from(basket.validUntil), timeZone)}`;
  return [
    linesText(basket, money),
    ...promotionsText(basket, money),
    "",
    totalsText(basket, money),
    ...twinsText(basket, money),
    "",
    `book ${basket.bookVersion}, holds ${until}`,
  ].join("\n");
}

type MoneyText = (text: string | null) => string;

function linesText({ lines, free, currency }: BasketAnswer, money: MoneyText): string {
  const rows = [
    ...lines.map((line) =>
      line.state === "problem"
        ? { cells: [line.product, line.quantity, "–", "–", "–", "–", "–"], why: line.detail }
        : {
            cells: [
              line.product,
              line.quantity,
              line.unitPrice === null
                ? "–"
                : `${price(line.unitPrice, currency)} per ${line.pricingUnit}`,
              money(line.full),
              money(line.lowered),
              money(line.documentDiscount),
              money(line.net),
            ],
            why: [
              ...(line.net === null ? [line.because] : []),
              ...line.promotions.map(({ promotion, amount }) => `${promotion} ${money(amount)}`),
            ].join(", "),
          },
    ),
    ...free.map(({ product, quantity, unitPrice, net, promotion, worth }) => ({
      cells: [product, quantity, price(unitPrice, currency), money(net), "–", "–", money(net)],
      why: `given by ${promotion}${worth === null ? "" : `, worth ${money(worth)}`}`,
    })),
  ];
  const heads = ["product", "quantity", "price", "full", "lowered", "document", "net"];
  return table(rows, [
    ...heads.map((head, column) => ({
      head,
      right: column > 0,
      of: ({ cells }: (typeof rows)[number]) => cells[column] ?? "",
    })),
    { head: "promotions", of: ({ why }) => why },
  ]);
}

function promotionsText(basket: BasketAnswer, money: MoneyText): string[] {
  const { applied, notApplied, unknownCodes } = basket;
  const rows = [
    ...applied.map(({ promotion, name, saving, cutBy, times }) => ({
      promotion,
      name,
      is:
        `holds${times > 1 ? ` ${times} times` : ""}, gives ${money(saving)}` +
        (Number(cutBy) > 0 ? `, the rest of its budget (${money(cutBy)} less than without)` : ""),
    })),
    ...notApplied.map(({ promotion, name, about }) => ({ promotion, name, is: `not: ${about}` })),
    ...unknownCodes.map((code) => ({
      promotion: code,
      name: "",
      is: "no promotion has this code",
    })),
  ];
  if (rows.length === 0) return [];
  return [
    "",
    table(rows, [
      { head: "promotion", of: (row) => row.promotion },
      { head: "name", of: (row) => row.name },
      { head: "", of: (row) => row.is },
    ]),
  ];
}

function totalsText(
  { charges, vat, totals, totalsReason }: BasketAnswer,
  money: MoneyText,
): string {
  if (totals === null) return `The document has no totals. ${totalsReason ?? ""}`;
  const rows = [
    ...charges.map((charge) => ({
      what: `charge ${charge.charge}`,
      net: charge.net,
      vat: charge.vat,
      gross: "",
    })),
    ...vat.map(({ vatPercent, ...amounts }) => ({ what: `VAT at ${vatPercent}%`, ...amounts })),
    { what: "total", ...totals },
  ];
  return table(rows, [
    { head: "", of: (row) => row.what },
    { head: "net", right: true, of: (row) => money(row.net) },
    { head: "VAT", right: true, of: (row) => money(row.vat) },
    { head: "gross", right: true, of: (row) => (row.gross === "" ? "" : money(row.gross)) },
  ]);
}

function twinsText({ twins }: BasketAnswer, money: MoneyText): string[] {
  if (twins.length === 0) return [];
  return [
    "",
    table(twins, [
      { head: "as", of: ({ system }) => system },
      { head: "net", right: true, of: ({ net }) => money(net) },
      { head: "VAT", right: true, of: ({ vat }) => money(vat) },
      { head: "gross", right: true, of: ({ gross }) => money(gross) },
      { head: "reconciles with net", right: true, of: ({ difference }) => money(difference.net) },
      { head: "VAT", right: true, of: ({ difference }) => money(difference.vat) },
      { head: "gross", right: true, of: ({ difference }) => money(difference.gross) },
    ]),
  ];
}
