/** The words of `mappings/<name>/pricing.examples.yaml`. Everything in it is text as written. */
import { z } from "zod";
import { records } from "../model/index.ts";
import type { Field, RecordName } from "../model/index.ts";
import { VAT_EVIDENCE } from "./engine/index.ts";

/** Records of one kind by their fields; those left out are null, or the record's own default. */
function rows(name: RecordName) {
  const fields: readonly (readonly [string, Field])[] = Object.entries(records[name].fields);
  const shape = fields.map(([field, { about, ...kind }]) => {
    const value = kind.kind === "choice" ? z.enum(kind.values) : z.string();
    return [field, value.optional().describe(about)] as const;
  });
  return z
    .array(z.strictObject(Object.fromEntries(shape)))
    .default([])
    .describe(records[name].about);
}

/** Key of the file → record that its rows are of. */
export const GIVEN = {
  customers: "customer",
  sites: "site",
  branches: "branch",
  priceLists: "price-list",
  customerPriceLists: "customer-price-list",
  productGroups: "product-group",
  products: "product",
  productUnits: "product-unit",
  formulas: "price-formula",
  rules: "price-rule",
  promotions: "promotion",
  quotations: "quotation",
  quotationLines: "quotation-line",
} as const satisfies Readonly<Record<string, RecordName>>;

const vatCode = z.strictObject({
  rates: z.array(
    z.strictObject({
      from: z.iso
        .date()
        .optional()
        .transform((date) => date ?? null),
      percent: z.string(),
    }),
  ),
  needs: z.array(z.enum(VAT_EVIDENCE)).default([]),
  instead: z
    .string()
    .optional()
    .transform((code) => code ?? null),
});

const given = z.strictObject({
  currency: z.string().default("GBP").describe("Currency of the company's ledger."),
  vat: z
    .record(z.string(), z.union([z.string(), vatCode]))
    .default({})
    .describe("VAT code to rate in percent, or to rates by day and the evidence that it needs."),
  country: z.string().default("GB").describe("Country that the company delivers from."),
  vatCountries: z
    .record(z.string(), z.string())
    .default({})
    .describe("Country of delivery to VAT code; * for all others."),
  customers: rows("customer"),
  sites: rows("site"),
  branches: rows("branch"),
  priceLists: rows("price-list"),
  customerPriceLists: rows("customer-price-list"),
  productGroups: rows("product-group"),
  products: rows("product"),
  productUnits: rows("product-unit"),
  formulas: rows("price-formula"),
  rules: rows("price-rule"),
  promotions: rows("promotion"),
  quotations: rows("quotation"),
  quotationLines: rows("quotation-line"),
});

const amount = z.string().regex(/^-?\d+(\.\d+)?$/, 'a decimal such as "12.50"');

const line = z
  .strictObject({
    product: z.string().optional(),
    text: z.string().optional().describe("A line of free text, with its price and VAT code."),
    price: amount.optional(),
    vatCode: z.string().optional(),
    quantity: amount.default("1"),
  })
  .refine(
    ({ product, text, price, vatCode }) =>
      (product === undefined) !==
        (text === undefined || price === undefined || vatCode === undefined) &&
      (product === undefined || (price === undefined && vatCode === undefined)),
    "either a product, or a text with its price and VAT code",
  );

const asked = z.strictObject({
  account: z.string(),
  on: z.iso.date().default("2026-06-01").describe("Business date."),
  site: z.string().optional(),
  branch: z.string().optional(),
  quotation: z.string().optional(),
  lines: z.array(line).min(1),
  documentDiscount: amount.optional().describe("Percent off the document's goods."),
  credit: z.enum(["true", "false"]).default("false").describe("A credit note."),
});

const gives = z.strictObject({
  lines: z
    .array(
      z.strictObject({
        unitPrice: amount.optional().describe("Net unit price."),
        net: amount.optional(),
        discount: amount.optional().describe("What the net lacks of the line's full value."),
        vat: amount.optional().describe("VAT of the line by itself."),
        vatCode: z.string().optional(),
        unknown: z.string().optional().describe("A part of the reason why there is no price."),
        because: z.string().optional().describe("A part of the reason."),
      }),
    )
    .default([])
    .describe("One a line asked for; what is left out is not compared."),
  net: amount.optional(),
  vat: amount.optional(),
  gross: amount.optional(),
});

export const policyExamplesSchema = z.strictObject({
  given: given.prefault({}).describe("What every example starts from."),
  examples: z
    .array(
      z.strictObject({
        example: z.string().min(1).describe("What it shows; the name of the test."),
        source: z.string().optional().describe("Where the figures come from."),
        switches: z
          .record(z.string(), z.string())
          .default({})
          .describe("Choices of the policy's switches."),
        given: given.prefault({}).describe("Records besides those of all examples."),
        asked,
        gives,
      }),
    )
    .min(1),
});

export type PolicyExamples = z.output<typeof policyExamplesSchema>;
export type PolicyExample = PolicyExamples["examples"][number];
export type Given = PolicyExamples["given"];
