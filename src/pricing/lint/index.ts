/**
 * What is wrong, useless or not meant in the price rules, found by set-based SQL, told row by row
 * with the file and line of the ERP. Promises that a million rules are gone through without being
 * held in memory, and that the order of findings lasts. Never changes a rule, and never judges what
 * a customer pays: that is the book's work.
 *
 *     for await (const finding of lintPrices({ store, company, settings, policy, today })) …
 */
import type { Store } from "../../store/index.ts";
import type { Policy } from "../engine/index.ts";
import type { OriginName } from "../evidence.ts";
import { LINT_KINDS, LINT_SEVERITIES, literal } from "./check.ts";
import type { Check, FoundRow, LintFinding, LintKind, LintScope, LintSeverity } from "./check.ts";
import { conditionProblem } from "./conditions.ts";
import { placeChecks } from "./places.ts";
import { valueChecks } from "./values.ts";
import { wordChecks } from "./words.ts";

export { LINT_KINDS, LINT_SEVERITIES } from "./check.ts";
export type { LintFinding, LintKind, LintSeverity } from "./check.ts";

export interface LintOptions {
  readonly store: Store;
  readonly company: string;
  /** ISO currency of its ledger. */
  readonly currency: string;
  readonly policy: Policy;
  /** Business date as ISO text; rules that ended before it are told as ended and no more. */
  readonly today: string;
  readonly origin?: OriginName | undefined;
  /** Only these kinds; all when absent. */
  readonly kinds?: readonly LintKind[] | undefined;
}

/** Every finding, kind by kind in the order of `LINT_KINDS`. */
export async function* lintPrices(options: LintOptions): AsyncGenerator<LintFinding> {
  const scope: LintScope = {
    company: literal(options.company),
    currency: literal(options.currency),
    today: literal(options.today),
    policy: options.policy,
  };
  const broken = await brokenConditions(options);
  const all = [...placeChecks(scope), ...valueChecks(scope), ...wordChecks(scope, broken)];
  const nameOf = rememberedNames(options.origin);
  for (const kind of LINT_KINDS) {
    if (options.kinds !== undefined && !options.kinds.includes(kind)) continue;
    for (const check of all.filter((each) => each.kind === kind))
      yield* findingsOf(options.store, check, nameOf);
  }
}

export interface LintSummary {
  /** Findings by kind, those with none left out, with so many examples each. */
  readonly kinds: readonly {
    readonly kind: LintKind;
    readonly count: number;
    readonly severities: Readonly<Record<LintSeverity, number>>;
    readonly examples: readonly LintFinding[];
  }[];
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

/** Counts all findings and keeps the first few of each kind. */
export async function summarise(
  findings: AsyncIterable<LintFinding>,
  examples: number,
): Promise<LintSummary> {
  const kinds = new Map<
    LintKind,
    { count: number; severities: Record<LintSeverity, number>; examples: LintFinding[] }
  >();
  for await (const finding of findings) {
    const found = kinds.get(finding.kind) ?? {
      count: 0,
      severities: { error: 0, warning: 0, note: 0 },
      examples: [],
    };
    kinds.set(finding.kind, found);
    found.count += 1;
    found.severities[finding.severity] += 1;
    keepWorst(found.examples, finding, examples);
  }
  const of = (severity: LintSeverity) =>
    [...kinds.values()].reduce((sum, { severities }) => sum + severities[severity], 0);
  return {
    kinds: [...kinds].map(([kind, found]) => ({ kind, ...found })),
    errors: of("error"),
    warnings: of("warning"),
    notes: of("note"),
  };
}

/** The first of the worst: a warning takes the place of the last note that came before it. */
function keepWorst(kept: LintFinding[], finding: LintFinding, most: number): void {
  const rank = ({ severity }: LintFinding) => LINT_SEVERITIES.indexOf(severity);
  if (kept.length < most) {
    kept.push(finding);
    return;
  }
  const mildest = Math.max(...kept.map(rank));
  if (rank(finding) >= mildest) return;
  kept.splice(
    kept.findLastIndex((each) => rank(each) === mildest),
    1,
  );
  kept.push(finding);
}

/** The distinct conditions that cannot be read, and why; they are few where rules are many. */
async function brokenConditions({ store, company }: LintOptions): Promise<Map<string, string>> {
  const rows = await store.query<{ conditions: string }>(
    "select distinct conditions from price_rule where company = $1 and conditions is not null",
    [company],
  );
  const problems = rows.map(
    ({ conditions }) => [conditions, conditionProblem(conditions)] as const,
  );
  return new Map(problems.filter((each): each is [string, string] => each[1] !== null));
}

function rememberedNames(origin: OriginName | undefined) {
  const known = new Map<string, string | null>();
  return async (id: string): Promise<string | null> => {
    const name = known.get(id);
    if (name !== undefined) return name;
    const found = (await origin?.(id))?.name ?? null;
    known.set(id, found);
    return found;
  };
}

async function* findingsOf(
  store: Store,
  check: Check,
  nameOf: (id: string) => Promise<string | null>,
): AsyncGenerator<LintFinding> {
  for await (const row of rowsOf(store, check.sql))
    yield {
      kind: check.kind,
      severity: row.severity ?? check.severity,
      record: check.record,
      row: row.row,
      ...check.say(row),
      origin: await nameOf(row.origin_id),
      originId: row.origin_id,
      line: row.origin_line,
    };
}

/** JSON lines out of COPY, which escapes backslashes only: JSON holds no bare controls. */
async function* rowsOf(store: Store, sql: string): AsyncGenerator<FoundRow> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of store.copyOut(
    `COPY (select to_json(found) from (${sql}) found) TO STDOUT`,
  )) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line.replaceAll("\\\\", "\\")) as FoundRow;
  }
}
