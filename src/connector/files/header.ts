/** The header of a CSV file: which delimiter it uses, and whether its names can name columns. */
import type { Complaint } from "./faults.ts";
import { delimiterName } from "./faults.ts";
import type { Delimiter } from "./scan.ts";
import { bomBytes } from "./text.ts";

export const DELIMITERS: readonly Delimiter[] = [",", ";", "\t", "|"];

/**
 * The candidate that stands most often in the first line outside quotes; a comma when none does.
 */
export function detectDelimiter(head: Uint8Array): Delimiter {
  const line = firstLine(Buffer.from(head.subarray(bomBytes(head))).toString("latin1"));
  const bare = line.replaceAll(/"[^"]*"/g, "");
  let best: Delimiter = ",";
  let most = 0;
  for (const candidate of DELIMITERS) {
    const count = bare.split(candidate).length - 1;
    if (count > most) [best, most] = [candidate, count];
  }
  return best;
}

/** What keeps the names from naming columns; null when nothing does. Names are trimmed already. */
export function headerProblem(names: readonly string[], delimiter: Delimiter): Complaint | null {
  const blank = names.indexOf("");
  if (blank >= 0) {
    return {
      reason: `Column ${blank + 1} of its header has no name (${names.length} columns, split at ${delimiterName(delimiter)}).`,
      instruction:
        "Give every column a name of its own in the first line, and end that line without a delimiter.",
    };
  }
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated !== undefined) {
    return {
      reason: `Its header names two columns "${repeated}".`,
      instruction: "Give every column a name of its own in the first line.",
    };
  }
  // The one name that an object takes for its prototype.
  if (!names.includes("__proto__")) return null;
  return {
    reason: 'Its header has the name "__proto__".',
    instruction: "Name that column otherwise.",
  };
}

function firstLine(text: string): string {
  return /^[\r\n]*([^\r\n]*)/.exec(text)?.[1] ?? "";
}
