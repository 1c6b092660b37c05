/** Our prices against what the ERP charged, as data for screens. */
import {
  PARITY_BY,
  PLACE,
  placeOf,
  STATES,
  type AsKnown,
  type AsKnownLine,
  type Certificate,
  type Parity,
  type ParityLine,
  type SignedCertificate,
} from "../parity/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { amount, given, inOrder, instant, limited, orNull, text } from "./words.ts";

const whole = (about: string) => z.number().int().describe(about);
const percent = (about: string) => orNull(z.string(), `${about} Percent, cut off at two places.`);
const bounds = {
  from: z.iso.date().optional().describe("First day of the documents."),
  to: z.iso.date().optional().describe("Last day of the documents."),
  account: z.string().min(1).optional().describe("Only this account."),
};

const row = z
  .strictObject({
    of: text("Channel, feed, sort of rule, account, day or month."),
    lines: whole("Lines that the ERP charged."),
    matched: whole("Equal to the penny."),
    explained: whole("Another price, with evidence for it."),
    mismatched: whole("Another price, without a reason."),
    unpriced: whole("Without a price of ours: charges, texts, products that are gone."),
    percent: percent("Matched, of the lines that have a price of ours."),
    accountedPercent: percent("Matched or explained, of the same."),
    explainedDifference: amount("Charged less ours, of the explained lines."),
    mismatchedDifference: amount("Charged less ours, of those without a reason."),
  })
  .openapi("ParityRow");

export const priceParity: Endpoint = endpoint({
  method: "get",
  address: "/v1/parity",
  scope: "sales",
  tag: "parity",
  summary: "How often the ERP charged our price, by channel, rule, customer, day or month",
  description:
    "Every line of the sales ledger is counted once. Brought up to date after each posting; " +
    "`checkedAt` says when.",
  query: z
    .strictObject({
      ...bounds,
      by: z.enum(PARITY_BY).default("channel").describe("What rows are kept apart by."),
    })
    .superRefine(inOrder),
  answers: { 200: "The rows, all of them added up, and the reasons." },
  answer: z
    .strictObject({
      rows: z.array(row),
      all: row,
      reasons: z.array(
        z.strictObject({
          state: z.enum(STATES),
          reason: text("Word for it; empty for a match whose VAT matches too."),
          lines: whole("Lines."),
          chargedNet: amount("What they were charged; credits are negative."),
          difference: amount("Charged less ours."),
        }),
      ),
      vatLines: whole("Lines whose net is ours to the penny and whose VAT is not."),
      checkedAt: orNull(instant(""), "When it was last brought up to date."),
      book: orNull(z.string(), "Version of the price book."),
      policy: orNull(z.string(), "Version of the policy."),
    } satisfies Record<keyof Parity, z.ZodType>)
    .openapi("Parity"),
  problems: ["answer-too-large"],
  async handle({ query: { from, to, account, by }, services }) {
    const found = await services.proof.parity({
      by,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...(account === undefined ? {} : { account }),
    });
    if (found.rows.length > LIMITS.totalRows)
      throw new Problem(
        "answer-too-large",
        `Counting lines by ${by}: found ${found.rows.length} rows, at most ${LIMITS.totalRows} fit ` +
          "one answer. Ask for fewer days, one account, or less apart.",
      );
    return { body: { ...found, checkedAt: found.checkedAt?.toString() ?? null } };
  },
});

const line = z
  .strictObject({
    documentType: z.enum(["invoice", "credit"]),
    document: text("Document number."),
    line: whole("Line of it."),
    documentOn: z.iso.date(),
    account: text("Account charged."),
    product: orNull(z.string(), "Product code."),
    channel: text("Channel."),
    source: text("Feed that brought it."),
    state: z.enum(STATES),
    reason: text("Word for why; empty for a match whose VAT matches too."),
    evidence: text("The reason with its evidence, as a sentence."),
    priceKind: text("Sort of rule that gave our price; empty: none did."),
    because: text("Which rule gave our price, or why there is none."),
    pricedOn: orNull(z.iso.date(), "Day that our price was asked for."),
    countedQuantity: orNull(z.string(), "Selling units that breaks were compared with."),
    quantity: amount("Selling units, positive on both types."),
    unitPrice: orNull(z.string(), "Our price per pricing unit."),
    net: orNull(z.string(), "Our net."),
    vat: orNull(z.string(), "Our VAT."),
    chargedUnitPrice: amount("Price per pricing unit as charged, before the line's discount."),
    chargedPercent: amount("Discount of the line in percent."),
    chargedNet: amount("Net as charged, positive on both types."),
    chargedVat: amount("VAT as charged, positive on both types."),
    difference: amount("Charged less ours; a credit turns it."),
    vatDifference: amount("VAT charged less ours, where the net is the same."),
    currency: text("ISO currency."),
  } satisfies Record<keyof ParityLine, z.ZodType>)
  .openapi("ParityLine");

export const priceParityLines: Endpoint = endpoint({
  method: "get",
  address: "/v1/parity/lines",
  scope: "sales",
  tag: "parity",
  summary: "Single lines that the ERP charged, against our price, each with its reason",
  query: z
    .strictObject({
      ...bounds,
      document: z.string().min(1).optional().describe("Only this document."),
      product: z.string().min(1).optional().describe("Only this product."),
      channel: z.string().min(1).optional().describe("Only this channel."),
      state: z.enum(STATES).optional().describe("Only lines in this state."),
      reason: z.string().min(1).optional().describe("Only lines with this reason."),
      after: z
        .string()
        .regex(PLACE, "`next` of the page before")
        .optional()
        .describe("`next` of the page before."),
      limit: limited(100, 1_000),
    })
    .superRefine(inOrder),
  answers: { 200: "In order of document and line." },
  answer: z
    .strictObject({
      lines: z.array(line),
      next: orNull(z.string(), "Give it as `after` for the lines that follow."),
    })
    .openapi("ParityLines"),
  problems: [],
  async handle({ query, services }) {
    const lines = await services.proof.lines({ ...given(query), limit: query.limit });
    const last = lines.length < query.limit ? undefined : lines.at(-1);
    return { body: { lines, next: last === undefined ? null : placeOf(last) } };
  },
});

const counts = z
  .strictObject({
    match: whole("Equal to the penny."),
    explained: whole("Another price, with evidence."),
    mismatch: whole("Another price, without a reason."),
    unpriced: whole("Without a price of ours."),
  } satisfies Record<keyof AsKnown["asThen"], z.ZodType>)
  .openapi("ParityCounts");

const knownPrice = z
  .strictObject({
    state: z.enum(STATES),
    reason: z.string(),
    unitPrice: orNull(z.string(), "Per pricing unit."),
    net: orNull(z.string(), "Of the line."),
    because: text("Which rule gives it, or why there is none."),
  } satisfies Record<keyof AsKnownLine["asThen"], z.ZodType>)
  .openapi("PriceAsKnown");

export const priceParityAsKnown: Endpoint = endpoint({
  method: "get",
  address: "/v1/parity/as-known",
  scope: "sales",
  tag: "parity",
  summary: "Lines priced by the rules as they were known on their day, beside those of now",
  description:
    "Tells a wrong policy from a rule that was learned too late. Days before the first price book, " +
    "and those that are no longer kept, are counted apart and not guessed.",
  query: z
    .strictObject({
      from: z.iso.date().optional().describe("First day of the documents; 90 days ago."),
      to: z.iso.date().optional().describe("Last day of the documents; today."),
      account: z.string().min(1).optional().describe("Only this account."),
      limit: limited(50, 1_000),
    })
    .superRefine(inOrder),
  answers: { 200: "The counts, and lines whose price is another one now." },
  answer: z
    .strictObject({
      from: z.iso.date(),
      to: z.iso.date(),
      lines: whole("Goods lines of these days."),
      notKept: z.strictObject({
        lines: whole("Lines of days that nothing is kept of; in none of the counts that follow."),
        since: orNull(instant(""), "Since when what was known is kept."),
      }),
      asThen: counts.describe("By the rules as they were known then."),
      asNow: counts.describe("By the rules as they are known now."),
      otherPrice: whole("Lines whose price is another one now."),
      learnedLater: whole("Of these: charged by a rule that we learned later."),
      knownBefore: whole("Of these: charged by a rule that we have learned to be another since."),
      shown: z.array(
        z.strictObject({
          documentType: z.enum(["invoice", "credit"]),
          document: text("Document number."),
          line: whole("Line of it."),
          documentOn: z.iso.date(),
          account: z.string(),
          product: z.string(),
          quantity: amount("Selling units."),
          chargedNet: amount("As charged."),
          currency: text("ISO currency."),
          book: text("Version of the book that answered then."),
          asThen: knownPrice,
          asNow: knownPrice,
        } satisfies Record<keyof AsKnownLine, z.ZodType>),
      ),
    } satisfies Record<keyof AsKnown, z.ZodType>)
    .openapi("ParityAsKnown"),
  problems: ["prices-not-ready"],
  async handle({ query: { limit, ...query }, services }) {
    return { body: await services.proof.asKnown({ ...given(query), most: limit }) };
  },
});

const tried = z.strictObject({
  switch: text("Switch of the policy."),
  is: text("As the policy has it."),
  tried: text("As it was tried."),
  gains: whole("Lines that fit only so."),
  loses: whole("Lines that fit only without it."),
});

const counted = z.array(z.strictObject({ reason: z.string(), lines: z.number().int() }));

const certificate = z
  .strictObject({
    id: z.uuid(),
    company: z.string(),
    madeAt: instant("When it was made."),
    policy: text("Name of the policy."),
    policyVersion: text("Version of the policy."),
    sample: z.strictObject({
      source: z.enum(["documents", "enquiry"]).describe("What the ERP charged, or answered."),
      seed: whole("Draws the same sample again."),
      from: z.iso.date(),
      to: z.iso.date(),
      documents: whole("Documents drawn."),
      lines: whole("Goods lines of them that have a price of ours."),
      unpriced: counted.describe("Lines that have none."),
    }),
    fits: whole("Lines charged at our price, a typed discount apart."),
    percent: amount("The same in percent, cut off at two places."),
    explained: counted.describe("Lines explained by evidence."),
    groups: z
      .array(
        z.strictObject({
          by: tried.nullable().describe("The switch that explains them; null: none does."),
          lines: whole("Lines."),
          difference: amount("Charged less ours."),
          examples: z.array(
            z.strictObject({
              document: z.string(),
              line: z.number().int(),
              account: z.string(),
              product: z.string(),
              quantity: z.string(),
              charged: z.string(),
              ours: z.string().nullable(),
            }),
          ),
        }),
      )
      .describe("Lines that do not fit, by the smallest switch that would explain them."),
    best: z.array(tried).describe("The setting that fits best; empty: the policy as it is."),
    bestFits: whole("Lines that fit with it."),
    bestPercent: amount("The same in percent."),
    switchesTried: whole("Settings that were tried."),
    vat: z.strictObject({
      documents: whole("Documents whose VAT could be worked out."),
      fits: whole("Of these, those whose VAT is the policy's."),
      better: z.array(
        z.strictObject({ switch: z.string(), tried: z.string(), fits: z.number().int() }),
      ),
    }),
    verdict: z.enum(["certified", "doubtful", "refused"]),
    because: text("The verdict's reason."),
    sha256: text("Digest of all of this; it is what is signed."),
  } satisfies Record<keyof Certificate, z.ZodType>)
  .openapi("PriceCertificate");

export const listCertifications: Endpoint = endpoint({
  method: "get",
  address: "/v1/certifications",
  scope: "sales",
  tag: "parity",
  summary: "Policies tried on what the ERP charged, and who signed for them",
  answers: { 200: "Newest first." },
  answer: z
    .strictObject({
      certifications: z.array(
        z.strictObject({
          certificate,
          signedBy: orNull(z.string(), "Who signed."),
          signedAt: orNull(instant(""), "When."),
          signedWhy: orNull(z.string(), "Why."),
        } satisfies Record<keyof SignedCertificate, z.ZodType>),
      ),
    })
    .openapi("PriceCertificates"),
  problems: [],
  async handle({ services }) {
    const all = await services.proof.certifications();
    const certifications = all.map((each) => ({
      ...each,
      signedAt: each.signedAt?.toString() ?? null,
    }));
    return { body: { certifications } };
  },
});
