/** Spoils bytes as senders, editors, mail gateways and line faults do. */
import type { randomOf } from "../../deploy/demo/merchant/index.ts";

export type Random = ReturnType<typeof randomOf>;

/** A table as an ERP writes it, before anything is done to it. */
export function soundTable(random: Random): Buffer {
  const columns = random.whole(1, 9);
  const delimiter = random.pick([",", ";", "\t", "|"]);
  const lineEnd = random.pick(["\n", "\r\n", "\r"]);
  const rows = random.pick([0, 1, 12, 150]);
  const cells = (cell: (i: number) => string) =>
    Array.from({ length: columns }, (_, i) => cell(i)).join(delimiter) + lineEnd;
  const lines = Array.from({ length: rows }, () => cells(() => random.pick(CELLS)));
  return Buffer.from(cells((i) => `column${i}`) + lines.join(""));
}

const CELLS = [
  "P1001",
  '3/4" BSP elbow',
  '"1/2"" tee, brass"',
  '"two\nlines"',
  '"two\r\nlines"',
  "1,234.56".replace(",", ""),
  "",
  '""',
  "Café ½ €",
  "31/03/2026",
  '"a; b|c"',
];

type Mutation = (bytes: Buffer, at: number, random: Random) => Buffer;

/** Puts a text in, in place of some bytes. */
const put =
  (...texts: readonly (string | Buffer)[]): Mutation =>
  (bytes, at, random) =>
    Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from(random.pick(texts)),
      bytes.subarray(at + random.whole(0, 6)),
    ]);

const MUTATIONS: readonly Mutation[] = [
  put('"', '""', '"""', ',"', '",', '3/4"', '"\n', '\n"'),
  put('6" x 3/4" "brass"', '"x"y"', "''"),
  put("\0", "\0\0\0", "\0\n"),
  put("\uFEFF", Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])),
  put("\r", "\n", "\r\n", "\n\r", "\r\r\n", "\u2028", "\u0085", "\f"),
  put(
    Buffer.from([0xe9]),
    Buffer.from([0xc3]),
    Buffer.from([0xed, 0xa0, 0x80]),
    Buffer.from([0x9d]),
  ),
  put(",", ",,,,,,,,", ";", "\t\t", "|||"),
  put("x".repeat(70_000), `"${"y,".repeat(20_000)}"`, `"${"z\n".repeat(3_000)}`),
  put("[".repeat(5_000), `{"a":`.repeat(3_000), '"'.repeat(999)),
  put("__proto__", "constructor", "column0", "toString", "=1+1", "\u202e"),
  // Cut off.
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
  // A stretch twice, one missing, one in another character set.
  (bytes, at, random) =>
    Buffer.concat([bytes, bytes.subarray(at, at + random.whole(1, 2_000)), bytes.subarray(at)]),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.whole(1, 2_000))]),
  (bytes, at, random) => {
    const end = at + random.whole(1, 400);
    const other = Buffer.from(bytes.toString("latin1", at, end), "utf16le");
    return Buffer.concat([bytes.subarray(0, at), other, bytes.subarray(end)]);
  },
  // Single bits.
  (bytes, at, random) => {
    const spoilt = Buffer.from(bytes);
    for (let i = random.whole(1, 8); i > 0 && spoilt.length > 0; i--) {
      const where = i === 1 ? Math.min(at, spoilt.length - 1) : random.whole(0, spoilt.length - 1);
      spoilt.writeUInt8(spoilt.readUInt8(where) ^ (1 << random.whole(0, 7)), where);
    }
    return spoilt;
  },
  // A header that lies: a name too many, one too few, another delimiter, none at all.
  (bytes, _at, random) => {
    const text = bytes.toString("latin1");
    const end = text.search(/[\r\n]/);
    const header = end < 0 ? text : text.slice(0, end);
    const lying = random.pick([
      `${header},more`,
      header.replace(/^[^,;|\t]*[,;|\t]?/, ""),
      header.replaceAll(/[,;|\t]/g, random.pick([",", ";", "\t"])),
      "",
      `${header}${header}`,
    ]);
    return Buffer.from(lying + (end < 0 ? "" : text.slice(end)), "latin1");
  },
];

/** Inputs stay below this many bytes. */
const MOST_BYTES = 1_500_000;

export function mutated(sound: Buffer, random: Random): Buffer {
  let bytes = sound;
  for (let left = random.whole(1, 5); left > 0; left--) {
    // The first bytes decide most.
    const at = random.chance(0.2) ? random.whole(0, 8) : random.whole(0, bytes.length);
    bytes = random.pick(MUTATIONS)(bytes, Math.min(at, bytes.length), random);
  }
  return bytes.subarray(0, MOST_BYTES);
}
