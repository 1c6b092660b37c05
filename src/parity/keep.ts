/** Writes what was found of lines, and adds up the days that they are of. */
import { copyTable } from "../store/index.ts";
import type { Cell, Transaction } from "../store/index.ts";
import type { ChargedLine } from "./facts.ts";
import type { Verdict } from "./judge.ts";
import { moneyText, unitText } from "./words.ts";

export interface Judged {
  readonly line: ChargedLine;
  readonly verdict: Verdict;
}

interface Kept {
  readonly types: readonly string[];
  readonly documents: readonly string[];
  readonly judged: readonly Judged[];
}

/** Puts the lines in the place of all that is kept of these documents; gives the days touched. */
export async function keepLines(
  tx: Transaction,
  company: string,
  { types, documents, judged }: Kept,
): Promise<readonly string[]> {
  const before = await tx.query<{ day: string }>(
    `with gone as (
       delete from parity_line p using unnest($2::text[], $3::text[]) as due (document_type, document)
        where p.company = $1 and p.document_type = due.document_type and p.document = due.document
       returning p.document_on)
     select distinct document_on as day from gone`,
    [company, types, documents],
  );
  await copyTable(tx, "parity_line", COLUMNS, rowsOf(company, judged));
  return [
    ...new Set([...before.map(({ day }) => day), ...judged.map(({ line }) => line.documentOn)]),
  ];
}

const COLUMNS = [
  "company",
  "document_type",
  "document",
  "line",
  "document_on",
  "account",
  "product",
  "channel",
  "source",
  "quantity",
  "charged_unit_price",
  "charged_percent",
  "charged_net",
  "charged_vat",
  "currency",
  "state",
  "reason",
  "evidence",
  "price_kind",
  "because",
  "priced_on",
  "counted_quantity",
  "unit_price",
  "net",
  "vat",
  "difference",
  "vat_difference",
];

function* rowsOf(company: string, judged: readonly Judged[]): Generator<Cell[]> {
  for (const { line, verdict } of judged)
    yield [company, ...chargedCells(line), ...verdictCells(line, verdict)];
}

function chargedCells(line: ChargedLine): Cell[] {
  return [
    line.documentType,
    line.document,
    line.line,
    line.documentOn,
    line.account,
    line.product,
    line.channel,
    line.source,
    line.quantity,
    line.unitPrice,
    line.discountPercent,
    line.net ?? "0.00",
    line.vat,
    line.currency,
  ];
}

function verdictCells(line: ChargedLine, verdict: Verdict): Cell[] {
  const { ours, pricedOn, counted } = verdict;
  return [
    verdict.state,
    verdict.reason,
    verdict.evidence,
    ours?.kind ?? "",
    verdict.because,
    pricedOn,
    counted,
    ours === null ? null : unitText(ours.unitPrice),
    ours === null ? null : moneyText(ours.net),
    ours === null || ours.vat === null ? null : moneyText(ours.vat),
    ...apart(line, verdict),
  ];
}

/** Charged less ours; what is credited counts the other way. */
function apart(
  { documentType, net, vat }: ChargedLine,
  { state, ours }: Verdict,
): [difference: string, vatDifference: string] {
  if (ours === null) return ["0.00", "0.00"];
  const turn = documentType === "credit" ? -1 : 1;
  const pence = (text: string) => Number(text.replace(".", ""));
  const sameNet = state === "match" && ours.vat !== null;
  return [
    moneyText(turn * (net === null ? 0 : pence(net) - ours.net)),
    moneyText(sameNet ? turn * (pence(vat) - (ours.vat ?? 0)) : 0),
  ];
}

export const TOTALLED = "document_on, channel, source, price_kind, state, reason, currency";

/** The lines of these days added up anew, whoever looked at them. */
export async function keepTotals(
  tx: Transaction,
  company: string,
  days: readonly string[],
): Promise<void> {
  await tx.affect("delete from parity_total where company = $1 and document_on = any($2::date[])", [
    company,
    days,
  ]);
  await tx.affect(
    `insert into parity_total
       (company, ${TOTALLED}, lines, charged_net, difference, vat_lines)
     ${TOTALS} and document_on = any($2::date[]) group by ${TOTALLED}`,
    [company, days],
  );
}

/** Credits take away what they take back. */
export const TOTALS = `
  select $1::text, ${TOTALLED}, count(*)::int,
         sum(case document_type when 'credit' then -charged_net else charged_net end),
         sum(difference), (count(*) filter (where vat_difference <> 0))::int
    from parity_line where company = $1`;
