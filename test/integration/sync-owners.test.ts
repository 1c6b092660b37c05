/** Several sources, one owner of each record. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { settingsOf, useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();

/** A company with a second connection that makes price rules too, from files of its own. */
function settingsWith(name: string, owners?: Readonly<Record<string, string>>): string {
  const set = join(tradepost.folder, "sets", "extract");
  const extract = join(tradepost.folder, "extract");
  mkdirSync(join(extract, "out"), { recursive: true });
  mkdirSync(set, { recursive: true });
  cpSync("mappings/tradepost-csv/price-rule.yaml", join(set, "price-rule.yaml"));
  const settings = settingsOf(tradepost.merchant, tradepost.folder);
  const company = settings.companies.HARROW;
  const connections = {
    ...company.connections,
    extract: { connector: "csv", mappings: "extract", settings: { folder: extract } },
  };
  return tradepost.settings(
    name,
    stringify({
      ...settings,
      mappingFolders: [join(tradepost.folder, "sets")],
      companies: { HARROW: { ...company, connections, ...(owners && { owners }) } },
    }),
  );
}

describe("each record type has one owner", () => {
  it("a second maker without an owner is a settings error that names both, with their lines", async () => {
    const file = settingsWith("unowned.yaml");
    const check = await tradepost.run(["check", "--settings", file]);
    expect(check.exit).toBe(2);
    const told = check.out.slice(check.out.indexOf("✗ owners"));
    expect(told).toMatch(/unowned\.yaml:\d+/);
    expect(told).toContain(
      '"extract", which makes price-rule for connection "extract" as connection "erp" does',
    );
    expect(told).toContain(
      '"tradepost-csv", which makes price-rule for connection "erp" as connection "extract" does',
    );
    const status = await tradepost.run(["status", "--settings", file]);
    expect(status.exit).toBe(2);
    expect(status.err).toContain("owners: { price-rule: erp }");
  });

  it("with an owner named the other's mapping is left out, which check and status say", async () => {
    const file = settingsWith("owned.yaml", { "price-rule": "erp" });
    const check = await tradepost.run(["check", "--settings", file]);
    expect(check.exit).toBe(0);
    const said = "price-rule.yaml is left out of connection extract: erp keeps price-rule";
    expect(check.out).toContain(said);
    const status = await tradepost.run(["status", "--settings", file]);
    expect(status.out).toContain(said);
    const sync = await tradepost.run(["sync", "--connection", "extract", "--settings", file]);
    expect(sync.out).toContain("Nothing waited");
  });

  it("an owner that makes no such record is told, with the ones that do", async () => {
    const file = settingsWith("wrong.yaml", { customer: "extract", "price-rul": "erp" });
    const { exit, out } = await tradepost.run(["check", "--settings", file]);
    expect(exit).toBe(2);
    expect(out).toContain('connection "extract", whose mappings make no customer');
    expect(out).toContain("one of erp");
    expect(out).toContain('the record "price-rul"');
  });
});
