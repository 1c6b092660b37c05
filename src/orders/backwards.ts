/**
 * An ERP that went backwards, because it was restored from its backup: orders that it had are gone
 * there, from a moment on. One that is gone tells nothing (it was cancelled or archived, or the
 * search lags); several in a row by the time they were accepted, with an older one that is still
 * found, do. What an order number is given to anew tells the same.
 */
import type { Found, OrdersCapability } from "../connector/index.ts";
import { momentText } from "../model/index.ts";
import type { OrdersContext } from "./context.ts";
import { openSession } from "./delivery/sender.ts";
import { bears } from "./same-number.ts";

const SAME_NUMBER = bears("e.web_order");

/** An order that the ERP had accepted. */
export interface KnownOrder {
  readonly id: string;
  readonly order: string;
  readonly erpOrder: string;
  readonly account: string;
  readonly net: string;
  readonly acceptedAt: Temporal.Instant;
}

export interface WentBackwards {
  /** Oldest first. */
  readonly lost: readonly KnownOrder[];
  /** The newest order of before that is still there; what came after it is what may be lost. */
  readonly standing: KnownOrder;
  /** Numbers that stand for another order now: "SO-1005 was WEB-1, and is WEB-9 now". */
  readonly reused: readonly string[];
  /** In a sentence. */
  readonly about: string;
}

/** So many in a row are no accident; one less is none where order numbers tell the same. */
const ENOUGH = 3;
/** Looked for on every look, and at most, newest first. */
const USUALLY = 8;
const AT_MOST = 200;
/** A search may lag: what was accepted less long ago is not looked for. */
const SETTLED_MINUTES = 5;

/**
 * Null: it did not, or that cannot be told now. `ask`: the ERP is searched, unless it only takes
 * files; else only where what was pulled makes one wonder.
 */
export async function wentBackwards(
  context: OrdersContext,
  { ask }: { readonly ask: boolean },
): Promise<WentBackwards | null> {
  const known = await knownOrders(context);
  if (known.length === 0) return null;
  const since = ask ? null : context.now().subtract({ hours: REUSED_HOURS });
  const reused = await reusedNumbers(context, since);
  const pulled = await goneFromPulled(context, known, reused);
  const verdict = runOf(known, pulled, reused, context);
  if (verdict !== null || (!ask && reused.length === 0)) return verdict;
  const found = await goneFromSearch(context, known, reused.length > 0).catch((error: unknown) => {
    if (ask) throw error;
    // An ERP that cannot be asked tells nothing, and stops nothing else that is looked after.
    context.log("info", `Whether the ERP went backwards cannot be told now: ${String(error)}`);
    return null;
  });
  return found === null ? null : runOf(known, found, reused, context);
}

/**
 * In SQL: the order number of "o" was given anew: the ERP's order of that number bears another one
 * of ours than "o", or none and is another account's.
 */
export const isGivenAnew = (row: string): string =>
  `(case when coalesce(${row}.web_order, '') = '' then ${row}.account <> o.account
    else not ${bears(`${row}.web_order`)} end)`;

/** Or "n", which came after "o", has it. */
const HAS_IT = `(n.id > o.id and n.state in ('accepted', 'confirmed', 'conflict'))`;

/** It stands there; or it is a conflict, and may be one because its number was given anew. */
const STOOD = `(o.state in ('accepted', 'confirmed') or o.state = 'conflict'
    and (exists (select 1 from erp_order e
           where e.company = o.company and e.erp_order = o.erp_order and ${isGivenAnew("e")})
      or exists (select 1 from web_order n
           where n.company = o.company and n.erp_order = o.erp_order and ${HAS_IT})))`;

/** It is lost, as is known; sent again since, it can be lost once more. */
const IS_KNOWN_LOST = `exists (select 1 from web_order_lost g where g.company = o.company
    and g.order_id = o.id and g.erp_order = o.erp_order
    and g.decision is distinct from 'send-again')`;

/**
 * Newest first. What was cancelled or finished there may vanish rightly, and what was decided on
 * after it was lost is known to. Of an order of which nothing moved all is open, so that history is
 * not looked through.
 */
async function knownOrders(context: OrdersContext): Promise<readonly KnownOrder[]> {
  const { store, company, now } = context;
  return store.query<KnownOrder>(
    `with standing as materialized (
       select o.* from web_order o
        where o.company = $1 and not o.test and ${STOOD}
          and o.open_account is not null and o.erp_order is not null
          and not exists (select 1 from erp_order e where e.company = o.company
                and e.erp_order = o.erp_order and ${SAME_NUMBER}
                and e.state in ('cancelled', 'complete'))
          and not exists (select 1 from web_order_line l where l.company = o.company
                and l.order_id = o.id and (l.despatched_quantity > 0 or l.invoiced_quantity > 0
                  or l.cancelled_quantity > 0))
          and not ${IS_KNOWN_LOST})
     select o.id, o.number as "order", o.erp_order as "erpOrder", o.account, o.net,
            t.at as "acceptedAt"
       from standing o
       cross join lateral (select max(e.at) as at from web_order_event e
              where e.company = o.company and e.order_id = o.id
                and e.from_state is distinct from e.to_state
                and e.to_state in ('accepted', 'confirmed')
                and not exists (select 1 from web_order_event f
                      where f.company = e.company and f.order_id = e.order_id
                        and f.sequence > e.sequence and f.to_state = 'accepted')) t
      where t.at <= $2
      order by t.at desc, o.id desc limit ${AT_MOST}`,
    [company, now().subtract({ minutes: SETTLED_MINUTES })],
  );
}

interface Reused {
  readonly id: string;
  /** When its number was learned to be another's. */
  readonly at: Temporal.Instant;
  readonly says: string;
}

/** A look without asking, every minute, goes back no further. */
const REUSED_HOURS = 24;

/** An order number of ours that the ERP has given to another, as is known since then, or ever. */
async function reusedNumbers(
  { store, company }: OrdersContext,
  since: Temporal.Instant | null,
): Promise<readonly Reused[]> {
  return store.query<Reused>(
    `with other as (
       select o.id, coalesce(nullif(e.web_order, ''), 'an order of ' || e.account) as name,
              e.learned_at as at
         from erp_order e join web_order o on o.company = $1 and o.erp_order = e.erp_order
        where e.company = $1 and ($2::timestamptz is null or e.learned_at >= $2)
          and ${isGivenAnew("e")}
       union
       select o.id, n.number, n.changed_at
         from web_order n join web_order o on o.company = $1 and o.erp_order = n.erp_order
        where n.company = $1 and ($2::timestamptz is null or n.changed_at >= $2)
          and ${HAS_IT})
     select o.id, other.at, o.erp_order || ' was ' || o.number || ', and is ' || other.name || ' now' as says
       from other join web_order o on o.company = $1 and o.id = other.id
      where not o.test and o.state in ('accepted', 'confirmed', 'conflict')
        and exists (select 1 from web_order_event v where v.company = o.company
              and v.order_id = o.id and v.to_state in ('accepted', 'confirmed'))
        and not ${IS_KNOWN_LOST}
      order by o.erp_order limit 100`,
    [company, since],
  );
}

/** unsure: what is known of it is older than what shows that the ERP went backwards. */
type Looked = ReadonlyMap<string, "gone" | "there" | "unsure">;

interface Pulled {
  readonly id: string;
  /** Null: pulls do not show it any more. */
  readonly learnedAt: Temporal.Instant | null;
  /** No order of such a number or a higher one is shown. */
  readonly fell: boolean;
}

/**
 * Of orders that pulls had shown: whether they show them still. Only where the numbers fell, too:
 * an export of open orders lacks what is finished. Once a number was given anew, what was learned
 * before of later orders is of an ERP that is no more.
 */
async function goneFromPulled(
  { store, company }: OrdersContext,
  known: readonly KnownOrder[],
  reused: readonly Reused[],
): Promise<Looked> {
  const rows = await store.query<Pulled>(PULLED, [company, known.map(({ id }) => id)]);
  const anew = new Set(reused.map(({ id }) => id));
  const from = earliest(known.filter(({ id }) => anew.has(id)).map((each) => each.acceptedAt));
  const since = earliest(reused.map(({ at }) => at));
  const acceptedAt = new Map(known.map((each) => [each.id, each.acceptedAt]));
  const looked = new Map<string, "gone" | "there" | "unsure">();
  for (const { id, learnedAt, fell } of rows) {
    const at = acceptedAt.get(id);
    if (anew.has(id)) looked.set(id, "gone");
    else if (learnedAt === null) {
      if (fell) looked.set(id, "gone");
    } else {
      const old = at !== undefined && isBefore(from, at) && isBefore(learnedAt, since);
      looked.set(id, old ? "unsure" : "there");
    }
  }
  return looked;
}

function earliest(moments: readonly Temporal.Instant[]): Temporal.Instant | null {
  return moments.toSorted((a, b) => Temporal.Instant.compare(a, b))[0] ?? null;
}

function isBefore(one: Temporal.Instant | null, other: Temporal.Instant | null): boolean {
  return one !== null && other !== null && Temporal.Instant.compare(one, other) < 0;
}

const NUMBER_OF = (row: string) =>
  `coalesce(substring(${row}.erp_order from '[0-9]{1,18}$'), '0')::bigint`;
const PREFIX_OF = (row: string) => `regexp_replace(${row}.erp_order, '[0-9]+$', '')`;

/** The highest number of each prefix is looked for once, and only where an order is not shown. */
const PULLED = `
  with asked as materialized (
    select o.id, o.erp_order, e.learned_at
      from web_order o
      left join erp_order e on e.company = o.company and e.erp_order = o.erp_order
       and ${SAME_NUMBER}
     where o.company = $1 and o.id = any($2::uuid[])
       and exists (select 1 from web_order_event v where v.company = o.company
             and v.order_id = o.id and v.to_state = 'confirmed' and v.who = 'erp')),
  highest as materialized (
    select ${PREFIX_OF("h")} as prefix, max(${NUMBER_OF("h")}) as number
      from erp_order h
     where h.company = $1 and exists (select 1 from asked where learned_at is null)
     group by 1)
  select o.id, o.learned_at as "learnedAt",
         o.learned_at is null
           and not coalesce(h.number >= ${NUMBER_OF("o")}, false) as fell
    from asked o left join highest h on h.prefix = ${PREFIX_OF("o")}`;

/** Null: the search does not work now, so it tells nothing. */
async function goneFromSearch(
  context: OrdersContext,
  known: readonly KnownOrder[],
  suspicious: boolean,
): Promise<Looked | null> {
  await using session = await openSession(context);
  const { orders } = session;
  if (orders === undefined || orders.finding === "file-drop") return null;
  const looked = new Map<string, "gone" | "there">();
  for (const [index, order] of known.entries()) {
    const usual = index < USUALLY;
    const gone = [...looked.values()].includes("gone");
    if (!usual && !gone && !suspicious) break;
    // Once an older one stands behind those that are gone, what is older still stands as well.
    if (!usual && gone && looked.get(known[index - 1]?.id ?? "") === "there") break;
    const found = await isThere(orders, order.order);
    if (found === null) return null;
    looked.set(order.id, found ? "there" : "gone");
  }
  return looked;
}

/** As long as a call may take. */
const CALL_MS = 60_000;

/** One that does not heed its signal is waited for no longer. */
function givenUp(answer: Promise<Found>): Promise<Found> {
  const late = Promise.withResolvers<Found>();
  const said: Found = { kind: "cannotTell", reason: "no answer came" };
  const timer = setTimeout(late.resolve, CALL_MS, said);
  return Promise.race([answer, late.promise]).finally(() => clearTimeout(timer));
}

async function isThere(orders: OrdersCapability, key: string): Promise<boolean | null> {
  const call = () => ({ signal: AbortSignal.timeout(CALL_MS) });
  const found = await givenUp(orders.find(key, call()));
  if (found.kind === "cannotTell") return null;
  if (found.kind !== "absent" || orders.status === undefined) return found.kind !== "absent";
  // One that was cancelled there may be left out by the search.
  const status = await givenUp(orders.status(key, call()));
  return status.kind === "cannotTell" ? null : status.kind !== "absent";
}

/** The newest row of orders that are gone, with an older one behind it that is there. */
function runOf(
  known: readonly KnownOrder[],
  looked: Looked,
  reused: readonly Reused[],
  { settings }: OrdersContext,
): WentBackwards | null {
  const seen = known.filter(({ id }) => looked.has(id));
  const first = seen.findIndex(({ id }) => looked.get(id) !== "there");
  if (first < 0) return null;
  const behind = seen.findIndex(({ id }, index) => index > first && looked.get(id) === "there");
  const standing = seen[behind];
  if (standing === undefined) return null;
  const run = seen.slice(first, behind);
  const again = reused.filter(({ id }) => run.some((order) => order.id === id));
  const gone = run.filter(({ id }) => looked.get(id) === "gone").length;
  if (gone < (again.length === 0 ? ENOUGH : ENOUGH - 1)) return null;
  const lost = run.toReversed();
  const since = lost[0] === undefined ? "" : momentText(lost[0].acceptedAt, settings.timeZone);
  const numbers = again.length === 0 ? "" : ` ${again.map(({ says }) => says).join("; ")}.`;
  return {
    lost,
    standing,
    reused: again.map(({ says }) => says),
    about:
      `${lost.length} web orders that it accepted since ${since} are gone there, while ` +
      `${standing.order} of before is found as ${standing.erpOrder}.${numbers}`,
  };
}
