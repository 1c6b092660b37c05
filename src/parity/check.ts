/**
 * Brings parity up to the sales ledger: documents that were posted since the last time, those that
 * hang together with them, and what did not match when the price book has changed. Set by set, a
 * transaction each; running it again at once looks at nothing.
 */
import { POSTED_DOCUMENTS, STANDING_LINES } from "../sales/index.ts";
import type { Trial } from "../pricing/index.ts";
import type { Transaction } from "../store/index.ts";
import { today } from "./context.ts";
import type { ParityContext } from "./context.ts";
import { CHARGED } from "./facts.ts";
import type { ChargedLine } from "./facts.ts";
import { judge } from "./judge.ts";
import { keepLines, keepTotals } from "./keep.ts";
import { pooledBy } from "./pooled.ts";
import { inSlices } from "./slices.ts";
import { settleTyped } from "./typed.ts";

export interface CheckOptions {
  /** True: every document is looked at, whatever changed. */
  readonly everything?: boolean;
  /** After each set: lines looked at so far, and how many documents there are in all. */
  readonly progress?: (progress: { readonly documents: number; readonly of: number }) => void;
}

export interface Checked {
  readonly documents: number;
  readonly lines: number;
  /** Version of the price book that they were priced by; null: there is none yet. */
  readonly book: string | null;
}

interface Due {
  readonly documentType: string;
  readonly document: string;
}

export async function check(context: ParityContext, options: CheckOptions = {}): Promise<Checked> {
  if (context.pricing.book() === null) return { documents: 0, lines: 0, book: null };
  const trial = context.pricing.trial();
  const { store } = context;
  const batch = await watermark(context);
  const due = await dueDocuments(context, trial, batch, options.everything === true);
  let documents = 0;
  let lines = 0;
  const days = new Set<string>();
  for (const set of setsOf(due)) {
    const kept = await store.transaction((tx) => checkSet(tx, context, trial, set));
    for (const day of kept.days) days.add(day);
    lines += kept.lines;
    documents += set.length;
    options.progress?.({ documents, of: due.length });
  }
  await store.transaction((tx) => finish(tx, context, { trial, batch, days: [...days], lines }));
  return { documents, lines, book: trial.version };
}

/** From so many lines on the planner must not go on believing that there are none. */
const MANY_LINES = 10_000;

/**
 * Until this is done the ledger counts as not looked at: after a kill the same documents are due
 * again.
 */
async function finish(
  tx: Transaction,
  { company, now }: ParityContext,
  {
    trial,
    batch,
    days,
    lines,
  }: {
    readonly trial: Trial;
    readonly batch: number;
    readonly days: readonly string[];
    readonly lines: number;
  },
): Promise<void> {
  await oneAtATime(tx, company);
  if (lines > MANY_LINES) await tx.query("analyze parity_line");
  const settled = days.length === 0 ? [] : await settleTyped(tx, company, days);
  if (days.length > 0) await keepTotals(tx, company, [...new Set([...days, ...settled])]);
  await tx.affect(
    `insert into parity_state (company, batch, policy, book, checked_at) values ($1, $2, $3, $4, $5)
     on conflict (company) do update
        set batch = excluded.batch, policy = excluded.policy, book = excluded.book,
            checked_at = excluded.checked_at`,
    [company, batch, trial.policy.version, trial.version, now()],
  );
}

/** So that no line is counted twice. */
async function oneAtATime(tx: Transaction, company: string): Promise<void> {
  await tx.query("select pg_advisory_xact_lock(hashtextextended('parity/' || $1, 0))", [company]);
}

async function watermark({ store, company }: ParityContext): Promise<number> {
  const [ledger] = await store.query<{ batch: number | null }>(
    `select max(batch) as batch from ${POSTED_DOCUMENTS} posted where company = $1`,
    [company],
  );
  return ledger?.batch ?? 0;
}

/** Days back that a line which does not match is looked at again when prices have changed. */
const AGAIN_DAYS = 90;

async function dueDocuments(
  context: ParityContext,
  { policy, version }: Trial,
  batch: number,
  everything: boolean,
): Promise<Due[]> {
  const { store, company } = context;
  const [state] = await store.query<{ batch: number; policy: string; book: string }>(
    "select batch, policy, book from parity_state where company = $1",
    [company],
  );
  const all = everything || state === undefined || state.policy !== policy.version;
  if (!all && state.batch === batch && state.book === version) return [];
  const since = all ? -1 : state.batch;
  const again = !all && state.book !== version;
  return store.query<Due>(DUE, [company, since, again, today(context), AGAIN_DAYS]);
}

/**
 * An order's other deliveries are looked at with a new one, and so is what credits a document. By
 * days, so that a set touches few months.
 */
const DUE = `
  with posted as materialized (
    select distinct document_type, document from ${POSTED_DOCUMENTS} every
     where company = $1 and batch > $2),
  kin as (
    select other.document_type, other.document
      from posted
      join sales_line l on l.company = $1 and l.document_type = posted.document_type
       and l.document = posted.document and l.erp_order is not null
      join sales_line other on other.company = $1 and other.erp_order = l.erp_order
       and other.erp_order_line = l.erp_order_line
     where $2 >= 0
    union
    select 'credit', l.document from posted
      join sales_line l on l.company = $1 and l.credits_document = posted.document
       and l.document_type = 'credit'
     where $2 >= 0 and posted.document_type = 'invoice'),
  due as (
    select document_type, document from posted
    union select document_type, document from kin
    union select document_type, document from parity_line
           where company = $1 and $3 and state <> 'match' and document_on >= $4::date - $5::int)
  select due.document_type as "documentType", due.document
    from due
    left join ${STANDING_LINES} s on s.company = $1 and s.document_type = due.document_type
     and s.document = due.document
   group by 1, 2 order by max(s.document_on), 1, 2`;

/** So many that reading them is mostly joining, and so few that they fit in memory. */
const DOCUMENTS_AT_ONCE = 5_000;

function* setsOf(due: readonly Due[]): Generator<readonly Due[]> {
  for (let at = 0; at < due.length; at += DOCUMENTS_AT_ONCE)
    yield due.slice(at, at + DOCUMENTS_AT_ONCE);
}

async function checkSet(
  tx: Transaction,
  context: ParityContext,
  trial: Trial,
  set: readonly Due[],
): Promise<{ readonly lines: number; readonly days: readonly string[] }> {
  const { company } = context;
  await oneAtATime(tx, company);
  const types = set.map(({ documentType }) => documentType);
  const documents = set.map(({ document }) => document);
  const charged = await tx.query<ChargedLine>(CHARGED, [company, types, documents]);
  const pooled = pooledBy(trial.policy.decides.quantity, charged);
  const judged = await inSlices(charged, (line) => ({
    line,
    verdict: judge(line, trial, pooled),
  }));
  const days = await keepLines(tx, company, { types, documents, judged });
  return { lines: charged.length, days };
}
