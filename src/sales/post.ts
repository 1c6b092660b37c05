/**
 * Brings the ledger up to what was pulled. Set-based and append-only: a new line is posted, a
 * changed one is reversed and posted again, an unchanged one is not touched, and a row that
 * vanished from the ERP stays posted. Running it again at once posts nothing.
 */
import type { Transaction } from "../store/index.ts";
import type { SalesContext } from "./context.ts";
import { link } from "./links.ts";
import { CONTENT, CONTENT_HASH, LOOK } from "./look.ts";
import { compareSince, touch, type Looked } from "./touched.ts";

export interface PostResult {
  /** Lines posted, new and again. */
  readonly posted: number;
  readonly reversed: number;
  /** The ledger's watermark after it. */
  readonly batch: number;
}

export interface PostOptions {
  /**
   * True: look at every document, not only at those that something changed for. It finds nothing
   * more.
   */
  readonly everything?: boolean;
}

export async function post(context: SalesContext, options: PostOptions = {}): Promise<PostResult> {
  const { store, company } = context;
  const rules = JSON.stringify(context.settings.channels);
  return store.transaction(async (tx) => {
    // A first load sorts and hashes hundreds of thousands of rows; on disk that takes twice as
    // long.
    await tx.query("set local work_mem = '64MB'");
    const ledger = await lockLedger(tx, company, rules);
    const at = context.now();
    const step = { tx, company, batch: ledger.last + 1, at };
    const everything = options.everything === true || !ledger.sameRules;
    const since = everything ? null : compareSince(ledger, at);
    const touched = await touch(tx, company, { everything, since });
    const { posted, reversed } = touched > 0 ? await postTouched(step, rules) : NOTHING;
    const batch = posted + reversed > 0 ? step.batch : ledger.last;
    await tx.affect(
      `update sales_ledger set last_batch = $2, rules = $3, looked_at = $4::timestamptz,
              looked_at_all = case when $5 then $4::timestamptz else looked_at_all end
        where company = $1`,
      [company, batch, rules, at, since === null],
    );
    return { posted, reversed, batch };
  });
}

interface Posted {
  readonly posted: number;
  readonly reversed: number;
}

const NOTHING: Posted = { posted: 0, reversed: 0 };

/** Of the documents in `sales_touched`. */
async function postTouched(step: Step, rules: string): Promise<Posted> {
  const { tx, company, at } = step;
  await tx.query(LOOK, [company, rules]);
  await tx.query("analyze sales_desired");
  const lines = await postStep(step, "x.line > 0");
  await tx.affect(UNANALYSED, [company]);
  await tx.affect(UNANALYSED_HASH);
  const rest = await postStep(step, "x.line = 0");
  await link(tx, company, at);
  const posted = lines.posted + rest.posted;
  // After a first load the planner must not go on believing that the ledger is empty.
  if (posted > BIG_POSTING) await tx.query("analyze sales_posting, sales_line_state, sales_total");
  return { posted, reversed: lines.reversed + rest.reversed };
}

const BIG_POSTING = 10_000;

interface Ledger extends Looked {
  readonly last: number;
  readonly sameRules: boolean;
}

/** One poster at a time: batches follow one another without a gap. */
async function lockLedger(tx: Transaction, company: string, rules: string): Promise<Ledger> {
  await tx.affect(
    "insert into sales_ledger (company, last_batch, rules) values ($1, 0, $2) on conflict do nothing",
    [company, rules],
  );
  const [ledger] = await tx.query<Ledger>(
    `select last_batch as last, rules = $2::jsonb as "sameRules", looked_at as "lookedAt",
            looked_at_all as "lookedAtAll"
       from sales_ledger where company = $1 for update`,
    [company, rules],
  );
  return ledger ?? { last: 0, sameRules: false, lookedAt: null, lookedAtAll: null };
}

interface Step {
  readonly tx: Transaction;
  readonly company: string;
  readonly batch: number;
  readonly at: Temporal.Instant;
}

/**
 * A document's own total less what its lines come to; lines that vanished from the ERP still
 * count. A document with lines that add up to it wants no line of its own.
 */
const UNANALYSED = `
  with rest as (
    select x.document_type, x.document, x.net - coalesce(sum(p.net), 0) as net,
           x.vat - coalesce(sum(p.vat), 0) as vat, count(p.id) as lines
      from sales_desired x
      left join sales_line_state s on s.company = $1 and s.document_type = x.document_type
       and s.document = x.document and s.line > 0
      left join sales_posting p on p.company = $1 and p.id = s.posting
     where x.line = 0
     group by x.document_type, x.document, x.net, x.vat)
  update sales_desired x
     set net = rest.net, vat = rest.vat,
         wanted = rest.net <> 0 or rest.vat <> 0 or rest.lines = 0
    from rest
   where x.line = 0 and rest.document_type = x.document_type and rest.document = x.document`;

const UNANALYSED_HASH = `
  update sales_desired set content_hash = ${CONTENT_HASH} where line = 0 and wanted`;

async function postStep(step: Step, which: string): Promise<Posted> {
  const { tx, company, batch, at } = step;
  const changed = `${which} and x.content_hash is distinct from x.posted_hash`;
  const reversed = await tx.affect(
    `insert into sales_posting (company, id, source, document_type, document, line, version, reversal,
       content_hash, origin_id, origin_line, batch, posted_at, ${CONTENT})
     select p.company, ${madeId("p.version", "true", "$3")}, p.source, p.document_type, p.document,
            p.line, p.version, true, p.content_hash, p.origin_id, p.origin_line, $2, $3,
            ${CONTENT.split(",").map(reversedColumn).join(", ")}
       from sales_desired x join sales_posting p on p.company = $1 and p.id = x.posting
      where ${changed}`,
    [company, batch, at],
  );
  const posted = await tx.affect(
    `insert into sales_posting (company, id, source, document_type, document, line, version, reversal,
       content_hash, origin_id, origin_line, batch, posted_at, ${CONTENT})
     select $1, ${madeId("x.version + 1", "false", "$3")}, x.source, x.document_type, x.document,
            x.line, x.version + 1, false, x.content_hash, x.origin_id, x.origin_line, $2, $3,
            ${CONTENT}
       from sales_desired x
      where ${changed} and x.content_hash is not null`,
    [company, batch, at],
  );
  if (posted + reversed > 0) await addToTotals(tx, company, changed);
  await keepState(step, which);
  return { posted, reversed };
}

const SIGNED = new Set(["quantity", "net", "vat", "cost"]);

function reversedColumn(column: string): string {
  const name = column.trim();
  return SIGNED.has(name) ? `-p.${name}` : `p.${name}`;
}

/** Which posting stands for each line now, and which row it was made from. */
async function keepState({ tx, company, at }: Step, which: string): Promise<void> {
  await tx.affect(
    `insert into sales_line_state
       (company, document_type, document, line, version, posting, content_hash, row_hash)
     select $1, x.document_type, x.document, x.line,
            case when x.content_hash is null or x.content_hash = x.posted_hash
                 then x.version else x.version + 1 end,
            case when x.content_hash is null then null
                 when x.content_hash = x.posted_hash then x.posting
                 else ${madeId("x.version + 1", "false", "$2")} end,
            x.content_hash, x.row_hash
       from sales_desired x
      where ${which} and (x.content_hash is distinct from x.posted_hash
                          or x.row_hash is distinct from x.posted_row_hash)
     on conflict (company, document_type, document, line) do update
        set version = excluded.version, posting = excluded.posting,
            content_hash = excluded.content_hash, row_hash = excluded.row_hash`,
    [company, at],
  );
}

/**
 * A UUIDv7 of the posting's moment whose random part is a digest of its natural key: the same
 * ledger gets the same ids wherever it is posted, and nobody needs to send 200,000 ids to the
 * database.
 */
function madeId(version: string, reversal: string, at: string): string {
  const digest = `md5($1::text || '/' || x.document_type || '/' || x.document || '/' || x.line || '/' || ${version} || '/${reversal}')`;
  const millis = `floor(extract(epoch from ${at}::timestamptz) * 1000)::bigint`;
  return `(lpad(to_hex(${millis}), 12, '0') || '7' || substr(${digest}, 1, 3) || 'a' || substr(${digest}, 4, 15))::uuid`;
}

/** What was reversed and posted just now, on top of what the totals said; `recheck` proves them. */
async function addToTotals(tx: Transaction, company: string, changed: string): Promise<void> {
  const figures = "account, period, channel, assisted, currency, net, vat, cost";
  await tx.affect(
    `insert into sales_total
       (company, account, period, channel, assisted, currency, lines, net, vat, cost, uncosted_net)
     ${totalsSelect(
       "$1::text",
       `(select 1 as lines, ${figures} from sales_desired x
          where ${changed} and content_hash is not null
         union all
         select -1, ${figures.split(", ").map(reversedColumn).join(", ")}
           from sales_desired x join sales_posting p on p.company = $1 and p.id = x.posting
          where ${changed}) moved`,
     )}
     on conflict (company, account, period, channel, assisted, currency) do update
        set lines = sales_total.lines + excluded.lines, net = sales_total.net + excluded.net,
            vat = sales_total.vat + excluded.vat, cost = sales_total.cost + excluded.cost,
            uncosted_net = sales_total.uncosted_net + excluded.uncosted_net`,
    [company],
  );
}

/** Postings, with +1 or −1 as `lines`, added up by customer, month and channel. */
export function totalsSelect(company: string, postings: string): string {
  return `select ${company} as company, account, period, channel, assisted, currency,
       sum(lines)::int as lines, sum(net) as net, sum(vat) as vat, coalesce(sum(cost), 0) as cost,
       coalesce(sum(net) filter (where cost is null), 0) as uncosted_net
  from ${postings} group by account, period, channel, assisted, currency`;
}
