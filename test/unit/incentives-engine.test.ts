import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  attribute,
  compare,
  firstInvoices,
  holderCode,
  openLedger,
  pay,
  percentText,
  shareAt,
} from "../../src/incentives/engine/index.ts";
import type {
  AssignmentFact,
  Attribution,
  EntityFact,
  LineFact,
  PayResult,
  PayRules,
  Plan,
  Rate,
  RateRow,
} from "../../src/incentives/engine/index.ts";
import { digestOf } from "../../src/incentives/digest.ts";
import { readPlan } from "../../src/incentives/plan-file.ts";
import { decimal, type Channel } from "../../src/model/index.ts";
import { table } from "../support/tables.ts";

const RULES: PayRules = { currency: "GBP", payStartOn: null, newMonths: 12, historyFrom: null };
const newAndRepeat = shipped("new-and-repeat");
const flat = shipped("flat");
const anyRow = { classes: null, channels: null, productGroups: null };

describe("what is new and what is repeat", () => {
  test("new lasts to the day before the first invoice's anniversary, and says which invoice decided", () => {
    const result = paid({
      sales: `
        on          document  account  net
        2024-03-15  100       A001     200.00
        2025-03-14  101       A001     1000.00
        2025-03-15  102       A001     1000.00
      `,
      assigned: "A001 ANN 100 2020-01-01",
      from: "2025-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rep  class   because                                 rate  pay
        101       ANN  new     first-invoice 100 2024-03-15 2025-03-14  6    60.00
        102       ANN  repeat  first-invoice 100 2024-03-15 2025-03-14  3    30.00
      `,
    );
  });

  test("a leap day's customer is new until the end of February", () => {
    const result = paid({
      sales: `
        on          document  account  net
        2024-02-29  100       A001     100.00
        2025-02-27  101       A001     100.00
        2025-02-28  102       A001     100.00
      `,
      assigned: "A001 ANN 100 2020-01-01",
      from: "2025-01-01",
    });
    expect(linesOf(result).map((line) => line["class"])).toEqual(["new", "repeat"]);
  });

  test("accounts of one trading entity are one customer", () => {
    const result = paid({
      sales: `
        on          document  account  entity  net
        2023-01-10  100       A001     SMITH   200.00
        2025-01-10  101       A002     SMITH   1000.00
        2025-01-10  102       A003             1000.00
      `,
      assigned: `
        A002 ANN 100 2020-01-01
        A003 ANN 100 2020-01-01`,
      from: "2025-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rep  class   because                                 rate  pay
        101       ANN  repeat  first-invoice 100 2023-01-10 2024-01-09  3    30.00
        102       ANN  new     first-invoice 102 2025-01-10 2026-01-09  6    60.00
      `,
    );
  });

  test("a cash account is never new and makes nobody a customer", () => {
    const result = paid({
      sales: `
        on          document  account  entity  net
        2023-01-10  100       CASH     SMITH   200.00
        2025-01-10  101       CASH     SMITH   1000.00
        2025-01-11  102       A001     SMITH   1000.00
      `,
      assigned: `
        CASH ANN 100 2020-01-01
        A001 ANN 100 2020-01-01`,
      cash: ["CASH"],
      from: "2025-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rep  class   because                                 rate  pay
        101       ANN  repeat  cash-account CASH                        3    30.00
        102       ANN  new     first-invoice 102 2025-01-11 2026-01-10  6    60.00
      `,
    );
  });

  test("an invoice that was taken back, a carriage line and a credit note are nobody's first invoice", () => {
    const ledger = ledgerOf(
      lines(`
        on          document  line  account  net      class     version
        2024-01-10  100       1     A001     500.00   goods     1
        2024-01-10  100       1     A001     -500.00  goods     1-reversal
        2024-02-10  CN50      1     A001     -20.00   goods     1
        2024-03-10  101       1     A001     15.00    carriage  1
        2024-04-10  102       1     A001     80.00    goods     1
      `),
    );
    expect(firstInvoices(ledger, new Set())).toEqual([
      { tradingEntity: "account A001", firstOn: "2024-04-10", firstDocument: "102" },
    ]);
  });

  describe("where the ledger's history begins on 01/01/2024", () => {
    const cases = table(`
      customer                                           first       opened      on          class   basis
      bought in the first weeks of the ledger, no date   2024-02-01              2024-03-01  repeat  unproven
      the same a year and more later                     2024-02-01              2025-02-01  repeat  first-invoice
      opened long ago                                    2024-02-01  2011-05-01  2024-03-01  repeat  opening-date
      opened half a year before the ledger               2024-02-01  2023-07-01  2024-03-01  new     opening-date
      its year counts from the opening                   2024-02-01  2023-07-01  2024-07-01  repeat  opening-date
      opened inside the ledger                           2024-09-01  2024-06-15  2025-08-31  new     opening-date
      its year counts from the first invoice             2024-09-01  2024-06-15  2025-09-01  repeat  opening-date
      a full year of ledger before its first invoice     2025-01-01              2025-06-01  new     first-invoice
      the same, whatever the opening date says           2025-01-01  2003-01-01  2025-06-01  new     first-invoice
      a day less than a year                             2024-12-31              2025-06-01  repeat  unproven
    `);
    test.each(cases)(
      "$customer: $class by $basis",
      ({ first, opened, on, class: expected, basis }) => {
        const attributed = attribution({
          sales: `
          on          document  account  net
          ${on}  101       A001     100.00
        `,
          entities: [
            {
              tradingEntity: "account A001",
              firstOn: first ?? "",
              firstDocument: "1",
              openedOn: opened === "" ? null : (opened ?? null),
            },
          ],
          rules: { historyFrom: "2024-01-01" },
        });
        const { evidence } = shareAt(attributed, 0);
        expect({ class: evidence.class, basis: evidence.basis }).toEqual({
          class: expected,
          basis,
        });
      },
    );
  });
});

describe("whose a line is", () => {
  test("60/40 to the penny: every line's pennies, the reps' and the business's add up", () => {
    const result = paid({
      plan: flat,
      sales: `
        on          document  line  account  net
        2026-03-02  100       1     A001     10.01
        2026-03-03  101       1     A001     0.37
        2026-03-04  102       1     A001     33.33
      `,
      assigned: `
        A001 ANN 60 2020-01-01
        A001 BOB 40 2020-01-01`,
    });
    // 43.71 × 60 % = 26.226 and × 40 % = 17.484; 4 % of them 1.04904 and 0.69936.
    expectTable(
      cellsOf(result),
      `
        rep  class  channel  lines  base   rate  pay
        ANN  new    web      3      26.23  4     1.05
        BOB  new    web      3      17.48  4     0.70
      `,
    );
    expectTable(
      linesOf(result),
      `
        document  rep  pay
        100       ANN  0.24
        100       BOB  0.16
        101       ANN  0.01
        101       BOB  0.01
        102       ANN  0.80
        102       BOB  0.53
      `,
    );
  });

  test("a rep change in the middle of a month splits the month by day", () => {
    const result = paid({
      plan: flat,
      sales: `
        on          document  account  net
        2026-03-14  100       A001     100.00
        2026-03-15  101       A001     100.00
        2026-03-16  102       A001     100.00
      `,
      assigned: `
        A001 ANN 100 2020-01-01 2026-03-15
        A001 BOB 100 2026-03-16`,
    });
    expectTable(
      linesOf(result),
      `
        document  rep
        100       ANN
        101       ANN
        102       BOB
      `,
    );
  });

  test("the house and what is unassigned are shown, earn nothing, and complete the base", () => {
    const result = paid({
      plan: flat,
      sales: `
        on          document  account  net
        2026-03-01  100       A001     100.00
        2026-03-01  101       A002     100.00
        2026-03-01  102       A003     100.01
        2026-03-01  103       A004     100.00
      `,
      assigned: `
        A001 ANN   100 2020-01-01
        A002 HOUSE 100 2020-01-01
        A003 ANN   50  2020-01-01
        A004 ANN   100 2026-03-02`,
    });
    expectTable(
      cellsOf(result),
      `
        rep         class  channel  lines  base    rate  pay
        ANN         new    web      2      150.01  4     6.00
        HOUSE       new    web      1      100.00  4     0.00
        unassigned  new    web      2      150.00  4     0.00
      `,
    );
    expect(result.attribution.bridge.basePence).toBe(40_001n);
  });

  test("shares over 100 are refused with the account and the dates, and only where a line needs them", () => {
    const assigned = `
      A001 ANN   60  2020-01-01
      A001 BOB   60  2026-03-10 2026-03-20
      A002 ANN   100 2020-01-01
      A002 HOUSE 10  2026-02-01`;
    const on = (date: string) => () =>
      paid({
        sales: `on          document  account  net\n${date}  100       A003     1.00`,
        assigned,
      });
    expect(on("2026-03-15")).toThrowErrorMatchingInlineSnapshot(`
      [AssignmentError: Sharing out sales: these assignments cannot be; shares of an account on a day must add up to at most 100%. Correct them where the assignments are kept, then run again.
        account A001, 2026-03-10 to 2026-03-20: shares add up to 120% (ANN 60% + BOB 60%)
        account A002, 2026-02-01 to further notice: shares add up to 110% (ANN 100% + HOUSE 10%)]
    `);
    expect(on("2025-12-31")).not.toThrow();
  });

  test("a share of nothing and an assignment that ends before it begins are refused", () => {
    expect(() =>
      paid({
        sales: `on          document  account  net\n2026-03-15  100       A003     1.00`,
        assigned: `
          A001 ANN 0   2020-01-01
          A002 ANN 100 2026-03-20 2026-03-10`,
      }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [AssignmentError: Sharing out sales: these assignments cannot be; shares of an account on a day must add up to at most 100%. Correct them where the assignments are kept, then run again.
        account A001, 2020-01-01 to further notice: ANN has a share of 0%
        account A002, 2026-03-20 to 2026-03-10: ANN's assignment ends before it begins]
    `);
  });
});

describe("credit notes", () => {
  test("a credit after a rep change takes class, split and rate from the line it credits", () => {
    const result = paid({
      sales: `
        on          document  line  account  net      credits
        2025-11-20  100       1     A001     1000.00
        2026-03-05  CN1       1     A001     -400.00  100/1
        2026-03-06  101       1     A001     1000.00
      `,
      assigned: `
        A001 ANN 60  2020-01-01 2025-12-31
        A001 BOB 40  2020-01-01 2025-12-31
        A001 CAT 100 2026-01-01`,
      entities: [
        {
          tradingEntity: "account A001",
          firstOn: "2025-01-10",
          firstDocument: "9",
          openedOn: null,
        },
      ],
      from: "2026-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rep  class   because                               rate  pay
        CN1       ANN  new     first-invoice 9 2025-01-10 2026-01-09  6    -14.40
        CN1       BOB  new     first-invoice 9 2025-01-10 2026-01-09  6    -9.60
        101       CAT  repeat  first-invoice 9 2025-01-10 2026-01-09  3    30.00
      `,
    );
    expect(shareAt(result.attribution, 0).link).toEqual({
      kind: "line",
      document: "100",
      line: 1,
      documentOn: "2025-11-20",
    });
  });

  test("a credit is rated by the plan's version of the day it was sold", () => {
    const [component] = flat.versions[0]?.components ?? [];
    if (component === undefined) throw new Error("flat has a component");
    const dearer = { ...component, rates: [{ ...anyRow, percent: "5" }] };
    const plan: Plan = {
      ...flat,
      versions: [...flat.versions, { version: 2, from: "2026-03-01", components: [dearer] }],
    };
    const result = paid({
      plan,
      sales: `
        on          document  line  account  net      credits
        2026-02-28  100       1     A001     100.00
        2026-03-01  101       1     A001     100.00
        2026-03-02  CN1       1     A001     -100.00  100/1
      `,
      assigned: "A001 ANN 100 2020-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rate  pay
        100       4     4.00
        101       5     5.00
        CN1       4     -4.00
      `,
    );
  });

  const channelsAndGroups: Plan = planOf([
    { ...anyRow, channels: ["web"], percent: "1" },
    { ...anyRow, productGroups: ["TIMBER"], percent: "2" },
    { ...anyRow, percent: "3" },
  ]);

  test("what a credit does not say is taken from the invoice, and from nothing where there is none", () => {
    const result = paid({
      plan: channelsAndGroups,
      sales: `
        on          document  line  account  net     channel    group   credits
        2026-03-01  100       1     A001     100.00  telephone  TIMBER
        2026-03-01  100       2     A001     100.00  telephone  BRICK
        2026-03-02  CN1       1     A001     -10.00  web                100/2
        2026-03-02  CN2       1     A001     -10.00  web        BRICK   100
        2026-03-02  CN3       1     A001     -10.00  web        TIMBER
        2026-03-02  CN4       1     A001     -10.00  counter    TIMBER  999/1
      `,
      assigned: "A001 ANN 100 2020-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rate
        100       2
        100       3
        CN1       3
        CN2       3
        CN3       1
        CN4       2
      `,
    );
    const links = [2, 3, 4, 5].map((share) => shareAt(result.attribution, share).link);
    expect(links).toEqual([
      { kind: "line", document: "100", line: 2, documentOn: "2026-03-01" },
      { kind: "document", document: "100", documentOn: "2026-03-01" },
      { kind: "unlinked", document: null },
      { kind: "unlinked", document: "999" },
    ]);
  });

  test("a credit for a line that the ERP changed follows the line as it stands now", () => {
    const result = paid({
      plan: channelsAndGroups,
      sales: `
        on          document  line  account  net      channel    group   version     credits
        2026-03-01  100       1     A001     100.00   telephone  BRICK   1
        2026-03-01  100       1     A001     -100.00  telephone  BRICK   1-reversal
        2026-03-01  100       1     A001     100.00   telephone  TIMBER  2
        2026-03-02  CN1       1     A001     -10.00   telephone          1           100/1
      `,
      assigned: "A001 ANN 100 2020-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  rate  pay
        100       3     3.00
        100       3     -3.00
        100       2     2.00
        CN1       2     -0.20
      `,
    );
  });

  test("a credit of the same month undoes its invoice to the penny", () => {
    const result = paid({
      sales: `
        on          document  line  account  net    credits
        2026-03-01  100       1     A001     0.37
        2026-03-02  CN1       1     A001     -0.37  100/1
      `,
      assigned: `
        A001 ANN 60 2020-01-01
        A001 BOB 40 2020-01-01`,
    });
    expectTable(
      cellsOf(result),
      `
        rep  class  channel  lines  base  rate  pay
        ANN  new    web      2      0.00  6     0.00
        BOB  new    web      2      0.00  6     0.00
      `,
    );
    const byRep = Map.groupBy(linesOf(result), ({ rep }) => rep);
    for (const [, own] of byRep) expect(sumOf(own, "pay")).toBe("0.00");
  });
});

describe("what is paid on", () => {
  test("only goods, only from the pay start on, only the plan's currency; the bridge names the rest", () => {
    const { attribution: sales } = paid({
      sales: `
        on          document  line  account  net     class     currency
        2025-12-31  99        1     A001     500.00
        2026-01-01  100       1     A001     100.00
        2026-01-01  100       2     A001     12.50   carriage
        2026-01-01  100       3     A001     5.00    charge
        2026-01-02  101       1     A001     7.50    carriage
        2026-01-03  102       1     A001     80.00             EUR
      `,
      rules: { payStartOn: "2026-01-01" },
    });
    expect(sales.bridge).toEqual({
      lines: 6,
      netPence: 70_500n,
      excluded: [
        { reason: "before-pay-start", what: "", lines: 1, netPence: 50_000n },
        { reason: "currency", what: "EUR", lines: 1, netPence: 8000n },
        { reason: "line-class", what: "carriage", lines: 2, netPence: 2000n },
        { reason: "line-class", what: "charge", lines: 1, netPence: 500n },
      ],
      baseLines: 1,
      basePence: 10_000n,
    });
  });

  test("a line before the pay start counts for class; a credit for it takes nothing back", () => {
    const result = paid({
      sales: `
        on          document  line  account  net      credits
        2025-06-01  99        1     A001     500.00
        2026-01-05  CN1       1     A001     -100.00  99/1
        2026-05-31  100       1     A001     100.00
        2026-06-01  101       1     A001     100.00
      `,
      assigned: "A001 ANN 100 2020-01-01",
      rules: { payStartOn: "2026-01-01" },
    });
    expectTable(
      cellsOf(result),
      `
        rep  class   channel  lines  base     rate              pay
        ANN  new     web      1      -100.00  before-pay-start  0.00
        ANN  new     web      1      100.00   6                 6.00
        ANN  repeat  web      1      100.00   3                 3.00
      `,
    );
  });

  test("the first row that fits a line applies; where none fits, and before the plan began, nothing is paid", () => {
    const plan = planOf([
      { ...anyRow, classes: ["new"], channels: ["web", "edi"], percent: "7.5" },
      { ...anyRow, productGroups: ["TIMBER", "BRICK"], percent: "2" },
      { ...anyRow, channels: ["field"], percent: "3" },
    ]);
    const result = paid({
      plan,
      sales: `
        on          document  line  account  net     channel  group
        2019-12-31  99        1     A001     100.00  web      TIMBER
        2020-01-01  100       1     A001     100.00  web      TIMBER
        2020-01-01  100       2     A001     100.00  counter  TIMBER
        2020-01-01  100       3     A001     100.00  field    PIPE
        2020-01-01  100       4     A001     100.00  counter  PIPE
        2020-01-01  100       5     A001     100.00  counter
      `,
      assigned: "A001 ANN 100 2019-01-01",
    });
    expectTable(
      linesOf(result),
      `
        document  line  rate        pay
        99        1     no-version  0.00
        100       1     7.5         7.50
        100       2     2           2.00
        100       3     3           3.00
        100       4     no-row      0.00
        100       5     no-row      0.00
      `,
    );
  });

  test("a plan whose table is empty pays nothing and does not fail", () => {
    const result = paid({
      plan: planOf([]),
      sales: `on          document  account  net\n2026-03-15  100       A001     1000.00`,
      assigned: "A001 ANN 100 2020-01-01",
    });
    expect(payOf(result)).toBe("0.00");
  });

  test("a line that the ERP changed is taken back and paid anew, by its own dates and holders", () => {
    const result = paid({
      plan: flat,
      sales: `
        on          document  line  account  net      version
        2026-03-10  100       1     A001     100.00   1
        2026-03-10  100       1     A001     -100.00  1-reversal
        2026-03-10  100       1     A001     150.00   2
      `,
      assigned: "A001 ANN 100 2020-01-01",
    });
    expect(payOf(result)).toBe("6.00");
  });
});

describe("pennies", () => {
  test("1,000 lines of £0.37 at 4% are £14.80, not £10.00", () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      line({ document: String(index), netPence: 37 }),
    );
    const result = paidLines(many, { plan: flat, assigned: "A001 ANN 100 2020-01-01" });
    expect(payOf(result)).toBe("14.80");
    const pence = [...(result.components[0]?.pence() ?? [])];
    expect(pence.reduce((sum, value) => sum + value, 0)).toBe(1480);
    expect([...new Set(pence)].sort((a, b) => a - b)).toEqual([1, 2]);
  });

  test("each period is rounded by itself", () => {
    const result = paid({
      plan: flat,
      sales: `
        on          document  account  net
        2026-01-10  100       A001     0.13
        2026-02-10  101       A001     0.13
      `,
      assigned: "A001 ANN 100 2020-01-01",
    });
    // 0.0052 twice: a penny each; rounded over both months it would be 0.01 in all.
    expect(payOf(result)).toBe("0.02");
  });

  test("a loss is rounded like a gain: half a penny away from nothing", () => {
    const half = (net: number) =>
      paidLines([line({ netPence: net })], {
        plan: planOf([{ ...anyRow, percent: "50" }]),
        assigned: "A001 ANN 100 2020-01-01",
      });
    expect([half(1), half(-1), half(3), half(-3)].map(payOf)).toEqual([
      "0.01",
      "-0.01",
      "0.02",
      "-0.02",
    ]);
  });

  test("sums beyond what a number holds exactly are exact", () => {
    const large = Number.MAX_SAFE_INTEGER;
    const many = [1, 2, 3].map((position) => line({ line: position, netPence: large }));
    const result = paidLines(many, { plan: flat, assigned: "A001 ANN 100 2020-01-01" });
    expect(result.components[0]?.cells[0]?.basePence).toBe(3n * BigInt(large));
    expect(result.attribution.bridge.basePence).toBe(3n * BigInt(large));
  });

  test("a net beyond what a number holds exactly is refused, one just inside is exact", () => {
    const large = Number.MAX_SAFE_INTEGER;
    const result = paidLines([line({ netPence: large }), line({ line: 2, netPence: large })], {
      plan: planOf([{ ...anyRow, percent: "33.3333" }]),
      assigned: `
        A001 ANN 33.3333 2020-01-01
        A001 BOB 66.6667 2020-01-01`,
    });
    const exact = decimal.divideRounded(
      2n * BigInt(large) * 333_333n * 333_333n,
      10n ** 12n,
      "half-away",
    );
    const ann = result.components[0]?.cells.find(({ holder }) => holderCode(holder) === "ANN");
    expect(ann?.payPence).toBe(exact);
    expect(() => ledgerOf([line({ netPence: large + 1 })])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: Reading the sales ledger for pay: line 1 of invoice 1 has a net of 9007199254740992 pence; expected a whole number within ±9,007,199,254,740,991]`,
    );
  });
});

describe("two plans compared", () => {
  const customers = `
    A001 ANN 100 2020-01-01
    A002 ANN 100 2020-01-01`;
  const beginnings = [entity("A001", "2026-01-05"), entity("A002", "2019-01-05")];

  test("6% new and 3% repeat meet a flat 4% when one third of the sales are new", () => {
    const { reps, ...both } = compared({
      sales: `
        on          document  account  net
        2026-03-10  100       A001     30000.00
        2026-03-10  101       A002     60000.00
      `,
      assigned: customers,
      entities: beginnings,
    });
    expect(reps).toEqual({
      basePence: 9_000_000n,
      newPence: 3_000_000n,
      beforePence: 360_000n,
      afterPence: 360_000n,
      differencePence: 0n,
      changePercent: "0.0",
      parityRatePercent: "4.0000",
      growthForParityPercent: "0.0",
    });
    expect(both.parityNewSharePercent).toBe("33.33");
    expect(both.newSharePercent).toBe("33.33");
    expect([both.gain, both.lose]).toEqual([0, 0]);
  });

  test("with half the sales new a rep loses 11.1% and needs 12.5% more sales to be even", () => {
    const { reps, holders, parityNewSharePercent } = compared({
      sales: `
        on          document  account  net
        2026-03-10  100       A001     50000.00
        2026-03-10  101       A002     50000.00
      `,
      assigned: customers,
      entities: beginnings,
    });
    expect(reps).toMatchObject({
      beforePence: 450_000n,
      afterPence: 400_000n,
      differencePence: -50_000n,
      changePercent: "-11.1",
      parityRatePercent: "4.5000",
      growthForParityPercent: "12.5",
    });
    expect(parityNewSharePercent).toBe("33.33");
    expect(holders.map(({ holder }) => holderCode(holder))).toEqual(["ANN"]);
  });

  test("house and unassigned stand beside the reps, and no plan moves a penny of the base", () => {
    const both = compared({
      sales: `
        on          document  account  net
        2026-03-10  100       A001     0.05
        2026-03-10  101       A002     0.05
        2026-03-10  102       A003     0.05
      `,
      assigned: `
        A001 ANN   33.3333 2020-01-01
        A001 BOB   33.3333 2020-01-01
        A002 HOUSE 100     2020-01-01`,
      entities: beginnings,
    });
    expect(both.holders.map(({ holder, basePence }) => [holderCode(holder), basePence])).toEqual([
      ["ANN", 2n],
      ["BOB", 1n],
      ["HOUSE", 5n],
      ["unassigned", 7n],
    ]);
    expect(both.basePence).toBe(15n);
    expect(both.house.afterPence + both.unassigned.afterPence).toBe(0n);
  });

  test("without sales there is no parity to speak of", () => {
    const { reps, parityNewSharePercent } = compared({
      sales: "on          document  account  net",
    });
    expect([reps.changePercent, reps.parityRatePercent, parityNewSharePercent]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe("whatever the sales and the assignments", () => {
  const cents = fc.oneof(
    fc.integer({ min: -99_999, max: 999_999 }),
    fc.constantFrom(37, -37, 1, -1, 0, 33, 123_456_789_012_345),
  );
  const saleArbitrary = fc.record({
    account: fc.constantFrom("A001", "A002", "A003", "A004"),
    day: fc.integer({ min: 0, max: 800 }),
    netPence: cents,
    channel: fc.constantFrom<Channel>("web", "telephone", "counter"),
    productGroup: fc.constantFrom("TIMBER", "BRICK", null),
    lineClass: fc.constantFrom("goods", "goods", "goods", "carriage"),
    credits: fc.option(fc.nat(30), { freq: 4 }),
  });
  const splitArbitrary = fc.constantFrom(
    ["ANN 100"],
    ["ANN 60", "BOB 40"],
    ["ANN 33.3333", "BOB 33.3333", "CAT 33.3334"],
    ["ANN 12.5", "HOUSE 50"],
    ["HOUSE 100"],
    [],
  );
  const scenario = fc.record({
    sales: fc.array(saleArbitrary, { maxLength: 60 }),
    splits: fc.array(fc.tuple(splitArbitrary, splitArbitrary), { minLength: 4, maxLength: 4 }),
    plan: fc.constantFrom(
      flat,
      newAndRepeat,
      planOf([
        { ...anyRow, channels: ["web"], productGroups: ["BRICK"], percent: "7.125" },
        { ...anyRow, classes: ["repeat"], percent: "2.5" },
      ]),
    ),
  });
  type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

  test("shares add up to the base, pence to cells, cells to the pay, all to the penny", () => {
    fc.assert(
      fc.property(scenario, (it) => {
        const result = resultOf(it);
        const { attribution: sales, components } = result;
        const sold = salesOf(it).filter(({ lineClass }) => lineClass === "goods");
        const base = sold.reduce((sum, { netPence }) => sum + BigInt(netPence), 0n);
        expect(sales.bridge.basePence).toBe(base);
        for (const { cells, cellOfShare, pence } of components) {
          expect(cells.reduce((sum, cell) => sum + cell.basePence, 0n)).toBe(base);
          const byCell = cells.map(() => 0n);
          for (const [share, amount] of pence().entries())
            byCell[cellOfShare[share] ?? -1] =
              (byCell[cellOfShare[share] ?? -1] ?? 0n) + BigInt(amount);
          expect(byCell).toEqual(cells.map((cell) => cell.payPence));
        }
        expect(roundedTotals(result)).toEqual(exactTotals(result));
      }),
    );
  });

  test("the order of lines, assignments and beginnings changes nothing", () => {
    fc.assert(
      fc.property(scenario, fc.integer(), (it, seed) => {
        const shuffle = <T>(items: readonly T[]): T[] => shuffled(items, seed);
        expect(told(resultOf(it, shuffle))).toEqual(told(resultOf(it)));
      }),
    );
  });

  test("the same input gives the same hash in whatever order, a penny more another", () => {
    const hashOf = (result: PayResult): string =>
      digestOf(
        result,
        result.components.map(({ pence }) => pence()),
      );
    fc.assert(
      fc.property(scenario, fc.integer(), fc.nat(), (it, seed, at) => {
        const hash = hashOf(resultOf(it));
        expect(hashOf(resultOf(it, (items) => shuffled(items, seed)))).toBe(hash);
        const sales = salesOf(it);
        const one = sales[at % Math.max(1, sales.length)];
        if (one === undefined) return;
        const dearer = sales.with(sales.indexOf(one), { ...one, netPence: one.netPence + 1 });
        expect(hashOf(resultOf(it, undefined, dearer))).not.toBe(hash);
      }),
    );
  });

  test("a credit of everything sold leaves nothing to pay", () => {
    fc.assert(
      fc.property(scenario, (it) => {
        const invoices = { ...it, sales: it.sales.map((sale) => ({ ...sale, credits: null })) };
        const sold = salesOf(invoices);
        const back = sold.map((sale) => ({
          ...sale,
          documentType: "credit" as const,
          document: `CN${sale.document}`,
          netPence: -sale.netPence,
          creditsDocument: sale.document,
          creditsLine: sale.line,
        }));
        const result = resultOf(invoices, (items) => items, [...sold, ...back]);
        expect(payOf(result)).toBe("0.00");
        for (const { cells } of result.components)
          for (const cell of cells) expect([cell.basePence, cell.payPence]).toEqual([0n, 0n]);
      }),
    );
  });

  /** Every figure of a result, with what decided each line. */
  function told(result: PayResult): unknown {
    const shares = Array.from(result.attribution.shares.line, (_, index) =>
      shareAt(result.attribution, index),
    );
    return {
      bridge: result.attribution.bridge,
      shares: shares.map(({ part: { holder, units, from, to }, ...share }) => ({
        ...share,
        part: { holder, units, from, to },
      })),
      components: result.components.map(({ cells, pence }) => ({ cells, pence: [...pence()] })),
    };
  }

  /** Exact BigInt arithmetic, line by line, rounded once: what the engine must come to. */
  function exactTotals({ attribution: sales, components }: PayResult): Record<string, bigint> {
    const totals: Record<string, bigint> = {};
    for (const { cells, cellOfShare } of components)
      for (const index of sales.shares.line.keys()) {
        const { line: sold, part } = shareAt(sales, index);
        const cell = cells[cellOfShare[index] ?? -1];
        if (part.holder.kind !== "rep" || cell === undefined) continue;
        const key = `${holderCode(part.holder)} ${sold.period}`;
        const exact = BigInt(sold.netPence) * BigInt(part.units) * BigInt(cell.rate.units);
        totals[key] = (totals[key] ?? 0n) + exact;
      }
    for (const [key, exact] of Object.entries(totals))
      totals[key] = decimal.divideRounded(exact, 10n ** 12n, "half-away");
    return totals;
  }

  function roundedTotals({ components }: PayResult): Record<string, bigint> {
    const totals: Record<string, bigint> = {};
    for (const { holder, period, payPence } of components.flatMap(({ cells }) => cells)) {
      if (holder.kind !== "rep") continue;
      const key = `${holderCode(holder)} ${period}`;
      totals[key] = (totals[key] ?? 0n) + payPence;
    }
    return totals;
  }

  function salesOf({ sales }: Scenario): LineFact[] {
    return sales.map(({ day, credits, netPence, ...sale }, index) => {
      const isCredit = credits !== null && credits < index;
      return line({
        ...sale,
        tradingEntity: `account ${sale.account}`,
        documentType: isCredit ? "credit" : "invoice",
        document: `${isCredit ? "CN" : ""}${index}`,
        documentOn: Temporal.PlainDate.from("2023-06-01").add({ days: day }).toString(),
        netPence: isCredit ? -Math.abs(netPence) : netPence,
        creditsDocument: isCredit ? String(credits) : null,
        creditsLine: isCredit && index % 3 > 0 ? 1 : null,
      });
    });
  }

  function resultOf(
    it: Scenario,
    order: <T>(items: readonly T[]) => readonly T[] = (items) => items,
    sales: readonly LineFact[] = salesOf(it),
  ): PayResult {
    const assignments = it.splits.flatMap(([early, late], index) =>
      [
        ...early.map((text) => [text, "2020-01-01", "2024-03-15"] as const),
        ...late.map((text) => [text, "2024-03-16", null] as const),
      ].map(([text, validFrom, validTo]) => {
        const [rep = "", sharePercent = ""] = text.split(" ");
        return { account: `A00${index + 1}`, rep, sharePercent, validFrom, validTo };
      }),
    );
    const entities = firstInvoices(ledgerOf(sales), new Set()).map((first) => ({
      ...first,
      openedOn: null,
    }));
    const attributed = attribute({
      ledger: ledgerOf(order(sales)),
      assignments: order(assignments),
      entities: order(entities),
      cashAccounts: new Set(["A004"]),
      rules: { ...RULES, historyFrom: "2023-06-01" },
    });
    return pay(attributed, it.plan);
  }
});

// Below: how the tables above become facts, and results become tables.

interface Case {
  readonly sales: string;
  /** Lines of "ACCOUNT REP SHARE FROM [TO]". */
  readonly assigned?: string;
  readonly entities?: readonly EntityFact[];
  readonly cash?: readonly string[];
  readonly plan?: Plan;
  readonly rules?: Partial<PayRules>;
  /** Lines before it are given for reference only. */
  readonly from?: string;
}

function attribution(given: Case, all: readonly LineFact[] = lines(given.sales)): Attribution {
  const cashAccounts = new Set(given.cash);
  const ledger = ledgerOf(all, given.from);
  return attribute({
    ledger,
    assignments: assignments(given.assigned ?? ""),
    entities:
      given.entities ??
      firstInvoices(ledger, cashAccounts).map((first) => ({ ...first, openedOn: null })),
    cashAccounts,
    rules: { ...RULES, ...given.rules },
  });
}

function paid(given: Case): PayResult {
  return pay(attribution(given), given.plan ?? newAndRepeat);
}

function paidLines(all: readonly LineFact[], given: Omit<Case, "sales">): PayResult {
  return pay(attribution({ sales: "", ...given }, all), given.plan ?? newAndRepeat);
}

function compared(given: Case): ReturnType<typeof compare> {
  const sales = attribution(given);
  return compare(pay(sales, newAndRepeat), pay(sales, flat));
}

function ledgerOf(
  all: readonly LineFact[],
  from = "",
): ReturnType<ReturnType<typeof openLedger>["close"]> {
  const ledger = openLedger();
  for (const it of all) (it.documentOn < from ? ledger.refer : ledger.add)(it);
  return ledger.close();
}

function assignments(text: string): AssignmentFact[] {
  return text
    .split("\n")
    .map((row) => row.trim().split(/ +/))
    .filter((row) => row.length > 1)
    .map(([account = "", rep = "", sharePercent = "", validFrom = "", validTo = null]) => ({
      account,
      rep,
      sharePercent,
      validFrom,
      validTo,
    }));
}

/** Documents whose number begins with CN are credit notes. */
function lines(text: string): LineFact[] {
  return table(text).map((row, index) => {
    const { on = "", document = "", account = "", net = "0" } = row;
    const [creditsDocument, creditsLine] = (row["credits"] ?? "").split("/");
    const [version = "1", reversal] = (row["version"] || "1").split("-");
    return line({
      postingId: `posting ${index}`,
      documentType: document.startsWith("CN") ? "credit" : "invoice",
      document,
      line: Number(row["line"] || 1),
      version: Number(version),
      reversal: reversal !== undefined,
      account,
      tradingEntity: row["entity"] || `account ${account}`,
      documentOn: on,
      period: on.slice(0, 7),
      channel: (row["channel"] || "web") as Channel,
      productGroup: row["group"] || null,
      lineClass: row["class"] || "goods",
      currency: row["currency"] || "GBP",
      netPence: Number(decimal.digitsAt(decimal.parse(net), 2)),
      creditsDocument: creditsDocument || null,
      creditsLine: creditsLine === undefined ? null : Number(creditsLine),
    });
  });
}

function line(fact: Partial<LineFact>): LineFact {
  const documentOn = fact.documentOn ?? "2026-03-15";
  return {
    postingId: "posting",
    source: "erp",
    documentType: "invoice",
    document: "1",
    line: 1,
    version: 1,
    reversal: false,
    account: "A001",
    tradingEntity: "account A001",
    channel: "web",
    productGroup: null,
    lineClass: "goods",
    currency: "GBP",
    netPence: 0,
    creditsDocument: null,
    creditsLine: null,
    ...fact,
    documentOn,
    period: documentOn.slice(0, 7),
  };
}

/** Every share that somebody is paid for, in the ledger's order. */
function linesOf({ attribution: sales, components }: PayResult): Record<string, string>[] {
  return components.flatMap(({ cells, cellOfShare, pence }) =>
    [...pence()].map((amount, index) => {
      const { line: sold, part, evidence } = shareAt(sales, index);
      const { class: salesClass, basis, ...facts } = evidence;
      const because =
        basis === "first-invoice" && "newTo" in facts
          ? `${basis} ${facts.firstDocument} ${facts.firstOn} ${facts.newTo}`
          : `${basis} ${Object.values(facts).join(" ")}`;
      return {
        document: sold.document,
        line: String(sold.line),
        rep: holderCode(part.holder),
        class: salesClass,
        because,
        rate: rateText(cells[cellOfShare[index] ?? -1]?.rate),
        pay: poundsText(BigInt(amount)),
      };
    }),
  );
}

function cellsOf({ components }: PayResult): Record<string, string>[] {
  return components.flatMap(({ cells }) =>
    cells.map(
      ({ holder, class: salesClass, channel, lines: count, basePence, rate, payPence }) => ({
        rep: holderCode(holder),
        class: salesClass,
        channel,
        lines: String(count),
        base: poundsText(basePence),
        rate: rateText(rate),
        pay: poundsText(payPence),
      }),
    ),
  );
}

/** Compares the columns that the expected table has. */
function expectTable(found: readonly Record<string, string>[], expected: string): void {
  const rows = table(expected);
  const columns = Object.keys(rows[0] ?? {});
  const same = found.map((row) => Object.fromEntries(columns.map((it) => [it, row[it] ?? ""])));
  expect(same).toEqual(rows);
}

function rateText(rate: Rate | undefined): string {
  if (rate === undefined) return "";
  return rate.basis === "row" ? percentText(rate.units) : rate.basis;
}

function payOf({ components }: PayResult): string {
  const cells = components.flatMap((component) => component.cells);
  return poundsText(cells.reduce((sum, cell) => sum + cell.payPence, 0n));
}

function sumOf(rows: readonly Record<string, string>[], column: string): string {
  const sum = decimal.sum(rows.map((row) => decimal.parse(row[column] ?? "0")));
  return decimal.format(decimal.round(sum, { scale: 2, mode: "half-away" }));
}

function poundsText(pence: bigint): string {
  return decimal.format({ digits: pence, scale: 2 });
}

function entity(account: string, firstOn: string): EntityFact {
  return { tradingEntity: `account ${account}`, firstOn, firstDocument: "1", openedOn: null };
}

function planOf(rates: readonly RateRow[]): Plan {
  const component = { kind: "rate", component: "commission", title: "Commission", rates } as const;
  const versions = [{ version: 1, from: "2020-01-01", components: [component] }];
  return { plan: "test", title: "Test", currency: "GBP", versions };
}

function shipped(name: string): Plan {
  const file = `deploy/demo/plans/${name}.yaml`;
  return readPlan({ file, text: readFileSync(file, "utf8") });
}

/** A reordering that depends on the seed alone. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const rank = (index: number): number => Math.imul(index + 1, seed | 1) ^ (seed >>> 7);
  return items
    .map((item, index) => ({ item, rank: rank(index) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}
