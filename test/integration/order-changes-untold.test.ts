/** Changes that the ERP puts off, or that cannot be told: nobody waits for them unseen. */
import { expect, test } from "vitest";
import { ConnectorFault } from "../../src/connector/index.ts";
import {
  ACCEPTED,
  body,
  orderIn,
  send,
  useOrderCompanies,
  type Opened,
} from "../support/order-companies.ts";

const companies = useOrderCompanies();
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };

async function taken(company: string, webOrder: string) {
  const one = await companies.open(company);
  one.erp.next = async () => ACCEPTED;
  orderIn(await send(one.orders, webOrder, { webOrder }));
  await companies.jobs.drain();
  expect((await one.orders.show(webOrder)).state).toBe("accepted");
  return one;
}

async function cancel({ orders }: Opened, webOrder: string) {
  await orders.cancelPart(webOrder, { ...SHOP, idempotencyKey: `c ${webOrder}`, lines: null });
  await companies.jobs.drain();
}

/** Its patience is over, so often. */
async function again(company: string, { orders }: Opened, webOrder: string, times: number) {
  for (let time = 0; time < times; time += 1) {
    await companies.store.transaction((tx) =>
      tx.affect("update web_order_intent set due_at = null where company = $1", [company]),
    );
    await orders.deliver(webOrder);
    await orders.advance();
  }
}

const told = ({ erp }: Opened, what: string) =>
  erp.asked.filter((asked) => asked.startsWith(what)).length;
const changes = async ({ orders }: Opened, webOrder: string) =>
  (await orders.show(webOrder)).changes.map(({ state }) => state);

test("a change that the ERP puts off as often as an order is a person's to make there", async () => {
  const one = await taken("OFF", "NN1");
  one.erp.cancel = async () => ({ kind: "notNow", reason: "the order is open at a terminal" });
  await cancel(one, "NN1");
  await again("OFF", one, "NN1", 1);
  expect(await changes(one, "NN1")).toEqual(["asked"]);
  await again("OFF", one, "NN1", 5);
  expect([await changes(one, "NN1"), told(one, "cancel")]).toEqual([["task"], 3]);
  const [task] = await one.orders.tasks();
  expect(task?.about).toBe("cancellation 1");
  expect((await one.orders.show("NN1")).changes[0]?.outcome).toBe(
    "3 times it was told, and the ERP put it off; the last time: the order is open at a terminal",
  );
});

test("a change that the ERP wants later is told when it wants it", async () => {
  const one = await taken("LATER", "NN2");
  const retryAt = one.now.add({ hours: 6 });
  one.erp.cancel = async () => ({ kind: "notNow", reason: "the period is being closed", retryAt });
  await cancel(one, "NN2");
  const [intent] = await companies.store.query<{ seconds: number }>(
    `select extract(epoch from due_at - clock_timestamp())::float as seconds
       from web_order_intent where company = 'LATER' and kind = 'cancel'`,
  );
  expect(intent?.seconds).toBeGreaterThan(5.9 * 3600);
});

test("a change that cannot be told is late at the desk, and the connection's alarm counts it", async () => {
  const one = await taken("GONE", "NN3");
  one.erp.cancel = async () => ACCEPTED;
  one.erp.opens = () => {
    throw new ConnectorFault("transient", "connect ECONNREFUSED", "Look.");
  };
  await cancel(one, "NN3");
  await again("GONE", one, "NN3", 3);
  expect((await one.orders.desk()).entries).toEqual([]);
  expect(one.alarms.get("orders/connection")?.detail).toBe("NN3. connect ECONNREFUSED");
  const asked = one.now;
  one.now = one.now.add({ minutes: 61 });
  const [entry, ...others] = (await one.orders.desk()).entries;
  expect([others.length, entry?.kind, entry?.since, entry?.why]).toEqual([
    0,
    "late",
    asked,
    ["Cancellation 1 was asked for and is not made yet: connect ECONNREFUSED."],
  ]);
  expect(entry?.next).toMatch(/^See what stands in the way: tradepost check/);

  // Another order gets through: it waits for its patience no longer.
  one.erp.opens = null;
  one.erp.next = async () => ACCEPTED;
  orderIn(await send(one.orders, "NN4", { webOrder: "NN4", customerReference: "another" }));
  await companies.jobs.drain();
  await one.orders.advance();
  await companies.jobs.drain();
  await one.orders.advance();
  expect((await one.orders.show("NN3")).state).toBe("cancelled");
  expect([...one.alarms.keys()]).toEqual([]);
});

test("a change that waits for its connection is late at the desk", async () => {
  const one = await taken("READING", "NN5");
  one.mode = "read-only";
  await cancel(one, "NN5");
  one.now = one.now.add({ minutes: 61 });
  const [entry] = (await one.orders.desk()).entries;
  expect(entry?.why).toEqual([
    "Cancellation 1 was asked for and is not made yet: its connection is read-only.",
  ]);
});

test("what fails before anything is sent is tried ever later", async () => {
  const one = await taken("FAILS", "NN6");
  one.erp.amend = async () => ACCEPTED;
  one.erp.opens = () => {
    throw new Error("no field for it");
  };
  await one.orders.amend("NN6", {
    ...SHOP,
    idempotencyKey: "a NN6",
    body: body({ lines: [{ product: "BRICK", quantity: "5", unitPrice: "4.20" }] }),
  });
  await companies.jobs.drain();
  await again("FAILS", one, "NN6", 4);
  const tries = await companies.store.query<{ outcome: string }>(
    "select outcome from web_order_attempt where company = 'FAILS' and what = 'amend'",
  );
  expect(tries.map(({ outcome }) => outcome)).toEqual(Array(tries.length).fill("fault"));
  expect([tries.length >= 5, await changes(one, "NN6"), [...one.alarms.keys()]]).toEqual([
    true,
    ["asked"],
    [],
  ]);
});
