/** What cannot be done for a buyer, in words. */
export type BuyerErrorCode =
  | "account-request-unknown"
  | "account-request-settled"
  | "account-unknown"
  | "return-unknown"
  | "return-settled"
  | "invoice-unknown"
  | "return-too-much";

export class BuyerError extends Error {
  override readonly name = "BuyerError";
  readonly code: BuyerErrorCode;
  constructor(code: BuyerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
