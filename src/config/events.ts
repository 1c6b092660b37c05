/** What shops are told of orders: how long it is kept, and where webhooks may go. */
import { isIP } from "node:net";
import { z } from "zod";

const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** A host name, an address, or a network such as 10.1.0.0/16. */
const place = z
  .string()
  .refine(isPlace, "a host, an address or a network: shop.intern, 10.1.2.3, 10.1.0.0/16");

function isPlace(text: string): boolean {
  const [address = "", bits, more] = text.split("/");
  const family = isIP(address);
  if (bits === undefined) return family !== 0 || HOST.test(text);
  return (
    family !== 0 &&
    more === undefined &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= (family === 4 ? 32 : 128)
  );
}

export const events = z
  .strictObject({
    keepDays: z
      .number()
      .int()
      .min(7)
      .max(3_650)
      .default(90)
      .describe(
        "How long events can be read and sent again; a webhook's tries take over three days.",
      ),
  })
  .prefault({})
  .describe("The feed of what happened to orders.");

export const webhooks = z
  .strictObject({
    allow: z
      .array(place)
      .default([])
      .describe(
        "Hosts, addresses and networks inside the house that webhooks may go to, on any port and by plain http too; all else goes by https to public addresses.",
      ),
    disableAfterDays: z
      .number()
      .int()
      .min(1)
      .max(60)
      .default(5)
      .describe("A webhook that has taken nothing for so long is disabled, with an alarm."),
  })
  .prefault({})
  .describe("Where shops may be told of what happened to orders.");
