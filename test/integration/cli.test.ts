/** The commands as a person types them: what they print, how they end, where they lead. */
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { SETTINGS, useTradepost, type Said } from "../support/tradepost.ts";

const tradepost = useTradepost();
let firstSync: Said;

beforeAll(async () => {
  firstSync = await tradepost.run(["sync"]);
});

/** A row as the ERP wrote it, from where the csv connector keeps its files. */
function archived(place: string): string | undefined {
  const [, file = "", line] = /^(\S+?)(?: line |:)(\d+)$/.exec(place) ?? [];
  const kept = readdirSync(join(tradepost.folder, "erp", "archive"), {
    recursive: true,
    encoding: "utf8",
  }).find((path) => path.endsWith(file));
  const text = readFileSync(join(tradepost.folder, "erp", "archive", kept ?? ""), "utf8");
  return text.split(/\r?\n/)[Number(line) - 1];
}

/** What an answer says behind a word at the beginning of a line. */
function field(text: string, word: string): string {
  return new RegExp(`^${word} +(.*)$`, "m").exec(text)?.[1] ?? "";
}

/** The commands that an answer says to type next. */
function nextOf(text: string): string[][] {
  return [...text.matchAll(/npm run -s tradepost -- (.*)$/gm)].map(([, words = ""]) =>
    words.split(" "),
  );
}

describe("reading", () => {
  it("reads every stream, ends with 3 for rows in quarantine, and accounts for each row", async () => {
    expect(firstSync.err).toBe("");
    expect(firstSync.exit).toBe(3);
    const [head = "", , first] = firstSync.out.split("\n");
    expect(head.trim().split(/ {2,}/).join(", ")).toBe(
      "stream, ended, rows read, mapped, ignored, repeated, quarantine, new, changed, same, removed, seconds",
    );
    expect(first).toMatch(/^trading-entities +published +\d+ /);
    const runs = await tradepost.json<RunRow[]>("runs");
    expect(runs.length).toBeGreaterThan(20);
    for (const { read, mapped, ignored, repeated, quarantined } of runs)
      expect(read).toBe(mapped + ignored + repeated + quarantined);
  });

  it("says so when nothing waits, and ends with 0", async () => {
    expect(await tradepost.run(["sync"])).toEqual({
      exit: 0,
      err: "",
      out: "Nothing waited: no stream had new content. If files were expected, look at the export at its source.\n",
    });
  });

  it("tells how fresh each stream is, and what waits", async () => {
    const { exit, out } = await tradepost.run(["status"]);
    expect(exit).toBe(3);
    expect(out).toMatch(
      /^erp +sales-lines +\d\d\/\d\d\/\d{4} \d\d:\d\d +– +published +– +\d+ +–$/m,
    );
    expect(out).toMatch(/\n\n\d+ in quarantine, /);
  });
});

interface RunRow {
  readonly read: number;
  readonly mapped: number;
  readonly ignored: number;
  readonly repeated: number;
  readonly quarantined: number;
}

describe("the quarantine", () => {
  it("shows a row with reason and instruction, and takes it in once it is corrected", async () => {
    const { items } = await tradepost.json<{ items: Item[] }>("quarantine", "--stream", "sites");
    const item = items[0]?.id.slice(-8) ?? "";
    const shown = await tradepost.run(["quarantine", "show", item]);
    expect(shown.exit).toBe(0);
    const place = field(shown.out, "from").replaceAll(/,| \(.*/g, "");
    expect(field(shown.out, "raw")).toBe(archived(place));
    expect(field(shown.out, "mapping")).toMatch(/^tradepost-csv\/site\.yaml comes with Tradepost/);
    const said = shown.out.slice(shown.out.indexOf("problem"), shown.out.indexOf("\nmapping"));
    expect(said).toMatchInlineSnapshot(`
      "problem   postcode: found "LS1 4AP, rear entrance" in postcode
      expected  at most 12 characters, and it has 22
      do        Correct postcode in the source.
      "
    `);
    expect(
      await tradepost.run(["quarantine", "replay", item, "--set", "postcode=LS1 4AP"]),
    ).toEqual({ exit: 0, err: "", out: `${item}  resolved, 1 record(s)\n1 of 1 resolved.\n` });
    const late = await tradepost.run([
      "quarantine",
      "dismiss",
      item,
      "--who",
      "J Ross",
      "--why",
      "x",
    ]);
    expect([late.exit, late.err]).toEqual([
      1,
      `Dismissing quarantine item ${item}: it is resolved already, by a replay.\n`,
    ]);
  });
});

interface Item {
  readonly id: string;
}

describe("a penny", () => {
  it("is followed from a rep's pay to the rows of files by the commands that are printed", async () => {
    const statement = ["pay", "statement", "REP01", "--plan", "flat", "--month", "2026-05"];
    const { lines } = await tradepost.json<{ lines: StatementLine[] }>(...statement);
    const sold = lines.find(({ documentType, line }) => documentType === "invoice" && line === 1);
    const table = await tradepost.run([...statement, "--csv"]);
    expect(table.out.split("\n").length).toBe(lines.length + 2);
    expect(table.out).toContain(`\n${sold?.id},REP01,flat,`);
    const paid = await tradepost.run(["pay", "line", sold?.id ?? ""]);
    expect(paid.exit).toBe(0);
    expect(field(paid.out, "because")).toBe(sold?.sentence);
    const [original = []] = nextOf(paid.out);
    const settings = `--settings ${join(tradepost.folder, SETTINGS)}`;
    expect(original.join(" ")).toBe(`${settings} sales line ${sold?.document}/1 --original`);
    const row = await tradepost.run(original);
    expect(row.exit).toBe(0);
    expect(field(row.out, "original")).toBe(archived(field(row.out, "row")));
    expect(field(row.out, "original")).toContain(`,${sold?.net},`);
    expect(field(row.out, "posting")).toContain(sold?.posting);
    const explain = nextOf(row.out).find((words) => words.includes("explain")) ?? [];
    const explained = await tradepost.run(explain);
    expect(explained.exit).toBe(0);
    const rules = [...explained.out.matchAll(/^(\S+\.csv:\d+)\n {2}(.*)$/gm)];
    expect(rules.length).toBeGreaterThan(0);
    for (const [, place = "", text] of rules) expect(text).toBe(archived(place));
  });
});

interface StatementLine {
  readonly id: string;
  readonly documentType: string;
  readonly document: string;
  readonly line: number;
  readonly net: string;
  readonly posting: string;
  readonly sentence: string;
}

describe("totals", () => {
  it("are added up below the table", async () => {
    const words = ["sales", "totals", "--by", "period"];
    const { rows } = await tradepost.json<{ rows: { net: string }[] }>(...words);
    const { out } = await tradepost.run(words);
    const total = out.split("\n").find((line) => line.startsWith("total")) ?? "";
    const pence = rows.reduce((sum, { net }) => sum + Math.round(Number(net) * 100), 0);
    expect(total.replaceAll(/[£,]/g, "")).toContain(` ${(pence / 100).toFixed(2)} `);
  });

  it("that differ from the ERP's end reconcile with 4; equal ones end it with 0", async () => {
    const equal = await tradepost.run(["reconcile", "2026-05"]);
    expect([equal.exit, equal.out]).toEqual([
      0,
      expect.stringContaining("Every control total is equal to the penny."),
    ]);
    raiseControlTotal("2026-05");
    await tradepost.run(["sync", "control-totals"]);
    const differs = await tradepost.run(["reconcile", "2026-05"]);
    expect([differs.exit, differs.out]).toEqual([4, expect.stringContaining("The totals differ.")]);
    expect(differs.out).toMatch(/^2026-05 +invoice .* £1\.00 /m);
  });
});

/** The ERP writes its control totals anew, with one pound more than it invoiced. */
function raiseControlTotal(period: string): void {
  const erp = join(tradepost.folder, "erp");
  const [kept = ""] = readdirSync(join(erp, "archive"), {
    recursive: true,
    encoding: "utf8",
  }).filter((path) => /control-totals-.*\.csv$/.test(path));
  const text = readFileSync(join(erp, "archive", kept), "utf8");
  const raised = text.replace(
    new RegExp(`^(.*\\b${period}\\b.*\\binvoice\\b.*?,)(\\d+)(\\.\\d\\d)`, "m"),
    (_, before: string, pounds: string, pence: string) => `${before}${Number(pounds) + 1}${pence}`,
  );
  expect(raised).not.toBe(text);
  writeFileSync(join(erp, "out", "control-totals-20260701-0700.csv"), raised);
}

describe("keys", () => {
  it("show their secret once, and are gone when revoked", async () => {
    const words = ["keys", "create", "--name", "Web shop", "--scopes", "prices,orders"];
    const { secret, key } = await tradepost.json<NewKey>(...words, "--who", "J Ross");
    expect(secret).toMatch(/^tp_live_/);
    const listed = await tradepost.run(["keys"]);
    expect(listed.out).toContain("Web shop");
    expect(listed.out).not.toContain(secret);
    const revoked = await tradepost.run(["keys", "revoke", key.id, "--who", "J Ross"]);
    expect(revoked).toEqual({ exit: 0, err: "", out: `${key.id} is revoked.\n` });
  });
});

describe("the book of who did what", () => {
  it("is shown newest first, of a person, a thing or days, and written to a file as a whole", async () => {
    const made = ["keys", "create", "--name", "Book", "--scopes", "prices", "--who", "A Booker"];
    const { key } = await tradepost.json<NewKey>(...made);
    await tradepost.run(["keys", "revoke", key.id, "--who", "B Booker"]);
    const actions = async (...words: readonly string[]) =>
      (await tradepost.json<readonly { action: string }[]>("audit", ...words)).map(
        ({ action }) => action,
      );
    expect(await actions("--about", key.id)).toEqual(["key-revoked", "key-created"]);
    expect(await actions("--about", key.id, "--by", "A Booker")).toEqual(["key-created"]);
    expect(await actions("--about", key.id, "--limit", "1")).toEqual(["key-revoked"]);
    expect(await actions("--about", key.id, "--to", "01/01/2020")).toEqual([]);
    expect(await actions("--about", key.id, "--from", "01/01/2020", "--to", "2099-12-31")).toEqual([
      "key-revoked",
      "key-created",
    ]);
    const { out } = await tradepost.run(["audit", "--about", key.id, "--limit", "1"]);
    expect(out).toMatch(/B Booker +key-revoked +\S+/);
    expect(out).toContain("1 shown; there is more: --limit, or --out for all.");
    const file = join(tradepost.folder, "book.csv");
    const written = await tradepost.run(["audit", "--about", key.id, "--out", file]);
    expect(written.out).toBe(`Wrote 2 entries to ${file}.\n`);
    const [head, newest, oldest] = readFileSync(file, "utf8").split("\n");
    expect(head).toBe("at,who,action,subject,details,id");
    expect(newest).toContain(`,B Booker,key-revoked,${key.id},`);
    expect(oldest).toContain(`,A Booker,key-created,${key.id},`);
  });
});

interface NewKey {
  readonly secret: string;
  readonly key: { readonly id: string };
}

describe("check", () => {
  it("tells the settings as they hold, and that nobody reads what the ERP answers", async () => {
    const { exit, out, err } = await tradepost.run(["check"]);
    expect([exit, err]).toEqual([0, ""]);
    expect(out).toMatch(
      /^companies\.HARROW\.connections\.erp\.settings\.delimiter +auto +default$/m,
    );
    expect(out).toMatch(/^companies\.HARROW\.connections\.erp\.mode +live +line \d+$/m);
    const parts = out.slice(out.indexOf("✓"));
    expect(
      parts
        .replaceAll(tradepost.folder, "/folder")
        .replace(/PostgreSQL \d[^,]*, \S+/, "PostgreSQL VERSION, ADDRESS"),
    ).toMatchInlineSnapshot(`
      "✓ settings: /folder/tradepost.yaml, company HARROW
      ✓ mappings tradepost-csv: 29 records, web orders, examples of 30 files hold
      ✓ pricing: policy generic
      ✓ policy generic: 13 examples hold
      ✓ database: PostgreSQL VERSION, ADDRESS
      ! connection erp: Orders are handed over as files, and the ERP's answers come as files, too: no schedule reads erp/erp-orders and erp/order-acknowledgements. Each order would end in doubt while its answer lies there.
          Schedule all by which the ERP may answer, erp/erp-orders and erp/order-acknowledgements: schedules: { answers: { cron: "*/10 * * * *", streams: [erp-orders, order-acknowledgements] } }.

      0 faults, 1 warning.
      "
    `);
    expect(out).not.toMatch(/:\/\/[^\s:]+:[^\s]+@/);
  });

  it("names every fault of mappings and connections at once, by file and line", async () => {
    const text = readFileSync(join(tradepost.folder, SETTINGS), "utf8")
      .replace("mappings: tradepost-csv", "mappings: tradepost-cvs")
      .replace("stableForMs: 0", "stableForMss: 0");
    const file = tradepost.settings("faulty.yaml", text);
    const { exit, out } = await tradepost.run(["check", "--settings", file]);
    expect(exit).toBe(2);
    expect(
      out
        .slice(out.indexOf("✗"))
        .replaceAll(tradepost.folder, "/folder")
        .replace(/PostgreSQL \d[^,]*, \S+/, "PostgreSQL VERSION, ADDRESS"),
    ).toMatchInlineSnapshot(`
      "✗ mappings: /folder/faulty.yaml cannot be used: 1 problem
            /folder/faulty.yaml:10: companies.HARROW.connections.erp.mappings: found the mapping set "tradepost-cvs", expected one of tradepost-csv (nearest match "tradepost-csv")
      ✓ pricing: policy generic
      ✓ policy generic: 13 examples hold
      ✗ connection erp: /folder/faulty.yaml cannot be used: 1 problem
            /folder/faulty.yaml:13: companies.HARROW.connections.erp.settings.stableForMss: found the key "stableForMss", expected one of folder, sftp, streams, delimiter, encoding, complete, stableForMs, maxFieldBytes, maxRowBytes, archives (nearest match "stableForMs")
      ✓ database: PostgreSQL VERSION, ADDRESS

      2 faults, 0 warnings.
      "
    `);
  });
});

describe("serve", () => {
  it("says where it answers, and ends well when it is stopped", async () => {
    const service = tradepost.begin("serve", "--json");
    try {
      const [line] = (await once(service.stdout ?? service, "data")) as [Buffer];
      const { url } = JSON.parse(line.toString()) as { url: string };
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    } finally {
      service.kill("SIGTERM");
    }
    expect(await once(service, "exit")).toEqual([0, null]);
  });
});
