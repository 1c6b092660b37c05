/** Files taken back while the ERP answers, and orders of which nothing is there any more. */
import { randomUUIDv7 } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDropBox } from "#connector/files";
import { pull } from "../support/canonical-rows.ts";
import { temporaryFolder, testHost } from "../support/csv-folder.ts";
import { body, orderIn, send, useOrderCompanies } from "../support/order-companies.ts";

const companies = useOrderCompanies();
const SHOP = { who: "key 01a2", why: null, apiKey: "01a2", decides: false };
const KIM = { who: "kim", reason: "looked there" };
const MORE = body({ lines: [{ product: "BRICK", quantity: "5", unitPrice: "4.20" }] });

async function handedOver(company: string, webOrder: string) {
  const one = await companies.open(company, { answerWithinHours: 24 });
  const folder = await temporaryFolder();
  const orders = join(folder.path, "orders");
  one.erp.desk = openDropBox({ folder: folder.path, delimiter: "," }, testHost());
  orderIn(await send(one.orders, webOrder, { webOrder }));
  await companies.jobs.drain();
  const lie = () => readdirSync(orders).filter((name) => !name.startsWith("."));
  expect(lie()).toContain(`${webOrder}.csv`);
  return { one, lie };
}

test("an order that is held after its files were taken back can be cancelled", async () => {
  const { one, lie } = await handedOver("HELDBACK", "HC1");
  // Gone live anew since: undone, and done again, while its files lay there.
  one.live = { id: randomUUIDv7(), at: one.now };
  await one.orders.amend("HC1", { ...SHOP, idempotencyKey: "a", body: MORE });
  await companies.jobs.drain();
  expect([lie(), (await one.orders.show("HC1")).state]).toEqual([[], "held"]);
  await one.orders.cancel("HC1", KIM);
  const { state, changes } = await one.orders.show("HC1");
  expect([state, changes.map((each) => each.state)]).toEqual(["cancelled", ["done", "done"]]);
});

test("what staff keyed is seen before files are taken back for a change", async () => {
  const { one, lie } = await handedOver("KEYED", "KB1");
  one.now = one.now.add({ minutes: 5 });
  const lines = [{ line: 1, quantity: "1" }];
  await one.orders.cancelPart("KB1", { ...SHOP, idempotencyKey: "p", lines });
  const row = { erpOrder: "SO-7", account: "A1", currency: "GBP", net: "18.40", vat: "1.68" };
  const its = { orderedOn: "2026-03-31", state: "open", webOrder: "KB1" } as const;
  await pull(companies.store, "KEYED", "erp-order", [{ ...row, ...its }], one.now.toString());
  // The change is delivered before the look that follows the sync.
  one.now = one.now.add({ minutes: 1 });
  for (let turn = 0; turn < 2; turn += 1) {
    await companies.jobs.drain();
    await one.orders.advance();
  }
  await companies.jobs.drain();
  const shown = await one.orders.show("KB1");
  const tasks = (await one.orders.tasks()).map(({ about }) => about);
  expect([shown.state, shown.net, shown.erpOrder, tasks, lie()]).toEqual([
    "confirmed",
    "18.40",
    "SO-7",
    ["cancellation 1"],
    [],
  ]);
});

for (const looks of [true, false])
  test(`an answer that lands while files are taken back is not lost, looked at: ${looks}`, async () => {
    const company = looks ? "LANDS" : "LANDED";
    const { one, lie } = await handedOver(company, "RC1");
    const { desk } = one.erp;
    if (desk === null) throw new Error("no desk");
    one.erp.desk = {
      ...desk,
      takeBack: async (...asked) => {
        const said = (await desk.takeBack?.(...asked)) ?? null;
        await pull(companies.store, company, "order-acknowledgement", [
          { webOrder: "RC1", outcome: "accepted", erpOrder: "SO-7", answeredOn: "2026-03-31" },
        ]);
        if (looks) await one.orders.advance();
        return said;
      },
    };
    await one.orders.amend("RC1", { ...SHOP, idempotencyKey: "a", body: MORE });
    await companies.jobs.drain();
    await one.orders.advance();
    const shown = await one.orders.show("RC1");
    const tasks = await one.orders.tasks();
    expect([shown.state, shown.net, shown.changes.map(({ state }) => state), lie()]).toEqual([
      "accepted",
      "18.40",
      ["task"],
      [],
    ]);
    expect(tasks.map(({ about }) => about)).toEqual(["amendment 1"]);
  });

test("an order that was compared in shadow can be cancelled by a person", async () => {
  const one = await companies.open("SHADOWED");
  one.mode = "shadow";
  orderIn(await send(one.orders, "k", { webOrder: "SH1" }));
  await companies.jobs.drain();
  expect((await one.orders.show("SH1")).state).toBe("shadowed");
  await one.orders.cancel("SH1", KIM);
  expect((await one.orders.show("SH1")).state).toBe("cancelled");
});
