/** What is looked at and kept of each origin beside its records: its shape and its raw rows. */
import type { Origin, ReadEvent, SourceRow } from "../connector/index.ts";
import type { Transaction } from "../store/index.ts";
import type { Source, SyncContext } from "./context.ts";
import type { DriftPolicy, Shape } from "./drift.ts";
import { readShape, storePending, storeShape } from "./drift-store.ts";
import { ShapeChanged, watchShape } from "./drift-watch.ts";
import type { StreamKey } from "./lease.ts";
import { openRawKeeper } from "./raw.ts";

export interface OriginWatch {
  /** Looks at the columns that the source states; throws ShapeChanged. */
  open(id: string, origin: Origin): void;
  /** Looks at an origin's first rows, throws ShapeChanged; keeps what nobody archives. */
  take(origin: WatchedOrigin, rows: readonly SourceRow[]): Promise<void>;
  takeReject(origin: WatchedOrigin, reject: ReadEvent & { kind: "reject" }): Promise<void>;
  forget(ids: readonly string[]): Promise<void>;
  /** Returns when all that is kept is written; it is seen once its origin is. */
  settle(): Promise<void>;
  /** Writes down the shape of what is published with it; gives what a person is told. */
  publish(tx: Transaction): Promise<readonly string[]>;
  /** The same, to be written down when what was read is published later. */
  seen(): { readonly shape: Shape | null; readonly notes: readonly string[] };
}

export interface WatchedOrigin extends Origin {
  readonly id: string;
  /** Rows read of it before. */
  readonly rows: { readonly read: number };
}

/** Of settings that say nothing. */
const TELL: DriftPolicy = { added: "tell", missing: "tell", retyped: "tell" };

export async function watchOrigins(
  context: SyncContext,
  source: Source,
  key: StreamKey,
): Promise<OriginWatch> {
  const { store, now } = context;
  const known = await readShape(store, key);
  const streams = source.connection.streams.filter(({ name }) => name === key.stream);
  const answers = streams.some(({ reading }) => reading === "snapshot");
  const shape = watchShape(key.stream, known, source.drift?.(key.stream) ?? TELL);
  const raw = openRawKeeper(store, { company: key.company, now });
  return {
    open(id, origin) {
      if (origin.columns !== undefined) shape.look(id, origin, []);
    },
    async take(origin, rows) {
      if (origin.rows.read === 0) shape.look(origin.id, origin, rows);
      if (origin.keptAt === undefined) await raw.take(origin.id, rows);
    },
    async takeReject(origin, { kind: _kind, ...reject }) {
      if (origin.keptAt === undefined) await raw.takeReject(origin.id, reject);
    },
    async forget(ids) {
      for (const id of ids) {
        shape.forget(id);
        await raw.forget(id);
      }
    },
    settle: () => raw.settle(),
    async publish(tx) {
      const seen = shape.shape();
      if (seen !== null) await storeShape(tx, key, seen, { at: now(), answers });
      return shape.takeNotes();
    },
    seen: () => ({ shape: shape.shape(), notes: shape.takeNotes() }),
  };
}

/** A shape that was not taken waits until a person accepts it, or the old one comes back. */
export async function keepPending(
  { store, now }: SyncContext,
  key: StreamKey,
  error: unknown,
): Promise<void> {
  if (error instanceof ShapeChanged) await storePending(store, key, error.pending, now());
}
