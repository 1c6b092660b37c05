/**
 * What the parts of the sales module work with: one company, its rules and what it is told by
 * others.
 */
import type { Channel } from "../model/index.ts";
import type { Store } from "../store/index.ts";

/**
 * A site's rule for the channel: exact codes; a `*` at the end of `takenBy` stands for anything. A
 * field that is absent fits everything; the first rule that fits wins.
 */
export interface ChannelRule {
  readonly takenBy?: string | undefined;
  readonly branch?: string | undefined;
  readonly channel: Channel;
}

export interface SalesSettings {
  readonly channels: readonly ChannelRule[];
}

/** How far a total can be trusted: how fresh its sources are, and what is not in it yet. */
export interface Freshness {
  readonly source: string;
  /** When it was last known to be complete; null: never. */
  readonly at: Temporal.Instant | null;
}

export interface QuarantinedWorth {
  readonly record: string;
  readonly rows: number;
  /** Money in these rows as far as it can be read; null when it cannot. */
  readonly worth: string | null;
}

/** Told by what pulls; sales never looks into its tables. */
export interface SalesSources {
  freshness(): Promise<readonly Freshness[]>;
  /** Rows of sales documents and lines that are set aside. */
  quarantined(): Promise<readonly QuarantinedWorth[]>;
  /** Of these document numbers, those that occur in a row set aside, with the reason. */
  setAside(documents: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /**
   * The file or page that a row came from, and the run that read it; null when it is not known any
   * more.
   */
  origin(originId: string): Promise<OriginFact | null>;
}

export interface OriginFact {
  readonly name: string;
  readonly keptAt: string | null;
  readonly connection: string;
  readonly stream: string;
  readonly runId: string;
}

export interface SalesContext {
  readonly store: Store;
  readonly company: string;
  readonly settings: SalesSettings;
  readonly sources: SalesSources;
  readonly now: () => Temporal.Instant;
}
