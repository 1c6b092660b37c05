/** The words of the command line: what is said to wrong ones, help, and the README's table. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, it, test } from "vitest";
import { deskCommands, tradepostCommand } from "../../src/cli.ts";
import { printedCommands, whyNot } from "../support/printed-commands.ts";
import { settingsOf, useTradepost } from "../support/tradepost.ts";
import { stringify } from "yaml";

const tradepost = useTradepost();

/** How each call ends and what it says. */
async function said(...calls: readonly (readonly string[])[]): Promise<string> {
  const told: string[] = [];
  for (const words of calls) {
    const { exit, out, err } = await tradepost.run(words);
    expect(out).toBe("");
    told.push(`${words.join(" ")}\n  ${exit}: ${err.trim().replaceAll("\n", "\n     ")}`);
  }
  return told.join("\n");
}

describe("words that are wrong end with 2 and say what was expected", () => {
  it("commands and options", async () => {
    expect(
      await said(
        ["syncc"],
        ["price", "of"],
        ["runs", "--limit", "0"],
        ["orders", "--state", "handed"],
        ["orders", "release", "WEB-1", "--who", " ", "--why", "they rang"],
        ["orders", "release", "WEB-1", "--who", "Sales", "--why", "they rang"],
        ["keys", "create", "--name", "Shop", "--scopes", "price", "--who", "J Ross"],
      ),
    ).toMatchInlineSnapshot(`
      "syncc
        2: error: unknown command 'syncc'
           (Did you mean sync?)
           \`tradepost --help\` tells all of it.
      price of
        2: error: missing required argument 'account'
           \`tradepost price of --help\` tells all of it.
      runs --limit 0
        2: "0" is not a whole number from 1 to 1000.
      orders --state handed
        2: --state was given "handed"; expected one of received, checked, held, queued, sending, handedOver, accepted, confirmed, inDoubt, conflict, refused, cancelled, shadowed.
      orders release WEB-1 --who   --why they rang
        2: --who is blank; it is kept with what was done, so say it in words.
      orders release WEB-1 --who Sales --why they rang
        2: --who "Sales" is no person: what Tradepost, the ERP or a shop does by itself is kept under such names. Give the name of whoever decides: --who "Kim, Sales".
      keys create --name Shop --scopes price --who J Ross
        2: --scopes was given "price"; expected one of prices, shop, orders, desk, webhooks, sales, pay, sync, keys. Did you mean prices?"
    `);
  });

  it("months, dates and what the settings name", async () => {
    expect(
      await said(
        ["reconcile", "2026-13"],
        ["price", "of", "A", "P", "--on", "2026-02-30"],
        ["sales", "totals", "--from", "2026-03", "--to", "2026-01"],
        ["pay", "statement", "REP01", "--month", "2026-03"],
        ["pay", "compare", "flat", "flt", "--month", "2026-03"],
        ["sync", "price-rule"],
        ["sync", "--connection", "epr"],
        ["status", "--company", "HAROW"],
        ["quarantine", "show", "zzz"],
        ["backfill", "customers", "--from", "2024-03-01", "--to", "2024-01-31"],
        ["backfill", "customers", "--from", "2024-01-01", "--to", "2024-01-31"],
      ),
    ).toMatchInlineSnapshot(`
      "reconcile 2026-13
        2: "2026-13" is not a month. Write 2026-03.
      price of A P --on 2026-02-30
        2: "2026-02-30" is not a date. Write 2026-03-31 or 31/03/2026.
      sales totals --from 2026-03 --to 2026-01
        2: --from 2026-03 is after --to 2026-01. Give the earlier first.
      pay statement REP01 --month 2026-03
        2: Which plan? Give --plan with one of new-and-repeat, flat.
      pay compare flat flt --month 2026-03
        2: The plan was given "flt"; expected one of new-and-repeat, flat. Did you mean flat?
      sync price-rule
        2: The stream was given "price-rule"; expected one of assignments, assortments, branches, control-totals, customer-price-lists, customers, despatch-lines, despatches, erp-order-lines, erp-orders, ledger-transactions, order-acknowledgements, price-formulas, price-lists, price-rules, product-groups, product-units, products, promotions, quotation-lines, quotations, receipts, reps, sales-documents, sales-lines, settlements, sites, stock, trading-entities. Did you mean price-rules?
      sync --connection epr
        2: The settings of HARROW name no connection "epr"; they name erp. Did you mean erp?
      status --company HAROW
        2: --company was given "HAROW"; expected HARROW. Did you mean HARROW?
      quarantine show zzz
        2: "zzz" cannot be an item: expected its id or the beginning or end of it, such as 36a79aee. \`quarantine\` lists them.
      backfill customers --from 2024-03-01 --to 2024-01-31
        2: --from 2024-03-01 is after --to 2024-01-31.
      backfill customers --from 2024-01-01 --to 2024-01-31
        2: Reading erp/customers again by days: the connector cannot read it so. To read all of it again, run: sync customers --from-start."
    `);
  });

  it("an end of a maintenance that has passed, with what time it is", async () => {
    const words = ["--who", "J Ross", "--why", "upgrade", "--until", "2020-01-01T06:00"];
    expect(await said(["maintenance", "on", "erp", ...words])).toMatch(
      /\n  2: Stopping erp: it was to end at 01\/01\/2020 06:00, and it is \S+ \S+ now\. Give /,
    );
    expect((await tradepost.run(["maintenance"])).out).toBe("Nothing stands still.\n");
  });

  it("the company, where the settings name several", async () => {
    const { companies, ...rest } = settingsOf(tradepost.merchant, tradepost.folder);
    const two = { ...rest, companies: { ...companies, STONE: companies.HARROW } };
    const file = tradepost.settings("two.yaml", stringify(two));
    expect(await said(["--settings", file, "status"])).toContain(
      "2: Which company? Give --company with one of HARROW, STONE.",
    );
  });
});

describe("what is not there ends with 1 and a sentence", () => {
  it("by code or number", async () => {
    expect(
      await said(
        ["price", "of", "NOBODY", "P1"],
        ["sales", "document", "INV1"],
        ["sales", "line", "INV1/1"],
        ["quarantine", "show", "36a79aee"],
        ["keys", "revoke", "nothing", "--who", "J Ross"],
        ["orders", "changes", "--order", "NIX"],
        ["reconcile"],
        ["runs", "stop", "customers", "--who", "J Ross"],
      ),
    ).toMatchInlineSnapshot(`
      "price of NOBODY P1
        1: Pricing 1 of P1: there is no account "NOBODY"; accounts come from the ERP.
      sales document INV1
        1: No document INV1 is posted. Numbers are compared exactly; what is in quarantine is not posted.
      sales line INV1/1
        1: No document INV1 is posted. Numbers are compared exactly; what is in quarantine is not posted.
      quarantine show 36a79aee
        1: Looking up quarantine item "36a79aee": none begins or ends so. \`tradepost quarantine\` lists them.
      keys revoke nothing --who J Ross
        1: Revoking API key nothing of HARROW: there is no such key. \`tradepost keys\` shows them.
      orders changes --order NIX
        1: Looking up a web order: HARROW has none with the id or number "NIX". Look at its number; a number is the shop's own, or the one in the answer to the order.
      reconcile
        1: Nothing to reconcile: there are neither control totals of the ERP nor documents. \`sync control-totals sales-documents\` reads what waits.
      runs stop customers --who J Ross
        1: Stopping what reads customers: nothing reads it now. \`runs\` shows what did."
    `);
  });

  it("a database, whose address is told without its password", async () => {
    const DATABASE_URL = "postgresql://me:s3cret@no-such-host.invalid/tradepost";
    const { exit, out, err } = await tradepost.run(["status"], { DATABASE_URL });
    expect([exit, out]).toEqual([1, ""]);
    expect(err).toMatch(
      /^Opening the database at postgresql:\/\/me@no-such-host\.invalid\/tradepost \(DATABASE_URL\): /,
    );
    expect(err).not.toMatch(/s3cret|\n {4}at /);
  });
});

test.each([
  [["status"], 0],
  [["runs", "--json"], 0],
  [["sales", "document", "INV1", "--json"], 1],
  [["syncc"], 2],
] as const)("%j says and ends the same in a process of its own", async (words, exit) => {
  const after = await tradepost.run(words);
  expect(after.exit).toBe(exit);
  expect(await tradepost.runAlone(words)).toEqual(after);
});

describe("for programs", () => {
  it("an error is JSON as well", async () => {
    const { exit, out } = await tradepost.run(["sales", "document", "INV1", "--json"]);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: { code: "not-found", exit: 1, message: expect.stringContaining("INV1") as string },
    });
  });

  it("a reader that has seen enough is no error", async () => {
    const child = tradepost.begin("check", "--json");
    let err = "";
    child.stderr?.on("data", (text: Buffer) => (err += text.toString()));
    child.stdout?.destroy();
    const exit = await new Promise((done) => child.once("close", done));
    expect([exit, err]).toEqual([0, ""]);
  });
});

/** Commands that do something, by the words that call them. */
function commandsOf(command: Command, before = ""): { name: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const name = `${before}${child.name()}`;
    const inner = commandsOf(child, `${name} `);
    // A group such as `pay` does nothing by itself; Commander keeps that where none may look.
    const acts = inner.length === 0 || typeof Reflect.get(child, "_actionHandler") === "function";
    return acts ? [{ name, command: child }, ...inner] : inner;
  });
}

describe("help", () => {
  it("says of every command, argument and option what it is", () => {
    for (const { name, command } of commandsOf(tradepostCommand())) {
      expect([name, command.description()]).toEqual([name, expect.stringMatching(/\.$/)]);
      for (const option of command.options)
        expect(`${name} ${option.flags}: ${option.description}`).toMatch(/: \w/);
      expect(command.helpInformation()).toContain("--json");
    }
  });

  it("comes with 0 when it is asked for, and with 2 when a command is missing", async () => {
    const asked = await tradepost.run(["--help"]);
    expect([asked.exit, asked.err]).toEqual([0, ""]);
    expect(asked.out).toContain("Usage: tradepost");
    const missing = await tradepost.run([]);
    expect([missing.exit, missing.out]).toEqual([2, ""]);
    expect(missing.err).toContain("Usage: tradepost");
  });

  it("and the README's table name the same commands", () => {
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    const table = readme.slice(
      readme.indexOf("| command |"),
      readme.indexOf("Every command takes"),
    );
    const named = table.split("\n").flatMap((row) => {
      const [, cell = ""] = row.split(/(?<!\\)\|/);
      return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, words = ""]) => spelledOut(words));
    });
    const known = commandsOf(tradepostCommand()).map(({ name }) => name);
    expect(named.toSorted()).toEqual(known.toSorted());
  });
});

/** `orders show\|release` → orders show, orders release; `sync [streams]` → sync */
function spelledOut(words: string): string[] {
  const [last = "", ...before] = words
    .replaceAll(/ \[.*?\]/g, "")
    .split(" ")
    .toReversed();
  return last.split("\\|").map((each) => [...before.toReversed(), each].join(" "));
}

it("every command that a text, an alarm or a page names runs as it is printed", () => {
  const acts = ["release", "resolve", "send-again", "amend", "cancel"] as const;
  const desk = deskCommands({ acts, webOrder: "WEB-1", erpOrder: null, task: null });
  const named = [
    ...printedCommands(),
    ...desk.map((command) => ({ file: "desk", command: command.replaceAll('"…"', "…") })),
  ];
  expect(named.length).toBeGreaterThan(80);
  const program = tradepostCommand();
  const wrong = named.flatMap(({ file, command }) => {
    const why = whyNot(program, command);
    return why === null ? [] : [`${file}: ${command}: ${why}`];
  });
  expect(wrong).toEqual([]);
});
