/** A draft as the files that people go on with: YAML with what is to be decided as comments. */
import type { RecordDefinition } from "../model/index.ts";
import type { DraftField, DraftRule } from "./draft-rules.ts";
import type { ColumnFacts, NumberStyle } from "./draft-values.ts";

export interface Written {
  readonly record: RecordDefinition;
  readonly reads: string;
  readonly file: string;
  readonly style: NumberStyle;
  readonly dates: readonly string[];
  readonly fields: readonly DraftField[];
  readonly missing: readonly string[];
  readonly unmatched: readonly ColumnFacts[];
  readonly worth: string | null;
  /** Columns that say that a row is deleted; one at most. */
  readonly deleted: readonly string[];
  /** Where the JSON Schemas are, seen from the file. */
  readonly schemas: string;
}

export function writeMapping(given: Written): string {
  const { record, style, dates, fields, missing, unmatched } = given;
  const about = `One row is ${article(record.about)} (drafted from ${given.file}).`;
  return [
    `# yaml-language-server: $schema=${given.schemas}/mapping.schema.json`,
    `record: ${record.name}`,
    `reads: ${given.reads}`,
    `about: ${scalar(about)}`,
    ...localeLines(style, dates),
    ...(given.worth === null ? [] : [`worth: ${scalar(given.worth)}`]),
    ...given.deleted.map(
      (column) =>
        `ignore: [{ when: ${scalar(column)}, equals: ["1", Y, T, true], because: deleted in the ERP }]`,
    ),
    "fields:",
    ...missing.flatMap((name) => decide(name, aboutOf(record, name))),
    ...fields.flatMap(fieldLines),
    ...unmatchedLines(unmatched),
    "",
  ].join("\n");
}

function article(about: string): string {
  return about.charAt(0).toLowerCase() + about.slice(1).replace(/\.$/, "");
}

function aboutOf(record: RecordDefinition, name: string): string {
  const field = record.fields[name];
  const choices = field?.kind === "choice" ? ` One of ${field.values.join(", ")}.` : "";
  return `${field?.about ?? ""}${choices}`;
}

function localeLines(style: NumberStyle, dates: readonly string[]): readonly string[] {
  const parts = [
    ...(dates.length === 0 ? [] : [`dates: ${listed(dates)}`]),
    ...(style.decimal === "." ? [] : [`decimal: ${scalar(style.decimal)}`]),
    ...(style.thousands === undefined ? [] : [`thousands: ${scalar(style.thousands)}`]),
  ];
  return parts.length === 0 ? [] : [`locale: { ${parts.join(", ")} }`];
}

function decide(name: string, about: string): readonly string[] {
  return [
    `  # DECIDE: no column was found for ${name}, which is never blank. ${about}`,
    `  # ${name}: COLUMN`,
  ];
}

function fieldLines({ field, rule, notes }: DraftField): readonly string[] {
  const comments = notes.map((note) => `  # ${inCapitals(note)}`);
  return [...comments, rule === null ? `  # ${field}: COLUMN` : `  ${field}: ${ruleText(rule)}`];
}

/** A note begins with what to do: decide, or look. */
export function inCapitals(note: string): string {
  return note.replace(/^(?:decide|look)/, (word) => `${word.toUpperCase()}:`);
}

function ruleText(rule: DraftRule): string {
  const { from } = rule;
  if (from !== undefined && Object.keys(rule).length === 1) return scalar(from);
  const parts = [
    ...(from === undefined ? [] : [`from: ${scalar(from)}`]),
    ...(rule.value === undefined ? [] : [`value: ${scalar(rule.value)}`]),
    ...(rule.join === undefined ? [] : [`join: ${listed(rule.join)}`]),
    ...(rule.with === undefined ? [] : [`with: ${scalar(rule.with)}`]),
    ...(rule.expression === undefined ? [] : [`expression: ${single(rule.expression)}`]),
    ...(rule.values === undefined ? [] : [`values: { ${tableText(rule.values)} }`]),
    ...(rule.blank === undefined ? [] : [`blank: ${listed(rule.blank)}`]),
    ...(rule.dates === undefined ? [] : [`dates: ${listed(rule.dates)}`]),
    ...(rule.round === undefined ? [] : [`round: ${rule.round}`]),
  ];
  return `{ ${parts.join(", ")} }`;
}

function tableText(values: Readonly<Record<string, string | boolean>>): string {
  return Object.entries(values)
    .map(([text, value]) => `${scalar(text)}: ${typeof value === "string" ? scalar(value) : value}`)
    .join(", ");
}

function listed(texts: readonly string[]): string {
  return `[${texts.map(scalar).join(", ")}]`;
}

function single(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Plain where YAML takes it for text, in a list and in a group too; else in quotes. */
export function scalar(text: string): string {
  const plain = /^[A-Za-z_](?:[\w ./%()&+-]*[\w./%)])?$/.test(text);
  return plain && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

function unmatchedLines(columns: readonly ColumnFacts[]): readonly string[] {
  if (columns.length === 0) return [];
  return [
    "  # Columns that no field was found for:",
    ...columns.map(({ name, distinct }) => {
      const sample = distinct
        .slice(0, 3)
        .map((text) => JSON.stringify(text))
        .join(", ");
      return `  #   ${name}${sample === "" ? " (blank)" : `: ${sample}`}`.replaceAll(
        /[\r\n]+/g,
        " ",
      );
    }),
  ];
}

export interface DraftExample {
  readonly example: string;
  readonly row: Readonly<Record<string, string>>;
  readonly gives: readonly Readonly<Record<string, string>>[];
}

export function writeExamples(examples: readonly DraftExample[], schemas: string): string {
  return [
    `# yaml-language-server: $schema=${schemas}/examples.schema.json`,
    "# Everything is text as written, as in a CSV file; fields not named under gives are null or have",
    "# their default.",
    ...examples.flatMap(({ example, row, gives }) => [
      "",
      `- example: ${scalar(example)}`,
      "  row:",
      ...group(row, "    "),
      "  gives:",
      ...(gives.length === 1
        ? group(gives[0] ?? {}, "    ")
        : gives.flatMap((one) => {
            const [first = "", ...rest] = group(one, "      ");
            return [`    - ${first.trimStart()}`, ...rest];
          })),
    ]),
    "",
  ].join("\n");
}

function group(values: Readonly<Record<string, string>>, indent: string): readonly string[] {
  return Object.entries(values).map(
    ([name, value]) => `${indent}${scalar(name)}: ${scalar(value)}`,
  );
}
