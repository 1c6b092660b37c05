/** Orders that are amended, cancelled, worked at the desk, and followed to their last paper. */
import { expect, test, vi } from "vitest";
import type { Accepted, Outcome } from "../../src/connector/index.ts";
import type { OrderView } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const open: typeof companies.open = (...asked) => companies.open(...asked);
const drain = () => companies.jobs.drain();

const brick = (quantity: string) => ({ product: "BRICK", quantity, unitPrice: "4.20" });
const sand = (quantity: string) => ({ product: "SAND", quantity, unitPrice: "10.00" });
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
const kim = { who: "kim", reason: "they rang" };
const person = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };

const amend = ({ orders }: Opened, number: string, lines: object[], key = "amend") =>
  orders.amend(number, { ...shop, idempotencyKey: `${key} ${number}`, body: body({ lines }) });
const cancel = (
  { orders }: Opened,
  number: string,
  lines: { line: number; quantity: string | null }[] | null = null,
) => orders.cancelPart(number, { ...shop, idempotencyKey: `cancel ${number}`, lines });

const take = async ({ orders }: Opened, more: object = {}) =>
  orderIn(await send(orders, "k1", { webOrder: "W1", ...more })).webOrder;

const acceptedAs = (erpOrder: string): Accepted => ({
  kind: "accepted",
  erpOrder,
  net: null,
  vat: null,
  evidence: "it says so",
});

/** An order that the ERP took at once. */
async function accepted(one: Opened, more: object = {}): Promise<string> {
  one.erp.next = async () => acceptedAs("SO1");
  const number = await take(one, more);
  await drain();
  return number;
}

/** What was ordered, is still to come and was cancelled of each line. */
const lines = ({ lines: all }: OrderView) =>
  all.map(({ line, quantity, outstandingQuantity, cancelledQuantity }) => [
    line,
    ...[quantity, outstandingQuantity, cancelledQuantity].map(Number),
  ]);

/** The ERP's own order, as it is pulled: each line with the quantity and net that it has there. */
async function erpOrder(
  company: string,
  held: readonly (readonly [product: string, quantity: string, net: string])[],
  more: object = {},
): Promise<void> {
  const { store } = companies;
  await pull(store, company, "erp-order", [
    { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-31", webOrder: "W1", ...more },
  ]);
  await store.affect("delete from erp_order_line where company = $1", [company]);
  await pull(
    store,
    company,
    "erp-order-line",
    held.map(([product, quantity, net], index) => ({
      erpOrder: "SO1",
      line: (index + 1) * 10,
      product,
      quantity,
      net,
      unitPrice: "1",
    })),
  );
  for (const table of ["erp_order", "erp_order_line"])
    await store.affect(`update ${table} set learned_at = clock_timestamp() where company = $1`, [
      company,
    ]);
}

test("before the first byte left an order is amended here: totals, credit, and what it was", async () => {
  const one = await open("AMEND", {}, { creditLimit: "40", balance: "0" });
  one.mode = "read-only";
  const number = await take(one);
  const first = await amend(one, number, [brick("3"), sand("2")]);
  expect(first).toMatchObject({
    status: 200,
    answer: { change: 1, state: "done", orderState: "queued", net: "32.60", reasons: [] },
  });
  // The same key and body answer the same, and change nothing again.
  expect(await amend(one, number, [brick("3"), sand("2")])).toEqual({ ...first, replayed: true });
  expect(await one.orders.show(number)).toMatchObject({
    state: "queued",
    net: "32.60",
    askedFor: null,
    lines: [{ quantity: "3.00000" }, { quantity: "2.00000" }],
    changes: [{ kind: "amend", state: "done", who: "key shop", before: { net: "18.40" } }],
  });
  // 40 is the limit, and the order itself does not count against it: what it was is free for it.
  const over = await amend(one, number, [brick("3"), sand("4")], "over");
  expect(over).toMatchObject({
    status: 200,
    answer: { orderState: "held", reasons: [{ code: "over-credit-limit" }] },
  });
  const less = await amend(one, number, [sand("1")], "less");
  expect(less).toMatchObject({ status: 200, answer: { orderState: "queued", net: "10.00" } });
  const refused = await amend(one, number, [{ ...sand("1"), unitPrice: "1.00" }], "cheap");
  expect(refused).toMatchObject({ status: 422, problem: { code: "order-refused" } });
  expect(lines(await one.orders.show(number))).toEqual([[2, 1, 1, 0]]);
  one.mode = "live";
  await one.orders.advance();
  await drain();
  expect(one.erp.orders.get(number)?.tables[0]?.rows).toHaveLength(1);
});

test("before the first byte left an order is cancelled here, in part or whole, and paid money is owed back", async () => {
  const one = await open("CANCEL");
  one.mode = "read-only";
  const payment = { provider: "card", reference: "P1", amount: "20.08" };
  const number = await take(one, { payment });
  expect(await cancel(one, number, [{ line: 1, quantity: "1" }])).toMatchObject({
    status: 200,
    answer: { kind: "cancel", state: "done", net: "14.20" },
  });
  expect(lines(await one.orders.show(number))).toEqual([
    [1, 2, 1, 1],
    [2, 1, 1, 0],
  ]);
  await one.orders.cancelPart(number, { ...person, lines: [{ line: 2, quantity: null }] });
  expect(lines(await one.orders.show(number))).toEqual([
    [1, 2, 1, 1],
    [2, 1, 0, 1],
  ]);
  await one.orders.cancel(number, kim);
  const view = await one.orders.show(number);
  expect(view).toMatchObject({ state: "cancelled", fulfilment: "cancelled" });
  expect(lines(view).map(([, ordered, , cancelled]) => ordered === cancelled)).toEqual([
    true,
    true,
  ]);
  const refunds = await one.orders.tasks({ kind: "refund" });
  expect(refunds.map(({ amount }) => Number(amount)).reduce((sum, each) => sum + each, 0)).toBe(
    20.08,
  );
  const [refund] = refunds;
  const end = { id: refund?.id ?? "", state: "done", who: "kim", reason: "paid back" } as const;
  await expect(one.orders.closeTask(end)).rejects.toThrow(/closed with the reference/);
  expect(await one.orders.closeTask({ ...end, reference: "R-77" })).toMatchObject({
    state: "done",
    reference: "R-77",
  });
  await drain();
  expect(one.erp.asked).toEqual([]);
});

test("amendments after acceptance go to the ERP in the order asked, and the order is what it was until each is done", async () => {
  const one = await open("ORDERED", {}, { creditLimit: "50", balance: "0" });
  const told: string[] = [];
  let answer: (outcome: Outcome) => void = () => undefined;
  one.erp.amend = async ({ tables }) => {
    told.push(tables[0]?.rows.map((row) => row.join(" ")).join("|") ?? "");
    if (told.length === 1) return new Promise((resolve) => (answer = resolve));
    return acceptedAs("SO1");
  };
  const number = await accepted(one);
  expect(await amend(one, number, [brick("5"), sand("1")])).toMatchObject({
    status: 202,
    answer: { state: "asked", net: "31.00" },
  });
  await amend(one, number, [brick("7"), sand("1")], "second");
  const delivering = drain();
  await expect.poll(() => told.length).toBe(1);
  expect(await one.orders.show(number)).toMatchObject({ net: "18.40", askedFor: "amendment" });
  // 45.28 gross are asked for, and 50 is the limit: what an amendment adds counts from now on.
  const next = await send(one.orders, "next", { lines: [sand("1")] });
  expect(next).toMatchObject({ status: 202, order: { reasons: [{ code: "over-credit-limit" }] } });
  answer(acceptedAs("SO1"));
  await delivering;
  await drain();
  expect(told.map((rows) => /BRICK\D+(\d)/.exec(rows)?.[1])).toEqual(["5", "7"]);
  expect(await one.orders.show(number)).toMatchObject({
    net: "39.40",
    askedFor: null,
    changes: [
      { state: "done", before: { net: "18.40" } },
      { state: "done", before: { net: "31.00" } },
    ],
  });
});

test("what the connector cannot do becomes a task for a person, and the change is made when it is closed", async () => {
  const one = await open("TASK");
  const number = await accepted(one);
  await cancel(one, number, [{ line: 1, quantity: null }]);
  await drain();
  const [task] = await one.orders.tasks();
  expect(task).toMatchObject({
    kind: "cancel",
    webOrder: number,
    instruction: expect.stringContaining(
      "Change ERP order SO1 in the ERP: line 1: was 2 × BRICK at 4.20",
    ),
  });
  expect(await one.orders.show(number)).toMatchObject({ askedFor: "cancellation", net: "18.40" });
  await one.orders.closeTask({ id: task?.id ?? "", state: "done", who: "kim", reason: "done" });
  const view = await one.orders.show(number);
  expect(view).toMatchObject({ askedFor: null, net: "10.00", changes: [{ state: "done" }] });
  expect(lines(view)).toEqual([
    [1, 2, 0, 2],
    [2, 1, 1, 0],
  ]);
});

test("of two changes that wait for persons the later one counts, in whatever order they are closed", async () => {
  const one = await open("LATER");
  const payment = { provider: "card", reference: "P1", amount: "20.08" };
  const number = await accepted(one, { payment });
  await amend(one, number, [brick("2"), { ...sand("1"), quantity: "0.5" }], "half");
  await cancel(one, number, [{ line: 1, quantity: "1" }]);
  await drain();
  const end = async (about: string, state: "done" | "dropped") => {
    const task = (await one.orders.tasks()).find((each) => each.about === about);
    await one.orders.closeTask({ id: task?.id ?? about, state, who: "kim", reason: "as it is" });
  };
  const waits = async () =>
    (await one.orders.tasks())
      .filter(({ kind }) => kind !== "refund")
      .map(({ about, instruction }) => [about, instruction.split(/[:.]/)[0]])
      .toSorted((one, other) => (String(one) < String(other) ? -1 : 1));
  const refunds = async () =>
    (await one.orders.tasks({ kind: "refund" })).map(({ amount }) => Number(amount));
  expect(await waits()).toEqual([
    ["amendment 1", "Make it no more"],
    ["cancellation 2", "Change ERP order SO1 in the ERP"],
  ]);
  await end("cancellation 2", "dropped");
  expect(await waits()).toEqual([["amendment 1", "Change ERP order SO1 in the ERP"]]);
  await amend(one, number, [brick("1"), sand("1")], "less");
  await drain();
  await end("amendment 3", "done");
  expect([await waits(), await refunds()]).toEqual([[], [5.04]]);
  expect(await one.orders.show(number)).toMatchObject({
    net: "14.20",
    askedFor: null,
    changes: [
      { state: "dropped", outcome: expect.stringMatching(/^Superseded by amendment 3/) },
      { state: "dropped", outcome: "as it is" },
      { state: "done" },
    ],
  });
  const closed = await one.orders.tasks({ state: "dropped", kind: "amend" });
  expect(closed).toMatchObject([
    { closedBy: "tradepost", reason: expect.stringMatching(/^Superseded by amendment 3/) },
  ]);
});

test("an amendment that is held is not let go behind a later one", async () => {
  const one = await open("HELDBACK", { limits: { net: "30", lines: 200, lineQuantity: "50000" } });
  const number = await accepted(one);
  const told: string[] = [];
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  one.erp.amend = async () => {
    told.push("told");
    await answered;
    return acceptedAs("SO1");
  };
  await amend(one, number, [brick("2"), sand("3")], "more");
  expect(await amend(one, number, [brick("1"), sand("1")], "less")).toMatchObject({ status: 202 });
  const [look] = await one.orders.tasks();
  expect(look?.about).toBe("amendment 1 is held");
  const end = { id: look?.id ?? "", state: "done", who: "kim", reason: "they may" } as const;
  await expect(one.orders.closeTask(end)).rejects.toThrow(
    `Letting amendment 1 of web order ${number} go: amendment 2 was asked for after it and is on its way`,
  );
  answer();
  await drain();
  expect(told).toHaveLength(1);
  expect(await one.orders.tasks()).toEqual([]);
  await expect(one.orders.closeTask(end)).rejects.toThrow('it is "dropped" already, by tradepost');
  expect(await one.orders.show(number)).toMatchObject({ net: "14.20", askedFor: null });
});

test("an order that was dropped as files is cancelled by a person at the ERP, who closes the task", async () => {
  const one = await open("DROPPED");
  const number = await take(one);
  await drain();
  expect(await cancel(one, number)).toMatchObject({ status: 202, answer: { state: "asked" } });
  await drain();
  const [task] = await one.orders.tasks();
  expect(task).toMatchObject({
    kind: "cancel",
    instruction: expect.stringMatching(/^Cancel the order in the ERP\./),
  });
  expect(await one.orders.show(number)).toMatchObject({ state: "handedOver" });
  await one.orders.closeTask({ id: task?.id ?? "", state: "done", who: "kim", reason: "removed" });
  expect(await one.orders.show(number)).toMatchObject({ state: "cancelled", askedFor: null });
});

test("a cancellation after acceptance is the ERP's to make, and refused by it the order stands", async () => {
  const one = await open("CANCELLED");
  one.erp.cancel = async () => ({ kind: "refused", reason: "it is being picked" });
  const number = await accepted(one);
  expect(await cancel(one, number)).toMatchObject({ status: 202, answer: { state: "asked" } });
  await expect(cancel(one, number, [{ line: 1, quantity: null }])).resolves.toMatchObject({
    status: 422,
    problem: { code: "idempotency-key-reused" },
  });
  await drain();
  expect(await one.orders.show(number)).toMatchObject({
    state: "accepted",
    changes: [{ state: "refused", outcome: expect.stringContaining("being picked") }],
  });
  one.erp.cancel = async () => acceptedAs("SO1");
  await one.orders.cancel(number, kim);
  await drain();
  expect(await one.orders.show(number)).toMatchObject({ state: "cancelled" });
  // What the ERP still shows of it is settled, not a conflict.
  await erpOrder("CANCELLED", [["BRICK", "2", "8.40"]], { state: "cancelled" });
  await one.orders.advance();
  expect((await one.orders.show(number)).state).toBe("cancelled");
});

test("an amendment keeps what is despatched or invoiced, and cannot go below it", async () => {
  const one = await open("BELOW");
  const number = await accepted(one);
  await companies.store.affect(
    "update web_order_line set despatched_quantity = 1 where company = 'BELOW' and line = 1",
  );
  expect(await amend(one, number, [sand("1")])).toMatchObject({
    status: 422,
    problem: { problems: [{ code: "below-delivered", expected: "at least 1" }] },
  });
  // The rest of it can be cancelled; the whole order then means the rest.
  one.erp.amend = async () => acceptedAs("SO1");
  await cancel(one, number);
  await drain();
  const view = await one.orders.show(number);
  expect(lines(view)).toEqual([
    [1, 2, 0, 1],
    [2, 1, 0, 1],
  ]);
  expect(view).toMatchObject({ state: "accepted", fulfilment: "despatched", net: "4.20" });
});

test("part despatch, back order, invoice and credit flow back to the order, with their papers", async () => {
  const one = await open("PAPERS");
  const { store } = companies;
  const number = await accepted(one);
  await erpOrder("PAPERS", [
    ["BRICK", "2", "8.40"],
    ["SAND", "1", "10.00"],
  ]);
  await pull(store, "PAPERS", "despatch", [
    {
      despatch: "D1",
      account: "A1",
      despatchedOn: "2026-04-01",
      carrier: "Own van",
      tracking: "T9",
    },
  ]);
  await pull(store, "PAPERS", "despatch-line", [
    // Its line of the ERP's order is not named: the only one with that product.
    { despatch: "D1", line: 1, erpOrder: "SO1", product: "BRICK", quantity: "1" },
  ]);
  await one.orders.advance();
  expect(await one.orders.show(number)).toMatchObject({
    fulfilment: "part despatched",
    lines: [
      {
        despatchedQuantity: "1.00000",
        outstandingQuantity: "1.00000",
        backOrderQuantity: "1.00000",
      },
      { despatchedQuantity: "0.00000", backOrderQuantity: "1.00000" },
    ],
    despatches: [
      { despatch: "D1", carrier: "Own van", tracking: "T9", lines: [{ line: 1, quantity: "1" }] },
    ],
  });
  const paper = { account: "A1", documentOn: "2026-04-01", currency: "GBP", erpOrder: "SO1" };
  await pull(store, "PAPERS", "sales-document", [
    { documentType: "invoice", document: "I1", ...paper, net: "4.20", vat: "0.84", gross: "5.04" },
    { documentType: "credit", document: "C1", ...paper, net: "4.20", vat: "0.84", gross: "5.04" },
  ]);
  const line = {
    line: 1,
    lineClass: "goods" as const,
    product: "BRICK",
    unitPrice: "4.20",
    net: "4.20",
  };
  await pull(store, "PAPERS", "sales-line", [
    { documentType: "invoice", document: "I1", ...line, quantity: "1", vat: "0.84" },
    { documentType: "credit", document: "C1", ...line, quantity: "1", vat: "0.84" },
  ]);
  const sales = salesOf(companies.store, "PAPERS");
  await sales.post();
  expect((await one.orders.show(number)).lines[0]).toMatchObject({
    invoicedQuantity: "1.00000",
    creditedQuantity: "1.00000",
  });
  expect((await sales.documentsOf([number])).get(number)).toMatchObject([
    { kind: "credit", document: "C1", net: "4.20", lines: [{ line: 1, quantity: "1" }] },
    { kind: "invoice", document: "I1", gross: "5.04", lines: [{ line: 1, net: "4.20" }] },
  ]);
});

test("what staff change in the ERP after confirmation is shown and told, never taken over and never a conflict", async () => {
  const one = await open("STAFF");
  const number = await accepted(one);
  const agreed = [
    ["BRICK", "2", "8.40"],
    ["SAND", "1", "10.00"],
  ] as const;
  await erpOrder("STAFF", agreed, { net: "18.40", vat: "1.68" });
  await one.orders.advance();
  expect(await one.orders.show(number)).toMatchObject({ state: "confirmed", changedInErp: [] });
  const theirs = [["BRICK", "3", "12.00"], agreed[1], ["GRIT", "1", "5.00"]] as const;
  await erpOrder("STAFF", theirs, { net: "27.00", vat: "3.40" });
  await one.orders.advance();
  await one.orders.advance();
  const view = await one.orders.show(number);
  expect(view).toMatchObject({ state: "confirmed", net: "18.40", reasons: [] });
  expect(view.changedInErp).toEqual([
    { line: 1, product: "BRICK", what: "quantity", was: "2", is: "3" },
    { line: 1, product: "BRICK", what: "price", was: "12.60", is: "12.00" },
    { line: null, product: "GRIT", what: "line added", was: null, is: "1" },
    { line: null, product: null, what: "net", was: "18.40", is: "27.00" },
    { line: null, product: null, what: "VAT", was: "1.68", is: "3.40" },
  ]);
  const told = await companies.store.query<{ count: number }>(
    `select count(*)::int as count from event
      where company = 'STAFF' and type = 'order.changed-in-erp'`,
  );
  expect(told).toEqual([{ count: 1 }]);
});

test("rows that were pulled before an amendment was done are no change by staff", async () => {
  const one = await open("BEFORE");
  const number = await accepted(one);
  const held = [
    ["BRICK", "2", "8.40"],
    ["SAND", "1", "10.00"],
  ] as const;
  await erpOrder("BEFORE", held, { net: "18.40", vat: "1.68" });
  await one.orders.advance();
  one.erp.amend = async () => acceptedAs("SO1");
  one.now = Temporal.Now.instant().add({ hours: 1 });
  await amend(one, number, [brick("5"), sand("1")]);
  await drain();
  await one.orders.advance();
  expect(await one.orders.show(number)).toMatchObject({
    state: "confirmed",
    net: "31.00",
    changedInErp: [],
  });
});

test("while it is sent or in doubt an order's amendment waits its turn behind the placement", async () => {
  const one = await open("TURN");
  let answer: (outcome: Outcome) => void = () => undefined;
  one.erp.next = () => new Promise((resolve) => (answer = resolve));
  one.erp.amend = async () => acceptedAs("SO1");
  const number = await take(one);
  const delivering = drain();
  await expect.poll(() => one.erp.asked).toContain(`place ${number}`);
  expect(await amend(one, number, [brick("5")])).toMatchObject({
    status: 202,
    answer: { state: "asked", orderState: "sending" },
  });
  answer(acceptedAs("SO1"));
  await delivering;
  await drain();
  expect(one.erp.asked).toEqual([`find ${number}`, `place ${number}`, `amend ${number}`]);
  expect(await one.orders.show(number)).toMatchObject({ net: "21.00", askedFor: null });
});

test("an ERP order that equals ours and bears no number is a suspicion at the desk, told once", async () => {
  const one = await open("TWIN");
  const number = await accepted(one, { customerReference: "PO 7" });
  const held = [
    ["SAND", "1", "10.00"],
    ["BRICK", "2", "8.40"],
  ] as const;
  await erpOrder("TWIN", held, { erpOrder: "SO1", webOrder: null, customerReference: "PO 7" });
  // The same order is its own: only another one is a suspicion.
  await one.orders.advance();
  expect(await one.orders.tasks()).toEqual([]);
  const { store } = companies;
  await store.affect(
    "update erp_order set erp_order = 'SO2' where company = 'TWIN' and erp_order = 'SO1'",
  );
  await store.affect("update erp_order_line set erp_order = 'SO2' where company = 'TWIN'");
  await one.orders.advance();
  await one.orders.advance();
  expect(await one.orders.tasks()).toMatchObject([
    { kind: "look", webOrder: number, about: "ERP order SO2 may be W1" },
  ]);
});

test("the desk sorts what waits by promise and money, and says what can be done", async () => {
  const one = await open("DESK", {}, { creditLimit: "1", balance: "0" });
  const orders = [
    ["W1", "1", {}],
    ["W2", "3", {}],
    ["W3", "2", { requestedOn: "2026-04-01" }],
  ] as const;
  for (const [webOrder, quantity, more] of orders)
    await send(one.orders, webOrder, { webOrder, lines: [sand(quantity)], ...more });
  const { counts, entries } = await one.orders.desk();
  expect(counts).toEqual({ held: 3, inDoubt: 0, refused: 0, conflict: 0, late: 0, tasks: 0 });
  expect(entries.map(({ webOrder, amount, promisedOn }) => [webOrder, amount, promisedOn])).toEqual(
    [
      ["W3", "20.00", "2026-04-01"],
      ["W2", "30.00", null],
      ["W1", "10.00", null],
    ],
  );
  expect(entries[0]).toMatchObject({
    kind: "held",
    why: [expect.stringContaining("Its limit is £1.00")],
    acts: ["release", "amend", "cancel"],
  });
  // Before the release: it may be on its way at once.
  one.erp.next = async () => ({ kind: "refused", reason: "no such product" });
  await one.orders.release("W2", kim);
  await drain();
  const [refused] = (await one.orders.desk()).entries.filter(({ kind }) => kind === "refused");
  expect(refused).toMatchObject({ webOrder: "W2", acts: ["send-again", "amend", "cancel"] });
  await one.orders.sendAgain("W2", { who: "kim", reason: "mended there" });
  await drain();
  expect((await one.orders.show("W2")).state).toBe("handedOver");
  one.now = one.now.add({ hours: 48 });
  expect((await one.orders.desk()).entries.map(({ kind, webOrder }) => [kind, webOrder])).toEqual([
    ["held", "W3"],
    ["held", "W1"],
  ]);
});

const CARD = { provider: "card", reference: "pi_1", amount: "20.08" };
const refundsOf = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "refund" })).map(({ webOrder, amount }) => [webOrder, amount]);
const refundPaid = async ({ orders }: Opened) => {
  const [task] = await orders.tasks({ kind: "refund" });
  const end = { state: "done", who: "fin", reason: "paid back", reference: "R1" } as const;
  await orders.closeTask({ id: task?.id ?? "", ...end });
};
const foundIn = async (one: Opened, key: string, more: object) =>
  orderIn(await send(one.orders, key, more)).reasons.map(({ code }) => code);

test("a payment is the first order's that came with it: cancelling another owes nothing back", async () => {
  const one = await open("FIRST");
  one.mode = "read-only";
  await take(one, { payment: CARD });
  expect(await foundIn(one, "k2", { webOrder: "W2", payment: CARD })).toEqual([
    "payment-used-before",
  ]);
  await one.orders.cancel("W2", kim);
  expect(await refundsOf(one)).toEqual([]);
  // The order that came after it holds no change of the first, and what is too much is given back.
  expect(await foundIn(one, "k3", { webOrder: "W3", payment: CARD })).toHaveLength(1);
  expect(await cancel(one, "W1", [{ line: 1, quantity: "1" }])).toMatchObject({
    status: 200,
    answer: { state: "done", orderState: "queued", reasons: [] },
  });
  await one.orders.cancelPart("W3", { ...person, lines: [{ line: 1, quantity: "1" }] });
  await one.orders.advance();
  expect(await refundsOf(one)).toEqual([["W1", "5.04"]]);
  await one.orders.cancel("W1", kim);
  await one.orders.cancel("W3", kim);
  expect((await refundsOf(one)).map(([order]) => order)).toEqual(["W1", "W1"]);
});

test("a payment that is owed back, or was given back, pays no other order in silence", async () => {
  const one = await open("OWED");
  one.erp.next = async () => ({ kind: "refused", reason: "product blocked" });
  await take(one, { payment: CARD });
  await drain();
  expect(await foundIn(one, "k2", { webOrder: "W2", payment: CARD })).toEqual([
    "payment-owed-back",
  ]);
  await refundPaid(one);
  await one.orders.cancel("W2", kim);
  expect(await refundsOf(one)).toEqual([]);
  expect(await foundIn(one, "k3", { webOrder: "W3", payment: CARD })).toEqual([
    "payment-given-back",
  ]);
  expect(await foundIn(one, "k4", { payment: { ...CARD, reference: "pi_2" } })).toEqual([]);
});

test("an order whose payment was given back goes to the ERP only with another payment", async () => {
  const one = await open("UNPAID");
  one.erp.next = async () => ({ kind: "refused", reason: "product blocked" });
  await take(one, { payment: CARD });
  await drain();
  await refundPaid(one);
  await expect(one.orders.sendAgain("W1", kim)).rejects.toThrow(/was given back/);
  const anew = (reference: string, decides: boolean) =>
    one.orders.amend("W1", {
      ...person,
      decides,
      body: body({ payment: { ...CARD, reference } }),
    });
  for (const decides of [true, false])
    expect(await anew("pi_1", decides)).toMatchObject({
      status: 422,
      problem: { problems: [{ code: "payment-given-back" }] },
    });
  expect(await anew("pi_2", true)).toMatchObject({ status: 200 });
  await drain();
  expect(one.erp.asked.filter((asked) => asked === "place W1")).toHaveLength(2);
  // What it is paid by now was never to be given back.
  expect(await one.orders.tasks({ kind: "refund", state: "dropped" })).toEqual([]);
});

test("what came short is owed back once, though the order is cancelled at the same moment", async () => {
  const one = await open("ATONCE");
  one.mode = "read-only";
  await take(one, { payment: CARD });
  const { store } = companies;
  const [seen] = await store.query<{ id: string }>(
    "select id from web_order where company = 'ATONCE'",
  );
  await store.affect(
    "update web_order_line set cancelled_quantity = quantity where company = 'ATONCE' and line = 2",
  );
  let looked: Promise<unknown> = Promise.resolve();
  await store.transaction(async (tx) => {
    await tx.affect("update web_order set state = 'cancelled' where company = 'ATONCE'");
    await tx.affect(
      `insert into web_order_task (company, id, order_id, subject, kind, about, instruction,
         amount, state, opened_at)
       values ('ATONCE', $1::uuid, $1::uuid, $1::uuid::text, 'refund', 'W1 is cancelled',
         'Refund 20.08 by card, payment pi_1, and close.', 20.08, 'open', now())`,
      [seen?.id],
    );
    looked = one.orders.advance();
    await vi.waitFor(async () => {
      const waiting = await store.query(
        `select 1 from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(waiting).not.toEqual([]);
    });
  });
  await looked;
  expect(await refundsOf(one)).toEqual([["W1", "20.08"]]);
});

test("an order number that the ERP gave to another order says nothing of ours any more", async () => {
  const one = await open("REUSED");
  await accepted(one);
  await erpOrder("REUSED", [["BRICK", "2", "8.40"]], { webOrder: null });
  const despatch = () =>
    companies.store.affect(
      "update erp_order_line set despatched_quantity = 2 where company = 'REUSED'",
    );
  await despatch();
  await one.orders.advance();
  expect(lines(await one.orders.show("W1"))[0]).toEqual([1, 2, 0, 0]);
  for (const other of [{ webOrder: "W9" }, { webOrder: null, account: "STOPPED" }]) {
    await companies.store.affect(
      "update web_order_line set despatched_quantity = 0 where company = 'REUSED'",
    );
    await erpOrder("REUSED", [["BRICK", "2", "8.40"]], other);
    await despatch();
    await one.orders.advance();
    expect(lines(await one.orders.show("W1"))[0]).toEqual([1, 2, 2, 0]);
  }
});

test("an order that stands in the ERP after its payment was given back is told to a person", async () => {
  const one = await open("STANDS");
  one.mode = "read-only";
  await take(one, { payment: CARD });
  await one.orders.cancel("W1", kim);
  await refundPaid(one);
  await erpOrder("STANDS", [["BRICK", "2", "8.40"]]);
  await one.orders.advance();
  await one.orders.resolve("W1", { ...kim, erpOrder: "SO1" });
  expect(await one.orders.tasks({ kind: "look" })).toMatchObject([
    { about: "W1 stands and is not paid", amount: "20.08" },
  ]);
});

test("a part that was cancelled within a later one is made with it, and nobody is told otherwise", async () => {
  const one = await open("PARTS");
  await take(one, { lines: [brick("5"), sand("3")] });
  await drain();
  for (const [line, quantity] of [
    [1, "2"],
    [2, "1"],
  ] as const) {
    const asked = { ...shop, idempotencyKey: `part ${line}`, lines: [{ line, quantity }] };
    await one.orders.cancelPart("W1", asked);
    await drain();
  }
  const last = (await one.orders.tasks()).find(({ about }) => about === "cancellation 2");
  await one.orders.closeTask({ id: last?.id ?? "", state: "done", ...kim });
  const shown = await one.orders.show("W1");
  expect(lines(shown)).toEqual([
    [1, 5, 3, 2],
    [2, 3, 2, 1],
  ]);
  expect(shown.changes.map(({ state }) => state)).toEqual(["done", "done"]);
  const refused = await companies.store.query(
    "select 1 from event where company = 'PARTS' and type = 'order.change-refused'",
  );
  expect([refused, await one.orders.tasks()]).toEqual([[], []]);
});
