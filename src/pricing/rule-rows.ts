/**
 * Price rules straight from PostgreSQL's binary COPY into a book that is being made: a million of
 * them without a text or an object for each.
 */
import { columnOf } from "../model/index.ts";
import type { Reading } from "../store/index.ts";
import { INTAKE_COLUMNS, INTAKE_RARE } from "./engine/index.ts";
import type { RowSink } from "./engine/index.ts";
import { countedRules } from "./overlay.ts";

/** All rules of a company that count. */
export async function readRules(at: Reading, company: string, into: RowSink): Promise<void> {
  const [covered] = await at.query(
    "SELECT FROM price_overlay WHERE company = $1 AND (hides OR row IS NOT NULL) LIMIT 1",
    [company],
  );
  // Where no round and no hold covers anything the table is the same, and twice as fast to read.
  const from =
    covered === undefined
      ? `price_rule r WHERE r.company = ${literal(company)}`
      : `${countedRules(literal(company))} r`;
  await readRulesFrom(at, from, into);
}

/**
 * Of all rules of which a row changed after change number `after`: their rows as they were then,
 * and as they are.
 */
export async function readChangedRules(
  at: Reading,
  company: string,
  after: number,
  { before, now }: { readonly before: RowSink; readonly now: RowSink },
): Promise<void> {
  const of = literal(company);
  // The first change of a key tells what it was. What a round or a hold covers did not change.
  // NOT IN, which hashes: these rows are new to the planner, and it takes them for few.
  const changed = `
    c AS MATERIALIZED (
      SELECT DISTINCT ON (s.key) split_part(s.key, E'\\x1f', 1) AS rule,
             split_part(s.key, E'\\x1f', 2)::numeric AS from_quantity, s.was
        FROM superseded_row s
       WHERE s.company = ${of} AND s.record = 'price-rule' AND s.change > ${Math.trunc(after)}
         AND (split_part(s.key, E'\\x1f', 1), split_part(s.key, E'\\x1f', 2)::numeric) NOT IN (
           SELECT o.rule, o.from_quantity FROM price_overlay o
            WHERE o.company = ${of} AND o.hides)
       ORDER BY s.key, s.change, s.was IS NULL),
    n AS MATERIALIZED (SELECT DISTINCT rule FROM c)`;
  // Looked up by key, rule by rule: the rows that did not change are many more.
  const held = `n CROSS JOIN LATERAL (
      SELECT * FROM ${countedRules(of)} q WHERE q.rule = n.rule OFFSET 0) p`;
  await readRulesFrom(at, `(WITH ${changed} SELECT p.* FROM ${held}) r`, now);
  await readRulesFrom(
    at,
    `(WITH ${changed}
      SELECT p.* FROM ${held}
       WHERE (p.rule, p.from_quantity) NOT IN (SELECT c.rule, c.from_quantity FROM c)
      UNION ALL
      SELECT w.* FROM c CROSS JOIN LATERAL jsonb_populate_record(null::price_rule, c.was) w
       WHERE c.was IS NOT NULL) r`,
    before,
  );
}

/** `from`: a relation `r` with the columns of `price_rule`, and what follows it. */
export async function readRulesFrom(at: Reading, from: string, into: RowSink): Promise<void> {
  const intake = into.openIntake();
  let header = true;
  await at.copyRows(`COPY (SELECT ${COLUMNS} FROM ${from}) TO STDOUT (FORMAT binary)`, (...row) => {
    const [bytes, first, end] = row;
    const start = header ? first + headerOf(bytes, first) : first;
    header = false;
    const columns = bytes.readInt16BE(start);
    if (columns === END) return;
    if (columns !== INTAKE_COLUMNS.length)
      throw new Error(`a price rule came with ${columns} columns, not ${INTAKE_COLUMNS.length}`);
    intake.row(bytes, start + 2, end);
  });
  intake.end();
}

/** COPY takes no parameters, so texts stand in it as quoted literals. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Count of columns that ends binary COPY. */
const END = -1;
/** Signature and flags; the length of what else a header holds follows. */
const SIGNATURE = 15;

function headerOf(bytes: Buffer, start: number): number {
  return SIGNATURE + 4 + bytes.readInt32BE(start + SIGNATURE);
}

const INSTANTS = new Set(["startsAt", "endsAt"]);

/** Rare fields as texts, so that JSON rounds none of them. */
function rareColumns(): string {
  const rare = INTAKE_RARE.map((field) => `r.${columnOf(field)}`);
  const texts = INTAKE_RARE.map((field, at) => {
    if (field === "priority") return rare[at];
    return INSTANTS.has(field)
      ? `to_char(${rare[at]} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
      : `${rare[at]}::text`;
  });
  return `CASE WHEN num_nonnulls(${rare.join(", ")}) > 0
               THEN jsonb_build_array(${texts.join(", ")})::text END`;
}

const COLUMNS = INTAKE_COLUMNS.map((column) =>
  column === "rare" ? rareColumns() : `r.${column}`,
).join(", ");
