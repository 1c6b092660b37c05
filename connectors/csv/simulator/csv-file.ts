/** One export file: written under a dot name, flushed to disk, and only then given its name. */
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "csv-stringify/sync";
import iconv from "iconv-lite";
import type { Cell } from "./layout.ts";

export type Encoding = "utf8" | "windows1252";

const BATCH = 500;

export class CsvFile {
  /** Physical lines written so far, the header included; quoted texts may hold line ends. */
  lines = 1;
  readonly #temporary: string;
  readonly #file: number;
  readonly #encoding: Encoding;
  #waiting: Cell[][] = [];

  constructor(
    folder: string,
    stream: string,
    columns: readonly string[],
    encoding: Encoding = "utf8",
  ) {
    this.#temporary = join(folder, `.${stream}.writing`);
    this.#file = openSync(this.#temporary, "w+");
    this.#encoding = encoding;
    this.#waiting.push([...columns]);
  }

  /** Gives the physical line on which the row begins. */
  add(cells: Cell[]): number {
    const line = this.lines + 1;
    this.lines += 1;
    for (const cell of cells) {
      if (typeof cell === "string" && cell.includes("\n"))
        this.lines += cell.split("\n").length - 1;
    }
    this.#waiting.push(cells);
    if (this.#waiting.length >= BATCH) this.#flush();
    return line;
  }

  /**
   * Cuts the file inside the row at about three fifths,
   * as a full disk would. Gives that row's line.
   */
  cutInsideRow(): number {
    this.#flush();
    const content = readFileSync(this.#temporary);
    const start = content.indexOf("\r\n", Math.floor(content.length * 0.6)) + 2;
    const end = content.indexOf("\r\n", start);
    ftruncateSync(this.#file, start + Math.floor((end - start) / 2));
    return content.subarray(0, start).toString("latin1").split("\n").length;
  }

  finish(path: string): void {
    this.#flush();
    fsyncSync(this.#file);
    closeSync(this.#file);
    renameSync(this.#temporary, path);
    syncFolder(dirname(path));
  }

  abandon(): void {
    closeSync(this.#file);
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    const text = stringify(this.#waiting, {
      record_delimiter: "windows",
      cast: { boolean: (value) => String(value) },
    });
    this.#waiting = [];
    writeFileSync(
      this.#file,
      this.#encoding === "utf8" ? text : iconv.encode(text, this.#encoding),
    );
  }
}

/**
 * Makes the new name itself durable. Windows cannot open a folder; it does not need this either.
 */
function syncFolder(folder: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  fsyncSync(handle);
  closeSync(handle);
}
