/** A root for other threads: they read the same arrays, and nothing of a book is copied. */
import { bookFromShared, shareBook } from "./engine/index.ts";
import type { SharedBook } from "./engine/index.ts";
import { momentTexts } from "./root.ts";
import type { Root } from "./root.ts";

/** As it can be sent to another thread. How prices stand is told apart: see `standing.ts`. */
export interface SharedRoot {
  readonly book: SharedBook;
  readonly version: string;
  readonly number: number;
  readonly digest: string;
  readonly publishedAt: string;
  readonly freshness: string | null;
}

export function shareRoot(root: Root): SharedRoot {
  const { version, number, digest, freshness } = root;
  const publishedAt = root.publishedAt.toString();
  const book = shareBook(root.book);
  return { book, version, number, digest, publishedAt, freshness };
}

/** For the thread that was sent it. */
export function openShared({ book, publishedAt, ...rest }: SharedRoot): Root {
  return {
    ...rest,
    book: bookFromShared(book),
    publishedAt: Temporal.Instant.from(publishedAt),
    momentText: momentTexts(),
  };
}
