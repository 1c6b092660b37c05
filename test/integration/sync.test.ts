import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/sync/index.ts";
import { listRuns, streamStates, trustSources } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

/** So many good customers, from A001 on. */
const customers = (count: number, first = 1): string[] =>
  Array.from({ length: count }, (_, index) => {
    const account = `A${String(first + index).padStart(3, "0")}`;
    return `${account},${account} Ltd,100.00`;
  });
const HEADER = "account,name,creditLimit";
const LINES = "documentType,document,line,quantity,unitPrice,net,vat";

const countsOf = ({ state, rows, records }: RunResult) => ({ state, rows, ...records });

async function lastRun({ company }: Pulling, stream: string) {
  const [run] = await listRuns(database.store, company, { stream, limit: 1 });
  if (run === undefined) throw new Error(`there is no run of ${stream}`);
  return run;
}

/** The run's row says what its result says. */
async function expectKept(pulling: Pulling, result: RunResult): Promise<void> {
  const { state, read, mapped, ignored, repeated, quarantined, counts, ...run } = await lastRun(
    pulling,
    result.stream,
  );
  expect({ id: run.id, state, counts }).toEqual({
    id: result.runId,
    state: result.state,
    counts: result.records,
  });
  expect({ read, mapped, ignored, repeated, quarantined }).toEqual(result.rows);
  expect(read).toBe(mapped + ignored + repeated + quarantined);
}

describe("a snapshot", () => {
  test("is counted: rows read, and records before, new, changed, the same, gone and after", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(30));
    const first = await pulling.run("customers");
    expect(countsOf(first)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 30,
          "quarantined": 0,
          "read": 30,
          "repeated": 0,
        },
        "state": "published",
        "tradepost-csv/customer": {
          "after": 30,
          "before": 0,
          "conflicts": 0,
          "inserted": 30,
          "mapped": 30,
          "record": "customer",
          "removed": 0,
          "repeated": 0,
          "unchanged": 0,
          "updated": 0,
        },
      }
    `);
    await expectKept(pulling, first);
    await pulling.write(
      "customers-2.csv",
      HEADER,
      ...customers(27),
      "A028,A028 Ltd,250.00",
      "A029,A029 Ltd,100.0",
      "A031,A031 Ltd,",
    );
    const second = await pulling.run("customers");
    expect(countsOf(second)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 30,
          "quarantined": 0,
          "read": 30,
          "repeated": 0,
        },
        "state": "published",
        "tradepost-csv/customer": {
          "after": 30,
          "before": 30,
          "conflicts": 0,
          "inserted": 1,
          "mapped": 30,
          "record": "customer",
          "removed": 1,
          "repeated": 0,
          "unchanged": 28,
          "updated": 1,
        },
      }
    `);
    await expectKept(pulling, second);
    expect(await pulling.rows("customer", "account", "credit_limit")).toHaveLength(30);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "archive/customers/customers-2.csv",
    ]);
  });

  test("goes on past a bad row, which waits with its raw form, field, reason and what to do", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write(
      "customers.csv",
      "account,name,creditLimit,balance",
      "A001,Ashdown & Sons,1o0.00,45.50",
      "A002,Brook Ltd,100.00,0.00",
      'A003,"Cole, Roofing",,12.00,stray',
    );
    const result = await pulling.run("customers");
    expect(countsOf(result)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 1,
          "quarantined": 2,
          "read": 3,
          "repeated": 0,
        },
        "state": "published",
        "tradepost-csv/customer": {
          "after": 1,
          "before": 0,
          "conflicts": 0,
          "inserted": 1,
          "mapped": 1,
          "record": "customer",
          "removed": 0,
          "repeated": 0,
          "unchanged": 0,
          "updated": 0,
        },
      }
    `);
    await expectKept(pulling, result);
    expect(await pulling.rows("customer", "account")).toEqual(["A002"]);
    const items = await pulling.desk.list({});
    expect(
      items.map(({ originName, line, raw, record, recordKey, problems, worth }) => ({
        where: `${originName}:${line}`,
        raw,
        record,
        recordKey,
        problems,
        worth,
      })),
    ).toMatchInlineSnapshot(`
      [
        {
          "problems": [
            {
              "expected": "a number such as 1234.50",
              "field": "creditLimit",
              "found": ""1o0.00" in creditLimit",
              "instruction": "Correct creditLimit in the source, or state how numbers are written (locale:) in tradepost-csv/customer.yaml.",
            },
          ],
          "raw": "A001,Ashdown & Sons,1o0.00,45.50",
          "record": "customer",
          "recordKey": "A001",
          "where": "customers.csv:2",
          "worth": "45.50",
        },
        {
          "problems": [
            {
              "expected": "a row",
              "field": "",
              "found": "Found 5 columns; the header has 4.",
              "instruction": "Write every column in every row, and put a field that holds "," or a line break in quotes.",
            },
          ],
          "raw": "A003,"Cole, Roofing",,12.00,stray",
          "record": null,
          "recordKey": null,
          "where": "customers.csv:4",
          "worth": null,
        },
      ]
    `);
    expect(await pulling.desk.totals()).toEqual({ open: 2, worth: "45.50" });
  });

  test("never removes a record whose row is there but bad: what was known before stands", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(3));
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, "A001,A001 Ltd,1OO.00", "A002,A002 Ltd,50");
    const { records } = await pulling.run("customers");
    expect(records["tradepost-csv/customer"]).toMatchObject({ before: 3, removed: 1, after: 2 });
    expect(await pulling.rows("customer", "account", "credit_limit")).toEqual([
      "A001 100.00",
      "A002 50.00",
    ]);
  });

  test("never removes a record whose row has a column too many, and so cannot even be split", async () => {
    const pulling = await openPulling(database.store, ["customer", "site"]);
    const sites = "account,site,name";
    await pulling.write("customers-1.csv", HEADER, ...customers(3));
    await pulling.write("sites-1.csv", sites, "A001,S1,Mill", "A001,S2,Yard", "A002,S1,Barn");
    await pulling.sync();
    await pulling.write("customers-2.csv", HEADER, "A001,Ash, Elm & Co,5", "A002,A002 Ltd,5");
    await pulling.write("sites-2.csv", sites, 'A001,S1,"Mill, Lane",x', "A002,S9,New");
    await pulling.sync();
    expect(await pulling.rows("customer", "account", "name")).toEqual([
      "A001 A001 Ltd",
      "A002 A002 Ltd",
    ]);
    // All of a key must be in one row.
    expect(await pulling.rows("site", "account", "site")).toEqual(["A001 S1", "A002 S9"]);
  });

  test("keeps the first of two rows with one key and other content; the second waits", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write(
      "customers.csv",
      HEADER,
      "A001,Ashdown,100.00",
      "A002,Brook,5.00",
      "A001,Ashdown,900.00",
      "A002,Brook,5.00",
    );
    const result = await pulling.run("customers");
    expect(result.rows).toEqual({ read: 4, mapped: 3, ignored: 0, repeated: 0, quarantined: 1 });
    expect(result.records["tradepost-csv/customer"]).toMatchObject({
      inserted: 2,
      repeated: 1,
      conflicts: 1,
    });
    await expectKept(pulling, result);
    expect(await pulling.rows("customer", "account", "credit_limit")).toEqual([
      "A001 100.00",
      "A002 5.00",
    ]);
    const [item] = await pulling.desk.list({});
    expect(item).toMatchObject({ line: 4, recordKey: "A001", raw: "" });
    expect(item?.problems).toMatchInlineSnapshot(`
      [
        {
          "expected": "a key that no other row claims",
          "field": "account",
          "found": "A001",
          "instruction": "the customer stands on line 2 already, with other content; the first one counts",
        },
      ]
    `);
    if (item !== undefined)
      expect(await pulling.desk.replay(item)).toMatchInlineSnapshot(
        { id: expect.any(String) },
        `
        {
          "id": Any<String>,
          "outcome": "cannot",
          "why": "Another row says otherwise, and one of them must go: correct the file at its source and have it sent again.",
        }
      `,
      );
  });

  test("belongs to one source: another one's row with the same key is a conflict", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,Ashdown,100.00");
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, "A001,Ashdown & Sons,1.00", "A002,Brook,");
    const { connection } = pulling.source;
    const [result] = await pulling.sync({}, { connection: { ...connection, name: "legacy" } });
    expect(result?.rows).toMatchObject({ mapped: 1, quarantined: 1 });
    expect(await pulling.rows("customer", "account", "name", "feed")).toEqual([
      "A001 Ashdown erp/tradepost-csv/customer",
      "A002 Brook legacy/tradepost-csv/customer",
    ]);
    const [item] = await pulling.desk.list({});
    expect(item?.problems[0]?.instruction).toMatchInlineSnapshot(
      `"the customer is kept by erp/tradepost-csv/customer; a record has one source"`,
    );
  });

  test("closes what older ones left open, and what is still bad keeps its item at its new place", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x", "A002,B,y", "A003,C,1.00");
    await pulling.run("customers");
    expect(await pulling.waiting()).toEqual([
      'customers-1.csv:2 creditLimit: "x" in creditLimit',
      'customers-1.csv:3 creditLimit: "y" in creditLimit',
    ]);
    await pulling.write("customers-2.csv", HEADER, "A001,A,9", "A002,B,y", "A003,C,1.00");
    await pulling.run("customers");
    expect(await pulling.waiting()).toEqual(['customers-2.csv:3 creditLimit: "y" in creditLimit']);
    const closed = await database.store.query(
      "select state, closed_by from quarantine where company = $1 and state <> 'open'",
      [pulling.company],
    );
    const answered = { state: "resolved", closed_by: "a newer snapshot" };
    expect(closed).toEqual([answered]);
  });

  test("that comes again is a successful run with every row unchanged and renewed freshness", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(5), "A006,F,bad");
    await pulling.run("customers");
    expect(await pulling.queued()).toEqual(["follow.customers"]);
    const [before] = await streamStates(database.store, pulling.company);
    pulling.pass(86_400);
    await pulling.write("customers-2.csv", HEADER, ...customers(5), "A006,F,bad");
    const result = await pulling.run("customers");
    expect(countsOf(result)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 5,
          "quarantined": 1,
          "read": 6,
          "repeated": 0,
        },
        "state": "unchanged",
        "tradepost-csv/customer": {
          "after": 5,
          "before": 5,
          "conflicts": 0,
          "inserted": 0,
          "mapped": 5,
          "record": "customer",
          "removed": 0,
          "repeated": 0,
          "unchanged": 5,
          "updated": 0,
        },
      }
    `);
    await expectKept(pulling, result);
    const [after] = await streamStates(database.store, pulling.company);
    expect(after?.lastAppliedAt?.since(before?.lastAppliedAt ?? "").total("hours")).toBeCloseTo(24);
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.waiting()).toHaveLength(1);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "archive/customers/customers-2.csv",
    ]);
  });

  test("applies three times when A, B and A come one after another", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const [a, b] = [customers(3), [...customers(2), "A003,Renamed,"]];
    await pulling.write("customers-1.csv", HEADER, ...a);
    await pulling.write("customers-2.csv", HEADER, ...b);
    await pulling.write("customers-3.csv", HEADER, ...a);
    const results = await pulling.sync();
    expect(results.map(({ state, origins }) => [state, ...origins])).toEqual([
      ["published", "customers-1.csv"],
      ["published", "customers-2.csv"],
      ["published", "customers-3.csv"],
    ]);
    expect(results.map(({ records }) => records["tradepost-csv/customer"]?.updated)).toEqual([
      0, 1, 1,
    ]);
    expect(await pulling.rows("customer", "name")).toContain("A003 Ltd");
  });

  test("is read again, although it is the same, when its mapping has changed", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const [mapping] = pulling.source.mappings;
    if (mapping === undefined) throw new Error("the mapping is not there");
    await pulling.write("customers-1.csv", HEADER, ...customers(2));
    await pulling.run("customers");
    const mended = {
      ...mapping,
      version: "mended",
      apply: (values: Parameters<typeof mapping.apply>[0]) =>
        mapping.apply({ ...values, name: `Messrs ${String(values["name"])}` }),
    };
    await pulling.write("customers-2.csv", HEADER, ...customers(2));
    const [again] = await pulling.sync({}, { mappings: [mended] });
    expect(again).toMatchObject({ state: "published", rows: { mapped: 2 } });
    expect(await pulling.rows("customer", "name")).toEqual(["Messrs A001 Ltd", "Messrs A002 Ltd"]);
    await pulling.write("customers-3.csv", HEADER, ...customers(2));
    const [third] = await pulling.sync({}, { mappings: [mended] });
    expect(third?.state).toBe("unchanged");
  });
});

describe("a snapshot that cannot be applied", () => {
  test("removes nothing when it was cut off: the whole file waits, and the next whole one answers it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(5));
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, ...customers(2), 'A003,"cut off in the mid');
    const refused = await pulling.run("customers");
    expect(refused.state).toBe("refused");
    expect(refused.notes).toMatchInlineSnapshot(`
      [
        "customers-2.csv was not applied: It was cut off: it ends inside the quoted field that opens on line 4. Export it again. Nothing of this file is applied; what was applied before still holds.",
      ]
    `);
    await expectKept(pulling, refused);
    expect(await pulling.rows("customer", "account")).toHaveLength(5);
    expect(await pulling.waiting()).toMatchInlineSnapshot(`
      [
        "customers-2.csv:0 : It was cut off: it ends inside the quoted field that opens on line 4.",
      ]
    `);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "refused/customers/customers-2.csv",
      "refused/customers/customers-2.csv.reason.txt",
    ]);
    await pulling.write("customers-3.csv", HEADER, ...customers(5));
    expect((await pulling.run("customers")).state).toBe("unchanged");
    expect(await pulling.waiting()).toEqual([]);
  });

  test("makes way at once for a whole one that waits behind it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, 'A001,"cut off');
    await pulling.write("customers-2.csv", HEADER, ...customers(2));
    const result = await pulling.run("customers");
    expect(result).toMatchObject({ state: "published", rows: { mapped: 2 } });
    expect(result.notes).toHaveLength(1);
    await expectKept(pulling, result);
    expect((await lastRun(pulling, "customers")).note).toContain("customers-1.csv was not applied");
    expect(await pulling.waiting()).toEqual([]);
  });

  test("stops at the drop brake, until a person lets the removals through", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(30));
    await pulling.run("customers");
    await pulling.queued();
    await pulling.write("customers-2.csv", HEADER, ...customers(20));
    const stopped = await pulling.run("customers");
    expect(countsOf(stopped)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 0,
          "quarantined": 0,
          "read": 0,
          "repeated": 0,
        },
        "state": "stopped",
      }
    `);
    expect(stopped.notes).toMatchInlineSnapshot(`
      [
        "Publishing erp/customers: 30 customer records are held and it would remove 10 (33.3%, where at most 20% may go at once). Nothing was removed. If the source really cleared them, run: sync customers --accept-removals. If the file was cut off, ask for it again: a newer snapshot is read instead.",
      ]
    `);
    await expectKept(pulling, stopped);
    expect(await pulling.rows("customer", "account")).toHaveLength(30);
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.files()).toContain("out/customers-2.csv");
    const accepted = await pulling.run("customers", { acceptRemovals: true });
    expect(accepted.records["tradepost-csv/customer"]).toMatchObject({
      before: 30,
      removed: 10,
      after: 20,
    });
    expect(await pulling.queued()).toEqual(["follow.customers"]);
  });

  test("stopped by the drop brake stands aside for a newer one, which is read instead", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(30));
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, ...customers(3));
    await pulling.write("customers-3.csv", HEADER, ...customers(29), "A030,Renamed,");
    const [stopped, published, ...more] = await pulling.sync();
    expect(more).toEqual([]);
    expect(stopped?.state).toBe("stopped");
    expect(stopped?.notes).toMatchInlineSnapshot(`
      [
        "customers-2.csv was not applied: Publishing erp/customers: 30 customer records are held and it would remove 27 (90.0%, where at most 20% may go at once). Nothing was removed. A newer snapshot was waiting and is read instead.",
      ]
    `);
    expect(published).toMatchObject({ state: "published", origins: ["customers-3.csv"] });
    expect(published?.records["tradepost-csv/customer"]).toMatchObject({ updated: 1, removed: 0 });
    expect(await pulling.waiting()).toEqual([]);
    expect(await pulling.files()).toEqual([
      "archive/customers/customers-1.csv",
      "archive/customers/customers-3.csv",
      "refused/customers/customers-2.csv",
      "refused/customers/customers-2.csv.reason.txt",
    ]);
  });

  test("may lack two records of a few without being asked about, and not three", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(6));
    await pulling.write("customers-2.csv", HEADER, ...customers(4));
    await pulling.write("customers-3.csv", HEADER, ...customers(1));
    const states = (await pulling.sync()).map(({ state }) => state);
    expect(states).toEqual(["published", "published", "stopped"]);
    expect(await pulling.rows("customer", "account")).toHaveLength(4);
  });

  test.each([
    ["lacks a column that is read", "account,creditLimit", "A001,5"],
    ["has a slip in a column's name", "account,name,CreditLimit", "A001,A,5"],
    ["has a needed column under another spelling", "Account,name", "A001,A"],
  ])(
    "stops when its header %s, and waits for the mapping or the file to be mended",
    async (what, header, row) => {
      const pulling = await openPulling(database.store, ["customer"]);
      await pulling.write("customers-1.csv", HEADER, ...customers(1));
      await pulling.run("customers");
      await pulling.write("customers-2.csv", header, row);
      const result = await pulling.run("customers");
      expect(result.state).toBe("stopped");
      expect({ [what]: result.notes }).toMatchSnapshot();
      await expectKept(pulling, result);
      expect((await lastRun(pulling, "customers")).error).toBe(result.notes[0]);
      expect(await pulling.rows("customer", "credit_limit")).toEqual(["100.00"]);
      expect(await pulling.files()).toContain("out/customers-2.csv");
      // A newer file with the right header is not kept waiting by it.
      await pulling.write("customers-3.csv", HEADER, "A001,A,7");
      expect((await pulling.sync()).map(({ state }) => state)).toEqual(["stopped", "published"]);
      expect(await pulling.rows("customer", "credit_limit")).toEqual(["7.00"]);
    },
  );

  test("stops when more than 20,000 of its rows are bad: then the mapping is wrong", async () => {
    const pulling = await openPulling(database.store, ["branch"]);
    const bad = Array.from({ length: 20_001 }, (_, index) => `B${index},Depot,shop`);
    await pulling.write("branches-1.csv", "branch,name,defaultChannel", ...bad.slice(1));
    expect(await pulling.run("branches")).toMatchObject({
      state: "published",
      rows: { quarantined: 20_000 },
    });
    await pulling.write("branches-2.csv", "branch,name,defaultChannel", ...bad);
    const result = await pulling.run("branches");
    expect(result).toMatchObject({ state: "stopped", rows: { read: 0 } });
    expect(result.notes).toMatchInlineSnapshot(`
      [
        "Reading branches-2.csv: 20001 of 20001 rows cannot be used, the first because defaultChannel was "shop" in defaultChannel where one of web, telephone, counter, field, edi, other, unknown is expected. Nothing of them was published. With so many the mapping or the file's settings are wrong: mend them and run again.",
      ]
    `);
    expect(await pulling.desk.totals()).toMatchObject({ open: 20_000 });
  });
});

describe("a delta", () => {
  test("row that says otherwise than a later row of the same file is noted; the later one stands", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write(
      "sales-lines-1.csv",
      LINES,
      "invoice,1001,1,1,5.00,5.00,1.00",
      "invoice,1001,2,1,4.00,4.00,0.80",
      "invoice,1001,2,1,4.00,4.00,0.80",
      "invoice,1001,1,1,6.00,6.00,1.20",
    );
    // Another file's word is what a delta is for.
    await pulling.write("sales-lines-2.csv", LINES, "invoice,1001,2,1,4.50,4.50,0.90");
    const result = await pulling.run("sales-lines");
    expect(result.notes).toEqual([
      "sales-lines-1.csv: 1 row says otherwise than a later row of the same file; the later one " +
        "stands: invoice / 1001 / 1, lines 2 and 5.",
    ]);
    expect(Object.values(result.records)).toMatchObject([{ mapped: 5, repeated: 2 }]);
    expect(await pulling.rows("sales_line", "line", "net")).toEqual(["1 6.00", "2 4.50"]);
    await expectKept(pulling, result);
  });

  test("file is applied once ever by its content; sent again its rows count as repeated", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    const rows = [LINES, "invoice,1001,1,2,5.00,10.00,2.00", "invoice,1001,2,1,3.00,3.00,0.60"];
    await pulling.write("sales-lines-1.csv", ...rows);
    expect(await pulling.run("sales-lines")).toMatchObject({ rows: { mapped: 2 }, notes: [] });
    expect(await pulling.queued()).toEqual(["follow.sales"]);
    // The row was corrected since: the old content must not come back.
    await pulling.write("sales-lines-2.csv", LINES, "invoice,1001,2,1,4.00,4.00,0.80");
    await pulling.run("sales-lines");
    expect(await pulling.queued()).toEqual(["follow.sales"]);
    await pulling.write("sales-lines-3.csv", ...rows);
    const again = await pulling.run("sales-lines");
    expect(countsOf(again)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 0,
          "quarantined": 0,
          "read": 2,
          "repeated": 2,
        },
        "state": "published",
        "tradepost-csv/sales-line": {
          "after": 2,
          "before": 2,
          "conflicts": 0,
          "inserted": 0,
          "mapped": 0,
          "record": "sales-line",
          "removed": 0,
          "repeated": 0,
          "unchanged": 0,
          "updated": 0,
        },
      }
    `);
    expect(again.notes).toMatchInlineSnapshot(`
      [
        "sales-lines-3.csv: its 2 rows were applied before; nothing new came.",
      ]
    `);
    await expectKept(pulling, again);
    expect(await pulling.rows("sales_line", "line", "net")).toEqual(["1 10.00", "2 4.00"]);
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.files()).toHaveLength(3);
  });

  test("publishes the good files before and after a refused one", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write("sales-lines-1.csv", LINES, "invoice,1001,1,2,5.00,10.00,2.00");
    await pulling.write("sales-lines-2.csv", LINES, 'invoice,1002,1,2,5.00,10.00,"2.0');
    await pulling.write("sales-lines-3.csv", LINES, "invoice,1003,1,2,5.00,10.00,2.00", "x");
    const result = await pulling.run("sales-lines");
    expect(countsOf(result)).toMatchInlineSnapshot(`
      {
        "rows": {
          "ignored": 0,
          "mapped": 2,
          "quarantined": 1,
          "read": 3,
          "repeated": 0,
        },
        "state": "published",
        "tradepost-csv/sales-line": {
          "after": 2,
          "before": 0,
          "conflicts": 0,
          "inserted": 2,
          "mapped": 2,
          "record": "sales-line",
          "removed": 0,
          "repeated": 0,
          "unchanged": 0,
          "updated": 0,
        },
      }
    `);
    expect(result.notes).toHaveLength(1);
    expect(result.origins).toHaveLength(3);
    expect(result.refused).toEqual(["sales-lines-2.csv"]);
    await expectKept(pulling, result);
    expect(await pulling.rows("sales_line", "document")).toEqual(["1001", "1003"]);
    expect((await pulling.waiting()).map((item) => item.split(" ")[0])).toEqual([
      "sales-lines-2.csv:0",
      "sales-lines-3.csv:3",
    ]);
  });

  test("that stops keeps what its earlier files published, and reads on from there", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write("sales-lines-1.csv", LINES, "invoice,1001,1,2,5.00,10.00,2.00");
    await pulling.write(
      "sales-lines-2.csv",
      LINES.replace("quantity", "Quantity"),
      "invoice,1002,1,2,5.00,10.00,2.00",
    );
    await pulling.write("sales-lines-3.csv", LINES, "invoice,1003,1,2,5.00,10.00,2.00");
    const result = await pulling.run("sales-lines");
    expect(result).toMatchObject({ state: "stopped", rows: { read: 1, mapped: 1 } });
    await expectKept(pulling, result);
    expect(await pulling.rows("sales_line", "document")).toEqual(["1001"]);
    await pulling.write("sales-lines-2.csv", LINES, "invoice,1002,1,2,5.00,10.00,2.00");
    expect(await pulling.run("sales-lines")).toMatchObject({
      state: "published",
      rows: { mapped: 2 },
    });
    expect(await pulling.rows("sales_line", "document")).toEqual(["1001", "1002", "1003"]);
  });

  test("row that was bad is answered when the same record arrives well", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write(
      "sales-lines-1.csv",
      LINES,
      "invoice,1001,1,2,5.00,10.0O,2.00",
      "invoice,1002,1,2,5.00,x,2.00",
    );
    await pulling.run("sales-lines");
    expect(await pulling.waiting()).toHaveLength(2);
    await pulling.write("sales-lines-2.csv", LINES, "invoice,1001,1,2,5.00,10.00,2.00");
    await pulling.run("sales-lines");
    expect(await pulling.waiting()).toEqual(['sales-lines-1.csv:3 net: "x" in net']);
  });

  test("row that was bad is answered by its decimal key, however that is written", async () => {
    const settings = { streams: { "price-rules": { reading: "delta" } } };
    const pulling = await openPulling(database.store, ["price-rule"], { settings });
    const header = "rule,customerScope,productScope,kind,value,fromQuantity";
    await pulling.write("price-rules-1.csv", header, "R1,everyone,everything,percent,x,10.50");
    await pulling.run("price-rules");
    expect(await pulling.waiting()).toHaveLength(1);
    await pulling.write("price-rules-2.csv", header, "R1,everyone,everything,percent,5,10.5");
    await pulling.run("price-rules");
    expect(await pulling.waiting()).toEqual([]);
  });

  test("without a row is no success in silence", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write("sales-lines-1.csv", LINES);
    const result = await pulling.run("sales-lines");
    expect(result).toMatchObject({ state: "published", rows: { read: 0 } });
    expect(result.notes).toMatchInlineSnapshot(`
      [
        "sales-lines-1.csv: it holds no rows. If rows were expected, look at the export.",
      ]
    `);
    expect((await lastRun(pulling, "sales-lines")).note).toBe(result.notes[0]);
  });

  test("never removes what a later file does not hold", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write("sales-lines-1.csv", LINES, "invoice,1001,1,2,5.00,10.00,2.00");
    await pulling.write("sales-lines-2.csv", LINES, "invoice,1002,1,2,5.00,10.00,2.00");
    const result = await pulling.run("sales-lines");
    expect(result.records["tradepost-csv/sales-line"]).toMatchObject({
      before: 0,
      inserted: 2,
      removed: 0,
      after: 2,
    });
  });
});

describe("the quarantine desk", () => {
  test("replays a corrected row: its record is there, what follows is queued, the item is closed", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,1o0", "A002,B,2.00");
    await pulling.run("customers");
    await pulling.queued();
    const [item] = await pulling.desk.list({});
    if (item === undefined) throw new Error("nothing waits");
    expect(await pulling.desk.replay(item)).toMatchObject({
      outcome: "still-bad",
      why: expect.stringContaining("creditLimit"),
    });
    expect(await pulling.desk.replay(item, { creditLImit: "100" })).toMatchInlineSnapshot(
      {
        id: expect.any(String),
      },
      `
      {
        "id": Any<String>,
        "outcome": "cannot",
        "why": "The row has no column creditLImit; its columns are name, account, creditLimit.",
      }
    `,
    );
    expect(await pulling.desk.replay(item, { creditLimit: "100" })).toMatchObject({
      outcome: "resolved",
      records: 1,
    });
    expect(await pulling.rows("customer", "account", "credit_limit")).toEqual([
      "A001 100.00",
      "A002 2.00",
    ]);
    expect(await pulling.queued()).toEqual(["follow.customers"]);
    expect(await pulling.waiting()).toEqual([]);
    expect(await pulling.desk.find(item.id)).toMatchObject({
      state: "resolved",
      closedBy: "a replay",
    });
    expect(await staging()).toEqual([]);
  });

  test("queues nothing when the corrected row says what is known already", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,5.00");
    await pulling.write("customers-2.csv", HEADER, "A001,A,5.O0");
    await pulling.sync();
    await pulling.queued();
    const [item] = await pulling.desk.list({});
    if (item === undefined) throw new Error("nothing waits");
    expect((await pulling.desk.replay(item, { creditLimit: "5" })).outcome).toBe("resolved");
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.waiting()).toEqual([]);
  });

  test("never lets an item that is closed overwrite what came later", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,Old,x");
    await pulling.run("customers");
    const [item] = await pulling.desk.list({});
    if (item === undefined) throw new Error("nothing waits");
    await pulling.write("customers-2.csv", HEADER, "A001,New,5.00");
    await pulling.run("customers");
    expect(await pulling.desk.replay(item, { creditLimit: "1" })).toMatchInlineSnapshot(
      {
        id: expect.any(String),
      },
      `
      {
        "id": Any<String>,
        "outcome": "cannot",
        "why": "It is closed: it was replayed, dismissed, or answered by what came later. Replayed now, its row would overwrite newer content.",
      }
    `,
    );
    expect(await pulling.rows("customer", "name", "credit_limit")).toEqual(["New 5.00"]);
  });

  test("leaves an item open, and writes nothing, when another source keeps its record", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,Ashdown,100.00");
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, "A001,Other,x");
    const { connection } = pulling.source;
    await pulling.sync({}, { connection: { ...connection, name: "legacy" } });
    const [item] = await pulling.desk.list({});
    if (item === undefined) throw new Error("nothing waits");
    await pulling.queued();
    expect(await pulling.desk.replay(item, { creditLimit: "1" })).toMatchObject({
      outcome: "still-bad",
      why: "A001: the customer is kept by erp/tradepost-csv/customer; a record has one source",
    });
    expect(await pulling.waiting()).toHaveLength(1);
    expect(await pulling.queued()).toEqual([]);
  });

  test("finds an item by the beginning of its id, and says when none begins so", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A001,A,x");
    await pulling.run("customers");
    const [item] = await pulling.desk.list({});
    expect((await pulling.desk.find(item?.id.slice(0, 8) ?? "")).id).toBe(item?.id);
    await expect(pulling.desk.find("ffffffff-ffff")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ItemUnknown: Looking up quarantine item "ffffffff-ffff": none begins or ends so. \`tradepost quarantine\` lists them.]`,
    );
    if (item !== undefined) await pulling.desk.dismiss(item, { who: "Ann", why: "a test row" });
    expect(await pulling.waiting()).toEqual([]);
    expect(await pulling.desk.find(item?.id ?? "")).toMatchObject({
      state: "dismissed",
      closedBy: "Ann",
    });
  });
});

describe("what a total rests on", () => {
  const watched = {
    reads: ["sales-documents", "sales-lines"].map((stream) => ({ connection: "erp", stream })),
    records: ["sales-document", "sales-line"],
  };

  test("is how fresh its streams are and what of them waits, with its money", async () => {
    const pulling = await openPulling(database.store, ["sales-line", "customer"]);
    await pulling.write(
      "sales-lines.csv",
      LINES,
      "invoice,1,1,2,x,10.00,2.00",
      "invoice,2,1,2,5,7.50,y",
      "z",
    );
    await pulling.write("customers.csv", HEADER, "A001,A,bad");
    await pulling.sync();
    const trust = trustSources(database.store, pulling.company, watched);
    expect(await trust.freshness()).toEqual([
      { source: "erp/sales-documents", at: null },
      { source: "erp/sales-lines", at: expect.anything() },
    ]);
    expect(await trust.quarantined()).toEqual([
      { record: "sales-line", rows: 2, worth: "17.50" },
      { record: "sales-lines", rows: 1, worth: null },
    ]);
  });

  test("names the row that holds a document back, read as columns or not", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write(
      "sales-lines.csv",
      LINES,
      "invoice,INV1,1,2,x,10.00,2.00",
      "invoice,INV2,1,2",
      "invoice,INV3,1,2,5,10.00,2.00",
    );
    await pulling.sync();
    const trust = trustSources(database.store, pulling.company, watched);
    expect(Object.fromEntries(await trust.setAside(["INV1", "INV2", "INV3", "INV4"])))
      .toMatchInlineSnapshot(`
      {
        "INV1": "sales-lines.csv line 2: "x" in unitPrice",
        "INV2": "sales-lines.csv line 3: Found 4 columns; the header has 7.",
      }
    `);
  });

  test("names the file that a row came from, and where it is kept", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    await pulling.write("sales-lines.csv", LINES, "invoice,INV1,1,2,5,10.00,2.00");
    const { runId } = await pulling.run("sales-lines");
    const [line] = await database.store.query<{ origin: string; at: number; run: string }>(
      "select origin_id as origin, origin_line as at, run_id as run from sales_line where company = $1",
      [pulling.company],
    );
    expect(line).toMatchObject({ at: 2, run: runId });
    const trust = trustSources(database.store, pulling.company, watched);
    expect(await trust.origin(line?.origin ?? "")).toEqual({
      name: "sales-lines.csv",
      keptAt: "archive/sales-lines/2026-03-31/sales-lines.csv",
      connection: "erp",
      stream: "sales-lines",
      runId,
    });
    expect(await trust.origin(crypto.randomUUID())).toBeNull();
  });
});

describe("a pull", () => {
  test("reads streams in the connector's order, and one that stops does not stop the others", async () => {
    const pulling = await openPulling(database.store, ["site", "customer", "branch"]);
    await pulling.write("customers.csv", "Account,name", "A001,A");
    await pulling.write("sites.csv", "account,site,name", "A001,S1,Mill Lane");
    await pulling.write("branches.csv", "branch,name", "B1,Leeds");
    const results = await pulling.sync();
    expect(results.map(({ stream, state }) => `${stream} ${state}`)).toEqual([
      "branches published",
      "customers stopped",
      "sites published",
    ]);
  });

  test("leaves no run behind where nothing waited", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    expect(await pulling.run("customers")).toMatchObject({
      state: "nothing",
      runId: null,
      notes: [],
    });
    expect(await listRuns(database.store, pulling.company, { limit: 10 })).toEqual([]);
  });

  test("names the streams that there are when asked for another", async () => {
    const pulling = await openPulling(database.store, ["customer", "site"]);
    await expect(pulling.sync({ streams: ["prices"] })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[ConnectorFault: Connection "erp" has no stream "prices" that a mapping reads.]`,
    );
    await expect(pulling.sync({ streams: ["prices"] })).rejects.toMatchObject({
      instruction: "Its streams are: customers, sites.",
    });
  });

  test("queues what follows exactly when a record that it follows changed", async () => {
    const pulling = await openPulling(database.store, ["customer", "site", "branch"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(2));
    await pulling.write("branches-1.csv", "branch,name", "B1,Leeds");
    await pulling.sync();
    expect(await pulling.queued()).toEqual(["follow.customers"]);
    // Other bytes, the same records.
    await pulling.write("customers-2.csv", HEADER, ...customers(2).toReversed());
    expect(await pulling.run("customers")).toMatchObject({ state: "published" });
    expect(await pulling.queued()).toEqual([]);
    await pulling.write("branches-2.csv", "branch,name", "B1,York");
    await pulling.sync();
    expect(await pulling.queued()).toEqual([]);
    await pulling.write("customers-3.csv", HEADER, ...customers(1));
    await pulling.sync();
    expect(await pulling.queued()).toEqual(["follow.customers"]);
  });

  test("tells how far it is", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write(
      "customers.csv",
      HEADER,
      ...customers(999),
      "A1000,x,bad",
      ...customers(500, 1001),
    );
    const told: unknown[] = [];
    await pulling.sync({ progress: (progress) => told.push(progress) });
    const at = { stream: "customers", origin: "customers.csv", quarantined: 1 };
    const rate = { rowsPerSecond: expect.any(Number) as unknown, secondsLeft: null };
    expect(told).toEqual([
      { ...at, ...rate, rows: 1000 },
      { ...at, ...rate, rows: 1500 },
    ]);
  });
});

async function staging(): Promise<unknown[]> {
  return database.store.query("select tablename from pg_tables where schemaname = 'staging'");
}
