/**
 * Price rounds: prices that are loaded before their moment, checked, approved by a person, and in
 * the book from then on with their start, so that nothing is rebuilt when it comes. The next pull
 * confirms them, or says what the ERP has instead.
 */
import { randomUUIDv7 } from "node:crypto";
import { columnOf, records } from "../model/index.ts";
import type { Canonical } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { RoundRefused } from "./error.ts";
import { uncover } from "./overlay.ts";
import { coverRules } from "./round-cover.ts";
import {
  audit,
  checkRules,
  findRound,
  listRounds,
  lockRound,
  roundAlarm,
  roundDifferences,
  roundPlaces,
} from "./round-store.ts";
import type {
  DecidedBy,
  Round,
  RoundDifference,
  RoundPlace,
  RoundsContext,
} from "./round-store.ts";
import { settleRounds } from "./round-settle.ts";
import { roundWords } from "./round-words.ts";
import type { RoundWords } from "./round-words.ts";

export interface NewRound {
  readonly name: string;
  readonly startsAt: Temporal.Instant;
  /** Absent: a day after the start. */
  readonly confirmBy?: Temporal.Instant;
  readonly words?: Partial<RoundWords>;
  readonly file: string;
  readonly fileSha256: string;
  /** Rules as they are to be, with their lines in the file. */
  readonly rules: readonly { readonly line: number; readonly rule: Canonical<"price-rule"> }[];
  readonly who: string;
}

/** The desk of price rounds; a round is named by its name or id. */
export interface Rounds {
  /** Checks and keeps it; it counts for nothing until it is approved. Throws `RoundRefused`. */
  load(round: NewRound): Promise<Round>;
  approve(name: string, by: DecidedBy): Promise<Round>;
  cancel(name: string, by: DecidedBy): Promise<Round>;
  takeErp(name: string, by: DecidedBy): Promise<Round>;
  list(): Promise<readonly Round[]>;
  find(name: string): Promise<Round>;
  differences(id: string): Promise<readonly RoundDifference[]>;
  /** What its rules are for, product by product; account null: more than one customer. */
  places(id: string): Promise<readonly RoundPlace[]>;
  /** Compares what was approved with what the ERP has now, and publishes what that changes. */
  settle(): Promise<void>;
}

export function openRounds(context: RoundsContext): Rounds {
  return {
    load: (round) => loadRound(context, round),
    approve: (name, by) => approveRound(context, name, by),
    cancel: (name, by) => cancelRound(context, name, by),
    takeErp: (name, by) => takeErp(context, name, by),
    list: () => listRounds(context),
    find: (name) => findRound(context, name),
    differences: (id) => roundDifferences(context, id),
    places: (id) => roundPlaces(context, id),
    settle: async () => {
      if ((await settleRounds(context)) > 0) await context.store.transaction(context.publishLater);
    },
  };
}

async function loadRound(context: RoundsContext, given: NewRound): Promise<Round> {
  const { store, company, now } = context;
  const words = roundWords.parse(given.words ?? {});
  const confirmBy = given.confirmBy ?? given.startsAt.add({ hours: 24 });
  const id = randomUUIDv7();
  await store.transaction(async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtext($1))", [`price rounds ${company}`]);
    const refusal = await loadRefusal(context, tx, given, confirmBy);
    if (refusal !== null) throw refusal;
    await insertRules(context, tx, id, given);
    const checked = await checkRules(context, tx, id);
    await tx.affect(
      `insert into price_round (company, id, name, state, starts_at, confirm_by, words, file,
                                file_sha256, checked, loaded_at, loaded_by)
       values ($1, $2, $3, 'loaded', $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        company,
        id,
        given.name,
        given.startsAt,
        confirmBy,
        JSON.stringify(words),
        given.file,
        given.fileSha256,
        JSON.stringify(checked),
        now(),
        given.who,
      ],
    );
    await audit(context, tx, given.who, "price-round-loaded", given.name, {
      file: given.file,
      sha256: given.fileSha256,
      rules: given.rules.length,
    });
  });
  return findRound(context, given.name);
}

async function loadRefusal(
  { company, now }: RoundsContext,
  tx: Queryable,
  given: NewRound,
  confirmBy: Temporal.Instant,
): Promise<RoundRefused | null> {
  const { name, rules, startsAt } = given;
  const refuse = (code: RoundRefused["code"], why: string) =>
    new RoundRefused(code, `Loading price round ${name}: ${why}`);
  if (rules.length === 0)
    return refuse("round-empty", `${given.file} has no rule. Give a file with the new prices.`);
  if (Temporal.Instant.compare(startsAt, now()) <= 0)
    return refuse(
      "round-too-late",
      `it is to start at ${startsAt.toString()}, which is past. Give a moment to come.`,
    );
  if (Temporal.Instant.compare(confirmBy, startsAt) <= 0)
    return refuse(
      "round-too-late",
      "it is to be confirmed before it starts. Give a moment after the start, or none: a day later.",
    );
  const taken = await tx.query(
    "select from price_round where company = $1 and name = $2 and state <> 'cancelled'",
    [company, name],
  );
  if (taken.length > 0)
    return refuse("round-name-taken", "there is one of that name. Cancel it, or choose another.");
  const seen = new Map<string, number>();
  for (const { line, rule } of rules) {
    const key = `${rule.rule} from ${Number(rule.fromQuantity)}`;
    const before = seen.get(key);
    if (before !== undefined)
      return refuse(
        "round-rule-twice",
        `lines ${before} and ${line} are both rule ${key}. Keep one of them.`,
      );
    seen.set(key, line);
  }
  return null;
}

/** Rules as rows of the canonical table, so that they can count in its place. */
async function insertRules(
  { company, now }: RoundsContext,
  tx: Queryable,
  id: string,
  { rules, name }: NewRound,
): Promise<void> {
  const fields = Object.keys(records["price-rule"].fields) as (keyof Canonical<"price-rule">)[];
  const rows = rules.map(({ line, rule }) => ({
    line,
    ...Object.fromEntries(fields.map((field) => [columnOf(field), rule[field]])),
  }));
  await tx.affect(
    `insert into price_round_rule (company, round_id, rule, from_quantity, line, row, before, state)
     select $1, $2, n.rule, n.from_quantity, (g.row ->> 'line')::int,
            to_jsonb(n) || jsonb_build_object('company', $1::text, 'feed', $4::text,
              'row_hash', md5(g.row::text)::uuid, 'origin_id', $2::uuid,
              'origin_line', (g.row ->> 'line')::int, 'run_id', $2::uuid, 'learned_at', $5::timestamptz),
            to_jsonb(p), 'waiting'
       from jsonb_array_elements($3::jsonb) as g(row)
      cross join lateral jsonb_populate_record(null::price_rule, g.row) n
       left join price_rule p on p.company = $1 and p.rule = n.rule
                             and p.from_quantity = n.from_quantity`,
    [company, id, JSON.stringify(rows), `round/${name}`, now()],
  );
  // Guessing, the planner compares thousands of rules row by row.
  await tx.query("analyze price_round_rule");
}

/** The prices are in the book from now on, with their start; nothing is rebuilt when it comes. */
async function approveRound(context: RoundsContext, name: string, by: DecidedBy): Promise<Round> {
  const { store, company, now, publishLater } = context;
  await store.transaction(async (tx) => {
    const round = await lockRound(context, tx, name);
    const refuse = (code: RoundRefused["code"], why: string) =>
      new RoundRefused(code, `Approving price round ${name}: ${why}`);
    if (round.state !== "loaded")
      throw refuse(
        "round-not-loaded",
        `it is ${round.state} already; load another one under a name of its own.`,
      );
    if (Temporal.Instant.compare(round.startsAt, now()) <= 0)
      throw refuse(
        "round-too-late",
        `it was to start at ${round.startsAt.toString()}, which is past. Load it again with a later start.`,
      );
    const covered = await tx.query<{ rule: string }>(
      `select o.rule from price_overlay o join price_round_rule x on x.company = o.company
          and x.rule = o.rule and x.from_quantity = o.from_quantity
        where o.company = $1 and x.round_id = $2 and o.source is not null order by 1 limit 1`,
      [company, round.id],
    );
    if (covered[0] !== undefined)
      throw refuse(
        "round-covered",
        `rule ${covered[0].rule} is in another round, or waits for a decision. Decide that first.`,
      );
    await tx.affect(
      `update price_round_rule x set before = (select to_jsonb(p) from price_rule p
          where p.company = x.company and p.rule = x.rule and p.from_quantity = x.from_quantity)
        where x.company = $1 and x.round_id = $2`,
      [company, round.id],
    );
    await coverRules(context, tx, round);
    await tx.affect(
      `update price_round set state = 'approved', decided_at = $3, decided_by = $4, why = $5
        where company = $1 and id = $2`,
      [company, round.id, now(), by.who, by.why],
    );
    await audit(context, tx, by.who, "price-round-approved", name, { why: by.why });
    await publishLater(tx);
  });
  return findRound(context, name);
}

/** Before its start: as if it had never been. After it: only what no pull has confirmed goes. */
async function cancelRound(context: RoundsContext, name: string, by: DecidedBy): Promise<Round> {
  const { store, company, now, publishLater } = context;
  await store.transaction(async (tx) => {
    const round = await lockRound(context, tx, name);
    if (round.state !== "loaded" && round.state !== "approved")
      throw new RoundRefused(
        "round-over",
        `Cancelling price round ${name}: it is ${round.state} already; there is nothing left to take out.`,
      );
    const keys =
      "select rule, from_quantity from price_round_rule where company = $1 and round_id = $2";
    await uncover(tx, { company, at: now(), sourceId: round.id }, keys);
    await tx.affect(
      `update price_round set state = 'cancelled', decided_at = $3, decided_by = $4, why = $5,
              ended_at = $3 where company = $1 and id = $2`,
      [company, round.id, now(), by.who, by.why],
    );
    await audit(context, tx, by.who, "price-round-cancelled", name, { why: by.why });
    await context.alarms?.clear(roundAlarm(round.name), tx);
    await publishLater(tx);
  });
  return findRound(context, name, ["cancelled"]);
}

/** What the ERP has otherwise counts from now on: the person sides with the ERP. */
async function takeErp(context: RoundsContext, name: string, by: DecidedBy): Promise<Round> {
  const { store, company, now, publishLater } = context;
  await store.transaction(async (tx) => {
    const round = await lockRound(context, tx, name);
    if (round.state !== "approved" || round.rules.differs === 0)
      throw new RoundRefused(
        "round-no-differences",
        `Deciding on price round ${name}: the ERP says nothing else than the round, so that there is nothing to take.`,
      );
    const differing = `select rule, from_quantity from price_round_rule
       where company = $1 and round_id = $2 and state = 'differs'`;
    await uncover(tx, { company, at: now(), sourceId: round.id }, differing);
    await tx.affect(
      `update price_round_rule set state = 'decided'
        where company = $1 and round_id = $2 and state = 'differs'`,
      [company, round.id],
    );
    await audit(context, tx, by.who, "price-round-erp-taken", name, {
      why: by.why,
      rules: round.rules.differs,
    });
    await publishLater(tx);
  });
  return findRound(context, name);
}
