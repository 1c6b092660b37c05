/**
 * Columns of a row by name: plain ones, parts of a nested group ("customer.name"), names of
 * `each:`.
 */
import type { Row } from "./text.ts";

export interface Column {
  /** For messages: "PRICE_3". */
  readonly label: string;
  readonly get: (row: Row) => unknown;
  /**
   * The column that the source must have; null when it lies inside a nested list or is the number
   * n.
   */
  readonly needs: string | null;
  /** True when records of one row differ by it. */
  readonly varies: boolean;
}

/** How a mapping's names are found in a row. */
export type Scope = (name: string) => Column;

export const rowScope: Scope = (name) => ({
  label: name,
  get: getter(name),
  needs: name,
  varies: false,
});

/** Names of `each: columns`, for one of the numbers. */
export function numberedScope(n: string, columns: Readonly<Record<string, string>>): Scope {
  return (name) => {
    if (name === "n") return { label: "n", get: () => n, needs: null, varies: true };
    const pattern = columns[name];
    return pattern === undefined
      ? rowScope(name)
      : { ...rowScope(pattern.replaceAll("{n}", n)), varies: true };
  };
}

/** Names inside one item of `each: list`: `list.PART` and the item's number n. */
export function listScope(list: string): Scope {
  return (name) =>
    name === "n" || name.startsWith(`${list}.`)
      ? { ...rowScope(name), needs: null, varies: true }
      : rowScope(name);
}

function getter(name: string): (row: Row) => unknown {
  if (!name.includes(".")) return (row) => row[name];
  const [first = "", ...rest] = name.split(".");
  // A column of a file may have a point in its own name; nested groups come from other sources.
  return (row) => row[name] ?? inside(row[first], rest);
}

function inside(value: unknown, path: readonly string[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step))
      return undefined;
    found = (found as Row)[step];
  }
  return found;
}
