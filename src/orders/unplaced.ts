/** Papers of an order that name no line of it: kept as they were told, and placed on its lines. */
import type { Queryable } from "../store/index.ts";
import { placed, type KnownLine, type Placing, type UnplacedPapers } from "./placing.ts";

/** As sales tells them. */
export interface InvoicedUnplaced extends UnplacedPapers {
  readonly webOrder: string;
}

interface OfOrder extends KnownLine {
  readonly webOrder: string;
}

interface Told<Line extends OfOrder> {
  readonly company: string;
  readonly lines: readonly Line[];
  readonly unplaced?: readonly InvoicedUnplaced[];
}

/** The lines as told, and with what is placed on them. */
export async function withPlaced<Line extends OfOrder>(
  on: Queryable,
  { company, lines, unplaced = [] }: Told<Line>,
): Promise<readonly OfOrder[]> {
  if (unplaced.length === 0) return lines;
  const orders = await on.query<{ id: string; number: string }>(
    "select id, number from web_order where company = $1 and number = any($2) and not test",
    [company, [...new Set(unplaced.map(({ webOrder }) => webOrder))]],
  );
  const known = Map.groupBy(lines, ({ webOrder }) => webOrder);
  const papers = Map.groupBy(unplaced, ({ webOrder }) => webOrder);
  const placings = orders.map(({ id, number }) => {
    return { id, number, known: known.get(number) ?? [], papers: papers.get(number) ?? [] };
  });
  const numbers = new Set(orders.map(({ number }) => number));
  return [
    ...lines.filter(({ webOrder }) => !numbers.has(webOrder)),
    ...(await onLines(on, company, placings)),
  ];
}

/** Kept of each order that is told of, so that they can be placed anew. */
export async function keepUnplaced<Line extends OfOrder>(
  on: Queryable,
  { company, lines, unplaced = [] }: Told<Line>,
): Promise<void> {
  const known = Map.groupBy(lines, ({ webOrder }) => webOrder);
  const kept = [...Map.groupBy(unplaced, ({ webOrder }) => webOrder)].map(([webOrder, papers]) => {
    return { webOrder, unplaced: { known: known.get(webOrder) ?? [], papers } };
  });
  await on.affect(
    `update web_order o set invoices_unplaced = told.unplaced
       from (select asked.number, kept.unplaced from unnest($2::text[]) as asked (number)
               left join jsonb_to_recordset($3::jsonb) as kept ("webOrder" text, unplaced jsonb)
                 on kept."webOrder" = asked.number) told
      where o.company = $1 and o.number = told.number and not o.test
        and o.invoices_unplaced is distinct from told.unplaced`,
    [company, [...known.keys()], JSON.stringify(kept)],
  );
}

/** Of these orders the lines that papers are placed on, as the ERP's own lines are by now. */
export async function placedAnew(
  on: Queryable,
  company: string,
  orders: readonly string[],
): Promise<readonly OfOrder[]> {
  const kept = await on.query<{
    readonly id: string;
    readonly number: string;
    readonly unplaced: Pick<Placing, "known" | "papers">;
  }>(
    `select id, number, invoices_unplaced as unplaced from web_order
      where company = $1 and id = any($2::uuid[]) and invoices_unplaced is not null`,
    [company, orders],
  );
  const placings = kept.map(({ id, number, unplaced }) => ({ id, number, ...unplaced }));
  return onLines(on, company, placings);
}

async function onLines(
  on: Queryable,
  company: string,
  placings: readonly (Placing & { readonly number: string })[],
): Promise<readonly OfOrder[]> {
  const found = await placed(on, company, placings);
  return placings.flatMap(({ id, number }) =>
    (found.get(id) ?? []).map((line) => ({ ...line, webOrder: number })),
  );
}
