/**
 * A company's years of web orders, as they stand when they are over: confirmed, despatched,
 * invoiced, each with its book, its try and what was pulled of it, beside as many orders of the
 * ERP's own. For tests of what must stay quick however much came before.
 */
import type { Queryable } from "../../src/store/index.ts";
import { ORIGIN_ID } from "./canonical-rows.ts";

export interface History {
  readonly company: string;
  readonly orders: number;
  /** Of them, the newest that are confirmed and not despatched yet; default none. */
  readonly open?: number;
  /** The last was taken here, the first two years before. */
  readonly until: string;
}

/** Orders H0000001, H0000002, …, oldest first; those of the ERP that it holds are SO0000001, … */
export async function fillHistory(on: Queryable, history: History): Promise<void> {
  const { company, orders, open = 0, until } = history;
  for (const sql of FILLS) await on.affect(sql, [company, orders, open, until]);
  for (const table of TABLES) await on.query(`analyze ${table}`);
}

/** $1 company, $2 orders, $3 open ones, $4 until. */
const EACH = `
  (select k, 'H' || lpad(k::text, 7, '0') as number, 'SO' || lpad(k::text, 7, '0') as erp_order,
          'A' || k % greatest(1, $2::int / 100) as account, k > $2::int - $3::int as open, at, at::date as day,
          (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0')
             || '70008' || lpad(to_hex(k), 15, '0'))::uuid as id,
          case when k > $2::int - $3::int then 'confirmed' when k % 20 = 0 then 'cancelled'
               when k % 50 = 1 then 'refused' else 'confirmed' end as state
     from generate_series(1, $2::int) as k
    cross join lateral (
      select $4::timestamptz - interval '2 years' * ($2::int - k) / $2::int as at) moment) o`;
const LINES = `${EACH} cross join generate_series(1, 3) as line
  cross join lateral (select 'P' || (o.k + line * 7) % 5000 as product) p`;
const THERE = "where o.state <> 'refused'";
const ORIGIN = "feed, row_hash, origin_id, origin_line, run_id, learned_at";
const PULLED = `'erp/history', md5(o.number)::uuid, '${ORIGIN_ID}'::uuid, o.k, '${ORIGIN_ID}'::uuid,
  least(o.at + interval '1 day', $4::timestamptz)`;

const FILLS = [
  `insert into web_order (company, id, number, number_folded, account, open_account, ordered_on,
     placed_by, customer_reference, likeness, currency, net, vat, gross, paid, body, test, state,
     version, reasons, attempts, erp_order, erp_net, erp_vat, lines_read, settled, received_at,
     changed_at, invoiced_net, invoiced_vat)
   select $1, id, number, lower(number), account, case when open then account end, day, 'customer',
          'PO ' || k, md5(number), 'GBP', 36, 7.2, 43.2, case when k % 5 = 0 then 43.2 else 0 end,
          jsonb_build_object('webOrder', number, 'account', account, 'orderedOn', day,
            'requestedOn', case when k % 2 = 0 then day + 2 end, 'net', '36.00', 'vat', '7.20',
            'gross', '43.20', 'charges', '[]'::jsonb, 'guest', null, 'payment',
            case when k % 5 = 0 then jsonb_build_object('provider', 'card', 'reference', 'PAY' || k,
              'amount', '43.20') end,
            'lines', (select jsonb_agg(jsonb_build_object('line', n, 'product',
              'P' || (k + n * 7) % 5000, 'quantity',
              '2', 'unitPrice', '6.00', 'discount', '0.00', 'net', '12.00', 'vatCode', 'STANDARD'))
              from generate_series(1, 3) n)),
          false, state, 5, '[]', 1, case when state <> 'refused' then erp_order end, 36, 7.2, true,
          '[]', at, at + interval '1 hour', done.net, done.vat
     from ${EACH}
    cross join lateral (
      select case when open or state in ('cancelled', 'refused') then 0 else 36 end as net,
             case when open or state in ('cancelled', 'refused') then 0 else 7.2 end as vat) done`,
  `insert into web_order_line (company, order_id, line, product, open_product, quantity, unit_price,
     net, vat_code, vat, price, despatched_quantity, invoiced_quantity, credited_quantity,
     cancelled_quantity)
   select $1, id, line, product, case when open then product end, 2, 6, 12, 'STANDARD', 2.4,
          '{"rule": "R1", "book": 1}', done, done, 0, 0
     from (select *, case when open or state in ('cancelled', 'refused') then 0 else 2 end as done
             from ${LINES}) l`,
  `insert into web_order_event (company, order_id, sequence, at, event, from_state, to_state, who, about)
   select $1, id, step, at + interval '1 minute' * step, event, before, after, who, 'It went on.'
     from ${EACH}
    cross join lateral (values (1, 'receive', null, 'received', 'shop'),
      (2, 'check', 'received', 'checked', 'tradepost'), (3, 'queue', 'checked', 'queued', 'tradepost'),
      (4, 'send', 'queued', 'sending', 'tradepost'), (5, 'accept', 'sending', 'accepted', 'erp'),
      (6, 'confirm', 'accepted', 'confirmed', 'erp'), (7, 'invoice', 'confirmed', 'confirmed', 'sales'))
      as moved (step, event, before, after, who)
    where step <= case when open then 6 when state = 'refused' then 4 else 7 end`,
  `insert into web_order_request (company, idempotency_key, api_key, body_hash, body, status, answer,
     order_id, received_at)
   select $1, 'key ' || number, 'shop', md5(number), '{}', 201, '{}', id, at from ${EACH}`,
  `insert into web_order_intent (company, order_id, intent, kind, payload, hash, state, made_at, ended_at)
   select $1, id, 1, 'place', '[]', md5(number), case state when 'refused' then 'refused' else 'done' end,
          at, at from ${EACH}`,
  `insert into web_order_attempt (company, order_id, attempt, intent, what, version, holder, hash,
     started_at, placed_at, quiet_from, ended_at, outcome)
   select $1, id, 1, 1, 'place', 2, id, md5(number), at, at, at, at,
          case state when 'refused' then 'refused' else 'accepted' end from ${EACH}`,
  `insert into web_order_task (company, id, order_id, subject, kind, about, instruction, amount, state,
     opened_at, closed_at, closed_by)
   select $1, gen_random_uuid(), id, id, 'receipt', 'payment of ' || number, 'Enter it.', 43.2, 'done',
          at, at, 'Fay' from ${EACH} where k % 5 = 0`,
  `insert into web_order_task (company, id, order_id, subject, kind, about, instruction, amount, state,
     opened_at, closed_at, closed_by)
   select $1, gen_random_uuid(), id, id, 'refund', number || ' is ' || state,
          'Refund 43.20 by card, payment PAY' || k || ', and close the task.', 43.2, 'done', at, at, 'Fay'
     from ${EACH} where k % 5 = 0 and state in ('refused', 'cancelled')`,
  `insert into erp_order (company, erp_order, account, ordered_on, state, web_order,
     customer_reference, net, vat, ${ORIGIN})
   select $1, erp_order, account, day,
          case when open then 'open' when state = 'cancelled' then 'cancelled' else 'complete' end,
          number, 'PO ' || k, 36, 7.2, ${PULLED} from ${EACH} ${THERE}`,
  `insert into erp_order (company, erp_order, account, ordered_on, state, web_order,
     customer_reference, net, vat, ${ORIGIN})
   select $1, 'T' || erp_order, account, day, 'complete', null, 'Tel ' || k, 12, 2.4, ${PULLED}
     from ${EACH}`,
  `insert into erp_order_line (company, erp_order, line, product, quantity, despatched_quantity,
     invoiced_quantity, unit_price, net, web_order_line, ${ORIGIN})
   select $1, erp_order, line, product, 2, done, done, 6, 12, line, ${PULLED}
     from (select *, case when open or state = 'cancelled' then 0 else 2 end as done from ${LINES}) o
    ${THERE}`,
  `insert into erp_order_line (company, erp_order, line, product, quantity, despatched_quantity,
     invoiced_quantity, unit_price, net, web_order_line, ${ORIGIN})
   select $1, 'T' || erp_order, 1, product, 2, 2, 2, 6, 12, null, ${PULLED}
     from (select * from ${LINES}) o where line = 1`,
  `insert into despatch (company, despatch, account, despatched_on, ${ORIGIN})
   select $1, 'D' || k, account, day + 1, ${PULLED} from ${EACH}
    where not open and state = 'confirmed'`,
  `insert into despatch_line (company, despatch, line, erp_order, erp_order_line, product, quantity, ${ORIGIN})
   select $1, 'D' || k, line, erp_order, line, product, 2, ${PULLED} from (select * from ${LINES}) o
    where not open and state = 'confirmed'`,
  `insert into sales_document (company, document_type, document, account, document_on, currency,
     erp_order, web_order, customer_reference, net, vat, gross, ${ORIGIN})
   select $1, 'invoice', 'I' || k, account, day + 1, 'GBP', erp_order, number, 'PO ' || k, 36, 7.2, 43.2,
          ${PULLED} from ${EACH} where not open and state = 'confirmed'`,
  `insert into sales_line (company, document_type, document, line, line_class, product, quantity,
     unit_price, discount_percent, net, vat, vat_code, erp_order, erp_order_line, ${ORIGIN})
   select $1, 'invoice', 'I' || k, line, 'goods', product, 2, 6, 0, 12, 2.4, 'STANDARD', erp_order, line,
          ${PULLED} from (select * from ${LINES}) o where not open and state = 'confirmed'`,
  `insert into event (company, id, type, subject, at, noted_at, place, data, number)
   select $1, gen_random_uuid(), 'order.' || type, 'order/' || number, at, at, 1, '{}',
          (o.k - 1) * 4 + row_number() over (partition by o.k order by type)
     from ${EACH} cross join unnest(array['received', 'queued', 'confirmed', 'fulfilment']) as type`,
  `insert into event_feed (company, last, tidied) values ($1, $2::int * 4 + 0 * $3::int, 0 * extract(epoch from $4::timestamptz))`,
];

const TABLES = [
  "web_order",
  "web_order_line",
  "web_order_event",
  "web_order_request",
  "web_order_intent",
  "web_order_attempt",
  "web_order_task",
  "erp_order",
  "erp_order_line",
  "despatch",
  "despatch_line",
  "sales_document",
  "sales_line",
  "event",
];
