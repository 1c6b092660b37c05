/**
 * On which lines of an order the papers count that are of a product on several of them and do not
 * say of which: on the one that the ERP's own order line is, else where the ERP says that something
 * came, else on the lines in their order. Told once, it is worked out anew as the ERP's lines come.
 */
import { decimal } from "../model/index.ts";
import type { Queryable } from "../store/index.ts";
import { erpLines } from "./erp-lines.ts";
import { ofShare } from "./line-shares.ts";

/** What of an order's papers is of a product on several of its lines, nobody knows which. */
export interface UnplacedPapers {
  readonly product: string;
  /** The order line that they name there; null: none. */
  readonly erpOrder: string | null;
  readonly erpOrderLine: number | null;
  /** Selling units, positive. */
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
}

/** Of a line of ours, what papers name as such. */
export interface KnownLine {
  readonly line: number;
  readonly invoicedQuantity: string;
  readonly creditedQuantity: string;
}

export interface Placing {
  readonly id: string;
  readonly papers: readonly UnplacedPapers[];
  readonly known: readonly KnownLine[];
}

/** What comes upon each line of these orders: that and what was known of it. */
export async function placed(
  on: Queryable,
  company: string,
  orders: readonly Placing[],
): Promise<ReadonlyMap<string, readonly KnownLine[]>> {
  if (orders.length === 0) return new Map();
  const ids = orders.map(({ id }) => id);
  const ours = await on.query<OurLine>(OURS, [company, ids]);
  const theirs = await on.query<TheirLine>(THEIRS, [company, ids]);
  return new Map(
    orders.map((order) => {
      const isOf = ({ id }: { readonly id: string }): boolean => id === order.id;
      return [order.id, placedOn(order, ours.filter(isOf), theirs.filter(isOf))];
    }),
  );
}

interface OurLine {
  readonly id: string;
  readonly line: number;
  readonly product: string;
  readonly quantity: string;
  readonly despatched: string;
}

/** What of a line of the ERP's order is one of ours. */
interface TheirLine {
  readonly id: string;
  readonly erpOrder: string;
  readonly erpOrderLine: number;
  readonly line: number;
  /** That went out of it, or was invoiced. */
  readonly came: string;
}

const OURS = `
  select order_id as id, line, product, quantity::text as quantity,
         despatched_quantity::text as despatched
    from web_order_line where company = $1 and order_id = any($2::uuid[]) order by order_id, line`;

const THEIRS = `
  with orders as materialized (
    select company, id, number, account, erp_order, settled from web_order
     where company = $1 and id = any($2::uuid[]))
  select x.order_id as id, x.erp_order as "erpOrder", x.erp_order_line as "erpOrderLine", x.line,
         ${ofShare("greatest(x.despatched, x.invoiced, 0)")}::text as came
    from (${erpLines("orders")}) x where x.line is not null`;

/** A line of ours, as it fills up. */
interface Filling {
  readonly line: number;
  readonly product: string;
  readonly quantity: bigint;
  readonly came: bigint;
  invoiced: bigint;
  credited: bigint;
}

/** Pure. */
export function placedOn(
  { papers, known }: Placing,
  ours: readonly OurLine[],
  theirs: readonly TheirLine[],
): readonly KnownLine[] {
  const lines = ours.map((line) => fillingOf(line, known, theirs));
  const waiting = papers
    .map((paper) => ({ paper, among: mayBe(paper, lines, theirs) }))
    .filter(({ among }) => among.length > 0)
    // What can be of one line alone leaves the others room.
    .toSorted((one, other) => one.among.length - other.among.length);
  for (const { paper, among } of waiting)
    fill(among, units(paper.invoicedQuantity), "invoiced", [
      ({ came, invoiced }) => came - invoiced,
      ({ quantity, invoiced }) => quantity - invoiced,
    ]);
  for (const { paper, among } of waiting)
    fill(among, units(paper.creditedQuantity), "credited", [
      ({ invoiced, credited }) => invoiced - credited,
    ]);
  return lines.map(({ line, invoiced, credited }) => ({
    line,
    invoicedQuantity: textOf(invoiced),
    creditedQuantity: textOf(credited),
  }));
}

function fillingOf(
  { line, product, quantity, despatched }: OurLine,
  known: readonly KnownLine[],
  theirs: readonly TheirLine[],
): Filling {
  const own = known.find((one) => one.line === line);
  const there = theirs
    .filter((one) => one.line === line)
    .reduce((sum, { came }) => sum + units(came), 0n);
  const gone = units(despatched);
  return {
    line,
    product,
    quantity: units(quantity),
    came: there > gone ? there : gone,
    invoiced: units(own?.invoicedQuantity ?? "0"),
    credited: units(own?.creditedQuantity ?? "0"),
  };
}

/** Without lines of the ERP's order here its numbers are taken for ours, where the product is. */
function mayBe(
  { product, erpOrder, erpOrderLine }: UnplacedPapers,
  lines: readonly Filling[],
  theirs: readonly TheirLine[],
): readonly Filling[] {
  const alike = lines.filter((line) => line.product === product);
  if (erpOrderLine === null) return alike;
  const read = theirs.filter((one) => erpOrder === null || one.erpOrder === erpOrder);
  const numbers =
    read.length === 0
      ? [erpOrderLine]
      : read.filter((one) => one.erpOrderLine === erpOrderLine).map(({ line }) => line);
  const named = alike.filter(({ line }) => numbers.includes(line));
  return named.length > 0 ? named : alike;
}

/** Into one room after the other; the last line takes what is beyond. */
function fill(
  lines: readonly Filling[],
  amount: bigint,
  what: "invoiced" | "credited",
  rooms: readonly ((line: Filling) => bigint)[],
): void {
  let rest = amount;
  for (const roomOf of rooms)
    for (const line of lines) {
      const room = roomOf(line);
      const part = room < rest ? room : rest;
      if (part <= 0n) continue;
      line[what] += part;
      rest -= part;
    }
  const last = lines.at(-1);
  if (last !== undefined) last[what] += rest;
}

const PLACES = 5;

function units(text: string): bigint {
  return decimal.digitsAt(decimal.parse(text), PLACES);
}

function textOf(digits: bigint): string {
  return decimal.canonical({ digits, scale: PLACES });
}
