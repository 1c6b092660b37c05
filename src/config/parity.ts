/** When prices are called wrong, by what the ERP charged. */
import { z } from "zod";

const percent = z.number().min(0).max(100);

export const parity = z
  .strictObject({
    alarmBelowPercent: percent
      .default(90)
      .describe(
        "A day is told of when fewer of its lines, in percent, match our price or are explained.",
      ),
    alarmFromLines: z
      .int()
      .min(1)
      .default(20)
      .describe("A day with fewer priced lines than this is not told of."),
    certifyPercent: percent
      .default(99)
      .describe("From how many lines in percent, matched or explained, a policy is certified."),
  })
  .prefault({});
