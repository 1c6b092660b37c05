/**
 * Raw rows of origins that nobody archives: pages and tables are gone once they were read, so their
 * rows are kept here, compressed, to be shown with what they made and to be mapped anew. They are
 * seen only when their origin is written, which its run does when it publishes.
 */
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import type { ReadEvent, SourceRow } from "../connector/index.ts";
import type { Queryable, Store } from "../store/index.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

type Reject = Omit<ReadEvent & { kind: "reject" }, "kind">;

export interface RawKeeper {
  /** Buffers rows of an origin; what fills a chunk is written. */
  take(originId: string, rows: readonly SourceRow[]): Promise<void>;
  /** A span that could not be read as a row is kept too. */
  takeReject(originId: string, reject: Reject): Promise<void>;
  /** Returns when all that was taken is written. */
  settle(): Promise<void>;
  /** Throws away what was taken of an origin. */
  forget(originId: string): Promise<void>;
}

/** A line of a chunk; a raw text that is the values' own JSON is not written twice. */
type Kept =
  | (Omit<SourceRow, "raw"> & { readonly raw?: string })
  | (Reject & { readonly values?: undefined });

/** A chunk is written when it holds so many rows or so much text. */
const CHUNK_ROWS = 1_000;
const CHUNK_CHARACTERS = 1_000_000;

interface Chunk {
  readonly originId: string;
  readonly lines: string[];
  characters: number;
  firstLine: number;
  lastLine: number;
}

export function openRawKeeper(
  store: Store,
  { company, now }: { readonly company: string; readonly now: () => Temporal.Instant },
): RawKeeper {
  const begun = new Set<string>();
  let chunk: Chunk | null = null;
  let writing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => {
    if (chunk === null) return;
    const full = chunk;
    chunk = null;
    // One chunk is written while the next is filled; never two.
    await writing;
    const isFirst = !begun.has(full.originId);
    begun.add(full.originId);
    writing = writeChunk(store, { company, at: now(), isFirst }, full);
    writing.catch(() => undefined);
  };
  const add = async (originId: string, line: number, kept: Kept): Promise<void> => {
    if (chunk !== null && (chunk.originId !== originId || line <= chunk.lastLine)) await write();
    chunk ??= { originId, lines: [], characters: 0, firstLine: line, lastLine: line };
    const text = JSON.stringify(kept);
    chunk.lines.push(text);
    chunk.characters += text.length;
    chunk.lastLine = line;
    if (chunk.lines.length >= CHUNK_ROWS || chunk.characters >= CHUNK_CHARACTERS) await write();
  };
  const settle = async (): Promise<void> => {
    await write();
    await writing;
  };
  return {
    async take(originId, rows) {
      for (const row of rows) await add(originId, row.line, keptRow(row));
    },
    async takeReject(originId, { line, raw, reason, instruction }) {
      await add(originId, line, { line, raw, reason, instruction });
    },
    settle,
    async forget(originId) {
      await settle();
      await store.affect("delete from raw_chunk where company = $1 and origin_id = $2", [
        company,
        originId,
      ]);
    },
  };
}

function keptRow(row: SourceRow): Kept {
  if (row.raw !== JSON.stringify(row.values)) return row;
  const { raw: _same, ...rest } = row;
  return rest;
}

/**
 * A run that goes on after a kill gives the rows behind its mark again: what the killed one wrote
 * from there on is replaced.
 */
async function writeChunk(
  store: Queryable,
  to: { readonly company: string; readonly at: Temporal.Instant; readonly isFirst: boolean },
  { originId, lines, firstLine, lastLine }: Chunk,
): Promise<void> {
  const content = await compress(lines.join("\n"));
  if (to.isFirst)
    await store.affect(
      "delete from raw_chunk where company = $1 and origin_id = $2 and last_line >= $3",
      [to.company, originId, firstLine],
    );
  await store.affect(
    `insert into raw_chunk (company, origin_id, first_line, last_line, rows, content, kept_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [to.company, originId, firstLine, lastLine, lines.length, content, to.at.toString()],
  );
}

/** The kept row of an origin as it stood in the source; null when it is not kept. */
export async function rawRow(
  store: Queryable,
  company: string,
  originId: string,
  line: number,
): Promise<string | null> {
  const found = await store.query<{ content: Buffer }>(
    `select c.content from raw_chunk c join origin o on o.company = c.company and o.id = c.origin_id
      where c.company = $1 and c.origin_id = $2 and $3 between c.first_line and c.last_line`,
    [company, originId, line],
  );
  for (const { content } of found) {
    const kept = (await linesOf(content)).find((each) => each.line === line);
    if (kept !== undefined) return rawOf(kept);
  }
  return null;
}

/** Rows kept of an origin, rejected spans among them. */
export async function rawRows(
  store: Queryable,
  company: string,
  originId: string,
): Promise<number> {
  const [row] = await store.query<{ rows: number }>(
    `select coalesce(sum(rows), 0)::bigint as rows from raw_chunk
      where company = $1 and origin_id = $2`,
    [company, originId],
  );
  return row?.rows ?? 0;
}

/** All that is kept of an origin, as it was read. */
export async function* rawEvents(
  store: Store,
  company: string,
  originId: string,
): AsyncGenerator<ReadEvent> {
  const chunks = await store.query<{ firstLine: number }>(
    `select first_line as "firstLine" from raw_chunk
      where company = $1 and origin_id = $2 order by first_line`,
    [company, originId],
  );
  for (const { firstLine } of chunks) {
    const [chunk] = await store.query<{ content: Buffer }>(
      "select content from raw_chunk where company = $1 and origin_id = $2 and first_line = $3",
      [company, originId, firstLine],
    );
    if (chunk !== undefined) yield* eventsOf(await linesOf(chunk.content));
  }
}

function* eventsOf(lines: readonly Kept[]): Generator<ReadEvent> {
  let rows: SourceRow[] = [];
  for (const kept of lines) {
    if (kept.values !== undefined) {
      rows.push({ ...kept, raw: rawOf(kept) });
      continue;
    }
    if (rows.length > 0) yield { kind: "rows", rows };
    rows = [];
    yield { kind: "reject", ...kept };
  }
  if (rows.length > 0) yield { kind: "rows", rows };
}

function rawOf(kept: Kept): string {
  return kept.raw ?? JSON.stringify(kept.values);
}

async function linesOf(content: Buffer): Promise<Kept[]> {
  const text = (await decompress(content)).toString("utf8");
  return text.split("\n").map((line) => JSON.parse(line) as Kept);
}

/** Chunks that one statement deletes, and statements of one tidying. */
const TIDIED_AT_ONCE = 500;
const MOST_STATEMENTS = 200;
/** A run may take long to publish, and a plan waits for days: their origins are not written yet. */
const UNSEEN_DAYS = 14;

/** Deletes what the owner keeps no longer; gives how many chunks. Bounded: call it daily. */
export async function tidyRaw(
  store: Queryable,
  company: string,
  keep: { readonly now: Temporal.Instant; readonly days: Readonly<Record<string, number>> },
): Promise<number> {
  const before = (days: number) => keep.now.subtract({ hours: days * 24 }).toString();
  const connections = Object.keys(keep.days);
  const limits = Object.values(keep.days).map(before);
  let deleted = 0;
  for (let count = 0; count < MOST_STATEMENTS; count += 1) {
    const some = await store.affect(
      `delete from raw_chunk where company = $1 and (origin_id, first_line) in (
         select c.origin_id, c.first_line from raw_chunk c
           left join origin o on o.company = c.company and o.id = c.origin_id
           left join unnest($2::text[], $3::timestamptz[]) as k(connection, before)
             on k.connection = o.connection
          where c.company = $1
            and c.kept_at < case when o.id is null then $4::timestamptz else k.before end
          limit ${TIDIED_AT_ONCE})`,
      [company, connections, limits, before(UNSEEN_DAYS)],
    );
    deleted += some;
    if (some < TIDIED_AT_ONCE) break;
  }
  return deleted;
}
