/** What a shop is answered, now and every time it asks again with the same key. */
import type { WebOrder, WebOrderLine } from "../model/index.ts";
import type { Examined, OrderFinding } from "./checks.ts";
import type { LinePromise } from "./checks/stock.ts";
import type { DeliveryState } from "./machine.ts";
import type { Rounded } from "./penny-line.ts";

export interface AnsweredLine extends WebOrderLine {
  /** What the stock lets us promise; null: its stock is not known. */
  readonly promise: LinePromise | null;
}

/** The order as it was taken. */
export interface OrderAnswer extends Omit<WebOrder, "lines"> {
  readonly id: string;
  readonly state: DeliveryState;
  readonly test: boolean;
  readonly lines: readonly AnsweredLine[];
  /** The shop's totals beside the ERP's; null: the shop sent none. */
  readonly rounding: Rounded | null;
  /** Why it is held; empty when it is not. */
  readonly reasons: readonly OrderFinding[];
  /** What was found and let pass by policy. */
  readonly warnings: readonly OrderFinding[];
}

/** What `accept` and `check` say of an order alike. */
export type OrderSaid = Omit<OrderAnswer, "id" | "webOrder" | "state" | "test">;

export function saidOf({ order, promises, rounding, findings }: Examined): OrderSaid {
  return {
    ...order,
    lines: order.lines.map((line, index) => ({ ...line, promise: promises[index] ?? null })),
    rounding,
    reasons: findings.filter(({ policy }) => policy === "hold"),
    warnings: findings.filter(({ policy }) => policy === "accept"),
  };
}

/** In the spirit of RFC 9457; the API adds type and instance. */
export interface OrderProblem {
  readonly code:
    | "order-refused"
    | "web-order-number-taken"
    | "idempotency-key-reused"
    | "request-in-progress";
  readonly title: string;
  readonly detail: string;
  readonly problems: readonly OrderFinding[];
}

export type AcceptResult =
  | {
      readonly status: 201 | 202;
      /** True when the key was answered before. */
      readonly replayed: boolean;
      readonly order: OrderAnswer;
    }
  | { readonly status: 409 | 422; readonly replayed: boolean; readonly problem: OrderProblem };

export function refusedProblem(findings: readonly OrderFinding[]): OrderProblem {
  const refusing = findings.filter((finding) => finding.policy === "refuse");
  const [first] = refusing;
  return {
    code: "order-refused",
    title: "The order was refused; nothing was taken.",
    detail:
      refusing.length === 1
        ? (first?.about ?? "")
        : `${refusing.length} checks refuse it. ${first?.about ?? ""}`,
    problems: findings,
  };
}

/** `number` as the order that exists bears it, in whatever case it was sent again. */
export function numberTakenProblem(number: string): OrderProblem {
  return {
    code: "web-order-number-taken",
    title: "The order number was used before.",
    detail:
      `Web order ${number} exists already; a number is used once for ever. To repeat a request, ` +
      "send it with the Idempotency-Key of the first time.",
    problems: [],
  };
}

export function keyReusedProblem(key: string): OrderProblem {
  return {
    code: "idempotency-key-reused",
    title: "The Idempotency-Key belongs to another request.",
    detail: `Key "${key}" was used with another body. Make a new key for every new order.`,
    problems: [],
  };
}

export function inProgressProblem(key: string): OrderProblem {
  return {
    code: "request-in-progress",
    title: "The request is still being handled.",
    detail: `The first request with key "${key}" has no answer yet. Send it again in a second.`,
    problems: [],
  };
}
