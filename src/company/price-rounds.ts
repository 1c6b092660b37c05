/** Price rounds: files in the layout of a company's own price rules, read by its own mapping. */
import { createHash } from "node:crypto";
import { createSplitter, type SplitItem } from "#connector/files";
import type { Context } from "../company.ts";
import { durationSeconds, type CompanySettings } from "../config.ts";
import type { Mapping } from "../mapping/index.ts";
import type { Canonical } from "../model/index.ts";
import type { Alarms } from "../notify/index.ts";
import { ordersOnTheWay, type OrderOnTheWay } from "../orders/index.ts";
import {
  openHolds,
  openRounds,
  orderSays,
  PUBLISH_JOB,
  RoundRefused,
  type Holds,
  type NewRound,
  type Round,
  type Rounds,
} from "../pricing/index.ts";
import type { Transaction } from "../store/index.ts";
import type { Owned } from "./owners.ts";

/** A file of new prices with what a person says of it. */
export type RoundFile = Omit<NewRound, "rules" | "file" | "fileSha256"> & {
  readonly file: string;
  readonly content: Uint8Array;
};

/** An order on the way that a round concerns, and what the round's words say of it. */
export interface RoundOrder extends OrderOnTheWay {
  readonly says: string;
}

export interface PriceRounds extends Omit<Rounds, "load"> {
  /** Placed before its start and not invoiced in full, with lines of its products; oldest first. */
  orders(name: string): Promise<readonly RoundOrder[]>;
  /** Throws `RoundRefused`, with every row that is wrong. */
  load(file: RoundFile): Promise<Round>;
}

/** From what age on a source makes prices stale, in seconds. */
export function staleAfterOf({
  pricing: { staleAfter, staleAfterOf: of },
}: CompanySettings): (source: string) => number | null {
  return (source) => {
    const text = of[source] ?? staleAfter;
    return text === undefined ? null : durationSeconds(text);
  };
}

/** What people decide on prices: rounds to come, and changes that wait. */
export function priceDesksOf(
  { store, jobs, now, access }: Context,
  {
    code: company,
    settings,
    owned,
    alarms,
  }: {
    readonly code: string;
    readonly settings: CompanySettings;
    readonly owned: Owned;
    readonly alarms: Alarms;
  },
): { readonly rounds: PriceRounds; readonly holds: Holds } {
  const desk = {
    store,
    company,
    timeZone: settings.timeZone,
    now,
    alarms,
    publishLater: async (tx: Transaction) => {
      await jobs.queue(tx, PUBLISH_JOB, { company }, { singletonKey: company });
    },
    ...(access === undefined ? {} : { audit: access.audit }),
  };
  const rounds = openRounds(desk);
  const load: PriceRounds["load"] = ({ content, ...given }) =>
    rounds.load({
      ...given,
      fileSha256: createHash("sha256").update(content).digest("hex"),
      rules: rulesIn(given, content, ruleMapping(company, settings, owned)),
    });
  const orders: PriceRounds["orders"] = async (name) => {
    const { id, startsAt, words } = await rounds.find(name);
    const found = await ordersOnTheWay(store, company, await rounds.places(id), startsAt);
    return found.map((order) => ({ ...order, says: orderSays(words, order.kind) }));
  };
  return { rounds: { ...rounds, load, orders }, holds: openHolds(desk) };
}

/** The mapping by which the ERP's own price rules are read. */
function ruleMapping(company: string, { connections }: CompanySettings, owned: Owned): Mapping {
  for (const connection of Object.keys(connections))
    for (const mapping of owned.mappingsOf(connection))
      if (mapping.record.name === "price-rule") return mapping;
  throw new RoundRefused(
    "round-rows-wrong",
    `Loading a price round of ${company}: no connection reads price rules, so nothing says what a file of them looks like.`,
  );
}

const FEW = 10;

function rulesIn(
  { name, file }: Pick<RoundFile, "name" | "file">,
  content: Uint8Array,
  mapping: Mapping,
): NewRound["rules"] {
  const problems: string[] = [];
  const rules = rowsIn(name, file, content).flatMap(({ line, values }) => {
    if (typeof values === "string") {
      problems.push(`line ${line}: ${values}`);
      return [];
    }
    const mapped = mapping.apply(values);
    if (mapped.kind === "ignored") return [];
    if (mapped.kind === "rejected") {
      for (const { field, found, expected } of mapped.problems)
        problems.push(`line ${line}: ${field} is ${found}; expected ${expected}`);
      return [];
    }
    return mapped.records.map((rule) => ({ line, rule: rule as Canonical<"price-rule"> }));
  });
  if (problems.length === 0) return rules;
  const more = problems.length > FEW ? ` … and ${problems.length - FEW} more` : "";
  throw new RoundRefused(
    "round-rows-wrong",
    `Loading price round ${name}: ${problems.length === 1 ? "1 row" : `${problems.length} rows`} of ${file} ${problems.length === 1 ? "is" : "are"} wrong, so that none was taken: ` +
      `${problems.slice(0, FEW).join("; ")}${more}. Mend them and load the file again.`,
  );
}

interface FileRow {
  readonly line: number;
  /** The row by column; a text: why it is none. */
  readonly values: Readonly<Record<string, string>> | string;
}

function rowsIn(name: string, file: string, content: Uint8Array): FileRow[] {
  const bytes = Buffer.from(content);
  const splitter = createSplitter({
    delimiter: ",",
    encoding: isUtf8(bytes) ? "utf-8" : "windows-1252",
    keep: true,
    maxFieldBytes: 65_536,
    maxRowBytes: 1_048_576,
  });
  const items: readonly SplitItem[] = [...splitter.push(bytes), ...splitter.end()];
  const [header, ...rows] = items;
  if (header === undefined || header.kind === "reject")
    throw new RoundRefused(
      "round-rows-wrong",
      `Loading price round ${name}: ${file} has no header row. Give a CSV file whose first line names its columns.`,
    );
  const columns = header.fields.map((column) => column.trim());
  return rows.map((row) => ({
    line: row.line,
    values:
      row.kind === "reject"
        ? row.reason
        : Object.fromEntries(columns.map((column, at) => [column, row.fields[at] ?? ""])),
  }));
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
