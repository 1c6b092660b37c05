/** A plan's YAML file: its schema, and the checks that a schema cannot make. */
import { z } from "zod";
import { DefinitionError, openDefinition } from "../definition/index.ts";
import type { Definition, DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import { CHANNELS, decimal } from "../model/index.ts";
import { SALES_CLASSES } from "./engine/index.ts";
import type { Plan, RateRow } from "./engine/index.ts";

const code = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "a code such as new-and-repeat: a-z, 0-9 and -, 40 at most");
const date = z.string().refine(isDate, "a date such as 2026-03-31");

const rateRow = z.strictObject({
  classes: z
    .array(z.enum(SALES_CLASSES))
    .min(1)
    .optional()
    .describe("Classes of sales that the row is for; absent: every class."),
  channels: z
    .array(z.enum(CHANNELS))
    .min(1)
    .optional()
    .describe("Channels that the row is for; absent: every channel."),
  productGroups: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Product groups that the row is for; absent: every group, and products without one."),
  percent: z
    .number()
    .min(0)
    .max(100)
    .refine(hasFourPlaces, "a percentage with at most 4 decimal places")
    .describe("Percent of the base, 0 to 100 with at most 4 decimal places."),
});

const rateComponent = z.strictObject({
  kind: z.literal("rate").describe("A percentage of the base."),
  component: code.describe("Code of the component, the same over the versions of the plan."),
  title: z.string().min(1).max(100).describe("Its name on the statement."),
  base: z.literal("net").describe("Net of goods lines; carriage and other lines earn nothing."),
  earned: z.literal("invoice").describe("Earned when the invoice is posted."),
  rates: z
    .array(rateRow)
    .describe("The first row that fits a line applies; a line that no row fits earns nothing."),
});

const version = z.strictObject({
  version: z.number().int().positive().describe("Number of the version: 1, 2, 3 …"),
  from: date.describe("First document date it applies to; it ends where the next one begins."),
  components: z.array(z.discriminatedUnion("kind", [rateComponent])).min(1),
});

export const planSchema = z.strictObject({
  plan: code.describe("Code of the plan, as commands and settings name it."),
  title: z.string().min(1).max(100).describe("Its name on the statement."),
  currency: z.string().length(3).describe("ISO currency of the ledger that it pays on."),
  versions: z
    .array(version)
    .min(1)
    .describe("By date. A version that has paid is never changed: a new one is added below it."),
});

/** The plan, or a `DefinitionError` that names every problem with its line. */
export function readPlan(source: DefinitionSource): Plan {
  const definition = openDefinition(source, planSchema);
  const problems = [...versionProblems(definition), ...rowProblems(definition)];
  if (problems.length > 0) throw new DefinitionError(source.file, problems);
  const { plan, title, currency, versions } = definition.value;
  return {
    plan,
    title,
    currency,
    versions: versions.map(({ version, from, components }) => ({
      version,
      from,
      components: components.map(({ kind, component, title, rates }) => ({
        kind,
        component,
        title,
        rates: rates.map(rowFrom),
      })),
    })),
  };
}

type PlanDefinition = Definition<z.output<typeof planSchema>>;

/** Versions are numbered 1, 2, 3 … and begin one after the other. */
function versionProblems({ value, problem }: PlanDefinition): DefinitionProblem[] {
  return value.versions.flatMap(({ version, from, components }, index) => {
    const found: DefinitionProblem[] = [];
    const before = value.versions[index - 1];
    if (version !== index + 1)
      found.push(
        problem(["versions", index, "version"], {
          found: `the number ${version}`,
          expected: `${index + 1}: versions are numbered in their order`,
        }),
      );
    if (before !== undefined && from <= before.from)
      found.push(
        problem(["versions", index, "from"], {
          found: `the date ${from}`,
          expected: `a date after ${before.from}, when the version before begins`,
        }),
      );
    for (const [position, { component }] of components.entries())
      if (components.findIndex((it) => it.component === component) < position)
        found.push(
          problem(["versions", index, "components", position, "component"], {
            found: `the code "${component}" a second time`,
            expected: "each component once in a version",
          }),
        );
    return found;
  });
}

/** A row below one that fits all its lines would never apply: surely not what its author meant. */
function rowProblems({ value, problem }: PlanDefinition): DefinitionProblem[] {
  return value.versions.flatMap(({ components }, v) =>
    components.flatMap(({ rates }, c) =>
      rates.flatMap((row, r) => {
        const above = rates.findIndex((other, index) => index < r && covers(other, row));
        if (above < 0) return [];
        const path = ["versions", v, "components", c, "rates", r];
        const expected = `a row that row ${above + 1} leaves lines to; the first that fits applies`;
        return [problem(path, { found: "a row that can never apply", expected })];
      }),
    ),
  );
}

type RowDefinition = z.output<typeof rateRow>;

function covers(above: RowDefinition, row: RowDefinition): boolean {
  const includes = (wide?: readonly string[], narrow?: readonly string[]): boolean =>
    wide === undefined || (narrow?.every((word) => wide.includes(word)) ?? false);
  return (
    includes(above.classes, row.classes) &&
    includes(above.channels, row.channels) &&
    includes(above.productGroups, row.productGroups)
  );
}

function rowFrom({ classes, channels, productGroups, percent }: RowDefinition): RateRow {
  return {
    classes: classes ?? null,
    channels: channels ?? null,
    productGroups: productGroups ?? null,
    percent: String(percent),
  };
}

/** A number's shortest text is the text that its author wrote, as far as 4 places go. */
function hasFourPlaces(percent: number): boolean {
  const value = decimal.tryParse(String(percent));
  return value !== undefined && value.scale <= 4;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  try {
    Temporal.PlainDate.from(text);
    return true;
  } catch {
    return false;
  }
}
