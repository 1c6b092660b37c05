/** Documents dated later than tomorrow: a slip of the pen at the source, or a date read wrongly. */
import type { Transaction } from "../store/index.ts";
import { byDay, latestDay, named, signed, type DatedRecord } from "./completeness-dates.ts";
import { closeFinding, keepFinding, liveFindings } from "./completeness-findings.ts";
import { dayOf } from "./completeness-numbers.ts";
import type { SyncContext } from "./context.ts";
import type { At } from "./journal.ts";

const MOST_NAMED = 200;

interface AheadDocument {
  readonly document: string;
  readonly on: string;
  readonly net: string | null;
}

/** After the merge: those that are held now, so that corrected and removed ones are over. */
export async function considerAhead(
  tx: Transaction,
  { timeZone }: SyncContext,
  at: At,
  record: DatedRecord,
  staging: string,
): Promise<void> {
  const latest = latestDay(at, timeZone);
  const subject = record.record;
  const live = (await liveFindings(tx, at, "ahead", 10)).find((each) => each.subject === subject);
  const before = (live?.facts as { documents?: AheadDocument[] } | undefined)?.documents ?? [];
  const known = before.map(({ document }) => document);
  const documents = await aheadDocuments(tx, at, record, { staging, known, latest });
  const about = { kind: "ahead", subject } as const;
  if (documents.length === 0) {
    if (live !== undefined) await closeFinding(tx, at, about, "no date is ahead any more");
    return;
  }
  const isNew = documents.some(({ document }) => !known.includes(document));
  // What was said of others does not explain a new one.
  if (live?.state === "explained" && isNew) await closeFinding(tx, at, about, "others came");
  const [money] = await tx.query<{ net: string | null }>(
    "select sum(net::numeric)::text as net from unnest($1::text[]) as net",
    [documents.map(({ net }) => net)],
  );
  await keepFinding(tx, at, {
    ...about,
    title: `${documents.length} ${subject.replaceAll("-", " ")}(s) are dated ahead`,
    detail: `They are dated later than ${dayOf(latest)}: ${named(documents)}.`,
    instruction:
      "Have the dates corrected at the source; the finding closes when the documents come again.",
    facts: { latest, documents: documents.map((each) => ({ ...each })) },
    worth: money?.net ?? null,
  });
}

/** Of what the run staged and of what was found before: whatever is held with such a date. */
async function aheadDocuments(
  tx: Transaction,
  at: At,
  dated: DatedRecord,
  of: { readonly staging: string; readonly known: readonly string[]; readonly latest: string },
): Promise<AheadDocument[]> {
  const { table, number, on } = dated;
  const documents = await tx.query<AheadDocument>(
    `select t.${number} as document, t.${on}::text as on, ${signed(dated, "t")}::text as net
       from ${table} t
      where t.company = $1 and t.${on} > $2::date
        and (t.${number} = any($3) or t.${number} in (select ${number} from ${of.staging}))
      order by t.${on}, t.${number} limit ${MOST_NAMED}`,
    [at.company, of.latest, of.known],
  );
  return documents.sort(byDay);
}
