/**
 * What can be asked about prices. Ten thousand lines are checked by hand in a loop, and by zod only
 * when something is wrong and must be said: zod alone would take longer than pricing them.
 */
import { z } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";

const MOST_PRODUCT = 60;
const MOST_UNIT = 40;
const MOST_UNITS = 9_999_999_999;
const QUANTITY = /^\d{1,10}(?:\.\d{1,5})?$/;
const QUANTITY_WORDS = `more than 0 with at most 5 places, as text ("2.5") or a whole number`;

export const codeOf = (about: string): z.ZodString => z.string().min(1).max(40).describe(about);
const product = z.string().min(1).max(MOST_PRODUCT).describe("Product code.");
const quantity = z
  .union([
    z.string().refine(isQuantity, QUANTITY_WORDS),
    z.number().refine(isQuantity, QUANTITY_WORDS),
  ])
  .describe(`Selling units: ${QUANTITY_WORDS}.`);

export const quantityOfQuery = z
  .string()
  .refine(isQuantity, QUANTITY_WORDS)
  .describe(`Selling units: ${QUANTITY_WORDS}.`);

export const asOfText = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })])
  .describe("Business date (2026-03-31) or moment (2026-03-31T08:00:00Z) of the price; null: now.");

export const knownAtText = z.iso
  .datetime({ offset: true })
  .describe("What would have been said at that moment, by what was known then; null: now.");

export const currencyText = z
  .string()
  .regex(/^[A-Z]{3}$/, "three capital letters such as GBP")
  .describe("ISO currency of the prices; null: the account's.");

const MOST_CONDITIONS = 20;

/** Conditions in a query: `delivery=collect,channel=web`. */
export const whenText = z
  .string()
  .max(1_000)
  .regex(/^[^=,]+=[^=,]+(?:,[^=,]+=[^=,]+)*$/, "attribute=value, with commas between several")
  .transform((text) =>
    Object.fromEntries(text.split(",").map((pair) => pair.split("=", 2) as [string, string])),
  )
  .describe("What is so besides: delivery=collect,channel=web.");

export const where = {
  account: codeOf("Account of the customer."),
  site: codeOf("Delivery site of the account; null: none.").nullable().default(null),
  branch: codeOf("Branch that fulfils; null: the account's branch.").nullable().default(null),
  quotation: codeOf("Quotation that the buyer orders by; null: none.").nullable().default(null),
  asOf: asOfText.nullable().default(null),
  currency: currencyText.nullable().default(null),
  conditions: z
    .record(z.string().min(1).max(40), z.string().min(1).max(60))
    .refine((all) => Object.keys(all).length <= MOST_CONDITIONS, `at most ${MOST_CONDITIONS}`)
    .default({})
    .describe('What is so besides, as rules may ask: { "delivery": "collect", "channel": "web" }.'),
};

export const unit = z
  .string()
  .min(1)
  .max(MOST_UNIT)
  .describe("Unit that the quantity counts: the selling unit when not given.");

export const line = z.strictObject({ product, quantity, unit: unit.optional() });

export const priceRows = z
  .strictObject({
    ...where,
    knownAt: knownAtText.nullable().default(null),
    explain: z.boolean().default(false).describe("True: with the steps that led to each price."),
    tokens: z.boolean().default(false).describe("True: with each price signed, for the order."),
    lines: z.array(line).min(1).max(LIMITS.priceLines),
  })
  .openapi("PriceRows");

/** Said, so that nobody takes an answer of now for one of then. */
const notKnownAt = z
  .string()
  .nullable()
  .refine((given) => given === null, "null: what was known at a moment is answered for `lines`")
  .default(null)
  .describe("Null: what was known at a moment is answered for `lines` only.");

export const priceColumns = z
  .strictObject({
    ...where,
    knownAt: notKnownAt,
    product: z.array(product).min(1).max(LIMITS.priceLines),
    quantity: z
      .array(quantity)
      .min(1)
      .max(LIMITS.priceLines)
      .describe("One for each product, in the same order."),
    unit: z
      .array(unit.nullable())
      .max(LIMITS.priceLines)
      .nullable()
      .default(null)
      .describe("Likewise; null: all in their selling units."),
  })
  .superRefine((columns, context) => {
    if (columns.unit !== null && columns.product.length !== columns.unit.length)
      context.addIssue({
        code: "custom",
        path: ["unit"],
        input: columns.unit,
        message: `as many units as products: ${columns.product.length}`,
      });
    if (columns.product.length !== columns.quantity.length)
      context.addIssue({
        code: "custom",
        path: ["quantity"],
        input: columns.quantity,
        message: `as many quantities as products: ${columns.product.length}`,
      });
  })
  .openapi("PriceColumns");

export type PriceRows = z.output<typeof priceRows>;
export type PriceColumns = z.output<typeof priceColumns>;

export const priceRequest = z.union([priceRows, priceColumns]);

/** Columns when it names products beside each other; everything else is meant as rows. */
export function meantSchema(value: unknown): typeof priceRows | typeof priceColumns {
  return isObject(value) && "product" in value ? priceColumns : priceRows;
}

const quickRows = z.strictObject({
  ...where,
  knownAt: knownAtText.nullable().default(null),
  explain: z.boolean().default(false),
  tokens: z.boolean().default(false),
  lines: z.custom<PriceRows["lines"]>(areLines),
});
const quickColumns = z
  .strictObject({
    ...where,
    knownAt: notKnownAt,
    product: z.custom<string[]>(areProducts),
    quantity: z.custom<(string | number)[]>(areQuantities),
    unit: z.custom<(string | null)[]>(areUnits).nullable().default(null),
  })
  .refine(
    ({ product: products, quantity: quantities, unit: units }) =>
      products.length === quantities.length &&
      (units?.length ?? products.length) === products.length,
  );

/** Accepts and gives exactly what `priceRequest` does, and says nothing when it refuses. */
export function quickPriceRequest(value: unknown): PriceRows | PriceColumns | null {
  const usual = usualRows(value);
  if (usual !== null) return usual;
  const quick = meantSchema(value) === priceColumns ? quickColumns : quickRows;
  const result = quick.safeParse(value);
  return result.success ? result.data : null;
}

const MOST_ACCOUNT = 40;

/** What is asked most: lines of an account and nothing else. */
function usualRows(value: unknown): PriceRows | null {
  if (!isObject(value)) return null;
  for (const key in value) if (key !== "account" && key !== "lines") return null;
  const { account, lines } = value;
  if (typeof account !== "string" || account.length === 0 || account.length > MOST_ACCOUNT)
    return null;
  return areLines(lines) ? { ...UNASKED, account, lines: lines as PriceRows["lines"] } : null;
}

const UNASKED = {
  site: null,
  branch: null,
  quotation: null,
  asOf: null,
  currency: null,
  conditions: {},
  knownAt: null,
  explain: false,
  tokens: false,
} as const;

function areLines(value: unknown): boolean {
  if (!isList(value)) return false;
  for (const each of value) {
    if (!isObject(each) || !isProduct(each["product"]) || !isQuantity(each["quantity"]))
      return false;
    for (const key in each)
      if (key === "unit" ? !isUnit(each[key]) : key !== "product" && key !== "quantity")
        return false;
  }
  return true;
}

function areUnits(value: unknown): boolean {
  return isList(value) && value.every((each) => each === null || isUnit(each));
}

function isUnit(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= MOST_UNIT;
}

function areProducts(value: unknown): boolean {
  if (!isList(value)) return false;
  for (const each of value) if (!isProduct(each)) return false;
  return true;
}

function areQuantities(value: unknown): boolean {
  if (!isList(value)) return false;
  for (const each of value) if (!isQuantity(each)) return false;
  return true;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0 && value.length <= LIMITS.priceLines;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isProduct(value: unknown): boolean {
  return typeof value === "string" && value.length > 0 && value.length <= MOST_PRODUCT;
}

function isQuantity(value: unknown): boolean {
  if (typeof value === "number") return Number.isInteger(value) && value > 0 && value <= MOST_UNITS;
  return typeof value === "string" && QUANTITY.test(value) && /[1-9]/.test(value);
}
