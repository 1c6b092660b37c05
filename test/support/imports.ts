/** What a file imports and re-exports, read from its tokens. */
import type { Token } from "./tokens.ts";

export interface Import {
  /** As written; null when a dynamic import computes it. */
  readonly from: string | null;
  /** Names in braces; empty for namespaces, side effects and dynamic imports. */
  readonly names: readonly string[];
  /** True when nothing of it exists at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export function importsOf(tokens: readonly Token[]): Import[] {
  const found: Import[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "word" || tokens[index - 1]?.text === ".") continue;
    if (token.text === "import") found.push(...importAt(tokens, index));
    if (token.text === "export") found.push(...exportAt(tokens, index));
  }
  return found;
}

function importAt(tokens: readonly Token[], index: number): Import[] {
  const line = tokens[index]?.line ?? 0;
  const next = tokens[index + 1];
  if (next === undefined || next.text === "." || next.text === ":") return [];
  if (next.kind === "string") return [{ from: next.text, names: [], typeOnly: false, line }];
  if (next.text !== "(") return clauseAt(tokens, index);
  const address = tokens[index + 2];
  const literal = address?.kind === "string" && /^[,)]$/.test(tokens[index + 3]?.text ?? "");
  return [{ from: literal ? address.text : null, names: [], typeOnly: false, line }];
}

function exportAt(tokens: readonly Token[], index: number): Import[] {
  const next = tokens[index + 1];
  const opens = next?.text === "type" ? tokens[index + 2]?.text : next?.text;
  return opens === "*" || opens === "{" ? clauseAt(tokens, index) : [];
}

/**
 * `import type { A, type B } from "x"`: the words up to `from`; a plain `export { a }` has none.
 */
function clauseAt(tokens: readonly Token[], index: number): Import[] {
  const names: string[] = [];
  let values = 0;
  for (let at = index + 1; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined) break;
    const next = tokens[at + 1];
    if (token.text === "from" && next?.kind === "string") {
      const typeOnly = tokens[index + 1]?.text === "type" || (names.length > 0 && values === 0);
      return [{ from: next.text, names, typeOnly, line: tokens[index]?.line ?? 0 }];
    }
    if (token.text === "}" && next?.text !== "from") return [];
    if (token.text === ";" || token.text === "=") return [];
    const before = tokens[at - 1]?.text;
    const inlineType = before === "type" && /^[{,]$/.test(tokens[at - 2]?.text ?? "");
    if (token.kind === "word" && (inlineType || isNameStart(before, token, next))) {
      names.push(token.text);
      if (!inlineType) values += 1;
    }
  }
  return [];
}

function isNameStart(before: string | undefined, token: Token, next: Token | undefined): boolean {
  if (before !== "{" && before !== ",") return false;
  return token.text !== "type" || next?.kind !== "word" || next.text === "as";
}
