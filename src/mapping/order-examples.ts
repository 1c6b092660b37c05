/** Examples of an order's mapping: a web order → the tables that it becomes. */
import { z } from "zod";
import { nearest, openDefinition } from "../definition/index.ts";
import type { DefinitionPath, DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import type { WebOrder } from "../model/index.ts";
import {
  ADDRESS_PARTS,
  CHARGE_PARTS,
  GUEST_PARTS,
  LINE_PARTS,
  ORDER_PARTS,
  PAYMENT_PARTS,
} from "./order-paths.ts";
import type { Outbound, RenderedTable } from "./outbound.ts";
import { RenderError } from "./outbound.ts";
import { quoted } from "./text.ts";

/** Everything in an example is text as written; blank is null, and what is not named too. */
const nullable = z
  .string()
  .default("")
  .transform((text) => (text === "" ? null : text));
const stated = z.string().min(1);

function shape(parts: Readonly<Record<string, string>>, mayBeNull: readonly string[]) {
  return Object.fromEntries(
    Object.keys(parts).map((part) => [part, mayBeNull.includes(part) ? nullable : stated]),
  );
}

const ORDER_MAY_LACK = [
  "placedByName",
  "customerReference",
  "site",
  "accountRequest",
  "branch",
  "requestedOn",
];
const ADDRESS_MAY_LACK = Object.keys(ADDRESS_PARTS).filter(
  (part) => !["name", "address1", "country"].includes(part),
);
const LINE_MAY_LACK = ["discount", "orderedUnit", "orderedQuantity"];

const order = z.strictObject({
  ...shape(ORDER_PARTS, ORDER_MAY_LACK),
  lines: z
    .array(
      z.strictObject({
        ...shape(LINE_PARTS, LINE_MAY_LACK),
        line: z.coerce.number<string>().int(),
      }),
    )
    .default([]),
  charges: z.array(z.strictObject(shape(CHARGE_PARTS, ["description"]))).default([]),
  conditions: z.record(z.string(), z.string()).default({}),
  payment: z.strictObject(shape(PAYMENT_PARTS, [])).nullable().default(null),
  deliverTo: z.strictObject(shape(ADDRESS_PARTS, ADDRESS_MAY_LACK)).nullable().default(null),
  guest: z
    .strictObject(shape(GUEST_PARTS, ["telephone"]))
    .nullable()
    .default(null),
});

export const orderExamplesSchema = z
  .array(
    z
      .strictObject({
        example: z.string().min(1),
        order,
        gives: z
          .record(z.string(), z.array(z.record(z.string(), z.string())))
          .optional()
          .describe("Each table's rows; columns not named are blank."),
        refused: z
          .array(z.string())
          .min(1)
          .optional()
          .describe("The cells that cannot be written."),
      })
      .refine(
        ({ gives, refused }) => (gives === undefined) !== (refused === undefined),
        "exactly one of gives, refused",
      ),
  )
  .min(1);

type OrderExample = z.output<typeof orderExamplesSchema>[number];
type Problem = (
  path: DefinitionPath,
  found: string,
  expected: string,
  near?: string,
) => DefinitionProblem;

export function checkOrderExamples(
  outbound: Outbound,
  source: DefinitionSource,
): DefinitionProblem[] {
  const definition = openDefinition(source, orderExamplesSchema, { asWritten: true });
  return definition.value.flatMap((example, index) =>
    checkExample(outbound, example, (path, found, expected, near) =>
      definition.problem([index, ...path], { found, expected, nearest: near }),
    ),
  );
}

function checkExample(
  outbound: Outbound,
  example: OrderExample,
  problem: Problem,
): DefinitionProblem[] {
  try {
    // The schema above is made of the web order's own parts.
    const tables = outbound.render(example.order as unknown as WebOrder);
    if (example.gives === undefined)
      return [
        problem(["refused"], "tables", `no way to write ${example.refused?.join(", ") ?? ""}`),
      ];
    return compareTables(tables, example.gives, problem);
  } catch (error) {
    if (!(error instanceof RenderError)) throw error;
    const cells = error.problems.map(({ field }) => field);
    if (example.refused?.join() === cells.join()) return [];
    return [
      problem(
        [example.refused === undefined ? "gives" : "refused"],
        error.problems
          .map(({ field, found, expected }) => `${field}: found ${found}, expected ${expected}`)
          .join("; "),
        example.refused === undefined ? "tables" : `no way to write ${example.refused.join(", ")}`,
      ),
    ];
  }
}

function compareTables(
  tables: readonly RenderedTable[],
  expected: NonNullable<OrderExample["gives"]>,
  problem: Problem,
): DefinitionProblem[] {
  const names = tables.map(({ name }) => name);
  if (names.join() !== Object.keys(expected).join())
    return [problem(["gives"], `the tables ${names.join(", ")}`, Object.keys(expected).join(", "))];
  return tables.flatMap((table) => {
    const rows = expected[table.name] ?? [];
    if (rows.length !== table.rows.length)
      return [problem(["gives", table.name], `${table.rows.length} rows`, String(rows.length))];
    return table.rows.flatMap((row, index) =>
      compareRow(table, row, rows[index] ?? {}, (column, ...what) =>
        problem(["gives", table.name, index, column], ...what),
      ),
    );
  });
}

function compareRow(
  table: RenderedTable,
  row: readonly string[],
  expected: Readonly<Record<string, string>>,
  problem: (column: string, found: string, expected: string, near?: string) => DefinitionProblem,
): DefinitionProblem[] {
  const unknown = Object.keys(expected)
    .filter((column) => !table.columns.includes(column))
    .map((column) =>
      problem(
        column,
        `the column "${column}"`,
        `one of ${table.columns.join(", ")}`,
        nearest(column, table.columns),
      ),
    );
  const different = table.columns.flatMap((column, index) => {
    const wanted = expected[column] ?? "";
    return row[index] === wanted ? [] : [problem(column, quoted(row[index]), quoted(wanted))];
  });
  return [...unknown, ...different];
}
