/**
 * The settings: one YAML file and the environment's secrets, as one typed value. Nothing else reads
 * `process.env`; only `main` and `cli` import this and pass values down.
 *
 *     const settings = readSettings({ file: "tradepost.yaml" });
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { chargeVatCodes } from "./config/accepting.ts";
import { alarms, connection, webhookProblem } from "./config/connection.ts";
import { events, webhooks } from "./config/events.ts";
import { http } from "./config/http.ts";
import { orders } from "./config/orders.ts";
import { parity } from "./config/parity.ts";
import { pricing } from "./config/pricing.ts";
import { newestRates, unstatedCodes, vatCodes, vatCountries, vatRulesOf } from "./config/vat.ts";
import { shownSetting } from "./config/shown.ts";
import {
  DefinitionError,
  nearest,
  openDefinition,
  readDefinition,
  type Definition,
  type DefinitionPath,
  type DefinitionProblem,
} from "./definition/index.ts";

const code = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/, "a short code of letters, digits, - and _");
const isoDate = z.iso.date();
const channel = z.enum(["web", "telephone", "counter", "field", "edi", "other", "unknown"]);

const statedCompany = z.strictObject({
  name: z.string().min(1).describe("Name of the merchant, as on statements."),
  timeZone: z.string().default("Europe/London").describe("IANA time zone of the company's dates."),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, "three capital letters such as GBP")
    .default("GBP")
    .describe("ISO currency of its ledger."),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "an ISO country such as GB")
    .default("GB")
    .describe("Country that the company delivers from."),
  vat: vatCodes,
  vatCountries,
  connections: z
    .record(code, connection)
    .refine((all) => Object.keys(all).length > 0, "at least one connection")
    .describe("Where data comes from and orders go to."),
  pricing,
  parity,
  orders,
  shop: z
    .strictObject({
      drop: z
        .strictObject({
          connection: code.describe("Connection into whose folder shop/ the files are laid."),
          kinds: z
            .array(z.enum(["product", "stock", "customer", "document"]))
            .min(1)
            .optional()
            .describe("What is laid; absent: all of it."),
        })
        .optional()
        .describe("Files of what changed, for a shop that cannot call in; absent: none."),
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
  owners: z
    .record(z.string(), code)
    .default({})
    .describe(
      "Record type to the connection that keeps it, where the mappings of several make it: price-rule: erp.",
    ),
  alarms,
  events,
  webhooks,
  completeness: z
    .strictObject({
      lateAfterDays: z
        .number()
        .int()
        .min(1)
        .max(366)
        .default(7)
        .describe("A document dated more days before the newest one held has arrived late."),
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

/** What is meant where no connection is named: the only one, else erp; null: it must be named. */
export function usualConnection(connections: readonly string[]): string | null {
  const [only] = connections;
  if (only !== undefined && connections.length === 1) return only;
  return connections.includes("erp") ? "erp" : null;
}

/** No code: nothing is stated, and several could be meant. */
const NONE_MEANT = "";

const company = statedCompany.transform((stated) => {
  const usual = usualConnection(Object.keys(stated.connections)) ?? NONE_MEANT;
  const { connection = usual, ...orders } = stated.orders;
  const { country, vatCountries: countries } = stated;
  const vatRules = vatRulesOf(stated.vat, country, countries);
  return { ...stated, vat: newestRates(stated.vat), vatRules, orders: { connection, ...orders } };
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
  http,
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
    .describe(
      "More folders of mapping sets and price policies, looked into before the shipped ones.",
    ),
  connectorFolders: z
    .array(z.string())
    .default([])
    .describe("More folders of connectors, each in a folder of its own, beside the shipped ones."),
  companies: z
    .record(code, company)
    .refine((all) => Object.keys(all).length > 0, "at least one company")
    .describe("One entry a company, by its code."),
});

export type CompanySettings = z.infer<typeof company>;
export type ConnectionSettings = z.infer<typeof connection>;

/** Settings with the environment's part: where the database is, and how to get a secret. */
export interface Settings extends z.infer<typeof settingsSchema> {
  /** The file they came from; paths in it are relative to its folder. */
  readonly file: string;
  /** With its password: never to be shown. */
  readonly databaseUrl: string | null;
  /** A secret of the environment: TRADEPOST_SECRET_<NAME>; null when it is not set. */
  secret(name: string): string | null;
  /** A path of the settings, absolute. */
  path(relative: string): string;
  /** An error about parts that only another module can judge, each named by file and line. */
  wrong(...problems: readonly SettingProblem[]): DefinitionError;
  /**
   * Every value as it holds, defaults included, as it may be shown. `completed`: parts whose own
   * reader knows more defaults, such as a connector's settings.
   */
  effective(completed?: readonly CompletedSetting[]): readonly EffectiveSetting[];
}

export interface SettingProblem {
  /** Keys from the top: `["companies", "HARROW", "pay", "plans"]`. */
  readonly path: DefinitionPath;
  readonly found: string;
  readonly expected: string;
  readonly nearest?: string | undefined;
}

export interface CompletedSetting {
  readonly path: DefinitionPath;
  readonly value: unknown;
}

export interface EffectiveSetting {
  /** `companies.HARROW.timeZone` */
  readonly name: string;
  readonly value: unknown;
  /** Where the file states it; null: a default. */
  readonly line: number | null;
}

export { durationSeconds, usualDrift } from "./config/connection.ts";
export { DefinitionError, settingsSchema };

/** Reads and checks the settings. Throws DefinitionError with every problem and its line. */
export function readSettings(source: { file: string; text?: string }): Settings {
  const file = resolve(source.file);
  const text = source.text ?? readText(file);
  const definition = openDefinition({ file: source.file, text }, settingsSchema);
  const parsed = definition.value;
  const folder = dirname(file);
  const path = (relative: string): string =>
    isAbsolute(relative) ? relative : resolve(folder, relative);
  const problems = Object.entries(parsed.companies).flatMap(([name, company]) =>
    companyProblems(definition, name, company, path),
  );
  if (problems.length > 0) throw new DefinitionError(source.file, problems);
  return {
    ...parsed,
    database: { folder: path(parsed.database.folder) },
    mappingFolders: parsed.mappingFolders.map(path),
    connectorFolders: parsed.connectorFolders.map(path),
    file,
    databaseUrl: databaseUrlOf(process.env["DATABASE_URL"] ?? ""),
    secret: (name) => process.env[`TRADEPOST_SECRET_${name.toUpperCase()}`] || null,
    path,
    wrong: (...found) =>
      new DefinitionError(
        source.file,
        found.map(({ path: at, ...what }) => definition.problem(at, what)),
      ),
    effective: (completed = []) => {
      const stated = readDefinition({ file: source.file, text }, z.unknown());
      const values = new Map(completed.map(({ path: at, value }) => [at.join("."), value]));
      return effectiveSettings(stateable(parsed), {
        stated,
        path: [],
        values,
        lineOf: definition.lineOf,
      });
    },
  };
}

/** What the schema cannot see: names that stand for something elsewhere. */
function companyProblems(
  { problem }: Definition<unknown>,
  name: string,
  company: CompanySettings,
  path: (relative: string) => string,
): DefinitionProblem[] {
  const at = ["companies", name];
  const problems: DefinitionProblem[] = [];
  if (!isTimeZone(company.timeZone))
    problems.push(
      problem([...at, "timeZone"], {
        found: `the text "${company.timeZone}"`,
        expected: "an IANA time zone such as Europe/London",
        nearest: nearest(company.timeZone, Intl.supportedValuesOf("timeZone")),
      }),
    );
  for (const { path: where, found } of unstatedCodes(company.vat, company.vatRules))
    problems.push(
      problem([...at, ...where], {
        found: `the VAT code "${found}"`,
        expected: `one of companies.${name}.vat: ${Object.keys(company.vat).join(", ")}`,
        nearest: nearest(found, Object.keys(company.vat)),
      }),
    );
  for (const { path: where, code: found, free } of chargeVatCodes(company.orders)) {
    const rate = company.vat[found];
    if (rate !== undefined && (!free || Number(rate) === 0)) continue;
    problems.push(
      problem([...at, ...where], {
        found:
          rate === undefined ? `the VAT code "${found}"` : `the VAT code "${found}" of ${rate}%`,
        expected: `one of companies.${name}.vat${free ? " with a rate of 0" : ""}`,
        nearest: rate === undefined ? nearest(found, Object.keys(company.vat)) : undefined,
      }),
    );
  }
  problems.push(...ordersTo(problem, [...at, "orders", "connection"], company));
  const { url } = company.alarms.webhook ?? {};
  const odd = url === undefined ? null : webhookProblem(url);
  if (odd !== null)
    problems.push(
      problem([...at, "alarms", "webhook", "url"], {
        found: odd,
        expected: "an http or https address",
      }),
    );
  for (const [plan, file] of Object.entries(company.pay.plans))
    if (!existsSync(path(file)))
      problems.push(
        problem([...at, "pay", "plans", plan], {
          found: `${path(file)}, which is not there`,
          expected: "the YAML file of a plan; paths are relative to the settings file",
        }),
      );
  return problems;
}

/** Web orders go to one of the connections, named where there are several. */
function ordersTo(
  problem: Definition<unknown>["problem"],
  at: readonly string[],
  company: CompanySettings,
): DefinitionProblem[] {
  const { connection } = company.orders;
  const connections = Object.keys(company.connections);
  if (connections.includes(connection)) return [];
  const wanted =
    connection === NONE_MEANT
      ? {
          found: "none named, and several connections",
          expected: `orders: { connection: NAME } with the one that takes the web orders: ${connections.join(", ")}`,
        }
      : {
          found: `the connection "${connection}"`,
          expected: `one of ${at.slice(0, 2).join(".")}.connections: ${connections.join(", ")}`,
          nearest: nearest(connection, connections),
        };
  return [problem([...at], wanted)];
}

function isTimeZone(name: string): boolean {
  try {
    Temporal.Now.zonedDateTimeISO(name);
    return true;
  } catch {
    return false;
  }
}

interface Effect {
  /** What the file says here; undefined: nothing. */
  readonly stated: unknown;
  readonly path: DefinitionPath;
  readonly values: ReadonlyMap<string, unknown>;
  readonly lineOf: (path: DefinitionPath) => number;
}

/** Without what is worked out from settings and is none itself. */
function stateable({ companies, ...rest }: z.infer<typeof settingsSchema>): unknown {
  const stated = Object.entries(companies).map(([code, { vatRules: _vatRules, ...each }]) => [
    code,
    each,
  ]);
  return { ...rest, companies: Object.fromEntries(stated) as unknown };
}

function effectiveSettings(parsed: unknown, at: Effect): EffectiveSetting[] {
  const name = at.path.join(".");
  const value = at.values.get(name) ?? parsed;
  const inner = entriesOf(value);
  const line = at.stated === undefined ? null : at.lineOf(at.path);
  if (inner.length === 0)
    return value === undefined ? [] : [{ name, value: shownSetting(name, value), line }];
  const stated = new Map<string | number, unknown>(entriesOf(at.stated));
  return inner.flatMap(([key, each]) =>
    effectiveSettings(each, { ...at, path: [...at.path, key], stated: stated.get(key) }),
  );
}

/** Of a mapping, or of a list of mappings. */
function entriesOf(value: unknown): [string | number, unknown][] {
  if (isMapping(value)) return Object.entries(value);
  return Array.isArray(value) && value.some(isMapping) ? [...value.entries()] : [];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Null when there is none. A text that is no address is not shown: a password may be in it. */
function databaseUrlOf(text: string): string | null {
  if (text === "") return null;
  const scheme = URL.canParse(text) ? new URL(text).protocol : null;
  if (scheme === "postgres:" || scheme === "postgresql:") return text;
  throw new SettingsUnusable(
    `Reading DATABASE_URL of the environment: found ${scheme === null ? "a text that is no address" : `an address that begins with ${scheme}`}, ` +
      "expected one such as postgresql://user:password@server:5432/tradepost. Correct it, or unset " +
      "it to use Tradepost's own PostgreSQL.",
  );
}

/** A path as the person means it who typed it: npm works in its own folder, and tells theirs. */
export function standing(path: string): string {
  return resolve(process.env["INIT_CWD"] || ".", path);
}

/** Whether npm started this process, or one above it. */
export function isUnderNpm(): boolean {
  return process.env["npm_lifecycle_event"] !== undefined;
}

/** What a person typed before the command's own words: a next command is shown whole. */
export function calledAs({ settings, company }: { settings: string; company?: string }): string {
  const script = process.env["npm_lifecycle_event"] ?? "";
  const given = process.env["npm_lifecycle_script"] ?? "";
  const program = `npm run -s ${script.endsWith("tradepost") ? script : "tradepost"} --`;
  const named = settings === "tradepost.yaml" || given.includes(settings);
  return [
    program,
    ...(named ? [] : ["--settings", settings]),
    ...(company === undefined ? [] : ["--company", company]),
  ].join(" ");
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new SettingsUnusable(
      `Reading the settings: ${file} cannot be read. Give another with --settings FILE, ` +
        "or begin with the example in README.md.",
      { cause },
    );
  }
}

/** The settings file, or a part of the environment, cannot be used. */
export class SettingsUnusable extends Error {
  override readonly name = "SettingsUnusable";
  readonly kind = "config";
}
