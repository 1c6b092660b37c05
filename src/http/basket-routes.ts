/** Baskets over HTTP: lines, promotions over them and the document's totals in one answer. */
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { NOT_FOUND, problemIn, refuseAsker, whenReady } from "./price-asker.ts";
import { known, priceProblem, state } from "./price-answers.ts";
import { codeOf, line, where } from "./price-request.ts";
import { amount, orNull, text } from "./words.ts";

const MONEY = /^-?\d{1,12}(?:\.\d{1,2})?$/;

const basketRequest = z
  .strictObject({
    ...where,
    lines: z.array(line).min(1).max(LIMITS.basketLines),
    codes: z
      .array(z.string().min(1).max(60))
      .max(LIMITS.basketCodes)
      .default([])
      .describe("Codes of promotions that the buyer gives."),
    charges: z
      .array(
        z.strictObject({
          charge: codeOf("Charge code; never a product."),
          amount: z
            .string()
            .regex(MONEY, 'a decimal in quotes with at most 2 places, such as "12.50"')
            .describe("Amount; below 0: an allowance."),
          vatCode: codeOf("VAT code of the charge.").default("STANDARD"),
          includesVat: z
            .boolean()
            .optional()
            .describe("Whether the amount is with VAT; absent: as the merchant's prices."),
        }),
      )
      .max(LIMITS.basketCharges)
      .default([]),
    credit: z
      .boolean()
      .default(false)
      .describe("True: a credit note; every amount with the other sign."),
    twin: z
      .boolean()
      .default(false)
      .describe("True: with what other systems' arithmetic makes of the same document."),
  })
  .openapi("BasketRequest");

const { net: _net, vat: _vat, ...ofLine } = known;

const basketLine = z
  .strictObject({
    state,
    ...ofLine,
    full: orNull(z.string(), "Net of the line before promotions over the basket."),
    lowered: amount("What promotions on lines take off it."),
    documentDiscount: amount("Its share of what comes off the document."),
    net: orNull(z.string(), "Net of the line after all that."),
    vat: orNull(z.string(), "VAT of the line by itself."),
    savedPercent: z
      .number()
      .int()
      .describe("Of the full amount, in whole percent, never overstated."),
    promotions: z.array(
      z.strictObject({ promotion: text("Promotion."), amount: amount("What it takes off.") }),
    ),
  })
  .openapi("BasketLine");

const money = {
  net: amount("Net."),
  vat: amount("VAT."),
  gross: amount("Gross."),
};

const basketAnswer = z
  .strictObject({
    account: text("Account as asked."),
    currency: text("ISO currency."),
    bookVersion: known.bookVersion,
    freshness: known.freshness,
    validUntil: orNull(z.string(), "Earliest moment at which a price or promotion may change."),
    lines: z.array(z.union([basketLine, priceProblem])).describe("One a line, in the order asked."),
    free: z
      .array(
        z.strictObject({
          promotion: text("Promotion that gives it."),
          product: text("Product code."),
          quantity: amount("Selling units."),
          unitPrice: amount("Per pricing unit; 0 when free."),
          net: amount("Net of the line."),
          vatCode: orNull(z.string(), "VAT code."),
          vat: orNull(z.string(), "VAT of the line."),
          worth: orNull(z.string(), "What is given away by it."),
        }),
      )
      .describe("Goods that promotions give, each on a line of its own."),
    applied: z.array(
      z.strictObject({
        promotion: text("Promotion."),
        name: text("Name shown to buyers."),
        saving: amount("What it gives away in all."),
        cutBy: amount("What its budget did not leave it to give; 0.00: nothing."),
        times: z.number().int().describe("Times it holds in this basket."),
        lowers: z.enum(["line", "document"]),
      }),
    ),
    notApplied: z
      .array(
        z.strictObject({
          promotion: text("Promotion."),
          name: text("Name shown to buyers."),
          reason: text("Stable code of the reason."),
          about: text('The same in words: "needs 3 more".'),
        }),
      )
      .describe("Promotions on something in the basket that do not hold."),
    unknownCodes: z.array(z.string()).describe("Codes given that no promotion of now has."),
    documentDiscount: amount("What comes off the document as a whole."),
    charges: z.array(
      z.strictObject({
        charge: text("Charge code."),
        net: money.net,
        vatCode: text("VAT code."),
        vatPercent: orNull(z.string(), "Its rate."),
        vat: orNull(z.string(), "VAT of the charge."),
      }),
    ),
    vat: z
      .array(z.strictObject({ vatPercent: text("Rate."), ...money }))
      .describe("By rate, lowest first."),
    totals: z
      .strictObject(money)
      .nullable()
      .describe("Null: a line or a VAT rate is not known, so the document is not either."),
    totalsReason: orNull(
      z.string(),
      "Why there are no totals: each line and VAT code that is not known, and what to do. Null: there are.",
    ),
    twins: z
      .array(
        z.strictObject({
          system: text("Policy whose arithmetic it is."),
          ...money,
          difference: z.strictObject(money).describe("The shop's totals less the system's."),
        }),
      )
      .describe("Only when asked for and the totals are known."),
  })
  .openapi("Basket");

export const askBasket: Endpoint = endpoint({
  method: "post",
  address: "/v1/baskets",
  scope: "prices",
  tag: "prices",
  summary: "A basket priced as a whole: promotions, VAT and totals",
  description:
    "Each line by itself, then what promotions over the basket take off it, the goods they give, and the " +
    "document added up as the merchant's system does. Nothing is kept and no use of a promotion is taken.",
  body: { schema: basketRequest, limitBytes: LIMITS.basketBodyBytes },
  answers: { 200: "The basket." },
  answer: basketAnswer,
  problems: [...NOT_FOUND, "prices-not-ready"],
  async handle({ body, services: { pricing } }) {
    const { charges, ...asked } = body;
    const priced = await whenReady(() =>
      pricing.basket({
        ...asked,
        charges: charges.map(({ includesVat, ...charge }) =>
          includesVat === undefined ? charge : { ...charge, includesVat },
        ),
      }),
    );
    if ("answer" in priced) {
      refuseAsker(problemIn(priced.answer.lines), body);
      return { body: priced.answer };
    }
    refuseAsker(problemIn(priced), body);
    throw new Error(`the basket of ${body.account} was refused without a reason`);
  },
});
