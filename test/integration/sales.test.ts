import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openSales } from "../../src/sales/index.ts";
import type { Posting, Sales, SalesContext } from "../../src/sales/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { ORIGIN_ID, pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { takeWebOrder } from "../support/web-orders.ts";

const database = useDatabase();
const NOW = Temporal.Instant.from("2026-03-31T09:00:00Z");

function open(
  company: string,
  channels: SalesContext["settings"]["channels"] = [],
  setAside: ReadonlyMap<string, string> = new Map(),
): Sales {
  return openSales({
    store: database.store,
    company,
    settings: { channels },
    sources: {
      freshness: async () => [{ source: "erp", at: NOW }],
      quarantined: async () => [],
      setAside: async () => setAside,
      origin: async (id) =>
        id === ORIGIN_ID
          ? {
              name: "sales-lines-1.csv",
              keptAt: null,
              connection: "erp",
              stream: "sales-lines",
              runId: id,
            }
          : null,
    },
    now: () => NOW,
  });
}

type Document = Canonical<"sales-document">;
type Line = Canonical<"sales-line">;

/** An invoice of one account in March unless it says otherwise; gross follows. */
function document(
  number: string,
  net: string,
  vat: string,
  more: Partial<Document> = {},
): Partial<Document> {
  const gross = (Number(net) + Number(vat)).toFixed(2);
  return {
    documentType: "invoice",
    document: number,
    account: "A1",
    documentOn: "2026-03-10",
    net,
    vat,
    gross,
    ...more,
  };
}

function line(
  number: string,
  position: number,
  net: string,
  vat: string,
  more: Partial<Line> = {},
): Partial<Line> {
  return {
    documentType: "invoice",
    document: number,
    line: position,
    product: `P${position}`,
    quantity: "1",
    unitPrice: net,
    net,
    vat,
    ...more,
  };
}

const documents = (company: string, ...rows: Partial<Document>[]) =>
  pull(database.store, company, "sales-document", rows);
const lines = (company: string, ...rows: Partial<Line>[]) =>
  pull(database.store, company, "sales-line", rows);

async function postings(sales: Sales): Promise<Posting[]> {
  const found: Posting[] = [];
  for await (const batch of sales.postings({ upToBatch: await sales.watermark() }))
    found.push(...batch);
  return found;
}

async function total(sales: Sales): Promise<{ net: string; vat: string; lines: number }> {
  const { rows } = await sales.totals({ by: [] });
  expect(await sales.recheck()).toEqual([]);
  return { net: rows[0]?.net ?? "0.00", vat: rows[0]?.vat ?? "0.00", lines: rows[0]?.lines ?? 0 };
}

describe("posting", () => {
  test("a credit note is negative whatever sign the feed gives it", async () => {
    const sales = open("SIGN");
    const credit = { documentType: "credit" } as const;
    await documents(
      "SIGN",
      document("I1", "100.00", "20.00"),
      document("C1", "10.00", "2.00", credit),
      document("C2", "-5.00", "-1.00", credit),
      document("C3", "3.00", "0.60", credit),
    );
    await lines(
      "SIGN",
      line("I1", 1, "100.00", "20.00"),
      line("C1", 1, "10.00", "2.00", credit),
      line("C2", 1, "-5.00", "-1.00", { ...credit, quantity: "-1" }),
      // The other habit: a positive document with negative lines.
      line("C3", 1, "-3.00", "-0.60", { ...credit, quantity: "-1" }),
    );
    expect(await sales.post()).toEqual({ posted: 4, reversed: 0, batch: 1 });
    expect(await total(sales)).toEqual({ net: "82.00", vat: "16.40", lines: 4 });
    expect((await postings(sales)).map((one) => [one.document, one.quantity, one.net])).toEqual([
      ["C1", "-1.00000", "-10.00"],
      ["C2", "-1.00000", "-5.00"],
      ["C3", "-1.00000", "-3.00"],
      ["I1", "1.00000", "100.00"],
    ]);
  });

  test("a line of the opposite sign inside a credit note keeps its sense", async () => {
    const sales = open("RESTOCK");
    const credit = { documentType: "credit" } as const;
    await documents("RESTOCK", document("C1", "90.00", "18.00", credit));
    await lines(
      "RESTOCK",
      line("C1", 1, "100.00", "20.00", credit),
      line("C1", 2, "-10.00", "-2.00", { ...credit, lineClass: "charge", product: null }),
    );
    await sales.post();
    expect((await postings(sales)).map((one) => one.net)).toEqual(["-100.00", "10.00"]);
    expect(await total(sales)).toMatchObject({ net: "-90.00", vat: "-18.00" });
  });

  test("posting again posts nothing, and the watermark stands", async () => {
    const sales = open("AGAIN");
    await documents("AGAIN", document("I1", "10.00", "2.00"));
    await lines("AGAIN", line("I1", 1, "10.00", "2.00"));
    expect(await sales.post()).toEqual({ posted: 1, reversed: 0, batch: 1 });
    expect(await sales.post()).toEqual({ posted: 0, reversed: 0, batch: 1 });
    expect(await sales.watermark()).toBe(1);
  });

  test("two posters at once post each line once", async () => {
    const sales = open("TWICE");
    await documents("TWICE", document("I1", "10.00", "2.00"));
    await sales.post();
    await lines("TWICE", line("I1", 1, "10.00", "2.00"));
    const results = await Promise.all([sales.post(), sales.post(), sales.post()]);
    expect(results.map((result) => result.posted).sort((a, b) => a - b)).toEqual([0, 0, 1]);
    expect(await total(sales)).toEqual({ net: "10.00", vat: "2.00", lines: 1 });
  });

  test("changed content is a reversal and a new version; the first posting still stands there", async () => {
    const sales = open("CHANGE");
    await documents("CHANGE", document("I1", "10.00", "2.00"));
    await lines("CHANGE", line("I1", 1, "10.00", "2.00", { cost: "7.00" }));
    await sales.post();
    await documents("CHANGE", document("I1", "12.00", "2.40"));
    await lines("CHANGE", line("I1", 1, "12.00", "2.40", { cost: "7.50" }));
    expect(await sales.post()).toEqual({ posted: 1, reversed: 1, batch: 2 });
    expect(
      (await postings(sales)).map(({ version, reversal, net, cost, batch }) => [
        version,
        reversal,
        net,
        cost,
        batch,
      ]),
    ).toEqual([
      [1, false, "10.00", "7.00", 1],
      [1, true, "-10.00", "-7.00", 2],
      [2, false, "12.00", "7.50", 2],
    ]);
    expect(await total(sales)).toEqual({ net: "12.00", vat: "2.40", lines: 1 });
  });

  test("a run up to an earlier watermark sees what was posted by then", async () => {
    const sales = open("WATER");
    await documents("WATER", document("I1", "10.00", "2.00"));
    await lines("WATER", line("I1", 1, "10.00", "2.00"));
    await sales.post();
    await documents("WATER", document("I2", "5.00", "1.00"));
    await lines("WATER", line("I2", 1, "5.00", "1.00"));
    await sales.post();
    const seen: string[] = [];
    for await (const batch of sales.postings({ upToBatch: 1 }))
      seen.push(...batch.map((one) => one.document));
    expect(seen).toEqual(["I1"]);
  });

  test("a line that vanishes from the ERP stays posted, and leaves nothing unanalysed", async () => {
    const sales = open("VANISH");
    await documents("VANISH", document("I1", "30.00", "6.00"));
    await lines("VANISH", line("I1", 1, "10.00", "2.00"), line("I1", 2, "20.00", "4.00"));
    await sales.post();
    await database.store.affect("delete from sales_line where company = 'VANISH' and line = 2");
    await documents("VANISH", document("I1", "30.00", "6.00", { customerReference: "touched" }));
    expect(await sales.post()).toMatchObject({ posted: 0, reversed: 0 });
    expect(await total(sales)).toEqual({ net: "30.00", vat: "6.00", lines: 2 });
  });

  test("what a document's lines leave unanalysed is one line, until its lines arrive", async () => {
    const sales = open("REST");
    await documents("REST", document("I1", "30.00", "6.01"));
    expect(await sales.post()).toMatchObject({ posted: 1 });
    expect(await postings(sales)).toMatchObject([
      { line: 0, lineClass: "unanalysed", net: "30.00", vat: "6.01" },
    ]);
    await lines("REST", line("I1", 1, "10.00", "2.00"));
    await sales.post();
    expect(await total(sales)).toEqual({ net: "30.00", vat: "6.01", lines: 2 });
    await lines("REST", line("I1", 2, "20.00", "4.00"));
    await sales.post();
    // A penny of VAT that no line has stays visible.
    expect(await total(sales)).toEqual({ net: "30.00", vat: "6.01", lines: 3 });
    await lines("REST", line("I1", 2, "20.00", "4.01"));
    await sales.post();
    expect(await total(sales)).toEqual({ net: "30.00", vat: "6.01", lines: 2 });
    const standing = (await postings(sales)).filter((one) => one.line === 0);
    expect(standing.reduce((sum, one) => sum + (one.reversal ? -1 : 1), 0)).toBe(0);
  });

  test("lines without their document wait, are counted as waiting, and are posted when it arrives", async () => {
    const sales = open("WAIT");
    await lines("WAIT", line("I1", 1, "10.00", "2.00"), line("I1", 2, "5.00", "1.00"));
    expect(await sales.post()).toMatchObject({ posted: 0 });
    expect((await sales.totals({ by: [] })).trust.waiting).toEqual({
      documents: 1,
      lines: 2,
      net: "15.00",
    });
    await documents("WAIT", document("I1", "15.00", "3.00"));
    expect(await sales.post()).toMatchObject({ posted: 2, reversed: 0 });
    expect((await sales.totals({ by: [] })).trust.waiting).toEqual({
      documents: 0,
      lines: 0,
      net: "0",
    });
  });

  test("a product's group stays as it was posted when the product moves, and fills in when it was not known", async () => {
    const sales = open("GROUP");
    const { store } = database;
    await documents("GROUP", document("I1", "10.00", "2.00"));
    await lines("GROUP", line("I1", 1, "10.00", "2.00"));
    await sales.post();
    await pull(store, "GROUP", "product", [
      { product: "P1", name: "Brick", productGroup: "BRICKS" },
    ]);
    expect(await sales.post()).toMatchObject({ posted: 1, reversed: 1 });
    await pull(store, "GROUP", "product", [
      { product: "P1", name: "Brick", productGroup: "HEAVY" },
    ]);
    expect(await sales.post()).toMatchObject({ posted: 0, reversed: 0 });
    expect((await postings(sales)).at(-1)?.productGroup).toBe("BRICKS");
  });
});

describe("the channel", () => {
  test("comes with its evidence, the best evidence first", async () => {
    const { store } = database;
    const sales = open("CHANNEL", [
      { takenBy: "TILL1", channel: "counter" },
      { branch: "YORK", takenBy: "SAM", channel: "field" },
      { takenBy: "SALES_*", channel: "telephone" },
    ]);
    await takeWebOrder(store, "CHANNEL", { number: "W-1", account: "A1", lines: [["P1", "1"]] });
    await takeWebOrder(store, "CHANNEL", {
      number: "W-2",
      account: "A1",
      placedBy: "assisted",
      lines: [["P1", "1"]],
    });
    await pull(store, "CHANNEL", "branch", [
      { branch: "LEEDS", name: "Leeds", defaultChannel: "counter" },
      { branch: "YORK", name: "York" },
    ]);
    await pull(store, "CHANNEL", "erp-order", [
      { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-01", webOrder: "W-1" },
      {
        erpOrder: "SO9",
        account: "A1",
        orderedOn: "2026-03-01",
        webOrder: "OLD-9",
        takenBy: "TILL1",
      },
    ]);
    const cases: [Partial<Document>, channel: string, evidence: string][] = [
      [
        { erpOrder: "SO1", channel: "telephone" },
        "web",
        "push log: web order W-1 by ERP order SO1",
      ],
      [{ webOrder: "W-2" }, "web", "push log: web order W-2, assisted on the document"],
      [{ customerReference: "W-1" }, "web", "push log: web order W-1 as the customer's reference"],
      // As ERPs write it that know capitals, or small letters, alone.
      [{ webOrder: "w-2" }, "web", "push log: web order W-2, assisted on the document"],
      [{ customerReference: "w-1" }, "web", "push log: web order W-1 as the customer's reference"],
      [{ erpOrder: "SO9" }, "web", "reference: web order OLD-9 by ERP order SO9"],
      [
        { webOrder: "OLD-8", takenBy: "TILL1" },
        "web",
        "reference: web order OLD-8 on the document",
      ],
      [{ channel: "telephone", takenBy: "TILL1" }, "telephone", "stated by the ERP"],
      [
        { channel: "unknown", takenBy: "TILL1", branch: "LEEDS" },
        "counter",
        "rule 1: taken by TILL1",
      ],
      [{ takenBy: "SAM", branch: "YORK" }, "field", "rule 2: taken by SAM: branch YORK"],
      [{ takenBy: "SAM", branch: "LEEDS" }, "counter", "default of branch LEEDS"],
      [{ takenBy: "SALES_3" }, "telephone", "rule 3: taken by SALES_*"],
      // Only * stands for other characters.
      [{ takenBy: "SALESX3" }, "unknown", "nothing says"],
      [{ branch: "YORK" }, "unknown", "nothing says"],
      [{}, "unknown", "nothing says"],
    ];
    for (const [index, [more]] of cases.entries()) {
      const number = `I${String(index).padStart(2, "0")}`;
      await documents("CHANNEL", document(number, "10.00", "2.00", more));
      await lines("CHANNEL", line(number, 1, "10.00", "2.00"));
    }
    await sales.post();
    expect((await postings(sales)).map((one) => [one.channel, one.channelEvidence])).toEqual(
      cases.map(([, channel, evidence]) => [channel, evidence]),
    );
    expect((await postings(sales)).map((one) => one.assisted).indexOf(true)).toBe(1);
  });

  test("of a consolidated invoice is decided line by line, by each line's own order", async () => {
    const { store } = database;
    const sales = open("CONSOLID", [{ takenBy: "ANN", channel: "telephone" }]);
    await takeWebOrder(store, "CONSOLID", { number: "W-1", account: "A1", lines: [["P1", "1"]] });
    await pull(store, "CONSOLID", "erp-order", [
      { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-01", webOrder: "W-1" },
      { erpOrder: "SO2", account: "A1", orderedOn: "2026-03-01", takenBy: "ANN" },
    ]);
    await documents("CONSOLID", document("I1", "30.00", "6.00", { webOrder: "W-1" }));
    await lines(
      "CONSOLID",
      line("I1", 1, "10.00", "2.00", { erpOrder: "SO1" }),
      line("I1", 2, "20.00", "4.00", { erpOrder: "SO2" }),
    );
    await sales.post();
    expect((await postings(sales)).map((one) => [one.line, one.channel, one.webOrder])).toEqual([
      [1, "web", "W-1"],
      [2, "telephone", null],
    ]);
  });

  test("of a credit note is that of the web order whose line it takes back", async () => {
    const { store } = database;
    const sales = open("TAKEBACK");
    await takeWebOrder(store, "TAKEBACK", { number: "W-1", account: "A1", lines: [["P1", "5"]] });
    await documents(
      "TAKEBACK",
      document("I1", "10.00", "2.00", { webOrder: "W-1" }),
      document("C1", "4.00", "0.80", { documentType: "credit", channel: "telephone" }),
    );
    await lines(
      "TAKEBACK",
      line("I1", 1, "10.00", "2.00", { quantity: "5" }),
      line("C1", 1, "4.00", "0.80", {
        documentType: "credit",
        quantity: "2",
        creditsDocument: "I1",
        creditsLine: 1,
      }),
    );
    await sales.post();
    const { rows } = await sales.totals({ by: ["channel"] });
    expect(rows).toMatchObject([{ channel: "web", assisted: false, net: "6.00" }]);
    expect(await linesOf("TAKEBACK", "W-1")).toEqual([["P1", "5.00000", "5.00000", "2.00000"]]);
  });

  test("changes when a rule does, by reversal and new posting", async () => {
    const before = open("RULES");
    await documents("RULES", document("I1", "10.00", "2.00", { takenBy: "KAY" }));
    await lines("RULES", line("I1", 1, "10.00", "2.00"));
    await before.post();
    const sales = open("RULES", [{ takenBy: "KAY", channel: "telephone" }]);
    expect(await sales.post()).toMatchObject({ posted: 1, reversed: 1 });
    expect((await sales.totals({ by: ["channel"] })).rows).toMatchObject([
      { channel: "telephone", net: "10.00" },
    ]);
  });
});

/** Product, ordered, invoiced, credited of a web order's lines. */
async function linesOf(company: string, webOrder: string): Promise<string[][]> {
  const rows = await database.store.query<Record<string, string>>(
    `select l.product, l.quantity, l.invoiced_quantity, l.credited_quantity
       from web_order_line l join web_order o on o.company = l.company and o.id = l.order_id
      where o.company = $1 and o.number = $2 order by l.line`,
    [company, webOrder],
  );
  return rows.map((row) => Object.values(row));
}

describe("links to web orders", () => {
  test("papers of another account, or of years ago, are none of the order's", async () => {
    const { store } = database;
    const sales = open("FOREIGN");
    await takeWebOrder(store, "FOREIGN", { number: "W-1", account: "A1", lines: [["P1", "10"]] });
    await pull(store, "FOREIGN", "customer", [{ account: "A1", name: "Ash", headOffice: "HQ" }]);
    const ours = { webOrder: "W-1" };
    await documents(
      "FOREIGN",
      document("I1", "1.00", "0.20", { ...ours, account: "A4" }),
      document("I2", "1.00", "0.20", { ...ours, documentOn: "2023-05-01" }),
      document("I3", "1.00", "0.20", { ...ours, account: "HQ" }),
    );
    const one = { product: "P1", quantity: "1" };
    await lines(
      "FOREIGN",
      line("I1", 1, "1.00", "0.20", one),
      line("I2", 1, "1.00", "0.20", one),
      line("I3", 1, "1.00", "0.20", one),
    );
    await sales.post();
    expect(await linesOf("FOREIGN", "W-1")).toEqual([["P1", "10.00000", "1.00000", "0.00000"]]);
    const links = await store.query(
      "select document from order_invoice_link where company = 'FOREIGN'",
    );
    expect(links).toEqual([{ document: "I3" }]);
  });

  test("a web order invoiced in parts is counted once, with what each line got", async () => {
    const { store } = database;
    const sales = open("PARTS");
    await takeWebOrder(store, "PARTS", {
      number: "W-1",
      account: "A1",
      lines: [
        ["P1", "10"],
        ["P2", "4"],
      ],
    });
    await pull(store, "PARTS", "erp-order", [
      { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-01", webOrder: "W-1" },
    ]);
    await pull(store, "PARTS", "erp-order-line", [
      {
        erpOrder: "SO1",
        line: 1,
        product: "P1",
        quantity: "10",
        unitPrice: "1",
        net: "10.00",
        webOrderLine: 1,
      },
      // A substitute for P2: the ERP still says which line of ours it is for.
      {
        erpOrder: "SO1",
        line: 2,
        product: "P2B",
        quantity: "4",
        unitPrice: "1",
        net: "4.00",
        webOrderLine: 2,
      },
    ]);
    await documents(
      "PARTS",
      document("I1", "6.00", "1.20", { erpOrder: "SO1" }),
      document("I2", "8.00", "1.60", { erpOrder: "SO1" }),
    );
    await lines(
      "PARTS",
      line("I1", 1, "6.00", "1.20", { product: "P1", quantity: "6", erpOrderLine: 1 }),
      line("I2", 1, "4.00", "0.80", { product: "P1", quantity: "4", erpOrderLine: 1 }),
      line("I2", 2, "4.00", "0.80", { product: "P2B", quantity: "4", erpOrderLine: 2 }),
    );
    await sales.post();
    await sales.post();
    expect(await linesOf("PARTS", "W-1")).toEqual([
      ["P1", "10.00000", "10.00000", "0.00000"],
      ["P2", "4.00000", "4.00000", "0.00000"],
    ]);
    expect((await sales.totals({ by: ["channel"] })).rows).toMatchObject([
      { channel: "web", net: "14.00" },
    ]);
  });

  test("an ambiguous line counts for its order, and is linked with one of its lines once a person says so", async () => {
    const { store } = database;
    const sales = open("AMBIG");
    await takeWebOrder(store, "AMBIG", {
      number: "W-1",
      account: "A1",
      lines: [
        ["P1", "10"],
        ["P1", "3"],
      ],
    });
    await documents("AMBIG", document("I1", "3.00", "0.60", { webOrder: "W-1" }));
    await lines("AMBIG", line("I1", 1, "3.00", "0.60", { product: "P1", quantity: "3" }));
    await sales.post();
    const suggested = await sales.suggestions();
    expect(suggested.map((one) => [one.webOrderLine, one.reason])).toEqual([
      [1, "one of 2 lines with this product"],
      [2, "one of 2 lines with this product"],
    ]);
    // Until then it is spread over them in their order.
    expect(await linesOf("AMBIG", "W-1")).toEqual([
      ["P1", "10.00000", "3.00000", "0.00000"],
      ["P1", "3.00000", "0.00000", "0.00000"],
    ]);
    const key = { documentType: "invoice", document: "I1", line: 1, webOrder: "W-1", who: "kim" };
    expect(await sales.decide({ ...key, webOrderLine: 2, decision: "confirmed" })).toBe(true);
    // One document line is one order line: the other reading is closed.
    expect(await sales.decide({ ...key, webOrderLine: 1, decision: "confirmed" })).toBe(false);
    await lines(
      "AMBIG",
      line("I1", 1, "3.00", "0.60", { product: "P1", quantity: "3", cost: "1.00" }),
    );
    await sales.post();
    expect(await linesOf("AMBIG", "W-1")).toEqual([
      ["P1", "10.00000", "0.00000", "0.00000"],
      ["P1", "3.00000", "3.00000", "0.00000"],
    ]);
  });

  test("the customer's own reference only suggests", async () => {
    const { store } = database;
    const sales = open("HINT");
    await takeWebOrder(store, "HINT", {
      number: "W-1",
      account: "A1",
      customerReference: "PO 77",
      lines: [["P1", "1"]],
    });
    await documents("HINT", document("I1", "3.00", "0.60", { customerReference: "PO 77" }));
    await lines("HINT", line("I1", 1, "3.00", "0.60"));
    await sales.post();
    expect(await postings(sales)).toMatchObject([{ channel: "unknown", webOrder: null }]);
    expect(await sales.suggestions()).toMatchObject([{ webOrder: "W-1", webOrderLine: 1 }]);
  });
});

describe("the order of arrival", () => {
  const pieces: Record<string, (company: string) => Promise<unknown>> = {
    "web order": (company) =>
      takeWebOrder(database.store, company, {
        number: "W-1",
        account: "A1",
        lines: [
          ["P1", "10"],
          ["P2", "4"],
        ],
      }),
    "ERP order": (company) =>
      pull(database.store, company, "erp-order", [
        { erpOrder: "SO1", account: "A1", orderedOn: "2026-03-01", webOrder: "W-1" },
        { erpOrder: "SO2", account: "A1", orderedOn: "2026-03-01", takenBy: "KAY" },
        { erpOrder: "SO3", account: "A1", orderedOn: "2026-03-01", webOrder: "OLD-3" },
      ]),
    "ERP order lines": (company) =>
      pull(database.store, company, "erp-order-line", [
        {
          erpOrder: "SO1",
          line: 7,
          product: "P1X",
          quantity: "10",
          unitPrice: "1",
          net: "10.00",
          webOrderLine: 1,
        },
      ]),
    products: (company) =>
      pull(database.store, company, "product", [
        { product: "P2", name: "Sand", productGroup: "LOOSE" },
      ]),
    branches: (company) =>
      pull(database.store, company, "branch", [
        { branch: "LEEDS", name: "Leeds", defaultChannel: "counter" },
      ]),
    documents: (company) =>
      documents(
        company,
        document("I1", "17.00", "3.41", {}),
        document("I2", "5.00", "1.00", { branch: "LEEDS" }),
        document("I4", "6.00", "1.20", { erpOrder: "SO3" }),
        document("I5", "7.00", "1.40", { erpOrder: "SO1", webOrder: "W-1" }),
        document("I3", "9.00", "1.80", {
          branch: "LEEDS",
          documentOn: "2026-02-27",
          period: "2026-03",
        }),
      ),
    "credit note": (company) =>
      documents(
        company,
        document("C1", "2.00", "0.40", { documentType: "credit", branch: "LEEDS" }),
      ),
    "lines of the first": (company) =>
      lines(
        company,
        line("I1", 1, "10.00", "2.00", {
          product: "P1X",
          quantity: "10",
          erpOrder: "SO1",
          erpOrderLine: 7,
        }),
        line("I1", 2, "4.00", "0.80", { product: "P2", quantity: "4", erpOrder: "SO1" }),
      ),
    "late line of the first": (company) =>
      lines(company, line("I1", 3, "3.00", "0.60", { erpOrder: "SO2" })),
    "lines of the second": (company) =>
      lines(company, line("I2", 1, "5.00", "1.00", { product: "P2" })),
    "lines of the credit note": (company) =>
      lines(
        company,
        line("C1", 1, "2.00", "0.40", {
          documentType: "credit",
          product: "P2",
          quantity: "2",
          creditsDocument: "I1",
          creditsLine: 2,
        }),
      ),
  };

  /** Everything that must not depend on the order: totals, what stands, links, quantities. */
  async function outcome(company: string): Promise<unknown> {
    const sales = open(company, [{ takenBy: "KAY", channel: "telephone" }]);
    // Looking at everything finds no more than looking at what changed.
    expect(await sales.post({ everything: true })).toMatchObject({ posted: 0, reversed: 0 });
    expect(await sales.recheck()).toEqual([]);
    const standing = await database.store.query(
      `select p.document_type, p.document, p.line, p.content_hash, p.net, p.vat, p.channel,
              p.channel_evidence, p.product_group, p.web_order
         from sales_line_state s join sales_posting p on p.company = s.company and p.id = s.posting
        where s.company = $1 order by 1, 2, 3`,
      [company],
    );
    const links = await database.store.query(
      `select document_type, document, line, web_order, web_order_line, quantity, net, evidence
         from order_invoice_link where company = $1 order by 1, 2, 3, 4, 5`,
      [company],
    );
    const { rows } = await sales.totals({ by: ["account", "period", "channel"] });
    return { standing, links, rows, lines: await linesOf(company, "W-1") };
  }

  async function arrive(company: string, order: readonly string[], together: readonly boolean[]) {
    const sales = open(company, [{ takenBy: "KAY", channel: "telephone" }]);
    for (const [index, piece] of order.entries()) {
      await pieces[piece]?.(company);
      if (together[index] !== true) await sales.post();
    }
    await sales.post();
    return outcome(company);
  }

  test("makes no difference to totals, channels, links and quantities", async () => {
    const names = Object.keys(pieces);
    const expected = await arrive("ARRIVE", names, []);
    expect(expected).toMatchObject({
      rows: [
        { period: "2026-03", channel: "counter", net: "14.00" },
        { period: "2026-03", channel: "telephone", net: "3.00" },
        { period: "2026-03", channel: "unknown", net: "0.00", vat: "0.01" },
        { period: "2026-03", channel: "web", net: "25.00" },
      ],
      lines: [
        ["P1", "10.00000", "10.00000", "0.00000"],
        ["P2", "4.00000", "4.00000", "2.00000"],
      ],
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(names, { minLength: names.length }),
        fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length }),
        async (order, together) => {
          run += 1;
          expect(await arrive(`ARRIVE${run}`, order, together)).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("reconciliation", () => {
  async function ledger(company: string): Promise<void> {
    const { store } = database;
    const credit = { documentType: "credit" } as const;
    await documents(
      company,
      document("I1", "100.00", "20.00"),
      document("I2", "50.00", "10.00"),
      document("C1", "8.00", "1.60", credit),
    );
    await lines(
      company,
      line("I1", 1, "100.00", "20.00"),
      line("I2", 1, "49.00", "9.80"),
      line("C1", 1, "8.00", "1.60", credit),
    );
    await pull(
      store,
      company,
      "ledger-transaction",
      [
        ["T1", "invoice", "I1", "100.00", "20.00"],
        ["T2", "invoice", "I2", "50.00", "10.00"],
        ["T3", "credit", "C1", "8.00", "1.60"],
      ].map(([transaction, kind, number, net, vat]) => ({
        transaction: transaction ?? "",
        kind: kind === "credit" ? "credit" : "invoice",
        document: number ?? "",
        account: "A1",
        postedOn: "2026-03-10",
        net: net ?? null,
        vat: vat ?? null,
        gross: "0.00",
      })),
    );
    await pull(store, company, "control-total", [
      { period: "2026-03", documentType: "invoice", documents: 2, net: "150.00", vat: "30.00" },
      { period: "2026-03", documentType: "credit", documents: 1, net: "8.00", vat: "1.60" },
    ]);
    await open(company).post();
  }

  test("is equal to the penny, and says what is unanalysed inside it", async () => {
    await ledger("EQUAL");
    const result = await open("EQUAL").reconcile();
    expect(result.totalsEqual).toBe(true);
    expect(result.periods).toMatchObject([
      {
        documentType: "invoice",
        ledger: { documents: 2, net: "150.00", vat: "30.00" },
        difference: { documents: 0, net: "0.00", vat: "0.00" },
        unanalysedNet: "1.00",
        named: [],
      },
      { documentType: "credit", ledger: { documents: 1, net: "8.00", vat: "1.60" }, equal: true },
    ]);
  });

  test("with nothing to compare is not equal", async () => {
    const sales = open("NOTOTALS");
    await documents("NOTOTALS", document("I1", "1.00", "0.20"));
    await sales.post();
    expect(await sales.reconcile()).toMatchObject({
      totalsEqual: false,
      periods: [{ period: "2026-03", erp: null, difference: null }],
    });
  });

  test("names each document behind a difference and leaves nothing unexplained", async () => {
    const { store } = database;
    await ledger("NAMED");
    const transaction = (number: string, net: string, vat: string, more = {}) => ({
      transaction: `X${number}`,
      kind: "invoice" as const,
      document: number,
      account: "A1",
      postedOn: "2026-03-20",
      net,
      vat,
      gross: "0.00",
      ...more,
    });
    await pull(store, "NAMED", "ledger-transaction", [
      transaction("I4", "7.00", "1.40"),
      transaction("I5", "6.00", "1.20"),
      transaction("I6", "5.00", "1.00"),
      transaction("I7", "4.00", "0.80"),
      { ...transaction("I1", "100.07", "20.00"), transaction: "T1" },
    ]);
    // I5 waits for its header; I6 lies in quarantine; I7 is dated into April here; I8 is ours
    // alone.
    await lines("NAMED", line("I5", 1, "6.00", "1.20"));
    await documents(
      "NAMED",
      document("I7", "4.00", "0.80", { documentOn: "2026-04-01" }),
      document("I8", "3.00", "0.60"),
    );
    await pull(store, "NAMED", "control-total", [
      { period: "2026-03", documentType: "invoice", documents: 6, net: "172.07", vat: "34.40" },
      { period: "2026-04", documentType: "invoice", documents: 0, net: "0.00", vat: "0.00" },
    ]);
    const sales = open("NAMED", [], new Map([["I6", "date 31/13/2026 is no date"]]));
    await sales.post();
    const result = await sales.reconcile();
    expect(result.totalsEqual).toBe(false);
    const [march, , april] = result.periods;
    expect(march?.difference).toEqual({ documents: 3, net: "19.07", vat: "3.80" });
    expect(march?.named.map((one) => [one.document, one.cause, one.documents, one.net])).toEqual([
      ["I1", "amount", 0, "0.07"],
      ["I4", "not received", 1, "7.00"],
      ["I5", "waiting for header", 1, "6.00"],
      ["I6", "in quarantine", 1, "5.00"],
      ["I7", "period", 1, "4.00"],
      ["I8", "not in the ERP's ledger", -1, "-3.00"],
    ]);
    expect(march?.unexplained).toEqual({ documents: 0, net: "0.00", vat: "0.00" });
    expect(april?.named.map((one) => [one.document, one.net])).toEqual([["I7", "-4.00"]]);
    expect(april?.unexplained).toEqual({ documents: 0, net: "0.00", vat: "0.00" });
  });

  test("says what it cannot explain", async () => {
    await ledger("PLANTED");
    await pull(database.store, "PLANTED", "control-total", [
      { period: "2026-03", documentType: "invoice", documents: 2, net: "150.01", vat: "30.00" },
    ]);
    const result = await open("PLANTED").reconcile("2026-03");
    expect(result.totalsEqual).toBe(false);
    expect(result.periods[0]?.unexplained).toEqual({ documents: 0, net: "0.01", vat: "0.00" });
  });
});

describe("following a posting back", () => {
  test("leads to the row of the file that it came from", async () => {
    const sales = open("TRACE");
    await documents("TRACE", document("I1", "10.00", "2.00"));
    await lines("TRACE", line("I1", 1, "10.00", "2.00"));
    await sales.post();
    const [posting] = await sales.postingsOf("I1");
    expect(await sales.trace(posting?.id ?? "")).toMatchObject({
      posting: { document: "I1", originLine: 1, source: "erp/test" },
      row: { net: "10.00" },
      origin: { name: "sales-lines-1.csv" },
    });
  });

  test("the kept totals are proved by adding up anew, and a planted penny is found", async () => {
    const sales = open("RECHECK");
    await documents("RECHECK", document("I1", "10.00", "2.00"));
    await lines("RECHECK", line("I1", 1, "10.00", "2.00"));
    await sales.post();
    expect(await sales.recheck()).toEqual([]);
    await database.store.affect(
      "update sales_total set net = net + 0.01 where company = 'RECHECK'",
    );
    expect(await sales.recheck()).toMatchObject([{ account: "A1", period: "2026-03" }]);
  });
});
