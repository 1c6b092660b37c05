/** What the hostile ERP holds and shows: one ledger behind its HTTP side and its folder side. */
import { documentOf, keyOf, type ErpBooks, type HeldDocument, type SentTables } from "./books.ts";
import type { Draws } from "./faults.ts";

export type ErpClass = "native-key" | "searchable" | "eventually-searchable" | "file-drop";

/** A draft is no order yet: it bears no number of its own, and may be thrown away. */
export interface Draft {
  readonly key: string;
  readonly number: "TBA";
}

export interface Ledger {
  /** Makes a document, or with a native key gives the one that is there. */
  commit(tables: SentTables): HeldDocument;
  /** Becomes an order after a while, or is thrown away. */
  draft(tables: SentTables): Draft;
  refuse(key: string): void;
  /** Somebody there keys an order a second time, with our number on it. */
  keyByHand(document: HeldDocument): void;
  /** What a search by our number sees now. */
  seen(key: string): readonly (HeldDocument | Draft)[];
  count(fault: string): void;
  /** One more call about this order; answers how many there were before. */
  call(what: string, key: string): number;
  books(): ErpBooks;
}

/** The index may lag so long behind a document, where it lags. */
export const INDEX_LAG_MS = 1_500;
const DRAFT_MS = 600;
/** So many drafts of a hundred come to nothing. */
const THROWN_AWAY = 0.2;
/** All searches find nothing for a while, now and again. */
const BLIND_EVERY_MS = 13_000;
const BLIND_FOR_MS = 1_200;

export function openLedger(erpClass: ErpClass, draws: Draws): Ledger {
  const documents: HeldDocument[] = [];
  const byKey = new Map<string, HeldDocument[]>();
  const drafts = new Map<string, Draft>();
  const refused = new Set<string>();
  const tampered = new Set<string>();
  const injected = new Map<string, number>();
  const calls = new Map<string, number>();
  let asked = 0;
  const began = Date.now();
  const commit = (tables: SentTables): HeldDocument => {
    const key = keyOf(tables);
    const held = byKey.get(key) ?? [];
    if (erpClass === "native-key" && held[0] !== undefined) return held[0];
    const lag = erpClass === "eventually-searchable" ? draws.of("lag", key, held.length) : 0;
    const tamper = draws.tampers(key);
    if (tamper) tampered.add(key);
    const document = documentOf(tables, {
      number: `SO-${String(documents.length + 1).padStart(6, "0")}`,
      visibleAt: Date.now() + lag * INDEX_LAG_MS,
      sequence: documents.length,
      tamper,
    });
    documents.push(document);
    byKey.set(key, [...held, document]);
    return document;
  };
  const isBlind = () => {
    const blind = (Date.now() - began) % BLIND_EVERY_MS > BLIND_EVERY_MS - BLIND_FOR_MS;
    if (blind) count("search that finds nothing");
    return blind;
  };
  const count = (fault: string) => void injected.set(fault, (injected.get(fault) ?? 0) + 1);
  return {
    commit,
    draft: (tables) => {
      const key = keyOf(tables);
      const draft: Draft = { key, number: "TBA" };
      drafts.set(key, draft);
      const thrownAway = draws.of("draft", key, calls.get(`place ${key}`)) < THROWN_AWAY;
      setTimeout(() => {
        if (drafts.get(key) === draft) drafts.delete(key);
        if (!thrownAway) commit(tables);
      }, DRAFT_MS).unref();
      return draft;
    },
    refuse: (key) => void refused.add(key),
    keyByHand: (document) => {
      const sequence = documents.length;
      documents.push({ ...document, number: `SO-${sequence + 1}-HAND`, sequence });
    },
    seen: (key) => {
      if (isBlind()) return [];
      const now = Date.now();
      const visible = (byKey.get(key) ?? []).filter(({ visibleAt }) => visibleAt <= now);
      const draft = drafts.get(key);
      return draft === undefined ? visible : [...visible, draft];
    },
    count,
    call: (what, key) => {
      asked += 1;
      const before = calls.get(`${what} ${key}`) ?? 0;
      calls.set(`${what} ${key}`, before + 1);
      return before;
    },
    books: () => ({ documents, refused, tampered, injected, calls: asked }),
  };
}
