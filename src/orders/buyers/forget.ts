/**
 * Personal data that has served its time: a guest's name and addresses, and what a refused
 * applicant sent, are blanked wherever they are kept. Numbers, lines, prices, digests and moments
 * stay, so that an invoice line can still be followed back to its order and its price.
 */
import type { Queryable } from "../../store/index.ts";
import { PENDING } from "../changes/rows.ts";
import { BLANKED } from "../forgotten.ts";
import type { BuyersContext } from "./context.ts";

/** So many at a time; what is left is the next time's. */
const AT_ONCE = 500;

export async function forget(context: BuyersContext): Promise<number> {
  const { guests, accountRequests } = context.settings;
  const orders = await forgetGuests(context, guests?.forgetAfterDays);
  return orders + (await forgetRefused(context, accountRequests?.forgetRefusedAfterDays));
}

function before({ now, settings }: BuyersContext, days: number): Temporal.Instant {
  return now().toZonedDateTimeISO(settings.timeZone).subtract({ days }).toInstant();
}

/** Whatever became of them; but one that is still to be sent, or its change, needs its address. */
async function forgetGuests(context: BuyersContext, days: number | undefined): Promise<number> {
  if (days === undefined) return 0;
  const { store, company } = context;
  const oldest = before(context, days);
  return store.transaction(async (tx) => {
    const due = await tx.query<{ id: string }>(
      `select id from web_order o
        where company = $1
          and (test or state not in ('received', 'held', 'queued', 'sending', 'inDoubt'))
          and changed_at < $2 and body ->> 'guest' is not null
          and body -> 'guest' ->> 'name' <> $3
          and not exists (select 1 from web_order_change c where c.company = o.company
                and c.order_id = o.id and c.state = any($4))
        order by id limit ${AT_ONCE} for update skip locked`,
      [company, oldest, BLANKED, PENDING],
    );
    const ids = due.map(({ id }) => id);
    await blankOrders(tx, company, ids);
    return ids.length + (await blankRefusedRequests(tx, company, oldest));
  });
}

/** What of a guest's order is personal, blanked in a column of JSON. */
const blank = (column: string): string => `
  ${column} || jsonb_build_object(
    'guest', jsonb_build_object('name', $3::text, 'email', $3::text, 'telephone', null),
    'placedByName', null,
    'deliverTo', case when ${column} ->> 'deliverTo' is null then 'null'::jsonb else
      jsonb_build_object('name', $3::text, 'address1', $3::text, 'address2', null, 'address3', null,
        'town', null, 'county', null, 'postcode', null,
        'country', ${column} -> 'deliverTo' -> 'country',
        'contact', null, 'telephone', null, 'email', null) end)`;

async function blankOrders(tx: Queryable, company: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const values = [company, ids, BLANKED];
  await tx.affect(
    `update web_order set body = ${blank("body")} where company = $1 and id = any($2::uuid[])`,
    values,
  );
  await tx.affect(
    `update web_order_request
        set body = ${blank("body")},
            answer = case when answer ->> 'guest' is null then answer::json else (${blank("answer::jsonb")})::json end
      where company = $1 and order_id = any($2::uuid[]) and body ->> 'guest' is not null`,
    values,
  );
  await blankSent(tx, values);
}

/** What was rendered for the ERP: its digest still proves what was sent, its text is gone. */
async function blankSent(tx: Queryable, values: readonly unknown[]): Promise<void> {
  for (const table of ["web_order_intent", "web_order_shadow"])
    await tx.affect(
      `update ${table} set payload = '[]'::jsonb
        where company = $1 and order_id = any($2::uuid[]) and payload is not null`,
      values.slice(0, 2),
    );
  for (const [table, column] of WHOLE_ORDERS)
    await tx.affect(
      `update ${table} set ${column} = ${blank(column)}
        where company = $1 and order_id = any($2::uuid[]) and ${column} ->> 'guest' is not null`,
      values,
    );
  await tx.affect(
    `update web_order_change
        set before = before || jsonb_build_object('body', ${blank("(before -> 'body')")})
      where company = $1 and order_id = any($2::uuid[])
        and before -> 'body' ->> 'guest' is not null`,
    values,
  );
}

/** Where an order is kept once more: as it was, or is to be. */
const WHOLE_ORDERS = [
  ["web_order_intent", "body"],
  ["web_order_change", "request"],
  ["web_order_change", "body"],
] as const;

/** Requests that were refused became no order, and hold the same. */
async function blankRefusedRequests(
  tx: Queryable,
  company: string,
  oldest: Temporal.Instant,
): Promise<number> {
  return tx.affect(
    `update web_order_request set body = ${blank("body")}
      where company = $1 and order_id is null and received_at < $2
        and body ->> 'guest' is not null and body -> 'guest' ->> 'name' <> $3`,
    [company, oldest, BLANKED],
  );
}

async function forgetRefused(context: BuyersContext, days: number | undefined): Promise<number> {
  if (days === undefined) return 0;
  return context.store.affect(
    `update account_request
        set duplicates = '[]', body = jsonb_build_object('tradingName', $3::text, 'legalName', null,
              'companyNumber', null, 'vatNumber', null,
              'address', jsonb_build_object('address1', $3::text, 'address2', null, 'address3', null,
                'town', null, 'county', null, 'postcode', null,
                'country', body -> 'address' -> 'country'),
              'deliverTo', '[]'::jsonb,
              'contact', jsonb_build_object('name', $3::text, 'email', $3::text, 'telephone', null),
              'creditLimit', body -> 'creditLimit', 'terms', null, 'tradeReferences', '[]'::jsonb,
              'note', null)
      where company = $1 and state = 'refused' and changed_at < $2 and body ->> 'tradingName' <> $3`,
    [context.company, before(context, days), BLANKED],
  );
}
