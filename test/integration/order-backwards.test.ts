/** What shows that an ERP was restored from its backup, what does not, and all that it has lost. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import {
  ACCEPTED,
  orderIn,
  send,
  useOrderCompanies,
  type Opened,
} from "../support/order-companies.ts";
import { takeWebOrder } from "../support/web-orders.ts";

const companies = useOrderCompanies();
const KIM = { who: "kim", why: "restored from Monday" };

const row = (number: number, more: object = {}) =>
  ({
    erpOrder: `SO-${number}`,
    account: "A1",
    orderedOn: "2026-03-31",
    state: "open",
    webOrder: `LO${number}`,
    net: "18.40",
    vat: "1.68",
    ...more,
  }) as const;

/** Orders LO1 and so on, a minute apart, which the ERP has as SO-1 and so on. */
async function taken(company: string, count: number): Promise<Opened> {
  const one = await companies.open(company);
  for (let number = 1; number <= count; number += 1) {
    one.erp.next = async () => ({ ...ACCEPTED, erpOrder: `SO-${number}` });
    const named = { webOrder: `LO${number}`, customerReference: `R${number}` };
    orderIn(await send(one.orders, `k${number}`, named));
    await companies.jobs.drain();
    one.now = one.now.add({ minutes: 1 });
  }
  return one;
}

const there = (erpOrder: string) =>
  ({ kind: "present", outcome: { ...ACCEPTED, erpOrder } }) as const;

/** Restored to the moment after LO1. */
const restored = (one: Opened) => {
  one.erp.finds = (key) => (key === "LO1" ? there("SO-1") : { kind: "absent" });
};

const lost = async (one: Opened, ask: boolean) =>
  (await one.orders.wentBackwards({ ask }))?.lost.map(({ order }) => order) ?? null;

/** Of the two bricks of an order so many were despatched. */
async function despatched(company: string, number: number, quantity: string): Promise<void> {
  const at = "2026-03-31T09:06:00Z";
  const erpOrder = `SO-${number}`;
  await pull(companies.store, company, "erp-order", [row(number)], at);
  const brick = { product: "BRICK", quantity: "2", net: "8.40", unitPrice: "4.20" };
  const sand = { product: "SAND", quantity: "1", net: "10.00", unitPrice: "10.00" };
  await pull(
    companies.store,
    company,
    "erp-order-line",
    [
      { erpOrder, line: 1, ...brick, despatchedQuantity: quantity },
      { erpOrder, line: 2, ...sand, despatchedQuantity: "0" },
    ],
    at,
  );
}

test("an order of which some was despatched is lost with the others, and its rest is a person's", async () => {
  const one = await taken("PART", 5);
  await despatched("PART", 4, "1");
  await one.orders.advance();
  expect((await one.orders.show("LO4")).lines[0]?.despatchedQuantity).toBe("1.00000");
  one.now = one.now.add({ minutes: 10 });
  restored(one);
  const went = await one.orders.wentBackwards({ ask: true });
  expect(went?.lost.map(({ order, cameOfIt }) => [order, cameOfIt])).toEqual([
    ["LO2", null],
    ["LO3", null],
    ["LO4", "BRICK: 1 despatched of 2"],
    ["LO5", null],
  ]);
  expect(went?.about).toMatch(
    /^4 web orders that it accepted since .*while LO1 of before is found/,
  );
  await companies.store.transaction((tx) => one.orders.noteLost(tx, "erp", went?.lost ?? []));
  const decide = (number: string, decision: "send-again" | "leave") =>
    one.orders.decideLost(number, { ...KIM, decision });
  await expect(decide("LO4", "send-again")).rejects.toThrowErrorMatchingInlineSnapshot(
    `[OrderError: Sending web order LO4 again: something came of it (BRICK: 1 despatched of 2), and all of it would come once more. Have what is left of it keyed in the ERP by hand under its number, with what the ERP is to know of the rest; then: tradepost orders lost leave LO4 --who NAME --why WHY]`,
  );
  expect((await one.orders.show("LO4")).state).toBe("confirmed");
  expect(await decide("LO4", "leave")).toBe(true);
  expect(await decide("LO5", "send-again")).toBe(true);
  const shown = (await one.orders.lostOrders()).map((each) => [each.order, each.cameOfIt]);
  expect(shown).toContainEqual(["LO4", "BRICK: 1 despatched of 2"]);
});

test("orders of which something came are no proof that the ERP went backwards", async () => {
  const one = await taken("NO PROOF", 5);
  for (const number of [3, 4, 5]) await despatched("NO PROOF", number, "1");
  await one.orders.advance();
  one.now = one.now.add({ minutes: 10 });
  restored(one);
  expect(await lost(one, true)).toBeNull();
});

async function allShown(one: Opened, company: string, count: number): Promise<void> {
  const rows = Array.from({ length: count }, (_, index) => row(index + 1));
  await pull(companies.store, company, "erp-order", rows, one.now.toString());
  await one.orders.advance();
  for (const { webOrder } of rows)
    expect((await one.orders.show(webOrder)).state).toBe("confirmed");
  one.now = one.now.add({ hours: 8 });
}

/** The ERP cannot be asked, as it takes files, and its export shows of them the first one alone. */
async function firstAlone(one: Opened, company: string): Promise<void> {
  await companies.store.transaction((tx) =>
    tx.affect(
      "delete from erp_order where company = $1 and web_order like 'LO%' and erp_order <> 'SO-1'",
      [company],
    ),
  );
  one.erp.finding = "file-drop";
  await one.orders.advance();
}

test("an evening's invoices that finish the newest orders are no ERP that went backwards", async () => {
  const one = await taken("EVENING", 4);
  await allShown(one, "EVENING", 4);
  await firstAlone(one, "EVENING");
  expect(await lost(one, false)).toBeNull();
  expect(await lost(one, true)).toBeNull();
  // One that is done since shows for how long they are exported, and that is not known yet.
  await pull(
    companies.store,
    "EVENING",
    "erp-order",
    [row(0, { webOrder: null, state: "complete" })],
    one.now.toString(),
  );
  expect(await lost(one, false)).toBeNull();
});

test("where what is done is exported for good, what vanishes is gone", async () => {
  const one = await taken("ALL", 4);
  const done = [row(0, { webOrder: null, state: "complete" })];
  await pull(companies.store, "ALL", "erp-order", done, "2026-03-30T09:00:00Z");
  await allShown(one, "ALL", 4);
  expect(await lost(one, false)).toBeNull();
  await firstAlone(one, "ALL");
  expect(await lost(one, false)).toEqual(["LO2", "LO3", "LO4"]);
});

test("a number that was given anew proves it of those that vanished with it", async () => {
  const one = await taken("ANEW", 4);
  await allShown(one, "ANEW", 4);
  await firstAlone(one, "ANEW");
  const counter = [row(2, { webOrder: null, account: "STOPPED" })];
  await pull(companies.store, "ANEW", "erp-order", counter, one.now.toString());
  expect(await lost(one, false)).toEqual(["LO2", "LO3", "LO4"]);
});

test("however many orders it has lost, one of before that stands is found", async () => {
  const one = await companies.open("MANY");
  const { store } = companies;
  for (let number = 0; number <= 405; number += 1)
    await takeWebOrder(store, "MANY", {
      number: `LO${number}`,
      account: "A1",
      lines: [["SAND", "1"]],
    });
  await store.transaction(async (tx) => {
    await tx.affect(
      "update web_order set erp_order = 'SO-' || substr(number, 3) where company = 'MANY'",
    );
    await tx.affect(
      `insert into web_order_event (company, order_id, sequence, at, event, from_state, to_state, who, about)
       select company, id, 1, received_at + substr(number, 3)::int * interval '5 seconds', 'accept', 'sending',
              'accepted', 'tradepost', 'taken'
         from web_order where company = 'MANY'`,
    );
  });
  one.now = one.now.add({ hours: 1 });
  const lostBy = async (from: number) => {
    one.erp.asked.length = 0;
    one.erp.finds = (key) =>
      Number(key.slice(2)) < from ? there(`SO-${key.slice(2)}`) : { kind: "absent" };
    return (await one.orders.wentBackwards({ ask: true }))?.lost.length ?? 0;
  };
  expect(await lostBy(300)).toBe(106);
  expect(await lostBy(104)).toBe(302);
  expect(await lostBy(1)).toBe(405);
  // Nothing at all is found: that is the search, which is not asked for each of them.
  expect(await lostBy(0)).toBe(0);
  expect(one.erp.asked.length).toBeLessThan(215);
}, 120_000);
