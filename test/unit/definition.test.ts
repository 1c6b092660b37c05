import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  DefinitionError,
  describeProblem,
  jsonSchemaOf,
  nearest,
  openDefinition,
  readDefinition,
} from "../../src/definition/index.ts";

const plan = z.strictObject({
  name: z.string().min(1),
  startsOn: z.iso.date(),
  currency: z.enum(["GBP", "EUR", "USD"]).default("GBP"),
  target: z.union([
    z.string(),
    z.strictObject({ from: z.string(), basis: z.enum(["net", "gross"]) }),
  ]),
  rates: z.record(z.string().regex(/^[A-Z]+$/, "a code in capitals"), z.number().min(0).max(100)),
  steps: z
    .array(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("percent"), percent: z.number() }),
        z.strictObject({ kind: z.literal("flat") }),
      ]),
    )
    .max(3)
    .optional(),
  days: z
    .array(z.number().int())
    .refine((days) => days.length !== 2, "one day or three")
    .optional(),
});

const good = `name: Standard
startsOn: 2026-04-01
target: { from: lines, basis: net }
rates: { NEW: 6, REPEAT: 3 }
steps:
  - kind: percent
    percent: 1.5
`;

function failure(text: string, asWritten = false): DefinitionError {
  try {
    readDefinition({ file: "plans/standard.yaml", text }, plan, { asWritten });
  } catch (error) {
    if (error instanceof DefinitionError) return error;
    throw error;
  }
  throw new Error("the definition was read although it should have been refused");
}

describe("a definition that is right", () => {
  test("becomes the schema's value, defaults filled in", () => {
    expect(readDefinition({ file: "p.yaml", text: good }, plan)).toEqual({
      name: "Standard",
      startsOn: "2026-04-01",
      currency: "GBP",
      target: { from: "lines", basis: "net" },
      rates: { NEW: 6, REPEAT: 3 },
      steps: [{ kind: "percent", percent: 1.5 }],
    });
  });

  test("keeps keys exactly as written, so that the code 01 is not the number 1", () => {
    const table = z.record(z.string(), z.boolean());
    const text = "01: true\n1: false\nyes: true\n1.0: false\nnull: true\n";
    expect(readDefinition({ file: "t.yaml", text }, table)).toEqual({
      "01": true,
      "1": false,
      yes: true,
      "1.0": false,
      null: true,
    });
  });

  test("read as written, keeps every scalar as text", () => {
    const row = z.record(z.string(), z.string());
    const text = "code: 007\nprice: 12.50\nflag: true\nnothing:\nnull: ~\n";
    expect(readDefinition({ file: "t.yaml", text }, row, { asWritten: true })).toEqual({
      code: "007",
      price: "12.50",
      flag: "true",
      nothing: "",
      null: "~",
    });
  });

  test("names the line of any part, of the closest one above when there is no such part", () => {
    const definition = openDefinition({ file: "p.yaml", text: good }, plan);
    expect(definition.lineOf([])).toBe(1);
    expect(definition.lineOf(["rates", "REPEAT"])).toBe(4);
    expect(definition.lineOf(["steps", 0, "percent"])).toBe(7);
    expect(definition.lineOf(["steps", 0, "missing"])).toBe(6);
    expect(definition.lineOf(["days"])).toBe(1);
    expect(
      describeProblem(
        "p.yaml",
        definition.problem(["rates", "NEW"], { found: "6", expected: "7", nearest: "7" }),
      ),
    ).toBe('p.yaml:4: rates.NEW: found 6, expected 7 (nearest match "7")');
  });

  test("may use a few anchors", () => {
    const list = z.array(z.array(z.string()));
    expect(readDefinition({ file: "a.yaml", text: "- &a [x]\n- *a\n" }, list)).toEqual([
      ["x"],
      ["x"],
    ]);
  });
});

describe("a definition that is wrong", () => {
  test("is refused with every problem, each with line, path, found, expected and nearest match", () => {
    const error = failure(`name: ""
startsOn: 31/04/2026
currency: GPB
target:
  form: lines
  basis: nett
rates:
  NEW: 101
  old: 3
  OTHER: six
steps:
  - kind: precent
  - kind: flat
    percent: 2
  - 5
days: [1, 2]
nmae: x
`);
    expect(error.message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 14 problems
        plans/standard.yaml:1: name: found the text "", expected at least 1 character
        plans/standard.yaml:2: startsOn: found the text "31/04/2026", expected a date such as 2026-03-31
        plans/standard.yaml:3: currency: found the text "GPB", expected one of GBP, EUR, USD (nearest match "GBP")
        plans/standard.yaml:4: target.from: found nothing, expected text
        plans/standard.yaml:5: target.form: found the key "form", expected one of from, basis (nearest match "from")
        plans/standard.yaml:6: target.basis: found the text "nett", expected one of net, gross (nearest match "net")
        plans/standard.yaml:8: rates.NEW: found the number 101, expected at most 100
        plans/standard.yaml:9: rates.old: found the key "old", expected a code in capitals
        plans/standard.yaml:10: rates.OTHER: found the text "six", expected a number
        plans/standard.yaml:12: steps[0].kind: found the text "precent", expected one of percent, flat (nearest match "percent")
        plans/standard.yaml:14: steps[1].percent: found the key "percent", expected only kind
        plans/standard.yaml:15: steps[2]: found the number 5, expected a mapping of keys to values
        plans/standard.yaml:16: days: found a list of 2, expected one day or three
        plans/standard.yaml:17: nmae: found the key "nmae", expected one of name, startsOn, currency, target, rates, steps, days (nearest match "name")"
    `);
    expect(error.problems).toHaveLength(14);
    expect(error.problems[2]).toEqual({
      line: 3,
      path: "currency",
      found: 'the text "GPB"',
      expected: "one of GBP, EUR, USD",
      nearest: "GBP",
    });
  });

  test("says what is missing at the closest line above it", () => {
    expect(failure("name: A\nrates: {}\n").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 2 problems
        plans/standard.yaml:1: startsOn: found nothing, expected text
        plans/standard.yaml:1: target: found nothing, expected text or a mapping of keys to values"
    `);
  });

  test("asks for quotes where YAML reads text as something else", () => {
    expect(failure(good.replace("Standard", "2026").replace("2026-04-01", "true")).message)
      .toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 2 problems
        plans/standard.yaml:1: name: found the number 2026, expected text (put it in quotes)
        plans/standard.yaml:2: startsOn: found true, expected text (put it in quotes)"
    `);
  });

  test("names the forms that a value may have", () => {
    expect(failure(good.replace("{ from: lines, basis: net }", "[net]")).message)
      .toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:3: target: found a list of 1, expected text or a mapping of keys to values"
    `);
  });

  test("is refused for a key that stands twice", () => {
    expect(failure(`${good}rates: { NEW: 7 }\n`).message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:8: rates: found the key "rates" a second time, expected each key once"
    `);
  });

  test("is refused for broken YAML, tags and a second document", () => {
    expect(failure('name: "A\n').message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:2: found broken YAML (Missing closing "quote), expected YAML 1.2"
    `);
    expect(failure("name: !secret A\n").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found the tag !secret, expected no tags"
    `);
    expect(failure(`${good}---\nname: B\n`).message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:8: found a second YAML document, expected one document in the file"
    `);
    expect(failure("? [a, b]\n: c\n").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found broken YAML (With stringKeys, all keys must be strings), expected YAML 1.2"
    `);
  });

  test("is refused for tabs with one line, at the first of them", () => {
    expect(failure("name: A\nrates:\n\tNEW: 7\n\tOLD: 8\n\t\tx: 1\n").message)
      .toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:3: found a tab at the beginning of the line, expected spaces: replace every tab in the file by two of them"
    `);
  });

  test("is refused when it is empty or not a mapping", () => {
    expect(failure("").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found an empty value, expected a mapping of keys to values"
    `);
    expect(failure("just words\n").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found the text "just words", expected a mapping of keys to values"
    `);
  });

  test("is refused for an alias without its anchor", () => {
    expect(failure("name: *gone\n").message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found YAML that cannot be read (Unresolved alias (the anchor must be set before the alias): gone), expected plain YAML 1.2"
    `);
  });

  test("is refused when its aliases multiply", () => {
    const levels = Array.from({ length: 8 }, (_, level) => {
      const inner = level === 0 ? "x" : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 9 }, () => inner).join(", ")}]`;
    });
    expect(failure(levels.join("\n")).message).toMatchInlineSnapshot(`
      "plans/standard.yaml cannot be used: 1 problem
        plans/standard.yaml:1: found YAML that cannot be read (Excessive alias count indicates a resource exhaustion attack), expected plain YAML 1.2"
    `);
  });

  test("is refused, not crashed on, when it nests without end", () => {
    expect(failure("[".repeat(20_000)).problems.length).toBeGreaterThan(0);
  });
});

describe("the nearest match", () => {
  test.each([
    ["acount", ["account", "amount", "name"], "account"],
    ["GPB", ["GBP", "EUR"], "GBP"],
    ["CurrencyCode", ["currency", "name"], "currency"],
    ["valid_from", ["validFrom", "validTo"], "validFrom"],
    ["colour", ["account", "name"], undefined],
    ["x", [], undefined],
  ])("of %s among %j is %s", (word, allowed, found) => {
    expect(nearest(word, allowed)).toBe(found);
  });
});

test("a schema gives a JSON Schema of the file as written", () => {
  const schema = jsonSchemaOf(plan);
  expect(schema).toMatchObject({
    type: "object",
    additionalProperties: false,
    required: ["name", "startsOn", "target", "rates"],
    properties: { currency: { enum: ["GBP", "EUR", "USD"], default: "GBP" } },
  });
});
