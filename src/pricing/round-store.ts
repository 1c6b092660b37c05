/** Price rounds as they are kept: found, locked, checked, and what the ERP says against them. */
import type { Queryable, Store, Transaction } from "../store/index.ts";
import { priceEffect } from "./effect.ts";
import type { PriceEffect } from "./effect.ts";
import { RoundRefused } from "./error.ts";
import { samePrice } from "./overlay.ts";
import type { RoundWords } from "./round-words.ts";

export interface DecidedBy {
  readonly who: string;
  readonly why: string;
}

/** What is needed to look. */
export interface RoundsReading {
  readonly store: Store;
  readonly company: string;
  readonly timeZone: string;
  readonly now: () => Temporal.Instant;
}

/** What is needed to decide. */
export interface RoundsContext extends RoundsReading {
  /** The book of who did what; absent: nothing is written there. */
  readonly audit?: (
    entry: {
      readonly company: string;
      readonly who: string;
      readonly action: string;
      readonly subject: string;
      readonly details: Readonly<Record<string, string | number | boolean | null>>;
    },
    on: Queryable,
  ) => Promise<void>;
  /** Who is told of what a person must know; absent: nobody. */
  readonly alarms?: Telling;
  /** Queues the publishing of a book with what was decided, in the same transaction. */
  readonly publishLater: (tx: Transaction) => Promise<void>;
}

/** Of what a person must know, as alarms are raised; absent: nobody is told. */
export interface Telling {
  raise(
    alarm: {
      readonly key: string;
      readonly level: "warning" | "error";
      readonly title: string;
      readonly detail: string;
      readonly instruction: string;
    },
    tx?: Transaction,
  ): Promise<void>;
  clear(key: string, tx?: Transaction): Promise<void>;
}

/** Key of the alarm that a round raises. */
export function roundAlarm(name: string): string {
  return `price-round/${name}`;
}

/** What a person looks at before approving. */
export interface RoundCheck {
  readonly rules: number;
  readonly new: number;
  readonly changed: number;
  /** The ERP has this very price already. */
  readonly same: number;
  /** For or on something that the company does not have. */
  readonly unreached: number;
  readonly zero: number;
  readonly effect: PriceEffect | null;
}

export interface Round {
  readonly id: string;
  readonly name: string;
  readonly state: "loaded" | "approved" | "confirmed" | "cancelled";
  readonly startsAt: Temporal.Instant;
  readonly confirmBy: Temporal.Instant;
  readonly words: RoundWords;
  readonly file: string;
  readonly fileSha256: string;
  readonly checked: RoundCheck;
  readonly loadedAt: Temporal.Instant;
  readonly loadedBy: string;
  readonly decidedAt: Temporal.Instant | null;
  readonly decidedBy: string | null;
  readonly why: string | null;
  readonly endedAt: Temporal.Instant | null;
  readonly rules: Readonly<Record<"waiting" | "confirmed" | "differs" | "decided", number>>;
}

/** A rule of a round that the ERP has otherwise. */
export interface RoundDifference {
  readonly rule: string;
  readonly fromQuantity: string;
  readonly line: number;
  readonly customer: string;
  readonly product: string;
  readonly round: string;
  /** Null: the ERP has the rule no more. */
  readonly erp: string | null;
  readonly seenAt: Temporal.Instant;
}

const COLUMNS = `id, name, state, starts_at as "startsAt", confirm_by as "confirmBy", words, file,
  file_sha256 as "fileSha256", checked, loaded_at as "loadedAt", loaded_by as "loadedBy",
  decided_at as "decidedAt", decided_by as "decidedBy", why, ended_at as "endedAt",
  (select jsonb_build_object(
     'waiting', count(*) filter (where x.state = 'waiting'),
     'confirmed', count(*) filter (where x.state = 'confirmed'),
     'differs', count(*) filter (where x.state = 'differs'),
     'decided', count(*) filter (where x.state = 'decided'))
     from price_round_rule x where x.company = r.company and x.round_id = r.id) as rules`;

export async function listRounds({ store, company }: RoundsReading): Promise<readonly Round[]> {
  return store.query<Round>(
    `select ${COLUMNS} from price_round r where company = $1 order by starts_at desc, id desc`,
    [company],
  );
}

const STANDING = ["loaded", "approved", "confirmed"];

export async function findRound(
  context: RoundsReading,
  name: string,
  states: readonly string[] = [...STANDING, "cancelled"],
): Promise<Round> {
  const [found] = await context.store.query<Round>(
    `select ${COLUMNS} from price_round r
      where company = $1 and (name = $2 or id::text = $2) and state = any($3)
      order by state = 'cancelled', loaded_at desc limit 1`,
    [context.company, name, states],
  );
  if (found !== undefined) return found;
  throw await unknownRound(context, name);
}

export async function lockRound(
  context: RoundsReading,
  tx: Queryable,
  name: string,
): Promise<Round> {
  const { company } = context;
  await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`price rounds ${company}`]);
  const [found] = await tx.query<Round>(
    `select ${COLUMNS} from price_round r
      where company = $1 and (name = $2 or id::text = $2)
      order by state = 'cancelled', loaded_at desc limit 1`,
    [company, name],
  );
  if (found !== undefined) return found;
  throw await unknownRound(context, name);
}

async function unknownRound(context: RoundsReading, name: string): Promise<RoundRefused> {
  const names = (await listRounds(context)).map((round) => round.name);
  return new RoundRefused(
    "round-unknown",
    `There is no price round "${name}"${names.length === 0 ? "" : `; there are: ${names.join(", ")}`}.`,
  );
}

/** What the ERP says instead of the round, biggest list first by rule. */
export async function roundDifferences(
  { store, company }: RoundsReading,
  id: string,
): Promise<readonly RoundDifference[]> {
  return store.query<RoundDifference>(
    `select x.rule, trim_scale(x.from_quantity)::text as "fromQuantity", x.line,
            concat_ws(' ', n.customer_scope, n.customer_code) as customer,
            concat_ws(' ', n.product_scope, n.product_code) as product,
            concat_ws(' ', n.kind, trim_scale(n.value)::text) as round,
            case when x.seen is null then null
                 else concat_ws(' ', s.kind, trim_scale(s.value)::text) end as erp,
            x.seen_at as "seenAt"
       from price_round_rule x
      cross join lateral jsonb_populate_record(null::price_rule, x.row) n
       left join lateral jsonb_populate_record(null::price_rule, x.seen) s on x.seen is not null
      where x.company = $1 and x.round_id = $2 and x.state = 'differs'
      order by x.rule, x.from_quantity`,
    [company, id],
  );
}

export interface RoundPlace {
  readonly account: string | null;
  readonly product: string;
}

/** Groups as the products in them and below them. */
export async function roundPlaces(
  { store, company }: RoundsReading,
  id: string,
): Promise<readonly RoundPlace[]> {
  return store.query<RoundPlace>(
    `with recursive n as materialized (
       select distinct n.customer_scope, n.customer_code, n.product_scope, n.product_code
         from price_round_rule x cross join lateral (values (x.before), (x.row)) side(row)
        cross join lateral jsonb_populate_record(null::price_rule, side.row) n
        where x.company = $1 and x.round_id = $2 and side.row is not null),
     within as (
       select product_code as top, product_code as code from n where product_scope = 'product-group'
       union select w.top, g.product_group from product_group g
               join within w on g.company = $1 and g.parent = w.code)
     select distinct case when n.customer_scope = 'account' then n.customer_code end as account,
            p.product
       from n join product p on p.company = $1 and (
            n.product_scope = 'everything'
            or n.product_scope = 'product-group'
               and p.product_group in (select code from within w where w.top = n.product_code))
      union
     select case when customer_scope = 'account' then customer_code end, product_code
       from n where product_scope = 'product'`,
    [company, id],
  );
}

export async function audit(
  { company, audit: write }: RoundsContext,
  on: Queryable,
  who: string,
  action: string,
  subject: string,
  details: Readonly<Record<string, string | number | boolean | null>>,
): Promise<void> {
  await write?.({ company, who, action, subject, details }, on);
}

/** Rules of a round `x` with the row to come `s` and the row of the ERP `t`. */
function rulesOf(company: string, id: string): string {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  return `(select * from price_round_rule
            where company = ${literal(company)} and round_id = ${literal(id)}) x
     cross join lateral jsonb_populate_record(null::price_rule, x.row) s
      left join price_rule t on t.company = x.company and t.rule = x.rule
                            and t.from_quantity = x.from_quantity
     cross join lateral (select case when t.rule is null then 'new'
       when ${samePrice("s", "t")} then 'same' else 'changed' end as what) d`;
}

export async function checkRules(
  { company }: RoundsReading,
  tx: Transaction,
  id: string,
): Promise<RoundCheck> {
  const from = rulesOf(company, id);
  const [counts] = await tx.query<Omit<RoundCheck, "effect">>(
    `select count(*) as rules, count(*) filter (where d.what = 'new') as new,
            count(*) filter (where d.what = 'changed') as changed,
            count(*) filter (where d.what = 'same') as same,
            count(*) filter (where s.kind = 'fixed' and s.value = 0) as zero,
            count(*) filter (where
              (s.product_scope = 'product' and not exists (select from product p
                 where p.company = x.company and p.product = s.product_code))
              or (s.product_scope = 'product-group' and not exists (select from product_group g
                 where g.company = x.company and g.product_group = s.product_code))
              or (s.customer_scope = 'account' and not exists (select from customer c
                 where c.company = x.company and c.account = s.customer_code))
              or (s.customer_scope = 'price-list' and not exists (select from price_list l
                 where l.company = x.company and l.price_list = s.customer_code))) as unreached
       from ${from}`,
  );
  const effect = await priceEffect(tx, { company, record: "price-rule", from });
  return { ...(counts ?? NOTHING), effect };
}

const NOTHING = { rules: 0, new: 0, changed: 0, same: 0, unreached: 0, zero: 0 };
