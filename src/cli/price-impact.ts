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
    .option("--from <date>", "prices of this day; today when absent", dateOption)
    .option("--to <date>", "prices of this day against them", dateOption)
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
  if (options.to === undefined && options.held !== true)
    throw new UsageError(
      "Give --to, the day whose prices are compared with those of --from, or --held.",
    );
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  const asked = {
    days,
    most: options.csv === true ? 100_000 : most,
    ...(account === undefined ? {} : { account }),
    ...(product === undefined ? {} : { product }),
  };
  const found =
    options.to === undefined
      ? await company.proof.impactOfErpRows(asked)
      : await company.proof.impactBetween({ ...asked, from, to: options.to });
  return {
    text:
      options.csv === true ? await impactCsv(found) : impactText(found, options.to === undefined),
    data: found,
  };
}

function share(percent: string | null): string {
  return percent === null ? "–" : `${percent}%`;
}

function impactText(found: Impact, held: boolean): string {
  const { changed, all } = found;
  const head = [
    `${held ? "Prices that answer today against those of the ERP's own rows" : `Prices of ${day(found.beforeOn)} against those of ${day(found.afterOn)}`}, on the sales from ${day(found.from)} to ${day(found.to)}`,
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
  if (found.prices.length === 0) return head.join("\n");
  return [...head, "", customersTable(found), "", pricesTable(found)].join("\n");
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
