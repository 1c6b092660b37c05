/** What the service's thread and the threads for large price requests say to each other. */
import type { BulkNews, BulkPart } from "../pricing/index.ts";
import type { Fault, ProblemCode } from "./problem.ts";

export interface BulkQuestion {
  readonly id: number;
  readonly company: string;
  readonly news: BulkNews;
  /** The moment of the request. */
  readonly atMs: number;
  /** The bytes of the request, in shared memory; empty: the thread is only told news. */
  readonly body: Uint8Array;
  /** A share of a request by columns: the third of four is [2, 4]; null: all of it, of any form. */
  readonly share: readonly [at: number, of: number] | null;
}

export type BulkAnswer = { readonly id: number } & (
  | { readonly is: "part"; readonly account: string; readonly part: BulkPart }
  | {
      readonly is: "reply";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array<ArrayBuffer>;
    }
  | {
      readonly is: "problem";
      readonly code: ProblemCode;
      readonly detail: string;
      readonly faults: readonly Fault[];
      readonly headers: Readonly<Record<string, string>>;
    }
  /** Not for a share, or not for a thread without a database. */
  | { readonly is: "not-mine" }
);
