/**
 * Which rule rows count: those of the canonical table, except where a price round or a change that
 * waits for a person puts others in their place. Written in the transaction that decides, so that
 * no book is ever compiled from half of a decision.
 */
import { columnOf, records } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";

/**
 * A relation with the columns of `price_rule`, to stand where its name would. `company` is SQL: a
 * parameter such as `$1`, or a quoted literal where a statement takes none.
 */
export function countedRules(company: string): string {
  const [canonical, over] = [columnsOf("p", "p"), columnsOf("o", "n")];
  return `(select ${canonical} from price_rule p
            where p.company = ${company} and not exists (
              select from price_overlay o
               where o.company = ${company} and o.hides
                 and o.rule = p.rule and o.from_quantity = p.from_quantity)
           union all
           select ${over} from price_overlay o
            cross join lateral jsonb_populate_record(null::price_rule, o.row) n
            where o.company = ${company} and o.row is not null)`;
}

/** The key's columns from a table of its own, so that a rule is found by its index. */
function columnsOf(key: string, rest: string): string {
  const fields = Object.keys(records["price-rule"].fields).map(columnOf);
  const kept = ["feed", "row_hash", "origin_id", "origin_line", "run_id", "learned_at"];
  const of = (column: string) =>
    `${column === "rule" || column === "from_quantity" ? key : rest}.${column}`;
  return [`${key}.company`, ...[...fields, ...kept].map(of)].join(", ");
}

/** What makes two rows the same price: all but when they hold and how much of them is used. */
const DATES = ["validFrom", "validTo", "startsAt", "endsAt", "contractUsedQuantity"];

/** SQL: whether two rows of `price_rule` say the same price to the same people. */
export function samePrice(one: string, other: string): string {
  const columns = Object.keys(records["price-rule"].fields)
    .filter((field) => !DATES.includes(field))
    .map(columnOf);
  const row = (alias: string) => `(${columns.map((column) => `${alias}.${column}`).join(", ")})`;
  return `${row(one)} is not distinct from ${row(other)}`;
}

/** A key of the overlay: the key of a price rule. */
export interface RuleKey {
  readonly rule: string;
  readonly fromQuantity: string;
}

/**
 * From now on the canonical rows count again. The keys stay, so that a book that is rebuilt only
 * where something changed learns of it. `keys` is SQL that gives rule and from_quantity.
 */
export async function uncover(
  on: Queryable,
  { company, at, sourceId }: { company: string; at: Temporal.Instant; sourceId: string },
  keys: string,
): Promise<number> {
  const uncovered = await on.affect(
    `update price_overlay o set hides = false, row = null, source = null, source_id = null,
            learned_at = $3
      where o.company = $1 and o.source_id = $2
        and (o.rule, o.from_quantity) in (${keys})`,
    [company, sourceId, at],
  );
  // Guessing, the planner takes them for what they were, and compares row by row.
  if (uncovered >= MANY) await on.query("analyze price_overlay, superseded_row");
  return uncovered;
}

const MANY = 500;
