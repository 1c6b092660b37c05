/** Amending and cancelling orders over HTTP, by the shop that handed them in. */
import type { KeyHolder } from "../access/index.ts";
import { orderRequest, type ChangeResult } from "../orders/index.ts";
import { keyHeader } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Reply, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { finding } from "./order-findings.ts";
import { idempotencyKeyOf, refusal } from "./order-routes.ts";
import { ofAccount, orderPath, sayable } from "./order-status.ts";
import { orNull, text } from "./words.ts";

export const changeAnswer = z
  .strictObject({
    webOrder: text("Number of the order; it keeps it."),
    change: z.number().int().describe("1, 2, 3 … of the order."),
    kind: z.enum(["amend", "cancel"]),
    state: z
      .enum(["held", "asked", "task", "done", "refused", "dropped"])
      .describe("done; asked: the ERP is told; held: a person decides first."),
    orderState: text("Where the order's delivery stands."),
    net: orNull(z.string(), "Net of the order with it; all of it is cancelled."),
    vat: orNull(z.string(), "VAT of the order with it."),
    gross: orNull(z.string(), "Gross of the order with it."),
    reasons: z.array(finding).describe("Why a person decides first."),
    warnings: z.array(finding).describe("What was found and let pass."),
  })
  .openapi("OrderChangeAnswer");

const PROBLEMS = [
  "idempotency-key-missing",
  "idempotency-key-reused",
  "request-in-progress",
  "order-unknown",
  "order-stands-otherwise",
  "order-refused",
] as const;

const answers = {
  200: "It is done: nothing of the order had left yet.",
  202: "It is asked for: the ERP is told, or a person; the order is what it was until then.",
};

export function changeReply(result: ChangeResult): Reply<Shown<z.input<typeof changeAnswer>>> {
  const headers = result.replayed ? { "idempotency-replayed": "true" } : {};
  if ("problem" in result) throw refusal(result.problem, headers);
  return { status: result.status, body: result.answer, headers };
}

export const amendOrder: Endpoint = endpoint({
  method: "post",
  address: "/v1/orders/{number}/amendments",
  scope: "orders",
  tag: "orders",
  summary: "The whole order anew, as it is to be",
  description:
    "Checked as a new order is; it keeps its number, its date and a payment that was taken. Before " +
    "it is handed over it is changed at once; afterwards the ERP is told as far as its connector " +
    "can, in the order asked, else a person. Goods that are despatched or invoiced stay in it.",
  path: orderPath,
  query: ofAccount,
  headers: [keyHeader("change")],
  body: {
    schema: orderRequest.clone().openapi("OrderAmendment"),
    limitBytes: LIMITS.orderBodyBytes,
    whole: "order",
  },
  answers,
  answer: changeAnswer,
  problems: [...PROBLEMS],
  async handle({ path, query, body, holder, services, header }) {
    const asker = { ...askerOf(holder, header("idempotency-key")), ...query, why: null };
    return sayable(async () =>
      changeReply(await services.orders.amend(path.number, { ...asker, body })),
    );
  },
});

/** A shop's key asks; it decides nothing. */
function askerOf({ keyId: apiKey, test }: KeyHolder, key: string | undefined) {
  const idempotencyKey = idempotencyKeyOf(key);
  return { who: `key ${apiKey}`, idempotencyKey, apiKey, test, decides: false };
}

export const lessLines = z
  .array(
    z.strictObject({
      line: z.number().int().min(1).describe("Line of the order."),
      quantity: z
        .string()
        .regex(/^\d{1,12}(\.\d{1,5})?$/, 'expected a decimal in quotes, such as "2"')
        .refine((given) => /[1-9]/.test(given), "expected more than 0")
        .nullable()
        .default(null)
        .describe("Selling units that are not to come; null: all that has not come yet."),
    }),
  )
  .min(1)
  .max(1000)
  .nullable()
  .default(null)
  .describe("Which lines; null: all of the order that was not despatched or invoiced.");

export const cancelOrder: Endpoint = endpoint({
  method: "post",
  address: "/v1/orders/{number}/cancellation",
  scope: "orders",
  tag: "orders",
  summary: "An order, or some of its lines, not to be",
  description:
    "Before it is handed over it is done at once; afterwards the ERP is told as far as its " +
    "connector can, else a person. A payment that is too much by then becomes a refund task.",
  path: orderPath,
  query: ofAccount,
  headers: [keyHeader("change")],
  body: {
    schema: z
      .strictObject({
        lines: lessLines,
        why: z.string().trim().min(1).max(1_000).nullable().default(null).describe("Why."),
      })
      .openapi("OrderCancellation"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers,
  answer: changeAnswer,
  problems: [...PROBLEMS],
  async handle({ path, query, body, holder, services, header }) {
    const asker = { ...askerOf(holder, header("idempotency-key")), ...query };
    return sayable(async () =>
      changeReply(await services.orders.cancelPart(path.number, { ...asker, ...body })),
    );
  },
});
