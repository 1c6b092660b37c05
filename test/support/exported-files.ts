/** Files as an ERP writes them for a company by files, each with a number of its own. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export type Export = (stream: string, header: string, ...rows: readonly string[]) => void;

export function exportsInto(folder: string): Export {
  let files = 0;
  return (stream, header, ...rows) => {
    files += 1;
    const name = `${stream}-${String(files).padStart(4, "0")}.csv`;
    writeFileSync(join(folder, name), `${[header, ...rows].join("\n")}\n`);
  };
}
