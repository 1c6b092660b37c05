import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/connections/index.ts";
import { backfill, completenessDesk, listRuns } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { connectionOf, openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const HEADER = "documentType,document,account,documentOn,period,net,vat,gross";

/** An invoice of £10, dated in March 2026. */
function invoice(number: number | string, day = 2, net = "10.00"): string {
  const on = `2026-03-${String(day).padStart(2, "0")}`;
  return `invoice,INV${number},A001,${on},2026-03,${net},0.00,${net}`;
}

const invoices = (from: number, to: number, day = 2): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => invoice(from + index, day));

const ofFebruary = (row: string): string => row.replaceAll("2026-03", "2026-02");

/** Documents that are read by days. */
function readingDays(row: string): Connection {
  const raw = row.split(",");
  const values = Object.fromEntries(HEADER.split(",").map((name, index) => [name, raw[index]]));
  const delta = { grain: "day", zone: "utc", ordered: true, overlap: 0 } as const;
  return connectionOf(
    { name: "sales-documents", reading: "delta", range: true, delta },
    {
      async *read() {
        yield { kind: "origin", origin: { name: "days" } };
        const at = { value: "2026-02-03", key: "1" };
        yield { kind: "rows", rows: [{ line: 1, raw: row, values, at }] };
        yield { kind: "checkpoint", cursor: at, more: false };
      },
    },
  );
}

interface Watching extends Pulling {
  readonly desk: Pulling["desk"];
  readonly raised: string[];
  readonly cleared: string[];
  /** One more file of documents, pulled. */
  documents(...rows: readonly string[]): ReturnType<Pulling["run"]>;
  found(kind: string): Promise<string[]>;
}

async function watch(records: readonly string[] = ["sales-document"]): Promise<Watching> {
  const raised: string[] = [];
  const cleared: string[] = [];
  const pulling = await openPulling(database.store, records);
  Object.assign(pulling.context, {
    alarms: {
      raise: async ({ title }: { title: string }) => void raised.push(title),
      clear: async (key: string) => void cleared.push(key),
    },
  });
  let files = 0;
  return {
    ...pulling,
    raised,
    cleared,
    documents: async (...rows) => {
      files += 1;
      const name = `sales-documents-${String(files).padStart(3, "0")}.csv`;
      await pulling.write(name, HEADER, ...rows);
      return pulling.run("sales-documents");
    },
    found: async (kind) => {
      const desk = completenessDesk(pulling.context);
      const findings = await desk.list({});
      return findings.filter((each) => each.kind === kind).map(({ title }) => title);
    },
  };
}

describe("an unknown customer or product", () => {
  const LINES = "documentType,document,line,product,quantity,unitPrice,net,vat,vatCode";
  const line = (document: string, number: number, product: string, net: string) =>
    `invoice,${document},${number},${product},1,${net},${net},0.00,ZERO`;

  test("is reported as an orphan, quarantines no sales line, and its money counts", async () => {
    const pulling = await watch(["product", "sales-line"]);
    await pulling.write("products-1.csv", "product,name,productGroup", "P1,Plank,");
    await pulling.run("products");
    await pulling.write(
      "sales-lines-1.csv",
      LINES,
      line("INV1", 1, "P1", "5.00"),
      line("INV1", 2, "P9", "7.50"),
    );
    const result = await pulling.run("sales-lines");
    expect(result.rows).toMatchObject({ read: 2, mapped: 2, quarantined: 0 });
    expect(await pulling.waiting()).toEqual([]);
    expect(await completenessDesk(pulling.context).list({ kind: "orphan" })).toMatchObject([
      { title: "1 product of sales lines is unmapped", worth: "7.50", stream: "sales-lines" },
    ]);
    await pulling.write("products-2.csv", "product,name,productGroup", "P1,Plank,", "P9,Post,");
    await pulling.run("products");
    expect(await pulling.found("orphan")).toEqual([]);
  });

  test("quarantines no price, and is over when no price names it any more", async () => {
    const pulling = await watch(["customer", "price-rule"]);
    const head = "rule,customerScope,customerCode,productScope,productCode,kind,value";
    await pulling.write("customers-1.csv", "account,name,priceList", "A1,Abbot,");
    await pulling.run("customers");
    const rules = ["R1,account,A1,everything,,percent,5", "R2,account,A7,everything,,percent,5"];
    await pulling.write("price-rules-1.csv", head, ...rules);
    const result = await pulling.run("price-rules");
    expect(result.rows).toMatchObject({ mapped: 2, quarantined: 0 });
    expect(await pulling.found("orphan")).toEqual(["1 account of price rules is unmapped"]);
    await pulling.write("price-rules-2.csv", head, ...rules.slice(0, 1));
    await pulling.run("price-rules");
    expect(await pulling.found("orphan")).toEqual([]);
  });

  test("is none while nothing of that kind is pulled at all", async () => {
    const pulling = await watch(["sales-line"]);
    await pulling.write("sales-lines-1.csv", LINES, line("INV1", 1, "P9", "7.50"));
    await pulling.run("sales-lines");
    expect(await pulling.found("orphan")).toEqual([]);
  });
});

describe("receipts", () => {
  test("are a stream too: due date, outstanding and settled date per document", async () => {
    const pulling = await watch(["receipt", "settlement", "ledger-transaction"]);
    await pulling.write(
      "receipts-1.csv",
      "receipt,account,receivedOn,amount",
      "R1,A1,2026-04-30,60.00",
    );
    await pulling.write(
      "settlements-1.csv",
      "settlement,receipt,document,settledOn,amount",
      "S1,R1,INV1,2026-04-30,60.00",
    );
    await pulling.write(
      "ledger-transactions-1.csv",
      "transaction,kind,document,account,postedOn,gross,outstanding,dueOn",
      "T1,invoice,INV1,A1,2026-03-31,100.00,40.00,2026-04-30",
    );
    for (const { rows } of await pulling.sync()) expect(rows).toMatchObject({ mapped: 1 });
    expect(await pulling.rows("receipt", "receipt", "received_on", "amount")).toEqual([
      "R1 2026-04-30 60.00",
    ]);
    expect(await pulling.rows("settlement", "document", "settled_on", "amount")).toEqual([
      "INV1 2026-04-30 60.00",
    ]);
    expect(await pulling.rows("ledger_transaction", "document", "due_on", "outstanding")).toEqual([
      "INV1 2026-04-30 40.00",
    ]);
  });
});

describe("a gap in document numbers", () => {
  test("is found between the first and the last number seen, with the dates of its neighbours", async () => {
    const pulling = await watch();
    const result = await pulling.documents(...invoices(1001, 1010), ...invoices(1013, 1032, 4));
    const [finding] = await completenessDesk(pulling.context).list({ kind: "gap" });
    expect(finding).toMatchObject({
      title: "2 numbers of the invoice are missing: INV1011 to INV1012",
      detail:
        "Between INV1010 (02/03/2026) and INV1013 (04/03/2026) nothing has arrived of INV1011, INV1012.",
      state: "open",
    });
    expect(result.notes).toEqual([`${finding?.title}. ${finding?.detail}`]);
    const [run] = await listRuns(database.store, pulling.company, { limit: 1 });
    expect(run?.note).toBe(result.notes[0]);
  });

  test("gets smaller and closes itself when its numbers arrive", async () => {
    const pulling = await watch();
    await pulling.documents(...invoices(1001, 1020));
    await pulling.documents(...invoices(1023, 1030));
    expect(await pulling.found("gap")).toEqual([
      "2 numbers of the invoice are missing: INV1021 to INV1022",
    ]);
    await pulling.documents(invoice(1022));
    expect(await pulling.found("gap")).toEqual(["The invoice INV1021 is missing"]);
    // It has not come with the next run either.
    expect(pulling.raised).toEqual(["erp/sales-documents: The invoice INV1021 is missing"]);
    await pulling.documents(invoice(1021), invoice(1031));
    expect(await pulling.found("gap")).toEqual([]);
    expect(pulling.cleared).toHaveLength(1);
  });

  test("of orders is none in a first load, which has old ones only while they are open", async () => {
    const pulling = await watch(["erp-order"]);
    const pull = async (name: string, ...numbers: readonly number[]) => {
      const rows = numbers.map((number) => `SO${number},A1,2026-03-02`);
      await pulling.write(`erp-orders-${name}.csv`, "erpOrder,account,orderedOn", ...rows);
      await pulling.run("erp-orders");
    };
    const run = Array.from({ length: 30 }, (_, at) => 1020 + at);
    await pull("1", 1001, 1004, 1009, ...run);
    expect(await pulling.found("gap")).toEqual([]);
    await pull("2", 1050, 1052, 1053);
    expect(await pulling.found("gap")).toEqual(["The erp order SO1051 is missing"]);
  });

  test("is none where another kind of document has the number", async () => {
    const pulling = await watch();
    const credit = invoice(1011).replace("invoice", "credit");
    await pulling.documents(...invoices(1001, 1010), credit, ...invoices(1012, 1030));
    expect(await pulling.found("gap")).toEqual([]);
  });

  test("is one all the same where each kind has numbers of its own", async () => {
    const pulling = await watch();
    const credits = invoices(1001, 1012).map((row) => row.replace("invoice", "credit"));
    await pulling.documents(...credits, ...invoices(1001, 1010), ...invoices(1012, 1030));
    expect(await pulling.found("gap")).toEqual(["The invoice INV1011 is missing"]);
  });

  const credit = (number: number) => invoice(number).replace("invoice,INV", "credit,CN");

  test("is found in a small series: from 4 numbers on, when at most one in four is left out", async () => {
    const pulling = await watch();
    const plain = [9001, 9002, 9003, 9004, 9006].map((n) => invoice(n).replace("INV", ""));
    await pulling.documents(...plain, ...[1, 2, 3, 4, 6, 7].map(credit));
    expect((await pulling.found("gap")).sort()).toEqual([
      "The credit CN5 is missing",
      "The invoice 9005 is missing",
    ]);
    expect(await completenessDesk(pulling.context).notJudged()).toEqual([]);
  });

  test("from before its series could be judged is found as soon as it can", async () => {
    const pulling = await watch();
    await pulling.documents(credit(1), credit(3));
    expect(await pulling.found("gap")).toEqual([]);
    expect(await completenessDesk(pulling.context).notJudged()).toMatchObject([
      { record: "sales-document", kind: "credit", prefix: "CN", held: 2, missing: 1 },
    ]);
    await pulling.documents(credit(4), credit(5));
    expect(await pulling.found("gap")).toEqual(["The credit CN2 is missing"]);
    await pulling.documents(credit(2));
    expect(await pulling.found("gap")).toEqual([]);
  });

  test("is none of numbers far apart, nor of a kind that shares the numbers of another", async () => {
    const pulling = await watch();
    await pulling.documents(
      ...[10_000, 20_000, 30_000, 40_000, 40_002].map((number) => invoice(number)),
    );
    expect(await pulling.found("gap")).toEqual([]);
    expect(await completenessDesk(pulling.context).notJudged()).toMatchObject([{ prefix: "INV" }]);
    const shared = await watch();
    const kinds = invoices(1001, 1012).map((row, index) =>
      index % 5 === 3 ? row.replace("invoice", "credit") : row,
    );
    await shared.documents(...kinds);
    expect(await shared.found("gap")).toEqual([]);
    expect(await completenessDesk(shared.context).notJudged()).toEqual([]);
  });

  test("is not looked for where numbers do not run on, nor where the numbering was moved on", async () => {
    const pulling = await watch();
    const scattered = Array.from({ length: 20 }, (_, index) => invoice(5000 + index * 7));
    await pulling.documents(...scattered);
    expect(await pulling.found("gap")).toEqual([]);
    const other = await watch();
    await other.documents(...invoices(1001, 1020), ...invoices(90_001, 90_010));
    expect(await other.found("gap")).toEqual([]);
  });

  test("keeps the zeros of its numbers, and is found below the first number too", async () => {
    const pulling = await watch();
    const zeros = (from: number, to: number) =>
      invoices(from, to).map((row) =>
        row.replace(/INV(\d+)/, (_, n: string) => n.padStart(6, "0")),
      );
    await pulling.documents(...zeros(110, 140));
    await pulling.documents(...zeros(95, 98), ...zeros(100, 109));
    expect(await pulling.found("gap")).toEqual(["The invoice 000099 is missing"]);
  });

  test("can be explained by a person, and the explanation taken back", async () => {
    const pulling = await watch();
    const deeds: string[] = [];
    Object.assign(pulling.context, {
      audit: async ({ who, action }: { who: string; action: string }) =>
        void deeds.push(`${who} ${action}`),
    });
    await pulling.documents(...invoices(1001, 1010), ...invoices(1012, 1030));
    const desk = completenessDesk(pulling.context);
    const [finding] = await desk.list({ kind: "gap" });
    if (finding === undefined) throw new Error("no gap was found");
    const decision = { who: "Ann", why: "spoiled at the printer" };
    expect(await desk.explain(finding, decision)).toBeNull();
    expect(await desk.list({})).toEqual([]);
    await pulling.documents(...invoices(1031, 1033));
    expect(await desk.list({})).toEqual([]);
    const explained = await desk.find(finding.id.slice(-8));
    expect(explained).toMatchObject({ state: "explained", closedBy: "Ann" });
    expect(await desk.explain(explained, decision)).toMatch(/only one that is open/);
    expect(await desk.reopen(explained, decision)).toBeNull();
    expect(await desk.list({})).toHaveLength(1);
    expect(deeds).toEqual(["Ann completeness-explained", "Ann completeness-reopened"]);
  });
});

describe("a late document", () => {
  test("is one dated more days before the newest one held than are allowed, with its money", async () => {
    const pulling = await watch();
    await pulling.documents(...invoices(1001, 1010, 1), ...invoices(1011, 1020, 20));
    await pulling.documents(invoice(2001, 12, "99.00"), invoice(2002, 13), invoice(1021, 21));
    const [finding] = await completenessDesk(pulling.context).list({ kind: "late" });
    expect(finding).toMatchObject({
      title: "1 sales document(s) arrived late",
      detail:
        "They are dated more than 7 days before the newest one held, of 20/03/2026: " +
        "INV2001 of 12/03/2026.",
      worth: "99.00",
    });
    // Told once, and with the next late one.
    await pulling.documents(invoice(2003, 2, "1.00"), invoice(2001, 12, "98.00"));
    expect(await completenessDesk(pulling.context).list({ kind: "late" })).toMatchObject([
      { title: "2 sales document(s) arrived late", worth: "100.00", times: 2 },
    ]);
  });

  test("is one of a month that the ERP had added up already", async () => {
    const pulling = await watch(["sales-document", "control-total"]);
    const totals = "period,documentType,documents,net,vat";
    await pulling.write("control-totals.csv", totals, "2026-02,invoice,10,100.00,0.00");
    await pulling.run("control-totals");
    const february = invoice(900, 2).replaceAll("2026-03-02", "2026-02-27");
    await pulling.documents(february.replaceAll("2026-03", "2026-02"), ...invoices(1001, 1020, 2));
    const late = invoice(901).replaceAll("2026-03-02", "2026-02-28");
    await pulling.documents(late.replaceAll("2026-03", "2026-02"));
    expect(await completenessDesk(pulling.context).list({ kind: "late" })).toMatchObject([
      { detail: expect.stringContaining("in months that had control totals already (1 of them)") },
    ]);
  });

  test("is none of a history: a first load, days that are read again, many older than all held", async () => {
    const pulling = await watch();
    await pulling.documents(...invoices(1001, 1010, 25), invoice(950, 1));
    await pulling.documents(...invoices(901, 930).map(ofFebruary));
    expect(await pulling.found("late")).toEqual([]);
    const [from, to] = ["2026-02-01", "2026-02-28"].map((day) => Temporal.PlainDate.from(day));
    if (from === undefined || to === undefined) throw new Error("no days");
    const source = { ...pulling.source, connection: readingDays(ofFebruary(invoice(899, 3))) };
    const name = "sales-documents";
    const [again] = await backfill(pulling.context, source, name, { from, to });
    expect(again).toMatchObject({ state: "published", rows: { mapped: 1 } });
    expect(await pulling.found("late")).toEqual([]);
  });

  test("is a single one of a later delta that is older than all that is held", async () => {
    const pulling = await watch();
    await pulling.documents(...invoices(1001, 1010, 25));
    await pulling.documents(ofFebruary(invoice(900)), invoice(1011, 26));
    await pulling.documents(ofFebruary(invoice(901, 1)));
    expect(await completenessDesk(pulling.context).list({ kind: "late" })).toMatchObject([
      { title: "2 sales document(s) arrived late", worth: "20.00" },
    ]);
  });

  test("is measured by the newest date that has come: one of 2062 makes nothing else late", async () => {
    const pulling = await watch();
    const mistyped = invoice(1011, 25).replace("2026-03-25", "2062-03-25");
    await pulling.documents(...invoices(1001, 1010, 25), mistyped);
    await pulling.documents(invoice(1012, 26), invoice(1013, 27));
    expect(await pulling.found("late")).toEqual([]);
    await pulling.documents(invoice(1014, 5));
    expect(await completenessDesk(pulling.context).list({ kind: "late" })).toMatchObject([
      { detail: expect.stringContaining("newest one held, of 27/03/2026: INV1014 of 05/03/2026.") },
    ]);
  });

  test("stands in a list by date, then number, over all runs; credit notes are taken off its money", async () => {
    const pulling = await watch();
    await pulling.documents(...invoices(1001, 1010, 25));
    await pulling.documents(invoice(31, 5), invoice(4, 9), invoice(5, 2, "7.00"));
    const credit = invoice(9, 5, "4.00").replace("invoice", "credit");
    await pulling.documents(credit, invoice(30, 5));
    expect(await completenessDesk(pulling.context).list({ kind: "late" })).toMatchObject([
      {
        detail: expect.stringContaining(
          ": INV5 of 02/03/2026, INV9 of 05/03/2026, INV30 of 05/03/2026, " +
            "INV31 of 05/03/2026, INV4 of 09/03/2026.",
        ),
        worth: "33.00",
      },
    ]);
  });
});

describe("a document dated ahead", () => {
  const ahead = (number: number, on: string, net?: string) =>
    invoice(number, 31, net).replace("2026-03-31", on);

  test("is one later than tomorrow, a finding of its own with its money until it is corrected", async () => {
    const pulling = await watch();
    const desk = completenessDesk(pulling.context);
    const tomorrow = ahead(1004, "2026-04-01");
    await pulling.documents(...invoices(1001, 1003), tomorrow, ahead(1005, "2062-03-02", "99.00"));
    expect(await desk.list({ kind: "ahead" })).toMatchObject([
      {
        title: "1 sales document(s) are dated ahead",
        detail: "They are dated later than 01/04/2026: INV1005 of 02/03/2062.",
        worth: "99.00",
      },
    ]);
    expect(pulling.raised).toEqual(["erp/sales-documents: 1 sales document(s) are dated ahead"]);
    await pulling.documents(invoice(1006));
    expect(await desk.list({ kind: "ahead" })).toHaveLength(1);
    await pulling.documents(invoice(1005, 2, "99.00"));
    expect(await desk.list({ kind: "ahead" })).toEqual([]);
    expect(pulling.cleared).toHaveLength(1);
  });

  test("that a person explained stays explained, and explains no other one", async () => {
    const pulling = await watch();
    const desk = completenessDesk(pulling.context);
    await pulling.documents(...invoices(1001, 1003), ahead(1004, "2026-06-01"));
    const [finding] = await desk.list({ kind: "ahead" });
    if (finding === undefined) throw new Error("nothing was dated ahead");
    await desk.explain(finding, { who: "Ann", why: "billed in advance" });
    await pulling.documents(invoice(1005));
    expect(await desk.list({ kind: "ahead" })).toEqual([]);
    await pulling.documents(ahead(1006, "2026-06-02"));
    expect(await pulling.found("ahead")).toEqual(["2 sales document(s) are dated ahead"]);
  });
});

describe("considering nothing is a warning, not a success", () => {
  test("and an alarm when it happens again, until something new comes", async () => {
    const pulling = await watch();
    await pulling.documents(invoice(1), invoice(2));
    const again = await pulling.documents(invoice(1), invoice(2));
    expect(again.rows).toMatchObject({ read: 2, repeated: 2 });
    expect(await pulling.found("nothing")).toEqual(["Nothing was new in what arrived"]);
    expect(pulling.raised).toEqual([]);
    await pulling.documents(invoice(1), invoice(2));
    expect(pulling.raised).toEqual(["erp/sales-documents: Nothing was new in what arrived"]);
    await pulling.documents(invoice(3));
    expect(await pulling.found("nothing")).toEqual([]);
    expect(pulling.cleared).toHaveLength(1);
  });
});

describe("zero-row and shrinking files are named as such", () => {
  test("when a file holds no rows", async () => {
    const pulling = await watch();
    await pulling.documents(invoice(1));
    await pulling.documents();
    expect(await pulling.found("empty")).toEqual(["A file without rows arrived"]);
    await pulling.documents(invoice(2));
    expect(await pulling.found("empty")).toEqual([]);
  });

  test("when a snapshot has far fewer rows than the one before, until they are back", async () => {
    const pulling = await watch(["customer"]);
    const customers = (count: number) =>
      Array.from({ length: count }, (_, index) => `A${1000 + index},A,1`);
    const pull = async (file: number, count: number) => {
      await pulling.write(`customers-${file}.csv`, "account,name,creditLimit", ...customers(count));
      return pulling.run("customers", { acceptRemovals: true });
    };
    await pull(1, 60);
    await pull(2, 58);
    expect(await pulling.found("shrinking")).toEqual([]);
    await pull(3, 40);
    expect(await completenessDesk(pulling.context).list({})).toMatchObject([
      {
        title: "The file has 31.0% fewer rows than the one before",
        detail: "customers-3.csv holds 40 rows, and the one before it 58.",
      },
    ]);
    await pull(4, 60);
    expect(await pulling.found("shrinking")).toEqual([]);
  });
});

describe("volume out of the ordinary", () => {
  test("is told against the runs of the same weekday, once there are six of them", async () => {
    const pulling = await watch();
    let next = 1001;
    const day = async (count: number) => {
      const rows = invoices(next, next + count - 1, 2);
      next += count;
      const result = await pulling.documents(...rows);
      pulling.pass(7 * 86_400);
      return result;
    };
    for (const count of [20, 22, 19]) await day(count);
    await day(60);
    expect(await pulling.found("volume")).toEqual([]);
    for (const count of [21, 20]) await day(count);
    const low = await day(1);
    // Findings of one moment have no order among themselves.
    expect((await pulling.found("volume")).toSorted()).toEqual([
      "money of changed documents, net of credit notes: 10, where about 205 is usual",
      "records changed: 1, where about 20.5 is usual",
      "rows read: 1, where about 20.5 is usual",
    ]);
    expect(low.notes).toContain(
      "rows read: 1, where about 20.5 is usual. Of 6 runs on the same weekday the middle is 20.5, and this run had 1.",
    );
    expect(pulling.raised).toHaveLength(3);
    await day(21);
    expect(await pulling.found("volume")).toEqual([]);
    expect(pulling.cleared).toHaveLength(3);
    const volumes = await completenessDesk(pulling.context).volumes({ limit: 2 });
    expect(
      volumes.map(({ read, changed, removed, money }) => [read, changed, removed, money]),
    ).toEqual([
      [21, 21, 0, "210.00"],
      [1, 1, 0, "10.00"],
    ]);
  });
  test("is measured net of credit notes", async () => {
    const pulling = await watch();
    await pulling.documents(invoice(1), invoice(2).replace("invoice", "credit"), invoice(3));
    const [volume] = await completenessDesk(pulling.context).volumes({ limit: 1 });
    expect(volume).toMatchObject({ changed: 3, money: "10.00" });
  });
});
