/**
 * Goods that staff sent for an order in the place of others: what they come to only their invoice
 * tells, and until it is here nobody knows what is to be given back.
 */
import { decimal, type Money } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { erpLines } from "./erp-lines.ts";
import { OTHERWISE, ZERO, type PaidStanding, type Standing } from "./owed.ts";
import type { Task } from "./tasks.ts";

/** Went out on lines of the ERP's order that are none of ours, and on no invoice of it yet. */
export interface OtherGoods {
  /** As the ERP's lines say it. */
  readonly net: Money;
  readonly products: readonly string[];
}

const ORDER = `(select company, id, number, account, erp_order, settled from web_order
  where company = $1 and id = $2)`;

/**
 * Charges are no goods, whatever line they stand on: under a code that is no product here, one that
 * comes to just what a charge of the order does.
 */
const GONE = `
  select coalesce(x.product, 'goods without a code') as product, round(x.net * least(1, gone.quantity / nullif(x.quantity, 0)), 2) as net
    from (${erpLines(ORDER)}) x
    cross join lateral (
      select greatest(x.despatched, x.invoiced, coalesce(sum(d.quantity), 0)) as quantity
        from despatch_line d
       where d.company = $1 and d.erp_order = x.erp_order
         and d.erp_order_line = x.erp_order_line) gone
   where x.line is null and gone.quantity > 0 and coalesce(x.product, '') <> all($3::text[])
     and (x.net <> all($4::numeric[])
          or exists (select 1 from product p where p.company = $1 and p.product = x.product))`;

/** Null: none, or their invoice is here. */
export async function otherGoodsOf(
  on: Queryable,
  company: string,
  { id, apartNet, chargeCodes, chargeNets }: Standing,
): Promise<OtherGoods | null> {
  const of = [company, id, chargeCodes, chargeNets];
  const gone = await on.query<{ product: string; net: string }>(GONE, of);
  // What is taken off on an invoice is no goods.
  const invoiced = decimal.larger(ZERO, decimal.parse<"money">(apartNet));
  const net = decimal.subtract(
    decimal.sum(gone.map((line) => decimal.parse<"money">(line.net))),
    invoiced,
  );
  if (net.digits <= 0n) return null;
  return { net, products: [...new Set(gone.map(({ product }) => product))].sort() };
}

/** Tasks that ask, or asked, about other goods of the order. */
export function questionsOf(number: string, tasks: readonly Task[]): Task[] {
  return tasks.filter(
    ({ kind, about }) => kind === "look" && about.startsWith(`${number}${OTHERWISE}`),
  );
}

export interface Question {
  readonly about: string;
  readonly instruction: string;
}

/** What a person is asked before anything is given back. */
export function questionOf(
  { number, payment }: PaidStanding,
  { net, products }: OtherGoods,
  owed: Money,
): Question {
  const [short, other] = [decimal.format(owed), decimal.format(net)];
  return {
    about: `${number}${OTHERWISE}${short} is short, other goods for ${other} net went out`,
    instruction:
      `Of ${payment.amount} that was paid by ${payment.provider}, ${short} is for goods that do ` +
      `not come; for them, or beside them, the ERP sent ${products.join(", ")} for ${other} net, ` +
      "and no invoice of that is here. Once it is, what is owed back is told by itself. Where " +
      "none will come: close the task as done if the customer is not charged for them, and the " +
      "refund is told; drop it if they are what was paid for, and nothing is given back.",
  };
}
