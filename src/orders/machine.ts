/**
 * How far an order's delivery can be, and the only ways from one state to the next. Pure: a move
 * that is not in the table cannot happen, whoever asks for it.
 */

export const DELIVERY_STATES = [
  "received",
  "checked",
  "held",
  "queued",
  "sending",
  "handedOver",
  "accepted",
  "confirmed",
  "inDoubt",
  "conflict",
  "refused",
  "cancelled",
  "shadowed",
] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const DELIVERY_EVENTS = [
  /** The checks have an answer. */
  "check",
  /** Nothing speaks against sending it. */
  "queue",
  /** A check, or too many failed tries, asks for a person. */
  "hold",
  "release",
  /** A sender holds the lease; the attempt is written. */
  "send",
  /** Nothing was placed; try again later. */
  "retry",
  /** The file lies where the ERP takes it from. */
  "handOver",
  /** The ERP has it under a number of its own. */
  "accept",
  /** What the ERP made was read back and equals what was agreed. */
  "confirm",
  /** The ERP will not have it; nothing was made. */
  "refuse",
  /** It may or may not have arrived: only `find` decides. */
  "doubt",
  /** `find` knows nothing of it: it may be sent. */
  "notThere",
  /** What the ERP has is not what was agreed, or is there twice. */
  "conflict",
  /** A person has settled a conflict or a doubt: the ERP's order stands. */
  "resolve",
  "cancel",
  /** Rendered and compared, never sent: the connection is in shadow. */
  "shadow",
  /** The ERP went backwards and has it no more; a person lets it be sent again. */
  "lost",
] as const;
export type DeliveryEvent = (typeof DELIVERY_EVENTS)[number];

type Moves = Readonly<Partial<Record<DeliveryEvent, DeliveryState>>>;

/**
 * The ERP shows an order of ours whatever we believed: even a refused or cancelled one can turn
 * up.
 */
const DELIVERY: Readonly<Record<DeliveryState, Moves>> = {
  received: { check: "checked" },
  checked: { queue: "queued", hold: "held" },
  held: { release: "queued", cancel: "cancelled", conflict: "conflict" },
  // The ERP can show an order before we believe that we sent it: keyed by hand, or found after a
  // doubt.
  queued: {
    send: "sending",
    accept: "accepted",
    confirm: "confirmed",
    refuse: "refused",
    cancel: "cancelled",
    conflict: "conflict",
    shadow: "shadowed",
  },
  sending: {
    accept: "accepted",
    handOver: "handedOver",
    refuse: "refused",
    doubt: "inDoubt",
    retry: "queued",
    hold: "held",
    conflict: "conflict",
  },
  handedOver: {
    accept: "accepted",
    confirm: "confirmed",
    refuse: "refused",
    doubt: "inDoubt",
    conflict: "conflict",
  },
  inDoubt: {
    accept: "accepted",
    confirm: "confirmed",
    handOver: "handedOver",
    refuse: "refused",
    notThere: "queued",
    conflict: "conflict",
    resolve: "confirmed",
  },
  accepted: { confirm: "confirmed", conflict: "conflict", lost: "queued" },
  confirmed: { conflict: "conflict", lost: "queued" },
  conflict: { resolve: "confirmed", cancel: "cancelled", lost: "queued" },
  refused: { cancel: "cancelled", conflict: "conflict" },
  cancelled: { conflict: "conflict" },
  // Staff key it, as ever: what the ERP shows of it is theirs, and it is never sent.
  shadowed: { cancel: "cancelled" },
};

/** The state after an event; null when the event cannot happen in that state. */
export function after(state: DeliveryState, event: DeliveryEvent): DeliveryState | null {
  return DELIVERY[state][event] ?? null;
}

/** How an order's lines stand, in selling units; derived, never stored. */
export interface Quantities {
  readonly ordered: bigint;
  readonly despatched: bigint;
  readonly invoiced: bigint;
  readonly credited: bigint;
  readonly cancelled: bigint;
}

export type Fulfilment =
  | "open"
  | "part despatched"
  | "despatched"
  | "part invoiced"
  | "invoiced"
  | "credited"
  | "cancelled";

/**
 * The word for an order's lines together. Invoices count before despatches, since many ERPs never
 * say that goods left; over-delivery is delivery.
 */
export function fulfilment(lines: readonly Quantities[]): Fulfilment {
  const every = (test: (line: Quantities) => boolean): boolean =>
    lines.length > 0 && lines.every(test);
  const some = (test: (line: Quantities) => boolean): boolean => lines.some(test);
  const wanted = (line: Quantities): bigint => line.ordered - line.cancelled;
  if (every((line) => line.cancelled >= line.ordered && line.invoiced === 0n)) return "cancelled";
  if (some((line) => line.invoiced > 0n) && every((line) => line.credited >= line.invoiced))
    return "credited";
  if (every((line) => line.invoiced >= wanted(line))) return "invoiced";
  if (some((line) => line.invoiced > 0n)) return "part invoiced";
  if (every((line) => line.despatched >= wanted(line))) return "despatched";
  if (some((line) => line.despatched > 0n)) return "part despatched";
  return "open";
}
