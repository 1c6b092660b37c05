/** Whose a payment is: it pays the order that came with it first, whichever order is older. */
import { expect, test } from "vitest";
import { decimal } from "../../src/model/index.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

const kim = { who: "kim", reason: "they rang" };
/** 12.60 and 40.00 net, and 2.52 of VAT on the bricks. */
const LINES = [
  { product: "BRICK", quantity: "3", unitPrice: "4.20" },
  { product: "SAND", quantity: "4", unitPrice: "10.00" },
];
const GROSS = "55.12";
const payment = { provider: "card", reference: "pi_1", amount: GROSS };
const isHeldFor = "payment-used-before";

/** Each is another order to whoever looks for one that came twice. */
const wanted = (webOrder: string, more: object = {}) => ({
  webOrder,
  lines: LINES,
  customerReference: `PO ${webOrder}`,
  ...more,
});

const place = async ({ orders }: Opened, webOrder: string, more: object = {}) =>
  orderIn(await send(orders, `key ${webOrder}`, wanted(webOrder, more)));

const amend = ({ orders }: Opened, webOrder: string, more: object) =>
  orders.amend(webOrder, {
    who: "key shop",
    why: null,
    apiKey: "shop",
    idempotencyKey: `amend ${webOrder} ${JSON.stringify(more)}`,
    decides: false,
    body: body(wanted(webOrder, more)),
  });

type Amended = Awaited<ReturnType<typeof amend>>;

function answerIn(result: Amended) {
  if ("answer" in result) return result.answer;
  throw new Error(JSON.stringify(result.problem));
}

const codes = (findings: readonly { readonly code: string }[]) => findings.map(({ code }) => code);

const refunds = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "refund" })).map(({ about, amount }) => [
    about,
    decimal.canonical(decimal.parse(amount ?? "0")),
  ]);

test("an older order that is amended with the payment of a younger one stays held, and whoever paid gets it back", async () => {
  const one = await companies.open("OLDER", {}, { creditLimit: "60", balance: "0" });
  one.mode = "read-only";
  await place(one, "W1");
  const held = await place(one, "W2");
  expect([held.state, codes(held.reasons)]).toEqual(["held", ["over-credit-limit"]]);
  expect(await place(one, "W3", { payment })).toMatchObject({ state: "queued", reasons: [] });

  const answer = answerIn(await amend(one, "W2", { payment }));
  expect(answer.orderState).toBe("held");
  expect(codes(answer.reasons).toSorted()).toEqual(["over-credit-limit", isHeldFor]);

  await one.orders.cancel("W3", kim);
  expect(await refunds(one)).toEqual([["W3 is cancelled", GROSS]]);
  // W2 never had it.
  await one.orders.cancel("W2", kim);
  expect(await refunds(one)).toEqual([["W3 is cancelled", GROSS]]);
});

test("an order that is on its way is amended with the payment of a younger one by a person only", async () => {
  const one = await companies.open("ONWAY");
  await place(one, "W1");
  await companies.jobs.drain();
  await place(one, "W2", { payment });
  const answer = answerIn(await amend(one, "W1", { payment }));
  expect([answer.state, codes(answer.reasons)]).toEqual(["held", [isHeldFor]]);
});

test("a payment that an amendment brings is that order's while the ERP has yet to make it", async () => {
  const one = await companies.open("ASKED");
  await place(one, "W1");
  await companies.jobs.drain();
  expect(answerIn(await amend(one, "W1", { payment })).state).toBe("asked");
  const next = await place(one, "W2", { payment });
  expect([next.state, codes(next.reasons)]).toEqual(["held", [isHeldFor]]);
  await one.orders.cancel("W2", kim);
  expect(await refunds(one)).toEqual([]);
});

test("a refused order whose payment went to a younger one is not sent again with it", async () => {
  const one = await companies.open("LOST");
  one.erp.next = async () => ({ kind: "refused", reason: "no such site" });
  await place(one, "W1", { payment });
  await companies.jobs.drain();
  expect(await refunds(one)).toEqual([["W1 is refused", GROSS]]);
  const next = await place(one, "W2", { payment });
  expect(codes(next.reasons)).toEqual(["payment-owed-back"]);
  const [refund] = await one.orders.tasks({ kind: "refund" });
  await one.orders.closeTask({ id: refund?.id ?? "", state: "dropped", ...kim });
  await one.orders.release("W2", kim);

  const again = await amend(one, "W1", { payment });
  expect("problem" in again && codes(again.problem.problems)).toEqual([isHeldFor]);
  expect((await one.orders.show("W1")).state).toBe("refused");
});

test("a payment that was given back for an amendment which was not made pays that order no more", async () => {
  const one = await companies.open("BACK");
  one.erp.amend = async () => ({ kind: "refused", reason: "it is being picked" });
  await place(one, "W1");
  await companies.jobs.drain();
  await amend(one, "W1", { payment });
  await companies.jobs.drain();
  await one.orders.advance();
  expect(await refunds(one)).toEqual([["W1 is not paid by card pi_1 any more", GROSS]]);
  const [refund] = await one.orders.tasks({ kind: "refund" });
  await one.orders.closeTask({ id: refund?.id ?? "", state: "done", reference: "re_1", ...kim });

  const answer = answerIn(await amend(one, "W1", { payment, requestedOn: "2026-04-02" }));
  expect([answer.state, codes(answer.reasons)]).toEqual(["held", ["payment-given-back"]]);
});

test("a payment in another currency is none of the order's: no ERP is told of it as paid, and no sum of it is owed back", async () => {
  const one = await companies.open("EUROS");
  const euros = { ...payment, amount: "60.00", currency: "EUR" };
  const order = await place(one, "W1", { payment: euros });
  expect([order.state, codes(order.reasons)]).toEqual(["held", ["payment-currency-differs"]]);
  expect(order.reasons[0]?.about).toContain("Payment card pi_1 is of 60.00 EUR");
  await one.orders.release("W1", kim);
  await companies.jobs.drain();
  const sent = JSON.stringify([...one.erp.orders.values()]);
  expect([sent.includes("W1"), sent.includes("pi_1"), sent.includes("60.00")]).toEqual([
    true,
    false,
    false,
  ]);
  await one.orders.cancel("W1", kim);
  await companies.jobs.drain();
  expect(await refunds(one)).toEqual([]);
});
