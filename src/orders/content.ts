/** What an order consists of, replaced as a whole: its totals, lines, promotions and quotation. */
import type { WebOrder } from "../model/index.ts";
import { replacePromotions, type PromotionHeld } from "../pricing/index.ts";
import type { Queryable } from "../store/index.ts";
import { takeUp } from "./agreements.ts";
import { OrderError, type OrderRow } from "./book.ts";
import { likenessOf } from "./likeness.ts";
import { openAgain } from "./open.ts";
import { keepPayments } from "./payments.ts";
import type { OrderRequest } from "./request.ts";

export interface Content {
  readonly body: WebOrder;
  /** Where each line's price comes from, by line number. */
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly held: readonly PromotionHeld[];
  /**
   * The request that it was made from: what the order is like, and the quotation that it takes up.
   * Null: not kept, it is like what it was and takes up none.
   */
  readonly request: OrderRequest | null;
}

/**
 * Lines keep what was despatched and invoiced of them. The order moves on by a version, so that
 * whoever works with what it was before records nothing.
 */
export async function replaceContent(
  tx: Queryable,
  order: OrderRow,
  content: Content,
  at: Temporal.Instant,
): Promise<OrderRow> {
  const { company, id } = order;
  const { body } = content;
  const changed: OrderRow = {
    ...order,
    body,
    net: body.net,
    vat: body.vat,
    gross: body.gross,
    paid: body.payment?.amount ?? "0",
    version: order.version + 1,
    changedAt: at,
  };
  const written = await tx.affect(
    `update web_order set body = $4, net = $5, vat = $6, gross = $7, paid = $8, version = $9,
            customer_reference = $10, changed_at = $11, likeness = coalesce($12, likeness),
            open_account = case when not test then account end, open_gross = null,
            stands_gross = null
      where company = $1 and id = $2 and version = $3`,
    [
      company,
      id,
      order.version,
      JSON.stringify(body),
      body.net,
      body.vat,
      body.gross,
      changed.paid,
      changed.version,
      body.customerReference,
      at,
      content.request === null ? null : likenessOf({ ...content.request, account: body.account }),
    ],
  );
  if (written !== 1)
    throw new OrderError(
      "order-moved",
      `Changing web order ${order.number}: it moved meanwhile (version ${order.version} is not the last). Look again.`,
    );
  await replaceLines(tx, order, content);
  await openAgain(tx, company, [id]);
  await keepPayments(tx, company, [{ id, payment: body.payment }]);
  if (order.test) return changed;
  const { account } = body;
  await replacePromotions(tx, { company, order: id, account, held: content.held, at });
  await leaveQuotation(tx, order);
  const quotation = content.request?.quotation ?? null;
  if (quotation !== null) await takeUp(tx, company, quotation, id);
  return changed;
}

/** The order holds no quotation any more. */
export async function leaveQuotation(
  tx: Queryable,
  { company, id }: Pick<OrderRow, "company" | "id">,
): Promise<void> {
  await tx.affect("delete from web_order_quotation where company = $1 and order_id = $2", [
    company,
    id,
  ]);
}

async function replaceLines(
  tx: Queryable,
  { company, id }: OrderRow,
  { body, evidence }: Content,
): Promise<void> {
  const rows = body.lines.map((line) => ({ ...line, price: evidence[line.line] ?? null }));
  await tx.affect(
    "delete from web_order_line where company = $1 and order_id = $2 and line <> all($3::int[])",
    [company, id, rows.map(({ line }) => line)],
  );
  await tx.affect(
    `insert into web_order_line (company, order_id, line, product, open_product, quantity, unit_price, net, vat_code,
       vat, price, despatched_quantity, invoiced_quantity, credited_quantity, cancelled_quantity)
     select $1, $2, row.line, row.product, row.product, row.quantity, row."unitPrice", row.net, row."vatCode",
            row.vat, coalesce(row.price, 'null'::jsonb), 0, 0, 0, 0
       from jsonb_to_recordset($3::jsonb) as row (line int, product text, quantity numeric,
            "unitPrice" numeric, net numeric, "vatCode" text, vat numeric, price jsonb)
     on conflict (company, order_id, line) do update
        set product = excluded.product, quantity = excluded.quantity,
            unit_price = excluded.unit_price, net = excluded.net, vat_code = excluded.vat_code,
            vat = excluded.vat, stands_gross = null, price = excluded.price`,
    [company, id, JSON.stringify(rows)],
  );
}
