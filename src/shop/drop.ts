/**
 * The feeds as CSV files, for shops that cannot call in. Each file holds what changed since the one
 * before it, named by the numbers it covers; the first holds everything.
 */
import { stringify } from "csv-stringify/sync";
import { changes, type Body, type Change, type ShopContext } from "./feed.ts";
import type { Kind } from "./views.ts";

/** Lays a whole file where the shop takes it from; one of that name is replaced at once. */
export type LayFile = (name: string, content: string) => Promise<void>;

export interface DropResult {
  readonly kind: Kind;
  readonly file: string;
  readonly rows: number;
}

/** Entries of one file: a shop's importer takes them in one go. */
const MOST_ROWS = 50_000;

/**
 * What was laid last stands in the database only after the file lies there: a kill between the two
 * lays what changed once more, and a shop that takes both ends with the same.
 */
export async function drop(
  context: ShopContext,
  lay: LayFile,
  kinds: readonly Kind[],
): Promise<DropResult[]> {
  const laid: DropResult[] = [];
  for (const kind of kinds)
    for (let after = await laidUpTo(context, kind); ;) {
      const found = await changes(context, kind, String(after), MOST_ROWS);
      if (found === null || found.changes.length === 0) break;
      const { upTo } = found;
      for (const { name, rows } of tablesOf(kind, found.changes)) {
        const file = `${name}-${padded(after)}-${padded(upTo)}.csv`;
        await lay(file, stringify([...rows], { header: true, columns: columnsOf(rows) }));
        laid.push({ kind, file, rows: rows.length });
      }
      await context.store.affect(
        `insert into shop_drop (company, kind, number, laid_at) values ($1, $2, $3, $4)
         on conflict (company, kind) do update
            set number = excluded.number, laid_at = excluded.laid_at`,
        [context.company, kind, upTo, context.now()],
      );
      after = upTo;
    }
  return laid;
}

async function laidUpTo({ store, company }: ShopContext, kind: Kind): Promise<number> {
  const [row] = await store.query<{ number: number }>(
    "select number from shop_drop where company = $1 and kind = $2",
    [company, kind],
  );
  return row?.number ?? 0;
}

const padded = (number: number) => String(number).padStart(10, "0");

type Cell = string | number | boolean | null;
type Row = Readonly<Record<string, Cell>>;
interface Table {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** Lists inside a thing become rows of their own; a thing that is gone has its key and `gone`. */
function tablesOf(kind: Kind, found: readonly Change[]): Table[] {
  const whole = found.map(({ key, body }) =>
    body === null ? { [KEYS[kind]]: key, gone: true } : { ...flat(body), gone: false },
  );
  const inner = INNER[kind];
  if (inner === undefined) return [{ name: kind, rows: whole }];
  const rows = found.flatMap(({ body }) =>
    listIn(body, inner.field).map((each) => ({
      [KEYS[kind]]: cell(body?.[KEYS[kind]]),
      ...flat(each),
    })),
  );
  return [{ name: kind, rows: whole }, ...(rows.length === 0 ? [] : [{ name: inner.name, rows }])];
}

const KEYS: Readonly<Record<Kind, string>> = {
  product: "product",
  stock: "product",
  customer: "account",
  document: "document",
};

const INNER: Readonly<Partial<Record<Kind, { readonly field: string; readonly name: string }>>> = {
  product: { field: "units", name: "product-unit" },
  stock: { field: "branches", name: "stock-branch" },
  customer: { field: "sites", name: "site" },
};

function listIn(body: Body | null, field: string): Body[] {
  const list: unknown = body?.[field];
  return Array.isArray(list) ? list.filter(isBody) : [];
}

function isBody(value: unknown): value is Body {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function flat(body: Body): Row {
  return Object.fromEntries(
    Object.entries(body)
      .filter(([, value]) => !Array.isArray(value))
      .map(([field, value]) => [field, cell(value)]),
  );
}

function cell(value: unknown): Cell {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : null;
}

function columnsOf(rows: readonly Row[]): string[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))];
}
