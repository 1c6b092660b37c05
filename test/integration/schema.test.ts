import { describe, expect, test } from "vitest";
import { columnOf, records } from "../../src/model/index.ts";
import type { RecordDefinition } from "../../src/model/index.ts";
import { readMigrations } from "../../src/store/index.ts";
import { MERGE_FIELDS } from "../support/canonical-schema.ts";
import { useDatabase } from "../support/database.ts";
import { generators, outOfDate } from "../support/generate.ts";
import { difference, readSchema } from "../support/schema-engine.ts";

const database = useDatabase();

/** Tables that are no company's, and why. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  _prisma_migrations: "what was applied to this database, for all companies",
};

describe("migrations and schema", () => {
  test("agree: the migrations make exactly what the schema says", async () => {
    expect(await difference(await readMigrations(), await readSchema())).toBe("");
  });

  test("are seen to disagree when the schema has a column more", async () => {
    const planted = (await readSchema()).map(({ path, content }) => ({
      path,
      content: content.replace("model Branch {", "model Branch {\n  planted String?"),
    }));
    expect(await difference(await readMigrations(), planted)).toContain(
      'ALTER TABLE "branch" ADD COLUMN     "planted" TEXT',
    );
  });

  test("are seen to disagree when a migration has an index more", async () => {
    const [first, ...rest] = await readMigrations();
    expect(first).toBeDefined();
    const more = { name: "9999_more", sql: 'CREATE INDEX more ON "branch" (name);', checksum: "" };
    const sql = await difference([...(first ? [first] : []), ...rest, more], await readSchema());
    expect(sql).toContain('DROP INDEX "more"');
  });
});

test("every generated file is what its generator gives now", async () => {
  expect(await outOfDate()).toEqual([]);
});

test("a generated file that was edited by hand is found", async () => {
  const [first] = generators;
  const content = async () => `${await first?.content()}// by hand`;
  expect(await outOfDate([{ file: first?.file ?? "", content }])).toEqual([first?.file]);
});

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly required: boolean;
  readonly byDefault: string | null;
}

function columns(): Promise<Column[]> {
  return database.store.query<Column>(
    `SELECT c.relname AS "table", a.attname AS "column", format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS required, pg_get_expr(d.adbin, d.adrelid) AS "byDefault"
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1, a.attnum`,
  );
}

/** Tables whose rows could not be moved with their company. */
function misplaced(): Promise<{ table: string; key: string | null }[]> {
  return database.store.query<{ table: string; key: string | null }>(
    `SELECT c.relname AS "table", string_agg(a.attname, ', ' ORDER BY k.place) AS key
     FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
     LEFT JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place) ON true
     LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relname = ANY($1)
     GROUP BY c.relname
     HAVING coalesce((array_agg(a.attname ORDER BY k.place))[1], '') <> 'company' ORDER BY 1`,
    [Object.keys(EXCEPTIONS)],
  );
}

describe("the catalog", () => {
  test("every table's key begins with the company, but for the exceptions", async () => {
    expect(await misplaced()).toEqual([]);
  });

  test("a table whose key begins with something else is found", async () => {
    await database.store.query(
      "CREATE TABLE planted (id uuid, company text, PRIMARY KEY (id, company))",
    );
    await database.store.query("CREATE TABLE planted_without (company text)");
    expect(await misplaced()).toEqual([
      { table: "planted", key: "id, company" },
      { table: "planted_without", key: null },
    ]);
    await database.store.query("DROP TABLE planted, planted_without");
  });

  test("every unique index of a company's table holds the company", async () => {
    const loose = await database.store.query(
      `SELECT i.indexrelid::regclass::text AS index FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid
       WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND NOT c.relname = ANY($1)
         AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
           AND a.attname = 'company' AND a.attnum = ANY(i.indkey::int2[]))`,
      [Object.keys(EXCEPTIONS)],
    );
    expect(loose).toEqual([]);
  });

  test("there are no triggers and no foreign keys", async () => {
    const found = await database.store.query(
      `SELECT tgname AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
       WHERE c.relnamespace = 'public'::regnamespace
       UNION ALL SELECT conname FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace AND contype = 'f'`,
    );
    expect(found).toEqual([]);
  });

  test("no default reads a clock or makes up an id: moments and ids come from the application", async () => {
    const computed = (await columns()).filter(
      ({ table, byDefault }) =>
        !(table in EXCEPTIONS) && /\(|current_|localtime/i.test(byDefault ?? ""),
    );
    expect(computed).toEqual([]);
  });

  test("every exception is a table that is there", async () => {
    const tables = new Set((await columns()).map(({ table }) => table));
    expect(Object.keys(EXCEPTIONS).filter((name) => !tables.has(name))).toEqual([]);
  });
});

describe("record definitions", () => {
  const definitions = Object.values(records) as unknown as readonly RecordDefinition[];

  test.for(definitions.map((definition) => [definition.name, definition] as const))(
    "the table of %s has the record's fields and what the merge adds, and nothing else",
    async ([, definition]) => {
      const found = (await columns()).filter(({ table }) => table === definition.table);
      const expected = [
        "company text required",
        ...Object.entries(definition.fields).map(
          ([name, field]) =>
            `${columnOf(name)} ${sqlType(field)}${field.optional === true ? "" : " required"}`,
        ),
        ...MERGE_FIELDS.map(([name]) => `${columnOf(name)} ${MERGE_TYPES[name]} required`),
      ];
      const described = found.map(
        ({ column, type, required }) => `${column} ${type}${required ? " required" : ""}`,
      );
      expect(described).toEqual(expected);
    },
  );

  test.for(definitions.map((definition) => [definition.name, definition] as const))(
    "the key of %s is the record's key inside the company",
    async ([, definition]) => {
      const [row] = await database.store.query<{ key: string }>(
        `SELECT string_agg(a.attname, ' ' ORDER BY k.place) AS key FROM pg_index i
         JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place) ON true
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE i.indrelid = $1::regclass AND i.indisprimary`,
        [`"${definition.table}"`],
      );
      expect(row?.key).toBe(["company", ...definition.key.map(columnOf)].join(" "));
    },
  );
});

const MERGE_TYPES: Readonly<Record<string, string>> = {
  feed: "text",
  rowHash: "uuid",
  originId: "uuid",
  originLine: "integer",
  runId: "uuid",
  learnedAt: "timestamp(6) with time zone",
};

/** Written out here, not taken from the generator, so that the two check each other. */
function sqlType(field: RecordDefinition["fields"][string]): string {
  switch (field.kind) {
    case "text":
    case "code":
    case "choice":
      return "text";
    case "flag":
      return "boolean";
    case "integer":
      return "integer";
    case "decimal":
      return `numeric(${field.precision},${field.scale})`;
    case "date":
      return "date";
    case "instant":
      return "timestamp(6) with time zone";
    default:
      return field satisfies never;
  }
}
