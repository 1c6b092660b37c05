/** VAT codes of a company: rates that change on a day, evidence that codes need, countries. */
import { z } from "zod";

const percent = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'a decimal such as "20" or "12.50", not negative');
const evidence = z.enum(["vat-number", "certificate", "abroad"]);

const code = z
  .strictObject({
    percent: percent.optional().describe("Its rate, if that never changes."),
    rates: z
      .array(
        z.strictObject({
          from: z.iso.date().optional().describe("First day; absent: it always was."),
          percent,
        }),
      )
      .min(1)
      .optional()
      .describe("Its rates, oldest first."),
    needs: z
      .array(evidence)
      .default([])
      .describe(
        "What must be held to charge it: the account's VAT number, its certificate or other evidence, delivery to another country.",
      ),
    instead: z
      .string()
      .optional()
      .describe("Code charged when a product itself has this one and the evidence lacks."),
  })
  .refine(
    ({ percent: one, rates }) => (one === undefined) !== (rates === undefined),
    "either a percent or rates",
  )
  .refine(({ rates = [] }) => isInOrder(rates), "rates with later and later first days")
  .refine(
    ({ needs, instead }) => needs.length === 0 || instead !== undefined,
    "instead: the code that is charged when the evidence lacks",
  );

function isInOrder(rates: readonly { readonly from?: string | undefined }[]): boolean {
  return rates.every(({ from }, at) => at === 0 || (from ?? "") > (rates[at - 1]?.from ?? ""));
}

export const vatCodes = z
  .record(z.string(), z.union([percent, code]))
  .default({ STANDARD: "20", REDUCED: "5", ZERO: "0" })
  .describe("VAT code to its rate in percent, or to rates by day and the evidence that it needs.");

export const vatCountries = z
  .record(z.string().regex(/^(\*|[A-Z]{2})$/, "an ISO country such as IE, or *"), z.string())
  .default({})
  .describe("Country of delivery other than the company's own to VAT code; * for all others.");

type Stated = z.infer<typeof vatCodes>;

/** Every code with all that holds for it. */
export function vatRulesOf(stated: Stated, country: string, countries: Record<string, string>) {
  const codes = Object.fromEntries(
    Object.entries(stated).map(([name, each]) => [
      name,
      typeof each === "string" ? each : ruleOf(each),
    ]),
  );
  return { codes, country, countries };
}

function ruleOf({ percent: one, rates, needs, instead }: z.infer<typeof code>) {
  const dated: NonNullable<typeof rates> = rates ?? [{ percent: one ?? "0" }];
  return {
    rates: dated.map((rate) => ({ from: rate.from ?? null, percent: rate.percent })),
    needs,
    instead: instead ?? null,
  };
}

/** Code → its newest rate. */
export function newestRates(stated: Stated): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stated).map(([name, each]) => [
      name,
      typeof each === "string" ? each : (each.percent ?? each.rates?.at(-1)?.percent ?? "0"),
    ]),
  );
}

/** Codes that are named and not stated: where, and which. */
export function unstatedCodes(
  stated: Readonly<Record<string, unknown>>,
  rules: ReturnType<typeof vatRulesOf>,
): { readonly path: readonly string[]; readonly found: string }[] {
  const known = Object.keys(stated);
  const ofCodes = Object.entries(rules.codes).flatMap(([name, each]) =>
    typeof each === "string" || each.instead === null || known.includes(each.instead)
      ? []
      : [{ path: ["vat", name, "instead"], found: each.instead }],
  );
  const ofCountries = Object.entries(rules.countries)
    .filter(([, name]) => !known.includes(name))
    .map(([country, found]) => ({ path: ["vatCountries", country], found }));
  return [...ofCodes, ...ofCountries];
}
