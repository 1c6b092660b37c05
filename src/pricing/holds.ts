/** The desk of price changes that wait: a person approves or rejects them, with a reason. */
import type { Queryable } from "../store/index.ts";
import type { PriceEffect } from "./effect.ts";
import { HoldRefused } from "./error.ts";
import { holdAlarm } from "./hold-merge.ts";
import { uncover } from "./overlay.ts";
import { audit } from "./round-store.ts";
import type { DecidedBy, RoundsContext } from "./round-store.ts";

export interface Hold {
  readonly id: string;
  /** Run that brought the change. */
  readonly runId: string;
  /**
   * approved: it counts. rejected: the prices of before stand until the ERP is corrected. over: the
   * ERP took the change back.
   */
  readonly state: "open" | "approved" | "rejected" | "over";
  readonly about: string;
  readonly effect: PriceEffect;
  readonly heldAt: Temporal.Instant;
  readonly decidedAt: Temporal.Instant | null;
  readonly decidedBy: string | null;
  readonly why: string | null;
  readonly rules: number;
}

/** A rule that waits, as it counts and as the ERP has it; null: not there. */
export interface HeldRule {
  readonly rule: string;
  readonly fromQuantity: string;
  readonly customer: string;
  readonly product: string;
  readonly before: string | null;
  readonly after: string | null;
}

export interface Holds {
  /** Newest first; `open`: those that wait, rejected ones that the ERP still has among them. */
  list(filter?: { readonly open?: boolean }): Promise<readonly Hold[]>;
  find(id: string): Promise<Hold>;
  rules(id: string): Promise<readonly HeldRule[]>;
  /** The change counts from now on. Throws `HoldRefused`. */
  approve(id: string, by: DecidedBy): Promise<Hold>;
  /** The prices of before stand until the ERP brings something else. Throws `HoldRefused`. */
  reject(id: string, by: DecidedBy): Promise<Hold>;
}

export function openHolds(context: RoundsContext): Holds {
  return {
    list: (filter = {}) => list(context, filter),
    find: (id) => find(context.store, context.company, id),
    rules: (id) => rulesOf(context, id),
    approve: (id, by) => decide(context, id, by, "approved"),
    reject: (id, by) => decide(context, id, by, "rejected"),
  };
}

const COLUMNS = `id, run_id as "runId", state, about, effect, held_at as "heldAt",
  decided_at as "decidedAt", decided_by as "decidedBy", why,
  (select count(*) from price_hold_rule h
    where h.company = p.company and h.hold_id = p.id) as rules`;

function list(
  { store, company }: RoundsContext,
  { open = false }: { readonly open?: boolean },
): Promise<readonly Hold[]> {
  return store.query<Hold>(
    `select ${COLUMNS} from price_hold p
      where company = $1 and (not $2 or state in ('open', 'rejected'))
      order by held_at desc, id desc`,
    [company, open],
  );
}

async function find(on: Queryable, company: string, id: string): Promise<Hold> {
  const [found] = await on.query<Hold>(
    `select ${COLUMNS} from price_hold p where company = $1 and id::text = $2`,
    [company, id],
  );
  if (found !== undefined) return found;
  throw new HoldRefused(
    "hold-unknown",
    `There is no held price change ${id}; price holds lists them.`,
  );
}

function rulesOf({ store, company }: RoundsContext, id: string): Promise<readonly HeldRule[]> {
  return store.query<HeldRule>(
    `select h.rule, trim_scale(h.from_quantity)::text as "fromQuantity",
            concat_ws(' ', coalesce(a.customer_scope, b.customer_scope),
                      coalesce(a.customer_code, b.customer_code)) as customer,
            concat_ws(' ', coalesce(a.product_scope, b.product_scope),
                      coalesce(a.product_code, b.product_code)) as product,
            case when h.before is not null then concat_ws(' ', b.kind, trim_scale(b.value)::text) end as before,
            case when h.after is not null then concat_ws(' ', a.kind, trim_scale(a.value)::text) end as after
       from price_hold_rule h
       left join lateral jsonb_populate_record(null::price_rule, h.before) b on true
       left join lateral jsonb_populate_record(null::price_rule, h.after) a on true
      where h.company = $1 and h.hold_id::text = $2 order by h.rule, h.from_quantity`,
    [company, id],
  );
}

async function decide(
  context: RoundsContext,
  id: string,
  by: DecidedBy,
  state: "approved" | "rejected",
): Promise<Hold> {
  const { store, company, now, alarms, publishLater } = context;
  return store.transaction(async (tx) => {
    const found = await find(tx, company, id);
    const moved = await tx.affect(
      `update price_hold set state = $3, decided_at = $4, decided_by = $5,
              why = case when state = 'rejected'
                         then concat($6::text, ' (before: rejected by ', decided_by, ': ', why, ')')
                         else $6 end
        where company = $1 and id = $2
          and (state = 'open' or state = 'rejected' and $3 = 'approved')`,
      [company, found.id, state, now(), by.who, by.why],
    );
    if (moved === 0)
      throw new HoldRefused("hold-decided", `Deciding on ${id}: it is ${found.state} already.`);
    if (state === "approved") {
      const keys =
        "select rule, from_quantity from price_hold_rule where company = $1 and hold_id = $2";
      await uncover(tx, { company, at: now(), sourceId: found.id }, keys);
    }
    await alarms?.clear(holdAlarm(found.id), tx);
    const details = { why: by.why, rules: found.rules };
    await audit(context, tx, by.who, `price-hold-${state}`, found.id, details);
    await publishLater(tx);
    return find(tx, company, id);
  });
}
