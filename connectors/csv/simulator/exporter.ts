/**
 * The export folder: deltas grow row by row until they are named, snapshots are written at once.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { CsvFile, type Encoding } from "./csv-file.ts";
import type { BadRow } from "./faults.ts";
import { cellsOf, LAYOUT, type Row, type Stream } from "./layout.ts";

export interface Exporter {
  /** Gives the physical line on which the row will stand. */
  add<S extends Stream>(stream: S, row: Row<S>): number;
  /** Gives the deltas that have rows their names. */
  finish(stamp: Stamp): readonly Written[];
  snapshot<S extends Stream>(stream: S, stamp: Stamp, rows: Iterable<Row<S>>, how?: How): Written;
  /** Writes a file again under the name of a later minute; gives that name. */
  again(written: Written, stamp: Stamp): string;
  /** Drops deltas that have no name yet. */
  abandon(): void;
}

/** Day and minute of the day, as a file's name says them. */
export interface Stamp {
  readonly on: string;
  readonly minute: number;
}

export interface How {
  readonly encoding?: Encoding;
  /** Ends the file inside a row. */
  readonly cut?: boolean;
}

export interface Written {
  readonly stream: Stream;
  readonly name: string;
  readonly badRows: readonly { readonly what: string; readonly line: number }[];
  /** The line inside which it was cut; null: it was not. */
  readonly cutAt: number | null;
}

interface OpenFile {
  readonly stream: Stream;
  readonly file: CsvFile;
  /** Not written yet. */
  readonly bad: BadRow[];
  readonly badRows: { readonly what: string; readonly line: number }[];
  rows: number;
}

/** Bad rows stand among good ones: after this many of them. */
const BAD_ROWS_AFTER = 10;

export function exporterOf(
  folder: string,
  badRowsOf: (stream: Stream) => readonly BadRow[],
): Exporter {
  mkdirSync(folder, { recursive: true });
  const deltas = new Map<Stream, OpenFile>();
  const open = (stream: Stream, encoding: Encoding): OpenFile => ({
    stream,
    file: new CsvFile(folder, stream, LAYOUT[stream], encoding),
    bad: [...badRowsOf(stream)],
    badRows: [],
    rows: 0,
  });
  return {
    add(stream, row) {
      const opened = deltas.get(stream) ?? open(stream, "utf8");
      deltas.set(stream, opened);
      return addRow(opened, stream, row);
    },
    finish(stamp) {
      const written = [...deltas.values()].map((opened) => close(folder, opened, stamp, false));
      deltas.clear();
      return written;
    },
    snapshot(stream, stamp, rows, { encoding = "utf8", cut = false } = {}) {
      const opened = open(stream, encoding);
      for (const row of rows) addRow(opened, stream, row);
      return close(folder, opened, stamp, cut);
    },
    again(written, stamp) {
      const copy = nameOf(written.stream, { ...stamp, minute: stamp.minute + 1 });
      copyFileSync(join(folder, written.name), join(folder, copy));
      return copy;
    },
    abandon() {
      for (const { file } of deltas.values()) file.abandon();
      deltas.clear();
    },
  };
}

function addRow<S extends Stream>(opened: OpenFile, stream: S, row: Row<S>): number {
  if (opened.rows === BAD_ROWS_AFTER) addBadRows(opened);
  opened.rows += 1;
  return opened.file.add(cellsOf(stream, row));
}

function addBadRows({ file, bad, badRows }: OpenFile): void {
  for (const { what, cells } of bad.splice(0)) badRows.push({ what, line: file.add(cells) });
}

function close(folder: string, opened: OpenFile, stamp: Stamp, cut: boolean): Written {
  addBadRows(opened);
  const { stream, file, badRows } = opened;
  const cutAt = cut ? file.cutInsideRow() : null;
  const name = nameOf(stream, stamp);
  file.finish(join(folder, name));
  return { stream, name, badRows, cutAt };
}

function nameOf(stream: Stream, { on, minute }: Stamp): string {
  const time = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0"));
  return `${stream}-${on.replaceAll("-", "")}-${time.join("")}.csv`;
}
