import { expect, test } from "vitest";
import { tablesText } from "../../src/cli/shadow.ts";

test("a shadowed order is shown as its tables, without what is empty in them", () => {
  const columns = ["line", "code", "site"];
  const lines = [
    ["1", "BRICK", ""],
    ["2", "SAND", ""],
  ];
  const tables = [
    { name: "lines", columns, rows: lines },
    { name: "header", columns: ["webOrder", "branch", "net"], rows: [["W-1", "", "52.00"]] },
    { name: "charges", columns: ["charge"], rows: [] },
  ];
  expect(tablesText({ key: "W-1", tables })).toMatchInlineSnapshot(`
    "lines
    line  code
    ────  ─────
    1     BRICK
    2     SAND

    header
    field     value
    ────────  ─────
    webOrder  W-1
    net       52.00

    charges: no rows"
  `);
});
