/** Documents that arrive after their day, or into a month that the ERP has added up already. */
import type { Transaction } from "../store/index.ts";
import { byDay, latestDay, named, signed, type DatedRecord } from "./completeness-dates.ts";
import { keepFinding, liveFindings } from "./completeness-findings.ts";
import { dayOf } from "./completeness-numbers.ts";
import type { SyncContext } from "./context.ts";
import type { At } from "./journal.ts";

/** Older than the newest document by more than this, unless the settings say otherwise. */
const LATE_AFTER_DAYS = 7;
/** Fewer documents than this at once are no history, however old they are. */
const LEAST_HISTORY = 20;
const MOST_NAMED = 200;

/** The days that a stream's documents have reached, but for what is dated ahead. */
interface Extent {
  readonly oldestOn: string;
  readonly newestOn: string;
}

interface LateDocument {
  readonly document: string;
  readonly on: string;
  readonly net: string | null;
  /** True: its month had control totals already. */
  readonly closedMonth: boolean;
}

/** Before the merge, so that what is held already can be told from what is new. */
export async function considerLate(
  tx: Transaction,
  { lateAfterDays, timeZone }: SyncContext,
  at: At,
  record: DatedRecord,
  staging: string,
): Promise<void> {
  const days = lateAfterDays ?? LATE_AFTER_DAYS;
  const extent = await heldExtent(tx, at, record);
  const late =
    extent === null || (await readsHistory(tx, at))
      ? []
      : await lateDocuments(tx, at, record, staging, {
          days,
          from: (await bringsHistory(tx, at, record, { staging, extent }))
            ? extent.oldestOn
            : "-infinity",
        });
  await storeExtent(tx, at, record, staging, latestDay(at, timeZone));
  if (extent !== null && late.length > 0) await keepLate(tx, at, record, { late, extent, days });
}

async function heldExtent(
  tx: Transaction,
  at: At,
  { record }: DatedRecord,
): Promise<Extent | null> {
  const [extent] = await tx.query<Extent>(
    `select oldest_on::text as "oldestOn", newest_on::text as "newestOn" from document_extent
      where company = $1 and connection = $2 and record = $3`,
    [at.company, at.connection, record],
  );
  return extent ?? null;
}

/** Days of a history are read, or the stream's first load, which may take several runs. */
async function readsHistory(tx: Transaction, at: At): Promise<boolean> {
  const [row] = await tx.query<{ history: boolean }>(
    `select exists (select 1 from run where company = $1 and id = $4 and kind = 'history')
         or not exists (select 1 from run
                         where company = $1 and connection = $2 and stream = $3 and id <> $4
                           and state = 'published' and mapped > 0) as history`,
    [at.company, at.connection, at.stream, at.runId],
  );
  return row?.history ?? false;
}

/** Most of many documents are older than all that is held, or older days are still to be read. */
async function bringsHistory(
  tx: Transaction,
  at: At,
  { on }: DatedRecord,
  { staging, extent }: { readonly staging: string; readonly extent: Extent },
): Promise<boolean> {
  const [row] = await tx.query<{ history: boolean }>(
    `select exists (select 1 from history_load
                     where company = $1 and connection = $2 and stream = $3 and kind = 'first'
                       and ended_at is null)
         or (older >= ${LEAST_HISTORY} and older * 2 > documents) as history
       from (select count(*) filter (where ${on} < $4::date) as older, count(*) as documents
               from ${staging}) counted`,
    [at.company, at.connection, at.stream, extent.oldestOn],
  );
  return row?.history ?? false;
}

interface Found {
  readonly late: readonly LateDocument[];
  readonly extent: Extent;
  readonly days: number;
}

async function keepLate(
  tx: Transaction,
  at: At,
  { record }: DatedRecord,
  { late, extent, days }: Found,
): Promise<void> {
  const earlier = await earlierLate(tx, at, record);
  const documents = [...earlier, ...late].sort(byDay).slice(-MOST_NAMED);
  const closed = documents.filter(({ closedMonth }) => closedMonth).length;
  const [money] = await tx.query<{ net: string | null }>(
    "select sum(net::numeric)::text as net from unnest($1::text[]) as net",
    [documents.map(({ net }) => net)],
  );
  await keepFinding(tx, at, {
    kind: "late",
    subject: record,
    title: `${documents.length} ${record.replaceAll("-", " ")}(s) arrived late`,
    detail:
      `They are dated more than ${days} days before the newest one held, of ${dayOf(extent.newestOn)}` +
      (closed === 0 ? "" : `, or in months that had control totals already (${closed} of them)`) +
      `: ${named(documents)}.`,
    instruction:
      "Reconcile their months again, and look at pay that rests on them; then explain the finding.",
    facts: { newestOn: extent.newestOn, documents: documents.map((each) => ({ ...each })) },
    worth: money?.net ?? null,
  });
}

async function lateDocuments(
  tx: Transaction,
  at: At,
  dated: DatedRecord,
  staging: string,
  { days, from }: { readonly days: number; readonly from: string },
): Promise<LateDocument[]> {
  const { record, table, number, kind, on, totalled } = dated;
  const month = totalled ? `coalesce(s.period, to_char(s.${on}, 'YYYY-MM'))` : "null::text";
  const sameKind = kind === null ? "" : `and t.${kind.column} = s.${kind.column}`;
  const hasTotals =
    totalled && kind !== null
      ? `${month} < to_char(e.newest_on, 'YYYY-MM') and exists (select 1 from control_total c
           where c.company = $1 and c.period = ${month} and c.document_type = s.${kind.column})`
      : "false";
  return tx.query<LateDocument>(
    `select distinct on (s.${on}, s.${number}) s.${number} as document, s.${on}::text as on,
            ${signed(dated, "s")}::text as net, ${hasTotals} as "closedMonth"
       from ${staging} s
       join document_extent e on e.company = $1 and e.connection = $2 and e.record = $3
      where s.${on} >= $5::date and (s.${on} < e.newest_on - $4::int or ${hasTotals})
        and not exists (select 1 from ${table} t
                         where t.company = $1 ${sameKind} and t.${number} = s.${number})
      order by s.${on}, s.${number} limit ${MOST_NAMED}`,
    [at.company, at.connection, record, days, from],
  );
}

/** A date that has not come yet says nothing of how far the stream is. */
async function storeExtent(
  tx: Transaction,
  at: At,
  { record, on }: DatedRecord,
  staging: string,
  latest: string,
): Promise<void> {
  await tx.affect(
    `insert into document_extent as e (company, connection, record, oldest_on, newest_on)
     select $1, $2, $3, min(${on}), max(${on}) from ${staging} where ${on} <= $4::date
     having count(*) > 0
     on conflict (company, connection, record) do update
        set oldest_on = least(e.oldest_on, excluded.oldest_on),
            newest_on = greatest(e.newest_on, excluded.newest_on)`,
    [at.company, at.connection, record, latest],
  );
}

/** Those of the open finding; one that was explained is over, and later ones are another. */
async function earlierLate(tx: Transaction, at: At, record: string): Promise<LateDocument[]> {
  const live = await liveFindings(tx, at, "late", 10);
  await tx.affect(
    `update completeness_finding set state = 'closed', closed_at = $4
      where company = $1 and connection = $2 and stream = $3 and kind = 'late'
        and state = 'explained'`,
    [at.company, at.connection, at.stream, at.now.toString()],
  );
  const open = live.find(({ state, subject }) => state === "open" && subject === record);
  return (open?.facts as { documents?: LateDocument[] } | undefined)?.documents ?? [];
}
