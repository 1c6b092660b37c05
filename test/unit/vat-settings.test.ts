/** VAT codes of the settings: what is said of wrong ones, and what is made of right ones. */
import { expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";

const settings = (...lines: readonly string[]) => ({
  file: "tradepost.yaml",
  text: `companies:
  HARROW:
    name: Harrow & Stone
    connections: { erp: { connector: csv, mappings: tradepost-csv, settings: { folder: erp } } }
${lines.map((line) => `    ${line}\n`).join("")}`,
});

function said(...lines: readonly string[]): string {
  try {
    readSettings(settings(...lines));
    return "Nothing is wrong.";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

test("a rate as text is a code without conditions, as before", () => {
  const { HARROW } = readSettings(settings('vat: { STANDARD: "20" }')).companies;
  expect(HARROW?.vat).toEqual({ STANDARD: "20" });
  expect(HARROW?.vatRules).toEqual({ codes: { STANDARD: "20" }, country: "GB", countries: {} });
});

test("a code can have rates by day, evidence, and a code instead; a country can have a code", () => {
  const { HARROW } = readSettings(
    settings(
      "vat:",
      '  STANDARD: { rates: [{ percent: "17.5" }, { from: 2011-01-04, percent: "20" }] }',
      '  EXPORT: { percent: "0", needs: [abroad, certificate], instead: STANDARD }',
      'vatCountries: { IE: EXPORT, "*": EXPORT }',
    ),
  ).companies;
  expect(HARROW?.vat).toEqual({ STANDARD: "20", EXPORT: "0" });
  expect(HARROW?.vatRules).toEqual({
    codes: {
      STANDARD: {
        rates: [
          { from: null, percent: "17.5" },
          { from: "2011-01-04", percent: "20" },
        ],
        needs: [],
        instead: null,
      },
      EXPORT: {
        rates: [{ from: null, percent: "0" }],
        needs: ["abroad", "certificate"],
        instead: "STANDARD",
      },
    },
    country: "GB",
    countries: { IE: "EXPORT", "*": "EXPORT" },
  });
});

test("a code that needs evidence must say what is charged instead", () => {
  expect(said('vat: { EXPORT: { percent: "0", needs: [abroad] } }')).toContain(
    "instead: the code that is charged when the evidence lacks",
  );
});

test("codes that are named must be stated", () => {
  const text = said('vat: { STANDARD: "20" }', "vatCountries: { IE: STANDART }");
  expect(text).toContain('companies.HARROW.vatCountries.IE: found the VAT code "STANDART"');
  expect(text).toContain('nearest match "STANDARD"');
});

test("rates are stated oldest first, and a code has a percent or rates", () => {
  expect(
    said('vat: { S: { rates: [{ from: 2011-01-04, percent: "20" }, { percent: "17.5" }] } }'),
  ).toContain("rates with later and later first days");
  expect(said("vat: { S: { needs: [] } }")).toContain("either a percent or rates");
});
