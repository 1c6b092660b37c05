/** Events become deliveries: for each webhook those of its types, each once, in their order. */
import { randomUUIDv7 } from "node:crypto";
import type { Transaction } from "../../store/index.ts";
import { numberEvents, toldOf, typeIn, type OrdersTold } from "../events/feed.ts";
import { onOne, kept, type Webhook } from "./endpoints.ts";
import { WebhookError, type Deed, type WebhooksContext } from "./context.ts";
import { HELD_UP_TRIES } from "./send.ts";

/** Events looked at in one transaction. */
const BATCH = 2_000;

/** Brings every enabled webhook up to the last event; false: there is none. */
export async function fanOut(context: WebhooksContext): Promise<boolean> {
  const { store, company } = context;
  const [any] = await store.query(
    "select 1 from webhook where company = $1 and state = 'enabled' limit 1",
    [company],
  );
  if (any === undefined) return false;
  const last = await numberEvents(context);
  const behind = await store.query<{ id: string }>(
    "select id from webhook where company = $1 and state = 'enabled' and told < $2 order by id",
    [company, last],
  );
  for (const { id } of behind)
    while (await store.transaction((tx) => fanOutSome(context, tx, id, last)));
  return true;
}

/** True: there is more. One instance at a time; what another does need not be done here. */
async function fanOutSome(
  { company, now }: WebhooksContext,
  tx: Transaction,
  webhook: string,
  last: number,
): Promise<boolean> {
  const [row] = await tx.query<{ told: number; types: string[]; orders: OrdersTold }>(
    `select told, types, orders from webhook
      where company = $1 and id = $2 and state = 'enabled' and told < $3 for update skip locked`,
    [company, webhook, last],
  );
  if (row === undefined) return false;
  const upTo = Math.min(last, row.told + BATCH);
  await tx.affect(
    `insert into webhook_delivery
       (company, webhook_id, event_id, number, subject, state, tries, due_at)
     select e.company, $2, e.id, e.number, e.subject, 'waiting', 0, greatest($6, (
              select max(before.due_at) from webhook_delivery before
               where before.company = $1 and before.webhook_id = $2 and before.state = 'waiting'
                 and before.subject = e.subject and before.tries < $7))
       from event e
      where e.company = $1 and e.number > $3 and e.number <= $4
        and ${typeIn("e.type", "$5::text[]")} and ${toldOf("$8::text")}
     on conflict do nothing`,
    [company, webhook, row.told, upTo, row.types, now(), HELD_UP_TRIES, row.orders],
  );
  await tx.affect("update webhook set told = $3 where company = $1 and id = $2", [
    company,
    webhook,
    upTo,
  ]);
  return upTo < last;
}

/** Events to be sent again, under their own ids: of a time, one, or those that were never taken. */
export type ReplayOf =
  | { readonly from: Temporal.Instant; readonly to: Temporal.Instant }
  | { readonly event: string }
  | { readonly failed: true };

/** How many will be sent. Those on their way already are sent without their wait. */
export async function replay(
  context: WebhooksContext,
  id: string,
  of: ReplayOf,
  deed: Deed,
): Promise<number> {
  await numberEvents(context);
  let count = 0;
  await onOne(context, id, async (tx, webhook) => {
    if (webhook.state === "disabled")
      throw new WebhookError(
        "webhook-disabled",
        `Replaying events to the webhook ${webhook.id}: it is disabled. Enable it first.`,
      );
    count = await queueAgain(context, tx, webhook, of);
    if ("event" in of && count === 0)
      throw new WebhookError(
        "event-unknown",
        `Replaying an event: ${context.company} has none with the id "${of.event}" that is kept still.`,
      );
    const details = { ...shown(of), events: count };
    await kept(context, tx, "webhook-replayed", webhook.id, deed, details);
  });
  return count;
}

function shown(of: ReplayOf): Readonly<Record<string, string | boolean>> {
  return "from" in of ? { from: of.from.toString(), to: of.to.toString() } : of;
}

async function queueAgain(
  { company, now }: WebhooksContext,
  tx: Transaction,
  webhook: Pick<Webhook, "id" | "types" | "orders">,
  of: ReplayOf,
): Promise<number> {
  const key = [company, webhook.id, now()];
  if ("failed" in of)
    return tx.affect(
      `update webhook_delivery set state = 'waiting', tries = 0, due_at = $3
        where company = $1 and webhook_id = $2 and state = 'failed'`,
      key,
    );
  // One event is sent whatever it is of: it was asked for by name.
  const [which, values] =
    "event" in of
      ? ["e.id = $4", [uuidOr(of.event)]]
      : [
          `e.at >= $4 and e.at < $5 and ${typeIn("e.type", "$6::text[]")} and ${toldOf("$7::text")}`,
          [of.from, of.to, webhook.types, webhook.orders],
        ];
  return tx.affect(
    `insert into webhook_delivery
       (company, webhook_id, event_id, number, subject, state, tries, due_at)
     select e.company, $2, e.id, e.number, e.subject, 'waiting', 0, $3
       from event e where e.company = $1 and e.number is not null and ${which}
     on conflict (company, webhook_id, event_id)
        do update set state = 'waiting', tries = 0, due_at = $3`,
    [...key, ...values],
  );
}

/** A text that is no id is one that no event has. */
function uuidOr(text: string): string {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text : randomUUIDv7();
}
