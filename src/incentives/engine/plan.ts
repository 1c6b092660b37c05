/** A plan as the engine sees it. A file becomes this in `../plan-file.ts`. */
import type { Channel } from "../../model/index.ts";
import type { SalesClass } from "./facts.ts";

export interface Plan {
  readonly plan: string;
  readonly title: string;
  readonly currency: string;
  /** By `from`, each in force until the next one begins. */
  readonly versions: readonly PlanVersion[];
}

export interface PlanVersion {
  readonly version: number;
  /** First document date that it applies to. */
  readonly from: string;
  readonly components: readonly Component[];
}

/** What a plan may be made of. A new kind is one more member here. */
export type Component = RateComponent;

/** A percentage of the net of goods, earned when invoiced. */
export interface RateComponent {
  readonly kind: "rate";
  /** Code, the same over the versions of a plan. */
  readonly component: string;
  readonly title: string;
  /** The first row that matches a line applies; a line that no row matches earns nothing. */
  readonly rates: readonly RateRow[];
}

/** An absent list matches everything. */
export interface RateRow {
  readonly classes: readonly SalesClass[] | null;
  readonly channels: readonly Channel[] | null;
  readonly productGroups: readonly string[] | null;
  /** Decimal text, 0 to 100 with at most 4 places. */
  readonly percent: string;
}
