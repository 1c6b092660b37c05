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
  // None of these is on its way to be looked at just now.
  await companies.jobs.drain();
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
  for (const [idempotencyKey, who, decides] of [
    ["a1", "key shop", false],
    [null, "kim", true],
  ] as const) {
    const asked = { ...shop, idempotencyKey, who, decides };
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

type Keyed = readonly (readonly [product: string, quantity: string])[];

async function keyedThere(company: string, erpOrder: string, lines: Keyed, more: object = {}) {
  await pull(companies.store, company, "erp-order", [{ ...KEYED, erpOrder, ...more }]);
  await pull(
    companies.store,
    company,
    "erp-order-line",
    lines.map(([product, quantity], at) => ({
      erpOrder,
      line: at + 1,
      product,
      quantity,
      unitPrice: "1.00",
      net: "1.00",
    })),
  );
}

const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
const sand = (quantity: string) => ({ product: "SAND", quantity, unitPrice: "10.00" });

test.each(["cancelled", "amended", "referred"] as const)(
  "what staff keyed is known by what the order was before the shop changed it: %s",
  async (how) => {
    const company = `WAS-${how}`;
    const { one, numbers } = await heldSince(company, [
      { lines: [...bricks("3"), sand("2")], customerReference: "PO-1" },
    ]);
    const [number = ""] = numbers;
    const asked = { ...shop, idempotencyKey: "c1" };
    if (how === "cancelled")
      await one.orders.cancelPart(number, { ...asked, lines: [{ line: 1, quantity: "1" }] });
    else
      await one.orders.amend(number, {
        ...asked,
        body: body({ lines: bricks("9"), customerReference: "PO-2" }),
      });
    if (how === "referred")
      await keyedThere(company, "SO18", [["GRIT", "1"]], { customerReference: "po1" });
    else
      await keyedThere(company, "SO18", [
        ["SAND", "2"],
        ["BRICK", "3"],
      ]);
    await expect(one.orders.release(number, kim)).rejects.toThrow(/keyed it as ERP order SO18/);
    await one.orders.release(number, { ...kim, another: ["SO18"] });
  },
);

test("what has all of an order's goods may be it, whatever staff added; what is alike in all goes first", async () => {
  const { one, numbers } = await heldSince("MORE", [
    { lines: [...bricks("2"), ...bricks("3")] },
    { lines: bricks("5"), charges: [{ charge: "CARR", net: "7.50" }] },
    { lines: [...bricks("5"), sand("1")] },
    { lines: [sand("7")] },
  ]);
  const [split = "", charged = "", both = "", other = ""] = numbers;
  await keyedThere("MORE", "SO1", [
    ["BRICK", "5"],
    ["PALLET", "1"],
  ]);
  await keyedThere("MORE", "SO2", [
    ["BRICK", "4"],
    ["BRICK", "1"],
    ["CARR", "1"],
  ]);
  await keyedThere("MORE", "SO3", [
    ["SAND", "1"],
    ["BRICK", "5"],
  ]);
  await keyedThere("MORE", "SO4", [
    ["SAND", "6"],
    ["BRICK", "5"],
  ]);
  await expect(one.orders.release(both, kim)).rejects.toThrow("as ERP order SO3 (");
  await expect(one.orders.release(charged, kim)).rejects.toThrow("as ERP order SO2 (");
  await expect(one.orders.release(split, kim)).rejects.toThrow("as ERP order SO1 (");
  await one.orders.release(other, kim);
});

test("in shadow, what staff keyed with carriage is known; other goods make it another order", async () => {
  const one = await companies.open("WITH-CARR");
  one.mode = "shadow";
  const [carried, never] = [
    orderIn(await send(one.orders, "k1", { lines: bricks("3") })).webOrder,
    orderIn(await send(one.orders, "k2", { lines: bricks("4") })).webOrder,
  ];
  await companies.jobs.drain();
  await keyedThere("WITH-CARR", "SO1", [
    ["BRICK", "3"],
    ["CARR", "1"],
  ]);
  await keyedThere("WITH-CARR", "SO2", [
    ["BRICK", "4"],
    ["SAND", "9"],
  ]);
  one.now = one.now.add({ hours: 48 });
  await one.orders.advance();
  const { orders } = await one.orders.shadowReport();
  expect(orders.find(({ order }) => order === carried)).toMatchObject({
    verdict: "different",
    erpOrders: ["SO1"],
    differences: [{ what: "price of BRICK × 3" }, { what: "line of CARR", theirs: "1" }],
  });
  // It is late at the desk, as nobody seems to have keyed it; a release asks all the same.
  expect(orders.find(({ order }) => order === never)?.verdict).toBe("not-keyed");
  one.mode = "live";
  await expect(one.orders.release(never, kim)).rejects.toThrow("as ERP order SO2 (");
});
