/** Bodies: unpacked within limits, read strictly, numbers never rounded. */
import { hash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { promisify } from "node:util";
import { brotliDecompress, crc32, gunzip, inflate } from "node:zlib";

const unpackers: Readonly<
  Record<string, (bytes: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>>
> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** What is asked for; a body in anything else cannot be read. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br";

/** A body that cannot be used, and what that is to whoever asked. */
export class BodyFault extends Error {
  override readonly name = "BodyFault";
  readonly trouble: "cut" | "tooBig" | "notReadable" | "otherType";

  constructor(trouble: BodyFault["trouble"], message: string) {
    super(message);
    this.trouble = trouble;
  }
}

/**
 * The bytes as they were before they were packed. Never more than `most`: a packed body of a few
 * kilobytes may hold gigabytes.
 */
export async function unpacked(bytes: Buffer, encoding: string, most: number): Promise<Buffer> {
  const name = encoding.trim().toLowerCase();
  if (name === "" || name === "identity" || bytes.length === 0) return bytes;
  const unpack = unpackers[name];
  if (unpack === undefined)
    throw new BodyFault("notReadable", `it is packed as "${name}", which was not asked for`);
  try {
    return await unpack(bytes, { maxOutputLength: most });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ERR_BUFFER_TOO_LARGE")
      throw new BodyFault("tooBig", `unpacked it is larger than ${most} bytes`);
    // Truncated input ends with Z_BUF_ERROR; a wrong checksum or header with Z_DATA_ERROR.
    throw new BodyFault("cut", `its ${name} data is cut off or damaged (${code})`);
  }
}

/** The value of a JSON text; numbers with more digits than a double keeps come as their text. */
export function jsonOf(bytes: Buffer, contentType: string): unknown {
  if (/^\s*(?:text\/html|application\/xhtml)/i.test(contentType))
    throw new BodyFault("otherType", `a web page (${contentType}) where JSON was expected`);
  if (!isUtf8(bytes)) throw new BodyFault("notReadable", "it is not UTF-8, as JSON must be");
  const text = bytes.toString("utf8", startOf(bytes));
  if (text.trim() === "") throw new BodyFault("cut", "it is empty, where JSON was expected");
  try {
    return hasLongNumber(bytes) ? JSON.parse(text, exactNumber) : JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (/unexpected end|unterminated/i.test(reason))
      throw new BodyFault("cut", "its JSON is cut off");
    throw new BodyFault("notReadable", `it is not JSON (${beginningOf(text)})`);
  }
}

const EXACT_DIGITS = 15;

/**
 * True where more than 15 digits stand in a row, a point among them: a double may not keep them
 * all. Such a row covers one of every 16 bytes, so that the others need no look.
 */
function hasLongNumber(bytes: Buffer): boolean {
  for (let at = EXACT_DIGITS; at < bytes.length; at += EXACT_DIGITS + 1) {
    if (!isNumeral(bytes[at])) continue;
    let from = at;
    let to = at + 1;
    while (isNumeral(bytes[from - 1])) from -= 1;
    while (isNumeral(bytes[to])) to += 1;
    if (to - from > EXACT_DIGITS) return true;
  }
  return false;
}

/** A digit or a point. */
function isNumeral(byte: number | undefined): boolean {
  return byte !== undefined && ((byte >= 0x30 && byte <= 0x39) || byte === 0x2e);
}

function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined) return value;
  const digits = source
    .replace(/[eE].*$/, "")
    .replace(/\D/g, "")
    .replace(/^0+/, "");
  return digits.length > EXACT_DIGITS ? source : value;
}

/** Text in the character set that the answer names; UTF-8 when it names none. */
export function textOf(bytes: Buffer, contentType: string): string {
  const named = /charset\s*=\s*"?([\w-]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(named, { fatal: true }).decode(bytes);
  } catch {
    throw new BodyFault("notReadable", `it is not text in ${named}`);
  }
}

/** A refusal's body as it can be kept: JSON when it is, else its beginning; null when empty. */
export function refusalOf(bytes: Buffer, hide: (text: string) => string): unknown {
  const text = hide(bytes.toString("utf8", startOf(bytes), 64_000)).trim();
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return beginningOf(text);
  }
}

/** The first words of a text, on one line. */
export function beginningOf(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}

export function digestOf(bytes: Buffer): string {
  return hash("sha256", bytes, "hex");
}

/** Tells bodies of one read apart at a tenth of a digest's cost. */
export function printOf(bytes: Buffer): string {
  const half = bytes.length >>> 1;
  return `${bytes.length}-${crc32(bytes.subarray(0, half))}-${crc32(bytes.subarray(half))}`;
}

/** Behind a byte order mark. */
function startOf(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}
