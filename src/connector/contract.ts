/**
 * The connector contract, the door `#connector`. A connector reads its system's rows as they are
 * and hands over orders; it never maps, stores, reads a clock or keeps state of its own. The host
 * owns cursors and commits them in the transaction that stored the rows.
 *
 *     export const connector = defineConnector({ name: "csv", about, settings, streams, open });
 */
import type { AccountsCapability, ReturnsCapability } from "./buyers.ts";
import type { ZodType } from "zod";

export type {
  AccountAddress,
  AccountOutcome,
  AccountsCapability,
  FoundAccount,
  NewAccount,
  NewReturn,
  ReturnsCapability,
} from "./buyers.ts";
export {
  comparePositions,
  furthest,
  isAfter,
  positionOf,
  readBehind,
  readFrom,
  readStamp,
  stampOf,
} from "./delta.ts";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What a connector promises about a stream. The host holds it to all of it, on every read. */
export interface StreamDefinition {
  /** Plural, kebab-case: `price-rules`. */
  readonly name: string;
  readonly about: string;
  /**
   * `snapshot`: each read is the whole set, what is missing was removed. `delta`: new and changed
   * rows.
   */
  readonly reading: "snapshot" | "delta";
  /**
   * Shape of a row's values, in the source's own words; a row that does not fit is set aside.
   * Absent: any columns, all text, as files give them.
   */
  readonly row?: ZodType;
  /** Columns that tell the source's rows apart. Absent: it has none, or its mapping knows. */
  readonly key?: readonly string[];
  /** How a delta goes on from where it stood. Absent: the cursor is the connector's own affair. */
  readonly delta?: DeltaPromise;
  /**
   * How removed rows show. `absence`: a snapshot lacks them (the default of a snapshot). `never`:
   * they do not (the default of a delta). `marked`: a row says `removed`. `keys`: only
   * `Session.keys` tells, which the host compares on a schedule.
   */
  readonly deletions?: "absence" | "never" | "marked" | "keys";
  /** True: each origin comes with `totals`, and a checkpoint without them is refused. */
  readonly totals?: true;
  /** True: `ReadOptions.range` is understood, so that a long history is read in slices. */
  readonly range?: true;
}

/** A delta's rows carry `at`, and its cursors are `{ value, key }` with whatever else it needs. */
export interface DeltaPromise {
  /** The finest step of the stamp; `number`: a counter, not a time. */
  readonly grain: "microsecond" | "millisecond" | "second" | "minute" | "day" | "number";
  /** `local`: wall-clock time of the company, which repeats an hour each autumn. */
  readonly zone: "utc" | "local" | "none";
  /** True: rows come in ascending order of (value, key), so that a read can stop between rows. */
  readonly ordered: boolean;
  /**
   * How far a read goes back behind its cursor, because rows may appear late: seconds, or counts of
   * a number.
   */
  readonly overlap: number;
}

/** Where a row stands in reading order; rows with one value are told apart by their key. */
export interface Position {
  /** Text compares by code unit: stamps are ISO 8601 of one length. */
  readonly value: string | number;
  readonly key: string | number;
}

/** A file, page or table that rows came from; every row can be followed back to one. */
export interface Origin {
  /** File name, URL or table. */
  readonly name: string;
  /** Where the untouched original can be read again after it was applied; absent when it cannot. */
  readonly keptAt?: string;
  readonly sha256?: string;
  readonly bytes?: number;
  /** Column names found, when the source states them up front. */
  readonly columns?: readonly string[];
}

export interface SourceRow {
  /** Physical line (file) or ordinal (page, table) in the origin, from 1. */
  readonly line: number;
  /** The row as it stood in the source. */
  readonly raw: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Of a stream with a delta promise. */
  readonly at?: Position;
  /** The source says that this row is gone; its values hold at least the stream's key. */
  readonly removed?: true;
}

export type ReadEvent =
  /** Rows that follow are of this origin. */
  | { readonly kind: "origin"; readonly origin: Origin }
  /** At most 1,000 rows at a time. */
  | { readonly kind: "rows"; readonly rows: readonly SourceRow[] }
  /** A span that cannot be read as rows. It counts as one row read. */
  | {
      readonly kind: "reject";
      readonly line: number;
      readonly raw: string;
      readonly reason: string;
      readonly instruction: string;
    }
  /**
   * A whole origin that must not be applied (cut off, lying header); the run goes on without it.
   */
  | {
      readonly kind: "refused";
      readonly origin: Origin;
      readonly reason: string;
      readonly instruction: string;
    }
  /**
   * A point to go on from after a kill: what came before it is kept, and published only with the
   * checkpoint that follows. The cursor is a whole one: `read` given it goes on behind this point.
   */
  | { readonly kind: "mark"; readonly cursor: Json }
  /** Everything before it is whole. A snapshot gives exactly one; `more`: another one waits. */
  | { readonly kind: "checkpoint"; readonly cursor: Json; readonly more: boolean }
  /** The snapshot equals the one last applied: every row is unchanged. */
  | {
      readonly kind: "unchanged";
      readonly origin: Origin;
      readonly cursor: Json;
      readonly more: boolean;
    }
  /**
   * So many rows equal those of the content that the cursor stands for, word by word. Given only
   * when the host asked for changes.
   */
  | { readonly kind: "same"; readonly rows: number }
  /** Rows of the content that the cursor stands for which this content lacks. As `same`. */
  | { readonly kind: "gone"; readonly rows: readonly SourceRow[] }
  /**
   * The source's own count of an origin, and its sums by column (decimal text); the host compares
   * them with what it was given.
   */
  | {
      readonly kind: "totals";
      readonly rows: number;
      readonly sums?: Readonly<Record<string, string>>;
    };

export interface ReadOptions {
  /** Only rows of these days, both included. Asked of streams that declare `range` alone. */
  readonly range?: { readonly from: Temporal.PlainDate; readonly to: Temporal.PlainDate };
  /**
   * The host still holds all that the cursor's content made: rows that are the same need not be
   * given again (`same`, `rows`, `gone`). A connector that cannot tell gives the whole as ever.
   */
  readonly changes?: boolean;
}

/** An order in the shape of the far side: tables of text, details first and the header last. */
export interface RenderedOrder {
  /** Our order number, which the far side keeps and can be searched by. */
  readonly key: string;
  readonly tables: readonly RenderedTable[];
}

export interface RenderedTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A line of an order as the far side holds it. */
export interface HeldLine {
  /** Product code there; null: text or a charge. */
  readonly product: string | null;
  /** Selling units, decimal text. */
  readonly quantity: string;
  /** Decimal text; null: not stated. */
  readonly net: string | null;
  /** Line of our order, where the far side keeps it. */
  readonly line?: number | null;
}

export interface Accepted {
  readonly kind: "accepted";
  /** Its own number there. Blank, or the placeholder of a draft (`TBA`): it is not accepted. */
  readonly erpOrder: string;
  readonly net: string | null;
  readonly vat: string | null;
  readonly evidence: string;
  /** As the far side words it; `draft`, `cancelled`, `deleted` are no order. Absent: not told. */
  readonly state?: string | null;
  /** All lines it holds. Absent or null: not told here. */
  readonly lines?: readonly HeldLine[] | null;
}

export type Outcome =
  | Accepted
  /** Nothing was created, and the same order would be refused again. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Nothing was created for now: throttled, locked, being closed. Later it may be taken. */
  | { readonly kind: "notNow"; readonly reason: string; readonly retryAt?: Temporal.Instant | null }
  /** Dropped where the far side takes it from; its answer is yet to come. */
  | {
      readonly kind: "handedOver";
      readonly evidence: string;
      /** True: it lies there still, and nobody has taken it; absent: that is not known. */
      readonly waits?: boolean;
    }
  /** It may or may not have arrived; only `find` decides. */
  | { readonly kind: "inDoubt"; readonly evidence: string };

export type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly outcome: Outcome }
  /** More than one document bears the key: somebody made it twice. */
  | { readonly kind: "several"; readonly documents: readonly Accepted[]; readonly evidence: string }
  /**
   * Something else than `order` of the call was handed over under its key, or what was handed over
   * was taken back and the host has forgotten that; what there is is told.
   */
  | { readonly kind: "another"; readonly reason: string }
  | { readonly kind: "cannotTell"; readonly reason: string };

/**
 * What a doubt may rest on.
 *
 * - `native-key`: placing the same key again gives the same document and makes no second one.
 * - `searchable`: `find` sees an order from the moment it exists. That moment may still lie behind
 *   a call that was given up.
 * - `eventually-searchable`: `find` may see it only a while after it exists.
 * - `file-drop`: `find` sees what was dropped; only a later pull or an acknowledgement tells what
 *   became of it.
 */
export type FindingClass = "native-key" | "searchable" | "eventually-searchable" | "file-drop";

export interface OrderCall {
  /** The host has given up: the call ends at once, and whether it arrived is a doubt. */
  readonly signal: AbortSignal;
}

/** Given to a file drop alone, whose journal may know more, or of another one, than the host. */
export interface DropCall extends OrderCall {
  /** What is to be sent under the key, or was: what else was dropped under it is another's. */
  readonly order?: RenderedOrder;
  /**
   * What the host has written down of the order, with all that `takeBack` and `again` told: what
   * was taken back and stands in none of it, the host has forgotten. Absent: it does not say.
   */
  readonly known?: readonly string[];
}

export interface OrdersCapability {
  readonly finding: FindingClass;
  /**
   * A call that was given up may still make its order there for so many seconds. The host waits at
   * least that long before it believes `absent`; absent: the settings and what was seen decide.
   */
  readonly quietSeconds?: number;
  find(key: string, call?: DropCall): Promise<Found>;
  /** Call only after `find` said absent; safe to call again after a kill. */
  place(order: RenderedOrder, call?: OrderCall): Promise<Outcome>;
  /**
   * A person has looked, and the far side has not got what was handed over: `find` says absent from
   * now on, so that it can be placed anew. Tells what was set aside for that; null: nothing was
   * handed over. Throws where that cannot be. Only of a file drop, which cannot know by itself;
   * absent: `find` asks the far side.
   */
  again?(
    key: string,
    decided: { readonly who: string; readonly why: string },
    call?: OrderCall,
  ): Promise<string | null>;
  /**
   * Takes back what was handed over and not taken yet: from then on nothing of it can be taken, and
   * `find` says absent. Tells what was taken back, also when a call before did so of which the host
   * knows nothing; null: the far side has taken it, or it is another's, and nothing was changed.
   * Only of a file drop.
   */
  takeBack?(key: string, why: string, call?: DropCall): Promise<string | null>;
  /** How the order stands at the far side now: its number, state, lines and sums. */
  status?(key: string, call?: OrderCall): Promise<Found>;
  /** Replaces the order's lines at the far side, where that still can be done. */
  amend?(order: RenderedOrder, call?: OrderCall): Promise<Outcome>;
  /** `accepted`: it is cancelled there, or was before. */
  cancel?(key: string, reason: string, call?: OrderCall): Promise<Outcome>;
}

export interface PriceQuestion {
  readonly account: string;
  readonly product: string;
  /** Decimal text. */
  readonly quantity: string;
  readonly on: Temporal.PlainDate;
}

/** Asks the far side itself what it would charge, to prove our prices against. */
export interface PricesCapability {
  /** Net unit price as decimal text, in the order of the questions; null: it names none. */
  price(questions: readonly PriceQuestion[]): Promise<readonly (string | null)[]>;
}

/** What the source holds of a stream, before anything is pulled. */
export interface Surveyed {
  readonly stream: string;
  /** Null: the source does not say without being read. */
  readonly rows: number | null;
  /** The earliest and latest day of its rows; null: not known, or rows have no date. */
  readonly from: string | null;
  readonly to: string | null;
  readonly columns: readonly string[];
}

export interface Finding {
  readonly level: "error" | "warning";
  readonly what: string;
  readonly instruction: string;
}

export interface Session extends AsyncDisposable {
  read(stream: string, cursor: Json | null, options?: ReadOptions): AsyncIterable<ReadEvent>;
  /** Every row that the source holds now, each with at least the columns of the stream's key. */
  keys?(stream: string): AsyncIterable<ReadEvent>;
  /** The stream's cursor is committed: put away what it covers. Called again after a kill. */
  applied?(stream: string, cursor: Json): Promise<void>;
  /**
   * The host will not apply this origin: put it away with the reason, so that the next one is read.
   */
  setAside?(stream: string, origin: Origin, reason: string): Promise<void>;
  /** Where a person finds an origin that was set aside; null: it is not there any more. */
  asideAt?(stream: string, origin: Origin): Promise<string | null>;
  /** The text of a row that was applied, from where its original is kept; null when it is gone. */
  original?(origin: Origin, line: number): Promise<string | null>;
  /** All rows of an origin whose original is kept, once more; null when it is gone. */
  again?(stream: string, origin: Origin): Promise<AsyncIterable<ReadEvent> | null>;
  /** Lays a whole file where the far side takes files from; one of that name is replaced. */
  layFile?(name: string, content: string): Promise<void>;
  readonly orders?: OrdersCapability;
  readonly accounts?: AccountsCapability;
  readonly returns?: ReturnsCapability;
  readonly prices?: PricesCapability;
  survey?(): Promise<readonly Surveyed[]>;
  check?(): Promise<readonly Finding[]>;
}

/**
 * What the host gives a session; a connector has no other way to the outside than these and its own
 * transport.
 */
export interface Host {
  now(): Temporal.Instant;
  readonly timeZone: string;
  readonly signal: AbortSignal;
  log(
    level: "info" | "warn" | "error",
    message: string,
    facts?: Readonly<Record<string, Json>>,
  ): void;
  /** A secret by its name in the settings; throws a `config` fault when it is not set. */
  secret(name: string): string;
  /** True when content with this digest was ever applied to the stream. */
  appliedBefore(stream: string, sha256: string): Promise<boolean>;
  /** What the connection keeps between sessions and shares with all instances, encrypted. */
  readonly tokens: TokenStore;
  /** Returns when the connection may send its next request; all instances share the rate. */
  turn(perSecond: number): Promise<void>;
  /** Waits; ends early with the signal's reason when the session is stopped. */
  wait(ms: number): Promise<void>;
}

export interface KeptToken {
  readonly value: string;
  /** Grows with each change. */
  readonly version: number;
}

export interface TokenStore {
  read(name: string): Promise<KeptToken | null>;
  /** False: another has changed it since `seen` was read; read it again. */
  write(name: string, value: string, seen: KeptToken | null): Promise<boolean>;
  /** Runs `refresh` in one instance at a time; the others wait and then read what it wrote. */
  alone<T>(name: string, refresh: () => Promise<T>): Promise<T>;
}

export interface Connector<Settings = unknown> {
  readonly name: string;
  readonly about: string;
  readonly settings: ZodType<Settings>;
  streams(settings: Settings): readonly StreamDefinition[];
  open(settings: Settings, host: Host): Promise<Session>;
}

/** Declares a connector; importing it costs nothing and needs no credentials. */
export function defineConnector<Settings>(connector: Connector<Settings>): Connector<Settings> {
  return connector;
}

/**
 * What the reader of a fault must do: mend settings, sign in again, wait, accept the refusal, or
 * report a defect.
 */
export type FaultKind = "config" | "auth" | "transient" | "throttled" | "refused" | "defect";

export class ConnectorFault extends Error {
  override readonly name = "ConnectorFault";
  readonly kind: FaultKind;
  readonly instruction: string;
  readonly retryAt: Temporal.Instant | null;

  constructor(
    kind: FaultKind,
    reason: string,
    instruction: string,
    options: { cause?: unknown; retryAt?: Temporal.Instant } = {},
  ) {
    super(reason, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.instruction = instruction;
    this.retryAt = options.retryAt ?? null;
  }
}
