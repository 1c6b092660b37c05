/** The quarantine desk, completeness and the order desk as a person types them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { settingsOf, useTradepost, type Said } from "../support/tradepost.ts";

const tradepost = useTradepost();
const CUSTOMERS = "account,name,creditLimit,balance";
const DOCUMENTS = "documentType,document,account,documentOn,net,vat,gross";

let settings = "";
let folder = "";
const run = (...words: string[]): Promise<Said> =>
  tradepost.run(["--settings", settings, ...words]);

/** The end of the id of the first one that fits. */
async function onlyItem(...filter: readonly string[]): Promise<string> {
  const { items } = JSON.parse((await run("quarantine", ...filter, "--json")).out) as {
    items: { id: string }[];
  };
  return items[0]?.id.slice(-8) ?? "none";
}

beforeAll(async () => {
  const { companies, ...rest } = settingsOf(tradepost.merchant, tradepost.folder);
  const { erp } = companies.HARROW.connections;
  folder = join(tradepost.folder, "desk");
  mkdirSync(join(folder, "out"), { recursive: true });
  const connections = { erp: { ...erp, settings: { folder, stableForMs: 0 } } };
  const HARROW = { ...companies.HARROW, connections };
  settings = tradepost.settings("desk.yaml", stringify({ ...rest, companies: { HARROW } }));
  const write = (name: string, ...lines: readonly string[]) => {
    writeFileSync(join(folder, "out", name), `${lines.join("\n")}\n`);
  };
  const blank = Array.from({ length: 218 }, (_, index) => `B${1000 + index},,5,1.00`);
  write("customers.csv", CUSTOMERS, "A001,Ash,x,45.50", '"=1+1",,5,0', "A002,Brook,1,0", ...blank);
  const invoice = (number: number) => `invoice,INV${number},A002,2026-03-02,10.00,2.00,12.00`;
  const credit = (number: number) => invoice(number).replace("invoice,INV", "credit,CN");
  const numbers = Array.from({ length: 30 }, (_, index) => 1001 + index);
  const there = numbers.filter((number) => number !== 1011);
  write("sales-documents.csv", DOCUMENTS, ...there.map(invoice), ...[1, 2, 3].map(credit));
  await run("sync", "customers", "sales-documents");
}, 60_000);

describe("a thousand like rows", () => {
  it("are one line, with their money, customers and reason", async () => {
    const { exit, out } = await run("quarantine", "groups");
    expect(exit).toBe(3);
    const lines = out.split("\n").map((line) => line.replaceAll(/\d\d\/\S+ \S+ +\S+$/g, "SINCE"));
    expect(lines.slice(0, 4)).toEqual([
      expect.stringMatching(/^rows +at risk +customers +stream +reason +since +one of them$/),
      expect.stringMatching(/^─/),
      expect.stringMatching(/^ 219 +£218\.00 +219 +erp\/customers +name is blank +SINCE$/),
      expect.stringMatching(/^ {3}1 +£45\.50 +1 +erp\/customers +creditLimit is not a number such/),
    ]);
  });

  it("are exported with their rows, and nothing in them becomes a formula", async () => {
    const { exit, out } = await run("quarantine", "export", "--field", "name");
    const [head = "", ...rows] = out.trimEnd().split("\n");
    expect([exit, rows.length]).toEqual([0, 219]);
    expect(head).toMatch(/^item,state,connection,stream,record,key,origin,line,reason,/);
    expect(out).toContain(",'=1+1,customers.csv,3,name is blank,");
    const lines = (await run("quarantine", "export", "--json-lines", "--account", "A001")).out;
    expect(JSON.parse(lines)).toMatchObject({ recordKey: "A001", raw: "A001,Ash,x,45.50" });
  });
});

describe("one row", () => {
  it("is tried, dismissed and opened again with who and why, which its page tells", async () => {
    const item = await onlyItem("--account", "A001");
    const tried = await run("quarantine", "replay", item, "--set", "creditLimit=7", "--try");
    expect([tried.exit, tried.out.split(", ").slice(0, 2)]).toEqual([
      0,
      [`${item}  would make 1 record(s); nothing was written.\n  account A001`, "name Ash"],
    ]);
    const why = ["--who", "J Ross", "--why", "a test account"];
    expect((await run("quarantine", "dismiss", item, ...why)).out).toBe(
      `${item} dismissed by J Ross.\n`,
    );
    expect((await run("quarantine", "reopen", item, ...why)).out).toBe(
      `${item} opened again by J Ross.\n`,
    );
    const { out } = await run("quarantine", "show", item);
    expect(out).toMatch(/^columns {3}account = A001\n {10}balance = 45\.50$/m);
    expect(out).toMatch(/^done {6}\S+ \S+ dismissed by J Ross: a test account$/m);
    expect(out).toMatch(/^done {6}\S+ \S+ reopened by J Ross: a test account$/m);
  });

  it("that has no such column says which it has", async () => {
    const item = await onlyItem("--account", "A001");
    const tried = await run("quarantine", "replay", item, "--set", "nett=7", "--try");
    expect(tried.out).toBe(
      `${item}  could not be mapped again: The row has no column nett; its columns are name, ` +
        "account, balance, creditLimit.\n",
    );
  });

  it("names the mapping to mend, and how to make one's own of what comes with the product", async () => {
    const { out } = await run("quarantine", "show", await onlyItem("--account", "A001"));
    expect(out).toMatch(/^do {8}.* in tradepost-csv\/customer\.yaml\.$/m);
    expect(out).toContain("mapping   tradepost-csv/customer.yaml comes with Tradepost");
    expect(out).toMatch(/copy\n {10}\/.*mappings\/tradepost-csv into a folder of your own/);
  });

  it("of a whole file that was set aside says where it lies and how to have it read", async () => {
    writeFileSync(join(folder, "out", "sites.csv"), "account,site,name\n");
    await run("sync", "sites");
    const { out } = await run("quarantine", "show", await onlyItem("--stream", "sites"));
    const lies = join(folder, "refused", "sites", "sites.csv");
    expect(out).toContain(`lies at   ${lies}\n`);
    expect(out).toContain(`to have it read, move it back to out/ from ${lies}.`);
    expect(out).not.toContain("no longer where it was kept");
    expect(out).not.toMatch(/found (?:Reading|Found)/);
  });

  it("and all the others are tried at once: what would come of them, and nothing is written", async () => {
    const { exit, out } = await run("quarantine", "replay", "--stream", "customers", "--try");
    expect(exit).toBe(3);
    expect(out).toMatch(/^219 would still be bad, such as [0-9a-f]{8}: name: found nothing in/m);
    expect(out).toMatch(/\n0 of 220 would be resolved, 0 record\(s\); nothing was written\.\n$/);
  });

  it("is all there is when everything is replayed without a mended mapping", async () => {
    const { exit, out } = await run("quarantine", "replay", "--stream", "customers");
    expect(exit).toBe(3);
    expect(out).toMatch(/^219 still bad, such as [0-9a-f]{8}: name: found nothing in name, /m);
    expect(out).toMatch(/\n0 of 220 resolved, 0 record\(s\)\.\n$/);
  });
});

describe("completeness", () => {
  it("tells the numbers left out, in its list and in the status, until a person explains them", async () => {
    const { exit, out } = await run("completeness");
    expect(exit).toBe(0);
    expect(out).toMatch(/^[0-9a-f]{8} {2}erp\/sales-documents: The invoice INV1011 is missing$/m);
    expect(out).toContain("Between INV1010 (02/03/2026) and INV1012 (02/03/2026)");
    expect((await run("status")).out).toMatch(/\n1 finding of what looks incomplete/);
    const why = ["--who", "J Ross", "--why", "spoiled at the printer"];
    expect((await run("completeness", "explain", out.slice(0, 8), ...why)).exit).toBe(0);
    expect((await run("completeness")).out).toBe(
      "Nothing looks incomplete.\nnot judged: series CN (3 numbers, credit). " +
        "`completeness --help` says which are.\n",
    );
    expect((await run("completeness", "--help")).out).toContain("judged from 4 numbers on");
    expect((await run("completeness", "--state", "explained")).out).toContain(
      "explained: spoiled at the printer (J Ross)",
    );
  });

  it("draws what the last runs read, and tells their money net of credit notes", async () => {
    const { out } = await run("completeness", "volume", "sales-documents");
    expect(out).toMatch(/^stream +last run +read +changed +removed +net of credit notes +/);
    expect(out).toMatch(/^erp\/sales-documents +\S+ \S+ +32 +32 +0 +£260\.00 +█$/m);
  });
});

describe("the order desk", () => {
  /** Handed in by a shop: over the limit of its account, so that it is held. */
  async function takeOrder(): Promise<void> {
    const { store } = tradepost;
    await pull(store, "HARROW", "customer", [{ account: "D1", name: "Dale", creditLimit: "1" }]);
    await pull(store, "HARROW", "product", [{ product: "BRICK", name: "Brick" }]);
    await pull(store, "HARROW", "price-rule", [
      {
        rule: "R1",
        customerScope: "everyone",
        productScope: "product",
        productCode: "BRICK",
        kind: "fixed",
        value: "4.20",
      },
    ]);
    const service = await openTradepost(
      { ...readSettings({ file: settings }), databaseUrl: store.url },
      { log: () => undefined },
    );
    try {
      const company = await service.company("HARROW");
      await company.pricing.publish();
      const lines = [{ product: "BRICK", quantity: "5", unitPrice: "4.20" }];
      await company.orders.accept({
        idempotencyKey: "one",
        body: orderRequest.parse({ webOrder: "WEB-1", account: "D1", lines }),
        apiKey: "shop",
        test: false,
      });
    } finally {
      await service[Symbol.asyncDispose]();
    }
  }

  it("says what waits and why, and the commands to type; an order loses a part by one of them", async () => {
    await takeOrder();
    const { exit, out } = await run("orders", "desk");
    expect(exit).toBe(0);
    expect(out).toMatch(/^WEB-1 {2}held {2}£25\.20 {2}account D1 {2}since /m);
    expect(out).toContain("Its limit is £1.00.");
    expect(out).toContain('orders release WEB-1 --who "…" --why "…"');
    expect(out).toMatch(
      /^1 wait: 1 held, 0 in doubt, 0 refused, 0 in conflict, 0 late, 0 tasks\.$/m,
    );
    const why = ["--who", "J Ross", "--why", "they rang"];
    const less = await run("orders", "cancel", "WEB-1", "--lines", "1:2", ...why);
    expect(less.out).toMatch(
      /^Cancellation 1 of WEB-1 is done\. It is held; it comes to £12\.60 net, £15\.12 gross\.$/m,
    );
    const shown = (await run("orders", "show", "WEB-1")).out;
    expect(shown).toMatch(/^line +product +ordered +despatched +invoiced +credited +cancelled/m);
    expect(shown).toMatch(
      /cancellation 1, done, £21\.00 → £12\.60 net \(less 2 × BRICK of line 1\)/,
    );
    const { out: exported } = await run("orders", "export");
    expect(
      exported
        .trimEnd()
        .split("\n")
        .map((row) => row.split(",").slice(9, 17).join(",")),
    ).toEqual([
      "kind,line,code,ordered,despatched,invoiced,credited,cancelled",
      "line,1,BRICK,5,0,0,0,2",
    ]);
    const only = async (...options: string[]) =>
      (await run("orders", "export", ...options)).out.trimEnd().split("\n").length - 1;
    expect([await only("--state", "held"), await only("--state", "queued")]).toEqual([1, 0]);
    expect([await only("--account", "D1"), await only("--account", "D2")]).toEqual([1, 0]);
    expect((await run("orders", "tasks")).out).toBe("No tasks.\n");
    for (const state of ["open", "all"])
      expect(await run("orders", "tasks", "--state", state)).toMatchObject({ out: "No tasks.\n" });
    for (const state of ["done", "dropped"])
      expect(await run("orders", "tasks", "list", "--state", state)).toMatchObject({
        exit: 0,
        out: `No tasks are ${state}.\n`,
      });
    expect((await run("orders", "tasks", "--state", "held")).err).toBe(
      '--state was given "held"; expected one of open, done, dropped, all.\n',
    );
    expect((await run("orders", "--state", "held", "export")).out.split("\n")).toHaveLength(3);
    const changes = (await run("orders", "changes", "--limit", "2")).out;
    expect(changes).toMatch(/^ +1 +\S+ \S+ +order\.received +order\/WEB-1 +received$/m);
    expect((await run("orders", "changes", "--order", "NIX")).err).toContain("NIX");
    const turned = ["--from", "14/07/2026", "--to", "01/07/2026"];
    expect((await run("orders", "export", ...turned)).err).toBe(
      "--from 14/07/2026 is after --to 01/07/2026. Give the earlier first.\n",
    );
    expect(changes).toMatch(/2 shown; there is more after (2-[0-9a-f]+): --after \1\./);
    const file = join(folder, "events.csv");
    expect((await run("events", "--types", "order.held", "--out", file)).out).toMatch(
      /^Wrote 1 event/,
    );
    expect(readFileSync(file, "utf8")).toMatch(
      /^number,at,type,subject,id,data\n2,\S+,order\.held,/,
    );
    expect((await run("orders", "cancel", "WEB-1", ...why)).out).toMatch(
      /^Cancellation 2 of WEB-1 is done\. It is cancelled; nothing of it is to come\.$/m,
    );
    const link = ["--erp-order", "SO9", "--also", "SO7,SO8", "--seen-there"];
    expect((await run("orders", "resolve", "WEB-1", ...link, ...why)).err).toContain(
      'it is "cancelled". Only a conflict, a doubt, or one that was handed over is resolved.',
    );
  });
});
