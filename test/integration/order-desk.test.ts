/** Who is told of orders that wait, and what is given out of all that is kept of them. */
import { describe, expect, test } from "vitest";
import { orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import type { Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const drain = () => companies.jobs.drain();

const keysOf = ({ alarms }: Opened) => [...alarms.keys()].filter((key) => /desk/.test(key)).sort();
const kim = { who: "kim", reason: "looked into" };

describe("the desk as alarms", () => {
  test("an order that waits for a person longer than the set time raises one alarm, cleared when none waits", async () => {
    const settings = { limits: { net: "1" }, deskWithinSeconds: 3600, repeatedWithinMinutes: 0 };
    const one = await companies.open("DESKWAIT", settings);
    for (const webOrder of ["W1", "W2"])
      expect(orderIn(await send(one.orders, webOrder, { webOrder })).state).toBe("held");
    await one.orders.advance();
    expect(keysOf(one)).toEqual([]);
    one.now = one.now.add({ hours: 1 });
    await one.orders.advance();
    expect(keysOf(one)).toEqual(["orders/desk/waiting"]);
    const alarm = one.alarms.get("orders/desk/waiting");
    expect(alarm?.title).toBe("web orders wait for a person longer than they may: 2");
    expect(alarm?.detail).toBe("2 held (£40.16): W1, W2.");
    // It holds as it was raised, while the same wait.
    one.now = one.now.add({ hours: 1 });
    await one.orders.advance();
    expect(one.alarms.get("orders/desk/waiting")).toEqual(alarm);
    await one.orders.cancel("W1", kim);
    await one.orders.advance();
    expect(one.alarms.get("orders/desk/waiting")?.detail).toBe("1 held (£20.08): W2.");
    await one.orders.cancel("W2", kim);
    await one.orders.advance();
    expect(keysOf(one)).toEqual([]);
  });

  test("the first conflict raises an alarm at once, cleared when it is settled", async () => {
    const one = await companies.open("DESKCONF");
    const accepted = { erpOrder: "SO1", net: "1.00", vat: "0.20", evidence: "made" };
    one.erp.next = async () => ({ kind: "accepted", ...accepted });
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await drain();
    expect((await one.orders.show(webOrder)).state).toBe("conflict");
    await one.orders.advance();
    expect(keysOf(one)).toEqual(["orders/desk/conflict"]);
    expect(one.alarms.get("orders/desk/conflict")?.detail).toContain(webOrder);
    await one.orders.resolve(webOrder, kim);
    await one.orders.advance();
    expect(keysOf(one)).toEqual([]);
  });

  test("the first doubt beyond its window raises an alarm at once, and one within it none", async () => {
    const one = await companies.open("DESKDOUBT", { quietSeconds: 3600 });
    one.erp.next = async () => ({ kind: "inDoubt", evidence: "the line broke" });
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await drain();
    one.erp.finds = () => ({ kind: "cannotTell", reason: "the search is away" });
    const { id, state } = await one.orders.show(webOrder);
    expect(state).toBe("inDoubt");
    const look = async () => {
      await one.orders.deliver(id);
      await one.orders.advance();
    };
    await look();
    expect(keysOf(one)).toEqual([]);
    await companies.store.affect(
      `update web_order_attempt set quiet_from = quiet_from - interval '2 hours'
        where company = 'DESKDOUBT' and placed_at is not null`,
      [],
    );
    await look();
    expect(keysOf(one)).toEqual(["orders/desk/doubt"]);
    await one.orders.resolve(webOrder, { ...kim, erpOrder: "SO7" });
    await one.orders.advance();
    expect(keysOf(one)).toEqual([]);
  });
});
