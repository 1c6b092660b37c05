/**
 * Price rules straight from `COPY … TO STDOUT`: a million of them as batches, many times as fast as
 * rows by query. A column that reads as in the row before is the same string again: most do, it
 * need not be made, and every table that the book keeps finds it sooner.
 */
import { isAscii } from "node:buffer";
import type { Store } from "../store/index.ts";
import type { RuleRow } from "./engine/index.ts";
import { countedRules } from "./overlay.ts";

export type StoredRule = RuleRow & { readonly runId: string };

export async function* ruleRows(store: Store, company: string): AsyncGenerator<StoredRule[]> {
  let rest = Buffer.alloc(0);
  for await (const piece of store.copyOut(selectRules(company))) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = bytes.lastIndexOf(LINE_END) + 1;
    yield rulesIn(bytes, end);
    rest = Buffer.from(bytes.subarray(end));
  }
}

/** COPY takes no parameters, so the company stands in the text as a quoted literal. */
function selectRules(company: string): string {
  return `COPY (
    select rule, customer_scope, customer_code, product_scope, product_code, kind, value, currency,
           unit, from_quantity, valid_from, valid_to, net, contract, contract_quantity, run_id
      from ${countedRules(`'${company.replaceAll("'", "''")}'`)} r
  ) TO STDOUT`;
}

const COLUMNS = 16;
const TAB = 0x09;
const LINE_END = 0x0a;
const BACKSLASH = 0x5c;

/** The columns of the line last read: where each lies in the bytes, and what it says. */
interface Line {
  readonly bytes: Buffer;
  /** The same bytes as text, when an offset into one is an offset into the other. */
  readonly flat: string | null;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly texts: (string | null)[];
}

/** The whole lines of COPY's text format up to `end`. */
function rulesIn(bytes: Buffer, end: number): StoredRule[] {
  const line: Line = {
    bytes,
    flat: isAscii(bytes) ? bytes.toString("latin1", 0, end) : null,
    starts: new Int32Array(COLUMNS),
    ends: new Int32Array(COLUMNS).fill(-1),
    texts: Array.from({ length: COLUMNS }, () => null),
  };
  const rules: StoredRule[] = [];
  for (let at = 0; at < end;) {
    at = readLine(line, at);
    rules.push(ruleOf(line.texts));
  }
  return rules;
}

/** Gives the offset after the line. Tabs and line ends inside a column are escaped by COPY. */
function readLine(line: Line, from: number): number {
  const { bytes } = line;
  let start = from;
  let isEscaped = false;
  for (let at = from, column = 0; ; at += 1) {
    const byte = bytes[at];
    if (byte === BACKSLASH) isEscaped = true;
    if (byte !== TAB && byte !== LINE_END) continue;
    if (!isAsBefore(line, column, start, at)) {
      const text = textOf(line, start, at);
      line.texts[column] = isEscaped ? unescaped(text) : text;
    }
    line.starts[column] = start;
    line.ends[column] = at;
    column += 1;
    start = at + 1;
    isEscaped = false;
    if (byte === LINE_END) return start;
  }
}

function isAsBefore(
  { bytes, starts, ends }: Line,
  column: number,
  start: number,
  end: number,
): boolean {
  const before = starts[column] ?? 0;
  if ((ends[column] ?? 0) - before !== end - start) return false;
  for (let at = end - start - 1; at >= 0; at -= 1)
    if (bytes[before + at] !== bytes[start + at]) return false;
  return true;
}

/** So short a slice is a copy; a longer one would keep the whole text alive. */
const SHORT = 12;

function textOf({ bytes, flat }: Line, start: number, end: number): string {
  return flat !== null && end - start <= SHORT
    ? flat.slice(start, end)
    : bytes.toString("utf8", start, end);
}

function ruleOf(text: readonly (string | null)[]): StoredRule {
  return {
    rule: text[0] ?? "",
    // The canonical tables hold only what the record's definition allows.
    customerScope: text[1] as StoredRule["customerScope"],
    customerCode: text[2] ?? null,
    productScope: text[3] as StoredRule["productScope"],
    productCode: text[4] ?? null,
    kind: text[5] as StoredRule["kind"],
    value: text[6] ?? "",
    currency: text[7] ?? "",
    unit: text[8] ?? null,
    fromQuantity: text[9] ?? "0",
    validFrom: text[10] ?? null,
    validTo: text[11] ?? null,
    net: text[12] === "t",
    contract: text[13] ?? null,
    contractQuantity: text[14] ?? null,
    runId: text[15] ?? "",
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** `\\N` is null, and a backslash escapes what follows it. */
function unescaped(column: string): string | null {
  if (column === "\\N") return null;
  return column.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped);
}
