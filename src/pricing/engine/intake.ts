/**
 * Price rules by the million: rows of PostgreSQL's binary COPY straight into staged rows, without a
 * text or an object for each. What rules have in common stands at the end of a row and is compared
 * as bytes: the few different ends are read once.
 */
import type { RuleRow, Staged, Work } from "./stage.ts";
import { draftRule, keysOf, leaveOut, stageRow, subjectsOf, wideValue } from "./stage.ts";
import { identityHashes } from "./content.ts";
import { tableOf } from "./tables.ts";
import * as terms from "./terms.ts";

/** Columns of a row, in order; from `FIRST_COMMON` on those that many rules share. */
export const INTAKE_COLUMNS = [
  "rule",
  "customer_code",
  "product_code",
  "value",
  "customer_scope",
  "product_scope",
  "kind",
  "currency",
  "unit",
  "from_quantity",
  "valid_from",
  "valid_to",
  "net",
  "contract",
  "contract_quantity",
  /** Of the fields in `INTAKE_RARE` a JSON array, when one of them is not null. */
  "rare",
  "run_id",
] as const;

/** Fields of a rule that most leave blank, in the order of the array that they come as. */
export const INTAKE_RARE = [
  "toQuantity",
  "soldIn",
  "startsAt",
  "endsAt",
  "conditions",
  "formula",
  "stack",
  "priority",
  "contractUsedQuantity",
] as const satisfies readonly (keyof RuleRow)[];

export interface Intake {
  /** Stages the row that begins at `start`, behind its count of columns, and ends at `end`. */
  row(bytes: Buffer, start: number, end: number): void;
  /** After the last row. */
  end(): void;
}

/** What rules with the same end of the row have in common. */
interface Shape {
  readonly common: Common;
  readonly table: number;
  readonly subjects: ByteCodes | null;
  readonly keys: ByteCodes | null;
  readonly draft: Float64Array;
  /** Numbers of its terms by how the value is kept: plain, fine, wide, unreadable. */
  readonly numbers: Int32Array;
  rows: number;
}

type Common = Omit<RuleRow, "rule" | "value" | "customerCode" | "productCode"> & {
  readonly runId: string;
};

/** Codes of one kind by their bytes, each looked up as text once. */
interface ByteCodes {
  readonly numberOf: (code: string) => number;
  readonly known: ByteMap;
}

export function openIntake(work: Work, staged: Staged): Intake {
  const shapes: Shape[] = [];
  const known = byteMap();
  const codes = new Map<unknown, ByteCodes>();
  const codesIn = (of: { readonly numbers: ReadonlyMap<string, number> } | null) => {
    if (of === null) return null;
    const opened = codes.get(of) ?? {
      numberOf: (code: string) => of.numbers.get(code) ?? -1,
      known: byteMap(),
    };
    codes.set(of, opened);
    return opened;
  };
  const shapeAt = (bytes: Buffer, start: number, end: number): Shape => {
    const found = findBytes(known, bytes, start, end);
    if (found >= 0) return shapes[found]!;
    const shape = shapeOf(work, commonIn(bytes, start), codesIn);
    keepBytes(known, bytes, start, end, shapes.length);
    shapes.push(shape);
    return shape;
  };
  return {
    row: (bytes, start, end) => {
      const rule = start + 4;
      const customer = rule + lengthAt(bytes, start) + 4;
      const customerLength = lengthAt(bytes, customer - 4);
      const product = customer + Math.max(customerLength, 0) + 4;
      const productLength = lengthAt(bytes, product - 4);
      const value = product + Math.max(productLength, 0) + 4;
      const common = value + lengthAt(bytes, value - 4);
      const shape = shapeAt(bytes, common, end);
      work.staged = staged;
      shape.rows += 1;
      const subject = numberIn(shape.subjects, bytes, customer, customerLength);
      const key = numberIn(shape.keys, bytes, product, productLength);
      if (subject < 0 || key < 0) {
        const code = (at: number, length: number) =>
          length < 0 ? null : bytes.toString("utf8", at, at + length);
        const customerCode = code(customer, customerLength);
        const place = { customerCode, productCode: code(product, productLength) };
        leaveOut(work, { ...shape.common, ...place }, subject < 0);
        return;
      }
      stageValue(work, shape, subject, key, bytes, value, rule, customer - 4);
    },
    end: () => {
      for (const { common, rows } of shapes)
        staged.runs.set(common.runId, (staged.runs.get(common.runId) ?? 0) + rows);
      shapes.length = 0;
    },
  };
}

/** Ways of keeping a value, by their place in a shape's numbers, and the flag of each. */
const PLAIN = 0;
const FINE = 1;
const WIDE = 2;
const UNREADABLE = 3;
const VALUE_FLAGS = [0, terms.FINE, terms.WIDE, terms.UNREADABLE] as const;

function stageValue(
  work: Work,
  shape: Shape,
  subject: number,
  key: number,
  bytes: Buffer,
  valueAt: number,
  ruleFrom: number,
  ruleTo: number,
): void {
  const fine = millionths(bytes, valueAt);
  let way = PLAIN;
  let value = fine / 100;
  if (value !== (value | 0)) {
    way = Math.abs(fine) > MOST ? UNREADABLE : fine === (fine | 0) ? FINE : WIDE;
    value = way === UNREADABLE ? 0 : way === FINE ? fine : wideValue(work, fine);
  }
  let number = shape.numbers[way]!;
  if (number === 0) {
    work.draft.set(shape.draft);
    work.draft[terms.FLAGS]! |= VALUE_FLAGS[way]!;
    number = terms.internTerms(work.terms, work.draft);
    shape.numbers[way] = number;
  }
  hashIdentity(bytes, ruleFrom, ruleTo);
  stageRow(work, shape.table, subject, key, value, number, identity[0]!, identity[1]!);
}

/** Beyond 15 digits a number is not exact here. */
const MOST = 999_999_999_999_999;

function shapeOf(
  work: Work,
  common: Common,
  codesIn: (of: ReturnType<typeof subjectsOf>) => ByteCodes | null,
): Shape {
  draftRule(work, { ...common, customerCode: null, productCode: null });
  return {
    common,
    table: tableOf("rule", common.customerScope, common.productScope),
    subjects: codesIn(subjectsOf(work.masters, common.customerScope)),
    keys: codesIn(keysOf(work.masters, common.productScope)),
    draft: work.draft.slice(),
    numbers: new Int32Array(4),
    rows: 0,
  };
}

function commonIn(bytes: Buffer, start: number): Common {
  const fields: (Buffer | null)[] = [];
  let at = start;
  for (let field = FIRST_COMMON; field < INTAKE_COLUMNS.length; field += 1) {
    const length = lengthAt(bytes, at);
    at += 4;
    fields.push(length < 0 ? null : bytes.subarray(at, at + length));
    if (length > 0) at += length;
  }
  const [customerScope, productScope, kind, currency, unit, from, starts, ends] = fields;
  const [net, contract, limit, rare, run] = fields.slice(8);
  const text = (field: Buffer | null | undefined) => field?.toString("utf8") ?? null;
  return {
    // The canonical tables hold only what the record's definition allows.
    customerScope: text(customerScope) as RuleRow["customerScope"],
    productScope: text(productScope) as RuleRow["productScope"],
    kind: text(kind) as RuleRow["kind"],
    currency: text(currency) ?? "",
    unit: text(unit),
    fromQuantity: decimalOf(from ?? null) ?? "0",
    validFrom: dateIn(starts ?? null),
    validTo: dateIn(ends ?? null),
    net: net?.[0] === 1,
    contract: text(contract),
    contractQuantity: decimalOf(limit ?? null),
    ...rareIn(text(rare)),
    runId: uuidOf(run ?? null),
  };
}

const FIRST_COMMON = INTAKE_COLUMNS.indexOf("customer_scope");

function rareIn(json: string | null): Partial<RuleRow> {
  if (json === null) return {};
  const values = JSON.parse(json) as readonly unknown[];
  return Object.fromEntries(INTAKE_RARE.map((field, at) => [field, values[at] ?? null]));
}

function dateIn(field: Buffer | null): string | null {
  return field === null ? null : POSTGRES_EPOCH.add({ days: field.readInt32BE(0) }).toString();
}

const POSTGRES_EPOCH = Temporal.PlainDate.from("2000-01-01");

function uuidOf(field: Buffer | null): string {
  const hex = field?.toString("hex") ?? "";
  return [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ]
    .map(([from, to]) => hex.slice(from, to))
    .join("-");
}

function lengthAt(bytes: Buffer, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function shortAt(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

const NEGATIVE = 0x4000;

/** A numeric in millionths; above `MOST` what cannot be held, as is what is finer or no number. */
function millionths(bytes: Buffer, at: number): number {
  const digits = shortAt(bytes, at);
  const weight = shortAt(bytes, at + 2);
  const sign = shortAt(bytes, at + 4);
  if (weight > 3 || (sign !== 0 && sign !== NEGATIVE)) return Infinity;
  let value = 0;
  for (let digit = 0; digit < digits; digit += 1) {
    const group = shortAt(bytes, at + 8 + digit * 2);
    const place = weight - digit;
    if (place >= -1) value += group * POWERS[place + 1]!;
    else if (place === -2 && group % 100 === 0) value += group / 100;
    else if (group !== 0) return Infinity;
  }
  return sign === NEGATIVE ? -value : value;
}

/** A group of four digits stands for so many millionths, from the group behind the point up. */
const POWERS = [100, 1e6, 1e10, 1e14, 1e18];

/** The decimal text of a numeric, without needless zeros. */
function decimalOf(field: Buffer | null): string | null {
  if (field === null) return null;
  const [digits, weight, sign] = [shortAt(field, 0), shortAt(field, 2), shortAt(field, 4)];
  const group = (place: number) => {
    const at = weight - place;
    const value = at >= 0 && at < digits ? shortAt(field, 8 + at * 2) : 0;
    return String(value).padStart(4, "0");
  };
  let whole = "";
  for (let place = Math.max(weight, 0); place >= 0; place -= 1) whole += group(place);
  let rest = "";
  for (let place = -1; weight - place < digits; place -= 1) rest += group(place);
  rest = rest.replace(/0+$/, "");
  const text = whole.replace(/^0+(?=\d)/, "") + (rest === "" ? "" : `.${rest}`);
  return sign === NEGATIVE ? `-${text}` : text;
}

const identity = new Int32Array(2);

/** As `identityHashes` of the text; of ASCII the bytes are the text. */
function hashIdentity(bytes: Buffer, from: number, to: number): void {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  let bits = 0;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]!;
    bits |= byte;
    high = Math.imul(high ^ byte, 0x01000193);
    low = Math.imul(low ^ byte, 0x01000193);
  }
  if (bits < 0x80) {
    identity[0] = high ^ (high >>> 15);
    identity[1] = low ^ (low >>> 15);
  } else identity.set(identityHashes(bytes.toString("utf8", from, to)));
}

function numberIn(codes: ByteCodes | null, bytes: Buffer, at: number, length: number): number {
  if (codes === null) return 0;
  if (length < 0) return -1;
  const found = findBytes(codes.known, bytes, at, at + length);
  if (found >= 0) return found - 1;
  const number = codes.numberOf(bytes.toString("utf8", at, at + length));
  keepBytes(codes.known, bytes, at, at + length, number + 1);
  return number;
}

/** Stretches of bytes with a number from 0 on for each; forgets all when it grows too large. */
interface ByteMap {
  /** Place in `entries` + 1; 0: free. */
  slots: Int32Array;
  /** Hash, start in `store`, length, number. */
  entries: Int32Array;
  count: number;
  store: Buffer;
  used: number;
}

function byteMap(): ByteMap {
  return {
    slots: new Int32Array(256),
    entries: new Int32Array(64 * 4),
    count: 0,
    store: Buffer.alloc(4096),
    used: 0,
  };
}

const MOST_STORED = 128 * 1024 * 1024;

function hashBytes(bytes: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let at = from; at < to; at += 1) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash ^ (hash >>> 15);
}

/** -1: not known. */
function findBytes(map: ByteMap, bytes: Buffer, from: number, to: number): number {
  const hash = hashBytes(bytes, from, to);
  const mask = map.slots.length - 1;
  const { entries, store } = map;
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const entry = (map.slots[slot]! - 1) * 4;
    if (entry < 0) return -1;
    if (entries[entry] !== hash || entries[entry + 2] !== to - from) continue;
    let at = entries[entry + 1]!;
    let same = from;
    while (same < to && store[at] === bytes[same]) {
      at += 1;
      same += 1;
    }
    if (same === to) return entries[entry + 3]!;
  }
}

function keepBytes(map: ByteMap, bytes: Buffer, from: number, to: number, number: number): void {
  if (map.used + to - from > MOST_STORED) Object.assign(map, byteMap());
  if ((map.count + 1) * 2 > map.slots.length) widenSlots(map);
  if ((map.count + 1) * 4 > map.entries.length) {
    const wider = new Int32Array(map.entries.length * 2);
    wider.set(map.entries);
    map.entries = wider;
  }
  while (map.used + to - from > map.store.length)
    map.store = Buffer.concat([map.store, Buffer.alloc(map.store.length)]);
  bytes.copy(map.store, map.used, from, to);
  const hash = hashBytes(bytes, from, to);
  map.entries.set([hash, map.used, to - from, number], map.count * 4);
  map.count += 1;
  map.used += to - from;
  putSlot(map, hash, map.count);
}

function widenSlots(map: ByteMap): void {
  map.slots = new Int32Array(map.slots.length * 4);
  for (let entry = 0; entry < map.count; entry += 1)
    putSlot(map, map.entries[entry * 4]!, entry + 1);
}

function putSlot({ slots }: ByteMap, hash: number, entry: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = entry;
}
