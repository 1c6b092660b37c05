/**
 * Document numbers that were left out. Numbers of a kind run on behind a prefix; whether they do
 * is learned from the numbers themselves, and where they do not nothing is reported.
 */
import type { Transaction } from "../store/index.ts";
import {
  closeFinding,
  keepFinding,
  liveFindings,
  type NewFinding,
} from "./completeness-findings.ts";
import type { At } from "./journal.ts";

/** A record whose numbers run on, by its columns. */
export interface NumberedRecord {
  readonly record: string;
  readonly table: string;
  readonly number: string;
  /** The column that tells kinds of documents apart, and its words; null: there are none. */
  readonly kind: { readonly column: string; readonly words: readonly string[] } | null;
  readonly on: string;
  /** True: a first load has old ones only while they are open, so what it lacks says nothing. */
  readonly oldOnesGo?: true;
}

/** More numbers than this between two documents: the numbering was moved on, nothing is missing. */
const JUMP = 500;
/** Fewer numbers than this say nothing about whether they run on. */
export const FEWEST = 4;
/** So many missing numbers may be a quarter of all; more of them at most one for ten held. */
const FEW_MISSING = 10;
/** Series up to so long are looked through again when they are judged for the first time. */
const MOST_AGAIN = 2_000;
/** Beyond so many gaps at once they are one finding. */
const MOST_GAPS = 20;
/** Prefixes beyond this are no series: such numbers are made in another way. */
const MOST_SERIES = 50;
const MOST_HOLES = 2_000;
const MOST_NAMED = 1_000;
const MOST_LIVE = 500;

interface Series {
  readonly kind: string;
  readonly prefix: string;
  readonly held: number;
  /** Numbers left out; where the numbering was moved on it counts as one. */
  readonly missing: number;
  readonly separate: boolean;
  readonly first: string;
  readonly firstOn: string;
  /** From the first number to the last. */
  readonly span: number;
  readonly runsOn: boolean;
}

/** SQL of whether the numbers of a series say that they run on. */
export const RUNS_ON = `(held >= ${FEWEST} and
  case when missing <= ${FEW_MISSING} then missing * 3 else missing * 10 end <= held)`;

interface Hole {
  readonly kind: string;
  readonly prefix: string;
  readonly before: string;
  readonly beforeOn: string;
  readonly after: string;
  readonly afterOn: string;
  /** Numbers between. */
  readonly length: number;
}

/** After the merge: what the staged documents show of their series. */
export async function considerNumbers(
  tx: Transaction,
  at: At,
  record: NumberedRecord,
  staging: string,
): Promise<void> {
  const source = { at, record, staging };
  const doubted = await doubtedSeries(tx, source);
  await fillGaps(tx, source);
  await listNumbers(tx, source);
  const series = await touchedSeries(tx);
  if (series.length === 0 || series.length > MOST_SERIES) return;
  const holes: Hole[] = [];
  const known = record.oldOnesGo === true ? await knownSeries(tx, source) : null;
  for (const one of series)
    if (known === null || known.has(`${one.kind} ${one.prefix}`))
      holes.push(...(await newHoles(tx, source, one)));
  if (holes.length > MOST_HOLES) return;
  for (const one of await storeSeries(tx, source, holes)) {
    const own = holes.filter(({ kind, prefix }) => kind === one.kind && prefix === one.prefix);
    if (!one.runsOn) await giveUp(tx, at, one);
    else if (known === null && doubted.has(`${one.kind} ${one.prefix}`) && one.span <= MOST_AGAIN)
      await openGaps(tx, source, one, await allHoles(tx, source, one));
    else await openGaps(tx, source, one, own);
  }
}

interface Numbers {
  readonly at: At;
  readonly record: NumberedRecord;
  readonly staging: string;
}

const NUMBERS = "pg_temp.document_numbers";

/** One row a number that was staged: kind, prefix, n, text, on_day. Gone with the transaction. */
async function listNumbers(
  tx: Transaction,
  { record: { number, kind, on }, staging }: Numbers,
): Promise<void> {
  await tx.query(`drop table if exists ${NUMBERS}`);
  await tx.query(
    `create temporary table document_numbers on commit drop as
     select kind, left(text, length(text) - length(digits)) as prefix, digits::bigint as n,
            min(text) as text, min(on_day) as on_day
       from (select ${kind === null ? "''::text" : `s.${kind.column}`} as kind, s.${number} as text,
                    s.${on} as on_day,
                    right(substr(s.${number}, length(rtrim(s.${number}, '0123456789')) + 1), 15)
                      as digits
               from ${staging} s) d
      where digits <> '' group by 1, 2, 3`,
  );
  await tx.query(`analyze ${NUMBERS}`);
}

const OF_SERIES = "d.company = $1 and d.connection = $2 and d.record = $3";

function seriesValues({ at, record }: Numbers): string[] {
  return [at.company, at.connection, record.record];
}

/** Series that were too small or too loose so far: what they lack was never said. */
async function doubtedSeries(tx: Transaction, source: Numbers): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ series: string }>(
    `select kind || ' ' || prefix as series from document_series d
      where ${OF_SERIES} and not ${RUNS_ON}`,
    seriesValues(source),
  );
  return new Set(rows.map(({ series }) => series));
}

async function knownSeries(tx: Transaction, source: Numbers): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ series: string }>(
    `select kind || ' ' || prefix as series from document_series d where ${OF_SERIES}`,
    seriesValues(source),
  );
  return new Set(rows.map(({ series }) => series));
}

async function touchedSeries(tx: Transaction): Promise<{ kind: string; prefix: string }[]> {
  return tx.query<{ kind: string; prefix: string }>(
    `select kind, prefix from ${NUMBERS} group by kind, prefix limit ${MOST_SERIES + 1}`,
  );
}

/** Only beyond what was seen: below the first and above the last number. */
async function newHoles(
  tx: Transaction,
  source: Numbers,
  { kind, prefix }: Pick<Series, "kind" | "prefix">,
): Promise<Hole[]> {
  const holes = await tx.query<Omit<Hole, "kind" | "prefix">>(
    `with known as (select * from document_series d
                     where ${OF_SERIES} and d.kind = $4 and d.prefix = $5),
     steps as (
       select n.n, n.text, n.on_day from ${NUMBERS} n left join known k on true
        where n.kind = $4 and n.prefix = $5 and (k.first is null or not n.n between k.first and k.last)
       union all select first, first_text, first_on from known
       union all select last, last_text, last_on from known),
     pairs as (
       select n, text, on_day, lag(n) over w as before_n, lag(text) over w as before,
              lag(on_day) over w as before_on
         from steps window w as (order by n))
     select p.before, p.before_on::text as "beforeOn", p.text as after, p.on_day::text as "afterOn",
            p.n - p.before_n - 1 as length
       from pairs p left join known k on true
      where p.n - p.before_n > 1 and (k.first is null or k.first <> p.before_n or k.last <> p.n)
      order by p.n limit ${MOST_HOLES + 1}`,
    [...seriesValues(source), kind, prefix],
  );
  return holes.map((hole) => ({ kind, prefix, ...hole }));
}

/** Remembers how far each series was seen; answers those that were touched. */
async function storeSeries(
  tx: Transaction,
  source: Numbers,
  holes: readonly Hole[],
): Promise<Series[]> {
  const { record } = source;
  const counted = holes.map((hole) => (hole.length <= JUMP ? hole : { ...hole, length: 1 }));
  // A number that two kinds share is nobody's gap but its own kind's.
  const shared =
    record.kind === null || (await seriesKinds(tx, source)) < 2
      ? "false and $5::text[] is null"
      : `exists (select 1 from ${NUMBERS} o join ${record.table} t
                    on t.company = $1 and t.${record.number} = o.text
                   and t.${record.kind.column} = any($5) and t.${record.kind.column} <> o.kind
                 where o.kind = n.kind and o.prefix = n.prefix)`;
  return tx.query<Series>(
    `with holes as (select kind, prefix, sum(length)::int as missing
                 from jsonb_to_recordset($4::jsonb) as h(kind text, prefix text, length bigint)
                group by 1, 2),
     spans as (
       select n.kind, n.prefix, min(n.n) as first, max(n.n) as last,
              count(*) filter (where d.first is null or not n.n between d.first and d.last) as held
         from ${NUMBERS} n left join document_series d on ${OF_SERIES}
              and d.kind = n.kind and d.prefix = n.prefix
        group by 1, 2),
     fresh as (
       select s.*, f.text as first_text, f.on_day as first_on, l.text as last_text,
              l.on_day as last_on
         from spans s
         join ${NUMBERS} f on f.kind = s.kind and f.prefix = s.prefix and f.n = s.first
         join ${NUMBERS} l on l.kind = s.kind and l.prefix = s.prefix and l.n = s.last)
     insert into document_series as d (company, connection, record, kind, prefix, first, last,
            first_text, first_on, last_text, last_on, held, missing, separate)
     select $1, $2, $3, n.kind, n.prefix, n.first, n.last, n.first_text, n.first_on, n.last_text,
            n.last_on, n.held, coalesce(h.missing, 0), ${shared}
       from fresh n left join holes h on h.kind = n.kind and h.prefix = n.prefix
     on conflict (company, connection, record, kind, prefix) do update
        set first = least(d.first, excluded.first), last = greatest(d.last, excluded.last),
            first_text = case when excluded.first < d.first then excluded.first_text else d.first_text end,
            first_on = case when excluded.first < d.first then excluded.first_on else d.first_on end,
            last_text = case when excluded.last > d.last then excluded.last_text else d.last_text end,
            last_on = case when excluded.last > d.last then excluded.last_on else d.last_on end,
            held = d.held + excluded.held, missing = d.missing + excluded.missing,
            separate = d.separate or excluded.separate
     returning kind, prefix, held, missing, separate, first_text as first,
            first_on::text as "firstOn", least(last - first, ${MOST_AGAIN + 1})::int as span,
            ${RUNS_ON} as "runsOn"`,
    [...seriesValues(source), JSON.stringify(counted), record.kind?.words ?? []],
  );
}

/** How many kinds of documents have numbers at all. */
async function seriesKinds(tx: Transaction, source: Numbers): Promise<number> {
  const [row] = await tx.query<{ kinds: number }>(
    `select count(*)::int as kinds from (
       select distinct kind from ${NUMBERS}
       union select d.kind from document_series d where ${OF_SERIES}) each`,
    seriesValues(source),
  );
  return row?.kinds ?? 0;
}

/** What a gap keeps of itself. */
interface GapFacts {
  readonly record: string;
  readonly kind: string;
  readonly prefix: string;
  readonly separate: boolean;
  readonly missing: readonly string[];
  readonly before: string;
  readonly beforeOn: string;
  readonly after: string;
  readonly afterOn: string;
}

async function openGaps(
  tx: Transaction,
  { at, record }: Numbers,
  series: Series,
  holes: readonly Hole[],
): Promise<void> {
  const named = holes.filter(({ length }) => length <= JUMP);
  const held = await heldNumbers(tx, at, record, series, named.flatMap(numbersIn));
  const gaps = named
    .map((hole) => ({ hole, missing: numbersIn(hole).filter((number) => !held.has(number)) }))
    .filter(({ missing }) => missing.length > 0);
  const [first] = gaps;
  const last = gaps.at(-1);
  if (first === undefined || last === undefined) return;
  const whole = { ...last.hole, before: first.hole.before, beforeOn: first.hole.beforeOn };
  const together = { hole: whole, missing: gaps.flatMap(({ missing }) => missing) };
  const { separate } = series;
  for (const { hole, missing } of gaps.length > MOST_GAPS ? [together] : gaps)
    await keepFinding(tx, at, gapFinding(record.record, { ...hole, separate, missing }));
}

/** Every hole between the first and the last number, as the held documents show them. */
async function allHoles(
  tx: Transaction,
  { at, record }: Numbers,
  series: Series,
): Promise<readonly Hole[]> {
  const { kind, prefix, first, firstOn, span } = series;
  const numbers = numbersIn({ prefix, before: first, length: span });
  const held = await heldNumbers(tx, at, record, series, numbers);
  const holes: Hole[] = [];
  let [before, beforeOn, length] = [first, firstOn, 0];
  for (const after of numbers) {
    const afterOn = held.get(after);
    if (afterOn === undefined) {
      length += 1;
      continue;
    }
    if (length > 0) holes.push({ kind, prefix, before, beforeOn, after, afterOn, length });
    [before, beforeOn, length] = [after, afterOn, 0];
  }
  return holes;
}

/** The numbers that follow `before`, written as it is. */
function numbersIn({ prefix, before, length }: Pick<Hole, "prefix" | "before" | "length">) {
  const digits = before.slice(prefix.length);
  const from = BigInt(digits) + 1n;
  return Array.from({ length }, (_, index) => {
    const number = (from + BigInt(index)).toString();
    return `${prefix}${number.padStart(digits.length, "0")}`;
  });
}

/** Those that are held, with their dates. */
async function heldNumbers(
  tx: Transaction,
  at: At,
  { table, number, kind: column, on }: NumberedRecord,
  { kind, separate }: Pick<Series, "kind" | "separate">,
  numbers: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (numbers.length === 0) return new Map();
  // The kinds are named for the index, which begins with them.
  const kinds = column === null ? [] : [separate ? [kind] : column.words];
  const rows = await tx.query<{ number: string; on: string }>(
    `select ${number} as number, ${on}::text as on from ${table} where company = $1 and ${number} = any($2)
        ${column === null ? "" : `and ${column.column} = any($3)`}`,
    [at.company, numbers, ...kinds],
  );
  return new Map(rows.map((row) => [row.number, row.on]));
}

function gapFinding(
  record: string,
  facts: Omit<Hole, "length"> & Omit<GapFacts, "record">,
): NewFinding {
  const { kind, prefix, before, beforeOn, after, afterOn, missing, separate } = facts;
  const what = kind === "" ? record.replaceAll("-", " ") : kind;
  const [first = "", second] = missing;
  const last = missing.at(-1) ?? first;
  return {
    kind: "gap",
    subject: `${record} ${kind} ${before}`,
    title:
      second === undefined
        ? `The ${what} ${first} is missing`
        : `${missing.length} numbers of the ${what} are missing: ${first} to ${last}`,
    detail: `Between ${before} (${dayOf(beforeOn)}) and ${after} (${dayOf(afterOn)}) nothing has arrived of ${listed(missing)}.`,
    instruction:
      "Look in the source: have it sent again, or explain the gap when the number was never used.",
    facts: {
      record,
      kind,
      prefix,
      separate,
      missing: missing.slice(0, MOST_NAMED),
      before,
      beforeOn,
      after,
      afterOn,
    },
    worth: null,
  };
}

function listed(numbers: readonly string[]): string {
  const shown = numbers.slice(0, 10).join(", ");
  return numbers.length > 10 ? `${shown} and ${numbers.length - 10} more` : shown;
}

/** 31/03/2026, from ISO text. */
export function dayOf(iso: string): string {
  return iso.split("-").toReversed().join("/");
}

/** Gaps of which a number is there now get smaller, and close with the last one. */
async function fillGaps(tx: Transaction, source: Numbers): Promise<void> {
  const { at, record } = source;
  const live = await liveFindings(tx, at, "gap", MOST_LIVE);
  for (const { subject, facts } of live) {
    const gap = facts as unknown as GapFacts;
    if (gap.record !== record.record) continue;
    const held = await heldNumbers(tx, at, record, gap, gap.missing);
    if (held.size === 0) continue;
    const missing = gap.missing.filter((number) => !held.has(number));
    await tx.affect(
      `update document_series d set missing = greatest(0, missing - $6), held = held + $6
        where ${OF_SERIES} and d.kind = $4 and d.prefix = $5`,
      [...seriesValues(source), gap.kind, gap.prefix, held.size],
    );
    const left = { kind: "gap", subject } as const;
    if (missing.length === 0) await closeFinding(tx, at, left, "the number has arrived");
    else await keepFinding(tx, at, { ...gapFinding(gap.record, { ...gap, missing }), subject });
  }
}

/** The numbers do not run on: what was reported of them was never missing. */
async function giveUp(tx: Transaction, at: At, { kind, prefix }: Series): Promise<void> {
  for (const { subject, facts, state } of await liveFindings(tx, at, "gap", MOST_LIVE)) {
    const gap = facts as unknown as GapFacts;
    // What a person explained stays so, should the numbers run on after all.
    if (gap.kind === kind && gap.prefix === prefix && state === "open")
      await closeFinding(tx, at, { kind: "gap", subject }, "these numbers do not run on");
  }
}
