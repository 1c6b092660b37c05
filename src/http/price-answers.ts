/** What is answered about prices, as the API documents it. */
import { z } from "./endpoint.ts";
import { PRICE_STATES } from "../pricing/index.ts";
import { amount, orNull, text } from "./words.ts";

export const known = {
  product: text("Product code as asked."),
  quantity: text("Quantity as asked."),
  unitPrice: orNull(
    z.string(),
    'Net price per `pricingUnit`, decimal text: "6.6585"; null: not known, as are net and VAT then.',
  ),
  pricingUnit: text(
    "What the price is per: 1000, HUNDRED, EACH; the unit asked in, where one was.",
  ),
  net: orNull(z.string(), "Net of the line, decimal text."),
  vatCode: orNull(z.string(), "VAT code; null: neither customer, site nor product has one."),
  vatPercent: orNull(z.string(), "Its rate on the day; null: the settings give it none."),
  vat: orNull(
    z.string(),
    "VAT of the line by itself, decimal text; a basket adds VAT up as the ERP does.",
  ),
  currency: text("ISO currency."),
  validUntil: orNull(
    z.string(),
    "Show it no longer than this: then a rule that was looked at starts or stops. Null: none does by itself.",
  ),
  bookVersion: text("Version of the price book that answered."),
  stateReason: orNull(
    z.string(),
    "Why the state is what it is, where `because` does not say it: a price round, a change that waits, the age of a source.",
  ),
  freshness: orNull(
    z.string(),
    "When the stalest source was last applied, of those that ever were.",
  ),
  because: text("Which rule gave the price, or why there is none."),
};

const STATES = ["confirmed", "modelled", "stale", "unknown", "onRequest"] as const;
export const state = z
  .enum(STATES)
  .describe(STATES.map((each) => `${each}: ${PRICE_STATES[each].means}`).join(" "));

const entry = z
  .strictObject({
    source: text("Rule, promotion or quotation."),
    customerScope: text("Whom it is for."),
    customerCode: orNull(z.string(), "Their code."),
    productScope: text("What it is for."),
    productCode: orNull(z.string(), "Its code."),
    kind: text("fixed, percent, amount, markup …"),
    value: orNull(z.string(), "Price, percent or amount."),
    net: z.boolean(),
    currency: orNull(z.string(), "Currency of a price or amount."),
    unit: orNull(z.string(), "Unit that it is per."),
    fromQuantity: amount("Break."),
    limitQuantity: orNull(z.string(), "Most selling units covered."),
    validFrom: orNull(z.string(), "First day."),
    validTo: orNull(z.string(), "Last day."),
    startsAt: orNull(z.string(), "Moment, where it starts within a day."),
    endsAt: orNull(z.string(), "Moment, where it ends within a day."),
    toQuantity: orNull(z.string(), "Most selling units of a line."),
    usedQuantity: orNull(z.string(), "Selling units of a contract or quotation that are used up."),
    soldIn: orNull(z.string(), "Unit that the line must be sold in."),
    conditions: orNull(z.string(), "What must be so besides."),
    formula: orNull(z.string(), "Formula that works the price out."),
    stack: z.enum(["add", "compound"]).nullable().describe("How it joins others; null: alone."),
    priority: z
      .number()
      .nullable()
      .describe("Where the policy goes by it the higher wins; null: below all."),
    label: orNull(z.string(), "Contract, promotion or quotation."),
  })
  .openapi("PriceEntry");

export const explanation = z
  .strictObject({
    asked: text("The question in words."),
    because: text("Which rule gave the price, or why there is none."),
    arithmetic: z
      .array(z.string())
      .describe("From the rule to net and VAT, as sentences for people; empty: there is no price."),
    candidates: z.array(
      z.strictObject({
        step: text("Step of the policy that looked at it."),
        rule: text("The rule in words."),
        whom: text("Whom it is for."),
        what: text("What it is for."),
        unitPrice: orNull(
          z.string(),
          "What it would make of the unit price; null: it does not hold.",
        ),
        taken: z.boolean().describe("True: it gives the price, or has a part in it."),
        why: text("Why it was taken, or why it lost, in words."),
        entry: entry.nullable().describe("Null: the account's own discount."),
        rows: z
          .array(
            z.strictObject({
              record: text(
                "Record it was read as: price-rule, promotion, quotation-line, customer.",
              ),
              row: text("Its key: rule and break, promotion, quotation and line, account."),
              runId: text("Run that read it."),
              originId: text("File, page or table that it was read from."),
              origin: orNull(z.string(), "Name of that file, page or table."),
              line: z.number().int().describe("Line or row in it."),
            }),
          )
          .describe("Rows of the ERP that say so; empty: they have changed since."),
      }),
    ),
  })
  .openapi("PriceExplanation");

export const priceProblem = z
  .strictObject({
    state: z.literal("problem"),
    product: text("Product code as asked."),
    quantity: text("Quantity as asked."),
    code: text(
      "unknown-product, bad-quantity, unknown-unit; or for every line alike unknown-account, unknown-site, unknown-branch, unknown-quotation, unknown-currency, bad-date.",
    ),
    detail: text("What was found, what was expected, what to do."),
  })
  .openapi("PriceProblem");

export const pricedLine = z.strictObject({
  state,
  ...known,
  explanation: explanation.optional().describe("Only when asked to explain."),
  token: orNull(
    z.string(),
    "The price signed, for the order to present and be charged; only when asked for. Not promised: " +
      "stale or unknown prices, and those of another day.",
  ).optional(),
});

export const rowsAnswer = z
  .strictObject({
    account: text("Account as asked."),
    lines: z.array(z.union([pricedLine, priceProblem])).describe("One a line, in the order asked."),
  })
  .openapi("PricedRows");

const integers = z.array(z.number().int().nullable());
const places = z.number().int();

export const columnsAnswer = z
  .strictObject({
    account: text("Account as asked."),
    bookVersion: known.bookVersion,
    freshness: known.freshness,
    currency: text("ISO currency."),
    scale: z
      .strictObject({ unitPrice: places, net: places, vat: places })
      .describe("Decimal places of the integers: 42500 at 4 is 4.2500."),
    unitPrice: integers.describe("Net price per pricing unit; null: not known."),
    net: integers.describe("Net of the line; null: not known."),
    vat: integers.describe("VAT of the line; null: not known, or its code has no rate."),
    vatCode: z.array(z.string().nullable()),
    state: z.array(z.enum([...STATES, "problem"])),
    stateReason: z
      .array(z.string().nullable())
      .optional()
      .describe("Why a line stands as it does; absent: no line has a reason."),
    validUntil: z.array(z.string().nullable()),
    problems: z
      .array(
        z.strictObject({
          line: z.number().int().describe("From 0."),
          code: priceProblem.shape.code,
          detail: priceProblem.shape.detail,
        }),
      )
      .describe("Lines that could not be priced as asked."),
  })
  .openapi("PricedColumns");
