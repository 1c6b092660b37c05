/**
 * Credit notes on orders that were paid beforehand: the customer owes nothing that they could be
 * set against, so that what they give back is refunded. Never more than was paid, less what is owed
 * back already.
 */
import { decimal } from "../model/index.ts";
import type { OrderRow } from "./book.ts";
import type { OrdersContext } from "./context.ts";
import type { OrderInvoice } from "./documents.ts";
import { OF_ANOTHER } from "./payments.ts";
import { refundBy, stillOwed, type PaidOrder } from "./refunds.ts";
import { listTasks, openTask } from "./tasks.ts";

interface Credited {
  readonly id: string;
  readonly number: string;
  readonly body: OrderRow["body"];
  /** Of each line that was credited: the part that was not invoiced anew since. */
  readonly lines: readonly {
    readonly line: number;
    readonly credited: string;
    readonly back: string;
  }[];
}

/** Orders of which more was paid than is owed back already. */
const CREDITED = `
  select o.id, o.number, o.body, c.lines
    from web_order o
    join lateral (
      select jsonb_agg(jsonb_build_object('line', l.line, 'credited', l.credited_quantity::text,
               'back', least(l.credited_quantity, greatest(0, l.quantity - l.cancelled_quantity
                         - (l.invoiced_quantity - l.credited_quantity)))::text)) as lines
        from web_order_line l
       where l.company = o.company and l.order_id = o.id and l.credited_quantity > 0) c
      on c.lines is not null
   where o.company = $1 and not o.test and o.paid > 0 and not ${OF_ANOTHER}
     and o.paid > (select coalesce(sum(t.amount), 0) from web_order_task t
                    where t.company = o.company and t.order_id = o.id and t.kind = 'refund'
                      and t.state <> 'dropped')
   order by o.id`;

/** How many tasks it opened. Each time more is credited, a further one names what came on top. */
export async function refundCredited(context: OrdersContext): Promise<number> {
  const { store, company, invoices } = context;
  if (invoices === undefined) return 0;
  const orders = await store.query<Credited>(CREDITED, [company]);
  if (orders.length === 0) return 0;
  const documents = await invoices(orders.map(({ number }) => number));
  let opened = 0;
  for (const order of orders) {
    const credits = (documents.get(order.number) ?? []).filter(({ kind }) => kind === "credit");
    if (await refund(context, order, credits)) opened += 1;
  }
  return opened;
}

async function refund(
  { store, company, now }: OrdersContext,
  credited: Credited,
  credits: readonly OrderInvoice[],
): Promise<boolean> {
  const { id, number, body } = credited;
  const paid = body.payment;
  const gross = grossOf(credited, credits);
  if (paid === null || gross.digits <= 0n) return false;
  const order: PaidOrder = { company, id, number, body, test: false };
  return store.transaction(async (tx) => {
    // Two that look at once tell of the same.
    await tx.query("select 1 from web_order where company = $1 and id = $2 for update", [
      company,
      id,
    ]);
    const tasks = await listTasks(tx, company, { kind: "refund", order: id, state: "all" });
    const told = tasks.filter(({ about }) => about.startsWith(`${number} ${CREDITED_BY}`));
    const before = decimal.sum(told.map(({ amount }) => decimal.parse<"money">(amount ?? "0")));
    const more = decimal.subtract(gross, before);
    const most = await stillOwed(tx, order, paid.amount);
    if (more.digits <= 0n || most === null) return false;
    const amount = decimal.compare(decimal.parse(most), more) < 0 ? most : decimal.format(more);
    const by = credits.map(({ document }) => document).join(", ");
    const task = {
      order: id,
      kind: "refund",
      about: `${number} ${CREDITED_BY} ${by}: ${decimal.format(gross)}`,
      instruction: `It was paid by card and ${by} credits it. ${refundBy(amount, paid)}`,
      amount,
    } as const;
    return (await openTask(tx, company, task, now())).opened;
  });
}

const CREDITED_BY = "credited by";

/** With VAT; of a line that was invoiced anew after its credit note only the rest. */
function grossOf({ lines }: Credited, credits: readonly OrderInvoice[]): decimal.Decimal<"money"> {
  const byLine = new Map(lines.map((line) => [line.line, line]));
  const pence = credits
    .flatMap((credit) => credit.lines)
    .reduce((sum, { line, net, vat }) => {
      const gross = penceOf(net) + penceOf(vat);
      const known = line === null ? undefined : byLine.get(line);
      if (known === undefined) return sum + gross;
      const [credited, back] = [units(known.credited), units(known.back)];
      return sum + decimal.divideRounded(gross * back, credited, "half-away");
    }, 0n);
  return { digits: pence, scale: 2 };
}

function penceOf(money: string): bigint {
  return decimal.digitsAt(decimal.parse(money), 2);
}

function units(quantity: string): bigint {
  return decimal.digitsAt(decimal.parse(quantity), 5);
}
