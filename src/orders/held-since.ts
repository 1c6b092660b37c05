/**
 * Why an order is held that only a person lets go who has looked: it was taken while its connection
 * stood otherwise than now, the ERP spoke of its number before, it may be another one sent again,
 * or it could not be placed. What is in it answers none of that, whatever it is changed to.
 */
import { OWN_NAME } from "../model/index.ts";

export const BEFORE = "Taken before its connection went live";
export const WHILE = "Taken while its connection";
export const ANSWERED = "The ERP spoke of this number before it was sent";
export const SENT_AGAIN = "It may be this one, sent again.";
export const NOT_PLACED = "tries placed nothing";

/** Those for which staff may have keyed the order meanwhile. */
const NOT_SENT = [BEFORE, WHILE] as const;

export function mayBeKeyed(reasons: readonly string[]): boolean {
  return reasons.some((reason) => NOT_SENT.some((why) => reason.startsWith(why)));
}

/** Of an order's reasons those that no check of its content settles. */
export function leftToPersons(reasons: readonly string[]): readonly string[] {
  return reasons.filter(
    (reason) =>
      [...NOT_SENT, ANSWERED].some((why) => reason.startsWith(why)) ||
      [SENT_AGAIN, NOT_PLACED].some((why) => reason.includes(why)),
  );
}

/**
 * In SQL: whoever an event names is a person, as `--who` or `who` gave the name, and neither a part
 * of Tradepost nor the API key of a shop, which asks and decides nothing.
 */
export const byPerson = (who: string): string => `${who} !~ '${OWN_NAME}'`;

/** In SQL: the order's reasons say that staff may have keyed it. */
export function heldSince(order: string): string {
  const says = NOT_SENT.map((why) => `starts_with(why, '${why}')`).join(" or ");
  return `exists (select 1 from jsonb_array_elements_text(${order}.reasons) why where ${says})`;
}
