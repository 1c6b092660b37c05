/**
 * Up to where a book has followed the tables: by record the number of the last change that is in
 * it. What came later is told by the changes themselves, so that nobody reads all rows again.
 */
import { records } from "../model/index.ts";
import type { Reader } from "./masters-read.ts";
import { MASTER_RECORDS } from "./masters-read.ts";

const FOLLOWED = [
  "price-rule",
  "promotion",
  "quotation",
  "quotation-line",
  ...MASTER_RECORDS,
] as const;

export interface Position {
  readonly changes: Readonly<Record<string, number>>;
  /** The run of each of these changes: a number alone could be that of another database. */
  readonly runs: Readonly<Record<string, string>>;
  /** Records with rows that came past the merge: nothing tells when these change. */
  readonly untold: readonly string[];
  /** Says of the rounds and holds in force whether any of them moved. */
  readonly overlay: string;
}

/** Taken at the moment at which the rows are read. */
export async function positionAt(on: Reader, company: string): Promise<Position> {
  const changes = await on.query<{ record: string; number: number; runId: string }>(
    `select distinct on (record) record, number, run_id as "runId" from record_change
      where company = $1 order by record, number desc`,
    [company],
  );
  const told = new Set(changes.map(({ record }) => record));
  const silent = FOLLOWED.filter((record) => !told.has(record));
  const untold = await on.query<{ record: string }>(
    silent
      .map(
        (record) =>
          `select '${record}' as record where exists (
             select from ${records[record].table} where company = $1)`,
      )
      .join(" union all ") || "select '' as record where $1 = ''",
    [company],
  );
  const [overlay] = await on.query<{ said: string }>(
    `select concat_ws(' ', count(*), max(learned_at), count(*) filter (where hides)) as said
       from price_overlay where company = $1`,
    [company],
  );
  return {
    changes: Object.fromEntries(changes.map(({ record, number }) => [record, number])),
    runs: Object.fromEntries(changes.map(({ record, runId }) => [record, runId])),
    untold: untold.map(({ record }) => record),
    overlay: overlay?.said ?? "",
  };
}

/** What must be read to bring a book from one position to another. */
export type Way =
  | { readonly kind: "none" }
  | {
      readonly kind: "changes";
      readonly masters: boolean;
      readonly promotions: boolean;
      readonly quotations: boolean;
      /** Number of the last change of rules that is in the book; null: none came after it. */
      readonly rulesAfter: number | null;
    }
  | { readonly kind: "all"; readonly why: string };

export async function wayFrom(
  on: Reader,
  company: string,
  before: Position,
  now: Position,
): Promise<Way> {
  if (before.overlay !== now.overlay)
    return { kind: "all", why: "price rounds or held changes came into force or went" };
  if (now.untold.includes("price-rule"))
    return { kind: "all", why: "rules were written past the merge" };
  if (!(await happenedHere(on, company, before)))
    return { kind: "all", why: "it was made from another database, or from one put back in time" };
  const had = before.changes["price-rule"] ?? 0;
  const has = now.changes["price-rule"] ?? 0;
  if (had !== has && !(await allAreListed(on, company, had, has)))
    return { kind: "all", why: "rules were loaded for the first time, or a great part is new" };
  const moved = (record: string) =>
    now.untold.includes(record) || now.changes[record] !== before.changes[record];
  const way = {
    kind: "changes",
    masters: MASTER_RECORDS.some(moved),
    promotions: moved("promotion"),
    quotations: moved("quotation") || moved("quotation-line"),
    rulesAfter: had === has ? null : had,
  } as const;
  const some = way.masters || way.promotions || way.quotations || way.rulesAfter !== null;
  return some ? way : { kind: "none" };
}

async function happenedHere(on: Reader, company: string, { changes, runs }: Position) {
  const known = Object.entries(changes);
  const [row] = await on.query<{ here: number }>(
    `select count(*) as here from record_change c
       join unnest($2::text[], $3::int[], $4::uuid[]) as k (record, number, run_id)
         on c.record = k.record and c.number = k.number and c.run_id = k.run_id
      where c.company = $1`,
    [
      company,
      known.map(([record]) => record),
      known.map(([, number]) => number),
      known.map(([record]) => runs[record] ?? ""),
    ],
  );
  return row?.here === known.length;
}

async function allAreListed(
  on: Reader,
  company: string,
  had: number,
  has: number,
): Promise<boolean> {
  const [row] = await on.query<{ listed: number }>(
    `select count(*) as listed from record_change
      where company = $1 and record = 'price-rule' and number > $2 and number <= $3 and not whole`,
    [company, had, has],
  );
  return row?.listed === has - had;
}
