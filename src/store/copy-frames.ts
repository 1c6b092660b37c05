/**
 * `COPY … TO STDOUT` as the server frames it, one row a frame, without an object a row: for those
 * who read rows by the million. The frames are read where the socket puts them.
 */
import type { Client, Connection, PoolClient, Submittable } from "pg";

/** Called with bytes of which those from `start` to `end` are whole rows' content. */
export type RowBytes = (bytes: Buffer, start: number, end: number) => void;

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
/** Start of the COPY, a notice, a setting, a notification: nothing to read, and nothing ends. */
const PASSED_OVER = new Set([0x48, 0x4e, 0x53, 0x41]);
/** Code and length of a message. */
const HEAD = 5;

/** Reads to the end; `row` must not keep the bytes. What it throws ends the statement. */
export function copyRows(client: Client | PoolClient, sql: string, row: RowBytes): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new Frames(sql, row, resolve, reject));
  });
}

type DataListener = (bytes: Buffer) => void;

class Frames implements Submittable {
  readonly #sql: string;
  readonly #row: RowBytes;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #connection: Connection | null = null;
  #others: DataListener[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #fault: { readonly error: unknown } | null = null;

  constructor(sql: string, row: RowBytes, resolve: () => void, reject: (error: unknown) => void) {
    this.#sql = sql;
    this.#row = row;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    const { stream } = connection;
    this.#others = stream.listeners("data") as DataListener[];
    stream.removeAllListeners("data");
    stream.on("data", this.#take);
    connection.query(this.#sql);
  }

  readonly #take = (piece: Buffer): void => {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (at + HEAD <= bytes.length) {
      const end = at + 1 + bytes.readUInt32BE(at + 1);
      const code = bytes[at];
      if (code !== COPY_DATA && code !== COPY_DONE && !PASSED_OVER.has(code ?? 0)) {
        this.#handBack(bytes.subarray(at));
        return;
      }
      if (end > bytes.length) break;
      if (code === COPY_DATA) this.#give(bytes, at + HEAD, end);
      at = end;
      if (code !== COPY_DONE) continue;
      this.#handBack(bytes.subarray(at));
      return;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  };

  /** After a fault the rest is read and dropped: the connection stays of use. */
  #give(bytes: Buffer, start: number, end: number): void {
    if (this.#fault !== null) return;
    try {
      this.#row(bytes, start, end);
    } catch (error) {
      this.#fault = { error };
    }
  }

  /** The end, an error, a notice: what `pg` itself understands. */
  #handBack(rest: Buffer): void {
    const stream = this.#connection?.stream;
    if (stream === undefined) return;
    stream.off("data", this.#take);
    this.#rest = Buffer.alloc(0);
    for (const other of this.#others) stream.on("data", other);
    if (rest.length > 0) for (const other of this.#others) other(rest);
  }

  handleError(error: unknown): void {
    this.#connection?.stream.off("data", this.#take);
    this.#fault ??= { error };
    this.#reject(this.#fault.error);
  }

  handleReadyForQuery(): void {
    if (this.#fault === null) this.#resolve();
    else this.#reject(this.#fault.error);
  }

  handleCommandComplete(): void {
    // What the rows were is known by their bytes.
  }

  handleRowDescription(): void {
    // COPY has none.
  }

  handleDataRow(): void {
    // COPY has none.
  }

  handleEmptyQuery(): void {
    // There is a statement.
  }
}
