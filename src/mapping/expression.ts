/**
 * CEL expressions over a row. Every column is trimmed text ("" when blank), so that `int(QTY)` and
 * `QTY == ""` mean the same for every source; an expression never sees a float of a JSON number.
 */
import { Environment } from "@marcbachmann/cel-js";
import type { ASTNode } from "@marcbachmann/cel-js";
import type { Column, Scope } from "./columns.ts";
import { textOf } from "./text.ts";
import type { Row } from "./text.ts";

export interface Expression {
  readonly text: string;
  readonly columns: readonly Column[];
  /** What the expression gives: "string", "bool", "int", or "dyn" when only the row decides. */
  readonly type: string;
  /** True when floats take part; they are no way to an amount. */
  readonly usesFloats: boolean;
  /** Text, truth or whole number; throws an error whose message says what went wrong. */
  readonly evaluate: (row: Row) => string | boolean | bigint;
}

const RESULTS = new Set(["string", "bool", "int", "dyn"]);
/** Macros that name a variable of their own in their first argument. */
const BINDERS = new Set(["all", "exists", "exists_one", "existsOne", "map", "filter", "bind"]);

const base = new Environment({ limits: { maxAstNodes: 1000, maxDepth: 50 } })
  .registerFunction("wholeNumber(int): int", (value: bigint) => value)
  .registerFunction("wholeNumber(double): int", (value: number) => BigInt(Math.trunc(value)))
  .registerFunction("wholeNumber(string): int", wholeNumber);

/** int("") is an error in CEL and 0 in this library: a blank quantity must not pass for none. */
function wholeNumber(text: string): bigint {
  if (!/^[-+]?\d{1,18}$/.test(text)) throw new TypeError(`int("${text}") is no whole number`);
  return BigInt(text.replace("+", ""));
}

// Parses before the columns are known; the real environment then knows each as text.
const anyNames = new Environment({
  unlistedVariablesAreDyn: true,
  limits: { maxAstNodes: 1000, maxDepth: 50 },
});

/** The expression, or what was wrong with it. */
export function compileExpression(
  text: string,
  scope: Scope,
): Expression | { readonly found: string; readonly expected: string } {
  try {
    return checked(text, scope);
  } catch (error) {
    return {
      found: `an expression that is not CEL: ${reasonOf(error)}`,
      expected: "a CEL expression",
    };
  }
}

function checked(
  text: string,
  scope: Scope,
): Expression | { readonly found: string; readonly expected: string } {
  const { ast } = anyNames.parse(text);
  const names = namesIn(ast);
  if (names.bareRow)
    return { found: "row without a fixed column", expected: 'row.NAME or row["A name"]' };
  const environment = base.clone().registerVariable("row", "map<string, string>");
  for (const name of names.variables) environment.registerVariable(name, "string");
  const parsed = environment.parse(withOwnInt(text, names.conversions));
  const { valid, type = "dyn", error } = parsed.check();
  if (!valid)
    return {
      found: `an expression that cannot work: ${reasonOf(error)}`,
      expected: "CEL that fits text columns",
    };
  if (!RESULTS.has(type))
    return {
      found: `an expression that gives ${type}`,
      expected: "text, true or false, or a whole number",
    };
  const variables = [...names.variables].map((name) => [name, scope(name)] as const);
  const members = [...names.members].map((name) => [name, scope(name)] as const);
  return {
    text,
    columns: [...variables, ...members].map(([, column]) => column),
    type,
    usesFloats: names.floats,
    evaluate: (row) => {
      const context: Record<string, unknown> = {};
      for (const [name, column] of variables) context[name] = single(column, row);
      if (members.length > 0)
        context["row"] = Object.fromEntries(
          members.map(([name, column]) => [name, single(column, row)]),
        );
      return result(parsed(context));
    },
  };
}

function single(column: Column, row: Row): string {
  const text = textOf(column.get(row));
  if (text === undefined) throw new TypeError(`${column.label} is not a single value`);
  return text;
}

function result(value: unknown): string | boolean | bigint {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint")
    return value;
  throw new TypeError("it gives neither text nor true or false nor a whole number");
}

export function reasonOf(error: unknown): string {
  if (error instanceof Error)
    return "summary" in error && typeof error.summary === "string" ? error.summary : error.message;
  return String(error);
}

interface Names {
  readonly variables: Set<string>;
  readonly members: Set<string>;
  /** Where calls of `int` stand. */
  readonly conversions: number[];
  bareRow: boolean;
  floats: boolean;
}

function withOwnInt(text: string, conversions: readonly number[]): string {
  return conversions
    .toSorted((left, right) => right - left)
    .reduce((made, at) => `${made.slice(0, at)}wholeNumber${made.slice(at + "int".length)}`, text);
}

function namesIn(root: ASTNode): Names {
  const names: Names = {
    variables: new Set(),
    members: new Set(),
    conversions: [],
    bareRow: false,
    floats: false,
  };
  visit(root, new Set(), names);
  return names;
}

function visit(node: ASTNode, bound: ReadonlySet<string>, names: Names): void {
  if (node.op === "rcall") return visitMethod(node.args, bound, names);
  if (node.op === "id") return visitName(node.args, bound, names);
  const member = memberOfRow(node);
  if (member !== undefined) {
    names.members.add(member);
    return;
  }
  if (node.op === "value" && typeof node.args === "number") names.floats = true;
  if (node.op === "call" && node.args[0] === "double") names.floats = true;
  if (node.op === "call" && node.args[0] === "int") names.conversions.push(node.start);
  // uint("") has the same fault, and nothing that a mapping says needs it.
  if (node.op === "call" && node.args[0] === "uint") throw new TypeError("uint(); use int()");
  for (const child of childrenOf(node.args)) visit(child, bound, names);
}

function visitName(name: string, bound: ReadonlySet<string>, names: Names): void {
  if (name === "row") names.bareRow = true;
  else if (!bound.has(name) && !base.hasVariable(name)) names.variables.add(name);
}

function visitMethod(
  [method, target, args]: readonly [string, ASTNode, readonly ASTNode[]],
  bound: ReadonlySet<string>,
  names: Names,
): void {
  const [first, ...rest] = args;
  if (!(method === "bind" && target.op === "id" && target.args === "cel"))
    visit(target, bound, names);
  const binds = BINDERS.has(method) && first?.op === "id";
  const inner = binds ? new Set([...bound, first.args]) : bound;
  for (const child of binds ? rest : args) visit(child, inner, names);
}

function memberOfRow(node: ASTNode): string | undefined {
  if (node.op !== "." && node.op !== "[]") return undefined;
  const [target, key] = node.args;
  if (target.op !== "id" || target.args !== "row") return undefined;
  if (typeof key === "string") return key;
  return key.op === "value" && typeof key.args === "string" ? key.args : undefined;
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === "object" && args !== null && "op" in args ? [args as ASTNode] : [];
}
