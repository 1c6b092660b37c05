import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DefinitionError } from "../../src/definition/index.ts";
import { checkExamples, checkRecord, compileMapping } from "../../src/mapping/index.ts";
import type { Mapping } from "../../src/mapping/index.ts";
import { records } from "../../src/model/index.ts";
import type { AnyRecord, RecordDefinition } from "../../src/model/index.ts";

const FILE = "mappings/erp/test.yaml";

function mapping(text: string): Mapping {
  return compileMapping({ file: FILE, text });
}

/** A mapping of quotation lines, whose kinds are code, integer and decimals, with other rules. */
function lines(rules: string, top = ""): Mapping {
  const fields = ["quotation: Q", "line: L", "product: P", "quantity: N", "unitPrice: U"];
  const stated = rules.split("\n").map((rule) => rule.trim().split(":")[0]);
  const others = fields.filter((rule) => !stated.includes(rule.split(":")[0]));
  const all = [...rules.split("\n").filter((rule) => rule.trim() !== ""), ...others];
  return mapping(
    `record: quotation-line\nreads: lines\nabout: Lines.\n${top}fields:\n${all.map((rule) => `  ${rule.trim()}`).join("\n")}\n`,
  );
}

/** The same of order lines, whose prices may be below zero. */
function orderLines(price: string, top = ""): Mapping {
  const fields = `{ erpOrder: Q, line: L, quantity: N, unitPrice: ${price}, net: { value: 0 } }`;
  return mapping(`record: erp-order-line\nreads: lines\nabout: Lines.\n${top}fields: ${fields}\n`);
}

const ROW = { Q: "Q1", L: "1", P: "NAIL", N: "2", U: "3.45" };

/** The one record that a row gives. */
function one(made: Mapping, row: Readonly<Record<string, unknown>>): AnyRecord {
  const mapped = made.apply(row);
  if (mapped.kind !== "records") throw new Error(JSON.stringify(mapped));
  const [record, ...others] = mapped.records;
  if (record === undefined || others.length > 0) throw new Error("not one record");
  return record;
}

/** The problems of a refused row as one would read them. */
function refusal(made: Mapping, row: Readonly<Record<string, unknown>>): string {
  const mapped = made.apply(row);
  if (mapped.kind !== "rejected") throw new Error(JSON.stringify(mapped));
  return mapped.problems
    .map(
      ({ field, found, expected, instruction }) =>
        `${field}: found ${found}, expected ${expected}. ${instruction}`,
    )
    .join("\n");
}

function refused(text: string): string {
  try {
    mapping(text);
  } catch (error) {
    if (error instanceof DefinitionError) return error.message;
    throw error;
  }
  throw new Error("the mapping was read although it should have been refused");
}

describe("a row", () => {
  test("becomes a record with every field, in the order of the definition", () => {
    const made = mapping(
      "record: branch\nreads: branches\nabout: Branches.\nfields: { branch: CODE, name: NAME }\n",
    );
    expect(one(made, { CODE: " LEEDS ", NAME: "Leeds depot\t" })).toEqual({
      branch: "LEEDS",
      name: "Leeds depot",
      defaultChannel: "unknown",
    });
    expect(Object.keys(one(made, { CODE: "A", NAME: "B" }))).toEqual(
      Object.keys(records.branch.fields),
    );
  });

  test("may hold numbers and truths of JSON instead of texts", () => {
    const made = lines("");
    expect(one(made, { Q: 4711, L: 1, P: "NAIL", N: 2.5, U: 3.4 })).toEqual({
      quotation: "4711",
      line: 1,
      product: "NAIL",
      quantity: "2.5",
      orderedQuantity: null,
      unitPrice: "3.4",
    });
    expect(refusal(made, { Q: ["Q1"], L: { a: 1 }, P: true, N: Number.NaN, U: null }))
      .toMatchInlineSnapshot(`
        "quotation: found a list of 1 in Q, expected a single value. Correct Q in the source, or quotation in erp/test.yaml.
        line: found a group of values in L, expected a single value. Correct L in the source, or line in erp/test.yaml.
        quantity: found no readable value in N, expected a single value. Correct N in the source, or quantity in erp/test.yaml.
        unitPrice: found nothing in U, expected a value (unitPrice is never blank). Fill U in the source, or give unitPrice a default in erp/test.yaml."
      `);
  });

  test("is refused with everything that is wrong with it at once", () => {
    expect(refusal(lines(""), { Q: "", L: "1.5", P: "X".repeat(61), N: "1,000", U: "0.1234567" }))
      .toMatchInlineSnapshot(`
        "quotation: found nothing in Q, expected a value (quotation is never blank). Fill Q in the source, or give quotation a default in erp/test.yaml.
        line: found "1.5" in L, expected a whole number within ±2,147,483,647. Correct L in the source.
        product: found "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX" in P, expected at most 60 characters, and it has 61. Correct P in the source.
        quantity: found "1,000" in N, expected a number such as 1234.50. Correct N in the source, or state how numbers are written (locale:) in erp/test.yaml.
        unitPrice: found "0.1234567" in U, expected at most 6 decimal places, and it has 7. Correct U in the source, or let unitPrice be rounded (round: 6) in erp/test.yaml."
      `);
  });

  test("is refused for a column that is not there, in other words than for a blank one", () => {
    expect(refusal(lines(""), { Q: "Q1", L: "1", N: "1", U: " " })).toMatchInlineSnapshot(`
      "product: found no column P, expected a value (product is never blank). Fill P in the source, or give product a default in erp/test.yaml.
      unitPrice: found nothing in U, expected a value (unitPrice is never blank). Fill U in the source, or give unitPrice a default in erp/test.yaml."
    `);
  });

  test("keeps the money at risk when it is refused, read by the locale", () => {
    const made = lines("", 'locale: { decimal: ",", thousands: "." }\nworth: W\n');
    expect(made.apply({ ...ROW, U: "x", W: "1.234,50" })).toMatchObject({ worth: "1234.5" });
    expect(made.apply({ ...ROW, U: "x", W: "much" })).not.toHaveProperty("worth");
  });
});

describe("texts and codes", () => {
  const made = mapping(
    "record: settlement\nreads: s\nabout: S.\nfields: { settlement: A, document: B, settledOn: C, amount: D }\n",
  );
  const row = { A: "1", B: "2", C: "2026-01-01", D: "1" };

  test("may be as long as the record allows and not longer", () => {
    expect(one(made, { ...row, B: "x".repeat(40) })["document"]).toHaveLength(40);
    expect(refusal(made, { ...row, B: "x".repeat(41) })).toMatchInlineSnapshot(
      `"document: found "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" in B, expected at most 40 characters, and it has 41. Correct B in the source."`,
    );
  });

  test("hold nothing that the database could not keep", () => {
    expect(refusal(made, { ...row, B: "a\0b" })).toMatchInlineSnapshot(
      `"document: found "a\\u0000b" in B, expected text without NUL characters and broken surrogates. Correct B in the source."`,
    );
    expect(made.apply({ ...row, B: "a\ud800b" }).kind).toBe("rejected");
    expect(one(made, { ...row, B: "Łódź 🧱" })["document"]).toBe("Łódź 🧱");
  });
});

describe("choices and flags", () => {
  const made = mapping("record: rep\nreads: r\nabout: R.\nfields: { rep: A, name: B }\n");
  const customers = mapping(
    "record: customer\nreads: c\nabout: C.\nfields: { account: A, name: B, state: S, onStop: T }\n",
  );
  const row = { A: "A1", B: "Ashby" };

  test("are exactly the record's words", () => {
    expect(one(customers, { ...row, S: "closed", T: "TRUE" })).toMatchObject({
      state: "closed",
      onStop: true,
    });
    expect(refusal(customers, { ...row, S: "Closed", T: "Y" })).toMatchInlineSnapshot(`
      "onStop: found "Y" in T, expected true or false. Correct T in the source, or give onStop a value table (values:) in erp/test.yaml.
      state: found "Closed" in S, expected one of active, closed (nearest match "closed"). Correct S in the source, or give state a value table (values:) in erp/test.yaml."
    `);
  });

  test("take the record's default when blank", () => {
    expect(one(customers, { ...row, S: "", T: null })).toMatchObject({
      state: "active",
      onStop: false,
    });
    expect(one(made, row)).toMatchObject({ team: null });
  });

  test("come from a value table, and a text that it does not know is refused", () => {
    const table = mapping(`record: customer
reads: c
about: C.
fields:
  account: A
  name: B
  onStop: { from: T, values: { 0: false, 1: true, 01: true, "": true } }
  state: { from: S, values: { O: active, C: closed, "?": null } }
`);
    expect(one(table, { ...row, T: "01", S: "C" })).toMatchObject({
      onStop: true,
      state: "closed",
    });
    expect(one(table, { ...row, T: "", S: "?" })).toMatchObject({ onStop: true, state: "active" });
    expect(refusal(table, { ...row, T: "9", S: "o" })).toMatchInlineSnapshot(`
      "onStop: found "9" in T, expected one of the value table: 0, 1, 01, blank. Correct T in the source, or add "9" to the value table of onStop in erp/test.yaml.
      state: found "o" in S, expected one of the value table: O, C, ? (nearest match "O"). Correct S in the source, or add "o" to the value table of state in erp/test.yaml."
    `);
  });
});

describe("numbers", () => {
  test.each([
    ["3.45", "3.45"],
    ["3.450", "3.45"],
    ["0003.4", "3.4"],
    [".5", "0.5"],
    ["5.", "5"],
    ["+7", "7"],
    ["-0.00", "0"],
    ["-1.10", "-1.1"],
    ["100", "100"],
    ["999999999999.999999", "999999999999.999999"],
  ])("%s is kept as %s", (text, kept) => {
    expect(one(orderLines("U"), { ...ROW, U: text })["unitPrice"]).toBe(kept);
  });

  test.each(["", "-", ".", "1.2.3", "1e5", "1,5", "£3", "3-", "(3)", "1 000", "0x1F", "NaN", "٣"])(
    "%j is none",
    (text) => {
      expect(lines("").apply({ ...ROW, U: text }).kind).toBe("rejected");
    },
  );

  test("are refused beyond the record's places and digits, never rounded in silence", () => {
    expect(refusal(lines(""), { ...ROW, U: "1.0000001" })).toMatchInlineSnapshot(
      `"unitPrice: found "1.0000001" in U, expected at most 6 decimal places, and it has 7. Correct U in the source, or let unitPrice be rounded (round: 6) in erp/test.yaml."`,
    );
    expect(refusal(lines(""), { ...ROW, U: "1234567890123" })).toMatchInlineSnapshot(
      `"unitPrice: found "1234567890123" in U, expected at most 12 digits before the point. Correct U in the source."`,
    );
    expect(one(lines(""), { ...ROW, U: "1.0000000" })["unitPrice"]).toBe("1");
  });

  test("are rounded half away from zero where the rule says so", () => {
    const made = orderLines("{ from: U, round: 2 }");
    expect(one(made, { ...ROW, U: "1.005" })["unitPrice"]).toBe("1.01");
    expect(one(made, { ...ROW, U: "-1.005" })["unitPrice"]).toBe("-1.01");
    expect(one(made, { ...ROW, U: "1.0049999" })["unitPrice"]).toBe("1");
  });

  test("turn their sign and come in pence where the rule says so", () => {
    const made = orderLines("{ from: U, dividedBy: 100, negate: true }");
    expect(one(made, { ...ROW, U: "12345" })["unitPrice"]).toBe("-123.45");
    expect(one(made, { ...ROW, U: "-7" })["unitPrice"]).toBe("0.07");
    expect(one(made, { ...ROW, U: "0" })["unitPrice"]).toBe("0");
  });

  test("follow the locale, and only it", () => {
    const german = lines("", 'locale: { decimal: ",", thousands: "." }\n');
    expect(one(german, { ...ROW, U: "1.234.567,50", N: "3", L: "1.000" })).toMatchObject({
      unitPrice: "1234567.5",
      line: 1000,
    });
    expect(german.apply({ ...ROW, U: "1234.5" }).kind).toBe("rejected");
    expect(german.apply({ ...ROW, U: "1.23,4" }).kind).toBe("rejected");
    const british = orderLines("U", 'locale: { thousands: "," }\n');
    expect(one(british, { ...ROW, U: "-1,234.50" })["unitPrice"]).toBe("-1234.5");
    expect(refusal(british, { ...ROW, U: "1,23" })).toMatchInlineSnapshot(
      `"unitPrice: found "1,23" in U, expected a number such as 1,234.50. Correct U in the source, or state how numbers are written (locale:) in erp/test.yaml."`,
    );
  });

  test("that count are whole", () => {
    expect(one(lines(""), { ...ROW, L: "12.00" })["line"]).toBe(12);
    expect(one(lines(""), { ...ROW, L: "-3" })["line"]).toBe(-3);
    expect(lines("").apply({ ...ROW, L: "2147483648" }).kind).toBe("rejected");
    expect(lines("").apply({ ...ROW, L: "1.5" }).kind).toBe("rejected");
  });
});

describe("dates and moments", () => {
  function dated(dates: string): Mapping {
    return mapping(
      `record: quotation\nreads: q\nabout: Q.\nlocale: { dates: ${dates} }\nfields: { quotation: A, account: B, quotedOn: C }\n`,
    );
  }
  const read = (made: Mapping, text: string) => one(made, { A: "1", B: "2", C: text })["quotedOn"];

  test.each([
    ["[yyyy-MM-dd]", "2026-03-31", "2026-03-31"],
    ["[dd/MM/yyyy]", "31/03/2026", "2026-03-31"],
    ["[yyyy-MM-dd, dd/MM/yyyy]", "29/02/2024", "2024-02-29"],
    ["[dd/MM/yyyy]", "29/02/2000", "2000-02-29"],
    ["[d/M/yyyy]", "1/12/2026", "2026-12-01"],
    ["[dd/MM/yy]", "31/12/49", "2049-12-31"],
    ["[dd/MM/yy]", "01/01/90", "1990-01-01"],
    ["[dd-MMM-yyyy]", "03-Mar-2026", "2026-03-03"],
    ["[yyyyMMdd]", "20260331", "2026-03-31"],
    ["['dd/MM/yyyy HH:mm:ss']", "31/03/2026 23:59:59", "2026-03-31"],
  ])("by %s, %s is %s", (dates, text, iso) => {
    expect(read(dated(dates), text)).toBe(iso);
  });

  test.each([
    ["[yyyy-MM-dd]", "2026-02-29"],
    ["[yyyy-MM-dd]", "1900-02-29"],
    ["[yyyy-MM-dd]", "2026-13-01"],
    ["[yyyy-MM-dd]", "2026-00-10"],
    ["[yyyy-MM-dd]", "0000-01-01"],
    ["[yyyy-MM-dd]", "0026-01-01"],
    ["[dd/MM/yyyy]", "31/03/2206"],
    ["[dd/MM/yy]", "01/01/50"],
    ["[yyyy-MM-dd]", "2026-3-31"],
    ["[yyyy-MM-dd]", "2026-03-31T00:00:00"],
    ["[dd/MM/yyyy]", "31/04/2026"],
    ["[dd/MM/yyyy]", "31/03/26"],
    ["[dd/MM/yyyy]", "1/3/2026"],
    ["[dd/MM/yy]", "31/03/2026"],
    ["['dd/MM/yyyy HH:mm']", "31/03/2026 24:00"],
    ["[dd-MMM-yyyy]", "03-Mai-2026"],
  ])("by %s, %s is none", (dates, text) => {
    expect(dated(dates).apply({ A: "1", B: "2", C: text }).kind).toBe("rejected");
  });

  test("are refused with the form that was expected", () => {
    const made = dated("[yyyy-MM-dd, dd/MM/yyyy]");
    expect(refusal(made, { A: "1", B: "2", C: "31/02/2026" })).toMatchInlineSnapshot(
      `"quotedOn: found "31/02/2026" in C, expected a day that exists, as yyyy-MM-dd or dd/MM/yyyy. Correct C in the source."`,
    );
    expect(refusal(made, { A: "1", B: "2", C: "March" })).toMatchInlineSnapshot(
      `"quotedOn: found "March" in C, expected a day as yyyy-MM-dd or dd/MM/yyyy, such as 2026-11-25. Correct C in the source, or state the form of quotedOn (dates:) in erp/test.yaml."`,
    );
  });

  test("of the right day in another form are told the form, not that the day does not exist", () => {
    const slashed = dated("[dd/MM/yyyy]");
    expect(refusal(slashed, { A: "1", B: "2", C: "25/11/26" })).toMatchInlineSnapshot(
      `"quotedOn: found "25/11/26" in C, expected a day as dd/MM/yyyy, such as 25/11/2026. Correct C in the source, or state the form of quotedOn (dates:) in erp/test.yaml."`,
    );
  });

  test("of the years 0026 and 2206 are refused: the form is right, the year is not plausible", () => {
    expect(
      refusal(dated("[dd/MM/yyyy]"), { A: "1", B: "2", C: "25/11/0026" }),
    ).toMatchInlineSnapshot(
      `"quotedOn: found "25/11/0026" in C, expected a year from 1990 to 2099. Correct C in the source, or let it count as blank for quotedOn (blank:) in erp/test.yaml."`,
    );
    expect(
      refusal(dated("[yyyy-MM-dd]"), { A: "1", B: "2", C: "2206-11-25" }),
    ).toMatchInlineSnapshot(
      `"quotedOn: found "2206-11-25" in C, expected a year from 1990 to 2099. Correct C in the source, or let it count as blank for quotedOn (blank:) in erp/test.yaml."`,
    );
    const reps = mapping("record: rep\nreads: r\nabout: R.\nfields: same\n");
    expect(one(reps, { rep: "R", name: "N", startedOn: "1967-05-01" })["startedOn"]).toBe(
      "1967-05-01",
    );
  });

  test("moments are kept in UTC, local ones by the time zone that the file states", () => {
    const stock = (locale: string) =>
      mapping(
        `record: stock\nreads: s\nabout: S.\n${locale}fields: { product: A, branch: B, onHandQuantity: C, countedAt: D }\n`,
      );
    const at = (made: Mapping, text: string) =>
      one(made, { A: "1", B: "2", C: "3", D: text })["countedAt"];
    const plain = stock("");
    expect(at(plain, "2026-03-31T08:15:00Z")).toBe("2026-03-31T08:15:00Z");
    expect(at(plain, "2026-03-31T09:15:00+01:00")).toBe("2026-03-31T08:15:00Z");
    expect(at(plain, "2026-03-31 09:15:00.1234567+0100")).toBe("2026-03-31T08:15:00.123456Z");
    expect(
      refusal(plain, { A: "1", B: "2", C: "3", D: "2026-03-31T08:15:00" }),
    ).toMatchInlineSnapshot(
      `"countedAt: found "2026-03-31T08:15:00" in D, expected a moment with its offset, such as 2026-03-31T08:15:00Z. Correct D in the source, or state the time zone of moments (locale: timeZone) in erp/test.yaml."`,
    );
    const london = stock(
      "locale: { timeZone: Europe/London, dates: [dd/MM/yyyy, 'dd/MM/yyyy HH:mm'] }\n",
    );
    expect(at(london, "2026-07-01T09:15:00")).toBe("2026-07-01T08:15:00Z");
    expect(at(london, "01/01/2026 09:15")).toBe("2026-01-01T09:15:00Z");
    // The hour that the clock change repeats is the earlier one; the one it skips moves on.
    expect(at(london, "25/10/2026 01:30")).toBe("2026-10-25T00:30:00Z");
    expect(at(london, "29/03/2026 01:30")).toBe("2026-03-29T01:30:00Z");
    expect(refusal(london, { A: "1", B: "2", C: "3", D: "01/01/2026" })).toMatchInlineSnapshot(
      `"countedAt: found "01/01/2026" in D, expected a moment such as 2026-03-31T08:15:00, in Europe/London. Correct D in the source, or state the form of countedAt with HH:mm (dates:) in erp/test.yaml."`,
    );
  });
});

describe("where a field comes from", () => {
  test("the first column that is not blank", () => {
    const made = lines("product: { first: [ALT, P], blank: [N/A] }");
    expect(one(made, { ...ROW, ALT: "BOLT" })["product"]).toBe("BOLT");
    expect(one(made, { ...ROW, ALT: "N/A" })["product"]).toBe("NAIL");
    expect(refusal(made, { ...ROW, ALT: "", P: "N/A" })).toMatchInlineSnapshot(
      `"product: found nothing in ALT or P, expected a value (product is never blank). Fill ALT or P in the source, or give product a default in erp/test.yaml."`,
    );
  });

  test("columns put together, where a blank part is refused unless the rule says what it means", () => {
    const row = { ...ROW, A: "A1", B: "", C: "C3" };
    expect(refusal(lines("product: { join: [A, B, C], with: / }"), row)).toMatchInlineSnapshot(
      `"product: found nothing in B, expected a value in every part of the join. Correct A, B and C in the source, or product in erp/test.yaml."`,
    );
    expect(one(lines("product: { join: [A, B, C], with: /, blanks: keep }"), row)["product"]).toBe(
      "A1//C3",
    );
    expect(one(lines("product: { join: [A, B, C], with: /, blanks: drop }"), row)["product"]).toBe(
      "A1/C3",
    );
    expect(one(lines("product: { join: [A, C] }"), row)["product"]).toBe("A1C3");
  });

  test("a constant, and a default for blanks", () => {
    const made = lines("product: { value: NAIL }\nquantity: { from: N, default: 1.50 }");
    expect(one(made, { ...ROW, N: "" })).toMatchObject({ product: "NAIL", quantity: "1.5" });
  });

  test("a part of a nested group, or a column with a point in its name", () => {
    const made = lines("product: item.code");
    expect(one(made, { ...ROW, item: { code: "BOLT" } })["product"]).toBe("BOLT");
    expect(one(made, { ...ROW, "item.code": "SCREW" })["product"]).toBe("SCREW");
    expect(made.apply({ ...ROW, item: "flat" }).kind).toBe("rejected");
  });

  test("an expression over the row's texts", () => {
    const made = lines(
      `product: { expression: 'P.startsWith("X") ? P.substring(1) : P' }\nquantity: { expression: 'int(N) * 12' }\nline: { expression: 'row["Line no"] == "" ? "9" : row["Line no"]' }`,
    );
    expect(one(made, { ...ROW, P: " XNAIL ", N: 3, "Line no": null })).toMatchObject({
      product: "NAIL",
      quantity: "36",
      line: 9,
    });
    expect(refusal(made, { ...ROW, N: "many" })).toMatchInlineSnapshot(
      `"quantity: found N "many", expected values that int(N) * 12 can work with (int("many") is no whole number). Correct N in the source, or quantity in erp/test.yaml."`,
    );
    expect(made.columns.required).toEqual(["Q", "Line no", "P", "N", "U"]);
  });

  test("an expression's own variables are no columns", () => {
    const made = lines(
      `product: { expression: 'P.split("-").map(part, part + Q)[0]' }\nunitPrice: { expression: 'cel.bind(price, U, price + "0")' }`,
    );
    expect(one(made, { ...ROW, P: "NAIL-65" })).toMatchObject({ product: "NAILQ1" });
    expect(made.columns.required).toEqual(["Q", "L", "P", "N", "U"]);
  });
});

describe("rows that are left out", () => {
  const made = lines(
    "",
    `ignore:
  - { when: T, equals: [D, 0], because: deleted in the ERP }
  - { when: P, blank: true, because: a text line }
  - { expression: 'int(N) == 0', because: nothing was ordered }
`,
  );

  test("say why, by the first rule that holds", () => {
    expect(made.apply({ ...ROW, T: "D", P: "" })).toEqual({
      kind: "ignored",
      reason: "deleted in the ERP",
    });
    expect(made.apply({ ...ROW, T: 0 })).toMatchObject({ reason: "deleted in the ERP" });
    expect(made.apply({ ...ROW, T: "A", P: " " })).toMatchObject({ reason: "a text line" });
    expect(made.apply({ ...ROW, T: "A", N: "0" })).toMatchObject({
      reason: "nothing was ordered",
    });
    expect(made.apply({ ...ROW, T: "A" }).kind).toBe("records");
  });

  test("are refused when a rule cannot tell", () => {
    expect(refusal(made, { ...ROW, T: "A", N: "" })).toMatchInlineSnapshot(
      `"ignore: found N nothing, expected values that int(N) == 0 can work with (int("") is no whole number). Correct N in the source, or the rule "nothing was ordered" in erp/test.yaml."`,
    );
  });
});

describe("one row, several records", () => {
  const breaks = lines(
    "line: n\nquantity: from\nunitPrice: price",
    `ignore:
  - { when: price, blank: true, because: the break is not used }
each:
  n: 1 to 3
  columns: { from: "QTY_{n}", price: "PRICE_{n}" }
`,
  );
  const row = { Q: "Q1", P: "NAIL", QTY_1: "1", PRICE_1: "3", QTY_2: "10", PRICE_2: "2.50" };

  test("by numbered columns", () => {
    expect(breaks.columns).toEqual({
      required: ["Q", "P", "QTY_1", "PRICE_1", "QTY_2", "PRICE_2", "QTY_3", "PRICE_3"],
      optional: [],
    });
    expect(breaks.apply(row)).toEqual({
      kind: "records",
      records: [
        {
          quotation: "Q1",
          line: 1,
          product: "NAIL",
          quantity: "1",
          orderedQuantity: null,
          unitPrice: "3",
        },
        {
          quotation: "Q1",
          line: 2,
          product: "NAIL",
          quantity: "10",
          orderedQuantity: null,
          unitPrice: "2.5",
        },
      ],
    });
  });

  test("none at all is a row left out", () => {
    expect(breaks.apply({ Q: "Q1", P: "NAIL" })).toEqual({
      kind: "ignored",
      reason: "the break is not used",
    });
  });

  test("all or none: one that is wrong refuses the row, and a fault of all is told once", () => {
    expect(refusal(breaks, { ...row, PRICE_2: "two", P: "" })).toMatchInlineSnapshot(`
      "product: found nothing in P, expected a value (product is never blank). Fill P in the source, or give product a default in erp/test.yaml.
      unitPrice: found "two" in PRICE_2, expected a number such as 1234.50. Correct PRICE_2 in the source, or state how numbers are written (locale:) in erp/test.yaml."
    `);
  });

  test("by words instead of numbers", () => {
    const bands = mapping(`record: price-rule
reads: products
about: A product with a price in each band.
each: { n: [A, B], columns: { price: "PRICE_{n}" } }
fields:
  rule: { join: [n, SKU], with: / }
  customerScope: { value: price-list }
  customerCode: n
  productScope: { value: product }
  productCode: SKU
  kind: { value: fixed }
  value: price
`);
    const made = bands.apply({ SKU: "NAIL", PRICE_A: "3", PRICE_B: "2" });
    expect(made).toMatchObject({
      records: [
        { rule: "A/NAIL", customerCode: "A", value: "3" },
        { rule: "B/NAIL", customerCode: "B", value: "2" },
      ],
    });
  });

  test("by a nested list", () => {
    const nested = lines(
      "line: n\nproduct: items.sku\nquantity: { from: items.qty, default: 1 }\nunitPrice: items.price.net",
      "each: { list: items }\n",
    );
    expect(nested.columns.required).toEqual(["Q", "items"]);
    const items = [
      { sku: "NAIL", price: { net: "3" } },
      { sku: "BOLT", qty: 5, price: { net: 2.5 } },
    ];
    expect(nested.apply({ Q: "Q1", items })).toEqual({
      kind: "records",
      records: [
        {
          quotation: "Q1",
          line: 1,
          product: "NAIL",
          quantity: "1",
          orderedQuantity: null,
          unitPrice: "3",
        },
        {
          quotation: "Q1",
          line: 2,
          product: "BOLT",
          quantity: "5",
          orderedQuantity: null,
          unitPrice: "2.5",
        },
      ],
    });
    expect(nested.apply({ Q: "Q1", items: [] })).toEqual({
      kind: "ignored",
      reason: "items is empty",
    });
    expect(refusal(nested, { Q: "Q1", items: [{ sku: "NAIL" }] })).toMatchInlineSnapshot(
      `"unitPrice: found no column items.price.net (item 1), expected a value (unitPrice is never blank). Fill items.price.net in the source, or give unitPrice a default in erp/test.yaml."`,
    );
    expect(refusal(nested, { Q: "Q1", items: "NAIL" })).toMatchInlineSnapshot(
      `"items: found "NAIL" in items, expected a list. Correct items in the source, or each: list in the mapping."`,
    );
  });
});

describe("a mapping file", () => {
  test("is known by its set and name, and by a version that follows its text", () => {
    const text = "record: rep\nreads: reps\nabout: Reps.\nfields: same\n";
    const made = compileMapping({ file: "/srv/x/mappings/tradepost-csv/rep.yaml", text });
    expect(made.id).toBe("tradepost-csv/rep");
    expect(made.version).toMatch(/^[0-9a-f]{12}$/);
    expect(mapping(text.replaceAll("\n", "\r\n")).version).toBe(made.version);
    expect(mapping(`${text}# more\n`).version).not.toBe(made.version);
  });

  test("says which columns a file must have", () => {
    expect(
      mapping(
        "record: rep\nreads: r\nabout: R.\nothers: same\nfields: { name: NAME, team: { from: TEAM, optional: true }, email: MAIL }\n",
      ).columns,
    ).toEqual({ required: ["rep", "NAME", "MAIL"], optional: ["TEAM", "startedOn", "leftOn"] });
  });

  test("finds columns that are misspelt where a missing one would go unnoticed", () => {
    const made = mapping("record: customer\nreads: c\nabout: C.\nfields: same\n");
    expect(
      made.misspelt(["account", "name", "OnStop", "credit_limit", "cashAcount", "colour", "rep"]),
    ).toEqual([
      { found: "OnStop", meant: "onStop" },
      { found: "credit_limit", meant: "creditLimit" },
      { found: "cashAcount", meant: "cashAccount" },
    ]);
    expect(made.misspelt(["account", "name", "onStop", "ONSTOP"])).toEqual([]);
  });

  test("is refused for a record or field that is not known, with the nearest match", () => {
    expect(refused("record: custmer\nreads: c\nabout: C.\nfields: same\n")).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 1 problem
        mappings/erp/test.yaml:1: record: found "custmer", expected one of trading-entity, branch, rep, customer, site, assignment, product-group, product, product-unit, assortment, stock, price-list, customer-price-list, price-formula, price-rule, promotion, quotation, quotation-line, erp-order, erp-order-line, order-acknowledgement, despatch, despatch-line, sales-document, sales-line, receipt, settlement, ledger-transaction, control-total (nearest match "customer")"
    `);
    expect(refused("record: rep\nreads: r\nabout: R.\nfields:\n  rep: A\n  name: B\n  mail: C\n"))
      .toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 1 problem
        mappings/erp/test.yaml:7: fields.mail: found the field "mail", expected one of rep, name, team, email, startedOn, leftOn (nearest match "email")"
    `);
  });

  test("is refused when a field that is never null has no rule", () => {
    expect(refused("record: assignment\nreads: a\nabout: A.\nfields: { account: A, rep: B }\n"))
      .toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 1 problem
        mappings/erp/test.yaml:4: fields: found no field validFrom, expected validFrom: First day, inclusive."
    `);
    const promotions = mapping(
      "record: promotion\nreads: p\nabout: P.\nfields: { promotion: A, name: B, customerScope: C, productScope: D, kind: E, validFrom: F, validTo: G }\n",
    );
    expect(promotions.columns.required).toEqual(["A", "B", "C", "D", "E", "F", "G"]);
  });

  test("is refused for rules that say nothing, too much, or what the field cannot be", () => {
    expect(
      refused(`record: customer
reads: c
about: C.
fields:
  account: { form: A }
  name: {}
  tradingEntity: { from: A, first: [B, C] }
  branch: { from: A, with: / }
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 5 problems
        mappings/erp/test.yaml:5: fields.account.form: found the key "form", expected one of from, value, expression, first, join, with, blanks, values, blank, default, negate, round, dividedBy, dates, optional (nearest match "from")
        mappings/erp/test.yaml:5: fields.account: found a mapping with no keys, expected exactly one of from, value, expression, first, join
        mappings/erp/test.yaml:6: fields.name: found a mapping with no keys, expected exactly one of from, value, expression, first, join
        mappings/erp/test.yaml:7: fields.tradingEntity: found a mapping with from, first, expected exactly one of from, value, expression, first, join
        mappings/erp/test.yaml:8: fields.branch: found a mapping with from, with, expected with and blanks only beside join"
    `);
    expect(
      refused(`record: customer
reads: c
about: C.
others: same
fields:
  rep: { value: 7 }
  state: { value: actve }
  onStop: { from: A, values: { 1: yes } }
  cashAccount: { value: true, default: false }
  currency: { from: A, negate: true }
  creditLimit: { from: A, round: 3 }
  balance: { from: A, default: 0.001 }
  openedOn: { from: A, dates: [DD/MM/YYYY, dd/MM] }
  termsDays: { from: A, default: 1.5 }
  vatCode: { expression: 'A +' }
  discountPercent: { expression: 'string(double(A) * 1.5)' }
  settlementPercent: { expression: '2.5' }
  settlementDays: { expression: 'A > 5' }
  email: { expression: 'size(row) > 3 ? "a" : "b"' }
  telephone: { from: A, values: { x: 0113 } }
  vatNumber: { expression: 'uint(A) == 1u' }
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 17 problems
        mappings/erp/test.yaml:6: fields.rep.value: found 7, expected text (put it in quotes)
        mappings/erp/test.yaml:7: fields.state.value: found the text "actve", expected one of active, closed (nearest match "active")
        mappings/erp/test.yaml:8: fields.onStop.values.1: found the text "yes", expected true or false
        mappings/erp/test.yaml:9: fields.cashAccount.value: found a constant with blank, default, values or optional, expected value by itself
        mappings/erp/test.yaml:10: fields.currency.negate: found negate on a code field, expected negate only on decimal fields
        mappings/erp/test.yaml:11: fields.creditLimit.round: found 3, expected at most the field's 2 places
        mappings/erp/test.yaml:12: fields.balance.default: found 0.001, expected at most 2 decimal places, and it has 3
        mappings/erp/test.yaml:13: fields.openedOn.dates[0]: found "DD/MM/YYYY", expected a form made of yyyy, yy, MMM, MM, M, dd, d, HH, mm, ss and signs
        mappings/erp/test.yaml:13: fields.openedOn.dates[1]: found "dd/MM", expected a form with the year, the month and the day, each once
        mappings/erp/test.yaml:14: fields.termsDays.default: found 1.5, expected a whole number
        mappings/erp/test.yaml:15: fields.vatCode.expression: found an expression that is not CEL: Unexpected token: EOF, expected a CEL expression
        mappings/erp/test.yaml:16: fields.discountPercent.expression: found an expression with floats for an amount, expected text or whole numbers, which are exact
        mappings/erp/test.yaml:17: fields.settlementPercent.expression: found an expression that gives double, expected text, true or false, or a whole number
        mappings/erp/test.yaml:18: fields.settlementDays.expression: found an expression that cannot work: no such overload: string > int, expected CEL that fits text columns
        mappings/erp/test.yaml:19: fields.email.expression: found row without a fixed column, expected row.NAME or row["A name"]
        mappings/erp/test.yaml:20: fields.telephone.values.x: found 113, expected text (put it in quotes)
        mappings/erp/test.yaml:21: fields.vatNumber.expression: found an expression that is not CEL: uint(); use int(), expected a CEL expression"
    `);
    expect(
      refused(`record: customer
reads: c
about: C.
others: same
fields:
  name: { from: A, dividedBy: 100 }
  postcode: { expression: 'optional' }
  telephone: { value: x, blank: [y] }
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 3 problems
        mappings/erp/test.yaml:6: fields.name.dividedBy: found dividedBy on a text field, expected dividedBy only on decimal fields
        mappings/erp/test.yaml:7: fields.postcode.expression: found an expression that gives OptionalNamespace, expected text, true or false, or a whole number
        mappings/erp/test.yaml:8: fields.telephone.value: found a constant with blank, default, values or optional, expected value by itself"
    `);
  });

  test("is refused for keys it does not have", () => {
    expect(
      refused(`record: rep
reads: r
abuot: R.
locale: { date: [dd/MM/yyyy], decimal: ";" }
ignore: [{ when: A, becuse: x }]
fields: sam
`),
    ).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 7 problems
        mappings/erp/test.yaml:1: about: found nothing, expected text
        mappings/erp/test.yaml:3: abuot: found the key "abuot", expected one of record, reads, about, locale, ignore, each, worth, fields, others (nearest match "about")
        mappings/erp/test.yaml:4: locale.decimal: found the text ";", expected one of ., ,
        mappings/erp/test.yaml:4: locale.date: found the key "date", expected one of dates, decimal, thousands, timeZone (nearest match "dates")
        mappings/erp/test.yaml:5: ignore[0].because: found nothing, expected text
        mappings/erp/test.yaml:5: ignore[0].becuse: found the key "becuse", expected one of when, equals, blank, expression, because (nearest match "because")
        mappings/erp/test.yaml:6: fields: found the text "sam", expected same or a mapping of keys to values"
    `);
  });

  test("is refused when its repeated records would all have one key, or repeat wrongly", () => {
    const text = `record: branch
reads: b
about: B.
ignore: [{ expression: '1 + 1', because: x }]
each: { n: 5 to 1, columns: { code: "CODE_{n}", other: OTHER } }
fields: { branch: B, name: code }
`;
    const numbers = text.replace("OTHER", '"{n}"');
    expect(refused(numbers)).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 2 problems
        mappings/erp/test.yaml:5: each.n: found 5 to 1, expected 1 to 200 numbers or words, rising, each once
        mappings/erp/test.yaml:5: each: found records of one row that all have one key, expected n or a name of each: in one of the key fields branch"
    `);
    expect(refused(text)).toMatchInlineSnapshot(`
      "mappings/erp/test.yaml cannot be used: 1 problem
        mappings/erp/test.yaml:5: each.columns.other: found the text "OTHER", expected a column name with {n} in it"
    `);
    expect(refused(numbers.replace("5 to 1", "1 to 5"))).toMatchInlineSnapshot(`
        "mappings/erp/test.yaml cannot be used: 2 problems
          mappings/erp/test.yaml:4: ignore[0].expression: found an expression that gives int, expected one that gives true or false
          mappings/erp/test.yaml:5: each: found records of one row that all have one key, expected n or a name of each: in one of the key fields branch"
      `);
  });
});

describe("what a row contradicts itself in", () => {
  const same = (record: string) =>
    mapping(
      `record: ${record}\nreads: x\nabout: X.\nlocale: { dates: [dd/MM/yyyy] }\nfields: same\n`,
    );
  const RULE = {
    rule: "R1",
    customerScope: "everyone",
    productScope: "everything",
    kind: "fixed",
    value: "15.00",
  };

  test("a price below zero waits in quarantine, and a negative percent is a surcharge", () => {
    const rules = same("price-rule");
    expect(rules.apply({ ...RULE, value: "-15.00" })).toMatchObject({ key: "R1 / 0" });
    expect(refusal(rules, { ...RULE, value: "-15.00" })).toMatchInlineSnapshot(
      `"value: found value -15 (kind fixed), expected that value (kind fixed) is 0 or more. Correct value in the source, or value in erp/test.yaml."`,
    );
    expect(one(rules, { ...RULE, value: "0" })["value"]).toBe("0");
    expect(one(rules, { ...RULE, kind: "percent", value: "-15" })["value"]).toBe("-15");
    expect(one(rules, { ...RULE, kind: "amount", value: "-15" })["value"]).toBe("-15");
    expect(one(rules, { ...RULE, kind: "markup", value: "250" })["value"]).toBe("250");
  });

  test.each([
    ["price-rule", { kind: "percent", value: "100.000001" }, "value"],
    ["price-rule", { kind: "percent", value: "-100.5" }, "value"],
    ["price-rule", { kind: "markup", value: "-101" }, "value"],
    ["price-rule", { fromQuantity: "-1" }, "fromQuantity"],
    ["price-rule", { contractQuantity: "-0.00001" }, "contractQuantity"],
  ])("a %s with %j waits", (record, change, field) => {
    const mapped = same(record).apply({ ...RULE, ...change });
    expect(mapped).toMatchObject({ kind: "rejected", problems: [{ field }] });
  });

  const DATES = { validFrom: "01/12/2026", validTo: "01/01/2026" };
  test.each([
    ["price-rule", { ...RULE, ...DATES }, "validTo"],
    ["promotion", { ...RULE, promotion: "P", name: "N", ...DATES }, "validTo"],
    ["assignment", { account: "A", rep: "R", ...DATES }, "validTo"],
    [
      "quotation",
      { quotation: "Q", account: "A", quotedOn: "01/12/2026", expiresOn: "01/01/2026" },
      "expiresOn",
    ],
  ])("a %s that ends before it begins waits", (record, row, field) => {
    const said = refusal(same(record), row);
    expect(said).toContain(`${field} 01/01/2026 is before `);
    expect(same(record).apply({ ...row, [field]: "01/12/2026" }).kind).toBe("records");
    expect(same(record).apply({ ...row, [field]: "02/12/2026" }).kind).toBe("records");
  });

  test("a document whose gross is not net and VAT waits, to the penny", () => {
    const documents = same("sales-document");
    const row = {
      documentType: "invoice",
      document: "INV-1",
      account: "A",
      documentOn: "01/12/2026",
      net: "9999999999999999.10",
      vat: "0.20",
      gross: "9999999999999999.30",
    };
    expect(one(documents, row)["gross"]).toBe("9999999999999999.3");
    expect(documents.apply({ ...row, gross: "9999999999999999.31" }).kind).toBe("rejected");
    const wrong = { ...row, net: "1000.00", vat: "200.00", gross: "1250.00" };
    expect(refusal(documents, wrong)).toMatchInlineSnapshot(
      `"gross: found net £1,000.00 + vat £200.00 = £1,200.00, and gross £1,250.00, expected that gross is net + vat. Correct net, vat or gross in the source, or net, vat or gross in erp/test.yaml."`,
    );
  });

  test("is told of the columns that it comes from, whatever they are called", () => {
    const made = mapping(
      "record: quotation-line\nreads: q\nabout: Q.\nfields: { quotation: A, line: B, product: C, quantity: D, unitPrice: { from: PRICE, negate: true } }\n",
    );
    expect(refusal(made, { A: "1", B: "1", C: "P", D: "1", PRICE: "3" })).toMatchInlineSnapshot(
      `"unitPrice: found unitPrice -3, expected that unitPrice is 0 or more. Correct PRICE in the source, or unitPrice in erp/test.yaml."`,
    );
  });
});

describe("the check of a record", () => {
  const rule: AnyRecord = one(mapping("record: price-rule\nreads: p\nabout: P.\nfields: same\n"), {
    rule: "R1",
    customerScope: "everyone",
    productScope: "everything",
    kind: "percent",
    value: "5.5",
    validFrom: "2026-01-01",
  });
  const definition = records["price-rule"] as unknown as RecordDefinition;

  test("finds nothing wrong with a record that is right", () => {
    expect(checkRecord(definition, rule)).toEqual([]);
  });

  test.each([
    ["value", "5.50"],
    ["value", "05.5"],
    ["value", "-0"],
    ["value", "1.1234567"],
    ["value", "1234567890123"],
    ["value", 5.5],
    ["value", null],
    ["rule", ""],
    ["rule", " R1"],
    ["rule", "x".repeat(121)],
    ["rule", null],
    ["kind", "fixd"],
    ["net", "true"],
    ["priority", "1"],
    ["priority", 1.5],
    ["priority", 2_147_483_648],
    ["validFrom", "2026-02-29"],
    ["validFrom", "20260101"],
    ["validTo", "2026-01-01T00:00:00"],
    ["validTo", "2025-12-31"],
    ["validTo", "2206-12-31"],
    ["value", "100.5"],
    ["fromQuantity", "-1"],
    ["customerCode", "a\0b"],
    ["other", null],
  ])("finds %s %j", (field, value) => {
    expect(checkRecord(definition, { ...rule, [field]: value })).toMatchObject([{ field }]);
  });

  test("finds a field that is missing", () => {
    const { net: _, ...rest } = rule;
    expect(checkRecord(definition, rest)).toEqual([
      { field: "net", found: "nothing", expected: "every field, null when not known" },
    ]);
  });
});

describe("examples", () => {
  const made = mapping(
    `record: rep\nreads: r\nabout: R.\nignore: [{ when: A, equals: X, because: gone }]\nworth: W\nfields: { rep: A, name: B, startedOn: C }\n`,
  );
  const check = (text: string) => checkExamples(made, { file: "x.examples.yaml", text });

  test("that hold give no problems", () => {
    expect(
      check(`- { example: a, row: { A: 007, B: Jane }, gives: { rep: 007, name: Jane } }
- { example: b, row: { A: X }, ignored: gone }
- { example: c, row: { A: JS, B: "", W: 12.50 }, rejected: [name], worth: 12.5 }
`),
    ).toEqual([]);
  });

  test("that do not hold say where and how", () => {
    expect(
      check(`- { example: wrong value, row: { A: 7, B: Jane, C: 2026-01-05 }, gives: { rep: 007, nam: Jane } }
- { example: not left out, row: { A: JS, B: Jane }, ignored: gone }
- { example: other reason, row: { A: X }, ignored: lost }
- { example: other field, row: { A: JS, B: "" }, rejected: [rep] }
- { example: other worth, row: { A: JS, B: "", W: 1 }, rejected: [name], worth: 2 }
- { example: no record, row: { A: X }, gives: { rep: X } }
- { example: too many, row: { A: JS, B: Jane }, gives: [{ rep: JS, name: Jane }, { rep: JS, name: Jane }] }
- { example: not refused, row: { A: JS, B: Jane }, rejected: [rep] }
`).map(({ line, path, found, expected }) => `${line} ${path}: ${found} / ${expected}`),
    ).toMatchInlineSnapshot(`
      [
        "1 [0].gives.nam: the field "nam" / one of rep, name, team, email, startedOn, leftOn",
        "1 [0].gives.rep: "7" / "007"",
        "1 [0].gives.name: "Jane" / null",
        "1 [0].gives.startedOn: "2026-01-05" / null",
        "2 [1].ignored: a record / a row left out because "gone"",
        "3 [2].ignored: a row left out because "gone" / a row left out because "lost"",
        "4 [3].rejected: a refused row (name: found nothing in B, expected a value (name is never blank)) / problems of rep",
        "5 [4].worth: 1 / 2",
        "6 [5].gives: a row left out because "gone" / a record",
        "7 [6].gives: 1 records / 2",
        "8 [7].rejected: a record / a refused row",
      ]
    `);
  });

  test("that cannot be read are problems too", () => {
    expect(check("- { example: a, row: {}, gves: {} }\n")).toMatchObject([
      { line: 1, path: "[0].gves", nearest: "gives" },
      { line: 1, path: "[0]" },
    ]);
  });
});

test("the mappings and examples in the module's own description work", () => {
  const readme = readFileSync(new URL("../../src/mapping/README.md", import.meta.url), "utf8");
  const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");
  const [prices = "", examples = "", nested = ""] = blocks;
  const made = compileMapping({ file: "README.md", text: prices });
  expect(checkExamples(made, { file: "README.md", text: examples })).toEqual([]);
  expect(
    compileMapping({ file: "README.md", text: nested }).apply({
      number: "Q1",
      lines: [{ sku: "NAIL", quantity: 1, price: { net: 3 } }],
    }).kind,
  ).toBe("records");
});
