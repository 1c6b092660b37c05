import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChangeFinder, type Changes } from "../../src/connector/files/changes.ts";
import { createSplitter } from "../../src/connector/files/split.ts";

const LIMITS = { maxFieldBytes: 65_536, maxRowBytes: 1_048_576 };
const OPTIONS = { ...LIMITS, delimiter: "," as const };
const HEADER = "code,name\n";

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** As the kit does it: the new content is split piece by piece, the old one is walked beside. */
async function compare(
  old: string | Buffer,
  fresh: string | Buffer,
  { size = 65_536, isWhole = true } = {},
): Promise<Changes | null> {
  const finder = new ChangeFinder(
    { chunks: chunksOf(Buffer.from(old), size), isWhole: () => isWhole },
    OPTIONS,
  );
  const splitter = createSplitter({
    ...OPTIONS,
    encoding: "utf-8",
    keep: false,
    watch: finder.record,
  });
  for await (const chunk of chunksOf(Buffer.from(fresh), size)) {
    await finder.ready(chunk.length);
    splitter.push(chunk);
  }
  await finder.ready(0);
  splitter.end();
  return finder.end();
}

/** "line text" of each row that differs. */
async function told(old: string, fresh: string) {
  const changes = await compare(old, fresh);
  const rows = (which: "fresh" | "gone") =>
    changes?.[which].map(({ line, bytes }) => `${line} ${bytes}`);
  return { same: changes?.same, fresh: rows("fresh"), gone: rows("gone") };
}

function rowsOf(content: string): string[] {
  const splitter = createSplitter({ ...OPTIONS, encoding: "utf-8", keep: true });
  return [...splitter.push(Buffer.from(content)), ...splitter.end()].slice(1).map(({ raw }) => raw);
}

function counted(rows: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
  return counts;
}

const lines = (count: number, of = (at: number) => `K${at},Name ${at}`) =>
  Array.from({ length: count }, (_, at) => `${of(at)}\n`);

describe("what changed between two snapshots", () => {
  test("a changed row is one that is gone and one that is new, with their lines", async () => {
    const old = `${HEADER}A,1\nB,2\nC,3\n`;
    expect(await told(old, `${HEADER}A,1\nB,9\nC,3\n`)).toEqual({
      same: 2,
      fresh: ["3 B,9"],
      gone: ["3 B,2"],
    });
    expect(await told(old, `${HEADER}B,2\nC,3\nD,4\n`)).toEqual({
      same: 2,
      fresh: ["4 D,4"],
      gone: ["2 A,1"],
    });
    expect(await told(old, HEADER)).toEqual({
      same: 0,
      fresh: [],
      gone: ["2 A,1", "3 B,2", "4 C,3"],
    });
  });

  test("quoted line breaks, blank lines and line ends are no changes, and lines are counted on", async () => {
    const old = `${HEADER}A,"1\n1"\n\nB,2\r\nC,3`;
    expect(await told(old, `${HEADER}A,"1\n1"\nB,2\n\n\nC,3\nD,"4\n4"\n`)).toEqual({
      same: 3,
      fresh: ['8 D,"4\n4"'],
      gone: [],
    });
    expect(await told(`${HEADER}A,"1\n1"\nB,2\n`, `${HEADER}A,1\nB,2\n`)).toEqual({
      same: 1,
      fresh: ["2 A,1"],
      gone: ['2 A,"1\n1"'],
    });
  });

  test("a row that stands twice is told once for each time that it came or went", async () => {
    expect(await told(`${HEADER}A,1\nA,1\nB,2\n`, `${HEADER}A,1\nB,2\nB,2\n`)).toEqual({
      same: 2,
      fresh: ["4 B,2"],
      gone: ["3 A,1"],
    });
  });

  test("a long run of rows that went or came is told exactly, and nothing around it", async () => {
    const all = lines(30_000);
    const fewer = [...all.slice(0, 5_000), ...all.slice(25_000)];
    const went = await compare(HEADER + all.join(""), HEADER + fewer.join(""));
    expect([went?.same, went?.fresh.length, went?.gone.length]).toEqual([10_000, 0, 20_000]);
    const came = await compare(HEADER + fewer.join(""), HEADER + all.join(""));
    expect([came?.same, came?.fresh.length, came?.gone.length]).toEqual([10_000, 20_000, 0]);
  });

  test("rows that moved to the end, as a database writes changed ones, cost themselves alone", async () => {
    const all = lines(20_000);
    const moved = [
      ...all.filter((_, at) => at % 100 !== 7),
      ...all.filter((_, at) => at % 100 === 7),
    ];
    const changes = await compare(HEADER + all.join(""), HEADER + moved.join(""));
    expect(changes?.same).toBe(19_800);
    expect(changes?.fresh.length).toBe(200);
  });

  test("another header, or a content that is not the one applied, tells nothing", async () => {
    expect(await compare("code,name\nA,1\n", "code,title\nA,1\n")).toBeNull();
    expect(await compare("", `${HEADER}A,1\n`)).toBeNull();
    expect(await compare(`${HEADER}A,1\n`, `${HEADER}A,1\n`, { isWhole: false })).toBeNull();
  });

  test("a byte order mark is part of neither a name nor a row", async () => {
    expect(await told(`\uFEFF${HEADER}A,1\n`, `${HEADER}A,1\n`)).toEqual({
      same: 1,
      fresh: [],
      gone: [],
    });
  });

  test("contents that have little in common are given up instead of held", async () => {
    const old =
      HEADER + lines(300_000, (at) => `K${at},old name that is quite long ${at}`).join("");
    const fresh =
      HEADER + lines(300_000, (at) => `L${at},new name that is quite long ${at}`).join("");
    expect(await compare(old, fresh)).toBeNull();
  });

  test("whatever was done to the rows, old less gone plus fresh is new, each as often as it stands", async () => {
    const row = fc.oneof(
      fc.constantFrom("A,1", "B,2", 'C,"3\n3"', 'D,"x ""y"""', "E,é", ",", '"",""'),
      fc.nat(30).map((n) => `K${n},${n}`),
    );
    const end = fc.constantFrom("\n", "\r\n", "\n\n");
    const content = fc
      .array(fc.tuple(row, end), { maxLength: 60 })
      .map((rows) => HEADER + rows.map((one) => one.join("")).join(""));
    const edited = fc.tuple(content, fc.array(fc.nat(80)), fc.array(fc.tuple(fc.nat(80), row)));
    await fc.assert(
      fc.asyncProperty(edited, content, fc.boolean(), fc.integer({ min: 1, max: 90 }), check),
      { numRuns: 400 },
    );

    async function check(
      [old, dropped, added]: [string, number[], [number, string][]],
      other: string,
      unrelated: boolean,
      size: number,
    ) {
      const kept = rowsOf(old).filter((_, at) => !dropped.includes(at));
      for (const [at, text] of added) kept.splice(at, 0, text);
      const fresh = unrelated ? other : HEADER + kept.map((text) => `${text}\n`).join("");
      const changes = await compare(old, fresh, { size });
      const text = ({ bytes }: { bytes: string }) => Buffer.from(bytes, "latin1").toString("utf8");
      const gone = (changes?.gone ?? []).map(text);
      const came = (changes?.fresh ?? []).map(text);
      const left = counted(rowsOf(old));
      for (const each of gone) left.set(each, (left.get(each) ?? 0) - 1);
      for (const each of came) left.set(each, (left.get(each) ?? 0) + 1);
      const wanted = counted(rowsOf(fresh));
      expect(new Map([...left].filter(([, count]) => count !== 0))).toEqual(wanted);
      expect((changes?.same ?? NaN) + gone.length).toBe(rowsOf(old).length);
      expect((changes?.same ?? NaN) + came.length).toBe(rowsOf(fresh).length);
    }
  });
});
