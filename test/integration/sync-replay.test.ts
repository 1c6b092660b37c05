/** Raw rows are kept, and mapped anew by a mended mapping without another pull. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/connections/index.ts";
import type { ReadEvent, SourceRow } from "../../src/connector/index.ts";
import { compileMapping, type Mapping } from "../../src/mapping/index.ts";
import {
  applyPlan,
  planReplay,
  rawRow,
  tidyRaw,
  type PlanDocument,
  type Source,
} from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, scripted, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

const HEADER = "account,name,creditLimit";
const customers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `A${index + 1},Name ${index + 1},100.00`);

/** A mapping of the record with other rules than the shipped one. */
function mended(record: string, reads: string, fields: string): Mapping {
  const text = `record: ${record}\nreads: ${reads}\nabout: Mended.\n${fields}\n`;
  return compileMapping({ file: `mappings/tradepost-csv/${record}.yaml`, text });
}

function only<T>(all: readonly T[]): T {
  const [one, second] = all;
  if (one === undefined || second !== undefined) throw new Error(`expected one: ${all.length}`);
  return one;
}

const countsIn = (document: PlanDocument) =>
  only(Object.values(only(document.streams).records)).counts;

function replaying(pulling: Pulling, over: Partial<Source>) {
  const source = { ...pulling.source, ...over };
  return {
    plan: (stream: string) => planReplay(pulling.context, source, stream),
    apply: (document: PlanDocument) => applyPlan(pulling.context, source, document, {}),
  };
}

/** Pages of an interface: nobody archives them but us. */
function pages(...all: readonly (readonly Readonly<Record<string, string>>[])[]): Connection {
  const events = all.flatMap((values, index): ReadEvent[] => {
    const rows = values.map((each, at): SourceRow => {
      return { line: at + 1, raw: JSON.stringify(each), values: each };
    });
    const origin = { name: `https://erp.test/customers?page=${index + 1}` };
    return [
      { kind: "origin", origin },
      { kind: "rows", rows },
      { kind: "checkpoint", cursor: `page ${index + 1}`, more: false },
    ];
  });
  return scripted("delta", "customers", events);
}

const customer = (account: string, name: string, note = "") => ({ account, name, note });

/** So that a rule of the mended mapping leaves rows aside. */
const IGNORING =
  "ignore: [{ when: note, equals: [test], because: a test of theirs }]\nfields: same";

describe("raw rows of pages and tables", () => {
  test("are kept when the run publishes, and found by origin and line", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const rows = [customer("D1", "2026-03-01"), customer("D2", "2026-03-02")];
    await pulling.sync({}, { connection: pages(rows) });
    const kept = only(
      await database.store.query<{ originId: string; line: number }>(
        `select origin_id as "originId", origin_line as line from customer
          where company = $1 and account = 'D2'`,
        [pulling.company],
      ),
    );
    const text = await rawRow(database.store, pulling.company, kept.originId, kept.line);
    expect(JSON.parse(text ?? "")).toEqual(rows[1]);
    expect(await rawRow(database.store, pulling.company, kept.originId, 3)).toBeNull();
    expect(await rawRow(database.store, "OTHER", kept.originId, kept.line)).toBeNull();
  });

  test("are not seen of a run that published nothing", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const [origin, rows] = [
      { kind: "origin", origin: { name: "page" } },
      { kind: "rows", rows: [{ line: 1, raw: "x", values: customer("D1", "2026-03-01") }] },
    ] as const;
    const connection = scripted("delta", "customers", [origin, rows]);
    expect(only(await pulling.sync({}, { connection })).state).toBe("stopped");
    const seen = await database.store.query(
      `select from raw_chunk c join origin o on o.company = c.company and o.id = c.origin_id
        where c.company = $1`,
      [pulling.company],
    );
    expect(seen).toEqual([]);
  });

  test("are small: a thousand alike cost a few bytes each", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const rows = Array.from({ length: 2_500 }, (_, index) => customer(`D${index}`, "2026-03-01"));
    const [first, second, third] = [rows.slice(0, 1000), rows.slice(1000, 2000), rows.slice(2000)];
    await pulling.sync({}, { connection: pages(first, second, third) });
    const { bytes, kept } = only(
      await database.store.query<{ bytes: number; kept: number }>(
        "select sum(length(content)) as bytes, sum(rows) as kept from raw_chunk where company = $1",
        [pulling.company],
      ),
    );
    expect(kept).toBe(2_500);
    expect(bytes).toBeLessThan(2_500 * 20);
  });

  test("are deleted after keepRawDays, not before, and never those of another connection", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync({}, { connection: pages([customer("D1", "2026-03-01")]) });
    const { store, company, now } = pulling.context;
    const tidy = (days: Record<string, number>) => tidyRaw(store, company, { now: now(), days });
    pulling.pass(39 * 24 * 3600);
    expect(await tidy({ erp: 40 })).toBe(0);
    pulling.pass(2 * 24 * 3600);
    expect(await tidy({ extract: 1 })).toBe(0);
    expect(await tidy({ erp: 40 })).toBe(1);
  });

  test("files are not kept twice: their archive is", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, ...customers(2));
    await pulling.run("customers");
    const chunks = await database.store.query("select from raw_chunk where company = $1", [
      pulling.company,
    ]);
    expect(chunks).toEqual([]);
  });
});

describe("a replay under another mapping version", () => {
  test("of a snapshot maps the content last applied, shown first, then done without another pull", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers-1.csv", HEADER, ...customers(5));
    await pulling.run("customers");
    await pulling.write("customers-2.csv", HEADER, ...customers(6));
    await pulling.run("customers");
    const [before] = await pulling.context.store.query<{ at: Temporal.Instant }>(
      "select last_applied_at as at from stream_state where company = $1",
      [pulling.company],
    );
    const mapping = mended(
      "customer",
      "customers",
      'fields:\n  account: account\n  name: name\n  creditLimit: { value: "7.00" }',
    );
    const { plan, apply } = replaying(pulling, { mappings: [mapping] });
    const document = await plan("customers");
    expect(document.kind).toBe("replay");
    expect(countsIn(document)).toMatchObject({ inserted: 0, updated: 6, removed: 0, after: 6 });
    expect(await pulling.rows("customer", "credit_limit")).not.toContain("7.00");
    expect(only(await apply(document))).toMatchObject({ state: "published", rows: { read: 6 } });
    expect(new Set(await pulling.rows("customer", "credit_limit"))).toEqual(new Set(["7.00"]));
    // Nothing newer was read: the stream is no fresher, and the same file waits no more.
    const [after] = await pulling.context.store.query<{ at: Temporal.Instant; mappings: object }>(
      "select last_applied_at as at, mappings from stream_state where company = $1",
      [pulling.company],
    );
    expect(after?.at.toString()).toBe(before?.at.toString());
    expect(after?.mappings).toEqual({ [mapping.id]: mapping.version });
    expect((await pulling.sync({}, { mappings: [mapping] }))[0]?.state).toBe("nothing");
  });

  test("keeps the evidence: rows still point at the file and line that they came from", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, ...customers(2));
    await pulling.run("customers");
    const places = () => pulling.rows("customer", "account", "origin_id", "origin_line");
    const before = await places();
    const mapping = mended(
      "customer",
      "customers",
      "fields:\n  account: account\n  name: { value: Same }",
    );
    const { plan, apply } = replaying(pulling, { mappings: [mapping] });
    await apply(await plan("customers"));
    expect(await places()).toEqual(before);
    const origins = await pulling.context.store.query("select from origin where company = $1", [
      pulling.company,
    ]);
    expect(origins).toHaveLength(1);
  });

  test("of a delta maps all kept origins in the order applied: later rows win, and what the mapping no longer makes goes", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.sync(
      {},
      {
        connection: pages(
          [customer("D1", "2026-03-01"), customer("D2", "2026-03-01", "test")],
          [customer("D1", "2026-03-05"), customer("D3", "2026-03-05")],
        ),
      },
    );
    const mappings = [mended("customer", "customers", IGNORING)];
    const { plan, apply } = replaying(pulling, { mappings, connection: pages() });
    const document = await plan("customers");
    expect(only(document.streams).rows).toMatchObject({ read: 4, mapped: 3, ignored: 1 });
    expect(countsIn(document)).toMatchObject({ before: 3, unchanged: 2, repeated: 1, removed: 1 });
    await apply(document);
    expect(await pulling.rows("customer", "account", "name")).toEqual([
      "D1 2026-03-05",
      "D3 2026-03-05",
    ]);
  });

  test("stops at the drop brake where the mapping no longer makes much of what is held", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const tests = Array.from({ length: 5 }, (_, at) => customer(`T${at}`, "2026-03-01", "test"));
    await pulling.sync({}, { connection: pages([...tests, customer("D1", "2026-03-01")]) });
    const mappings = [mended("customer", "customers", IGNORING)];
    const { plan, apply } = replaying(pulling, { mappings, connection: pages() });
    const document = await plan("customers");
    expect(only(Object.values(only(document.streams).records)).removals.stops).toBe(true);
    await expect(apply(document)).rejects.toThrow("more than the drop brake allows");
  });

  test("on incomplete ground says from when history is kept, and removes nothing", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    const first = pages([customer("D1", "2026-03-01"), customer("D2", "2026-03-01", "test")]);
    await pulling.sync({}, { connection: first });
    pulling.pass(50 * 24 * 3600);
    const second = pages([customer("D3", "2026-05-01"), customer("D4", "2026-05-01", "test")]);
    await pulling.sync({}, { connection: second });
    const { store, company, now } = pulling.context;
    await tidyRaw(store, company, { now: now(), days: { erp: 40 } });
    const mappings = [mended("customer", "customers", IGNORING)];
    const { plan, apply } = replaying(pulling, { mappings, connection: pages() });
    const document = await plan("customers");
    const stream = only(document.streams);
    expect(stream.notes[0]).toMatch(
      /^1 of the 2 origins that were applied are not kept any more, so history is replayed from \d\d\/05\/2026 on, and nothing is removed\.$/,
    );
    expect(countsIn(document)).toMatchObject({ before: 4, removed: 0, after: 4 });
    await apply(document);
    expect(await pulling.rows("customer", "account")).toHaveLength(4);
  });

  test("of a snapshot whose file is gone does nothing and says so", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, ...customers(2));
    await pulling.run("customers");
    await rm(join(pulling.folder, "archive"), { recursive: true });
    const stream = only((await replaying(pulling, {}).plan("customers")).streams);
    expect(stream).toMatchObject({ state: "stopped", id: null });
    expect(stream.notes.join()).toContain(
      "1 of the 1 origins that were applied are not kept any more",
    );
    expect(await pulling.rows("customer", "account")).toHaveLength(2);
  });

  test("closes what the mended mapping can use, and keeps open what is still bad", async () => {
    const pulling = await openPulling(database.store, ["customer"]);
    await pulling.write("customers.csv", HEADER, "A1,One,n/a", ",Two,5.00", "A3,Three,5.00");
    await pulling.run("customers");
    expect(await pulling.waiting()).toHaveLength(2);
    const mapping = mended("customer", "customers", "fields:\n  account: account\n  name: name");
    const { plan, apply } = replaying(pulling, { mappings: [mapping] });
    await apply(await plan("customers"));
    expect(await pulling.rows("customer", "account")).toEqual(["A1", "A3"]);
    expect(await pulling.waiting()).toEqual([expect.stringContaining("customers.csv:3 account")]);
  });
});
