/** Web orders that an ERP's files name and that nobody here took: what is left of an order lost. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import { useDatabase } from "../support/database.ts";

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-unknown-"));
const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");
let tradepost: Tradepost;
let company: CompanyServices;

const SETTINGS = JSON.stringify({
  companies: {
    ONE: {
      name: "One Ltd",
      connections: {
        erp: {
          connector: "csv",
          mode: "read-only",
          mappings: "tradepost-csv",
          settings: { folder, stableForMs: 0 },
        },
      },
      orders: { checks: { stale: "accept" }, repeatedWithinMinutes: 0 },
    },
  },
});

beforeAll(async () => {
  mkdirSync(join(folder, "out"));
  const settings = readSettings({ file: "tradepost.yaml", text: SETTINGS });
  const at = { ...settings, databaseUrl: database.store.url };
  tradepost = await openTradepost(at, { now: () => NOW, log: () => undefined });
  company = await tradepost.company("ONE");
  file("customers-1.csv", "account,name,state", "A1,Ashby,active");
  file("products-1.csv", "product,name", "NAIL,Nail");
  file(
    "price-rules-1.csv",
    "rule,customerScope,customerCode,productScope,productCode,kind,value,currency",
    "R1,everyone,,product,NAIL,fixed,3.45,GBP",
  );
  await company.sync("erp", {});
  await company.pricing.publish();
});
afterAll(async () => {
  await tradepost[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function file(name: string, ...lines: readonly string[]): void {
  writeFileSync(join(folder, "out", name), `${lines.join("\n")}\n`);
}

const ANSWERS = "webOrder,outcome,erpOrder,reason,answeredOn,net,vat";
const ORDERS = "erpOrder,account,orderedOn,state,webOrder,net,vat";

async function take(webOrder: string): Promise<void> {
  const lines = [{ product: "NAIL", quantity: "1", unitPrice: "3.45" }];
  const taken = await company.orders.accept({
    idempotencyKey: webOrder,
    body: orderRequest.parse({ webOrder, account: "A1", lines }),
    apiKey: "shop",
    test: false,
  });
  expect("order" in taken).toBe(true);
}

const found = async (state: "open" | "explained" | "closed" = "open") =>
  (await company.completeness.list({ kind: "unknown-order", state })).map(
    ({ title, detail, worth }) => `${title}. ${detail} ${worth}`,
  );

test("answers of an older system are not missed where no order was taken here yet", async () => {
  file("order-acknowledgements-1.csv", ANSWERS, "OLD1,accepted,SO-1,,2026-03-30,3.45,0.69");
  await company.sync("erp", {});
  expect(await found()).toEqual([]);
});

test("answers and ERP orders of web orders that nobody took are told, with an alarm", async () => {
  await take("W1");
  file(
    "order-acknowledgements-2.csv",
    ANSWERS,
    "w1 ,accepted,SO-2,,2026-03-31,3.45,0.00",
    "LOST1,accepted,SO-3,,2026-03-31,6.90,1.38",
    // Another installation's, of before the first order that was taken here.
    "OLD2,accepted,SO-4,,2026-03-01,3.45,0.69",
  );
  file("erp-orders-1.csv", ORDERS, "SO-5,A1,2026-03-31,open,LOST2,10.35,2.07");
  const results = await company.sync("erp", {});
  expect(results.flatMap(({ notes }) => notes).join(" ")).toContain("LOST1");
  expect(await found()).toMatchInlineSnapshot(`
    [
      "1 web order that answers name is not known here. Not known here: LOST1. Nobody here took them, and nothing follows from the rows. 8.28",
      "1 web order that ERP orders name is not known here. Not known here: LOST2. Nobody here took them, and nothing follows from the rows. 12.42",
    ]
  `);
  const alarms = await company.alarms.list({ open: true });
  expect(alarms.map(({ title }) => title)).toEqual(
    expect.arrayContaining([expect.stringContaining("order-acknowledgements: 1 web order")]),
  );
});

test("sent again by its shop it is known, and the finding is over with its alarm", async () => {
  await take("LOST1");
  file("order-acknowledgements-3.csv", ANSWERS, "W1,accepted,SO-2,,2026-03-31,3.45,0.69");
  await company.sync("erp", {});
  expect((await found()).filter((each) => each.includes("LOST1"))).toEqual([]);
  expect((await found("closed")).join()).toContain("LOST1");
  const open = (await company.alarms.list({ open: true })).map(({ title }) => title);
  expect(open.filter((title) => title.includes("order-acknowledgements"))).toEqual([]);
});

test("what a person explained stays so, and a number that comes later is told anew", async () => {
  const [finding] = await company.completeness.list({ kind: "unknown-order" });
  if (finding === undefined) throw new Error("LOST2 is not told");
  await company.completeness.explain(finding, { who: "kim", why: "the other shop's" });
  file(
    "erp-orders-2.csv",
    ORDERS,
    "SO-5,A1,2026-03-31,complete,LOST2,10.35,2.07",
    "SO-6,A1,2026-03-31,open,LOST3,1.00,0.20",
  );
  await company.sync("erp", {});
  const open = await found();
  expect(open).toHaveLength(1);
  expect(open[0]).toContain("Not known here: LOST3.");
});
