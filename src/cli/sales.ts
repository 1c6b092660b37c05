/** `sales totals`, `sales line` and `reconcile`. */
import type { Command } from "commander";
import type {
  PeriodReconciliation,
  Posting,
  Reconciliation,
  TotalsBy,
  Trust,
} from "../sales/index.ts";
import {
  answer,
  chosen,
  example,
  EXIT,
  inOrder,
  monthOption,
  nextLines,
  NotFound,
  quoted,
  UsageError,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, day, moment, plain, pounds, table, total } from "./print.ts";

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
    .addHelpText("after", example("sales totals --from 2026-01 --to 2026-03 --by account,channel"))
    .action(async (options: TotalsOptions, command: Command) => {
      await answer(command, (opened) => totals(opened, options));
    });
  sales
    .command("line <posting>")
    .description("One posting, by its id or as DOCUMENT/LINE: its channel, order and file's row.")
    .option("--original", "the row as the ERP wrote it, from where the file is kept")
    .addHelpText("after", example("sales line INV558443/1 --original"))
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
        reconciled(await company.sales.reconcile(period), company.settings.timeZone, period),
      );
    });
}

async function totals({ company }: Opened, options: TotalsOptions): Promise<Answer> {
  inOrder(options);
  const by = options.by.split(",").map((word) => chosen("--by", BY)(word.trim()));
  const { by: _by, ...question } = options;
  const data = await company.sales.totals({ ...question, by });
  return {
    text: `${totalsTable(data.rows, by)}\n\n${trustText(data.trust, company.settings.timeZone)}`,
    data,
  };
}

function totalsTable(rows: readonly Row[], by: readonly TotalsBy[]): string {
  if (rows.length === 0) return "No sales.";
  const heads = [
    ...(by.includes("account") ? [{ head: "account", of: (row: Row) => row.account ?? "" }] : []),
    ...(by.includes("period") ? [{ head: "month", of: (row: Row) => row.period ?? "" }] : []),
    ...(by.includes("channel") ? [{ head: "channel", of: channelOf }] : []),
  ];
  const [{ currency } = { currency: "GBP" }] = rows;
  // Money of two currencies has no sum.
  const foot = rows.every((row) => row.currency === currency)
    ? [
        ...heads.map((_, index) => (index === 0 ? "total" : "")),
        count(rows.reduce((sum, row) => sum + row.lines, 0)),
        ...([(row: Row) => row.net, (row: Row) => row.vat, (row: Row) => row.cost] as const).map(
          (of) => pounds(total(rows.map(of)), currency),
        ),
      ]
    : [];
  return table(
    rows,
    [
      ...heads,
      { head: "lines", right: true, of: (row) => count(row.lines) },
      { head: "net", right: true, of: (row) => pounds(row.net, row.currency) },
      { head: "VAT", right: true, of: (row) => pounds(row.vat, row.currency) },
      { head: "cost", right: true, of: (row) => pounds(row.cost, row.currency) },
    ],
    foot,
  );
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
    .map(({ source, at }) => `${source} ${at === null ? "never read" : moment(at, timeZone)}`)
    .join(", ");
  return [
    `Sources: ${fresh}.`,
    missing.length === 0
      ? "Everything read is included."
      : `Not yet included: ${missing.join("; ")}.`,
  ].join("\n");
}

/** A posting's id; or DOCUMENT/LINE, and then the posting that holds now. */
async function postingId({ company }: Opened, named: string): Promise<string> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(named)) return named;
  const [, document, line] = /^(.+)\/(\d{1,9})$/.exec(named) ?? [];
  if (document === undefined)
    throw new UsageError(
      `"${named}" names no posting: expected its id, or a document and line such as INV558443/1.`,
    );
  const postings = await company.sales.postingsOf(document);
  const holding = holdingNow(postings, Number(line));
  if (holding !== undefined) return holding.id;
  throw new NotFound(
    postings.length === 0
      ? `No document ${document} is posted. Numbers are compared exactly; what is in quarantine is not posted.`
      : `Document ${document} has no line ${line}. \`sales document ${document}\` lists its lines.`,
  );
}

function holdingNow(postings: readonly Posting[], line: number): Posting | undefined {
  const versions = postings.filter((each) => each.line === line);
  return versions.findLast((each) => !each.reversal) ?? versions.at(-1);
}

/** DOCUMENT/LINE where that leads to this very posting; its id where a later one holds now. */
export async function postingName({ company }: Opened, posting: Posting): Promise<string> {
  const { id, document, line } = posting;
  const holding = holdingNow(await company.sales.postingsOf(document), line);
  return holding?.id === id ? quoted(`${document}/${line}`) : id;
}

async function line(opened: Opened, named: string, original: boolean): Promise<Answer> {
  const { company } = opened;
  const id = await postingId(opened, named);
  const trace = await company.sales.trace(id);
  if (trace === null)
    throw new NotFound(
      `There is no posting ${id}. \`sales document NUMBER\` and \`pay line\` name them.`,
    );
  const { posting, origin } = trace;
  const raw = original ? await company.originalOf(posting.originId, posting.originLine) : undefined;
  const text = [
    ...postingLines(posting),
    ...(origin === null
      ? ["row        (its origin is not kept any more)"]
      : [
          `row        ${origin.name} line ${posting.originLine}`,
          `kept at    ${origin.keptAt ?? "–"}`,
          `run        ${origin.runId} (${origin.connection}/${origin.stream})`,
        ]),
    ...(raw === undefined
      ? []
      : [`original   ${raw ?? "(the file is no longer where it was kept)"}`]),
    ...nextLines(opened.global, [
      ...(original ? [] : [`sales line ${await postingName(opened, posting)} --original`]),
      ...nextOf(posting),
    ]),
  ].join("\n");
  return { text, data: { ...trace, ...(raw === undefined ? {} : { original: raw }) } };
}

function postingLines(posting: Posting): string[] {
  const signed = posting.documentType === "credit" ? "credit note" : "invoice";
  const what = posting.product ?? posting.lineClass;
  return [
    `posting    ${posting.id} (version ${posting.version}${posting.reversal ? ", a reversal" : ""})`,
    `sale       ${signed} ${posting.document} line ${posting.line}, ${day(posting.documentOn)}, account ${posting.account}`,
    `goods      ${plain(posting.quantity)} × ${what} at ${plain(posting.unitPrice)}`,
    `amount     ${pounds(posting.net, posting.currency)} net, ${pounds(posting.vat, posting.currency)} VAT`,
    `channel    ${posting.channel}: ${posting.channelEvidence}`,
    `orders     web ${posting.webOrder ?? "none"}, ERP ${posting.erpOrder ?? "none"}`,
  ];
}

/** Where a posting leads: the web order, the price. */
function nextOf({ account, product, quantity, documentOn, webOrder }: Posting): string[] {
  return [
    ...(webOrder === null ? [] : [`orders show ${quoted(webOrder)}`]),
    ...(product === null || quantity.startsWith("-")
      ? []
      : [
          `price explain ${quoted(account)} ${quoted(product)} ${plain(quantity)} ` +
            `--on ${day(documentOn)} --original`,
        ]),
  ];
}

async function document({ company }: Opened, number: string): Promise<Answer> {
  const postings = await company.sales.postingsOf(number);
  const text = table<Posting>(postings, [
    { head: "posting", of: (each) => each.id },
    { head: "type", of: (each) => each.documentType },
    { head: "line", right: true, of: (each) => String(each.line) },
    { head: "date", of: (each) => day(each.documentOn) },
    { head: "product", of: (each) => each.product ?? each.lineClass },
    { head: "quantity", right: true, of: (each) => plain(each.quantity) },
    { head: "net", right: true, of: (each) => pounds(each.net, each.currency) },
    { head: "channel", of: (each) => each.channel },
    { head: "web order", of: (each) => each.webOrder ?? "–" },
  ]);
  if (postings.length === 0)
    throw new NotFound(
      `No document ${number} is posted. Numbers are compared exactly; what is in quarantine is not posted.`,
    );
  return { text, data: postings };
}

function reconciled(data: Reconciliation, timeZone: string, period?: string): Answer {
  if (data.periods.length === 0)
    throw new NotFound(
      `Nothing to reconcile${period === undefined ? "" : ` in ${period}`}: there are neither control totals of the ERP nor documents. ` +
        "`sync control-totals sales-documents` reads what waits.",
    );
  const named = data.periods.flatMap((each) =>
    each.named.map(
      (one) =>
        `${each.period} ${each.documentType} ${one.document}: ${one.cause}, ${pounds(one.net)} net. ${one.about}`,
    ),
  );
  const compared = data.periods.some(({ erp }) => erp !== null);
  const verdict = data.totalsEqual
    ? "Every control total is equal to the penny."
    : compared
      ? "The totals differ."
      : nothingStated(period);
  return {
    text: [
      reconciliationTable(data.periods),
      "",
      ...named,
      verdict,
      trustText(data.trust, timeZone),
    ].join("\n"),
    data,
    exit: data.totalsEqual ? EXIT.fine : compared ? EXIT.differ : EXIT.quarantine,
  };
}

function nothingStated(period: string | undefined): string {
  return (
    `Nothing was compared: the ERP has stated no control totals${period === undefined ? "" : ` for ${period}`}. ` +
    "Have it export them (control-totals: documents, net and VAT a period), then `sync control-totals`."
  );
}

function reconciliationTable(periods: readonly PeriodReconciliation[]): string {
  return table(periods, [
    { head: "month", of: (each) => each.period },
    { head: "type", of: (each) => each.documentType },
    {
      head: "ERP documents",
      right: true,
      of: ({ erp }) => (erp === null ? "–" : count(erp.documents)),
    },
    { head: "ours", right: true, of: (each) => count(each.ledger.documents) },
    { head: "ERP net", right: true, of: (each) => pounds(each.erp?.net) },
    { head: "ours", right: true, of: (each) => pounds(each.ledger.net) },
    { head: "difference", right: true, of: (each) => pounds(each.difference?.net) },
    { head: "VAT difference", right: true, of: (each) => pounds(each.difference?.vat) },
    { head: "unexplained", right: true, of: (each) => pounds(each.unexplained?.net) },
  ]);
}
