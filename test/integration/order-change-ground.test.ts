/**
 * What a change is compared with, and built on: the order, and what is agreed and on its way; never
 * what a person has yet to decide on, nor what is not made.
 */
import { expect, test } from "vitest";
import { ACCEPTED, body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const drain = () => companies.jobs.drain();

const brick = (quantity: string) => ({ product: "BRICK", quantity, unitPrice: "4.20" });
const sand = (quantity: string) => ({ product: "SAND", quantity, unitPrice: "10.00" });
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
const person = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };
const CARD = { provider: "card", reference: "pi_1", amount: "20.08" };

let keys = 0;
const amend = ({ orders }: Opened, lines: object[], more: object = {}) =>
  orders.amend("W1", {
    ...shop,
    idempotencyKey: `a${(keys += 1)}`,
    body: body({ lines, ...more }),
  });
const cancel = ({ orders }: Opened, line: number, quantity: string | null) =>
  orders.cancelPart("W1", {
    ...shop,
    idempotencyKey: `c${(keys += 1)}`,
    lines: [{ line, quantity }],
  });
const close = async ({ orders }: Opened, about: string, state: "done" | "dropped") => {
  const task = (await orders.tasks()).find((one) => one.about === about);
  await orders.closeTask({ id: task?.id ?? about, state, who: "kim", reason: "as it is" });
};
const changes = async ({ orders }: Opened) =>
  (await orders.show("W1")).changes.map(({ kind, state }) => `${kind} ${state}`);
const waiting = async ({ orders }: Opened) => (await orders.tasks()).map(({ about }) => about);
const goods = async ({ orders }: Opened) =>
  (await orders.show("W1")).lines.map(
    ({ quantity, cancelledQuantity }) => Number(quantity) - Number(cancelledQuantity),
  );

/** 2 bricks and a bag of sand, 20.08 of 60.00, at the ERP, which makes changes or does not. */
async function accepted(company: string, makes: boolean, more: object = {}): Promise<Opened> {
  const one = await companies.open(company, {}, { creditLimit: "60", balance: "0" });
  one.erp.next = async () => ACCEPTED;
  if (makes) one.erp.amend = async () => ACCEPTED;
  if (makes) one.erp.cancel = async () => ACCEPTED;
  orderIn(await send(one.orders, "k1", { webOrder: "W1", ...more }));
  await drain();
  return one;
}

const OVER = { state: "held", reasons: [{ code: "over-credit-limit" }] };

test("what is held is held again, however often and in whatever shape it is asked for", async () => {
  const one = await accepted("AGAIN", true);
  const more = [brick("2"), sand("20")];
  for (const lines of [more, more, [brick("2"), sand("21")], [brick("1"), sand("20")]])
    expect(await amend(one, lines)).toMatchObject({ status: 202, answer: OVER });
  expect(await cancel(one, 2, "1")).toMatchObject({ status: 202, answer: OVER });
  // A person who takes a part off has not decided on the rest.
  const off = { ...person, lines: [{ line: 1, quantity: "1" }] };
  expect(await one.orders.cancelPart("W1", off)).toMatchObject({ status: 202, answer: OVER });
  await drain();
  expect(one.erp.asked).not.toContain("amend W1");
  expect(await one.orders.show("W1")).toMatchObject({ net: "18.40", askedFor: "cancellation" });
});

test("a payment that another order came with is found again in an amendment that is sent twice", async () => {
  const one = await accepted("TWICE", true);
  orderIn(await send(one.orders, "k2", { webOrder: "W2", payment: CARD }));
  const paid = () => amend(one, [brick("2"), sand("1")], { payment: CARD });
  for (const asked of [await paid(), await paid()])
    expect(asked).toMatchObject({
      answer: { state: "held", reasons: [{ code: "payment-used-before" }] },
    });
});

test("a part that is cancelled of what is held goes with it, or without it", async () => {
  for (const [company, state, left] of [
    ["LETGO", "done", [1, 20]],
    ["DROPIT", "dropped", [1, 1]],
  ] as const) {
    const one = await accepted(company, true);
    await amend(one, [brick("2"), sand("20")]);
    await cancel(one, 1, "1");
    expect(await waiting(one)).toEqual(["amendment 1 is held", "cancellation 2 is held"]);
    await close(one, "amendment 1 is held", state);
    await drain();
    expect(await waiting(one)).toEqual([]);
    expect(await changes(one)).toEqual([`amend ${state}`, "cancel done"]);
    expect(await goods(one)).toEqual(left);
  }
});

test("a part that brings what is held below the limit needs nobody", async () => {
  const one = await accepted("BELOW", true);
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  one.erp.amend = () => answered.then(() => ACCEPTED);
  await amend(one, [brick("2"), sand("20")]);
  expect(await cancel(one, 2, "17")).toMatchObject({ answer: { state: "asked", net: "38.40" } });
  await expect(close(one, "amendment 1 is held", "done")).rejects.toThrow(/would undo it/);
  await expect.poll(() => one.erp.asked).toContain("amend W1");
  await expect(close(one, "amendment 1 is held", "dropped")).rejects.toThrow(
    "cancellation 2 holds it and is on its way to the ERP",
  );
  answer();
  await drain();
  expect(await waiting(one)).toEqual([]);
  expect(await goods(one)).toEqual([2, 3]);
});

test("of two amendments that are held the later one is decided on", async () => {
  const one = await accepted("LATEST", true);
  await amend(one, [brick("2"), sand("20")]);
  await amend(one, [brick("2"), sand("30")]);
  await expect(close(one, "amendment 1 is held", "done")).rejects.toThrow(
    "amendment 2 was asked for after it and waits to be decided on",
  );
  await close(one, "amendment 2 is held", "dropped");
  await close(one, "amendment 1 is held", "done");
  await drain();
  expect(await goods(one)).toEqual([2, 20]);
});

test("a part is worked out anew where the amendment that it was taken off of cannot be made", async () => {
  const one = await accepted("CANNOT", false, { payment: CARD });
  await amend(one, [brick("2"), sand("3")]);
  await drain();
  await cancel(one, 1, "1");
  await cancel(one, 2, "1");
  await drain();
  await close(one, "amendment 1", "dropped");
  const tasks = await one.orders.tasks();
  expect(tasks.map(({ about }) => about)).toEqual(["cancellation 2"]);
  expect(tasks[0]?.instruction).toMatch(
    /line 1: was 2 × BRICK at 4\.20, .* is to be 1 × BRICK at 4\.20, [^;]*; net: was 18\.40, is to be 14\.20/,
  );
  expect(tasks[0]?.instruction).not.toContain("SAND");
  // Two of three bags were to stay, and one is there.
  expect(await changes(one)).toEqual(["amend dropped", "cancel task", "cancel dropped"]);
  await close(one, "cancellation 2", "done");
  expect(await goods(one)).toEqual([1, 1]);
  const refunds = await one.orders.tasks({ kind: "refund" });
  expect(refunds.map(({ amount }) => amount)).toEqual(["5.04"]);
});

test("what the ERP has refused is not asked of it again by a part that was cancelled behind it", async () => {
  const one = await accepted("REFUSES", true);
  const told: string[] = [];
  one.erp.amend = async ({ tables }) => {
    told.push(JSON.stringify(tables[0]?.rows.map((row) => [row[3], row[4]])));
    return told.length === 1 ? { kind: "refused", reason: "no sand" } : ACCEPTED;
  };
  one.erp.cancel = async () => ACCEPTED;
  await amend(one, [brick("2"), sand("3")]);
  await cancel(one, 1, "1");
  await drain();
  expect(told).toEqual(['[["BRICK","2"],["SAND","3"]]', '[["BRICK","1"],["SAND","1"]]']);
  expect(await goods(one)).toEqual([1, 1]);
});

test("nothing is left where all was cancelled but what the ERP refuses", async () => {
  const one = await accepted("NOTHING", true, { lines: [brick("2")] });
  one.erp.amend = async () => ({ kind: "refused", reason: "no sand" });
  await amend(one, [brick("2"), sand("1")]);
  await cancel(one, 1, null);
  await drain();
  expect(one.erp.asked.slice(-2)).toEqual(["amend W1", "cancel W1"]);
  expect(await one.orders.show("W1")).toMatchObject({ state: "cancelled", askedFor: null });
});

test("an amendment keeps the payment that came with one that is still to be made, and then is not", async () => {
  for (const [company, state, refunds] of [
    ["KEEPS", "done", []],
    ["UNMADE", "dropped", ["20.08"]],
  ] as const) {
    const one = await accepted(company, false);
    await amend(one, [brick("2"), sand("1")], { payment: CARD });
    await drain();
    await amend(one, [brick("2"), sand("1")], { requestedOn: "2026-04-02" });
    await drain();
    // It waits with the other one: nobody gives it back meanwhile.
    await close(one, "amendment 1", "dropped");
    await one.orders.advance();
    expect(await waiting(one)).toEqual(["amendment 2"]);
    await close(one, "amendment 2", state);
    await one.orders.advance();
    expect((await one.orders.tasks()).map(({ amount }) => amount)).toEqual(refunds);
    expect(
      await companies.store.query("select paid from web_order where company = $1", [company]),
    ).toEqual([{ paid: state === "done" ? "20.08" : "0.00" }]);
  }
});

test("whoever makes an amendment is told what another one was dropped for", async () => {
  const one = await accepted("DROPPED", false);
  await amend(one, [brick("2"), sand("3")]);
  await drain();
  await amend(one, [brick("1"), sand("3")], { customerReference: "PO 9" });
  await drain();
  await close(one, "amendment 1", "dropped");
  const [task] = await one.orders.tasks();
  expect(task).toMatchObject({
    about: "amendment 2",
    instruction: expect.stringMatching(
      /customer's reference: was none, is to be PO 9; .* Amendment 1, asked for before it, was dropped \(as it is\)/,
    ),
  });
});

test("a change that waited behind a placement which came to nothing undoes no later one", async () => {
  for (const [company, ask, left] of [
    ["WAITED", (one: Opened) => amend(one, [brick("3"), sand("1")]), [3, 1]],
    ["WAITEDC", (one: Opened) => cancel(one, 1, "1"), [4, 1]],
  ] as const) {
    const one = await companies.open(company);
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (answer = resolve));
    one.erp.next = async () => {
      await answered;
      return { kind: "notNow", reason: "it is closed for the day" };
    };
    one.erp.amend = async () => ACCEPTED;
    orderIn(await send(one.orders, "k1", { webOrder: "W1" }));
    await expect.poll(() => one.erp.asked).toContain("place W1");
    expect(await amend(one, [brick("5"), sand("1")])).toMatchObject({ answer: { state: "asked" } });
    one.mode = "read-only";
    answer();
    await drain();
    expect(await one.orders.show("W1")).toMatchObject({ state: "queued" });
    expect(await ask(one)).toMatchObject({ status: 200 });
    expect(await goods(one)).toEqual(left);
    one.mode = "live";
    one.now = one.now.add({ hours: 1 });
    one.erp.next = async () => ACCEPTED;
    await one.orders.advance();
    await drain();
    expect(one.erp.asked).not.toContain("amend W1");
    expect(await goods(one)).toEqual(left);
    expect(await one.orders.show("W1")).toMatchObject({ state: "accepted", askedFor: null });
  }
});
