/** Web orders over HTTP. What a request means is decided in orders; here it is put into words. */
import { orderRequest } from "../orders/index.ts";
import type { OrderProblem } from "../orders/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { faultOf, finding } from "./order-findings.ts";
import { Problem, problemBody } from "./problem.ts";
import { amount, orNull, text } from "./words.ts";

// A schema made before the OpenAPI extension was loaded cannot be named; its clone can.
const body = {
  schema: orderRequest.clone().openapi("OrderRequest"),
  limitBytes: LIMITS.orderBodyBytes,
  whole: "order",
};

export const lineFields = {
  line: z.number().int().describe("1, 2, 3 … in the order given."),
  product: text("Product code."),
  quantity: amount("Selling units."),
  unitPrice: amount("Price per pricing unit."),
  discount: amount("Off quantity × price, so that the line comes to the agreed amount."),
  net: amount("Net of the line."),
  vatCode: text("VAT code."),
  vat: amount("VAT of the line."),
  orderedUnit: orNull(z.string(), "Unit that was ordered in; null: the selling unit."),
  orderedQuantity: orNull(z.string(), "How many of that unit."),
};

const deliveryAddress = z
  .strictObject({
    name: text("Who receives it."),
    address1: text("First address line."),
    address2: orNull(z.string(), "Second address line."),
    address3: orNull(z.string(), "Third address line."),
    town: orNull(z.string(), "Town."),
    county: orNull(z.string(), "County."),
    postcode: orNull(z.string(), "Postcode."),
    country: text("ISO country."),
    contact: orNull(z.string(), "Whom the driver asks for."),
    telephone: orNull(z.string(), "Telephone of the delivery."),
    email: orNull(z.string(), "E-mail of the delivery."),
  })
  .nullable()
  .describe("Address that is no site; null: the site's, or the account's usual one.");

export const orderHead = {
  account: text("Account of the customer."),
  orderedOn: z.iso.date(),
  placedBy: z.enum(["customer", "assisted"]),
  placedByName: orNull(z.string(), "Login or staff code."),
  customerReference: orNull(z.string(), "The customer's own reference."),
  site: orNull(z.string(), "Delivery site."),
  deliverTo: deliveryAddress,
  guest: z
    .strictObject({
      name: text("Name of the buyer."),
      email: text("E-mail of the buyer."),
      telephone: orNull(z.string(), "Telephone of the buyer."),
    })
    .nullable()
    .describe("Who bought without an account of their own; null: the account's customer."),
  accountRequest: orNull(z.string(), "Account request that it waits for."),
  branch: orNull(z.string(), "Branch that fulfils."),
  requestedOn: orNull(z.iso.date(), "Delivery wanted on."),
  conditions: z
    .record(z.string(), z.string())
    .describe("What is so besides, as the order said: attribute → value."),
  currency: text("ISO currency."),
  charges: z.array(
    z.strictObject({
      charge: text("Charge code."),
      description: orNull(z.string(), "Text of the charge."),
      net: amount("Net of the charge."),
      vatCode: text("VAT code."),
      vat: amount("VAT of the charge."),
    }),
  ),
  payment: z
    .strictObject({ provider: z.string(), reference: z.string(), amount: amount("Taken.") })
    .nullable()
    .describe("Payment already taken; null: on account."),
  net: amount("Net of lines and charges."),
  vat: amount("VAT of lines and charges."),
  gross: amount("Net and VAT."),
};

/** Of an order that is taken in, or would be. */
const saidLine = z.strictObject({
  ...lineFields,
  promise: z
    .strictObject({
      free: amount("Free for this line now, in selling units."),
      short: amount("Of the line, not there now."),
      availableOn: orNull(z.iso.date(), "When what is on order covers the line."),
    })
    .nullable()
    .describe("What the stock lets us promise; null: its stock is not known."),
});

const totals = (about: string) => ({
  net: amount(`${about}: net.`),
  vat: amount(`${about}: VAT.`),
  gross: amount(`${about}: gross.`),
});

const rounding = z
  .strictObject({
    shop: z.strictObject({
      net: orNull(z.string(), "As the shop sent it."),
      vat: orNull(z.string(), "As the shop sent it."),
      gross: orNull(z.string(), "As the shop sent it."),
    }),
    erp: z.strictObject(totals("As the ERP computes it, a penny line left out")),
    difference: orNull(z.string(), "The shop's gross less the ERP's."),
    pennyLine: orNull(z.string(), "Net of the penny line among the charges."),
  })
  .nullable()
  .describe("The shop's totals beside the ERP's; null: the shop sent none.");

/** As an order is taken, or would be. */
const said = {
  ...orderHead,
  lines: z.array(saidLine),
  rounding,
  reasons: z.array(finding).describe("Why it is held; empty when it is not."),
  warnings: z.array(finding).describe("What was found and let pass by policy."),
};

const orderAnswer = z
  .strictObject({
    id: text("Our identity of it."),
    webOrder: text("Number of the order, unique for ever."),
    ...said,
    state: text("Where its delivery stands: queued, held, checked (a test key's)."),
    test: z.boolean().describe("True: from a test key; never sent, never counted."),
  })
  .openapi("OrderAnswer");

export const placeOrder: Endpoint = endpoint({
  method: "post",
  address: "/v1/orders",
  scope: "orders",
  tag: "orders",
  summary: "Hand an order in",
  description:
    "Send the same Idempotency-Key again until there is an answer: it is taken once. What was " +
    "answered with 2xx is never lost, never doubled and never changed on its way to the ERP.",
  headers: [
    {
      name: "Idempotency-Key",
      required: true,
      about: `Up to ${LIMITS.idempotencyKeyCharacters} visible characters, new for every order.`,
    },
  ],
  body,
  answers: { 201: "It is taken and on its way.", 202: "It is taken and held for a person." },
  answer: orderAnswer,
  problems: [
    "idempotency-key-missing",
    "request-in-progress",
    "order-refused",
    "web-order-number-taken",
    "idempotency-key-reused",
  ],
  async handle({ body: order, holder, services, header }) {
    const idempotencyKey = idempotencyKeyOf(header("idempotency-key"));
    const result = await services.orders.accept({
      idempotencyKey,
      body: order,
      apiKey: holder.keyId,
      test: holder.test,
    });
    const replayed = result.replayed ? { "idempotency-replayed": "true" } : {};
    if ("problem" in result) throw refusal(result.problem, replayed);
    const location = `/v1/orders/${encodeURIComponent(result.order.webOrder)}`;
    return { status: result.status, body: result.order, headers: { location, ...replayed } };
  },
});

const KEY = new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.idempotencyKeyCharacters}}$`);

export function idempotencyKeyOf(given: string | undefined): string {
  if (given !== undefined && KEY.test(given)) return given;
  throw new Problem(
    "idempotency-key-missing",
    `Taking an order: the Idempotency-Key header is ${keyFault(given)}, ` +
      `expected 1 to ${LIMITS.idempotencyKeyCharacters} visible ASCII characters without spaces. ` +
      "Make a new one (a UUID, say) for every order and send it with every try of that order.",
  );
}

function keyFault(given: string | undefined): string {
  if (given === undefined) return "not there";
  return given.length > LIMITS.idempotencyKeyCharacters
    ? `too long: found ${given.length} characters`
    : "not one";
}

export function refusal(problem: OrderProblem, headers: Readonly<Record<string, string>>): Problem {
  return new Problem(problem.code, problem.detail, {
    faults: problem.problems.map(faultOf),
    headers: problem.code === "request-in-progress" ? { "retry-after": "1", ...headers } : headers,
  });
}

export const checkOrder: Endpoint = endpoint({
  method: "post",
  address: "/v1/orders/check",
  scope: "orders",
  tag: "orders",
  summary: "What handing this order in would answer; keeps nothing",
  description:
    "The status that `POST /v1/orders` would answer, with the order as it would be taken, or the " +
    "problem with which it would be refused.",
  body,
  answers: { 200: "What would be answered." },
  answer: z
    .strictObject({
      status: z.union([z.literal(201), z.literal(202), z.literal(422)]),
      verdict: z.enum(["accept", "hold", "refuse"]).describe("What the checks come to."),
      findings: z.array(finding).describe("All of them, whatever they mean."),
      order: z.strictObject(said).describe("As it would be taken, but for its id and number."),
      problem: z
        .unknown()
        .describe("The problem+json that would be answered, without requestId; null: none."),
    })
    .openapi("OrderCheck"),
  problems: [],
  async handle({ body: order, services, holder }) {
    const checked = await services.orders.check(order, { test: holder.test });
    const { verdict, findings, said: as, problem } = checked;
    const status: 201 | 202 | 422 = problem !== null ? 422 : verdict === "hold" ? 202 : 201;
    return { body: { status, verdict, findings, order: as, problem: problemOf(problem) } };
  },
});

function problemOf(refused: OrderProblem | null): unknown {
  if (refused === null) return null;
  const { requestId: _ofRequest, ...shown } = problemBody(refusal(refused, {}), "");
  return shown;
}

export const hiddenProducts: Endpoint = endpoint({
  method: "get",
  address: "/v1/customers/{account}/hidden-products",
  scope: "shop",
  tag: "shop",
  summary: "The products that a customer is not shown, by the ERP's assortment",
  description:
    "An order of theirs for one of these is found (`product-not-visible`). What is not sold on the " +
    "web at all is not among them: `GET /v1/products` says so (`soldOnWeb`).",
  path: z.strictObject({ account: text("Account.").min(1).max(40) }),
  answers: { 200: "All of them; none where the ERP says nothing of assortments." },
  answer: z
    .strictObject({
      account: text("Account."),
      products: z.array(z.string()).describe("Product codes, in order."),
    })
    .openapi("HiddenProducts"),
  problems: ["account-unknown"],
  async handle({ path: { account }, services }) {
    const products = await services.orders.hiddenProducts(account);
    if (products !== null) return { body: { account, products: [...products] } };
    throw new Problem(
      "account-unknown",
      `There is no account "${account}"; accounts come from the ERP, and are compared exactly.`,
    );
  },
});
