/**
 * Whether a run brought all that it should have: beside what is accounted for row by row, numbers
 * that were left out, documents that came late or are dated ahead, content in which nothing was
 * new, files that shrink, and amounts unlike other weeks. Looks at what the run touched, never at
 * all of history.
 */
import { records } from "../model/index.ts";
import type { Staging, Transaction } from "../store/index.ts";
import { findingsOf, type CompletenessFinding, type FindingKind } from "./completeness-findings.ts";
import { considerAhead } from "./completeness-ahead.ts";
import type { DatedRecord } from "./completeness-dates.ts";
import { considerLate } from "./completeness-late.ts";
import { considerOrphans } from "./completeness-orphans.ts";
import { considerNumbers, type NumberedRecord } from "./completeness-numbers.ts";
import { considerMoney, considerVolume } from "./completeness-volume.ts";
import { considerWebOrders } from "./completeness-web-orders.ts";
import type { RunResult, SyncContext } from "./context.ts";
import type { At } from "./journal.ts";
import type { StreamKey } from "./lease.ts";
import { dismissedAgain } from "./quarantine.ts";

const DOCUMENTS: Readonly<Record<string, NumberedRecord & DatedRecord>> = {
  "sales-document": {
    record: "sales-document",
    table: "sales_document",
    number: "document",
    kind: { column: "document_type", words: records["sales-document"].fields.documentType.values },
    on: "document_on",
    money: "net",
    totalled: true,
  },
  "erp-order": {
    record: "erp-order",
    oldOnesGo: true,
    table: "erp_order",
    number: "erp_order",
    kind: null,
    on: "ordered_on",
    money: "net",
    totalled: false,
  },
};

/** What a run staged of one record. */
interface Staged {
  readonly mapping: { readonly record: { readonly name: string } };
  readonly staging: Pick<Staging, "table">;
}

/** Inside the publishing transaction, before the merge: what arrives late is still new then. */
export async function beforeMerge(
  tx: Transaction,
  context: SyncContext,
  at: At,
  parts: readonly Staged[],
): Promise<void> {
  for (const { mapping, staging } of parts) {
    const record = DOCUMENTS[mapping.record.name];
    if (record !== undefined) await considerLate(tx, context, at, record, staging.table);
  }
}

/** Inside the publishing transaction, after the merge. */
export async function afterMerge(
  tx: Transaction,
  context: SyncContext,
  at: At,
  parts: readonly Staged[],
): Promise<void> {
  for (const { mapping, staging } of parts) {
    await considerOrphans(tx, at, mapping.record.name, staging.table);
    await considerWebOrders(tx, context, at, mapping.record.name, staging.table);
    const record = DOCUMENTS[mapping.record.name];
    if (record === undefined) continue;
    await considerNumbers(tx, at, record, staging.table);
    await considerAhead(tx, context, at, record, staging.table);
    await considerMoney(tx, at, record, staging.table);
  }
}

/** After the run: its counts against others, and what was found as notes of it and as alarms. */
export async function afterRun(
  context: SyncContext,
  key: StreamKey,
  result: RunResult,
): Promise<RunResult> {
  const { store, now } = context;
  const { runId, state } = result;
  if (runId === null || (state !== "published" && state !== "unchanged")) return result;
  const at: At = { ...key, runId, now: now() };
  try {
    await store.transaction((tx) => considerVolume(tx, context, at, result));
    return await withNotes(context, result, runId);
  } catch (error) {
    // What the run published stands, whatever its figures say.
    context.log("error", `Looking at the completeness of ${key.stream}: ${String(error)}`);
    return result;
  }
}

async function withNotes(
  context: SyncContext,
  result: RunResult,
  runId: string,
): Promise<RunResult> {
  const { store, company } = context;
  const dismissed = await dismissedAgain(store, company, runId);
  const found = await findingsOf(store, company, runId);
  await raiseAlarms(context, found);
  const notes = found
    .filter((finding) => finding.state === "open" && !SAID_BY_THE_RUN.has(finding.kind))
    .map(({ title, detail }) => `${title}. ${detail}`);
  const told = dismissed === 0 ? result : { ...result, dismissed };
  if (notes.length === 0) return told;
  await store.affect(
    `update run set note = concat_ws(E'\\n', note, $3::text) where company = $1 and id = $2`,
    [company, runId, notes.join("\n")],
  );
  return { ...told, notes: [...result.notes, ...notes] };
}

/** The run's own notes name these already. */
const SAID_BY_THE_RUN: ReadonlySet<FindingKind> = new Set(["nothing", "empty"]);

export function alarmKey({ id }: Pick<CompletenessFinding, "id">): string {
  return `completeness/${id}`;
}

async function raiseAlarms(
  { alarms }: SyncContext,
  found: readonly CompletenessFinding[],
): Promise<void> {
  if (alarms === undefined) return;
  for (const finding of found) {
    const { connection, stream, title, detail, instruction, state } = finding;
    if (state === "closed") await alarms.clear(alarmKey(finding));
    else if (state === "open" && isAlarming(finding))
      await alarms.raise({
        key: alarmKey(finding),
        level: "warning",
        title: `${connection}/${stream}: ${title}`,
        detail,
        instruction,
      });
  }
}

/** Nothing new once is a quiet day; one number, or a new customer, is often on its way. */
function isAlarming({ kind, times }: CompletenessFinding): boolean {
  return kind === "nothing" || kind === "gap" ? times > 1 : kind !== "late" && kind !== "orphan";
}
