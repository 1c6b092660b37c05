/** What an answer of the ERP means for an order: its move, and what the attempt is called. */
import type { Accepted, Outcome } from "../../connector/index.ts";
import type { Move, OrderRow } from "../book.ts";
import { differencesOf, isDraft, isGivenUp } from "../compare.ts";
import { refundReasons } from "../refunds.ts";
import type { AttemptOutcome } from "./attempts.ts";

/** How it was learned. */
export type Learned = "Placed" | "Found in the ERP";

export type Meaning =
  | {
      readonly kind: "move";
      readonly as: AttemptOutcome;
      readonly evidence: string;
      readonly move: Pick<Move, "event" | "about" | "reasons" | "set">;
    }
  | { readonly kind: "handedOver"; readonly evidence: string }
  | { readonly kind: "notNow"; readonly reason: string; readonly retryAt: Temporal.Instant | null }
  | { readonly kind: "doubt"; readonly as: "inDoubt" | "draft"; readonly evidence: string };

export function meaningOf(order: OrderRow, outcome: Outcome, learned: Learned): Meaning {
  switch (outcome.kind) {
    case "accepted":
      return accepted(order, outcome, learned);
    case "handedOver":
      return { kind: "handedOver", evidence: outcome.evidence };
    case "refused": {
      const about = `The ERP refused it: ${outcome.reason}`;
      return {
        kind: "move",
        as: "refused",
        evidence: outcome.reason,
        move: { event: "refuse", about, reasons: [about, ...refundReasons(order)] },
      };
    }
    case "notNow":
      return { kind: "notNow", reason: outcome.reason, retryAt: outcome.retryAt ?? null };
    case "inDoubt":
      return { kind: "doubt", as: "inDoubt", evidence: outcome.evidence };
    default:
      return outcome satisfies never;
  }
}

function accepted(order: OrderRow, outcome: Accepted, learned: Learned): Meaning {
  const { erpOrder, net, vat, evidence } = outcome;
  if (isDraft(outcome))
    return {
      kind: "doubt",
      as: "draft",
      evidence: `The ERP answered with a draft numbered "${erpOrder.trim()}", which is no order yet. ${evidence}`,
    };
  const reasons = [
    ...(isGivenUp(outcome.state) ? [`The ERP holds it as ${outcome.state ?? "cancelled"}.`] : []),
    ...differencesOf({ ...order.body, net: order.net, vat: order.vat }, outcome),
  ];
  return {
    kind: "move",
    as: "accepted",
    evidence,
    move: {
      event: reasons.length > 0 ? "conflict" : "accept",
      about: `${learned}: it is order ${erpOrder} there. ${evidence}`,
      reasons,
      set: { erpOrder, erpNet: net, erpVat: vat },
    },
  };
}

/** Several documents bear our number: whoever made them, the goods may leave twice. */
export function duplicated(
  order: Pick<OrderRow, "number">,
  documents: readonly Accepted[],
  evidence: string,
): Pick<Move, "event" | "about" | "reasons" | "set"> {
  const numbers = documents.map(({ erpOrder }) => erpOrder);
  const reason =
    `Duplicate in the ERP: ${order.number} is there as ${numbers.join(" and ")}. ` +
    "Cancel all but one there, then resolve the order.";
  return {
    event: "conflict",
    about: `${reason} ${evidence}`,
    reasons: [reason],
    set: { erpOrder: numbers[0] ?? null },
  };
}
