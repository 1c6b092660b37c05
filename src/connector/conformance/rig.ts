/**
 * The far side as the suite asks it to behave: what a connector's `simulator/conformance.ts`
 * exports as `rig`. A simulator imports nothing of `src`, so it only has this shape. Every part
 * that a far side cannot play may be left out; the checks that need it then say so, and are waived
 * with a reason or remain to do.
 */
import type { Connector, NewAccount, NewReturn, RenderedOrder } from "../contract.ts";

export type Values = Readonly<Record<string, unknown>>;

export interface Rig {
  /** Streams to try. Default: all that the settings give. */
  readonly streams?: readonly string[];
  /** Checks set aside: id and reason. One that would pass, or says nothing, is a finding. */
  readonly waivers?: Readonly<Record<string, string>>;
  /** A far side of its own, the same each time; ready in milliseconds, called a hundred times. */
  start(): Promise<FarSide>;
}

export interface FarSide {
  readonly settings: unknown;
  /** Values of the secrets that the settings name. Each must be at least 8 characters long. */
  readonly secrets?: Readonly<Record<string, string>>;
  /**
   * What the stream gives now when it is read from its start: the values of each good row, in the
   * columns that matter. At least three pages of it, all stamped before 28/03/2026.
   */
  rows(stream: string): readonly Values[];
  /**
   * Adds a row for each stamp, with keys that ascend. A stamp is as the stream's zone and grain
   * have it (`2026-10-25T01:30:00Z`, without the Z when local); null: stamped as the far side
   * likes.
   */
  add?(stream: string, stamps: readonly (string | null)[]): Promise<void> | void;
  /** Edits the row at this place in `rows` and stamps it. */
  edit?(stream: string, index: number, stamp: string | null): Promise<void> | void;
  remove?(stream: string, index: number): Promise<void> | void;
  /** Puts a bad row among the good; false: this far side cannot hold one of that kind. */
  spoil?(stream: string, kind: BadRow): Promise<boolean> | boolean;
  /** False: this far side never does that. */
  misbehave?(what: Misbehaviour, stream: string): Promise<boolean> | boolean;
  /** From now on the stream has this many rows, made as they are asked for and not kept. */
  fill?(stream: string, rows: number): Promise<void> | void;
  /** How often a token was given out. Absent: the far side has no tokens. */
  signIns?(): number;
  readonly orders?: RigOrders;
  readonly accounts?: RigAccounts;
  readonly returns?: RigReturns;
  close(): Promise<void> | void;
}

export type BadRow =
  | "wrong type"
  | "missing key"
  | "huge field"
  | "NUL"
  | "control characters"
  | "wrong charset"
  | "cut row";

export const BAD_ROWS: readonly BadRow[] = [
  "wrong type",
  "missing key",
  "huge field",
  "NUL",
  "control characters",
  "wrong charset",
  "cut row",
];

export type Misbehaviour =
  /** Once: a page comes a second time where the next one should. */
  | "page twice"
  /** Once: a page in the middle is passed over, and the far side says nothing of it. */
  | "page missing"
  /**
   * Once: a page in the middle has fewer rows than asked for. The others follow behind it, or,
   * where pages are counted, come when it is asked for again.
   */
  | "page short"
  /** The same, with no rows at all. */
  | "page empty"
  /**
   * Once: where a later page should be, an earlier one comes again, and not the one just given. It
   * names as next the page behind the one that was asked for, where pages name the next.
   */
  | "page earlier"
  /** The rows of the whole stream come in another order. */
  | "out of order"
  /** Once: the token is refused after the next page, though its time is not up. */
  | "token expires"
  /** Once: 429 with half a minute to wait, or what it has like it. */
  | "throttles once"
  /** Once: a 5xx answer, or a connection that breaks. */
  | "fails once"
  /** From now on. */
  | "throttles"
  | "fails"
  | "refuses sign-in"
  /** Answers something that is not what it should be: a login page, half of a file. */
  | "garbage"
  /** From the second request on: takes it and never answers. */
  | "hangs";

export interface RigOrders {
  /** An order that the far side takes. */
  order(key: string): RenderedOrder;
  /** An order that it refuses. Absent: it refuses none. */
  refusable?(key: string): RenderedOrder;
  /** How many orders of this key it holds, in every place where one can be. */
  held(key: string): Promise<number> | number;
  /** Once: it takes the next order, and its answer is lost. False: its answers cannot be lost. */
  loseAnswer?(): Promise<boolean> | boolean;
  /** It takes what was dropped for it; `held` still counts that. Absent: orders are not dropped. */
  take?(): Promise<void> | void;
}

export interface RigAccounts {
  /** An account that the far side opens, asked for under this number of ours. */
  account(request: string): NewAccount;
  /** One that it refuses. Absent: it refuses none. */
  refusable?(request: string): NewAccount;
  /** How many accounts it holds that bear this number. */
  held(request: string): Promise<number> | number;
  /**
   * What it holds of the first of them, in our words; fields that it has no place for are left out.
   * Null: it holds none. A name, an e-mail address and an address are the least.
   */
  kept?(request: string): Promise<Partial<NewAccount> | null> | Partial<NewAccount> | null;
  /** Once: it opens the next account, and its answer is lost. False: that cannot happen. */
  loseAnswer?(): Promise<boolean> | boolean;
}

export interface RigReturns {
  /** A return that the far side takes, asked for under this number of ours. */
  goods(key: string): NewReturn;
  /** One that it refuses. Absent: it refuses none. */
  refusable?(key: string): NewReturn;
  /** How many returns it holds that bear this number, in every place where one can be. */
  held(key: string): Promise<number> | number;
  /**
   * What it holds of the first of them, in our words; fields that it has no place for are left out.
   * Null: it holds none. Account, invoice, lines and what is wanted are the least.
   */
  kept?(key: string): Promise<Partial<NewReturn> | null> | Partial<NewReturn> | null;
  /** Once: it takes the next return, and its answer is lost. False: that cannot happen. */
  loseAnswer?(): Promise<boolean> | boolean;
}

export interface Subject {
  readonly connector: Connector;
  /** Its `index.ts`; null: the checks of its text and of importing it are passed over. */
  readonly file: string | null;
}
