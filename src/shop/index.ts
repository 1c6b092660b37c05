/**
 * What a shop needs beside prices: products, free stock, customers with their terms, and documents
 * of every channel; each with a feed of changes, and as files for shops that cannot call in.
 * Promises that whoever follows a feed ends with what the tables hold. Never writes a canonical
 * record.
 *
 *     const shop = openShop({ store, company, vatCodes, now });
 *     const { changes, cursor } = await shop.changes("product", "0", 1_000);
 */
import { drop, type DropResult, type LayFile } from "./drop.ts";
import { changes, note, type Body, type Changes, type ShopContext } from "./feed.ts";
import { incomplete, type Incomplete } from "./incomplete.ts";
import { documents, page, type DocumentsQuestion, type Page, type PageQuestion } from "./pages.ts";
import type { Kind } from "./views.ts";

export interface Shop {
  /** One page by key, with the cursor from which the feed goes on. */
  page(kind: Kind, question: PageQuestion): Promise<Page>;
  /** One thing; null: it is not there. */
  one(kind: Kind, key: string): Promise<Body | null>;
  documents(question: DocumentsQuestion): Promise<Page>;
  /** What changed after a cursor; "0": everything. Null: this feed never gave the cursor. */
  changes(kind: Kind, after: string, limit: number): Promise<Changes | null>;
  /** Job `shop.note`: gives what changed its place in the feeds; tells how much did. */
  note(kinds?: readonly Kind[]): Promise<number>;
  incomplete(): Promise<Incomplete[]>;
  /** Lays files of what changed since the last ones; a kind without changes has no file. */
  drop(lay: LayFile, kinds: readonly Kind[]): Promise<DropResult[]>;
}

export interface ShopOptions extends ShopContext {
  /** VAT codes that the settings give a rate. */
  readonly vatCodes: readonly string[];
}

export function openShop(options: ShopOptions): Shop {
  return {
    page: (kind, question) => page(options, kind, question),
    one: async (kind, key) =>
      (await page(options, kind, { keys: [key], limit: 1 })).bodies[0] ?? null,
    documents: (question) => documents(options, question),
    changes: (kind, after, limit) => changes(options, kind, after, limit),
    note: (kinds) => note(options, kinds),
    incomplete: () => incomplete(options, options.vatCodes),
    drop: (lay, kinds) => drop(options, lay, kinds),
  };
}

/** Job of `note` and, where a drop is set up, of `drop`; its data is `{ company }`. */
export const NOTE_JOB = "shop.note";
export { CURSOR, type Body, type Changes } from "./feed.ts";
export type { Incomplete } from "./incomplete.ts";
export type { DropResult, LayFile } from "./drop.ts";
export type { DocumentsQuestion, Page, PageQuestion } from "./pages.ts";
export { KINDS, type Kind } from "./views.ts";
