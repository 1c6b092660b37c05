/** What a processor must at least do to find a price: the limit that the engine is held beside. */
import type { RuleRow } from "../../src/pricing/engine/index.ts";
import { PRODUCTS, accountsOf, batches, listsOf, rulesOf } from "./price-data.ts";
import type { PricingSizes } from "./price-data.ts";

type Lookup = (account: number, product: number, quantity: number, day: number) => number;

/**
 * The bare lookup: account × product, else list × product, else standard; four numbers an entry in
 * one array, so that a lookup touches two or three cache lines.
 */
export function bareLookup(sizes: PricingSizes): Lookup {
  const cells = new Map<number, number[]>();
  for (const rule of rulesOf(sizes)) {
    if (rule.kind !== "fixed") continue;
    const key = subjectOf(sizes, rule) * PRODUCTS + Number(rule.productCode?.slice(1));
    const cell = cells.get(key) ?? [];
    cells.set(key, cell);
    cell.push(
      Number(rule.fromQuantity),
      rule.validFrom === null ? -1e6 : dayOf(rule.validFrom),
      rule.validTo === null ? 1e6 : dayOf(rule.validTo),
      Math.round(Number(rule.value) * 1e4),
    );
  }
  const find = packed(cells);
  const accounts = accountsOf(sizes);
  const lists = listsOf(sizes);
  return (account, product, quantity, day) => {
    const own = find(account, product, quantity, day);
    if (own >= 0) return own;
    const list = find(accounts + (account % lists), product, quantity, day);
    return list >= 0 ? list : find(accounts + lists, product, quantity, day);
  };
}

/** Days since 1970. */
export function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / 86_400_000;
}

function subjectOf(sizes: PricingSizes, rule: RuleRow): number {
  const accounts = accountsOf(sizes);
  if (rule.customerScope === "account") return Number(rule.customerCode?.slice(1));
  return rule.customerCode === null
    ? accounts + listsOf(sizes)
    : accounts + Number(rule.customerCode.slice(1));
}

function packed(cells: ReadonlyMap<number, number[]>): Lookup {
  let capacity = 1;
  while (capacity < cells.size * 2) capacity *= 2;
  const mask = capacity - 1;
  const table = new Int32Array(capacity * 4);
  const entries = new Int32Array([...cells.values()].reduce((sum, cell) => sum + cell.length, 0));
  const hash = (subject: number, product: number) => {
    let mixed = Math.imul(subject, 0x9e3779b1) ^ Math.imul(product, 0x85ebca6b);
    mixed ^= mixed >>> 15;
    return Math.imul(mixed, 0x2c1b3c6d) >>> 7;
  };
  let next = 0;
  for (const [key, cell] of cells) {
    const subject = Math.floor(key / PRODUCTS);
    const product = key % PRODUCTS;
    let slot = hash(subject, product) & mask;
    while (table[slot * 4 + 3] !== 0) slot = (slot + 1) & mask;
    const rows = [...batches(cell, 4)].filter((row) => row.length === 4);
    rows.sort((left, right) => (right[0] ?? 0) - (left[0] ?? 0));
    entries.set(rows.flat(), next);
    table.set([subject, product, next, next + cell.length], slot * 4);
    next += cell.length;
  }
  return (subject, product, quantity, day) => {
    for (let slot = hash(subject, product) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 4;
      if (table[at + 3] === 0) return -1;
      if (table[at] !== subject || table[at + 1] !== product) continue;
      const end = table[at + 3] ?? 0;
      for (let entry = table[at + 2] ?? 0; entry < end; entry += 4)
        if (
          (entries[entry] ?? 0) <= quantity &&
          (entries[entry + 1] ?? 0) <= day &&
          (entries[entry + 2] ?? 0) >= day
        )
          return entries[entry + 3] ?? 0;
      return -1;
    }
  };
}
