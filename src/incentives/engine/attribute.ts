/** Who sold what, as what: every line of the base cut into shares, before any plan is looked at. */
import { baseOf } from "./base.ts";
import type { Base } from "./base.ts";
import { compileClasses } from "./classify.ts";
import type { ClassEvidence, Classes } from "./classify.ts";
import { addTo, emptySum, valueOf } from "./exact.ts";
import type { Sum } from "./exact.ts";
import { compareTexts, dayNumber } from "./facts.ts";
import type { AssignmentFact, EntityFact, LineFact, PayRules } from "./facts.ts";
import { REFERENCE } from "./ledger.ts";
import type { Ledger } from "./ledger.ts";
import { compileOrigins } from "./origin.ts";
import type { Link, Origins } from "./origin.ts";
import { compileCalendars, partsOn } from "./share.ts";
import type { AssignmentProblem, Calendars, Part } from "./share.ts";

export interface AttributionInput {
  readonly ledger: Ledger;
  readonly assignments: readonly AssignmentFact[];
  readonly entities: readonly EntityFact[];
  /** Accounts of cash and guest sales. */
  readonly cashAccounts: ReadonlySet<string>;
  readonly rules: PayRules;
}

/** One holder's part of one line, and what decided it. */
export interface Share {
  readonly line: LineFact;
  readonly part: Part;
  readonly evidence: ClassEvidence;
  readonly link: Link;
}

/** All shares by columns, since there may be millions: entry i of both is share i. */
export interface Shares {
  /** Position of the line in the ledger. */
  readonly line: Int32Array;
  /** Position in the attribution's `parts`. */
  readonly part: Int32Array;
}

/** Lines that are in the ledger and not in the base. */
export interface Excluded {
  readonly reason: "before-pay-start" | "currency" | "line-class";
  /** The currency or the line class; "" for lines before the pay start. */
  readonly what: string;
  readonly lines: number;
  readonly netPence: bigint;
}

/** From everything given to the commission base; nothing is left out without a row. */
export interface Bridge {
  readonly lines: number;
  readonly netPence: bigint;
  readonly excluded: readonly Excluded[];
  readonly baseLines: number;
  readonly basePence: bigint;
}

export interface Attribution {
  readonly ledger: Ledger;
  readonly rules: PayRules;
  readonly origins: Origins;
  readonly classes: Classes;
  /** Position in `classes.all` of every line's evidence; of a credit note's line, its invoice's. */
  readonly evidence: Int32Array;
  readonly parts: readonly Part[];
  readonly shares: Shares;
  readonly base: Base;
  readonly bridge: Bridge;
}

/** Assignments that contradict themselves on days that the run needs. */
export class AssignmentError extends Error {
  override readonly name = "AssignmentError";
  readonly code = "assignment-impossible";
  readonly problems: readonly AssignmentProblem[];

  constructor(problems: readonly AssignmentProblem[]) {
    const lines = problems.slice(0, 20).map((it) => `  ${problemText(it)}`);
    const more = problems.length > 20 ? [`  … and ${problems.length - 20} more`] : [];
    super(
      [
        "Sharing out sales: these assignments cannot be; shares of an account on a day must add up " +
          "to at most 100%. Correct them where the assignments are kept, then run again.",
        ...lines,
        ...more,
      ].join("\n"),
    );
    this.problems = problems;
  }
}

export function attribute(input: AttributionInput): Attribution {
  const { ledger, rules } = input;
  const origins = compileOrigins(ledger);
  const classes = compileClasses(ledger.pools, input.entities, input.cashAccounts, rules);
  const calendars = compileCalendars(ledger.pools.accounts, input.assignments);
  const { inBase, bridge } = takeBase(ledger, rules);
  const evidence = new Int32Array(ledger.count);
  const shares = cut({ ledger, origins, classes, calendars, inBase, evidence });
  const { parts } = calendars;
  const attributed = { ledger, rules, origins, classes, evidence, parts, shares, bridge };
  return { ...attributed, base: baseOf(attributed) };
}

/** Share `index` as one thing, with everything that decided it. */
export function shareAt(attribution: Attribution, index: number): Share {
  const { ledger, shares, parts, classes, evidence, origins } = attribution;
  const line = shares.line[index]!;
  return {
    line: ledger.lineAt(line),
    part: parts[shares.part[index]!]!,
    evidence: classes.all[evidence[line]!]!,
    link: origins.linkAt(line),
  };
}

/** Fills `evidence` and gives the shares of every line of the base. */
function cut(from: {
  readonly ledger: Ledger;
  readonly origins: Origins;
  readonly classes: Classes;
  readonly calendars: Calendars;
  readonly inBase: Uint8Array;
  readonly evidence: Int32Array;
}): Shares {
  const { ledger, origins, classes, calendars, inBase, evidence } = from;
  const { day, account, tradingEntity } = ledger.columns;
  let shares = { line: new Int32Array(ledger.count), part: new Int32Array(ledger.count) };
  let count = 0;
  let first = Infinity;
  let last = 0;
  for (let i = 0; i < ledger.count; i += 1) {
    if (inBase[i] === 0) continue;
    const rated = origins.ratedBy[i]!;
    const on = day[rated]!;
    if (on < first) first = on;
    if (on > last) last = on;
    evidence[i] = classes.find(account[rated]!, tradingEntity[rated]!, on);
    for (const part of partsOn(calendars.byAccount[account[rated]!], on)) {
      if (count === shares.line.length) shares = grown(shares);
      shares.line[count] = i;
      shares.part[count] = part;
      count += 1;
    }
  }
  refuseImpossible(calendars.problems, first, last);
  return { line: shares.line.subarray(0, count), part: shares.part.subarray(0, count) };
}

function grown(shares: Shares): { line: Int32Array<ArrayBuffer>; part: Int32Array<ArrayBuffer> } {
  const length = Math.ceil(shares.line.length * 1.5) + 16;
  const more = { line: new Int32Array(length), part: new Int32Array(length) };
  more.line.set(shares.line);
  more.part.set(shares.part);
  return more;
}

/** Faults on days that no line falls on are not this run's business. */
function refuseImpossible(
  problems: readonly AssignmentProblem[],
  first: number,
  last: number,
): void {
  const needed = problems.filter(({ from, to }) => {
    // A fault may be that it ends before it begins.
    const days = [dayNumber(from), to === null ? Infinity : dayNumber(to)];
    return Math.min(...days) <= last && Math.max(...days) >= first;
  });
  if (needed.length > 0) throw new AssignmentError(needed);
}

function problemText({ account, from, to, found }: AssignmentProblem): string {
  return `account ${account}, ${from} to ${to ?? "further notice"}: ${found}`;
}

/** Which lines are in the base, and the sums of those that are not. */
function takeBase(ledger: Ledger, rules: PayRules): { inBase: Uint8Array; bridge: Bridge } {
  const { columns, pools, count } = ledger;
  const { flags, day, currency, lineClass, netPence } = columns;
  const start = rules.payStartOn === null ? 0 : dayNumber(rules.payStartOn);
  const [ours, goods] = [pools.currencies.find(rules.currency), pools.lineClasses.find("goods")];
  const early = rowsOf("before-pay-start", [""]);
  const foreign = rowsOf("currency", pools.currencies.texts);
  const other = rowsOf("line-class", pools.lineClasses.texts);
  const inBase = new Uint8Array(count);
  for (let i = 0; i < count; i += 1) {
    if ((flags[i]! & REFERENCE) !== 0) continue;
    if (day[i]! < start) take(early[0]!, netPence[i]!);
    else if (currency[i] !== ours) take(foreign[currency[i]!]!, netPence[i]!);
    else {
      take(other[lineClass[i]!]!, netPence[i]!);
      if (lineClass[i] === goods) inBase[i] = 1;
    }
  }
  return { inBase, bridge: bridgeFrom([...early, ...foreign, ...other]) };
}

interface Row {
  readonly reason: Excluded["reason"];
  readonly what: string;
  readonly net: Sum;
  lines: number;
}

function rowsOf(reason: Excluded["reason"], whats: readonly string[]): Row[] {
  return whats.map((what) => ({ reason, what, net: emptySum(), lines: 0 }));
}

function take(row: Row, netPence: number): void {
  row.lines += 1;
  addTo(row.net, netPence);
}

function bridgeFrom(rows: readonly Row[]): Bridge {
  const filled = rows
    .filter(({ lines }) => lines > 0)
    .map(({ net, ...row }) => ({ ...row, netPence: valueOf(net) }))
    .sort((a, b) => compareTexts(a.reason, b.reason) || compareTexts(a.what, b.what));
  const isBase = ({ reason, what }: Excluded): boolean =>
    reason === "line-class" && what === "goods";
  const base = filled.find(isBase);
  return {
    lines: filled.reduce((sum, row) => sum + row.lines, 0),
    netPence: filled.reduce((sum, row) => sum + row.netPence, 0n),
    excluded: filled.filter((row) => !isBase(row)),
    baseLines: base?.lines ?? 0,
    basePence: base?.netPence ?? 0n,
  };
}
