/**
 * What to do next with an order that is to be at the ERP once: a pure choice from what is known.
 * Sending is chosen only when nothing of the order can be there, or when sending it again cannot
 * make a second one.
 */
import type { FindingClass } from "../../connector/index.ts";

/** What the search by our number said, in this session; none: it was not asked yet. */
export type Search =
  | "none"
  | "absent"
  | "present"
  | "draft"
  | "several"
  /** Something else than the order is there under its number. */
  | "another"
  | "cannotTell";

/** What the same search said of an order that is known to be there. */
export type Canary = "none" | "found" | "missing" | "unknown";

/** A call of ours may have arrived though nobody knows. */
export interface Doubt {
  /** Seconds since nothing of it can be on its way any more; negative: it may still run. */
  readonly quietSeconds: number;
  /** How often the order was sent; once at least without a clear answer. */
  readonly placings: number;
  /** How many searches were answered since it was last sent. */
  readonly searches: number;
}

export interface Evidence {
  readonly finding: FindingClass;
  /** Null: no byte of the order ever left, or it is settled that none of it arrived. */
  readonly doubt: Doubt | null;
  /** False: it is only searched for, since its connection does not send now. */
  readonly mayPlace: boolean;
  /** It was dropped for the ERP to take: it is never dropped again by itself. */
  readonly dropped: boolean;
  /** Seconds of quiet before "not there" may be believed. */
  readonly windowSeconds: number;
  readonly search: Search;
  /** Why it cannot tell; absent or null: it did not say. */
  readonly because?: string | null;
  readonly canary: Canary;
  /** The order was searched for once more after the canary was found. */
  readonly searchedSince: boolean;
  /** An order of ours is in the ERP twice, and nobody has settled it yet. */
  readonly doubled: boolean;
  /** So often it is sent, and twice as often searched for, before a person is asked. */
  readonly mostTries: number;
}

export type Step =
  | { readonly step: "find" | "canary" | "place" }
  /** The search has shown it: what it showed is written down. */
  | { readonly step: "record" }
  /** Later again, and at the latest after so many seconds; null: as patience has it. */
  | { readonly step: "wait"; readonly withinSeconds: number | null; readonly why: string }
  /** A person is asked to look; it is only searched for from now on. */
  | { readonly step: "person"; readonly why: string };

export function nextStep(known: Evidence): Step {
  const { search, doubt, finding } = known;
  if (search === "present" || search === "several") return { step: "record" };
  if (search === "another")
    return { step: "person", why: "another content was dropped under its number" };
  if (doubt !== null && finding === "native-key" && !known.dropped && search !== "draft")
    return repeatable(known, doubt);
  if (search === "none") return { step: "find" };
  if (search === "cannotTell") return later(known, cannotTell(known));
  if (search === "draft")
    return later(known, "the ERP holds a draft of it without a number, which is not an order");
  if (known.dropped)
    return { step: "person", why: "it was handed over, and now it is unknown there" };
  return doubt === null ? { step: "place" } : notThere(known, doubt);
}

const cannotTell = ({ because }: Evidence): string => because ?? "the ERP cannot tell";

/**
 * Placing the same key again makes no second one, so that it is the quickest way to know: at once,
 * and when that is not clear either, as often as the far side answers a search.
 */
function repeatable(known: Evidence, { placings }: Doubt): Step {
  if (known.search === "none") return { step: placings === 1 && known.mayPlace ? "place" : "find" };
  if (known.search === "cannotTell") return later(known, cannotTell(known));
  return placings < known.mostTries
    ? { step: "place" }
    : { step: "person", why: `${placings} times it was sent, and no clear answer came` };
}

/** The search does not show it: believed only after the window, and beside a canary. */
function notThere(known: Evidence, { quietSeconds, placings }: Doubt): Step {
  const left = known.windowSeconds - quietSeconds;
  if (left > 0)
    return {
      step: "wait",
      withinSeconds: left,
      why: `it may still turn up for ${Math.ceil(left)} s`,
    };
  switch (known.canary) {
    case "none":
      return { step: "canary" };
    case "missing":
      return later(known, "the same search does not show orders that are known to be there");
    case "unknown":
      return later(
        known,
        "no other order is known to be there, by which the search could be tried",
      );
    case "found":
      // The search may have been blind for a moment, and sighted again when the canary was found.
      if (!known.searchedSince) return { step: "find" };
      // What was dropped stands in a journal, which a double that staff keyed makes no less sure.
      if (known.doubled && known.finding !== "file-drop")
        return {
          step: "person",
          why: "another order is in the ERP twice, so that a search is not enough",
        };
      return placings < known.mostTries
        ? { step: "place" }
        : { step: "person", why: `${placings} times it was sent, and it never was there` };
    default:
      return known.canary satisfies never;
  }
}

function later({ doubt, mostTries }: Evidence, why: string): Step {
  return doubt !== null && doubt.searches >= 2 * mostTries
    ? { step: "person", why: `${doubt.searches} searches did not settle it: ${why}` }
    : { step: "wait", withinSeconds: null, why };
}
