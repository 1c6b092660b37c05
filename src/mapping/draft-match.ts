/** Which column holds which field: by what the trade calls it, and by what stands in it. */
import { distance } from "fastest-levenshtein";
import type { Field, RecordDefinition } from "../model/index.ts";
import type { ColumnFacts } from "./draft-values.ts";
import { COMMON_NAMES, FILE_NAMES, OWN_NAMES } from "./draft-words.ts";

export interface Match {
  readonly field: string;
  readonly column: ColumnFacts;
  /** 0 to 1. */
  readonly score: number;
  readonly why: string;
}

/** Less is no match at all. */
const LEAST = 0.55;

export interface Matched {
  readonly record: RecordDefinition;
  readonly matches: readonly Match[];
  /** The file is called as such rows are. */
  readonly called: boolean;
  readonly score: number;
}

/** How well a file fits a record; the higher score is the better record. */
export function matchRecord(
  record: RecordDefinition,
  columns: readonly ColumnFacts[],
  fileName: string,
): Matched {
  const matches = assign(record, columns);
  const found = new Set(matches.map(({ field }) => field));
  const needed = neededFields(record);
  const missing = needed.filter((name) => !found.has(name));
  const called = isCalled(record.name, fileName);
  const weight = ({ field, score }: Match) => score * (needed.includes(field) ? 2 : 1);
  const score =
    matches.reduce((sum, match) => sum + weight(match), 0) -
    missing.length * 1.5 +
    (called ? 4 : 0);
  return { record, matches, called, score };
}

/** Fields that are never blank and have no default. */
export function neededFields({ fields }: RecordDefinition): readonly string[] {
  return Object.keys(fields).filter(
    (name) => fields[name]?.optional !== true && fields[name]?.otherwise === undefined,
  );
}

function isCalled(record: string, fileName: string): boolean {
  const name = bare(fileName.replace(/\.[a-z0-9]+$/i, ""));
  const words = [record, `${record}s`, ...(FILE_NAMES[record] ?? [])].map(bare);
  return words.some((word) => name === word || name.replace(/[\dz_]*$/, "") === word);
}

/** The best pairs first; a column and a field are each taken once. */
function assign(record: RecordDefinition, columns: readonly ColumnFacts[]): readonly Match[] {
  const all = Object.entries(record.fields)
    .flatMap(([name, field]) => columns.map((column) => matchOf(record.name, name, field, column)))
    .filter((match) => match.score >= LEAST)
    .sort((a, b) => b.score - a.score);
  const taken: Match[] = [];
  for (const match of all)
    if (!taken.some(({ field, column }) => field === match.field || column === match.column))
      taken.push(match);
  const order = Object.keys(record.fields);
  return taken.sort((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
}

/** Of the United Kingdom, or digits as elsewhere. */
const POSTCODE = /^(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4,6})$/i;

function matchOf(record: string, name: string, field: Field, column: ColumnFacts): Match {
  const { score, why } = byName(record, name, column.name);
  const wrong = name === "postcode" && !column.distinct.some((text) => POSTCODE.test(text));
  const fits = score === 0 || (wrong && column.distinct.length > 0) ? 0 : fitOf(field, column);
  return { field: name, column, score: score * fits, why };
}

function byName(record: string, field: string, column: string): { score: number; why: string } {
  const found = bare(column);
  const own = [field, ...(OWN_NAMES[record]?.[field] ?? [])];
  const common = COMMON_NAMES[field] ?? [];
  if (own.some((word) => bare(word) === found))
    return { score: 1, why: bare(field) === found ? "same name" : "its name in exports" };
  if (common.some((word) => bare(word) === found))
    return { score: 0.92, why: "its name in exports" };
  const all = [...own, ...common];
  const parts = wordsOf(column);
  const within = all.find((word) => {
    const wanted = wordsOf(word);
    return wanted.length > 1 && wanted.every((each) => parts.includes(each));
  });
  if (within !== undefined) return { score: 0.75, why: `holds the words "${within}"` };
  const near = all.find((word) => isNear(found, bare(word)));
  if (near !== undefined) return { score: 0.65, why: `looks like "${near}"` };
  return { score: 0, why: "" };
}

/** A slip of the pen in a long word; another number is another column. */
function isNear(found: string, word: string): boolean {
  if (found.replaceAll(/\D/g, "") !== word.replaceAll(/\D/g, "")) return false;
  return word.length >= 5 && distance(found, word) <= Math.floor(word.length / 6);
}

/** 0: what stands in the column can never be the field; a column of blanks proves nothing. */
function fitOf(field: Field, column: ColumnFacts): number {
  if (column.distinct.length === 0) return 0.9;
  switch (field.kind) {
    case "text":
    case "code":
      return column.longest <= field.max ? 1 : 0;
    case "choice":
      return column.distinct.length <= 20 ? 1 : 0;
    case "flag":
      return column.flags === null ? 0 : 1;
    case "integer":
      return column.numbers.length > 0 && !column.distinct.some((text) => /[.,]\d*[1-9]/.test(text))
        ? 1
        : 0;
    case "decimal":
      return column.numbers.length > 0 ? 1 : 0;
    case "date":
    case "instant":
      return column.dates.length > 0 ||
        column.distinct.every((text) => column.noDates.includes(text))
        ? 1
        : 0;
    default:
      return field satisfies never;
  }
}

export function bare(text: string): string {
  return text
    .toLowerCase()
    .replaceAll("%", "percent")
    .replaceAll(/[^a-z0-9]/g, "");
}

/** `ACCOUNT_REF`, `accountRef` and `Account Ref.` are the same two words. */
function wordsOf(text: string): string[] {
  return text
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replaceAll("%", " percent ")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}
