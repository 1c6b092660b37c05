/**
 * Requests that may be sent again: one with a key is done once, and answered the same however often
 * it comes. The key's row is part of the transaction that does it; an order's own row is the only
 * one that names the order.
 */
import { createHash } from "node:crypto";
import { isDeadlock, isLockTimeout, type Transaction } from "../store/index.ts";
import { inProgressProblem, keyReusedProblem, type OrderProblem } from "./answer.ts";
import type { OrdersContext } from "./context.ts";
import { keptKey } from "./taking/asked.ts";

export interface Keyed {
  /** Null: a person's act, which has no key. */
  readonly idempotencyKey: string | null;
  readonly apiKey: string;
  /** True: from a test key, whose keys are a space of their own; absent: it is not. */
  readonly test?: boolean;
  /** What is asked of which order, in words: part of what the key is bound to. */
  readonly what: string;
  readonly body: unknown;
  /** Digest of the body. */
  readonly hash: string;
}

export interface KeyedAnswer<Answer> {
  readonly status: number;
  readonly answer: Answer | OrderProblem;
}

export type KeyedResult<Answer> =
  | { readonly status: number; readonly replayed: boolean; readonly answer: Answer }
  | { readonly status: 409 | 422; readonly replayed: boolean; readonly problem: OrderProblem };

/** Does the work once; what throws leaves no trace, so that the same key may be tried again. */
export async function once<Answer>(
  context: OrdersContext,
  request: Keyed,
  work: (tx: Transaction) => Promise<KeyedAnswer<Answer>>,
): Promise<KeyedResult<Answer>> {
  try {
    return await unlocked(context, async (tx) => {
      const { idempotencyKey, test = false } = request;
      if (idempotencyKey === null) return resultOf(await work(tx), false);
      const key = keptKey({ idempotencyKey, test });
      const hash = hashOf(request);
      if (!(await claim(tx, context, request, key, hash)))
        return await replay<Answer>(tx, context, { key, sent: idempotencyKey, hash });
      const done = await work(tx);
      await tx.affect(
        `update web_order_request set status = $3, answer = $4
          where company = $1 and idempotency_key = $2`,
        [context.company, key, done.status, JSON.stringify(done.answer)],
      );
      return resultOf(done, false);
    });
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    const problem = inProgressProblem(request.idempotencyKey ?? "");
    return { status: 409, replayed: false, problem };
  }
}

function resultOf<Answer>(
  { status, answer }: KeyedAnswer<Answer>,
  replayed: boolean,
): KeyedResult<Answer> {
  return status === 422
    ? { status, replayed, problem: answer as OrderProblem }
    : { status, replayed, answer: answer as Answer };
}

function hashOf({ what, hash }: Keyed): string {
  return createHash("sha256").update(`${what}\n${hash}`).digest("hex");
}

/** A request that comes while the first is being handled waits here a second for its answer. */
async function claim(
  tx: Transaction,
  { company, now }: OrdersContext,
  { apiKey, body }: Keyed,
  key: string,
  hash: string,
): Promise<boolean> {
  await tx.query("set local lock_timeout = '1s'");
  const claimed = await tx.affect(
    `insert into web_order_request
       (company, idempotency_key, api_key, body_hash, body, received_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [company, key, apiKey, hash, JSON.stringify(body), now()],
  );
  await tx.query("set local lock_timeout = 0");
  return claimed === 1;
}

async function replay<Answer>(
  tx: Transaction,
  { company }: OrdersContext,
  { key, sent, hash }: { readonly key: string; readonly sent: string; readonly hash: string },
): Promise<KeyedResult<Answer>> {
  const [kept] = await tx.query<{ hash: string; status: number; answer: Answer | OrderProblem }>(
    `select body_hash as hash, status, answer from web_order_request
      where company = $1 and idempotency_key = $2`,
    [company, key],
  );
  if (kept === undefined) return { status: 409, replayed: false, problem: inProgressProblem(sent) };
  if (kept.hash !== hash) return { status: 422, replayed: false, problem: keyReusedProblem(sent) };
  return resultOf(kept, true);
}

const TRIES = 3;

/**
 * A change holds its order before the account and the promotions, a new order the account first: of
 * two that wait for each other the database ends one, which then begins anew.
 */
async function unlocked<T>(
  { store }: OrdersContext,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store.transaction(work);
    } catch (error) {
      if (!isDeadlock(error) || tries === TRIES) throw error;
    }
  }
}
