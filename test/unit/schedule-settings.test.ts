/** Schedules that the settings name wrongly, told by file and line. */
import { expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import { checkSchedules } from "../../src/company/schedules.ts";

const text = (...lines: readonly string[]) => `companies:
  HARROW:
    name: Harrow
    connections:
      erp:
        connector: csv
        mappings: tradepost-csv
        settings: { folder: /srv/erp }
${lines.map((line) => `        ${line}\n`).join("")}`;

const NOW = Temporal.Instant.from("2026-03-27T12:00:00Z");

function said(...lines: readonly string[]): string {
  const settings = readSettings({ file: "tradepost.yaml", text: text(...lines) });
  const streamsOf = () => ["customers", "price-rules"];
  try {
    const checked = checkSchedules(settings, "HARROW", streamsOf, NOW);
    return checked.map(({ part, about }) => `${part}: ${about}`).join("\n");
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

test("every fault of a schedule is told with its line and the nearest match", () => {
  expect(
    said(
      "schedules:",
      "  nightly: { cron: 30 1 * * mno }",
      "  often:",
      "    cron: 61 * * * *",
      "    timeZone: Europe/Lodnon",
      "    streams: [customer]",
      "streams:",
      "  price-rule: { freshWithin: 26h }",
    ),
  ).toMatchInlineSnapshot(`
    "tradepost.yaml cannot be used: 5 problems
      tradepost.yaml:10: companies.HARROW.connections.erp.schedules.nightly.cron: found the day of week "mno", expected 0 (Sunday) to 7 or sun to sat, * for any, a-b for a range, */n for every n-th, commas between (nearest match "mon")
      tradepost.yaml:12: companies.HARROW.connections.erp.schedules.often.cron: found the minute "61", expected 0 to 59, * for any, a-b for a range, */n for every n-th, commas between
      tradepost.yaml:13: companies.HARROW.connections.erp.schedules.often.timeZone: found the text "Europe/Lodnon", expected an IANA time zone such as Europe/London (nearest match "Europe/London")
      tradepost.yaml:14: companies.HARROW.connections.erp.schedules.often.streams[0]: found the stream "customer", expected one that a mapping of the connection reads: customers, price-rules (nearest match "customers")
      tradepost.yaml:16: companies.HARROW.connections.erp.streams.price-rule: found the stream "price-rule", expected one that a mapping of the connection reads: customers, price-rules (nearest match "price-rules")"
  `);
});

test("a schedule is shown with its next three times, through a night on which the clock changes", () => {
  expect(said("schedules:", "  nightly: { cron: 30 1 * * * }")).toBe(
    "schedule erp/nightly: 30 1 * * * (Europe/London): next 28/03/2026 01:30, 29/03/2026 02:30, 30/03/2026 01:30",
  );
});
