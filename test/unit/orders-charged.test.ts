/** What papers charge against what was agreed: two bricks for 8.40 and a bag of sand for 10.00. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chargedOtherwise,
  letStandIn,
  type Charged,
  type Measure,
} from "../../src/orders/charged.ts";

const agreed: Measure = {
  net: "18.40",
  vat: "1.68",
  charges: [],
  staffNet: null,
  staffVat: null,
  letStand: letStandIn([]),
};
const brick = { product: "BRICK", quantity: "2", net: "8.40", invoiced: "2", credited: "0" };
const sand = { product: "SAND", quantity: "1", net: "10.00", invoiced: "1", credited: "0" };
const whole: Charged = {
  invoices: 1,
  net: "18.40",
  vat: "1.68",
  creditedNet: "0.00",
  other: "0.00",
  lines: [brick, sand],
};
const none = { invoiced: "0" };

const AGREED: readonly (readonly [string, Partial<Charged>, Partial<Measure>?])[] = [
  ["all on one invoice", {}],
  ["a part", { net: "8.40", vat: "1.68", lines: [brick, { ...sand, ...none }] }],
  [
    "half a line",
    {
      net: "4.20",
      lines: [
        { ...brick, invoiced: "1" },
        { ...sand, ...none },
      ],
    },
  ],
  ["all on two invoices, a penny rounded", { invoices: 2, net: "18.41" }],
  ["carriage beside the lines", {}, { net: "25.90", charges: [{ net: "7.50" }] }],
  [
    "carriage on the invoice",
    { net: "25.90", other: "7.50" },
    { net: "25.90", charges: [{ net: "7.50" }] },
  ],
  [
    "carriage that was not charged",
    { net: "18.40", other: "0.00" },
    { net: "25.90", charges: [{ net: "7.50" }] },
  ],
  ["an amount off on a line of its own", { net: "18.40", other: "-1.60" }],
  [
    "other goods in the place of ours",
    { net: "17.00", other: "8.60", lines: [brick, { ...sand, ...none }] },
  ],
  ["what staff made of it", { net: "28.40" }, { staffNet: "28.40" }],
  [
    "more, as staff made of it",
    { net: "26.80", lines: [{ ...brick, invoiced: "4" }, sand] },
    { staffNet: "26.80" },
  ],
  [
    "twice, and once credited",
    {
      invoices: 2,
      net: "36.80",
      creditedNet: "18.40",
      lines: [
        { ...brick, invoiced: "4", credited: "2" },
        { ...sand, invoiced: "2", credited: "1" },
      ],
    },
  ],
  ["a return", { creditedNet: "4.20", lines: [{ ...brick, credited: "1" }, sand] }],
  ["VAT by the penny", { vat: "1.69" }],
  [
    "what a person let stand of a part",
    { invoices: 2, net: "18.80" },
    { letStand: letStandIn(["Agreed net is 18.40, invoiced is 18.80: 0.40."]) },
  ],
  ["no VAT, as the ERP's order says", { vat: "0.00" }, { staffVat: "0.00" }],
  [
    "more of a part at nothing",
    {
      invoices: 2,
      net: "8.40",
      lines: [
        { ...brick, invoiced: "4" },
        { ...sand, ...none },
      ],
    },
  ],
  ["more of it at nothing", { invoices: 2, lines: [{ ...brick, invoiced: "4" }, sand] }],
];

const OTHERWISE: readonly (readonly [string, Partial<Charged>, string, Partial<Measure>?])[] = [
  ["dearer", { net: "28.40" }, "Agreed net is 18.40, invoiced is 28.40: 10.00."],
  ["cheaper", { net: "13.40" }, "Agreed net is 18.40, invoiced is 13.40: -5.00."],
  ["by a penny on one invoice", { net: "18.41" }, "Agreed net is 18.40, invoiced is 18.41: 0.01."],
  ["another VAT", { vat: "3.68" }, "Agreed VAT is 1.68, invoiced is 3.68: 2.00."],
  [
    "twice",
    {
      invoices: 2,
      net: "36.80",
      lines: [
        { ...brick, invoiced: "4" },
        { ...sand, invoiced: "2" },
      ],
    },
    "Agreed are 2 of BRICK, invoiced are 4.",
  ],
  [
    "two dear parts",
    { invoices: 2, net: "38.40" },
    "Agreed net is 18.40, invoiced is 38.40: 20.00.",
  ],
  [
    "one dear part",
    { net: "10.08", lines: [brick, { ...sand, ...none }] },
    "Agreed net of what is invoiced is 8.40, invoiced is 10.08: 1.68.",
  ],
  [
    "other goods beside ours",
    { net: "268.40", other: "250.00" },
    "Agreed net is 18.40, invoiced is 268.40: 250.00.",
  ],
  [
    "dearer goods in the place of ours",
    { net: "30.00", other: "20.00", lines: [{ ...brick, ...none }, sand] },
    "Agreed net is 18.40, invoiced is 30.00: 11.60.",
  ],
  [
    "dearer carriage",
    { net: "27.40", other: "9.00" },
    "Agreed net is 25.90, invoiced is 27.40: 1.50.",
    { net: "25.90", charges: [{ net: "7.50" }] },
  ],
  [
    "more than staff made of it",
    { net: "36.80", lines: [{ ...brick, invoiced: "4" }, sand] },
    "Agreed are 2 of BRICK, invoiced are 4.",
    { staffNet: "26.80" },
  ],
];

describe("nothing differs", () => {
  test.each(AGREED.map(([what, charged, measure]) => ({ what, charged, measure })))(
    "$what",
    ({ charged, measure }) => {
      expect(chargedOtherwise({ ...agreed, ...measure }, { ...whole, ...charged })).toEqual([]);
    },
  );
});

describe("a difference", () => {
  test.each(OTHERWISE.map(([what, charged, says, measure]) => ({ what, charged, says, measure })))(
    "$what",
    ({ charged, says, measure }) => {
      expect(chargedOtherwise({ ...agreed, ...measure }, { ...whole, ...charged })[0]).toBe(says);
    },
  );

  test("is settled by a credit note of just that, and by no other", () => {
    const dear = { ...whole, net: "28.40", vat: "3.68" };
    expect(chargedOtherwise(agreed, { ...dear, creditedNet: "10.00" })).toEqual([]);
    expect(chargedOtherwise(agreed, { ...dear, creditedNet: "4.20" })).toHaveLength(1);
    // A return of something else tells nothing of the price.
    const back = { creditedNet: "8.40", lines: [{ ...brick, credited: "2" }, sand] };
    expect(chargedOtherwise(agreed, { ...dear, ...back })).toHaveLength(1);
  });

  test("of a product at two prices is told once all of it came", () => {
    const lines = [
      { product: "BRICK", quantity: "2", net: "8.40", invoiced: "2", credited: "0" },
      { product: "BRICK", quantity: "10", net: "40.00", invoiced: "8", credited: "0" },
    ];
    const measure = { ...agreed, net: "48.40" };
    expect(chargedOtherwise(measure, { ...whole, net: "40.00", lines })).toEqual([]);
    const all = lines.map((line) => ({ ...line, invoiced: line.quantity }));
    const charged = { ...whole, invoices: 2, net: "50.40", lines: all };
    expect(chargedOtherwise(measure, charged)).toHaveLength(1);
  });
});

test("invoices of whole lines at the prices agreed never differ, in whatever parts they come", () => {
  const pence = fc.integer({ min: 1, max: 99_999 });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(pence, fc.boolean()), { minLength: 1, maxLength: 6 }),
      (given) => {
        const text = (amount: number) => (amount / 100).toFixed(2);
        const lines = given.map(([net, came], at) => ({
          product: `P${at}`,
          quantity: "1",
          net: text(net),
          invoiced: came ? "1" : "0",
          credited: "0",
        }));
        const sum = (of: typeof given) => text(of.reduce((total, [net]) => total + net, 0));
        const charged = {
          ...whole,
          vat: "0.00",
          net: sum(given.filter(([, came]) => came)),
          lines,
        };
        const measure = { ...agreed, vat: "0.00", net: sum(given) };
        expect(chargedOtherwise(measure, charged)).toEqual([]);
        const dearer = { ...charged, net: (Number(charged.net) + 0.01).toFixed(2) };
        if (given.some(([, came]) => came))
          expect(chargedOtherwise(measure, dearer)).toHaveLength(1);
      },
    ),
  );
});

test("what an invoice charged that a credit note took back makes no difference, wherever it stands", () => {
  const line = (product: string, quantity: string, net: string, vat: string) => {
    return { product, quantity, net, vat };
  };
  const pence = (amount: string) => Math.round(Number(amount) * 100);
  const text = (amount: number) => (amount / 100).toFixed(2);
  const amount = fc.integer({ min: 1, max: 9_999 }).map(text);
  const wrong = fc.record({ bricks: amount, sand: amount, isNamed: fc.boolean() });
  fc.assert(
    fc.property(wrong, fc.constantFrom("18.40", "28.40", "13.40"), fc.gen(), (given, net, gen) => {
      const taken = [
        line("BRICK", "2", given.bricks, "0.00"),
        line("SAND", "1", given.sand, "0.00"),
      ];
      const credits = given.isNamed ? "I1" : null;
      const of = (kind: "invoice" | "credit", document: string, lines: typeof taken) =>
        lines.map((one) => {
          return { kind, document, credits: kind === "credit" ? credits : null, ...one };
        });
      const anew = [
        line("BRICK", "2", "8.40", "1.68"),
        line("SAND", "1", text(pence(net) - pence("8.40")), "0.00"),
      ];
      const all = [
        ...of("invoice", "I1", taken),
        ...of("credit", "C1", taken),
        ...of("invoice", "I2", anew),
      ];
      const shuffled = gen(() => fc.shuffledSubarray(all, { minLength: all.length }));
      const off = pence(given.bricks) + pence(given.sand);
      const charged: Charged = {
        ...whole,
        invoices: 2,
        net: text(pence(net) + off),
        creditedNet: text(off),
        lines: [
          { ...brick, invoiced: "4", credited: "2" },
          { ...sand, invoiced: "2", credited: "1" },
        ],
        papers: shuffled,
      };
      const by = { "18.40": 0, "28.40": 1, "13.40": 0 }[net] ?? 0;
      expect(chargedOtherwise(agreed, charged)).toHaveLength(by);
    }),
  );
});
