/**
 * Why an order is held that was taken while its connection stood otherwise than now, or whose
 * number the ERP spoke of before: only a person who has looked in the ERP lets it go.
 */
export const BEFORE = "Taken before its connection went live";
export const WHILE = "Taken while its connection was live";
export const ANSWERED = "The ERP spoke of this number before it was sent";

/** Those for which staff may have keyed the order meanwhile. */
const NOT_SENT = [BEFORE, WHILE] as const;

export function mayBeKeyed(reasons: readonly string[]): boolean {
  return reasons.some((reason) => NOT_SENT.some((why) => reason.startsWith(why)));
}

/** Of an order's reasons those that no check of its content settles. */
export function leftToPersons(reasons: readonly string[]): readonly string[] {
  return reasons.filter((reason) => [...NOT_SENT, ANSWERED].some((why) => reason.startsWith(why)));
}

/** In SQL: the order's reasons say that staff may have keyed it. */
export function heldSince(order: string): string {
  const says = NOT_SENT.map((why) => `starts_with(why, '${why}')`).join(" or ");
  return `exists (select 1 from jsonb_array_elements_text(${order}.reasons) why where ${says})`;
}
