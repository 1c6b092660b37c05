import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { runPricing } from "../cases/pricing.ts";
import { readCases } from "../cases/read.ts";

const ours = new URL("../cases/more.json", import.meta.url).pathname;
/** Stands beside a checkout where the cases that all share are kept; an export has none. */
const shared = new URL("../../../shared/cases/pricing.json", import.meta.url).pathname;

/** Cases of the shared sample that cannot be asked; README.md of the cases says why. */
const LEFT_OUT = ["rounding_field-13"];

const folder = mkdtempSync(join(tmpdir(), "tradepost-cases-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("other engines' pricing, said as policies", () => {
  test("every case of our own comes out as worked out by hand", () => {
    expect(runPricing(ours).failures).toEqual([]);
  });

  test.skipIf(!existsSync(shared))(
    `every shared case comes out as stated (${existsSync(shared) ? "found" : "NOT TRIED, no file"}: ${shared})`,
    () => {
      const failed = runPricing(shared).failures.map((line) => line.split(":")[0] ?? "");
      expect(failed).toEqual(LEFT_OUT);
    },
  );

  test("in whatever order the records come", () => {
    expect(runPricing(ours, "reversed").failures).toEqual([]);
  });

  test("no two cases have one id", () => {
    const ids = readCases(ours).cases.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });
});

describe("what is not understood fails, and says so", () => {
  const plain = {
    id: "T1",
    strategy: "date_priority",
    kind: "unit_price",
    rules: [{ id: "r", kind: "fixed", value: 5 }],
    query: { qty: 1 },
    expect: { unit_price: 5 },
  };

  function failuresOf(...cases: readonly object[]): readonly string[] {
    const file = join(folder, "cases.json");
    writeFileSync(file, JSON.stringify({ cases }));
    return runPricing(file).failures;
  }

  test("a case as it should be passes", () => {
    expect(failuresOf(plain)).toEqual([]);
  });

  test("a field that the format does not have, wherever it stands", () => {
    const [rule] = plain.rules;
    expect(
      failuresOf(
        { ...plain, moon: "full" },
        { ...plain, id: "T2", query: { qty: 1, moon: "full" } },
        { ...plain, id: "T3", rules: [{ ...rule, moon: "full" }] },
        { ...plain, id: "T4", expect: { unit_price: 5, moon: "full" } },
      ),
    ).toEqual([
      "T1: field moon is not understood",
      "T2: field query.moon is not understood",
      "T3: field rules.0.moon is not understood",
      "T4: field expect.moon is not understood",
    ]);
  });

  test("a kind, a strategy or a word that is not supported counts as failed", () => {
    expect(
      failuresOf(
        { ...plain, kind: "horoscope" },
        { ...plain, id: "T2", strategy: "haggle" },
        { ...plain, id: "T3", rules: [{ id: "r", kind: "barter", value: 5 }] },
      ),
    ).toEqual([
      "T1: kind horoscope is not supported",
      "T2: strategy haggle is not supported",
      "T3: rule r: kind barter is not understood",
    ]);
  });

  test("a number that differs in its last digit, with both", () => {
    expect(failuresOf({ ...plain, expect: { unit_price: 5.01 } })).toEqual([
      "T1: unit_price: expected 5.01, got 5",
    ]);
  });
});

describe("npm run cases", () => {
  const run = promisify(execFile);
  const cases = (...words: readonly string[]) =>
    run(process.execPath, ["src/launch.js", "test/cases/main.ts", ...words], {
      cwd: new URL("../..", import.meta.url).pathname,
    }).then(
      ({ stdout }) => ({ code: 0, stdout, stderr: "" }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    );

  test("ends with 0 and the count when nothing failed, and with 1 when something did", async () => {
    const file = join(folder, "one.json");
    writeFileSync(
      file,
      JSON.stringify({ cases: [{ id: "X", strategy: "?", kind: "?", expect: {} }] }),
    );
    expect(await cases("pricing", ours)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\d+ passed, 0 failed\n$/),
    });
    expect(await cases("pricing", file)).toMatchObject({
      code: 1,
      stdout: "X: strategy ? is not supported\n0 passed, 1 failed\n",
    });
  });

  test("a file that is not there or is no file of cases ends with 2 and says so", async () => {
    const file = join(folder, "bad.json");
    writeFileSync(file, '{ "cases": 3 }');
    expect(await cases("pricing", join(folder, "none.json"))).toMatchObject({ code: 2 });
    const bad = await cases("pricing", file);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toContain("is no file of pricing cases: field cases");
  });
});
