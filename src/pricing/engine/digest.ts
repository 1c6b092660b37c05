/** The digest of a book: equal digests, equal answers under one policy. */
import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { isColumn } from "./arena.ts";
import type { PriceBook } from "./book.ts";
import { mastersOf } from "./memory.ts";

/** Columns whose numbers are those of names: what they say is the names. */
const NAMED_COLUMNS: Readonly<Record<string, "currencies" | "units">> = {
  currency: "currencies",
  sellingUnit: "units",
  pricingUnit: "units",
  units: "units",
};

/**
 * SHA-256 over everything that an answer can depend on, the policy apart. The same whether the book
 * was compiled at once or came about by changes.
 */
export function digestOf(book: PriceBook): string {
  const hash = createHash("sha256");
  const own = book.currencies[book.ownCurrency];
  const said = [book.content, book.entries, book.basketPromotions, own];
  const masters = Object.entries<unknown>({ ...mastersOf(book) }).sort(byName);
  for (const [name, part] of masters) addPart(hash, book, name, part);
  return hash.update(JSON.stringify(said)).digest("hex");
}

function addPart(hash: Hash, book: PriceBook, name: string, part: unknown): void {
  hash.update(`\n${name} `);
  if (isColumn(part)) {
    const names = NAMED_COLUMNS[name];
    if (names === undefined)
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    else hash.update(JSON.stringify(Array.from(part, (number) => book[names][number])));
  } else if (part instanceof Map) {
    if (name !== "numbers") hash.update(JSON.stringify([...part].sort(byName)));
  } else if (typeof part === "object" && part !== null && !Array.isArray(part)) {
    for (const [inner, value] of Object.entries<unknown>({ ...part }).sort(byName))
      addPart(hash, book, inner, value);
  } else hash.update(JSON.stringify(part) ?? "");
}

function byName([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : 1;
}
