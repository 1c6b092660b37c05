/** Why a line bears its VAT code, where that is not simply the product's. */
import type { Enquiry } from "./enquiry.ts";
import { lackingWords } from "./vat.ts";
import type { VatSource } from "./vat.ts";

const SOURCES: Readonly<Record<VatSource, string>> = {
  account: "of the account",
  site: "of the delivery site",
  country: "of the country of delivery",
};

/** After the line was priced; empty where the product's own code stands unquestioned. */
export function vatReasons({ book, found, line, vat }: Enquiry): string[] {
  const name = (code: number) => book.vatCodes[code] ?? "(none)";
  const lacks = (code: number) =>
    `VAT code ${name(code)} does not count: the account lacks ${lackingWords(book.vat, code, vat.evidence)}`;
  const refused = vat.refused < 0 ? [] : [lacks(vat.refused)];
  const source = book.policy.vatFrom[vat.source];
  if (vat.code >= 0 && source !== undefined)
    return [...refused, `VAT code ${name(vat.code)} ${SOURCES[source]}`];
  const own = book.products.vatCode[line.product] ?? -1;
  if (own < 0 || own === found.vatCode) {
    const stands = refused.length === 0 ? [] : [`VAT code ${name(own)} of the product stands`];
    return [...refused, ...stands];
  }
  return [...refused, `${lacks(own)}; ${name(found.vatCode)} stands instead`];
}
