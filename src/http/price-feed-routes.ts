/** What changed of prices since a shop last asked: scopes, never the prices one by one. */
import { CursorRefused } from "../pricing/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { whenReady } from "./price-asker.ts";
import { Problem } from "./problem.ts";
import { instant, orNull, text } from "./words.ts";

const entry = z
  .strictObject({
    customerScope: text(
      "Whom it is about: everyone; account; head-office (that account, and those that name it as " +
        "theirs); buying-group; customer-group; site (ACCOUNT/SITE); branch (asked for, or the " +
        "account's); price-list (the account's own, its further ones, or the standard one).",
    ),
    customerCode: orNull(z.string(), "Its code."),
    productScope: text(
      "What it is about: everything; product; product-group (with the groups below it).",
    ),
    productCode: orNull(z.string(), "Its code."),
    from: instant("From when answers of an older book may be wrong."),
    bookVersion: text("Price book that brought it: answers of it, or of a later one, are right."),
  })
  .openapi("PriceChange");

export const followPriceChanges: Endpoint = endpoint({
  method: "get",
  address: "/v1/price-changes",
  scope: "prices",
  tag: "prices",
  summary: "What changed of prices after a cursor",
  description:
    "For a shop that keeps prices. Ask without a cursor, keep `next`, then fill the cache; from then " +
    "on ask again and again with the last `next`, and drop what the entries name. What starts or " +
    "ends by its date is no entry: an answer says so itself by `validUntil`. An answer whose " +
    "`bookVersion` is older than that of an entry which names it is asked anew. Above " +
    "200 scopes an entry says everything for a customer, for a product, or everything.",
  query: z.strictObject({
    after: text("`next` of the last answer; absent: a cursor to begin at.").max(100).optional(),
  }),
  answers: { 200: "The entries, oldest first." },
  answer: z
    .strictObject({
      entries: z.array(entry),
      next: text("Cursor to go on from. Opaque."),
      more: z.boolean().describe("True: there is more at once."),
    })
    .openapi("PriceChanges"),
  problems: ["cursor-unknown", "cursor-expired", "prices-not-ready"],
  async handle({ query: { after = null }, services: { pricing } }) {
    try {
      return { body: await whenReady(() => pricing.changes(after)) };
    } catch (error) {
      if (!(error instanceof CursorRefused)) throw error;
      throw new Problem(error.code, error.message, { cause: error });
    }
  },
});
