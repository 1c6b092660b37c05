/** What a bad row has in common with others: its reason, its digest, and whom it concerns. */
import { hash } from "node:crypto";
import { records, type AnyRecord, type RecordDefinition } from "../model/index.ts";
import type { NewItem, Problem } from "./quarantine.ts";

/** What is said of a whole row or file is a sentence by itself. */
export function problemText({ field, found, expected }: Omit<Problem, "instruction">): string {
  return field === "" ? found : `${field}: found ${found}, expected ${expected}`;
}

const MOST_PROBLEMS = 3;

/** "unitPrice is blank": the same for all rows that a person mends in the same way. */
export function reasonOf(problems: readonly Problem[]): string {
  const named = [...new Set(problems.map(reasonOfOne))];
  const more = named.length - MOST_PROBLEMS;
  return named.slice(0, MOST_PROBLEMS).join("; ") + (more > 0 ? `; and ${more} more` : "");
}

function reasonOfOne({ field, found, expected }: Problem): string {
  if (field === "") return found;
  if (found.startsWith("nothing in ")) return `${field} is blank`;
  if (found.startsWith("no column ")) return `${field} has ${found}`;
  if (expected === UNCLAIMED) return `another row claims its ${field}`;
  return `${field} is not ${alike(expected)}`;
}

/** Of a key that two rows or two sources claim. */
export const UNCLAIMED = "a key that no other row claims";

/** Without what is this row's alone: the nearest match, its length. */
function alike(expected: string): string {
  return expected.replace(/ \(nearest match ".*"\)$/, "").replace(/, and it has \d+$/, "");
}

/**
 * The same for the same row with the same problems, also when it was kept in the database since;
 * null when the row's content is not known.
 */
export function fingerprintOf(item: NewItem): string | null {
  const { mapping, values, raw, problems } = item;
  if (values === null && raw === "") return null;
  const what = problems.map(({ field, found, expected }) => [field, found, expected]);
  const text = JSON.stringify([mapping, values ?? raw, what], asKept);
  return hash("sha256", text.replaceAll("\\u0000", "\u2400")).slice(0, 32);
}

/** The database orders the keys of JSON in its own way, and shows NUL by the symbol for it. */
function asKept(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** As a price rule says whom it is for. */
interface Concerned {
  readonly scope: string;
  readonly code: string | null;
}

/** Whom the row is about, as far as it can still be read; null: that is not known. */
export function concernedOf({ record, recordKey, told }: NewItem): Concerned | null {
  const definition = definitionOf(record);
  if (definition === undefined) return null;
  const known: AnyRecord = { ...told, ...keyFields(definition, recordKey) };
  const text = (field: string): string | null => {
    const value = known[field];
    return typeof value === "string" ? value : null;
  };
  const account = text("account");
  if (account !== null) return { scope: "account", code: account };
  const scope = text("customerScope");
  if (scope === "everyone") return { scope, code: null };
  const code = text("customerCode");
  if (scope !== null && code !== null) return { scope, code };
  const list = definition.name === "price-list" ? text("priceList") : null;
  return list === null ? null : { scope: "price-list", code: list };
}

export function definitionOf(record: string | null): RecordDefinition | undefined {
  const known: Readonly<Record<string, RecordDefinition>> = records;
  return record === null || !Object.hasOwn(known, record) ? undefined : known[record];
}

/** The fields of a key as items keep it; empty when its parts cannot be told from each other. */
export function keyFields(
  { key }: RecordDefinition,
  recordKey: string | null,
): Readonly<Record<string, string>> {
  const parts = recordKey?.split(" / ") ?? [];
  if (parts.length !== key.length) return {};
  return Object.fromEntries(key.map((field, index) => [field, parts[index] ?? ""]));
}
