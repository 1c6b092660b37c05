/**
 * Answers of an ERP that lie there and cannot be used, at a company whose orders and answers go by
 * files: a file whose columns changed, a row with a slip of the pen. Neither is silence.
 */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";
import { exportsInto } from "../support/exported-files.ts";

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-unusable-"));
const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");
const KIM = { who: "kim", reason: "not seen there" };
const ANSWER = "webOrder,outcome,erpOrder,reason,answeredOn,net,vat";

let now = NOW;
let tradepost: Tradepost;
let company: CompanyServices;
const exported = exportsInto(join(folder, "erp", "out"));

beforeAll(async () => {
  mkdirSync(join(folder, "erp", "out"), { recursive: true });
  const settings = {
    companies: {
      WHOLE: {
        name: "Wholesale Ltd",
        vat: { STANDARD: "20" },
        connections: {
          erp: {
            connector: "csv",
            mode: "live",
            mappings: "tradepost-csv",
            settings: { folder: join(folder, "erp"), stableForMs: 0 },
          },
        },
        orders: { repeatedWithinMinutes: 0, quietSeconds: 0 },
      },
    },
  };
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settings));
  exported("customers", "account,name", "A1,Alpha Ltd");
  exported(
    "products",
    "product,name,sellingUnit,pricingUnit,sellingUnitsPerPricingUnit,vatCode",
    "NAIL,Nails,EACH,EACH,1,STANDARD",
  );
  exported(
    "price-rules",
    "rule,customerScope,customerCode,productScope,productCode,kind,value",
    "r1,everyone,,product,NAIL,fixed,3.45",
  );
  tradepost = await openTradepost(
    { ...readSettings({ file }), databaseUrl: database.store.url },
    { now: () => now, log: () => undefined },
  );
  company = await tradepost.company("WHOLE");
  await goLive(database.store, "WHOLE");
  await company.sync("erp", {});
  await company.pricing.publish();
}, 60_000);

afterAll(async () => {
  await tradepost?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const lie = () =>
  readdirSync(join(folder, "erp", "orders")).filter((name) => !name.startsWith("."));

/** Handed over, and taken by the ERP's import. */
async function taken(webOrder: string): Promise<void> {
  const lines = [{ product: "NAIL", quantity: "10", unitPrice: "3.45" }];
  const body = orderRequest.parse({ webOrder, account: "A1", lines });
  const asked = { idempotencyKey: webOrder, body, apiKey: "shop", test: false };
  const answer = await company.orders.accept(asked);
  if (!("order" in answer)) throw new Error(JSON.stringify(answer.problem));
  await company.orders.deliver(webOrder);
  expect(lie()).toContain(`${webOrder}.csv`);
  mkdirSync(join(folder, "taken"), { recursive: true });
  for (const name of lie())
    renameSync(join(folder, "erp", "orders", name), join(folder, "taken", name));
}

async function aDayLater(): Promise<void> {
  await company.sync("erp", {});
  now = now.add({ hours: 25 });
  await company.sync("erp", {});
  await company.orders.advance();
}

test("a row that names it and waits in quarantine is no silence, until it is put right or dismissed", async () => {
  await taken("W1");
  exported("order-acknowledgements", ANSWER, "W1,accepted,SO-1,,2026-03-31,34.5O,6.90");
  await aDayLater();
  const { state, reasons } = await company.orders.show("W1");
  expect(state).toBe("handedOver");
  expect(reasons[0]).toMatch(
    /nobody knows whether it has: a row of erp\/order-acknowledgements that names it \(\S+, line 2\) waits in quarantine: /,
  );
  for (const item of await company.desk.list({ state: "open" }))
    await company.desk.dismiss(item, { who: "kim", why: "typed anew" });
  await company.orders.advance();
  expect((await company.orders.show("W1")).state).toBe("inDoubt");

  // It comes once more as it was, and the order is in doubt by now.
  exported("order-acknowledgements", ANSWER, "W1,accepted,SO-1,,2026-03-31,34.6O,6.90");
  await company.sync("erp", {});
  const [entry] = (await company.orders.desk()).entries;
  expect(entry?.why.at(-1)).toContain("waits in quarantine");
  await expect(company.orders.sendAgain("W1", KIM)).rejects.toThrow("waits in quarantine");
  expect(lie()).toEqual([]);
}, 60_000);

test("a stream that stopped is unread, however often another one is read", async () => {
  await taken("W2");
  exported("order-acknowledgements", "web_order;result;number;date", "W2;accepted;SO-2;2026-03-31");
  await aDayLater();
  const { state, reasons } = await company.orders.show("W2");
  expect(state).toBe("handedOver");
  expect(reasons[0]).toContain("erp/order-acknowledgements was not read since");
  expect(lie()).toEqual([]);
}, 60_000);
