/** One thing that is wrong in a definition file, and the error that carries all of them. */

export interface DefinitionProblem {
  /** Line in the file, from 1. */
  readonly line: number;
  /** Where in the definition: `fields.value.from`, `tables[0].name`; "" for the file as a whole. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  /** The allowed word that looks most like what was found. */
  readonly nearest?: string;
}

export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
  readonly file: string;
  readonly problems: readonly DefinitionProblem[];

  constructor(file: string, problems: readonly DefinitionProblem[]) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const lines = problems.map((problem) => `  ${describeProblem(file, problem)}`);
    super(`${file} cannot be used: ${count}\n${lines.join("\n")}`);
    this.file = file;
    this.problems = problems;
  }
}

/** `file:line: path: found … expected … (nearest match "…")`, as editors and terminals link it. */
export function describeProblem(file: string, problem: DefinitionProblem): string {
  const where = problem.path === "" ? "" : ` ${problem.path}:`;
  const hint = problem.nearest === undefined ? "" : ` (nearest match "${problem.nearest}")`;
  const what = `found ${problem.found}, expected ${problem.expected}${hint}`;
  return `${file}:${problem.line}:${where} ${what}`;
}
