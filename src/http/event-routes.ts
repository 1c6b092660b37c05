/** What happened to orders: the feed that a shop follows. */
import { nearest } from "../definition/index.ts";
import { EVENT_TYPES, unknownEventTypes } from "../orders/index.ts";
import { CURSOR } from "../notify/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { invalid } from "./reading.ts";
import { instant, limited, text } from "./words.ts";

const event = z
  .strictObject({
    number: z.number().int().describe("Place in the feed, from 1."),
    id: text("Its identity; the `webhook-id` of every message that tells it."),
    type: text("What happened: order.accepted."),
    subject: text("What it happened to: order/, account-request/ or return/, and its number."),
    at: instant("When it happened."),
    data: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .describe("Of an order: webOrder, id, state, version, erpOrder, test. No prices, no names."),
  })
  .openapi("OrderEvent");

export const followEvents: Endpoint = endpoint({
  method: "get",
  address: "/v1/events",
  scope: "orders",
  tag: "orders",
  summary: "What happened to orders, in order",
  description:
    "Whoever has read up to a cursor has missed nothing below it. Without `after` from the oldest " +
    "that is kept. A live key is told of live orders, a test key of those of test keys. Webhooks tell the same; this is what to read after an outage of your own.",
  query: z.strictObject({
    after: z
      .string()
      .regex(CURSOR, "a cursor as an answer gave it")
      .default("0")
      .describe("`cursor` of the answer before, as it came; 0: from the oldest that is kept."),
    types: z
      .string()
      .max(1_000)
      .optional()
      .describe("Only these, with commas between: order.accepted,order.refused or order.*"),
    order: z.string().max(40).optional().describe("Only this web order's."),
    limit: limited(500, LIMITS.listEntries),
  }),
  answers: { 200: "Events, oldest first." },
  answer: z
    .strictObject({
      events: z.array(event),
      cursor: text("Send it as `after` next time."),
      more: z.boolean().describe("True: there is more already."),
    })
    .openapi("OrderEvents"),
  problems: ["cursor-of-another-feed", "cursor-expired"],
  async handle({ query: { after, types: named = "", order, limit }, holder, services }) {
    const types = named.split(",").filter((type) => type !== "");
    refuseUnknown(types);
    const page = await services.events.after({
      after,
      limit,
      types,
      test: holder.test,
      subject: order === undefined ? undefined : `order/${order}`,
    });
    if (page === "another-feed")
      throw new Problem(
        "cursor-of-another-feed",
        `The cursor ${after} lies ahead of this feed, or on another one: Tradepost was restored from a ` +
          "backup, or begun anew. Read the orders that you wait for themselves, and send one that is not " +
          "known here (404) again with its key and body, unless you have seen it confirmed, refused or " +
          "cancelled. Forget versions and numbers of events, and go on from 0.",
      );
    if (page === "no-longer-kept")
      throw new Problem(
        "cursor-expired",
        `What followed the cursor ${after} is kept no longer in full. Read the orders that you wait ` +
          "for themselves, and go on from 0.",
      );
    const events = page.events.map(({ at, ...rest }) => ({ ...rest, at: at.toString() }));
    return { body: { events, cursor: page.cursor, more: page.more } };
  },
});

/** A type that is mistyped would be passed over for good: the cursor goes on without it. */
function refuseUnknown(types: readonly string[]): void {
  const odd = unknownEventTypes(types);
  if (odd.length === 0) return;
  throw invalid(
    odd.map((type) => {
      const near = nearest(type, EVENT_TYPES);
      return {
        in: "query",
        pointer: "/types",
        found: `"${type}"`,
        expected: `types of events, such as ${EVENT_TYPES.slice(0, 3).join(", ")} or order.*`,
        ...(near === undefined ? {} : { nearest: near }),
      };
    }),
  );
}
