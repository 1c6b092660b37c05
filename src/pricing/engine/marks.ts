/** Marks of terms that hold, as bits, and what they mean for a search. */

/** A row of terms holds at the moment and under the conditions; the bits below it name steps. */
export const HOLDS = 1 << 31;
/** Only a line in some unit, or only so many units of it: looked at apart. */
export const RESTRICTED = 1 << 30;

/** What `modes` says of terms: no fixed price; one; one that is the price as it stands. */
export const OTHER = 0;
export const FIXED = 1;
export const PLAIN = 2;

/** Bits of `Holding.quick` above those of the steps. */
export const STEP_BITS = (1 << 24) - 1;
export const QUICK_PLAIN = 1 << 24;
export const QUICK_PERCENT = 1 << 25;
export const QUICK_NET = 1 << 26;
/** What the general way alone can tell. */
export const QUICK_NOT = 1 << 27;
