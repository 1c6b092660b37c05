/** A web order all the way: priced as a basket, written as files, reckoned anew by the ERP. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { EVENT_TYPES, orderRequest } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";
import { settingsOf } from "../support/tradepost.ts";

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-order-"));
const merchant = createMerchant({ customers: 30, products: 60, invoiceLines: 0, years: 1 });
const NOW = Temporal.Instant.from(`${merchant.today}T20:00:00Z`);
const account =
  merchant.customers.find((one) => !one.onStop && one.state === "active" && !one.cashAccount)
    ?.account ?? "";
const sold = merchant.products.filter(({ state }) => state === "active");
/** Priced per hundred or thousand, and singly. */
const byThousand = sold.find(({ sellingUnitsPerPricingUnit: per }) => Number(per) > 1);
const single = sold.find(({ sellingUnitsPerPricingUnit: per }) => Number(per) === 1);

let erp: Simulator;
let tradepost: Tradepost;
let company: CompanyServices;

beforeAll(async () => {
  erp = await start(merchant, { folder: join(folder, "erp") });
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settingsOf(merchant, folder)));
  const settings = { ...readSettings({ file }), databaseUrl: database.store.url };
  tradepost = await openTradepost(settings, { now: () => NOW, log: () => undefined });
  company = await tradepost.company("HARROW");
  await goLive(database.store, "HARROW");
  await company.sync("erp", {});
  await pull(database.store, "HARROW", "product-unit", [
    { product: byThousand?.product ?? "", unit: "PACK", sellingUnits: "500" },
  ]);
  await pull(database.store, "HARROW", "promotion", [
    {
      promotion: "ODD",
      name: "Odd pence",
      customerScope: "everyone",
      customerCode: "*",
      productScope: "everything",
      productCode: "*",
      kind: "percent",
      value: "3.33",
      lowers: "document",
      countsOver: "document",
      code: "ODD",
      validFrom: "2020-01-01",
      validTo: "2099-12-31",
    },
  ]);
  await company.pricing.publish();
}, 60_000);

afterAll(async () => {
  await tradepost?.[Symbol.asyncDispose]();
  await erp?.close();
  rmSync(folder, { recursive: true });
});

test("in packs and lowered by a promotion it is confirmed by the ERP to the penny", async () => {
  const lines = [
    { product: byThousand?.product ?? "", quantity: "3", unit: "PACK" },
    { product: single?.product ?? "", quantity: "700001" },
    { product: byThousand?.product ?? "", quantity: "250" },
  ];
  const codes = ["ODD"];
  const basket = await company.pricing.basket({ account, lines, codes });
  if (!("answer" in basket)) throw new Error("nobody to price for");
  const { totals, lines: priced } = basket.answer;
  const priceAt = (at: number) => {
    const line = priced[at];
    return (line === undefined || line.state === "problem" ? null : line.unitPrice) ?? "";
  };
  const taken = await company.orders.accept({
    idempotencyKey: "k1",
    body: orderRequest.parse({
      webOrder: "WEB-1",
      account,
      lines: lines.map((line, at) => ({ ...line, unitPrice: priceAt(at) })),
      codes,
    }),
    apiKey: "shop",
    test: false,
  });
  if (!("order" in taken)) throw new Error(JSON.stringify(taken.problem));
  const { net, vat, gross } = taken.order;
  expect({ net, vat, gross }).toEqual(totals);
  if (taken.order.state === "held")
    await company.orders.release("WEB-1", { who: "kim", reason: "a large order" });
  await company.orders.deliver("WEB-1");
  const written: Record<string, string>[] = parse(
    readFileSync(join(folder, "erp", "orders", "WEB-1-lines.csv")),
    { columns: true },
  );
  // Selling units, whatever was ordered; the net of each line is the one that was agreed.
  expect(written.map(({ quantity, net: of }) => [quantity, of])).toEqual([
    ["1500", taken.order.lines[0]?.net],
    ["700001", taken.order.lines[1]?.net],
    ["250", taken.order.lines[2]?.net],
  ]);
  await erp.advance(0);
  await company.sync("erp", {});
  await company.orders.advance();
  expect(await company.orders.show("WEB-1")).toMatchObject({
    state: "confirmed",
    erpNet: net,
    erpVat: vat,
    reasons: [],
    lines: [{ orderedUnit: "PACK", orderedQuantity: "3" }, {}, {}],
  });
});

test("and the shop is told every step of it, in order and without prices or names", async () => {
  const feed = await company.events.after({ after: 0, limit: 100, subject: "order/WEB-1" });
  if (typeof feed === "string") throw new Error(feed);
  const types = feed.events.map(({ type }) => type);
  expect(types.filter((type) => type !== "order.held")).toEqual([
    "order.received",
    "order.queued",
    "order.sending",
    "order.handedOver",
    "order.confirmed",
  ]);
  expect(types.filter((type) => !EVENT_TYPES.includes(type))).toEqual([]);
  const { id, erpOrder } = await company.orders.show("WEB-1");
  const state = { state: "confirmed", version: feed.events.length - 1 };
  expect(feed.events.at(-1)?.data).toEqual({
    webOrder: "WEB-1",
    id,
    ...state,
    erpOrder,
    test: false,
  });
});
