/** Sales over HTTP: totals, the reconciliation with the ERP, and a posting back to its row. */
import { CHANNELS } from "../model/index.ts";
import type { Posting, TotalsBy, Trust } from "../sales/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { amount, instant, inOrder, orNull, period, text } from "./words.ts";

const trustMark = z
  .strictObject({
    freshness: z
      .array(z.strictObject({ source: z.string(), at: orNull(instant(""), "Never.") }))
      .describe("When each source was last known to be complete."),
    quarantined: z
      .array(
        z.strictObject({
          record: z.string(),
          rows: z.number().int(),
          worth: orNull(z.string(), "Money in them."),
        }),
      )
      .describe("Rows that are set aside and not included."),
    waiting: z
      .strictObject({
        documents: z.number().int(),
        lines: z.number().int(),
        net: amount("Net of these lines."),
      })
      .describe("Lines whose document has not arrived; not included."),
    batch: z.number().int().describe("Watermark: the last batch posted."),
  })
  .openapi("TrustMark");

function shownTrust(trust: Trust): Shown<z.input<typeof trustMark>> {
  return {
    ...trust,
    freshness: trust.freshness.map(({ source, at }) => ({ source, at: at?.toString() ?? null })),
  };
}

const BY = ["account", "period", "channel"] as const satisfies readonly TotalsBy[];
const BY_WORDS = `some of ${BY.join(", ")}, with commas between`;

export const salesTotals: Endpoint = endpoint({
  method: "get",
  address: "/v1/sales/totals",
  scope: "sales",
  tag: "sales",
  summary: "Sales by customer, accounting period and channel",
  description: "Only posted invoice and credit lines are sales; credits are negative.",
  query: z
    .strictObject({
      account: z.string().min(1).optional().describe("Only this account."),
      from: period("First accounting period, inclusive.").optional(),
      to: period("Last accounting period, inclusive.").optional(),
      by: z
        .string()
        .refine((list) => list.split(",").every((name) => BY.some((one) => one === name)), BY_WORDS)
        .default("period,channel")
        .describe(`What totals are kept apart by: ${BY_WORDS}.`),
    })
    .superRefine(inOrder),
  answers: { 200: "The totals, in order of what they are kept apart by." },
  answer: z
    .strictObject({
      rows: z.array(
        z.strictObject({
          account: orNull(z.string(), "Account, when asked by account."),
          period: orNull(z.string(), "Accounting period YYYY-MM, when asked by period."),
          channel: orNull(z.enum(CHANNELS), "Channel, when asked by channel."),
          assisted: orNull(z.boolean(), "True: web orders keyed by staff, in no web share."),
          currency: text("ISO currency."),
          lines: z.number().int(),
          net: amount("Net."),
          vat: amount("VAT."),
          cost: amount("Cost of the lines whose cost is known."),
          uncostedNet: amount("Net of the lines whose cost is not known."),
        }),
      ),
      trust: trustMark,
    })
    .openapi("SalesTotals"),
  problems: ["answer-too-large"],
  async handle({ query: { account, from, to, by }, services }) {
    const { rows, trust } = await services.sales.totals({
      ...(account === undefined ? {} : { account }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      by: BY.filter((name) => by.split(",").includes(name)),
    });
    if (rows.length > LIMITS.totalRows)
      throw new Problem(
        "answer-too-large",
        `Adding up sales by ${by}: found ${rows.length} totals, at most ${LIMITS.totalRows} fit one ` +
          "answer. Ask for fewer periods, one account, or less apart.",
      );
    return { body: { rows, trust: shownTrust(trust) } };
  },
});

const figures = z.strictObject({
  documents: z.number().int(),
  net: amount("Net, positive on both types."),
  vat: amount("VAT, positive on both types."),
});

export const reconciliation: Endpoint = endpoint({
  method: "get",
  address: "/v1/reconciliation",
  scope: "sales",
  tag: "sales",
  summary: "The ERP's control totals against our ledger, every penny named",
  query: z.strictObject({ period: period("Only this accounting period.").optional() }),
  answers: { 200: "By period and document type." },
  answer: z
    .strictObject({
      totalsEqual: z
        .boolean()
        .describe("True: there were totals to compare, and all are equal to the penny."),
      periods: z.array(
        z.strictObject({
          period: text("Accounting period, YYYY-MM."),
          documentType: z.enum(["invoice", "credit"]),
          erp: figures.nullable().describe("What the ERP says; null: it states no total."),
          ledger: figures,
          difference: figures.nullable().describe("ERP less ledger; null without an ERP total."),
          named: z.array(
            z.strictObject({
              ...figures.shape,
              cause: text("Why the document makes a difference."),
              document: text("Its number."),
              account: orNull(z.string(), "Its account."),
              about: text("The same as a sentence."),
            }),
          ),
          unexplained: figures.nullable().describe("The difference less everything named."),
          equal: z.boolean(),
          unanalysedNet: amount("From documents whose lines fall short of their total."),
        }),
      ),
      trust: trustMark,
    })
    .openapi("Reconciliation"),
  problems: [],
  async handle({ query, services }) {
    const { totalsEqual, periods, trust } = await services.sales.reconcile(query.period);
    return { body: { totalsEqual, periods, trust: shownTrust(trust) } };
  },
});

const posting = z.strictObject({
  id: text("Its identity."),
  source: text("Feed that brought it."),
  documentType: z.enum(["invoice", "credit"]),
  document: text("Document number."),
  line: z.number().int().describe("Line; 0: what the lines leave unanalysed."),
  version: z.number().int(),
  reversal: z.boolean(),
  account: text("Account charged."),
  documentOn: z.iso.date(),
  period: text("Accounting period, YYYY-MM."),
  channel: z.enum(CHANNELS),
  channelEvidence: text("How the channel is known."),
  assisted: z.boolean(),
  lineClass: text("goods, carriage, charge …"),
  product: orNull(z.string(), "Product code."),
  productGroup: orNull(z.string(), "Product group when it was posted."),
  quantity: amount("Selling units, signed."),
  unitPrice: amount("Price per pricing unit."),
  net: amount("Net, signed."),
  vat: amount("VAT, signed."),
  cost: orNull(z.string(), "Cost, signed."),
  currency: text("ISO currency."),
  takenBy: orNull(z.string(), "Order taker, till or analysis code."),
  branch: orNull(z.string(), "Branch."),
  webOrder: orNull(z.string(), "Web order it belongs to."),
  erpOrder: orNull(z.string(), "ERP order it invoices."),
  creditsDocument: orNull(z.string(), "Invoice that a credit corrects."),
  creditsLine: orNull(z.number().int(), "Line of that invoice."),
  originId: text("File, page or table that it came from."),
  originLine: z.number().int().describe("Line in it."),
  batch: z.number().int(),
  postedAt: instant("When it was posted."),
} satisfies Record<keyof Posting, z.ZodType>);

export const traceLine: Endpoint = endpoint({
  method: "get",
  address: "/v1/lines/{postingId}",
  scope: "sales",
  tag: "sales",
  summary: "From a posting back to the line of the file that it came from",
  path: z.strictObject({ postingId: z.uuid().describe("Identity of the posting.") }),
  answers: { 200: "The posting, its row and its origin." },
  answer: z
    .strictObject({
      posting,
      row: z
        .record(z.string(), z.unknown())
        .nullable()
        .describe("The row as it was read; null when it has vanished from the ERP."),
      origin: z
        .strictObject({
          name: text("File, page or table."),
          line: z.number().int().describe("Line in it."),
          keptAt: orNull(z.string(), "Where the untouched original is."),
          connection: text("Connection that it was read from."),
          stream: text("Stream that it was read from."),
          runId: text("Run that read it."),
        })
        .nullable()
        .describe("Null: not kept any more."),
    })
    .openapi("Trace"),
  problems: ["posting-unknown"],
  async handle({ path: { postingId }, services }) {
    const trace = await services.sales.trace(postingId);
    if (trace === null)
      throw new Problem(
        "posting-unknown",
        `Looking up posting ${postingId}: there is none. A statement's lines and ` +
          "`tradepost sales` name postings.",
      );
    const { posting: found, row, origin } = trace;
    return {
      body: {
        posting: { ...found, postedAt: found.postedAt.toString() },
        row,
        origin:
          origin === null
            ? null
            : {
                name: origin.name,
                line: found.originLine,
                keptAt: origin.keptAt,
                connection: origin.connection,
                stream: origin.stream,
                runId: origin.runId,
              },
      },
    };
  },
});
