/** What the values of a column look like: how dates, numbers and flags are written in it. */
import { dateForm } from "./dates.ts";
import { plainNumber, shortest } from "./decimals.ts";
import { textOf } from "./text.ts";

/** How numbers are written. */
export interface NumberStyle {
  readonly decimal: "." | ",";
  readonly thousands?: "," | ".";
}

export interface ColumnFacts {
  readonly name: string;
  /** Texts that are not blank, each once, most frequent first; at most 50 are kept. */
  readonly distinct: readonly string[];
  readonly longest: number;
  /** Forms that read every date of the column; empty: it holds none, or no form does. */
  readonly dates: readonly string[];
  /** Texts such as 00/00/0000 that stand where a date would. */
  readonly noDates: readonly string[];
  /** Ways in which all of its numbers can be read; empty: it is no column of numbers. */
  readonly numbers: readonly NumberStyle[];
  /** A currency sign stands with the numbers. */
  readonly sign: string | null;
  /** Yes and no in some pair of words. */
  readonly flags: { readonly yes: readonly string[]; readonly no: readonly string[] } | null;
}

const FORMS = [
  "yyyy-MM-dd",
  "dd/MM/yyyy",
  "d/M/yyyy",
  "dd-MM-yyyy",
  "dd.MM.yyyy",
  "dd/MM/yy",
  "dd MMM yyyy",
  "dd-MMM-yyyy",
  "dd-MMM-yy",
  "yyyyMMdd",
  "yyyy/MM/dd",
  "yyyy-MM-ddTHH:mm:ss",
  "yyyy-MM-dd HH:mm:ss",
  "dd/MM/yyyy HH:mm",
  "dd/MM/yyyy HH:mm:ss",
  "MM/dd/yyyy",
] as const;

const NO_DATE =
  /^(?:0{1,4}([/.-])0{1,2}\1(?:0{2}|0{4})|\s*[/.-]\s*[/.-]\s*|30\/12\/1899|1899-12-30.*|01\/01\/1900)$/;
const STYLES: readonly NumberStyle[] = [
  { decimal: "." },
  { decimal: ".", thousands: "," },
  { decimal: "," },
  { decimal: ",", thousands: "." },
];
const YES = new Set(["y", "yes", "true", "t", "1", "-1", "on", "x"]);
const NO = new Set(["n", "no", "false", "f", "0", "off"]);

/** Of every column, in the file's order. */
export function factsOf(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): readonly ColumnFacts[] {
  return columns.map((name) =>
    columnFacts(
      name,
      rows.map((row) => textOf(row[name]) ?? ""),
    ),
  );
}

function columnFacts(name: string, all: readonly string[]): ColumnFacts {
  const counts = new Map<string, number>();
  for (const text of all) if (text !== "") counts.set(text, (counts.get(text) ?? 0) + 1);
  const texts = [...counts.keys()].sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const noDates = texts.filter((text) => NO_DATE.test(text));
  const dated = texts.filter((text) => !NO_DATE.test(text));
  const sign =
    dated.find((text) => /^-?\s?[£€$]/.test(text))?.replace(/^-?\s?([£€$]).*$/, "$1") ?? null;
  return {
    name,
    distinct: texts.slice(0, 50),
    longest: Math.max(0, ...texts.map((text) => text.length)),
    dates: formsOf(dated),
    noDates,
    numbers: stylesOf(sign === null ? texts : texts.map((text) => text.replaceAll(sign, ""))),
    sign,
    flags: flagsOf(texts),
  };
}

function formsOf(texts: readonly string[]): readonly string[] {
  if (texts.length === 0) return [];
  return FORMS.filter((form) => {
    const made = dateForm(form);
    // Eight digits are a date only where they are one of our days.
    return (
      "read" in made &&
      texts.every((text) => {
        const read = made.read(text);
        return read !== undefined && (form !== "yyyyMMdd" || /^(?:19|20)/.test(read));
      })
    );
  });
}

function stylesOf(texts: readonly string[]): readonly NumberStyle[] {
  if (texts.length === 0) return [];
  return STYLES.filter((style) =>
    texts.every((text) => {
      const plain = plainNumber(text, { dates: [], ...style });
      return plain !== undefined && shortest(plain) !== undefined;
    }),
  );
}

function flagsOf(texts: readonly string[]): ColumnFacts["flags"] {
  if (texts.length === 0 || texts.length > 4) return null;
  const yes = texts.filter((text) => YES.has(text.toLowerCase()));
  const no = texts.filter((text) => NO.has(text.toLowerCase()));
  return yes.length + no.length === texts.length ? { yes, no } : null;
}

/**
 * The one way in which the file writes numbers: the first in which most columns can be read, with
 * as little said of it as will do.
 */
export function styleOf(columns: readonly ColumnFacts[]): NumberStyle {
  const votes = STYLES.map(
    (style) => columns.filter(({ numbers }) => numbers.some((each) => same(each, style))).length,
  );
  return STYLES[votes.indexOf(Math.max(...votes))] ?? { decimal: "." };
}

export function same(a: NumberStyle, b: NumberStyle): boolean {
  return a.decimal === b.decimal && a.thousands === b.thousands;
}
