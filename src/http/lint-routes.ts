/** What is wrong in the price rules, counted, with examples. */
import { LINT_KINDS, LINT_SEVERITIES, summarise } from "../pricing/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { limited, orNull, text } from "./words.ts";

const number = z.number().int();
const kind = z.enum(LINT_KINDS);

const finding = z
  .strictObject({
    kind,
    severity: z
      .enum(LINT_SEVERITIES)
      .describe("error: wrong; warning: hardly meant; note: harmless."),
    record: text("price-rule, promotion or price-formula."),
    row: text("Its key."),
    what: text("What is wrong with it."),
    instruction: text("What to do."),
    origin: orNull(z.string(), "File or page that the row came from."),
    originId: text("Its identity."),
    line: number.describe("Line in it."),
  })
  .openapi("PriceFinding");

const report = z
  .strictObject({
    errors: number,
    warnings: number,
    notes: number,
    kinds: z.array(
      z.strictObject({
        kind,
        count: number,
        severities: z.strictObject({ error: number, warning: number, note: number }),
        examples: z.array(finding).describe("The first of the worst."),
      }),
    ),
  })
  .openapi("PriceLint");

export const lintPriceRules: Endpoint = endpoint({
  method: "get",
  address: "/v1/price-lint",
  scope: "sync",
  tag: "prices",
  summary: "What is wrong, useless or not meant in the price rules",
  description:
    "Goes through all rules as last pulled, which takes seconds for a million. Every finding of a " +
    "kind is had with `examples`; more than that by `tradepost price lint --csv`.",
  query: z.strictObject({
    kind: kind.optional().describe("Only this kind."),
    examples: limited(3, 1_000),
  }),
  answers: { 200: "Counts by kind, with examples." },
  answer: report,
  problems: [],
  async handle({ query, services: { pricing } }) {
    const found = query.kind === undefined ? pricing.lint() : pricing.lint([query.kind]);
    return { body: await summarise(found, query.examples) };
  },
});
