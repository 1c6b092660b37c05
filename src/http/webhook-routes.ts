/** Webhooks over HTTP: a shop that sets up, mends and replays what it is told. */
import type { KeyHolder } from "../access/index.ts";
import { ORDERS_TOLD, WebhookError, type Untaken, type Webhook } from "../notify/index.ts";
import { whoOf } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem, type ProblemCode } from "./problem.ts";
import { given, instant, limited, orNull, text } from "./words.ts";

const fields = {
  id: text("Its identity."),
  url: text("Where it goes."),
  about: text("What it is for."),
  types: z.array(z.string()).describe("What it is told; none: everything."),
  orders: z.enum(ORDERS_TOLD).describe("Whose orders: those of live keys, of test keys, or both."),
  state: z.enum(["enabled", "disabled"]),
  disabledBecause: orNull(z.string(), "Why Tradepost disabled it."),
  madeAt: instant("When it was made."),
  madeBy: text("By whom."),
  failingSince: orNull(instant(""), "Since when it has taken nothing."),
  quietUntil: orNull(instant(""), "It asked to be left alone until then."),
  waiting: z.number().int().describe("Events on their way to it."),
  failed: z.number().int().describe("Events for which every try has failed."),
  missed: z.number().int().describe("Of the time it was disabled, and kept no longer."),
  lastDeliveredAt: orNull(instant(""), "When it took something last."),
};
const webhook = z.strictObject(fields).openapi("Webhook");
const withSecret = z
  .strictObject({ ...fields, secret: text("Shown this once: whsec_ and base64.") })
  .openapi("WebhookWithSecret");

const url = z
  .string()
  .min(1)
  .max(2_000)
  .describe("https; hosts inside the house as settings allow.");
const types = z
  .array(z.string().min(1).max(100))
  .max(100)
  .describe("order.accepted, or order.*; none: everything.");
const orders = z.enum(ORDERS_TOLD).describe("Of live orders, of those of test keys, or of both.");
const about = z.string().max(200).describe("What it is for.");
const deed = {
  who: z.string().trim().min(1).max(100).optional().describe("The person who asks."),
  why: z.string().trim().min(1).max(500).optional().describe("Why; kept in the book."),
};
const path = z.strictObject({
  id: text("The webhook's id, or the last characters of it.").min(4).max(36),
});

interface Asked {
  readonly who?: string | undefined;
  readonly why?: string | undefined;
}

function deedOf(holder: KeyHolder, { who, why }: Asked) {
  return { who: whoOf(holder, who), why: why ?? null };
}

const PROBLEMS: Readonly<Record<WebhookError["code"], ProblemCode>> = {
  "webhook-unknown": "webhook-unknown",
  "webhook-address": "webhook-refused",
  "webhook-types": "webhook-refused",
  "webhook-disabled": "webhook-disabled",
  "event-unknown": "event-unknown",
};

async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WebhookError) throw new Problem(PROBLEMS[error.code], error.message);
    throw error;
  }
}

function shown(one: Webhook) {
  const text = (at: Temporal.Instant | null) => at?.toString() ?? null;
  return {
    ...one,
    types: [...one.types],
    madeAt: one.madeAt.toString(),
    failingSince: text(one.failingSince),
    quietUntil: text(one.quietUntil),
    lastDeliveredAt: text(one.lastDeliveredAt),
  };
}

const SHARED = { scope: "webhooks", tag: "webhooks" } as const;

const listWebhooks = endpoint({
  ...SHARED,
  method: "get",
  address: "/v1/webhooks",
  summary: "All webhooks",
  answers: { 200: "In the order in which they were made." },
  answer: z.strictObject({ webhooks: z.array(webhook) }).openapi("Webhooks"),
  problems: [],
  async handle({ services }) {
    return { body: { webhooks: (await services.webhooks.list()).map(shown) } };
  },
});

const addWebhook = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks",
  summary: "Tell an address what happens from now on",
  description:
    "Messages are signed as https://www.standardwebhooks.com says; verify each before you trust it. " +
    "The secret is in this answer and nowhere else.",
  body: {
    schema: z
      .strictObject({
        url,
        types: types.default([]),
        orders: orders.default("live"),
        about: about.default(""),
        ...deed,
      })
      .openapi("NewWebhook"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 201: "It is made and enabled." },
  answer: withSecret,
  problems: ["webhook-refused"],
  async handle({ body, holder, services }) {
    const { who, why, ...wanted } = body;
    const made = await answered(services.webhooks.add(wanted, deedOf(holder, { who, why })));
    return { status: 201, body: { ...shown(made.webhook), secret: made.secret } };
  },
});

const showWebhook = endpoint({
  ...SHARED,
  method: "get",
  address: "/v1/webhooks/{id}",
  summary: "One webhook, with what waits for it",
  path,
  answers: { 200: "The webhook." },
  answer: webhook,
  problems: ["webhook-unknown"],
  async handle({ path: { id }, services }) {
    return { body: shown(await answered(services.webhooks.show(id))) };
  },
});

const changeWebhook = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks/{id}/change",
  summary: "Another address, other types or words for it",
  path,
  body: {
    schema: z
      .strictObject({
        url: url.optional(),
        types: types.optional(),
        orders: orders.optional(),
        about: about.optional(),
        ...deed,
      })
      .openapi("WebhookChange"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "As it is now." },
  answer: webhook,
  problems: ["webhook-unknown", "webhook-refused"],
  async handle({ path: { id }, body: { who, why, ...change }, holder, services }) {
    const by = deedOf(holder, { who, why });
    return { body: shown(await answered(services.webhooks.change(id, given(change), by))) };
  },
});

const rotateSecret = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks/{id}/rotate",
  summary: "A new secret; the one until now signs beside it for a while",
  path,
  body: {
    schema: z
      .strictObject({
        overlapHours: z.number().min(0).max(8_760).default(24).describe("For how long."),
        ...deed,
      })
      .openapi("WebhookRotation"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "With the new secret." },
  answer: withSecret,
  problems: ["webhook-unknown"],
  async handle({ path: { id }, body: { overlapHours, ...asked }, holder, services }) {
    const by = deedOf(holder, asked);
    const made = await answered(services.webhooks.rotate(id, overlapHours, by));
    return { body: { ...shown(made.webhook), secret: made.secret } };
  },
});

const deedBody = {
  schema: z.strictObject(deed).openapi("WebhookDeed"),
  limitBytes: LIMITS.deskBodyBytes,
};

function decision(name: "disable" | "remove", summary: string): Endpoint {
  return endpoint({
    ...SHARED,
    method: "post",
    address: `/v1/webhooks/{id}/${name}`,
    summary,
    path,
    body: deedBody,
    answers: { 200: "The webhook." },
    answer: webhook,
    problems: ["webhook-unknown"],
    async handle({ path: { id }, body, holder, services }) {
      return { body: shown(await answered(services.webhooks[name](id, deedOf(holder, body)))) };
    },
  });
}

const enableWebhook = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks/{id}/enable",
  summary: "Go on where it stopped",
  path,
  body: {
    schema: z
      .strictObject({
        skip: z.boolean().default(false).describe("True: leave out what happened meanwhile."),
        ...deed,
      })
      .openapi("WebhookEnabling"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "The webhook." },
  answer: webhook,
  problems: ["webhook-unknown"],
  async handle({ path: { id }, body: { skip, ...asked }, holder, services }) {
    const by = deedOf(holder, asked);
    return { body: shown(await answered(services.webhooks.enable(id, skip, by))) };
  },
});

const testWebhook = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks/{id}/test",
  summary: "Send a signed message of the type webhook.test now",
  path,
  body: deedBody,
  answers: { 200: "What came of it." },
  answer: z
    .strictObject({
      taken: z.boolean().describe("True: it answered 2xx."),
      status: orNull(z.number().int(), "HTTP status of its answer."),
      problem: orNull(z.string(), "What was met."),
    })
    .openapi("WebhookTried"),
  problems: ["webhook-unknown"],
  async handle({ path: { id }, services }) {
    const { status, problem } = await answered(services.webhooks.test(id));
    return { body: { taken: problem === null, status, problem } };
  },
});

const replayEvents = endpoint({
  ...SHARED,
  method: "post",
  address: "/v1/webhooks/{id}/replay",
  summary: "Send events again, each under its own id",
  description: "A range of time, one event, or those for which every try has failed.",
  path,
  body: {
    schema: z
      .strictObject({
        from: z.iso.datetime({ offset: true }).optional().describe("First moment."),
        to: z.iso.datetime({ offset: true }).optional().describe("Up to it, itself left out."),
        event: z.uuid().optional().describe("This one, whatever its type."),
        failed: z.literal(true).optional().describe("Those for which every try has failed."),
        ...deed,
      })
      .superRefine(({ from, to, event, failed }, context) => {
        const ways = [from, event, failed].filter((each) => each !== undefined).length;
        if (ways === 1 && (from === undefined) === (to === undefined)) return;
        const message = "either from and to, or event, or failed";
        context.addIssue({ code: "custom", path: [], message });
      })
      .openapi("WebhookReplay"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 202: "They are sent at once." },
  answer: z
    .strictObject({ events: z.number().int().describe("How many.") })
    .openapi("WebhookReplayed"),
  problems: ["webhook-unknown", "webhook-disabled", "event-unknown"],
  async handle({ path: { id }, body: { from, to, event, ...asked }, holder, services }) {
    const of =
      from !== undefined && to !== undefined
        ? { from: Temporal.Instant.from(from), to: Temporal.Instant.from(to) }
        : event === undefined
          ? ({ failed: true } as const)
          : { event };
    const events = await answered(services.webhooks.replay(id, of, deedOf(holder, asked)));
    return { status: 202, body: { events } };
  },
});

const listFailures = endpoint({
  ...SHARED,
  method: "get",
  address: "/v1/webhooks/{id}/failures",
  summary: "What was not taken: failed for good, or tried and waiting for its next try",
  path,
  query: z.strictObject({ limit: limited(100, LIMITS.listEntries) }),
  answers: { 200: "Those that failed for good first." },
  answer: z
    .strictObject({
      failures: z.array(
        z.strictObject({
          event: text("Id of the event."),
          number: z.number().int().describe("Its place in the feed."),
          type: text("What happened."),
          subject: text("What it happened to."),
          at: instant("When it happened."),
          state: z.enum(["waiting", "failed"]),
          tries: z.number().int().describe("How often it was sent."),
          dueAt: orNull(instant(""), "When it is tried again; null: by a replay alone."),
          triedAt: orNull(instant(""), "When it was sent last."),
          status: orNull(z.number().int(), "HTTP status of the last answer."),
          problem: orNull(z.string(), "What the last try met."),
        }),
      ),
    })
    .openapi("WebhookFailures"),
  problems: ["webhook-unknown"],
  async handle({ path: { id }, query: { limit }, services }) {
    const untaken = await answered(services.webhooks.untaken({ webhook: id, limit }));
    return { body: { failures: untaken.map(shownFailure) } };
  },
});

function shownFailure({ webhook: _webhook, at, dueAt, triedAt, ...rest }: Untaken) {
  const times = { at: at.toString(), dueAt: dueAt?.toString() ?? null };
  return { ...rest, ...times, triedAt: triedAt?.toString() ?? null };
}

export const WEBHOOK_ENDPOINTS: readonly Endpoint[] = [
  listWebhooks,
  addWebhook,
  showWebhook,
  changeWebhook,
  rotateSecret,
  decision("disable", "Send nothing more until it is enabled; what happens is kept for it"),
  enableWebhook,
  decision("remove", "Forget it, its secrets and what waits for it"),
  testWebhook,
  replayEvents,
  listFailures,
];
