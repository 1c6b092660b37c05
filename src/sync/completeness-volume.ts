/**
 * What a run read and changed against what is usual: content without anything new, files without
 * rows or with far fewer, and figures unlike those of the same weekday.
 */
import type { Queryable, Transaction } from "../store/index.ts";
import { signed, type DatedRecord } from "./completeness-dates.ts";
import { closeFinding, keepFinding, type NewFinding } from "./completeness-findings.ts";
import type { RunResult, SyncContext } from "./context.ts";
import type { At } from "./journal.ts";

/** Runs of the same weekday before anything is called unusual. */
const LEAST_HISTORY = 6;
/** Runs of the same weekday that are compared with. */
const MOST_HISTORY = 60;
/** So many spreads from the middle are out of the ordinary. */
const FAR = 5;
/** Fewer rows than before by more than this share are a shrinking file. */
const SHRUNK_PERCENT = 10;
const FEW_ROWS = 5;

export interface Volume {
  readonly read: number;
  readonly changed: number;
  readonly removed: number;
  /** Decimal text, net of credit notes; null where the records have no money. */
  readonly money: string | null;
}

const FIGURES = ["read", "changed", "removed", "money"] as const;
type Figure = (typeof FIGURES)[number];
const NAMES: Readonly<Record<Figure, string>> = {
  read: "rows read",
  changed: "records changed",
  removed: "records removed",
  money: "money of changed documents, net of credit notes",
};

export async function considerVolume(
  tx: Transaction,
  { timeZone }: SyncContext,
  at: At,
  result: RunResult,
): Promise<void> {
  const before = await lastVolume(tx, at);
  const volume = await storeVolume(tx, at, timeZone, result);
  await considerNothing(tx, at, result);
  if (result.state === "published") await considerShrinking(tx, at, result, before);
  await considerUsual(tx, at, volume, timeZone);
}

async function storeVolume(
  tx: Transaction,
  at: At,
  timeZone: string,
  { rows, records }: RunResult,
): Promise<Volume> {
  const counts = Object.values(records);
  const changed = counts.reduce((sum, each) => sum + each.inserted + each.updated, 0);
  const removed = counts.reduce((sum, each) => sum + each.removed, 0);
  const weekday = at.now.toZonedDateTimeISO(timeZone).dayOfWeek;
  const [row] = await tx.query<{ money: string | null }>(
    `insert into run_volume (company, run_id, connection, stream, at, weekday, read, changed,
                             removed, money)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, null)
     on conflict (company, run_id) do update
        set at = excluded.at, weekday = excluded.weekday, read = excluded.read,
            changed = excluded.changed, removed = excluded.removed
     returning money::text as money`,
    [
      at.company,
      at.runId,
      at.connection,
      at.stream,
      at.now.toString(),
      weekday,
      rows.read,
      changed,
      removed,
    ],
  );
  return { read: rows.read, changed, removed, money: row?.money ?? null };
}

async function lastVolume(tx: Transaction, at: At): Promise<Volume | null> {
  const [row] = await tx.query<Volume>(
    `select read, changed, removed, money::text as money from run_volume
      where company = $1 and connection = $2 and stream = $3 and run_id <> $4 and weekday > 0
      order by at desc limit 1`,
    [at.company, at.connection, at.stream, at.runId],
  );
  return row ?? null;
}

/** A run that considers nothing looks just like one that works. */
async function considerNothing(tx: Transaction, at: At, result: RunResult): Promise<void> {
  const { read, repeated, ignored } = result.rows;
  const origins = result.origins.join(", ");
  const isEmpty = read === 0 && (await hasFile(tx, at));
  const isNothing = read > 0 && result.state === "published" && repeated + ignored === read;
  await keepOrClose(tx, at, isEmpty, {
    kind: "empty",
    subject: "rows",
    title: "A file without rows arrived",
    detail: `${origins} holds no rows.`,
    instruction: "If rows were expected, look at the export at its source.",
    facts: { origins: [...result.origins] },
    worth: null,
  });
  await keepOrClose(tx, at, isNothing, {
    kind: "nothing",
    subject: "rows",
    title: "Nothing was new in what arrived",
    detail: `${origins}: of ${read} rows ${repeated} were applied before and ${ignored} were left aside.`,
    instruction:
      "Look whether the source still writes new content, and at `ignore:` in the mappings.",
    facts: { read, repeated, ignored, origins: [...result.origins] },
    worth: null,
  });
}

/** A look at an API that has nothing new is no news; a file without rows is. */
async function hasFile(tx: Transaction, at: At): Promise<boolean> {
  const files = await tx.query(
    "select 1 from origin where company = $1 and run_id = $2 and sha256 is not null limit 1",
    [at.company, at.runId],
  );
  return files.length > 0;
}

async function keepOrClose(
  tx: Transaction,
  at: At,
  holds: boolean,
  finding: NewFinding,
): Promise<void> {
  if (holds) await keepFinding(tx, at, finding);
  else await closeFinding(tx, at, finding, "a later run was in order");
}

/** Of a snapshot, which is told by removals: a delta is as long as the day was busy. */
async function considerShrinking(
  tx: Transaction,
  at: At,
  { rows, records, origins }: RunResult,
  before: Volume | null,
): Promise<void> {
  const gone = before === null ? 0 : before.read - rows.read;
  const removed = Object.values(records).some((counts) => counts.removed > 0);
  const share = before === null || before.read === 0 ? 0 : (gone * 100) / before.read;
  const facts = { read: rows.read, before: before?.read ?? null };
  if (removed && gone > FEW_ROWS && share > SHRUNK_PERCENT)
    await keepFinding(tx, at, {
      kind: "shrinking",
      subject: "rows",
      title: `The file has ${share.toFixed(1)}% fewer rows than the one before`,
      detail: `${origins.join(", ")} holds ${rows.read} rows, and the one before it ${before?.read}.`,
      instruction: "If the source did not clear them, ask for the export again.",
      facts,
      worth: null,
    });
  else if (gone < 0)
    await closeFinding(tx, at, { kind: "shrinking", subject: "rows" }, "the rows are more again");
}

/** Middle and spread that a few odd runs do not move; null: there are too few runs. */
export function usual(history: readonly number[]): { middle: number; spread: number } | null {
  if (history.length < LEAST_HISTORY) return null;
  const middle = median(history);
  const deviation = median(history.map((value) => Math.abs(value - middle)));
  // Figures that never vary have no spread: then a twentieth of them, and a few rows, are one.
  return { middle, spread: Math.max(1.4826 * deviation, Math.abs(middle) / 20, 2) };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}

async function considerUsual(
  tx: Transaction,
  at: At,
  volume: Volume,
  timeZone: string,
): Promise<void> {
  const { dayOfWeek } = at.now.toZonedDateTimeISO(timeZone);
  const history = await volumes(tx, at.company, { ...at, weekday: dayOfWeek, limit: MOST_HISTORY });
  const others = history.filter(({ runId }) => runId !== at.runId);
  for (const figure of FIGURES) {
    const values = others.flatMap((each) => each[figure] ?? []).map(Number);
    const normal = usual(values);
    const found = volume[figure];
    if (normal === null || found === null) continue;
    const distance = Math.abs(Number(found) - normal.middle) / normal.spread;
    await keepOrClose(tx, at, distance > FAR, {
      kind: "volume",
      subject: figure,
      title: `${NAMES[figure]}: ${shown(found)}, where about ${shown(normal.middle)} is usual`,
      detail: `Of ${values.length} runs on the same weekday the middle is ${shown(normal.middle)}, and this run had ${shown(found)}.`,
      instruction: "If the day was not out of the ordinary, look at the export at its source.",
      facts: { figure, found, middle: normal.middle, spread: normal.spread, runs: values.length },
      worth: figure === "money" ? String(found) : null,
    });
  }
}

function shown(value: number | string): string {
  return Number(value).toLocaleString("en-GB", { maximumFractionDigits: 2 });
}

export interface VolumeRow extends Volume {
  readonly runId: string;
  readonly connection: string;
  readonly stream: string;
  readonly at: Temporal.Instant;
}

/** Newest first. */
export async function volumes(
  on: Queryable,
  company: string,
  filter: {
    readonly connection?: string | undefined;
    readonly stream?: string | undefined;
    readonly weekday?: number | undefined;
    readonly limit: number;
  },
): Promise<VolumeRow[]> {
  const { connection, stream, weekday, limit } = filter;
  return on.query<VolumeRow>(
    `select run_id as "runId", connection, stream, at, read, changed, removed, money::text as money
       from run_volume where company = $1 and ($2::text is null or connection = $2)
        and ($3::text is null or stream = $3) and ($4::int is null or weekday = $4) and weekday > 0
      order by at desc, run_id desc limit $5`,
    [company, connection ?? null, stream ?? null, weekday ?? null, limit],
  );
}

/** After the merge: the money of what this run wrote, net of credit notes, for other weeks. */
export async function considerMoney(
  tx: Transaction,
  at: At,
  dated: DatedRecord,
  staging: string,
): Promise<void> {
  const { table, number, kind } = dated;
  const sameKind = kind === null ? "" : `and t.${kind.column} = s.${kind.column}`;
  await tx.affect(
    `insert into run_volume as v (company, run_id, connection, stream, at, weekday, read, changed,
                                  removed, money)
     select $1, $2, $3, $4, $5, 0, 0, 0, 0, coalesce(sum(${signed(dated, "t")}), 0)
       from (select distinct ${[number, ...(kind === null ? [] : [kind.column])].join(", ")}
               from ${staging}) s
       join ${table} t on t.company = $1 and t.${number} = s.${number} ${sameKind}
        and t.run_id = $2
     on conflict (company, run_id) do update set money = coalesce(v.money, 0) + excluded.money`,
    [at.company, at.runId, at.connection, at.stream, at.now.toString()],
  );
}
