/**
 * What a merge would write, told before it is written: which records, each field before and after,
 * and a digest of all of it, so that two merges can be known to be the same.
 */
import { columnOf, currencyIn } from "../model/index.ts";
import type { RecordDefinition } from "../model/index.ts";
import { compare, withRoom } from "./compare.ts";
import type { Transaction } from "./connection.ts";
import type { MergeOptions } from "./merge.ts";
import { keyText, quoted } from "./table-sql.ts";

export type Change = "insert" | "change" | "remove";

/** A record that a merge would write. */
export interface RecordChange {
  readonly what: Change;
  /** Values of the key, " / " between. */
  readonly key: string;
  /** Where the row came from that says so; null: it is said by a row's absence. */
  readonly originId: string | null;
  readonly line: number | null;
  /** By field, as text: of a change those that differ, else all that hold a value. */
  readonly fields: Readonly<Record<string, Before>>;
}

interface Before {
  readonly before: string | null;
  readonly after: string | null;
  /** Of amounts of money alone. */
  readonly currency?: string;
}

export interface Differences {
  /** Equal digests: the same rows would be written over the same rows. */
  readonly digest: string;
  /** So many of each kind as were asked for, by key. */
  readonly changes: readonly RecordChange[];
  readonly counts: Readonly<Record<Change, number>>;
  /**
   * The same as a relation for more SQL of this transaction, until the merge: `d.what` is new,
   * changed, gone or foreign; `s` is the staged row, `t` the kept one.
   */
  readonly from: string;
}

const WHAT = { insert: "new", change: "changed", remove: "gone" } as const;

/** Nothing is written. What was compared here is not compared again when the merge comes next. */
export async function differences(
  tx: Transaction,
  options: MergeOptions,
  mostOfEach: number,
): Promise<Differences> {
  return withRoom(tx, async () => {
    const { isFirst } = await compare(tx, options);
    const from = fromOf(options, isFirst);
    const counts = await countsOf(tx, from);
    const changes: RecordChange[] = [];
    for (const what of ["change", "remove", "insert"] as const)
      if (counts[what] > 0) changes.push(...(await listOf(tx, options, what, from, mostOfEach)));
    return { digest: await digestOf(tx, options, from), changes, counts, from };
  });
}

/**
 * The relation of `Differences.from` alone, for whoever looks at a merge right before it is made;
 * null: the company has no row yet, so that all is new.
 */
export async function plannedRows(tx: Transaction, options: MergeOptions): Promise<string | null> {
  return withRoom(tx, async () => {
    const { isFirst } = await compare(tx, options);
    return isFirst ? null : fromOf(options, false);
  });
}

/** Of a company that has no row yet nothing was compared: all that is staged is new. */
function fromOf({ record, staging }: MergeOptions, isFirst: boolean): string {
  return isFirst
    ? `(SELECT 'new'::text AS what) d CROSS JOIN ${staging.table} s
       LEFT JOIN ${quoted(record.table)} t ON false`
    : `pg_temp.difference d LEFT JOIN ${staging.table} s ON s.ctid = d.staged
       LEFT JOIN ${quoted(record.table)} t ON t.ctid = d.kept`;
}

async function countsOf(tx: Transaction, from: string): Promise<Record<Change, number>> {
  const rows = await tx.query<{ what: string; n: number }>(
    `SELECT d.what, count(*) AS n FROM ${from} GROUP BY 1`,
  );
  const of = (what: string) => rows.find((row) => row.what === what)?.n ?? 0;
  return { insert: of(WHAT.insert), change: of(WHAT.change), remove: of(WHAT.remove) };
}

/** A sum does not ask for an order, which a million rows would be slow to be put in. */
async function digestOf(tx: Transaction, { record }: MergeOptions, from: string): Promise<string> {
  const key = `concat_ws('/', ${[keyText(record, "s"), keyText(record, "t")].join(", ")})`;
  const [row] = await tx.query<{ rows: number; sum: string }>(
    `SELECT count(*) AS rows, coalesce(sum(('x' || left(md5(concat_ws('|', d.what, ${key},
       s.row_hash, t.row_hash, t.feed)), 15))::bit(60)::bigint), 0)::text AS sum FROM ${from}`,
  );
  return `${row?.rows ?? 0}:${row?.sum ?? "0"}`;
}

async function listOf(
  tx: Transaction,
  { record }: MergeOptions,
  what: Change,
  from: string,
  most: number,
): Promise<RecordChange[]> {
  const rows = await tx.query<{
    key: string;
    originId: string | null;
    line: number | null;
    before: (string | null)[];
    after: (string | null)[];
  }>(
    `SELECT ${keyText(record, what === "insert" ? "s" : "t")} AS key, s.origin_id AS "originId",
            s.origin_line AS line, ${textsOf(record, "t")} AS before, ${textsOf(record, "s")} AS after
       FROM ${from} WHERE d.what = '${WHAT[what]}' ORDER BY 1 LIMIT ${Math.trunc(most)}`,
  );
  return rows.map(({ before, after, ...place }) => ({
    ...place,
    what,
    fields: fieldsOf(what, record, before, after),
  }));
}

/** Every field as text: a decimal as JSON would be a float. */
function textsOf(record: RecordDefinition, alias: string): string {
  const texts = Object.keys(record.fields).map(
    (name) => `${alias}.${quoted(columnOf(name))}::text`,
  );
  return `ARRAY[${texts.join(", ")}]`;
}

function fieldsOf(
  what: Change,
  record: RecordDefinition,
  before: readonly (string | null)[],
  after: readonly (string | null)[],
): Record<string, Before> {
  const names = Object.keys(record.fields);
  const rowOf = (values: readonly (string | null)[]): Record<string, string | null> =>
    Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
  const was = what === "insert" ? {} : rowOf(before);
  const is = what === "remove" ? {} : rowOf(after);
  const fields: Record<string, Before> = {};
  for (const name of names) {
    const pair = { before: was[name] ?? null, after: is[name] ?? null };
    if (pair.before === pair.after) continue;
    const currencies = [was, is].flatMap((row) =>
      Object.keys(row).length === 0 ? [] : [currencyIn(record, name, row)],
    );
    const [currency] = currencies;
    // A percent that becomes a price is no amount of money before.
    const isMoney = currency !== undefined && currencies.every((each) => each === currency);
    fields[name] = isMoney && currency !== null ? { ...pair, currency } : pair;
  }
  return fields;
}
