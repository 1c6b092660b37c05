import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { openAccess } from "../../src/access/index.ts";
import { readSettings } from "../../src/config.ts";
import { applyImport, makeBundle, openTradepost, planImport, readBundle } from "../../src/main.ts";
import type { Store } from "../../src/store/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";

const first = useDatabase();
const second = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-bundle-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const HERE = join(folder, "here");
const THERE = join(folder, "there", "tradepost.yaml");
const CODE = "HARROW";
const PLANTED = `planted-${randomUUID()}`;

/** One's own mappings outside the settings' folder, one's own policy and a plan inside. */
function install(): string {
  cpSync("mappings/tradepost-csv", join(folder, "house", "own-csv"), { recursive: true });
  cpSync("mappings/generic", join(HERE, "policies", "own-prices"), { recursive: true });
  cpSync("deploy/demo/plans/flat.yaml", join(HERE, "plans", "flat.yaml"));
  const settings = {
    mappingFolders: [join(folder, "house"), "policies"],
    companies: {
      [CODE]: {
        name: "Harrow",
        pricing: { policy: "own-prices" },
        alarms: { webhook: { urlSecret: "slack" } },
        pay: { plans: { flat: "plans/flat.yaml" } },
        connections: {
          erp: {
            connector: "csv",
            mappings: "own-csv",
            settings: { folder: "erp" },
            schedules: { nightly: { cron: "15 2 * * *" }, hourly: { cron: "0 * * * *" } },
          },
        },
      },
    },
  };
  const file = join(HERE, "tradepost.yaml");
  // Written in one line, as well: a secret is named wherever it stands.
  const keys = "    tokens: { keys: [{ id: k1, secret: prices_key }] }\n";
  const text = stringify(settings).replace(/( +)policy: own-prices\n/, (line, indent: string) => {
    return `${line}${indent}${keys.trimStart()}`;
  });
  writeFileSync(file, `# ours\n${text}`);
  return file;
}

function tradepost(store: Store, file: string, ...words: string[]) {
  const said = spawnSync(
    process.execPath,
    ["src/launch.js", "src/cli.ts", "--settings", file, ...words],
    {
      encoding: "utf8",
      env: { ...process.env, DATABASE_URL: store.url, TRADEPOST_SECRET_SLACK: PLANTED },
    },
  );
  return { exit: said.status, said: `${said.stdout}${said.stderr}` };
}

async function plant(store: Store, file: string): Promise<readonly string[]> {
  const access = openAccess({ store, now: () => Temporal.Now.instant() });
  const asked = { company: CODE, name: "Shop", scopes: ["orders" as const], test: false };
  const { secret } = await access.createKey({ ...asked, createdBy: "test" });
  const sealed = Buffer.from(`${PLANTED}-token`);
  await store.affect(
    `insert into connection_token (company, connection, name, version, key_id, nonce, sealed, changed_at)
     values ($1, 'erp', 'refresh', 1, 'k', $2, $3, $4)`,
    [CODE, sealed, sealed, Temporal.Now.instant()],
  );
  writeFileSync(join(HERE, "tokens.key"), `${PLANTED}-key`);
  const settings = { ...readSettings({ file }), databaseUrl: store.url };
  await using opened = await openTradepost(settings, { log: () => undefined });
  const { schedules } = await opened.company(CODE);
  await schedules.pause({ connection: "erp", schedule: "nightly" }, "J Ross");
  const password = new URL(store.url).password;
  return [secret, PLANTED, ...(password === "" ? [] : [password]), sealed.toString("base64")];
}

/** What a shop and a scheduler would see of it. */
async function behaviour(store: Store, file: string) {
  await pull(store, CODE, "customer", [{ account: "A1", name: "Ashby" }]);
  await pull(store, CODE, "product", [{ product: "BRICK", name: "Brick" }]);
  const rule = { rule: "R1", customerScope: "everyone", productScope: "product" } as const;
  await pull(store, CODE, "price-rule", [
    { ...rule, productCode: "BRICK", kind: "fixed", value: "4.20" },
  ]);
  const settings = { ...readSettings({ file }), databaseUrl: store.url };
  await using opened = await openTradepost(settings, { log: () => undefined });
  const company = await opened.company(CODE);
  await company.pricing.publish();
  const lines = [{ product: "BRICK", quantity: "3" }];
  const [price] = company.pricing.price({ account: "A1", lines });
  return {
    price: price !== undefined && "unitPrice" in price ? [price.unitPrice, price.net] : null,
    streams: company.streams,
    schedules: (await company.schedules.list()).map(({ name, cron, paused }) => [
      name,
      cron,
      paused.map(({ scope, by }) => [scope, by]),
    ]),
    pay: Object.keys(company.settings.pay.plans),
  };
}

test("settings export and import make the same installation elsewhere, and never carry a secret", async () => {
  const file = install();
  const secrets = await plant(first.store, file);
  const bundle = join(folder, "bundle.yaml");
  expect(tradepost(first.store, file, "settings", "export", bundle)).toMatchObject({ exit: 0 });
  const text = readFileSync(bundle, "utf8");
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).toContain("# ours");
  expect(parse(text)).toMatchObject({ secrets: ["prices_key", "slack"], version: 1 });

  const { files } = await planImport(readBundle(bundle, text), THERE);
  expect(files).toContainEqual({ path: "plans/flat.yaml", change: "new" });
  expect(existsSync(THERE)).toBe(false);
  const imported = tradepost(second.store, THERE, "settings", "import", bundle);
  expect(imported, imported.said).toMatchObject({ exit: 0 });
  const pauses = { [CODE]: [{ scope: "erp/nightly", by: "J Ross" }] };
  const again = await makeBundle({ settings: readSettings({ file: THERE }), pauses });
  expect(again).toEqual(parse(text));
  const [here, there] = [await behaviour(first.store, file), await behaviour(second.store, THERE)];
  expect(here.price).toEqual(["4.2000", "12.60"]);
  expect(there).toEqual(here);
  expect(there.schedules).toContainEqual(["nightly", "15 2 * * *", [["erp/nightly", "J Ross"]]]);
});

test("an import is checked first, replaces nothing unless told to, and never leaves its folder", async () => {
  const whole = readFileSync(join(folder, "bundle.yaml"), "utf8");
  const bundle = readBundle("bundle.yaml", whole);
  const own = bundle.files.find(({ path }) => path.endsWith("own-csv/product.yaml"));
  const mapping = join(folder, "there", own?.path ?? "");
  writeFileSync(mapping, `${readFileSync(mapping, "utf8")}# changed here\n`);
  const plan = await planImport(bundle, THERE);
  expect(plan.files.filter(({ change }) => change !== "same")).toEqual([
    { path: own?.path, change: "changed" },
  ]);
  await expect(applyImport(plan, { replace: false })).rejects.toThrow("Nothing was written.");
  expect(readFileSync(mapping, "utf8")).toContain("# changed here");
  await applyImport(plan, { replace: true });
  expect(readFileSync(mapping, "utf8")).not.toContain("# changed here");

  expect(() => readBundle("b", whole.replace("name: Harrow", "name: Barrow"))).toThrow(
    "is not what its digest says",
  );
  const path = "../../outside.yaml";
  const leaving = stringify({ ...bundle, files: [{ ...bundle.files[0], path }] });
  expect(() => readBundle("b", leaving)).toThrow("is no YAML file below the settings' folder");
  expect(() => readBundle("b", stringify({ ...bundle, version: 99 }))).toThrow("of version 99");
  const broken = { ...bundle, files: bundle.files.filter((each) => each !== own) };
  const elsewhere = join(folder, "elsewhere", "tradepost.yaml");
  const faulty = await planImport(
    { ...broken, files: broken.files.filter((each) => !each.path.startsWith("policies/")) },
    elsewhere,
  ).catch((error: unknown) => error);
  expect(String(faulty)).toMatch(/own-prices|policies/);
  expect(existsSync(resolve(elsewhere))).toBe(false);
});

test("a settings file that holds a secret is not exported", async () => {
  const file = join(HERE, "odd.yaml");
  const text = readFileSync(join(HERE, "tradepost.yaml"), "utf8");
  writeFileSync(file, text.replace("folder: erp", "folder: erp\n          password: hunter2"));
  const refused = await makeBundle({ settings: readSettings({ file }), pauses: {} }).catch(String);
  expect(refused).toMatch(
    /line \d+, companies\.HARROW\.connections\.erp\.settings\.password, holds/,
  );
  expect(refused).not.toContain("hunter2");
});
