/** Changes of orders whose files lie in `orders/` still: what nobody has taken is taken back. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { expect, test } from "vitest";
import { openDropBox } from "#connector/files";
import { pull } from "../support/canonical-rows.ts";
import { temporaryFolder, testHost } from "../support/csv-folder.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };
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

test("one that was taken is a task, and one that the ERP has answered too, wherever its files lie", async () => {
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
  expect(far.lie()).toContain("CX2.csv");
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
