/** Price rounds and price changes that wait, as a person types and reads them. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import { settingsOf, useTradepost, type Said } from "../support/tradepost.ts";

const tradepost = useTradepost();
const RULES = "rule,customerScope,customerCode,productScope,productCode,kind,value";

let settings = "";
let folder = "";
const run = (...words: string[]): Promise<Said> =>
  tradepost.run(["--settings", settings, ...words]);
const write = (name: string, ...lines: readonly string[]): void => {
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
};
/** What is another one on every day and in every run. */
const read = ({ out }: Said): string =>
  `\n${out
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID".padEnd(36))
    .replaceAll(/\d\d\/\d\d\/20[0-8]\d \d\d:\d\d/g, "TODAY".padEnd(16))
    .replaceAll(/SHA-256 [0-9a-f]{12}/g, "SHA-256 …")
    .replaceAll(/--settings \S+ /g, "")}`;

beforeAll(async () => {
  const { companies, ...rest } = settingsOf(tradepost.merchant, tradepost.folder);
  const { erp } = companies.HARROW.connections;
  folder = join(tradepost.folder, "rounds");
  mkdirSync(join(folder, "out"), { recursive: true });
  const HARROW = {
    ...companies.HARROW,
    pricing: { holdAbove: { percent: 20 } },
    connections: { erp: { ...erp, settings: { folder, stableForMs: 0 } } },
  };
  settings = tradepost.settings("rounds.yaml", stringify({ ...rest, companies: { HARROW } }));
  write("out/customers.csv", "account,name", "A001,Ash", "A002,Brook");
  write("out/products.csv", "product,name,soldOnWeb", "PLY,Ply 18 mm,true", "NAIL,Nail,true");
  write(
    "out/price-rules.csv",
    RULES,
    "STD-PLY,everyone,,product,PLY,fixed,20.00",
    "STD-NAIL,everyone,,product,NAIL,fixed,0.05",
    "A1-PLY,account,A001,product,PLY,fixed,18.00",
  );
  await run("sync", "customers", "products", "price-rules");
}, 60_000);

it("a round is loaded, read, approved and listed", { timeout: 60_000 }, async () => {
  write(
    "2099.csv",
    RULES,
    "STD-PLY,everyone,,product,PLY,fixed,21.00",
    "A1-PLY,account,A001,product,PLY,fixed,18.90",
    "OLD,everyone,,product,OAK,fixed,9.00",
  );
  const file = join(folder, "2099.csv");
  const load = ["price", "rounds", "load", file, "--who", "Ann Lee", "--back-orders", "new"];
  const loaded = await run(...load, "--name", "2099", "--starts-at", "2099-01-01");
  expect(loaded).toMatchObject({ exit: 0, err: "" });
  expect(read(loaded)).toMatchInlineSnapshot(`
    "
    round     2099, loaded
    starts    01/01/2099 00:00; the ERP must have it by 02/01/2099 00:00
    file      2099.csv, loaded by Ann Lee on TODAY           , SHA-256 …
    rules     3: 2 changed, 1 new, 0 as the ERP has them, 1 for nobody or nothing, 0 at £0.00
              2 go up (median 5.00%, most 5.00%), 0 down (most –%)
    pulled    0 confirmed, 3 waiting, 0 differ, 0 decided
    words     Open baskets keep their prices until the start, and are priced anew from then on.
              Orders that were taken are sent at the prices that were agreed.
              Back orders are expected to be invoiced at the new prices.

    paid      from 01/01/2099 00:00 2 customers would pay another price for 1 product:
              of 2 prices 2 would be others: 2 up, 0 down, 0 come or go

    customer  and others  product  from    pays  would pay     %
    ────────  ──────────  ───────  ────  ──────  ─────────  ────
    A001               0  PLY         1  £18.00     £18.90  5.00
    A002               0  PLY         1  £20.00     £21.00  5.00

    next       npm run -s tradepost -- price rounds approve 2099 --who … --why …
               npm run -s tradepost -- price rounds cancel 2099 --who … --why …
    "
  `);
  const why = ["--who", "Bea Moss", "--why", "Board of 10/12"];
  const approved = await run("price", "rounds", "approve", "2099", ...why);
  expect(approved.out).toMatch(
    /^round {5}2099, approved by Bea Moss on \S+ \S+: Board of 10\/12\n/,
  );
  expect(read(await run("price", "rounds", "status"))).toMatchInlineSnapshot(`
    "
    round  state     starts            confirm by        rules  waiting  confirmed  differ  decided
    ─────  ────────  ────────────────  ────────────────  ─────  ───────  ─────────  ──────  ───────
    2099   approved  01/01/2099 00:00  02/01/2099 00:00      3        3          0       0        0
    "
  `);
});

it("a round that cannot be loaded says which lines are wrong and what to do", async () => {
  write(
    "wrong.csv",
    RULES,
    "STD-PLY,everyone,,product,PLY,fixed,dear",
    "X,nobody,,product,PLY,fixed,1",
  );
  const load = ["price", "rounds", "load", join(folder, "wrong.csv"), "--who", "Ann Lee"];
  const { exit, out, err } = await run(...load, "--name", "W", "--starts-at", "2099-01-01");
  expect({ exit, out }).toEqual({ exit: 1, out: "" });
  expect(err).toMatchInlineSnapshot(`
    "Loading price round W: 2 rows of wrong.csv are wrong, so that none was taken: line 2: value is "dear" in value; expected a number such as 1234.50; line 3: customerScope is "nobody" in customerScope; expected one of account, head-office, buying-group, customer-group, site, branch, price-list, everyone. Mend them and load the file again. Nothing was changed.
    "
  `);
});

it("a change past the limit is listed, shown and approved", { timeout: 60_000 }, async () => {
  write(
    "out/price-rules.csv",
    RULES,
    "STD-PLY,everyone,,product,PLY,fixed,20.00",
    "STD-NAIL,everyone,,product,NAIL,fixed,0.50",
    "A1-PLY,account,A001,product,PLY,fixed,18.00",
  );
  const pulled = await run("sync", "price-rules");
  expect(pulled.exit).toBe(3);
  expect(pulled.out).toContain("waits for a person; the prices that it touches stay as they were");
  const listed = await run("price", "holds", "list");
  expect(read(listed)).toMatchInlineSnapshot(`
    "
    hold                                  state  since             rules  customers  products  because
    ────────────────────────────────────  ─────  ────────────────  ─────  ─────────  ────────  ─────────────────────────────────────────────────
    ID                                    open   TODAY                 1          2         1  a price moves by 900%, at most 20% goes by itself

    next       npm run -s tradepost -- price holds show ID                                  
    "
  `);
  const id = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(listed.out)?.[0] ?? "none";
  const out = join(folder, "held.csv");
  expect(read(await run("price", "holds", "show", id, "--out", out))).toMatchInlineSnapshot(`
    "
    hold      ID                                  , open
    since     TODAY           , brought by run ID                                  
    because   a price moves by 900%, at most 20% goes by itself
    rules     1: 1 up (most 900.00%), 0 down (most –%), 0 new, 0 gone

    rule      from  for                     counts      ERP
    ────────  ────  ──────────────────────  ──────────  ─────────
    STD-NAIL     0  everyone, product NAIL  fixed 0.05  fixed 0.5

    paid      from TODAY            2 customers would pay another price for 1 product:
              of 2 prices 2 would be others: 2 up, 0 down, 0 come or go

    customer  and others  product  from   pays  would pay       %
    ────────  ──────────  ───────  ────  ─────  ─────────  ──────
    A001               1  NAIL        1  £0.05      £0.50  900.00
    "
  `);
  expect(readFileSync(out, "utf8")).toBe(
    "rule,fromQuantity,customer,product,before,after\nSTD-NAIL,0,everyone,product NAIL,fixed 0.05,fixed 0.5\n",
  );
  await run("price", "holds", "reject", id, "--who", "Bea Moss", "--why", "A typing slip");
  const approved = await run("price", "holds", "approve", id, "--who", "Cy Day", "--why", "Agreed");
  expect(approved.out).toMatch(
    /^hold {6}\S+, approved by Cy Day on \S+ \S+: Agreed \(before: rejected by Bea Moss: A typing slip\)\n/,
  );
  expect((await run("price", "holds", "list")).out).toBe("No price change waits.\n");
});
