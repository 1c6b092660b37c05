/** What cannot be done for a buyer, in words. */
export type BuyerErrorCode =
  | "account-request-unknown"
  | "account-request-settled"
  | "account-closed"
  | "return-unknown"
  | "return-settled"
  | "replacement-of-another"
  | "replacement-unknown"
  | "invoice-unknown"
  | "return-too-much";

/** A place in a request that asks for more than there is. */
export interface Excess {
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  readonly about: string;
}

export class BuyerError extends Error {
  override readonly name = "BuyerError";
  readonly code: BuyerErrorCode;
  readonly excess: readonly Excess[];
  constructor(code: BuyerErrorCode, message: string, excess: readonly Excess[] = []) {
    super(message);
    this.code = code;
    this.excess = excess;
  }
}
