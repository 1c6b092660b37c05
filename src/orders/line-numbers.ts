/**
 * Which line of an order is which once it is to be another one, so that what the ERP says of a line
 * stays that line's. Pure.
 */
import { decimal, type WebOrderLine } from "../model/index.ts";

export interface Numbering {
  /** The lines that it has, or had. */
  readonly before: readonly Pick<WebOrderLine, "line" | "product" | "quantity">[];
  /** The highest number that was ever used of it. */
  readonly used: number;
  /** By place: the number that the line is known to have; null or absent: it is to be found. */
  readonly known?: readonly (number | null)[];
  /** By number: what was despatched or invoiced of the line, in selling units. */
  readonly came?: ReadonlyMap<number, decimal.Decimal>;
}

type Before = Numbering["before"][number];

/**
 * Lines as they are to be, under the numbers that those of the same product had before: first those
 * of which something came, then those of which there is as much. New goods have numbers that were
 * never used.
 */
export function keepingNumbers(
  lines: readonly WebOrderLine[],
  { before, used, known = [], came = new Map() }: Numbering,
): WebOrderLine[] {
  const free = before.toSorted((one, other) => one.line - other.line);
  const numbers = new Map<number, number>();
  const give = (place: number | undefined, one: Before | undefined): void => {
    if (place === undefined || one === undefined) return;
    numbers.set(place, one.line);
    free.splice(free.indexOf(one), 1);
  };
  const places = (isLike: (line: WebOrderLine) => boolean): number[] =>
    lines.flatMap((line, place) => (!numbers.has(place) && isLike(line) ? [place] : []));
  for (const [place, number] of known.entries())
    give(
      place,
      free.find(({ line, product }) => line === number && product === lines[place]?.product),
    );
  const cameOf = ({ line }: Before): decimal.Decimal => came.get(line) ?? decimal.zero();
  const some = free.filter((one) => cameOf(one).digits > 0n);
  for (const one of some.toSorted((a, b) => decimal.compare(cameOf(b), cameOf(a))))
    give(asMuchOrMost(lines, one, places), one);
  for (const place of places(() => true))
    give(
      place,
      free.find((one) => isAsMuch(one, lines[place])),
    );
  for (const place of places(() => true))
    give(
      place,
      free.find(({ product }) => product === lines[place]?.product),
    );
  let last = used;
  return lines.map((line, place) => ({ ...line, line: numbers.get(place) ?? (last += 1) }));
}

/** The line that has as much as the one before had, else the one that has most of its product. */
function asMuchOrMost(
  lines: readonly WebOrderLine[],
  one: Before,
  places: (isLike: (line: WebOrderLine) => boolean) => number[],
): number | undefined {
  const [asMuch] = places((line) => isAsMuch(one, line));
  if (asMuch !== undefined) return asMuch;
  const quantity = (place: number) => decimal.parse(lines[place]?.quantity ?? "0");
  return places(({ product }) => product === one.product).toSorted((a, b) =>
    decimal.compare(quantity(b), quantity(a)),
  )[0];
}

function isAsMuch(one: Before, other: WebOrderLine | undefined): boolean {
  return (
    one.product === other?.product &&
    decimal.compare(decimal.parse(one.quantity), decimal.parse(other.quantity)) === 0
  );
}
