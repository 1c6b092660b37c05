/**
 * Orders, their lines and books, and the keys and answers of their requests: written by one
 * statement, however many there are.
 */
import type { Transaction } from "../../store/index.ts";
import { likenessOf } from "../likeness.ts";
import { foldedNumber, keptKey } from "./asked.ts";
import { heldBecause, type Entry } from "./entry.ts";

/** Another transaction has used a key meanwhile that nobody had used when it was looked for. */
export class KeyTaken extends Error {
  override readonly name = "KeyTaken";

  constructor() {
    super("Writing web orders: the key of one was used meanwhile; nothing was written.");
  }
}

/** Ids of the orders that are there now; those missing have a number that was used before. */
export async function writeEntries(
  tx: Transaction,
  company: string,
  entries: readonly Entry[],
): Promise<ReadonlySet<string>> {
  if (entries.length === 0) return new Set();
  const [written] = await tx.prepared<{ orders: string[]; requests: number; refused: number }>(
    WRITE,
    [company, JSON.stringify(entries.map(rowOf))],
  );
  const { orders = [], requests = 0, refused = 0 } = written ?? {};
  if (requests < orders.length + refused) throw new KeyTaken();
  return new Set(orders);
}

function rowOf(entry: Entry): object {
  const { request, at, status, answer } = entry;
  const asked = {
    key: keptKey(request),
    apiKey: request.apiKey,
    hash: request.hash,
    request: request.body,
    at: at.toString(),
    status,
    answer,
  };
  if (entry.kind === "refused") return asked;
  const { id, number, priced, book } = entry;
  const { order } = priced;
  return {
    ...asked,
    id,
    number,
    folded: foldedNumber(number),
    account: order.account,
    orderedOn: order.orderedOn,
    placedBy: order.placedBy,
    likeness: likenessOf({ ...request.body, account: order.account }),
    customerReference: order.customerReference,
    currency: order.currency,
    net: order.net,
    vat: order.vat,
    gross: order.gross,
    paid: order.payment?.amount ?? "0",
    plain: !request.test && order.lines.some(({ net }) => Number(net) > 0),
    body: { webOrder: number, ...order },
    test: request.test,
    state: entry.answer.state,
    reasons: heldBecause(priced),
    lines: order.lines.map((line, index) => ({
      line: line.line,
      product: line.product,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      net: line.net,
      vatCode: line.vatCode,
      vat: line.vat,
      price: priced.evidence[index] ?? null,
    })),
    book,
  };
}

const WRITE = `
  with given as materialized (
    select * from json_to_recordset($2::json) as given (
      key text, "apiKey" text, hash text, request json, at timestamptz, status int, answer json,
      id uuid, number text, folded text, account text, "orderedOn" date, "placedBy" text,
      likeness text, "customerReference" text, currency text, net numeric, vat numeric,
      gross numeric,
      paid numeric, plain boolean, body json, test boolean, state text, reasons json, lines json, book json)),
  orders as (
    insert into web_order (company, id, number, number_folded, account, open_account, open_gross,
        ordered_on, placed_by, likeness, customer_reference, currency, net, vat, gross, paid, body, test, state, version,
        reasons,
        attempts, settled, received_at, changed_at)
    select $1, id, number, folded, account, case when not test then account end,
           case when plain then greatest(0, gross - paid) end, "orderedOn",
           "placedBy", likeness, "customerReference", currency, net, vat, gross, paid, body, test, state, 1, reasons, 0, '[]', at, at
      from given where id is not null order by folded
    on conflict (company, number_folded) do nothing
    returning id),
  lines as (
    insert into web_order_line (company, order_id, line, product, open_product, quantity, unit_price, net,
        vat_code, vat, price, despatched_quantity, invoiced_quantity, credited_quantity,
        cancelled_quantity)
    select $1, g.id, l.line, l.product, l.product, l.quantity, l."unitPrice", l.net, l."vatCode", l.vat,
           coalesce(l.price, 'null'), 0, 0, 0, 0
      from orders o join given g on g.id = o.id
     cross join lateral json_to_recordset(g.lines) as l (line int, product text, quantity numeric,
           "unitPrice" numeric, net numeric, "vatCode" text, vat numeric, price jsonb)),
  book as (
    insert into web_order_event
        (company, order_id, sequence, at, event, from_state, to_state, who, about)
    select $1, g.id, p.sequence, g.at, p.event, p."fromState", p."toState", p.who, p.about
      from orders o join given g on g.id = o.id
     cross join lateral rows from (json_to_recordset(g.book) as (event text, "fromState" text,
           "toState" text, who text, about text))
           with ordinality as p (event, "fromState", "toState", who, about, sequence)),
  requests as (
    insert into web_order_request (company, idempotency_key, api_key, body_hash, body, status,
        answer, order_id, received_at)
    select $1, g.key, g."apiKey", g.hash, g.request, g.status, g.answer, g.id, g.at
      from given g where g.id is null or g.id in (select id from orders) order by g.key
    on conflict do nothing
    returning idempotency_key)
  select (select coalesce(array_agg(id::text), '{}') from orders) as orders,
         (select count(*)::int from requests) as requests,
         (select count(*)::int from given where id is null) as refused`;
