/** An order as a shop and the desk see it: where it stands, and all that became of it. */
import { decimal } from "../model/index.ts";
import { DELIVERY_STATES, OrderError, seenWith, type OrderView } from "../orders/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { lineFields, orderHead } from "./order-routes.ts";
import { Problem } from "./problem.ts";
import { amount, given, inOrder, instant, limited, orNull, tests, text } from "./words.ts";

const papersLine = {
  line: orNull(z.number().int(), "Line of the order: of the order, and of none of its lines."),
  product: orNull(z.string(), "Product of the document's line."),
  quantity: amount("Selling units."),
};

const despatch = z.strictObject({
  despatch: text("Number of the despatch note."),
  despatchedOn: z.iso.date(),
  carrier: orNull(z.string(), "Who carries it."),
  tracking: orNull(z.string(), "The carrier's number."),
  lines: z.array(z.strictObject(papersLine)),
});

const invoice = z.strictObject({
  kind: z.enum(["invoice", "credit"]),
  document: text("Number of the invoice or credit note."),
  documentOn: z.iso.date(),
  net: amount("Net of the whole document, which may be of other orders, too."),
  vat: amount("Its VAT."),
  gross: amount("Its gross."),
  currency: text("ISO currency."),
  lines: z.array(
    z.strictObject({
      ...papersLine,
      about: orNull(z.string(), "What the document says of it, or what it is: carriage."),
      net: amount("Net of the document's line."),
      vat: amount("Its VAT."),
      evidence: text("How it is known to be of this order."),
    }),
  ),
});

const change = z
  .strictObject({
    change: z.number().int().describe("1, 2, 3 … of the order."),
    kind: z.enum(["amend", "cancel"]),
    state: z
      .enum(["held", "asked", "task", "done", "refused", "dropped"])
      .describe("held: a person decides first; asked: the ERP is told; task: a person makes it."),
    who: text("Who asked: a person, or key <id>."),
    why: orNull(z.string(), "Why."),
    cancelled: z
      .array(z.strictObject({ line: z.number().int(), product: text(""), quantity: amount("") }))
      .describe("What is taken off each line."),
    net: orNull(z.string(), "Net of the order with it; all of it is cancelled."),
    askedAt: instant("When it was asked for."),
    endedAt: orNull(instant(""), "When it was over."),
    outcome: orNull(z.string(), "How it ended, or why a person decides first."),
    before: orNull(
      z.strictObject({
        net: amount("Net."),
        vat: amount("VAT."),
        gross: amount("Gross."),
        lines: z.array(z.strictObject(lineFields)),
      }),
      "What the order was before it.",
    ),
  })
  .openapi("OrderChange");

const erpDifference = z.strictObject({
  line: orNull(
    z.number().int(),
    "Line of the order: the order as a whole, a charge, or a new line.",
  ),
  product: orNull(z.string(), "Its product; the code of a charge."),
  what: z.enum(["quantity", "price", "line added", "line removed", "net", "VAT", "state"]),
  was: orNull(z.string(), "As agreed."),
  is: orNull(z.string(), "As the ERP holds it."),
});

const task = z
  .strictObject({
    id: text("Its identity."),
    webOrder: orNull(z.string(), "Order that it is about."),
    kind: text("refund, receipt, amend, cancel, return, account or look."),
    about: text("What it concerns."),
    instruction: text("What to do."),
    amount: orNull(z.string(), "Money at stake."),
    state: z.enum(["open", "done", "dropped"]),
    openedAt: instant("Since when."),
    closedAt: orNull(instant(""), "When it was closed."),
    closedBy: orNull(z.string(), "Who closed it."),
    reason: orNull(z.string(), "Why."),
    reference: orNull(z.string(), "What it is found by where it was done."),
  })
  .openapi("OrderTask");

export const taskSchema = task;

export const orderStatus = z
  .strictObject({
    id: text("Our identity of it."),
    webOrder: text("Number of the order, unique for ever."),
    ...orderHead,
    state: text("Where its delivery stands."),
    fulfilment: text("What became of its lines: open, part despatched, invoiced …"),
    askedFor: z
      .enum(["amendment", "cancellation"])
      .nullable()
      .describe("Asked for and not done yet; the order is what it was until then. Null: nothing."),
    test: z.boolean(),
    reasons: z.array(z.string()).describe("Why it stands where it stands."),
    erpOrder: orNull(z.string(), "Its number in the ERP."),
    erpNet: orNull(z.string(), "Net as the ERP holds it."),
    erpVat: orNull(z.string(), "VAT as the ERP holds it."),
    receivedAt: instant("When we took it."),
    changedAt: instant("When it last moved."),
    handedOverAt: orNull(instant(""), "When it was dropped for the ERP."),
    answerDueAt: orNull(instant(""), "Without an answer by then it is in doubt."),
    lines: z.array(
      z.strictObject({
        ...lineFields,
        quantity: amount("Selling units ordered, what was cancelled since included."),
        price: z.unknown().describe("Our own price when it was taken, with its rule."),
        despatchedQuantity: amount("Of these, despatched."),
        invoicedQuantity: amount("Of these, invoiced."),
        creditedQuantity: amount("Of these, credited."),
        cancelledQuantity: amount("Of these, not to come any more."),
        outstandingQuantity: amount("Of these, still to come."),
        backOrderQuantity: amount("Of what is to come, left behind by a despatch or an invoice."),
      }),
    ),
    changes: z.array(change).describe("Amendments and cancellations, in the order asked."),
    changedInErp: z
      .array(erpDifference)
      .describe("What staff changed in the ERP since it was confirmed; never taken over."),
    despatches: z.array(despatch).describe("Despatch notes, oldest first."),
    invoices: z.array(invoice).describe("Invoices and credit notes, oldest first."),
    tasks: z.array(task).describe("What a person has to do about it, or did."),
    events: z
      .array(
        z.strictObject({
          at: instant("When."),
          event: text("What happened."),
          fromState: orNull(z.string(), "State before."),
          toState: text("State after."),
          who: text("A person, shop, erp or tradepost."),
          about: text("The same as a sentence."),
        }),
      )
      .describe("Everything that happened to it, oldest first."),
  })
  .openapi("OrderStatus");

export const orderPath = z.strictObject({
  number: z.string().describe("Number or id of the order."),
});

/** For every route by which a shop shows or changes what is one customer's. */
export const ofAccount = z.strictObject({
  account: z
    .string()
    .min(1)
    .max(40)
    .optional()
    .describe(
      "The customer who asks: what is another account's is answered as not there (404). A key opens " +
        "what every customer has; send the account of whoever is logged in, and the shop shows " +
        "nobody another's. Absent: whoever's it is.",
    ),
});

export const showOrder: Endpoint = endpoint({
  method: "get",
  address: "/v1/orders/{number}",
  scope: "orders",
  tag: "orders",
  summary: "Where an order stands, and everything that happened to it",
  description:
    "A live key sees live orders, a test key those of test keys: of a number each sees its own. " +
    "With `account` an order of another customer is not there.",
  path: orderPath,
  query: ofAccount,
  answers: { 200: "The order." },
  answer: orderStatus,
  problems: ["order-unknown"],
  handle: async ({ path, query: { account }, holder, services }) =>
    sayable(async () => ({
      body: statusOf(await services.orders.show(path.number, seenWith(holder, account))),
    })),
});

const day = z.iso.date().optional();

export const exportOrders: Endpoint = endpoint({
  method: "get",
  address: "/v1/orders",
  scope: "desk",
  tag: "orders",
  summary: "All that is kept of orders, oldest first, a page at a time",
  description:
    "Live orders, or test orders where they are asked for. Pages hold together while orders come: `next` of an answer, sent as `after`, " +
    "gives those behind it. Each order is shown as it stands when its page is read.",
  query: z
    .strictObject({
      from: day.describe("Ordered on or after."),
      to: day.describe("Ordered on or before."),
      state: z.enum(DELIVERY_STATES).optional().describe("Delivery stands so."),
      account: z.string().min(1).max(40).optional().describe("Only this customer's."),
      test: tests,
      after: z.uuid().optional().describe("`next` of the page before."),
      limit: limited(100, LIMITS.listEntries),
    })
    .superRefine(inOrder),
  answers: { 200: "The orders." },
  answer: z
    .strictObject({
      orders: z.array(orderStatus),
      next: orNull(z.uuid(), "Send it as `after` for the next page."),
    })
    .openapi("OrderPage"),
  problems: [],
  async handle({ query: { after = null, limit, ...span }, services }) {
    const { orders, next } = await services.orders.exportPage(given(span), { after, limit });
    return { body: { orders: orders.map(statusOf), next } };
  },
});

/** What orders refuse, as problems of the API. */
export async function sayable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof OrderError)) throw cause;
    throw new Problem(PROBLEM_OF[cause.code], cause.message, { cause });
  }
}

const PROBLEM_OF = {
  "order-unknown": "order-unknown",
  "task-unknown": "order-task-unknown",
  "task-closed": "order-stands-otherwise",
  "task-needs-reference": "order-stands-otherwise",
  "who-is-nobody": "request-invalid",
  "move-impossible": "order-stands-otherwise",
  "order-moved": "order-stands-otherwise",
  "change-impossible": "order-stands-otherwise",
} as const;

export function statusOf(view: OrderView): Shown<z.input<typeof orderStatus>> {
  const { order, changes, despatches, invoices, changedInErp, tasks, events } = view;
  return {
    id: view.id,
    ...order,
    state: view.state,
    fulfilment: view.fulfilment,
    askedFor: view.askedFor,
    test: view.test,
    reasons: view.reasons,
    erpOrder: view.erpOrder,
    erpNet: view.erpNet,
    erpVat: view.erpVat,
    receivedAt: view.receivedAt.toString(),
    changedAt: view.changedAt.toString(),
    handedOverAt: view.handedOverAt?.toString() ?? null,
    answerDueAt: view.answerDueAt?.toString() ?? null,
    lines: view.lines.map((line) => figuresOf(line, order)),
    changes: changes.map(({ askedAt, endedAt, before, payment: _payment, ...rest }) => ({
      ...rest,
      askedAt: askedAt.toString(),
      endedAt: endedAt?.toString() ?? null,
      before: before === null ? null : beforeOf(before),
    })),
    changedInErp,
    despatches,
    invoices,
    tasks: tasks.map(taskOf),
    events: events.map((event) => ({ ...event, at: event.at.toString() })),
  };
}

const QUANTITIES = [
  "quantity",
  "despatchedQuantity",
  "invoicedQuantity",
  "creditedQuantity",
  "cancelledQuantity",
  "outstandingQuantity",
  "backOrderQuantity",
] as const;

/** Written as the answer to the order wrote them, not as a database pads them. */
function figuresOf(
  line: OrderView["lines"][number],
  { lines }: OrderView["order"],
): OrderView["lines"][number] {
  const taken = lines.find((each) => each.line === line.line);
  const quantities = QUANTITIES.map((name) => [name, figure(line[name])] as const);
  return {
    ...line,
    ...Object.fromEntries(quantities),
    unitPrice: taken?.unitPrice ?? figure(line.unitPrice),
  };
}

function figure(text: string): string {
  return decimal.canonical(decimal.parse(text));
}

function beforeOf({ net, vat, gross, lines }: OrderView["order"]) {
  return { net, vat, gross, lines };
}

export function taskOf(given: OrderView["tasks"][number]): Shown<z.input<typeof taskSchema>> {
  const { order: _order, openedAt, closedAt, ...rest } = given;
  return { ...rest, openedAt: openedAt.toString(), closedAt: closedAt?.toString() ?? null };
}
