/**
 * What waits for a webhook is sent: each message by one sender at a time over all instances, and
 * again when its sender died. One that was taken by a receiver whose answer got lost is sent once
 * more under the same id; none is ever left out.
 */
import { randomUUID, randomUUIDv7 } from "node:crypto";
import type { Transaction } from "../../store/index.ts";
import { tellStanding } from "./alarm.ts";
import type { WebhooksContext } from "./context.ts";
import { webhookOf } from "./endpoints.ts";
import { post, type Outcome } from "./post.ts";
import { secretsOf } from "./secrets.ts";
import { signedHeaders } from "./sign.ts";
import { quietAfter, waitAfter } from "./waits.ts";

/**
 * A message that has failed so often lets later ones of the same subject go before it. Until then
 * they wait, so that an order's events come in their order.
 */
export const HELD_UP_TRIES = 4;

interface Claimed {
  readonly webhook: string;
  readonly url: string;
  readonly holder: string;
  readonly tries: number;
  readonly number: number;
  readonly subject: string;
  readonly id: string;
  readonly type: string;
  readonly at: Temporal.Instant;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Enabled webhooks for which something is due. */
export async function dueWebhooks({ store, company, now }: WebhooksContext): Promise<string[]> {
  const rows = await store.query<{ id: string }>(
    `select w.id from webhook w
      where w.company = $1 and w.state = 'enabled' and (w.quiet_until is null or w.quiet_until <= $2)
        and exists (select from webhook_delivery d where d.company = w.company
                     and d.webhook_id = w.id and d.state = 'waiting' and d.due_at <= $2)
      order by w.id`,
    [company, now()],
  );
  return rows.map(({ id }) => id);
}

/** One sender: one message after the other, until none is due that nobody else sends. */
export async function sendDue(
  context: WebhooksContext,
  webhook: string,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    const claimed = await claim(context, webhook);
    if (claimed === null) return;
    await sendOne(context, claimed, stop);
  }
}

/** The lease is by the database's clock, since instances' clocks differ; what is due is by ours. */
async function claim(
  { store, company, now, leaseSeconds }: WebhooksContext,
  webhook: string,
): Promise<Claimed | null> {
  const holder = randomUUID();
  const [claimed] = await store.query<Claimed>(
    `update webhook_delivery d
        set holder = $4, lease_until = clock_timestamp() + $5 * interval '1 second'
       from event e, webhook w
      where d.company = $1 and d.webhook_id = $2 and e.company = $1 and e.id = d.event_id
        and w.company = $1 and w.id = $2 and d.event_id = (
          select one.event_id from webhook_delivery one
            join webhook of on of.company = one.company and of.id = one.webhook_id
            join event told on told.company = one.company and told.id = one.event_id
           where one.company = $1 and one.webhook_id = $2 and one.state = 'waiting'
             and one.due_at <= $3 and of.state = 'enabled'
             and (of.quiet_until is null or of.quiet_until <= $3)
             and (one.lease_until is null or one.lease_until < clock_timestamp())
             and not exists (
               select from webhook_delivery before
                where before.company = $1 and before.webhook_id = $2 and before.state = 'waiting'
                  and before.subject = one.subject and before.number < one.number
                  and before.tries < ${HELD_UP_TRIES})
           order by one.due_at, one.number limit 1 for update of one skip locked)
     returning w.id as webhook, w.url, d.holder, d.tries, d.number, d.subject, e.id, e.type, e.at, e.data`,
    [company, webhook, now(), holder, leaseSeconds],
  );
  return claimed ?? null;
}

async function sendOne(
  context: WebhooksContext,
  claimed: Claimed,
  stop: AbortSignal,
): Promise<void> {
  let outcome: Outcome;
  try {
    const { id, type, at, data, number } = claimed;
    const body = JSON.stringify({ type, timestamp: at, data: { ...data, eventNumber: number } });
    outcome = await sendSigned(context, claimed, { id, body }, stop);
  } catch (error) {
    await giveBack(context, claimed);
    // Stopped by us: it waits for the next process. All else is for whoever looks after this one.
    if (stop.aborted) return;
    throw error;
  }
  await context.store.transaction((tx) => record(context, tx, claimed, outcome));
}

async function sendSigned(
  context: WebhooksContext,
  { webhook, url }: { readonly webhook: string; readonly url: string },
  { id, body }: { readonly id: string; readonly body: string },
  stop?: AbortSignal,
): Promise<Outcome> {
  const secrets = await secretsOf(context, context.store, webhook).catch((error: unknown) => error);
  if (!Array.isArray(secrets)) {
    const why = secrets instanceof Error ? secrets.message : String(secrets);
    const problem = `could not be signed for: ${why} Or rotate the webhook's secret.`;
    return { status: null, problem, retryAfterSeconds: null };
  }
  // By the machine's clock: the receiver holds it against its own, whatever ours is set to.
  const sentAt = Temporal.Now.instant();
  const headers = signedHeaders({ id, sentAt, body }, secrets as readonly string[]);
  return post(context, url, { headers, body }, stop);
}

async function giveBack({ store, company }: WebhooksContext, claimed: Claimed): Promise<void> {
  await store.affect(
    `update webhook_delivery set holder = null, lease_until = null
      where company = $1 and webhook_id = $2 and event_id = $3 and holder = $4`,
    [company, claimed.webhook, claimed.id, claimed.holder],
  );
}

/** Whoever lost the lease meanwhile has nothing to say any more. */
async function record(
  context: WebhooksContext,
  tx: Transaction,
  claimed: Claimed,
  outcome: Outcome,
): Promise<void> {
  if (outcome.problem === null) return recordTaken(context, tx, claimed, outcome);
  const { company, now, waitsSeconds, chance } = context;
  const { status, problem, retryAfterSeconds } = outcome;
  const tries = claimed.tries + 1;
  await tx.affect(
    `update webhook set failing_since = coalesce(failing_since, $3),
            quiet_until = greatest(quiet_until, $4) where company = $1 and id = $2`,
    [company, claimed.webhook, now(), later(context, quietAfter(status, retryAfterSeconds))],
  );
  // A receiver that is gone for good is not asked again; what it lacks waits for a person.
  const wait =
    status === 410
      ? 0
      : waitAfter(tries, { waits: waitsSeconds, retryAfterSeconds, chance: chance() });
  await tx.affect(
    `update webhook_delivery set state = $5, tries = $6, due_at = coalesce($7, due_at),
            tried_at = $8, status = $9, problem = $10, holder = null, lease_until = null
      where company = $1 and webhook_id = $2 and event_id = $3 and holder = $4`,
    [
      company,
      claimed.webhook,
      claimed.id,
      claimed.holder,
      wait === null ? "failed" : "waiting",
      tries,
      later(context, wait),
      now(),
      status,
      problem,
    ],
  );
  if (tries < HELD_UP_TRIES) await holdUpLater(context, tx, claimed);
  const because = await becauseOf(context, tx, claimed.webhook, outcome);
  if (because !== null)
    await tx.affect(
      `update webhook set state = 'disabled', disabled_because = $3
        where company = $1 and id = $2 and state = 'enabled'`,
      [company, claimed.webhook, because],
    );
  if (because !== null || wait === null) await tellStanding(context, tx, claimed.webhook);
}

/**
 * Later ones of the same subject are due no earlier than the one that they wait for: else whoever
 * looks for work would look through all of them again and again while a receiver is away.
 */
async function holdUpLater(
  { company }: WebhooksContext,
  tx: Transaction,
  { webhook, id, subject, number }: Claimed,
): Promise<void> {
  await tx.affect(
    `update webhook_delivery later set due_at = before.due_at
       from webhook_delivery before
      where before.company = $1 and before.webhook_id = $2 and before.event_id = $3
        and later.company = $1 and later.webhook_id = $2 and later.state = 'waiting'
        and later.subject = $4 and later.number > $5 and later.due_at < before.due_at`,
    [company, webhook, id, subject, number],
  );
}

async function recordTaken(
  { company, now }: WebhooksContext,
  tx: Transaction,
  claimed: Claimed,
  { status }: Outcome,
): Promise<void> {
  await tx.affect(
    `update webhook set failing_since = null
      where company = $1 and id = $2 and failing_since is not null`,
    [company, claimed.webhook],
  );
  await tx.affect(
    `update webhook_delivery set state = 'delivered', tries = tries + 1, tried_at = $5, status = $6,
            problem = null, holder = null, lease_until = null
      where company = $1 and webhook_id = $2 and event_id = $3 and holder = $4`,
    [company, claimed.webhook, claimed.id, claimed.holder, now(), status],
  );
}

function later({ now }: WebhooksContext, seconds: number | null): Temporal.Instant | null {
  return seconds === null ? null : now().add({ milliseconds: Math.round(seconds * 1_000) });
}

/** Why it must be disabled, in sentences; null: it need not. */
async function becauseOf(
  { company, now, disableAfterDays }: WebhooksContext,
  tx: Transaction,
  webhook: string,
  { status, problem }: Outcome,
): Promise<string | null> {
  if (status === 410) return "It answered 410: the receiver is gone for good.";
  const [row] = await tx.query<{ since: Temporal.Instant | null }>(
    `select failing_since as since from webhook where company = $1 and id = $2`,
    [company, webhook],
  );
  const since = row?.since ?? now();
  if (now().since(since).total("hours") < disableAfterDays * 24) return null;
  return `It has taken nothing for ${disableAfterDays} days; the last try met: ${problem ?? ""}.`;
}

/** One message of its own, now, whatever the webhook's state; kept nowhere. */
export async function sendTest(context: WebhooksContext, id: string): Promise<Outcome> {
  const { store, now } = context;
  const webhook = await webhookOf(context, store, id);
  const data = { webhook: webhook.id, about: webhook.about };
  const body = JSON.stringify({ type: "webhook.test", timestamp: now(), data });
  return sendSigned(
    context,
    { webhook: webhook.id, url: webhook.url },
    { id: randomUUIDv7(), body },
  );
}
