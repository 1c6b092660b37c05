/** A shadowed order that staff keyed is not sent as well once its connection is live. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, states, useOrderCompanies } from "../support/order-companies.ts";

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
