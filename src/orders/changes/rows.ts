/** What was asked to be changed of orders, as the database holds it. */
import type { WebOrder } from "../../model/index.ts";
import type { PromotionHeld } from "../../pricing/index.ts";
import type { Queryable } from "../../store/index.ts";
import { byOrder, type OrderRow } from "../book.ts";
import { openAgain } from "../open.ts";
import type { OrderRequest } from "../request.ts";

export type ChangeKind = "amend" | "cancel";
/** held: a person decides first; asked: waits for the ERP; task: a person makes it in the ERP. */
export type ChangeState = "held" | "asked" | "task" | "done" | "refused" | "dropped";

/** Those that may still come about. */
export const PENDING: readonly ChangeState[] = ["held", "asked", "task"];

/** Of these, those that nobody has to decide on. */
export const AGREED: readonly ChangeState[] = ["asked", "task"];

export interface CancelledLine {
  readonly line: number;
  readonly product: string;
  /** Selling units. */
  readonly quantity: string;
}

/** What an order was before a change. */
export interface Before {
  readonly body: WebOrder;
  /** By line number. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

export interface ChangeRow {
  readonly change: number;
  readonly kind: ChangeKind;
  readonly state: ChangeState;
  readonly who: string;
  readonly why: string | null;
  /** The whole order as it is asked for; null: the whole of it is cancelled. */
  readonly request: OrderRequest | null;
  readonly body: WebOrder | null;
  readonly evidence: Readonly<Record<string, unknown>> | null;
  readonly held: readonly PromotionHeld[] | null;
  readonly cancelled: readonly CancelledLine[];
  readonly before: Before | null;
  readonly askedAt: Temporal.Instant;
  readonly endedAt: Temporal.Instant | null;
  readonly outcome: string | null;
}

type OrderKey = Pick<OrderRow, "company" | "id">;

export async function changesOf(
  on: Queryable,
  { company, id }: OrderKey,
): Promise<readonly ChangeRow[]> {
  return (await changesOfAll(on, company, [id])).get(id) ?? [];
}

/** By order, in the order asked. */
export async function changesOfAll(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<ReadonlyMap<string, readonly ChangeRow[]>> {
  const rows = await on.query<ChangeRow & { readonly order: string }>(
    `select order_id as "order", change, kind, state, who, why, request, body, evidence, held,
            cancelled, before, asked_at as "askedAt", ended_at as "endedAt", outcome
       from web_order_change where company = $1 and order_id = any($2::uuid[])
      order by order_id, change`,
    [company, orders],
  );
  return byOrder(rows);
}

/** Its number; whoever calls it holds the order's row. */
export async function insertChange(
  tx: Queryable,
  { company, id }: OrderKey,
  change: Omit<ChangeRow, "change">,
): Promise<number> {
  const [made] = await tx.query<{ change: number }>(
    `insert into web_order_change (company, order_id, change, kind, state, who, why, request, body,
       evidence, held, cancelled, before, asked_at, ended_at, outcome)
     select $1, $2::uuid, coalesce(max(change), 0) + 1, $3, $4, $5, $6, $7::jsonb, $8::jsonb,
            $9::jsonb, $10::jsonb, $11::jsonb, $12::jsonb, $13, $14, $15
       from web_order_change where company = $1 and order_id = $2::uuid
     returning change`,
    [
      company,
      id,
      change.kind,
      change.state,
      change.who,
      change.why,
      jsonOrNull(change.request),
      jsonOrNull(change.body),
      jsonOrNull(change.evidence),
      jsonOrNull(change.held),
      JSON.stringify(change.cancelled),
      jsonOrNull(change.before),
      change.askedAt,
      change.endedAt,
      change.outcome,
    ],
  );
  await openAgain(tx, company, [id]);
  return made?.change ?? 1;
}

export interface ChangeMove {
  readonly change: number;
  readonly state: ChangeState;
  readonly outcome: string;
  readonly at: Temporal.Instant;
  readonly before?: Before;
}

/** False: it is over already. */
export async function moveChange(
  tx: Queryable,
  { company, id }: OrderKey,
  { change, state, outcome, at, before }: ChangeMove,
): Promise<boolean> {
  const moved = await tx.affect(
    `update web_order_change
        set state = $4, outcome = $5, before = coalesce($6::jsonb, before),
            ended_at = case when $4 = any($8::text[]) then null else $7::timestamptz end
      where company = $1 and order_id = $2 and change = $3 and state = any($8::text[])`,
    [company, id, change, state, outcome, jsonOrNull(before ?? null), at, [...PENDING]],
  );
  return moved === 1;
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

/** Where the prices of an order's lines come from now, by line number. */
export async function evidenceOfLines(
  on: Queryable,
  { company, id }: OrderKey,
): Promise<Readonly<Record<string, unknown>>> {
  const rows = await on.query<{ line: number; price: unknown }>(
    "select line, price from web_order_line where company = $1 and order_id = $2",
    [company, id],
  );
  return Object.fromEntries(rows.map(({ line, price }) => [String(line), price]));
}

/** What a change is built on, and what it is compared with. */
export interface Ground {
  /** The last that may still come about: what is asked for now follows it. Null: there is none. */
  readonly last: ChangeRow | null;
  /**
   * The last of them that is agreed. What a person has yet to decide on is nothing to compare with:
   * whatever contains it is found as much as it was. Null: the order as it stands.
   */
  readonly agreed: ChangeRow | null;
  /** The payment that it keeps where it brings none. */
  readonly payment: WebOrder["payment"];
}

export function groundOf({ body }: OrderRow, changes: readonly ChangeRow[]): Ground {
  const pending = changes.filter(({ state }) => PENDING.includes(state));
  const paid = pending.findLast((one) => (one.body?.payment ?? null) !== null);
  return {
    last: pending.at(-1) ?? null,
    agreed: pending.findLast(({ state }) => AGREED.includes(state)) ?? null,
    payment: paid?.body?.payment ?? body.payment,
  };
}

export type ChangeContent = Pick<
  ChangeRow,
  "change" | "request" | "body" | "evidence" | "held" | "cancelled"
>;

/** What a pending change says is another now; it is the same that was asked for still. */
export async function rewriteChange(
  tx: Queryable,
  { company, id }: OrderKey,
  { change, request, body, evidence, held, cancelled }: ChangeContent,
): Promise<void> {
  await tx.affect(
    `update web_order_change
        set request = $4::jsonb, body = $5::jsonb, evidence = $6::jsonb, held = $7::jsonb,
            cancelled = $8::jsonb
      where company = $1 and order_id = $2 and change = $3 and state = any($9::text[])`,
    [
      company,
      id,
      change,
      jsonOrNull(request),
      jsonOrNull(body),
      jsonOrNull(evidence),
      jsonOrNull(held),
      JSON.stringify(cancelled),
      [...PENDING],
    ],
  );
}
