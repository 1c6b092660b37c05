/** Silence of an ERP whose answers nobody reads: no doubt, and no reason to send an order again. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { start } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { settingsOf } from "../support/tradepost.ts";

const companies = useOrderCompanies();
const company = useDatabase();
const KIM = { who: "kim", reason: "not seen there" };

async function handedOver(one: Opened, webOrder: string): Promise<string> {
  one.erp.finding = "file-drop";
  one.erp.again = async () => null;
  orderIn(await send(one.orders, webOrder, { webOrder }));
  await companies.jobs.drain();
  return webOrder;
}

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

test("an order is not called unanswered while its connection stands still or nobody reads", async () => {
  const one = await companies.open("STILL", { answerWithinHours: 24 });
  const number = await handedOver(one, "MN1");
  const read = one.now.add({ hours: 1 });
  one.lookedAt = read;
  one.paused = "maintenance since 31/03/2026 by J Ross: year end";
  one.now = one.now.add({ hours: 25 });
  expect(await one.orders.advance()).toMatchObject({ expired: 0 });
  const { state, reasons } = await one.orders.show(number);
  expect(state).toBe("handedOver");
  expect(reasons).toMatchInlineSnapshot(`
    [
      "The ERP was to answer it by 01/04/2026 10:00, and nobody knows whether it has: its connection stands still (maintenance since 31/03/2026 by J Ross: year end).",
    ]
  `);
  expect(one.alarms.has("orders/late")).toBe(false);
  expect(one.alarms.get("orders/unread")).toMatchInlineSnapshot(`
    {
      "detail": "MN1: its connection stands still (maintenance since 31/03/2026 by J Ross: year end).",
      "instruction": "Read what waits there as soon as it goes on: tradepost sync --connection erp; and let a schedule read it. Until then send none of them again.",
      "key": "orders/unread",
      "level": "error",
      "since": "2026-04-01T09:00:00Z",
      "title": "The ERP was to answer web orders, and its answers are not read: 1",
    }
  `);
  const [entry] = (await one.orders.desk()).entries;
  expect([entry?.kind, entry?.why, entry?.next]).toMatchInlineSnapshot(`
    [
      "late",
      [
        "The ERP was to answer it by 01/04/2026 10:00, and nobody knows whether it has: its connection stands still (maintenance since 31/03/2026 by J Ross: year end).",
      ],
      "Have the answers read: end what stands still, put right what waits in quarantine, then tradepost sync; and see that a schedule reads them.",
    ]
  `);

  // It goes on: its import stood still as well, and has its time yet.
  one.paused = null;
  one.resumedAt = one.now;
  await one.orders.advance();
  expect((await one.orders.show(number)).reasons).toEqual([]);
  expect([...one.alarms.keys()]).toEqual([]);

  // That is over, and nothing was read meanwhile.
  one.now = one.now.add({ hours: 24 });
  await one.orders.advance();
  await companies.jobs.drain();
  expect((await one.orders.show(number)).reasons).toMatchInlineSnapshot(`
    [
      "The ERP was to answer it by 01/04/2026 10:00, and nobody knows whether it has: erp/order-acknowledgements was not read since 31/03/2026 11:00.",
    ]
  `);

  one.lookedAt = one.now;
  expect(await one.orders.advance()).toMatchObject({ expired: 1 });
  expect((await one.orders.show(number)).reasons[0]).toContain("the ERP has not answered");
  expect([...one.alarms.keys()]).toContain("orders/late");
  expect(one.alarms.has("orders/unread")).toBe(false);
  expect(placings(one, number)).toBe(1);
});

test("time in which its connection stood still is none of an order's time to be answered", async () => {
  const one = await companies.open("TIME", { answerWithinHours: 24 });
  const number = await handedOver(one, "MN5");
  const pause = async (minutes: number) => {
    one.paused = "maintenance since 31/03/2026 by J Ross: upgrade";
    one.now = one.now.add({ minutes });
    await one.orders.advance();
    one.paused = null;
    one.resumedAt = one.now;
  };
  // Every hour for twenty minutes; then for two days.
  for (let hour = 0; hour < 23; hour += 1) {
    one.now = one.now.add({ minutes: 40 });
    await pause(20);
  }
  await pause(48 * 60);
  one.now = one.now.add({ hours: 8 });
  expect(await one.orders.advance()).toMatchObject({ expired: 0 });
  expect([(await one.orders.show(number)).state, [...one.alarms.keys()]]).toEqual([
    "handedOver",
    [],
  ]);
  // Fifteen hours and twenty minutes were its own, and eight of these.
  one.now = one.now.add({ minutes: 41 });
  expect(await one.orders.advance()).toMatchObject({ expired: 1 });
  // What comes after its time is over gives it none.
  const other = await handedOver(one, "MN6");
  one.now = one.now.add({ hours: 25 });
  await pause(60);
  expect(await one.orders.advance()).toMatchObject({ expired: 1 });
  expect((await one.orders.show(other)).state).toBe("inDoubt");
});

test("one in doubt is not sent again while its connection stands still, nor before anything is read after", async () => {
  const one = await companies.open("AGAIN", { answerWithinHours: 24, quietSeconds: 0 });
  const number = await handedOver(one, "MN2");
  one.now = one.now.add({ hours: 25 });
  await one.orders.advance();
  await companies.jobs.drain();
  one.lookedAt = one.now;
  one.now = one.now.add({ hours: 1 });
  one.erp.orders.clear();
  const again = () => one.orders.sendAgain(number, KIM);
  one.paused = "maintenance since 31/03/2026 by J Ross: year end";
  await expect(again()).rejects.toThrowErrorMatchingInlineSnapshot(
    `[OrderError: Sending web order MN2 again: its connection stands still (maintenance since 31/03/2026 by J Ross: year end), so that the ERP may have answered it and nobody has read that. Once erp goes on, read what waits there (tradepost sync --connection erp), put right or dismiss what is in quarantine, and look again.]`,
  );
  one.paused = null;
  one.mode = "read-only";
  await expect(again()).rejects.toThrow("its connection is read-only");
  one.mode = "live";
  one.resumedAt = one.now;
  await expect(again()).rejects.toThrow("erp/order-acknowledgements was not read since");
  expect((await one.orders.show(number)).state).toBe("inDoubt");
  one.lookedAt = one.now;
  await again();
  await companies.jobs.drain();
  expect(placings(one, number)).toBe(2);
});

test("of several streams that may bring its answer each must have been read", async () => {
  const one = await companies.open("EACH", { answerWithinHours: 24, quietSeconds: 0 });
  // Acknowledgements were read before it was handed over, and not since.
  one.lookedAt = one.now.subtract({ hours: 264 });
  const number = await handedOver(one, "MN3");
  one.now = one.now.add({ hours: 25 });
  one.ordersLookedAt = one.now;
  expect(await one.orders.advance()).toMatchObject({ expired: 0 });
  const { state, reasons } = await one.orders.show(number);
  expect(state).toBe("handedOver");
  expect(reasons[0]).toContain("erp/order-acknowledgements was not read since 20/03/2026");
  one.lookedAt = one.now;
  expect(await one.orders.advance()).toMatchObject({ expired: 1 });

  // In doubt for days, and not read meanwhile.
  one.now = one.now.add({ hours: 72 });
  one.ordersLookedAt = one.now;
  const [entry] = (await one.orders.desk()).entries;
  expect([entry?.why.slice(1), entry?.next]).toMatchInlineSnapshot(`
    [
      [
        "Whether the ERP has answered since, nobody knows: erp/order-acknowledgements was not read since 01/04/2026 11:00.",
      ],
      "Settle first what is said here, and look in the ERP. If it is there, resolve it with its number; send it again only if it is surely not.",
    ]
  `);
  await expect(one.orders.sendAgain(number, KIM)).rejects.toThrow(
    "erp/order-acknowledgements was not read since 01/04/2026",
  );
  one.lookedAt = one.now;
  one.erp.orders.clear();
  await one.orders.sendAgain(number, KIM);
  await companies.jobs.drain();
  expect(placings(one, number)).toBe(2);
});

const NAMES = {
  "an answer dated long ago": (company: string) =>
    pull(companies.store, company, "order-acknowledgement", [
      { webOrder: "MN4", outcome: "accepted", erpOrder: "SO-4", answeredOn: "2026-02-19" },
    ]),
  "an invoice without an order number": (company: string) =>
    pull(companies.store, company, "sales-document", [
      { ...INVOICE, webOrder: "MN4", erpOrder: "-", documentOn: "2026-03-31" },
    ]),
  "an invoice of a period that is over": (company: string) =>
    pull(companies.store, company, "sales-document", [
      { ...INVOICE, webOrder: "mn4", erpOrder: "SO-4", documentOn: "2026-02-19" },
    ]),
} as const;
const INVOICE = {
  documentType: "invoice",
  document: "I-4",
  account: "A1",
  currency: "GBP",
  net: "18.40",
  vat: "1.68",
  gross: "20.08",
} as const;

test.for([
  ["an answer dated long ago", "accepted as SO-4 on 19/02/2026"],
  ["an invoice without an order number", "invoiced as I-4 (order -) on 31/03/2026"],
  ["an invoice of a period that is over", "invoiced as I-4 (order SO-4) on 19/02/2026"],
] as const)(
  "%s that names an order in doubt is told before it is sent again",
  async ([what, said]) => {
    const company = `NAMED ${said.slice(0, 12)} ${said.length}`;
    const one = await companies.open(company, { answerWithinHours: 24, quietSeconds: 0 });
    const number = await handedOver(one, "MN4");
    one.now = one.now.add({ minutes: 5 });
    await NAMES[what](company);
    one.now = one.now.add({ hours: 25 });
    await one.orders.advance();
    expect((await one.orders.show(number)).state).toBe("inDoubt");
    const [entry] = (await one.orders.desk()).entries;
    expect(entry?.why.filter((why) => why.includes("What was pulled names it"))).toEqual([
      expect.stringContaining(said),
    ]);
    one.erp.orders.clear();
    await expect(one.orders.sendAgain(number, KIM)).rejects.toThrow(said);
    expect(placings(one, number)).toBe(1);
    // Whoever has been told and says so once more has looked.
    await one.orders.sendAgain(number, KIM);
    await companies.jobs.drain();
    expect(placings(one, number)).toBe(2);
  },
);

async function order(
  { pricing, orders }: CompanyServices,
  webOrder: string,
  of: { account: string; product: string },
) {
  const lines = [{ product: of.product, quantity: "1" }];
  const basket = await pricing.basket({ account: of.account, lines });
  const line = "answer" in basket ? basket.answer.lines[0] : undefined;
  if (line === undefined || line.state === "problem") throw new Error("it has no price");
  const priced = lines.map((each) => ({ ...each, unitPrice: line.unitPrice }));
  const asked = { webOrder, account: of.account, lines: priced };
  const taken = await orders.accept({
    idempotencyKey: webOrder,
    body: orderRequest.parse(asked),
    apiKey: "shop",
    test: false,
  });
  if (!("order" in taken)) throw new Error(JSON.stringify(taken.problem));
  if (taken.order.state === "held") await orders.release(webOrder, KIM);
  await orders.deliver(webOrder);
}

test("an answer that came during maintenance is read after it, and no doubt comes before that", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tradepost-unread-"));
  const merchant = createMerchant({ customers: 30, products: 60, invoiceLines: 0, years: 1 });
  const account = merchant.customers.find(
    (one) => !one.onStop && one.state === "active" && !one.cashAccount,
  )?.account;
  const product = merchant.products.find(
    ({ state, sellingUnitsPerPricingUnit: per }) => state === "active" && Number(per) === 1,
  )?.product;
  await using erp = {
    at: await start(merchant, { folder: join(folder, "erp") }),
    [Symbol.asyncDispose]: () => erp.at.close(),
  };
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settingsOf(merchant, folder)));
  let now = Temporal.Instant.from(`${merchant.today}T10:00:00Z`);
  const settings = { ...readSettings({ file }), databaseUrl: company.store.url };
  await using tradepost = await openTradepost(settings, { now: () => now, log: () => undefined });
  await goLive(company.store, "HARROW");
  const one = await tradepost.company("HARROW");
  await one.sync("erp", {});
  await one.pricing.publish();
  await order(one, "MN1", { account: account ?? "", product: product ?? "" });
  const stands = async () => (await one.orders.show("MN1")).state;
  expect(await stands()).toBe("handedOver");
  const stop = { connection: "erp", who: "J Ross", why: "year end" };
  now = now.add({ hours: 1 });
  await one.maintenance.begin({ ...stop, until: null });
  const answer = `webOrder,outcome,erpOrder,reason,answeredOn,net,vat\nMN1,accepted,SO-1,,${merchant.today},,\n`;
  writeFileSync(join(folder, "erp", "out", "order-acknowledgements-1.csv"), answer);
  now = now.add({ hours: 25 });
  await one.orders.advance();
  expect(await stands()).toBe("handedOver");
  await one.maintenance.end(stop);
  // Most of its day is left; what it has not read by then would be unread.
  await one.orders.advance();
  expect((await one.orders.show("MN1")).reasons).toEqual([]);
  await one.orders.advance();
  expect(await stands()).toBe("handedOver");
  await one.sync("erp", {});
  await one.orders.advance();
  expect(await stands()).toBe("accepted");

  // Where somebody looks and nothing lies there, silence tells.
  await order(one, "MN2", { account: account ?? "", product: product ?? "" });
  now = now.add({ hours: 25 });
  await one.orders.advance();
  expect((await one.orders.show("MN2")).state).toBe("handedOver");
  await one.sync("erp", {});
  await one.orders.advance();
  expect((await one.orders.show("MN2")).state).toBe("inDoubt");
  expect(readdirSync(join(folder, "erp", "orders"))).toContain("MN2.csv");
  rmSync(folder, { recursive: true });
}, 60_000);
