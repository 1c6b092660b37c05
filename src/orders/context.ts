/** What the parts of the orders module work with: one company and its doors to the outside. */
import type { Session } from "../connector/index.ts";
import type { Log } from "../connections/index.ts";
import type { Jobs } from "../jobs/index.ts";
import type { Outbound } from "../mapping/index.ts";
import type { Alarms } from "../notify/index.ts";
import type { Queryable, Store } from "../store/index.ts";
import type { AuditedAct } from "./audit.ts";
import type { OrderInvoice } from "./documents.ts";
import type { OrderPricing } from "./facts.ts";
import type { OrderSettings } from "./settings.ts";

/** Where orders go: the connection that takes them, opened when one is sent. */
export interface OrdersConnection {
  /** Whether it may send now; asked before each delivery. */
  standing(): Promise<Standing>;
  readonly name?: string;
  /**
   * When it stood still since then: oldest first, and none overlaps. Absent: that is not known,
   * and it never did.
   */
  stoodStill?(since: Temporal.Instant): Promise<readonly StoodStill[]>;
  /**
   * The connection that counted as live when the order was taken, whatever mode the settings had
   * then; null: none did. Absent: that is not known.
   */
  liveAt?(order: {
    readonly id: string;
    readonly receivedAt: Temporal.Instant;
  }): Promise<CountedLive | null>;
  /**
   * The streams by which the ERP answers, wherever they are read from. Absent: that is not known,
   * and they count as read.
   */
  answers?(): Promise<readonly AnswerStream[]>;
  /**
   * What these streams brought that could not be used and names one of these orders, or may.
   * Absent: that is not known, and nothing is.
   */
  unusable?(numbers: readonly string[]): Promise<readonly UnusableAnswer[]>;
  openSession(): Promise<Session>;
}

/** Acknowledgements, or orders as the ERP holds them. */
export interface AnswerStream {
  readonly connection: string;
  readonly stream: string;
  /** When the last look at it began that ended well, whatever lay there; null: there was none. */
  readonly lookedAt: Temporal.Instant | null;
}

/** A row that waits in quarantine. */
export interface UnusableAnswer {
  /** The order's number; null: a whole file was refused, and whatever it names nobody knows. */
  readonly name: string | null;
  readonly connection: string;
  readonly stream: string;
  /** The file, and the line in it; 0: all of it. */
  readonly origin: string;
  readonly line: number;
  readonly reason: string;
  readonly lastSeenAt: Temporal.Instant;
}

/** A go-live that was recorded. */
export interface CountedLive {
  /** By its name of then. */
  readonly connection: string;
  readonly at: Temporal.Instant;
  readonly undone: boolean;
}

export interface StoodStill {
  readonly from: Temporal.Instant;
  /** Now, where it stands still yet. */
  readonly to: Temporal.Instant;
}

export interface Standing {
  /** read-only: nothing is ever sent; shadow: rendered and compared, never sent. */
  readonly mode: "read-only" | "shadow" | "live";
  /** Why nothing is sent for now, though orders are taken; null: nothing stands in the way. */
  readonly paused: string | null;
  /** Going live as it was recorded last; null or absent: it is not, or was never asked for. */
  readonly live?: { readonly id: string; readonly at: Temporal.Instant } | null;
  /** When it last went on after it had stood still; null or absent: it never did. */
  readonly resumedAt?: Temporal.Instant | null;
}

export function sends({ mode, paused }: Standing): boolean {
  return mode === "live" && paused === null;
}

export interface OrdersContext {
  readonly store: Store;
  readonly company: string;
  readonly settings: OrderSettings;
  readonly pricing: OrderPricing;
  readonly jobs: Jobs;
  readonly connection: OrdersConnection;
  readonly outbound: Outbound;
  /** Absent: nobody is told. */
  readonly alarms?: Pick<Alarms, "raise" | "clear" | "list">;
  readonly now: () => Temporal.Instant;
  readonly log: Log;
  /** The book of who did what; absent: none is kept. */
  readonly audit?: (act: AuditedAct, on: Queryable) => Promise<void>;
  /** Invoices and credit notes of web orders, as sales has linked them; absent: none are. */
  readonly invoices?: (
    webOrders: readonly string[],
  ) => Promise<ReadonlyMap<string, readonly OrderInvoice[]>>;
}
