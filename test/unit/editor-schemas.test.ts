import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { FILE_SCHEMAS } from "../../src/cli/schema.ts";
import { listConnectors, loadConnector } from "../../src/connector/index.ts";

const ROOT = join(import.meta.dirname, "..", "..");

type Json = Readonly<Record<string, unknown>>;
const at = (value: unknown, ...path: readonly string[]): Json =>
  path.reduce((found, step) => found[step] as Json, value as Json);

describe("the schema of the settings", () => {
  const connection = async () =>
    at(
      await FILE_SCHEMAS["settings"]?.(),
      "properties",
      "companies",
      "additionalProperties",
      "properties",
      "connections",
      "additionalProperties",
    );

  test("names the connectors that are here, and each one's own settings", async () => {
    const schema = await connection();
    const names = await listConnectors();
    expect(at(schema, "properties", "connector")["enum"]).toEqual(names);
    for (const [index, name] of names.entries()) {
      const settings = at(schema, "allOf", String(index), "then", "properties", "settings");
      const folder = (await loadConnector(name)).settings.safeParse({});
      expect(folder.success && settings["required"] !== undefined).toBe(false);
      expect(Object.keys(at(settings, "properties")).length).toBeGreaterThan(0);
    }
  });

  test("knows of a connection what the settings' reader knows", async () => {
    const { properties, additionalProperties } = await connection();
    expect(Object.keys(properties as Json)).toEqual(
      expect.arrayContaining(["connector", "mode", "mappings", "settings", "schedules", "streams"]),
    );
    expect(additionalProperties).toBe(false);
  });
});

test("every schema refuses words that are not known, as the readers do", async () => {
  for (const [name, make] of Object.entries(FILE_SCHEMAS)) {
    const text = JSON.stringify(await make());
    expect(text, name).toContain('"additionalProperties":false');
  }
});

test("every YAML file that says where its schema is says it rightly", async () => {
  const told: string[] = [];
  for await (const file of glob("{mappings,deploy,connectors}/**/*.yaml", { cwd: ROOT })) {
    const hint = /^# yaml-language-server: \$schema=(.+)$/m.exec(
      readFileSync(join(ROOT, file), "utf8"),
    );
    if (hint?.[1] === undefined) continue;
    told.push(file);
    expect(existsSync(join(ROOT, dirname(file), hint[1])), file).toBe(true);
  }
  expect(told.length).toBeGreaterThan(50);
});
