/**
 * What pulls say of the rounds that were approved: the same price confirms a rule; the price of
 * before says nothing until the ERP has some of the new ones, and is a difference from then on, as
 * anything else is; a person hears of it. Done before
 * every book is compiled; safe to repeat.
 */
import { momentText } from "../model/index.ts";
import type { Queryable, Transaction } from "../store/index.ts";
import { samePrice, uncover } from "./overlay.ts";
import { coverRules } from "./round-cover.ts";
import { listRounds, roundAlarm, roundDifferences } from "./round-store.ts";
import type { Round, RoundsReading, Telling } from "./round-store.ts";

export interface SettlingContext extends RoundsReading {
  /** Who is told; absent: nobody. */
  readonly alarms?: Telling;
}

/** The rules of open rounds against what the ERP has now; how many stand otherwise than before. */
export async function settleRounds(context: SettlingContext): Promise<number> {
  const { store, company } = context;
  const open = await store.query<{ id: string }>(
    "select id from price_round where company = $1 and state = 'approved'",
    [company],
  );
  if (open.length === 0) return 0;
  let changed = 0;
  await store.transaction(async (tx) => {
    changed = 0;
    await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`price rounds ${company}`]);
    for (const round of await approved(context, tx)) changed += await settle(context, tx, round);
  });
  const looked = new Set(open.map(({ id }) => id));
  for (const round of await listRounds(context))
    if (looked.has(round.id)) await tellOf(context, round);
  return changed;
}

type Open = Pick<Round, "id" | "name" | "startsAt">;

function approved({ company }: SettlingContext, tx: Queryable): Promise<Open[]> {
  return tx.query<Open>(
    `select id, name, starts_at as "startsAt" from price_round
      where company = $1 and state = 'approved' order by starts_at, id`,
    [company],
  );
}

/** `x`, the round's rule; `n`, the row it is to be; `p`, the row of the ERP, if there is one. */
const JOINED = `price_round_rule x
  cross join lateral jsonb_populate_record(null::price_rule, x.row) n
   left join price_rule p on p.company = x.company and p.rule = x.rule
                         and p.from_quantity = x.from_quantity
  where x.company = $1 and x.round_id = $2`;

function settle(context: SettlingContext, tx: Transaction, round: Open): Promise<number> {
  return Temporal.Instant.compare(context.now(), round.startsAt) < 0
    ? followErp(context, tx, round)
    : compareErp(context, tx, round);
}

/** Until the start the ERP's own changes count; a new price put in early waits for its start. */
async function followErp(context: SettlingContext, tx: Transaction, round: Open): Promise<number> {
  const followed = await tx.affect(
    `update price_round_rule u set before = f.now
       from (select x.rule, x.from_quantity, to_jsonb(p) as now from ${JOINED}
                and (p.rule is null or not (${samePrice("p", "n")}))
                and to_jsonb(p) is distinct from x.before) f
      where u.company = $1 and u.round_id = $2
        and u.rule = f.rule and u.from_quantity = f.from_quantity`,
    [context.company, round.id],
  );
  if (followed > 0) await coverRules(context, tx, round);
  return followed;
}

/** Whether a pull since the start brought prices of the round: the rest should be there then. */
async function hasBegun(
  { company }: SettlingContext,
  tx: Transaction,
  { id, startsAt }: Open,
): Promise<boolean> {
  const [row] = await tx.query<{ begun: boolean }>(
    `select exists (select from ${JOINED} and p.learned_at >= $3 and ${samePrice("p", "n")}
                       and p.row_hash::text is distinct from x.before ->> 'row_hash') as begun`,
    [company, id, startsAt],
  );
  return row?.begun === true;
}

async function compareErp(context: SettlingContext, tx: Transaction, round: Open): Promise<number> {
  const { company, now } = context;
  const begun = await hasBegun(context, tx, round);
  const today = now().toZonedDateTimeISO(context.timeZone).toPlainDate().toString();
  const changed = await tx.affect(
    `update price_round_rule u set state = f.state, seen = f.seen, seen_at = f.at
       from (select x.rule, x.from_quantity,
               case when p.rule is not null and ${samePrice("p", "n")}
                     and coalesce(p.valid_from, $3::date) <= $3::date
                     and coalesce(p.valid_to, $3::date) >= $3::date then 'confirmed'
                    when not $5 and p.row_hash::text is not distinct from x.before ->> 'row_hash'
                    then 'waiting'
                    else 'differs' end as state,
               case when p.rule is not null then to_jsonb(p) end as seen,
               coalesce(p.learned_at, $4::timestamptz) as at
               from ${JOINED} and x.state in ('waiting', 'differs')) f
      where u.company = $1 and u.round_id = $2 and u.rule = f.rule
        and u.from_quantity = f.from_quantity
        and (u.state, u.seen) is distinct from (f.state, f.seen)`,
    [company, round.id, today, now(), begun],
  );
  // What the ERP has by itself needs no rows in its place any more.
  await uncover(
    tx,
    { company, at: now(), sourceId: round.id },
    `select rule, from_quantity from price_round_rule
      where company = $1 and round_id = $2 and state = 'confirmed'`,
  );
  await tx.affect(
    `update price_round r set state = 'confirmed', ended_at = $3
      where company = $1 and id = $2 and not exists (
        select from price_round_rule x where x.company = r.company and x.round_id = r.id
           and x.state in ('waiting', 'differs'))`,
    [company, round.id, now()],
  );
  return changed;
}

const FEW = 5;

async function tellOf(context: SettlingContext, round: Round): Promise<void> {
  const { alarms, now, timeZone } = context;
  if (alarms === undefined || round.state === "loaded") return;
  const { name, rules, startsAt, confirmBy, state } = round;
  const open = state === "approved";
  const key = roundAlarm(name);
  const started = `Price round ${name} began at ${momentText(startsAt, timeZone)}`;
  if (open && rules.differs > 0) {
    const all = await roundDifferences(context, round.id);
    const few = all
      .slice(0, FEW)
      .map(
        ({ rule, round: ours, erp }) => `${rule}: round ${ours}, ERP ${erp ?? "has it no more"}`,
      );
    await alarms.raise({
      key,
      level: "error",
      title: `the ERP has ${rules.differs} other prices than round ${name}`,
      detail: `${started}, and the ERP says otherwise: ${few.join("; ")}${all.length > FEW ? " …" : ""}. These prices answer stale.`,
      instruction: `Correct them in the ERP and pull, or take the ERP's: price rounds take-erp ${name}.`,
    });
  } else if (open && rules.waiting > 0 && Temporal.Instant.compare(now(), confirmBy) >= 0)
    await alarms.raise({
      key,
      level: "error",
      title: `the ERP has not confirmed price round ${name}`,
      detail: `${started}; ${rules.waiting} of its prices were to be in the ERP by ${momentText(confirmBy, timeZone)}. They answer stale.`,
      instruction: `Put the prices into the ERP and pull, or cancel the round: price rounds cancel ${name}.`,
    });
  else await alarms.clear(key);
}
