/**
 * The hostile ERP behind a folder: it takes order files when it likes, in odd order, and answers
 * late, twice or never; where no answer comes only its later export of orders tells.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "csv-parse/sync";
import { pounds, type SentTables } from "./books.ts";
import type { Draws } from "./faults.ts";
import { today, type Exports } from "./exports.ts";
import type { Ledger } from "./ledger.ts";

export interface TakenFolder extends AsyncDisposable {
  /** Orders whose header could be seen while the rest was not as promised. */
  readonly halfSeen: readonly string[];
}

const LOOK_MS = 100;
/** A header lies so long before it is taken; a few lie three times as long. */
const TAKE_MS = 2_000;
const LATE = 0.06;
const ANSWER_MS = 2_000;
/** Shares of answers that never come, and that come twice. */
const LOST = 0.12;
const TWICE = 0.06;

interface Taking {
  readonly folder: string;
  readonly ledger: Ledger;
  readonly draws: Draws;
  readonly exports: Exports;
  readonly halfSeen: string[];
  readonly firstSeen: Map<string, number>;
}

export function takeFromFolder(
  given: Pick<Taking, "folder" | "ledger" | "draws" | "exports">,
): TakenFolder {
  const taking: Taking = { ...given, halfSeen: [], firstSeen: new Map() };
  const stop = new AbortController();
  const looking = look(taking, stop.signal);
  return {
    halfSeen: taking.halfSeen,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await looking;
    },
  };
}

async function look(taking: Taking, stop: AbortSignal): Promise<void> {
  await mkdir(join(taking.folder, "orders", ".taken"), { recursive: true });
  while (!stop.aborted) {
    const names = await readdir(join(taking.folder, "orders"));
    const now = Date.now();
    for (const name of names) {
      if (!/^[^.].*(?<!-lines)\.csv$/.test(name)) continue;
      const key = name.slice(0, -".csv".length);
      const seen = taking.firstSeen.get(key) ?? now;
      taking.firstSeen.set(key, seen);
      if (now - seen >= patience(taking.draws, key)) await take(taking, key);
    }
    await sleep(LOOK_MS);
  }
}

function patience(draws: Draws, key: string): number {
  const drawn = draws.of("take", key);
  return drawn * TAKE_MS * (drawn > 1 - LATE ? 3 : 1);
}

async function take({ folder, ledger, draws, exports, ...seen }: Taking, key: string) {
  const orders = join(folder, "orders");
  const tables = await readTables(orders, key);
  seen.firstSeen.delete(key);
  if (tables === null) seen.halfSeen.push(`the header of ${key} was there, the rest was not`);
  for (const name of [`${key}.csv`, `${key}-lines.csv`, `${key}.manifest.json`])
    await rename(join(orders, name), join(orders, ".taken", name)).catch(() => undefined);
  if (tables === null) return;
  const call = ledger.call("take", key);
  if (patience(draws, key) > TAKE_MS) ledger.count("taken late");
  if (draws.refuses(key)) {
    ledger.refuse(key);
    answerLater({ ledger, draws, exports }, key, refusal(key));
    return;
  }
  const { number, net, vat } = ledger.commit(tables);
  const row = { webOrder: key, outcome: "accepted", erpOrder: number, reason: "" };
  answerLater(
    { ledger, draws, exports },
    key,
    { ...row, answeredOn: today(), net: pounds(net), vat: pounds(vat) },
    call,
  );
}

/** A refusal is always told: else nobody could know of it. */
function answerLater(
  { ledger, draws, exports }: Pick<Taking, "ledger" | "draws" | "exports">,
  key: string,
  row: Readonly<Record<string, string>>,
  call = 0,
): void {
  const drawn = draws.of("answer", key, call);
  if (row["outcome"] === "accepted" && drawn < LOST) {
    ledger.count("answer lost");
    return;
  }
  const times = drawn > 1 - TWICE ? 2 : 1;
  if (times === 2) ledger.count("answered twice");
  for (let time = 1; time <= times; time += 1)
    setTimeout(
      () => exports.add("order-acknowledgements", [row]),
      time * drawn * ANSWER_MS,
    ).unref();
}

function refusal(webOrder: string): Readonly<Record<string, string>> {
  const reason = "the goods are not delivered to this account";
  return {
    webOrder,
    outcome: "refused",
    erpOrder: "",
    reason,
    answeredOn: today(),
    net: "",
    vat: "",
  };
}

/** Null: the manifest, or a file that it promises, is not as it should be. */
async function readTables(orders: string, key: string): Promise<SentTables | null> {
  const read = (name: string) => readFile(join(orders, name)).catch(() => null);
  const manifest = await read(`${key}.manifest.json`);
  if (manifest === null) return null;
  const { files } = JSON.parse(manifest.toString("utf8")) as {
    readonly files: readonly { readonly name: string; readonly sha256: string }[];
  };
  const tables: { name: string; columns: string[]; rows: string[][] }[] = [];
  for (const { name, sha256 } of files) {
    const content = await read(name);
    if (content === null || createHash("sha256").update(content).digest("hex") !== sha256)
      return null;
    const [columns = [], ...rows] = parse(content, { relax_column_count: true });
    tables.push({ name: name === `${key}.csv` ? "header" : "lines", columns, rows });
  }
  return tables;
}
