/** How far a request for an account can be, and the only ways from one state to the next. Pure. */

export const ACCOUNT_STATES = [
  /** Credit control has yet to decide. */
  "held",
  /** Approved; the connector is to open it. */
  "opening",
  /** The connector is at it; the attempt is written. */
  "creating",
  /** It may or may not have been opened: only a search decides, or a person who looked. */
  "inDoubt",
  /** A person opens it in the ERP and then links it. */
  "byHand",
  /** It has an account, which no pull has brought yet. */
  "opened",
  /** The account was pulled; its orders went on. */
  "done",
  "refused",
] as const;
export type AccountState = (typeof ACCOUNT_STATES)[number];

export type AccountEvent =
  | "approve"
  | "create"
  | "retry"
  | "doubt"
  | "byHand"
  | "open"
  | "link"
  | "arrive"
  | "sendBack"
  | "refuse";

type Moves = Readonly<Partial<Record<AccountEvent, AccountState>>>;

const MOVES: Readonly<Record<AccountState, Moves>> = {
  held: { approve: "opening", link: "opened", refuse: "refused" },
  opening: {
    create: "creating",
    open: "opened",
    byHand: "byHand",
    sendBack: "held",
    link: "opened",
    refuse: "refused",
  },
  // Nothing but its outcome moves it: a person who refused now might refuse what is there.
  creating: { open: "opened", doubt: "inDoubt", sendBack: "held" },
  // Approved again: a person has looked, and it is not there.
  inDoubt: { open: "opened", link: "opened", approve: "opening", retry: "inDoubt" },
  byHand: { link: "opened", refuse: "refused" },
  // A wrong number was linked: the right one takes its place.
  opened: { arrive: "done", link: "opened" },
  done: {},
  refused: {},
};

/** Where the event can happen. */
export function statesWith(event: AccountEvent): readonly AccountState[] {
  return ACCOUNT_STATES.filter((state) => accountAfter(state, event) !== null);
}

/** The state after an event; null when it cannot happen there. */
export function accountAfter(state: AccountState, event: AccountEvent): AccountState | null {
  return MOVES[state][event] ?? null;
}
