/**
 * Writing down what came of a call, by the holder of the lease alone, and across a database that
 * goes away meanwhile: what the ERP said is not forgotten because nobody could write it then.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorFault } from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { ORDER_COLUMNS, OrderError, type OrderRow } from "../book.ts";
import type { OrdersContext } from "../context.ts";
import type { Lease } from "./lease.ts";

/** Another sender holds the order now; what it does with it is its own affair. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

/** A transaction of the holder of the lease; throws `LeaseLost` when it is another one. */
export function fenced<T>(
  { store }: Pick<OrdersContext, "store">,
  lease: Lease,
  work: (tx: Transaction, order: OrderRow) => Promise<T>,
): Promise<T> {
  return store.transaction(async (tx) => {
    if (!(await lease.holds(tx)))
      throw new LeaseLost(`Order ${lease.order.id} was taken over by another sender.`);
    const [order] = await tx.query<OrderRow>(
      `select ${ORDER_COLUMNS} from web_order where company = $1 and id = $2 for update`,
      [lease.order.company, lease.order.id],
    );
    if (order === undefined) throw new Error(`Order ${lease.order.id} is not there any more.`);
    return work(tx, order);
  });
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;
/** After so long the order is what a lost sender leaves: a doubt. */
const LONGEST_MS = 3_600_000;

/**
 * The same, again and again on new connections until it is committed, also after the lease ran out,
 * as long as nobody took the order. The work must find out itself that it was done, since a
 * connection can break after the commit and before its answer.
 */
export async function recorded<T>(
  context: Pick<OrdersContext, "store" | "log">,
  lease: Lease,
  what: string,
  work: (tx: Transaction, order: OrderRow) => Promise<T>,
): Promise<T> {
  const until = performance.now() + LONGEST_MS;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await fenced(context, lease, work);
    } catch (error) {
      if (!canPass(error) || performance.now() > until) throw error;
      if (wait === FIRST_WAIT_MS)
        context.log("warn", `Writing down ${what}: ${String(error)} It is tried again.`);
      await sleep(wait);
    }
  }
}

/** The fault may be the database's, and not one of what was written. */
function canPass(error: unknown): boolean {
  if (error instanceof LeaseLost || error instanceof OrderError) return false;
  if (error instanceof ConnectorFault || error instanceof TypeError) return false;
  // A figure that is none.
  if (error instanceof RangeError) return false;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Data that does not fit, a broken constraint, SQL that is wrong: no time mends these.
  return !/^(?:0[AB]|2[12358]|42)/.test(code);
}
