/**
 * Text of the source → the value of a field, by the field's kind. Closures are made once per
 * mapping.
 */
import { nearest } from "../definition/index.ts";
import { yearsOf } from "../model/index.ts";
import type { Field, RecordValue } from "../model/index.ts";
import { dateReader, dayText, instantReader, looksLike } from "./dates.ts";
import type { DateForm } from "./dates.ts";
import { changed, decimalReader, digitsOf, plainNumber, shortest } from "./decimals.ts";
import type { DecimalRule } from "./decimals.ts";
import type { Locale } from "./schema.ts";
import { sentence } from "./text.ts";

/** What was expected, and what the mapping's author can do when the source is right as it is. */
export interface Expectation {
  readonly expected: string;
  readonly remedy?: ((field: string) => string) | undefined;
}

export interface Converter {
  /** From trimmed text that is not blank; undefined when it is no value of the field. */
  readonly convert: (text: string) => RecordValue | undefined;
  /** Why `convert` gave undefined. */
  readonly expect: (text: string) => Expectation;
}

export interface ConverterOptions extends DecimalRule {
  readonly locale: Locale;
  readonly forms: readonly DateForm[];
}

export const PLAIN_LOCALE: Locale = { dates: ["yyyy-MM-dd"], decimal: "." };

export function converterOf(field: Field, options: ConverterOptions): Converter {
  switch (field.kind) {
    case "text":
    case "code":
      return texts(field.max);
    case "choice":
      return choices(field.values);
    case "flag":
      return flags;
    case "integer":
      return integers(options.locale);
    case "decimal":
      return decimals(field, options);
    case "date":
      return ofYears(yearsOf(field), dates(options.forms));
    case "instant":
      return ofYears(yearsOf(field), instants(options.forms, options.locale));
    default:
      return field satisfies never;
  }
}

function texts(max: number): Converter {
  return {
    convert: (text) => (text.length <= max && isStorable(text) ? text : undefined),
    expect: (text) =>
      text.length > max
        ? { expected: `at most ${max} characters, and it has ${text.length}` }
        : { expected: "text without NUL characters and broken surrogates" },
  };
}

/** PostgreSQL keeps no NUL, and half a surrogate pair would silently change on the way. */
export function isStorable(text: string): boolean {
  return !text.includes("\0") && text.isWellFormed();
}

function choices(values: readonly string[]): Converter {
  const known = new Set(values);
  return {
    convert: (text) => (known.has(text) ? text : undefined),
    expect: (text) => {
      return {
        expected: `one of ${values.join(", ")}${nearestHint(text, values)}`,
        remedy: valueTable,
      };
    },
  };
}

const valueTable = (field: string) => `give ${field} a value table (values:)`;

export function nearestHint(text: string, words: readonly string[]): string {
  const near = nearest(text, words);
  return near === undefined ? "" : ` (nearest match "${near}")`;
}

const flags: Converter = {
  convert: (text) => {
    if (text === "true") return true;
    if (text === "false") return false;
    const lower = text.toLowerCase();
    return lower === "true" ? true : lower === "false" ? false : undefined;
  },
  expect: () => ({ expected: "true or false", remedy: valueTable }),
};

const MOST = 2_147_483_647;

function integers(locale: Locale): Converter {
  const convert = (text: string) => {
    const plain = shortest(plainNumber(text, locale) ?? "");
    // "12.00" is shortest as "12"; a point that is left means a fraction.
    if (plain === undefined || plain.length > 11 || plain.includes(".")) return undefined;
    const value = Number(plain);
    return value >= -MOST && value <= MOST ? value : undefined;
  };
  return { convert, expect: () => ({ expected: "a whole number within ±2,147,483,647" }) };
}

function decimals(field: Field & { kind: "decimal" }, options: ConverterOptions): Converter {
  const { locale } = options;
  const sample = `1${locale.thousands ?? ""}234${locale.decimal}50`;
  return {
    convert: decimalReader(field, locale, options),
    expect: (text) => {
      const plain = shortest(plainNumber(text, locale) ?? "");
      if (plain === undefined)
        return {
          expected: `a number such as ${sample}`,
          remedy: () => "state how numbers are written (locale:)",
        };
      const { places } = digitsOf(changed(plain, options));
      if (places > field.scale)
        return {
          expected: `at most ${field.scale} decimal places, and it has ${places}`,
          remedy: (name) => `let ${name} be rounded (round: ${field.scale})`,
        };
      return { expected: `at most ${field.precision - field.scale} digits before the point` };
    },
  };
}

/** The form is right and the day exists, but no business has one of the year 0026 or 2206. */
function ofYears(
  { first, last }: { readonly first: number; readonly last: number },
  { convert, expect }: DateConverter,
): Converter {
  // ISO text is in order of time; years beyond 9999 begin with a sign, which is before any digit.
  const [from, until] = [String(first), String(last + 1)];
  return {
    convert: (text) => {
      const found = convert(text);
      return found !== undefined && found >= from && found < until ? found : undefined;
    },
    expect: (text) =>
      convert(text) === undefined
        ? expect(text)
        : {
            expected: `a year from ${first} to ${last}`,
            remedy: (name) => `let it count as blank for ${name} (blank:)`,
          },
  };
}

interface DateConverter extends Converter {
  readonly convert: (text: string) => string | undefined;
}

function dates(forms: readonly DateForm[]): DateConverter {
  const named = sentence(
    forms.map(({ form }) => form),
    "or",
  );
  const [usual] = forms;
  const sample = usual === undefined ? "" : `, such as ${dayText(usual.form)}`;
  return {
    convert: dateReader(forms),
    expect: (text) =>
      looksLike(text, forms)
        ? { expected: `a day that exists, as ${named}` }
        : {
            expected: `a day as ${named}${sample}`,
            remedy: (name) => `state the form of ${name} (dates:)`,
          },
  };
}

function instants(forms: readonly DateForm[], locale: Locale): DateConverter {
  return {
    convert: instantReader(forms, locale.timeZone),
    expect: () => ({
      expected:
        locale.timeZone === undefined
          ? "a moment with its offset, such as 2026-03-31T08:15:00Z"
          : `a moment such as 2026-03-31T08:15:00, in ${locale.timeZone}`,
      remedy: (name) =>
        locale.timeZone === undefined
          ? "state the time zone of moments (locale: timeZone)"
          : `state the form of ${name} with HH:mm (dates:)`,
    }),
  };
}
