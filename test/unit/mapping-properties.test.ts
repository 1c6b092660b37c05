import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkRecord, compileMapping } from "../../src/mapping/index.ts";
import type { Mapping } from "../../src/mapping/index.ts";
import { decimal, records, senseOf, yearsOf } from "../../src/model/index.ts";
import type { AnyRecord, Field, RecordDefinition, RecordValue } from "../../src/model/index.ts";

const definitions = Object.values(records) as unknown as readonly RecordDefinition[];

function same(definition: RecordDefinition, locale = ""): Mapping {
  const text = `record: ${definition.name}\nreads: x\nabout: X.\n${locale}fields: same\n`;
  return compileMapping({ file: "same.yaml", text });
}

/** What an ERP may leave in a cell: nearly right, far off, or nothing. */
const anyCell = fc.oneof(
  fc.constantFrom("", " ", "0", "1", "-0.00", "true", "FALSE", "GBP", "account", "invoice", "x"),
  fc.constantFrom(
    "2026-03-31",
    "2024-02-29",
    "2026-02-29",
    "2026-03-31T08:15:00+01:00",
    "31/03/2026",
  ),
  fc.stringMatching(/^[-+]?\d{0,14}\.?\d{0,7}$/),
  fc.string({ unit: "binary", maxLength: 50 }),
  fc.double().map(String),
);

/** A value that is right for a field, in the one form in which a record holds it. */
function valueOf(field: Field): fc.Arbitrary<RecordValue> {
  switch (field.kind) {
    case "text":
    case "code":
      return fc
        .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
        .map((text) => text.replaceAll("\0", "").trim().slice(0, field.max))
        .filter((text) => text !== "" && text.trim() === text && text.isWellFormed());
    case "choice":
      return fc.constantFrom(...field.values);
    case "flag":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: -2_147_483_647, max: 2_147_483_647 });
    case "decimal":
      return digitsOf(field).map((digits) => decimal.canonical({ digits, scale: field.scale }));
    case "date":
      return fc.integer({ min: 0, max: 40_000 }).map((days) => dayAfter(days, field));
    case "instant":
      return fc
        .integer({ min: 700_000_000, max: 4_000_000_000 })
        .map((second) => Temporal.Instant.fromEpochMilliseconds(second * 1000).toString());
    default:
      return field satisfies never;
  }
}

function digitsOf({ precision }: { readonly precision: number }): fc.Arbitrary<bigint> {
  const most = 10n ** BigInt(precision) - 1n;
  return fc.bigInt({ min: -most, max: most });
}

function dayAfter(days: number, field: Field): string {
  const { first } = yearsOf(field);
  return Temporal.PlainDate.from({ year: first, month: 1, day: 1 }).add({ days }).toString();
}

function recordOf(definition: RecordDefinition): fc.Arbitrary<AnyRecord> {
  return fc
    .record(
      Object.fromEntries(
        Object.entries(definition.fields).map(([name, field]) => [
          name,
          field.optional === true ? fc.option(valueOf(field)) : valueOf(field),
        ]),
      ),
    )
    .map((record) => sensible(definition, record));
}

/** The same record, where it does not contradict itself. */
function sensible(definition: RecordDefinition, record: AnyRecord): AnyRecord {
  const made: Record<string, RecordValue> = { ...record };
  for (const [index, rule] of definition.sense.entries()) {
    if (senseOf(definition)[index]?.holds(made) === true) continue;
    if (rule.kind === "bounds") made[rule.field] = "12.5";
    else if (rule.kind === "order")
      [made[rule.first], made[rule.last]] = [made[rule.last] ?? null, made[rule.first] ?? null];
    else {
      for (const part of rule.of.slice(1)) made[part] = "0";
      made[rule.field] = made[rule.of[0] ?? ""] ?? null;
    }
  }
  return made;
}

/** Fields that a wrong value of this one may be told of: itself, and what it contradicts. */
function concerned(definition: RecordDefinition, field: string): string[] {
  const named = definition.sense.flatMap((rule) => {
    if (rule.kind === "order") return rule.first === field ? [rule.last] : [];
    if (rule.kind === "sum") return rule.of.includes(field) ? [rule.field] : [];
    return rule.when?.field === field ? [rule.field] : [];
  });
  return [field, ...named];
}

describe.each(definitions.map((definition) => [definition.name, definition] as const))(
  "the layout of %s",
  (_name, definition) => {
    const mapping = same(definition);
    const fields = Object.keys(definition.fields);

    test("gives a right record or a reason for a field, whatever stands in a row", () => {
      const row = fc.record(Object.fromEntries(fields.map((field) => [field, anyCell])));
      fc.assert(
        fc.property(row, (values) => {
          const mapped = mapping.apply(values);
          if (mapped.kind === "ignored") throw new Error("nothing in the layout is left out");
          if (mapped.kind === "records")
            expect(mapped.records.flatMap((one) => checkRecord(definition, one))).toEqual([]);
          else for (const { field } of mapped.problems) expect(fields).toContain(field);
        }),
        { numRuns: 60 },
      );
    });

    test("gives back every right record as it was", () => {
      fc.assert(
        fc.property(recordOf(definition), (record) => {
          expect(checkRecord(definition, record)).toEqual([]);
          expect(mapping.apply(record)).toEqual({ kind: "records", records: [record] });
        }),
        { numRuns: 30 },
      );
    });

    test("refuses each field alone, when only it is wrong", () => {
      fc.assert(
        fc.property(
          recordOf(definition),
          fc.constantFrom(...fields),
          anyCell,
          (record, field, cell) => {
            const mapped = mapping.apply({ ...record, [field]: cell });
            if (mapped.kind === "rejected")
              for (const problem of mapped.problems)
                expect(concerned(definition, field)).toContain(problem.field);
            else expect(mapped.kind).toBe("records");
          },
        ),
        { numRuns: 60 },
      );
    });
  },
);

describe("numbers", () => {
  const lines = same(records["erp-order-line"]);
  const price = (mapping: Mapping, text: string) => {
    const mapped = mapping.apply({ erpOrder: "O", line: 1, quantity: 1, unitPrice: text, net: 1 });
    return mapped.kind === "records" ? mapped.records[0]?.["unitPrice"] : undefined;
  };

  test("are read as the model reads decimals, and kept in their shortest form", () => {
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom(..."0123456789.-+, e".split("")),
        minLength: 1,
        maxLength: 24,
      }),
      fc.stringMatching(/^[-+]?0{0,3}\d{0,13}(\.\d{0,8})?$/),
    );
    fc.assert(
      fc.property(text, (cell) => {
        const value = decimal.tryParse(cell.trim());
        const shortest = value === undefined ? undefined : decimal.canonical(value);
        const [whole = "", places = ""] = (shortest ?? "").replace("-", "").split(".");
        const fits = (whole === "0" ? 0 : whole.length) <= 12 && places.length <= 6;
        expect(price(lines, cell)).toBe(fits ? shortest : undefined);
      }),
      { numRuns: 3000 },
    );
  });

  test("of equal value are equal texts, however they are padded", () => {
    fc.assert(
      fc.property(digitsOf({ precision: 18 }), fc.nat(4), fc.nat(4), (digits, before, after) => {
        const plain = decimal.format({ digits, scale: 6 });
        const sign = plain.startsWith("-") ? "-" : "";
        const padded = `${sign}${"0".repeat(before)}${plain.slice(sign.length)}${"0".repeat(after)}`;
        expect(price(lines, padded)).toBe(price(lines, plain));
        expect(price(lines, plain)).toBe(decimal.canonical({ digits, scale: 6 }));
      }),
    );
  });

  test("keep their value through any locale", () => {
    const locales = [
      [",", "."],
      [".", ","],
      [",", " "],
      [".", "'"],
    ] as const;
    for (const [point, thousands] of locales) {
      const mapping = same(
        records["erp-order-line"],
        `locale: { decimal: "${point}", thousands: "${thousands}" }\n`,
      );
      fc.assert(
        fc.property(digitsOf({ precision: 18 }), (digits) => {
          const [whole = "", places = ""] = decimal.format({ digits, scale: 6 }).split(".");
          const grouped = whole.replaceAll(/\B(?=(\d{3})+$)/g, thousands);
          const wanted = decimal.canonical({ digits, scale: 6 });
          expect(price(mapping, `${grouped}${point}${places}`)).toBe(wanted);
          expect(price(mapping, `${whole}${point}${places}`)).toBe(wanted);
        }),
      );
    }
  });
});

test("dates are exactly the days that exist, of 1990 to 2099", () => {
  const mapping = compileMapping({
    file: "dates.yaml",
    text: "record: quotation\nreads: q\nabout: Q.\nlocale: { dates: [dd/MM/yyyy, yyyy-MM-dd] }\nfields: { quotation: A, account: B, quotedOn: C }\n",
  });
  const on = (text: string) => {
    const mapped = mapping.apply({ A: "1", B: "2", C: text });
    return mapped.kind === "records" ? mapped.records[0]?.["quotedOn"] : undefined;
  };
  const two = (value: number) => String(value).padStart(2, "0");
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1980, max: 2110 }), fc.integer({ min: 1, max: 9999 })),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      (year, month, day) => {
        const iso = `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`;
        const isRight =
          year >= 1990 &&
          year <= 2099 &&
          month >= 1 &&
          month <= 12 &&
          day >= 1 &&
          day <= Temporal.PlainYearMonth.from({ year, month }).daysInMonth;
        expect(on(iso)).toBe(isRight ? iso : undefined);
        expect(on(`${two(day)}/${two(month)}/${iso.slice(0, 4)}`)).toBe(isRight ? iso : undefined);
      },
    ),
    { numRuns: 1000 },
  );
});
