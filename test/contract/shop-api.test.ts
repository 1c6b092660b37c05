/** What a shop asks beside prices; every answer is checked against the documentation. */
import { beforeAll, expect, test } from "vitest";
import { pull } from "../support/canonical-rows.ts";
import { useApi } from "../support/api.ts";

const api = useApi(["HARROW"]);

interface Page {
  readonly entries: readonly Readonly<Record<string, unknown>>[];
  readonly next: string | null;
  readonly cursor: string;
}
interface Feed {
  readonly changes: readonly { readonly key: string; readonly entry: unknown }[];
  readonly cursor: string;
  readonly more: boolean;
}

beforeAll(async () => {
  const { store } = api.tradepost;
  await pull(store, "HARROW", "product", [
    { product: "BRK", name: "Brick", weightKg: "2.5" },
    { product: "NAIL", name: "Nail", leastQuantity: "100", multipleQuantity: "50" },
  ]);
  await pull(store, "HARROW", "product-unit", [
    { product: "NAIL", unit: "BOX", sellingUnits: "500" },
  ]);
  await pull(store, "HARROW", "stock", [
    {
      product: "BRK",
      branch: "LEEDS",
      onHandQuantity: "100",
      allocatedQuantity: "20",
      nextDueOn: "2026-04-02",
    },
  ]);
  await pull(store, "HARROW", "customer", [
    {
      account: "A1",
      name: "Alder",
      creditLimit: "1000",
      balance: "250.50",
      onStop: true,
      stopReason: "Overdue",
    },
  ]);
  await pull(store, "HARROW", "site", [
    { account: "A1", site: "YARD", name: "Yard", standard: true },
  ]);
  await pull(store, "HARROW", "sales-document", [
    {
      documentType: "invoice",
      document: "I1",
      account: "A1",
      documentOn: "2026-03-09",
      currency: "GBP",
      channel: "counter",
      net: "10",
      vat: "2",
      gross: "12",
    },
  ]);
  await (await api.tradepost.company("HARROW")).tellShop();
});

test("products come by pages, and the feed goes on from the first page's cursor", async () => {
  const first = await api.ask<Page>("GET", "/v1/products?limit=1");
  expect(first.body.entries).toMatchObject([{ product: "BRK", weightKg: "2.5", units: [] }]);
  const second = await api.ask<Page>("GET", `/v1/products?limit=1&after=${first.body.next ?? ""}`);
  expect(second.body).toMatchObject({
    entries: [
      { product: "NAIL", leastQuantity: "100", units: [{ unit: "BOX", sellingUnits: "500" }] },
    ],
    next: null,
  });
  const quiet = await api.ask<Feed>("GET", `/v1/products/changes?after=${first.body.cursor}`);
  expect(quiet.body).toEqual({ changes: [], cursor: first.body.cursor, more: false });
  const [number = ""] = first.body.cursor.split("-");
  for (const after of ["9999999", `${number}-00000000`])
    expect(await api.ask("GET", `/v1/products/changes?after=${after}`)).toMatchObject({
      status: 410,
      body: { code: "cursor-of-another-feed" },
    });
  const all = await api.ask<Feed>("GET", "/v1/products/changes");
  expect(all.body.changes.map(({ key }) => key)).toEqual(["BRK", "NAIL"]);
});

test("stock is told free, by branch", async () => {
  const { body } = await api.ask<Page>("GET", "/v1/stock");
  expect(body.entries).toMatchObject([
    {
      product: "BRK",
      free: "80",
      nextDueOn: "2026-04-02",
      branches: [{ branch: "LEEDS", free: "80" }],
    },
  ]);
  expect((await api.ask<Feed>("GET", "/v1/stock/changes")).body.changes).toHaveLength(1);
});

test("a customer is told with credit, stop and sites, and the documents of every channel", async () => {
  const { body } = await api.ask("GET", "/v1/customers/A1");
  expect(body).toMatchObject({
    creditLimit: "1000.00",
    creditLeft: "749.50",
    onStop: true,
    sites: [{ site: "YARD", standard: true }],
  });
  const documents = await api.ask("GET", "/v1/customers/A1/documents?lines=true");
  expect(documents.body).toMatchObject({
    balance: "250.50",
    onStop: true,
    stopReason: "Overdue",
    entries: [{ document: "I1", channel: "counter", gross: "12.00", lines: [] }],
  });
  expect((await api.ask<Page>("GET", "/v1/customers")).body.entries).toHaveLength(1);
  expect((await api.ask<Feed>("GET", "/v1/documents/changes")).body.changes).toHaveLength(1);
  expect((await api.ask("GET", "/v1/customers/NOBODY")).status).toBe(404);
  expect((await api.ask("GET", "/v1/customers/NOBODY/documents")).status).toBe(404);
});

test("with an account, products that the assortment hides from the customer are left out", async () => {
  const { store } = api.tradepost;
  const codes = async (query: string) =>
    (await api.ask<Page>("GET", `/v1/products${query}`)).body.entries.map(({ product }) => product);
  expect(await codes("?account=A1")).toEqual(["BRK", "NAIL"]);
  const whom = { customers: "account", customerCode: "A1" } as const;
  const what = { products: "product", productCode: "BRK", visibility: "hidden" } as const;
  await pull(store, "HARROW", "assortment", [{ ...whom, ...what }]);
  expect(await codes("?account=A1")).toEqual(["NAIL"]);
  expect(await codes("?account=A1&limit=1")).toEqual(["NAIL"]);
  expect(await codes("")).toEqual(["BRK", "NAIL"]);
  expect((await api.ask("GET", "/v1/products?account=NOBODY")).status).toBe(404);
});

test("products too incomplete to sell are listed", async () => {
  const { body } = await api.ask("GET", "/v1/products/incomplete?only=stops");
  expect(body).toMatchObject({
    stopped: 2,
    products: [{ product: "BRK", stops: ["no price"] }, {}],
  });
});

test("a key without the scope shop opens none of it", async () => {
  const key = await api.keyWith({ scopes: ["prices", "orders"] });
  for (const address of ["/v1/products", "/v1/stock", "/v1/customers", "/v1/documents/changes"])
    expect((await api.ask("GET", address, { key })).status).toBe(403);
});
