/** What the ERP charges and sends, against what was agreed and what a person let stand. */
import { expect, test } from "vitest";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import {
  BRICKS,
  confirmedWorld,
  KIM,
  PAID,
  SANDS,
  worldOf as world,
} from "../support/order-world.ts";

const companies = useOrderCompanies();
const worldOf = (company: string, one: Opened) => world(companies, company, one);
const confirmed = (company: string) => confirmedWorld(companies, company);

const SHOP = { who: "key shop", why: null, apiKey: "shop", decides: false };

const cancel = async ({ orders }: Opened, lines: readonly object[] | null) => {
  await orders.cancelPart("W1", { ...SHOP, idempotencyKey: "c", lines: lines as never });
  await companies.jobs.drain();
};

test("what is charged otherwise is a conflict for as long as it is charged so", async () => {
  const { one, ...world } = await confirmed("DEARER");
  await world.invoice("I1", { net: "28.40" }, BRICKS, { ...SANDS, net: "20.00" });
  for (let looks = 0; looks < 4; looks += 1) {
    await world.look();
    expect(await world.stands()).toEqual([
      "conflict",
      "Agreed net is 18.40, invoiced is 28.40: 10.00.",
    ]);
  }
  const conflicts = (await one.orders.show("W1")).events.filter(
    ({ event }) => event === "conflict",
  );
  expect(conflicts).toHaveLength(1);
});

test("what is invoiced a second time is a conflict; back orders with numbers of their own are none", async () => {
  const twice = await confirmed("TWICE");
  await twice.invoice("I1", {}, BRICKS, SANDS);
  await twice.look();
  expect(await twice.stands()).toEqual(["confirmed"]);
  await twice.invoice("I2", {}, BRICKS, SANDS);
  await twice.look();
  expect(await twice.stands()).toEqual([
    "conflict",
    "Agreed are 2 of BRICK, invoiced are 4.",
    "Agreed are 1 of SAND, invoiced are 2.",
  ]);
  const parts = await confirmed("BACKORDER");
  await parts.invoice("I1", { net: "8.40" }, BRICKS);
  await parts.invoice("I2", { net: "10.00", vat: "0.00", erpOrder: "SO1/B" }, SANDS);
  await parts.look();
  expect(await parts.stands()).toEqual(["confirmed"]);
});

test("an invoice for several orders is compared by the lines that name ours", async () => {
  const { one, ...world } = await confirmed("CONSOLIDATED");
  // Long over, so that only what was learned of it lately has it looked at.
  one.now = one.now.add({ hours: 8 * 24 });
  await world.look();
  const ours = { erpOrder: "SO1", erpOrderLine: 1 };
  await world.invoice(
    "I1",
    { webOrder: null, erpOrder: null, net: "136.80" },
    { ...BRICKS, ...ours },
    { ...SANDS, ...ours, erpOrderLine: 2, net: "90.00" },
    { ...SANDS, quantity: "3", net: "38.40", erpOrder: "SO99", erpOrderLine: 1 },
  );
  await world.look();
  expect(await world.stands()).toEqual([
    "conflict",
    "Agreed net is 18.40, invoiced is 98.40: 80.00.",
  ]);
});

test("an order that was invoiced or sent before its cancellation was closed is a conflict", async () => {
  const { one, ...world } = await confirmed("TOOLATE");
  await cancel(one, null);
  one.now = one.now.add({ minutes: 5 });
  await world.invoice("I1", {}, BRICKS, SANDS);
  await world.look();
  await world.close();
  await world.look();
  expect((await world.stands())[1]).toContain("is cancelled here, and the ERP invoiced it as I1");
  // A person who cancels it all the same has seen that.
  await one.orders.cancel("W1", { who: "kim", reason: "it is credited there" });
  await world.look();
  expect((await world.stands())[0]).toBe("cancelled");

  const sent = await confirmed("SENT");
  await cancel(sent.one, null);
  await sent.close();
  sent.one.now = sent.one.now.add({ minutes: 5 });
  const gone = { unitPrice: "4.20", despatchedQuantity: "2" };
  await sent.lines({ ...BRICKS, ...gone, vat: undefined }, { ...SANDS, vat: undefined });
  await sent.look();
  expect((await sent.stands())[1]).toContain("is cancelled here, and the ERP despatched it as SO1");
});

test("a part that was to be cancelled and is invoiced all the same is a conflict", async () => {
  const { one, ...world } = await confirmed("NOTMADE");
  await cancel(one, [{ line: 1, quantity: "1" }]);
  await world.close();
  await world.invoice("I1", {}, BRICKS, SANDS);
  await world.look();
  const differs = ["conflict", "Agreed are 1 of BRICK, invoiced are 2."];
  expect(await world.stands()).toEqual(differs);
  // Its row shows what was before, too.
  await world.show({ state: "complete" });
  await world.look();
  expect(await world.stands()).toEqual(differs);
});

test("an amendment that was made with other goods of the same value is a conflict", async () => {
  const { one, ...world } = await confirmed("SAMEVALUE");
  await world.lines({ ...BRICKS, vat: undefined }, { ...SANDS, vat: undefined });
  await world.look();
  const lines = [
    { product: "BRICK", quantity: "2", unitPrice: "4.20" },
    { product: "SAND", quantity: "2", unitPrice: "10.00" },
  ];
  const changed = body({ webOrder: "W1", lines, ...PAID });
  await one.orders.amend("W1", { ...SHOP, idempotencyKey: "a", body: changed });
  await companies.jobs.drain();
  one.now = one.now.add({ minutes: 5 });
  const grit = { product: "GRIT", quantity: "100", unitPrice: "0.10", net: "10.00" };
  await world.show({ net: "28.40" });
  const [bricks, sands] = [
    { ...BRICKS, vat: undefined },
    { ...SANDS, vat: undefined },
  ];
  await world.lines(bricks, sands, grit);
  // While a person is at it nothing is said.
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
  await world.close();
  await world.look();
  expect(await world.stands()).toEqual([
    "conflict",
    "Agreed are 0 of GRIT, the ERP holds 100.",
    "Agreed are 2 of SAND, the ERP holds 1.",
  ]);
});

test("an amendment that staff key before they close its task is no conflict, also without a net", async () => {
  const one = await companies.open("NONET");
  const world = worldOf("NONET", one);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  const none = { net: null, vat: null };
  const bricks = { ...BRICKS, vat: undefined };
  await world.show(none);
  await world.lines(bricks, { ...SANDS, vat: undefined });
  one.now = one.now.add({ hours: 2 });
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
  const lines = [
    { product: "BRICK", quantity: "2", unitPrice: "4.20" },
    { product: "SAND", quantity: "3", unitPrice: "10.00" },
  ];
  const changed = body({ webOrder: "W1", lines, ...PAID });
  await one.orders.amend("W1", { ...SHOP, idempotencyKey: "a", body: changed });
  await companies.jobs.drain();
  one.now = one.now.add({ minutes: 5 });
  await world.lines(bricks, { ...SANDS, quantity: "3", net: "30.00", vat: undefined });
  one.now = one.now.add({ hours: 2 });
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
  await world.close();
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
});

test("what the ERP's order says otherwise may be charged, also where its lines alone say it", async () => {
  const one = await companies.open("NOVAT");
  const world = worldOf("NOVAT", one);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  await world.show({ vat: "0.00" });
  await world.look();
  expect((await world.stands())[1]).toBe("Agreed VAT is 1.68, the ERP holds 0.00: -1.68.");
  await one.orders.resolve("W1", KIM);
  await world.look();
  await world.invoice("I1", { vat: "0.00" }, { ...BRICKS, vat: "0.00" }, SANDS);
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);

  const bare = await companies.open("BARE");
  const lines = worldOf("BARE", bare);
  orderIn(await send(bare.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  const [bricks, sands] = [
    { ...BRICKS, vat: undefined },
    { ...SANDS, vat: undefined },
  ];
  await lines.show({ net: null, vat: null });
  await lines.lines(bricks, sands);
  bare.now = bare.now.add({ hours: 2 });
  await lines.look();
  expect(await lines.stands()).toEqual(["confirmed"]);
  const carriage = { product: "CARR", quantity: "1", unitPrice: "5.00", net: "5.00" };
  await lines.lines(bricks, sands, carriage);
  bare.now = bare.now.add({ hours: 2 });
  await lines.look();
  await lines.invoice("I1", { net: "23.40" }, BRICKS, SANDS, { ...carriage, vat: "0.00" });
  await lines.look();
  expect(await lines.stands()).toEqual(["confirmed"]);
});

test("what a person lets stand is that, and nothing that comes later", async () => {
  const later = async (company: string) => {
    const one = await companies.open(company);
    const world = worldOf(company, one);
    orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
    await companies.jobs.drain();
    await world.show({ vat: "1.69" });
    await world.look();
    expect((await world.stands())[1]).toBe("Agreed VAT is 1.68, the ERP holds 1.69: 0.01.");
    await one.orders.resolve("W1", KIM);
    await world.look();
    expect(await world.stands()).toEqual(["confirmed"]);
    one.now = one.now.add({ minutes: 5 });
    return world;
  };
  const dear = await later("THENDEAR");
  await dear.invoice("I1", { net: "284.00" }, BRICKS, { ...SANDS, net: "275.60" });
  await dear.look();
  expect((await dear.stands())[1]).toContain("invoiced is 284.00");
  const moved = await later("THENMOVED");
  await moved.show({ account: "A2", webOrder: null, net: "99.00" });
  await moved.look();
  const others = "The ERP holds it for account A2, it was ordered by A1.";
  expect(await moved.stands()).toEqual(["conflict", others]);
  // That is another customer's order: cancelling ours leaves it alone.
  await moved.one.orders.cancel("W1", { who: "kim", reason: "another customer's" });
  moved.one.now = moved.one.now.add({ minutes: 5 });
  await moved.show({ account: "A2", webOrder: null, net: "99.00", state: "part-despatched" });
  await moved.look();
  expect(await moved.stands()).toEqual(["cancelled"]);
  expect((await moved.one.orders.show("W1")).erpOrder).toBeNull();
});

test("an order that another customer has is not linked by a slip of the pen, nor believed unseen", async () => {
  const one = await companies.open("SLIP");
  const world = worldOf("SLIP", one);
  one.erp.finding = "file-drop";
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  one.now = one.now.add({ hours: 25 });
  await one.orders.advance();
  await world.show({ account: "A2", webOrder: null, erpOrder: "SO77", net: "99.00" });
  const as = (erpOrder: string) => one.orders.resolve("W1", { ...KIM, erpOrder, seenThere: true });
  await expect(as("SO77")).rejects.toThrow("ERP order SO77 is account A2's, and bears no web");
  await as("SO78");
  await world.show({ erpOrder: "SO78", webOrder: null, net: "99.00" });
  await world.look();
  expect(await world.stands()).toEqual([
    "conflict",
    "Agreed net is 18.40, the ERP holds 99.00: 80.60.",
  ]);
});

test("a conflict of charges ends where the ERP's order, or a credit note, comes after the invoice", async () => {
  const late = await confirmed("ROWLATE");
  const carriage = { product: "CARR", quantity: "1", unitPrice: "5.00", net: "5.00" };
  await late.invoice("I1", { net: "23.40" }, BRICKS, SANDS, { ...carriage, vat: "0.00" });
  await late.look();
  expect(await late.stands()).toEqual([
    "conflict",
    "Agreed net is 18.40, invoiced is 23.40: 5.00.",
  ]);
  await late.show({ net: "23.40" });
  await late.look();
  expect(await late.stands()).toEqual(["confirmed"]);

  // Once resolved, too: the number is a person's from then on, what is charged is not.
  const one = await companies.open("CREDITED");
  const world = worldOf("CREDITED", one);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  await world.show({ vat: "1.69" });
  await world.look();
  await one.orders.resolve("W1", KIM);
  one.now = one.now.add({ minutes: 5 });
  await world.invoice("I1", { net: "28.40", vat: "1.69" }, BRICKS, { ...SANDS, net: "20.00" });
  await world.look();
  expect((await world.stands())[0]).toBe("conflict");
  const less = {
    documentType: "credit",
    document: "C1",
    net: "10.00",
    vat: "0.00",
    gross: "10.00",
  };
  await world.invoice("C1", less, { ...SANDS, ...less, quantity: "0" });
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
});

test("what a person let stand of one part invoice is no conflict of the next", async () => {
  const world = await confirmed("PARTS");
  await world.invoice(
    "I1",
    { net: "4.60", vat: "0.92" },
    { ...BRICKS, quantity: "1", net: "4.60", vat: "0.92" },
  );
  await world.look();
  expect((await world.stands())[1]).toBe(
    "Agreed net of what is invoiced is 4.20, invoiced is 4.60: 0.40.",
  );
  await world.one.orders.resolve("W1", KIM);
  world.one.now = world.one.now.add({ minutes: 5 });
  const rest = { ...BRICKS, quantity: "1", net: "4.20", vat: "0.84" };
  await world.invoice("I2", { net: "14.20", vat: "0.84" }, rest, SANDS);
  await world.look();
  expect(await world.stands()).toEqual(["confirmed"]);
});

test("VAT that a person let stand is owed once, in whatever parts the goods are invoiced", async () => {
  const one = await companies.open("NOVATPARTS");
  const world = worldOf("NOVATPARTS", one);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  await world.show({ vat: "0.00" });
  await world.lines({ ...BRICKS, vat: undefined }, { ...SANDS, vat: undefined });
  await world.look();
  await one.orders.resolve("W1", KIM);
  const owed = async () =>
    (await one.orders.tasks({ state: "open" }))
      .filter(({ kind }) => kind === "refund")
      .map(({ amount }) => amount);
  await world.look();
  expect(await owed()).toEqual(["1.68"]);
  await world.invoice("I1", { net: "8.40", vat: "0.00" }, { ...BRICKS, vat: "0.00" });
  await world.look();
  expect(await owed()).toEqual(["1.68"]);
  await world.invoice("I2", { net: "10.00", vat: "0.00" }, SANDS);
  await world.look();
  expect(await owed()).toEqual(["1.68"]);
  expect(await world.stands()).toEqual(["confirmed"]);
});
