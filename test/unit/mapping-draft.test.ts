import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import {
  checkExamples,
  compileMapping,
  draftMapping,
  type Draft,
  type DraftSource,
} from "../../src/mapping/index.ts";

const ROOT = join(import.meta.dirname, "../..");

/** A file as text, as an export writes it; no quotes and no separators within values. */
function draft(file: string, text: string, more: Partial<DraftSource> = {}): Draft {
  const separator = text.includes(";") ? ";" : ",";
  const [header = "", ...lines] = text.trim().split("\n");
  const columns = header.split(separator);
  const rows = lines.map((line) => {
    const cells = line.split(separator);
    return Object.fromEntries(columns.map((name, at) => [name, cells[at] ?? ""]));
  });
  const made = draftMapping({ file, columns, rows, schemas: "..", ...more });
  if (made === null) throw new Error(`${file} fits no record`);
  return made;
}

const fieldsOf = ({ columns }: Draft) =>
  Object.fromEntries(columns.map(({ column, field }) => [column, field]));

/** The draft is a mapping that works, and its examples hold. */
function expectGood({ mapping, examples, record }: Draft): void {
  const made = compileMapping({ file: `mappings/draft/${record}.yaml`, text: mapping });
  expect(checkExamples(made, { file: "examples.yaml", text: examples ?? "" })).toEqual([]);
}

const SALES_LEDGER = `
ACCOUNT_REF,NAME,ADDRESS_1,ADDRESS_5,TELEPHONE,E_MAIL,ANALYSIS_1,STATUS_TEXT,DEF_TAX_CODE,CURRENCY,DISCOUNT_RATE,PRICING_REF,SETTLEMENT_DISC_RATE,SETTLEMENT_DUE_DAYS,PAYMENT_DUE_DAYS,CREDIT_LIMIT,ACCOUNT_ON_HOLD,BALANCE,INACTIVE_FLAG,FIRST_INV_DATE,RECORD_DELETED
A1D001,A1 Design Services,67a Station Road,NE1 2AB,0191 254 5909,paul@a1.example,George,Open,T1,1,5.00,TRADE,0.00,0,30,1000.00,0,1234.50,0,12/02/2014,0
ABS001,ABS Garages Ltd,Unit 34,NE3 4CD,0191 254 5910,,George,Open,T1,1,0.00,,2.50,7,30,0.00,0,2533.31,0,31/12/2015,0
BBS001,Bobs Building Supplies,Unit 76,NE4 5EF,,,,On Stop,T0,1,0.00,,0.00,0,60,500.00,1,4309.96,1,00/00/0000,0
`;

describe("a draft from a ledger of Sage 50", () => {
  const made = draft("SALES_LEDGER.csv", SALES_LEDGER);

  test("takes its rows for customers and finds the fields by their names there", () => {
    expect(made.record).toBe("customer");
    expect(fieldsOf(made)).toEqual({
      ACCOUNT_REF: "account",
      NAME: "name",
      ADDRESS_1: null,
      ADDRESS_5: "postcode",
      TELEPHONE: "telephone",
      E_MAIL: "email",
      ANALYSIS_1: null,
      STATUS_TEXT: null,
      DEF_TAX_CODE: "vatCode",
      CURRENCY: "currency",
      DISCOUNT_RATE: "discountPercent",
      PRICING_REF: "priceList",
      SETTLEMENT_DISC_RATE: "settlementPercent",
      SETTLEMENT_DUE_DAYS: "settlementDays",
      PAYMENT_DUE_DAYS: "termsDays",
      CREDIT_LIMIT: "creditLimit",
      ACCOUNT_ON_HOLD: "onStop",
      BALANCE: "balance",
      INACTIVE_FLAG: "state",
      FIRST_INV_DATE: "openedOn",
      RECORD_DELETED: null,
    });
  });

  test("is a mapping with value tables, forms and comments, tried on the file's own rows", () => {
    expect(made.mapping).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=../mapping.schema.json
      record: customer
      reads: customers
      about: "One row is a customer's account in the ERP with its terms, credit and stop (drafted from SALES_LEDGER.csv)."
      locale: { dates: [dd/MM/yyyy] }
      worth: BALANCE
      ignore: [{ when: RECORD_DELETED, equals: ["1", Y, T, true], because: deleted in the ERP }]
      fields:
        account: ACCOUNT_REF
        name: NAME
        priceList: PRICING_REF
        # DECIDE: which currency "1" stands for; without a rule it is GBP
        # currency: COLUMN
        vatCode: { from: DEF_TAX_CODE, values: { T1: STANDARD, T0: ZERO } }
        discountPercent: DISCOUNT_RATE
        termsDays: PAYMENT_DUE_DAYS
        settlementPercent: SETTLEMENT_DISC_RATE
        settlementDays: SETTLEMENT_DUE_DAYS
        # LOOK: whether 0 means that there is no limit: then write blank: ["0", "0.00"]
        creditLimit: CREDIT_LIMIT
        balance: BALANCE
        onStop: { from: ACCOUNT_ON_HOLD, values: { "0": false, "1": true } }
        state: { from: INACTIVE_FLAG, values: { "0": active, "1": closed } }
        openedOn: { from: FIRST_INV_DATE, blank: ["00/00/0000"] }
        email: E_MAIL
        telephone: TELEPHONE
        postcode: ADDRESS_5
        # Columns that no field was found for:
        #   ADDRESS_1: "67a Station Road", "Unit 34", "Unit 76"
        #   ANALYSIS_1: "George"
        #   STATUS_TEXT: "Open", "On Stop"
      "
    `);
    expect(made.tried).toEqual({ good: 3, refused: 0, why: null });
    expectGood(made);
  });

  test("its examples are the file's first good rows", () => {
    expect(made.examples?.split("\n").slice(0, 46).join("\n")).toMatchInlineSnapshot(`
      "# yaml-language-server: $schema=../examples.schema.json
      # Everything is text as written, as in a CSV file; fields not named under gives are null or have
      # their default.

      - example: Row 1 of the file that the draft was made from
        row:
          ACCOUNT_REF: A1D001
          NAME: A1 Design Services
          ADDRESS_5: NE1 2AB
          TELEPHONE: "0191 254 5909"
          E_MAIL: "paul@a1.example"
          DEF_TAX_CODE: T1
          DISCOUNT_RATE: "5.00"
          PRICING_REF: TRADE
          SETTLEMENT_DISC_RATE: "0.00"
          SETTLEMENT_DUE_DAYS: "0"
          PAYMENT_DUE_DAYS: "30"
          CREDIT_LIMIT: "1000.00"
          ACCOUNT_ON_HOLD: "0"
          BALANCE: "1234.50"
          INACTIVE_FLAG: "0"
          FIRST_INV_DATE: "12/02/2014"
          RECORD_DELETED: "0"
        gives:
          account: A1D001
          name: A1 Design Services
          priceList: TRADE
          vatCode: STANDARD
          discountPercent: "5"
          termsDays: "30"
          settlementPercent: "0"
          settlementDays: "0"
          creditLimit: "1000"
          balance: "1234.5"
          openedOn: "2014-02-12"
          email: "paul@a1.example"
          telephone: "0191 254 5909"
          postcode: NE1 2AB

      - example: Row 2 of the file that the draft was made from
        row:
          ACCOUNT_REF: ABS001
          NAME: ABS Garages Ltd
          ADDRESS_5: NE3 4CD
          TELEPHONE: "0191 254 5910"
          E_MAIL: """
    `);
  });

  test("says what to decide and what to look at, and guesses neither", () => {
    expect(made.notes).toMatchInlineSnapshot(`
      [
        {
          "field": "currency",
          "note": "DECIDE: which currency "1" stands for; without a rule it is GBP",
        },
        {
          "field": "creditLimit",
          "note": "LOOK: whether 0 means that there is no limit: then write blank: ["0", "0.00"]",
        },
      ]
    `);
  });
});

test.each([
  [
    "Opera's customers",
    "Z_SNAME.csv",
    "sn_account,sn_name,sn_pstcode,sn_teleno,sn_currbal,sn_crlim,sn_stop,sn_dormant,sn_terrtry,sn_tprfl,sn_vrn\nADA0001,Adams Light Engineering Ltd,MK1 1AA,01908 555001,16852.18,20000.00,F,F,NORTH,30D,GB987654321\nBED0001,Bedford Timber,MK2 2BB,,0.00,500.00,T,F,SOUTH,30D,",
    "customer",
    {
      sn_account: "account",
      sn_stop: "onStop",
      sn_dormant: "state",
      sn_terrtry: "rep",
      sn_tprfl: null,
    },
  ],
  [
    "Opera's stock",
    "Z_CNAME.csv",
    "cn_ref,cn_desc,cn_catag,cn_fact,cn_cost\nBRK-RED,Red brick,BRICK,STD,0.44\nBRK-BLU,Blue brick,BRICK,STD,0.51",
    "product",
    {
      cn_ref: "product",
      cn_desc: "name",
      cn_catag: "productGroup",
      cn_cost: "standardCost",
      cn_fact: null,
    },
  ],
  [
    "Sage 50's product list",
    "Product list.csv",
    "Stock Code,Description,Tax Code,Unit of Sale,Category,Bar Code,Last Cost,Weight\nBOARD001,White Board,T1,Each,1,5012345678900,11.50,2.5\nBRK-RED,Red brick,T1,1000,2,,0.44,",
    "product",
    {
      "Stock Code": "product",
      Description: "name",
      "Bar Code": "barcode",
      "Unit of Sale": "sellingUnit",
    },
  ],
  [
    "Sage 200's view of customers",
    "customer_views.csv",
    "id,reference,name,balance,on_hold,status_reason,account_status_type,currency_iso_code,credit_limit,vat_number,early_settlement_discount_percent,early_settlement_discount_days,payment_terms_days,payment_terms_basis,discount_group_name,price_band_name\n27828,KIN001,Kingston Interiors,7398.35,false,,AccountStatusActive,GBP,6000.00,GB123456789,0.00,0,30,PaymentDueFromDocumentDate,Trade,Trade\n27829,LAM001,Lamley Ltd,75.00,true,Over limit,AccountStatusHidden,GBP,1000.00,,2.50,7,30,PaymentDueFromEndOfMonth,,Standard",
    "customer",
    {
      reference: "account",
      on_hold: "onStop",
      account_status_type: "state",
      payment_terms_basis: "termsBasis",
      price_band_name: "priceList",
      discount_group_name: "customerGroup",
      currency_iso_code: "currency",
      early_settlement_discount_days: "settlementDays",
      id: null,
    },
  ],
  [
    "Sage 200's product prices",
    "product_price_views.csv",
    "product_price_id,product_code,price_band_name,product_price_price\n1,BOARD001,Standard,10.00000\n2,BOARD001,Trade,8.50000",
    "price-rule",
    {
      product_price_id: "rule",
      product_code: "productCode",
      price_band_name: "customerCode",
      product_price_price: "value",
    },
  ],
  [
    "Sage 50's invoices",
    "INVOICE.csv",
    "INVOICE_NUMBER,INVOICE_TYPE,INVOICE_DATE,ACCOUNT_REF,ORDER_NUMBER,TAKEN_BY,CUST_ORDER_NUMBER,INVOICE_NET,INVOICE_TAX,INVOICE_GROSS\n101,Invoice,31/03/2026,A1D001,0000012,George,PO 77,100.00,20.00,120.00\n102,Credit,31/03/2026,ABS001,,,,10.00,2.00,12.00",
    "sales-document",
    {
      INVOICE_NUMBER: "document",
      INVOICE_TYPE: "documentType",
      TAKEN_BY: "takenBy",
      INVOICE_GROSS: "gross",
    },
  ],
  [
    "Sage 50's audit trail",
    "AUDIT_HEADER.csv",
    "TRAN_NUMBER,TYPE,DATE,ACCOUNT_REF,INV_REF,DUE_DATE,NET_AMOUNT,TAX_AMOUNT,GROSS_AMOUNT,OUTSTANDING\n1,SI,31/03/2026,A1D001,101,30/04/2026,100.00,20.00,120.00,120.00\n2,SR,31/03/2026,A1D001,BACS,,50.00,0.00,50.00,0.00",
    "ledger-transaction",
    {
      TRAN_NUMBER: "transaction",
      TYPE: "kind",
      DATE: "postedOn",
      INV_REF: "document",
      OUTSTANDING: "outstanding",
    },
  ],
])("%s are recognised, and every row of them becomes a record", (_, file, text, record, fields) => {
  const made = draft(file, text);
  expect(made.record).toBe(record);
  expect(fieldsOf(made)).toMatchObject(fields);
  expect(made.missing).toEqual([]);
  expect(made.tried).toEqual({ good: 2, refused: 0, why: null });
  expectGood(made);
});

describe("values say how they are written", () => {
  const prices = draft(
    "prices.csv",
    "Price List;Stock Code;Net Price;Break Qty;Start Date;End Date\nTRADE;BRK-RED;£1.489,50;1;01/04/2026;30/06/2026\nTRADE;BRK-BLU;£1.502,00;500;13/04/2026;",
  );

  test("decimal commas, thousands and pounds signs are read exactly", () => {
    expect(prices.mapping).toContain(
      'locale: { dates: [dd/MM/yyyy], decimal: ",", thousands: "." }',
    );
    expect(prices.examples).toContain('value: "1489.5"');
    expectGood(prices);
  });

  test("what a price rule is for comes from its columns, to be looked at", () => {
    expect(prices.mapping).toContain("customerScope: { value: price-list }");
    expect(prices.mapping).toContain('rule: { join: [Price List, Stock Code], with: "/" }');
    expect(prices.notes.map(({ field }) => field)).toContain("customerScope");
  });

  test("a date of which the day may be the month is told, never guessed about in silence", () => {
    const made = draft("receipts.csv", "Receipt No,Account,Date,Amount\nR1,A1,03/04/2026,5.00\n");
    expect(made.notes).toContainEqual({
      field: "receivedOn",
      note: "LOOK: whether the day or the month comes first: no day of the sample is above 12",
    });
  });

  test("words that nobody knows are left to a person, and their rows are refused until then", () => {
    const made = draft(
      "INVOICE.csv",
      "INVOICE_NUMBER,INVOICE_TYPE,INVOICE_DATE,ACCOUNT_REF,NET,VAT,GROSS\n1,INV,31/03/2026,A1,1,0,1\n2,ZZ,31/03/2026,A1,1,0,1",
    );
    expect(made.mapping).toContain('# DECIDE: what "ZZ" means: one of invoice, credit');
    expect(made.mapping).toContain(
      "documentType: { from: INVOICE_TYPE, values: { INV: invoice } }",
    );
    expect(made.tried).toMatchObject({ good: 1, refused: 1 });
  });
});

describe("what a draft cannot tell", () => {
  const made = draft("customers.csv", "A/C,Odd\nA1,x\nA2,y\n");

  test("is marked with what to decide, and is missing rather than wrong", () => {
    expect(made.record).toBe("customer");
    expect(made.missing).toEqual([{ field: "name", about: "Account name." }]);
    expect(made.mapping).toContain(
      "# DECIDE: no column was found for name, which is never blank. Account name.",
    );
    expect(made.mapping).toContain('#   Odd: "x", "y"');
    expect(made.examples).toBeNull();
    expect(() => compileMapping({ file: "customer.yaml", text: made.mapping })).toThrow("name");
  });

  test("can be told: the record that a row is", () => {
    expect(draft("stock.csv", "Stock Code,Price\nA,1.00\n", { record: "price-rule" }).record).toBe(
      "price-rule",
    );
  });

  test("texts of a file can never become YAML of their own", () => {
    const evil = draft(
      "customers.csv",
      'Account,Name,"bad: {x}\nA1,"Smith: # & Co",*x\n- y,yes,null\n',
    );
    expectGood(evil);
  });
});

test("a draft reads the stream that the Tradepost CSV layout names for its record", () => {
  const layout = join(ROOT, "mappings", "tradepost-csv");
  const shipped = readdirSync(layout).filter((name) => /^[a-z-]+\.yaml$/.test(name));
  const streams = shipped.flatMap((name) => {
    const text = readFileSync(join(layout, name), "utf8");
    const reads = /^reads: (.+)$/m.exec(text)?.[1];
    return reads === undefined ? [] : [[name.replace(".yaml", ""), reads] as const];
  });
  expect(streams.length).toBeGreaterThan(20);
  for (const [record, reads] of streams)
    expect(draft("x.csv", "a,b\n1,2\n", { record }).mapping).toContain(`\nreads: ${reads}\n`);
});

describe("the command", () => {
  const folder = mkdtempSync(join(tmpdir(), "tradepost-draft-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const run = (...words: string[]) =>
    spawnSync(
      process.execPath,
      ["src/launch.js", "src/cli.ts", "mapping", "draft", ...words, "--out", join(folder, "set")],
      { cwd: ROOT, encoding: "utf8" },
    );

  test("reads the file as it is, writes mapping and examples, and never writes over them", () => {
    const file = join(folder, "customers.csv");
    writeFileSync(
      file,
      Buffer.from("A/C\tName\tBalance\r\nA1\tCaf\xe9 Ros\xe9\t12.50\r\n", "latin1"),
    );
    const first = run(file);
    expect(first.stderr).toBe("");
    expect(first.stdout).toContain("A row is taken for a customer");
    expect(first.stdout).toMatch(/A\/C +account +sure/);
    expect(first.stdout).toContain("1 row becomes a customer, none is refused");
    expect(readFileSync(join(folder, "set", "customer.examples.yaml"), "utf8")).toContain(
      "Café Rosé",
    );
    const again = run(file);
    expect([again.status, again.stderr]).toEqual([
      2,
      expect.stringContaining(
        "is there already. Give another --out, or --force to write over it.",
      ) as unknown,
    ]);
  });

  test("says what is wrong with a file that is none", () => {
    const gone = join(folder, "gone.csv");
    const said = run(gone);
    expect([said.status, said.stderr]).toEqual([
      2,
      `The file ${gone} cannot be read: it is not there. Give a CSV file, or a .csv.gz.\n`,
    ]);
  });

  test("reads a .csv.gz, named from where the person stands who calls npm", () => {
    const zipped = gzipSync("Account,Name,Balance\nA1,Ash,12.50\n");
    writeFileSync(join(folder, "customers.csv.gz"), zipped);
    const said = spawnSync(
      process.execPath,
      ["src/launch.js", "src/cli.ts", "mapping", "draft", "customers.csv.gz", "--out", "new/set"],
      { cwd: ROOT, encoding: "utf8", env: { ...process.env, INIT_CWD: folder } },
    );
    expect(said.stderr).toBe("");
    const written = readFileSync(join(folder, "new", "set", "customer.yaml"), "utf8");
    expect(written).toContain("reads: customers");
  });

  test("proposes nothing for a file that fits no record", () => {
    writeFileSync(join(folder, "odd.csv"), "a;b\n1;2\n");
    const said = run(join(folder, "odd.csv"));
    expect([said.status, said.stdout]).toEqual([2, ""]);
    expect(said.stderr).toMatch(/odd\.csv fit no record.*Give --record with what a row is/);
  });
});
