/**
 * The words of `mappings/<name>/pricing.yaml`. What a file leaves out stands for the plain case,
 * as each description says.
 */
import { z } from "zod";
import {
  COMPARATORS,
  CUSTOMER_SCOPES,
  DISCOUNTS,
  HITS,
  PRODUCT_SCOPES,
  RULE_KINDS,
  VAT_SOURCES,
} from "./engine/index.ts";

const customer = z.enum(CUSTOMER_SCOPES);
const product = z.enum(PRODUCT_SCOPES);
const kinds = (allowed: readonly (typeof RULE_KINDS)[number][]) =>
  z.array(z.enum(allowed)).min(1).optional().describe("Only these kinds; left out: all.");

const amount = (least: number, most: number) => ({
  places: z.int().min(least).max(most),
  rounding: z.enum(["half-away", "half-even", "half-up", "down", "up"]),
});
const rounding = (least: number, most: number) =>
  z
    .strictObject(amount(least, most))
    .transform(({ places, rounding }) => ({ scale: places, mode: rounding }));

const comparator = z.enum(COMPARATORS);
const common = {
  step: z.string().min(1).max(60).describe("Name in explanations and in `unless`."),
  compete: z
    .union([comparator, z.array(comparator).min(1)])
    .transform((words) => (Array.isArray(words) ? words : [words]))
    .describe("What decides between two candidates, in order."),
  tie: z
    .enum(["first", "ambiguous"])
    .default("first")
    .describe("When nothing decides: the lower, then the place named first; or no price at all."),
  unless: z
    .array(z.string())
    .default([])
    .describe("Earlier steps: when one of them gave something this one is not looked at."),
  hit: z
    .enum(HITS)
    .describe(
      "stop: the price. compete: pooled with the neighbouring steps that compete, lowest wins. continue: the running price, the steps after go on.",
    ),
};
const reducing = {
  from: z
    .enum(["base", "running", "full"])
    .default("base")
    .describe(
      "What percents and amounts are off. base: the base price. running: what came before. full: the price before any discount of the steps before, so that percents add up.",
    ),
};
/** Whom × what, customers first: all that the first customer scope has, then the second's. */
const drawing = {
  customers: z.array(customer).min(1),
  products: z.array(product).min(1),
  sign: z
    .enum(["surcharge", "discount"])
    .optional()
    .describe("Only percents and amounts that raise, or that lower the price; left out: any."),
  takes: z
    .enum(["one", "stacked", "stacked-only"])
    .default("one")
    .describe(
      "stacked: beside the winner all rules that may stack, low priority first. stacked-only: the same, and nothing when the winner is none of those.",
    ),
  ...reducing,
};

const step = z.discriminatedUnion("draw", [
  z.strictObject({
    ...common,
    draw: z.literal("quotations"),
    applies: z.enum(["when-named", "by-itself"]),
  }),
  z.strictObject({
    ...common,
    ...drawing,
    draw: z.literal("rules"),
    kinds: kinds(RULE_KINDS),
    only: z
      .enum(["net", "not-net"])
      .optional()
      .describe("Only rules flagged as net prices, or only the rest; left out: any."),
    breaks: z
      .enum(["only", "none"])
      .optional()
      .describe("Only rules from a quantity on, or only those from the first unit; left out: any."),
    withBase: z.boolean().default(false).describe("Whether the base price competes here too."),
  }),
  z.strictObject({
    ...common,
    ...drawing,
    draw: z.literal("promotions"),
    kinds: kinds(RULE_KINDS.filter((kind) => kind !== "markup" && kind !== "on-request")),
  }),
  z.strictObject({ ...common, ...reducing, draw: z.literal("account-discount") }),
  z.strictObject({ ...common, draw: z.literal("base") }),
  z
    .strictObject({
      step: common.step,
      draw: z.literal("hidden"),
      customers: drawing.customers.describe("For whom: the account has such a code."),
      unless: common.unless,
    })
    .describe("Rules that the ERP has and does not show: who comes here gets no price."),
]);

export type FileStep = z.infer<typeof step>;

const decides = z.strictObject({
  date: z
    .enum(["order", "despatch", "invoice"])
    .default("order")
    .describe("Which date of a document counts for its prices."),
  quantity: z
    .enum(["line", "product", "group", "document"])
    .default("line")
    .describe("Over what the quantity is counted that a break is compared with."),
});

const arithmetic = z.strictObject({
  unitPrice: rounding(2, 6).describe("Of the price per pricing unit, once, after any discount."),
  discount: z
    .enum(DISCOUNTS)
    .default("unit")
    .describe(
      "unit: net unit price rounded, × quantity. line: full line rounded, less the discount rounded once. difference: full line and discount rounded, net = full − discount.",
    ),
  lineNet: rounding(0, 4),
  vat: z
    .strictObject({ per: z.enum(["line", "rate"]), ...amount(0, 4) })
    .transform(({ per, places, rounding }) => ({ per, scale: places, mode: rounding }))
    .describe("Of the rounded net: of each line, or of a document's lines of one rate together."),
  prices: z
    .enum(["exclusive", "inclusive"])
    .default("exclusive")
    .describe("Whether the prices of the rules are before or with VAT."),
  documentDiscount: z.enum(["largest-remainder", "proportional"]).default("largest-remainder"),
  gross: z
    .enum(["sum", "own"])
    .default("sum")
    .describe("sum: net and VAT added; own: the document's gross is rounded by itself."),
});

/** What a policy's file may hold. */
export const policySchema = z.strictObject({
  policy: z.string().regex(/^[a-z0-9-]+$/),
  about: z.string().min(1),
  decides: decides.prefault({}),
  productGroups: z
    .enum(["own", "with-parents"])
    .describe("with-parents: a rule on a group holds for products of the groups below it too."),
  vatFrom: z
    .array(z.enum(VAT_SOURCES))
    .default([...VAT_SOURCES])
    .describe(
      "Where a VAT code that overrides the product's is looked for: the account's own, the delivery site's, the country of delivery's by the settings.",
    ),
  breaks: z
    .enum(["all-units", "incremental"])
    .default("all-units")
    .describe("incremental: each unit costs what its own break says."),
  zero: z.enum(["price", "not-set"]).default("price").describe("What a fixed price of 0 means."),
  otherCurrency: z
    .enum(["leave-out", "convert"])
    .default("leave-out")
    .describe("What becomes of a price in another currency than the account's."),
  base: z
    .array(z.strictObject({ customer, product }))
    .describe("What percents and amounts are off: the first place that has a fixed price."),
  steps: z.array(step).min(1).max(30),
  arithmetic,
});
