/** `sales totals`, `sales line` and `reconcile`. */
import type { Command } from "commander";
import type {
  PeriodReconciliation,
  Posting,
  Reconciliation,
  TotalsBy,
  Trust,
} from "../sales/index.ts";
import { answer, EXIT, monthOption, UsageError, type Answer, type Opened } from "./command.ts";
import { count, day, moment, pounds, table } from "./print.ts";

const BY: readonly TotalsBy[] = ["account", "period", "channel"];

interface TotalsOptions {
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
  readonly by: string;
}

export function addSalesCommands(program: Command): void {
  const sales = program.command("sales").description("Posted sales over all channels.");
  sales
    .command("totals")
    .description("Totals by customer, month and channel.")
    .option("--account <account>", "only this customer")
    .option("--from <month>", "first accounting period", monthOption)
    .option("--to <month>", "last accounting period", monthOption)
    .option("--by <what>", `any of ${BY.join(", ")}, with commas between`, "period,channel")
    .action(async (options: TotalsOptions, command: Command) => {
      await answer(command, (opened) => totals(opened, options));
    });
  sales
    .command("line <posting>")
    .description("One posting: its channel with evidence, its web order, the row of the file.")
    .option("--original", "the row as the ERP wrote it, from where the file is kept")
    .action(async (id: string, options: { original?: boolean }, command: Command) => {
      await answer(command, (opened) => line(opened, id, options.original === true));
    });
  sales
    .command("document <number>")
    .description("The postings of an invoice or credit note.")
    .action(async (number: string, _options: unknown, command: Command) => {
      await answer(command, (opened) => document(opened, number));
    });
  program
    .command("reconcile")
    .description("The ERP's control totals against the ledger, every penny named.")
    .argument("[period]", "accounting period such as 2026-03; all when absent", monthOption)
    .action(async (period: string | undefined, _options: unknown, command: Command) => {
      await answer(command, async ({ company }) =>
        reconciled(await company.sales.reconcile(period), company.settings.timeZone),
      );
    });
}

async function totals({ company }: Opened, options: TotalsOptions): Promise<Answer> {
  const by = options.by.split(",").map((word) => {
    const found = BY.find((each) => each === word.trim());
    if (found !== undefined) return found;
    throw new UsageError(`--by knows ${BY.join(", ")}, and was given "${word}".`);
  });
  const { by: _by, ...question } = options;
  const data = await company.sales.totals({ ...question, by });
  const text = table(data.rows, [
    ...(by.includes("account") ? [{ head: "account", of: (row: Row) => row.account ?? "" }] : []),
    ...(by.includes("period") ? [{ head: "month", of: (row: Row) => row.period ?? "" }] : []),
    ...(by.includes("channel") ? [{ head: "channel", of: channelOf }] : []),
    { head: "lines", right: true, of: (row) => count(row.lines) },
    { head: "net", right: true, of: (row) => pounds(row.net, row.currency) },
    { head: "VAT", right: true, of: (row) => pounds(row.vat, row.currency) },
    { head: "cost", right: true, of: (row) => pounds(row.cost, row.currency) },
  ]);
  return {
    text: `${data.rows.length === 0 ? "No sales." : text}\n\n${trustText(data.trust, company.settings.timeZone)}`,
    data,
  };
}

type Row = Awaited<ReturnType<Opened["company"]["sales"]["totals"]>>["rows"][number];

function channelOf(row: Row): string {
  return `${row.channel ?? ""}${row.assisted === true ? ", assisted" : ""}`;
}

/** How far the figures can be trusted: freshness of the sources, and what is not in them yet. */
function trustText(trust: Trust, timeZone: string): string {
  const missing = [
    ...trust.quarantined.map(
      (each) =>
        `${count(each.rows)} ${each.record} row(s) in quarantine, ${each.worth === null ? "worth unknown" : pounds(each.worth)}`,
    ),
    ...(trust.waiting.lines === 0
      ? []
      : [
          `${count(trust.waiting.lines)} line(s) wait for their document, ${pounds(trust.waiting.net)}`,
        ]),
  ];
  const fresh = trust.freshness
    .map((each) => `${each.source} ${moment(each.at, timeZone)}`)
    .join(", ");
  return [
    `Sources: ${fresh}.`,
    missing.length === 0
      ? "Everything read is included."
      : `Not yet included: ${missing.join("; ")}.`,
  ].join("\n");
}

async function line({ company }: Opened, id: string, original: boolean): Promise<Answer> {
  const trace = await company.sales.trace(id);
  if (trace === null)
    throw new UsageError(
      `There is no posting ${id}. \`sales document NUMBER\` and \`pay line\` name them.`,
    );
  const { posting, origin } = trace;
  const raw = original ? await company.originalOf(posting.originId, posting.originLine) : undefined;
  const signed = posting.documentType === "credit" ? "credit note" : "invoice";
  const text = [
    `posting    ${posting.id} (version ${posting.version}${posting.reversal ? ", a reversal" : ""})`,
    `sale       ${signed} ${posting.document} line ${posting.line}, ${day(posting.documentOn)}, account ${posting.account}`,
    `goods      ${posting.quantity} × ${posting.product ?? posting.lineClass} at ${posting.unitPrice}`,
    `amount     ${pounds(posting.net, posting.currency)} net, ${pounds(posting.vat, posting.currency)} VAT`,
    `channel    ${posting.channel}: ${posting.channelEvidence}`,
    `orders     web ${posting.webOrder ?? "none"}, ERP ${posting.erpOrder ?? "none"}`,
    `row        ${origin === null ? "(its origin is not kept any more)" : `${origin.name} line ${posting.originLine}`}`,
    `kept at    ${origin?.keptAt ?? "–"}`,
    `run        ${origin?.runId ?? "–"} (${origin === null ? "–" : `${origin.connection}/${origin.stream}`})`,
    ...(raw === undefined
      ? []
      : [`original   ${raw ?? "(the file is no longer where it was kept)"}`]),
  ].join("\n");
  return { text, data: { ...trace, ...(raw === undefined ? {} : { original: raw }) } };
}

async function document({ company }: Opened, number: string): Promise<Answer> {
  const postings = await company.sales.postingsOf(number);
  const text = table<Posting>(postings, [
    { head: "posting", of: (each) => each.id },
    { head: "type", of: (each) => each.documentType },
    { head: "line", right: true, of: (each) => String(each.line) },
    { head: "date", of: (each) => day(each.documentOn) },
    { head: "product", of: (each) => each.product ?? each.lineClass },
    { head: "quantity", right: true, of: (each) => each.quantity },
    { head: "net", right: true, of: (each) => pounds(each.net, each.currency) },
    { head: "channel", of: (each) => each.channel },
    { head: "web order", of: (each) => each.webOrder ?? "–" },
  ]);
  return {
    text: postings.length === 0 ? `No posting of a document ${number}.` : text,
    data: postings,
    exit: postings.length === 0 ? EXIT.failed : EXIT.fine,
  };
}

function reconciled(data: Reconciliation, timeZone: string): Answer {
  const text = table<PeriodReconciliation>(data.periods, [
    { head: "month", of: (each) => each.period },
    { head: "type", of: (each) => each.documentType },
    { head: "ERP documents", right: true, of: (each) => String(each.erp?.documents ?? "–") },
    { head: "ours", right: true, of: (each) => String(each.ledger.documents) },
    { head: "ERP net", right: true, of: (each) => pounds(each.erp?.net) },
    { head: "ours", right: true, of: (each) => pounds(each.ledger.net) },
    { head: "difference", right: true, of: (each) => pounds(each.difference?.net) },
    { head: "VAT difference", right: true, of: (each) => pounds(each.difference?.vat) },
    { head: "unexplained", right: true, of: (each) => pounds(each.unexplained?.net) },
  ]);
  const named = data.periods.flatMap((each) =>
    each.named.map(
      (one) =>
        `${each.period} ${each.documentType} ${one.document}: ${one.cause}, ${pounds(one.net)} net. ${one.about}`,
    ),
  );
  const verdict = data.totalsEqual
    ? "Every control total is equal to the penny."
    : "The totals differ.";
  return {
    text: [text, "", ...named, verdict, trustText(data.trust, timeZone)].join("\n"),
    data,
    exit: data.totalsEqual ? EXIT.fine : EXIT.differ,
  };
}
