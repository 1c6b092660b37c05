/** The webhooks of a company: made, changed, disabled, removed, each with who and why. */
import { randomUUIDv7 } from "node:crypto";
import type { Queryable, Transaction } from "../../store/index.ts";
import { numberEvents, type OrdersTold } from "../events/feed.ts";
import { addressProblem } from "./address.ts";
import { tellStanding } from "./alarm.ts";
import { WebhookError, type Deed, type WebhooksContext } from "./context.ts";
import { endSecrets, makeSecret } from "./secrets.ts";

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly about: string;
  /** None: everything. */
  readonly types: readonly string[];
  /** Whose orders it is told of. */
  readonly orders: OrdersTold;
  readonly state: "enabled" | "disabled";
  /** Why Tradepost disabled it; null: a person did, or nobody. */
  readonly disabledBecause: string | null;
  readonly madeAt: Temporal.Instant;
  readonly madeBy: string;
  /** Since when nothing was taken; null: the last try was, or there was none. */
  readonly failingSince: Temporal.Instant | null;
  readonly quietUntil: Temporal.Instant | null;
  readonly waiting: number;
  readonly failed: number;
  /** Events that it was never told, because they were deleted while it was disabled. */
  readonly missed: number;
  /** When something was taken last. */
  readonly lastDeliveredAt: Temporal.Instant | null;
}

const WEBHOOK = `select w.id, w.url, w.about, w.types, w.orders, w.state,
    w.disabled_because as "disabledBecause", w.made_at as "madeAt", w.made_by as "madeBy",
    w.failing_since as "failingSince", w.quiet_until as "quietUntil", w.missed,
    (select count(*) from webhook_delivery d where d.company = w.company and d.webhook_id = w.id
        and d.state = 'waiting')::int as waiting,
    (select count(*) from webhook_delivery d where d.company = w.company and d.webhook_id = w.id
        and d.state = 'failed')::int as failed,
    (select d.tried_at from webhook_delivery d where d.company = w.company
        and d.webhook_id = w.id and d.state = 'delivered'
      order by d.due_at desc, d.number desc limit 1) as "lastDeliveredAt"
  from webhook w where w.company = $1`;

export async function listWebhooks({ store, company }: WebhooksContext): Promise<Webhook[]> {
  return store.query<Webhook>(`${WEBHOOK} order by w.made_at, w.id`, [company]);
}

/** By its id, or by as much of it as is of no other. */
export async function webhookOf(
  { company }: WebhooksContext,
  on: Queryable,
  id: string,
): Promise<Webhook> {
  const found = /^[0-9a-f-]{4,36}$/i.test(id)
    ? await on.query<Webhook>(
        `${WEBHOOK} and starts_with(reverse(w.id::text), reverse($2)) limit 2`,
        [company, id.toLowerCase()],
      )
    : [];
  const [webhook, another] = found;
  if (webhook !== undefined && another === undefined) return webhook;
  throw new WebhookError(
    "webhook-unknown",
    `Looking up a webhook: ${company} has ${another === undefined ? "none" : "several"} with the id ` +
      `"${id}". List them to find it; the last characters of an id are enough where they are of one.`,
  );
}

export interface NewWebhook {
  readonly url: string;
  readonly about: string;
  readonly types: readonly string[];
  /** Absent: live. */
  readonly orders?: OrdersTold;
}

/** With its secret, which is shown this once. It is told what happens from now on. */
export async function addWebhook(
  context: WebhooksContext,
  { url, about, types, orders = "live" }: NewWebhook,
  deed: Deed,
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  const { store, company, now } = context;
  checkAddress(context, url);
  checkTypes(context, types);
  const told = await numberEvents(context);
  return store.transaction(async (tx) => {
    const id = randomUUIDv7();
    await tx.affect(
      `insert into webhook (company, id, url, about, types, orders, state, made_at, made_by, told, missed)
       values ($1, $2, $3, $4, $5, $6, 'enabled', $7, $8, $9, 0)`,
      [company, id, url, about, types, orders, now(), deed.who, told],
    );
    const secret = await makeSecret(context, tx, id);
    await kept(context, tx, "webhook-added", id, deed, { url, types: types.join(" "), orders });
    return { webhook: await webhookOf(context, tx, id), secret };
  });
}

export async function changeWebhook(
  context: WebhooksContext,
  id: string,
  change: Partial<NewWebhook>,
  deed: Deed,
): Promise<Webhook> {
  const { url, about, types, orders } = change;
  if (url !== undefined) checkAddress(context, url);
  if (types !== undefined) checkTypes(context, types);
  return onOne(context, id, async (tx, webhook) => {
    await tx.affect(
      `update webhook set url = coalesce($3, url), about = coalesce($4, about),
              types = coalesce($5, types), orders = coalesce($6, orders)
        where company = $1 and id = $2`,
      [context.company, webhook.id, url ?? null, about ?? null, types ?? null, orders ?? null],
    );
    const details = {
      url: url ?? null,
      about: about ?? null,
      types: types?.join(" ") ?? null,
      orders: orders ?? null,
    };
    await kept(context, tx, "webhook-changed", webhook.id, deed, details);
  });
}

/** The secret until now signs beside the new one for so long. */
export async function rotateSecret(
  context: WebhooksContext,
  id: string,
  overlapHours: number,
  deed: Deed,
): Promise<{ readonly webhook: Webhook; readonly secret: string }> {
  let secret = "";
  const webhook = await onOne(context, id, async (tx, { id: found }) => {
    await endSecrets(context, tx, found, context.now().add({ minutes: overlapHours * 60 }));
    secret = await makeSecret(context, tx, found);
    await kept(context, tx, "webhook-secret-rotated", found, deed, { overlapHours });
  });
  return { webhook, secret };
}

export async function disableWebhook(context: WebhooksContext, id: string, deed: Deed) {
  return onOne(context, id, async (tx, { id: found }) => {
    await tx.affect(
      `update webhook set state = 'disabled', disabled_because = null
        where company = $1 and id = $2`,
      [context.company, found],
    );
    await kept(context, tx, "webhook-disabled", found, deed, {});
  });
}

/** It goes on where it stopped; `skip`: with what happens from now on. */
export async function enableWebhook(
  context: WebhooksContext,
  id: string,
  skip: boolean,
  deed: Deed,
): Promise<Webhook> {
  const last = await numberEvents(context);
  const { company, now } = context;
  return onOne(context, id, async (tx, { id: found }) => {
    await tx.affect(
      `update webhook set state = 'enabled', disabled_because = null, failing_since = null,
              quiet_until = null, told = case when $3 then $4 else told end
        where company = $1 and id = $2`,
      [company, found, skip, last],
    );
    const waiting = "company = $1 and webhook_id = $2 and state = 'waiting'";
    if (skip) await tx.affect(`delete from webhook_delivery where ${waiting}`, [company, found]);
    // What waited is sent as if for the first time.
    else
      await tx.affect(`update webhook_delivery set tries = 0, due_at = $3 where ${waiting}`, [
        company,
        found,
        now(),
      ]);
    await kept(context, tx, "webhook-enabled", found, deed, { skip });
  });
}

export async function removeWebhook(
  context: WebhooksContext,
  id: string,
  deed: Deed,
): Promise<Webhook> {
  const { store, company, alarms } = context;
  return store.transaction(async (tx) => {
    const webhook = await webhookOf(context, tx, id);
    const key = [company, webhook.id];
    await tx.affect("delete from webhook where company = $1 and id = $2", key);
    await tx.affect("delete from webhook_secret where company = $1 and webhook_id = $2", key);
    await tx.affect("delete from webhook_delivery where company = $1 and webhook_id = $2", key);
    await kept(context, tx, "webhook-removed", webhook.id, deed, { url: webhook.url });
    await alarms.clear(`webhook/${webhook.id}`, tx);
    return webhook;
  });
}

/** One that is there, locked; its alarm says afterwards how it stands. */
export async function onOne(
  context: WebhooksContext,
  id: string,
  work: (tx: Transaction, webhook: Webhook) => Promise<void>,
): Promise<Webhook> {
  return context.store.transaction(async (tx) => {
    const webhook = await webhookOf(context, tx, id);
    await tx.query("select 1 from webhook where company = $1 and id = $2 for update", [
      context.company,
      webhook.id,
    ]);
    await work(tx, webhook);
    await tellStanding(context, tx, webhook.id);
    return webhookOf(context, tx, webhook.id);
  });
}

export async function kept(
  { audit }: WebhooksContext,
  tx: Transaction,
  action: string,
  subject: string,
  { who, why }: Deed,
  details: Readonly<Record<string, string | number | boolean | null>>,
): Promise<void> {
  await audit(tx, { who, action, subject, details: { ...details, why } });
}

function checkAddress({ allowed }: WebhooksContext, url: string): void {
  const problem = addressProblem(url, allowed);
  if (problem === null) return;
  // Without what could be a password in it.
  const shown = URL.canParse(url) ? new URL(url).host : "the address";
  throw new WebhookError("webhook-address", `A webhook cannot go to ${shown}: ${problem}.`);
}

function checkTypes({ types: known }: WebhooksContext, types: readonly string[]): void {
  const odd = types.filter((type) =>
    type.endsWith(".*")
      ? !known.some((each) => each.startsWith(type.slice(0, -1)))
      : !known.includes(type),
  );
  if (odd.length === 0) return;
  throw new WebhookError(
    "webhook-types",
    `There are no events of the type ${odd.map((type) => `"${type}"`).join(", ")}. The types are ` +
      `${known.join(", ")}; order.* means every one that begins so.`,
  );
}
