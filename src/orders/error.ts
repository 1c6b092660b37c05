/** What cannot be done to an order, in words. */
export type OrderErrorCode =
  | "order-unknown"
  | "move-impossible"
  | "order-moved"
  | "task-unknown"
  | "task-closed"
  | "task-needs-reference"
  | "who-is-nobody"
  | "change-impossible";

export class OrderError extends Error {
  override readonly name = "OrderError";
  readonly code: OrderErrorCode;
  constructor(code: OrderErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
