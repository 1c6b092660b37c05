import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  comparisonLines,
  comparisonRows,
  openIncentives,
  statementLines,
  statementRows,
  summaryLines,
} from "../../src/incentives/index.ts";
import type { Incentives, IncentivesSettings } from "../../src/incentives/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { openSales } from "../../src/sales/index.ts";
import type { Sales } from "../../src/sales/index.ts";
import { ORIGIN_ID, pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { table } from "../support/tables.ts";

const database = useDatabase();
const NOW = Temporal.Instant.from("2026-04-02T07:15:00Z");
const PLANS = ["new-and-repeat", "flat"].map((name) => {
  const file = `deploy/demo/plans/${name}.yaml`;
  return { file, text: readFileSync(file, "utf8") };
});

interface Opened {
  readonly incentives: Incentives;
  readonly sales: Sales;
}

function open(company: string, settings: Partial<IncentivesSettings> = {}): Opened {
  const { store } = database;
  const sales = openSales({
    store,
    company,
    settings: { channels: [] },
    sources: {
      freshness: async () => [{ source: "erp", at: NOW }],
      quarantined: async () => [],
      setAside: async () => new Map(),
      origin: async (id) =>
        id === ORIGIN_ID
          ? {
              name: "sales-lines-20260331-0600.csv",
              keptAt: "archive/sales-lines/2026-03-31/sales-lines-20260331-0600.csv",
              connection: "erp",
              stream: "sales-lines",
              runId: id,
            }
          : null,
    },
    now: () => NOW,
  });
  const incentives = openIncentives({
    store,
    company,
    sales,
    settings: {
      plans: PLANS,
      currency: "GBP",
      payStartOn: "2026-01-01",
      newWithinMonths: 12,
      historyFrom: "2024-01-01",
      ...settings,
    },
    now: () => NOW,
  });
  return { incentives, sales };
}

const CUSTOMERS = `
  account  name            entity  opened      cash
  A001     Smith Builders  SMITH   2019-04-01
  A002     Smith Roofing   SMITH   2025-09-01
  A003     New Homes               2026-01-20
  A004     Old Forge
  CASH     Counter sales                       yes
`;
const ASSIGNED = `
  account  rep    share  from        to
  A001     ANN    60     2020-01-01  2026-03-15
  A001     BOB    40     2020-01-01  2026-03-15
  A001     BOB    100    2026-03-16
  A002     ANN    100    2020-01-01
  A003     BOB    100    2020-01-01
  CASH     HOUSE  100    2020-01-01
`;
const SOLD = `
  on          document  line  account  net     channel    class     credits
  2024-02-01  I90       1     A004     50.00   telephone
  2024-06-01  I91       1     A001     900.00  telephone
  2026-02-10  I100      1     A001     100.01  web
  2026-03-02  I101      1     A001     33.37   web
  2026-03-02  I101      2     A001     9.95               carriage
  2026-03-05  I102      1     A002     250.00  telephone
  2026-03-09  I103      1     A003     80.00   counter
  2026-03-18  C7        1     A001     20.02   telephone            I100/1
  2026-03-20  I104      1     A001     12.49   web
  2026-03-21  I105      1     A004     75.00   counter
  2026-03-22  I106      1     CASH     6.66    counter
  2026-03-23  C8        1     A003     1.00    counter
`;

async function pullMaster(company: string): Promise<void> {
  const on = database.store;
  await pull(on, company, "rep", [
    { rep: "ANN", name: "Ann Field" },
    { rep: "BOB", name: "Bob Marsh" },
  ]);
  await pull(on, company, "trading-entity", [
    { tradingEntity: "SMITH", name: "Smith", openedOn: "2019-04-01" },
  ]);
  await pull(
    on,
    company,
    "customer",
    table(CUSTOMERS).map((row) => ({
      account: row["account"] ?? "",
      name: row["name"] ?? "",
      currency: "GBP",
      tradingEntity: row["entity"] || null,
      openedOn: row["opened"] || null,
      cashAccount: row["cash"] === "yes",
    })),
  );
  await pull(
    on,
    company,
    "assignment",
    table(ASSIGNED).map((row) => ({
      account: row["account"] ?? "",
      rep: row["rep"] ?? "",
      sharePercent: row["share"] ?? "",
      validFrom: row["from"] ?? "",
      validTo: row["to"] || null,
    })),
  );
}

/** Documents as a pull would leave them; the ERP states channels, and amounts without a sign. */
async function pullSales(company: string, text: string): Promise<void> {
  const rows = table(text);
  const documents = Map.groupBy(rows, (row) => row["document"] ?? "");
  const type = (document: string) => (document.startsWith("C") ? "credit" : "invoice");
  const heads: Partial<Canonical<"sales-document">>[] = [...documents].map(([document, lines]) => {
    const net = lines.reduce((sum, row) => sum + Number(row["net"]), 0).toFixed(2);
    return {
      documentType: type(document),
      document,
      account: lines[0]?.["account"] ?? "",
      documentOn: lines[0]?.["on"] ?? "",
      channel: (lines[0]?.["channel"] || null) as Canonical<"sales-document">["channel"],
      net,
      vat: "0.00",
      gross: net,
    };
  });
  await pull(database.store, company, "sales-document", heads, NOW.toString());
  await pull(
    database.store,
    company,
    "sales-line",
    rows.map((row) => {
      const [creditsDocument, creditsLine] = (row["credits"] ?? "").split("/");
      return {
        documentType: type(row["document"] ?? ""),
        document: row["document"] ?? "",
        line: Number(row["line"]),
        lineClass: (row["class"] || "goods") as Canonical<"sales-line">["lineClass"],
        product: "P1",
        quantity: "1",
        unitPrice: row["net"] ?? "",
        net: row["net"] ?? "",
        vat: "0.00",
        creditsDocument: creditsDocument || null,
        creditsLine: creditsLine === undefined ? null : Number(creditsLine),
      };
    }),
    NOW.toString(),
  );
}

async function ready(company: string, settings: Partial<IncentivesSettings> = {}): Promise<Opened> {
  const opened = open(company, settings);
  await pullMaster(company);
  await pullSales(company, SOLD);
  await opened.sales.post();
  return opened;
}

const MARCH = { from: "2026-03", to: "2026-03" } as const;

describe("a pay run", () => {
  test("gives each rep a statement in which every line says why", async () => {
    const { incentives } = await ready("STATEMENT");
    const { run } = await incentives.run({ plan: "new-and-repeat", ...MARCH });
    const ann = await incentives.statement({ rep: "ANN", of: { run } });
    expect(statementLines(ann, "Europe/London").join("\n")).toMatchInlineSnapshot(`
      "STATEMENT  Ann Field (ANN)
      Plan       6% new, 3% repeat (new-and-repeat)
      Periods    2026-03 to 2026-03
      Run        1, version 1, calculated 02/04/2026 08:15, sales ledger up to batch 1
      Base       £258.01
      Pay        £7.74

      Commission
        class   channel    lines     base  rate    pay
        repeat  telephone      1  £250.00    3%  £7.50
        repeat  web            2    £8.01    3%  £0.24
        total                  3  £258.01        £7.74

      date        document  customer                 net  share  class   rate     pay  ref  because
      02/03/2026  I101/1    A001 Smith Builders   £33.37    60%  repeat    3%   £0.60  1/1  Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 60% share from 01/01/2020 to 15/03/2026. 3% by row 2 of new-and-repeat, version 1.
      05/03/2026  I102/1    A002 Smith Roofing   £250.00   100%  repeat    3%   £7.50  1/3  Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 3% by row 2 of new-and-repeat, version 1.
      18/03/2026  C7/1      A001 Smith Builders  -£20.02    60%  repeat    3%  -£0.36  1/5  Credits invoice I100 line 1 of 10/02/2026, as it was sold. Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 60% share from 01/01/2020 to 15/03/2026. 3% by row 2 of new-and-repeat, version 1."
    `);
    const bob = await incentives.statement({
      rep: "BOB",
      of: { plan: "new-and-repeat", ...MARCH },
    });
    expect(statementLines(bob, "Europe/London").join("\n")).toMatchInlineSnapshot(`
      "STATEMENT  Bob Marsh (BOB)
      Plan       6% new, 3% repeat (new-and-repeat)
      Periods    2026-03 to 2026-03
      Run        1, version 1, calculated 02/04/2026 08:15, sales ledger up to batch 1
      Base       £96.83
      Pay        £5.27

      Commission
        class   channel  lines    base  rate    pay
        new     counter      2  £79.00    6%  £4.74
        repeat  web          3  £17.83    3%  £0.53
        total                5  £96.83        £5.27

      date        document  customer                 net  share  class   rate     pay  ref   because
      02/03/2026  I101/1    A001 Smith Builders   £33.37    40%  repeat    3%   £0.40  1/2   Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 40% share from 01/01/2020 to 15/03/2026. 3% by row 2 of new-and-repeat, version 1.
      09/03/2026  I103/1    A003 New Homes        £80.00   100%  new       6%   £4.80  1/4   New: first invoice I103 on 09/03/2026, new until 08/03/2027. 6% by row 1 of new-and-repeat, version 1.
      18/03/2026  C7/1      A001 Smith Builders  -£20.02    40%  repeat    3%  -£0.24  1/6   Credits invoice I100 line 1 of 10/02/2026, as it was sold. Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 40% share from 01/01/2020 to 15/03/2026. 3% by row 2 of new-and-repeat, version 1.
      20/03/2026  I104/1    A001 Smith Builders   £12.49   100%  repeat    3%   £0.37  1/7   Repeat: opened 01/04/2019, first invoice I91 on 01/06/2024 of the ledger, new ended on 31/03/2020. 3% by row 2 of new-and-repeat, version 1.
      23/03/2026  C8/1      A003 New Homes        -£1.00   100%  new       6%  -£0.06  1/10  Names no invoice: by its own date. New: first invoice I103 on 09/03/2026, new until 08/03/2027. 6% by row 1 of new-and-repeat, version 1."
    `);
    const total = bob.lines.reduce((sum, line) => sum + Math.round(Number(line.pay) * 100), 0);
    expect((total / 100).toFixed(2)).toBe(bob.pay);
  });

  test("shows the business every holder, the bridge to the base and what to look at", async () => {
    const { incentives } = await ready("SUMMARY");
    const made = await incentives.run({ plan: "flat", ...MARCH });
    const summary = await incentives.summary({ run: made.run });
    expect(summaryLines(summary, "Europe/London").join("\n")).toMatchInlineSnapshot(`
      "PAY RUN    1, version 1, calculated 02/04/2026 08:15, sales ledger up to batch 1
      Plan       4% of everything attributed (flat)
      Periods    2026-03 to 2026-03

      rep         name       lines     new   repeat     base     pay
      ANN         Ann Field      3   £0.00  £258.01  £258.01  £10.32
      BOB         Bob Marsh      5  £79.00   £17.83   £96.83   £3.87
      house                      1   £0.00    £6.66    £6.66   £0.00
      unassigned                 1   £0.00   £75.00   £75.00   £0.00
      total                     10                   £436.50  £14.19

      from sales to the base        lines      net
      net of all lines                  9  £446.45
      less lines of class carriage      1   -£9.95
      commission base                   8  £436.50

      Accounts that nobody is assigned to, or not wholly: 1
        A004  1 line  £75.00

      Credit notes that name no invoice of the ledger, by their own date: 1
        C8  1 line  -£1.00"
    `);
  });

  test("adds up by SQL that knows nothing of it: Σ reps + house + unassigned = Σ invoices − credits", async () => {
    const { incentives } = await ready("SUMS");
    const { run } = await incentives.run({ plan: "new-and-repeat", ...MARCH });
    const [sums] = await database.store.query(
      `select (select sum(case when document_type = 'credit' then -l.net else l.net end)
                 from sales_line l join sales_document d using (company, document_type, document)
                where company = $1 and d.document_on between '2026-03-01' and '2026-03-31'
                  and l.line_class = 'goods') as sold,
              (select sum(base) from pay_total where company = $1 and run = $2) as shared,
              (select sum(base)::numeric(18, 2) from pay_line where company = $1 and run = $2) as lines,
              (select pay from pay_run where company = $1 and run = $2) as paid,
              (select sum(pay) from pay_total where company = $1 and run = $2) as totals,
              (select sum(pay) from pay_line where company = $1 and run = $2) as pence,
              (select sum(rounded) from (
                 select round(sum(l.exact), 2) as rounded
                   from pay_line l join pay_total t using (company, run, total)
                  where company = $1 and run = $2 and t.holder = 'rep'
                  group by t.rep, t.period, t.component) by_rep) as rounded`,
      ["SUMS", run],
    );
    const [sold, shared, lines, ...pay] = Object.values(sums ?? {});
    expect([shared, lines]).toEqual([sold, sold]);
    expect(new Set(pay).size).toBe(1);
  });

  test("is written once: the same again is the same run, a late line makes a new version", async () => {
    const { incentives, sales } = await ready("AGAIN");
    const first = await incentives.run({ plan: "flat", ...MARCH });
    expect([first.run, first.version, first.isNew]).toEqual([1, 1, true]);
    const again = await incentives.run({ plan: "flat", ...MARCH });
    expect([again.run, again.version, again.isNew, again.hash]).toEqual([1, 1, false, first.hash]);

    await pullSales(
      "AGAIN",
      `
      on          document  line  account  net     channel
      2026-03-30  I107      1     A002     100.00  web
    `,
    );
    await sales.post();
    const late = await incentives.run({ plan: "flat", ...MARCH });
    expect([late.run, late.version, late.isNew]).toEqual([2, 2, true]);
    const { pay, previous } = await incentives.statement({ rep: "ANN", of: { run: late.run } });
    const before = await incentives.statement({ rep: "ANN", of: { run: first.run } });
    expect(previous).toEqual({ run: 1, version: 1, pay: before.pay });
    expect(Number(pay) - Number(before.pay)).toBeCloseTo(4, 10);
    expect((await incentives.runs()).map((run) => run.run)).toEqual([2, 1]);
  });

  test("comes to the same hash when the documents arrived in another order and in other batches", async () => {
    const { incentives } = await ready("ORDER-1");
    const there = open("ORDER-2");
    await pullMaster("ORDER-2");
    const [head = "", ...rows] = SOLD.split("\n").filter((row) => row.trim() !== "");
    const documents = Map.groupBy(rows, (row) => row.trim().split(/ +/)[1]);
    for (const lines of [...documents.values()].toReversed()) {
      await pullSales("ORDER-2", [head, ...lines].join("\n"));
      await there.sales.post();
    }
    const here = await incentives.run({ plan: "new-and-repeat", ...MARCH });
    const other = await there.incentives.run({ plan: "new-and-repeat", ...MARCH });
    expect(other.hash).toBe(here.hash);
    expect(other.watermark).toBeGreaterThan(here.watermark);
  });

  test("follows a penny back to the line of the file", async () => {
    const { incentives } = await ready("TRACE");
    const { run } = await incentives.run({ plan: "new-and-repeat", ...MARCH });
    const { lines } = await incentives.statement({ rep: "ANN", of: { run } });
    const credit = lines.find(({ documentType }) => documentType === "credit");
    const { holder, line, sale } = await incentives.trace(credit?.id ?? "");
    expect(holder).toBe("ANN");
    expect(line).toEqual(credit);
    expect(line.because).toMatchObject({
      link: { kind: "line", document: "I100", line: 1, documentOn: "2026-02-10" },
      share: { percent: "60", from: "2020-01-01", to: "2026-03-15" },
    });
    expect(sale?.posting).toMatchObject({
      document: "C7",
      line: 1,
      net: "-20.02",
      originId: ORIGIN_ID,
    });
    expect(sale?.row).toMatchObject({ document: "C7", net: "20.02" });
    expect(sale?.origin).toMatchObject({
      name: "sales-lines-20260331-0600.csv",
      stream: "sales-lines",
    });
  });
});

describe("two plans", () => {
  test("are compared over the ledger, per rep and for the business, and nothing is written", async () => {
    const { incentives } = await ready("COMPARE");
    const question = { before: "new-and-repeat", after: "flat", from: "2026-01", to: "2026-03" };
    const comparison = await incentives.compare(question);
    expect(comparisonLines(comparison).join("\n")).toMatchInlineSnapshot(`
      "COMPARISON 6% new, 3% repeat (new-and-repeat) against 4% of everything attributed (flat)
      Periods    2026-01 to 2026-03, sales ledger up to batch 1

      rep    name          base     new  new-and-repeat    flat  difference  change  parity rate  growth for parity
      ANN    Ann Field  £318.02   £0.00           £9.54  £12.72       £3.18   33.3%      2.9998%               -25%
      BOB    Bob Marsh  £136.83  £79.00           £6.47   £5.47      -£1.00  -15.5%      4.7285%              18.3%
      total             £454.85  £79.00          £16.01  £18.19       £2.18   13.6%      3.5198%               -12%

      House £6.66 and unassigned £75.00 are paid to nobody. Base: £536.51.
      flat pays the reps £2.18 more (13.6%): 1 gain, 1 lose. A flat 3.5198% would cost the same.
      New customers are 17.37% of the reps' base; both plans would cost the same at 33.34%."
    `);
    expect(comparisonRows(comparison).at(-1)?.slice(0, 7)).toEqual([
      "total",
      "",
      comparison.business.base,
      comparison.business.newBase,
      comparison.business.before,
      comparison.business.after,
      comparison.business.difference,
    ]);
    expect(await incentives.runs()).toEqual([]);
  });

  test("pay in a comparison what they pay in a run", async () => {
    const { incentives } = await ready("SAME");
    const periods = { from: "2026-01", to: "2026-03" };
    const { business, reps } = await incentives.compare({
      before: "new-and-repeat",
      after: "flat",
      ...periods,
    });
    const before = await incentives.run({ plan: "new-and-repeat", ...periods });
    const after = await incentives.run({ plan: "flat", ...periods });
    expect([business.before, business.after]).toEqual([before.pay, after.pay]);
    const { holders } = await incentives.summary({ run: after.run });
    expect(reps.map(({ rep, base, after: pay }) => [rep, base, pay])).toEqual(
      holders
        .filter(({ holder }) => holder === "rep")
        .map(({ rep, base, pay }) => [rep, base, pay]),
    );
  });
});

test("the CSV of a statement has a row for every line and an exact figure beside every penny", async () => {
  const { incentives } = await ready("CSV");
  const { run } = await incentives.run({ plan: "new-and-repeat", ...MARCH });
  const [heads, ...rows] = statementRows(await incentives.statement({ rep: "ANN", of: { run } }));
  expect(rows.every((row) => row.length === heads?.length)).toBe(true);
  const first = Object.fromEntries((heads ?? []).map((head, index) => [head, rows[0]?.[index]]));
  expect(first).toMatchObject({
    ref: "1/1",
    document: "I101",
    net: "33.37",
    sharePercent: "60",
    base: "20.022",
    ratePercent: "3",
    exact: "0.60066",
    pay: "0.60",
  });
});

test("without a ledger there is nothing to pay, and no fault", async () => {
  const { incentives } = open("EMPTY");
  const made = await incentives.run({ plan: "flat", ...MARCH });
  expect([made.base, made.pay, made.lines]).toEqual(["0.00", "0.00", 0]);
});

describe("slips are answered with what to do", () => {
  const slips: readonly (readonly [string, (opened: Opened) => Promise<unknown>])[] = [
    ["a plan that is not there", ({ incentives }) => incentives.run({ plan: "flatt", ...MARCH })],
    [
      "periods the wrong way round",
      ({ incentives }) => incentives.run({ plan: "flat", from: "2026-03", to: "2026-02" }),
    ],
    [
      "pay that was not calculated",
      ({ incentives }) => incentives.summary({ plan: "flat", ...MARCH }),
    ],
    ["a run that is not there", ({ incentives }) => incentives.summary({ run: 9 })],
    ["a pay line that is none", ({ incentives }) => incentives.trace("I100/1")],
  ];
  test.each(slips)("%s", async (_, slip) => {
    await expect(slip(open("SLIPS"))).rejects.toThrowErrorMatchingSnapshot();
  });

  test("a rep that is not there", async () => {
    const { incentives } = open("SLIPS");
    const { run } = await incentives.run({ plan: "flat", from: "2025-01", to: "2025-01" });
    await expect(
      incentives.statement({ rep: "ann", of: { run } }),
    ).rejects.toThrowErrorMatchingSnapshot();
  });

  test("two plan files of one code, and a plan in another currency", () => {
    const twice = { plans: [...PLANS, ...PLANS.slice(1)] };
    expect(() => open("SLIPS", twice)).toThrowErrorMatchingSnapshot();
    expect(() => open("SLIPS", { currency: "EUR" })).toThrowErrorMatchingSnapshot();
  });
});
