/** One number of the ERP for two web orders: a person says whose it is, and gives the other up. */
import { expect, test } from "vitest";
import { deskCommands } from "../../src/cli.ts";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const KIM = { who: "kim", reason: "looked there" };

async function handedOver(company: string, numbers: readonly string[]) {
  const one = await companies.open(company);
  for (const webOrder of numbers) {
    const payment = { provider: "card", reference: `P-${webOrder}`, amount: "20.08" };
    const more = { webOrder, customerReference: webOrder, payment };
    orderIn(await send(one.orders, webOrder, more));
  }
  await companies.jobs.drain();
  return one;
}

/** Two paid orders, handed over, and answered with one number. */
async function shared(company: string, numbers: readonly [string, string]) {
  const one = await handedOver(company, numbers);
  await acknowledge(company, ...numbers);
  // Each is accepted, and then the other one's number is seen.
  for (const state of ["accepted", "conflict"]) {
    await one.orders.advance();
    for (const number of numbers)
      expect((await stands(one, number)).slice(0, 2)).toEqual([state, "SO-D"]);
  }
  return one;
}

const acknowledge = (company: string, ...webOrders: readonly string[]) =>
  pull(
    companies.store,
    company,
    "order-acknowledgement",
    webOrders.map((webOrder) => ({
      webOrder,
      outcome: "accepted",
      erpOrder: "SO-D",
      answeredOn: "2026-03-31",
    })),
  );

/** All of it is despatched. */
async function despatched(
  company: string,
  erpOrder: string,
  webOrder: string | null,
  more: object = {},
) {
  const { store } = companies;
  await pull(store, company, "erp-order", [
    {
      erpOrder,
      account: "A1",
      orderedOn: "2026-03-31",
      webOrder,
      net: "18.40",
      vat: "1.68",
      state: "open",
      ...more,
    },
  ]);
  const goods = [
    ["BRICK", "2", "8.40"],
    ["SAND", "1", "10.00"],
  ] as const;
  await pull(
    store,
    company,
    "erp-order-line",
    goods.map(([product, quantity, net], index) => ({
      erpOrder,
      line: index + 1,
      product,
      quantity,
      despatchedQuantity: quantity,
      net,
      unitPrice: "1",
    })),
  );
  for (const table of ["erp_order", "erp_order_line"])
    await store.affect(
      `update ${table} set learned_at = clock_timestamp() + interval '1 day' where company = $1`,
      [company],
    );
}

async function atDesk({ orders }: Opened, number: string) {
  const entry = (await orders.desk()).entries.find((each) => each.webOrder === number);
  const resolve = entry === undefined ? [] : deskCommands({ ...entry, acts: ["resolve"] });
  return { next: entry?.next ?? null, resolve: resolve[0] ?? null };
}

async function stands({ orders }: Opened, number: string) {
  const { state, erpOrder, lines } = await orders.show(number);
  return [state, erpOrder, ...lines.map(({ despatchedQuantity }) => Number(despatchedQuantity))];
}

const refunds = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "refund" })).map(({ webOrder, amount }) => [
    webOrder,
    Number(amount),
  ]);

test("the order whose it is is resolved as the desk says, and the other one given up", async () => {
  const one = await shared("WHOSE", ["D3", "D4"]);
  const look =
    "Look in the ERP whether SO-D is D3 or D4. Resolve the one that it is as SO-D; cancel the " +
    "other one here, not there, and have it ordered anew.";
  expect(await atDesk(one, "D3")).toEqual({
    next: look,
    resolve: 'orders resolve D3 --erp-order SO-D --who "…" --why "…"',
  });
  await one.orders.resolve("D3", { ...KIM, erpOrder: "SO-D" });
  expect(await atDesk(one, "D4")).toEqual({
    next:
      "ERP order SO-D is that of D3: do not cancel it there. If the ERP has D4 under another " +
      "number, resolve it as that; else have it sent again (tradepost orders lost send-again " +
      "D4 --who NAME --why WHY), or cancel D4 here.",
    resolve: 'orders resolve D4 --erp-order … --who "…" --why "…"',
  });
  for (const more of [{}, { erpOrder: "SO-D" }, { erpOrder: "SO-D", seenThere: true }])
    await expect(one.orders.resolve("D4", { ...KIM, ...more })).rejects.toThrow(
      "ERP order SO-D is that of D3 already, which is confirmed. If it is D4 all the same, resolve D3",
    );
  await one.orders.cancel("D4", KIM);
  await despatched("WHOSE", "SO-D", "D3");
  await one.orders.advance();
  expect(await stands(one, "D3")).toEqual(["confirmed", "SO-D", 2, 1]);
  expect(await stands(one, "D4")).toEqual(["cancelled", null, 0, 0]);
  expect(await refunds(one)).toEqual([["D4", 20.08]]);
  expect(await one.orders.advance()).toMatchObject({ moved: 0 });
});

test("the one whose number is another's may be sent again; one that differs may not", async () => {
  const one = await shared("AGAIN", ["D7", "D8"]);
  one.erp.again = async () => "set aside";
  const again = (number: string) =>
    one.orders.decideLost(number, { who: "kim", why: "it is not there", decision: "send-again" });
  // Nobody has said yet whose SO-D is.
  expect(await again("D8")).toBe(false);
  await one.orders.resolve("D7", { ...KIM, erpOrder: "SO-D" });
  expect(await again("D8")).toBe(true);
  expect(await stands(one, "D8")).toEqual(["queued", null, 0, 0]);
  one.erp.orders.clear();
  await companies.jobs.drain();
  one.now = one.now.add({ minutes: 5 });
  await one.orders.advance();
  // What it was answered before is no answer to this.
  expect(await stands(one, "D8")).toEqual(["handedOver", null, 0, 0]);
  expect(await again("D8")).toBe(false);
  await despatched("AGAIN", "SO-E", "D8");
  await one.orders.advance();
  expect(await stands(one, "D8")).toEqual(["confirmed", "SO-E", 2, 1]);
  expect((await stands(one, "D7")).slice(0, 2)).toEqual(["confirmed", "SO-D"]);
});

test("the other one may be given up first, also where the ERP's order bears no number", async () => {
  const one = await shared("FIRST", ["D5", "D6"]);
  await one.orders.cancel("D6", KIM);
  await despatched("FIRST", "SO-D", null);
  await one.orders.advance();
  expect(await stands(one, "D6")).toEqual(["cancelled", null, 0, 0]);
  expect((await atDesk(one, "D5")).next).toMatch(/^Compare it with ERP order SO-D,/);
  await one.orders.resolve("D5", { ...KIM, erpOrder: "SO-D" });
  await one.orders.advance();
  expect(await stands(one, "D5")).toEqual(["confirmed", "SO-D", 2, 1]);
  expect(await refunds(one)).toEqual([["D6", 20.08]]);
});

test("two persons who resolve both at one moment are not both believed", async () => {
  const one = await shared("MOMENT", ["D13", "D14"]);
  const ends = await Promise.allSettled(
    ["D13", "D14"].map((number) => one.orders.resolve(number, { ...KIM, erpOrder: "SO-D" })),
  );
  expect(ends.map(({ status }) => status).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    "fulfilled",
    "rejected",
  ]);
  expect(String(ends.find((end) => end.status === "rejected")?.reason)).toMatch(
    /ERP order SO-D is that of D1[34] already, which is confirmed/,
  );
});

test("what was despatched of it counts for neither while nobody has said whose it is", async () => {
  const one = await handedOver("NEITHER", ["D11", "D12"]);
  await acknowledge("NEITHER", "D12");
  await one.orders.advance();
  await despatched("NEITHER", "SO-D", null, { net: null, vat: null });
  await one.orders.advance();
  expect(await stands(one, "D12")).toEqual(["accepted", "SO-D", 2, 1]);
  await acknowledge("NEITHER", "D11");
  for (const _ of [1, 2]) await one.orders.advance();
  expect(await stands(one, "D11")).toEqual(["conflict", "SO-D", 0, 0]);
  expect((await stands(one, "D12"))[0]).toBe("conflict");
  await one.orders.cancel("D12", KIM);
  await one.orders.resolve("D11", { ...KIM, erpOrder: "SO-D" });
  await one.orders.advance();
  expect(await stands(one, "D11")).toEqual(["confirmed", "SO-D", 2, 1]);
  expect(await stands(one, "D12")).toEqual(["cancelled", null, 0, 0]);
  expect(await refunds(one)).toEqual([["D12", 20.08]]);
});

test("as long as both wait what becomes of the ERP's order is the one's that a person gave it", async () => {
  const one = await shared("BOTH", ["D7", "D8"]);
  await despatched("BOTH", "SO-D", null);
  await one.orders.resolve("D7", { ...KIM, erpOrder: "SO-D" });
  await one.orders.advance();
  expect(await stands(one, "D7")).toEqual(["confirmed", "SO-D", 2, 1]);
  expect(await stands(one, "D8")).toEqual(["conflict", "SO-D", 0, 0]);
  // It is there under a number of its own after all.
  await despatched("BOTH", "SO-E", "D8");
  await one.orders.resolve("D8", { ...KIM, erpOrder: "SO-E" });
  await one.orders.advance();
  expect(await stands(one, "D8")).toEqual(["confirmed", "SO-E", 2, 1]);
  expect(await one.orders.advance()).toMatchObject({ moved: 0 });
});

test("a number that was answered by mistake is no second one of the order", async () => {
  const one = await shared("MISTAKEN", ["D15", "D16"]);
  await despatched("MISTAKEN", "SO-E", "D16");
  await one.orders.advance();
  expect((await one.orders.show("D16")).reasons).toEqual([
    expect.stringMatching(/^ERP order SO-D is web order D15's as well/),
  ]);
  expect([...one.alarms.keys()].filter((key) => key.includes("duplicate"))).toEqual([]);
  await one.orders.resolve("D16", { ...KIM, erpOrder: "SO-E" });
  await one.orders.resolve("D15", { ...KIM, erpOrder: "SO-D" });
  // Known from the start, it is what the ERP order says that bears its number.
  const { orders } = one;
  orderIn(await send(orders, "D17", { webOrder: "D17", customerReference: "D17" }));
  await companies.jobs.drain();
  await acknowledge("MISTAKEN", "D17");
  await despatched("MISTAKEN", "SO-F", "D17");
  await orders.advance();
  expect(await stands(one, "D17")).toEqual(["confirmed", "SO-F", 2, 1]);
  expect(await stands(one, "D16")).toEqual(["confirmed", "SO-E", 2, 1]);
  expect((await stands(one, "D15"))[0]).toBe("confirmed");
});

test("an ERP order that bears the number of another is that one's, whatever was answered", async () => {
  const one = await shared("BORNE", ["D9", "D10"]);
  await despatched("BORNE", "SO-D", "D9");
  const as = (number: string) => one.orders.resolve(number, { ...KIM, erpOrder: "SO-D" });
  await expect(as("D10")).rejects.toThrow(
    "ERP order SO-D is that of D9 already, whose number it bears. If it is D10 all the same, " +
      "correct its number in the ERP, and pull.",
  );
  await as("D9");
  await one.orders.cancel("D10", KIM);
  await one.orders.advance();
  expect(await stands(one, "D9")).toEqual(["confirmed", "SO-D", 2, 1]);
  expect(await stands(one, "D10")).toEqual(["cancelled", null, 0, 0]);
});
