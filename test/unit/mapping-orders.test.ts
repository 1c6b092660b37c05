import { describe, expect, test } from "vitest";
import { DefinitionError } from "../../src/definition/index.ts";
import { checkExamples, compileOutbound, RenderError } from "../../src/mapping/index.ts";
import type { WebOrder } from "../../src/model/index.ts";

const ORDER: WebOrder = {
  webOrder: "WEB-1",
  account: "A1002",
  orderedOn: "2026-03-05",
  placedBy: "customer",
  placedByName: null,
  customerReference: "PO 5561",
  site: null,
  deliverTo: null,
  guest: null,
  accountRequest: null,
  branch: "LEEDS",
  requestedOn: null,
  conditions: {},
  currency: "GBP",
  lines: [
    {
      line: 1,
      product: "NAIL",
      quantity: "2",
      unitPrice: "3.5",
      discount: "0.00",
      net: "7.00",
      vatCode: "STANDARD",
      vat: "1.40",
      orderedUnit: null,
      orderedQuantity: null,
    },
    {
      line: 2,
      product: "BOLT",
      quantity: "1",
      unitPrice: "1",
      discount: "0.00",
      net: "1",
      vatCode: "ZERO",
      vat: "0",
      orderedUnit: null,
      orderedQuantity: null,
    },
  ],
  charges: [
    { charge: "CARR", description: "Carriage", net: "5.00", vatCode: "STANDARD", vat: "1.00" },
  ],
  payment: null,
  net: "13.00",
  vat: "2.40",
  gross: "15.40",
};

const TEXT = `writes: web-order
about: As the ERP's import wants it.
tables:
  - name: lines
    each: [lines, charges]
    columns:
      ORDER: webOrder
      ROW: n
      TYPE: { from: item.list, values: { lines: S, charges: C } }
      CODE: { first: [item.product, item.charge] }
      VAT: { from: item.vatCode, values: { STANDARD: T1, ZERO: T0 } }
      NET: { from: item.net, places: 2 }
  - name: header
    columns:
      ORDER: webOrder
      SOURCE: { value: WEB }
      DATE: { from: orderedOn, date: d MMM yy }
      BY: { from: requestedOn, date: dd/MM/yyyy }
      REF: { from: customerReference, max: 8 }
      SITE: { from: site, default: MAIN }
      PAID: { from: payment.amount, places: 2 }
`;

function outbound(text: string) {
  return compileOutbound({ file: "mappings/erp/web-order.yaml", text });
}

function refused(text: string): string {
  try {
    outbound(text);
  } catch (error) {
    if (error instanceof DefinitionError) return error.message;
    throw error;
  }
  throw new Error("the mapping was read although it should have been refused");
}

describe("a web order", () => {
  test("becomes tables of text, details first and the header last", () => {
    expect(outbound(TEXT).render(ORDER)).toEqual([
      {
        name: "lines",
        columns: ["ORDER", "ROW", "TYPE", "CODE", "VAT", "NET"],
        rows: [
          ["WEB-1", "1", "S", "NAIL", "T1", "7.00"],
          ["WEB-1", "2", "S", "BOLT", "T0", "1.00"],
          ["WEB-1", "3", "C", "CARR", "T1", "5.00"],
        ],
      },
      {
        name: "header",
        columns: ["ORDER", "SOURCE", "DATE", "BY", "REF", "SITE", "PAID"],
        rows: [["WEB-1", "WEB", "5 Mar 26", "", "PO 5561", "MAIN", ""]],
      },
    ]);
  });

  test("carries the payment that was taken", () => {
    const payment = { provider: "Stripe", reference: "pi_1", amount: "15.4" };
    const [, header] = outbound(TEXT).render({ ...ORDER, payment });
    expect(header?.rows[0]?.at(-1)).toBe("15.40");
  });

  test("is refused as a whole when a cell cannot be written as it is", () => {
    const order: WebOrder = {
      ...ORDER,
      customerReference: "PO 5561/2026",
      charges: [{ charge: "CARR", description: null, net: "5.005", vatCode: "EXEMPT", vat: "0" }],
    };
    const render = () => outbound(TEXT).render(order);
    expect(render).toThrow(RenderError);
    expect(render).toThrowErrorMatchingInlineSnapshot(`
      [RenderError: web order WEB-1 cannot be written by mappings/erp/web-order.yaml:
        lines.VAT (row 3): found "EXEMPT", expected one of the value table: STANDARD, ZERO. Correct the order, or the column in the mapping.
        lines.NET (row 3): found "5.005", expected at most 2 decimal places. Correct the order, or the column in the mapping.
        header.REF: found "PO 5561/2026" (12 characters), expected at most 8 characters. Correct the order, or the column in the mapping.]
    `);
  });

  test("names its tables and columns up front, and its version follows its text", () => {
    const made = outbound(TEXT);
    expect(made.id).toBe("erp/web-order");
    expect(made.tables.map(({ name, columns }) => [name, columns.length])).toEqual([
      ["lines", 6],
      ["header", 7],
    ]);
    expect(outbound(TEXT.replace("max: 8", "max: 9")).version).not.toBe(made.version);
  });
});

describe("an order's mapping", () => {
  test("is refused with every problem and the nearest match", () => {
    expect(
      refused(`writes: web-order
about: Wrong in every way that there is.
tables:
  - name: lines
    each: lines
    columns:
      A: item.charge
      B: acount
      C: { from: orderedOn, date: DD/MM/YY }
      D: { from: item.net, date: dd/MM/yyyy }
      E: { from: account, places: 2 }
      F: { from: item.net, places: 2, values: { a: b } }
  - name: lines
    columns:
      A: item.net
      B: n
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/web-order.yaml cannot be used: 8 problems
        mappings/erp/web-order.yaml:7: tables[0].columns.A: found "item.charge", expected one of n, webOrder, account, orderedOn, placedBy, placedByName, customerReference, site, accountRequest, branch, requestedOn, currency, net, vat, gross, conditions, payment.provider, payment.reference, payment.amount, deliverTo.name, deliverTo.address1, deliverTo.address2, deliverTo.address3, deliverTo.town, deliverTo.county, deliverTo.postcode, deliverTo.country, deliverTo.contact, deliverTo.telephone, deliverTo.email, guest.name, guest.email, guest.telephone, item.list, item.line, item.product, item.quantity, item.unitPrice, item.discount, item.net, item.vatCode, item.vat, item.orderedUnit, item.orderedQuantity (nearest match "item.line")
        mappings/erp/web-order.yaml:8: tables[0].columns.B: found "acount", expected one of n, webOrder, account, orderedOn, placedBy, placedByName, customerReference, site, accountRequest, branch, requestedOn, currency, net, vat, gross, conditions, payment.provider, payment.reference, payment.amount, deliverTo.name, deliverTo.address1, deliverTo.address2, deliverTo.address3, deliverTo.town, deliverTo.county, deliverTo.postcode, deliverTo.country, deliverTo.contact, deliverTo.telephone, deliverTo.email, guest.name, guest.email, guest.telephone, item.list, item.line, item.product, item.quantity, item.unitPrice, item.discount, item.net, item.vatCode, item.vat, item.orderedUnit, item.orderedQuantity (nearest match "account")
        mappings/erp/web-order.yaml:9: tables[0].columns.C.date: found "DD/MM/YY", expected a form made of yyyy, yy, MMM, MM, M, dd, d, HH, mm, ss and signs
        mappings/erp/web-order.yaml:10: tables[0].columns.D.date: found date on a part that is no date, expected date only on a date
        mappings/erp/web-order.yaml:11: tables[0].columns.E.places: found places on a part that is no decimal, expected places only on a decimal
        mappings/erp/web-order.yaml:12: tables[0].columns.F: found several of values, date, places, expected one of them
        mappings/erp/web-order.yaml:13: tables[1].name: found the table lines a second time, expected each table once
        mappings/erp/web-order.yaml:15: tables[1].columns.A: found "item.net", expected one of n, webOrder, account, orderedOn, placedBy, placedByName, customerReference, site, accountRequest, branch, requestedOn, currency, net, vat, gross, conditions, payment.provider, payment.reference, payment.amount, deliverTo.name, deliverTo.address1, deliverTo.address2, deliverTo.address3, deliverTo.town, deliverTo.county, deliverTo.postcode, deliverTo.country, deliverTo.contact, deliverTo.telephone, deliverTo.email, guest.name, guest.email, guest.telephone"
    `);
  });

  test("is refused for keys it does not have", () => {
    expect(
      refused(`writes: order
about: X.
tables:
  - { nam: header, each: line, columns: { A: { form: account }, B: { value: x, from: y } } }
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/web-order.yaml cannot be used: 7 problems
        mappings/erp/web-order.yaml:1: writes: found the text "order", expected web-order
        mappings/erp/web-order.yaml:4: tables[0].name: found nothing, expected text
        mappings/erp/web-order.yaml:4: tables[0].each: found the text "line", expected one of lines, charges or a list
        mappings/erp/web-order.yaml:4: tables[0].columns.A.form: found the key "form", expected one of from, first, value, values, default, date, places, max (nearest match "from")
        mappings/erp/web-order.yaml:4: tables[0].columns.A: found a mapping with no keys, expected exactly one of from, first, value
        mappings/erp/web-order.yaml:4: tables[0].columns.B: found a mapping with from, value, expected exactly one of from, first, value
        mappings/erp/web-order.yaml:4: tables[0].nam: found the key "nam", expected one of name, each, columns (nearest match "name")"
    `);
  });
});

test("examples of orders that do not hold say where and how", () => {
  const order = `order: { webOrder: W, account: A, orderedOn: 2026-03-05, placedBy: customer, currency: GBP, net: 1, vat: 0, gross: 1, lines: [{ line: 1, product: P, quantity: 1, unitPrice: 1, net: 1, vatCode: ZERO, vat: 0 }] }`;
  const header = `{ ORDER: W, SOURCE: WEB, DATE: 5 Mar 26, SITE: MAIN }`;
  const line = `{ ORDER: W, ROW: 1, TYPE: S, CODE: P, VAT: T0, NET: 1.00 }`;
  const text = [
    `- { example: right, ${order}, gives: { lines: [${line}], header: [${header}] } }`,
    `- { example: value, ${order}, gives: { lines: [${line}], header: [${header.replace("WEB", "SHOP")}] } }`,
    `- { example: column, ${order}, gives: { lines: [${line.replace("CODE", "COED")}], header: [${header}] } }`,
    `- { example: rows, ${order}, gives: { lines: [], header: [${header}] } }`,
    `- { example: tables, ${order}, gives: { header: [${header}] } }`,
    `- { example: not refused, ${order}, refused: [header.REF] }`,
    `- { example: refused, ${order.replace("ZERO", "NONE")}, gives: { lines: [${line}], header: [${header}] } }`,
    `- { example: rightly refused, ${order.replace("ZERO", "NONE")}, refused: [lines.VAT (row 1)] }`,
  ].join("\n");
  expect(
    checkExamples(outbound(TEXT), { file: "x", text }).map(
      ({ line: at, path, found, expected }) => `${at} ${path}: ${found} / ${expected}`,
    ),
  ).toMatchInlineSnapshot(`
    [
      "2 [1].gives.header[0].SOURCE: "WEB" / "SHOP"",
      "3 [2].gives.lines[0].COED: the column "COED" / one of ORDER, ROW, TYPE, CODE, VAT, NET",
      "3 [2].gives.lines[0].CODE: "P" / nothing",
      "4 [3].gives.lines: 1 rows / 0",
      "5 [4].gives: the tables lines, header / header",
      "6 [5].refused: tables / no way to write header.REF",
      "7 [6].gives: lines.VAT (row 1): found "NONE", expected one of the value table: STANDARD, ZERO / tables",
    ]
  `);
});
