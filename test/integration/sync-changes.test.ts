import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReadEvent } from "../../src/connector/index.ts";
import { compileMapping, type Mapping } from "../../src/mapping/index.ts";
import { syncConnection, type RunResult, type Source } from "../../src/sync/index.ts";
import { useDatabase } from "../support/database.ts";
import { openPulling, type Pulling } from "../support/pulling.ts";

const database = useDatabase();

/** Up to two breaks a row, rows that are left aside, and numbers that can be wrong. */
const BREAKS = compileMapping({
  file: "mappings/breaks/price-rule.yaml",
  text: `
record: price-rule
reads: price-rules
about: A row holds up to two breaks.
ignore:
  - { when: LIST, equals: OLD, because: the list is closed }
  - { when: breakPrice, blank: true, because: the break is not used }
each:
  n: 1 to 2
  columns:
    breakQuantity: QTY_{n}
    breakPrice: PRICE_{n}
fields:
  rule: { join: [LIST, CODE], with: / }
  customerScope: { value: price-list }
  customerCode: LIST
  productScope: { value: product }
  productCode: CODE
  kind: { value: fixed }
  value: breakPrice
  currency: { value: GBP }
  unit: { value: EACH }
  fromQuantity: { from: breakQuantity, default: "1" }
  validFrom: { value: "2026-01-01" }
  net: { value: false }
`,
});

const HEADER = "LIST,CODE,NOTE,QTY_1,PRICE_1,QTY_2,PRICE_2";

interface Pair {
  readonly changes: Pulling;
  readonly whole: Pulling;
  /** Kinds of events that the source gave when it was asked for changes. */
  readonly heard: Set<string>;
}

/** Two companies with the same files: one is asked for changes, the other always for the whole. */
async function openPair(): Promise<Pair> {
  const [changes, whole] = [
    await openPulling(database.store, []),
    await openPulling(database.store, []),
  ];
  return { changes, whole, heard: new Set() };
}

async function pull(pulling: Pulling, mappings: readonly Mapping[], heard: Set<string> | null) {
  const { connection } = pulling.source;
  const { session } = connection;
  const read = (...[stream, cursor, asked]: Parameters<typeof session.read>) =>
    listened(session.read(stream, cursor, heard === null ? {} : asked), heard ?? new Set());
  const source: Source = {
    ...pulling.source,
    mappings,
    dropBrakePercent: 60,
    connection: { ...connection, session: { ...session, read } },
  };
  return syncConnection(pulling.context, source);
}

async function* listened(events: AsyncIterable<ReadEvent>, heard: Set<string>) {
  for await (const event of events) {
    heard.add(event.kind);
    yield event;
  }
}

function put({ folder }: Pulling, at: number, content: string | Buffer): Promise<void> {
  return writeFile(join(folder, "out", `price-rules-${at}.csv`), content);
}

async function spoilArchive({ folder }: Pulling): Promise<void> {
  const archive = join(folder, "archive");
  for (const name of await readdir(archive, { recursive: true })) {
    if (!name.endsWith(".csv")) continue;
    const text = await readFile(join(archive, name), "utf8");
    await writeFile(join(archive, name), text.replace("P4", "P7"));
  }
}

interface Outcome {
  readonly runs: unknown;
  readonly rows: readonly string[];
  readonly waiting: readonly string[];
}

async function outcome(pulling: Pulling, runs: readonly RunResult[]): Promise<Outcome> {
  return {
    runs: runs.map(({ state, rows, records, notes, origins }) => ({
      state,
      rows,
      records,
      notes,
      origins,
    })),
    rows: await pulling.rows(
      "price_rule",
      "rule",
      "product_code",
      "value",
      "from_quantity",
      "origin_line",
    ),
    waiting: await pulling.waiting(),
  };
}

/** As if the company had never pulled. */
async function forget({ company }: Pulling): Promise<void> {
  for (const table of ["price_rule", "quarantine", "origin", "run", "stream_state"])
    await database.store.affect(`delete from ${table} where company = $1`, [company]);
}

/** Pulls each content after the other, both ways; after each all must be the same. */
async function agree(contents: readonly (string | Buffer)[], given?: Pair): Promise<Pair> {
  const pair = given ?? (await openPair());
  for (const [at, content] of contents.entries()) {
    const outcomes: Outcome[] = [];
    for (const which of ["changes", "whole"] as const) {
      const pulling = pair[which];
      await put(pulling, at, content);
      const runs = await pull(pulling, [BREAKS], which === "changes" ? pair.heard : null);
      outcomes.push(await outcome(pulling, runs));
    }
    expect(outcomes[0], `after content ${at}`).toEqual(outcomes[1]);
  }
  return pair;
}

const file = (...rows: readonly string[]) => `${[HEADER, ...rows].join("\r\n")}\r\n`;
const row = (code: string, price = "1.50", list = "PL1") => `${list},${code},,1,${price},,`;
const rows = (count: number) => Array.from({ length: count }, (_, at) => row(`P${at}`));

describe("a snapshot pulled by its changes", () => {
  test("reads only new and changed rows, and removes what is gone", async () => {
    const before = rows(50);
    const after = [...before.slice(0, 20), row("P20", "9.99"), ...before.slice(22), row("NEW")];
    const { heard, changes } = await agree([file(...before), file(...after)]);
    expect(heard).toEqual(new Set(["origin", "rows", "checkpoint", "same", "gone"]));
    expect(changes.logged.filter((line) => line.includes("read whole"))).toEqual([]);
  });

  test("has its rows counted whole: read = mapped + ignored + quarantined", async () => {
    const old = row("X", "1.00", "OLD");
    const pair = await agree([
      file(...rows(10), old, old, "PL1,TWO,,1,2.00,10,1.80"),
      file(...rows(9), old, "PL1,TWO,,1,2.00,10,1.75", row("BAD", "ten")),
    ]);
    const [last] = await database.store.query<{ read: number; quarantined: number }>(
      `select rows_read as read, quarantined from run where company = $1
        order by started_at desc limit 1`,
      [pair.changes.company],
    );
    expect(last).toEqual({ read: 12, quarantined: 1 });
  });

  test("keeps the record of a row that came and cannot be used", async () => {
    const bad = [...rows(5), row("P5", "one fifty"), 'PL1,"P6" x,,1,2,,'];
    const { heard } = await agree([file(...rows(8)), file(...bad)]);
    expect([...heard]).toContain("same");
  });

  test("is read whole while rows wait in quarantine, and by its changes again after them", async () => {
    const good = file(...rows(6));
    const bad = file(...rows(5), row("P5", "?"));
    const pair = await agree([good, bad, good]);
    pair.heard.clear();
    await put(pair.changes, 9, file(...rows(7)));
    await pull(pair.changes, [BREAKS], pair.heard);
    expect([...pair.heard]).toContain("same");
  });

  test("is read whole when a new row makes a record that another row, not given, makes too", async () => {
    const { changes, heard } = await agree([
      file(...rows(6)),
      file(...rows(6), "PL1,P3,the same key,1,7.77,,"),
    ]);
    expect([...heard]).toContain("same");
    expect(changes.logged).toContainEqual(expect.stringContaining("price-rules is read whole"));
  });

  test("a row that moves changes nothing, and costs no write", async () => {
    const [first = "", ...others] = rows(30);
    const { changes } = await agree([file(first, ...others), file(...others, first)]);
    const [written] = await database.store.query<{ runs: number }>(
      "select count(distinct run_id) as runs from price_rule where company = $1",
      [changes.company],
    );
    expect(written?.runs).toBe(1);
  });

  test("stops at the drop brake as the whole one does", async () => {
    const { heard } = await agree([file(...rows(50)), file(...rows(5)), file(...rows(48))]);
    expect([...heard]).toContain("gone");
  });

  test("is read whole where its header, delimiter or encoding is another one", async () => {
    const other = HEADER.replace("NOTE", "REMARK");
    const latin = Buffer.from(file(...rows(5), "PL1,P9,caf\u00e9,1,2.00,,"), "latin1");
    const utf8 = file(...rows(5), "PL1,P9,caf\u00e9,1,2.00,,");
    const semicolons = file(...rows(5)).replaceAll(",", ";");
    const otherwise = `${[other, ...rows(4)].join("\n")}\n`;
    const { heard } = await agree([file(...rows(5)), otherwise, latin, utf8, semicolons]);
    expect([...heard]).not.toContain("same");
  });

  test("is read whole when the file applied last is no longer what it was", async () => {
    const pulling = await openPulling(database.store, []);
    const heard = new Set<string>();
    await put(pulling, 1, file(...rows(5)));
    await pull(pulling, [BREAKS], heard);
    await spoilArchive(pulling);
    await put(pulling, 2, file(...rows(6)));
    const [run] = await pull(pulling, [BREAKS], heard);
    expect([...heard]).not.toContain("same");
    expect(run?.rows.read).toBe(6);
  });

  test("is read whole when the mapping is another one", async () => {
    const pulling = await openPulling(database.store, []);
    const heard = new Set<string>();
    await put(pulling, 1, file(...rows(5)));
    await pull(pulling, [BREAKS], heard);
    await put(pulling, 2, file(...rows(6)));
    await pull(pulling, [{ ...BREAKS, version: "another" }], heard);
    expect([...heard]).not.toContain("same");
    expect(await pulling.rows("price_rule", "product_code")).toHaveLength(6);
  });

  test("any contents one after another end as if each had been read whole", async () => {
    const code = fc.constantFrom("A", "B", "C", "D", "E", "F", "G", "H");
    const good = fc
      .tuple(
        fc.constantFrom("PL1", "PL1", "PL2", "OLD"),
        code,
        fc.constantFrom("", '"two\nlines"', '"1/2"" BSP"', "caf\u00e9"),
        fc.constantFrom("1.00", "1.0", "2.50", ""),
        fc.constantFrom("", "10,0.90", "10,0.80"),
      )
      .map(([list, code, note, price, more]) =>
        [list, code, note, "1", price, more === "" ? "," : more].join(","),
      );
    const bad = fc.constantFrom("PL1,A,,1,ten,,", 'PL1,"B" x,,1,1.00,,', "PL2,C,short", "");
    const line = fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: bad });
    const base = fc.uniqueArray(good, {
      maxLength: 8,
      minLength: 2,
      selector: (text) => text.split(",").slice(0, 2).join("/"),
    });
    const edit = fc.record({
      drop: fc.nat(9),
      swap: fc.nat(9),
      add: fc.array(line, { maxLength: 2 }),
      end: fc.constantFrom("\n", "\r\n"),
    });
    const pair = await openPair();
    await fc.assert(
      fc.asyncProperty(
        base,
        fc.array(edit, { minLength: 1, maxLength: 3 }),
        async (first, edits) => {
          let lines = first;
          const contents = [[HEADER, ...lines].join("\n") + "\n"];
          for (const { drop, swap, add, end } of edits) {
            lines = lines.filter((_, at) => at !== drop);
            lines = [...lines.slice(swap), ...lines.slice(0, swap), ...add];
            contents.push([HEADER, ...lines].join(end) + end);
          }
          await forget(pair.changes);
          await forget(pair.whole);
          await agree(contents, pair);
        },
      ),
      // A seed by which everything that must be heard is.
      { numRuns: 20, seed: 11 },
    );
    expect([...pair.heard]).toEqual(expect.arrayContaining(["same", "gone", "reject"]));
  });
});
