/** Orders as they are stored, for whoever takes them elsewhere. */
import { ORDER_COLUMNS, type OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import type { DeliveryState } from "./machine.ts";
import { viewsOf, type OrderView } from "./view.ts";

export interface ExportSpan {
  /** ISO dates of the orders, both included; null or absent: no bound. */
  readonly from?: string | null;
  readonly to?: string | null;
  readonly state?: DeliveryState;
  readonly account?: string;
  /** Those of test keys, or those of live ones; absent: both. */
  readonly test?: boolean;
}

export type ExportedOrder = OrderView;

export interface ExportPage {
  readonly orders: readonly ExportedOrder[];
  /** Id of the last one, to go on after; null: there are no more now. */
  readonly next: string | null;
}

const AT_ONCE = 500;

/** Oldest first, in so many statements whatever the page holds. */
export async function exportPage(
  context: OrdersContext,
  span: ExportSpan,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<ExportPage> {
  const { from = null, to = null, state = null, account = null, test = null } = span;
  const rows = await context.store.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order
      where company = $1 and ($2::date is null or ordered_on >= $2)
        and ($3::date is null or ordered_on <= $3) and ($4::text is null or state = $4)
        and ($5::text is null or account = $5) and ($6::uuid is null or id > $6)
        and ($7::boolean is null or test = $7)
      order by id limit $8`,
    [context.company, from, to, state, account, after, test, limit + 1],
  );
  const page = rows.slice(0, limit);
  return {
    orders: await viewsOf(context, page),
    next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
  };
}

/** All of them, each as it stands when it is its turn. */
export async function* exported(
  context: OrdersContext,
  span: ExportSpan,
): AsyncGenerator<ExportedOrder> {
  let after: string | null = null;
  do {
    const page: ExportPage = await exportPage(context, span, { after, limit: AT_ONCE });
    yield* page.orders;
    after = page.next;
  } while (after !== null);
}
