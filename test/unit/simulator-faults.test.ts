import { parse } from "csv-parse/sync";
import iconv from "iconv-lite";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ALL_FAULTS, LAYOUT, start, type Simulator } from "../../connectors/csv/simulator/index.ts";
import { createMerchant } from "../../deploy/demo/merchant/index.ts";
import { erpFolder, rowsOf, type Rows } from "../support/simulated-erp.ts";

const SMALL = { customers: 60, products: 240, priceRules: 1500, invoiceLines: 2500, years: 1 };
const merchant = createMerchant(SMALL);

describe("the simulated ERP's faults", () => {
  const folder = erpFolder();
  let erp: Simulator;
  beforeAll(async () => {
    erp = await start(merchant, { folder, faults: ALL_FAULTS });
    await erp.advance(5);
  });
  afterAll(async () => {
    await erp.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const planted = (kind: string) => erp.books().faults.filter((fault) => fault.kind === kind);
  const content = (file: string) => readFileSync(join(folder, "out", file));
  const lineOf = (file: string, line: number) =>
    content(file).toString("latin1").split("\n")[line - 1]?.trimEnd() ?? "";

  test("are all planted, and each is listed with a file that is there", () => {
    const faults = erp.books().faults;
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(Object.keys(ALL_FAULTS)));
    for (const { file } of faults) expect(existsSync(join(folder, "out", file)), file).toBe(true);
  });

  test("leave the books as they are without them", async () => {
    const clean = erpFolder();
    onTestFinished(() => rmSync(clean, { recursive: true, force: true }));
    const other = await start(merchant, { folder: clean });
    await other.advance(5);
    expect(erp.books().periods).toEqual(other.books().periods);
    expect(erp.books().sales).toEqual(other.books().sales);
    expect(other.books().faults).toEqual([]);
  });

  test.each([
    ["wrong number", "price-rules", /^BAD\/1,.*,12\.5O,/],
    ["impossible date", "price-rules", /^BAD\/2,.*,2026-02-30,/],
    ["unknown choice", "customers", /^BAD0001,.*,dormant,/],
    ["missing key", "products", /^,"A product without a code/],
    ["text too long", "sites", /^BAD0001,.*"LS1 4AP, rear entrance"/],
    ["too few columns", "sales-lines", /^invoice,BAD000001,1,goods,[^,]+,$/],
    ["too many columns", "sales-lines", /^invoice,BAD000001,.*,stray,cells$/],
  ])("put a row with %s into %s on the line that they name", (what, stream, pattern) => {
    const [fault, ...others] = planted("bad-rows").filter((one) => one.what === what);
    expect(others).toEqual([]);
    expect(fault).toMatchObject({ stream, leadsTo: "quarantined", worth: null });
    expect(lineOf(fault?.file ?? "", fault?.lines[0] ?? 0)).toMatch(pattern);
  });

  test("break a real invoice line, which the next export brings again", () => {
    const [fault] = planted("broken-invoice-line");
    const broken = lineOf(fault?.file ?? "", fault?.lines[0] ?? 0);
    const worth = fault?.worth ?? "";
    expect(broken).toContain(`,${worth.slice(0, -1)}O,`);
    const mended = content(fault?.healedBy ?? "")
      .toString()
      .split("\r\n");
    expect(mended).toContain(broken.replace(`${worth.slice(0, -1)}O`, worth));
  });

  test("repeat a delta under another name", () => {
    const [fault] = planted("duplicate-file");
    const original = fault?.file.replace("-1901", "-1900") ?? "";
    expect(fault?.file).toMatch(/^sales-lines-20260701-1901\.csv$/);
    expect(content(fault?.file ?? "").equals(content(original))).toBe(true);
  });

  test("cut a snapshot inside a row, and heal it the next day", () => {
    const [fault] = planted("cut-off-file");
    const cut = content(fault?.file ?? "").toString();
    const whole = content(fault?.healedBy ?? "").toString();
    expect(cut.endsWith("\n")).toBe(false);
    expect(cut.split("\r\n")).toHaveLength(fault?.lines[0] ?? 0);
    expect(whole.endsWith("\r\n")).toBe(true);
    expect(cut.length).toBeLessThan(whole.length * 0.7);
    const columns = cut.split("\r\n").at(-1)?.split(",").length ?? 0;
    expect(columns).toBeLessThan(LAYOUT["price-rules"].length);
  });

  test("shrink a snapshot to two fifths of its rows, and heal it the next day", () => {
    const [fault] = planted("shrunk-snapshot");
    expect(rowsOf(folder, fault?.file ?? "")).toHaveLength(merchant.customers.length * 0.4);
    expect(rowsOf(folder, fault?.healedBy ?? "")).toHaveLength(merchant.customers.length);
  });

  test("write the products in Windows-1252, as they would read in UTF-8", () => {
    const [fault] = planted("windows-1252");
    const bytes = content(fault?.file ?? "");
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes)).toThrow(TypeError);
    const rows: Rows = parse(iconv.decode(bytes, "windows-1252"), { columns: true });
    const names = rows
      .map((row) => row["name"])
      .filter((name) => !name?.includes("without a code"));
    expect(names).toEqual(merchant.products.map(({ name }) => name));
  });
});
