/**
 * How far an order's delivery can be, and the only ways from one state to the next: one table, from
 * which the README's is drawn. Pure: a move that is not in the table cannot happen, whoever asks
 * for it.
 */

/** Each state with what it means; in the order in which they are mostly passed. */
export const DELIVERY_ABOUT = {
  received: "It came in; its transaction is not over.",
  checked: "The checks have an answer. An order of a test key stays here.",
  held: "It waits for a person.",
  queued: "It is to be handed over; nothing of it is at the ERP.",
  sending: "A sender has it; its attempt is written.",
  handedOver: "Its files lie where the ERP takes them from; the answer is yet to come.",
  accepted: "The ERP has it under a number of its own.",
  confirmed: "What the ERP made was read back and is what was agreed.",
  inDoubt: "It may or may not have arrived; it is searched for.",
  conflict: "The ERP has something else than was agreed, or has it twice.",
  refused: "The ERP will not have it; nothing was made.",
  cancelled: "It will not be delivered.",
  shadowed: "Rendered and compared with what staff keyed, not sent.",
} as const;
export type DeliveryState = keyof typeof DELIVERY_ABOUT;
export const DELIVERY_STATES = Object.keys(DELIVERY_ABOUT) as readonly DeliveryState[];
/** As long as an order is in one of them it counts against nothing. */
export const OVER_STATES: ReadonlySet<DeliveryState> = new Set([
  "refused",
  "cancelled",
  "shadowed",
]);

export const DELIVERY_EVENTS = [
  "check",
  "queue",
  "hold",
  "release",
  "send",
  "retry",
  "handOver",
  "accept",
  "confirm",
  "refuse",
  "doubt",
  "notThere",
  "repeat",
  "conflict",
  "resolve",
  "cancel",
  "shadow",
  "lost",
  "takeBack",
] as const;
export type DeliveryEvent = (typeof DELIVERY_EVENTS)[number];

/**
 * tradepost: any part of it; sender: whoever holds the order's lease; erp: what was pulled from it;
 * person: somebody with a name, who says why.
 */
export type Mover = "tradepost" | "sender" | "erp" | "person";

export interface Transition {
  readonly from: DeliveryState;
  readonly event: DeliveryEvent;
  readonly to: DeliveryState;
  readonly by: readonly Mover[];
  readonly about: string;
}

type Row = readonly [
  from: DeliveryState,
  event: DeliveryEvent,
  to: DeliveryState,
  by: string,
  about: string,
];

const SHOWN = "Pulled or found: the ERP shows it as it was agreed.";
const DIFFERS = "The ERP shows something else than was agreed, or shows it twice.";
const TAKEN_BACK = "Amended before it was taken: it goes anew.";
const GIVEN_UP = "The ERP shows an order of ours that was given up here.";

const ROWS: readonly Row[] = [
  ["received", "check", "checked", "tradepost", "All checks were made."],
  ["checked", "queue", "queued", "tradepost", "Nothing speaks against sending it."],
  ["checked", "hold", "held", "tradepost", "A check asks for a person."],
  ["checked", "cancel", "cancelled", "person", "A test order is given up."],
  ["held", "release", "queued", "person tradepost", "It may go, or what it waited for is there."],
  ["held", "refuse", "refused", "person tradepost", "What it waited for will not be."],
  ["held", "cancel", "cancelled", "person", "It is given up."],
  ["held", "check", "checked", "person", "An order of a test key is let go, and stays here."],
  ["held", "conflict", "conflict", "erp sender", "The ERP shows an order that is held here."],
  ["queued", "send", "sending", "sender", "The lease is taken and the attempt committed."],
  ["queued", "hold", "held", "tradepost person", "An amended order is checked, and held."],
  ["queued", "accept", "accepted", "erp sender", "There before it was sent: keyed by hand."],
  ["queued", "confirm", "confirmed", "erp sender", SHOWN],
  ["queued", "refuse", "refused", "erp", "An answer came to an order to be sent again."],
  ["queued", "conflict", "conflict", "erp sender", DIFFERS],
  ["queued", "cancel", "cancelled", "person tradepost", "Given up; nothing of it is at the ERP."],
  ["queued", "shadow", "shadowed", "sender", "Its connection is in shadow."],
  ["sending", "accept", "accepted", "sender", "The ERP gave it a number, or find showed it."],
  ["sending", "handOver", "handedOver", "sender", "Its files were dropped whole."],
  ["sending", "refuse", "refused", "sender", "The ERP refused it and made nothing."],
  ["sending", "doubt", "inDoubt", "sender", "No clear answer came, or the sender died."],
  ["sending", "retry", "queued", "sender", "Nothing was placed; later again."],
  ["sending", "hold", "held", "sender", "Too many tries placed nothing: a person looks."],
  ["sending", "conflict", "conflict", "sender", DIFFERS],
  ["handedOver", "accept", "accepted", "erp sender", "An acknowledgement names its number."],
  ["handedOver", "confirm", "confirmed", "erp sender", SHOWN],
  ["handedOver", "refuse", "refused", "erp", "An acknowledgement refuses it."],
  ["handedOver", "doubt", "inDoubt", "tradepost", "No answer in time: alarm, no sending."],
  ["handedOver", "conflict", "conflict", "erp sender", DIFFERS],
  ["handedOver", "resolve", "confirmed", "person", "A person found it there."],
  ["handedOver", "takeBack", "queued", "sender", TAKEN_BACK],
  ["handedOver", "cancel", "cancelled", "person sender", "A person took it back at the ERP."],
  ["inDoubt", "accept", "accepted", "erp sender", "It is there."],
  ["inDoubt", "confirm", "confirmed", "erp sender", SHOWN],
  ["inDoubt", "handOver", "handedOver", "sender", "Its files were dropped after all."],
  ["inDoubt", "refuse", "refused", "erp sender", "The ERP refused it, as is now known."],
  ["inDoubt", "notThere", "queued", "sender person", "Not there, searched beside a canary."],
  ["inDoubt", "repeat", "sending", "sender", "The ERP knows the key and makes no second one."],
  ["inDoubt", "takeBack", "queued", "sender", TAKEN_BACK],
  ["inDoubt", "conflict", "conflict", "erp sender", DIFFERS],
  ["inDoubt", "resolve", "confirmed", "person", "A person found it there."],
  ["inDoubt", "cancel", "cancelled", "person sender", "A person took it back at the ERP."],
  ["accepted", "confirm", "confirmed", "erp sender", SHOWN],
  ["accepted", "conflict", "conflict", "erp sender", DIFFERS],
  ["accepted", "resolve", "confirmed", "person", "A person says which number it has there."],
  ["accepted", "cancel", "cancelled", "person sender", "The ERP has cancelled it, as was asked."],
  ["accepted", "lost", "queued", "person", "The ERP went backwards and has it no more."],
  [
    "confirmed",
    "conflict",
    "conflict",
    "erp sender",
    "A second time, refused, another's, or charged otherwise there.",
  ],
  ["confirmed", "confirm", "confirmed", "erp", "Keyed anew there, or its lines were read."],
  ["confirmed", "resolve", "confirmed", "person", "A person corrects its number there."],
  ["confirmed", "cancel", "cancelled", "person sender", "The ERP has cancelled it, as was asked."],
  ["confirmed", "lost", "queued", "person", "The ERP went backwards and has it no more."],
  ["conflict", "conflict", "conflict", "erp", "It turned up there once more."],
  ["conflict", "confirm", "confirmed", "erp", "What differed is as agreed by now."],
  ["conflict", "accept", "accepted", "erp", "Its answer is as agreed by now."],
  ["conflict", "resolve", "confirmed", "person", "A person lets the ERP's order stand."],
  ["conflict", "cancel", "cancelled", "person sender", "It was cancelled there and here."],
  ["conflict", "lost", "queued", "person", "The ERP went backwards and has it no more."],
  ["refused", "release", "queued", "person", "It is mended, and sent again."],
  ["refused", "cancel", "cancelled", "person sender", "It is given up."],
  ["refused", "conflict", "conflict", "erp sender", GIVEN_UP],
  ["cancelled", "conflict", "conflict", "erp sender", GIVEN_UP],
  // Staff key it, as ever: what the ERP shows of it is theirs.
  ["shadowed", "release", "queued", "person", "Nobody keyed it, and its connection is live now."],
  ["shadowed", "cancel", "cancelled", "person", "It is given up."],
];

export const TRANSITIONS: readonly Transition[] = ROWS.map(([from, event, to, by, about]) => ({
  from,
  event,
  to,
  by: by.split(" ") as Mover[],
  about,
}));

const BY_STATE = new Map(TRANSITIONS.map((one) => [`${one.from} ${one.event}`, one]));

/** The state after an event; null when the event cannot happen in that state. */
export function after(state: DeliveryState, event: DeliveryEvent): DeliveryState | null {
  return BY_STATE.get(`${state} ${event}`)?.to ?? null;
}

/** Whether whoever it is may make that move; a name that is none of the parts is a person's. */
export function mayMove(state: DeliveryState, event: DeliveryEvent, who: string): boolean {
  const by = BY_STATE.get(`${state} ${event}`)?.by ?? [];
  if (who === "tradepost") return by.includes("tradepost") || by.includes("sender");
  return who === "erp" ? by.includes("erp") : by.includes("person");
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
