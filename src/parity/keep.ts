/** Writes what was found of lines, and adds up the days that they are of. */
import type { Transaction } from "../store/index.ts";
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
    `delete from parity_line p using unnest($2::text[], $3::text[]) as due (document_type, document)
      where p.company = $1 and p.document_type = due.document_type and p.document = due.document
     returning p.document_on as day`,
    [company, types, documents],
  );
  const rows = judged.map(rowOf);
  await tx.affect(
    `insert into parity_line (company, ${COLUMNS.map(([name]) => name).join(", ")})
     select $1, ${COLUMNS.map(([name]) => name).join(", ")}
       from json_to_recordset($2::json) as row (${COLUMNS.map((each) => each.join(" ")).join(", ")})`,
    [company, JSON.stringify(rows)],
  );
  return [
    ...new Set([...before.map(({ day }) => day), ...judged.map(({ line }) => line.documentOn)]),
  ];
}

const COLUMNS = [
  ["document_type", "text"],
  ["document", "text"],
  ["line", "int"],
  ["document_on", "date"],
  ["account", "text"],
  ["product", "text"],
  ["channel", "text"],
  ["source", "text"],
  ["state", "text"],
  ["reason", "text"],
  ["evidence", "text"],
  ["price_kind", "text"],
  ["because", "text"],
  ["priced_on", "date"],
  ["counted_quantity", "numeric"],
  ["quantity", "numeric"],
  ["unit_price", "numeric"],
  ["net", "numeric"],
  ["vat", "numeric"],
  ["charged_unit_price", "numeric"],
  ["charged_percent", "numeric"],
  ["charged_net", "numeric"],
  ["charged_vat", "numeric"],
  ["difference", "numeric"],
  ["vat_difference", "numeric"],
  ["currency", "text"],
] as const;

type Row = Readonly<Record<(typeof COLUMNS)[number][0], string | number | null>>;

function rowOf({ line, verdict }: Judged): Row {
  const { ours, pricedOn, counted } = verdict;
  return {
    document_type: line.documentType,
    document: line.document,
    line: line.line,
    document_on: line.documentOn,
    account: line.account,
    product: line.product,
    channel: line.channel,
    source: line.source,
    state: verdict.state,
    reason: verdict.reason,
    evidence: verdict.evidence,
    price_kind: ours?.kind ?? "",
    because: verdict.because,
    priced_on: pricedOn,
    counted_quantity: counted,
    quantity: line.quantity,
    unit_price: ours === null ? null : unitText(ours.unitPrice),
    net: ours === null ? null : moneyText(ours.net),
    vat: ours === null || ours.vat === null ? null : moneyText(ours.vat),
    charged_unit_price: line.unitPrice,
    charged_percent: line.discountPercent,
    charged_net: line.net ?? "0.00",
    charged_vat: line.vat,
    ...apart(line, verdict),
    currency: line.currency,
  };
}

/** Charged less ours; what is credited counts the other way. */
function apart(
  { documentType, net, vat }: ChargedLine,
  { state, ours }: Verdict,
): Pick<Row, "difference" | "vat_difference"> {
  if (ours === null) return { difference: "0.00", vat_difference: "0.00" };
  const turn = documentType === "credit" ? -1 : 1;
  const pence = (text: string) => Number(text.replace(".", ""));
  const sameNet = state === "match" && ours.vat !== null;
  return {
    difference: moneyText(turn * (net === null ? 0 : pence(net) - ours.net)),
    vat_difference: moneyText(sameNet ? turn * (pence(vat) - (ours.vat ?? 0)) : 0),
  };
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
