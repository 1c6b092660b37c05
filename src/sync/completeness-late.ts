/** Documents that arrive after their day, or into a month that the ERP has added up already. */
import type { Transaction } from "../store/index.ts";
import { keepFinding, liveFindings } from "./completeness-findings.ts";
import { dayOf } from "./completeness-numbers.ts";
import type { SyncContext } from "./context.ts";
import type { At } from "./journal.ts";

/** A record of documents with a date and money, by its columns. */
export interface DatedRecord {
  readonly record: string;
  readonly table: string;
  readonly number: string;
  readonly kind: { readonly column: string } | null;
  readonly on: string;
  readonly money: string;
  /** The ERP states control totals of them by month. */
  readonly totalled: boolean;
}

/** Older than the newest document by more than this, unless the settings say otherwise. */
const LATE_AFTER_DAYS = 7;
const MOST_NAMED = 200;

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
  { lateAfterDays }: SyncContext,
  at: At,
  record: DatedRecord,
  staging: string,
): Promise<void> {
  const late = await lateDocuments(tx, at, record, staging, lateAfterDays ?? LATE_AFTER_DAYS);
  await storeExtent(tx, at, record, staging);
  const [first] = late;
  if (first === undefined) return;
  const earlier = await earlierLate(tx, at, record.record);
  const documents = [...earlier, ...late].slice(-MOST_NAMED);
  const closed = documents.filter(({ closedMonth }) => closedMonth).length;
  const [money] = await tx.query<{ net: string | null }>(
    "select sum(net::numeric)::text as net from unnest($1::text[]) as net",
    [documents.map(({ net }) => net)],
  );
  const named = documents.slice(-10).map((each) => `${each.document} of ${dayOf(each.on)}`);
  await keepFinding(tx, at, {
    kind: "late",
    subject: record.record,
    title: `${documents.length} ${record.record.replaceAll("-", " ")}(s) arrived late`,
    detail:
      `They are dated more than ${lateAfterDays ?? LATE_AFTER_DAYS} days before the newest one held` +
      (closed === 0 ? "" : ` (${closed} of them in months that had control totals already)`) +
      `: ${named.join(", ")}${documents.length > 10 ? " and others before" : ""}.`,
    instruction:
      "Reconcile their months again, and look at pay that rests on them; then explain the finding.",
    facts: { documents: documents.map((each) => ({ ...each })) },
    worth: money?.net ?? null,
  });
}

/** History that reaches further back than what is held is a load, and not late. */
async function lateDocuments(
  tx: Transaction,
  at: At,
  { record, table, number, kind, on, money, totalled }: DatedRecord,
  staging: string,
  days: number,
): Promise<LateDocument[]> {
  const month = totalled ? `coalesce(s.period, to_char(s.${on}, 'YYYY-MM'))` : "null::text";
  const sameKind = kind === null ? "" : `and t.${kind.column} = s.${kind.column}`;
  const hasTotals =
    totalled && kind !== null
      ? `${month} < to_char(e.newest_on, 'YYYY-MM') and exists (select 1 from control_total c
           where c.company = $1 and c.period = ${month} and c.document_type = s.${kind.column})`
      : "false";
  return tx.query<LateDocument>(
    `select distinct on (s.${on}, s.${number}) s.${number} as document, s.${on}::text as on,
            s.${money}::text as net, ${hasTotals} as "closedMonth"
       from ${staging} s
       join document_extent e on e.company = $1 and e.connection = $2 and e.record = $3
      where s.${on} >= e.oldest_on and (s.${on} < e.newest_on - $4::int or ${hasTotals})
        and not exists (select 1 from ${table} t
                         where t.company = $1 ${sameKind} and t.${number} = s.${number})
      order by s.${on}, s.${number} limit ${MOST_NAMED}`,
    [at.company, at.connection, record, days],
  );
}

async function storeExtent(
  tx: Transaction,
  at: At,
  { record, on }: DatedRecord,
  staging: string,
): Promise<void> {
  await tx.affect(
    `insert into document_extent as e (company, connection, record, oldest_on, newest_on)
     select $1, $2, $3, min(${on}), max(${on}) from ${staging} having count(*) > 0
     on conflict (company, connection, record) do update
        set oldest_on = least(e.oldest_on, excluded.oldest_on),
            newest_on = greatest(e.newest_on, excluded.newest_on)`,
    [at.company, at.connection, record],
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

/** After the merge: the money of what this run wrote, for the comparison with other weeks. */
export async function considerMoney(
  tx: Transaction,
  at: At,
  { table, number, kind, money }: DatedRecord,
  staging: string,
): Promise<void> {
  const sameKind = kind === null ? "" : `and t.${kind.column} = s.${kind.column}`;
  await tx.affect(
    `insert into run_volume as v (company, run_id, connection, stream, at, weekday, read, changed,
                                  removed, money)
     select $1, $2, $3, $4, $5, 0, 0, 0, 0, coalesce(sum(t.${money}), 0)
       from (select distinct ${[number, ...(kind === null ? [] : [kind.column])].join(", ")}
               from ${staging}) s
       join ${table} t on t.company = $1 and t.${number} = s.${number} ${sameKind}
        and t.run_id = $2
     on conflict (company, run_id) do update set money = coalesce(v.money, 0) + excluded.money`,
    [at.company, at.runId, at.connection, at.stream, at.now.toString()],
  );
}
