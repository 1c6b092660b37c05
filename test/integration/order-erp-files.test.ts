/** Orders that end otherwise than they began, told by the export files of an ERP alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
const folder = mkdtempSync(join(tmpdir(), "tradepost-ended-"));
const today = Temporal.Now.plainDateISO("Europe/London").toString();
const PRICES = { BOOK: "12.99", NAIL: "3.45", PEN: "0.50" } as const;
type Product = keyof typeof PRICES;

let tradepost: Tradepost;
let company: CompanyServices;
const exported = exportsInto(join(folder, "erp", "out"));

beforeAll(async () => {
  mkdirSync(join(folder, "erp", "out"), { recursive: true });
  const erp = { connector: "csv", mode: "live", mappings: "tradepost-csv" };
  const connections = {
    erp: { ...erp, settings: { folder: join(folder, "erp"), stableForMs: 0 } },
  };
  const vat = { STANDARD: "20", ZERO: "0" };
  const orders = { repeatedWithinMinutes: 0 };
  const settings = { companies: { WHOLE: { name: "Wholesale Ltd", vat, connections, orders } } };
  const file = join(folder, "tradepost.yaml");
  writeFileSync(file, stringify(settings));
  exported("customers", "account,name", "A1,Alpha Ltd");
  exported(
    "products",
    "product,name,sellingUnit,pricingUnit,sellingUnitsPerPricingUnit,vatCode",
    "BOOK,Book,EACH,EACH,1,ZERO",
    "NAIL,Nails,EACH,EACH,1,STANDARD",
    "PEN,Pen,EACH,EACH,1,STANDARD",
  );
  const rule = (product: Product) =>
    `r-${product},everyone,,product,${product},fixed,${PRICES[product]}`;
  exported(
    "price-rules",
    "rule,customerScope,customerCode,productScope,productCode,kind,value",
    rule("BOOK"),
    rule("NAIL"),
    rule("PEN"),
  );
  const read = { ...readSettings({ file }), databaseUrl: database.store.url };
  tradepost = await openTradepost(read, { log: () => undefined });
  company = await tradepost.company("WHOLE");
  await goLive(database.store, "WHOLE");
  await company.sync("erp", {});
  await company.pricing.publish();
}, 60_000);

afterAll(async () => {
  await tradepost?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

type Goods = readonly (readonly [product: Product, quantity: number])[];

/** Paid in full, and handed over as files. */
async function paid(webOrder: string, goods: Goods, amount: string): Promise<void> {
  const taken = await company.orders.accept({
    idempotencyKey: webOrder,
    body: orderRequest.parse({
      webOrder,
      account: "A1",
      lines: goods.map(([product, quantity]) => ({
        product,
        quantity: String(quantity),
        unitPrice: PRICES[product],
      })),
      payment: { provider: "stripe", reference: `pi_${webOrder}`, amount },
    }),
    apiKey: "shop",
    test: false,
  });
  if (!("order" in taken)) throw new Error(JSON.stringify(taken.problem));
  await company.orders.deliver(webOrder);
}

const order = (webOrder: string, state: string, net: string, vat: string) =>
  exported(
    "erp-orders",
    "erpOrder,account,orderedOn,state,webOrder,customerReference,net,vat",
    `SO-${webOrder},A1,${today},${state},${webOrder},,${net},${vat}`,
  );

/** Of each: product, ordered, despatched, invoiced and net. */
const orderLines = (webOrder: string, ...lines: readonly string[]) =>
  exported(
    "erp-order-lines",
    "erpOrder,line,product,quantity,despatchedQuantity,invoicedQuantity,unitPrice,net",
    ...lines.map((line, at) => {
      const [product = "", quantity, despatched, invoiced, net] = line.split(" ");
      const price = PRICES[product as Product];
      const row = [product, quantity, despatched, invoiced, price, net].join(",");
      return `SO-${webOrder},${at + 1},${row}`;
    }),
  );

/** Of each: product, quantity, net, VAT and line of the ERP's order. */
function invoice(webOrder: string, sums: readonly [string, string, string], lines: string[]) {
  const document = `I-${webOrder}`;
  exported(
    "sales-documents",
    "documentType,document,account,documentOn,erpOrder,webOrder,net,vat,gross",
    `invoice,${document},A1,${today},SO-${webOrder},${webOrder},${sums.join(",")}`,
  );
  exported(
    "sales-lines",
    "documentType,document,line,lineClass,product,quantity,unitPrice,net,vat,vatCode,erpOrder,erpOrderLine",
    ...lines.map((line, at) => {
      const [product, quantity, net, vat, of = ""] = line.split(" ");
      const price = PRICES[product as Product];
      const code = product === "BOOK" ? "ZERO" : "STANDARD";
      const row = [product, quantity, price, net, vat, code].join(",");
      return `invoice,${document},${at + 1},goods,${row},SO-${webOrder},${of}`;
    }),
  );
}

async function pulled(): Promise<void> {
  await company.sync("erp", {});
  await company.sales.post();
  await company.orders.advance();
}

async function stands(webOrder: string) {
  const { state, fulfilment, lines, changedInErp, tasks } = await company.orders.show(webOrder);
  return {
    state,
    fulfilment,
    outstanding: lines.map(({ outstandingQuantity }) => Number(outstandingQuantity)),
    changed: changedInErp.map(({ what }) => what),
    tasks: tasks
      .filter((task) => task.state === "open" && task.kind !== "receipt")
      .map(({ kind, amount }) => `${kind} ${amount ?? ""}`),
  };
}

const TWICE: Goods = [
  ["NAIL", 4],
  ["NAIL", 6],
];
const BOTH: Goods = [
  ["BOOK", 1],
  ["NAIL", 10],
];
const AGREED = { state: "confirmed", fulfilment: "open", changed: [], tasks: [] };

test("of an order with a product on two lines that the ERP cancels all is owed back", async () => {
  await paid("HB2", TWICE, "41.40");
  order("HB2", "open", "34.50", "6.90");
  orderLines("HB2", "NAIL 4 0 0 13.80", "NAIL 6 0 0 20.70");
  await pulled();
  expect(await stands("HB2")).toMatchObject({ ...AGREED, outstanding: [4, 6] });
  order("HB2", "cancelled", "34.50", "6.90");
  await pulled();
  expect(await stands("HB2")).toEqual({
    state: "confirmed",
    fulfilment: "cancelled",
    outstanding: [0, 0],
    changed: ["state"],
    tasks: ["refund 41.40"],
  });
});

test("of one that is complete there, what did not come of the two lines is", async () => {
  await paid("HE2", TWICE, "41.40");
  order("HE2", "open", "34.50", "6.90");
  orderLines("HE2", "NAIL 4 0 0 13.80", "NAIL 6 0 0 20.70");
  await pulled();
  order("HE2", "complete", "34.50", "6.90");
  orderLines("HE2", "NAIL 4 4 4 13.80", "NAIL 6 1 1 20.70");
  invoice("HE2", ["17.25", "3.45", "20.70"], ["NAIL 4 13.80 2.76 1", "NAIL 1 3.45 0.69 2"]);
  await pulled();
  expect(await stands("HE2")).toEqual({
    state: "confirmed",
    fulfilment: "invoiced",
    outstanding: [0, 0],
    changed: [],
    tasks: ["refund 20.70"],
  });
});

test("an ERP that exports no order lines ends an order by its state, once no invoice follows", async () => {
  await paid("XA1", BOTH, "54.39");
  await paid("XA3", BOTH, "54.39");
  for (const number of ["XA1", "XA3"]) order(number, "open", "47.49", "6.90");
  // Of the others there are lines, and these may come within the hour.
  await database.store.affect("delete from erp_order_line");
  await pulled();
  expect(await stands("XA1")).toMatchObject({ ...AGREED, outstanding: [1, 10] });
  order("XA1", "cancelled", "47.49", "6.90");
  order("XA3", "complete", "47.49", "6.90");
  invoice("XA3", ["33.69", "4.14", "37.83"], ["BOOK 1 12.99 0.00", "NAIL 6 20.70 4.14"]);
  await pulled();
  expect(await stands("XA1")).toMatchObject({ fulfilment: "cancelled", tasks: ["refund 54.39"] });
  expect(await stands("XA3")).toMatchObject({ outstanding: [0, 4], tasks: [] });
  for (const table of ["erp_order", "sales_document", "sales_line"])
    await database.store.affect(
      `update ${table} set learned_at = learned_at - interval '97 hours' where erp_order = 'SO-XA3'`,
    );
  await pulled();
  expect(await stands("XA3")).toMatchObject({ outstanding: [0, 0], tasks: ["refund 16.56"] });
});

test("what staff sent in the place of other goods is counted before anything is owed back", async () => {
  await paid("HC2", BOTH, "54.39");
  order("HC2", "open", "47.49", "6.90");
  orderLines("HC2", "BOOK 1 0 0 12.99", "NAIL 10 0 0 34.50");
  await pulled();
  order("HC2", "complete", "47.49", "6.90");
  orderLines("HC2", "BOOK 1 1 1 12.99", "NAIL 0 0 0 0.00", "PEN 69 69 69 34.50");
  await pulled();
  expect((await stands("HC2")).tasks).toEqual(["look 41.40"]);
  invoice("HC2", ["47.49", "6.90", "54.39"], ["BOOK 1 12.99 0.00 1", "PEN 69 34.50 6.90 3"]);
  await pulled();
  expect((await stands("HC2")).tasks).toEqual([]);
});
