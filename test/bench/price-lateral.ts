/**
 * The limit of a query: accounts' own prices of the bench in a table of their own, every line of a
 * call looked up by `LATERAL` over a covering index. Lists, standard prices and discounts are left
 * out, and so are line values and VAT: that favours the query.
 */
import type { Store } from "../../src/store/index.ts";
import { median } from "./measure.ts";
import { TODAY, questionsOf } from "./price-data.ts";
import type { PricingSizes, Questions } from "./price-data.ts";

export interface LateralFigure {
  readonly lines: number;
  /** Median, lines a second. */
  readonly speed: number;
}

/** Lines a call, and calls a round. */
const SIZES: readonly (readonly [lines: number, calls: number])[] = [
  [1, 500],
  [1000, 10],
  [10_000, 3],
];

export async function measureLateral(store: Store, sizes: PricingSizes): Promise<LateralFigure[]> {
  await store.query(TABLE);
  await store.query(INDEX);
  await store.query("VACUUM ANALYZE bench_lateral");
  const figures: LateralFigure[] = [];
  for (const [lines, calls] of SIZES) {
    const speeds: number[] = [];
    for (let round = 0; round <= sizes.rounds; round += 1) {
      const questions = questionsOf(sizes, calls, lines, sizes.seed + round);
      const ms = await askAll(store, questions, lines);
      // The first round warms up what the others find.
      if (round > 0) speeds.push((lines * calls * 1000) / ms);
    }
    figures.push({ lines, speed: median(speeds) });
  }
  await store.query("DROP TABLE bench_lateral");
  return figures;
}

async function askAll(store: Store, questions: Questions, lines: number): Promise<number> {
  const calls = Array.from(questions.accounts, (account, call) => {
    const from = call * lines;
    const to = from + lines;
    return [
      Array.from({ length: lines }, () => account),
      Array.from(questions.products.subarray(from, to)),
      Array.from(questions.quantities.subarray(from, to)),
      TODAY,
    ];
  });
  const since = performance.now();
  for (const values of calls) {
    const rows = await store.query(LATERAL, values);
    if (rows.length !== lines) throw new Error(`${rows.length} prices came for ${lines} lines`);
  }
  return performance.now() - since;
}

const TABLE = `CREATE UNLOGGED TABLE bench_lateral AS
  SELECT substr(customer_code, 2)::int AS account, substr(product_code, 2)::int AS product,
         from_quantity::int AS quantity, valid_from, valid_to, value::numeric(12, 4) AS price
    FROM price_rule
   WHERE company = 'BENCH' AND customer_scope = 'account' AND product_scope = 'product'`;
const INDEX = `CREATE INDEX ON bench_lateral (account, product, quantity DESC)
  INCLUDE (valid_from, valid_to, price)`;
const LATERAL = `SELECT line.number::int, (rule.price * 10000)::int AS price
  FROM unnest($1::int[], $2::int[], $3::int[]) WITH ORDINALITY
       AS line (account, product, quantity, number)
  LEFT JOIN LATERAL (
       SELECT price FROM bench_lateral AS rule
        WHERE rule.account = line.account AND rule.product = line.product
          AND rule.quantity <= line.quantity
          AND rule.valid_from <= $4::date AND (rule.valid_to IS NULL OR rule.valid_to >= $4::date)
        ORDER BY rule.quantity DESC, rule.valid_from DESC LIMIT 1) AS rule ON true`;
