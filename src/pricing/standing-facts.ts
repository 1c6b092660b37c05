/** What the tables say of how prices stand: rounds, changes that wait, sources that grow old. */
import { createHash } from "node:crypto";
import { momentText } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { samePrice } from "./overlay.ts";
import type { RoundWords } from "./round-words.ts";
import { NO_FACTS } from "./standing.ts";
import type { RoundPrice, StandingFacts, StandingPlace } from "./standing.ts";

/** When a source was last read, and when that is too long ago. */
export interface SourceAge {
  readonly source: string;
  /** Null: it was never read, so that nothing of it can be too old. */
  readonly at: Temporal.Instant | null;
  /** Null: no age is too old. */
  readonly staleAfterSeconds: number | null;
}

/** Reads the facts; what no round, hold or pull has touched since the last time it knows. */
export type StandingReader = (
  on: Queryable,
  sources: readonly SourceAge[],
) => Promise<StandingFacts>;

export function openStandingReader(of: {
  readonly company: string;
  readonly timeZone: string;
}): StandingReader {
  const { company, timeZone } = of;
  let known: { readonly key: string; readonly decided: Decided } | null = null;
  return async (on, sources) => {
    const key = await keyOf(on, company);
    // Read after its key, so that what changes in between is read again the next time.
    if (known?.key !== key) known = { key, decided: await decidedFacts(on, company, timeZone) };
    const { decided } = known;
    const staleFrom = staleFact(sources, timeZone);
    const nothing = Object.keys(decided.rounds).length + decided.holds.length === 0;
    if (nothing && staleFrom === null) return NO_FACTS;
    const revision = createHash("sha256").update(JSON.stringify([decided.revision, staleFrom]));
    return { ...decided, staleFrom, revision: revision.digest("hex").slice(0, 16) };
  };
}

type Decided = Omit<StandingFacts, "staleFrom">;

/** Changes whenever one of the facts may: asked every second, so that it must cost nothing. */
async function keyOf(on: Queryable, company: string): Promise<string> {
  const [row] = await on.prepared<{ key: string }>(
    `select jsonb_build_array(
       (select jsonb_agg(jsonb_build_array(id, state, decided_by, decided_at, case when state = 'approved' then (
                 select jsonb_agg(jsonb_build_array(s.state, s.rules, s.seen) order by s.state) from (
                   select x.state, count(*) as rules, sum(extract(epoch from x.seen_at)) as seen
                     from price_round_rule x where x.company = r.company and x.round_id = r.id
                    group by x.state) s) end) order by id)
          from price_round r where company = $1 and state in ('approved', 'confirmed')),
       (select jsonb_agg(jsonb_build_array(id, state, decided_by) order by id)
          from price_hold where company = $1 and state in ('open', 'rejected')),
       (select max(number) from record_change where company = $1 and record = 'price-rule'),
       (select max(learned_at) from price_overlay where company = $1),
       (select max(version) from price_book where company = $1))::text as key`,
    [company],
  );
  return row?.key ?? "";
}

async function decidedFacts(on: Queryable, company: string, timeZone: string): Promise<Decided> {
  const rounds = await roundFacts(on, company, timeZone);
  const prices = Object.keys(rounds).length === 0 ? [] : await roundPrices(on, company);
  const holds = await holdFacts(on, company, timeZone);
  const facts = { rounds, prices, holds };
  return { ...facts, revision: createHash("sha256").update(JSON.stringify(facts)).digest("hex") };
}

async function roundFacts(
  on: Queryable,
  company: string,
  timeZone: string,
): Promise<StandingFacts["rounds"]> {
  const rows = await on.query<{
    id: string;
    name: string;
    startsAt: Temporal.Instant;
    confirmBy: Temporal.Instant;
    decidedBy: string | null;
    decidedAt: Temporal.Instant | null;
    words: RoundWords;
  }>(
    `select id, name, starts_at as "startsAt", confirm_by as "confirmBy",
            decided_by as "decidedBy", decided_at as "decidedAt", words
       from price_round where company = $1 and state in ('approved', 'confirmed') order by id`,
    [company],
  );
  const shown = (at: Temporal.Instant | null) => (at === null ? "" : momentText(at, timeZone));
  return Object.fromEntries(
    rows.map(({ id, name, startsAt, confirmBy, decidedBy, decidedAt, words }) => [
      id,
      {
        about: `Price round ${name} of ${shown(startsAt)}, approved by ${decidedBy ?? "nobody"} on ${shown(decidedAt)}`,
        startsMs: startsAt.epochMilliseconds,
        keptMs:
          words.openBaskets === "keep"
            ? startsAt.epochMilliseconds + words.keepBasketsMinutes * 60_000
            : null,
        dueMs: confirmBy.epochMilliseconds,
        due: shown(confirmBy),
      },
    ]),
  );
}

/** A rule that was confirmed counts as such until the ERP's row changes. */
async function roundPrices(on: Queryable, company: string): Promise<readonly RoundPrice[]> {
  return on.query<RoundPrice>(
    `select n.customer_scope as "customerScope", n.customer_code as "customerCode",
            n.product_scope as "productScope", n.product_code as "productCode", n.kind,
            n.value, n.from_quantity as "fromQuantity", x.round_id as round, x.state,
            case when x.state <> 'differs' then null
                 when x.seen is null then 'it has the rule no more'
                 else concat_ws(' ', s.kind, trim_scale(s.value)::text) end as otherwise
       from price_round r
       join price_round_rule x on x.company = r.company and x.round_id = r.id
      cross join lateral jsonb_populate_record(null::price_rule, x.row) n
       left join lateral jsonb_populate_record(null::price_rule, x.seen) s on x.seen is not null
       left join price_rule p on p.company = x.company and p.rule = x.rule
                             and p.from_quantity = x.from_quantity
      where r.company = $1 and r.state in ('approved', 'confirmed')
        and (x.state in ('waiting', 'differs')
             or x.state = 'confirmed' and p.rule is not null and ${samePrice("p", "n")})
      order by r.starts_at, x.rule, x.from_quantity`,
    [company],
  );
}

async function holdFacts(
  on: Queryable,
  company: string,
  timeZone: string,
): Promise<StandingFacts["holds"]> {
  const holds = await on.query<{
    id: string;
    heldAt: Temporal.Instant;
    about: string;
    state: "open" | "rejected";
    decidedBy: string | null;
  }>(
    `select id, held_at as "heldAt", about, state, decided_by as "decidedBy" from price_hold
      where company = $1 and state in ('open', 'rejected') order by held_at, id`,
    [company],
  );
  const facts: { about: string; places: readonly StandingPlace[] }[] = [];
  for (const { id, heldAt, about, state, decidedBy } of holds)
    facts.push({
      about:
        state === "open"
          ? `A price change of ${momentText(heldAt, timeZone)} waits for a person: ${about}.`
          : `A price change of ${momentText(heldAt, timeZone)} was rejected by ${decidedBy ?? "nobody"}, and the ERP still has it.`,
      places: await placesOf(on, company, id),
    });
  return facts;
}

/** Whom and what the rules are for, as they stood and as they are to be. */
function placesOf(on: Queryable, company: string, id: string): Promise<StandingPlace[]> {
  return on.query<StandingPlace>(
    `select distinct n.customer_scope as "customerScope", n.customer_code as "customerCode",
            n.product_scope as "productScope", n.product_code as "productCode"
       from price_hold_rule x
      cross join lateral (values (x.before), (x.after)) as side(row)
      cross join lateral jsonb_populate_record(null::price_rule, side.row) n
      where x.company = $1 and x.hold_id = $2 and side.row is not null order by 1, 2, 3, 4`,
    [company, id],
  );
}

function staleFact(sources: readonly SourceAge[], timeZone: string): StandingFacts["staleFrom"] {
  let first: { ms: number; about: string } | null = null;
  for (const { source, at, staleAfterSeconds } of sources) {
    if (at === null || staleAfterSeconds === null) continue;
    const ms = at.epochMilliseconds + staleAfterSeconds * 1000;
    if (first !== null && first.ms <= ms) continue;
    const limit = Temporal.Duration.from({ seconds: staleAfterSeconds }).round({
      largestUnit: "days",
    });
    const about =
      `The prices rest on ${source}, which was last read at ${momentText(at, timeZone)}: ` +
      `longer ago than ${limit.toLocaleString("en-GB")} (pricing.staleAfter).`;
    first = { ms, about };
  }
  return first;
}
