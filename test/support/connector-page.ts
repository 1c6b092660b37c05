/**
 * The code in connectors/README.md is that of real files: below a comment that names a file, and
 * perhaps what of it, the page's next block of code is written anew.
 *
 *     <!-- src/connector/contract.ts: StreamDefinition Session -->
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { CHECKS } from "../../src/connector/conformance/index.ts";
import type { Generator } from "./generate.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = "connectors/README.md";

const BLOCK = /(<!-- (\S+\.ts)(?:: ([^>]+?))? -->\n\n```ts\n)(?:[\s\S]*?\n)??```/g;

export const connectorPage: readonly Generator[] = [
  {
    file: PAGE,
    content: async () => filled(await readFile(join(ROOT, PAGE), "utf8")),
  },
];

async function filled(page: string): Promise<string> {
  const blocks = [...page.matchAll(BLOCK)];
  let text = page;
  for (const [whole, head = "", path = "", names] of blocks) {
    const source = await readFile(join(ROOT, path), "utf8");
    const code = names === undefined ? source.trim() : declarations(source, names.split(/\s+/));
    text = text.replace(whole, () => `${head}${code}\n\`\`\``);
  }
  return text.replace(LIST, () => `<!-- checks -->\n\n${checkTable()}\n`);
}

const LIST = /<!-- checks -->[\s\S]*$/;

function checkTable(): string {
  const rows = CHECKS.map(
    ({ id, holds, needsRig }) => `| \`${id}\` | ${holds} | ${needsRig ? "" : "yes"} |`,
  );
  return ["| check | what holds | without a far side |", "|---|---|---|", ...rows].join("\n");
}

/** Exported declarations by name, each with the comment above it. */
function declarations(source: string, names: readonly string[]): string {
  return names.map((name) => declaration(source, name)).join("\n\n");
}

function declaration(source: string, name: string): string {
  const lines = source.split("\n");
  const start = lines.findIndex((line) =>
    new RegExp(`^(?:export )?(?:async )?(?:interface|type|class|function\\*?) ${name}\\b`).test(
      line.replace("function* ", "function "),
    ),
  );
  if (start < 0) throw new Error(`${PAGE} shows ${name}, which is not in its file any more`);
  const isFunction = /\bfunction\b/.test(lines[start] ?? "");
  const end = isFunction ? headEnd(lines, start) : bodyEnd(lines, start);
  const code = lines.slice(commentStart(lines, start), end + 1).join("\n");
  // A function is shown by its head alone.
  return isFunction ? code.replace(/ \{$/, ";") : code;
}

function headEnd(lines: readonly string[], start: number): number {
  return lines.findIndex((line, at) => at >= start && /^\S.*\{$/.test(line));
}

/** Where every bracket is closed again, and nothing goes on in the next line. */
function bodyEnd(lines: readonly string[], start: number): number {
  let depth = 0;
  for (let at = start; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    depth += (line.match(/[({[]/g) ?? []).length - (line.match(/[)}\]]/g) ?? []).length;
    if (depth === 0 && /^(?:\}|.*;)$/.test(line)) return at;
  }
  throw new Error(`${PAGE}: line ${start + 1} begins what does not end`);
}

function commentStart(lines: readonly string[], start: number): number {
  if (lines[start - 1]?.endsWith("*/") !== true) return start;
  let at = start - 1;
  while (!(lines[at] ?? "").startsWith("/**")) at -= 1;
  return at;
}
