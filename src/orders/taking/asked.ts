/** A request to take an order in, and what it is known by. */
import type { OrderRequest } from "../request.ts";

export interface AcceptRequest {
  readonly idempotencyKey: string;
  readonly body: OrderRequest;
  /** Which API key sent it; kept beside the request. */
  readonly apiKey: string;
  /** True: checked and kept, never sent, never counted. */
  readonly test: boolean;
}

export interface Asked extends AcceptRequest {
  /** What the key is bound to. */
  readonly hash: string;
}

/**
 * What a key is kept and locked as: test keys have a key space of their own, so that what was tried
 * out never answers for what is ordered. No key that was sent has a space in it.
 */
export function keptKey({ idempotencyKey, test }: Pick<Asked, "idempotencyKey" | "test">): string {
  return test ? `test ${idempotencyKey}` : idempotencyKey;
}

/**
 * What a number is unique as. Numbers that differ in case alone are one: ERPs and file systems read
 * them so. Those of test keys are numbers of their own, so that what was tried out takes none from
 * what is ordered; no number has a space in it, and no row of an ERP names an order by such.
 */
export function foldedNumber(number: string, test: boolean): string {
  return test ? `test ${number.toLowerCase()}` : number.toLowerCase();
}
