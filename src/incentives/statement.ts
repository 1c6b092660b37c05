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
    lines: await readLines(context, run, `t.holder = 'rep' and t.rep = $3`, rep),
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

interface LineRow extends Omit<StatementLine, "id" | "ratePercent" | "because" | "sentence"> {
  readonly number: number;
  readonly assignedFrom: string | null;
  readonly assignedTo: string | null;
  readonly link: Link["kind"];
  readonly creditedDocument: string | null;
  readonly creditedLine: number | null;
  readonly creditedOn: string | null;
  readonly rate: Rate;
  readonly facts: ClassEvidence;
}

/** Lines of a run that a condition on `pay_total t` and `pay_line l` names; its value is `$3`. */
export async function readLines(
  { store, company }: Opened,
  { run, plan }: Run,
  condition: string,
  value: string | number,
): Promise<StatementLine[]> {
  const rows = await store.query<LineRow>(
    `select l.number, t.component, t.period, t.class, t.channel, t.rate,
            l.document_on as "documentOn", l.document_type as "documentType", l.document, l.line,
            l.reversal, l.account, c.name as customer, l.net, l.share_percent as "sharePercent",
            l.base, l.exact, l.pay, l.posting, l.assigned_from as "assignedFrom",
            l.assigned_to as "assignedTo", l.link, l.credited_document as "creditedDocument",
            l.credited_line as "creditedLine", l.credited_on as "creditedOn", e.facts
       from pay_total t
       join pay_line l on l.company = t.company and l.run = t.run and l.total = t.total
       join pay_evidence e on e.company = l.company and e.run = l.run and e.evidence = l.evidence
       left join customer c on c.company = l.company and c.account = l.account
      where t.company = $1 and t.run = $2 and ${condition}
      order by l.number`,
    [company, run, value],
  );
  return rows.map((row) => lineFrom(row, run, plan));
}

function lineFrom(row: LineRow, run: number, plan: string): StatementLine {
  const sharePercent = short(row.sharePercent);
  const share = { percent: sharePercent, from: row.assignedFrom, to: row.assignedTo };
  const because = { class: row.facts, link: linkFrom(row), share, rate: row.rate, plan };
  return {
    id: `${run}/${row.number}`,
    component: row.component,
    period: row.period,
    documentOn: row.documentOn,
    documentType: row.documentType,
    document: row.document,
    line: row.line,
    reversal: row.reversal,
    account: row.account,
    customer: row.customer,
    net: row.net,
    sharePercent,
    base: short(row.base),
    class: row.class,
    channel: row.channel,
    ratePercent: percentText(row.rate.units),
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
