/** The order desk over HTTP: what waits for a person, and what a person does about it. */
import { DESK_KINDS, TASK_KINDS, type DeskEntry } from "../orders/index.ts";
import { who, whoOf, why } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { changeAnswer, changeReply, lessLines } from "./order-change-routes.ts";
import { orderPath, orderStatus, sayable, statusOf, taskOf, taskSchema } from "./order-status.ts";
import { given, instant, limited, orNull, text } from "./words.ts";

const desk = { scope: "desk", tag: "orders" } as const;

const entry = z
  .strictObject({
    kind: z.enum(DESK_KINDS),
    webOrder: orNull(z.string(), "Number of the order."),
    account: orNull(z.string(), "Whose it is."),
    state: orNull(z.string(), "Where its delivery stands."),
    erpOrder: orNull(z.string(), "Its number in the ERP."),
    amount: orNull(z.string(), "Money at stake."),
    promisedOn: orNull(z.iso.date(), "Delivery wanted on."),
    since: instant("Since when it stands so."),
    why: z.array(z.string()).describe("What happened, and why."),
    acts: z.array(z.string()).describe("What can be done now."),
    next: text("What to do next."),
    task: z.strictObject({ id: text("Its identity."), kind: text(""), about: text("") }).nullable(),
  })
  .openapi("OrderDeskEntry");

/** Numbers of ERP orders that a person names. */
const erpOrders = (about: string) =>
  z.array(z.string().min(1).max(60)).max(20).optional().describe(about);

export const deskCounts = z.strictObject({
  held: z.number().int(),
  inDoubt: z.number().int(),
  refused: z.number().int(),
  conflict: z.number().int(),
  late: z.number().int().describe("Not at the ERP, or not despatched, when it should be."),
  tasks: z.number().int(),
});

export const orderDesk: Endpoint = endpoint({
  ...desk,
  method: "get",
  address: "/v1/order-desk",
  summary: "What waits for a person: promised days first, then by money",
  query: z.strictObject({
    kind: z.enum(DESK_KINDS).optional().describe("Only these."),
    limit: limited(200, LIMITS.listEntries),
  }),
  answers: { 200: "How many wait, and the first of them." },
  answer: z
    .strictObject({
      counts: deskCounts,
      entries: z.array(entry),
    })
    .openapi("OrderDesk"),
  problems: [],
  async handle({ query: { kind, limit }, services }) {
    const { counts, entries } = await services.orders.desk();
    const wanted = entries.filter((one) => kind === undefined || one.kind === kind);
    return { body: { counts, entries: wanted.slice(0, limit).map(shown) } };
  },
});

function shown({ since, ...rest }: DeskEntry): Shown<z.input<typeof entry>> {
  return { ...rest, since: since.toString() };
}

const PROBLEMS = ["order-unknown", "order-stands-otherwise"] as const;

const act = (name: string, summary: string, description: string) =>
  ({
    ...desk,
    method: "post",
    address: `/v1/orders/{number}/${name}`,
    summary,
    description,
    path: orderPath,
    answers: { 200: "The order as it stands now." },
    answer: orderStatus,
    problems: [...PROBLEMS],
  }) as const;

const actBody = {
  schema: z.strictObject({ who, why }).openapi("OrderAct"),
  limitBytes: LIMITS.deskBodyBytes,
};

export const releaseOrder: Endpoint = endpoint({
  ...act(
    "release",
    "Let a held order go on its way",
    "What held it is told in its reasons. One that was shadowed, or held because it was taken before " +
      "its connection went live, is not sent as well where staff have keyed it, as the pulled ERP orders show.",
  ),
  body: {
    schema: z
      .strictObject({
        who,
        why,
        another: erpOrders(
          "ERP orders that look like it, and that the person has seen to be others.",
        ),
      })
      .openapi("OrderRelease"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  async handle({ path, body, holder, services }) {
    const by = {
      who: whoOf(holder, body.who),
      reason: body.why,
      ...given({ another: body.another }),
    };
    return sayable(async () => ({
      body: statusOf(await services.orders.release(path.number, by)),
    }));
  },
});

export const sendOrderAgain: Endpoint = endpoint({
  ...act(
    "send-again",
    "An order in doubt that is not in the ERP, or one that it refused, mended",
    "It is looked for in the ERP once more, and sent only where it is not found. One that was " +
      "dropped as files is dropped again: only a person can know that those never came in.",
  ),
  body: actBody,
  async handle({ path, body, holder, services }) {
    const by = { who: whoOf(holder, body.who), reason: body.why };
    return sayable(async () => ({
      body: statusOf(await services.orders.sendAgain(path.number, by)),
    }));
  },
});

export const resolveOrder: Endpoint = endpoint({
  ...act(
    "resolve",
    "A conflict or a doubt is settled: the order stands in the ERP",
    "Links it to an ERP order where one is given, and corrects the link of one that is confirmed. " +
      "Another document of the order that is not cancelled there must be named in `also`.",
  ),
  body: {
    schema: z
      .strictObject({
        who,
        why,
        erpOrder: z.string().min(1).max(60).optional().describe("Its number in the ERP."),
        also: erpOrders(
          "Other ERP orders of it that the person has looked at, and that do no harm.",
        ),
        seenThere: z
          .boolean()
          .optional()
          .describe("The person saw the ERP order there, though no pull has shown it."),
      })
      .openapi("OrderResolution"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  async handle({ path, body, holder, services }) {
    const by = {
      who: whoOf(holder, body.who),
      reason: body.why,
      ...given({ erpOrder: body.erpOrder, also: body.also, seenThere: body.seenThere }),
    };
    return sayable(async () => ({
      body: statusOf(await services.orders.resolve(path.number, by)),
    }));
  },
});

export const cancelOrderByHand: Endpoint = endpoint({
  ...desk,
  method: "post",
  address: "/v1/orders/{number}/cancel",
  summary: "A person gives up an order, or some of its lines",
  description:
    "As the shop's cancellation does, but what the checks find of the rest is told and stops " +
    "nothing, and an order in conflict or refused can be given up.",
  path: orderPath,
  body: {
    schema: z.strictObject({ who, why, lines: lessLines }).openapi("OrderCancelAct"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "It is done.", 202: "It is asked of the ERP." },
  answer: changeAnswer,
  problems: [...PROBLEMS, "order-refused", "request-in-progress"],
  async handle({ path, body, holder, services }) {
    const asker = {
      who: whoOf(holder, body.who),
      why: body.why,
      idempotencyKey: null,
      apiKey: holder.keyId,
      decides: true,
    };
    return sayable(async () =>
      changeReply(await services.orders.cancelPart(path.number, { ...asker, lines: body.lines })),
    );
  },
});

export const listOrderTasks: Endpoint = endpoint({
  ...desk,
  method: "get",
  address: "/v1/order-tasks",
  summary: "What people have to do about orders, most money first",
  query: z.strictObject({
    state: z.enum(["open", "done", "dropped", "all"]).default("open"),
    kind: z.enum(TASK_KINDS).optional().describe("Only these."),
    limit: limited(200, LIMITS.listEntries),
  }),
  answers: { 200: "The tasks." },
  answer: z.strictObject({ tasks: z.array(taskSchema) }).openapi("OrderTasks"),
  problems: [],
  async handle({ query: { limit, state, kind }, services }) {
    const tasks = await services.orders.tasks({ state, ...given({ kind }) });
    return { body: { tasks: tasks.slice(0, limit).map(taskOf) } };
  },
});

export const closeOrderTask: Endpoint = endpoint({
  ...desk,
  method: "post",
  address: "/v1/order-tasks/{id}/close",
  summary: "A task is done, or need not be done",
  description:
    "A change of an order that waited for it is made with it: done where a person made it in the " +
    "ERP, sent where a person let it go, dropped with it.",
  path: z.strictObject({ id: z.uuid().describe("Its identity.") }),
  body: {
    schema: z
      .strictObject({
        who,
        why,
        as: z.enum(["done", "dropped"]).default("done"),
        reference: z
          .string()
          .trim()
          .min(1)
          .max(100)
          .optional()
          .describe("What it is found by where it was done; a refund must have it."),
      })
      .openapi("OrderTaskEnd"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "The task." },
  answer: taskSchema,
  problems: ["order-task-unknown", "order-stands-otherwise"],
  async handle({ path, body, holder, services }) {
    const end = {
      id: path.id,
      state: body.as,
      who: whoOf(holder, body.who),
      reason: body.why,
      ...given({ reference: body.reference }),
    };
    return sayable(async () => ({ body: taskOf(await services.orders.closeTask(end)) }));
  },
});

export const ORDER_DESK_ENDPOINTS: readonly Endpoint[] = [
  orderDesk,
  releaseOrder,
  resolveOrder,
  sendOrderAgain,
  cancelOrderByHand,
  listOrderTasks,
  closeOrderTask,
];
