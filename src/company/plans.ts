/** What a company plans before it is done: pulls, replays, and shapes of streams to accept. */
import type { CompanySettings } from "../config.ts";
import type { Connection } from "../connections/index.ts";
import {
  acceptShape,
  applyPlan,
  planConnection,
  planReplay,
  streamShapes,
  tidyPlans,
  tidyRaw,
  type PendingShape,
  type PlanDocument,
  type RunResult,
  type Source,
  type StreamShape,
  type SyncContext,
} from "../sync/index.ts";

export interface Plans {
  /** What a run of the streams would do; nothing is published until it is applied. */
  plan(
    connection: string,
    options: { readonly streams?: readonly string[] },
  ): Promise<PlanDocument>;
  /** What the stream's kept content makes under the mappings as they are now. */
  replay(connection: string, stream: string): Promise<PlanDocument>;
  /** Does exactly what the plan shows, or throws with the reason. */
  apply(plan: PlanDocument, options: { readonly acceptRemovals?: boolean }): Promise<RunResult[]>;
  /** The columns of every stream, and changed ones that wait to be accepted. */
  shapes(): Promise<StreamShape[]>;
  /** Keeps who decided and why; null: none waited. */
  acceptShape(
    connection: string,
    stream: string,
    decision: { readonly who: string; readonly why: string | null },
  ): Promise<PendingShape | null>;
  /** Deletes raw rows that are kept long enough, and plans that are too old. */
  tidyKept(): Promise<void>;
}

interface Wired {
  readonly context: SyncContext;
  readonly settings: CompanySettings;
  readonly connect: (name: string) => Promise<Connection>;
  readonly sourceOf: (connection: Connection) => Source;
}

export function plansOf({ context, settings, connect, sourceOf }: Wired): Plans {
  const { store, company, now } = context;
  return {
    plan: async (name, { streams }) => {
      await using connection = await connect(name);
      return await planConnection(context, sourceOf(connection), streams);
    },
    replay: async (name, stream) => {
      await using connection = await connect(name);
      return await planReplay(context, sourceOf(connection), stream);
    },
    apply: async (plan, options) => {
      await using connection = await connect(plan.connection);
      return await applyPlan(context, sourceOf(connection), plan, options);
    },
    shapes: () => streamShapes(store, company),
    acceptShape: (connection, stream, decision) =>
      acceptShape(context, { connection, stream }, decision),
    tidyKept: async () => {
      const entries = Object.entries(settings.connections);
      const days = Object.fromEntries(
        entries.map(([name, { keepRawDays }]) => [name, keepRawDays]),
      );
      await tidyRaw(store, company, { now: now(), days });
      await tidyPlans(store, company, now());
    },
  };
}
