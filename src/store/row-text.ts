/**
 * A canonical record as a line of COPY text. The same text is what its digest is of, so each value
 * has exactly one form here: "12.50", "+12.5" and "12.5" are one decimal, and must not look like a
 * change.
 */
import { hash } from "node:crypto";
import { decimal } from "../model/index.ts";
import type { AnyRecord, Field, RecordDefinition, RecordValue } from "../model/index.ts";
import { StoreError } from "./error.ts";

/** Every field in the definition's order, a tab after each; without the line's end. */
export type RowText = (record: AnyRecord) => string;

export function rowText(definition: RecordDefinition): RowText {
  const fields = Object.entries(definition.fields).map(([name, field]) => ({
    name,
    text: fieldText(field),
  }));
  return (record) => {
    let row = "";
    for (const { name, text } of fields) {
      const value = record[name];
      row += `${value === null || value === undefined ? NULL : text(value)}\t`;
    }
    if (row.includes("\0")) throw holdsNul(definition, record);
    return row;
  };
}

/**
 * Two rows have the same digest exactly when their texts are the same. MD5 because it is a uuid
 * wide.
 */
export function rowDigest(row: string): string {
  return hash("md5", row, "hex");
}

const NULL = "\\N";

function fieldText(field: Field): (value: RecordValue & {}) => string {
  switch (field.kind) {
    case "text":
    case "code":
    case "choice":
      return escaped;
    case "flag":
      return (value) => (value === true ? "t" : "f");
    case "decimal":
      return decimalText;
    case "instant":
      return instantText;
    case "integer":
    case "date":
      return String;
    default:
      return field satisfies never;
  }
}

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function escaped(value: RecordValue & {}): string {
  const text = String(value);
  if (!SPECIAL.test(text)) return text;
  return text.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
}

/** No sign of plus, no needless zero, not "-0". */
const PLAIN_DECIMAL = /^(?:0|-?[1-9]\d*|-?(?:0|[1-9]\d*)\.\d*[1-9])$/;

function decimalText(value: RecordValue & {}): string {
  const text = String(value);
  return PLAIN_DECIMAL.test(text) ? text : decimal.canonical(decimal.parse(text));
}

const PLAIN_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

function instantText(value: RecordValue & {}): string {
  const text = String(value);
  return PLAIN_INSTANT.test(text) ? text : Temporal.Instant.from(text).toString();
}

function holdsNul(definition: RecordDefinition, record: AnyRecord): StoreError {
  const key = definition.key.map((field) => String(record[field])).join(" / ");
  return new StoreError(
    "staging-row",
    `Storing the ${definition.name} ${key}: it holds a NUL character, which PostgreSQL cannot store. ` +
      "The reader or the mapping must reject or clean the value.",
  );
}
