/**
 * Our ledger against the ERP's own: count, net and VAT by period and document type. A difference
 * is named document by document as far as the ERP's ledger shows its documents; what is left is
 * said to be unexplained, never spread or hidden.
 */
import { decimal, type Money } from "../model/index.ts";
import type { SalesContext } from "./context.ts";
import { trust, type Trust } from "./totals.ts";

export interface Figures {
  readonly documents: number;
  /** Positive on both types, as the ERP states its totals. */
  readonly net: string;
  readonly vat: string;
}

/** Why a document makes a difference. */
export type DifferenceCause =
  /** In the ERP's ledger, and never received. */
  | "not received"
  /** Its row, or one of its lines, is set aside. */
  | "in quarantine"
  /** Its lines are here, its document is not. */
  | "waiting for header"
  /** Both have it with other amounts. */
  | "amount"
  /** Both have it, in different periods. */
  | "period"
  /** Posted here, and not in the ERP's ledger. */
  | "not in the ERP's ledger";

export interface NamedDifference extends Figures {
  readonly cause: DifferenceCause;
  readonly document: string;
  readonly account: string | null;
  readonly about: string;
}

export interface PeriodReconciliation {
  readonly period: string;
  readonly documentType: "invoice" | "credit";
  /** What the ERP says; null: it states no total for the period. */
  readonly erp: Figures | null;
  readonly ledger: Figures;
  /** ERP less ledger; null without an ERP total. */
  readonly difference: Figures | null;
  readonly named: readonly NamedDifference[];
  /** The difference less everything named; all 0 when each penny has a name. */
  readonly unexplained: Figures | null;
  readonly equal: boolean;
  /** Posted from documents whose lines fall short of their total. */
  readonly unanalysedNet: string;
}

export interface Reconciliation {
  /** True: there were totals to compare, and every one is equal to the penny. */
  readonly totalsEqual: boolean;
  readonly periods: readonly PeriodReconciliation[];
  readonly trust: Trust;
}

type DocumentType = PeriodReconciliation["documentType"];

interface Side extends Figures {
  readonly period: string;
  readonly documentType: DocumentType;
}

interface LedgerSide extends Side {
  readonly unanalysedNet: string;
}

/** A document in one of the two ledgers, or in both; each side null where it is not. */
interface DocumentPair {
  readonly documentType: DocumentType;
  readonly document: string;
  readonly account: string | null;
  readonly erpPeriod: string | null;
  readonly erpNet: string | null;
  readonly erpVat: string | null;
  readonly ourPeriod: string | null;
  readonly ourNet: string | null;
  readonly ourVat: string | null;
  readonly waiting: boolean;
}

export async function reconcile(context: SalesContext, period?: string): Promise<Reconciliation> {
  const { store, company } = context;
  const values = [company, period ?? null];
  const erp = await store.query<Side>(ERP_TOTALS, values);
  const ours = await store.query<LedgerSide>(LEDGER_TOTALS, values);
  const pairs = await store.query<DocumentPair>(DIFFERING_DOCUMENTS, values);
  const missing = pairs.filter((pair) => pair.ourNet === null).map((pair) => pair.document);
  const setAside = await context.sources.setAside(missing);
  const periods = slots(erp, ours).map(({ key, documentType, ...slot }) =>
    compare(
      slot.period,
      documentType,
      erp.find((side) => sideKey(side) === key) ?? null,
      ours.find((side) => sideKey(side) === key) ?? null,
      pairs
        .filter((pair) => pair.documentType === documentType)
        .flatMap((pair) => nameDifferences(pair, slot.period, setAside)),
    ),
  );
  // Before the first period that the ERP states totals for there is nothing to compare with; after
  // it a period without one is a difference, not a silence.
  const first = erp.map((side) => side.period).sort()[0] ?? "";
  const compared = periods.filter((one) => one.erp !== null || one.period >= first);
  return {
    totalsEqual: erp.length > 0 && compared.every((one) => one.equal),
    periods,
    trust: await trust(context),
  };
}

function sideKey(side: { readonly period: string; readonly documentType: string }): string {
  return `${side.period}/${side.documentType}`;
}

function slots(erp: readonly Side[], ours: readonly Side[]) {
  const found = new Map<string, { key: string; period: string; documentType: DocumentType }>();
  for (const { period, documentType } of [...erp, ...ours]) {
    const key = sideKey({ period, documentType });
    found.set(key, { key, period, documentType });
  }
  // invoices before credits of the same period
  return [...found.values()].sort((a, b) =>
    a.period === b.period
      ? b.documentType.localeCompare(a.documentType)
      : a.period.localeCompare(b.period),
  );
}

function compare(
  period: string,
  documentType: DocumentType,
  erp: Side | null,
  ours: LedgerSide | null,
  named: readonly NamedDifference[],
): PeriodReconciliation {
  const ledger = figuresOf(ours ?? NOTHING);
  const difference = erp === null ? null : subtract(figuresOf(erp), ledger);
  return {
    period,
    documentType,
    erp: erp === null ? null : figuresOf(erp),
    ledger,
    difference,
    named,
    unexplained: difference === null ? null : named.reduce(subtract, difference),
    equal: difference !== null && isNothing(difference),
    unanalysedNet: ours?.unanalysedNet ?? "0.00",
  };
}

const NOTHING: Figures = { documents: 0, net: "0.00", vat: "0.00" };

function figuresOf({ documents, net, vat }: Figures): Figures {
  return { documents, net, vat };
}

function subtract(left: Figures, right: Figures): Figures {
  return {
    documents: left.documents - right.documents,
    net: less(left.net, right.net),
    vat: less(left.vat, right.vat),
  };
}

function less(left: string, right: string): string {
  const value: Money = decimal.subtract(decimal.parse(left), decimal.parse(right));
  return decimal.format(decimal.add(value, decimal.integer(0, 2)));
}

function isNothing(figures: Figures): boolean {
  const zero = (text: string): boolean => decimal.parse(text).digits === 0n;
  return figures.documents === 0 && zero(figures.net) && zero(figures.vat);
}

/** What one document adds to the difference (ERP less ledger) of one period. */
function nameDifferences(
  pair: DocumentPair,
  period: string,
  setAside: ReadonlyMap<string, string>,
): NamedDifference[] {
  const { document, account, erpPeriod, ourPeriod } = pair;
  const erp = { documents: 1, net: pair.erpNet ?? "0.00", vat: pair.erpVat ?? "0.00" };
  const ours = { documents: 1, net: pair.ourNet ?? "0.00", vat: pair.ourVat ?? "0.00" };
  const say = (cause: DifferenceCause, figures: Figures, about: string): NamedDifference[] => [
    { cause, document, account, ...figures, about },
  ];
  if (ourPeriod === null)
    return erpPeriod === period ? say(...missing(pair, erp, setAside.get(document))) : [];
  if (erpPeriod === null)
    return ourPeriod === period
      ? say(
          "not in the ERP's ledger",
          subtract(NOTHING, ours),
          "Posted here, not in the ERP's ledger.",
        )
      : [];
  if (erpPeriod !== ourPeriod) {
    const about = `The ERP's ledger has it in ${erpPeriod}, its document says ${ourPeriod}.`;
    if (erpPeriod === period) return say("period", erp, about);
    return ourPeriod === period ? say("period", subtract(NOTHING, ours), about) : [];
  }
  return erpPeriod === period
    ? say(
        "amount",
        subtract(erp, ours),
        `The ERP's ledger has ${erp.net} net and ${erp.vat} VAT, its document ${ours.net} and ${ours.vat}.`,
      )
    : [];
}

function missing(
  pair: DocumentPair,
  erp: Figures,
  setAside: string | undefined,
): [DifferenceCause, Figures, string] {
  if (setAside !== undefined) return ["in quarantine", erp, setAside];
  if (pair.waiting)
    return ["waiting for header", erp, "Its lines are here, its document has not arrived."];
  return ["not received", erp, "It is in the ERP's ledger, and its document never arrived."];
}

const ERP_TOTALS = `
  select period, document_type as "documentType", documents, abs(net) as net, abs(vat) as vat
    from control_total where company = $1 and ($2::text is null or period = $2)`;

/** One row a document that stands in our ledger, positive on both types. */
const OUR_DOCUMENTS = `
  select document_type, document, min(account) as account, period,
         sum(case when document_type = 'credit' then -net else net end) as net,
         sum(case when document_type = 'credit' then -vat else vat end) as vat,
         sum(case when document_type = 'credit' then -net else net end)
           filter (where line_class = 'unanalysed') as unanalysed
    from sales_posting where company = $1
   group by document_type, document, period
  having sum(case when reversal then -1 else 1 end) > 0`;

const LEDGER_TOTALS = `
  select period, document_type as "documentType", count(*)::int as documents, sum(net) as net,
         sum(vat) as vat, coalesce(sum(unanalysed), 0)::numeric(18, 2) as "unanalysedNet"
    from (${OUR_DOCUMENTS}) ours
   where $2::text is null or period = $2
   group by period, document_type`;

/** A ledger that keeps only gross says nothing of net and VAT: then amounts are not compared. */
const DIFFERING_DOCUMENTS = `
  with theirs as (
    select kind as document_type, document, min(account) as account,
           min(coalesce(period, to_char(posted_on, 'YYYY-MM'))) as period,
           sum(abs(net)) as net, sum(abs(vat)) as vat
      from ledger_transaction
     where company = $1 and kind in ('invoice', 'credit') and document is not null
     group by kind, document),
  ours as (${OUR_DOCUMENTS}),
  waiting as (
    select distinct l.document_type, l.document from sales_line l
     where l.company = $1 and not exists (
       select 1 from sales_document d where d.company = l.company
          and d.document_type = l.document_type and d.document = l.document))
  select document_type as "documentType", document,
         coalesce(ours.account, theirs.account) as account, theirs.period as "erpPeriod",
         theirs.net as "erpNet", theirs.vat as "erpVat", ours.period as "ourPeriod",
         ours.net as "ourNet", ours.vat as "ourVat", waiting.document is not null as waiting
    from ours full join theirs using (document_type, document)
    left join waiting using (document_type, document)
   where ($2::text is null or ours.period = $2 or theirs.period = $2)
     and (ours.period is null
          or (theirs.period is null
              and exists (select 1 from theirs any_of where any_of.document_type = ours.document_type))
          or theirs.period <> ours.period or theirs.net <> ours.net or theirs.vat <> ours.vat)
   order by document_type, document`;
