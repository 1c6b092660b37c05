/** A field's rule, as its column's values suggest it. */
import type { Field } from "../model/index.ts";
import { ABOUT_THE_END, CHOICE_WORDS, VAT_CODES } from "./draft-choices.ts";
import { bare, type Match, type Matched } from "./draft-match.ts";
import { same, type ColumnFacts, type NumberStyle } from "./draft-values.ts";

/** Parts of a rule, in the order in which they are written. */
export interface DraftRule {
  readonly from?: string;
  readonly value?: string;
  readonly join?: readonly string[];
  readonly with?: string;
  readonly expression?: string;
  readonly values?: Readonly<Record<string, string | boolean>>;
  readonly blank?: readonly string[];
  readonly dates?: readonly string[];
  readonly round?: number;
}

export interface DraftField {
  readonly field: string;
  /** Null: what the column holds must be decided first. */
  readonly rule: DraftRule | null;
  /** What a person has to decide or to look at; empty: nothing. */
  readonly notes: readonly string[];
}

export interface RuleContext {
  readonly record: string;
  readonly style: NumberStyle;
  /** Forms of dates that the whole file is read by. */
  readonly dates: readonly string[];
}

export function ruleOf(match: Match, field: Field, context: RuleContext): DraftField {
  const { column } = match;
  const made = (rule: DraftRule | null, ...notes: readonly string[]): DraftField => ({
    field: match.field,
    rule,
    notes,
  });
  const from = { from: column.name };
  switch (field.kind) {
    case "flag":
      return flagRule(made, column);
    case "choice":
      return choiceRule(made, match, field, context);
    case "decimal":
    case "integer":
      return numberRule(made, match, field, context.style);
    case "date":
    case "instant":
      return made({ ...from, ...dateParts(column, context.dates) }, ...doubtfulDays(column));
    case "code":
      return codeRule(made, match, field);
    case "text":
      return made(from);
    default:
      return field satisfies never;
  }
}

type Made = (rule: DraftRule | null, ...notes: readonly string[]) => DraftField;

function flagRule(made: Made, { name, flags, distinct }: ColumnFacts): DraftField {
  if (distinct.every((text) => /^(?:true|false)$/i.test(text))) return made({ from: name });
  const values: Record<string, boolean> = {};
  for (const text of flags?.yes ?? []) values[text] = true;
  for (const text of flags?.no ?? []) values[text] = false;
  const other = otherHalf(flags);
  if (other !== undefined) values[other] = flags?.yes.length === 0;
  return made({ from: name, values });
}

/** The other half of a pair of which the sample has one: F, where only T was met. */
function otherHalf(flags: ColumnFacts["flags"]): string | undefined {
  const all = [...(flags?.yes ?? []), ...(flags?.no ?? [])];
  const [only] = all;
  return all.length === 1 && only !== undefined ? OTHER_HALF[only] : undefined;
}

const OTHER_HALF: Readonly<Record<string, string>> = {
  Y: "N",
  N: "Y",
  y: "n",
  n: "y",
  "1": "0",
  "0": "1",
  T: "F",
  F: "T",
  TRUE: "FALSE",
  FALSE: "TRUE",
  Yes: "No",
  No: "Yes",
  YES: "NO",
  NO: "YES",
};

function choiceRule(
  made: Made,
  match: Match,
  field: Field & { kind: "choice" },
  { record }: RuleContext,
): DraftField {
  const { column } = match;
  if (column.distinct.every((text) => field.values.includes(text)))
    return made({ from: column.name });
  const words = CHOICE_WORDS[`${record}.${match.field}`] ?? CHOICE_WORDS[match.field] ?? {};
  const [first] = field.values;
  const end = field.values.at(-1);
  const values: Record<string, string> = {};
  const ending = column.flags !== null && ABOUT_THE_END.test(bare(column.name));
  for (const text of column.distinct) {
    const word = ending
      ? (column.flags?.yes.includes(text) ?? false)
        ? end
        : first
      : wordFor(text, field.values, words);
    if (word !== undefined) values[text] = word;
  }
  const other = otherHalf(column.flags);
  if (ending && other !== undefined)
    values[other] = (column.flags?.yes.length === 0 ? end : first) ?? "";
  const open = column.distinct.filter((text) => !(text in values));
  const note = `what ${list(open)} mean${open.length === 1 ? "s" : ""}: one of ${field.values.join(", ")}`;
  if (Object.keys(values).length === 0) return made(null, `decide ${note}`);
  return made({ from: column.name, values }, ...(open.length === 0 ? [] : [`decide ${note}`]));
}

function wordFor(
  text: string,
  allowed: readonly string[],
  words: Readonly<Record<string, readonly string[]>>,
): string | undefined {
  const found = bare(text);
  return (
    allowed.find((word) => bare(word) === found) ??
    Object.entries(words).find(([, texts]) => texts.includes(found))?.[0]
  );
}

function numberRule(
  made: Made,
  match: Match,
  field: Field & { kind: "decimal" | "integer" },
  style: NumberStyle,
): DraftField {
  const { name, sign, numbers, distinct } = match.column;
  const noLimit =
    match.field === "creditLimit" && distinct.some((text) => /^0+(?:[.,]0+)?$/.test(text))
      ? ['look whether 0 means that there is no limit: then write blank: ["0", "0.00"]']
      : [];
  const otherwise =
    numbers.length > 0 && !numbers.some((each) => same(each, style))
      ? ["look: its numbers are written in another way than those of the file"]
      : [];
  const places = Math.max(
    0,
    ...distinct.map((text) => text.split(style.decimal)[1]?.replace(/0+$/, "").length ?? 0),
  );
  const round = field.kind === "decimal" && places > field.scale ? { round: field.scale } : {};
  const notes = [...noLimit, ...otherwise];
  if (sign === null) return made({ from: name, ...round }, ...notes);
  const text = /^[A-Za-z_]\w*$/.test(name) ? name : `row[${JSON.stringify(name)}]`;
  const expression = `${text}.startsWith("${sign}") ? ${text}.substring(1) : ${text}`;
  return made({ expression, ...round }, ...notes);
}

function dateParts(column: ColumnFacts, file: readonly string[]): DraftRule {
  const own = column.dates[0];
  const known = own === undefined || file.some((form) => column.dates.includes(form));
  return {
    ...(column.noDates.length === 0 ? {} : { blank: column.noDates }),
    ...(known || own === undefined ? {} : { dates: [own] }),
  };
}

/** 03/04/2026 is read as 3 April; a file in which no day is above 12 does not prove it. */
function doubtfulDays({ dates }: ColumnFacts): readonly string[] {
  return dates.includes("dd/MM/yyyy") && dates.includes("MM/dd/yyyy")
    ? ["look whether the day or the month comes first: no day of the sample is above 12"]
    : [];
}

function codeRule(made: Made, match: Match, field: Field & { kind: "code" }): DraftField {
  const { column } = match;
  const from = { from: column.name };
  if (match.field === "vatCode") return vatRule(made, column);
  if (match.field !== "currency" || field.max !== 3) return made(from);
  if (column.distinct.every((text) => /^[A-Z]{3}$/.test(text))) return made(from);
  return column.distinct.every((text) => text === "£")
    ? made({ ...from, values: { "£": "GBP" } })
    : made(
        null,
        `decide which currency ${list(column.distinct)} stands for; without a rule it is GBP`,
      );
}

function vatRule(made: Made, column: ColumnFacts): DraftField {
  const known = column.distinct.filter((text) => text in VAT_CODES);
  if (known.length === 0)
    return made(
      { from: column.name },
      `look whether the settings name a rate for ${list(column.distinct)} (vat:)`,
    );
  const open = column.distinct.filter((text) => !(text in VAT_CODES));
  const values = Object.fromEntries(known.map((text) => [text, VAT_CODES[text] ?? text]));
  const note = `decide which VAT code of the settings ${list(open)} mean`;
  return made({ from: column.name, values }, ...(open.length === 0 ? [] : [note]));
}

/** What a price rule is made of, where its file has no columns that say so. */
export function composed({ record, matches }: Matched): readonly DraftField[] {
  if (record.name !== "price-rule") return [];
  const column = (field: string) => matches.find((match) => match.field === field)?.column;
  const [customer, product, value] = ["customerCode", "productCode", "value"].map(column);
  const has = (field: string) => column(field) !== undefined;
  const fields: DraftField[] = [];
  const put = (field: string, rule: DraftRule | null, note: string) => {
    if (!has(field)) fields.push({ field, rule, notes: [note] });
  };
  const parts = [customer, product].flatMap((each) => (each === undefined ? [] : [each.name]));
  if (parts.length > 0)
    put(
      "rule",
      parts.length === 1 ? { from: parts[0] ?? "" } : { join: parts, with: "/" },
      "look whether it tells the rules apart",
    );
  put("customerScope", { value: scopeOf(customer) }, "look for whom these prices are");
  put(
    "productScope",
    { value: product === undefined ? "everything" : "product" },
    "look what they are for",
  );
  const percent = value !== undefined && /disc|percent/.test(bare(value.name));
  put("kind", { value: percent ? "percent" : "fixed" }, "look whether it is a price or a discount");
  return fields;
}

function scopeOf(column: ColumnFacts | undefined): string {
  if (column === undefined) return "everyone";
  const name = bare(column.name);
  if (/band|list|pricingref/.test(name)) return "price-list";
  return name.includes("group") ? "customer-group" : "account";
}

function list(texts: readonly string[]): string {
  const shown = texts.slice(0, 8).map((text) => JSON.stringify(text));
  return `${shown.join(", ")}${texts.length > 8 ? ` and ${texts.length - 8} more` : ""}`;
}
