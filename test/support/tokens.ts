/**
 * The words of a TypeScript file, without its comments, by the compiler's own scanner. Enough to
 * read imports and to find names; nothing here knows grammar.
 */
import { SyntaxKind } from "typescript/unstable/ast";
import { createScanner } from "typescript/unstable/ast/scanner";

export interface Token {
  readonly kind: "word" | "string" | "template" | "other";
  /** A string without its quotes; a template's text between its substitutions. */
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

export interface Scanned {
  readonly tokens: readonly Token[];
  readonly comments: readonly Token[];
}

const TEMPLATES = new Set([
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.TemplateHead,
  SyntaxKind.TemplateMiddle,
  SyntaxKind.TemplateTail,
]);

export function scan(text: string): Scanned {
  const scanner = createScanner(false, undefined, text);
  const tokens: Token[] = [];
  const comments: Token[] = [];
  // How many braces are open inside each template substitution that we are in.
  const substitutions: number[] = [];
  const lineAt = lineCounter(text);
  for (let kind = scanner.scan(); kind !== SyntaxKind.EndOfFile; kind = scanner.scan()) {
    const line = lineAt(scanner.getTokenStart());
    kind = rescanned(kind);
    if (kind === SyntaxKind.TemplateHead) substitutions.push(0);
    if (isComment(kind)) comments.push({ kind: "other", text: scanner.getTokenText(), line });
    else if (!isBlank(kind)) tokens.push({ ...described(kind), line });
  }
  return { tokens, comments };

  // A slash may open a regular expression and a brace go on with a template: the scanner is told.
  function rescanned(kind: SyntaxKind): SyntaxKind {
    const open = substitutions.at(-1);
    if (kind === SyntaxKind.SlashToken || kind === SyntaxKind.SlashEqualsToken)
      return endsValue(tokens.at(-1)) ? kind : scanner.reScanSlashToken();
    if (open === undefined) return kind;
    if (kind === SyntaxKind.OpenBraceToken) substitutions[substitutions.length - 1] = open + 1;
    if (kind !== SyntaxKind.CloseBraceToken) return kind;
    if (open > 0) {
      substitutions[substitutions.length - 1] = open - 1;
      return kind;
    }
    const next = scanner.reScanTemplateToken(false);
    if (next === SyntaxKind.TemplateTail) substitutions.pop();
    return next;
  }

  function described(kind: SyntaxKind): Pick<Token, "kind" | "text"> {
    if (kind === SyntaxKind.StringLiteral) return { kind: "string", text: scanner.getTokenValue() };
    if (TEMPLATES.has(kind)) return { kind: "template", text: scanner.getTokenValue() };
    const text = scanner.getTokenText();
    return { kind: /^[\p{ID_Start}$_#]/u.test(text) ? "word" : "other", text };
  }
}

function isComment(kind: SyntaxKind): boolean {
  return kind === SyntaxKind.SingleLineCommentTrivia || kind === SyntaxKind.MultiLineCommentTrivia;
}

function isBlank(kind: SyntaxKind): boolean {
  return kind === SyntaxKind.WhitespaceTrivia || kind === SyntaxKind.NewLineTrivia;
}

const BEFORE_EXPRESSION = new Set(
  "return typeof case in of do else void delete throw new".split(" "),
);

/** After a value a slash divides; after anything else it opens a regular expression. */
function endsValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.kind === "word") return !BEFORE_EXPRESSION.has(token.text);
  if (token.kind !== "other") return true;
  return /[)\]}\w]$/.test(token.text);
}

/** Positions only grow, so one pass over the text serves all of them. */
function lineCounter(text: string): (position: number) => number {
  let line = 1;
  let next = text.indexOf("\n");
  return (position) => {
    while (next >= 0 && next < position) {
      line += 1;
      next = text.indexOf("\n", next + 1);
    }
    return line;
  };
}
