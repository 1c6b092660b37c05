/**
 * Which documents must be looked at: those of which a row is new or changed, and those that depend
 * on something that is. Inputs are compared by digest with what was last looked at, so one that is
 * compared twice, or learned again as it was, touches nothing. As a rule only what was learned of
 * late is compared; whatever came to light long after the moment that it bears is found when
 * everything is, twice a day.
 */
import { bears, PUSH_LOG } from "../orders/index.ts";
import type { Transaction } from "../store/index.ts";
import { mayBeOf } from "./look.ts";

/** How far a posting looks. */
export interface Reach {
  /** True: at all documents, whatever changed. */
  readonly everything: boolean;
  /** What was learned before it is not compared again; null: everything is. */
  readonly since: Temporal.Instant | null;
}

/** Rows become visible long after the moment that they bear, and clocks differ. */
const BACK_HOURS = 24;
const COMPARE_ALL_EVERY_HOURS = 12;

/** The moments of the last look and of the last at everything; null: there was none. */
export interface Looked {
  readonly lookedAt: Temporal.Instant | null;
  readonly lookedAtAll: Temporal.Instant | null;
}

/** Since when inputs are compared; null: all are, whenever they were learned. */
export function compareSince(
  { lookedAt, lookedAtAll }: Looked,
  at: Temporal.Instant,
): Temporal.Instant | null {
  if (lookedAt === null || lookedAtAll === null) return null;
  const hours = lookedAtAll.until(at).total("hours");
  // After a clock was put back nothing says what came before.
  if (hours < 0 || hours >= COMPARE_ALL_EVERY_HOURS) return null;
  return lookedAt.subtract({ hours: BACK_HOURS });
}

/**
 * Makes the table `sales_touched` (document_type, document), dropped with the transaction, and
 * notes the inputs as looked at. How many documents it has.
 */
export async function touch(
  tx: Transaction,
  company: string,
  { everything, since }: Reach,
): Promise<number> {
  await tx.query(CHANGED_INPUTS, [company, since]);
  await tx.query("analyze sales_changed");
  if (everything) await tx.query(ALL_DOCUMENTS, [company]);
  else {
    await tx.query(TOUCHED_DOCUMENTS, [company, since]);
    await tx.affect(CREDITS_OF_TOUCHED, [company]);
  }
  await tx.query("analyze sales_touched");
  await tx.affect(
    `insert into sales_input (company, kind, key, digest)
     select $1, kind, key, digest from sales_changed
     on conflict (company, kind, key) do update set digest = excluded.digest`,
    [company],
  );
  const [row] = await tx.query<{ documents: number }>(
    "select count(*)::int as documents from sales_touched",
  );
  return row?.documents ?? 0;
}

const isRecent = (learned: string): string => `($2::timestamptz is null or ${learned} >= $2)`;

/** Inputs beside documents and lines, with what of each matters to a posting. */
const INPUTS = `
  select 'erp-order' as kind, erp_order as key,
         md5(row(web_order, taken_by, branch)::text)::uuid as digest
    from erp_order where company = $1 and ${isRecent("learned_at")}
  union all
  select 'erp-order-line', erp_order || '/' || line, md5(web_order_line::text)::uuid
    from erp_order_line
   where company = $1 and web_order_line is not null and ${isRecent("learned_at")}
  union all
  -- A group once posted stays, so only that there is one matters.
  select 'product', product, md5('')::uuid
    from product
   where company = $1 and product_group is not null and ${isRecent("learned_at")}
  union all
  select 'branch', branch, md5(default_channel)::uuid
    from branch where company = $1 and ${isRecent("learned_at")}
  union all
  select 'web-order', web_order,
         md5(row(account, assisted, ordered_on, customer_reference, erp_order)::text)::uuid
    from ${PUSH_LOG} log where company = $1 and ${isRecent("changed_at")}`;

const CHANGED_INPUTS = `
  create temp table sales_changed on commit drop as
  select input.* from (${INPUTS}) input
    left join sales_input seen on seen.company = $1 and seen.kind = input.kind
     and seen.key = input.key
   where seen.digest is distinct from input.digest`;

const ALL_DOCUMENTS = `
  create temp table sales_touched on commit drop as
  select document_type, document from sales_document where company = $1`;

/** ERP orders through which a document may read another channel or another web order now. */
const CHANGED_ERP_ORDERS = `
  select key as erp_order from sales_changed where kind = 'erp-order'
  union
  select left(key, length(key) - strpos(reverse(key), '/')) from sales_changed
   where kind = 'erp-order-line'
  union
  select log.erp_order from sales_changed c
    join ${PUSH_LOG} log on log.company = $1 and log.web_order = c.key
   where c.kind = 'web-order' and log.erp_order is not null
  union
  select e.erp_order from sales_changed c
    join erp_order e on e.company = $1 and ${bears("e.web_order", "c.key")}
   where c.kind = 'web-order'
  union
  select e.erp_order from sales_changed c
    join erp_order e on e.company = $1 and e.branch = c.key where c.kind = 'branch'`;

const TOUCHED_DOCUMENTS = `
  create temp table sales_touched on commit drop as
  with orders as materialized (${CHANGED_ERP_ORDERS})
  select d.document_type, d.document from sales_document d
    left join sales_line_state s on s.company = $1 and s.document_type = d.document_type
     and s.document = d.document and s.line = 0
   where d.company = $1 and ${isRecent("d.learned_at")}
     and s.row_hash is distinct from d.row_hash
  union
  select l.document_type, l.document from sales_line l
    left join sales_line_state s on s.company = $1 and s.document_type = l.document_type
     and s.document = l.document and s.line = l.line
   where l.company = $1 and ${isRecent("l.learned_at")}
     and s.row_hash is distinct from l.row_hash
  union
  select d.document_type, d.document from orders
    join sales_document d on d.company = $1 and d.erp_order = orders.erp_order
  union
  select l.document_type, l.document from orders
    join sales_line l on l.company = $1 and l.erp_order = orders.erp_order
  union
  select l.document_type, l.document from sales_changed c
    join sales_line l on l.company = $1 and l.product = c.key where c.kind = 'product'
  union
  select d.document_type, d.document from sales_changed c
    join sales_document d on d.company = $1 and d.branch = c.key where c.kind = 'branch'
  union
  select d.document_type, d.document from sales_changed c
    join sales_document d on d.company = $1 and ${bears("d.web_order", "c.key")}
   where c.kind = 'web-order'
  union
  select d.document_type, d.document from sales_changed c
    join ${PUSH_LOG} log on log.company = $1 and log.web_order = c.key
    join sales_document d on d.company = $1 and d.account = log.account
     and ${bears("d.customer_reference", "log.web_order")}
   where c.kind = 'web-order'
  union
  select d.document_type, d.document from sales_changed c
    join ${PUSH_LOG} log on log.company = $1 and log.web_order = c.key
    join sales_document d on d.company = $1 and d.account = log.account
     and d.customer_reference = log.customer_reference and ${mayBeOf("d", "log")}
   where c.kind = 'web-order'`;

/** A credit note reads its web order from what it credits. */
const CREDITS_OF_TOUCHED = `
  insert into sales_touched (document_type, document)
  select distinct l.document_type, l.document
    from sales_touched t
    join sales_line l on l.company = $1 and l.document_type = 'credit'
     and l.credits_document = t.document
   where t.document_type = 'invoice'
     and (l.document_type, l.document) not in (select document_type, document from sales_touched)`;
