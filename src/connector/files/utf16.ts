/** UTF-16 as UTF-8, in whichever byte order. */

export type Utf16 = "utf-16le" | "utf-16be";

/** What a byte order mark at the start says; null when there is none of UTF-16. */
export function utf16Mark(head: Uint8Array): Utf16 | null {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : null;
}

/**
 * Half a character where a whole one belongs becomes a byte that no UTF-8 has: the row that holds
 * it is rejected, as one with a broken character is in any other encoding.
 */
export async function* toUtf8(
  chunks: AsyncIterable<Buffer>,
  order: Utf16,
): AsyncGenerator<Buffer, void> {
  let carry = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([carry, chunk]);
    const whole = wholeUnits(bytes, order);
    carry = Buffer.from(bytes.subarray(whole));
    yield utf8Of(bytes.subarray(0, whole), order);
  }
  // Half a pair at the very end; the caller has seen to it that no single byte is left.
  if (carry.length > 1) yield utf8Of(carry.subarray(0, carry.length & ~1), order);
}

/** Bytes up to the last unit that is not the first half of a pair. */
function wholeUnits(bytes: Buffer, order: Utf16): number {
  const end = bytes.length & ~1;
  if (end === 0) return 0;
  const last = order === "utf-16le" ? bytes.readUInt16LE(end - 2) : bytes.readUInt16BE(end - 2);
  return last >= 0xd800 && last <= 0xdbff ? end - 2 : end;
}

function utf8Of(bytes: Buffer, order: Utf16): Buffer {
  const text = (order === "utf-16be" ? Buffer.from(bytes).swap16() : bytes).toString("utf16le");
  if (text.isWellFormed()) return Buffer.from(text);
  const parts = text.split(/(\p{Surrogate})/u);
  return Buffer.concat(parts.map((part, i) => (i % 2 === 1 ? BROKEN : Buffer.from(part))));
}

const BROKEN = Buffer.from([0xff]);
