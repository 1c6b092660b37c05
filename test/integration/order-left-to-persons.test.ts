/**
 * What waits for a person is let go by a person's release, and by no change that a shop asks for.
 */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const KIM = { who: "kim", reason: "looked there" };
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };

const amend = ({ orders }: Opened, number: string, key: string, more: object) =>
  orders.amend(number, { ...SHOP, idempotencyKey: key, body: body(more) });
const less = ({ orders }: Opened, number: string, key: string) =>
  orders.cancelPart(number, {
    ...SHOP,
    idempotencyKey: key,
    lines: [{ line: 1, quantity: "1" }],
  });

async function taken({ orders }: Opened, webOrder: string, more: object = {}): Promise<string> {
  orderIn(await send(orders, webOrder, { webOrder, ...more }));
  await companies.jobs.drain();
  return webOrder;
}

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

const acknowledge = (company: string, webOrder: string) =>
  pull(companies.store, company, "order-acknowledgement", [
    { webOrder, outcome: "accepted", erpOrder: `SO-${webOrder}`, answeredOn: "2026-03-30" },
  ]);

/**
 * Why it is held after it was changed in both ways, and what becomes of it once it is released.
 */
async function changedAndReleased(one: Opened, number: string) {
  const lines = [
    { product: "BRICK", quantity: "3", unitPrice: "4.20" },
    { product: "SAND", quantity: "1", unitPrice: "10.00" },
  ];
  // The shop is told why, too.
  expect(
    await amend(one, number, `a ${number}`, { lines, customerReference: "PO7" }),
  ).toMatchObject({
    status: 200,
    answer: { orderState: "held", reasons: [{ code: "held-still" }] },
  });
  await less(one, number, `c ${number}`);
  await one.orders.advance();
  await companies.jobs.drain();
  const { state, net, reasons } = await one.orders.show(number);
  const before = placings(one, number);
  await one.orders.release(number, KIM);
  await companies.jobs.drain();
  const after = (await one.orders.show(number)).state;
  return { held: [state, net, ...reasons], went: [placings(one, number) - before, after] };
}

const WENT = [1, "handedOver"];

test("an order whose number the ERP spoke of before it was sent stays held when a shop changes it", async () => {
  const one = await companies.open("SPOKEN");
  await acknowledge("SPOKEN", "G1");
  await taken(one, "G1");
  expect(await changedAndReleased(one, "G1")).toEqual({
    held: [
      "held",
      "18.40",
      expect.stringMatching(/^The ERP spoke of this number before it was sent/),
    ],
    went: WENT,
  });
});

test("an order that may be another one sent again stays held, though that is long ago by now", async () => {
  const one = await companies.open("REPEATS", { repeatedWithinMinutes: 10 });
  await taken(one, "R1");
  await taken(one, "R2");
  one.now = one.now.add({ minutes: 30 });
  expect(await changedAndReleased(one, "R2")).toEqual({
    held: [
      "held",
      "18.40",
      expect.stringMatching(/^Web order R1 .* It may be this one, sent again\.$/),
    ],
    went: WENT,
  });
});

test("an order that could not be placed stays held until a person has mended what kept it", async () => {
  const one = await companies.open("TRIED", { maxAttempts: 1 });
  one.erp.next = async () => ({ kind: "notNow", reason: "closed" });
  await taken(one, "T1");
  expect(await changedAndReleased(one, "T1")).toEqual({
    held: ["held", "18.40", expect.stringMatching(/^1 tries placed nothing/)],
    went: WENT,
  });
});

test("a release in the name of a shop's key is none of a person", async () => {
  const one = await companies.open("KEYS");
  await acknowledge("KEYS", "G2");
  await taken(one, "G2");
  // As amendments left an order while they forgot what held it.
  await companies.store.affect("update web_order set reasons = '[]' where company = 'KEYS'");
  await less(one, "G2", "c1");
  await companies.jobs.drain();
  const { state, events } = await one.orders.show("G2");
  expect(events.find(({ event }) => event === "release")?.who).toBe(SHOP.who);
  expect([placings(one, "G2"), state]).toEqual([0, "held"]);
});

test("nobody decides under a name that Tradepost, the ERP or a shop has in its book", async () => {
  const one = await companies.open("NAMES");
  await acknowledge("NAMES", "G1");
  await taken(one, "G1");
  for (const who of ["sales", "shop", "erp", "tradepost", "Sales ", "key 01a2"]) {
    const code = { code: "who-is-nobody" };
    await expect(one.orders.release("G1", { who, reason: "looked" })).rejects.toMatchObject(code);
  }
  expect((await one.orders.show("G1")).state).toBe("held");
  await one.orders.release("G1", { who: "sales desk", reason: "looked" });
  await companies.jobs.drain();
  expect((await one.orders.show("G1")).state).toBe("handedOver");
});
