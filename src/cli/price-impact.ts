/** `price impact`: what changed prices do to customers and sales, before they hold. */
import type { Command } from "commander";
import type { Impact } from "../parity/index.ts";
import { bars } from "./chart.ts";
import {
  answer,
  dateOption,
  example,
  inOrder,
  UsageError,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, csv, day, plain, pounds, price, table } from "./print.ts";

interface ImpactOptions {
  readonly from?: string;
  readonly to?: string;
  readonly round?: string;
  readonly held?: boolean;
  readonly days: number;
  readonly account?: string;
  readonly product?: string;
  readonly most: number;
  readonly csv?: boolean;
}

export function addImpactCommand(group: Command): void {
  group
    .command("impact")
    .description("What changed prices do to customers, and would have done to sales of late.")
    .option("--from <date>", "prices of this day or moment; today when absent", dayOrMoment)
    .option("--to <date>", "prices of this day or moment against them", dayOrMoment)
    .option("--round <name>", "a price round, loaded or approved, at the moment when it starts")
    .option(
      "--held",
      "the prices that answer today against what the ERP's rows say: changes that wait for a person",
    )
    .option("--days <days>", "so many days of sales are priced again", wholeNumber(1, 1_100), 90)
    .option("--account <account>", "only this customer")
    .option("--product <product>", "only this product")
    .option(
      "--most <rows>",
      "so many customers, products and prices are listed",
      wholeNumber(1, 10_000),
      15,
    )
    .option("--csv", "print the changed prices as CSV")
    .addHelpText("after", example("price impact --from 31/12/2026 --to 01/01/2027"))
    .action(async (options: ImpactOptions, command: Command) => {
      inOrder(options);
      await answer(command, (opened) => impactAnswer(opened, options));
    });
}

async function impactAnswer(opened: Opened, options: ImpactOptions): Promise<Answer> {
  const { company } = opened;
  const today = company.proof.today();
  const { from = today, days, account, product, most } = options;
  const { to, round, held } = options;
  if ([to !== undefined, round !== undefined, held === true].filter(Boolean).length !== 1)
    throw new UsageError(
      "Give --to, the day whose prices are compared with those of --from, or --round, or --held.",
    );
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  const asked = {
    days,
    most: options.csv === true ? 100_000 : most,
    ...(account === undefined ? {} : { account }),
    ...(product === undefined ? {} : { product }),
  };
  const found = await impactFound(opened, { ...asked, from }, options);
  const what = held === true ? HELD : round === undefined ? null : `Prices with the round ${round}`;
  return {
    text: options.csv === true ? await impactCsv(found) : impactText(found, what),
    data: found,
  };
}

const HELD = "Prices that answer today against those of the ERP's own rows";

type Asked = Parameters<Opened["company"]["proof"]["impactBetween"]>[0];

async function impactFound(
  { company }: Opened,
  { from, ...asked }: Omit<Asked, "to">,
  { to, round }: ImpactOptions,
): Promise<Impact> {
  const { proof, rounds } = company;
  if (to !== undefined) return proof.impactBetween({ ...asked, from, to });
  if (round === undefined) return proof.impactOfErpRows(asked);
  return proof.impactOf({ round: (await rounds.find(round)).id }, asked);
}

/** A date, or a moment with its offset: 2027-01-01T00:00:00Z. */
function dayOrMoment(given: string): string {
  if (!given.includes("T")) return dateOption(given);
  try {
    return Temporal.Instant.from(given).toString();
  } catch {
    throw new UsageError(
      `"${given}" is not a moment. Write 2027-01-01T00:00:00Z, or a date: 01/01/2027.`,
    );
  }
}

function whenText(dayOrInstant: string): string {
  return dayOrInstant.includes("T") ? dayOrInstant : day(dayOrInstant);
}

function share(percent: string | null): string {
  return percent === null ? "–" : `${percent}%`;
}

function impactText(found: Impact, what: string | null): string {
  const { changed, all } = found;
  const head = [
    `${what ?? `Prices of ${whenText(found.beforeOn)} against those of ${whenText(found.afterOn)}`}, on the sales from ${day(found.from)} to ${day(found.to)}`,
    "",
    table(
      [
        ["dearer", found.dearer],
        ["cheaper", found.cheaper],
      ] as const,
      [
        { head: "", of: ([name]) => name },
        { head: "lines", right: true, of: ([, sum]) => count(sum.lines) },
        { head: "before", right: true, of: ([, sum]) => pounds(sum.before) },
        { head: "after", right: true, of: ([, sum]) => pounds(sum.after) },
        { head: "difference", right: true, of: ([, sum]) => pounds(sum.difference) },
        { head: "", right: true, of: ([, sum]) => share(sum.percent) },
      ],
      [
        "all lines",
        count(all.lines),
        pounds(all.before),
        pounds(all.after),
        pounds(all.difference),
        share(all.percent),
      ],
    ),
    "",
    `${count(changed.lines)} lines, ${count(found.changedCustomers)} customers and ${count(found.changedProducts)} products would have been charged otherwise.`,
    ...(found.lost + found.won + found.unpriced === 0
      ? []
      : [
          `${count(found.lost)} lines lose their price, ${count(found.won)} get one, ${count(found.unpriced)} have none on either day.`,
        ]),
  ];
  const sold = found.prices.length === 0 ? [] : ["", customersTable(found), "", pricesTable(found)];
  return [...head, ...sold, ...effectiveLines(found)].join("\n");
}

/** Also of those who did not buy lately. */
function effectiveLines({ effective }: Impact): string[] {
  if (effective === null) return [];
  const { customers, products, pairs, up, down, otherwise, looked, whole, changes } = effective;
  const said =
    `Bought of late or not, ${count(customers)} customers pay another price for ${count(products)} products: ` +
    `${count(pairs)} prices, ${count(up)} up, ${count(down)} down, ${count(otherwise)} come or go ` +
    `(${count(looked)} looked at${whole ? "" : ", not all: there are too many"}).`;
  if (changes.length === 0) return ["", said];
  return ["", said, "", effectiveTable(changes)];
}

function effectiveTable(changes: NonNullable<Impact["effective"]>["changes"]): string {
  return table(changes, [
    { head: "customer", of: (row) => row.account },
    { head: "and others", right: true, of: (row) => count(row.accounts - 1) },
    { head: "product", of: (row) => row.product },
    { head: "from", right: true, of: (row) => row.quantity },
    { head: "before", right: true, of: (row) => (row.before === null ? "–" : price(row.before)) },
    { head: "after", right: true, of: (row) => (row.after === null ? "–" : price(row.after)) },
    { head: "", right: true, of: (row) => share(row.percent) },
  ]);
}

function customersTable({ customers }: Impact): string {
  const most = Math.max(...customers.map((row) => Math.abs(Number(row.difference))), 1);
  return table(customers, [
    { head: "customer", of: (row) => row.account },
    { head: "lines", right: true, of: (row) => count(row.lines) },
    { head: "before", right: true, of: (row) => pounds(row.before) },
    { head: "after", right: true, of: (row) => pounds(row.after) },
    { head: "difference", right: true, of: (row) => pounds(row.difference) },
    { head: "", right: true, of: (row) => share(row.percent) },
    { head: "", of: (row) => bars(String((Math.abs(Number(row.difference)) / most) * 100)) },
  ]);
}

function pricesTable({ prices }: Impact): string {
  return table(prices, [
    { head: "customer", of: (row) => row.account },
    { head: "product", of: (row) => row.product },
    { head: "at", right: true, of: (row) => plain(row.quantity) },
    { head: "before", right: true, of: (row) => (row.before === null ? "–" : price(row.before)) },
    { head: "after", right: true, of: (row) => (row.after === null ? "–" : price(row.after)) },
    { head: "", right: true, of: (row) => share(row.percent) },
    { head: "on sales", right: true, of: (row) => pounds(row.difference) },
    { head: "price before", of: (row) => row.becauseBefore },
    { head: "price after", of: (row) => row.becauseAfter },
  ]);
}

async function impactCsv({ prices }: Impact): Promise<string> {
  return csv([
    ["account", "product", "quantity", "before", "after", "percent", "lines", "difference"],
    ...prices.map((row) => [
      row.account,
      row.product,
      row.quantity,
      row.before ?? "",
      row.after ?? "",
      row.percent ?? "",
      String(row.lines),
      row.difference,
    ]),
  ]);
}
