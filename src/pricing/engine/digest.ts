/** The digest of a book: equal digests, equal answers under one policy. */
import { createHash } from "node:crypto";
import type { PriceBook } from "./book.ts";

/** Columns whose numbers are those of names. */
const NAMED_COLUMNS = new Set(["currency", "sellingUnit", "pricingUnit"]);

/**
 * SHA-256 over everything that an answer can depend on, the policy apart. The same whether the book
 * was compiled at once or came about by changes.
 */
export function digestOf(book: PriceBook): string {
  const hash = createHash("sha256");
  const { accounts, products, sites, groups, currencies, units } = book;
  for (const part of [accounts, products, sites, groups, { vatRates: book.vatRates }] as const)
    for (const [name, column] of Object.entries<unknown>({ ...part }))
      if (ArrayBuffer.isView(column) && !NAMED_COLUMNS.has(name))
        hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  const named = [
    Array.from(accounts.currency, (number) => currencies[number]),
    Array.from(products.sellingUnit, (number) => units[number]),
    Array.from(products.pricingUnit, (number) => units[number]),
  ];
  const codes = [
    book.branches,
    book.buyingGroups,
    book.customerGroups,
    book.priceLists,
    book.headOffices,
    accounts,
    products,
    sites,
    groups,
  ].map((of) => of.codes);
  const own = currencies[book.ownCurrency];
  const said = [book.content, book.entries, book.basketPromotions];
  hash.update(JSON.stringify([said, codes, named, book.vatCodes, own]));
  return hash.digest("hex");
}
