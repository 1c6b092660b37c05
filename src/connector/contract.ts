/**
 * The connector contract, the door `#connector`. A connector reads its system's rows as they are
 * and hands over orders; it never maps, stores, reads a clock or keeps state of its own. The host
 * owns cursors and commits them in the transaction that stored the rows.
 *
 *     export const connector = defineConnector({ name: "csv", about, settings, streams, open });
 */
import type { ZodType } from "zod";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

export interface StreamDefinition {
  /** Plural, kebab-case: `price-rules`. */
  readonly name: string;
  readonly about: string;
  /**
   * `snapshot`: each read is the whole set, what is missing was removed. `delta`: new and changed
   * rows.
   */
  readonly reading: "snapshot" | "delta";
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
  /** Everything before it is whole. A snapshot gives exactly one; `more`: another one waits. */
  | { readonly kind: "checkpoint"; readonly cursor: Json; readonly more: boolean }
  /** The snapshot equals the one last applied: every row is unchanged. */
  | {
      readonly kind: "unchanged";
      readonly origin: Origin;
      readonly cursor: Json;
      readonly more: boolean;
    }
  /** The source's own count of an origin; the host compares it with what it was given. */
  | { readonly kind: "totals"; readonly rows: number };

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

export type Outcome =
  | {
      readonly kind: "accepted";
      readonly erpOrder: string;
      readonly net: string | null;
      readonly vat: string | null;
      readonly evidence: string;
    }
  /** Nothing was created, and the same order would be refused again. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Dropped where the far side takes it from; its answer is yet to come. */
  | { readonly kind: "handedOver"; readonly evidence: string }
  /** It may or may not have arrived; only `find` decides. */
  | { readonly kind: "inDoubt"; readonly evidence: string };

export type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly outcome: Outcome }
  | { readonly kind: "cannotTell"; readonly reason: string };

export interface OrdersCapability {
  find(key: string): Promise<Found>;
  /** Call only after `find` said absent; safe to call again after a kill. */
  place(order: RenderedOrder): Promise<Outcome>;
}

export interface Finding {
  readonly level: "error" | "warning";
  readonly what: string;
  readonly instruction: string;
}

export interface Session extends AsyncDisposable {
  read(stream: string, cursor: Json | null): AsyncIterable<ReadEvent>;
  /** The stream's cursor is committed: put away what it covers. Called again after a kill. */
  applied?(stream: string, cursor: Json): Promise<void>;
  /**
   * The host will not apply this origin: put it away with the reason, so that the next one is read.
   */
  setAside?(stream: string, origin: Origin, reason: string): Promise<void>;
  /** The text of a row that was applied, from where its original is kept; null when it is gone. */
  original?(origin: Origin, line: number): Promise<string | null>;
  readonly orders?: OrdersCapability;
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
