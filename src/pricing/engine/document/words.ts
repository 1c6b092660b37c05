/** Why a promotion does not hold, as a buyer or a clerk reads it. */
import { shortTextOf } from "../scaled.ts";
import { grouped, moneyText } from "../words.ts";
import type { Kept, Reason } from "./basket-input.ts";

/** "needs 3 more", "needs £12.50 more", "its budget is used up". */
export function reasonText(why: Reason, places: number, currency: string): string {
  switch (why.reason) {
    case "needs-quantity":
      return `needs ${quantityText(why.more)} more${keptText(why.kept)}`;
    case "needs-value":
      return `needs ${moneyText(why.more, places, currency)} more${keptText(why.kept)}`;
    case "needs-product":
      return `needs ${quantityText(why.more)} more of ${why.product}${keptText(why.kept)}`;
    case "code-not-given":
      return "its code was not given";
    case "uses-used-up":
      return `it may be used in ${ordersText(why.most)}, and has been`;
    case "account-uses-used-up":
      return `the account may use it in ${ordersText(why.most)}, and has`;
    case "budget-used-up":
      return "its budget is used up";
    case "excluded":
      return `its goods are in ${why.by}, and it does not stack`;
    case "group":
      return `${why.by} of the same group (${why.group}) is better`;
    case "closed":
      return `its goods have ${why.why}`;
    case "no-saving":
      return "it would save nothing here";
    case "worth-unknown":
      return `what ${why.product} is worth is not known, and its budget is limited`;
    default:
      return why satisfies never;
  }
}

/** "; 5 in the basket are in T4A". */
function keptText(kept: Kept | undefined): string {
  if (kept === undefined) return "";
  const there = `; ${quantityText(kept.quantity)} in the basket ${kept.quantity === 100_000 ? "is" : "are"}`;
  return kept.by === null ? `${there} at ${kept.why}` : `${there} in ${kept.by}`;
}

function quantityText(quantity: number): string {
  return grouped(shortTextOf(quantity, 5));
}

function ordersText(number: number): string {
  return number === 1 ? "1 order" : `${number} orders`;
}
