/** The Prisma schema of the canonical tables, from the record definitions. */
import { columnOf, records } from "../../src/model/index.ts";
import type { Field, RecordDefinition, RecordName } from "../../src/model/index.ts";

/** Columns that the merge adds to every canonical table, and what they hold. */
export const MERGE_FIELDS: readonly (readonly [field: string, type: string, about: string])[] = [
  ["feed", "String", 'What owns the row: "connection/mapping".'],
  ["rowHash", "String @db.Uuid", "Digest of the record's fields: equal digests, equal rows."],
  ["originId", "String @db.Uuid", "Origin (file, page) that the row came from."],
  ["originLine", "Int", "Its line there."],
  ["runId", "String @db.Uuid", "Run that last wrote it."],
  ["learnedAt", "DateTime @db.Timestamptz(6)", "When we learned of the row as it stands."],
];

/**
 * How else than by key a record is looked up; each costs the merge a little, so each has a reader.
 */
const INDEXES: Partial<Readonly<Record<RecordName, readonly (readonly string[])[]>>> = {
  customer: [["rep"]],
  assignment: [["rep"]],
  // Answers to our orders come back under our number; the credit check asks for what is not
  // invoiced.
  "erp-order": [["webOrder"], ["account", "state"]],
  despatch: [["account", "despatchedOn"]],
  "despatch-line": [["erpOrder", "erpOrderLine"]],
  // The ledger links documents to orders and customers, and reads them by month.
  "sales-document": [
    ["account", "documentOn"],
    ["account", "customerReference", "documentOn"],
    ["documentOn"],
    ["webOrder"],
    ["erpOrder"],
  ],
  "sales-line": [["erpOrder", "erpOrderLine"], ["creditsDocument"], ["product"]],
  // Pay counts what was settled, and when.
  settlement: [["document"], ["receipt"], ["settledOn"]],
  receipt: [["account", "receivedOn"]],
  "ledger-transaction": [["account"], ["document"]],
};

/**
 * Records of which what was learned lately is asked for every minute. Not by a range index (BRIN):
 * it knows nothing of rows that came since the last vacuum, and those may be a fifth of the table.
 */
const BY_LEARNED: readonly RecordName[] = [
  "erp-order",
  "erp-order-line",
  "order-acknowledgement",
  "despatch-line",
  "sales-document",
  "sales-line",
];

export function canonicalSchema(): string {
  const definitions = Object.values(records) as unknown as readonly RecordDefinition[];
  const models = definitions.map(model);
  return `// Generated from the record definitions by \`npm run generate\`. Do not edit.\n\n${models.join("\n")}`;
}

export function modelName(record: string): string {
  return record.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function model(definition: RecordDefinition): string {
  const own = Object.entries(definition.fields).map(
    ([name, field]) => `  ${name} ${columnType(field)}${mapped(name)}`,
  );
  const added = MERGE_FIELDS.map(([name, type, about]) => {
    if (name in definition.fields) throw new Error(`${definition.name} has a field ${name}`);
    return `  /// ${about}\n  ${name} ${type}${mapped(name)}`;
  });
  const indexes = (INDEXES[definition.name as RecordName] ?? []).map(
    (fields) => `  @@index([company, ${fields.join(", ")}])`,
  );
  return [
    `/// ${definition.about}`,
    `model ${modelName(definition.name)} {`,
    "  company String",
    ...own,
    ...added,
    "",
    `  @@id([company, ${definition.key.join(", ")}])`,
    ...indexes,
    ...(BY_LEARNED.includes(definition.name as RecordName)
      ? ["  @@index([company, learnedAt])"]
      : []),
    `  @@map("${definition.table}")`,
    "}",
    "",
  ].join("\n");
}

function mapped(field: string): string {
  const column = columnOf(field);
  return column === field ? "" : ` @map("${column}")`;
}

function columnType(field: Field): string {
  const optional = field.optional === true ? "?" : "";
  switch (field.kind) {
    case "text":
    case "code":
    case "choice":
      return `String${optional}`;
    case "flag":
      return `Boolean${optional}`;
    case "integer":
      return `Int${optional}`;
    case "decimal":
      return `Decimal${optional} @db.Decimal(${field.precision}, ${field.scale})`;
    case "date":
      return `DateTime${optional} @db.Date`;
    case "instant":
      return `DateTime${optional} @db.Timestamptz(6)`;
    default:
      return field satisfies never;
  }
}
