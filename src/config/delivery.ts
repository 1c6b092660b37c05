/** How web orders are handed over, and how long doubts last. */
import { z } from "zod";

const seconds = (fallback: number) => z.number().positive().max(86_400).default(fallback);

export const delivery = {
  atOnce: z
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("So many orders are handed over at a time, by each instance of the service."),
  giveUpAfterSeconds: seconds(60).describe(
    "A call to the ERP that takes longer is given up, and the order is in doubt.",
  ),
  quietSeconds: z
    .number()
    .nonnegative()
    .max(86_400)
    .default(120)
    .describe(
      "At least so long after a call was given up an order may still turn up in the ERP; only then is it believed not to be there. Longer where orders were seen to take longer.",
    ),
  retryFirstSeconds: seconds(5).describe(
    "Before the first new try; each further one waits twice as long.",
  ),
  retryLongestSeconds: seconds(3_600).describe("New tries are never further apart."),
  maxAttempts: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(8)
    .describe(
      "After so many tries that placed nothing an order is held for a person; a change that the ERP puts off so often is a person's to make there.",
    ),
  lookAfterSeconds: seconds(60).describe(
    "How often the service looks for orders whose sender died, or whose time is up.",
  ),
};
