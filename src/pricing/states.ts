/**
 * What the state of an answer means, when it arises, and what a shop shows and may do. The README
 * shows this table; a test compares the two.
 */
import type { PriceLine } from "./answer.ts";

export interface StateMeaning {
  readonly means: string;
  readonly arises: readonly string[];
  readonly shows: string;
  /** Whether an order at this price is taken by itself, where the other checks allow it. */
  readonly orders: "taken" | "held" | "refused";
  readonly does: string;
}

export const PRICE_STATES: Readonly<Record<PriceLine["state"], StateMeaning>> = {
  confirmed: {
    means: "The ERP itself says this price.",
    arises: [
      "a price round announced this very price, a person approved it, and a pull has brought the same row since; the row is the price itself, nothing is worked out from it",
    ],
    shows: "The price.",
    orders: "taken",
    does: "Sells at it.",
  },
  modelled: {
    means: "The price that the policy works out from the rules as the ERP has them.",
    arises: [
      "a rule, promotion or quotation that was pulled gives the price",
      "a price round has begun that a person approved, and no pull has come since that could confirm it (`stateReason` says so)",
    ],
    shows: "The price.",
    orders: "taken",
    does: "Sells at it.",
  },
  stale: {
    means: "The last price that was right, and there is a reason to doubt that it still is.",
    arises: [
      "a source that prices rest on was last read longer ago than `pricing.staleAfter` allows",
      "a pull brought a change past `pricing.holdAbove`; it waits for a person, and the price is the one before it",
      "a pull brought another price than the approved round, or still the old one beside new ones of the round; the round's price stands until a person decides or the ERP is corrected",
      "a price round has begun and the ERP has not confirmed it by the time that was promised",
    ],
    shows: "The price, marked as to be confirmed.",
    orders: "held",
    does: "Takes the order; it waits for a person before it goes to the ERP.",
  },
  unknown: {
    means: "The ERP would charge something that its data does not show; it is never guessed.",
    arises: ["no rule gives a price", "a rule that would count cannot be worked out"],
    shows: "No price.",
    orders: "refused",
    does: "Offers to ask.",
  },
  onRequest: {
    means: "The merchant shows no price for this: the buyer asks.",
    arises: ["the rule that wins is of the kind on-request"],
    shows: '"Price on request".',
    orders: "refused",
    does: "Offers to ask; a quotation from the ERP gives the price.",
  },
  problem: {
    means: "The line cannot be priced as it was asked; the other lines are.",
    arises: ["an unknown product, an account that is not there, a quantity that cannot be sold"],
    shows: "Nothing, or that the product is not available.",
    orders: "refused",
    does: "Mends the line: `code` and `detail` say what is wrong.",
  },
};

/** The table as Markdown, as the README shows it. */
export function stateTable(): string {
  const rows = Object.entries(PRICE_STATES).map(
    ([state, { means, arises, shows, orders, does }]) =>
      `| \`${state}\` | ${means} | ${arises.join("; ")} | ${shows} | ${orders} | ${does} |`,
  );
  return [
    "| state | means | arises when | the shop shows | an order is | the shop |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
