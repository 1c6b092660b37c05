/**
 * Brings the ledger up to what was pulled. Set-based and append-only: a new line is posted, a changed one
 * is reversed and posted again, an unchanged one is not touched, and a row that vanished from the ERP
 * stays posted. Running it again at once posts nothing.
 */
import type { Transaction } from "../store/index.ts";
import type { SalesContext } from "./context.ts";
import { link } from "./links.ts";
import { LOOK } from "./look.ts";

export interface PostResult {
  /** Lines posted, new and again. */
  readonly posted: number;
  readonly reversed: number;
  /** The ledger's watermark after it. */
  readonly batch: number;
}

export async function post(context: SalesContext): Promise<PostResult> {
  const { store, company } = context;
  return store.transaction(async (tx) => {
    const last = await lockLedger(tx, company);
    const at = context.now();
    const batch = last + 1;
    await tx.query(LOOK, [company, JSON.stringify(context.settings.channels)]);
    await tx.query("analyze sales_desired");
    const step = { tx, company, batch, at };
    const lines = await postStep(step, "x.line > 0");
    await tx.affect(UNANALYSED, [company]);
    const rest = await postStep(step, "x.line = 0");
    const posted = lines.posted + rest.posted;
    const reversed = lines.reversed + rest.reversed;
    if (posted + reversed > 0) await addToTotals(step);
    await link(tx, company, at);
    if (posted + reversed === 0) return { posted, reversed, batch: last };
    await tx.affect("update sales_ledger set last_batch = $2 where company = $1", [company, batch]);
    return { posted, reversed, batch };
  });
}

/** One poster at a time: batches follow one another without a gap. */
async function lockLedger(tx: Transaction, company: string): Promise<number> {
  await tx.affect(
    "insert into sales_ledger (company, last_batch) values ($1, 0) on conflict do nothing",
    [company],
  );
  const [ledger] = await tx.query<{ last: number }>(
    "select last_batch as last from sales_ledger where company = $1 for update",
    [company],
  );
  return ledger?.last ?? 0;
}

interface Step {
  readonly tx: Transaction;
  readonly company: string;
  readonly batch: number;
  readonly at: Temporal.Instant;
}

/** What a posting says, in one order for every statement. */
const CONTENT = `account, document_on, period, channel, channel_evidence, assisted, line_class, product,
  product_group, quantity, unit_price, net, vat, cost, currency, taken_by, branch, web_order, erp_order,
  credits_document, credits_line`;

const CONTENT_HASH = `md5(row(${CONTENT})::text)::uuid`;

/** A document's own total less what its lines come to; lines that vanished from the ERP still count. */
const UNANALYSED = `
  update sales_desired x
     set net = x.net - rest.net, vat = x.vat - rest.vat, has_lines = rest.lines > 0
    from (select d.document_type, d.document, count(p.id) as lines, coalesce(sum(p.net), 0) as net,
                 coalesce(sum(p.vat), 0) as vat
            from sales_desired d
            left join sales_line_state s on s.company = $1 and s.document_type = d.document_type
             and s.document = d.document and s.line > 0
            left join sales_posting p on p.company = $1 and p.id = s.posting
           where d.line = 0
           group by d.document_type, d.document) rest
   where x.line = 0 and rest.document_type = x.document_type and rest.document = x.document`;

async function postStep(step: Step, which: string): Promise<{ posted: number; reversed: number }> {
  const { tx, company, batch, at } = step;
  await tx.affect(
    `update sales_desired x
        set content_hash = case when x.line = 0 and x.net = 0 and x.vat = 0 and x.has_lines
                                then null else ${CONTENT_HASH} end
      where ${which}`,
  );
  const reversed = await tx.affect(
    `insert into sales_posting (company, id, source, document_type, document, line, version, reversal,
       content_hash, origin_id, origin_line, batch, posted_at, ${CONTENT})
     select p.company, ${madeId("p.version", "true")}, p.source, p.document_type, p.document, p.line,
            p.version, true, p.content_hash, p.origin_id, p.origin_line, $2, $3,
            ${CONTENT.split(",").map(reversedColumn).join(", ")}
       from sales_desired x join sales_posting p on p.company = $1 and p.id = x.posting
      where ${which} and x.content_hash is distinct from x.posted_hash`,
    [company, batch, at],
  );
  const posted = await tx.affect(
    `insert into sales_posting (company, id, source, document_type, document, line, version, reversal,
       content_hash, origin_id, origin_line, batch, posted_at, ${CONTENT})
     select $1, ${madeId("x.version + 1", "false")}, x.source, x.document_type, x.document, x.line,
            x.version + 1, false, x.content_hash, x.origin_id, x.origin_line, $2, $3,
            ${CONTENT}
       from sales_desired x
      where ${which} and x.content_hash is not null
        and x.content_hash is distinct from x.posted_hash`,
    [company, batch, at],
  );
  await tx.affect(
    `insert into sales_line_state
       (company, document_type, document, line, version, posting, content_hash, context)
     select $1, x.document_type, x.document, x.line,
            case when x.content_hash is null or x.content_hash = x.posted_hash
                 then x.version else x.version + 1 end,
            case when x.content_hash is null then null
                 when x.content_hash = x.posted_hash then x.posting
                 else ${madeId("x.version + 1", "false", "$2")} end,
            x.content_hash, x.context
       from sales_desired x where ${which}
     on conflict (company, document_type, document, line) do update
        set version = excluded.version, posting = excluded.posting,
            content_hash = excluded.content_hash, context = excluded.context`,
    [company, at],
  );
  return { posted, reversed };
}

const SIGNED = new Set(["quantity", "net", "vat", "cost"]);

function reversedColumn(column: string): string {
  const name = column.trim();
  return SIGNED.has(name) ? `-p.${name}` : `p.${name}`;
}

/**
 * A UUIDv7 of the posting's moment whose random part is a digest of its natural key: the same ledger gets
 * the same ids wherever it is posted, and nobody needs to send 200,000 ids to the database.
 */
function madeId(version: string, reversal: string, at = "$3"): string {
  const digest = `md5($1::text || '/' || x.document_type || '/' || x.document || '/' || x.line || '/' || ${version} || '/${reversal}')`;
  const millis = `floor(extract(epoch from ${at}::timestamptz) * 1000)::bigint`;
  return `(lpad(to_hex(${millis}), 12, '0') || '7' || substr(${digest}, 1, 3) || 'a' || substr(${digest}, 4, 15))::uuid`;
}

/** The same figures that a `group by` over the ledger would give; `recheck` proves it. */
async function addToTotals({ tx, company, batch }: Step): Promise<void> {
  await tx.affect(
    `insert into sales_total
       (company, account, period, channel, assisted, currency, lines, net, vat, cost, uncosted_net)
     ${totalsSelect("batch = $2")}
     on conflict (company, account, period, channel, assisted, currency) do update
        set lines = sales_total.lines + excluded.lines, net = sales_total.net + excluded.net,
            vat = sales_total.vat + excluded.vat, cost = sales_total.cost + excluded.cost,
            uncosted_net = sales_total.uncosted_net + excluded.uncosted_net`,
    [company, batch],
  );
}

/** The ledger by customer, month and channel; `$1` is the company. */
export function totalsSelect(where: string): string {
  return `select company, account, period, channel, assisted, currency,
       sum(case when reversal then -1 else 1 end)::int as lines, sum(net) as net, sum(vat) as vat,
       coalesce(sum(cost), 0) as cost, coalesce(sum(net) filter (where cost is null), 0) as uncosted_net
  from sales_posting where company = $1 and ${where}
 group by company, account, period, channel, assisted, currency`;
}
