/**
 * YAML 1.2 with line positions; what YAML lets slip (double keys, odd tags, alias bombs) is
 * refused.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document, Node, YAMLError } from "yaml";
import { DefinitionError } from "./problem.ts";
import type { DefinitionProblem } from "./problem.ts";
import type { DefinitionPath, DefinitionSource } from "./read.ts";

/** Aliases that a file may resolve to in all; a definition is written by hand and needs few. */
const ALIAS_LIMIT = 100;

export interface YamlDocument {
  readonly value: unknown;
  readonly lineOf: (path: DefinitionPath) => number;
}

/** The document's value, or a `DefinitionError` that lists every fault of syntax. */
export function parseYaml(source: DefinitionSource, asWritten: boolean): YamlDocument {
  const counter = new LineCounter();
  const refuse = (problems: readonly DefinitionProblem[]): never => {
    throw new DefinitionError(source.file, problems);
  };
  const document = attempt(
    () =>
      parseDocument(source.text, {
        version: "1.2",
        schema: asWritten ? "failsafe" : "core",
        // Keys are text exactly as written: 01 in a value table is the code "01", never the number
        // 1.
        stringKeys: true,
        prettyErrors: false,
        lineCounter: counter,
      }),
    (reason) => refuse([unreadable(reason)]),
  );
  const faults = [...document.errors, ...document.warnings];
  const tab = faults.find(({ code }) => code === "TAB_AS_INDENT");
  // Every fault after it is its doing.
  if (tab !== undefined) refuse([tabProblem(lineAt(counter, tab.pos[0]))]);
  if (faults.length > 0)
    refuse(
      once(faults.map((fault) => syntaxProblem(fault, source.text, lineAt(counter, fault.pos[0])))),
    );
  const value: unknown = attempt(
    (): unknown => document.toJS({ maxAliasCount: ALIAS_LIMIT }),
    (reason) => refuse([unreadable(reason)]),
  );
  return { value, lineOf: (path) => lineAt(counter, offsetOf(document, path)) };
}

function attempt<T>(work: () => T, otherwise: (reason: string) => never): T {
  try {
    return work();
  } catch (error) {
    return otherwise(error instanceof Error ? error.message : String(error));
  }
}

/** The parser repeats itself where it stumbles again on the way out of the same place. */
function once(problems: readonly DefinitionProblem[]): DefinitionProblem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function unreadable(reason: string): DefinitionProblem {
  return {
    line: 1,
    path: "",
    found: `YAML that cannot be read (${reason})`,
    expected: "plain YAML 1.2",
  };
}

function tabProblem(line: number): DefinitionProblem {
  const expected = "spaces: replace every tab in the file by two of them";
  return { line, path: "", found: "a tab at the beginning of the line", expected };
}

function syntaxProblem(fault: YAMLError, text: string, line: number): DefinitionProblem {
  const [from, to] = fault.pos;
  if (fault.code === "DUPLICATE_KEY") {
    const key = /^[^:\n]*/.exec(text.slice(from))?.[0]?.trim() ?? "";
    return { line, path: key, found: `the key "${key}" a second time`, expected: "each key once" };
  }
  if (fault.code === "MULTIPLE_DOCS")
    return {
      line,
      path: "",
      found: "a second YAML document",
      expected: "one document in the file",
    };
  if (fault.code === "TAG_RESOLVE_FAILED")
    return { line, path: "", found: `the tag ${text.slice(from, to)}`, expected: "no tags" };
  return { line, path: "", found: `broken YAML (${fault.message})`, expected: "YAML 1.2" };
}

function lineAt(counter: LineCounter, offset: number): number {
  return counter.linePos(offset).line || 1;
}

/** Where the entry at `path` starts: its key in a mapping, its value in a list. */
function offsetOf(document: Document.Parsed, path: DefinitionPath): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(
        ({ key }) => isScalar(key) && String(key.value) === String(step),
      );
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
