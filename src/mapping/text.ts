/** A value of a source row as text, and texts as people read them in messages. */

export type Row = Readonly<Record<string, unknown>>;

/** Trimmed text, "" for nothing; undefined for what is no single value (a list, NaN). */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value.trim();
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === "boolean" || typeof value === "bigint" ? String(value) : undefined;
}

/** `"12,5"`, short enough for one line; "nothing" for a blank. */
export function quoted(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "a group of values";
  const text = textOf(value);
  if (text === undefined) return "no readable value";
  if (text === "") return "nothing";
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}

export function sentence(words: readonly string[], last: "and" | "or"): string {
  if (words.length < 2) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`;
}
