import { describe, expect, it } from "vitest";
import { DOORS, EXCEPTIONS, judge, readSources, sentence } from "../support/architecture.ts";
import type { RuleName } from "../support/architecture.ts";
import { MAY_IMPORT } from "../support/architecture-imports.ts";
import { scan } from "../support/tokens.ts";
import packageJson from "../../package.json" with { type: "json" };

const root = new URL("../..", import.meta.url).pathname;

/** Judges files that exist only here; the text of each stands under its path. */
function planted(files: Readonly<Record<string, string>>): readonly string[] {
  return judge(Object.entries(files).map(([path, text]) => ({ path, text }))).map(sentence);
}

describe("the code as it stands", () => {
  it("keeps every rule of the architecture", () => {
    expect(judge(readSources(root), EXCEPTIONS).map(sentence)).toEqual([]);
  });

  it("has the doors that package.json declares, and no other", () => {
    const declared = Object.fromEntries(
      Object.entries(packageJson.imports).map(([name, path]) => [name, path.replace("./", "")]),
    );
    expect(declared).toEqual(DOORS);
  });

  it("has an import table without rings", () => {
    const settled = new Set<string>();
    const left = new Set(Object.keys(MAY_IMPORT));
    for (let before = -1; before !== left.size;) {
      before = left.size;
      for (const module of left) {
        const needs = (MAY_IMPORT[module] ?? "").split(" ").filter((name) => name !== "");
        if (!needs.every((name) => settled.has(name))) continue;
        settled.add(module);
        left.delete(module);
      }
    }
    expect([...left]).toEqual([]);
  });
});

describe("planted violations are found", () => {
  it("when a module imports one that its row does not name", () => {
    expect(planted({ "src/sales/post.ts": `\nimport { queue } from "../jobs/index.ts";` }))
      .toMatchInlineSnapshot(`
        [
          "src/sales/post.ts:2: import-table: sales imports jobs ("../jobs/index.ts"), and may import only: model, definition, store, orders. Pass it in as a parameter, or move the code to a module that may know both.",
        ]
      `);
  });

  it("when only a type is imported, since it binds the modules all the same", () => {
    expect(planted({ "src/model/a.ts": `export type { Store } from "../store/index.ts";` }))
      .toMatchInlineSnapshot(`
        [
          "src/model/a.ts:1: import-table: model imports store ("../store/index.ts"), and may import only: nothing. Pass it in as a parameter, or move the code to a module that may know both.",
        ]
      `);
  });

  it("when a module's inside is reached past its door", () => {
    expect(planted({ "src/orders/check.ts": `import { book } from "../pricing/book.ts";` }))
      .toMatchInlineSnapshot(`
        [
          "src/orders/check.ts:1: door: "../pricing/book.ts" reaches past the door of pricing to src/pricing/book.ts. Import from the index.ts of pricing; if it does not export this, ask whether it should.",
        ]
      `);
  });

  it("when a module reaches another module's engine, and not when its own", () => {
    const text = `import { resolve } from "../pricing/engine/index.ts";`;
    expect(planted({ "src/pricing/book.ts": text.replace("../pricing", ".") })).toEqual([]);
    expect(planted({ "src/orders/check.ts": text })).toMatchInlineSnapshot(`
      [
        "src/orders/check.ts:1: import-table: orders imports pricing/engine ("../pricing/engine/index.ts"), and may import only: model, connector, mapping, store, jobs, connections, notify, pricing. Pass it in as a parameter, or move the code to a module that may know both.",
      ]
    `);
  });

  it("when an integration test, the demo or a fault run reaches past a door", () => {
    const text = `import { book } from "../../src/pricing/book.ts";`;
    expect(planted({ "test/unit/book.test.ts": text })).toEqual([]);
    expect(
      planted({
        "test/integration/a.test.ts": text,
        "deploy/demo/a.ts": text,
        "test/fault/a.ts": text,
      }),
    ).toHaveLength(3);
  });

  it("when a folder of src is not in the table", () => {
    expect(planted({ "src/warehouse/index.ts": "" })).toMatchInlineSnapshot(`
      [
        "src/warehouse/index.ts:1: unknown-module: module "warehouse" is not in the import table. Put it into a module of the table, or add a row to MAY_IMPORT in test/support/architecture-imports.ts.",
      ]
    `);
  });

  it("when modules import each other in a ring", () => {
    expect(
      planted({
        "src/store/a.ts": `import { b } from "../jobs/index.ts";`,
        "src/jobs/b.ts": `import { a } from "../store/index.ts";`,
      }).filter((line) => line.includes("module-cycle")),
    ).toMatchInlineSnapshot(`
      [
        "src/store/a.ts:1: module-cycle: modules import each other in a ring: store → jobs → store. Cut the ring: the lower module takes what it needs as a parameter.",
      ]
    `);
  });

  it("when settings are imported anywhere but in main and the commands", () => {
    const text = `import { readConfig } from "../config.ts";`;
    expect(planted({ "src/cli/serve.ts": text })).toEqual([]);
    expect(planted({ "src/http/app.ts": text })).toMatchInlineSnapshot(`
      [
        "src/http/app.ts:1: import-table: http imports config ("../config.ts"), and may import only: model, definition, connector, mapping, store, jobs, access, notify, connections, sync, pricing, orders, sales, shop, parity, incentives. Pass it in as a parameter, or move the code to a module that may know both.",
      ]
    `);
  });

  it("when product code imports from outside src", () => {
    expect(planted({ "src/sync/a.ts": `import { seed } from "../../deploy/demo/seed.ts";` }))
      .toMatchInlineSnapshot(`
        [
          "src/sync/a.ts:1: import-table: sync imports "../../deploy/demo/seed.ts" from outside src (deploy/demo/seed.ts). Product code imports only src and npm; move what it needs into src.",
        ]
      `);
  });

  it.each([
    [`import { readFile } from "node:fs/promises";`, `imports "node:fs/promises"`],
    [`import { createServer } from "node:net";`, `imports "node:net"`],
    [`import { spawn } from "node:child_process";`, `imports "node:child_process"`],
    [`import pg from "pg";`, `imports "pg"`],
    [`import { PrismaPg } from "@prisma/adapter-pg";`, `imports "@prisma/adapter-pg"`],
    [`import { randomUUID } from "node:crypto";`, `imports "node:crypto"`],
    [`import * as crypto from "node:crypto";`, `imports "node:crypto"`],
    [`const at = Date.now();`, `says Date.now`],
    [`const at = new Date();`, `says new Date()`],
    [`const chance = Math.random();`, `says Math.random`],
    [`const today = Temporal.Now.plainDateISO();`, `says Temporal.Now`],
    [`const since = performance.now();`, `says performance.now`],
    [`const id = crypto.randomUUIDv7();`, `says crypto.randomUUIDv7`],
    [`const page = await fetch(url);`, `says fetch(`],
    [`setTimeout(later, 1);`, `says setTimeout(`],
    [`process.stdout.write("x");`, `says process.`],
    ["const text = `${`${Date.now()}`}`;", `says Date.now`],
  ])("when pure code says: %s", (text, found) => {
    for (const path of ["src/mapping/a.ts", "src/pricing/engine/a.ts", "src/model/a.ts"])
      expect(planted({ [path]: text }).join()).toContain(found);
    expect(planted({ "src/sync/a.ts": text }).join()).not.toContain("pure");
  });

  it("but not when pure code hashes, or speaks of such things in text and comments", () => {
    expect(
      planted({
        "src/mapping/a.ts": [
          `import { createHash } from "node:crypto";`,
          `import type { Stats } from "node:fs";`,
          `// Math.random() is not used here, see new Date().`,
          "const help = `never Date.now() in a mapping`;",
          `const other = "Temporal.Now";`,
          `const day = new Date(text);`,
          `const found = repository.fetch(key);`,
        ].join("\n"),
      }),
    ).toEqual([]);
  });

  const connectors = {
    "connectors/csv/index.ts": "",
    "connectors/sage-200/index.ts": "",
  };

  it("when src imports a connector", () => {
    expect(planted({ ...connectors, "src/sync/a.ts": `import "../../connectors/csv/index.ts";` }))
      .toMatchInlineSnapshot(`
        [
          "src/sync/a.ts:1: connector-name: sync imports "../../connectors/csv/index.ts", a connector's own code. Load connectors by name through the loader in src/connector.",
          "src/sync/a.ts:1: connector-name: names the connector "csv". A connector is known by its settings only; say what it must be able to do.",
        ]
      `);
  });

  it("when src names a connector as a string, or a rare name anywhere at all", () => {
    expect(
      planted({
        ...connectors,
        "src/sync/a.ts": [
          `if (connection.connector === "csv") slow();`,
          `// Sage 200 sends these twice.`,
          `const sage200Rows = read();`,
          `const where = "connectors/csv/README.md";`,
        ].join("\n"),
      }),
    ).toMatchInlineSnapshot(`
      [
        "src/sync/a.ts:1: connector-name: names the connector "csv". A connector is known by its settings only; say what it must be able to do.",
        "src/sync/a.ts:4: connector-name: names the connector "csv". A connector is known by its settings only; say what it must be able to do.",
        "src/sync/a.ts:2: connector-name: names the connector "sage-200". A connector is known by its settings only; say what it must be able to do.",
      ]
    `);
  });

  it("but not when src speaks of CSV as a format", () => {
    expect(
      planted({
        ...connectors,
        "src/sales/a.ts": `// Writes csv rows.\nconst csv = table; const type = "text/csv";`,
      }),
    ).toEqual([]);
  });

  it("when an import's address is computed", () => {
    expect(planted({ "src/sync/a.ts": "const loaded = await import(`../${name}.ts`);" }))
      .toMatchInlineSnapshot(`
        [
          "src/sync/a.ts:1: computed-import: an import whose address is computed, which no rule can follow. Import by a literal address, or load a connector by name through the loader.",
        ]
      `);
  });

  it("when a connector imports more than its doors, or reaches for the world", () => {
    expect(
      planted({
        "connectors/csv/index.ts": [
          `import { defineConnector } from "#connector";`,
          `import { splitter } from "#connector/files";`,
          `import { helper } from "./files.ts";`,
          `import { store } from "../../src/store/index.ts";`,
          `import { sftp } from "../sftp/index.ts";`,
          `const now = Date.now();`,
        ].join("\n"),
      }),
    ).toMatchInlineSnapshot(`
      [
        "connectors/csv/index.ts:4: import-table: connector csv imports "../../src/store/index.ts" (src/store/index.ts). A connector imports the #connector doors, npm and its own files only.",
        "connectors/csv/index.ts:5: import-table: connector csv imports "../sftp/index.ts" (connectors/sftp/index.ts). A connector imports the #connector doors, npm and its own files only.",
        "connectors/csv/index.ts:6: connector-world: connector csv says Date.now. Use what the host gives: now(), secret(), signal, log().",
      ]
    `);
  });

  it("when a simulator or the merchant imports anything of the product", () => {
    expect(
      planted({
        "connectors/csv/simulator/index.ts": [
          `import { stringify } from "csv-stringify/sync";`,
          `import type { Merchant } from "../../../deploy/demo/merchant/index.ts";`,
          `import { decimal } from "../../../src/model/index.ts";`,
          `import { connector } from "../index.ts";`,
          `import type { Host } from "#connector";`,
        ].join("\n"),
        "deploy/demo/merchant/index.ts": `import { decimal } from "../../../src/model/index.ts";`,
      }),
    ).toMatchInlineSnapshot(`
      [
        "connectors/csv/simulator/index.ts:3: simulator: the simulator of csv imports "../../../src/model/index.ts" (src/model/index.ts). A simulator keeps its own books: Node, npm and the demo's merchant only, nothing of src or of the connector it plays against.",
        "connectors/csv/simulator/index.ts:4: simulator: the simulator of csv imports "../index.ts" (connectors/csv/index.ts). A simulator keeps its own books: Node, npm and the demo's merchant only, nothing of src or of the connector it plays against.",
        "connectors/csv/simulator/index.ts:5: simulator: the simulator of csv imports "#connector" (src/connector/contract.ts). A simulator keeps its own books: Node, npm and the demo's merchant only, nothing of src or of the connector it plays against.",
        "deploy/demo/merchant/index.ts:1: simulator: the demo's merchant imports "../../../src/model/index.ts" (src/model/index.ts). The merchant's generator imports Node, npm and its own files only.",
      ]
    `);
  });

  it("when the demo imports a connector's code instead of loading it by name", () => {
    const text = `import { start } from "../../connectors/csv/simulator/index.ts";`;
    expect(planted({ "deploy/demo/main.ts": text })).toEqual([]);
    expect(planted({ "deploy/demo/main.ts": text.replace("simulator/", "") }))
      .toMatchInlineSnapshot(`
        [
          "deploy/demo/main.ts:1: connector-name: the demo imports "../../connectors/csv/index.ts", a connector's own code. Load the connector by name; only its simulator may be imported.",
        ]
      `);
  });

  it.each([
    `const url = process.env["DATABASE_URL"];`,
    `const url = process.env.DATABASE_URL;`,
    `const { env } = process;`,
    `import { env } from "node:process";`,
  ])("when anything but the settings reads the environment: %s", (text) => {
    const rules = (path: string) => planted({ [path]: text }).join();
    expect(rules("src/store/open.ts")).toContain("reads process.env");
    expect(rules("deploy/demo/main.ts")).toContain("reads process.env");
    expect(rules("connectors/csv/index.ts")).toContain("reads process.env");
    expect(rules("src/config.ts")).toBe("");
    expect(rules("test/support/database.ts")).toBe("");
  });

  it("when a test mocks our own code", () => {
    expect(planted({ "test/unit/a.test.ts": `vi.mock("../../src/store/index.ts");` }))
      .toMatchInlineSnapshot(`
        [
          "test/unit/a.test.ts:1: no-mocks: says vi.mock. Use the real module, a real database and a simulator that misbehaves.",
        ]
      `);
  });

  it("when a line is too wide, a long message excepted", () => {
    const wide = `// ${"wide ".repeat(20)}`;
    const message = `fail("${"so long ".repeat(20)}");`;
    expect(planted({ "src/sync/a.ts": [wide, message].join("\n") })).toMatchInlineSnapshot(`
      [
        "src/sync/a.ts:1: columns: 103 columns, and 100 fit. Break the line.",
      ]
    `);
  });

  it("when a folder or file has a name that says nothing", () => {
    expect(planted({ "src/sync/utils/a.ts": "", "src/sync/types.ts": "" })).toHaveLength(2);
  });

  it("when an exception is no longer needed, so that the list only shrinks", () => {
    const source = { path: "src/sync/a.ts", text: `const url = process.env["A"];` };
    const exception = { rule: "environment" as RuleName, file: source.path, because: "a reason" };
    expect(judge([source], [exception])).toEqual([]);
    expect(judge([{ ...source, text: "" }], [exception]).map(sentence)).toMatchInlineSnapshot(`
      [
        "src/sync/a.ts:1: unused-exception: nothing in it breaks "environment" any more. Take the exception out of EXCEPTIONS in test/support/architecture.ts.",
      ]
    `);
  });
});

describe("the scanner under the rules", () => {
  it("reads on after regular expressions, nested templates and division", () => {
    const text = [
      "const quote = /[\"'`]/g.test(a) ? a / b / c : `x${`y${1 / 2}`}{`;",
      `import { b } from "x";`,
    ].join("\n");
    expect(scan(text).tokens.at(-2)).toEqual({ kind: "string", text: "x", line: 2 });
  });
});
