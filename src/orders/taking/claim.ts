/**
 * Claiming the key of a request, and the number of its order: before anything else of an order is
 * looked at, and until the transaction ends. That a key makes at most one order the unique row says
 * that is written with it; the lock says early who waits for whom.
 */
import type { Transaction } from "../../store/index.ts";
import {
  inProgressProblem,
  keyReusedProblem,
  type AcceptResult,
  type OrderAnswer,
  type OrderProblem,
} from "../answer.ts";
import type { OrdersContext } from "../context.ts";
import type { Manner } from "../facts.ts";
import { foldedNumber, keptKey, type Asked } from "./asked.ts";

/** free: nobody has used it, and nobody else can now. busy: another transaction is at it. */
export type Claim = "free" | "busy" | AcceptResult;

/** For each request. One that waits does so for a second, and throws a lock time-out after that. */
export async function claimKeys(
  tx: Transaction,
  context: OrdersContext,
  requests: readonly Asked[],
  manner: Manner,
): Promise<Claim[]> {
  const { company } = context;
  const keys = requests.map(keptKey);
  const numbers = requests.map(({ body: { webOrder }, test }) =>
    webOrder === undefined ? null : foldedNumber(webOrder, test),
  );
  const values = [company, keys, numbers];
  if (manner === "wait") await tx.prepared(WAIT, values);
  const rows = await tx.prepared<Row>(manner === "wait" ? LOOK : CLAIM, values);
  return requests.map((request, index) => {
    const row = rows[index];
    if (row === undefined || !row.claimed) return "busy";
    return row.hash === null ? "free" : answerOf(row, request);
  });
}

interface Row {
  readonly claimed: boolean;
  readonly hash: string | null;
  readonly status: number | null;
  readonly answer: unknown;
}

function answerOf(kept: Row, { idempotencyKey: key, hash }: Asked): AcceptResult {
  if (kept.hash !== hash) return { status: 422, replayed: false, problem: keyReusedProblem(key) };
  const { status, answer } = kept;
  if (status === 422) return { status, replayed: true, problem: answer as OrderProblem };
  if (status === 201 || status === 202)
    return { status, replayed: true, order: answer as OrderAnswer };
  return { status: 409, replayed: false, problem: inProgressProblem(key) };
}

const lockOf = (what: string, value: string) =>
  `hashtextextended($1 || ' ${what} ' || ${value}, 0)`;
const KEYS = "unnest($2::text[], $3::text[]) with ordinality as r(key, number, at)";
const KEPT = `
  left join web_order_request k on k.company = $1 and k.idempotency_key = r.key order by r.at`;
const ANSWER = "k.body_hash as hash, k.status, k.answer";

/** What is kept may be older than the lock; then the row that is written finds it. */
const CLAIM = `
  select pg_try_advisory_xact_lock(${lockOf("key", "r.key")})
         and (r.number is null or pg_try_advisory_xact_lock(${lockOf("number", "r.number")}))
           as claimed, ${ANSWER}, set_config('lock_timeout', '200ms', true)
    from ${KEYS} ${KEPT}`;

const WAIT = `
  select set_config('lock_timeout', '1s', true), pg_advisory_xact_lock(${lockOf("key", "r.key")}),
         set_config('lock_timeout', '0', true),
         case when r.number is not null
              then pg_advisory_xact_lock(${lockOf("number", "r.number")}) end
    from ${KEYS}`;

const LOOK = `select true as claimed, ${ANSWER} from ${KEYS} ${KEPT}`;
