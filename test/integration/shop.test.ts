import { describe, expect, test } from "vitest";
import { openShop, type Body, type Kind, type Shop } from "../../src/shop/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { takeWebOrder } from "../support/web-orders.ts";

const database = useDatabase();
const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");

function open(company: string): Shop {
  const { store } = database;
  return openShop({ store, company, vatCodes: ["STANDARD"], now: () => NOW });
}

/** A shop's own copy, kept right by the feed alone. */
async function follow(shop: Shop, kind: Kind, held: Map<string, Body>, after: string) {
  let cursor = after;
  for (;;) {
    const found = (await shop.changes(kind, cursor, 3)) ?? fail();
    for (const { key, body } of found.changes)
      if (body === null) held.delete(key);
      else held.set(key, body);
    cursor = found.cursor;
    if (!found.more) return cursor;
  }
}

async function everything(shop: Shop, kind: Kind): Promise<Body[]> {
  const all: Body[] = [];
  for (let after: string | undefined; ;) {
    const { bodies, next } = await shop.page(kind, { after, limit: 2 });
    all.push(...bodies);
    if (next === null) return all;
    after = next;
  }
}

function fail(): never {
  throw new Error("a cursor that was given is not known");
}

describe("the feed", () => {
  test("leaves a shop that follows it with what the tables hold, whatever came and went", async () => {
    const shop = open("FEED");
    const { store } = database;
    const held = new Map<string, Body>();
    let cursor = "0";
    for (const [step, name] of ["first", "second", "third"].entries()) {
      await pull(
        store,
        "FEED",
        "product",
        Array.from({ length: 7 }, (_, at) => ({
          product: `P${at}`,
          name: at % 3 === step ? `${name} ${at}` : `same ${at}`,
        })),
      );
      if (step === 1)
        await store.affect("delete from product where company = 'FEED' and product = 'P4'");
      await shop.note();
      cursor = await follow(shop, "product", held, cursor);
      expect([...held.keys()].toSorted().map((key) => held.get(key))).toEqual(
        await everything(shop, "product"),
      );
    }
    expect(await shop.note()).toBe(0);
    expect((await shop.changes("product", cursor, 10))?.changes).toEqual([]);
    const number = Number(cursor.split("-")[0]);
    expect(await shop.changes("product", String(number + 1), 10)).toBeNull();
    expect((await shop.changes("product", String(number), 10))?.cursor).toBe(cursor);
  });

  test("refuses a cursor of before a restored backup, though its numbers were given again", async () => {
    const shop = open("RESTORED");
    const { store } = database;
    const told = async (name: string) => {
      const products = ["P1", "P2", "P3"].map((product) => ({
        product,
        name: `${name} ${product}`,
      }));
      await pull(store, "RESTORED", "product", products);
      await shop.note();
    };
    await told("first");
    const old = (await shop.page("product", { limit: 1 })).cursor;
    // A backup: the feed's own tables as they are now, and as they are put back.
    const tables = ["shop_feed", "shop_item", "shop_feed_mark"];
    for (const table of tables)
      await store.affect(
        `create table backup_${table} as select * from ${table} where company = 'RESTORED'`,
      );
    await told("second");
    const lost = (await shop.changes("product", old, 2)) ?? fail();
    expect(lost.changes.map(({ key }) => key)).toEqual(["P1", "P2"]);
    for (const table of tables) {
      await store.affect(`delete from ${table} where company = 'RESTORED'`);
      await store.affect(`insert into ${table} select * from backup_${table}`);
    }
    // Ahead of the feed, and still once the feed is as long again.
    expect(await shop.changes("product", lost.cursor, 10)).toBeNull();
    await told("third");
    expect(await shop.changes("product", lost.cursor, 10)).toBeNull();
    // What it gave before the backup holds.
    expect((await shop.changes("product", old, 10))?.changes).toHaveLength(3);
    const { cursor } = await shop.page("product", { limit: 1 });
    expect(cursor.split("-")[0]).toBe("6");
    expect(await shop.changes("product", cursor, 10)).toMatchObject({ changes: [], cursor });
  });

  test("refuses a cursor that is older than marks are kept, and none that is newer", async () => {
    const { store } = database;
    const noted = async (company: string, days: number, name: string) => {
      const now = () => NOW.add({ hours: 24 * days });
      const shop = openShop({ store, company, vatCodes: [], now });
      await pull(store, company, "product", [{ product: "P1", name }]);
      await shop.note();
      return (await shop.page("product", { limit: 1 })).cursor;
    };
    const [first, second, third] = [
      await noted("MARKS", 0, "one"),
      await noted("MARKS", 60, "two"),
      await noted("MARKS", 91, "three"),
    ];
    const shop = open("MARKS");
    expect(await shop.changes("product", first, 10)).toBeNull();
    expect((await shop.changes("product", second, 10))?.cursor).toBe(third);
  });

  test("gives one number to one change, however many note it at once", async () => {
    const shop = open("RACE");
    await pull(database.store, "RACE", "customer", [
      { account: "A1", name: "Alder" },
      { account: "A2", name: "Beech" },
    ]);
    const noted = await Promise.all([shop.note(), shop.note(), shop.note()]);
    expect(noted.toSorted((left, right) => left - right)).toEqual([0, 0, 2]);
    expect((await shop.changes("customer", "0", 10))?.upTo).toBe(2);
  });
});

describe("free stock", () => {
  test("is what lies there less what is promised, less our orders that the ERP has not allocated", async () => {
    const { store } = database;
    const shop = open("STOCK");
    await pull(store, "STOCK", "customer", [{ account: "A1", name: "Alder", branch: "LEEDS" }]);
    await pull(store, "STOCK", "stock", [
      { product: "BRK", branch: "LEEDS", onHandQuantity: "100", allocatedQuantity: "20" },
      { product: "BRK", branch: "YORK", onHandQuantity: "50", allocatedQuantity: "0" },
    ]);
    await takeWebOrder(store, "STOCK", { number: "W1", account: "A1", lines: [["BRK", "30"]] });
    const stock = async () => (await shop.one("stock", "BRK")) ?? {};
    expect(await stock()).toMatchObject({
      free: "100",
      onHand: "150",
      allocated: "20",
      waiting: "30",
      branches: [
        { branch: "LEEDS", free: "50", waiting: "30" },
        { branch: "YORK", free: "50", waiting: "0" },
      ],
    });
    // The ERP took the order and then said something new of the stock: it is allocated there.
    await store.affect(
      `insert into web_order_event (company, order_id, sequence, at, event, from_state, to_state, who, about)
       select company, id, 1, '2026-03-20T09:00:00Z', 'confirm', 'sending', 'confirmed', 'test', '' from web_order
        where company = 'STOCK'`,
    );
    await pull(store, "STOCK", "stock", [
      { product: "BRK", branch: "LEEDS", onHandQuantity: "100", allocatedQuantity: "50" },
    ]);
    expect(await stock()).toMatchObject({ free: "100", allocated: "50", waiting: "0" });
    // Despatched goods are out of the figures and out of ours.
    await store.affect(
      "update web_order_line set despatched_quantity = 30 where company = 'STOCK'",
    );
    expect(await stock()).toMatchObject({ waiting: "0" });
  });
});

test("a customer's documents are of all channels, newest first, with what is owed and their lines", async () => {
  const { store } = database;
  const shop = open("DOCS");
  await pull(store, "DOCS", "sales-document", [
    {
      documentType: "invoice",
      document: "I1",
      account: "A1",
      documentOn: "2026-03-01",
      currency: "GBP",
      channel: "counter",
      net: "10.00",
      vat: "2.00",
      gross: "12.00",
    },
    {
      documentType: "invoice",
      document: "I2",
      account: "A1",
      documentOn: "2026-03-09",
      currency: "GBP",
      channel: "telephone",
      net: "20.00",
      vat: "4.00",
      gross: "24.00",
    },
    {
      documentType: "invoice",
      document: "I3",
      account: "A2",
      documentOn: "2026-03-09",
      currency: "GBP",
      net: "1.00",
      vat: "0.20",
      gross: "1.20",
    },
  ]);
  await pull(store, "DOCS", "sales-line", [
    {
      documentType: "invoice",
      document: "I2",
      line: 1,
      product: "BRK",
      quantity: "4",
      unitPrice: "5",
      discountPercent: "0",
      net: "20.00",
      vat: "4.00",
    },
  ]);
  await pull(store, "DOCS", "ledger-transaction", [
    {
      transaction: "T2",
      kind: "invoice",
      document: "I2",
      account: "A1",
      postedOn: "2026-03-09",
      gross: "24.00",
      outstanding: "4.00",
      dueOn: "2026-04-08",
    },
  ]);
  const asked = { account: "A1", limit: 1, lines: true };
  const first = await shop.documents(asked);
  expect(first.bodies).toMatchObject([
    {
      document: "I2",
      channel: "telephone",
      gross: "24.00",
      outstanding: "4.00",
      dueOn: "2026-04-08",
      lines: [{ line: 1, product: "BRK", quantity: "4", net: "20.00" }],
    },
  ]);
  const second = await shop.documents({ ...asked, after: first.next ?? "" });
  expect(second.bodies).toMatchObject([
    { document: "I1", channel: "counter", outstanding: null, lines: [] },
  ]);
  expect(second.next).toBeNull();
  expect((await shop.documents({ ...asked, from: "2026-03-02", limit: 9 })).bodies).toHaveLength(1);
});

test("products too incomplete to sell are named with what they lack, those first that cannot be sold", async () => {
  const { store } = database;
  const shop = open("GAPS");
  const whole = {
    description: "A good one",
    productGroup: "BRICKS",
    barcode: "5012345",
    weightKg: "2",
    vatCode: "STANDARD",
  };
  await pull(store, "GAPS", "product", [
    { ...whole, product: "GOOD", name: "Good brick" },
    { ...whole, product: "BARE", name: "BARE", barcode: null },
    { ...whole, product: "NOVAT", name: "No VAT", vatCode: "T9" },
    { ...whole, product: "NOPRICE", name: "No price", leastQuantity: "5", multipleQuantity: "2" },
    { ...whole, product: "INGROUP", name: "Priced by its group's parent", productGroup: "SAND" },
    { ...whole, product: "ENDED", name: "Its price has ended" },
    { ...whole, product: "NOCOST", name: "A markup on no cost", productGroup: "OFFERS" },
    { ...whole, product: "HIDDEN", name: "Hidden", vatCode: "T9", soldOnWeb: false },
  ]);
  await pull(store, "GAPS", "product-group", [
    { productGroup: "SAND", name: "Sand", parent: "AGGREGATES" },
  ]);
  const everyone = { customerScope: "everyone", productScope: "product-group" } as const;
  await pull(store, "GAPS", "price-rule", [
    { ...everyone, rule: "G", productCode: "AGGREGATES", kind: "fixed", value: "9" },
    { ...everyone, rule: "M", productCode: "OFFERS", kind: "markup", value: "20" },
    {
      ...everyone,
      rule: "E",
      productScope: "product",
      productCode: "ENDED",
      kind: "fixed",
      value: "9",
      validTo: "2026-03-30",
    },
  ]);
  await pull(
    store,
    "GAPS",
    "price-rule",
    ["GOOD", "BARE", "NOVAT"].map((product) => ({
      rule: product,
      customerScope: "everyone" as const,
      productScope: "product" as const,
      productCode: product,
      kind: "fixed" as const,
      value: "1",
    })),
  );
  await pull(
    store,
    "GAPS",
    "stock",
    ["GOOD", "BARE", "NOVAT", "NOPRICE", "INGROUP", "ENDED", "NOCOST"].map((product) => ({
      product,
      branch: "LEEDS",
      onHandQuantity: "1",
    })),
  );
  expect(
    (await shop.incomplete()).map(({ product, stops, lacks }) => ({ product, stops, lacks })),
  ).toEqual([
    { product: "ENDED", stops: ["no price"], lacks: [] },
    { product: "NOCOST", stops: ["no price"], lacks: [] },
    { product: "NOPRICE", stops: ["no price", "least quantity 5 is no multiple of 2"], lacks: [] },
    { product: "NOVAT", stops: ["VAT code T9 has no rate in the settings"], lacks: [] },
    { product: "BARE", stops: [], lacks: ["a name that is not its code", "barcode"] },
  ]);
});

test("files for a shop hold what changed since the ones before, and a kill between two steps loses nothing", async () => {
  const { store } = database;
  const shop = open("DROP");
  await pull(store, "DROP", "product", [
    { product: "P1", name: 'One, "quoted"' },
    { product: "P2", name: "Two" },
  ]);
  await pull(store, "DROP", "product-unit", [{ product: "P1", unit: "BOX", sellingUnits: "50" }]);
  await shop.note();
  const files = new Map<string, string>();
  const lay = async (name: string, content: string) => void files.set(name, content);
  const killed = async (name: string, content: string) => {
    await lay(name, content);
    throw new Error("killed");
  };
  await expect(shop.drop(killed, ["product"])).rejects.toThrow("killed");
  await shop.drop(lay, ["product"]);
  expect([...files.keys()]).toEqual([
    "product-0000000000-0000000002.csv",
    "product-unit-0000000000-0000000002.csv",
  ]);
  expect(files.get("product-0000000000-0000000002.csv")).toContain('"One, ""quoted"""');
  expect(files.get("product-unit-0000000000-0000000002.csv")).toBe(
    "product,unit,sellingUnits\nP1,BOX,50\n",
  );
  expect(await shop.drop(lay, ["product"])).toEqual([]);
  await store.affect("delete from product where company = 'DROP' and product = 'P2'");
  await shop.note();
  expect(await shop.drop(lay, ["product"])).toEqual([
    { kind: "product", file: "product-0000000002-0000000003.csv", rows: 1 },
  ]);
  expect(files.get("product-0000000002-0000000003.csv")).toBe("product,gone\nP2,1\n");
});
