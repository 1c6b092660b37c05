/**
 * An ERP that went backwards, because it was restored from its backup: orders that it had are gone
 * there, from a moment on. One that is gone tells nothing (it was cancelled or archived, or the
 * search lags); several in a row by the time they were accepted, with an older one that is still
 * found, do. What an order number is given to anew tells the same. Only orders of which nothing
 * moved are looked for, as others may be gone rightly; once it is known, all that came after the
 * one that stands are.
 */
import { momentText } from "../model/index.ts";
import type { OrdersContext } from "./context.ts";
import { openSession } from "./delivery/sender.ts";
import {
  goneFromPulled,
  lookBack,
  reusedNumbers,
  searching,
  type Looked,
  type Reused,
} from "./gone-there.ts";
import { knownOrders, takenSince, type GoneOrder, type KnownOrder } from "./taken-there.ts";

export interface WentBackwards {
  /** Oldest first. */
  readonly lost: readonly GoneOrder[];
  /** The newest order of before that is still there; what came after it is what may be lost. */
  readonly standing: KnownOrder;
  /** Numbers that stand for another order now: "SO-1005 was WEB-1, and is WEB-9 now". */
  readonly reused: readonly string[];
  /** In a sentence. */
  readonly about: string;
}

/** So many in a row are no accident; one less is none where order numbers tell the same. */
const ENOUGH = 3;
/** A look without asking, every minute, goes back no further: in hours, and in orders. */
const REUSED_HOURS = 24;
const NEWEST = 200;

/**
 * Null: it did not, or that cannot be told now. `ask`: the ERP is searched, unless it only takes
 * files; else only where what was pulled makes one wonder.
 */
export async function wentBackwards(
  context: OrdersContext,
  { ask }: { readonly ask: boolean },
): Promise<WentBackwards | null> {
  const known = await knownOrders(context);
  if (known.length === 0) return null;
  const since = ask ? null : context.now().subtract({ hours: REUSED_HOURS });
  const reused = await reusedNumbers(context, since);
  const inPulls = (orders: readonly KnownOrder[]) => goneFromPulled(context, orders, reused);
  const looked = await inPulls(ask ? known : known.slice(0, NEWEST));
  const run = runOf(known, looked, reused);
  if (run !== null) return wholeOf(context, run, inPulls);
  if (!ask && reused.length === 0) return null;
  return searched(context, known, reused).catch((error: unknown) => {
    if (ask) throw error;
    // An ERP that cannot be asked tells nothing, and stops nothing else that is looked after.
    context.log("info", `Whether the ERP went backwards cannot be told now: ${String(error)}`);
    return null;
  });
}

/** Null: it is not searched, or the search does not work now, so it tells nothing. */
async function searched(
  context: OrdersContext,
  known: readonly KnownOrder[],
  reused: readonly Reused[],
): Promise<WentBackwards | null> {
  await using session = await openSession(context);
  const { orders } = session;
  if (orders === undefined || orders.finding === "file-drop") return null;
  const { look, looked } = searching(orders);
  if (!(await lookBack(look, known, reused.length > 0))) return null;
  const run = runOf(known, looked, reused);
  if (run === null) return null;
  return await wholeOf(context, run, async (since) => {
    for (const order of since) if ((await look(order)) === null) return null;
    return looked;
  });
}

/** With what else it does not show of what it took since; null: that cannot be told now. */
async function wholeOf(
  { store, company, settings }: OrdersContext,
  { gone, standing, reused }: Run,
  look: (orders: readonly KnownOrder[]) => Promise<Looked | null>,
): Promise<WentBackwards | null> {
  const oldest = gone.at(-1) ?? standing;
  const since = await takenSince(store, company, { standing, oldest });
  const looked = await look(since);
  if (looked === null) return null;
  const lost = since.filter(({ id }) => looked.get(id) !== "there").toReversed();
  const [first = oldest] = lost;
  const numbers = reused.length === 0 ? "" : ` ${reused.join("; ")}.`;
  return {
    lost,
    standing,
    reused,
    about:
      `${lost.length} web orders that it accepted since ` +
      `${momentText(first.acceptedAt, settings.timeZone)} are gone there, while ` +
      `${standing.order} of before is found as ${standing.erpOrder}.${numbers}`,
  };
}

interface Run {
  /** Newest first. */
  readonly gone: readonly KnownOrder[];
  readonly standing: KnownOrder;
  readonly reused: readonly string[];
}

/** The newest row of orders that are gone, with an older one behind it that is there. */
function runOf(
  known: readonly KnownOrder[],
  looked: Looked,
  reused: readonly Reused[],
): Run | null {
  const seen = known.filter(({ id }) => looked.has(id));
  const first = seen.findIndex(({ id }) => looked.get(id) !== "there");
  if (first < 0) return null;
  const behind = seen.findIndex(({ id }, index) => index > first && looked.get(id) === "there");
  const standing = seen[behind];
  if (standing === undefined) return null;
  const gone = seen.slice(first, behind);
  const again = reused.filter(({ id }) => gone.some((order) => order.id === id));
  // What vanished proves nothing, unless a number in the same row was given anew.
  const proofs = again.length === 0 ? ["gone"] : ["gone", "vanished"];
  const proven = gone.filter(({ id }) => proofs.includes(looked.get(id) ?? "")).length;
  if (proven < (again.length === 0 ? ENOUGH : ENOUGH - 1)) return null;
  return { gone, standing, reused: again.map(({ says }) => says) };
}
