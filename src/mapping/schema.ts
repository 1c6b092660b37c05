/** What a mapping file, an order file's mapping and their examples may hold. */
import { z } from "zod";

const column = z
  .string()
  .min(1)
  .describe("A column of the source, named exactly as it stands there.");
const columns = z.array(column).min(1);
/** A value as YAML writes it; the field that it is for says what it must be. */
const literal = z.union([z.string(), z.number(), z.boolean()]);
const words = z.union([literal.transform((word) => [word]), z.array(literal).min(1)]);
const dateFormats = z.array(z.string().min(1)).min(1);

const SOURCES = ["from", "value", "expression", "first", "join"] as const;

const fieldRule = z
  .strictObject({
    from: column.optional().describe("The column that holds it."),
    value: literal.optional().describe("The same value in every record."),
    expression: z.string().min(1).optional().describe("A CEL expression over the row's columns."),
    first: columns.optional().describe("The first of these columns that is not blank."),
    join: columns.optional().describe("These columns, put together."),
    with: z.string().optional().describe("What stands between joined columns; nothing by default."),
    blanks: z
      .enum(["keep", "drop"])
      .optional()
      .describe(
        "Blank parts of a join: keep their place, or drop them. Otherwise a blank part is refused.",
      ),
    values: z
      .record(z.string(), literal.nullable())
      .optional()
      .describe("Value table: what each text of the source means. A text not in it is refused."),
    blank: words.optional().describe("Texts that mean blank, such as 00/00/0000."),
    default: literal.optional().describe("The value when the source is blank."),
    negate: z.literal(true).optional().describe("Decimals: turn the sign round."),
    round: z
      .number()
      .int()
      .min(0)
      .max(30)
      .optional()
      .describe("Decimals: places kept, half away from zero."),
    dividedBy: z
      .union([z.literal(10), z.literal(100), z.literal(1000), z.literal(10_000)])
      .optional()
      .describe("Decimals: what the source counts in one unit; pence: 100."),
    dates: dateFormats.optional().describe("Dates: the forms of this one column."),
    optional: z.literal(true).optional().describe("The column may be missing from the file."),
  })
  .refine(
    (rule) => SOURCES.filter((source) => rule[source] !== undefined).length === 1,
    `exactly one of ${SOURCES.join(", ")}`,
  )
  .refine(
    (rule) => rule.join !== undefined || (rule.with === undefined && rule.blanks === undefined),
    "with and blanks only beside join",
  );

export type FieldRule = z.output<typeof fieldRule>;

const locale = z.strictObject({
  dates: dateFormats.default(["yyyy-MM-dd"]).describe("Forms of dates, tried in this order."),
  decimal: z.enum([".", ","]).default(".").describe("The decimal point."),
  thousands: z
    .enum([",", ".", " ", "'"])
    .optional()
    .describe("What groups thousands; nothing by default."),
  timeZone: z.string().optional().describe("Time zone of moments that state none: Europe/London."),
});

export type Locale = z.output<typeof locale>;

const ignoreRule = z
  .strictObject({
    when: column.optional(),
    equals: words.optional().describe("The column holds one of these texts."),
    blank: z.literal(true).optional().describe("The column is blank."),
    expression: z.string().min(1).optional().describe("A CEL expression that is true."),
    because: z.string().min(1).describe("Why such rows are left out; it is shown in the run."),
  })
  .refine(
    (rule) =>
      rule.when === undefined
        ? rule.expression !== undefined && rule.equals === undefined && rule.blank === undefined
        : rule.expression === undefined &&
          (rule.equals === undefined) !== (rule.blank === undefined),
    "when with equals or blank, or an expression",
  );

export type IgnoreRule = z.output<typeof ignoreRule>;

const numbered = z.strictObject({
  n: z
    .union([
      z.string().regex(/^\d{1,3} to \d{1,3}$/, "a span such as 1 to 10"),
      z.array(z.union([z.string(), z.number().int()])).min(1),
    ])
    .describe("What {n} stands for in turn: 1 to 10, or a list such as [A, B, C]."),
  columns: z
    .record(z.string().min(1), z.string().includes("{n}", "a column name with {n} in it"))
    .describe("A name for the fields to use, and the column it stands for."),
});

const listed = z.strictObject({
  list: column.describe("The nested list; its parts are named LIST.PART."),
});

const each = z.union([numbered, listed]);

export type Each = z.output<typeof each>;

export const mappingSchema = z
  .strictObject({
    record: z.string().min(1).describe("The canonical record that it gives."),
    reads: z.string().min(1).describe("The stream whose rows it reads."),
    about: z.string().min(1).describe("What a row is, and what to know about it."),
    locale: locale.default({ dates: ["yyyy-MM-dd"], decimal: "." }),
    ignore: z.array(ignoreRule).default([]).describe("Rows that are left out on purpose."),
    each: each.optional().describe("One row, several records: numbered columns or a nested list."),
    worth: column.optional().describe("The column with the money at risk when the row is refused."),
    fields: z
      .union([z.literal("same"), z.record(z.string(), z.union([column, fieldRule]))])
      .describe("Where each field comes from; same: every field from the column of its own name."),
    others: z
      .literal("same")
      .optional()
      .describe("Fields not named come from columns of their own name."),
  })
  .refine(
    ({ locale }) => locale.thousands !== locale.decimal,
    "another sign for thousands than for the decimal point",
  );

export type MappingFile = z.output<typeof mappingSchema>;

const exampleRow = z.record(z.string(), z.unknown());
const exampleRecord = z.record(z.string(), z.string());

export const examplesSchema = z
  .array(
    z
      .strictObject({
        example: z.string().min(1).describe("What it shows, as a sentence."),
        row: exampleRow.describe("The row as the source gives it."),
        gives: z
          .union([exampleRecord.transform((one) => [one]), z.array(exampleRecord).min(1)])
          .optional()
          .describe("The records; fields not named are null or have their default."),
        ignored: z.string().min(1).optional().describe("The reason it is left out."),
        rejected: z.array(z.string()).min(1).optional().describe("The fields that are refused."),
        worth: z.string().optional().describe("The money at risk of a refused row."),
      })
      .refine(
        ({ gives, ignored, rejected }) =>
          [gives, ignored, rejected].filter((one) => one !== undefined).length === 1,
        "exactly one of gives, ignored, rejected",
      ),
  )
  .min(1);

const path = z.string().min(1).describe("account, payment.amount, item.net, n (the row's number).");

const outboundColumn = z
  .strictObject({
    from: path.optional().describe("Where it comes from in the order."),
    first: z.array(path).min(1).optional().describe("The first of these that is not blank."),
    value: literal.optional().describe("The same text in every row."),
    values: z
      .record(z.string(), literal)
      .optional()
      .describe("Value table; a text not in it is refused."),
    default: literal.optional().describe("The text when there is none."),
    date: z.string().min(1).optional().describe("Form of a date: dd/MM/yyyy."),
    places: z.number().int().min(0).max(10).optional().describe("Decimal places always written."),
    max: z
      .number()
      .int()
      .min(1)
      .optional()
      .describe("Most characters the far side keeps; more is refused."),
  })
  .refine(
    ({ from, first, value }) =>
      [from, first, value].filter((one) => one !== undefined).length === 1,
    "exactly one of from, first, value",
  );

export type OutboundColumn = z.output<typeof outboundColumn>;

const orderList = z.enum(["lines", "charges"]);

export const outboundSchema = z.strictObject({
  writes: z.literal("web-order"),
  about: z.string().min(1),
  tables: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        each: z
          .union([orderList.transform((one) => [one]), z.array(orderList).min(1)])
          .optional()
          .describe("A row for each of these; without it the table has one row."),
        columns: z.record(z.string().min(1), z.union([path, outboundColumn])),
      }),
    )
    .min(1)
    .describe("In the order in which they are written: the header last."),
});

export type OutboundFile = z.output<typeof outboundSchema>;
