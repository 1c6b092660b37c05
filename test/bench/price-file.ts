/** The export file that pulls are measured on: price rules of 20 lists, made from a seed. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import { sequence } from "./price-data.ts";

export interface PriceFiles {
  readonly whole: string;
  /** A day later: one price in a hundred changed, one row in 2,000 gone and as many new. */
  readonly changed: string;
  readonly rows: number;
}

export const COLUMNS = [
  "rule",
  "customerScope",
  "customerCode",
  "productScope",
  "productCode",
  "kind",
  "value",
  "currency",
  "unit",
  "fromQuantity",
  "validFrom",
  "validTo",
  "priority",
  "net",
  "contract",
  "contractQuantity",
];

const LISTS = 20;
const BREAKS = [1, 10, 100];

export async function writePriceFiles(
  folder: string,
  rows: number,
  seed: number,
): Promise<PriceFiles> {
  const whole = join(folder, "whole.csv");
  const changed = join(folder, "changed.csv");
  await writeLines(whole, priceLines(rows, seed, false));
  await writeLines(changed, priceLines(rows, seed, true));
  return { whole, changed, rows };
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  await using file = await open(path, "w", 0o644);
  let batch: string[] = [COLUMNS.join(",")];
  for (const line of lines) {
    batch.push(line);
    if (batch.length < 20_000) continue;
    await file.write(`${batch.join("\r\n")}\r\n`);
    batch = [];
  }
  if (batch.length > 0) await file.write(`${batch.join("\r\n")}\r\n`);
}

function* priceLines(rows: number, seed: number, changed: boolean): Generator<string> {
  const random = sequence(seed);
  const change = sequence(seed + 1);
  for (let at = 0; at < rows; at += 1) {
    const list = `PL${String(Math.floor(at / BREAKS.length) % LISTS).padStart(3, "0")}`;
    const product = `SKU${String(Math.floor(at / BREAKS.length / LISTS)).padStart(6, "0")}`;
    const money = 100 + Math.floor(random() * 200_000);
    const from = dayText(20_000 + Math.floor(random() * 700));
    const to = random() < 0.2 ? "2027-12-31" : "";
    const net = random() < 0.1;
    const contract = contractText(random());
    if (changed && at % 2000 === 1999) continue;
    const price = changed && change() < 0.01 ? money + 7 : money;
    yield (
      `${list}/${product},price-list,${list},product,${product},fixed,${(price / 100).toFixed(4)},` +
        `GBP,EACH,${BREAKS[at % BREAKS.length]},${from},${to},,${net},${contract},`
    );
  }
  if (!changed) return;
  for (let at = 0; at < rows / 2000; at += 1)
    yield `PL000/NEW${at},price-list,PL000,product,NEW${at},fixed,9.9900,GBP,EACH,1,2026-11-01,,,false,,`;
}

/** One row in five has a field in quotes, one in twenty of all with quotes inside. */
function contractText(chance: number): string {
  if (chance < 0.15) return '"Kitchens, phase 2"';
  return chance < 0.2 ? '"Pipe 3/4"" BSP"' : "";
}

function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
