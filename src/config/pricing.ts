/** How a company prices, and when its prices are to be doubted. */
import { z } from "zod";
import { duration } from "./connection.ts";

const share = z.number().positive();

export const pricing = z
  .strictObject({
    policy: z.string().default("generic").describe("A folder of mappings/ with a pricing.yaml."),
    keepPastDays: z
      .number()
      .int()
      .min(31)
      .max(36_525)
      .default(2_557)
      .describe(
        "How long it can be told what was known of prices; what changed before is deleted.",
      ),
    switches: z
      .record(z.string(), z.string())
      .default({})
      .describe(
        "Switch of the policy to its choice; one that is not named stands at its default. `tradepost price policy` lists them.",
      ),
    staleAfter: duration
      .optional()
      .describe("A source last read longer ago makes prices stale; absent: none does by its age."),
    staleAfterOf: z
      .record(z.string(), duration)
      .default({})
      .describe('The same for one source, named as in status: "erp/price-rules".'),
    holdAbove: z
      .strictObject({
        customers: z.int().min(0).optional().describe("More customers than these are touched."),
        products: z.int().min(0).optional().describe("More products than these are touched."),
        percent: share.optional().describe("A price goes up or down by more percent than this."),
      })
      .prefault({})
      .describe("A pull's price change past one of these waits for a person."),
    tokens: z
      .strictObject({
        keys: z
          .array(
            z.strictObject({
              id: z
                .string()
                .regex(/^[\w.-]{1,40}$/, "a short name of letters, digits, ., - and _")
                .describe("Stands in the token, so that a key can be replaced by a newer one."),
              secret: z
                .string()
                .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "a secret's name of letters, digits and _")
                .describe("The secret that is the key, of at least 32 characters."),
            }),
          )
          .default([])
          .describe("Newest first: it signs, all of them verify. None: no price is signed."),
        hours: z
          .number()
          .positive()
          .max(24 * 31)
          .default(24)
          .describe("A signed price is honoured no longer than this, and never past validUntil."),
      })
      .prefault({})
      .describe("Signed prices, which an order presents and is charged."),
  })
  .prefault({});
