/**
 * What shops, staff and the ERP do around an order that goes its way, each of which could lose it
 * or make it twice.
 */
import { expect, test } from "vitest";
import type { Accepted, Outcome } from "../../src/connector/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

const accepted = (erpOrder: string, more: Partial<Accepted> = {}): Accepted => ({
  kind: "accepted",
  erpOrder,
  net: null,
  vat: null,
  evidence: "HTTP 201",
  ...more,
});

const HELD = { limits: { net: "1", lines: 200, lineQuantity: "50000" } };
const KIM = { who: "kim", reason: "looked into it" };

async function placed(one: Opened, key: string, more: object = {}): Promise<string> {
  const { webOrder } = orderIn(await send(one.orders, key, more));
  await companies.jobs.drain();
  return webOrder;
}

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

const erpOrder = (number: string, webOrder: string | null, more: object = {}) => ({
  erpOrder: number,
  account: "A1",
  webOrder,
  orderedOn: "2026-03-31",
  state: "open" as const,
  net: "18.40",
  vat: "1.68",
  currency: "GBP",
  ...more,
});

test("a key that a test key has used answers no live order, and the other way round", async () => {
  const one = await companies.open("SPACES");
  const given = { idempotencyKey: "order-1001", body: body(), apiKey: "shop" };
  const tried = orderIn(await one.orders.accept({ ...given, test: true }));
  const live = await one.orders.accept({ ...given, test: false });
  await companies.jobs.drain();
  expect(live).toMatchObject({ status: 201, replayed: false, order: { test: false } });
  expect(placings(one, orderIn(live).webOrder)).toBe(1);
  const again = await one.orders.accept({ ...given, test: true });
  expect(again).toMatchObject({ replayed: true, order: { webOrder: tried.webOrder, test: true } });
  const asked = { who: "key shop", why: null, apiKey: "shop", decides: false, lines: null };
  const cancel = (number: string, isTest: boolean) =>
    one.orders.cancelPart(number, { ...asked, idempotencyKey: "c1", test: isTest });
  expect(await cancel(tried.webOrder, true)).toMatchObject({ status: 200 });
  expect(await cancel(orderIn(live).webOrder, false)).toMatchObject({ replayed: false });
});

test("a row of the ERP that says what cannot be of one order stops no other order", async () => {
  const one = await companies.open("POISON", HELD);
  const held = orderIn(await send(one.orders, "k1"));
  const other = orderIn(await send(one.orders, "k2", { webOrder: "B" }));
  await one.orders.release(other.webOrder, KIM);
  await companies.jobs.drain();
  await pull(companies.store, "POISON", "order-acknowledgement", [
    { webOrder: held.webOrder, outcome: "refused", reason: "unknown", answeredOn: "2026-03-31" },
  ]);
  one.now = one.now.add({ hours: 50 });
  await one.orders.advance();
  expect((await one.orders.show(held.webOrder)).state).toBe("held");
  expect((await one.orders.show("B")).state).toBe("inDoubt");
  expect([...one.alarms.keys()]).toContain("orders/late");
});

test("an ERP that writes our numbers in capitals did not go backwards", async () => {
  const one = await companies.open("CAPITALS");
  for (const [index, number] of ["W-1", "w-2", "w-3", "w-4"].entries()) {
    const order = `SO-${1001 + index}`;
    one.erp.next = async () => accepted(order);
    await placed(one, number, { webOrder: number, customerReference: number });
    await pull(companies.store, "CAPITALS", "erp-order", [
      erpOrder(order, number.toUpperCase()) as never,
    ]);
    one.now = one.now.add({ minutes: 1 });
  }
  await one.orders.advance();
  one.now = one.now.add({ minutes: 30 });
  expect(await one.orders.wentBackwards({ ask: false })).toBeNull();
});

test("a cancellation that the ERP made of an order handed over is told once", async () => {
  const one = await companies.open("CANCELS");
  const number = await placed(one, "k1");
  let told = 0;
  one.erp.cancel = async (): Promise<Outcome> => {
    told += 1;
    return accepted("SO1", { state: "cancelled" });
  };
  const asked = { who: "key shop", why: null, apiKey: "shop", decides: false, lines: null };
  await one.orders.cancelPart(number, { ...asked, idempotencyKey: "c1" });
  await companies.jobs.drain();
  expect(told).toBe(1);
  expect((await one.orders.show(number)).state).toBe("cancelled");
});
