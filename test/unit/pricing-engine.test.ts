import { describe, expect, test } from "vitest";
import { bookOf, differences, explained } from "../support/price-table.ts";

const STANDARD = `
  rule | whom     | what         | gives   | from | dates | notes
  S1   | everyone | product NAIL | £0.05
  S2   | everyone | product PLY  | £40.00
  S3   | everyone | product BRK  | £650.00
  S4   | everyone | product BEAM | £12.34
`;

describe("base price", () => {
  test("an account without a list pays the standard price", () => {
    expect(
      differences(
        { rules: STANDARD },
        `
      account | product | quantity | unit price | net   | VAT  | because
      PLAIN01 | PLY     | 3        | 40.0000    | 120.00| 24.00| Standard price
      PLAIN01 | BEAM    | 2.5      | 12.3400    | 30.85 | 1.54 | Standard price
      `,
      ),
    ).toEqual([]);
  });

  test("a list price replaces the standard price, also when it is dearer", () => {
    expect(
      differences(
        { rules: `${STANDARD}  L1-1 | list L1 | product PLY | £44.00` },
        `
      account | product | unit price | because
      BUILD01 | PLY     | 44.0000    | List price (L1)
      BUILD01 | NAIL    | 0.0500     | Standard price
      PLAIN01 | PLY     | 40.0000    | Standard price
      `,
      ),
    ).toEqual([]);
  });

  test("where the list price does not hold yet, the standard price stands", () => {
    expect(
      differences(
        { rules: `${STANDARD}  L1-1 | list L1 | product PLY | £36.00 | | 2026-07-01 ..` },
        `
      account | product | on         | unit price | until
      BUILD01 | PLY     | 2026-06-30 | 40.0000    | 2026-07-01
      BUILD01 | PLY     | 2026-07-01 | 36.0000    |
      `,
      ),
    ).toEqual([]);
  });
});

describe("breaks", () => {
  const rules = `
    rule | whom            | what         | gives | from
    C1   | account PLAIN01 | product NAIL | £0.05 |
    C1   | account PLAIN01 | product NAIL | £0.04 | 100
    C1   | account PLAIN01 | product NAIL | £0.03 | 1000
  `;

  test("a break holds from its quantity, and for the whole line", () => {
    expect(
      differences(
        { rules },
        `
      product | quantity  | unit price | net    | because
      NAIL    | 1         | 0.0500     | 0.05   | Customer price
      NAIL    | 99.99999  | 0.0500     | 5.00   | Customer price
      NAIL    | 100       | 0.0400     | 4.00   | Customer price, from 100
      NAIL    | 999       | 0.0400     | 39.96  | Customer price, from 100
      NAIL    | 1000      | 0.0300     | 30.00  | Customer price, from 1,000
      `,
      ),
    ).toEqual([]);
  });

  test("the highest break reached is the rule's price, also when a lower one would be cheaper", () => {
    expect(
      differences(
        { rules: `${rules}  C1 | account PLAIN01 | product NAIL | £0.06 | 5000` },
        `
      product | quantity | unit price
      NAIL    | 4999     | 0.0300
      NAIL    | 5000     | 0.0600
      `,
      ),
    ).toEqual([]);
  });

  test("breaks of different rules compete", () => {
    expect(
      differences(
        { rules: `${rules}  C2 | account PLAIN01 | product NAIL | £0.035 | 50` },
        `
      product | quantity | unit price
      NAIL    | 49       | 0.0500
      NAIL    | 100      | 0.0350
      NAIL    | 1000     | 0.0300
      `,
      ),
    ).toEqual([]);
  });

  test("a rule that begins at a break gives nothing below it", () => {
    expect(
      differences(
        { rules: "rule|whom|what|gives|from\nC9|account PLAIN01|product NAIL|£0.02|10" },
        `
      product | quantity | unit price | because
      NAIL    | 9        | unknown    | No price holds for this customer, product, quantity and day
      NAIL    | 10       | 0.0200     | Customer price, from 10
      `,
      ),
    ).toEqual([]);
  });
});

describe("dates", () => {
  test("the first and the last day are inclusive, and the answer says when it changes", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}  C1 | account PLAIN01 | product PLY | £30.00 | | 2026-03-01 .. 2026-03-31 | contract C-17`,
        },
        `
      product | on         | unit price | until      | because
      PLY     | 2026-02-28 | 40.0000    | 2026-03-01 | Standard price
      PLY     | 2026-03-01 | 30.0000    | 2026-04-01 | Contract C-17
      PLY     | 2026-03-31 | 30.0000    | 2026-04-01 | Contract C-17
      PLY     | 2026-04-01 | 40.0000    |            | Standard price
      `,
      ),
    ).toEqual([]);
  });

  test("a break that the quantity does not reach cannot change the price", () => {
    expect(
      differences(
        { rules: `${STANDARD}  C1 | account PLAIN01 | product PLY | £30.00 | 10 | 2026-07-01 ..` },
        `
      product | quantity | on         | until
      PLY     | 9        | 2026-06-01 |
      PLY     | 10       | 2026-06-01 | 2026-07-01
      `,
      ),
    ).toEqual([]);
  });

  test("a later list is announced to those who are on it alone", () => {
    expect(
      differences(
        { rules: `${STANDARD}  L | list L1 | product PLY | £41.00 | | 2027-01-01 ..` },
        `
      account | product | until
      BUILD01 | PLY     | 2027-01-01
      PLAIN01 | PLY     |
      `,
      ),
    ).toEqual([]);
  });
});

describe("discounts", () => {
  test("the lowest price wins, whoever it is for", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          L  | list L1         | product PLY   | £38.00
          A  | account BUILD01 | group SHEET   | 10% off
          G  | group TRADE     | group SHEET   | 12.5% off
          P  | account BUILD01 | product PLY   | £33.50`,
        },
        `
      account | product | unit price | because
      BUILD01 | PLY     | 33.2500    | Product group discount: 12.5% off the list price (L1), customer group TRADE on product group SHEET
      `,
      ),
    ).toEqual([]);
  });

  test("percents and amounts are taken off the base price, never off each other", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          A | account PLAIN01 | product PLY | 10% off
          B | account PLAIN01 | everything  | £5.00 off
          C | everyone        | product PLY | 20% off | 5`,
        },
        `
      product | quantity | unit price | because
      PLY     | 1        | 35.0000    | General discount: £5.00 off the standard price, account PLAIN01 on everything
      PLY     | 5        | 32.0000    | Standard discount: 20% off the standard price, from 5
      `,
      ),
    ).toEqual([]);
  });

  test("a discount is taken off the base price at the line's own quantity", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          S2 | everyone        | product PLY | £36.00  | 10
          A  | account PLAIN01 | product PLY | 50% off`,
        },
        `
      product | quantity | unit price
      PLY     | 9        | 20.0000
      PLY     | 10       | 18.0000
      `,
      ),
    ).toEqual([]);
  });

  test("without a base price there is nothing to take a discount off", () => {
    expect(
      differences(
        { rules: "rule|whom|what|gives\nA|account PLAIN01|product PLY|10% off" },
        `
      product | unit price | because
      PLY     | unknown    | No price holds for this customer, product, quantity and day
      `,
      ),
    ).toEqual([]);
  });

  test("a rule on a product group holds for the groups below it", () => {
    expect(
      differences(
        { rules: `${STANDARD}  A | everyone | group TIMBER | 10% off` },
        `
      product | unit price
      PLY     | 36.0000
      BEAM    | 11.1060
      NAIL    | 0.0500
      `,
      ),
    ).toEqual([]);
  });

  test("a rule that takes a price below zero leaves it unknown, and a surcharge never beats the base price", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          A | account PLAIN01 | product NAIL | £0.06 off
          B | account PLAIN01 | product PLY  | -5% off
          C | account PLAIN01 | product BEAM | £-15.00
          D | account PLAIN01 | product BRK  | 120% off`,
        },
        `
      product | unit price | net   | because
      NAIL    | unknown    |       | Not known: a rule that holds takes the price below zero
      PLY     | 40.0000    | 40.00 | Standard price
      BEAM    | unknown    |       | Not known: a rule that holds takes the price below zero
      BRK     | unknown    |       | Not known: a rule that holds takes the price below zero
      `,
      ),
    ).toEqual([]);
  });

  test("the discount on the account competes with the others", () => {
    expect(
      differences(
        { rules: `${STANDARD}  A | account OLDIE01 | product BRK | 10% off` },
        `
      account | product | unit price | because
      OLDIE01 | PLY     | 37.0000    | Account discount: 7.5% off the standard price
      OLDIE01 | BRK     | 585.0000   | Customer discount: 10% off the standard price
      `,
      ),
    ).toEqual([]);
  });

  test("a markup is on the cost, and without a cost the price is not known", () => {
    expect(
      differences(
        { rules: `${STANDARD}  A | account PLAIN01 | everything | cost + 15%` },
        `
      product | unit price | because
      PLY     | 23.0000    | General price: cost plus 15%, account PLAIN01 on everything
      BEAM    | unknown    | Not known: a price that holds is a markup on a cost that is not known
      `,
      ),
    ).toEqual([]);
  });
});

describe("net prices", () => {
  test("a net price beats every other, and nothing reduces it", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          N | group TRADE     | product PLY | £35.00  | | | net
          P | account BUILD01 | product PLY | £30.00
          D | account BUILD01 | everything  | 50% off`,
        },
        `
      account | product | unit price | because
      BUILD01 | PLY     | 35.0000    | Customer group price, customer group TRADE, net price
      BUILD01 | NAIL    | 0.0250     | General discount: 50% off the standard price, account BUILD01 on everything
      PLAIN01 | PLY     | 40.0000    | Standard price
      `,
      ),
    ).toEqual([]);
  });

  test("of several net prices the lowest counts, a net list price among them", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          L | list L1         | product PLY | £39.00 | | | net
          N | account BUILD01 | product PLY | £35.00 | | | net
          M | group TRADE     | product PLY | £34.00 | | | net
          X | list L1         | product NAIL| £0.06  | | | net
          Y | account BUILD01 | product NAIL| £0.01`,
        },
        `
      account | product | unit price
      BUILD01 | PLY     | 34.0000
      BUILD01 | NAIL    | 0.0600
      `,
      ),
    ).toEqual([]);
  });

  test("a net price that does not hold that day does not count", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}  N | account PLAIN01 | product PLY | £45.00 | | .. 2026-05-31 | net`,
        },
        `
      product | on         | unit price
      PLY     | 2026-05-31 | 45.0000
      PLY     | 2026-06-01 | 40.0000
      `,
      ),
    ).toEqual([]);
  });
});

describe("promotions", () => {
  test("percent, amount and fixed promotions compete from their first to their last day", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions: `
          promotion | whom        | what         | gives   | dates
          SPRING    | everyone    | group TIMBER | 10% off | 2026-03-01 .. 2026-03-31
          MARCH     | group TRADE | product PLY  | £31.00  | 2026-03-15 .. 2026-03-31
          NAILS     | everyone    | product NAIL | £0.01 off | 2026-03-01 .. 2026-03-31
        `,
        },
        `
      account | product | on         | unit price | until      | because
      BUILD01 | PLY     | 2026-03-14 | 36.0000    | 2026-03-15 | Promotion SPRING: 10% off the standard price
      BUILD01 | PLY     | 2026-03-31 | 31.0000    | 2026-04-01 | Promotion MARCH
      BUILD01 | PLY     | 2026-04-01 | 40.0000    |            | Standard price
      PLAIN01 | PLY     | 2026-03-31 | 36.0000    | 2026-04-01 | Promotion SPRING: 10% off the standard price
      PLAIN01 | NAIL    | 2026-03-31 | 0.0400     | 2026-04-01 | Promotion NAILS: £0.01 off the standard price
      `,
      ),
    ).toEqual([]);
  });

  test("a promotion does not touch a net price", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}  N | account PLAIN01 | product PLY | £39.00 | | | net`,
          promotions: "promotion|whom|what|gives\nHALF|everyone|everything|50% off",
        },
        `
      product | unit price
      PLY     | 39.0000
      NAIL    | 0.0250
      `,
      ),
    ).toEqual([]);
  });

  test("one with a code leaves the price, and is not mentioned where none is given", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions:
            "promotion|whom|what|gives|dates|notes\nSECRET|everyone|product PLY|50% off||code XYZ",
        },
        `
      product | unit price | because
      PLY     | 40.0000    | Standard price
      `,
      ),
    ).toEqual([]);
  });

  test("free goods leave the price of what is bought", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions:
            "promotion|whom|what|gives|dates|notes\n11FOR10|everyone|product PLY|free-goods||buy 10 free 1",
        },
        `
      product | quantity | unit price | because
      PLY     | 10       | 40.0000    | Standard price; promotion 11FOR10 may apply in the basket
      `,
      ),
    ).toEqual([]);
  });

  test("a multi-buy leaves the price of a line, and is mentioned for the basket", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions:
            "promotion|whom|what|gives|dates|notes\n3FOR2|everyone|product PLY|multi-buy||buy 3",
        },
        `
      product | quantity | unit price | because
      PLY     | 2        | 40.0000    | Standard price; promotion 3FOR2 may apply in the basket
      PLY     | 3        | 40.0000    | Standard price; promotion 3FOR2 may apply in the basket
      `,
      ),
    ).toEqual([]);
  });

  test("only promotions that can still hold for the line are mentioned, the nearest first", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions: `
            promotion | whom     | what        | gives      | dates | notes
            DOC       | everyone | everything  | 10% off    |       | code DOC threshold 200
            SIX       | everyone | product PLY | free-goods |       | buy 6 free 1
            THREE     | everyone | product PLY | free-goods |       | buy 3 free 1
            OVER      | everyone | everything  | 10% off    |       | threshold 200
          `,
        },
        `
      product | quantity | unit price | because
      PLY     | 2        | 40.0000    | Standard price; promotions THREE, SIX, OVER may apply in the basket
      `,
      ),
    ).toEqual([]);
  });

  test("an order value is looked at over the basket, not over a line", () => {
    expect(
      differences(
        {
          rules: STANDARD,
          promotions:
            "promotion|whom|what|gives|dates|notes\nBIG|everyone|everything|10% off||threshold 200",
        },
        `
      product | quantity | unit price | because
      PLY     | 4        | 40.0000    | Standard price; promotion BIG may apply in the basket
      PLY     | 5        | 40.0000    | Standard price; promotion BIG may apply in the basket
      `,
      ),
    ).toEqual([]);
  });

  test("a net price ends the search, so a multi-buy cannot put it in doubt", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}  N | account PLAIN01 | product PLY | £39.00 | | | net`,
          promotions: "promotion|whom|what|gives\n3FOR2|everyone|product PLY|multi-buy",
        },
        `
      product | unit price
      PLY     | 39.0000
      `,
      ),
    ).toEqual([]);
  });
});

describe("whom a rule is for", () => {
  test("head office, site and branch rules reach those under them", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          H | head office HQ    | product PLY | £35.00
          J | site BUILD01/JOB7 | product PLY | £34.00
          U | site BUILD01/YARD | product NAIL| £0.02
          B | branch LDS        | product BRK | £600.00
          Y | branch YRK        | product BRK | £610.00`,
        },
        `
      account | site | branch | product | unit price | because
      DEPOT1  |      |        | PLY     | 35.0000    | Head office price, head office HQ
      HQ      |      |        | PLY     | 35.0000    | Head office price, head office HQ
      PLAIN01 |      |        | PLY     | 40.0000    | Standard price
      BUILD01 | JOB7 |        | PLY     | 34.0000    | Site price, site BUILD01/JOB7
      BUILD01 |      |        | PLY     | 40.0000    | Standard price
      BUILD01 |      |        | NAIL    | 0.0200     | Site price, site BUILD01/YARD
      BUILD01 | JOB7 |        | NAIL    | 0.0500     | Standard price
      BUILD01 |      |        | BRK     | 600.0000   | Branch price, branch LDS
      BUILD01 |      | YRK    | BRK     | 610.0000   | Branch price, branch YRK
      PLAIN01 |      | YRK    | BRK     | 610.0000   | Branch price, branch YRK
      `,
      ),
    ).toEqual([]);
  });

  test("a rule for somebody or something that is not there is counted and named", () => {
    const book = bookOf({
      rules: `${STANDARD}
        X | account NOBODY | product PLY  | £1.00
        Y | account PLAIN01| product GONE | £1.00
        Z | list OLD       | product PLY  | £1.00`,
    });
    expect(book.unreached).toEqual({
      count: 3,
      examples: ["account NOBODY", "price-list OLD", "product GONE"],
    });
    expect(book.entries).toBe(4);
  });
});

describe("currency", () => {
  test("a price in another currency is no candidate", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}
          E | everyone       | product PLY  | EUR 46.00
          D | account EURO01 | product PLY  | 10% off
          G | account EURO01 | product NAIL | £0.01`,
        },
        `
      account | product | unit price
      EURO01  | PLY     | 41.4000
      PLAIN01 | PLY     | 40.0000
      EURO01  | NAIL    | unknown
      `,
      ),
    ).toEqual([]);
  });
});

describe("units", () => {
  test("bricks are sold singly and priced per 1,000", () => {
    expect(
      differences(
        { rules: STANDARD },
        `
      product | quantity | unit price | net     | VAT
      BRK     | 1        | 650.0000   | 0.65    | 0.13
      BRK     | 250      | 650.0000   | 162.50  | 32.50
      BRK     | 1537     | 650.0000   | 999.05  | 199.81
      BRK     | 400000   | 650.0000   | 260000.00 | 52000.00
      `,
      ),
    ).toEqual([]);
  });

  test("a price per selling unit is brought to the pricing unit", () => {
    expect(
      differences(
        {
          rules: `
          rule | whom            | what        | gives     | notes
          S    | everyone        | product BRK | £0.65     | per EACH
          A    | account BUILD01 | product BRK | £0.0535 off | per EACH`,
        },
        `
      account | product | quantity | unit price | net
      PLAIN01 | BRK     | 10       | 650.0000   | 6.50
      BUILD01 | BRK     | 10       | 596.5000   | 5.97
      `,
      ),
    ).toEqual([]);
  });

  test("a price per any other unit leaves the price unknown", () => {
    expect(
      differences(
        { rules: `${STANDARD}  P | account PLAIN01 | product BRK | £280.00 | | | per PALLET` },
        `
      product | unit price | because
      BRK     | unknown    | Not known: a price that holds, or the line, is in a unit that the product is not sold in
      `,
      ),
    ).toEqual([]);
  });

  test("without selling units per pricing unit there is no line value, and without a rate no VAT", () => {
    expect(
      differences(
        { rules: "rule|whom|what|gives\nS|everyone|product ODD|£1.00" },
        `
      product | unit price | because
      ODD     | unknown    | Not known: how many selling units the product's pricing unit has is missing or not above 0
      `,
      ),
    ).toEqual([]);
  });
});

describe("rounding", () => {
  test("half a unit of the last place goes away from zero, once per amount", () => {
    expect(
      differences(
        {
          rules: `
          rule | whom            | what         | gives
          S1   | everyone        | product NAIL | £0.0301
          S2   | everyone        | product PLY  | £1.005
          A    | account BUILD01 | product NAIL | 50% off`,
        },
        `
      account | product | quantity | unit price | net   | VAT
      BUILD01 | NAIL    | 1        | 0.0151     | 0.02  | 0.00
      BUILD01 | NAIL    | 100      | 0.0151     | 1.51  | 0.30
      PLAIN01 | PLY     | 1        | 1.0050     | 1.01  | 0.20
      PLAIN01 | PLY     | 3        | 1.0050     | 3.02  | 0.60
      PLAIN01 | PLY     | 1000     | 1.0050     | 1005.00 | 201.00
      `,
      ),
    ).toEqual([]);
  });

  test("prices of 5 and 6 places, of a million pounds, and beyond what can be worked with", () => {
    expect(
      differences(
        {
          rules: `
          rule | whom     | what         | gives
          S1   | everyone | product NAIL | £0.012345
          S2   | everyone | product PLY  | £1234567.891234
          S3   | everyone | product BEAM | £9999999999.5
          S4   | everyone | product BRK  | £214748.3648`,
        },
        `
      product | quantity | unit price   | net               | because
      NAIL    | 1000     | 0.0123       | 12.30             | Standard price
      PLY     | 12       | 1234567.8912 | 14814814.69       | Standard price
      BEAM    | 1        | unknown      |                   | Not known: a rule that holds has a value too large to work with
      BRK     | 1000     | 214748.3648  | 214748.36         | Standard price
      `,
      ),
    ).toEqual([]);
  });
});

describe("VAT", () => {
  test("the customer's code comes before the site's, and the site's before the product's", () => {
    expect(
      differences(
        { rules: STANDARD },
        `
      account | site | product | net   | VAT
      PLAIN01 |      | PLY     | 40.00 | 8.00
      CHURCH  |      | PLY     | 40.00 | 0.00
      BUILD01 | JOB7 | PLY     | 40.00 | 2.00
      `,
      ),
    ).toEqual([]);
  });
});

describe("quotations and contracts with a limit", () => {
  const quotations = `
    quotation | account | product | quantity | gives  | dates
    Q-9       | PLAIN01 | PLY     | 50       | £41.00 | 2026-05-01 .. 2026-06-15
  `;

  test("a quotation beats every rule for the order that names it, to its last day and quantity", () => {
    expect(
      differences(
        { rules: `${STANDARD}  N | account PLAIN01 | product PLY | £1.00 | | | net`, quotations },
        `
      quotation | product | quantity | on         | unit price | because
                | PLY     | 50       | 2026-06-15 | 1.0000     | Customer price, net price
      Q-9       | PLY     | 50       | 2026-06-15 | 41.0000    | Quotation Q-9
      Q-9       | PLY     | 51       | 2026-06-15 | 1.0000     | Customer price, net price; quotation Q-9 gives no price here
      Q-9       | PLY     | 50       | 2026-06-16 | 1.0000     | Customer price, net price; quotation Q-9 gives no price here
      Q-9       | NAIL    | 50       | 2026-06-15 | 0.0500     | Standard price; quotation Q-9 gives no price here
      `,
      ),
    ).toEqual([]);
  });

  test("a contract covers lines up to its quantity", () => {
    expect(
      differences(
        {
          rules: `${STANDARD}  C | account PLAIN01 | product PLY | £30.00 | | | contract C-17 limit 100`,
        },
        `
      product | quantity | unit price
      PLY     | 100      | 30.0000
      PLY     | 101      | 40.0000
      `,
      ),
    ).toEqual([]);
  });
});

describe("explanation", () => {
  const book = bookOf({
    rules: `${STANDARD}
      L1-1 | list L1         | product BRK | £600.00
      C1   | account BUILD01 | product BRK | £585.50 |     | 2026-01-01 .. 2026-12-31 | contract C-17
      C1   | account BUILD01 | product BRK | £550.00 | 500 | 2026-01-01 .. 2026-12-31 | contract C-17
      C1   | account BUILD01 | product BRK | £540.00 | 5000 | 2026-01-01 .. 2026-12-31 | contract C-17
      G    | group TRADE     | everything  | 7.5% off
      OLD  | account BUILD01 | product BRK | £500.00 |     | .. 2025-12-31`,
    promotions: `
      promotion | whom     | what        | gives   | dates                    | notes
      AUTUMN    | everyone | product BRK | 15% off | 2026-09-01 .. 2026-09-30 |
      SECRET    | everyone | product BRK | 50% off |                          | code X
    `,
  });
  const told = explained(book, { account: "BUILD01", product: "BRK", quantity: "1500" });

  test("tells the arithmetic step by step", () => {
    expect([told.asked, told.because, ...told.arithmetic].join("\n")).toMatchInlineSnapshot(`
      "1,500 EACH of BRK for BUILD01 on 01/06/2026
      Contract C-17, from 500
      Contract C-17: £550.00 per 1000 from 500, 01/01/2026 to 31/12/2026
      1,500 EACH at £550.00 per 1000 (1,000 EACH): £825.00
      VAT STANDARD at 20% of £825.00: £165.00
      Rounding: unit price to 4 places, line to 2 places, VAT to 2 places; halves up, away from zero"
    `);
  });

  test("names every candidate and why it lost", () => {
    const lines = told.candidates.map(({ step, rule, unitPrice, why }) =>
      [step, rule, unitPrice ?? "-", why].join(" | "),
    );
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "Price or discount | Customer price: £500.00 per 1000, until 31/12/2025 | - | ended on 31/12/2025
      Price or discount | Contract C-17: £540.00 per 1000 from 5,000, 01/01/2026 to 31/12/2026 | - | counts only from 5,000 EACH
      Price or discount | Contract C-17: £550.00 per 1000 from 500, 01/01/2026 to 31/12/2026 | 550.0000 | gives the price
      Price or discount | Contract C-17: £585.50 per 1000, 01/01/2026 to 31/12/2026 | - | a higher break of the rule is reached
      Base price | Standard price: £650.00 per 1000 | 650.0000 | the list price (L1) takes its place
      Price or discount | General discount: 7.5% off | 555.0000 | dearer by £5.00 per 1000
      Promotion | Promotion AUTUMN: 15% off, 01/09/2026 to 30/09/2026 | - | starts on 01/09/2026
      Promotion | Promotion SECRET: 50% off, 01/01/2020 to 31/12/2039 | - | is worked out over the basket, not for a line
      Base price | List price (L1): £600.00 per 1000 | 600.0000 | is the base price; dearer by £50.00 per 1000"
    `);
  });

  test("leaves the answer as pricing gives it", () => {
    const expectation = `
      account | product | quantity | unit price | net    | because
      BUILD01 | BRK     | 1500     | 550.0000   | 825.00 | Contract C-17, from 500
    `;
    expect(differences(book, expectation)).toEqual([]);
  });

  test("shows what a net price that ends the search kept out", () => {
    const net = bookOf({
      rules: `${STANDARD}
        N | account PLAIN01 | product PLY | £41.00 | | | net
        P | account PLAIN01 | product PLY | £30.00`,
    });
    const { candidates } = explained(net, { product: "PLY" });
    expect(candidates.map(({ rule, why }) => `${rule} | ${why}`)).toEqual([
      "Customer price: £41.00 per EACH, net | gives the price",
      'Customer price: £30.00 per EACH | "Net price" comes first and settles the price',
      'Standard price: £40.00 per EACH | "Net price" comes first and settles the price',
    ]);
  });
});
