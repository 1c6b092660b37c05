/** An order that staff keyed while nothing was sent is not sent as well once it is live. */
import { randomUUIDv7 } from "node:crypto";
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, states, useOrderCompanies } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const kim = { who: "kim", reason: "nobody keyed it" };

test("a shadowed order that staff keyed is released only as another than theirs", async () => {
  const one = await companies.open("SHADOWED");
  one.mode = "shadow";
  const numbers: string[] = [];
  for (const [key, customerReference] of [
    ["k1", "PO-17"],
    ["k2", null],
    ["k3", null],
  ] as const) {
    const lines = [{ product: "BRICK", quantity: String(numbers.length + 2), unitPrice: "4.20" }];
    const more = { customerReference, lines };
    numbers.push(orderIn(await send(one.orders, key, more)).webOrder);
  }
  await companies.jobs.drain();
  const [referred = "", like = "", never = ""] = numbers;
  for (const number of numbers) expect((await states(one.orders, number)).at(-1)).toBe("shadowed");
  await one.orders.advance();
  one.mode = "live";
  // Keyed without our number; no look since the pull has compared them.
  const keyed = { account: "A1", orderedOn: "2026-03-31", state: "open" } as const;
  await pull(companies.store, "SHADOWED", "erp-order", [
    { ...keyed, erpOrder: "SO17", customerReference: "po 17" },
    { ...keyed, erpOrder: "SO18" },
  ]);
  const line = { line: 1, product: "BRICK", unitPrice: "4.20" };
  await pull(companies.store, "SHADOWED", "erp-order-line", [
    { ...line, erpOrder: "SO17", quantity: "9", net: "37.80" },
    { ...line, erpOrder: "SO18", quantity: "3", net: "12.60" },
  ]);
  for (const table of ["erp_order", "erp_order_line"])
    await companies.store.affect(
      `update ${table} set learned_at = clock_timestamp() + interval '1 day' where company = $1`,
      ["SHADOWED"],
    );
  await expect(one.orders.release(referred, kim)).rejects.toThrow(/keyed it as ERP order SO17/);
  await expect(one.orders.release(like, kim)).rejects.toThrow(/SO18 \(it has the same account/);
  await expect(one.orders.release(like, { ...kim, another: ["SO17"] })).rejects.toThrow("SO18");
  await one.orders.release(never, kim);
  // It may be on its way already when it is shown.
  const { events } = await one.orders.release(like, { ...kim, another: ["SO18"] });
  const release = events.find(({ event }) => event === "release");
  expect(release?.about).toBe("Released: nobody keyed it (SO18: another order)");
  await companies.jobs.drain();
  expect([...one.erp.orders.keys()].toSorted()).toEqual([like, never].toSorted());
  expect((await one.orders.show(referred)).state).toBe("shadowed");
});

/** Orders of one brick line each, taken while nothing was sent, and held since it went live. */
async function heldSince(company: string, orders: readonly object[]) {
  const one = await companies.open(company);
  one.mode = "read-only";
  const numbers: string[] = [];
  for (const [at, more] of orders.entries())
    numbers.push(orderIn(await send(one.orders, `k${at}`, more)).webOrder);
  one.mode = "live";
  one.live = { id: randomUUIDv7(), at: one.now };
  for (const number of numbers) await one.orders.deliver(number);
  for (const number of numbers)
    expect(await one.orders.show(number)).toMatchObject({
      state: "held",
      reasons: [expect.stringMatching(/^Taken before its connection went live/)],
    });
  return { one, numbers };
}

const bricks = (quantity: string) => [{ product: "BRICK", quantity, unitPrice: "4.20" }];
const KEYED = { account: "A1", orderedOn: "2026-03-31", state: "open" } as const;

test("one that was taken before its connection went live is released only as another than staff keyed", async () => {
  const { one, numbers } = await heldSince("BEFORE", [
    { lines: bricks("2"), customerReference: "PO-17" },
    { lines: bricks("3") },
    { lines: bricks("3"), customerReference: "the second like it" },
    { lines: bricks("5") },
    { lines: bricks("6") },
  ]);
  const [referred = "", like = "", second = "", never = "", others = ""] = numbers;
  await pull(companies.store, "BEFORE", "erp-order", [
    { ...KEYED, erpOrder: "SO17", customerReference: "po 17" },
    { ...KEYED, erpOrder: "SO18" },
    { ...KEYED, erpOrder: "SO19" },
    { ...KEYED, erpOrder: "SO20", state: "cancelled" },
  ]);
  const line = { line: 1, product: "BRICK", unitPrice: "4.20" };
  await pull(companies.store, "BEFORE", "erp-order-line", [
    { ...line, erpOrder: "SO17", quantity: "9", net: "37.80" },
    { ...line, erpOrder: "SO18", quantity: "3", net: "12.60" },
    { ...line, erpOrder: "SO19", quantity: "6", net: "25.20" },
    { ...line, erpOrder: "SO20", quantity: "5", net: "21.00" },
  ]);
  await expect(one.orders.release(referred, kim)).rejects.toThrow(
    `Releasing web order ${referred}: staff have keyed it as ERP order SO17 (its reference is there)`,
  );
  await expect(one.orders.release(like, kim)).rejects.toThrow(/SO18 \(it has the same account/);
  // Staff keyed one of two like it, and what they cancelled again is nobody's.
  await one.orders.release(second, kim);
  await one.orders.release(never, kim);
  // An ERP order that is known to be another web order's is no double of this one.
  await companies.store.affect(
    "update web_order set erp_order = 'SO19' where company = 'BEFORE' and number = $1",
    [referred],
  );
  await one.orders.release(others, kim);
  const { events } = await one.orders.release(like, { ...kim, another: ["SO18"] });
  expect(events.find(({ event }) => event === "release")?.about).toBe(
    "Released: nobody keyed it (SO18: another order)",
  );
  await companies.jobs.drain();
  expect([...one.erp.orders.keys()].toSorted()).toEqual([second, never, others, like].toSorted());
  expect((await one.orders.show(referred)).state).toBe("held");
});

test("one that staff may have keyed stays held when it is amended or cancelled in part", async () => {
  const { one, numbers } = await heldSince("AMENDED", [
    { lines: [...bricks("2"), { product: "SAND", quantity: "3", unitPrice: "10.00" }] },
  ]);
  const [number = ""] = numbers;
  const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
  const less = await one.orders.cancelPart(number, {
    ...shop,
    idempotencyKey: "c1",
    lines: [{ line: 2, quantity: "1" }],
  });
  expect(less).toMatchObject({ answer: { state: "done", orderState: "held" } });
  for (const [key, decides] of [
    ["a1", false],
    [null, true],
  ] as const) {
    const asked = { ...shop, idempotencyKey: key, decides };
    const done = await one.orders.amend(number, { ...asked, body: body({ lines: bricks("4") }) });
    expect(done).toMatchObject({ answer: { state: "done", orderState: "held" } });
  }
  await companies.jobs.drain();
  expect(one.erp.orders.size).toBe(0);
  expect(await one.orders.show(number)).toMatchObject({
    state: "held",
    net: "16.80",
    reasons: [expect.stringMatching(/^Taken before its connection went live/)],
  });
  await one.orders.release(number, kim);
  await companies.jobs.drain();
  expect([...one.erp.orders.keys()]).toEqual([number]);
});
