/** What looks incomplete, for people: lists, explanations, and what each stream usually brings. */
import { audit } from "./deeds.ts";
import { alarmKey } from "./completeness.ts";
import {
  findFindings,
  listFindings,
  type CompletenessFinding,
  type FindingFilter,
} from "./completeness-findings.ts";
import { RUNS_ON } from "./completeness-numbers.ts";
import { volumes, type VolumeRow } from "./completeness-volume.ts";
import type { SyncContext } from "./context.ts";
import type { Decision, Refusal } from "./desk.ts";

export interface CompletenessDesk {
  list(filter: FindingFilter & { readonly limit?: number }): Promise<CompletenessFinding[]>;
  /** Open findings by kind. */
  summary(): Promise<readonly { readonly kind: string; readonly open: number }[]>;
  /** Number series of which nothing can be said: too few numbers, or too many left out. */
  notJudged(): Promise<readonly UnjudgedSeries[]>;
  /** By id, or by the beginning or end of it; throws FindingUnknown when none or several fit. */
  find(id: string): Promise<CompletenessFinding>;
  /** Says why it is in order as it is; it still closes when what it misses arrives. */
  explain(finding: CompletenessFinding, decision: Decision): Promise<Refusal>;
  /** Takes an explanation back. */
  reopen(finding: CompletenessFinding, decision: Decision): Promise<Refusal>;
  /** What runs read and changed, newest first. */
  volumes(filter: {
    readonly stream?: string | undefined;
    readonly limit: number;
  }): Promise<VolumeRow[]>;
}

export interface UnjudgedSeries {
  readonly connection: string;
  readonly record: string;
  /** invoice, credit; "" where the record has no kinds. */
  readonly kind: string;
  readonly prefix: string;
  /** Its first number. */
  readonly first: string;
  readonly held: number;
  readonly missing: number;
}

class FindingUnknown extends Error {
  override readonly name = "FindingUnknown";
}

export function completenessDesk(context: SyncContext): CompletenessDesk {
  const { store, company } = context;
  return {
    list: ({ limit, ...filter }) =>
      listFindings(store, company, { ...filter, limit: limit ?? 100 }),
    summary: () =>
      store.query(
        `select kind, count(*)::int as open from completeness_finding
          where company = $1 and state = 'open' group by kind order by kind`,
        [company],
      ),
    notJudged: () => notJudged(context),
    find: async (id) => {
      const [finding, second] = await findFindings(store, company, id);
      if (finding !== undefined && second === undefined) return finding;
      throw new FindingUnknown(
        `Looking up finding "${id}": ${finding === undefined ? "none begins or ends" : "several begin or end"} so. ` +
          "`tradepost completeness` lists them.",
      );
    },
    explain: (finding, decision) => decide(context, finding, decision, "explained"),
    reopen: (finding, decision) => decide(context, finding, decision, "reopened"),
    volumes: (filter) => volumes(store, company, filter),
  };
}

/** Kinds that share their numbers are judged by the one that runs on. */
async function notJudged({ store, company }: SyncContext): Promise<UnjudgedSeries[]> {
  return store.query<UnjudgedSeries>(
    `with series as (select *, ${RUNS_ON} as runs_on from document_series where company = $1)
     select connection, record, kind, prefix, first_text as first, held, missing from series s
      where not runs_on and not exists (
        select 1 from series o
         where o.runs_on and not s.separate and o.connection = s.connection
           and o.record = s.record and o.prefix = s.prefix and o.kind <> s.kind
           and o.first <= s.last and o.last >= s.first)
      order by held desc, connection, record, kind, prefix`,
    [company],
  );
}

async function decide(
  context: SyncContext,
  { id, state }: CompletenessFinding,
  { who, why }: Decision,
  action: "explained" | "reopened",
): Promise<Refusal> {
  const { store, company, now, alarms } = context;
  const [from, to] = action === "explained" ? ["open", "explained"] : ["explained", "open"];
  const done = await store.transaction(async (tx) => {
    const changed = await tx.affect(
      `update completeness_finding
          set state = $4, closed_at = $5, closed_by = $6, explanation = $7
        where company = $1 and id = $2 and state = $3`,
      [
        company,
        id,
        from,
        to,
        ...(action === "explained" ? [now().toString(), who, why] : [null, null, null]),
      ],
    );
    const deed = { item: id, who, action, details: { why } };
    if (changed > 0) await audit(tx, context, `completeness-${action}`, deed);
    return changed > 0;
  });
  if (!done)
    return `Finding ${id.slice(-8)} is ${state}: only one that is ${from} can be ${action}.`;
  if (action === "explained") await alarms?.clear(alarmKey({ id }));
  return null;
}
