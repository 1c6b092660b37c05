import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkConnector } from "../../src/connector/conformance/index.ts";
import type { Card } from "../../src/connector/conformance/index.ts";
import { newConnector } from "../../src/connector/conformance/scaffold.ts";
import {
  connectorFile,
  listConnectors,
  loadConnector,
  loadRig,
  type Connector,
} from "../../src/connector/index.ts";
import { jsonSchemaOf } from "../../src/definition/index.ts";
import { checkExamples, compileMapping } from "../../src/mapping/index.ts";
import { connectorPage } from "../support/connector-page.ts";
import { CONNECTORS } from "../support/hostile-erp/index.ts";
import { rigOf as hostileRigOf } from "../support/hostile-erp/rig.ts";
import { connector as stockroom } from "../support/stockroom/index.ts";
import { rig as stockroomRig } from "../support/stockroom/simulator/conformance.ts";

const root = new URL("../..", import.meta.url).pathname;

/** What is still to do or wrong, one line each. */
function open(card: Card): string[] {
  return card.checks
    .filter(({ state }) => state === "failed" || state === "untried")
    .map(({ id, state, findings, why }) => `${id} ${state}: ${why ?? findings.join("; ")}`);
}

describe.each(await listConnectors())("the connector %s", (name) => {
  test("keeps everything that it promises, with a far side that misbehaves", async () => {
    const rig = await loadRig(name);
    expect(rig, `connectors/${name}/simulator/conformance.ts exports no rig`).not.toBeNull();
    const subject = { connector: await loadConnector(name), file: await connectorFile(name) };
    const card = await checkConnector(subject, { rig });
    expect(open(card)).toEqual([]);
    expect(card.fine).toBe(true);
  });

  test("is checked without a far side too, as in production", async () => {
    const subject = { connector: await loadConnector(name), file: await connectorFile(name) };
    const card = await checkConnector(subject);
    expect(card.checks.filter(({ state }) => state === "failed")).toEqual([]);
    expect(card.checks.filter(({ state }) => state === "passed").length).toBeGreaterThan(5);
    expect(card.fine).toBe(true);
  });
});

describe.each(["native-key", "searchable"] as const)("an ERP that is %s", (erpClass) => {
  test("has its accounts opened and its returns entered as they must be", async () => {
    const hostile = await loadConnector("hostile", [CONNECTORS]);
    const subject = { connector: hostile, file: null };
    const card = await checkConnector(subject, { rig: hostileRigOf(erpClass) });
    expect(open(card)).toEqual([]);
    expect(card.capabilities).toEqual(["orders", "accounts", "returns"]);
    const tried = card.checks.filter(({ id }) => /^(?:account|return)-/.test(id));
    expect(tried.length).toBeGreaterThan(14);
    expect(tried.filter(({ state }) => state !== "passed")).toEqual([]);
  });
});

describe("the page for authors", () => {
  test("shows code and checks as they are", async () => {
    const [page] = connectorPage;
    // `npm run generate` writes it again.
    expect(readFileSync(join(root, "connectors/README.md"), "utf8")).toBe(await page?.content());
  });

  test("leaves no block of code open, and nothing out", () => {
    const page = readFileSync(join(root, "connectors/README.md"), "utf8");
    const fences = page.split("\n").filter((line) => line.startsWith("```"));
    expect(fences.map((line, at) => (line === "```") === (at % 2 === 1))).not.toContain(false);
    expect(page.match(/^##+ .*$/gm)).toMatchInlineSnapshot(`
      [
        "## What a connector does, and what its host does",
        "## The contract",
        "### A reading",
        "### Cursors",
        "### Faults",
        "## The kit",
        "### HTTP: \`#connector/http\`",
        "### OAuth: \`#connector/oauth\`",
        "### Files: \`#connector/files\` and \`#connector/sftp\`",
        "## A complete example",
        "### Its simulator",
        "### Its rig",
        "### A far side that follows a script",
        "## A connector of your own, outside this checkout",
        "## The mapping beside it",
        "## Waivers",
        "## The checks",
      ]
    `);
  });

  test("has an example that passes every check, nothing waived", async () => {
    const file = join(root, "test/support/stockroom/index.ts");
    const card = await checkConnector({ connector: stockroom, file }, { rig: stockroomRig });
    expect(open(card)).toEqual([]);
    expect(card.checks.filter(({ state }) => state === "waived")).toEqual([]);
  });

  test("has a mapping whose examples hold", () => {
    const [, mapping, examples] = blocks("yaml");
    const compiled = compileMapping({ file: "customer.yaml", text: mapping ?? "" });
    expect(
      checkExamples(compiled, { file: "customer.examples.yaml", text: examples ?? "" }),
    ).toEqual([]);
  });
});

function blocks(language: string): string[] {
  const page = readFileSync(join(root, "connectors/README.md"), "utf8");
  return [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );
}

describe("on the command line", () => {
  const run = (...args: string[]) => {
    const launch = [join(root, "src/launch.js"), join(root, "src/cli.ts"), "connector", ...args];
    return spawnSync(process.execPath, launch, { cwd: root, encoding: "utf8" });
  };

  test("connectors are listed, and each is checked without settings or database", () => {
    expect(run("list").stdout).toMatch(/^csv +A folder of CSV files/m);
    const { stdout, status } = run("check", "csv", "--no-far-side", "--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ connector: "csv", fine: true, capabilities: null });
  });

  test("a name that is none or is taken is refused with a sentence, and nothing is written", () => {
    const wrong = run("new", "Acme Ledger");
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      '"Acme Ledger" is no name of a connector. Use small letters, digits and dashes, at most 40, such as your-system.\n',
    ]);
    expect(run("new", "csv")).toMatchObject({ status: 2, stdout: "" });
    expect(run("check", "cvs").stderr).toContain('Did you mean "csv"?');
  });
});

describe("connector new", () => {
  // Inside the checkout, so that the doors are found; not among the connectors, where others look.
  let folder = "";
  beforeAll(() => {
    mkdirSync(join(root, ".tradepost"), { recursive: true });
    folder = mkdtempSync(join(root, ".tradepost/scaffold-"));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("writes a folder that is typed, and whose check says what is to do and nothing is wrong", async () => {
    const files = await newConnector("acme-ledger", folder);
    expect(files).toEqual([
      "connectors/acme-ledger/index.ts",
      "connectors/acme-ledger/README.md",
      "connectors/acme-ledger/settings.schema.json",
      "connectors/acme-ledger/simulator/index.ts",
      "connectors/acme-ledger/simulator/conformance.ts",
    ]);
    const config = { extends: join(root, "tsconfig.json"), include: ["acme-ledger"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const typed = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
    expect(typed.stdout + typed.stderr).toBe("");
    const { connector } = (await import(join(folder, "acme-ledger/index.ts"))) as {
      readonly connector: Connector;
    };
    const { rig } = await import(join(folder, "acme-ledger/simulator/conformance.ts"));
    // As `npm run generate` writes it.
    const schema = `${JSON.stringify(jsonSchemaOf(connector.settings), null, 2)}\n`;
    const path = join(folder, "acme-ledger/settings.schema.json");
    expect(readFileSync(path, "utf8")).toBe(schema);
    const file = join(folder, "acme-ledger/index.ts");
    const card = await checkConnector({ connector, file }, { rig });
    expect(card.fine).toBe(false);
    expect(open(card)).toMatchSnapshot();
  });

  test.for(["a", "acme-ledger", "a".repeat(40)])(
    "writes code as the check wants it, whatever the length of the name: %s",
    async (name) => {
      const own = join(folder, "written");
      mkdirSync(own);
      await newConnector(name, own);
      const args = [join(root, "node_modules/oxfmt/bin/oxfmt"), "--stdin-filepath", "x.ts"];
      const config = ["--config", join(root, ".oxfmtrc.json")];
      const files = readdirSync(own, { recursive: true, encoding: "utf8" });
      for (const file of files.filter((path) => path.endsWith(".ts"))) {
        const input = readFileSync(join(own, file), "utf8");
        const formatted = spawnSync(process.execPath, [...args, ...config], { input });
        expect(formatted.stdout.toString()).toBe(input);
        const comments = input.split("\n").filter((line) => /^\s*(?:\/?\*|\/\/)/.test(line));
        expect(comments.filter((line) => line.length > 100)).toEqual([]);
      }
      rmSync(own, { recursive: true });
    },
  );

  test("overwrites nothing", async () => {
    await newConnector("twice", folder);
    writeFileSync(join(folder, "twice/index.ts"), "mine");
    await expect(newConnector("twice", folder)).rejects.toThrow("is there already");
    expect(readFileSync(join(folder, "twice/index.ts"), "utf8")).toBe("mine");
  });

  test.for(["", "Acme", "acme ledger", "../acme", "acme/ledger", "1st", "-a", "a".repeat(41)])(
    "refuses the name %j",
    async (name) => {
      await expect(newConnector(name, folder)).rejects.toThrow("is no name of a connector");
    },
  );
});
