/** What the settings say of a system: how it signs programs in, and how its lists are asked for. */
import { z } from "zod";

const secretName = z.string().regex(/^[a-z][a-z0-9_]*$/);
const column = z.string().min(1);

const auth = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none").describe("Nobody signs in.") }),
  z.strictObject({
    kind: z.literal("header").describe("A fixed key goes with each request."),
    name: z.string().min(1).describe("The header that the key goes into: X-Api-Key."),
    secret: secretName.describe("Name of the secret that holds the key."),
  }),
  z.strictObject({
    kind: z.literal("oauth-client").describe("OAuth 2 with client credentials."),
    tokenUrl: z.url().describe("Where tokens are given out: https://erp.example.com/token"),
    clientId: z.string().min(1).describe("The name under which Tradepost is registered there."),
    clientSecret: secretName.describe("Name of the secret that belongs to clientId."),
    scope: z.string().min(1).optional().describe("The scope to ask for, where one is needed."),
    clientAuth: z
      .enum(["body", "basic"])
      .default("body")
      .describe("Whether the client proves itself in the form or by a Basic header."),
  }),
]);

const list = {
  path: z
    .string()
    .regex(/^\/[^?#]*$/)
    .describe("The list's path behind baseUrl: /customers"),
  about: z.string().min(1).optional().describe("What its rows are, in a few words."),
  key: z.array(column).min(1).describe("The columns that tell its rows apart, in their order."),
};

const snapshot = z.strictObject({
  ...list,
  reading: z.literal("snapshot").describe("The whole list each time."),
  paging: z
    .enum(["token", "number"])
    .default("token")
    .describe("Whether a page names the next one by a token, or pages are counted from 1."),
});

const delta = z.strictObject({
  ...list,
  reading: z.literal("delta").describe("What changed since a moment."),
  stamp: column.describe("The column with the moment of a row's last change, in UTC."),
  overlapSeconds: z
    .int()
    .min(0)
    .default(120)
    .describe("How late a row may appear: each reading goes so far back."),
  ordered: z
    .boolean()
    .default(true)
    .describe("Whether rows come by ascending stamp, and by ascending key where stamps are alike."),
  removals: z
    .enum(["marked", "keys", "never"])
    .default("marked")
    .describe(
      "How a removed row shows: it comes once more and says so; it lacks in the list of keys " +
        "at <path>/keys; or not at all.",
    ),
});

const stream = z.discriminatedUnion("reading", [snapshot, delta]);

function named(name: string, what: string) {
  return z.string().min(1).default(name).describe(what);
}

export const settings = z.strictObject({
  baseUrl: z.url().describe("Address of the system's interface: https://erp.example.com/api"),
  auth: auth.default({ kind: "none" }).describe("How Tradepost signs in."),
  perSecond: z.number().positive().max(1_000).default(4).describe("Requests a second, at most."),
  pageRows: z.int().min(1).max(10_000).default(500).describe("Rows asked for at a time."),
  flatten: z
    .boolean()
    .default(false)
    .describe("Whether a value within a nested object is a column of its own: address.city"),
  parameters: z
    .strictObject({
      limit: named("limit", "How many rows to give."),
      after: named("after", "The token of the page to give."),
      page: named("page", "The number of the page to give."),
      changedFrom: named("changedFrom", "The least stamp to give."),
    })
    .prefault({})
    .describe("What the parameters of a request are called."),
  members: z
    .strictObject({
      rows: named("rows", "The rows of the page."),
      next: named("next", "The token of the next page; null behind the last."),
      pages: named("pages", "How many pages there are, where they are counted."),
      total: named("total", "How many rows the list has."),
      removed: named("removed", "Of a row: true when it is gone."),
    })
    .prefault({})
    .describe("What the members of an answer are called; a dot reaches into an object: meta.next"),
  streams: z
    .record(z.string().regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/), stream)
    .describe("The lists to read, by the names that their mappings know them by."),
});

export type Settings = z.infer<typeof settings>;
export type Snapshot = z.infer<typeof snapshot>;
export type Delta = z.infer<typeof delta>;
