/** What the API needs of the modules behind it, and no more. */
import type { Access } from "../access/index.ts";
import type { Mode, Stop } from "../connections/index.ts";
import type { DeskCounts, OrderOnTheWay, Orders } from "../orders/index.ts";
import type { Pause, ScheduleState, ServiceState } from "../jobs/index.ts";
import type { BulkLane } from "./bulk.ts";
import type { Alarm, Events, Webhooks } from "../notify/index.ts";
import type { PriceProof } from "../parity/index.ts";
import type { Holds, NewRound, Pricing, Round, Rounds } from "../pricing/index.ts";
import type { Incentives } from "../incentives/index.ts";
import type { Sales } from "../sales/index.ts";
import type { Shop } from "../shop/index.ts";
import type {
  CompletenessDesk,
  PlanDocument,
  QuarantineDesk,
  RunResult,
  StreamState,
  listRuns,
} from "../sync/index.ts";

/** One company's modules, opened. */
export interface CompanyServices {
  readonly pricing: Pick<
    Pricing,
    | "price"
    | "changes"
    | "columnsJson"
    | "shared"
    | "priceList"
    | "known"
    | "explainKnown"
    | "secondsUntil"
    | "signs"
    | "explain"
    | "basket"
    | "quotationProblem"
    | "lint"
    | "effect"
  >;
  readonly rounds: Pick<
    Rounds,
    "list" | "find" | "differences" | "approve" | "cancel" | "takeErp"
  > & {
    /** A file in the layout of the ERP's own price rules. */
    load(
      file: Omit<NewRound, "rules" | "fileSha256" | "words"> & {
        readonly words: NonNullable<NewRound["words"]>;
        readonly content: Uint8Array;
      },
    ): Promise<Round>;
    /** Those on the way that it concerns. */
    orders(name: string): Promise<readonly (OrderOnTheWay & { readonly says: string })[]>;
  };
  readonly holds: Holds;
  readonly orders: Pick<
    Orders,
    | "accept"
    | "check"
    | "hiddenProducts"
    | "show"
    | "exportPage"
    | "buyers"
    | "shadowReport"
    | "lostOrders"
    | "amend"
    | "cancelPart"
    | "release"
    | "resolve"
    | "sendAgain"
    | "desk"
    | "tasks"
    | "closeTask"
  >;
  readonly maintenance: {
    stops(): Promise<readonly HeldStop[]>;
    begin(asked: MaintenanceAsked & { readonly until: Temporal.Instant | null }): Promise<{
      readonly began: boolean;
      readonly underWay: { readonly deliveries: number; readonly pulls: readonly string[] };
    }>;
    end(asked: MaintenanceAsked): Promise<readonly Stop[]>;
  };
  readonly sales: Pick<Sales, "totals" | "reconcile" | "trace">;
  readonly proof: Pick<
    PriceProof,
    "today" | "parity" | "lines" | "asKnown" | "certifications" | "impactBetween" | "impactOf"
  >;
  readonly shop: Pick<Shop, "page" | "one" | "documents" | "changes" | "incomplete">;
  readonly incentives: Pick<Incentives, "statement" | "compare">;
  readonly events: Pick<Events, "after">;
  readonly webhooks: Omit<Webhooks, "work" | "settle" | "close">;
  readonly sync: {
    runs(filter: { stream?: string; limit: number }): ReturnType<typeof listRuns>;
    status(): Promise<PullStatus>;
    readonly quarantine: Omit<QuarantineDesk, "pieces">;
    readonly completeness: Pick<CompletenessDesk, "list">;
    /** What a pull would do; nothing is published. */
    plan(
      connection: string,
      options: { readonly streams?: readonly string[] },
    ): Promise<PlanDocument>;
    /** Throws PlanRefused when the world moved. */
    apply(plan: PlanDocument, options: { readonly acceptRemovals: boolean }): Promise<RunResult[]>;
    /** Null: there are such a connection and streams. */
    pullRefusal(asked: {
      readonly connection: string;
      readonly streams: readonly string[];
    }): PullRefusal | null;
    /** Queues a pull; null: it is queued. */
    askToPull(
      asked: {
        readonly connection: string;
        readonly streams: readonly string[];
        readonly acceptRemovals: boolean;
      },
      who: string,
    ): Promise<PullRefusal | null>;
    /** Null: there is no such run. */
    run(id: string): Promise<Awaited<ReturnType<typeof listRuns>>[number] | null>;
    /** False: it has ended. */
    stopRun(id: string, who: string): Promise<boolean>;
  };
}

export interface MaintenanceAsked {
  /** Null: all of the company. */
  readonly connection: string | null;
  readonly who: string;
  readonly why: string;
}

/** A connection that stands still, or all of the company, and why in a sentence. */
export interface HeldStop extends Stop {
  readonly says: string;
}

/** A connection or stream that is not there. */
interface PullRefusal {
  readonly code: "connection-unknown" | "stream-unknown";
  readonly detail: string;
}

/** How pulls stand. */
export interface PullStatus {
  readonly at: Temporal.Instant;
  readonly orders: {
    readonly connection: string;
    readonly mode: Mode;
    readonly wished: Mode;
    readonly paused: string | null;
    readonly about: string | null;
    readonly waiting: DeskCounts;
  };
  readonly stops: readonly HeldStop[];
  readonly service: ServiceState;
  readonly alarms: readonly Alarm[];
  readonly streams: readonly {
    readonly connection: string;
    readonly stream: string;
    /** Null: its freshness is not promised. */
    readonly fresh: { readonly until: Temporal.Instant; readonly late: boolean } | null;
    readonly lastAppliedAt: Temporal.Instant | null;
    readonly lastRun: StreamState["newest"];
    readonly asks: boolean;
    readonly stoppedBy: string | null;
    readonly runningRows: number | null;
    readonly next: { readonly at: Temporal.Instant } | null;
    readonly paused: readonly Pause[];
    readonly quarantined: number;
    readonly worth: string | null;
  }[];
  readonly schedules: readonly ScheduleState[];
}

export interface Readiness {
  /** "database", "prices of HARROW". */
  readonly name: string;
  readonly ready: boolean;
  /** What is missing; "" when ready. */
  readonly about: string;
}

export interface HttpServices {
  readonly access: Pick<Access, "verify">;
  /** Undefined when the settings do not name it. */
  company(code: string): CompanyServices | undefined | Promise<CompanyServices | undefined>;
  ready(): Promise<readonly Readiness[]>;
  /** Answers large price requests in threads of their own; absent: none is there. */
  readonly bulk?: Pick<BulkLane, "ask">;
  log(
    level: "info" | "warn" | "error",
    message: string,
    facts?: Readonly<Record<string, string | number | boolean | null>>,
  ): void;
}
