/**
 * Pages in order, some ahead of the reader. A far side that gives a page twice, or names one as its
 * own next, would be read for ever: that is told instead.
 */
import { ConnectorFault } from "../contract.ts";
import type { HttpAnswer } from "./answer.ts";

export interface NumberedPages<Body> {
  /** Reads a page; they are counted from 0. */
  readonly get: (index: number) => Promise<HttpAnswer<Body>>;
  /** The page's rows. One without rows is the last. */
  readonly rows: (body: Body) => readonly unknown[];
  /** True: no page follows, so that none is asked for in vain. */
  readonly last?: (body: Body, index: number) => boolean;
  /** Pages asked for before the one in hand is done with; 4. */
  readonly ahead?: number;
}

/** Pages that are asked for by number or offset, several at a time, given in order. */
export async function* numberedPages<Body>({
  get,
  rows,
  last = () => false,
  ahead = 4,
}: NumberedPages<Body>): AsyncGenerator<HttpAnswer<Body>, void, undefined> {
  const under = new Map<number, Promise<HttpAnswer<Body>>>();
  const seen = pagesSeen();
  const start = (index: number) => {
    const page = get(index);
    // One beyond the last may fail; whether that matters is known when its turn comes.
    page.catch(() => undefined);
    under.set(index, page);
  };
  for (let index = 0; ; index++) {
    // The first alone: it may be the only one.
    const most = index === 0 ? 1 : ahead;
    for (let next = index; next < index + most; next++) if (!under.has(next)) start(next);
    const page = await under.get(index);
    under.delete(index);
    if (page === undefined) return;
    const empty = rows(page.body).length === 0;
    if (!empty) seen(page, `page ${index + 1}`);
    yield page;
    if (empty || last(page.body, index)) return;
  }
}

export interface LinkedPages<Body> {
  /** Path of the first page. */
  readonly first: string;
  readonly get: (path: string) => Promise<HttpAnswer<Body>>;
  /** Path or address of the page that follows; null: there is none. */
  readonly next: (page: HttpAnswer<Body>) => string | null;
}

/** Pages that name the next one. */
export async function* linkedPages<Body>({
  first,
  get,
  next,
}: LinkedPages<Body>): AsyncGenerator<HttpAnswer<Body>, void, undefined> {
  const asked = new Set<string>();
  const seen = pagesSeen();
  for (let path: string | null = first; path !== null;) {
    if (asked.has(path))
      throw inCircles(`${path} is named as the next page, and was read already.`);
    asked.add(path);
    const page: HttpAnswer<Body> = await get(path);
    path = next(page);
    // The end of a list may be an empty page, and two lists may end alike.
    if (path !== null) seen(page, page.url);
    yield page;
  }
}

function pagesSeen(): (page: HttpAnswer, name: string) => void {
  const prints = new Map<string, string>();
  return (page, name) => {
    const print = page.fingerprint();
    const before = prints.get(print);
    if (before !== undefined) throw inCircles(`${name} is the same as ${before}, word by word.`);
    prints.set(print, name);
  };
}

function inCircles(what: string): ConnectorFault {
  return new ConnectorFault(
    "defect",
    `Reading pages: ${what}`,
    "Report it to whoever keeps the connector: the far side pages otherwise than known.",
  );
}
