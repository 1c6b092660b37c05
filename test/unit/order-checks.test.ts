/** What is accepted, held and refused beyond prices and accounts, and how it is said. */
import { describe, expect, test } from "vitest";
import type { Canonical } from "../../src/model/index.ts";
import { examine, type OrderFacts } from "../../src/orders/checks.ts";
import { onAccount, orderRequest } from "../../src/orders/request.ts";
import type { OrderSettings } from "../../src/orders/settings.ts";
import type { Surroundings } from "../../src/orders/surroundings.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";
import { record } from "../support/canonical-rows.ts";

const TODAY = "2026-03-31";
const product = (more: Partial<Canonical<"product">> = {}) =>
  record("product", { product: "P1", name: "Brick", ...more });
const customer = (more: Partial<Canonical<"customer">> = {}) =>
  record("customer", { account: "A1", name: "Ashby", ...more });
const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  hidden: new Set(),
  replacements: new Map(),
  units: new Map(),
  stock: new Map(),
  repeats: null,
  paymentUsedBy: null,
  turned: null,
  ...more,
});
const request = (more: object = {}) =>
  onAccount(
    orderRequest.parse({
      account: "A1",
      lines: [{ product: "P1", quantity: "2", unitPrice: "10.00" }],
      ...more,
    }),
  );

interface Case {
  readonly order?: object;
  readonly known?: Partial<OrderFacts>;
  readonly settings?: Partial<OrderSettings>;
}

function examined({ order, known, settings }: Case) {
  const facts: OrderFacts = {
    customer: customer(),
    site: undefined,
    products: new Map([["P1", product()]]),
    openGross: "0.00",
    vatRates: { STANDARD: "20", ZERO: "0" },
    prices: [{ unitPrice: "10.0000", evidence: null, about: "rule R1" }],
    ...known,
  };
  return examine(request(order), facts, { ...ORDER_SETTINGS, ...settings }, TODAY);
}

const said = (given: Case) =>
  examined(given).findings.map(({ policy, code, found, expected, about }) => ({
    said: `${policy} ${code}: found ${found}, expected ${expected}`,
    about,
  }));

const card = (more: object = {}) => ({
  payment: { provider: "card", reference: "pi_1", amount: "24.00", ...more },
});
const address = (more: object = {}) => ({
  deliverTo: { name: "Ashby", address1: "Unit 4", postcode: "LS9 8AB", ...more },
});
const charge = (name: string, more: object = {}) => ({
  charges: [{ charge: name, net: "7.50", ...more }],
});
const CHARGES = { CARR: { about: "Carriage", vatCode: "ZERO" } };
const SMALL = { charge: "SMALL", net: "7.50", vatCode: "STANDARD" };
const PENNY = { charge: "ROUND", vatCode: "ZERO", most: "0.02" };
const TWO_HUNDRED = { leastQuantity: "200", sellingUnit: "EACH" };
const BOX_OF_50 = [
  {
    unitPrice: "10",
    evidence: null,
    about: "",
    standing: {
      quantity: "100",
      amount: null,
      document: { unitPrice: "10", quantity: "2", perPricingUnit: "1", vatPercent: "20" },
    },
  },
] as unknown as OrderFacts["prices"];

describe("an order is", () => {
  test.each<[string, Case, readonly string[]]>([
    [
      "refused where the assortment hides a product from the customer",
      { known: { surroundings: around({ hidden: new Set(["P1"]) }) } },
      ["refuse product-not-visible: found P1, expected a product that account A1 is shown"],
    ],
    [
      "refused without the reference that the customer needs",
      {
        order: { customerReference: " " },
        known: { customer: customer({ referenceRequired: true }) },
      },
      [
        "refuse reference-missing: found no customerReference, expected the customer's own reference, such as a purchase order's number",
      ],
    ],
    [
      "held when the account's own minimum is met and the limits of one order are not",
      {
        known: { customer: customer({ minimumNet: "20.00" }) },
        settings: { minimumNet: "500", limits: { net: "19.99", lines: 1, lineQuantity: "1.5" } },
      },
      [
        "hold net-above-limit: found 20.00, expected at most 19.99",
        "hold quantity-above-limit: found 2, expected at most 1.5",
      ],
    ],
    [
      "refused below the account's own minimum, though the company's is met",
      { known: { customer: customer({ minimumNet: "20.01" }) }, settings: { minimumNet: "1" } },
      ["refuse below-minimum-order: found 20.00, expected at least 20.01"],
    ],
    [
      "taken below the minimum with the small-order charge",
      {
        order: charge("SMALL"),
        settings: { minimumNet: "50", smallOrderCharge: SMALL, charges: CHARGES },
      },
      [],
    ],
    [
      "refused below the minimum with less than the small-order charge",
      {
        order: charge("SMALL", { net: "7.49" }),
        settings: { minimumNet: "50", smallOrderCharge: SMALL },
      },
      ["refuse below-minimum-order: found 20.00, expected at least 50"],
    ],
    ["taken with any charge where the settings name none", { order: charge("CRANE") }, []],
    [
      "refused with a charge that the settings do not name",
      { order: charge("CRANE"), settings: { charges: CHARGES } },
      ["refuse charge-unknown: found CRANE, expected one of CARR"],
    ],
    [
      "refused with a charge under another VAT code than the settings give it",
      { order: charge("CARR", { vatCode: "STANDARD" }), settings: { charges: CHARGES } },
      ["refuse charge-vat-differs: found STANDARD, expected ZERO"],
    ],
    [
      "refused with a product as a charge, whatever the policies say: charge codes, never products",
      {
        order: charge("P1"),
        settings: { checks: { ...ORDER_SETTINGS.checks, charge: "accept" } },
      },
      ["refuse charge-is-product: found P1, expected a charge code, never a product"],
    ],
    ["taken when it is paid to the penny", { order: card() }, []],
    [
      "held when more was paid than it comes to",
      { order: card({ amount: "24.01" }) },
      ["hold paid-too-much: found 24.01, expected 24.00"],
    ],
    [
      "taken when a part is paid, and the rest is said to go on account",
      { order: card({ amount: "4.00" }) },
      ["accept paid-in-part: found 4.00, expected 24.00"],
    ],
    [
      "held when the payment is another order's, which then exempts nothing from the credit check",
      {
        order: card(),
        known: {
          customer: customer({ creditLimit: "10.00" }),
          surroundings: around({ paymentUsedBy: { order: "WEB-7", how: "used" } }),
        },
      },
      [
        "hold payment-used-before: found card pi_1, of web order WEB-7, expected a payment of its own for each order",
        "hold over-credit-limit: found 24.00, expected at most 10.00",
      ],
    ],
    [
      "held when the payment is in another currency, which then exempts nothing either",
      {
        order: card({ currency: "EUR" }),
        known: { customer: customer({ creditLimit: "10.00" }) },
      },
      [
        "hold payment-currency-differs: found EUR, expected GBP",
        "hold over-credit-limit: found 24.00, expected at most 10.00",
      ],
    ],
    [
      "refused when delivery is wanted on a day that is over",
      { order: { requestedOn: "2026-03-30" } },
      ["refuse requested-in-past: found 2026-03-30, expected 2026-03-31 or later"],
    ],
    [
      "refused when delivery is wanted on Good Friday, and told the next day with deliveries",
      {
        order: { requestedOn: "2026-04-03" },
        settings: {
          deliveryDays: {
            weekdays: ["monday", "tuesday", "wednesday", "thursday", "friday"],
            closed: ["2026-04-03", "2026-04-06"],
          },
        },
      },
      [
        "refuse requested-on-closed-day: found 2026-04-03, expected 2026-04-07, or another day with deliveries",
      ],
    ],
    ["taken when it is dated today", { order: { orderedOn: TODAY } }, []],
    [
      "refused when it is dated tomorrow",
      { order: { orderedOn: "2026-04-01" } },
      ["refuse ordered-in-future: found 2026-04-01, expected 2026-02-28 to 2026-03-31"],
    ],
    [
      "refused for so little of a priced product that the line comes to nothing, whatever the policies say",
      {
        order: { lines: [{ product: "P1", quantity: "0.00049", unitPrice: "10" }] },
        settings: { checks: { ...ORDER_SETTINGS.checks, quantity: "accept" } },
      },
      [
        "refuse quantity-comes-to-nothing: found 0.00049, expected a quantity that comes to a penny or more",
      ],
    ],
    [
      "taken for a quantity that comes to a penny",
      { order: { lines: [{ product: "P1", quantity: "0.0005", unitPrice: "10" }] } },
      [],
    ],
    [
      "taken for goods that cost nothing",
      {
        order: { lines: [{ product: "P1", quantity: "1", unitPrice: "0" }] },
        known: { prices: [{ unitPrice: "0", evidence: null, about: "rule R1" }] },
      },
      [],
    ],
    [
      "refused in words of the unit that was ordered, where that is what comes to nothing",
      {
        order: { lines: [{ product: "P1", quantity: "2", unit: "BOX", unitPrice: "0.001" }] },
        known: {
          prices: [
            {
              unitPrice: "0.001",
              evidence: null,
              about: "",
              standing: {
                quantity: "100",
                amount: null,
                document: {
                  unitPrice: "0.001",
                  quantity: "2",
                  perPricingUnit: "1",
                  vatPercent: "20",
                },
              },
            },
          ] as unknown as OrderFacts["prices"],
        },
      },
      [
        "refuse quantity-comes-to-nothing: found 2 BOX, expected a quantity that comes to a penny or more",
      ],
    ],
    ["taken for an address of its own", { order: address() }, []],
    [
      "refused for an address without a postcode",
      { order: address({ postcode: null }) },
      ["refuse postcode-missing: found no postcode, expected a postcode of GB"],
    ],
    [
      "refused for a postcode that is none",
      { order: address({ postcode: "L59 BAB" }) },
      ["refuse postcode-not-valid: found L59 BAB, expected a British postcode such as LS9 8AB"],
    ],
    [
      "held for another country than VAT was worked out for, a postcode not needed there",
      { order: address({ country: "IE", postcode: null }) },
      ["hold country-differs: found IE, expected GB"],
    ],
    [
      "refused with a site and an address beside it",
      {
        order: { site: "YARD", ...address() },
        known: { site: record("site", { account: "A1", site: "YARD", name: "Yard" }) },
      },
      [
        "refuse site-and-address: found site YARD, and an address in deliverTo, expected one of them",
      ],
    ],
    [
      "held when the same came a moment ago under another key and number",
      {
        known: {
          surroundings: around({
            repeats: {
              number: "WEB-7",
              receivedAt: Temporal.Instant.from("2026-03-31T08:58:00Z"),
            },
          }),
        },
        settings: { repeatedWithinMinutes: 10 },
      },
      [
        "hold order-repeated: found the same as web order WEB-7, expected no two such orders within 10 minutes",
      ],
    ],
    [
      "told the least quantity in the unit that was ordered",
      {
        order: { lines: [{ product: "P1", quantity: "2", unit: "BOX", unitPrice: "10" }] },
        known: { products: new Map([["P1", product(TWO_HUNDRED)]]), prices: BOX_OF_50 },
      },
      ["refuse quantity-below-least: found 2 BOX (100 EACH), expected at least 4 BOX (200 EACH)"],
    ],
    [
      "refused in a unit that the product is not sold in, and told those that it is",
      {
        order: { lines: [{ product: "P1", quantity: "2", unit: "PALLET", unitPrice: "10" }] },
        known: { surroundings: around({ units: new Map([["P1", ["BOX"]]]) }) },
      },
      ["refuse unit-unknown: found PALLET, expected EACH, BOX"],
    ],
  ])("%s", (_what, given, expected) => {
    expect(said(given).map((one) => one.said)).toEqual(expected);
  });

  test("told everything at once, amounts and days in words", () => {
    const findings = said({
      order: {
        ...card({ amount: "2400.00" }),
        ...address({ postcode: null }),
        requestedOn: "2026-03-01",
      },
      settings: { minimumNet: "1000" },
      known: { customer: customer({ onStop: true, creditLimit: "1.00" }) },
    });
    expect(findings.map(({ about }) => about)).toEqual([
      "Account A1 is on stop.",
      "The address of Ashby has no postcode, and no carrier takes it without one.",
      "Delivery is wanted on 01/03/2026, and today is 31/03/2026.",
      "The order's goods come to £20.00 net; the least order is £1,000.00.",
      "£2,400.00 of £24.00 was paid: £2,376.00 too much.",
    ]);
  });
});

describe("a replaced product", () => {
  const replaced = { products: new Map([["P1", product({ replacedBy: "P2" })]]) };
  test.each<[string, ReadonlyMap<string, string | null>, readonly string[]]>([
    ["is offered what replaces it", new Map([["P1", "P2"]]), ["P2"]],
    ["is offered what replaces that in turn", new Map([["P1", "P3"]]), ["P3"]],
    ["is offered nothing where that cannot be ordered either", new Map([["P1", null]]), []],
  ])("%s, as data, and never swapped silently", (_what, replacements, offers) => {
    const { findings, order } = examined({
      known: { ...replaced, surroundings: around({ replacements }) },
    });
    expect(findings).toMatchObject([{ code: "product-replaced", offers, policy: "refuse" }]);
    expect(order.lines[0]?.product).toBe("P1");
  });
});

describe("the small-order charge", () => {
  test("is offered as data, with code, net and VAT code", () => {
    const { findings } = examined({ settings: { minimumNet: "50", smallOrderCharge: SMALL } });
    expect(findings).toMatchObject([{ offeredCharge: SMALL }]);
    expect(findings[0]?.instruction).toContain("the charge SMALL of £7.50 net");
  });

  test("has the settings' own VAT code where the order says none", () => {
    const { order } = examined({ order: charge("CARR"), settings: { charges: CHARGES } });
    expect(order.charges).toMatchObject([{ charge: "CARR", vatCode: "ZERO", vat: "0.00" }]);
  });
});

describe("what is promised of the stock", () => {
  const line = { product: "P1", quantity: "6", unitPrice: "10" };
  const fact = (free: string, onOrder = "0", nextDueOn: string | null = null) =>
    around({ stock: new Map([["P1", { free, onOrder, nextDueOn }]]) });
  const promise = (surroundings: Surroundings, lines: readonly object[] = [line]) =>
    examined({
      order: { lines },
      known: {
        surroundings,
        prices: lines.map(() => ({ unitPrice: "10", evidence: 0, about: "" })),
      },
    });

  test("counts earlier lines of the same product, and says what is short and when it comes", () => {
    const { promises, findings, verdict } = promise(fact("10", "5", "2026-04-09"), [line, line]);
    expect(promises).toEqual([
      { free: "10", short: "0", availableOn: TODAY },
      { free: "4", short: "2", availableOn: "2026-04-09" },
    ]);
    expect(findings).toMatchObject([{ code: "stock-short", line: 2, policy: "accept" }]);
    expect(findings[0]?.about).toBe(
      "Of 6 of P1 4 are free now and 2 are short; the rest is due on 09/04/2026.",
    );
    expect(verdict).toBe("accept");
  });

  test("is no day where what is on order does not cover it, and nothing where stock is not known", () => {
    expect(promise(fact("-3", "8", "2026-04-09")).promises).toEqual([
      { free: "0", short: "6", availableOn: null },
    ]);
    expect(promise(around()).promises).toEqual([null]);
  });
});

describe("the rounding twin", () => {
  test("stands beside the shop's totals, and a difference is found where there is no penny line", () => {
    const { rounding, findings } = examined({
      order: { net: "20.00", vat: "4.01", gross: "24.01" },
    });
    expect(rounding).toEqual({
      shop: { net: "20.00", vat: "4.01", gross: "24.01" },
      erp: { net: "20.00", vat: "4.00", gross: "24.00" },
      difference: "0.01",
      pennyLine: null,
    });
    expect(findings.map(({ code }) => code)).toEqual(["vat-differs", "gross-differs"]);
  });

  test.each([
    ["24.01", "0.01"],
    ["23.98", "-0.02"],
  ])("carries a penny line where the settings give one: %s in the shop", (gross, net) => {
    const { order, rounding, findings, verdict } = examined({
      order: { gross },
      settings: { pennyLine: PENNY },
    });
    expect(order.charges).toEqual([
      { charge: "ROUND", description: "Rounding", net, vatCode: "ZERO", vat: "0.00" },
    ]);
    expect(order.gross).toBe(gross);
    expect(rounding?.pennyLine).toBe(net);
    expect([verdict, findings.map(({ code }) => code)]).toEqual(["accept", ["penny-line"]]);
  });

  test("carries none where the shop's own totals contradict each other, and says so", () => {
    const { order, findings, verdict } = examined({
      order: { net: "20.00", vat: "4.00", gross: "24.01" },
      settings: { pennyLine: PENNY },
    });
    expect([order.charges, verdict]).toEqual([[], "refuse"]);
    expect(findings.map(({ code, about }) => [code, about])).toEqual([
      [
        "totals-do-not-add-up",
        "The order says £20.00 net and £4.00 VAT, which come to £24.00, and £24.01 gross.",
      ],
      ["gross-differs", "The order's gross comes to £24.00 in the ERP, the order says £24.01."],
    ]);
  });

  test("carries none for more than the settings allow, nor under a VAT code with a rate", () => {
    const beyond = examined({ order: { gross: "24.03" }, settings: { pennyLine: PENNY } });
    expect([beyond.order.charges, beyond.verdict]).toEqual([[], "refuse"]);
    const taxed = { ...PENNY, vatCode: "STANDARD" };
    const rated = examined({ order: { gross: "24.01" }, settings: { pennyLine: taxed } });
    expect([rated.order.charges, rated.verdict]).toEqual([[], "refuse"]);
  });
});
