/** A rep's statement: what a run came to for one rep, down to every line and why. */
import type { PayBecause } from "./because.ts";
import { sentence } from "./because.ts";
import { IncentivesError } from "./context.ts";
import type { Opened } from "./context.ts";
import { percentText } from "./engine/index.ts";
import type { ClassEvidence, Link, Rate, SalesClass } from "./engine/index.ts";
import { addPounds } from "./money.ts";
import { findRun } from "./run.ts";
import type { Run, RunChoice } from "./run.ts";
import { decimal } from "../model/index.ts";
import type { Channel } from "../model/index.ts";

export interface Statement {
  readonly rep: string;
  /** Null when the rep's record is not known. */
  readonly name: string | null;
  readonly run: Run;
  readonly components: readonly StatementComponent[];
  /** Net of the rep's shares. */
  readonly base: string;
  readonly pay: string;
  /** The version before this one; null for the first. */
  readonly previous: {
    readonly run: number;
    readonly version: number;
    readonly pay: string;
  } | null;
  /** By document date. */
  readonly lines: readonly StatementLine[];
}

export interface StatementComponent {
  readonly component: string;
  readonly title: string;
  readonly rows: readonly StatementRow[];
  readonly base: string;
  readonly pay: string;
}

export interface StatementRow {
  readonly period: string;
  readonly class: SalesClass;
  readonly channel: Channel;
  readonly rate: Rate;
  readonly ratePercent: string;
  readonly lines: number;
  readonly base: string;
  readonly pay: string;
}

export interface StatementLine {
  /** "12/1042": run and number; what `trace` takes. */
  readonly id: string;
  readonly component: string;
  readonly period: string;
  readonly documentOn: string;
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  readonly reversal: boolean;
  readonly account: string;
  /** Name of the account now; null when it is not known any more. */
  readonly customer: string | null;
  readonly net: string;
  readonly sharePercent: string;
  /** Net × share, exact. */
  readonly base: string;
  readonly class: SalesClass;
  readonly channel: Channel;
  readonly ratePercent: string;
  /** Base × rate, exact. */
  readonly exact: string;
  /** Whole pence: the lines add up to the pay. */
  readonly pay: string;
  readonly because: PayBecause;
  readonly sentence: string;
  readonly posting: string;
}

export async function statementOf(
  context: Opened,
  { rep, of }: { readonly rep: string; readonly of: RunChoice },
): Promise<Statement> {
  const { bridge: _, notes: __, ...run } = await findRun(context, of);
  const { name } = await findRep(context, rep, run.run);
  const components = await readComponents(context, rep, run.run);
  return {
    rep,
    name,
    run,
    components,
    base: components[0]?.base ?? "0.00",
    pay: addPounds(components.map((component) => component.pay)),
    previous: await readPrevious(context, rep, run),
    lines: await readLines(context, run, { rep }),
  };
}

/** A rep that is neither known nor paid in the run is a slip of the pen. */
async function findRep(
  { store, company }: Opened,
  rep: string,
  run: number,
): Promise<{ name: string | null }> {
  const [found] = await store.query<{ name: string | null; paid: boolean }>(
    `select (select name from rep where company = $1 and rep = $2) as name,
            exists (select 1 from pay_total where company = $1 and rep = $2 and run = $3) as paid`,
    [company, rep, run],
  );
  if (found !== undefined && (found.name !== null || found.paid)) return found;
  throw new IncentivesError(
    "rep-unknown",
    `Writing a statement: no rep has the code "${rep}", and pay run ${run} pays nobody of that code. ` +
      "Codes are compared exactly, case included.",
  );
}

async function readComponents(
  { store, company }: Opened,
  rep: string,
  run: number,
): Promise<StatementComponent[]> {
  const rows = await store.query<Omit<StatementRow, "ratePercent"> & Titled>(
    `select component, title, period, class, channel, rate, lines, base, pay from pay_total
      where company = $1 and run = $2 and holder = 'rep' and rep = $3 order by total`,
    [company, run, rep],
  );
  const byComponent = Map.groupBy(rows, ({ component }) => component);
  return [...byComponent].map(([component, own]) => ({
    component,
    title: own[0]?.title ?? component,
    rows: own.map(({ period, class: salesClass, channel, rate, lines, base, pay }) => ({
      period,
      class: salesClass,
      channel,
      rate,
      ratePercent: percentText(rate.units),
      lines,
      base,
      pay,
    })),
    base: addPounds(own.map((row) => row.base)),
    pay: addPounds(own.map((row) => row.pay)),
  }));
}

interface Titled {
  readonly component: string;
  readonly title: string;
}

async function readPrevious(
  { store, company }: Opened,
  rep: string,
  { plan, from, to, version }: Run,
): Promise<Statement["previous"]> {
  const [previous] = await store.query<NonNullable<Statement["previous"]>>(
    `select r.run, r.version, coalesce(sum(t.pay), 0)::numeric(18, 2) as pay
       from pay_run r
       left join pay_total t
         on t.company = r.company and t.run = r.run and t.holder = 'rep' and t.rep = $2
      where r.company = $1 and r.plan = $3 and r.from_period = $4 and r.to_period = $5
        and r.version = $6
      group by r.run, r.version`,
    [company, rep, plan, from, to, version - 1],
  );
  return previous ?? null;
}

/** A line as it is kept. */
interface LineRow {
  readonly number: number;
  readonly total: number;
  readonly documentOn: string;
  readonly documentType: "invoice" | "credit";
  readonly document: string;
  readonly line: number;
  readonly reversal: boolean;
  readonly account: string;
  readonly net: string;
  readonly sharePercent: string;
  readonly base: string;
  readonly exact: string;
  readonly pay: string;
  readonly posting: string;
  readonly assignedFrom: string | null;
  readonly assignedTo: string | null;
  readonly link: Link["kind"];
  readonly creditedDocument: string | null;
  readonly creditedLine: number | null;
  readonly creditedOn: string | null;
  readonly evidence: number;
}

const LINE_COLUMNS = `number, total, document_on as "documentOn", document_type as "documentType",
  document, line, reversal, account, net, share_percent as "sharePercent", base, exact, pay, posting,
  assigned_from as "assignedFrom", assigned_to as "assignedTo", link,
  credited_document as "creditedDocument", credited_line as "creditedLine",
  credited_on as "creditedOn", evidence`;

/** Lines of a run: of one rep, or the one of a number. */
export async function readLines(
  { store, company }: Opened,
  { run, plan }: Run,
  which: { readonly rep: string } | { readonly number: number },
): Promise<StatementLine[]> {
  const [condition, value] =
    "rep" in which
      ? [
          `total = any (array(select total from pay_total
             where company = $1 and run = $2 and holder = 'rep' and rep = $3))`,
          which.rep,
        ]
      : ["number = $3", which.number];
  const lines = await store.query<LineRow>(
    `select ${LINE_COLUMNS} from pay_line
      where company = $1 and run = $2 and ${condition} order by number`,
    [company, run, value],
  );
  // Four simple reads instead of one join: right after a run the database has no idea yet how large
  // its rows are, and joins them in an order that takes seconds.
  const about = await readAbout({ store, company }, run, lines);
  return lines.map((line) => {
    const total = about.totals.get(line.total);
    const facts = about.evidence.get(line.evidence);
    if (total === undefined || facts === undefined) throw brokenLine(run, line.number);
    const customer = about.customers.get(line.account) ?? null;
    return lineFrom(line, { run, plan, total, facts, customer });
  });
}

function brokenLine(run: number, number: number): IncentivesError {
  return new IncentivesError(
    "run-broken",
    `Reading pay line ${run}/${number}: its total or its evidence is not there, though a run is ` +
      "written whole. Somebody changed the database: restore it, or calculate the periods again.",
  );
}

type Total = Pick<StatementRow, "period" | "class" | "channel" | "rate"> & {
  readonly component: string;
};

interface About {
  readonly totals: ReadonlyMap<number, Total>;
  readonly evidence: ReadonlyMap<number, ClassEvidence>;
  readonly customers: ReadonlyMap<string, string>;
}

async function readAbout(
  { store, company }: Pick<Opened, "store" | "company">,
  run: number,
  lines: readonly LineRow[],
): Promise<About> {
  const distinct = <T>(of: (line: LineRow) => T): T[] => [...new Set(lines.map(of))];
  const totals = await store.query<Total & { total: number }>(
    `select total, component, period, class, channel, rate from pay_total
      where company = $1 and run = $2 and total = any ($3::int[])`,
    [company, run, distinct((line) => line.total)],
  );
  const evidence = await store.query<{ evidence: number; facts: ClassEvidence }>(
    `select evidence, facts from pay_evidence
      where company = $1 and run = $2 and evidence = any ($3::int[])`,
    [company, run, distinct((line) => line.evidence)],
  );
  const customers = await store.query<{ account: string; name: string }>(
    "select account, name from customer where company = $1 and account = any ($2::text[])",
    [company, distinct((line) => line.account)],
  );
  return {
    totals: new Map(totals.map((row) => [row.total, row])),
    evidence: new Map(evidence.map((row) => [row.evidence, row.facts])),
    customers: new Map(customers.map((row) => [row.account, row.name])),
  };
}

function lineFrom(
  row: LineRow,
  about: {
    readonly run: number;
    readonly plan: string;
    readonly total: Total;
    readonly facts: ClassEvidence;
    readonly customer: string | null;
  },
): StatementLine {
  const { component, period, class: salesClass, channel, rate } = about.total;
  const sharePercent = short(row.sharePercent);
  const share = { percent: sharePercent, from: row.assignedFrom, to: row.assignedTo };
  const because = { class: about.facts, link: linkFrom(row), share, rate, plan: about.plan };
  return {
    id: `${about.run}/${row.number}`,
    component,
    period,
    documentOn: row.documentOn,
    documentType: row.documentType,
    document: row.document,
    line: row.line,
    reversal: row.reversal,
    account: row.account,
    customer: about.customer,
    net: row.net,
    sharePercent,
    base: short(row.base),
    class: salesClass,
    channel,
    ratePercent: percentText(rate.units),
    exact: short(row.exact),
    pay: row.pay,
    because,
    sentence: sentence(because),
    posting: row.posting,
  };
}

function linkFrom({ link, creditedDocument, creditedLine, creditedOn }: LineRow): Link {
  const document = creditedDocument ?? "";
  const documentOn = creditedOn ?? "";
  switch (link) {
    case "own":
      return { kind: "own" };
    case "line":
      return { kind: "line", document, line: creditedLine ?? 0, documentOn };
    case "document":
      return { kind: "document", document, documentOn };
    case "unlinked":
      return { kind: "unlinked", document: creditedDocument };
    default:
      return link satisfies never;
  }
}

/** 60.0000 → 60 */
function short(text: string): string {
  return decimal.canonical(decimal.parse(text));
}
