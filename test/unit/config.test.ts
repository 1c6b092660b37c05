/** What the settings file says when it is wrong: file and line, found, expected, nearest match. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readSettings } from "../../src/config.ts";

const GOOD = `companies:
  HARROW:
    name: Harrow & Stone
    connections:
      erp:
        connector: csv
        mappings: tradepost-csv
        settings: { folder: /srv/erp }
`;

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What is said to settings in which one piece of good ones is another. */
function said(text: string): string {
  try {
    readSettings({ file: "tradepost.yaml", text });
  } catch (error) {
    return error instanceof Error ? error.message.replaceAll(process.cwd(), "/here") : "";
  }
  return "Nothing is wrong.";
}

/** Good settings with lines of a company below them. */
const and = (...lines: readonly string[]) =>
  `${GOOD}${lines.map((line) => `    ${line}\n`).join("")}`;
const instead = (piece: string, other: string) => GOOD.replace(piece, other);

describe("settings that are wrong", () => {
  it("in a key of the top", () => {
    expect(said(`${GOOD}databse: { folder: x }\n`)).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:9: databse: found the key "databse", expected one of database, http, leaseSeconds, demonstrationClockSeconds, mappingFolders, connectorFolders, companies (nearest match "database")"
    `);
  });

  it("in a key of a company, of a connection and of the orders' checks", () => {
    const text = instead("connector: csv", "conector: csv").concat(
      "    timezone: Europe/London\n    orders: { checks: { prise: refuse } }\n",
    );
    expect(said(text)).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 4 problems
        tradepost.yaml:5: companies.HARROW.connections.erp.connector: found nothing, expected text
        tradepost.yaml:6: companies.HARROW.connections.erp.conector: found the key "conector", expected one of connector, mode, mappings, settings, dropBrakePercent, schedules, streams, keepRawDays (nearest match "connector")
        tradepost.yaml:9: companies.HARROW.timezone: found the key "timezone", expected one of name, timeZone, currency, country, vat, vatCountries, connections, pricing, parity, orders, shop, sales, owners, alarms, events, webhooks, completeness, pay (nearest match "timeZone")
        tradepost.yaml:10: companies.HARROW.orders.checks.prise: found the key "prise", expected one of account, stop, guest, credit, reference, product, visibility, quantity, stock, minimum, charge, site, branch, delivery, country, requested, price, stale, agreement, date, totals, payment, limit, repeat (nearest match "price")"
    `);
  });

  it("in a choice", () => {
    expect(said(instead("connector: csv", "connector: csv\n        mode: lve")))
      .toMatchInlineSnapshot(`
        "tradepost.yaml cannot be used: 1 problem
          tradepost.yaml:7: companies.HARROW.connections.erp.mode: found the text "lve", expected one of read-only, shadow, live (nearest match "live")"
      `);
  });

  it("in YAML: broken, empty, a key twice, a list for a mapping", () => {
    expect(said("companies:\n  HARROW: [1, 2\n")).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:3: found broken YAML (Flow sequence in block collection must be sufficiently indented and end with a ]), expected YAML 1.2"
    `);
    expect(said("")).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:1: found an empty value, expected a mapping of keys to values"
    `);
    expect(said(and("name: Again"))).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:9: name: found the key "name" a second time, expected each key once"
    `);
    expect(said("- companies\n")).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:1: found a list of 1, expected a mapping of keys to values"
    `);
  });

  it("with no company, or a company without a connection", () => {
    expect(said("companies: {}\n")).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:1: companies: found a mapping with no keys, expected at least one company"
    `);
    expect(said("companies:\n  HARROW:\n    name: Harrow\n    connections: {}\n"))
      .toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:4: companies.HARROW.connections: found a mapping with no keys, expected at least one connection"
    `);
  });

  it("in a company's code", () => {
    expect(said(instead("HARROW:", "HARROW & STONE:"))).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:2: companies["HARROW & STONE"]: found the key "HARROW & STONE", expected a short code of letters, digits, - and _"
    `);
  });

  it("in a number, an amount, a date, a currency", () => {
    expect(said(`${GOOD}http: { port: 99999 }\n`)).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:9: http.port: found the number 99999, expected at most 65535"
    `);
    expect(
      said(
        and(
          "currency: gbp",
          "vat: { STANDARD: 20 }",
          'orders: { minimumNet: "-5" }',
          'pay: { startOn: "2026-02-31" }',
        ),
      ),
    ).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 4 problems
        tradepost.yaml:9: companies.HARROW.currency: found the text "gbp", expected three capital letters such as GBP
        tradepost.yaml:10: companies.HARROW.vat.STANDARD: found the number 20, expected text (put it in quotes) or a mapping of keys to values
        tradepost.yaml:11: companies.HARROW.orders.minimumNet: found the text "-5", expected an amount such as "7.50", not negative
        tradepost.yaml:12: companies.HARROW.pay.startOn: found the text "2026-02-31", expected a date such as 2026-03-31"
    `);
  });

  it("in the name of a time zone", () => {
    expect(said(and("timeZone: Europe/Lodnon"))).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:9: companies.HARROW.timeZone: found the text "Europe/Lodnon", expected an IANA time zone such as Europe/London (nearest match "Europe/London")"
    `);
  });

  it("in the connection that takes the orders, also when it was left out", () => {
    expect(said(and("orders: { connection: epr }"))).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:9: companies.HARROW.orders.connection: found the connection "epr", expected one of companies.HARROW.connections: erp (nearest match "erp")"
    `);
    const two = instead(
      "      erp:\n",
      "      till: { connector: csv, mappings: x, settings: {} }\n      ledger:\n",
    );
    expect(said(two)).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:2: companies.HARROW.orders.connection: found none named, and several connections, expected orders: { connection: NAME } with the one that takes the web orders: till, ledger"
    `);
  });

  it("never in orders.connection when there is one connection, whatever it is called", () => {
    const text = instead("erp:\n", "sage:\n");
    const { companies } = readSettings({ file: "tradepost.yaml", text });
    expect(companies["HARROW"]?.orders.connection).toBe("sage");
  });

  it("in the file of a plan", () => {
    expect(said(and("pay:", "  plans:", "    flat: plans/flat.yaml"))).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:11: companies.HARROW.pay.plans.flat: found /here/plans/flat.yaml, which is not there, expected the YAML file of a plan; paths are relative to the settings file"
    `);
  });

  it("in a part that only another module can judge, named by it", () => {
    const settings = readSettings({ file: "tradepost.yaml", text: GOOD });
    const path = ["companies", "HARROW", "connections", "erp", "connector"];
    const problem = { path, found: 'the connector "cvs"', expected: "one of csv", nearest: "csv" };
    expect(settings.wrong(problem).message).toMatchInlineSnapshot(`
      "tradepost.yaml cannot be used: 1 problem
        tradepost.yaml:6: companies.HARROW.connections.erp.connector: found the connector "cvs", expected one of csv (nearest match "csv")"
    `);
  });

  it("because the file is not there, or the address of the database is none", () => {
    expect(() => readSettings({ file: "/no/tradepost.yaml" })).toThrowErrorMatchingInlineSnapshot(
      `[SettingsUnusable: Reading the settings: /no/tradepost.yaml cannot be read. Give another with --settings FILE, or begin with the example in README.md.]`,
    );
    vi.stubEnv("DATABASE_URL", "mysql://me:s3cret@127.0.0.1/x");
    expect(said(GOOD)).toMatchInlineSnapshot(
      `"Reading DATABASE_URL of the environment: found an address that begins with mysql:, expected one such as postgresql://user:password@server:5432/tradepost. Correct it, or unset it to use Tradepost's own PostgreSQL."`,
    );
    vi.stubEnv("DATABASE_URL", "me:s3cret@127.0.0.1");
    expect(said(GOOD)).toMatchInlineSnapshot(
      `"Reading DATABASE_URL of the environment: found an address that begins with me:, expected one such as postgresql://user:password@server:5432/tradepost. Correct it, or unset it to use Tradepost's own PostgreSQL."`,
    );
  });
});

describe("settings as they hold", () => {
  it("name every value, and the line that states it", () => {
    const text = `${GOOD}    sales: { channels: [{ takenBy: "TILL*", channel: counter }] }\n`;
    const held = readSettings({ file: "tradepost.yaml", text }).effective([
      {
        path: ["companies", "HARROW", "connections", "erp", "settings"],
        value: { folder: "/srv/erp", delimiter: "auto" },
      },
    ]);
    const shown = held.map(
      ({ name, value, line }) => `${name} = ${String(value)} (${line ?? "default"})`,
    );
    expect(shown.join("\n")).toMatchInlineSnapshot(`
      "database.folder = .tradepost/data (default)
      http.host = 127.0.0.1 (default)
      http.port = 4600 (default)
      leaseSeconds = 30 (default)
      demonstrationClockSeconds = 0 (default)
      mappingFolders =  (default)
      connectorFolders =  (default)
      companies.HARROW.name = Harrow & Stone (3)
      companies.HARROW.timeZone = Europe/London (default)
      companies.HARROW.currency = GBP (default)
      companies.HARROW.country = GB (default)
      companies.HARROW.vat.STANDARD = 20 (default)
      companies.HARROW.vat.REDUCED = 5 (default)
      companies.HARROW.vat.ZERO = 0 (default)
      companies.HARROW.vatCountries = [object Object] (default)
      companies.HARROW.connections.erp.connector = csv (6)
      companies.HARROW.connections.erp.mode = read-only (default)
      companies.HARROW.connections.erp.mappings = tradepost-csv (7)
      companies.HARROW.connections.erp.settings.folder = /srv/erp (8)
      companies.HARROW.connections.erp.settings.delimiter = auto (default)
      companies.HARROW.connections.erp.dropBrakePercent = 20 (default)
      companies.HARROW.connections.erp.schedules = [object Object] (default)
      companies.HARROW.connections.erp.streams = [object Object] (default)
      companies.HARROW.connections.erp.keepRawDays = 400 (default)
      companies.HARROW.pricing.policy = generic (default)
      companies.HARROW.pricing.keepPastDays = 2557 (default)
      companies.HARROW.pricing.switches = [object Object] (default)
      companies.HARROW.pricing.staleAfterOf = [object Object] (default)
      companies.HARROW.pricing.holdAbove = [object Object] (default)
      companies.HARROW.pricing.tokens.keys =  (default)
      companies.HARROW.pricing.tokens.hours = 24 (default)
      companies.HARROW.parity.alarmBelowPercent = 90 (default)
      companies.HARROW.parity.alarmFromLines = 20 (default)
      companies.HARROW.parity.certifyPercent = 99 (default)
      companies.HARROW.orders.connection = erp (default)
      companies.HARROW.orders.checks.account = refuse (default)
      companies.HARROW.orders.checks.stop = refuse (default)
      companies.HARROW.orders.checks.guest = refuse (default)
      companies.HARROW.orders.checks.credit = hold (default)
      companies.HARROW.orders.checks.reference = refuse (default)
      companies.HARROW.orders.checks.product = refuse (default)
      companies.HARROW.orders.checks.visibility = refuse (default)
      companies.HARROW.orders.checks.quantity = refuse (default)
      companies.HARROW.orders.checks.stock = accept (default)
      companies.HARROW.orders.checks.minimum = refuse (default)
      companies.HARROW.orders.checks.charge = refuse (default)
      companies.HARROW.orders.checks.site = refuse (default)
      companies.HARROW.orders.checks.branch = refuse (default)
      companies.HARROW.orders.checks.delivery = refuse (default)
      companies.HARROW.orders.checks.country = hold (default)
      companies.HARROW.orders.checks.requested = refuse (default)
      companies.HARROW.orders.checks.price = refuse (default)
      companies.HARROW.orders.checks.stale = hold (default)
      companies.HARROW.orders.checks.agreement = refuse (default)
      companies.HARROW.orders.checks.date = refuse (default)
      companies.HARROW.orders.checks.totals = refuse (default)
      companies.HARROW.orders.checks.payment = hold (default)
      companies.HARROW.orders.checks.limit = hold (default)
      companies.HARROW.orders.checks.repeat = hold (default)
      companies.HARROW.orders.minimumNet = 0 (default)
      companies.HARROW.orders.repeatedWithinMinutes = 10 (default)
      companies.HARROW.orders.oldestDays = 31 (default)
      companies.HARROW.orders.answerWithinHours = 24 (default)
      companies.HARROW.orders.deskWithin = 4h (default)
      companies.HARROW.orders.atOnce = 4 (default)
      companies.HARROW.orders.giveUpAfterSeconds = 60 (default)
      companies.HARROW.orders.quietSeconds = 120 (default)
      companies.HARROW.orders.retryFirstSeconds = 5 (default)
      companies.HARROW.orders.retryLongestSeconds = 3600 (default)
      companies.HARROW.orders.maxAttempts = 8 (default)
      companies.HARROW.orders.lookAfterSeconds = 60 (default)
      companies.HARROW.orders.goLive.shadowEqualPercent = 98 (default)
      companies.HARROW.orders.accountRequests = [object Object] (default)
      companies.HARROW.shop = [object Object] (default)
      companies.HARROW.sales.channels.0.takenBy = TILL* (9)
      companies.HARROW.sales.channels.0.channel = counter (9)
      companies.HARROW.owners = [object Object] (default)
      companies.HARROW.alarms.repeatEvery = 24h (default)
      companies.HARROW.events.keepDays = 90 (default)
      companies.HARROW.webhooks.allow =  (default)
      companies.HARROW.webhooks.disableAfterDays = 5 (default)
      companies.HARROW.completeness.lateAfterDays = 7 (default)
      companies.HARROW.pay.plans = [object Object] (default)
      companies.HARROW.pay.newWithinMonths = 12 (default)"
    `);
  });

  it("take paths from the file's folder, and secrets from the environment alone", () => {
    vi.stubEnv("DATABASE_URL", "postgresql://me:s3cret@db/tradepost");
    vi.stubEnv("TRADEPOST_SECRET_SFTP", "hush");
    const settings = readSettings({ file: "/srv/tradepost.yaml", text: GOOD });
    expect(settings.database.folder).toBe("/srv/.tradepost/data");
    expect(settings.path("plans/flat.yaml")).toBe("/srv/plans/flat.yaml");
    expect(settings.databaseUrl).toBe("postgresql://me:s3cret@db/tradepost");
    expect([settings.secret("sftp"), settings.secret("other")]).toEqual(["hush", null]);
    expect(JSON.stringify(settings.effective())).not.toContain("s3cret");
  });

  it("show of a webhook scheme and host, of other addresses neither user nor password", () => {
    const webhook = "https://shop:s3cret@hooks.example.com/services/T0PSECRET";
    const base = "settings: { url: 'https://me:s3cret@erp.example.com/api?key=T0PSECRET' }";
    const text = GOOD.replace("settings: { folder: /srv/erp }", base);
    const settings = readSettings({
      file: "tradepost.yaml",
      text: `${text}    alarms: { webhook: { url: ${webhook} } }\n`,
    });
    const shown = settings.effective().filter(({ name }) => name.endsWith(".url"));
    expect(shown.map(({ value }) => value)).toEqual([
      "https://…@erp.example.com/api?…",
      "https://hooks.example.com/…",
    ]);
    expect(settings.companies["HARROW"]?.alarms.webhook?.url).toBe(webhook);
  });

  it("refuse a webhook's address without repeating it, and one that is named twice", () => {
    const alarms = (hook: string) => said(and(`alarms: { webhook: { ${hook} } }`));
    expect(alarms("url: hooks.example.com/T0PSECRET")).toContain(
      "alarms.webhook.url: found a text that is no address, expected an http or https address",
    );
    expect(alarms("url: 'ftp://me:s3cret@hooks.example.com'")).not.toContain("s3cret");
    expect(alarms("url: 'https://a.example', urlSecret: hook")).toContain(
      "expected either url or urlSecret",
    );
    expect(alarms("urlSecret: hook")).toBe("Nothing is wrong.");
  });

  it("are those of the README's example", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const [, example = ""] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    const folder = mkdtempSync(join(tmpdir(), "tradepost-settings-"));
    try {
      const plan = join(folder, "flat.yaml");
      writeFileSync(plan, "");
      const text = example.replace("plans/flat.yaml", plan);
      expect(Object.keys(readSettings({ file: "tradepost.yaml", text }).companies)).toEqual([
        "HARROW",
      ]);
      expect(text).toContain(plan);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
