/**
 * The settings: one YAML file and the environment's secrets, as one typed value. Nothing else reads
 * `process.env`; only `main` and `cli` import this and pass values down.
 *
 *     const settings = readSettings({ file: "tradepost.yaml" });
 */
import { readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { DefinitionError, readDefinition } from "./definition/index.ts";

const code = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/)
  .describe("A short code: letters, digits, - and _.");
const decimalText = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe('A decimal in quotes, such as "20" or "12.50".');
const isoDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .describe('A date in quotes, such as "2026-03-31".');
const channel = z.enum(["web", "telephone", "counter", "field", "edi", "other", "unknown"]);
const check = z.enum(["accept", "hold", "refuse"]);

const connection = z.strictObject({
  connector: z.string().describe("Name of the connector: a folder of connectors/."),
  mode: z
    .enum(["read-only", "live"])
    .default("read-only")
    .describe("read-only: pulls, never hands an order over. live: hands orders over as well."),
  mappings: z.string().describe("Name of the mapping set: a folder of mappings/."),
  settings: z.record(z.string(), z.unknown()).describe("What the connector itself asks for."),
  dropBrakePercent: z
    .number()
    .min(0)
    .max(100)
    .default(20)
    .describe("A snapshot that would remove more than this share of its stream stops and asks."),
});

const orderChecks = z
  .strictObject({
    account: check.default("refuse").describe("Unknown or closed account."),
    stop: check.default("refuse").describe("Account on stop."),
    credit: check.default("hold").describe("Over the credit limit with orders not yet invoiced."),
    product: check
      .default("refuse")
      .describe("Unknown, blocked or replaced product, or not on the web."),
    quantity: check.default("refuse").describe("Below the least quantity or not a multiple."),
    minimum: check.default("refuse").describe("Below the minimum order."),
    site: check.default("refuse").describe("Unknown delivery site."),
    price: check.default("refuse").describe("Price differs from ours now."),
    totals: check.default("refuse").describe("Net, VAT or gross does not add up."),
  })
  .prefault({});

const company = z.strictObject({
  name: z.string().min(1).describe("Name of the merchant, as on statements."),
  timeZone: z.string().default("Europe/London").describe("IANA time zone of the company's dates."),
  currency: z.string().length(3).default("GBP").describe("ISO currency of its ledger."),
  vat: z
    .record(z.string(), decimalText)
    .default({ STANDARD: "20", REDUCED: "5", ZERO: "0" })
    .describe("VAT code to rate in percent."),
  connections: z.record(code, connection).describe("Where data comes from and orders go to."),
  pricing: z
    .strictObject({
      policy: z.string().default("generic").describe("A folder of mappings/ with a pricing.yaml."),
    })
    .prefault({}),
  orders: z
    .strictObject({
      connection: code.default("erp").describe("Connection that takes the web orders."),
      checks: orderChecks,
      minimumNet: decimalText.default("0").describe("Least net value of an order."),
      answerWithinHours: z
        .number()
        .positive()
        .default(24)
        .describe("A handed-over order without an answer by then is in doubt."),
    })
    .prefault({}),
  sales: z
    .strictObject({
      channels: z
        .array(
          z.strictObject({
            takenBy: z
              .string()
              .optional()
              .describe("Order taker, till or analysis code; a * at the end stands for anything."),
            branch: z.string().optional().describe("Branch of the document."),
            channel,
          }),
        )
        .default([])
        .describe("Site's rules for the channel, first match wins."),
      completeFrom: isoDate
        .optional()
        .describe(
          "From when the ERP's sales history is complete; absent: from its first document.",
        ),
    })
    .prefault({}),
  pay: z
    .strictObject({
      startOn: isoDate.optional().describe("Lines before it count for class, never for pay."),
      plans: z.record(code, z.string()).default({}).describe("Plan code to its YAML file."),
      newWithinMonths: z.number().int().positive().default(12),
    })
    .prefault({}),
});

const settingsSchema = z.strictObject({
  database: z
    .strictObject({
      folder: z
        .string()
        .default(".tradepost/data")
        .describe("Folder of Tradepost's own PostgreSQL, used when DATABASE_URL is not set."),
    })
    .prefault({}),
  http: z
    .strictObject({
      host: z.string().default("127.0.0.1"),
      port: z.number().int().min(0).max(65535).default(4600),
    })
    .prefault({}),
  leaseSeconds: z
    .number()
    .min(1)
    .default(30)
    .describe("How long a stopped instance's work waits before another takes it over."),
  demonstrationClockSeconds: z
    .number()
    .default(0)
    .describe("Added to the clock, for demonstrations in simulated time. Leave it out elsewhere."),
  mappingFolders: z
    .array(z.string())
    .default([])
    .describe("More folders of mapping sets, looked into before the shipped ones."),
  companies: z.record(code, company).describe("One entry a company, by its code."),
});

export type CompanySettings = z.infer<typeof company>;
export type ConnectionSettings = z.infer<typeof connection>;
/** Settings with the environment's part: where the database is, and how to get a secret. */
export interface Settings extends z.infer<typeof settingsSchema> {
  /** The file they came from; paths in it are relative to its folder. */
  readonly file: string;
  readonly databaseUrl: string | null;
  /** A secret of the environment: TRADEPOST_SECRET_<NAME>; null when it is not set. */
  secret(name: string): string | null;
  /** A path of the settings, absolute. */
  path(relative: string): string;
}

export { DefinitionError, settingsSchema };

/** Reads and checks the settings. Throws DefinitionError with every problem and its line. */
export function readSettings(source: { file: string; text?: string }): Settings {
  const file = resolve(source.file);
  const text = source.text ?? readText(file);
  const parsed = readDefinition({ file: source.file, text }, settingsSchema);
  const folder = dirname(file);
  const path = (relative: string): string =>
    isAbsolute(relative) ? relative : resolve(folder, relative);
  return {
    ...parsed,
    database: { folder: path(parsed.database.folder) },
    mappingFolders: parsed.mappingFolders.map(path),
    file,
    databaseUrl: process.env["DATABASE_URL"] || null,
    secret: (name) => process.env[`TRADEPOST_SECRET_${name.toUpperCase()}`] || null,
    path,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsMissing(file, cause);
  }
}

/** The settings file cannot be read. */
export class SettingsMissing extends Error {
  override readonly name = "SettingsMissing";
  constructor(file: string, cause: unknown) {
    super(
      `Reading the settings: ${file} cannot be read. Give another with --settings FILE, ` +
        "or begin with the example in README.md.",
      { cause },
    );
  }
}
