/** Export files of the hostile ERP, written under another name and renamed into `out/`. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "csv-stringify/sync";

type Row = Readonly<Record<string, string>>;

export interface Exports {
  /** Waits for the next writing. */
  add(stream: string, rows: readonly Row[]): void;
  /** Writes what was added since, a file a stream. */
  write(): Promise<void>;
}

export function openExports(folder: string): Exports {
  const waiting = new Map<string, Row[]>();
  let files = 0;
  return {
    add: (stream, rows) => {
      const all = waiting.get(stream) ?? [];
      all.push(...rows);
      waiting.set(stream, all);
    },
    write: async () => {
      const taken = [...waiting];
      waiting.clear();
      files += 1;
      await mkdir(join(folder, "out"), { recursive: true });
      for (const [stream, rows] of taken) {
        if (rows.length === 0) continue;
        const name = `${stream}-${String(files).padStart(6, "0")}.csv`;
        await writeFile(join(folder, `${name}.part`), stringify([...rows], { header: true }));
        await rename(join(folder, `${name}.part`), join(folder, "out", name));
      }
    },
  };
}

export function today(): string {
  return Temporal.Now.plainDateISO("Europe/London").toString();
}
