/**
 * An ERP that is one file: whoever copies the file has a backup, and whoever puts the copy back has
 * restored it. Its search can be away, and it can hide what was cancelled.
 *
 *     erp: { connector: backed-up, settings: { file: /tmp/erp.json } }
 */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { defineConnector } from "#connector";
import type {
  Accepted,
  Found,
  Json,
  OrdersCapability,
  ReadEvent,
  StreamDefinition,
} from "#connector";

const settings = z.strictObject({ file: z.string().describe("The file that is the ERP.") });

const books = z.object({
  next: z.number(),
  searches: z.boolean(),
  /** What its user may not do; null: nothing. */
  forbids: z.string().nullable(),
  orders: z.array(z.object({ number: z.string(), key: z.string(), cancelled: z.boolean() })),
  /** How long it takes over an order. */
  slowMs: z.number().optional(),
  /** Stamped 1, 2, 3 …: rows of its streams. */
  rows: z.record(z.string(), z.array(z.record(z.string(), z.string()))).optional(),
});
export type Books = z.infer<typeof books>;

export const connector = defineConnector<z.infer<typeof settings>>({
  name: "backed-up",
  about: "An ERP in a file, for tests of backups.",
  settings,
  streams: () => ["erp-orders", "sales-documents"].map(streamOf),
  open: async ({ file }) => ({
    read: (stream, cursor) => rowsOf(file, stream, cursor),
    check: async () => {
      const { forbids } = booksIn(file);
      return forbids === null
        ? []
        : [{ level: "error", what: forbids, instruction: "Give the user that role." }];
    },
    orders: ordersOf(file),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
});

const OVERLAP = 10;

function streamOf(name: string): StreamDefinition {
  return {
    name,
    about: "Rows with a number that only grows.",
    reading: "delta",
    delta: { grain: "number", zone: "none", ordered: true, overlap: OVERLAP },
  };
}

function positionIn(cursor: Json | null) {
  return z.object({ value: z.number() }).safeParse(cursor).data ?? null;
}

async function* rowsOf(
  file: string,
  stream: string,
  cursor: Json | null,
): AsyncGenerator<ReadEvent> {
  const all = booksIn(file).rows?.[stream] ?? [];
  const stands = positionIn(cursor);
  const from = Math.max(0, (stands?.value ?? 0) - OVERLAP);
  const rows = all.slice(from).map((values, index) => {
    const at = { value: from + index + 1, key: from + index + 1 };
    return { line: from + index + 1, raw: JSON.stringify(values), values, at };
  });
  if (rows.length === 0) return;
  yield { kind: "origin", origin: { name: stream } };
  yield { kind: "rows", rows };
  const last = Math.max(all.length, stands?.value ?? 0);
  yield { kind: "checkpoint", cursor: { value: last, key: last }, more: false };
}

/** At once, as an ERP's own transaction: nobody sees half of it, and two at a time are two. */
function booksIn(file: string): Books {
  return books.parse(JSON.parse(readFileSync(file, "utf8")));
}

function ordersOf(file: string): OrdersCapability {
  const found = async (key: string, hidden: boolean): Promise<Found> => {
    const { orders, searches } = booksIn(file);
    if (!searches) return { kind: "cannotTell", reason: "the search is away" };
    const order = orders.find((each) => each.key === key && (hidden || !each.cancelled));
    return order === undefined ? { kind: "absent" } : { kind: "present", outcome: taken(order) };
  };
  return {
    finding: "searchable",
    quietSeconds: 0,
    find: (key) => found(key, false),
    status: (key) => found(key, true),
    place: async ({ key }) => {
      await sleep(booksIn(file).slowMs ?? 0);
      const now = booksIn(file);
      const order = { number: `SO-${now.next}`, key, cancelled: false };
      const after: Books = { ...now, next: now.next + 1, orders: [...now.orders, order] };
      writeFileSync(file, JSON.stringify(after));
      return taken(order);
    },
    cancel: async (key) => {
      const now = booksIn(file);
      const orders = now.orders.map((each) =>
        each.key === key ? { ...each, cancelled: true } : each,
      );
      writeFileSync(file, JSON.stringify({ ...now, orders }));
      const order = orders.find((each) => each.key === key);
      return order === undefined ? { kind: "refused", reason: "there is none" } : taken(order);
    },
  };
}

function taken({ number, cancelled }: Books["orders"][number]): Accepted {
  const state = cancelled ? "cancelled" : "open";
  return { kind: "accepted", erpOrder: number, net: null, vat: null, state, evidence: "its books" };
}
