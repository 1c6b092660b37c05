/** `price parity`: every line that the ERP charged, against our price of it. */
import type { Command } from "commander";
import {
  PARITY_BY,
  reasonWords,
  STATES,
  type Parity,
  type ParityBy,
  type ParityLine,
  type ParityRow,
} from "../parity/index.ts";
import { bars } from "./chart.ts";
import { asKnownText } from "./price-as-known.ts";
import {
  answer,
  chosen,
  dateOption,
  example,
  inOrder,
  nextLines,
  wholeNumber,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, csv, day, moment, plain, pounds, price, table, words } from "./print.ts";

type ParityStateName = (typeof STATES)[number];

interface ParityOptions {
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  readonly by: ParityBy;
  readonly lines?: boolean;
  readonly state?: ParityStateName;
  readonly reason?: string;
  readonly document?: string;
  readonly limit: number;
  readonly everything?: boolean;
  readonly asKnown?: boolean;
  readonly csv?: boolean;
}

export function addParityCommand(price: Command): void {
  price
    .command("parity")
    .description("Every line that the ERP charged, against our price of it.")
    .option("--from <date>", "first day of the documents", dateOption)
    .option("--to <date>", "last day of the documents", dateOption)
    .option("--account <account>", "only this customer")
    .option("--by <what>", `one of ${PARITY_BY.join(", ")}`, chosen("--by", PARITY_BY), "channel")
    .option("--lines", "the lines themselves; those that are not ours to the penny when no --state")
    .option("--state <state>", `lines that are ${STATES.join(", ")}`, chosen("--state", STATES))
    .option("--reason <reason>", "lines with this reason, such as typed-price")
    .option("--document <number>", "lines of this invoice or credit note")
    .option("--limit <lines>", "at most so many lines", wholeNumber(1, 100_000), 50)
    .option("--everything", "look at every line again first, whatever changed")
    .option(
      "--as-known",
      "by the rules as we knew them on each document's day, beside those of now; 90 days without --from",
    )
    .option("--csv", "print CSV")
    .addHelpText("after", example("price parity --from 01/06/2026 --by kind"))
    .action(async (options: ParityOptions, command: Command) => {
      inOrder(options);
      await answer(command, (opened) => showParity(opened, options));
    });
}

async function showParity(opened: Opened, options: ParityOptions): Promise<Answer> {
  const { company } = opened;
  await company.pricing.refresh();
  if (company.pricing.book() === null) await company.pricing.publish();
  if (options.asKnown === true) return showAsKnown(opened, options);
  await company.proof.check({
    everything: options.everything === true,
    progress: ({ documents, of }) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\r${count(documents)} of ${count(of)} documents `);
    },
  });
  const { lines, state, reason, document } = options;
  if (lines === true || state !== undefined || reason !== undefined || document !== undefined)
    return showLines(opened, options);
  const found = await company.proof.parity(bounds(options));
  return {
    text: options.csv === true ? await parityCsv(found) : parityText(opened, found, options.by),
    data: found,
  };
}

async function showAsKnown({ company }: Opened, options: ParityOptions): Promise<Answer> {
  const { from, to, account, limit } = options;
  const found = await company.proof.asKnown({
    most: limit,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(account === undefined ? {} : { account }),
    progress: ({ books, of }) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${count(books)} of ${count(of)} books `);
    },
  });
  return { text: asKnownText(found, company.settings.timeZone), data: found };
}

function bounds({ from, to, account, by }: ParityOptions) {
  return {
    by,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(account === undefined ? {} : { account }),
  };
}

function parityText({ company, global }: Opened, found: Parity, by: ParityBy): string {
  const { all, rows, reasons, vatLines } = found;
  if (all.lines === 0)
    return "No line is there to be proved: nothing was posted, or no price book is published.";
  const figures = (row: ParityRow) => [
    count(row.lines),
    count(row.matched),
    count(row.explained),
    count(row.mismatched),
    count(row.unpriced),
  ];
  const shown = rows.length > MOST_ROWS ? rows.slice(-MOST_ROWS) : rows;
  const columns = ["lines", "to the penny", "explained", "mismatch", "no price"];
  return [
    table(
      shown,
      [
        { head: by, of: (row) => nameOf(row.of, by) },
        ...columns.map((head, at) => ({
          head,
          right: true,
          of: (row: ParityRow) => figures(row)[at] ?? "",
        })),
        { head: "match", right: true, of: (row) => share(row.percent) },
        { head: "", of: (row) => bars(row.percent) },
        { head: "charged less ours", right: true, of: (row) => pounds(row.mismatchedDifference) },
      ],
      [
        "all",
        ...figures(all),
        share(all.percent),
        bars(all.percent),
        pounds(all.mismatchedDifference),
      ],
    ),
    ...(shown.length < rows.length
      ? [`The last ${count(shown.length)} of ${count(rows.length)}; --csv gives all.`]
      : []),
    "",
    reasonTable(reasons),
    "",
    `With those explained, ${share(all.accountedPercent)} of the priced lines are accounted for.`,
    ...(vatLines === 0
      ? []
      : [`Of ${count(vatLines)} lines the net is ours to the penny, and the VAT is not.`]),
    `book       ${found.book ?? "none"}, checked ${moment(found.checkedAt, company.settings.timeZone)}`,
    ...nextLines(global, ["price parity --lines --state mismatch", "price certify"]),
  ].join("\n");
}

const MOST_ROWS = 60;

function nameOf(of: string, by: ParityBy): string {
  if (by === "day") return day(of);
  if (by === "kind") return of === "" ? "(no price)" : words(of);
  return of;
}

function share(percent: string | null): string {
  return percent === null ? "–" : `${percent}%`;
}

function reasonTable(reasons: Parity["reasons"]): string {
  return table(reasons, [
    { head: "state", of: (each) => words(each.state) },
    { head: "why", of: (each) => reasonWords(each.state, each.reason) },
    { head: "lines", right: true, of: (each) => count(each.lines) },
    { head: "charged", right: true, of: (each) => pounds(each.chargedNet) },
    { head: "charged less ours", right: true, of: (each) => pounds(each.difference) },
  ]);
}

async function parityCsv({ rows }: Parity): Promise<string> {
  return csv([
    [
      "of",
      "lines",
      "matched",
      "explained",
      "mismatched",
      "unpriced",
      "percent",
      "accountedPercent",
      "explainedDifference",
      "mismatchedDifference",
    ],
    ...rows.map((row) => [
      row.of,
      ...[row.lines, row.matched, row.explained, row.mismatched, row.unpriced].map(String),
      row.percent ?? "",
      row.accountedPercent ?? "",
      row.explainedDifference,
      row.mismatchedDifference,
    ]),
  ]);
}

async function showLines({ company }: Opened, options: ParityOptions): Promise<Answer> {
  const { from, to, account, state, reason, document, limit } = options;
  const asked = {
    limit,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(account === undefined ? {} : { account }),
    ...(document === undefined ? {} : { document }),
    ...(state === undefined ? {} : { state }),
    ...(reason === undefined ? {} : { reason }),
  };
  const found = await company.proof.lines(asked);
  if (options.csv === true) return { text: await linesCsv(found), data: found };
  const text =
    found.length === 0
      ? "No such line."
      : `${linesTable(found)}${found.length < limit ? "" : `\nThe first ${count(limit)}; --limit gives more.`}`;
  return { text, data: found };
}

function linesTable(lines: readonly ParityLine[]): string {
  return table(lines, [
    { head: "document", of: (line) => `${line.document}/${line.line}` },
    { head: "date", of: (line) => day(line.documentOn) },
    { head: "account", of: (line) => line.account },
    { head: "channel", of: (line) => line.channel },
    { head: "product", of: (line) => line.product ?? "–" },
    { head: "quantity", right: true, of: (line) => plain(line.quantity) },
    { head: "charged at", right: true, of: (line) => price(line.chargedUnitPrice, line.currency) },
    { head: "less", right: true, of: (line) => lessText(line.chargedPercent) },
    { head: "charged", right: true, of: (line) => pounds(line.chargedNet, line.currency) },
    { head: "ours", right: true, of: (line) => pounds(line.net, line.currency) },
    { head: "apart", right: true, of: (line) => pounds(line.difference, line.currency) },
    { head: "state", of: (line) => line.state },
    { head: "why", of: whyText },
  ]);
}

function lessText(percent: string): string {
  return Number(percent) === 0 ? "" : `${plain(percent)}%`;
}

function whyText(line: ParityLine): string {
  const { state, reason, evidence, because } = line;
  if (state === "match" && reason === "") return because;
  return `${reasonWords(state, reason)}${evidence === "" ? "" : `: ${evidence}`} (ours: ${because || "none"})`;
}

async function linesCsv(lines: readonly ParityLine[]): Promise<string> {
  const [first] = lines;
  if (first === undefined) return "";
  const heads = Object.keys(first);
  return csv([
    heads,
    ...lines.map((line) => Object.values(line).map((value) => String(value ?? ""))),
  ]);
}
