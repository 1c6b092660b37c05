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
    await one.orders.resolve(webOrder, { ...kim, erpOrder: "SO7", seenThere: true });
    await one.orders.advance();
    expect(keysOf(one)).toEqual([]);
  });
});

test("a whole cancellation behind a doubt that ends as not there: it is cancelled, never placed to be cancelled", async () => {
  const one = await companies.open("CANCELDOUBT");
  one.erp.cancel = async () => {
    throw new Error("nothing of it is there");
  };
  await send(one.orders, "canary", { webOrder: "CANARY" });
  await drain();
  one.erp.next = async () => ({ kind: "inDoubt", evidence: "the line broke" });
  await send(one.orders, "k1", { webOrder: "W1", customerReference: "other" });
  await drain();
  expect((await one.orders.show("W1")).state).toBe("inDoubt");
  await one.orders.cancel("W1", kim);
  await drain();
  await one.orders.deliver("W1");
  expect((await one.orders.show("W1")).state).toBe("cancelled");
  expect(one.erp.asked.filter((what) => what === "place W1")).toHaveLength(1);
  expect(one.erp.asked).not.toContain("cancel W1");
});

describe("everything stored can be exported", () => {
  const days = { from: "2026-03-31", to: "2026-03-31" };

  test("a page at a time, oldest first, each order as it is shown alone", async () => {
    const one = await companies.open("EXPORT", { repeatedWithinMinutes: 0 });
    for (const webOrder of ["W1", "W2", "W3"])
      await send(one.orders, webOrder, { webOrder, orderedOn: "2026-03-31" });
    await drain();
    await one.orders.cancel("W2", kim);
    await drain();
    const first = await one.orders.exportPage(days, { after: null, limit: 2 });
    expect(first.orders.map(({ number }) => number)).toEqual(["W1", "W2"]);
    const rest = await one.orders.exportPage(days, { after: first.next, limit: 2 });
    expect(rest).toMatchObject({ orders: [{ number: "W3" }], next: null });
    expect(first.orders[1]).toEqual(await one.orders.show("W2"));
    expect(first.orders[1]?.events.length).toBeGreaterThan(2);
    const of = async (span: object) =>
      (await one.orders.exportPage(span, { after: null, limit: 9 })).orders.length;
    expect(await of({ from: "2026-04-01" })).toBe(0);
    expect(await of({ account: "STOPPED" })).toBe(0);
    const [{ state } = { state: "held" as const }] = first.orders;
    expect(await of({ account: "A1", state })).toBeGreaterThan(0);
  });

  test("set by set: thousands of orders take a fraction of the time that each takes alone", async () => {
    const one = await companies.open("EXPORTMANY");
    const { id } = orderIn(await send(one.orders, "k", { webOrder: "W1" }));
    await drain();
    await multiply("EXPORTMANY", id, 2_000);
    const timed = async (work: () => Promise<void>) => {
      const started = performance.now();
      await work();
      return performance.now() - started;
    };
    const seen = new Set<string>();
    const all = await timed(async () => {
      for await (const order of one.orders.exported({})) {
        expect(order.lines).toHaveLength(2);
        seen.add(order.number);
      }
    });
    expect(seen.size).toBe(2_001);
    const alone = await timed(async () => {
      for (const number of [...seen].slice(0, 50)) await one.orders.show(number);
    });
    // Each by itself takes ten times as long and more.
    expect(all / seen.size).toBeLessThan(alone / 50 / 3);
  });
});

/** So many copies of an order, each with all its lines and its book. */
async function multiply(company: string, order: string, times: number): Promise<void> {
  const { store } = companies;
  const columnsOf = async (table: string) => {
    const rows = await store.query<{ name: string }>(
      `select quote_ident(column_name) as name from information_schema.columns
        where table_name = $1 and table_schema = current_schema() order by ordinal_position`,
      [table],
    );
    return rows.map(({ name }) => name);
  };
  const idOf = (column: string) =>
    `overlay(${column}::text placing lpad(to_hex(n), 12, '0') from 25)::uuid`;
  for (const [table, key] of [
    ["web_order", "id"],
    ["web_order_line", "order_id"],
    ["web_order_event", "order_id"],
  ] as const) {
    const columns = await columnsOf(table);
    const values = columns.map((column) => {
      if (column === key) return idOf(column);
      return column === "number" || column === "number_folded" ? `${column} || '-' || n` : column;
    });
    await store.affect(
      `insert into ${table} (${columns.join(", ")})
       select ${values.join(", ")} from ${table}, generate_series(1, $3::int) n
        where company = $1 and ${key} = $2`,
      [company, order, times],
    );
  }
}
