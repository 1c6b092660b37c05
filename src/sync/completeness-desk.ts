/** What looks incomplete, for people: lists, explanations, and what each stream usually brings. */
import { audit } from "./deeds.ts";
import { alarmKey } from "./completeness.ts";
import {
  findFindings,
  listFindings,
  type CompletenessFinding,
  type FindingFilter,
} from "./completeness-findings.ts";
import { volumes, type VolumeRow } from "./completeness-volume.ts";
import type { SyncContext } from "./context.ts";
import type { Decision, Refusal } from "./desk.ts";

export interface CompletenessDesk {
  list(filter: FindingFilter & { readonly limit?: number }): Promise<CompletenessFinding[]>;
  /** Open findings by kind. */
  summary(): Promise<readonly { readonly kind: string; readonly open: number }[]>;
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
