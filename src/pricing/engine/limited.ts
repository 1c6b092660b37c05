/** Entries of which only so much is left: which gave a price, and by what name others know it. */
import { TERMS } from "./book.ts";
import type { Enquiry } from "./enquiry.ts";
import { headOf } from "./entry.ts";
import type { EntryAt } from "./entry.ts";
import { textOf } from "./scaled.ts";
import * as terms from "./terms.ts";
import { nameOf } from "./words.ts";

export interface Limited {
  readonly kind: "quotation" | "contract";
  /** The same in every book for as long as the rule is there. */
  readonly key: string;
  /** "Contract C-17", "Quotation Q-1", "Customer price". */
  readonly name: string;
  /** Selling units with 5 places that the ERP has left. */
  readonly limit: number;
  /** Decimal text. */
  readonly unitPrice: string;
}

/** What gave the line found last, where it can be used up; null: nothing of that kind. */
export function limitedOf(enquiry: Enquiry): Limited | null {
  const { found, book } = enquiry;
  if (found.doubt !== null || found.table < 0 || found.price < 0) return null;
  const limit = book.terms[(found.word & TERMS) * terms.STRIDE + terms.LIMIT] ?? Infinity;
  if (limit === Infinity) return null;
  const head = headOf(enquiry, found);
  if (head.source === "promotion") return null;
  return {
    kind: head.source === "quotation" ? "quotation" : "contract",
    key: keyOf(enquiry, found),
    name: nameOf(head),
    limit,
    unitPrice: textOf(found.price, book.policy.arithmetic.unitPrice.scale),
  };
}

/** From now on the enquiry counts what others took; null: it takes what the ERP says. */
export function countTaken(enquiry: Enquiry, taken: ((key: string) => number) | null): void {
  const { line } = enquiry;
  enquiry.taken =
    taken === null
      ? null
      : (word) => {
          const { table, subject, key } = line;
          return taken(keyOf(enquiry, { table, subject, key, value: 0, word }));
        };
}

/** A rule by what it is for: its breaks share what is left. */
function keyOf(enquiry: Enquiry, at: EntryAt): string {
  const head = headOf(enquiry, at);
  const { source, customerScope, customerCode, productScope, productCode, label } = head;
  return JSON.stringify([source, customerScope, customerCode, productScope, productCode, label]);
}
