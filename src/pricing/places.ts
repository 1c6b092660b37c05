/** Whom and what a rule is for, against the numbers of a book. */
import { subjectOf } from "./engine/index.ts";
import type { Enquiry, PriceBook } from "./engine/index.ts";

type RuleScope = Parameters<typeof subjectOf>[2];

interface ProductPlace {
  readonly productScope: string;
  readonly productCode: string | null;
}

/** Whether whoever asks is among those that a rule is for. */
export function reaches(enquiry: Enquiry, scope: string, code: string | null): boolean {
  const { book, asking } = enquiry;
  if (scope === "everyone") return true;
  // The canonical tables hold only what the record's definition allows.
  const of = scope as Exclude<RuleScope, "everyone">;
  const subject = subjectNumber(book, of, code);
  return subject !== undefined && subjectOf(book, asking, of) === subject;
}

/** Undefined: nobody of the book. */
function subjectNumber(
  book: PriceBook,
  scope: Exclude<RuleScope, "everyone">,
  code: string | null,
): number | undefined {
  const of = {
    account: book.accounts,
    "head-office": book.headOffices,
    "buying-group": book.buyingGroups,
    "customer-group": book.customerGroups,
    site: book.sites,
    branch: book.branches,
    "price-list": book.priceLists,
  };
  return of[scope].numbers.get(code ?? "");
}

/** Numbers of the products that a rule is for. */
export function productsOf(book: PriceBook, { productScope, productCode }: ProductPlace): number[] {
  const { products, groups } = book;
  const all = () => [...products.codes.keys()];
  if (productScope === "everything") return all();
  if (productScope === "product") {
    const product = products.numbers.get(productCode ?? "");
    return product === undefined ? [] : [product];
  }
  const group = groups.numbers.get(productCode ?? "");
  if (group === undefined) return [];
  const within = (of: number): boolean => {
    for (let at = of; at >= 0; at = groups.parent[at] ?? -1) if (at === group) return true;
    return false;
  };
  return all().filter((product) => within(products.group[product] ?? -1));
}
