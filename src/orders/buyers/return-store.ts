/** The rows of returns. */
import { noteEvents } from "../../notify/index.ts";
import type { Queryable } from "../../store/index.ts";
import { BuyerError } from "./error.ts";
import type { InvoiceLine } from "./invoice.ts";

export const RETURN_STATES = ["asked", "agreed", "refused", "credited", "replaced"] as const;
export type ReturnState = (typeof RETURN_STATES)[number];

/** How far an agreed return is on its way into the ERP. */
export const RETURN_ENTRIES = [
  "none",
  /** Its connector is to enter it. */
  "waiting",
  /** The connector is at it; the attempt is written. */
  "placing",
  /** It may or may not be there: only a search decides, or a person who looked. */
  "inDoubt",
  "placed",
  /** A person enters it. */
  "byHand",
] as const;
export type ReturnEntry = (typeof RETURN_ENTRIES)[number];

export interface ReturnLine {
  readonly line: number;
  readonly product: string | null;
  readonly quantity: string;
}

export interface ReturnRow {
  readonly company: string;
  readonly id: string;
  readonly number: string;
  readonly account: string;
  readonly invoice: string;
  readonly state: ReturnState;
  readonly version: number;
  readonly wanted: "credit" | "replace";
  readonly reason: string;
  readonly creditNotes: readonly string[];
  /** Order or despatch that brought other goods for them. */
  readonly replacedBy: string | null;
  readonly erp: ReturnEntry;
  /** Its number in the ERP. */
  readonly erpReturn: string | null;
  readonly attempts: number;
  readonly nextTryAt: Temporal.Instant | null;
  readonly decidedBy: string | null;
  readonly decidedWhy: string | null;
  readonly test: boolean;
  readonly receivedAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
  readonly lines: readonly ReturnLine[];
  /** What its goods were invoiced at, with VAT. */
  readonly amount: string | null;
  /** Web order that the invoice belongs to; null: none. */
  readonly orderId: string | null;
  readonly webOrder: string | null;
}

const RETURN = `
  select r.company, r.id, r.number, r.account, r.document as invoice, r.state, r.version, r.wanted,
         r.reason, r.credit_notes as "creditNotes", r.replaced_by as "replacedBy", r.erp,
         r.erp_return as "erpReturn", r.attempts, r.next_try_at as "nextTryAt",
         r.decided_by as "decidedBy",
         r.decided_why as "decidedWhy", r.test, r.received_at as "receivedAt",
         r.changed_at as "changedAt", l.lines, l.amount, o.id as "orderId", o.number as "webOrder"
    from return_request r
    cross join lateral (
      select jsonb_agg(jsonb_build_object('line', l.line, 'product', l.product,
               'quantity', trim_scale(l.quantity)::text) order by l.line) as lines,
             round(sum((s.net + s.vat) * l.quantity / nullif(s.quantity, 0)), 2)::text as amount
        from return_request_line l
        left join sales_line s on s.company = l.company and s.document_type = 'invoice'
         and s.document = r.document and s.line = l.line
       where l.company = r.company and l.return_id = r.id) l
    left join lateral (
      select o.id, o.number from sales_document d
        join web_order o on o.company = d.company and not o.test
         and (o.number_folded = lower(d.web_order) or o.erp_order = d.erp_order)
       where d.company = r.company and d.document_type = 'invoice' and d.document = r.document
       order by o.id limit 1) o on true`;

export async function returnOf(
  on: Queryable,
  company: string,
  idOrNumber: string,
  lock: "" | "for update" = "",
): Promise<ReturnRow> {
  if (lock !== "")
    await on.query(
      `select 1 from return_request
        where company = $1 and (number = $2 or id::text = lower($2)) ${lock}`,
      [company, idOrNumber],
    );
  const [row] = await on.query<ReturnRow>(
    `${RETURN} where r.company = $1 and (r.number = $2 or r.id::text = lower($2))`,
    [company, idOrNumber],
  );
  if (row !== undefined) return row;
  throw new BuyerError(
    "return-unknown",
    `Looking up a return: ${company} has none with the id or number "${idOrNumber}". ` +
      "List them with: tradepost returns list",
  );
}

export interface ReturnFilter {
  /** open: asked for or agreed (the default). */
  readonly state?: ReturnState | "open" | "all";
  readonly account?: string;
  /** Those of test keys, or those of live ones; absent: both. */
  readonly test?: boolean;
  readonly limit?: number;
}

/** Most money first. */
export async function listReturns(
  on: Queryable,
  company: string,
  { state = "open", account, test, limit = 100 }: ReturnFilter,
): Promise<ReturnRow[]> {
  return on.query<ReturnRow>(
    `${RETURN}
      where r.company = $1 and ($3::text is null or r.account = $3)
        and ($2 = 'all' or r.state = $2 or ($2 = 'open' and r.state in ('asked', 'agreed')))
        and ($4::boolean is null or r.test = $4)
      order by l.amount::numeric desc nulls last, r.received_at, r.id limit $5`,
    [company, state, account ?? null, test ?? null, limit],
  );
}

interface NewReturn {
  readonly id: string;
  readonly number: string;
  readonly account: string;
  readonly invoice: string;
  readonly wanted: string;
  readonly reason: string;
  readonly test: boolean;
  readonly at: Temporal.Instant;
  readonly lines: readonly { readonly line: number; readonly quantity: string }[];
}

export async function insertReturn(
  tx: Queryable,
  company: string,
  row: NewReturn,
  invoiced: ReadonlyMap<number, InvoiceLine>,
): Promise<void> {
  await tx.affect(
    `insert into return_request (company, id, number, account, document, state, version, wanted,
       reason, credit_notes, erp, attempts, test, received_at, changed_at)
     values ($1, $2, $3, $4, $5, 'asked', 1, $6, $7, '[]', 'none', 0, $8, $9, $9)`,
    [
      company,
      row.id,
      row.number,
      row.account,
      row.invoice,
      row.wanted,
      row.reason,
      row.test,
      row.at,
    ],
  );
  for (const { line, quantity } of row.lines)
    await tx.affect(
      `insert into return_request_line
         (company, return_id, line, product, quantity, credited_before)
       values ($1, $2, $3, $4, $5, $6)`,
      [
        company,
        row.id,
        line,
        invoiced.get(line)?.product ?? null,
        quantity,
        invoiced.get(line)?.credited ?? "0",
      ],
    );
  const asked = { company, id: row.id, state: "asked" } as const;
  await writeReturnEvent(tx, asked, {
    event: "ask",
    who: "shop",
    about: `It asks to give back goods of invoice ${row.invoice}.`,
    at: row.at,
  });
  await noteReturn(tx, company, { ...row, state: "asked" }, row.at);
}

/** Thin, as every event. */
async function noteReturn(
  tx: Queryable,
  company: string,
  row: Pick<ReturnRow, "id" | "number" | "invoice" | "test"> & { readonly state: ReturnState },
  at: Temporal.Instant,
): Promise<void> {
  const { id, number, invoice, state, test } = row;
  if (test) return;
  const data = { return: number, id, state, invoice };
  await noteEvents(tx, company, [
    { type: `return.${state}`, subject: `return/${number}`, at, data },
  ]);
}

/** A page of its book. */
export interface ReturnPage {
  readonly event: string;
  readonly who: string;
  readonly about: string;
  readonly at: Temporal.Instant;
}

export type ReturnChange = Partial<
  Pick<
    ReturnRow,
    | "state"
    | "decidedBy"
    | "decidedWhy"
    | "creditNotes"
    | "replacedBy"
    | "erp"
    | "erpReturn"
    | "attempts"
    | "nextTryAt"
  >
>;

export async function setReturn(
  tx: Queryable,
  row: ReturnRow,
  set: ReturnChange,
  page: ReturnPage,
): Promise<ReturnRow> {
  const changed: ReturnRow = { ...row, ...set, version: row.version + 1, changedAt: page.at };
  const written = await tx.affect(
    `update return_request set state = $4, decided_by = $5, decided_why = $6, credit_notes = $7,
       version = $8, changed_at = $9, replaced_by = $10, erp = $11, erp_return = $12,
       attempts = $13, next_try_at = $14
      where company = $1 and id = $2 and version = $3`,
    [
      row.company,
      row.id,
      row.version,
      changed.state,
      changed.decidedBy,
      changed.decidedWhy,
      JSON.stringify(changed.creditNotes),
      changed.version,
      page.at,
      changed.replacedBy,
      changed.erp,
      changed.erpReturn,
      changed.attempts,
      changed.nextTryAt,
    ],
  );
  if (written !== 1)
    throw new BuyerError(
      "return-settled",
      `Return ${row.number} changed meanwhile (version ${row.version} is not the last). Look again.`,
    );
  await writeReturnEvent(tx, changed, page);
  if (changed.state !== row.state) await noteReturn(tx, row.company, changed, page.at);
  return changed;
}

async function writeReturnEvent(
  tx: Queryable,
  row: Pick<ReturnRow, "company" | "id" | "state">,
  { event, who, about, at }: ReturnPage,
): Promise<void> {
  await tx.affect(
    `insert into return_request_event
       (company, return_id, sequence, at, event, state, who, about)
     select $1, $2::uuid, coalesce(max(sequence), 0) + 1, $3, $4, $5, $6, $7
       from return_request_event where company = $1 and return_id = $2::uuid`,
    [row.company, row.id, at, event, row.state, who, about],
  );
}

export interface ReturnEvent extends ReturnPage {
  readonly state: ReturnState;
}

export async function returnEvents(
  on: Queryable,
  { company, id }: Pick<ReturnRow, "company" | "id">,
): Promise<ReturnEvent[]> {
  return on.query<ReturnEvent>(
    `select at, event, state, who, about from return_request_event
      where company = $1 and return_id = $2 order by sequence`,
    [company, id],
  );
}
