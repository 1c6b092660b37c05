/**
 * Web orders as a shop left them, for tests of what follows: prices and totals do not matter
 * there.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable } from "../../src/store/index.ts";

export interface TakenWebOrder {
  readonly number: string;
  readonly account: string;
  readonly placedBy?: "customer" | "assisted";
  readonly customerReference?: string;
  readonly lines: readonly (readonly [product: string, quantity: string])[];
}

const AT = "2026-03-31T08:00:00Z";

export async function takeWebOrder(
  on: Queryable,
  company: string,
  order: TakenWebOrder,
): Promise<void> {
  const id = randomUUIDv7();
  await on.affect(
    `insert into web_order (company, id, number, number_folded, account, open_account,
       ordered_on, placed_by,
       customer_reference, currency, net, vat, gross, paid, body, test, state, version, reasons,
       attempts, settled, received_at, changed_at)
     values ($1, $2, $3, lower($3), $4, $4, '2026-03-01', $5, $6, 'GBP', 1, 0, 1, 0, '{}', false, 'confirmed', 1, '[]',
       1, '[]', $7, $7)`,
    [
      company,
      id,
      order.number,
      order.account,
      order.placedBy ?? "customer",
      order.customerReference ?? null,
      AT,
    ],
  );
  for (const [index, [product, quantity]] of order.lines.entries())
    await on.affect(
      `insert into web_order_line (company, order_id, line, product, open_product, quantity, unit_price, net, vat_code,
         vat, price, despatched_quantity, invoiced_quantity, credited_quantity, cancelled_quantity)
       values ($1, $2, $3, $4, $4, $5, 1, 1, 'ZERO', 0, '{}', 0, 0, 0, 0)`,
      [company, id, index + 1, product, quantity],
    );
}
