/**
 * Taking orders in. One transaction holds the request's key, the order, its lines, its book, what
 * shops are told and the delivery job: all of it or nothing, and a key makes at most one order.
 * Orders that come while others are written share the next transaction; one whose facts others have
 * locked has a transaction of its own, so that it keeps nobody waiting.
 */
import { isLockTimeout, type Queryable } from "../store/index.ts";
import {
  inProgressProblem,
  numberTakenProblem,
  refusedProblem,
  saidOf,
  type AcceptResult,
  type OrderProblem,
  type OrderSaid,
} from "./answer.ts";
import type { Priced } from "./buyers/index.ts";
import type { Examined } from "./checks.ts";
import type { OrdersContext } from "./context.ts";
import { requestHash, type OrderRequest } from "./request.ts";
import { foldedNumber, type AcceptRequest, type Asked } from "./taking/asked.ts";
import { oneByKey } from "./taking/by-key.ts";
import type { Manner } from "./facts.ts";
import { examineAll } from "./taking/examine.ts";
import { openLane } from "./taking/lane.ts";
import { takeIn } from "./taking/take.ts";
import { KeyTaken } from "./taking/write.ts";

export type { AcceptRequest, Priced };
export { DELIVER_JOB, jobData } from "./jobs.ts";

/** Orders of one transaction, at most. */
const MOST_TOGETHER = 32;
/** Fewer are not worth a second transaction beside the first, which costs as much as 8 orders. */
const FEW = 16;
/** Such transactions under way at a time: one is examined while others are written. */
const BATCHES = 3;
/**
 * Prices that another process published are taken over once in so long: the look costs as much as
 * an order, and no shop shows a price and has it ordered faster.
 */
const NEWEST_MS = 50;
/** Orders that wait for locks, each with a connection: some are left for all else. */
const ALONE = 5;

export function acceptor(
  context: OrdersContext,
): (request: AcceptRequest) => Promise<AcceptResult> {
  const { store, pricing } = context;
  const newest = atMostEvery(NEWEST_MS, async () => pricing.newest?.());
  const lane = openLane<Asked, AcceptResult>({
    most: MOST_TOGETHER,
    few: FEW,
    batches: BATCHES,
    alone: ALONE,
    together: async (requests) => {
      // Before the transaction begins: it must not wait for a second connection.
      await newest();
      return store.transaction((tx) => takeIn(tx, context, requests, "never wait"), {
        pipelined: true,
      });
    },
    byItself: (request) => takeAlone(context, request),
  });
  const take = oneByKey(lane);
  return async (request) => take({ ...request, hash: requestHash(request.body) });
}

async function takeAlone(context: OrdersContext, request: Asked): Promise<AcceptResult> {
  const { store, pricing } = context;
  const inProgress = (): AcceptResult => ({
    status: 409,
    replayed: false,
    problem: inProgressProblem(request.idempotencyKey),
  });
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1)
    try {
      await pricing.newest?.();
      const [result] = await store.transaction((tx) => takeIn(tx, context, [request], "wait"));
      if (result !== undefined && typeof result !== "string") return result;
    } catch (error) {
      if (isLockTimeout(error)) return inProgress();
      // What it was used for can be read now.
      if (!(error instanceof KeyTaken)) throw error;
    }
  return inProgress();
}

const ATTEMPTS = 3;

/** One look for all who ask while it is new. */
function atMostEvery(ms: number, look: () => Promise<void>): () => Promise<void> {
  let begunMs = -Infinity;
  let looking = Promise.resolve();
  return () => {
    const nowMs = performance.now();
    if (nowMs - begunMs < ms) return looking;
    begunMs = nowMs;
    looking = look();
    looking.catch(() => (begunMs = -Infinity));
    return looking;
  };
}

/** What `accept` would answer. */
export interface OrderCheck extends Pick<Examined, "verdict" | "findings" | "order"> {
  readonly said: OrderSaid;
  /** Null: it would be taken. */
  readonly problem: OrderProblem | null;
}

/** Keeps nothing. */
export async function check(
  context: OrdersContext,
  body: OrderRequest,
  { test = false }: { readonly test?: boolean } = {},
): Promise<OrderCheck> {
  await context.pricing.newest?.();
  return context.store.transaction(async (tx) => {
    const examined = await examineNow(tx, context, body, { test, manner: "look" });
    const { findings, order } = examined;
    const problem =
      examined.verdict === "refuse"
        ? refusedProblem(findings)
        : await takenNumber(tx, context, body, test);
    const verdict = problem === null ? examined.verdict : "refuse";
    return { verdict, findings, order, said: saidOf(examined), problem };
  });
}

async function takenNumber(
  tx: Queryable,
  { company }: OrdersContext,
  { webOrder }: OrderRequest,
  test: boolean,
): Promise<OrderProblem | null> {
  if (webOrder === undefined) return null;
  const [taken] = await tx.query<{ number: string }>(
    "select number from web_order where company = $1 and number_folded = $2",
    [company, foldedNumber(webOrder, test)],
  );
  return taken === undefined ? null : numberTakenProblem(taken.number);
}

/** An order as the checks see it now; what it would use up is locked until the transaction ends. */
export async function examineNow(
  tx: Queryable,
  context: OrdersContext,
  body: OrderRequest,
  { test = false, manner = "wait" }: { readonly test?: boolean; readonly manner?: Manner } = {},
): Promise<Priced> {
  const [priced] = await examineAll(tx, context, [{ body, test }], manner);
  if (priced === undefined || typeof priced === "string")
    throw new Error("Examining a web order: one that waits for its facts has to have them.");
  return priced;
}
