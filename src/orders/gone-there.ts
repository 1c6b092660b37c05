/** Whether the ERP still shows orders that it took: in what was pulled, or by its search. */
import type { Found, OrdersCapability } from "../connector/index.ts";
import type { OrdersContext } from "./context.ts";
import { bears } from "./same-number.ts";
import { HAS_IT, IS_KNOWN_LOST, isGivenAnew, type KnownOrder } from "./taken-there.ts";

export interface Reused {
  readonly id: string;
  /** When its number was learned to be another's. */
  readonly at: Temporal.Instant;
  readonly says: string;
}

/** An order number of ours that the ERP has given to another, as is known since then, or ever. */
export async function reusedNumbers(
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

/**
 * vanished: pulls do not show it any more, which proves nothing alone. unsure: what is known of it
 * is older than what shows that the ERP went backwards.
 */
export type Looked = ReadonlyMap<string, "gone" | "vanished" | "there" | "unsure">;

interface Pulled {
  readonly id: string;
  /** Null: pulls do not show it any more. */
  readonly learnedAt: Temporal.Instant | null;
  /** No order of such a number or a higher one is shown. */
  readonly fell: boolean;
  /** Where it was shown, one that was done before then is shown for good. */
  readonly keepsDone: boolean;
}

/**
 * Of orders that pulls had shown: whether they show them still. An export of open orders lacks what
 * is finished, and its numbers fall with that; one that shows what was finished long ago lacks what
 * is gone. Once a number was given anew, what was learned before of later orders is of an ERP that
 * is no more.
 */
export async function goneFromPulled(
  { store, company }: OrdersContext,
  known: readonly KnownOrder[],
  reused: readonly Reused[],
): Promise<Looked> {
  const rows = await store.query<Pulled>(PULLED, [
    company,
    known.map(({ id }) => id),
    known.map((each) => each.acceptedAt),
  ]);
  const anew = new Set(reused.map(({ id }) => id));
  const from = earliest(known.filter(({ id }) => anew.has(id)).map((each) => each.acceptedAt));
  const since = earliest(reused.map(({ at }) => at));
  const acceptedAt = new Map(known.map((each) => [each.id, each.acceptedAt]));
  const looked = new Map<string, "gone" | "vanished" | "there" | "unsure">();
  for (const { id, learnedAt, fell, keepsDone } of rows) {
    const at = acceptedAt.get(id);
    if (anew.has(id)) looked.set(id, "gone");
    else if (learnedAt === null) {
      if (fell) looked.set(id, keepsDone ? "gone" : "vanished");
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
    select o.id, o.erp_order, n.accepted_at, e.learned_at, e.feed
      from unnest($2::uuid[], $3::timestamptz[]) as n (id, accepted_at)
      join web_order o on o.company = $1 and o.id = n.id
      left join erp_order e on e.company = o.company and e.erp_order = o.erp_order
       and ${bears("e.web_order")}
     where exists (select 1 from web_order_event v where v.company = o.company
             and v.order_id = o.id and v.to_state = 'confirmed' and v.who = 'erp')),
  highest as materialized (
    select ${PREFIX_OF("h")} as prefix, max(${NUMBER_OF("h")}) as number
      from erp_order h
     where h.company = $1 and exists (select 1 from asked where learned_at is null)
     group by 1),
  done as materialized (
    select min(d.learned_at) as since
      from erp_order d
     where d.company = $1 and d.state = 'complete' and d.feed in (select feed from asked)
       and exists (select 1 from asked where learned_at is null))
  select o.id, o.learned_at as "learnedAt",
         o.learned_at is null
           and not coalesce(h.number >= ${NUMBER_OF("o")}, false) as fell,
         coalesce(done.since < o.accepted_at, false) as "keepsDone"
    from asked o cross join done
    left join highest h on h.prefix = ${PREFIX_OF("o")}`;

/** Looked for on every look, newest first; and one after another where something is gone. */
const USUALLY = 8;
const ONE_BY_ONE = 200;

/** Null: the search does not work now. */
export type Look = (order: KnownOrder) => Promise<"gone" | "there" | null>;

/**
 * Newest first, until one stands behind those that are gone: what is older still stands as well.
 * False: the search does not work now.
 */
export async function lookBack(
  look: Look,
  known: readonly KnownOrder[],
  suspicious: boolean,
): Promise<boolean> {
  let isGone = false;
  let last: "gone" | "there" | null = null;
  for (const [index, order] of known.entries()) {
    if (index >= USUALLY && (isGone ? last === "there" : !suspicious)) break;
    if (index === ONE_BY_ONE && !(isGone && (await standsBehind(look, known)))) break;
    last = await look(order);
    if (last === null) return false;
    isGone ||= last === "gone";
  }
  return true;
}

/** Of those that are older still, ever further back, and of the oldest one: whether any stands. */
async function standsBehind(look: Look, known: readonly KnownOrder[]): Promise<boolean> {
  const oldest = known.at(-1);
  for (let steps = 1; ONE_BY_ONE + steps < known.length; steps *= 2) {
    const order = known[ONE_BY_ONE + steps];
    if (order !== undefined && (await look(order)) === "there") return true;
  }
  return oldest !== undefined && (await look(oldest)) === "there";
}

/** Asks the ERP's search, once for each. */
export function searching(orders: OrdersCapability): { look: Look; looked: Looked } {
  const looked = new Map<string, "gone" | "there">();
  const look: Look = async ({ id, order }) => {
    const before = looked.get(id);
    if (before !== undefined) return before;
    const there = await isThere(orders, order);
    if (there === null) return null;
    const said = there ? "there" : "gone";
    looked.set(id, said);
    return said;
  };
  return { look, looked };
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
