/** Quarantine items as people look at them: lists, groups of like ones, totals, a history. */
import { columnOf, type Field } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import type { NewItem } from "./quarantine.ts";
import { definitionOf, keyFields } from "./reason.ts";

type ItemState = "open" | "resolved" | "dismissed";

/** What a person put right in a row, and the keys of the records that it made. */
interface Correction {
  readonly columns: Readonly<Record<string, string>>;
  readonly who: string | null;
  readonly at: string;
  readonly keys: readonly string[];
}

export interface Item extends Omit<NewItem, "told"> {
  readonly id: string;
  readonly connection: string;
  readonly stream: string;
  readonly runId: string;
  readonly state: ItemState;
  /** What like items have in common: "unitPrice is blank". */
  readonly reason: string;
  /** How many customers it touches; null when that is not known. */
  readonly customers: number | null;
  /** Since when this very row has come and been bad, over all its items. */
  readonly firstSeenAt: Temporal.Instant;
  readonly lastSeenAt: Temporal.Instant;
  /** How often it came again unchanged. */
  readonly cameAgain: number;
  /** Null: nobody corrected it. */
  readonly correction: Correction | null;
  /** The source still gives the bad row, and its records stay as they were corrected. */
  readonly correctionHolds: boolean;
  readonly openedAt: Temporal.Instant;
  readonly closedAt: Temporal.Instant | null;
  readonly closedBy: string | null;
  /** A person closed it, and may open it again. */
  readonly closedByHand: boolean;
}

/** What is left out fits everything; `state` is open unless said. */
export interface ItemFilter {
  readonly stream?: string | undefined;
  readonly connection?: string | undefined;
  /** Field of the record that is wrong. */
  readonly field?: string | undefined;
  /** Words of the reason, in any case. */
  readonly reason?: string | undefined;
  readonly account?: string | undefined;
  readonly state?: ItemState | "any" | undefined;
}

const FITS = `q.company = $1 and ($2::text = 'any' or q.state = $2)
  and ($3::text is null or q.stream = $3) and ($4::text is null or q.connection = $4)
  and ($5::text is null or q.problems @> jsonb_build_array(jsonb_build_object('field', $5::text)))
  and ($6::text is null or strpos(lower(q.reason), lower($6)) > 0)
  and ($7::text is null or (q.customer_scope = 'account' and q.customer_code = $7))`;

function fitting(company: string, filter: ItemFilter): unknown[] {
  const { state, stream, connection, field, reason, account } = filter;
  const given = [stream, connection, field, reason, account].map((each) => each ?? null);
  return [company, state ?? "open", ...given];
}

/** Which customers a price list, group or the like means now; $1 is the company. */
const MEANT = `
  select scope, code, account from (
    select 'everyone' as scope, '' as code, c.account from customer c where c.company = $1
    union all select 'price-list', coalesce(c.price_list, (select l.price_list from price_list l
      where l.company = $1 and l.standard order by 1 limit 1)), c.account
      from customer c where c.company = $1
    union all select 'customer-group', c.customer_group, c.account from customer c where c.company = $1
    union all select 'branch', c.branch, c.account from customer c where c.company = $1
    union all select 'head-office', coalesce(c.head_office, c.account), c.account
      from customer c where c.company = $1
  ) meant where code is not null`;

const SELECT = `
  with meant as (select scope, code, count(*)::int as customers from (${MEANT}) m group by 1, 2)
  select q.id, q.connection, q.stream, q.mapping, q.run_id as "runId", q.origin_id as "originId",
    q.origin_name as "originName", q.line, q.raw, q.row_values as "values", q.record,
    q.record_key as "recordKey", q.problems, q.worth, q.state, q.reason,
    case when q.customer_scope in ('account', 'site') then 1
         when q.customer_scope is not null then coalesce(meant.customers, 0) end as customers,
    q.first_seen_at as "firstSeenAt", q.last_seen_at as "lastSeenAt", q.came_again as "cameAgain",
    q.correction, q.correction_holds as "correctionHolds", q.opened_at as "openedAt",
    q.closed_at as "closedAt", q.closed_by as "closedBy", q.closed_by_hand as "closedByHand"
  from quarantine q
  left join meant on meant.scope = q.customer_scope and meant.code = coalesce(q.customer_code, '')`;

/** First by money at risk, rows whose record a person corrected last; then oldest first. */
export async function listItems(
  store: Queryable,
  company: string,
  filter: ItemFilter & { readonly limit: number },
): Promise<Item[]> {
  return store.query<Item>(
    `${SELECT} where ${FITS}
      order by q.correction_holds, q.worth desc nulls last, q.opened_at, q.origin_name, q.line, q.id
      limit $8`,
    [...fitting(company, filter), filter.limit],
  );
}

/** Behind one item in the order in which they were opened, so that all can be gone through. */
export async function itemsAfter(
  store: Queryable,
  company: string,
  filter: ItemFilter & { readonly limit: number; readonly after: string | null },
): Promise<Item[]> {
  return store.query<Item>(
    `${SELECT} where ${FITS} and ($8::uuid is null or q.id > $8) order by q.id limit $9`,
    [...fitting(company, filter), filter.after, filter.limit],
  );
}

/** One item by its id, or by the beginning or the end of it. */
export async function findItems(store: Queryable, company: string, id: string): Promise<Item[]> {
  if (!/^[0-9a-f-]{1,36}$/i.test(id)) return [];
  const part = id.toLowerCase();
  return store.query<Item>(
    `${SELECT} where q.company = $1 and (q.id::text like $2 or q.id::text like $3)
      order by q.id limit 2`,
    [company, `${part}%`, `%${part}`],
  );
}

/** Items that are mended in the same way. */
export interface ItemGroup {
  readonly connection: string;
  readonly stream: string;
  readonly mapping: string | null;
  readonly reason: string;
  readonly items: number;
  /** Sum as far as it is known; null when it is of none. */
  readonly worth: string | null;
  /** How many customers they touch in all; null when that is not known of each. */
  readonly customers: number | null;
  /** Of them, rows whose record a person corrected. */
  readonly corrected: number;
  readonly since: Temporal.Instant;
  /** One of them, to look at. */
  readonly example: string;
}

/** First by money at risk. */
export async function groupItems(
  store: Queryable,
  company: string,
  filter: ItemFilter & { readonly limit: number },
): Promise<ItemGroup[]> {
  return store.query<ItemGroup>(
    `with meant as (${MEANT}), kept as (select q.* from quarantine q where ${FITS}),
     accounts as (
       select connection, stream, mapping, reason, count(distinct account)::int as customers from (
         select k.connection, k.stream, k.mapping, k.reason,
                case when k.customer_scope = 'account' then k.customer_code
                     when k.customer_scope = 'site' then split_part(k.customer_code, '/', 1)
                     else meant.account end as account
           from (select distinct connection, stream, mapping, reason, customer_scope, customer_code
                   from kept) k
           left join meant on meant.scope = k.customer_scope
                and meant.code = coalesce(k.customer_code, '')) each
        group by 1, 2, 3, 4)
     select k.connection, k.stream, k.mapping, k.reason, count(*)::int as items,
            (sum(k.worth) filter (where not k.correction_holds))::numeric(18,2)::text as worth,
            case when bool_and(k.customer_scope is not null) then min(a.customers) end as customers,
            (count(*) filter (where k.correction_holds))::int as corrected,
            min(k.first_seen_at) as since, min(k.id::text) as example
       from kept k join accounts a on a.connection = k.connection and a.stream = k.stream
            and a.mapping is not distinct from k.mapping and a.reason = k.reason
      group by k.connection, k.stream, k.mapping, k.reason
      order by sum(k.worth) filter (where not k.correction_holds) desc nulls last, 5 desc, 4
      limit $8`,
    [...fitting(company, filter), filter.limit],
  );
}

export interface QuarantineTotals {
  readonly open: number;
  /** Sum of the open items' money at risk, decimal text; not of those whose correction holds. */
  readonly worth: string;
}

export async function quarantineTotals(
  store: Queryable,
  company: string,
): Promise<QuarantineTotals> {
  const [row] = await store.query<QuarantineTotals>(
    `select count(*)::int as open,
            coalesce(sum(worth) filter (where not correction_holds), 0)::numeric(18,2)::text as worth
       from quarantine where company = $1 and state = 'open'`,
    [company],
  );
  return row ?? { open: 0, worth: "0.00" };
}

/** One thing that happened to an item, or to the items of the same row before it. */
export interface ItemEvent {
  readonly at: Temporal.Instant;
  readonly who: string;
  readonly action: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly item: string;
}

const LONGEST_HISTORY = 50;

/** What people did to the row in all of its items, oldest first. */
export async function historyOf(
  store: Queryable,
  company: string,
  id: string,
): Promise<ItemEvent[]> {
  return store.query<ItemEvent>(
    `with recursive chain as (
       select id, follows, 1 as depth from quarantine where company = $1 and id = $2
       union all select q.id, q.follows, chain.depth + 1 from chain
         join quarantine q on q.company = $1 and q.id = chain.follows
        where chain.depth < ${LONGEST_HISTORY})
     select e.at, e.who, e.action, e.details, e.item
       from quarantine_event e join chain on e.company = $1 and e.item = chain.id
      order by e.at, e.id`,
    [company, id],
  );
}

/** The record that the row would be, as it is held now. */
export interface HeldRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly originId: string;
  readonly line: number;
  readonly learnedAt: Temporal.Instant;
}

/** Null: none is held, or its key cannot be told. */
export async function heldRecord(
  store: Queryable,
  company: string,
  { record, recordKey }: Pick<Item, "record" | "recordKey">,
): Promise<HeldRecord | null> {
  const definition = definitionOf(record);
  if (definition === undefined) return null;
  const key = Object.entries(keyFields(definition, recordKey));
  if (key.length === 0) return null;
  const fields = Object.keys(definition.fields);
  const shown = fields.map((field) => `'${field}', t."${columnOf(field)}"`);
  const same = key.map(
    ([field], index) =>
      `t."${columnOf(field)}" = $${index + 2}::${typeOf(definition.fields[field])}`,
  );
  const [row] = await store.query<HeldRecord>(
    `select jsonb_build_object(${shown.join(", ")}) as fields, t.origin_id as "originId",
            t.origin_line as line, t.learned_at as "learnedAt"
       from "${definition.table}" t where t.company = $1 and ${same.join(" and ")}`,
    [company, ...key.map(([, value]) => value)],
  );
  return row ?? null;
}

function typeOf(field: Field | undefined): string {
  const types: Readonly<Record<string, string>> = {
    integer: "int",
    decimal: "numeric",
    date: "date",
    instant: "timestamptz",
    flag: "boolean",
  };
  return types[field?.kind ?? ""] ?? "text";
}
