/** A mapping file → a function from a row of the source to canonical records. */
import { hash } from "node:crypto";
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import { records } from "../model/index.ts";
import type { AnyRecord, RecordDefinition, RecordValue } from "../model/index.ts";
import { listScope, numberedScope, rowScope } from "./columns.ts";
import type { Column, Scope } from "./columns.ts";
import { plainNumber, shortest } from "./decimals.ts";
import { compileField, dateForms, unnamedField } from "./field.ts";
import type { FieldContext, FieldStep, RowProblem } from "./field.ts";
import { misspellings } from "./header.ts";
import { compileIgnore } from "./ignore.ts";
import type { IgnoreStep } from "./ignore.ts";
import { mappingSchema } from "./schema.ts";
import type { FieldRule, MappingFile } from "./schema.ts";
import { compileSense, nonsense } from "./sense.ts";
import type { SenseStep } from "./sense.ts";
import { rowTeller } from "./telling.ts";
import { quoted, textOf } from "./text.ts";
import type { Row } from "./text.ts";

export interface Mapping {
  readonly file: string;
  /** `tradepost-csv/customer`: its set and its own name. */
  readonly id: string;
  /** Changes with the text; rows keep it, so that a mended mapping can be replayed. */
  readonly version: string;
  readonly about: string;
  readonly record: RecordDefinition;
  /** Name of the stream whose rows it reads. */
  readonly reads: string;
  /** What a file's header must have, and what it may leave out. */
  readonly columns: { readonly required: readonly string[]; readonly optional: readonly string[] };
  /**
   * Columns of a header that nothing reads but that look like one that may be missing: `OnStop` for
   * `onStop`. Left unsaid, such a slip would turn a whole column into blanks.
   */
  readonly misspelt: (header: readonly string[]) => readonly Misspelling[];
  readonly apply: (values: Row) => MappedRow;
  /**
   * Keys of the records that the row makes or once made, from the columns of the key alone:
   * `ignore` is not asked.
   */
  readonly keysOf: (values: Row) => RowKeys;
  /** Whether rows that differ in one of these columns never make the same record. */
  readonly tellsApart: (columns: readonly string[]) => boolean;
}

export type RowKeys =
  | { readonly kind: "keys"; readonly keys: readonly AnyRecord[] }
  | { readonly kind: "unknown"; readonly problems: readonly RowProblem[] };

export interface Misspelling {
  readonly found: string;
  readonly meant: string;
}

export type MappedRow =
  | { readonly kind: "records"; readonly records: readonly AnyRecord[] }
  | { readonly kind: "ignored"; readonly reason: string }
  | {
      readonly kind: "rejected";
      readonly problems: readonly RowProblem[];
      /**
       * Money at risk as decimal text; absent when the mapping names no column for it or it holds
       * none.
       */
      readonly worth?: string;
      /** The record's key, " / " between, where the row still tells it. */
      readonly key?: string;
      /** Fields that the row still tells, right by themselves. */
      readonly told?: AnyRecord;
    };

/** What a row, or one part of it, goes through. */
interface Plan {
  readonly ignore: readonly IgnoreStep[];
  readonly fields: readonly FieldStep[];
  readonly sense: readonly SenseStep[];
}

/** The mapping, or a `DefinitionError` with every problem of the file. */
export function compileMapping(source: DefinitionSource): Mapping {
  const definition = openDefinition(source, mappingSchema);
  const problems = new Map<string, DefinitionProblem>();
  const report: Report = (path, what) => {
    const problem = definition.problem(path, what);
    // The same rule is compiled once for every number of `each:`.
    problems.set(JSON.stringify(problem), problem);
  };
  const file = definition.value;
  const record = recordOf(file, report);
  if (record === undefined) throw new DefinitionError(source.file, [...problems.values()]);
  const rules = rulesOf(file, record, report);
  const plans = scopesOf(file, report).map((scope) =>
    planOf(file, `${identityOf(source).id}.yaml`, record, rules, scope, report),
  );
  refuseOneKey(file, record, plans, report);
  if (problems.size > 0)
    throw new DefinitionError(
      source.file,
      [...problems.values()].toSorted((left, right) => left.line - right.line),
    );
  const columns = columnsOf(file, plans);
  return {
    ...identityOf(source),
    about: file.about,
    record,
    reads: file.reads,
    columns,
    misspelt: (header) => misspellings(header, columns),
    apply: applier(file, record, plans),
    keysOf: keyFinder(file, record, plans),
    tellsApart: rowTeller(file, record, rules),
  };
}

type Report = (
  path: readonly (string | number)[],
  what: {
    readonly found: string;
    readonly expected: string;
    readonly nearest?: string | undefined;
  },
) => void;

export function identityOf({ file, text }: DefinitionSource): {
  readonly file: string;
  readonly id: string;
  readonly version: string;
} {
  const id = file
    .replaceAll("\\", "/")
    .split("/")
    .slice(-2)
    .join("/")
    .replace(/\.ya?ml$/, "");
  // Line ends follow the machine that checked the file out; they are no new version.
  return { file, id, version: hash("sha256", text.replaceAll("\r\n", "\n")).slice(0, 12) };
}

function recordOf(file: MappingFile, report: Report): RecordDefinition | undefined {
  const known = records as unknown as Readonly<Record<string, RecordDefinition>>;
  if (Object.hasOwn(known, file.record)) return known[file.record];
  const names = Object.keys(known);
  report(["record"], {
    found: quoted(file.record),
    expected: `one of ${names.join(", ")}`,
    nearest: nearest(file.record, names),
  });
  return undefined;
}

interface NamedRule {
  readonly rule: FieldRule;
  readonly path: readonly string[];
}

/** The rule of every field that has one, shorthands written out. */
function rulesOf(
  file: MappingFile,
  record: RecordDefinition,
  report: Report,
): ReadonlyMap<string, NamedRule> {
  const rules = new Map<string, NamedRule>();
  const names = Object.keys(record.fields);
  const stated = file.fields === "same" ? {} : file.fields;
  for (const [name, rule] of Object.entries(stated)) {
    const path = ["fields", name];
    if (Object.hasOwn(record.fields, name))
      rules.set(name, { rule: typeof rule === "string" ? { from: rule } : rule, path });
    else
      report(path, {
        found: `the field "${name}"`,
        expected: `one of ${names.join(", ")}`,
        nearest: nearest(name, names),
      });
  }
  for (const [name, field] of Object.entries(record.fields)) {
    if (rules.has(name)) continue;
    const canBeLeftOut = field.optional === true || field.otherwise !== undefined;
    if (file.fields === "same" || file.others === "same")
      rules.set(name, {
        rule: canBeLeftOut ? { from: name, optional: true } : { from: name },
        path: ["fields"],
      });
    else if (!canBeLeftOut)
      report(["fields"], { found: `no field ${name}`, expected: `${name}: ${field.about}` });
  }
  return rules;
}

/** One scope, or one for each number of `each:`. */
function scopesOf(file: MappingFile, report: Report): readonly Scope[] {
  const { each } = file;
  if (each === undefined) return [rowScope];
  if ("list" in each) return [listScope(each.list)];
  const numbers = numbersOf(each.n);
  if (numbers.length === 0 || numbers.length > 200 || new Set(numbers).size !== numbers.length)
    report(["each", "n"], {
      found: typeof each.n === "string" ? each.n : each.n.join(", "),
      expected: "1 to 200 numbers or words, rising, each once",
    });
  return numbers.slice(0, 200).map((n) => numberedScope(n, each.columns));
}

function numbersOf(n: string | readonly (string | number)[]): string[] {
  if (typeof n !== "string") return n.map(String);
  const [from = 0, to = 0] = n.split(" to ").map(Number);
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => String(from + index));
}

function planOf(
  file: MappingFile,
  name: string,
  record: RecordDefinition,
  rules: ReadonlyMap<string, NamedRule>,
  scope: Scope,
  report: Report,
): Plan {
  const forms = dateForms(file.locale.dates, ["locale", "dates"], ({ at, ...what }) =>
    report(at, what),
  );
  const context = (path: readonly string[]): FieldContext => ({
    file: name,
    locale: file.locale,
    forms,
    report: ({ at, ...what }) => report([...path, ...at], what),
  });
  const fields = Object.entries(record.fields).map(([field, definition]) => {
    const named = rules.get(field);
    return named === undefined
      ? unnamedField(field, definition)
      : compileField(field, definition, named.rule, scope, context(named.path));
  });
  return {
    ignore: file.ignore.map((rule, index) =>
      compileIgnore(rule, scope, name, (what) => report(["ignore", index, "expression"], what)),
    ),
    fields,
    sense: compileSense(record, fields, name),
  };
}

/** Records of one row must differ in their key, or all but one would be lost. */
function refuseOneKey(
  file: MappingFile,
  record: RecordDefinition,
  plans: readonly Plan[],
  report: Report,
): void {
  if (file.each === undefined) return;
  const differs = plans[0]?.fields.some(
    ({ field, columns }) => record.key.includes(field) && columns.some(({ varies }) => varies),
  );
  if (differs === true) return;
  report(["each"], {
    found: "records of one row that all have one key",
    expected: `n or a name of each: in one of the key fields ${record.key.join(", ")}`,
  });
}

function columnsOf(file: MappingFile, plans: readonly Plan[]): Mapping["columns"] {
  const required = new Set<string>();
  const optional = new Set<string>();
  const add = (columns: readonly Column[], to: Set<string>) => {
    for (const { needs } of columns) if (needs !== null) to.add(needs);
  };
  for (const plan of plans) {
    for (const step of plan.fields) add(step.columns, step.optional ? optional : required);
    for (const rule of plan.ignore) add(rule.columns, required);
  }
  if (file.each !== undefined && "list" in file.each) required.add(file.each.list);
  // Money at risk only ranks what waits; a file without it is still whole.
  if (file.worth !== undefined) optional.add(file.worth);
  return {
    required: [...required],
    optional: [...optional].filter((column) => !required.has(column)),
  };
}

function applier(
  file: MappingFile,
  record: RecordDefinition,
  plans: readonly Plan[],
): Mapping["apply"] {
  const worth = worthOf(file);
  const [only] = plans;
  if (only === undefined) throw new RangeError(`${file.reads}: a mapping without a plan`);
  const key = record.key.flatMap((name) => only.fields.filter(({ field }) => field === name));
  if (file.each === undefined)
    return (values) => {
      const mapped = applyOne(only, values, values, worth);
      if (mapped.kind !== "rejected") return mapped;
      return { ...mapped, ...keyIn(key, values), told: toldBy(only.fields, values) };
    };
  if ("list" in file.each) return listApplier(file.each.list, only, worth);
  return (values) =>
    applyAll(
      plans.map((plan) => ({ plan, row: values, place: "" })),
      values,
      worth,
    );
}

/** Which record the row would have been; nothing when a part of its key is wrong too. */
function keyIn(steps: readonly FieldStep[], row: Row): { readonly key?: string } {
  const parts = steps.map((step) => step.take(row));
  return parts.includes(undefined) ? {} : { key: parts.join(" / ") };
}

function toldBy(steps: readonly FieldStep[], row: Row): AnyRecord {
  const taken = steps.map((step) => [step.field, step.take(row)] as const);
  return Object.fromEntries(taken.filter((each) => each[1] !== undefined)) as AnyRecord;
}

function keyFinder(
  file: MappingFile,
  record: RecordDefinition,
  plans: readonly Plan[],
): Mapping["keysOf"] {
  const parts = plans.map(({ fields }) => fields.filter(({ field }) => record.key.includes(field)));
  const keysIn = (rows: readonly (readonly [readonly FieldStep[], Row])[]): RowKeys => {
    const keys = rows.map(([steps, row]) => make(steps, row)).filter((key) => key !== undefined);
    if (keys.length === rows.length) return { kind: "keys", keys };
    const problems = rows.flatMap(([steps, row]) => problemsOf(steps, row));
    return { kind: "unknown", problems: onlyOnce(problems) };
  };
  if (file.each === undefined || !("list" in file.each))
    return (values) => keysIn(parts.map((steps) => [steps, values]));
  const { list } = file.each;
  const [only = []] = parts;
  const { get } = rowScope(list);
  return (values) => {
    const items = get(values);
    return Array.isArray(items)
      ? keysIn(items.map((item: unknown, at) => [only, { ...values, [list]: item, n: at + 1 }]))
      : { kind: "unknown", problems: [noList(list, items)] };
  };
}

type Worth = (values: Row) => string | undefined;

/** The path of nearly every row, without the bookkeeping of several records. */
function applyOne(plan: Plan, row: Row, values: Row, worth: Worth): MappedRow {
  for (const rule of plan.ignore) {
    const holds = rule.holds(row);
    if (holds === true) return { kind: "ignored", reason: rule.because };
    if (holds === undefined) return rejected([rule.explain(row)], values, worth);
  }
  const record = make(plan.fields, row);
  if (record === undefined) return rejected(problemsOf(plan.fields, row), values, worth);
  for (const { holds } of plan.sense)
    if (!holds(record)) return rejected(nonsense(plan.sense, record), values, worth);
  return { kind: "records", records: [record] };
}

function make(fields: readonly FieldStep[], row: Row): AnyRecord | undefined {
  const record: Record<string, RecordValue> = {};
  for (const step of fields) {
    const value = step.take(row);
    if (value === undefined) return undefined;
    record[step.field] = value;
  }
  return record;
}

function problemsOf(fields: readonly FieldStep[], row: Row): RowProblem[] {
  return fields.filter((step) => step.take(row) === undefined).map((step) => step.explain(row));
}

function rejected(problems: readonly RowProblem[], values: Row, worth: Worth): MappedRow {
  const money = worth(values);
  return { kind: "rejected", problems, ...(money === undefined ? {} : { worth: money }) };
}

function listApplier(list: string, plan: Plan, worth: Worth): Mapping["apply"] {
  const { get } = rowScope(list);
  return (values) => {
    const items = get(values) ?? [];
    if (!Array.isArray(items)) return rejected([noList(list, items)], values, worth);
    if (items.length === 0) return { kind: "ignored", reason: `${list} is empty` };
    const parts = items.map((item: unknown, index) => ({
      plan,
      row: { ...values, [list]: item, n: index + 1 },
      place: ` (item ${index + 1})`,
    }));
    return applyAll(parts, values, worth);
  };
}

function noList(list: string, found: unknown): RowProblem {
  return {
    field: list,
    found: `${quoted(found)} in ${list}`,
    expected: "a list",
    instruction: `Correct ${list} in the source, or each: list in the mapping.`,
  };
}

/** All parts of a row or none: half a row would be neither mapped nor in quarantine. */
function applyAll(
  parts: readonly { readonly plan: Plan; readonly row: Row; readonly place: string }[],
  values: Row,
  worth: Worth,
): MappedRow {
  const made: AnyRecord[] = [];
  const reasons = new Set<string>();
  const problems: RowProblem[] = [];
  for (const { plan, row, place } of parts) {
    const one = applyOne(plan, row, values, worth);
    if (one.kind === "records") made.push(...one.records);
    else if (one.kind === "ignored") reasons.add(one.reason);
    else
      problems.push(
        ...one.problems.map((problem) => ({ ...problem, found: `${problem.found}${place}` })),
      );
  }
  if (problems.length > 0) return rejected(onlyOnce(problems), values, worth);
  return made.length > 0
    ? { kind: "records", records: made }
    : { kind: "ignored", reason: [...reasons].join("; ") };
}

/** A fault outside the repeated columns shows in every part; once is enough. */
function onlyOnce(problems: readonly RowProblem[]): readonly RowProblem[] {
  const told = problems.map((problem) => [`${problem.field} ${problem.found}`, problem] as const);
  return [...new Map(told).values()];
}

function worthOf(file: MappingFile): Worth {
  if (file.worth === undefined) return () => undefined;
  const { get } = rowScope(file.worth);
  return (values) => shortest(plainNumber(textOf(get(values)) ?? "", file.locale) ?? "");
}
