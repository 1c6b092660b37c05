import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";

// The lint rules that carry the house style, each seen to fail: files planted in a folder of their
// own, under the project's lint settings.
const root = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "tradepost-lint-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

/** The rules broken in each of the files. */
function lint(files: Readonly<Record<string, string>>): Readonly<Record<string, string[]>> {
  copyFileSync(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
  copyFileSync(join(root, "tsconfig.json"), join(folder, "tsconfig.json"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }
  const oxlint = join(root, "node_modules/oxlint/bin/oxlint");
  const done = spawnSync(
    process.execPath,
    [oxlint, "--config", ".oxlintrc.json", "--type-aware", "--format", "json", "."],
    { cwd: folder, encoding: "utf8" },
  );
  const { diagnostics } = JSON.parse(done.stdout) as Report;
  const rules = (path: string) =>
    diagnostics.filter(({ filename }) => filename === path).map(({ code }) => code);
  return Object.fromEntries(
    Object.keys(files).map((path) => [path, [...new Set(rules(path))].toSorted()]),
  );
}

const MARK = ["TO", "DO"].join("");
const SWITCH = `export function f(kind: "a" | "b"): number {
  switch (kind) {
    case "a":
      return 1;
    default:
      return kind satisfies never;
  }
}`;

const PLANTED: readonly [what: string, rule: string, path: string, text: string][] = [
  [
    "a promise is left alone",
    "typescript(no-floating-promises)",
    "src/a.ts",
    `Promise.resolve(1);`,
  ],
  ["any is a type", "typescript(no-explicit-any)", "src/b.ts", `export let a: any;`],
  [
    "a value is promised by !",
    "typescript(no-non-null-assertion)",
    "src/c.ts",
    `export const f = (a?: string) => a!.length;`,
  ],
  ["a case is missing", "typescript(switch-exhaustiveness-check)", "src/d.ts", SWITCH],
  ["a default is exported", "import(no-default-export)", "src/e.ts", `export default 1;`],
  ["work is put off", "eslint(no-warning-comments)", "src/f.ts", `// ${MARK}: the rest`],
  [
    "the compiler is silenced",
    "typescript(ban-ts-comment)",
    "src/g.ts",
    `// ${["@ts", "ignore"].join("-")}\nexport const a = 1;`,
  ],
  [
    "a function is over 70 lines",
    "eslint(max-lines-per-function)",
    "src/h.ts",
    `export function f(): void {\n${"  f();\n".repeat(70)}}`,
  ],
  [
    "a file is over 450 lines",
    "eslint(max-lines)",
    "src/i.ts",
    `export const a = 1;\n${"a.toFixed();\n".repeat(450)}`,
  ],
  [
    "files import each other",
    "import(no-cycle)",
    "src/j.ts",
    `import { b } from "./k.ts";\nexport const a = () => b;`,
  ],
  ["text is thrown", "typescript(only-throw-error)", "src/l.ts", `throw "text";`],
  [
    "a test is left out",
    "vitest(no-disabled-tests)",
    "test/m.test.ts",
    `import { it } from "vitest";\nit.skip("a", () => {});`,
  ],
  [
    "a test is alone",
    "vitest(no-focused-tests)",
    "test/n.test.ts",
    `import { it } from "vitest";\nit.only("a", () => {});`,
  ],
];

it("finds each planted violation, and nothing in a file without one", () => {
  const broken = lint({
    ...Object.fromEntries(PLANTED.map(([, , path, text]) => [path, text])),
    "src/k.ts": `import { a } from "./j.ts";\nexport const b = () => a;`,
    "src/well.ts": `export const half = (whole: number): number => whole / 2;`,
  });
  for (const [what, rule, path] of PLANTED) expect(broken[path], what).toContain(rule);
  expect(broken["src/well.ts"]).toEqual([]);
});
