/**
 * Accounts and products that a price, a document or an order names and that are not held. Such a
 * row is taken all the same, and its money counts; what it names is reported until it arrives.
 */
import type { Transaction } from "../store/index.ts";
import {
  closeFinding,
  keepFinding,
  listFindings,
  type CompletenessFinding,
} from "./completeness-findings.ts";
import type { At } from "./journal.ts";

interface Reference {
  readonly record: string;
  readonly table: string;
  readonly column: string;
  readonly to: "customer" | "product";
  /** SQL over `r`: which rows name one; absent: all in which the column is not blank. */
  readonly where?: string;
  /** SQL over `r`: the money of a row; absent: it has none. */
  readonly money?: string;
}

const TARGETS = {
  customer: { key: "account", words: ["account", "accounts"] },
  product: { key: "product", words: ["product", "products"] },
} as const;

const SIGNED_NET = "(case when r.document_type = 'credit' then -r.net else r.net end)";

const REFERENCES: readonly Reference[] = [
  {
    record: "price-rule",
    table: "price_rule",
    column: "customer_code",
    to: "customer",
    where: "r.customer_scope = 'account'",
  },
  {
    record: "price-rule",
    table: "price_rule",
    column: "product_code",
    to: "product",
    where: "r.product_scope = 'product'",
  },
  {
    record: "sales-document",
    table: "sales_document",
    column: "account",
    to: "customer",
    money: SIGNED_NET,
  },
  {
    record: "sales-line",
    table: "sales_line",
    column: "product",
    to: "product",
    money: SIGNED_NET,
  },
  { record: "erp-order", table: "erp_order", column: "account", to: "customer", money: "r.net" },
  { record: "erp-order-line", table: "erp_order_line", column: "product", to: "product" },
  { record: "quotation", table: "quotation", column: "account", to: "customer" },
  { record: "quotation-line", table: "quotation_line", column: "product", to: "product" },
  { record: "site", table: "site", column: "account", to: "customer" },
  { record: "stock", table: "stock", column: "product", to: "product" },
  { record: "receipt", table: "receipt", column: "account", to: "customer", money: "r.amount" },
];

/** So many keys a finding keeps; where more are missing it says so. */
const MOST_KEYS = 200;
const MOST_SAID = 10;

/** After the merge of one record: what it names, and what others named that has arrived with it. */
export async function considerOrphans(
  tx: Transaction,
  at: At,
  record: string,
  staging: string,
): Promise<void> {
  const live = await orphansFound(tx, at);
  for (const reference of REFERENCES) {
    const subject = subjectOf(reference);
    if (reference.record === record) {
      const before = live.filter((each) => each.subject === subject && isOf(each, at));
      const keys = [...before.flatMap(keysOf), ...(await unknownIn(tx, at, reference, staging))];
      await report(tx, at, reference, keys);
    }
    if (reference.to === record)
      for (const finding of live.filter((each) => each.subject === subject)) {
        const { connection, stream } = finding;
        await report(tx, { ...at, connection, stream }, reference, keysOf(finding));
      }
  }
}

function subjectOf({ record, column }: Reference): string {
  return `${record}.${column}`;
}

function isOf({ connection, stream }: CompletenessFinding, at: At): boolean {
  return connection === at.connection && stream === at.stream;
}

function keysOf({ facts }: CompletenessFinding): readonly string[] {
  return (facts as { readonly keys?: readonly string[] }).keys ?? [];
}

async function orphansFound(tx: Transaction, { company }: At): Promise<CompletenessFinding[]> {
  const found = await listFindings(tx, company, { kind: "orphan", state: "any", limit: 1_000 });
  return found.filter(({ state }) => state !== "closed");
}

/** Keys among the staged rows that nothing held has; none while nothing of that kind is held. */
async function unknownIn(
  tx: Transaction,
  { company }: At,
  { column, to, where }: Reference,
  staging: string,
): Promise<readonly string[]> {
  const { key } = TARGETS[to];
  const rows = await tx.query<{ key: string }>(
    `select n.key from (select distinct r.${column} as key from ${staging} r
                         where r.${column} is not null and ${where ?? "true"}) n
      where exists (select 1 from ${to} t where t.company = $1)
        and not exists (select 1 from ${to} t where t.company = $1 and t.${key} = n.key)
      order by n.key limit ${MOST_KEYS + 1}`,
    [company],
  );
  return rows.map((row) => row.key);
}

interface Orphan {
  readonly key: string;
  readonly rows: number;
  readonly money: string | null;
}

/** Keeps the finding with what is still named and still missing, or closes it. */
async function report(
  tx: Transaction,
  at: At,
  reference: Reference,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  const about = { kind: "orphan", subject: subjectOf(reference) } as const;
  const orphans = await stillMissing(tx, at, reference, [...new Set(keys)]);
  if (orphans.length === 0)
    return closeFinding(tx, at, about, "they have arrived, or nothing names them");
  const [one, many] = TARGETS[reference.to].words;
  const record = reference.record.replaceAll("-", " ");
  const count = orphans.length > MOST_KEYS ? `More than ${MOST_KEYS}` : String(orphans.length);
  const [what, are] = orphans.length === 1 ? [one, "is"] : [many, "are"];
  await keepFinding(tx, at, {
    ...about,
    title: `${count} ${what} of ${record}s ${are} unmapped`,
    detail: `Not held: ${said(orphans)}. The rows are taken all the same, and their money counts.`,
    instruction: `Have the ${what} exported with the others, or correct the code at the source; the finding closes when they arrive.`,
    facts: { keys: orphans.slice(0, MOST_KEYS).map(({ key }) => key) },
    worth: await total(tx, orphans),
  });
}

function said(orphans: readonly Orphan[]): string {
  const named = orphans
    .slice(0, MOST_SAID)
    .map(({ key, rows }) => `${key} (${rows} ${rows === 1 ? "row" : "rows"})`);
  const more = orphans.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Of these keys, those that rows held now name and that nothing held has. */
async function stillMissing(
  tx: Transaction,
  { company }: At,
  { table, column, to, where, money }: Reference,
  keys: readonly string[],
): Promise<readonly Orphan[]> {
  const { key } = TARGETS[to];
  return tx.query<Orphan>(
    `select r.${column} as key, count(*)::int as rows, sum(${money ?? "null::numeric"})::text as money
       from ${table} r
      where r.company = $1 and r.${column} = any($2) and ${where ?? "true"}
        and not exists (select 1 from ${to} t where t.company = $1 and t.${key} = r.${column})
      group by r.${column} order by r.${column}`,
    [company, keys],
  );
}

/** Null where none of them has money. */
async function total(tx: Transaction, orphans: readonly Orphan[]): Promise<string | null> {
  const [sum] = await tx.query<{ money: string | null }>(
    "select sum(money::numeric)::text as money from unnest($1::text[]) as money",
    [orphans.map(({ money }) => money)],
  );
  return sum?.money ?? null;
}
