/**
 * An ERP that takes and writes files is restored from its backup: what it lost is sent again, and
 * what it makes of it may be the very rows that it made before.
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

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-lost-"));
const KIM = { who: "Kim", why: "restored from Monday" };
const READINGS = ["delta", "snapshot"] as const;
type Reading = (typeof READINGS)[number];

let now = Temporal.Instant.from("2026-03-31T09:00:00Z");
let tradepost: Tradepost;
let files = 0;

beforeAll(async () => {
  const connection = (reading: Reading) => ({
    connector: "csv",
    mode: "live",
    mappings: "tradepost-csv",
    settings: {
      folder: join(folder, reading),
      stableForMs: 0,
      streams: {
        customers: {},
        products: {},
        "price-rules": {},
        "order-acknowledgements": {},
        "erp-orders": { reading },
        "erp-order-lines": { reading },
      },
    },
  });
  const company = (reading: Reading) => ({
    name: reading,
    vat: { STANDARD: "20", ZERO: "0" },
    connections: { erp: connection(reading) },
    orders: { repeatedWithinMinutes: 0, answerWithinHours: 24, checks: { stale: "accept" } },
  });
  const companies = Object.fromEntries(READINGS.map((each) => [each, company(each)]));
  for (const reading of READINGS) mkdirSync(join(folder, reading, "out"), { recursive: true });
  for (const reading of READINGS) {
    written(reading, "customers", ["account,name", "A1,Alpha Ltd", "A2,Beta Ltd"]);
    written(reading, "products", [
      "product,name,sellingUnit,pricingUnit,sellingUnitsPerPricingUnit,vatCode",
      "NAIL,Nails,EACH,EACH,1,STANDARD",
      "BOOK,Book,EACH,EACH,1,ZERO",
    ]);
    written(reading, "price-rules", [
      "rule,customerScope,customerCode,productScope,productCode,kind,value",
      "r1,everyone,,product,NAIL,fixed,3.45",
      "r2,everyone,,product,BOOK,fixed,12.99",
    ]);
  }
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify({ companies }));
  tradepost = await openTradepost(
    { ...readSettings({ file }), databaseUrl: database.store.url },
    { now: () => now, log: () => undefined },
  );
});
afterAll(async () => {
  await tradepost?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function written(reading: Reading, stream: string, rows: readonly string[]): void {
  files += 1;
  const name = `${stream}-${String(files).padStart(4, "0")}.csv`;
  writeFileSync(join(folder, reading, "out", name), `${rows.join("\n")}\n`);
}

const ACKNOWLEDGEMENTS = "webOrder,outcome,erpOrder,reason,answeredOn,net,vat";
const ORDERS = "erpOrder,account,orderedOn,state,webOrder,customerReference,net,vat";
const LINES = "erpOrder,line,product,quantity,unitPrice,net";

/** The ERP: it writes what it makes, or all that it has. */
class Books {
  readonly #reading: Reading;
  /** By order number: its row and that of its line. */
  #orders = new Map<string, readonly [order: string, line: string]>();

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Makes a web order, and answers. */
  take(webOrder: string, erpOrder: string): void {
    written(this.#reading, "order-acknowledgements", [
      ACKNOWLEDGEMENTS,
      `${webOrder},accepted,${erpOrder},,2026-03-31,34.50,6.90`,
    ]);
    this.#make(erpOrder, [
      `${erpOrder},A1,2026-03-31,open,${webOrder},,34.50,6.90`,
      `${erpOrder},1,NAIL,10,3.45,34.50`,
    ]);
  }

  /** Makes an order of another customer's at the counter. */
  sell(erpOrder: string): void {
    this.#make(erpOrder, [
      `${erpOrder},A2,2026-03-31,open,,,25.98,0.00`,
      `${erpOrder},1,BOOK,2,12.99,25.98`,
    ]);
  }

  restore(...stays: readonly string[]): void {
    this.#orders = new Map([...this.#orders].filter(([erpOrder]) => stays.includes(erpOrder)));
  }

  #make(erpOrder: string, rows: readonly [order: string, line: string]): void {
    this.#orders.set(erpOrder, rows);
    const said = this.#reading === "delta" ? [rows] : [...this.#orders.values()];
    written(this.#reading, "erp-orders", [ORDERS, ...said.map(([order]) => order)]);
    written(this.#reading, "erp-order-lines", [LINES, ...said.map(([, line]) => line)]);
  }
}

async function live(reading: Reading): Promise<CompanyServices> {
  const company = await tradepost.company(reading);
  await goLive(database.store, reading);
  await company.sync("erp", {});
  await company.pricing.publish();
  return company;
}

/** Pulled, and looked at as the service does it. True: the connection stands still. */
async function pulled(company: CompanyServices): Promise<boolean> {
  now = now.add({ minutes: 10 });
  await company.sync("erp", { acceptRemovals: true });
  await company.stopIfBackwards({ ask: false });
  await company.orders.advance();
  return (await company.status()).stops.length > 0;
}

async function ordered(company: CompanyServices, webOrder: string): Promise<void> {
  const lines = [{ product: "NAIL", quantity: "10", unitPrice: "3.45" }];
  const body = orderRequest.parse({ webOrder, account: "A1", lines });
  const asked = { idempotencyKey: webOrder, body, apiKey: "shop", test: false };
  expect(await company.orders.accept(asked)).toMatchObject({ status: 201 });
}

/** The ERP's import takes what lies there. */
async function handedOver(
  reading: Reading,
  company: CompanyServices,
  ...numbers: readonly string[]
): Promise<void> {
  for (const number of numbers) await company.orders.deliver(number);
  const orders = join(folder, reading, "orders");
  mkdirSync(join(folder, reading, "taken"), { recursive: true });
  for (const name of readdirSync(orders).filter((each) => !each.startsWith(".")))
    renameSync(join(orders, name), join(folder, reading, "taken", `${++files}-${name}`));
}

async function stateOf({ orders }: CompanyServices, number: string): Promise<string> {
  const { state, erpOrder } = await orders.show(number);
  return `${number} ${state} ${erpOrder ?? "-"}`;
}

test.each(READINGS)(
  "what an ERP lost is noticed one pull after another, and believed anew: %s",
  async (reading) => {
    const company = await live(reading);
    const erp = new Books(reading);
    for (const number of ["1", "2", "3", "4"]) {
      await ordered(company, `W${number}`);
      await handedOver(reading, company, `W${number}`);
      erp.take(`W${number}`, `SO-${number}`);
      expect(await pulled(company)).toBe(false);
      expect(await stateOf(company, `W${number}`)).toBe(`W${number} confirmed SO-${number}`);
    }
    now = now.add({ minutes: 10 });
    // What a person has settled is of the order that is lost.
    await company.orders.resolve("W4", { who: "Kim", reason: "seen", erpOrder: "SO-4" });

    erp.restore("SO-1");
    erp.sell("SO-2");
    expect(await pulled(company)).toBe(false);
    expect(await stateOf(company, "W2")).toBe("W2 conflict SO-2");
    const [alone] = (await company.orders.desk()).entries;
    expect(alone).toMatchObject({ webOrder: "W2", erpOrder: null });
    expect(alone?.next).toBe(
      "ERP order SO-2 is one of account A2 by now: do not cancel it there, unless it is W2. If " +
        "the ERP has W2 under another number, resolve it as that; else have it sent again " +
        "(tradepost orders lost send-again W2 --who NAME --why WHY), or cancel W2 here.",
    );
    erp.sell("SO-3");
    expect(await pulled(company)).toBe(true);
    expect((await company.orders.lostOrders()).map(({ order }) => order)).toEqual([
      "W2",
      "W3",
      "W4",
    ]);
    expect(await stateOf(company, "W3")).toBe("W3 conflict SO-3");
    for (const { next } of (await company.orders.desk()).entries)
      expect(next).toContain("The ERP went backwards and has lost it: cancel nothing there.");

    now = now.add({ minutes: 10 });
    await decide(company, "send-again", "W4", "W3");
    await decide(company, "leave", "W2");
    await company.maintenance.end({ connection: "erp", ...KIM });
    now = now.add({ minutes: 10 });
    await handedOver(reading, company, "W4", "W3");
    expect(await stateOf(company, "W4")).toBe("W4 handedOver -");

    // It counts on: W4 gets the number that it had, in files that are equal to those of then.
    erp.take("W4", "SO-4");
    expect(await pulled(company)).toBe(false);
    expect(await stateOf(company, "W4")).toBe("W4 confirmed SO-4");
    expect(await stateOf(company, "W3")).toBe("W3 handedOver -");
    erp.take("W3", "SO-5");
    expect(await pulled(company)).toBe(false);
    expect(await stateOf(company, "W3")).toBe("W3 confirmed SO-5");

    // What is kept of before is mapped anew, and is of before all the same.
    for (const stream of ["order-acknowledgements", "erp-orders"]) {
      const plan = await company.replay("erp", stream);
      await company.apply(plan, { acceptRemovals: true });
    }
    now = now.add({ minutes: 10 });
    await company.orders.advance();
    expect(await stateOf(company, "W3")).toBe("W3 confirmed SO-5");
    expect(await stateOf(company, "W4")).toBe("W4 confirmed SO-4");
  },
);

async function decide(
  company: CompanyServices,
  decision: "send-again" | "leave",
  ...numbers: readonly string[]
): Promise<void> {
  for (const number of numbers)
    expect(await company.orders.decideLost(number, { ...KIM, decision })).toBe(true);
}

test("a snapshot that is the last one again is news once the ERP went backwards", async () => {
  const company = await live("snapshot");
  const accounts = ["account,name", "A1,Alpha Ltd", "A2,Beta Ltd", "A3,Gamma Ltd"];
  const read = async () => {
    written("snapshot", "customers", accounts);
    now = now.add({ minutes: 10 });
    return (await company.sync("erp", { streams: ["customers"] })).map(({ state }) => state);
  };
  await read();
  expect(await read()).toEqual(["unchanged"]);
  await database.store.affect(
    `insert into connection_stop (company, id, kind, scope, at, who, why, ended_at)
     values ('snapshot', gen_random_uuid(), 'went-backwards', 'erp', $1, 'tradepost', 'gone', $1)`,
    [now],
  );
  expect([await read(), await read()]).toEqual([["published"], ["unchanged"]]);
});
