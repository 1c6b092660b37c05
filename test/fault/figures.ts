/**
 * What a world comes to once all is done, in SQL of its own, so that agreement proves something;
 * and everything in it that must not be there. Each finding is a sentence.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { columnOf, records } from "../../src/model/index.ts";
import type { Store } from "../../src/store/index.ts";
import { COMPANY, type World } from "./world.ts";
import { DOUBLED } from "./doubled.ts";

/** Figures by name: equal names must have equal values in both worlds. */
export type Figures = ReadonlyMap<string, string>;

/** Answers by order number, as the shop got them: each at least once, always the same. */
export type Answers = ReadonlyMap<string, string>;

export interface Verdict {
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly stuck: readonly string[];
  readonly unaccounted: readonly string[];
  /** Totals that differ from the ERP's books or from each other inside this world. */
  readonly differing: readonly string[];
}

/** Business columns of every canonical table, the ledger's totals, orders, and what waits. */
export async function figuresOf(store: Store): Promise<Figures> {
  const figures = new Map<string, string>();
  for (const { table, fields } of Object.values(records))
    figures.set(`table ${table}`, await digestOf(store, table, Object.keys(fields).map(columnOf)));
  for (const [name, sql] of Object.entries(SETS)) {
    const rows = await store.query<{ key: string; value: string }>(sql, [COMPANY]);
    for (const { key, value } of rows) figures.set(`${name} ${key}`, value);
  }
  return figures;
}

async function digestOf(store: Store, table: string, columns: readonly string[]): Promise<string> {
  // The line is kept too: a row must not come from elsewhere than it says.
  const row = `row(feed, origin_line, ${columns.map((name) => `t.${name}`).join(", ")})::text`;
  const [found] = await store.query<{ digest: string }>(
    `select count(*) || ' rows ' || coalesce(md5(string_agg(md5(${row}), '' order by md5(${row}))), '')
       as digest from ${table} t where company = $1`,
    [COMPANY],
  );
  return found?.digest ?? "";
}

const SETS: Readonly<Record<string, string>> = {
  sales: `select account || ' ' || period || ' ' || channel || case when assisted then ' assisted' else '' end
              as key, net || ' net ' || vat || ' VAT' as value
            from sales_total where company = $1 and (lines, net, vat) <> (0, 0, 0)`,
  order: `select o.number as key, o.state || ' ' || coalesce(o.erp_order, '-') || ' ' || o.gross || ': ' ||
            string_agg(trim_scale(l.quantity) || '/' || trim_scale(l.despatched_quantity) || '/' ||
              trim_scale(l.invoiced_quantity) || '/' || trim_scale(l.credited_quantity) || '/' ||
              trim_scale(l.cancelled_quantity), ' ' order by l.line) as value
            from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
           where o.company = $1 group by o.number, o.state, o.erp_order, o.gross`,
  request: `select idempotency_key as key, status || ' ' || (answer ->> 'code') as value
              from web_order_request where company = $1 and status = 422`,
  link: `select document_type || ' ' || document || ' ' || line || ' ' || web_order || ' ' || web_order_line
           as key, trim_scale(quantity) || ' ' || net as value
           from order_invoice_link where company = $1`,
  waiting: `select stream || ' ' || origin_name || ':' || line || ' ' || coalesce(mapping, '') as key,
              count(*) || ' ' || min(problems ->> 0) as value
              from quarantine where company = $1 and state = 'open' group by 1`,
  prices: `select 'book' as key, digest as value from price_book
            where company = $1 order by version desc limit 1`,
};

/** What must hold in a world by itself, whatever was killed in it. */
export async function judge(
  world: World,
  store: Store,
  answers: Answers,
  failedJobs: number,
): Promise<Verdict> {
  return {
    ...(await judgeOrders(world, store, answers)),
    stuck: await stuck(world, store, failedJobs),
    unaccounted: await unaccounted(world, store),
    differing: await differing(world, store),
  };
}

/** Every order that was answered 201, or released by a person, is one order of the ERP. */
async function judgeOrders(
  { erp }: World,
  store: Store,
  answers: Answers,
): Promise<Pick<Verdict, "lost" | "doubled">> {
  const books = new Map(erp.books().webOrders.map((order) => [order.webOrder, order]));
  const ours = await store.query<{ number: string; state: string; erpOrder: string | null }>(
    `select number, state, erp_order as "erpOrder" from web_order where company = $1`,
    [COMPANY],
  );
  const states = new Map(ours.map((order) => [order.number, order]));
  const lost: string[] = [];
  const doubled: string[] = [];
  for (const [number, answer] of answers) {
    const taken = answer.startsWith("201") || answer.startsWith("202");
    const order = states.get(number);
    if (!taken) {
      if (order !== undefined || books.has(number))
        doubled.push(`${number} was answered ${answer}, and is there all the same`);
      continue;
    }
    if (order === undefined) lost.push(`${number} was answered ${answer}, and is not in our book`);
    const theirs = books.get(number)?.erpOrders ?? [];
    const wanted = order?.state === "held" ? 0 : 1;
    if (theirs.length < wanted) lost.push(`${number} (${order?.state}) is no order of the ERP`);
    if (theirs.length > wanted)
      doubled.push(`${number} (${order?.state}) is ${theirs.length} orders of the ERP`);
    const [one] = theirs;
    if (one !== undefined && order?.erpOrder !== one.erpOrder)
      lost.push(`${number} is ${one.erpOrder} there, and ${order?.erpOrder} by our book`);
  }
  for (const { number } of ours)
    if (!answers.has(number)) doubled.push(`${number} is in our book, and nobody was told`);
  for (const number of books.keys())
    if (!answers.has(number)) doubled.push(`${number} is in the ERP, and nobody ordered it`);
  const twice = await store.query<{ about: string }>(DOUBLED, [COMPANY]);
  return { lost, doubled: [...doubled, ...twice.map(({ about }) => about)] };
}

async function stuck(world: World, store: Store, failedJobs: number): Promise<string[]> {
  const rows = await store.query<{ about: string }>(STUCK, [COMPANY]);
  const found = rows.map(({ about }) => about);
  if (failedJobs > 0) found.push(`${failedJobs} jobs failed to the last try`);
  const erp = join(world.folder, "erp");
  for (const folder of ["out", "orders/.staged"])
    for (const name of await readdir(join(erp, folder)).catch(() => []))
      found.push(`${folder}/${name} is left lying`);
  for (const name of await readdir(join(erp, "orders")))
    if (!name.startsWith(".")) found.push(`orders/${name} was not taken`);
  return found;
}

const STUCK = `
  select 'run ' || id || ' of ' || stream || ' is still ' || state as about
    from run where company = $1 and state = 'running'
  union all
  select 'staging table ' || tablename from pg_tables where schemaname = 'staging'
  union all
  select 'the lease of ' || stream || ' is held' from stream_state
   where company = $1 and holder is not null
  union all
  select 'web order ' || number || ' is ' || state from web_order
   where company = $1
     and (state not in ('confirmed', 'held') or (state = 'held' and number <> 'F-HELD-2'))
  union all
  select 'web order ' || o.number || ' is invoiced ' || l.invoiced_quantity || ' of ' || l.quantity
    from web_order_line l join web_order o on o.company = l.company and o.id = l.order_id
   where l.company = $1 and o.state = 'confirmed' and l.invoiced_quantity < l.quantity
  union all
  select 'job ' || name || ' is ' || state from pgboss.job
   where state < 'completed' and name not like '\\_\\_pgboss%'
     -- A look that was put off, at an order that was confirmed meanwhile, finds nothing to do.
     and not (name like 'orders.deliver/%' and start_after > created_on + interval '1 minute' and exists (
       select 1 from web_order o
        where o.company = $1 and o.id::text = data ->> 'order' and o.state = 'confirmed'))
  union all
  select 'an attempt at ' || o.number || ' has no end' from web_order_attempt a
    join web_order o on o.company = a.company and o.id = a.order_id
   where a.company = $1 and a.outcome is null and o.state = 'sending'`;

/** The two sums of every run; each feed's chain from run to run; and every file in one place. */
async function unaccounted(world: World, store: Store): Promise<string[]> {
  const rows = await store.query<{ about: string }>(UNACCOUNTED, [COMPANY]);
  return [
    ...rows.map(({ about }) => about),
    ...(await feedsThatDiffer(store)),
    ...(await filesNotApplied(world, store)),
  ];
}

const UNACCOUNTED = `
  select 'run of ' || stream || ': read ' || rows_read || ', accounted for ' ||
         (mapped + ignored + repeated + quarantined) as about
    from run where company = $1 and rows_read <> mapped + ignored + repeated + quarantined
  union all
  select 'run of ' || r.stream || ', ' || c.key || ': ' || c.value::text
    from run r, jsonb_each(r.counts) c
   where r.company = $1
     and ((c.value ->> 'before')::int + (c.value ->> 'inserted')::int - (c.value ->> 'removed')::int
            <> (c.value ->> 'after')::int
       or (c.value ->> 'inserted')::int + (c.value ->> 'updated')::int + (c.value ->> 'unchanged')::int
            + (c.value ->> 'repeated')::int + (c.value ->> 'conflicts')::int
            <> (c.value ->> 'mapped')::int)
  union all
  select 'origin ' || name || ' was applied ' || count(*) || ' times' from origin o
   where company = $1 and applied_at is not null and rows > 0
     and exists (select 1 from run r where r.company = $1 and r.id = o.run_id
                    and r.state <> 'unchanged' and r.repeated = 0)
   group by name having count(*) > 1`;

/** What a run left is what the next one found, and what the last one left is there. */
async function feedsThatDiffer(store: Store): Promise<string[]> {
  const steps = await store.query<{ feed: string; record: string; before: number; after: number }>(
    `select r.connection || '/' || c.key as feed, c.value ->> 'record' as record,
            (c.value ->> 'before')::int as before, (c.value ->> 'after')::int as after
       from run r, jsonb_each(r.counts) c where r.company = $1
      order by r.started_at, r.ended_at`,
    [COMPANY],
  );
  const found: string[] = [];
  for (const [feed, chain] of Map.groupBy(steps, (step) => step.feed)) {
    let left = 0;
    for (const { before, after } of chain) {
      if (before !== left) found.push(`${feed}: a run left ${left} rows, the next found ${before}`);
      left = after;
    }
    const table = Object.values(records).find(({ name }) => name === chain[0]?.record)?.table;
    if (table === undefined) continue;
    const [row] = await store.query<{ rows: number }>(
      `select count(*) as rows from ${table} where company = $1 and feed = $2`,
      [COMPANY, feed],
    );
    if (row?.rows !== left)
      found.push(`${feed}: the last run left ${left} rows, ${row?.rows} are there`);
  }
  return found;
}

/** Every file is in the archive and was applied, or was refused and waits in quarantine. */
async function filesNotApplied(world: World, store: Store): Promise<string[]> {
  const rows = await store.query<{ name: string; applied: boolean }>(
    `select name, bool_or(applied_at is not null) as applied from origin
      where company = $1 group by name`,
    [COMPANY],
  );
  const applied = new Map(rows.map((row) => [row.name, row.applied]));
  const found: string[] = [];
  const erp = join(world.folder, "erp");
  for (const [folder, wanted] of [
    ["archive", true],
    ["refused", false],
  ] as const)
    for (const path of await readdir(join(erp, folder), { recursive: true }).catch(() => [])) {
      const name = path.split(/[/\\]/).at(-1) ?? "";
      if (!name.endsWith(".csv")) continue;
      if (applied.get(name) !== wanted)
        found.push(
          `${folder}/${path}: ${applied.get(name) === undefined ? "no run names it" : "the runs say otherwise"}`,
        );
      applied.delete(name);
    }
  for (const name of applied.keys()) found.push(`${name} was read, and is in no folder`);
  return found;
}

/** Σ channels = Σ invoices − credits = the ERP's own books, in pence. */
async function differing({ erp }: World, store: Store): Promise<string[]> {
  const books = erp.books();
  const pence = (text: string) => Math.round(Number(text) * 100);
  const theirs = books.periods.reduce(
    (sum, { documentType, net }) => sum + (documentType === "credit" ? -1 : 1) * pence(net),
    0,
  );
  const sums = await store.query<{ what: string; pence: number }>(
    `select 'channels' as what, coalesce(sum(net) * 100, 0)::bigint as pence
       from sales_total where company = $1
     union all
     select 'invoices less credits',
            coalesce(sum(case when document_type = 'credit' then -abs(net) else abs(net) end) * 100, 0)::bigint
       from sales_document where company = $1
     union all
     select 'postings', coalesce(sum(net) * 100, 0)::bigint from sales_posting where company = $1`,
    [COMPANY],
  );
  const found = sums.flatMap((sum) =>
    sum.pence === theirs
      ? []
      : [`${sum.what} come to ${sum.pence} pence, the ERP's books to ${theirs}`],
  );
  const channels = await store.query<{ key: string; pence: number }>(
    `select account || ' ' || period || ' ' || channel as key, (sum(net) * 100)::bigint as pence
       from sales_total where company = $1 group by 1`,
    [COMPANY],
  );
  const ours = new Map(channels.map(({ key, pence }) => [key, pence]));
  const shown = new Map<string, number>();
  for (const { account, period, shows, net } of books.sales) {
    const key = `${account} ${period} ${shows}`;
    shown.set(key, (shown.get(key) ?? 0) + pence(net));
  }
  for (const key of new Set([...ours.keys(), ...shown.keys()]))
    if ((ours.get(key) ?? 0) !== (shown.get(key) ?? 0))
      found.push(
        `sales ${key}: ${ours.get(key) ?? 0} pence, the ERP's books ${shown.get(key) ?? 0}`,
      );
  return found;
}

/** Names of figures that are not the same in both worlds, with both values. */
export function differences(clean: Figures, killed: Figures): string[] {
  return [...new Set([...clean.keys(), ...killed.keys()])].flatMap((name) =>
    clean.get(name) === killed.get(name)
      ? []
      : [
          `${name}: ${clean.get(name) ?? "nothing"} without kills, ${killed.get(name) ?? "nothing"} with`,
        ],
  );
}
