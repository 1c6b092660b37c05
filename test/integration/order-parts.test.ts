/** An order that the ERP keeps as several of its own, as a back order under a number of its own. */
import { expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies } from "../support/order-companies.ts";
import { BRICKS, confirmedWorld, KIM, PAID, SANDS, worldOf } from "../support/order-world.ts";

const companies = useOrderCompanies();
type World = ReturnType<typeof worldOf>;

const FINE = ["confirmed"];
const FIRST = { net: "8.40", vat: "1.68", state: "complete" };
const SECOND = { erpOrder: "SO2", net: "10.00", vat: "0.00" };

async function handedOver(company: string): Promise<World> {
  const one = await companies.open(company);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  return worldOf(companies, company, one);
}

const later = async (world: World, row: object) => {
  world.one.now = world.one.now.add({ minutes: 5 });
  await world.show(row);
  await world.look();
};
const duplicate = async ({ one }: World) => [...one.alarms.keys()];

test("a back order that bears our number, too, is the rest of the order, whatever is pulled first", async () => {
  const world = await confirmedWorld(companies, "SPLIT");
  await later(world, FIRST);
  await later(world, SECOND);
  expect(await world.stands()).toEqual(FINE);
  expect(await duplicate(world)).toEqual([]);
  expect((await world.one.orders.show("W1")).changedInErp).toEqual([]);
  // A third one that is beyond what was agreed is another matter.
  await later(world, { erpOrder: "SO3", net: "10.00", vat: "0.00" });
  expect((await world.stands())[1]).toContain("there as SO1 and SO2 and SO3");

  const early = await confirmedWorld(companies, "RESTFIRST");
  await later(early, SECOND);
  expect((await early.stands())[1]).toContain("Duplicate in the ERP: W1 is there as SO1 and SO2.");
  await later(early, FIRST);
  await early.look();
  expect(await early.stands()).toEqual(FINE);
  expect(await duplicate(early)).toEqual([]);
});

test("an order that is there in parts from the start is confirmed by all of them", async () => {
  const world = await handedOver("PARTS");
  await world.show({ ...FIRST, state: "open" });
  await world.show(SECOND);
  await world.look();
  expect(await world.stands()).toEqual(FINE);
  expect(await world.one.orders.show("W1")).toMatchObject({ erpOrder: "SO1", erpNet: "18.40" });
});

test("a part alone waits for the rest for a day, and then it is a person's", async () => {
  const world = await handedOver("RESTNEVER");
  const { store } = companies;
  const answer = { webOrder: "W1", outcome: "accepted", answeredOn: "2026-03-31" } as const;
  const at = world.one.now.toString();
  await pull(store, "RESTNEVER", "order-acknowledgement", [{ ...answer, erpOrder: "SO1" }], at);
  await world.show(SECOND);
  await world.look();
  expect(await world.stands()).toEqual(["handedOver"]);
  world.one.now = world.one.now.add({ hours: 24 });
  await world.look();
  expect((await world.stands())[1]).toContain("Duplicate in the ERP: W1 is there as SO1 and SO2.");
  await later(world, FIRST);
  expect(await world.stands()).toEqual(FINE);
});

test("while one of two has neither lines nor net it is waited for", async () => {
  const world = await handedOver("WAITS");
  const none = { net: null, vat: null };
  const line = ({ vat: _vat, ...goods }: typeof BRICKS) => goods;
  await world.show(none);
  await world.show({ ...none, erpOrder: "SO2" });
  await world.lines(line(BRICKS));
  await world.look();
  expect(await world.stands()).toEqual(["accepted"]);
  await world.lines(line(BRICKS), { ...line(SANDS), erpOrder: "SO2", line: 1 });
  world.one.now = world.one.now.add({ hours: 2 });
  await world.look();
  expect(await world.stands()).toEqual(FINE);

  const twice = await handedOver("ALLTWICE");
  await twice.show(none);
  await twice.show({ ...none, erpOrder: "SO2" });
  await twice.lines(line(BRICKS), line(SANDS));
  await twice.look();
  expect((await twice.stands())[1]).toContain("Duplicate in the ERP: W1 is there as SO1 and SO2.");
});

test("a person who resolves an order that is there in parts lets all of them stand", async () => {
  const world = await handedOver("LETSTAND");
  await world.show({ ...FIRST, state: "open", vat: "1.69" });
  await world.show(SECOND);
  await world.look();
  expect(await world.stands()).toEqual([
    "conflict",
    "Agreed VAT is 1.68, the ERP holds 1.69: 0.01.",
  ]);
  await world.one.orders.resolve("W1", KIM);
  await world.look();
  expect(await world.stands()).toEqual(FINE);
  // Nothing is owed back of what is in the other part.
  const [task, ...others] = await world.one.orders.tasks({ state: "open" });
  expect([task?.about, others]).toEqual(["W1 stands, and 0.01 of it is not paid", []]);
});
