/**
 * A first mapping from a customer's own file: what is likely by the names of its columns and by
 * what stands in them. It proposes and never decides: what it cannot tell is left out, with a
 * comment on what to decide, so that `tradepost check` asks for it.
 */
import { DefinitionError } from "../definition/index.ts";
import { records } from "../model/index.ts";
import type { AnyRecord, RecordDefinition } from "../model/index.ts";
import { compileMapping } from "./compile.ts";
import type { Mapping } from "./compile.ts";
import { matchRecord, neededFields, type Match, type Matched } from "./draft-match.ts";
import { composed, ruleOf, type DraftField } from "./draft-rules.ts";
import { factsOf, styleOf, type ColumnFacts } from "./draft-values.ts";
import {
  inCapitals,
  writeExamples,
  writeMapping,
  type DraftExample,
  type Written,
} from "./draft-write.ts";

export interface DraftSource {
  /** The file's name, without folders. */
  readonly file: string;
  readonly columns: readonly string[];
  /** The first rows; a few hundred tell enough. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Absent: the one that fits best. */
  readonly record?: string;
  /** The stream that the mapping reads; absent: the record's own. */
  readonly reads?: string;
  /** Where the JSON Schemas are, seen from the drafted file. */
  readonly schemas: string;
}

export interface Draft {
  readonly record: string;
  /** Other records that the file might be, best first. */
  readonly others: readonly string[];
  readonly mapping: string;
  /** Null: the mapping cannot be tried before what it lacks is decided. */
  readonly examples: string | null;
  readonly columns: readonly DraftedColumn[];
  readonly missing: readonly { readonly field: string; readonly about: string }[];
  /** What to decide or to look at, in words; `field`: what it is about. */
  readonly notes: readonly { readonly field: string; readonly note: string }[];
  /** How the rows looked at fare; null: the mapping cannot be tried yet. */
  readonly tried: {
    readonly good: number;
    readonly refused: number;
    readonly why: string | null;
  } | null;
}

export interface DraftedColumn {
  readonly column: string;
  /** Null: no field was found for it. */
  readonly field: string | null;
  readonly confidence: "sure" | "likely" | "guess" | null;
  readonly why: string;
  readonly sample: string;
}

/** From here on a match is likely, below it a guess. */
const LIKELY = 0.7;

/** Null: too little of the file fits any record to propose one. */
export function draftMapping(source: DraftSource): Draft | null {
  const facts = factsOf(source.columns, source.rows);
  const ranked = rank(source, facts);
  const [matched] = ranked;
  if (matched === undefined) return null;
  const style = styleOf(
    matched.matches.filter(isNumber(matched.record)).map(({ column }) => column),
  );
  const dates = datesOf(matched);
  const context = { record: matched.record.name, style, dates };
  const fields = [
    ...composed(matched),
    ...matched.matches.flatMap((match) => {
      const field = matched.record.fields[match.field];
      return field === undefined ? [] : [ruleOf(match, field, context)];
    }),
  ];
  const missing = missingOf(matched, fields);
  const free = facts.filter((column) => !matched.matches.some((match) => match.column === column));
  const deleted = free
    .filter(({ name, flags }) => flags !== null && /deleted/i.test(name))
    .slice(0, 1);
  const written: Written = {
    record: matched.record,
    reads: source.reads ?? streamOf(matched.record.name),
    file: source.file,
    style,
    dates,
    fields: inOrder(fields, matched.record),
    missing,
    unmatched: free.filter((column) => !deleted.includes(column)),
    worth: worthOf(matched),
    deleted: deleted.map(({ name }) => name),
    schemas: source.schemas,
  };
  const mapping = writeMapping(written);
  return {
    record: matched.record.name,
    others: ranked
      .slice(1, 3)
      .filter(({ score }) => score > 0)
      .map(({ record }) => record.name),
    mapping,
    columns: facts.map((column) => drafted(column, matched.matches)),
    missing: missing.map((field) => ({ field, about: matched.record.fields[field]?.about ?? "" })),
    notes: [
      ...fields.flatMap(({ field, notes }) =>
        notes.map((note) => ({ field, note: inCapitals(note) })),
      ),
      ...pricesIn(matched.record.name, free),
    ],
    ...triedOut(mapping, matched.record, source),
  };
}

/** Prices of a product are price rules, which a second mapping makes of the same rows. */
function pricesIn(record: string, free: readonly ColumnFacts[]): Draft["notes"] {
  if (record !== "product") return [];
  return free
    .filter(({ name, numbers }) => numbers.length > 0 && /price/i.test(name))
    .map(({ name }) => ({
      field: name,
      note: "LOOK: it holds prices, which are price rules: draft one more with --record price-rule",
    }));
}

function rank(source: DraftSource, facts: readonly ColumnFacts[]): readonly Matched[] {
  const all = Object.values(records) as readonly RecordDefinition[];
  return all
    .filter(({ name }) => source.record === undefined || name === source.record)
    .map((record) => matchRecord(record, facts, source.file))
    .filter((matched) => source.record !== undefined || fits(matched, facts))
    .sort((a, b) => b.score - a.score);
}

/** One column that is called like a field of some record is chance; two signs are a beginning. */
function fits({ matches, called }: Matched, facts: readonly ColumnFacts[]): boolean {
  const signs = matches.length + (called ? 1 : 0);
  return matches.some(({ score }) => score >= LIKELY) && signs >= Math.min(2, facts.length);
}

/** The record's plural, as the Tradepost CSV layout names its streams. */
function streamOf(record: string): string {
  if (record === "stock") return record;
  if (/[^aeiou]y$/.test(record)) return `${record.slice(0, -1)}ies`;
  return `${record}${/(?:ch|s|x)$/.test(record) ? "es" : "s"}`;
}

const isNumber =
  (record: RecordDefinition) =>
  ({ field }: Match): boolean => {
    const kind = record.fields[field]?.kind;
    return kind === "decimal" || kind === "integer";
  };

/** Forms by which the file's columns of dates are read, the commonest first. */
function datesOf({ record, matches }: Matched): readonly string[] {
  const counts = new Map<string, number>();
  for (const { field, column } of matches) {
    const kind = record.fields[field]?.kind;
    const form = column.dates[0];
    if ((kind === "date" || kind === "instant") && form !== undefined)
      counts.set(form, (counts.get(form) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most === undefined || most[0] === "yyyy-MM-dd" ? [] : [most[0]];
}

/** One whose values are to be decided is not missing: it has its own comment. */
function missingOf({ record }: Matched, fields: readonly DraftField[]): readonly string[] {
  return neededFields(record).filter((name) => !fields.some(({ field }) => field === name));
}

function inOrder(fields: readonly DraftField[], record: RecordDefinition): readonly DraftField[] {
  const order = Object.keys(record.fields);
  return fields.toSorted((a, b) => order.indexOf(a.field) - order.indexOf(b.field));
}

const WORTH = ["balance", "gross", "net", "amount", "value"];

function worthOf({ matches }: Matched): string | null {
  const found = WORTH.map((field) => matches.find((match) => match.field === field)).find(Boolean);
  return found === undefined || found.column.sign !== null ? null : found.column.name;
}

function drafted(column: ColumnFacts, matches: readonly Match[]): DraftedColumn {
  const match = matches.find((each) => each.column === column);
  const sample = column.distinct.slice(0, 2).join(", ");
  if (match === undefined)
    return { column: column.name, field: null, confidence: null, why: "", sample };
  const { field, score, why } = match;
  const confidence = score >= 0.9 ? "sure" : score >= LIKELY ? "likely" : "guess";
  return { column: column.name, field, confidence, why, sample };
}

const MOST_EXAMPLES = 3;

/** The draft at work on the file's own rows: the good ones become its examples. */
function triedOut(
  text: string,
  record: RecordDefinition,
  { rows, file, schemas }: DraftSource,
): Pick<Draft, "examples" | "tried"> {
  const mapping = compiled({ file, text });
  if (mapping === null) return { examples: null, tried: null };
  const examples: DraftExample[] = [];
  let [good, refused] = [0, 0];
  let why: string | null = null;
  for (const row of rows) {
    const mapped = mapping.apply(row);
    if (mapped.kind === "records") {
      good += 1;
      if (examples.length < MOST_EXAMPLES)
        examples.push(exampleOf(mapping, record, row, mapped.records, examples.length));
    } else if (mapped.kind === "rejected") {
      refused += 1;
      const [problem] = mapped.problems;
      why ??=
        problem === undefined
          ? null
          : `${problem.field}: found ${problem.found}, expected ${problem.expected}`;
    }
  }
  return {
    examples: examples.length === 0 ? null : writeExamples(examples, schemas),
    tried: { good, refused, why },
  };
}

function compiled(source: { file: string; text: string }): Mapping | null {
  try {
    return compileMapping(source);
  } catch (error) {
    if (error instanceof DefinitionError) return null;
    throw error;
  }
}

function exampleOf(
  { columns }: Mapping,
  record: RecordDefinition,
  row: Readonly<Record<string, string>>,
  given: readonly AnyRecord[],
  index: number,
): DraftExample {
  const read = new Set([...columns.required, ...columns.optional]);
  return {
    example: `Row ${index + 1} of the file that the draft was made from`,
    row: Object.fromEntries(Object.entries(row).filter(([name]) => read.has(name))),
    gives: given.map((one) =>
      Object.fromEntries(
        Object.entries(one)
          .filter(([name, value]) => value !== null && value !== record.fields[name]?.otherwise)
          .map(([name, value]) => [name, String(value)]),
      ),
    ),
  };
}
