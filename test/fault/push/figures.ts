/**
 * What the database comes to after a run, in SQL of the lane's own, so that agreement proves
 * something.
 */
import type { Store } from "../../../src/store/index.ts";
import type { HeldDocument, Invoiced } from "../../support/hostile-erp/index.ts";
import { DOUBLED as POSTED_TWICE } from "../doubled.ts";
import type { Standing } from "./judge.ts";
import { COMPANY } from "./world.ts";

export async function standingsOf(store: Store): Promise<ReadonlyMap<string, Standing>> {
  const rows = await store.query<Standing & { number: string }>(
    `select number, state, erp_order as "erpOrder", reasons from web_order where company = $1`,
    [COMPANY],
  );
  return new Map(rows.map(({ number, ...standing }) => [number, standing]));
}

export interface UnderWay {
  readonly orders: number;
  readonly jobs: number;
  /** In words. */
  readonly about: string;
}

/**
 * Orders that something will still be done about without a person, and jobs soon due that were
 * there at a moment: each pull makes new ones.
 */
export async function underWay(store: Store, at: Temporal.Instant): Promise<UnderWay> {
  const states = await store.query<{ state: string; n: number }>(
    `select state, count(*)::int as n from web_order
      where company = $1
        and (state in ('received', 'checked', 'queued', 'sending', 'handedOver')
          or (state = 'inDoubt' and next_attempt_at is not null))
      group by state order by state`,
    [COMPANY],
  );
  const jobs = await store.query<{ state: string; n: number }>(
    `select state::text as state, count(*)::int as n from pgboss.job
      where state < 'completed' and name not like '\\_\\_pgboss%' and name <> 'failed-jobs'
        and start_after < now() + interval '30 seconds' and created_on <= $1
      group by state order by state`,
    [at],
  );
  const sum = (rows: readonly { readonly n: number }[]) => rows.reduce((all, { n }) => all + n, 0);
  const words = (rows: readonly { readonly state: string; readonly n: number }[]) =>
    rows.map(({ state, n }) => `${n} ${state}`).join(", ");
  return {
    orders: sum(states),
    jobs: sum(jobs),
    about: `orders: ${words(states) || "none"}; jobs: ${words(jobs) || "none"}`,
  };
}

/** What an order went through, for whoever looks into a finding. */
export async function historyOf(store: Store, number: string): Promise<string[]> {
  const rows = await store.query<{ about: string }>(
    `select to_char(e.at, 'HH24:MI:SS.MS') || ' ' || e.event || ' ' || coalesce(e.from_state, '-') ||
            ' > ' || e.to_state || ' by ' || e.who || ': ' || e.about as about
       from web_order_event e join web_order o on o.company = e.company and o.id = e.order_id
      where o.company = $1 and o.number = $2 order by e.sequence`,
    [COMPANY, number],
  );
  return rows.map(({ about }) => about);
}

export interface JobFigures {
  /** Runs of a job that were cut off and begun again. */
  readonly ranAgain: number;
  readonly doubled: readonly string[];
  readonly stuck: readonly string[];
}

/** Jobs that ran more than once must have had one effect. */
export async function jobFigures(store: Store): Promise<JobFigures> {
  const [again] = await store.query<{ n: number }>(
    `select coalesce(sum(retry_count), 0)::int as n from pgboss.job
      where name not like '\\_\\_pgboss%'`,
  );
  const doubled = await store.query<{ about: string }>(DOUBLED, [COMPANY]);
  const stuck = await store.query<{ about: string }>(
    `select 'the job ' || name || ' ' || (data)::text || ' failed to the last try' as about
       from pgboss.job where state = 'failed' or name = 'failed-jobs'`,
  );
  return {
    ranAgain: again?.n ?? 0,
    doubled: doubled.map(({ about }) => about),
    stuck: stuck.map(({ about }) => about),
  };
}

/** Effects of which each order, line, document and key may show one. */
const DOUBLED = `
  select 'accepted ' || count(*) || ' times: ' || o.number as about
    from web_order_event e join web_order o on o.company = e.company and o.id = e.order_id
   where e.company = $1 and e.to_state in ('accepted', 'confirmed')
     and e.from_state is distinct from e.to_state
   group by o.number, e.to_state having count(*) > 1
  union all
  select 'received ' || count(*) || ' times: ' || o.number
    from web_order_event e join web_order o on o.company = e.company and o.id = e.order_id
   where e.company = $1 and e.from_state is null
   group by o.number having count(*) > 1
  union all
  select 'told to the shop ' || count(*) || ' times: ' || type || ' ' || subject || ' ' ||
         (data ->> 'version')
    from event where company = $1 and data ? 'version' and type <> 'order.fulfilment'
   group by type, subject, data ->> 'version' having count(*) > 1
  union all
${POSTED_TWICE}`;

/** Σ channels = Σ postings = Σ invoices − credits = the ERP's books; orders = their documents. */
export async function sumsThatDiffer(
  store: Store,
  erp: { readonly invoiced: Invoiced; readonly documents: readonly HeldDocument[] },
): Promise<string[]> {
  const { invoiced, documents } = erp;
  const sales = invoiced.invoices - invoiced.credits;
  const placed = documents.reduce((sum, { net }) => sum + net, 0);
  const sums = await store.query<{ what: string; pence: number; of: "sales" | "orders" }>(SUMS, [
    COMPANY,
  ]);
  return sums.flatMap(({ what, pence, of }) => {
    const theirs = of === "sales" ? sales : placed;
    return pence === theirs ? [] : [`${what} come to ${pence} pence, the ERP's books to ${theirs}`];
  });
}

const SUMS = `
  select 'channels' as what, coalesce(sum(net) * 100, 0)::bigint as pence, 'sales' as of
    from sales_total where company = $1
  union all
  select 'postings', coalesce(sum(net) * 100, 0)::bigint, 'sales'
    from sales_posting where company = $1
  union all
  select 'invoices less credits',
         coalesce(sum(case when document_type = 'credit' then -net else net end) * 100, 0)::bigint,
         'sales'
    from sales_document where company = $1
  union all
  select 'lines invoiced less credited',
         coalesce(sum(case when document_type = 'credit' then -net else net end) * 100, 0)::bigint,
         'sales'
    from sales_line where company = $1
  union all
  select 'the ERP''s orders as pulled', coalesce(sum(net) * 100, 0)::bigint, 'orders'
    from erp_order where company = $1
  union all
  select 'web orders by the ERP''s own net', coalesce(sum(erp_net) * 100, 0)::bigint, 'orders'
    from web_order where company = $1 and state not in ('refused', 'cancelled', 'shadowed')`;
