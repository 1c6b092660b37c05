/** Slips in a header that would go unnoticed, because the column that was meant may be missing. */
import { distance } from "fastest-levenshtein";
import type { Mapping, Misspelling } from "./compile.ts";

export function misspellings(
  header: readonly string[],
  { required, optional }: Mapping["columns"],
): Misspelling[] {
  const read = new Set([...required, ...optional]);
  const absent = optional.filter((column) => !header.includes(column));
  return header
    .filter((column) => !read.has(column))
    .flatMap((found) => {
      const meant = absent.find((column) => looksLike(found, column));
      return meant === undefined ? [] : [{ found, meant }];
    });
}

/** Other capitals, signs between words, or one slip of the pen in a word long enough to bear it. */
function looksLike(found: string, meant: string): boolean {
  const [left, right] = [bare(found), bare(meant)];
  return left === right || (right.length > 4 && distance(left, right) === 1);
}

function bare(column: string): string {
  return column.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}
