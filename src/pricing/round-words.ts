/** The words of a price round: what becomes of what is under way when it starts. */
import { z } from "zod";

export const roundWords = z.strictObject({
  /**
   * A basket whose prices were answered before the round. `until-shown`: its tokens are honoured to
   * the moment that they name, which is never after the round's; `keep`: for `keepBasketsMinutes`
   * more.
   */
  openBaskets: z.enum(["until-shown", "keep"]).default("until-shown"),
  keepBasketsMinutes: z.int().min(0).max(43_200).default(0),
  /** Orders taken and not handed over to the ERP yet: what was agreed is what is sent, always. */
  undelivered: z.literal("keep").default("keep"),
  /** What the ERP is expected to charge for what it delivers later on orders of before. */
  backOrders: z.enum(["keep", "new"]).default("keep"),
});

export type RoundWords = z.output<typeof roundWords>;

/** What they say of an order that was placed before the start. */
export function orderSays(words: RoundWords, kind: "undelivered" | "back-order"): string {
  if (kind === "undelivered") return "is sent at the prices that were agreed";
  return words.backOrders === "keep"
    ? "is expected to be invoiced at the prices of the order"
    : "is expected to be invoiced at the new prices";
}

/** The words as sentences, for a person who approves them. */
export function wordsText(words: RoundWords): readonly string[] {
  return [
    words.openBaskets === "keep" && words.keepBasketsMinutes > 0
      ? `Open baskets keep their prices for ${words.keepBasketsMinutes} minutes after the start.`
      : "Open baskets keep their prices until the start, and are priced anew from then on.",
    "Orders that were taken are sent at the prices that were agreed.",
    words.backOrders === "keep"
      ? "Back orders are expected to be invoiced at the prices of their order."
      : "Back orders are expected to be invoiced at the new prices.",
  ];
}
