/** Changes of orders whose files lie in `orders/` still: what nobody has taken is taken back. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { openDropBox } from "#connector/files";
import { pull } from "../support/canonical-rows.ts";
import { temporaryFolder, testHost } from "../support/csv-folder.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };
const KIM = { who: "kim", reason: "looked there" };
const MORE = { lines: [{ product: "BRICK", quantity: "5", unitPrice: "4.20" }] };

async function openWithFolder(company: string) {
  const one = await companies.open(company, { answerWithinHours: 24 });
  const folder = await temporaryFolder();
  const orders = join(folder.path, "orders");
  one.erp.desk = openDropBox({ folder: folder.path, delimiter: "," }, testHost());
  const lie = () => readdirSync(orders).filter((name) => !name.startsWith("."));
  return {
    ...one,
    one,
    folder,
    lie,
    handOver: async (webOrder: string) => {
      orderIn(await send(one.orders, webOrder, { webOrder }));
      await companies.jobs.drain();
      expect(lie()).toContain(`${webOrder}.csv`);
    },
    /** The ERP's import. */
    take: async () => {
      await mkdir(join(folder.path, "taken"), { recursive: true });
      for (const name of lie()) await rename(join(orders, name), join(folder.path, "taken", name));
    },
    cancel: async (webOrder: string) => {
      await one.orders.cancelPart(webOrder, {
        ...SHOP,
        idempotencyKey: `c ${webOrder}`,
        lines: null,
      });
      await companies.jobs.drain();
    },
    amend: async (webOrder: string) => {
      await one.orders.amend(webOrder, {
        ...SHOP,
        idempotencyKey: `a ${webOrder}`,
        body: body(MORE),
      });
      await companies.jobs.drain();
    },
    stands: async (webOrder: string) => {
      const { id, state, net } = await one.orders.show(webOrder);
      const tasks = await one.orders.tasks({ order: id });
      return [state, net, tasks.map(({ about, state: is }) => `${about}: ${is}`)];
    },
    quantities: (webOrder: string) =>
      parse<{ quantity: string }>(readFileSync(join(orders, `${webOrder}-lines.csv`)), {
        columns: true,
      }).map(({ quantity }) => quantity),
  };
}

test("an order that nobody has taken is cancelled by taking its files back", async () => {
  const far = await openWithFolder("BACK");
  await far.handOver("CX1");
  await far.handOver("CX2");
  await far.cancel("CX1");
  expect(await far.stands("CX1")).toEqual(["cancelled", "18.40", []]);
  expect(far.lie()).toEqual(["CX2-lines.csv", "CX2.csv", "CX2.manifest.json"]);
  const { events, changes } = await far.orders.show("CX1");
  expect(changes.map(({ state }) => state)).toEqual(["done"]);
  expect(events.at(-1)?.event).toBe("cancel");
  expect(JSON.stringify(changes)).toContain("was taken back before it was taken from orders/");
});

test("one that was taken is a task, and one that the ERP has answered too, wherever its files lay", async () => {
  const far = await openWithFolder("TAKEN");
  await far.handOver("CX1");
  await far.take();
  await far.cancel("CX1");
  expect(await far.stands("CX1")).toEqual(["handedOver", "18.40", ["cancellation 1: open"]]);
  await far.handOver("CX2");
  await pull(companies.store, "TAKEN", "order-acknowledgement", [
    { webOrder: "CX2", outcome: "accepted", erpOrder: "SO-2", answeredOn: "2026-03-31" },
  ]);
  await far.orders.advance();
  await far.cancel("CX2");
  expect(await far.stands("CX2")).toEqual(["accepted", "18.40", ["cancellation 1: open"]]);
  expect(far.lie()).toEqual([]);
});

test("one that nobody has taken is amended by dropping it anew, once", async () => {
  const far = await openWithFolder("ANEW");
  await far.handOver("AM1");
  expect(far.quantities("AM1")).toEqual(["2", "1"]);
  await far.amend("AM1");
  expect(await far.stands("AM1")).toEqual(["handedOver", "21.00", []]);
  expect(far.quantities("AM1")).toEqual(["5"]);
  expect(far.lie()).toEqual(["AM1-lines.csv", "AM1.csv", "AM1.manifest.json"]);
  await far.take();
  await far.orders.advance();
  await companies.jobs.drain();
  expect(far.lie()).toEqual([]);
  await far.cancel("AM1");
  expect(await far.stands("AM1")).toEqual(["handedOver", "21.00", ["cancellation 2: open"]]);
});

test("one that was never answered and lies there still is taken back as well", async () => {
  const far = await openWithFolder("STILL");
  await far.handOver("CX1");
  far.one.now = far.one.now.add({ hours: 25 });
  await far.orders.advance();
  expect((await far.stands("CX1"))[0]).toBe("inDoubt");
  await far.cancel("CX1");
  expect(await far.stands("CX1")).toEqual(["cancelled", "18.40", []]);
  expect(far.lie()).toEqual([]);
});

const PART = [{ line: 1, quantity: "1" }];

test("one that was never answered and lies there still is dropped anew when it is amended, or a part of it cancelled", async () => {
  const far = await openWithFolder("OVERDUE");
  await far.handOver("AM1");
  await far.handOver("AM2");
  far.one.now = far.one.now.add({ hours: 25 });
  await far.orders.advance();
  expect((await far.stands("AM1"))[0]).toBe("inDoubt");
  await far.amend("AM1");
  await far.orders.cancelPart("AM2", { ...SHOP, idempotencyKey: "part", lines: PART });
  await companies.jobs.drain();
  expect(await far.stands("AM1")).toEqual(["handedOver", "21.00", []]);
  expect(await far.stands("AM2")).toEqual(["handedOver", "14.20", []]);
  expect([far.quantities("AM1"), far.quantities("AM2")]).toEqual([["5"], ["1", "1"]]);
  // Taken meanwhile, it is a person's as ever.
  await far.take();
  far.one.now = far.one.now.add({ hours: 25 });
  await far.orders.advance();
  await far.amend("AM2");
  expect((await far.stands("AM2"))[0]).toBe("inDoubt");
  expect(far.lie()).toEqual([]);
});

const OTHERWISE = {
  "read back as staff keyed it": (company: string) =>
    pull(companies.store, company, "erp-order", [
      { ...KEYED, erpOrder: "SO-7", webOrder: "LY1", net: "18.40", vat: "1.68" },
    ]),
  "another sum in the ERP": (company: string) =>
    pull(companies.store, company, "erp-order", [
      { ...KEYED, erpOrder: "SO-7", webOrder: "LY1", net: "28.40", vat: "1.68" },
    ]),
  refused: (company: string) =>
    pull(companies.store, company, "order-acknowledgement", [
      { webOrder: "LY1", outcome: "refused", reason: "on stop", answeredOn: "2026-03-31" },
    ]),
  accepted: (company: string) =>
    pull(companies.store, company, "order-acknowledgement", [
      { webOrder: "LY1", outcome: "accepted", erpOrder: "SO-7", answeredOn: "2026-03-31" },
    ]),
} as const;
const KEYED = { account: "A1", currency: "GBP", orderedOn: "2026-03-31" } as const;

test.for([
  ["read back as staff keyed it", "confirmed"],
  ["another sum in the ERP", "conflict"],
  ["refused", "refused"],
  ["accepted", "accepted"],
] as const)(
  "%s: what of the order lies there still is taken back before an import makes it once more",
  async ([how, state]) => {
    for (const hours of [0, 25]) {
      const company = `LIE ${state} ${hours}`;
      const far = await openWithFolder(company);
      await far.handOver("LY1");
      await far.handOver("LY2");
      far.one.now = far.one.now.add({ hours });
      await far.orders.advance();
      await OTHERWISE[how](company);
      await far.orders.advance();
      await companies.jobs.drain();
      expect((await far.stands("LY1"))[0]).toBe(state);
      expect(far.lie()).toEqual(["LY2-lines.csv", "LY2.csv", "LY2.manifest.json"]);
      const told = (await far.orders.show("LY1")).events.filter(
        ({ event }) => event === "taken-back",
      );
      expect(told.map(({ about }) => about)).toEqual([
        expect.stringContaining("was taken back before it was taken from orders/"),
      ]);
      await far.orders.advance();
      expect(far.one.alarms.has("orders/lying")).toBe(false);
    }
  },
);

test("a person who says which order it is there leaves no file that would make it once more", async () => {
  const far = await openWithFolder("SEEN");
  await far.handOver("LY1");
  far.one.now = far.one.now.add({ hours: 25 });
  await far.orders.advance();
  await far.orders.resolve("LY1", { ...KIM, erpOrder: "SO-77", seenThere: true });
  await companies.jobs.drain();
  expect((await far.stands("LY1"))[0]).toBe("confirmed");
  expect(far.lie()).toEqual([]);
});

test("what was taken is not said to have been taken back, and nobody is told of it", async () => {
  const far = await openWithFolder("GONE");
  await far.handOver("LY1");
  await far.take();
  await OTHERWISE.accepted("GONE");
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  const { events } = await far.orders.show("LY1");
  expect(events.map(({ event }) => event)).not.toContain("taken-back");
  expect(far.one.alarms.has("orders/lying")).toBe(false);
});

test("while nobody can take it back an alarm says what may lie where, until it is taken back", async () => {
  const far = await openWithFolder("TOLD");
  await far.handOver("LY1");
  await far.handOver("LY2");
  const out = join(far.folder.path, "out");
  await rename(out, `${out}-away`);
  await OTHERWISE["another sum in the ERP"]("TOLD");
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.cancel("LY1", KIM);
  await far.orders.advance();
  const alarm = far.one.alarms.get("orders/lying");
  expect([alarm?.title, alarm?.instruction]).toMatchInlineSnapshot(`
    [
      "Files may lie in orders/ of web orders that stand otherwise: 1",
      "Taken by the ERP's import they would be orders once more: before it runs, take the files that bear these numbers away from orders/, the header (NUMBER.csv) first. They are taken back by themselves as soon as that can be done.",
    ]
  `);
  expect(alarm?.detail).toContain("LY1 (cancelled): Taking order LY1 back from");
  expect(far.lie()).toContain("LY1.csv");

  await rename(`${out}-away`, out);
  await companies.store.transaction((tx) =>
    tx.affect("update web_order_lying set due_at = null where company = $1", ["TOLD"]),
  );
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  expect(far.lie()).toEqual(["LY2-lines.csv", "LY2.csv", "LY2.manifest.json"]);
  expect(far.one.alarms.has("orders/lying")).toBe(false);
});

test("while the connection stands still, or a part of it is gone, a person is told at once", async () => {
  const far = await openWithFolder("PART");
  await far.handOver("LY1");
  far.one.paused = "maintenance since 31/03/2026 by J Ross: year end";
  await far.orders.resolve("LY1", { ...KIM, erpOrder: "SO-77", seenThere: true });
  await companies.jobs.drain();
  await far.orders.advance();
  expect(far.one.alarms.get("orders/lying")?.detail).toMatchInlineSnapshot(
    `"LY1 (confirmed): maintenance since 31/03/2026 by J Ross: year end"`,
  );
  expect(far.lie()).toContain("LY1.csv");

  far.one.paused = null;
  await rm(join(far.folder.path, "orders", "LY1-lines.csv"));
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  expect(far.one.alarms.get("orders/lying")?.detail).toMatch(
    /LY1 \(confirmed\): Not all of it is there any more. LY1.csv .* it waits in orders/,
  );
});

test("while it stands still nobody is told of what an import has answered, but of what staff keyed", async () => {
  const far = await openWithFolder("STANDS");
  await far.handOver("LY1");
  await far.take();
  await far.handOver("LY2");
  far.one.paused = "maintenance since 31/03/2026 by J Ross: upgrade";
  // Answers are read from another connection, which goes on.
  await OTHERWISE.accepted("STANDS");
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  expect((await far.stands("LY1"))[0]).toBe("accepted");
  expect([...far.one.alarms.keys()]).toEqual([]);
  await pull(companies.store, "STANDS", "erp-order", [
    { ...KEYED, erpOrder: "SO-8", webOrder: "LY2", net: "18.40", vat: "1.68" },
  ]);
  await far.orders.advance();
  expect((await far.stands("LY2"))[0]).toBe("confirmed");
  expect(far.one.alarms.get("orders/lying")?.detail).toMatch(/^LY2 \(confirmed\): maintenance/);
  far.one.paused = null;
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  expect([far.lie(), [...far.one.alarms.keys()]]).toEqual([[], []]);
});

test("one that goes on its way again keeps what lies there", async () => {
  const far = await openWithFolder("AGAIN");
  await far.handOver("LY1");
  const out = join(far.folder.path, "out");
  await rename(out, `${out}-away`);
  await OTHERWISE.accepted("AGAIN");
  await far.orders.advance();
  await companies.jobs.drain();
  expect((await far.stands("LY1"))[0]).toBe("accepted");
  await rename(`${out}-away`, out);
  const { id } = await far.orders.show("LY1");
  // As `orders lost send-again` leaves it.
  await companies.store.transaction(async (tx) => {
    await tx.affect("delete from order_acknowledgement where company = $1", ["AGAIN"]);
    const set = "state = 'queued', erp_order = null, handed_over_at = null, version = version + 1";
    await tx.affect(`update web_order set ${set} where company = $1 and id = $2`, ["AGAIN", id]);
  });
  await far.orders.deliver("LY1");
  expect(far.lie()).toContain("LY1.csv");
});

test("as long as the share is away it is neither cancelled nor a person's", async () => {
  const far = await openWithFolder("AWAY");
  await far.handOver("CX1");
  const out = join(far.folder.path, "out");
  await rename(out, `${out}-away`);
  await far.cancel("CX1");
  expect(await far.stands("CX1")).toEqual(["handedOver", "18.40", []]);
  await rename(`${out}-away`, out);
  await companies.store.transaction((tx) =>
    tx.affect("update web_order_intent set due_at = null where company = $1", ["AWAY"]),
  );
  await far.orders.deliver("CX1");
  expect(await far.stands("CX1")).toEqual(["cancelled", "18.40", []]);
  expect(far.lie()).toEqual([]);
});

test("back in shadow, what lies there is taken back for a customer who cancels", async () => {
  const far = await openWithFolder("SHADOW");
  await far.handOver("CX1");
  far.one.mode = "shadow";
  await far.cancel("CX1");
  expect(await far.stands("CX1")).toEqual(["cancelled", "18.40", []]);
  expect(far.lie()).toEqual([]);
});

test("where nothing may be written the desk says what the customer asked for", async () => {
  const far = await openWithFolder("READ");
  await far.handOver("CX1");
  far.one.mode = "read-only";
  await far.cancel("CX1");
  far.one.now = far.one.now.add({ hours: 25 });
  await far.orders.advance();
  const [entry] = (await far.orders.desk()).entries;
  expect([entry?.kind, entry?.why.at(-1)]).toEqual([
    "late",
    "Cancellation 1 was asked for and is not made yet: its connection is read-only.",
  ]);
  expect(far.lie()).toContain("CX1.csv");
});

test("where nothing may be written it is looked for, and told only where it lies there", async () => {
  const far = await openWithFolder("LOOK");
  await far.handOver("LY0");
  await far.take();
  await far.handOver("LY1");
  far.one.mode = "read-only";
  const answered = (webOrder: string, erpOrder: string) =>
    ({ webOrder, erpOrder, outcome: "accepted", answeredOn: "2026-03-31" }) as const;
  await pull(companies.store, "LOOK", "order-acknowledgement", [
    answered("LY0", "SO-0"),
    answered("LY1", "SO-1"),
  ]);
  await far.orders.advance();
  await companies.jobs.drain();
  await far.orders.advance();
  const alarm = far.one.alarms.get("orders/lying");
  expect(alarm?.title).toMatch(/: 1$/);
  expect(alarm?.detail).toMatch(/^LY1 \(accepted\): Its connection is read-only. LY1.csv .* waits/);
  expect(far.lie()).toContain("LY1.csv");
});

/** The same folder under a database that knows nothing of what was dropped there. */
async function forgotten(company: string, far: Awaited<ReturnType<typeof openWithFolder>>) {
  const other = await companies.open(company, { answerWithinHours: 24 });
  other.erp.desk = far.one.erp.desk;
  const taken = orderIn(await send(other.orders, "RS1", { webOrder: "RS1" }));
  await companies.jobs.drain();
  return { other, taken };
}

test("what the journal says was taken back is a person's, whoever has forgotten it", async () => {
  const far = await openWithFolder("BEFORE");
  await far.handOver("RS1");
  await far.cancel("RS1");
  const { other } = await forgotten("RESTORED", far);
  const { state, reasons } = await other.orders.show("RS1");
  expect(state).toBe("inDoubt");
  expect(reasons[0]).toContain("was taken back before it was taken from orders/.");
  expect(reasons[0]).toContain('Why, says its journal: "The customer asked for it."');
  expect(far.lie()).toEqual([]);

  // It was cancelled, and is cancelled again.
  await other.orders.cancel("RS1", KIM);
  await companies.jobs.drain();
  expect((await other.orders.show("RS1")).state).toBe("cancelled");

  // Or it is wanted after all.
  const { other: wanted } = await forgotten("WANTED", far);
  await wanted.orders.sendAgain("RS1", KIM);
  await companies.jobs.drain();
  expect((await wanted.orders.show("RS1")).state).toBe("handedOver");
  expect(far.lie()).toContain("RS1.csv");
});

test("one that was handed over at the backup and taken back since says so before it is sent again", async () => {
  const far = await openWithFolder("SINCE");
  await far.handOver("RS1");
  const said = await far.one.erp.desk?.takeBack?.("RS1", "The customer asked for it.");
  far.one.now = far.one.now.add({ hours: 25 });
  // Nobody looks into the journal before the person does.
  const { id } = await far.orders.show("RS1");
  const held = (sql: string) => companies.store.transaction((tx) => tx.affect(sql, ["SINCE", id]));
  await held(`insert into web_order_lease (company, order_id, holder, until)
    values ($1, $2, gen_random_uuid(), clock_timestamp() + interval '1 hour')`);
  await far.orders.advance();
  await expect(far.orders.sendAgain("RS1", KIM)).rejects.toThrow("The customer asked for it.");
  await held("delete from web_order_lease where company = $1 and order_id = $2");
  await far.orders.deliver("RS1");
  const { state, reasons } = await far.orders.show("RS1");
  expect(state).toBe("inDoubt");
  expect(reasons[0]).toContain(said);
  expect(far.lie()).toEqual([]);
  await far.orders.sendAgain("RS1", KIM);
  await companies.jobs.drain();
  expect((await far.orders.show("RS1")).state).toBe("handedOver");
  expect(far.lie()).toContain("RS1.csv");
});
