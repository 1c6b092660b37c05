/** What the settings say of a connection: when it is read, and what each stream must keep to. */
import { z } from "zod";

/** Minutes, hours or days: `20m`, `26h`, `2d`. */
export const duration = z
  .string()
  .regex(/^[1-9]\d{0,4}(m|h|d)$/, "minutes, hours or days such as 20m, 26h or 2d");

const SECONDS = { m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a duration of the settings. */
export function durationSeconds(text: string): number {
  const unit = text.at(-1);
  if (unit !== "m" && unit !== "h" && unit !== "d")
    throw new TypeError(`"${text}" is no duration of the settings`);
  return Number(text.slice(0, -1)) * SECONDS[unit];
}

const percent = z.number().min(0).max(100);
const streamName = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "a stream's name in small letters, digits and dashes");

const drift = z
  .strictObject({
    added: z
      .enum(["tell", "quarantine", "stop"])
      .default("tell")
      .describe("A column that was not there before and that no mapping reads."),
    missing: z
      .enum(["tell", "quarantine", "stop"])
      .default("stop")
      .describe("A column that was there before, whether a mapping needs it or not."),
    retyped: z
      .enum(["tell", "quarantine", "stop"])
      .default("quarantine")
      .describe("A column whose values look of another kind than before: text where numbers were."),
  })
  .prefault({})
  .describe(
    "What a changed shape does. tell: goes on and says so. quarantine: the file or page waits for a person. stop: the run ends and nothing of it is published.",
  );

/** Of a stream that the settings do not name. */
export const usualDrift = drift.parse(undefined);

const stream = z.strictObject({
  dropBrakePercent: percent
    .optional()
    .describe("Instead of the connection's: 100 lets a snapshot remove everything."),
  freshWithin: duration
    .optional()
    .describe("Promise: an alarm tells when nothing was read with success for longer than this."),
  drift,
  historyMonths: z
    .int()
    .min(1)
    .max(240)
    .optional()
    .describe("How far back a first load goes, where the connector can read by days."),
});

const schedule = z.strictObject({
  cron: z
    .string()
    .min(1)
    .describe("When: minute hour day-of-month month day-of-week, such as 15 6 * * 1-5."),
  timeZone: z.string().optional().describe("IANA time zone of it; the company's by default."),
  streams: z
    .array(streamName)
    .min(1)
    .optional()
    .describe("Streams that it reads; all that a mapping reads by default."),
  does: z
    .enum(["pull", "compare-keys"])
    .default("pull")
    .describe("pull: reads what is new. compare-keys: removes what the source no longer has."),
  jitterSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(0)
    .describe("Starts up to so many seconds late, so that many schedules do not start at once."),
});

export const connection = z.strictObject({
  connector: z.string().describe("Name of the connector: a folder of connectors/."),
  mode: z
    .enum(["read-only", "shadow", "live"])
    .default("read-only")
    .describe(
      "read-only: pulls, never hands an order over. shadow: writes orders as they would be handed over, sends none, and compares them with what staff keyed. live: hands orders over, once `tradepost go-live CONNECTION` has recorded its checklist; shadow until then.",
    ),
  mappings: z.string().describe("Name of the mapping set: a folder of mappings/."),
  settings: z.record(z.string(), z.unknown()).describe("What the connector itself asks for."),
  dropBrakePercent: percent
    .default(20)
    .describe("A snapshot that would remove more than this share of its stream stops and asks."),
  schedules: z
    .record(streamName, schedule)
    .default({})
    .describe("When the service reads by itself, by name: nightly, every-10-minutes."),
  streams: z
    .record(streamName, stream)
    .default({})
    .describe("What holds for one stream only, by its name."),
  keepRawDays: z
    .int()
    .min(1)
    .default(400)
    .describe("How long raw rows are kept that no archived file holds, to be mapped anew."),
});

const hook = z
  .strictObject({
    // What it must look like is judged by `webhookProblem`, which does not repeat it.
    url: z
      .string()
      .optional()
      .meta({ format: "uri" })
      .describe("Where alarms are sent by POST, as JSON; an address without anything secret."),
    urlSecret: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_]*$/, "a secret's name of letters, digits and _")
      .optional()
      .describe("Instead of url: the secret that is the address, such as one of Slack or Teams."),
  })
  .refine(
    ({ url, urlSecret }) => (url === undefined) !== (urlSecret === undefined),
    "either url or urlSecret",
  );

/** What is wrong with an address for alarms, without repeating it; null: nothing. */
export function webhookProblem(url: string): string | null {
  if (!URL.canParse(url)) return "a text that is no address";
  const { protocol } = new URL(url);
  if (protocol === "https:" || protocol === "http:") return null;
  return `an address that begins with ${protocol}`;
}

const email = z.strictObject({
  server: z.string().min(1).describe("Name of the mail server."),
  port: z.int().min(1).max(65_535).default(587),
  security: z
    .enum(["starttls", "tls", "none"])
    .default("starttls")
    .describe("none: only for a mail server on the same machine."),
  user: z.string().optional().describe("Its password is the secret alarms_email."),
  from: z.email(),
  to: z.array(z.email()).min(1),
});

/** Who is told when something is late or stopped; the service's log always is. */
export const alarms = z
  .strictObject({
    webhook: hook.optional(),
    email: email.optional(),
    repeatEvery: duration
      .default("24h")
      .describe("An alarm that still holds is told again after so long."),
  })
  .prefault({});
