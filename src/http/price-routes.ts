/** Prices over HTTP: by rows as texts, by columns as integers, and why. */
import type { ExplainedLine, PriceLine, PriceProblem, PriceRequest } from "../pricing/index.ts";
import { Written } from "./answering.ts";
import { columnsAnswer, explanation, pricedLine, rowsAnswer } from "./price-answers.ts";
import { IF_NONE_MATCH, cachedFor, conditional } from "./price-caching.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { NOT_FOUND, problemIn, ready, refuseAsker, whenReady } from "./price-asker.ts";
import {
  asOfText,
  codeOf,
  currencyText,
  knownAtText,
  meantSchema,
  priceRequest,
  quantityOfQuery,
  quickPriceRequest,
  unit,
  whenText,
} from "./price-request.ts";
import type { CompanyServices } from "./modules.ts";
import { Problem } from "./problem.ts";

export const askPrices: Endpoint = endpoint({
  method: "post",
  address: "/v1/prices",
  direct: true,
  scope: "prices",
  tag: "prices",
  summary: "Prices of up to 10,000 lines for one customer",
  description:
    "One question in two forms: `lines`, each answered by an object with decimal texts; or `product` and " +
    "`quantity` as arrays of one length, answered by arrays of integers with their `scale`, for many " +
    "lines. All are answered from one price book. A line that cannot be priced as asked is answered by " +
    "`state: problem` with `code` and `detail`; the others are priced. Show a price as its `state` says, " +
    "no longer than `validUntil`; `Cache-Control` never outlives that.",
  body: {
    schema: priceRequest,
    limitBytes: LIMITS.priceBodyBytes,
    quick: quickPriceRequest,
    meant: meantSchema,
  },
  answers: { 200: "The prices." },
  answer: z.union([rowsAnswer, columnsAnswer]),
  problems: [...NOT_FOUND, "prices-not-ready", "tokens-not-set-up"],
  async handle({ body, services: { pricing } }) {
    if (body.quotation !== null) await refuseQuotation(pricing, body, "body");
    if ("product" in body) {
      const { json, problem, until } = ready(() => pricing.columnsJson(body));
      refuseAsker(problem ?? undefined, body);
      return { body: new Written(json), headers: cachedFor(pricing, until) };
    }
    const { explain, knownAt, ...request } = body;
    if (request.tokens && !pricing.signs) throw tokensNotSetUp();
    const lines =
      explain || knownAt
        ? await whenReady<readonly (PriceLine | ExplainedLine)[]>(() =>
            asked(pricing, request, { explain, knownAt }),
          )
        : ready(() => pricing.price(request));
    refuseAsker(problemIn(lines), body);
    const headers = cachedFor(pricing, earliest(lines));
    return { body: { account: body.account, lines }, headers };
  },
});

function asked(
  pricing: CompanyServices["pricing"],
  request: PriceRequest,
  { explain, knownAt }: { readonly explain: boolean; readonly knownAt?: string | null | undefined },
): readonly PriceLine[] | Promise<readonly (PriceLine | ExplainedLine)[]> {
  if (!knownAt) return explain ? pricing.explain(request) : pricing.price(request);
  const moment = Temporal.Instant.from(knownAt);
  return explain ? pricing.explainKnown(request, moment) : pricing.known(request, moment);
}

/** Of now: what was so on another day, prices say alone. */
async function refuseQuotation(
  pricing: CompanyServices["pricing"],
  asked: z.output<typeof one> | z.output<typeof priceRequest>,
  where: "body" | "query",
): Promise<void> {
  const { account, quotation, asOf } = asked;
  const knownAt = "knownAt" in asked ? asked.knownAt : null;
  if (!quotation || asOf || knownAt) return;
  refuseAsker((await pricing.quotationProblem({ account, quotation })) ?? undefined, asked, where);
}

function tokensNotSetUp(): Problem {
  return new Problem(
    "tokens-not-set-up",
    "Pricing: signed prices are asked for, and the settings name no key for them. Name one under " +
      "pricing.tokens.keys and set its secret, or ask without tokens.",
  );
}

/** The first moment at which one of the answers ceases to hold. */
function earliest(lines: readonly (PriceLine | ExplainedLine)[]): string | null {
  let first: string | null = null;
  for (const line of lines) {
    if (line.state === "problem" || line.validUntil === null) continue;
    if (first === null || line.validUntil < first) first = line.validUntil;
  }
  return first;
}

const one = z.strictObject({
  account: codeOf("Account of the customer."),
  product: z.string().min(1).max(60).describe("Product code."),
  quantity: quantityOfQuery,
  site: codeOf("Delivery site of the account.").optional(),
  branch: codeOf("Branch that fulfils.").optional(),
  quotation: codeOf("Quotation that the buyer orders by.").optional(),
  asOf: asOfText.optional(),
  knownAt: knownAtText.optional(),
  currency: currencyText.optional(),
  unit: unit.optional(),
  when: whenText.optional(),
});

/** What one line is asked for by query, as pricing is asked. */
function requestOf({ product, quantity, ...asker }: z.output<typeof one>): PriceRequest {
  return {
    currency: asker.currency ?? null,
    conditions: asker.when ?? {},
    account: asker.account,
    site: asker.site ?? null,
    branch: asker.branch ?? null,
    quotation: asker.quotation ?? null,
    asOf: asker.asOf ?? null,
    lines: [{ product, quantity, unit: asker.unit ?? null }],
  };
}

/** The only answer; throws the problem that says why there is none. */
function only<Line extends PriceLine | ExplainedLine>(
  [line]: readonly Line[],
  asked: z.output<typeof one>,
): Exclude<Line, PriceProblem> {
  if (line !== undefined && line.state !== "problem") return line as Exclude<Line, PriceProblem>;
  refuseAsker(line, asked, "query");
  const { product } = asked;
  throw new Problem("product-unknown", `Pricing: ${line?.detail ?? "there is no answer"}.`, {
    faults: [
      {
        in: "query",
        pointer: "/product",
        found: product,
        expected: "a product of the ERP, its code compared exactly",
      },
    ],
  });
}

const ONE_PROBLEMS = [...NOT_FOUND, "product-unknown", "prices-not-ready"] as const;

export const askPrice: Endpoint = endpoint({
  method: "get",
  address: "/v1/prices",
  scope: "prices",
  tag: "prices",
  summary: "One price, which may be kept for a moment",
  description:
    "Its `Cache-Control` is private and never outlives `validUntil`; `If-None-Match` with its `ETag` " +
    "is answered by 304 while it is the same.",
  query: one,
  headers: [IF_NONE_MATCH],
  answers: { 200: "The price.", 304: "It is as it was." },
  answer: pricedLine,
  problems: ONE_PROBLEMS,
  async handle({ query, header, services: { pricing } }) {
    const { knownAt } = query;
    await refuseQuotation(pricing, query, "query");
    const lines = await whenReady(() =>
      asked(pricing, requestOf(query), { explain: false, knownAt }),
    );
    const line = only(lines, query);
    return conditional(pricing, line, line.validUntil, header);
  },
});

export const explainPrice: Endpoint = endpoint({
  method: "get",
  address: "/v1/prices/explain",
  scope: "prices",
  tag: "prices",
  summary: "Why a customer's price is what it is",
  query: one,
  headers: [IF_NONE_MATCH],
  answers: {
    200: "The price with every candidate and the arithmetic.",
    304: "It is as it was.",
  },
  answer: pricedLine.extend({ explanation }).openapi("ExplainedPrice"),
  problems: ONE_PROBLEMS,
  async handle({ query, header, services: { pricing } }) {
    const { knownAt } = query;
    const request = requestOf(query);
    const lines = await whenReady(() =>
      knownAt === undefined
        ? pricing.explain(request)
        : pricing.explainKnown(request, Temporal.Instant.from(knownAt)),
    );
    const line = only(lines, query);
    return conditional(pricing, line, line.validUntil, header);
  },
});
