/** A merchant's first day: one connection with a name of its own, and few of its files. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { settingsOf, useTradepost, type Said } from "../support/tradepost.ts";

const tradepost = useTradepost();
const LINES = "documentType,document,line,product,quantity,unitPrice,net,vat";

let settings = "";
let synced: Said;
const run = (...words: string[]): Promise<Said> =>
  tradepost.run(["--settings", settings, ...words]);

beforeAll(async () => {
  const { companies, ...rest } = settingsOf(tradepost.merchant, tradepost.folder);
  const folder = join(tradepost.folder, "sage");
  mkdirSync(join(folder, "out"), { recursive: true });
  const sage = {
    ...companies.HARROW.connections.erp,
    mode: "read-only",
    settings: { folder, stableForMs: 0 },
  };
  const HARROW = { ...companies.HARROW, connections: { sage } };
  settings = tradepost.settings("sage.yaml", stringify({ ...rest, companies: { HARROW } }));
  const write = (name: string, ...lines: readonly string[]) => {
    writeFileSync(join(folder, "out", name), `${lines.join("\n")}\n`);
  };
  write("customers.csv", "account,name", "A001,Ash");
  write("products.csv", "product,name,standardPrice", "P1,Plank,4.00");
  write(
    "sales-documents.csv",
    "documentType,document,account,documentOn,net,vat,gross",
    "invoice,1,A001,2026-03-02,4.00,0.80,4.80",
  );
  write("sales-lines-1.csv", LINES, 'invoice,1,1,P1,1,4.00,4.00,"0.8');
  write("sales-lines-2.csv", LINES, "invoice,1,1,P1,1,4.00,4.00,0.80", "invoice,2,1,P1,x,1,1,0");
  synced = await run("sync");
}, 60_000);

it("reads the only connection, whatever its name, and counts a file refused before a good one", () => {
  expect(synced.err).toBe("");
  expect(synced.exit).toBe(3);
  expect(synced.out).toMatch(/^customers +published +1 /m);
  expect(synced.out).toMatch(/^sales-lines +published, 1 refused +2 /m);
});

it("says of when a price's sources are, and which never came", async () => {
  const { out, exit } = await run("price", "of", "A001", "P1");
  expect(exit).toBe(0);
  expect(out).toMatch(
    /^book .*, sources as of \d\d\/\d\d\/\d{4} \d\d:\d\d; sage\/price-lists: never read; sage\/price-rules: never read;\s+sage\/promotions: never read$/m,
  );
});

it("prices a basket from a file, and knows no totals where a price is not known", async () => {
  const file = tradepost.settings("basket.csv", "product,quantity\nP1,2\nP9,1\n");
  const words = ["price", "basket", "A001"];
  const { out, exit } = await run(...words, file, "--code", "X");
  expect(exit).toBe(0);
  const rows = out.split("\n").map((row) => row.trim().split(/ {2,}/).join(" | "));
  expect(rows[2]).toMatch(/^P1 \| 2 \| – .* No price holds for this customer/);
  expect(rows[3]).toMatch(/^P9 \| 1 \| – .* there is no product "P9"/);
  expect(rows).toContain("X | no promotion has this code");
  expect(out).toContain("The document has no totals");
  expect(await run(...words, "--line", "P1")).toMatchObject({
    exit: 2,
    err: expect.stringContaining(
      "--line P1: expected product=quantity, or product=quantity@unit.",
    ) as unknown,
  });
});

it("says that nothing was compared while the ERP states no totals", async () => {
  const { out, exit } = await run("reconcile");
  expect(exit).toBe(3);
  expect(out).toContain("Nothing was compared: the ERP has stated no control totals.");
  expect(out).toContain("sage/control-totals never read");
});

it("cuts what runs found to a line, and tells every finding below", async () => {
  const { out } = await run("runs", "--stream", "sales-lines");
  const [head = "", , line = "", , below = "", ...findings] = out.trimEnd().split("\n");
  expect(line.length).toBeLessThanOrEqual(head.indexOf("what happened") + 60);
  expect(line).toMatch(/…$/);
  expect(below).toMatch(/^[0-9a-f]{8} {2}sales-lines$/);
  expect(findings.join("\n")).toContain("sales-lines-1.csv");
});

it("takes the short end of an item's id to show it, and never to decide about it", async () => {
  const { items } = await tradepost.json<{ items: { id: string }[] }>(
    "--settings",
    settings,
    "quarantine",
  );
  const end = items[0]?.id.slice(-5) ?? "";
  expect((await run("quarantine", "show", end)).exit).toBe(0);
  const why = ["--who", "J Ross", "--why", "a test"];
  expect(await run("quarantine", "dismiss", end, ...why)).toMatchObject({
    exit: 2,
    err: expect.stringContaining("too short") as unknown,
  });
});

it("exports the quarantine to a file, in a folder that it makes", async () => {
  const out = join(tradepost.folder, "desk", "wrong.csv");
  const said = await run("quarantine", "export", "--out", out);
  expect(said).toEqual({ exit: 0, err: "", out: `Wrote 2 item(s) to ${out}.\n` });
  expect(readFileSync(out, "utf8")).toMatch(/^item,state,connection,[\s\S]*sales-lines-2\.csv/);
});

it("says which plan is not there, and what to give", async () => {
  const gone = join(tradepost.folder, "gone.plan.json");
  const { exit, err } = await run("apply", gone);
  expect([exit, err]).toEqual([
    2,
    `The plan ${gone} cannot be read: it is not there. Give a file that \`plan --out\` wrote.\n`,
  ]);
});
