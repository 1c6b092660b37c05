import { describe, expect, test } from "vitest";
import { quarantineDesk, type SyncContext } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const HEADER = "account,name,creditLimit,balance";

async function onlyItem({ desk }: Pulling, state: "open" | "resolved" | "dismissed" = "open") {
  const [item, second] = await desk.list({ state });
  if (item === undefined || second !== undefined) throw new Error(`not one item is ${state}`);
  return item;
}

const ANN = { who: "Ann", why: "a test account" };

describe("a row in quarantine", () => {
  test("waits with its money and how many customers it touches, most money first", async () => {
    const pulling = await openPulling(database.store, ["customer", "price-list", "price-rule"]);
    await pulling.write("price-lists.csv", "priceList,name,standard", "TRADE,Trade,true", "B,B,");
    await pulling.write(
      "customers.csv",
      "account,name,priceList,creditLimit,balance",
      "A001,A,,1,0",
      "A002,B,B,1,0",
      "A003,C,B,1,0",
      "A004,D,B,x,70.00",
      "A005,E,B,y,900.00",
    );
    const rule = "rule,customerScope,customerCode,productScope,productCode,kind,value";
    await pulling.write(
      "price-rules.csv",
      rule,
      "R1,price-list,B,product,P1,fixed,cheap",
      "R2,price-list,TRADE,product,P1,fixed,cheap",
      "R3,everyone,,product,P1,fixed,cheap",
      "R4,customer-group,NOBODY,product,P1,fixed,cheap",
    );
    await pulling.sync();
    const items = await pulling.desk.list({});
    expect(items.map(({ recordKey, worth, customers }) => [recordKey, worth, customers])).toEqual([
      ["A005", "900.00", 1],
      ["A004", "70.00", 1],
      // Customers whose own rows are good: on list B, on the standard list, all, and none.
      ["R1 / 0", null, 2],
      ["R2 / 0", null, 1],
      ["R3 / 0", null, 3],
      ["R4 / 0", null, 0],
    ]);
  });

  test("of a document's line touches the document's customer, when the document is held", async () => {
    const pulling = await openPulling(database.store, ["sales-document", "sales-line"]);
    await pulling.write(
      "sales-documents.csv",
      "documentType,document,account,documentOn,net,vat,gross",
      "invoice,INV1,A001,2026-03-02,10.00,2.00,12.00",
    );
    await pulling.run("sales-documents");
    const lines = "documentType,document,line,quantity,unitPrice,net,vat";
    await pulling.write(
      "sales-lines.csv",
      lines,
      "invoice,INV1,1,x,5,10.00,2.00",
      "invoice,INV2,1,x,5,20.00,4.00",
    );
    await pulling.run("sales-lines");
    const items = await pulling.desk.list({});
    expect(items.map(({ worth, customers }) => [worth, customers])).toEqual([
      ["20.00", null],
      ["10.00", 1],
    ]);
    expect(await pulling.desk.list({ account: "A001" })).toHaveLength(1);
  });

  test("is one line with all that have the same reason, with their money and customers", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const bad = Array.from({ length: 25 }, (_, index) => `A${100 + index},,5,10.00`);
    await pulling.write("customers.csv", HEADER, ...bad, "A001,A,x,3.00", "A002,B,y,4.00");
    await pulling.run("customers");
    const groups = await pulling.desk.groups({});
    expect(
      groups.map(({ reason, items, worth, customers }) => [items, reason, worth, customers]),
    ).toEqual([
      [25, "name is blank", "250.00", 25],
      [2, "creditLimit is not a number such as 1234.50", "7.00", 2],
    ]);
    expect(await pulling.desk.groups({ field: "creditLimit" })).toHaveLength(1);
    expect(await pulling.desk.groups({ reason: "IS BLANK" })).toHaveLength(1);
    expect(await pulling.desk.groups({ connection: "legacy" })).toEqual([]);
  });

  test("that comes again unchanged keeps its item, at its new place", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00");
    await pulling.run("customers");
    const first = await onlyItem(pulling);
    pulling.pass(3600);
    await pulling.write("customers-2.csv", HEADER, "A002,B,1,0", "A001,A,x,3.00");
    await pulling.run("customers");
    const again = await onlyItem(pulling);
    expect(again).toMatchObject({ id: first.id, originName: "customers-2.csv", line: 3 });
    expect(again.cameAgain).toBe(1);
    expect(again.firstSeenAt.toString()).toBe(first.openedAt.toString());
    // Once changed it is another row.
    await pulling.write("customers-3.csv", HEADER, "A002,B,1,0", "A001,A,y,3.00");
    await pulling.run("customers");
    expect((await onlyItem(pulling)).id).not.toBe(first.id);
    expect(await onlyItem(pulling, "resolved")).toMatchObject({ closedBy: "a newer snapshot" });
  });

  test("of a delta waits once, however often the same record comes badly", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    const lines = "documentType,document,line,quantity,unitPrice,net,vat";
    for (const [index, net] of ["x", "x", "y"].entries()) {
      const other = `invoice,2,${index + 1},1,5,5.00,1.00`;
      await pulling.write(`sales-lines-${index}.csv`, lines, `invoice,1,1,2,5,${net},2.00`, other);
      await pulling.run("sales-lines");
    }
    expect((await onlyItem(pulling)).problems[0]?.found).toBe('"y" in net');
    expect(await onlyItem(pulling, "resolved")).toMatchObject({
      closedBy: "a newer row of the same record",
      cameAgain: 1,
    });
  });
});

describe("a dismissed row", () => {
  test("that comes again unchanged stays dismissed, and one that changed opens again", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00", "A002,B,1,0");
    await pulling.run("customers");
    expect(await pulling.desk.dismiss(await onlyItem(pulling), ANN)).toBeNull();
    await pulling.write("customers-2.csv", HEADER, "A001,A,x,3.00", "A002,B,2,0");
    const again = await pulling.run("customers");
    expect(again).toMatchObject({ rows: { read: 2, mapped: 1, quarantined: 1 }, dismissed: 1 });
    expect(await pulling.waiting()).toEqual([]);
    expect(await onlyItem(pulling, "dismissed")).toMatchObject({ cameAgain: 1, closedBy: "Ann" });
    await pulling.write("customers-3.csv", HEADER, "A001,A,xx,3.00", "A002,B,2,0");
    await pulling.run("customers");
    expect(await pulling.waiting()).toEqual(['customers-3.csv:2 creditLimit: "xx" in creditLimit']);
  });

  test("can be opened again, with who and why kept of both", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00");
    await pulling.run("customers");
    const item = await onlyItem(pulling);
    await pulling.desk.dismiss(item, ANN);
    expect(await pulling.desk.dismiss(item, ANN)).toMatch(/it is dismissed already, by Ann\.$/);
    expect(await pulling.desk.reopen(item, { who: "Bob", why: "it was none" })).toBeNull();
    expect(await pulling.desk.reopen(item, ANN)).toMatch(/it is open\.$/);
    expect(await onlyItem(pulling)).toMatchObject({ id: item.id, closedBy: null });
    const history = await pulling.desk.history(item);
    expect(history.map(({ who, action, details }) => [who, action, details])).toEqual([
      ["Ann", "dismissed", { why: "a test account" }],
      ["Bob", "reopened", { why: "it was none" }],
    ]);
    const open = await pulling.desk.find(item.id);
    expect(await pulling.desk.replay(open, { creditLimit: "7" }, "Bob")).toMatchObject({
      outcome: "resolved",
    });
  });

  test("is not opened again when its record has arrived well since", async () => {
    const pulling = await openPulling(database.store, ["sales-line"]);
    const lines = "documentType,document,line,quantity,unitPrice,net,vat";
    await pulling.write(
      "sales-lines-1.csv",
      lines,
      "invoice,1,1,2,5,x,2.00",
      "invoice,2,1,1,1,1,0",
    );
    await pulling.run("sales-lines");
    const item = await onlyItem(pulling);
    await pulling.desk.dismiss(item, ANN);
    await pulling.write("sales-lines-2.csv", lines, "invoice,1,1,2,5,10.00,2.00");
    await pulling.run("sales-lines");
    expect(await pulling.desk.reopen(item, ANN)).toMatch(/its record has arrived well since/);
  });

  test("that something newer answered is not a person's to open", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00");
    await pulling.run("customers");
    const item = await onlyItem(pulling);
    await pulling.write("customers-2.csv", HEADER, "A001,A,1,3.00");
    await pulling.run("customers");
    expect(await pulling.desk.reopen(item, ANN)).toMatch(/a newer snapshot answered it/);
  });
});

describe("a corrected row", () => {
  test("is tried before it is written", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00");
    await pulling.run("customers");
    const item = await onlyItem(pulling);
    await pulling.queued();
    expect(await pulling.desk.try(item, { creditLimit: "7" })).toMatchObject({
      outcome: "resolved",
      records: 1,
      made: [expect.objectContaining({ account: "A001", creditLimit: "7" })],
    });
    expect(await pulling.desk.try(item, { creditLimit: "?" })).toMatchObject({
      outcome: "still-bad",
    });
    expect(await pulling.rows("customer", "account")).toEqual([]);
    expect(await pulling.waiting()).toHaveLength(1);
    expect(await pulling.queued()).toEqual([]);
    expect(await pulling.desk.history(item)).toEqual([]);
  });

  test("is quarantined anew while the source is not mended, and its record stays as corrected", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,x,3.00", "A002,B,1,0");
    await pulling.run("customers");
    const item = await onlyItem(pulling);
    await pulling.desk.replay(item, { creditLimit: "7" }, "Ann");
    await pulling.write("customers-2.csv", HEADER, "A001,A,x,3.00", "A002,B,2,0");
    await pulling.run("customers");
    expect(await pulling.rows("customer", "account", "credit_limit")).toEqual([
      "A001 7.00",
      "A002 2.00",
    ]);
    const anew = await onlyItem(pulling);
    expect(anew).toMatchObject({
      correctionHolds: true,
      correction: { columns: { creditLimit: "7" }, who: "Ann", keys: ["A001"] },
    });
    expect(anew.firstSeenAt.toString()).toBe(item.openedAt.toString());
    expect((await pulling.desk.history(anew)).map(({ action }) => action)).toEqual(["corrected"]);
    // What is corrected is not at risk.
    expect(await pulling.desk.totals()).toEqual({ open: 1, worth: "0.00" });
    // Mended at its source, the correction is over.
    await pulling.write("customers-3.csv", HEADER, "A001,A,9,3.00", "A002,B,2,0");
    await pulling.run("customers");
    expect(await pulling.waiting()).toEqual([]);
    await pulling.write("customers-4.csv", HEADER, "A001,A,x,3.00", "A002,B,2,0");
    await pulling.run("customers");
    expect(await pulling.rows("customer", "account", "credit_limit")).toContain("A001 9.00");
    expect(await onlyItem(pulling)).toMatchObject({ correction: null, correctionHolds: false });
  });

  test("keeps its record also when the correction was of its key", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const good = ["A002,B,1,0", "A003,C,1,0", "A004,D,1,0"];
    await pulling.write("customers-1.csv", HEADER, ...good, ",A,5,3.00");
    await pulling.run("customers");
    await pulling.desk.replay(await onlyItem(pulling), { account: "A001" }, "Ann");
    await pulling.write("customers-2.csv", HEADER, ...good, ",A,5,3.00", "A009,N,1,0");
    await pulling.run("customers");
    expect(await pulling.rows("customer", "account")).toContain("A001");
    await pulling.write("customers-3.csv", HEADER, ...good, "A009,N,1,0");
    await pulling.run("customers");
    expect(await pulling.rows("customer", "account")).not.toContain("A001");
  });

  test("tells what is held of its record now", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,A,5,3.00");
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, "A001,A,x,3.00");
    await pulling.run("customers");
    const held = await pulling.desk.held(await onlyItem(pulling));
    expect(held?.fields).toMatchObject({ account: "A001", creditLimit: 5 });
  });
});

describe("a mended mapping", () => {
  /** The desk of a process that has read the mended file. */
  function mendedDesk({ context, source }: Pulling, over: Partial<SyncContext> = {}) {
    const [mapping] = source.mappings;
    if (mapping === undefined) throw new Error("there is no mapping");
    const apply: typeof mapping.apply = (values) => {
      const limit = String(values["creditLimit"]);
      return mapping.apply({ ...values, creditLimit: limit === "none" ? "" : limit });
    };
    return quarantineDesk({ ...context, ...over }, () => ({ ...mapping, version: "2", apply }));
  }

  test("is replayed over all that fit in pieces, and what is still bad is counted by its reason", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const rows = Array.from({ length: 450 }, (_, index) => {
      const limit = index % 9 === 0 ? "?" : "none";
      return `A${1000 + index},A,${limit},1.00`;
    });
    await pulling.write("customers.csv", HEADER, ...rows);
    await pulling.run("customers");
    await pulling.queued();
    const told: number[] = [];
    const deeds: string[] = [];
    const desk = mendedDesk(pulling, {
      audit: async ({ who, action }) => void deeds.push(`${who} ${action}`),
    });
    const done = await desk.replayAll(
      { stream: "customers" },
      { who: "Ann", progress: (progress) => told.push(progress.done / progress.of) },
    );
    expect(done).toMatchObject({ items: 450, resolved: 400, records: 400 });
    expect(done.left.map(({ outcome, items, why }) => [outcome, items, why])).toEqual([
      ["still-bad", 50, 'creditLimit: found "?" in creditLimit, expected a number such as 1234.50'],
    ]);
    expect(told).toEqual([200 / 450, 400 / 450, 1]);
    expect(await pulling.rows("customer", "account")).toHaveLength(400);
    expect(await pulling.waiting()).toHaveLength(50);
    expect(new Set(await pulling.queued())).toEqual(new Set(["follow.customers"]));
    expect(new Set(deeds)).toEqual(new Set(["Ann quarantine-item-replayed"]));
    expect(deeds).toHaveLength(400);
  });

  test("leaves out whole a row that another source keeps, and merges the others", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, "A001,Kept,5,0");
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, "A001,Other,none,0", "A002,New,none,0");
    const { connection } = pulling.source;
    await pulling.sync({}, { connection: { ...connection, name: "legacy" } });
    expect(await mendedDesk(pulling).replayAll({})).toMatchObject({
      resolved: 1,
      left: [{ items: 1, outcome: "still-bad" }],
    });
    expect(await pulling.rows("customer", "account", "name")).toEqual(["A001 Kept", "A002 New"]);
  });
});

describe("the desk", () => {
  test("refuses what cannot be an id instead of reading another one out of it", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A001,A,x,0");
    await pulling.run("customers");
    const { id } = await onlyItem(pulling);
    expect((await pulling.desk.find(id.slice(-8))).id).toBe(id);
    await expect(pulling.desk.find(`${id.slice(0, 8)}%`)).rejects.toThrow(/none begins or ends so/);
    await expect(pulling.desk.find("")).rejects.toThrow(/none begins or ends so/);
  });
});
