/** What prices to come do, as data for screens. */
import type { Impact } from "../parity/index.ts";
import { RoundRefused, type Rounds } from "../pricing/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { Problem } from "./problem.ts";
import { amount, given, inOrder, limited, orNull, text } from "./words.ts";

const dayOrMoment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);
const whole = (about: string) => z.number().int().describe(about);
const percent = (about: string) => orNull(z.string(), `${about} Percent, cut off at two places.`);

const sum = {
  lines: whole("Lines."),
  before: amount("Their net at the prices before."),
  after: amount("Their net at the prices after."),
  difference: amount("After less before."),
  percent: percent("Difference of before."),
};

const effective = z
  .strictObject({
    customers: whole("Customers who pay another price for something."),
    products: whole("Products for which somebody pays another price."),
    pairs: whole("Pairs of them."),
    up: whole("Pairs that pay more."),
    down: whole("Pairs that pay less."),
    otherwise: whole("Pairs that have a price on one side only."),
    looked: whole("Pairs that were looked at."),
    whole: z.boolean().describe("False: there are more than are looked at."),
    changes: z
      .array(
        z.strictObject({
          account: text("One of the customers."),
          accounts: whole("How many customers it is so for."),
          product: text("Product."),
          quantity: text("From how many of the selling unit."),
          before: orNull(z.string(), "Price before."),
          after: orNull(z.string(), "Price after."),
          percent: orNull(z.string(), "Rise of the price in percent."),
        }),
      )
      .describe("The largest."),
  } satisfies Record<keyof NonNullable<Impact["effective"]>, z.ZodType>)
  .openapi("EffectivePrices");

const impact = z
  .strictObject({
    from: z.iso.date().describe("First day of the sales."),
    to: z.iso.date().describe("Last day of the sales."),
    beforeOn: text("Day or moment of the prices before."),
    afterOn: text("Day or moment of the prices after."),
    days: whole("Days of sales."),
    all: z.strictObject(sum),
    changed: z.strictObject(sum).describe("Lines whose net would have been another one."),
    dearer: z.strictObject(sum),
    cheaper: z.strictObject(sum),
    lost: whole("Lines that have a price only before."),
    won: whole("Lines that have one only after."),
    unpriced: whole("Lines that have none on either side."),
    changedCustomers: whole("Customers of the changed lines."),
    changedProducts: whole("Products of them."),
    customers: z.array(z.strictObject({ account: z.string(), ...sum })),
    products: z.array(z.strictObject({ product: z.string(), ...sum })),
    prices: z.array(
      z.strictObject({
        account: z.string(),
        product: z.string(),
        quantity: amount("The quantity bought most often."),
        before: orNull(z.string(), "Price per pricing unit."),
        after: orNull(z.string(), "Price per pricing unit."),
        percent: percent("Rise of the price."),
        lines: whole("Lines."),
        difference: amount("After less before, of these lines."),
        becauseBefore: z.string(),
        becauseAfter: z.string(),
      }),
    ),
    effective: orNull(
      effective,
      "Every customer's price that becomes another one, bought of late or not; not worked out for one account or product.",
    ),
  } satisfies Record<keyof Impact, z.ZodType>)
  .openapi("PriceImpact");

export const priceImpact: Endpoint = endpoint({
  method: "get",
  address: "/v1/impact",
  scope: "sales",
  tag: "parity",
  summary: "What prices to come do to every customer, and would have done to the sales of late",
  description:
    "The prices of one day or moment against those of another (`to`), or a price round by its name " +
    "(`round`), loaded or approved, at the moment when it starts.",
  query: z
    .strictObject({
      from: dayOrMoment.optional().describe("Prices of this day or moment; today when not given."),
      to: dayOrMoment.optional().describe("Prices of this day or moment against them."),
      round: z.string().min(1).optional().describe("A price round, in the place of `to`."),
      account: z.string().min(1).optional().describe("Only this account."),
      product: z.string().min(1).optional().describe("Only this product."),
      days: limited(90, 366),
      most: limited(100, 1_000),
    })
    .superRefine(inOrder)
    .refine(({ to, round }) => (to === undefined) !== (round === undefined), {
      path: ["to"],
      error: "Give `to` or `round`: what the prices of `from` are compared with.",
    }),
  answers: { 200: "Sums, and the customers, products and prices that change most." },
  answer: impact,
  problems: ["prices-not-ready", "price-round-unknown"],
  async handle({ query: { round, from, to, ...asked }, services: { proof, rounds } }) {
    const found: Shown<z.input<typeof impact>> =
      round === undefined
        ? await proof.impactBetween({
            ...given(asked),
            from: from ?? proof.today(),
            to: to ?? proof.today(),
          })
        : await proof.impactOf({ round: await roundOf(rounds, round) }, given(asked));
    return { body: found };
  },
});

async function roundOf(rounds: Pick<Rounds, "find">, name: string): Promise<string> {
  try {
    return (await rounds.find(name)).id;
  } catch (error) {
    if (error instanceof RoundRefused) throw new Problem("price-round-unknown", error.message);
    throw error;
  }
}
