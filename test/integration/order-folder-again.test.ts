/**
 * A database that has forgotten its orders, over a folder whose journal has not: a pilot that was
 * thrown away, or a backup that was restored.
 */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { readSettings } from "../../src/config.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import type { Store } from "../../src/store/index.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";
import { settingsOf } from "../support/tradepost.ts";

const pilot = useDatabase();
const anew = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-again-"));
const merchant = createMerchant({ customers: 30, products: 60, invoiceLines: 0, years: 1 });
const NOW = Temporal.Instant.from(`${merchant.today}T10:00:00Z`);
const account =
  merchant.customers.find((one) => !one.onStop && one.state === "active" && !one.cashAccount)
    ?.account ?? "";
const product = merchant.products.find(
  ({ state, sellingUnitsPerPricingUnit: per }) => state === "active" && Number(per) === 1,
)?.product;
const KIM = { who: "kim", reason: "that one was a trial" };

let erp: Simulator;
let before: Tradepost;
let after: Tradepost;
let first: CompanyServices;
let second: CompanyServices;

beforeAll(async () => {
  erp = await start(merchant, { folder: join(folder, "erp") });
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settingsOf(merchant, folder)));
  const settings = readSettings({ file });
  const open = async ({ store }: { readonly store: Store }) => {
    const one = { ...settings, databaseUrl: store.url };
    const opened = await openTradepost(one, { now: () => NOW, log: () => undefined });
    await goLive(store, "HARROW");
    return opened;
  };
  before = await open(pilot);
  after = await open(anew);
  first = await before.company("HARROW");
  second = await after.company("HARROW");
  await first.sync("erp", {});
  await first.pricing.publish();
  // The same files once more: a database begun anew reads all of them.
  await erp.close();
  rmSync(join(folder, "erp", "out"), { recursive: true });
  erp = await start(merchant, { folder: join(folder, "erp") });
  await second.sync("erp", {});
  await second.pricing.publish();
}, 60_000);

afterAll(async () => {
  await after?.[Symbol.asyncDispose]();
  await before?.[Symbol.asyncDispose]();
  await erp?.close();
  rmSync(folder, { recursive: true });
});

async function order(of: CompanyServices, webOrder: string, quantity: string): Promise<void> {
  const basket = await of.pricing.basket({
    account,
    lines: [{ product: product ?? "", quantity }],
  });
  const line = "answer" in basket ? basket.answer.lines[0] : undefined;
  if (line === undefined || line.state === "problem") throw new Error("it has no price");
  const lines = [{ product, quantity, unitPrice: line.unitPrice }];
  const taken = await of.orders.accept({
    idempotencyKey: `${webOrder}-${quantity}`,
    body: orderRequest.parse({ webOrder, account, lines }),
    apiKey: "shop",
    test: false,
  });
  if (!("order" in taken)) throw new Error(JSON.stringify(taken.problem));
  if (taken.order.state === "held") await of.orders.release(webOrder, KIM);
  await of.orders.deliver(webOrder);
}

/** The other system takes what lies there; it gives the quantity of each order's line. */
function take(): readonly string[] {
  const from = join(folder, "erp", "orders");
  const names = readdirSync(from).filter((name) => !name.startsWith("."));
  const lines = names.filter((name) => name.endsWith("-lines.csv"));
  const quantities = lines.map((name) => {
    const rows: { quantity: string }[] = parse(readFileSync(join(from, name)), { columns: true });
    return `${name.slice(0, -"-lines.csv".length)}: ${rows[0]?.quantity}`;
  });
  mkdirSync(join(folder, "taken"), { recursive: true });
  for (const name of names) renameSync(join(from, name), join(folder, "taken", name));
  return quantities;
}

test("another order under a number that was dropped is a person's, never taken for that one", async () => {
  await order(first, "1001", "1");
  expect(take()).toEqual(["1001: 1"]);
  await order(second, "1001", "50");
  const shown = await second.orders.show("1001");
  expect([shown.state, shown.handedOverAt]).toEqual(["inDoubt", null]);
  expect(
    shown.reasons[0]?.replaceAll(/[0-9a-f]{64}/g, "…").replaceAll(/at 20\S+/g, "at …"),
  ).toMatchInlineSnapshot(
    `"It may or may not have arrived: Another content was dropped as 1001 at … 1001-lines.csv (rows: 1, SHA-256 …), 1001.csv (rows: 1, SHA-256 …). It was taken. To be dropped is 1001-lines.csv (rows: 1, SHA-256 …), 1001.csv (rows: 1, SHA-256 …), and nothing of that was dropped"`,
  );
  expect(take()).toEqual([]);
  // A later look tells the same, and asks nobody twice.
  await second.orders.deliver("1001");
  const tasks = await second.orders.tasks({ order: shown.id });
  expect(tasks.map(({ kind, state }) => [kind, state])).toEqual([["look", "open"]]);
  await second.orders.advance();
  const alarms = await second.alarms.list();
  expect(alarms.map(({ key }) => key)).toContain("orders/desk/doubt");
});

test("by a person's word it is dropped all the same, once, and the journal keeps both", async () => {
  await second.orders.sendAgain("1001", KIM);
  await second.orders.deliver("1001");
  expect((await second.orders.show("1001")).state).toBe("handedOver");
  expect(take()).toEqual(["1001: 50"]);
  await second.orders.deliver("1001");
  expect(take()).toEqual([]);
  const journal = readdirSync(join(folder, "erp", "orders", ".journal"), { recursive: true });
  expect(journal.map(String).sort()).toEqual(["1001.json", "before", "before/1001.json"]);
});

test("the same order once more, as a shop sends it again, is known by its content", async () => {
  await order(first, "1002", "3");
  expect(take()).toEqual(["1002: 3"]);
  await order(second, "1002", "3");
  expect((await second.orders.show("1002")).state).toBe("handedOver");
  expect(take()).toEqual([]);
});

test("`check` says where orders on their way are in no journal of the folder that is named", async () => {
  const journal = join(folder, "erp", "orders", ".journal");
  const warned = async () =>
    (await second.check())
      .filter(({ state, about }) => state === "warning" && !about.includes("no schedule reads"))
      .map(({ about }) => about);
  expect(await warned()).toEqual([]);
  renameSync(journal, join(folder, "elsewhere"));
  expect(await warned()).toEqual([
    "2 web orders were handed over and have no answer yet, and its journal lacks 1002, 1001: they were dropped elsewhere.",
  ]);
  renameSync(join(folder, "elsewhere"), journal);
});
