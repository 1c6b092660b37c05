/** Orders as they are stored, for whoever takes them elsewhere. */
import type { OrdersContext } from "./context.ts";
import { show, type OrderView } from "./view.ts";

export interface ExportSpan {
  /** ISO dates of the orders, both included; null: no bound. */
  readonly from: string | null;
  readonly to: string | null;
}

export type ExportedOrder = OrderView;

const AT_ONCE = 200;

/** Oldest first; each order as it stands when it is its turn. */
export async function* exported(
  context: OrdersContext,
  { from, to }: ExportSpan,
): AsyncGenerator<ExportedOrder> {
  const { store, company } = context;
  let after: string | null = null;
  for (;;) {
    const page: { id: string }[] = await store.query<{ id: string }>(
      `select id from web_order
        where company = $1 and ($2::date is null or ordered_on >= $2)
          and ($3::date is null or ordered_on <= $3) and ($4::uuid is null or id > $4)
        order by id limit $5`,
      [company, from, to, after, AT_ONCE],
    );
    for (const { id } of page) yield await show(context, id);
    after = page.at(-1)?.id ?? null;
    if (page.length < AT_ONCE) return;
  }
}
