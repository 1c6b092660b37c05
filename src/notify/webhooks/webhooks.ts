/** Webhooks of one company, opened: what a person does to them, and the sending. */
import { contextOf, type Deed, type WebhooksContext, type WebhooksOptions } from "./context.ts";
import {
  addWebhook,
  changeWebhook,
  disableWebhook,
  enableWebhook,
  listWebhooks,
  removeWebhook,
  rotateSecret,
  webhookOf,
  type NewWebhook,
  type Webhook,
} from "./endpoints.ts";
import { fanOut, replay, type ReplayOf } from "./fan-out.ts";
import type { Outcome } from "./post.ts";
import { dueWebhooks, sendDue, sendTest } from "./send.ts";

/** An event that a webhook has not taken. */
export interface Untaken {
  readonly webhook: string;
  readonly event: string;
  readonly number: number;
  readonly type: string;
  readonly subject: string;
  readonly at: Temporal.Instant;
  /** failed: every try has; it is sent again by a replay alone. */
  readonly state: "waiting" | "failed";
  readonly tries: number;
  /** When it is tried again; null: never by itself. */
  readonly dueAt: Temporal.Instant | null;
  readonly triedAt: Temporal.Instant | null;
  readonly status: number | null;
  readonly problem: string | null;
}

type WithSecret = Promise<{ readonly webhook: Webhook; readonly secret: string }>;

export interface Webhooks {
  /** The secret is in this answer and in that of `rotate`, and nowhere else ever. */
  add(webhook: NewWebhook, deed: Deed): WithSecret;
  list(): Promise<readonly Webhook[]>;
  /** By its id or the last characters of it. */
  show(id: string): Promise<Webhook>;
  change(id: string, change: Partial<NewWebhook>, deed: Deed): Promise<Webhook>;
  /** A new secret; the one until now signs beside it for so many hours. */
  rotate(id: string, overlapHours: number, deed: Deed): WithSecret;
  disable(id: string, deed: Deed): Promise<Webhook>;
  /** It goes on where it stopped; `skip`: with what happens from now on. */
  enable(id: string, skip: boolean, deed: Deed): Promise<Webhook>;
  remove(id: string, deed: Deed): Promise<Webhook>;
  /** Sends a message of the type `webhook.test` now, and tells what came of it. */
  test(id: string): Promise<Outcome>;
  /** Sends events again under their own ids; tells how many. */
  replay(id: string, of: ReplayOf, deed: Deed): Promise<number>;
  /** What failed, and what was tried and waits for its next try; of one webhook or of all. */
  untaken(filter: { readonly webhook?: string; readonly limit: number }): Promise<Untaken[]>;
  /** Starts to send what is due, and does not wait for it. To be called again and again. */
  work(): Promise<void>;
  /** Sends all that is due now, and returns when it was tried. */
  settle(): Promise<void>;
  /** Ends what is on its way; it is sent again by whoever works next. */
  close(): Promise<void>;
}

export function openWebhooks(options: WebhooksOptions): Webhooks {
  const context = contextOf(options);
  const sending = new Sending(context);
  return {
    add: (webhook, deed) => addWebhook(context, webhook, deed),
    list: () => listWebhooks(context),
    show: (id) => webhookOf(context, context.store, id),
    change: (id, change, deed) => changeWebhook(context, id, change, deed),
    rotate: (id, overlapHours, deed) => rotateSecret(context, id, overlapHours, deed),
    disable: (id, deed) => disableWebhook(context, id, deed),
    enable: (id, skip, deed) => enableWebhook(context, id, skip, deed),
    remove: (id, deed) => removeWebhook(context, id, deed),
    test: (id) => sendTest(context, id),
    replay: (id, of, deed) => replay(context, id, of, deed),
    untaken: (filter) => untaken(context, filter),
    work: () => sending.start(),
    settle: async () => {
      await sending.start();
      await sending.ended();
    },
    close: () => sending.close(),
  };
}

/** One that answers slowly holds up no other: each webhook has senders of its own. */
class Sending {
  readonly #context: WebhooksContext;
  readonly #stop = new AbortController();
  /** By webhook, its senders at work. */
  readonly #lanes = new Map<string, Set<Promise<void>>>();

  constructor(context: WebhooksContext) {
    this.#context = context;
  }

  async start(): Promise<void> {
    if (this.#stop.signal.aborted || !(await fanOut(this.#context))) return;
    for (const id of await dueWebhooks(this.#context)) {
      const lanes = this.#lanes.get(id) ?? new Set();
      this.#lanes.set(id, lanes);
      while (lanes.size < this.#context.atOnce && !this.#stop.signal.aborted) {
        const lane = this.#send(id).finally(() => lanes.delete(lane));
        lanes.add(lane);
      }
    }
  }

  async ended(): Promise<void> {
    await Promise.all([...this.#lanes.values()].flatMap((lanes) => [...lanes]));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.ended();
  }

  async #send(id: string): Promise<void> {
    try {
      await sendDue(this.#context, id, this.#stop.signal);
    } catch (error) {
      this.#context.log("warn", `Sending what waits for the webhook ${id}: ${String(error)}`);
    }
  }
}

async function untaken(
  context: WebhooksContext,
  { webhook, limit }: { readonly webhook?: string; readonly limit: number },
): Promise<Untaken[]> {
  const { store, company } = context;
  const id = webhook === undefined ? null : (await webhookOf(context, store, webhook)).id;
  return store.query<Untaken>(
    `select d.webhook_id as webhook, e.id as event, e.number, e.type, e.subject, e.at, d.state, d.tries,
            case when d.state = 'waiting' then d.due_at end as "dueAt", d.tried_at as "triedAt",
            d.status, d.problem
       from webhook_delivery d join event e on e.company = d.company and e.id = d.event_id
      where d.company = $1 and ($2::uuid is null or d.webhook_id = $2)
        and (d.state = 'failed' or (d.state = 'waiting' and d.tries > 0))
      order by d.state, d.number desc limit $3`,
    [company, id, limit],
  );
}
