/** What the parts of the orders module work with: one company and its doors to the outside. */
import type { Session } from "../connector/index.ts";
import type { Log } from "../connections/index.ts";
import type { Jobs } from "../jobs/index.ts";
import type { Outbound } from "../mapping/index.ts";
import type { Store } from "../store/index.ts";
import type { OrderPricing } from "./facts.ts";
import type { OrderSettings } from "./settings.ts";

/** Where orders go: the connection that takes them, opened when one is sent. */
export interface OrdersConnection {
  /** read-only: nothing is ever sent. */
  readonly mode: "read-only" | "live";
  openSession(): Promise<Session>;
}

export interface OrdersContext {
  readonly store: Store;
  readonly company: string;
  readonly settings: OrderSettings;
  readonly pricing: OrderPricing;
  readonly jobs: Jobs;
  readonly connection: OrdersConnection;
  readonly outbound: Outbound;
  readonly now: () => Temporal.Instant;
  readonly log: Log;
}
