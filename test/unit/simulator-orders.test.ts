import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import {
  drop,
  erpFolder,
  orderFiles,
  streamOf,
  sumOf,
  type DroppedOrder,
} from "../support/simulated-erp.ts";

const merchant = createMerchant({ customers: 60, products: 120, invoiceLines: 0, years: 1 });
const good = merchant.customers.find(
  (one) => !one.onStop && one.state === "active" && !one.cashAccount && one.vatCode === null,
);
const stopped = merchant.customers.find(({ onStop }) => onStop);
const blocked = merchant.products.find(({ state }) => state === "blocked");
const sold = merchant.products.filter(
  (one) => one.state === "active" && one.pricingUnit === "EACH" && one.vatCode === "STANDARD",
);
const codeOf = (index: number) => sold[index]?.product ?? "";
const order = (some: Partial<DroppedOrder> = {}): DroppedOrder => ({
  webOrder: "W-1",
  account: good?.account ?? "",
  lines: [
    { code: codeOf(0), quantity: "10", unitPrice: "3.3333" },
    { code: codeOf(1), quantity: "3", unitPrice: "0.99" },
    { kind: "charge", code: "CARR", net: "12.50" },
  ],
  ...some,
});

describe("web orders in the simulated ERP", () => {
  let folder: string;
  let erp: Simulator;
  beforeEach(async () => {
    folder = erpFolder();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    erp = await start(merchant, { folder });
  });
  const booked = (webOrder: string) =>
    erp.books().webOrders.find((one) => one.webOrder === webOrder);
  const waitingFor = async (files: Readonly<Record<string, string>>) => {
    drop(folder, files);
    const { ordersTaken, ordersWaiting } = await erp.advance(0);
    expect(ordersTaken).toEqual([]);
    return ordersWaiting;
  };

  test("are accepted at once, at the order's own prices, with the ERP's own beside", async () => {
    drop(folder, orderFiles(order()));
    const happened = await erp.advance(0);
    expect(happened.today).toBe("2026-06-30");
    expect(happened.ordersTaken).toEqual([{ webOrder: "W-1", erpOrder: "SO100001" }]);
    // 33.33 + 2.97 + 12.50; VAT 6.67 + 0.59 + 2.50.
    expect(streamOf(folder, "order-acknowledgements")).toEqual([
      {
        webOrder: "W-1",
        outcome: "accepted",
        erpOrder: "SO100001",
        reason: "",
        answeredOn: "2026-06-30",
        net: "48.80",
        vat: "9.76",
      },
    ]);
    const own = erp.books().priceFor(good?.account ?? "", codeOf(0), "10", "2026-06-30");
    expect(booked("W-1")?.erpOrders[0]?.lines[0]).toMatchObject({
      unitPrice: "3.3333",
      net: "33.33",
      ownUnitPrice: own?.unitPrice,
      ownRule: own?.rule,
    });
  });

  test("go through with our number on the order and its invoice, and no channel stated", async () => {
    drop(folder, orderFiles(order()));
    await erp.advance(6);
    const [invoice, ...others] = streamOf(folder, "sales-documents");
    expect(others).toEqual([]);
    expect(invoice).toMatchObject({ webOrder: "W-1", channel: "", takenBy: "", net: "48.80" });
    expect(streamOf(folder, "erp-orders").at(-1)).toMatchObject({
      webOrder: "W-1",
      state: "complete",
    });
    const lines = streamOf(folder, "sales-lines");
    expect(lines.map((row) => row["lineClass"])).toEqual(["goods", "goods", "carriage"]);
    expect(streamOf(folder, "despatch-lines")).toHaveLength(2);
    expect(booked("W-1")).toMatchObject({ invoicedNet: "48.80", creditedNet: "0.00" });
    expect(erp.books().sales).toEqual([
      {
        account: good?.account,
        period: "2026-07",
        channel: "web",
        shows: "web",
        goodsNet: "36.30",
        net: "48.80",
      },
    ]);
  });

  test("are put away once taken", async () => {
    drop(folder, orderFiles(order()));
    await erp.advance(0);
    const left = readdirSync(join(folder, "orders"));
    expect(left).toEqual([".taken"]);
    expect(readdirSync(join(folder, "orders", ".taken")).sort()).toEqual([
      "W-1-lines.csv",
      "W-1.csv",
      "W-1.manifest.json",
    ]);
  });

  test("that are dropped twice are two orders and two invoices, and the books show it", async () => {
    drop(folder, orderFiles(order()));
    await erp.advance(1);
    drop(folder, orderFiles(order()));
    await erp.advance(15);
    expect(booked("W-1")?.erpOrders.map(({ erpOrder }) => erpOrder)).toEqual([
      "SO100001",
      "SO100002",
    ]);
    expect(booked("W-1")?.invoicedNet).toBe("97.60");
    expect(existsSync(join(folder, "orders", ".taken", "W-1.csv~2"))).toBe(true);
  });

  test("go out in two parts where they are the second, and add up to the penny", async () => {
    drop(folder, orderFiles(order()));
    drop(folder, orderFiles(order({ webOrder: "W-2" })));
    await erp.advance(15);
    const invoices = streamOf(folder, "sales-documents").filter((row) => row["webOrder"] === "W-2");
    expect(invoices).toHaveLength(2);
    expect([sumOf(invoices, "net"), sumOf(invoices, "vat")]).toEqual([4880, 976]);
    const numbers = new Set(invoices.map((row) => row["document"]));
    const parts = streamOf(folder, "sales-lines").filter(
      (row) => numbers.has(row["document"]) && row["product"] === codeOf(0),
    );
    // 5 × 3.3333 is 16.67; the rest of 33.33 is 16.66.
    expect(parts.map((row) => [row["quantity"], row["net"]])).toEqual([
      ["5", "16.67"],
      ["5", "16.66"],
    ]);
    const states = streamOf(folder, "erp-orders").filter((row) => row["webOrder"] === "W-2");
    expect(states.map((row) => row["state"])).toEqual(["open", "part", "complete"]);
  });

  test("arrive short where they are the fourth, and are credited by invoice line", async () => {
    for (const number of [1, 2, 3, 4]) drop(folder, orderFiles(order({ webOrder: `W-${number}` })));
    await erp.advance(15);
    const [credit, ...others] = streamOf(folder, "sales-documents").filter(
      (row) => row["documentType"] === "credit",
    );
    expect(others).toEqual([]);
    expect(credit).toMatchObject({ webOrder: "W-4" });
    const [invoice] = streamOf(folder, "sales-documents").filter(
      (row) => row["webOrder"] === "W-4" && row["documentType"] === "invoice",
    );
    const [line] = streamOf(folder, "sales-lines").filter(
      (row) => row["documentType"] === "credit",
    );
    expect(line).toMatchObject({
      creditsDocument: invoice?.["document"],
      creditsLine: "1",
      quantity: "5",
      net: "16.67",
    });
    expect(booked("W-4")).toMatchObject({ invoicedNet: "48.80", creditedNet: "16.67" });
  });

  test("are delivered when asked for, within ten days", async () => {
    drop(folder, orderFiles(order({ requestedOn: "2026-07-09" })));
    await erp.advance(12);
    expect(streamOf(folder, "sales-documents")).toMatchObject([{ documentOn: "2026-07-09" }]);
  });

  test("that were paid are settled by what came with them", async () => {
    drop(folder, orderFiles(order({ paymentAmount: "60.00" })));
    await erp.advance(6);
    const [receipt] = streamOf(folder, "receipts").filter((row) => row["amount"] === "60.00");
    expect(receipt).toMatchObject({ account: good?.account, kind: "cash" });
    expect(streamOf(folder, "settlements")).toMatchObject([
      { receipt: receipt?.["receipt"], amount: "58.56" },
    ]);
    const ledger = streamOf(folder, "ledger-transactions");
    const left = ledger.findLast((row) => row["document"] === receipt?.["receipt"]);
    // 1.44 was paid too much.
    expect(left).toMatchObject({ kind: "receipt", gross: "60.00", outstanding: "1.44" });
  });

  test.each([
    ["an unknown account", { account: "NOBODY" }, "account NOBODY is not known"],
    ["an account on stop", { account: stopped?.account ?? "" }, "is on stop: "],
    [
      "an unknown product",
      { lines: [{ code: "NO-SUCH" }] },
      "line 1: product NO-SUCH is not known",
    ],
    ["a blocked product", { lines: [{ code: blocked?.product ?? "" }] }, "is blocked"],
    [
      "a quantity of nothing",
      { lines: [{ code: codeOf(0), quantity: "0" }] },
      'line 1: quantity "0" is no quantity',
    ],
    [
      "a price finer than it keeps",
      { lines: [{ code: codeOf(0), unitPrice: "1.23456" }] },
      'unit price "1.23456" is no price with at most 4 places',
    ],
    [
      "an unknown VAT code",
      { lines: [{ code: codeOf(0), vatCode: "T9" }] },
      'VAT code "T9" is not known',
    ],
  ])("are refused for %s, and nothing is made of them", async (_, some, reason) => {
    drop(folder, orderFiles(order(some)));
    const { ordersTaken, ordersRefused } = await erp.advance(6);
    expect(ordersTaken).toEqual([]);
    expect(ordersRefused).toMatchObject([{ webOrder: "W-1" }]);
    expect(ordersRefused[0]?.reason).toContain(reason);
    expect(streamOf(folder, "order-acknowledgements")).toMatchObject([
      { webOrder: "W-1", outcome: "refused", erpOrder: "", net: "", vat: "" },
    ]);
    expect(streamOf(folder, "erp-orders")).toEqual([]);
    expect(booked("W-1")?.refusals).toHaveLength(1);
  });

  test("are not seen before their header is there", async () => {
    const { "W-1.csv": header = "", ...others } = orderFiles(order());
    expect(await waitingFor(others)).toEqual([]);
    drop(folder, { "W-1.csv": header });
    expect((await erp.advance(0)).ordersTaken).toHaveLength(1);
  });

  test("wait while their manifest is missing or differs, and say why", async () => {
    const whole = orderFiles(order());
    const { "W-1.manifest.json": manifest = "", ...unpromised } = whole;
    expect(await waitingFor(unpromised)).toEqual([
      { name: "W-1", reason: "W-1.manifest.json is not there" },
    ]);
    expect(await waitingFor({ "W-1.manifest.json": manifest.slice(0, 20) })).toEqual([
      { name: "W-1", reason: "W-1.manifest.json cannot be read" },
    ]);
    const lines = whole["W-1-lines.csv"] ?? "";
    expect(await waitingFor({ ...whole, "W-1-lines.csv": lines.slice(0, -9) })).toEqual([
      {
        name: "W-1",
        reason: `W-1-lines.csv has bytes ${lines.length - 9}, the manifest says ${lines.length}`,
      },
    ]);
    const changed = lines.replace("3.3333", "2.3333");
    const [found] = await waitingFor({ ...whole, "W-1-lines.csv": changed });
    expect(found?.reason).toContain("W-1-lines.csv has SHA-256 ");
    const miscounted = manifest.replace('"rows":3', '"rows":4');
    expect(await waitingFor({ ...whole, "W-1.manifest.json": miscounted })).toEqual([
      { name: "W-1", reason: "W-1-lines.csv has rows 3, the manifest says 4" },
    ]);
    drop(folder, whole);
    expect((await erp.advance(0)).ordersTaken).toHaveLength(1);
  });

  test("change no other figure of the ERP", async () => {
    const busy = createMerchant({ customers: 30, products: 120, invoiceLines: 600, years: 1 });
    const [withOrders, without] = [erpFolder(), erpFolder()];
    onTestFinished(() => {
      for (const one of [withOrders, without]) rmSync(one, { recursive: true, force: true });
    });
    const [one, other] = [
      await start(busy, { folder: withOrders }),
      await start(busy, { folder: without }),
    ];
    const account = busy.customers.find(({ onStop, state, cashAccount }) => {
      return !onStop && state === "active" && !cashAccount;
    });
    const lines = [{ code: busy.products.find(({ state }) => state === "active")?.product ?? "" }];
    drop(withOrders, orderFiles({ webOrder: "W-9", account: account?.account ?? "", lines }));
    await one.advance(10);
    await other.advance(10);
    const offline = (erp: Simulator) =>
      erp.books().sales.filter(({ channel }) => channel !== "web");
    expect(offline(one)).toEqual(offline(other));
    expect(one.books().documents).toBe(other.books().documents + 1);
  });
});

test("the simulated ERP refuses to go back in time", async () => {
  const folder = erpFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const erp = await start(
    createMerchant({ customers: 20, products: 60, invoiceLines: 0, years: 1 }),
    {
      folder,
    },
  );
  await expect(erp.advance(-1)).rejects.toThrow("-1 is no number of days; give 0, 1, 2 …");
});
