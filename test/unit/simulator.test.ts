import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { LAYOUT, start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { records } from "../../src/model/index.ts";
import {
  documentOf,
  erpFolder,
  exportsOf,
  lastOf,
  pence,
  rowsOf,
  streamOf,
  sumOf,
  type Rows,
} from "../support/simulated-erp.ts";

const SMALL = { customers: 60, products: 240, priceRules: 1500, invoiceLines: 2500, years: 1 };
const merchant = createMerchant(SMALL);

function streamNameOf(record: string): string {
  const plurals: Readonly<Record<string, string>> = {
    "trading-entity": "trading-entities",
    branch: "branches",
    stock: "stock",
    despatch: "despatches",
  };
  return plurals[record] ?? `${record}s`;
}

describe("the layout of the export files", () => {
  test("has the columns that this ERP knows, in the model's order", () => {
    const fields = new Map(
      Object.values(records).map((record) => [
        streamNameOf(record.name),
        Object.keys(record.fields),
      ]),
    );
    for (const [stream, columns] of Object.entries(LAYOUT))
      expect(fields.get(stream)?.filter((field) => columns.some((one) => one === field))).toEqual(
        columns,
      );
  });

  test("leaves out what this ERP does not have, and no more", () => {
    const missing = Object.values(records).flatMap((record) => {
      const columns: readonly string[] | undefined = Object.entries(LAYOUT).find(
        ([stream]) => stream === streamNameOf(record.name),
      )?.[1];
      if (columns === undefined) return [record.name];
      return Object.keys(record.fields)
        .filter((field) => !columns.includes(field))
        .map((field) => `${record.name}.${field}`);
    });
    expect(missing).toMatchSnapshot();
  });
});

describe("a year of an ERP and a fortnight after it", () => {
  const folder = erpFolder();
  let erp: Simulator;
  beforeAll(async () => {
    erp = await start(merchant, { folder });
    await erp.advance(14);
  });
  afterAll(async () => {
    await erp.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is the same to the byte with the same seed", async () => {
    const other = erpFolder();
    onTestFinished(() => rmSync(other, { recursive: true, force: true }));
    const twin = await start(createMerchant(SMALL), { folder: other });
    await twin.advance(14);
    expect(exportsOf(other)).toEqual(exportsOf(folder));
    for (const file of exportsOf(folder)) {
      const content = readFileSync(join(folder, "out", file));
      expect(content.equals(readFileSync(join(other, "out", file))), file).toBe(true);
    }
    await twin.close();
  });

  test("writes every stream but the answers to orders that it never got", () => {
    const streams = Object.keys(LAYOUT).filter((stream) => exportsOf(folder, stream).length === 0);
    expect(streams).toEqual(["order-acknowledgements"]);
  });

  test("leaves no file half written", () => {
    const strange = readdirSync(join(folder, "out")).filter((file) => !file.endsWith(".csv"));
    expect(strange).toEqual([]);
  });

  test("invoices at least as many lines as the merchant was asked for", () => {
    const [first = ""] = exportsOf(folder, "sales-lines");
    const invoiced = rowsOf(folder, first).filter((row) => row["documentType"] === "invoice");
    expect(invoiced.length).toBeGreaterThanOrEqual(SMALL.invoiceLines);
  });

  test("has documents whose lines add up to them", () => {
    const lines = Map.groupBy(streamOf(folder, "sales-lines"), documentOf);
    const documents = streamOf(folder, "sales-documents");
    expect(documents).toHaveLength(erp.books().documents);
    for (const document of documents) {
      const theirs = lines.get(documentOf(document)) ?? [];
      expect([sumOf(theirs, "net"), sumOf(theirs, "vat")], documentOf(document)).toEqual([
        pence(document["net"]),
        pence(document["vat"]),
      ]);
      expect(pence(document["gross"])).toBe(pence(document["net"]) + pence(document["vat"]));
    }
  });

  test("states control totals that are those of the documents, and keeps them in its books", () => {
    const byPeriod = Map.groupBy(
      streamOf(folder, "sales-documents"),
      (row) => `${row["period"]} ${row["documentType"]}`,
    );
    const expected = [...byPeriod].map(([key, rows]) => [
      key,
      rows.length,
      sumOf(rows, "net"),
      sumOf(rows, "vat"),
    ]);
    const stated = lastOf(folder, "control-totals").map((row) => [
      `${row["period"]} ${row["documentType"]}`,
      Number(row["documents"]),
      pence(row["net"]),
      pence(row["vat"]),
    ]);
    const kept = erp
      .books()
      .periods.map(({ period, documentType, documents, net, vat }) => [
        `${period} ${documentType}`,
        documents,
        pence(net),
        pence(vat),
      ]);
    expect(stated).toEqual(expected.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
    expect(kept).toEqual(stated);
  });

  test("keeps sales by account, period and the channel that the files show", () => {
    const branches = streamOf(folder, "branches");
    const defaults = new Map(branches.map((one) => [one["branch"], one["defaultChannel"]]));
    const shows = (row: Rows[number]) =>
      row["channel"] ||
      merchant.takenByChannels.find(({ takenBy }) =>
        new RegExp(`^${takenBy.replace("*", ".*")}$`).test(row["takenBy"] ?? ""),
      )?.channel ||
      defaults.get(row["branch"]) ||
      "unknown";
    const totals = new Map<string, number>();
    for (const row of streamOf(folder, "sales-documents")) {
      const key = `${row["account"]} ${row["period"]} ${shows(row)}`;
      const sign = row["documentType"] === "credit" ? -1 : 1;
      totals.set(key, (totals.get(key) ?? 0) + sign * pence(row["net"]));
    }
    const kept = new Map<string, number>();
    for (const { account, period, shows: channel, net } of erp.books().sales) {
      const key = `${account} ${period} ${channel}`;
      kept.set(key, (kept.get(key) ?? 0) + pence(net));
    }
    expect(Object.fromEntries(kept)).toEqual(Object.fromEntries(totals));
    expect([...kept.keys()].some((key) => key.endsWith("unknown"))).toBe(true);
  });

  test("tells goods from everything else", () => {
    const lines = streamOf(folder, "sales-lines");
    const goods = lines.filter((row) => row["lineClass"] === "goods");
    const signed = goods.reduce(
      (all, row) => all + pence(row["net"]) * (row["documentType"] === "credit" ? -1 : 1),
      0,
    );
    const kept = erp.books().sales.reduce((all, { goodsNet }) => all + pence(goodsNet), 0);
    expect(kept).toBe(signed);
    expect(goods.length).toBeLessThan(lines.length);
  });

  test("has part shipments that add up to their order", () => {
    // Orders are exported again when they change: the last state counts.
    const lastOf = (rows: Rows, ...key: string[]) =>
      new Map(rows.map((row) => [key.map((field) => row[field]).join("/"), row]));
    const orders = lastOf(streamOf(folder, "erp-orders"), "erpOrder");
    const orderLines = lastOf(streamOf(folder, "erp-order-lines"), "erpOrder", "line");
    const invoices = streamOf(folder, "sales-documents").filter(
      (row) => row["documentType"] === "invoice" && row["erpOrder"] !== "",
    );
    const byOrder = Map.groupBy(invoices, (row) => row["erpOrder"] ?? "");
    const invoiced = Map.groupBy(
      streamOf(folder, "sales-lines").filter((row) => row["documentType"] === "invoice"),
      (row) => `${row["erpOrder"]}/${row["erpOrderLine"]}`,
    );
    const complete = [...orders.values()].filter((row) => row["state"] === "complete");
    const inParts = complete.filter((row) => (byOrder.get(row["erpOrder"] ?? "")?.length ?? 0) > 1);
    expect(inParts.length).toBeGreaterThan(5);
    for (const order of complete) {
      const theirs = byOrder.get(order["erpOrder"] ?? "") ?? [];
      expect([sumOf(theirs, "net"), sumOf(theirs, "vat")]).toEqual([
        pence(order["net"]),
        pence(order["vat"]),
      ]);
    }
    for (const [key, line] of orderLines) {
      const quantity = (invoiced.get(key) ?? []).reduce(
        (all, row) => all + Number(row["quantity"]),
        0,
      );
      expect(quantity, key).toBeCloseTo(Number(line["invoicedQuantity"]), 5);
    }
  });

  test("credits lines of invoices, mostly by name, and never more than was invoiced", () => {
    const lines = streamOf(folder, "sales-lines");
    const invoiced = new Map(
      lines
        .filter((row) => row["documentType"] === "invoice")
        .map((row) => [`${row["document"]}/${row["line"]}`, row]),
    );
    const returned = lines.filter(
      (row) => row["documentType"] === "credit" && row["lineClass"] === "goods",
    );
    const named = returned.filter((row) => row["creditsDocument"] !== "");
    expect(named.length).toBeGreaterThan(0);
    for (const row of named) {
      const line = invoiced.get(`${row["creditsDocument"]}/${row["creditsLine"]}`);
      expect(line?.["product"]).toBe(row["product"]);
      expect(Number(row["quantity"])).toBeLessThanOrEqual(Number(line?.["quantity"]));
      expect(pence(row["net"])).toBeLessThanOrEqual(pence(line?.["net"]));
    }
  });

  test("charges its own price less what the seller typed in", () => {
    const documents = new Map(
      streamOf(folder, "sales-documents").map((row) => [documentOf(row), row]),
    );
    const overTheCounter = streamOf(folder, "sales-lines").flatMap((line) => {
      const document = documents.get(documentOf(line));
      const sold = line["documentType"] === "invoice" && line["lineClass"] === "goods";
      return sold && document?.["erpOrder"] === "" ? [{ line, document }] : [];
    });
    expect(overTheCounter.length).toBeGreaterThan(100);
    for (const { line, document } of overTheCounter) {
      const { account = "", documentOn = "" } = document;
      const { product = "", quantity = "" } = line;
      // Prices change after the history: only what was sold before can be asked for again.
      if (documentOn > merchant.today) continue;
      if (erp.books().typedPrices.includes(`${line["document"]}/${line["line"]}`)) continue;
      const answer = erp.books().priceFor(account, product, quantity, documentOn);
      expect(answer?.unitPrice).toBe(line["unitPrice"]);
      if (line["discountPercent"] === "0") expect(answer?.net).toBe(line["net"]);
      else expect(pence(line["net"])).toBeLessThan(pence(answer?.net));
    }
  });

  test("keeps a ledger whose balances are the customers' and whose settlements reduce what is owed", () => {
    const ledger = new Map(
      streamOf(folder, "ledger-transactions").map((row) => [row["transaction"] ?? "", row]),
    );
    const balances = new Map<string, number>();
    for (const row of ledger.values()) {
      const owes = row["kind"] === "invoice" || row["kind"] === "opening";
      const sign = owes ? 1 : -1;
      const account = row["account"] ?? "";
      balances.set(account, (balances.get(account) ?? 0) + sign * pence(row["outstanding"]));
    }
    const customers = lastOf(folder, "customers");
    for (const { account = "", balance } of customers)
      expect(balances.get(account) ?? 0, account).toBe(pence(balance));
    const settled = Map.groupBy(streamOf(folder, "settlements"), (row) => row["document"] ?? "");
    const invoices = [...ledger.values()].filter((row) => row["kind"] === "invoice");
    for (const row of invoices) {
      const paid = sumOf(settled.get(row["document"] ?? "") ?? [], "amount");
      expect(paid).toBe(pence(row["gross"]) - pence(row["outstanding"]));
    }
    expect(invoices.some((row) => row["outstanding"] === "0.00")).toBe(true);
  });

  test("sells nothing through the old web shop any more", () => {
    const after = streamOf(folder, "sales-documents").filter(
      (row) => row["takenBy"] === "WEBSHOP" && (row["documentOn"] ?? "") > "2026-07-10",
    );
    const orders = streamOf(folder, "erp-orders").filter(
      (row) => row["takenBy"] === "WEBSHOP" && (row["orderedOn"] ?? "") > merchant.today,
    );
    expect([after, orders]).toEqual([[], []]);
  });

  test("changes prices now and then: the old rule ends the day before the new one begins", () => {
    const files = exportsOf(folder, "price-rules");
    expect(files.length).toBeGreaterThan(1);
    const [before, after] = [files.at(0) ?? "", files.at(-1) ?? ""].map((file) =>
      rowsOf(folder, file),
    );
    const known = new Set(before?.map((row) => row["rule"]));
    const added = (after ?? []).filter((row) => !known.has(row["rule"]));
    expect(added.length).toBeGreaterThan(0);
    for (const { rule = "", validFrom = "", fromQuantity } of added) {
      const [base] = rule.split("@");
      const closed = (after ?? []).filter(
        (row) =>
          row["rule"]?.split("@")[0] === base &&
          row["fromQuantity"] === fromQuantity &&
          (row["validTo"] ?? "") !== "" &&
          (row["validTo"] ?? "") < validFrom,
      );
      const last = closed
        .map((row) => row["validTo"] ?? "")
        .sort()
        .at(-1);
      expect(last).toBe(Temporal.PlainDate.from(validFrom).subtract({ days: 1 }).toString());
    }
  });
});
