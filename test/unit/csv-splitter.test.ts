import { parse } from "csv-parse/sync";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createSplitter } from "../../src/connector/files/split.ts";
import type { SplitItem, SplitOptions } from "../../src/connector/files/split.ts";

const OPTIONS: SplitOptions = {
  delimiter: ",",
  encoding: "utf-8",
  maxFieldBytes: 65_536,
  maxRowBytes: 1_048_576,
  keep: true,
};

function split(
  input: string | Buffer,
  options: Partial<SplitOptions> = {},
  chunkBytes: readonly number[] = [],
) {
  const bytes = Buffer.from(input);
  const splitter = createSplitter({ ...OPTIONS, ...options });
  const items: SplitItem[] = [];
  let at = 0;
  for (const size of [...chunkBytes, bytes.length]) {
    // A copy that is overwritten afterwards: a splitter may keep nothing of the caller's buffer.
    const chunk = Buffer.from(bytes.subarray(at, at + size));
    at += chunk.length;
    items.push(...splitter.push(chunk));
    chunk.fill(0x22);
  }
  items.push(...splitter.end());
  return { items, account: splitter.account };
}

/** One line an item: where it lies, what it holds or why it was rejected. */
function told(items: readonly SplitItem[]): string {
  return items
    .map((item) => {
      const where = `line ${item.line}+${item.lines}, bytes ${item.start} to ${item.end}: `;
      return item.kind === "record"
        ? `${where}${JSON.stringify(item.fields)} from ${JSON.stringify(item.raw)}`
        : `${where}${item.raw}\n  ${item.reason}\n  ${item.instruction}`;
    })
    .join("\n");
}

function fieldsOf(input: string | Buffer, options: Partial<SplitOptions> = {}) {
  return split(input, options).items.map((item) =>
    item.kind === "record" ? item.fields : `line ${item.line}: ${item.reason}`,
  );
}

test("reads rows with CRLF, LF and CR line ends mixed, and a last line without one", () => {
  expect(fieldsOf("a,b\r\n1,2\n3,4\r5,6")).toEqual([
    ["a", "b"],
    ["1", "2"],
    ["3", "4"],
    ["5", "6"],
  ]);
});

test("reads quoted fields with delimiters, doubled quotes and line breaks", () => {
  const { items } = split('a,b,c\n1,"x, y","3/4"" BSP"\n"",two,"line 1\r\nline 2"\n9,9,9\n');
  expect(told(items)).toMatchInlineSnapshot(`
    "line 1+1, bytes 0 to 6: ["a","b","c"] from "a,b,c"
    line 2+1, bytes 6 to 27: ["1","x, y","3/4\\" BSP"] from "1,\\"x, y\\",\\"3/4\\"\\" BSP\\""
    line 3+2, bytes 27 to 51: ["","two","line 1\\r\\nline 2"] from "\\"\\",two,\\"line 1\\r\\nline 2\\""
    line 5+1, bytes 51 to 57: ["9","9","9"] from "9,9,9""
  `);
});

test.for([",", ";", "\t", "|"] as const)("splits at %j and at nothing else", (delimiter) => {
  const others = [",", ";", "\t", "|"].filter((other) => other !== delimiter).join("");
  const rows = [`name${delimiter}price`, `${others}${delimiter}"1${delimiter}5"`];
  expect(fieldsOf(rows.join("\n"), { delimiter })).toEqual([
    ["name", "price"],
    [others, `1${delimiter}5`],
  ]);
});

test("blank lines and the byte order mark are ignored bytes, counted", () => {
  const { items, account } = split("\uFEFFa,b\n\n1,2\r\n\r\n");
  expect(items.map((item) => item.line)).toEqual([1, 3]);
  expect(account).toMatchObject({ bytesRead: 15, bytesAccounted: 15, ignoredBytes: 6, records: 2 });
});

test("a bare inch mark in a field without quotes is text", () => {
  expect(fieldsOf('sku,name,qty\nP1,3/4" BSP,1\nP2,BSP 3/4",2\nP3,a"b"c,3\n')).toEqual([
    ["sku", "name", "qty"],
    ["P1", '3/4" BSP', "1"],
    ["P2", 'BSP 3/4"', "2"],
    ["P3", 'a"b"c', "3"],
  ]);
});

test("a quote that is never closed costs its own row only", () => {
  expect(
    fieldsOf('sku,name,qty\nP1,"3/4 BSP,1\nP2,elbow,2\nP3,"tee, equal",3\nP4,cap,4\n'),
  ).toEqual([
    ["sku", "name", "qty"],
    'line 2: Column 2 goes on after its closing quote: found "t" where "," or the end of the line belongs.',
    ["P2", "elbow", "2"],
    ["P3", "tee, equal", "3"],
    ["P4", "cap", "4"],
  ]);
});

test("a stray quote that an inch mark far below happens to close swallows no row", () => {
  expect(fieldsOf('sku,name,qty\nP1,"1/2 pipe,1\nP2,elbow,2\nP3,BSP 3/4",3\nP4,cap,4\n')).toEqual([
    ["sku", "name", "qty"],
    "line 2: A quote opens here and closes only on line 4, yet every line from 3 on is a row of 3 columns by itself.",
    ["P2", "elbow", "2"],
    ["P3", 'BSP 3/4"', "3"],
    ["P4", "cap", "4"],
  ]);
});

test("a stray quote that closes in another column swallows no row either", () => {
  expect(fieldsOf('sku,name,qty\nP1,"pipe,1\nP2,elbow,2\nP3,tee,3"\nP4,cap,4\n')).toEqual([
    ["sku", "name", "qty"],
    "line 2: Found 2 columns; the header has 3.",
    ["P2", "elbow", "2"],
    ["P3", "tee", '3"'],
    ["P4", "cap", "4"],
  ]);
});

test("every reject names its line, shows its raw text, and says why and what to do", () => {
  const rows = ["P1,x", "P2,x,1,y", 'P3,"x"y,1', "P4,a\0b,1", "P5,0123456789abcdef,1", 'P6,"x,1'];
  const { items } = split(`sku,name,qty\n${rows.join("\n")}\nP7,x,1\n`, { maxFieldBytes: 12 });
  expect(told(items.slice(1))).toMatchInlineSnapshot(`
    "line 2+1, bytes 13 to 18: P1,x
      Found 2 columns; the header has 3.
      Write every column in every row, and put a field that holds "," or a line break in quotes.
    line 3+1, bytes 18 to 27: P2,x,1,y
      Found 4 columns; the header has 3.
      Write every column in every row, and put a field that holds "," or a line break in quotes.
    line 4+1, bytes 27 to 37: P3,"x"y,1
      Column 2 goes on after its closing quote: found "y" where "," or the end of the line belongs.
      A quote that belongs to the text is written twice in a quoted field ("3/4"" BSP"), or once in a field that does not begin with it (3/4" BSP).
    line 5+1, bytes 37 to 46: P4,a␀b,1
      Column 2 holds a NUL byte, which no text has.
      Export the row again; if it comes back, the record is damaged in the source.
    line 6+1, bytes 46 to 68: P5,0123456789abcdef,1
      Column 2 holds 16 bytes; at most 12 are read.
      Shorten it in the source, or raise \`maxFieldBytes\` in the connection's settings.
    line 7+1, bytes 68 to 76: P6,"x,1
      The quote that opens column 2 is never closed.
      A quote that belongs to the text is written twice in a quoted field ("3/4"" BSP"), or once in a field that does not begin with it (3/4" BSP).
    line 8+1, bytes 76 to 83: ["P7","x","1"] from "P7,x,1""
  `);
});

test("a row that is longer than allowed is rejected, shown in part, and passed over in bounded memory", () => {
  const long = `P1,${"x".repeat(5_000)},1`;
  const { items, account } = split(
    `sku,name,qty\n${long}\r\nP2,y,2\n`,
    { maxRowBytes: 40 },
    Array.from({ length: 600 }, () => 8),
  );
  expect(told(items.slice(1))).toMatchInlineSnapshot(`
    "line 2+1, bytes 13 to 5020: P1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (5007 bytes)
      The row is longer than 40 bytes.
      Shorten it in the source, or raise \`maxRowBytes\` in the connection's settings.
    line 3+1, bytes 5020 to 5027: ["P2","y","2"] from "P2,y,2""
  `);
  expect(account.bytesAccounted).toBe(account.bytesRead);
});

test("a row that is not UTF-8 is rejected and still shown", () => {
  const bytes = Buffer.concat([
    Buffer.from("a,b\n1,caf"),
    Buffer.from([0xe9]),
    Buffer.from("\n2,café\n"),
  ]);
  expect(told(split(bytes).items.slice(1))).toMatchInlineSnapshot(`
    "line 2+1, bytes 4 to 11: 1,café
      The row is not valid UTF-8.
      Export the file as UTF-8 throughout, or set \`encoding: windows-1252\` if that is what it is.
    line 3+1, bytes 11 to 19: ["2","café"] from "2,café""
  `);
});

test("Windows-1252 reads its own letters, the euro sign among them", () => {
  const bytes = Buffer.from([...Buffer.from("a,b\n1,"), 0x80, 0xa3, 0xbd, 0xe9, 0x0a]);
  expect(fieldsOf(bytes, { encoding: "windows-1252" })[1]).toEqual(["1", "€£½é"]);
});

test("a file that ends inside a row says where it was cut off", () => {
  const cutOff = (text: string) => split(text).account.cutOff;
  expect(cutOff("a,b,c\n1,2,3\n4,5")).toBe("it ends in the middle of line 3");
  expect(cutOff('a,b,c\n1,2,3\n4,5,"note')).toBe("it ends in the middle of line 3");
  expect(cutOff('a,b,c\n1,2,3\n4,5,"note\nmore')).toBe("it ends in the middle of line 4");
  expect(cutOff('a,b,c\n1,2,3\n4,5,"note\n')).toBe(
    "it ends inside the quoted field that opens on line 3",
  );
  expect(cutOff("a,b,c\n1,2,3\n4,5,6")).toBeNull();
  expect(cutOff('a,b,c\n1,"2,3\n4,5,6\n')).toBeNull();
  expect(cutOff("a,b,c\n1,2\n")).toBeNull();
});

/**
 * Line breaks and delimiters in one field could make each line look like a row: the one known
 * ambiguity.
 */
const cell = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "7", " ", '"', ",", ";", "é", "€", "½", "😀") }),
  fc.string({ unit: fc.constantFrom("a", "7", " ", '"', "\n", "\r\n", "\r", "é") }),
);
const table = fc.integer({ min: 2, max: 5 }).chain((columns) =>
  fc.array(fc.array(cell, { minLength: columns, maxLength: columns }), {
    minLength: 1,
    maxLength: 8,
  }),
);

function written(rows: readonly (readonly string[])[], lineEnds: readonly string[]): string {
  const field = (text: string) =>
    /[",\r\n]/.test(text) || text.length % 3 === 1 ? `"${text.replaceAll('"', '""')}"` : text;
  return rows
    .map((row, i) => row.map(field).join(",") + (lineEnds[i % lineEnds.length] ?? "\n"))
    .join("");
}

const lineEnds = fc.array(fc.constantFrom("\n", "\r\n"), { minLength: 1, maxLength: 3 });
const chunks = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

test("well-formed input reads as csv-parse reads it, however it is cut into chunks", () => {
  fc.assert(
    fc.property(table, lineEnds, chunks, (rows, ends, sizes) => {
      const text = written(rows, ends);
      const expected: unknown = parse(text, {
        record_delimiter: ["\r\n", "\n"],
        relax_column_count: true,
      });
      const { items, account } = split(text, {}, sizes);
      expect(items.map((item) => (item.kind === "record" ? item.fields : item))).toEqual(expected);
      expect(account.bytesAccounted).toBe(Buffer.byteLength(text));
    }),
    { numRuns: 500 },
  );
});

/** Rows of one line each, as an ERP writes them, some with quotes where they may stand. */
const merchantRows = fc.array(
  fc.tuple(
    fc.stringMatching(/^[A-Z]{2}[0-9]{2}$/),
    fc.constantFrom(
      '3/4" BSP',
      '"3/4"" BSP, brass"',
      "tube",
      '""',
      'BSP 3/4"',
      '"x"',
      "½ elbow",
      '", odd"',
      '"odd,"',
    ),
    fc.constantFrom("1", "", '"2"', '6"'),
  ),
  { minLength: 3, maxLength: 12 },
);

test("one quote put in anywhere, or one taken away, costs one row at most", () => {
  fc.assert(
    fc.property(merchantRows, fc.nat(), fc.nat(), fc.boolean(), (rows, which, where, add) => {
      const lines = rows.map((row) => row.join(","));
      const index = which % lines.length;
      const line = lines[index] ?? "";
      const quotes = [...line.matchAll(/"/g)].map((match) => match.index);
      fc.pre(add || quotes.length > 0);
      const at = add ? where % (line.length + 1) : (quotes[where % quotes.length] ?? 0);
      lines[index] = `${line.slice(0, at)}${add ? '"' : ""}${line.slice(add ? at : at + 1)}`;
      const whole = fieldsOf(`sku,name,qty\n${rows.map((row) => row.join(",")).join("\n")}\n`);
      const found = split(`sku,name,qty\n${lines.join("\n")}\n`).items;
      const kept = new Map(found.map((item) => [item.line, item]));
      for (const [i, expected] of whole.entries()) {
        const item = kept.get(i + 1);
        if (i !== index + 1) expect(item?.kind === "record" && item.fields).toEqual(expected);
        if (item?.kind === "record") expect(item.lines).toBe(1);
      }
    }),
    { numRuns: 2_000 },
  );
});

interface Mutation {
  readonly where: number;
  readonly remove: number;
  readonly insert: string;
  readonly byte: number | null;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  where: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.integer({ min: 0, max: 9 }),
  insert: fc.oneof(
    fc.constantFrom(
      '"',
      '""',
      ',"',
      '",',
      "\n",
      "\r",
      "\r\n",
      "\0",
      ",",
      ",,,,",
      "\uFEFF",
      "x".repeat(300),
    ),
    fc.constant('",'.repeat(60)),
  ),
  byte: fc.option(fc.integer({ min: 0x80, max: 0xff })),
});

function mutated(text: string, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(text);
  for (const { where, remove, insert, byte } of mutations) {
    const at = Math.floor(where * bytes.length);
    const put = byte === null ? Buffer.from(insert) : Buffer.from([byte]);
    bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + remove)]);
  }
  return bytes;
}

test("a doubled quote at the longest row's end reads alike wherever the chunks end", () => {
  const bytes = Buffer.from(`a,b\n1,"x\n${"x".repeat(55)}""${"y".repeat(40)}\n2,z\n`);
  const whole = split(bytes, { maxRowBytes: 60 });
  for (let size = 1; size < bytes.length; size += 1)
    expect(split(bytes, { maxRowBytes: 60 }, [size, bytes.length]).items).toEqual(whole.items);
});

test("mutated input never throws, accounts for every byte once, and reads alike in any chunks", () => {
  fc.assert(
    fc.property(
      table,
      fc.array(mutation, { minLength: 1, maxLength: 6 }),
      chunks,
      fc.boolean(),
      fc.constantFrom("utf-8" as const, "windows-1252" as const),
      (rows, mutations, sizes, small, encoding) => {
        const bytes = mutated(written(rows, ["\r\n"]), mutations);
        const limits = small ? { maxFieldBytes: 20, maxRowBytes: 60 } : {};
        const { items, account } = split(bytes, { ...limits, encoding });
        const spans = items.reduce((sum, item) => sum + item.end - item.start, 0);
        expect(account.bytesRead).toBe(bytes.length);
        expect(account.bytesAccounted).toBe(bytes.length);
        expect(spans + account.ignoredBytes).toBe(bytes.length);
        for (const [i, item] of items.entries()) {
          expect(item.start).toBeGreaterThanOrEqual(items[i - 1]?.end ?? 0);
          expect(item.line).toBeGreaterThan(items[i - 1]?.line ?? 0);
        }
        const inChunks = split(bytes, { ...limits, encoding }, sizes);
        expect(inChunks.items).toEqual(items);
        expect(inChunks.account).toEqual(account);
        const counted = split(bytes, { ...limits, encoding, keep: false }, sizes).account;
        expect(counted).toEqual(account);
      },
    ),
    { numRuns: 1_500 },
  );
});

test.for([
  ["one open quote after another", 'a,"x\n'.repeat(60_000)],
  ["quotes only", '"'.repeat(400_000)],
  ["an open quote and then a long file", `a,b\n1,"x\n${"2,y\n".repeat(100_000)}`],
  ["a quote that opens every field and none that closes", `a,b\n${'"x,"y\n'.repeat(60_000)}`],
  ["one line without end", "x".repeat(3_000_000)],
  ["line breaks only", "\r\n".repeat(200_000)],
  ["doubled quotes that never close", `a,"${'""'.repeat(200_000)}\n`.repeat(2)],
  ["stray quotes closed by inch marks", 'a,"x,1\nb,y,2\nc,3/4",3\n'.repeat(20_000)],
] as const)("is never slow and never forgets a byte: %s", ([, text]) => {
  const startedAt = performance.now();
  const bytes = Buffer.from(text);
  const sizes = Array.from({ length: Math.ceil(bytes.length / 16_384) }, () => 16_384);
  const { account } = split(bytes, {}, sizes);
  expect(account.bytesAccounted).toBe(bytes.length);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
