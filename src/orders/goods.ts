/**
 * The goods of two orders, compared in one way: by product, since an ERP may join or split lines;
 * and charges are none, whatever an ERP keeps them under. Pure.
 */
import { decimal, type Decimal } from "../model/index.ts";

export interface GoodsLine {
  readonly product: string;
  readonly quantity: string;
  /** Null: it does not state it. */
  readonly net: string | null;
}

/** A line as an ERP holds it. */
export interface LineThere extends Omit<GoodsLine, "product"> {
  /** Null for text and charges. */
  readonly product: string | null;
}

export interface Ours {
  readonly lines: readonly GoodsLine[];
  readonly charges: readonly { readonly charge: string }[];
}

/** All that there is of a product. */
export interface Goods {
  readonly quantity: Decimal;
  /** Null: a line of it does not state its net. */
  readonly net: Decimal | null;
}

export type GoodsByProduct = ReadonlyMap<string, Goods>;

export function goodsOf(lines: readonly GoodsLine[]): GoodsByProduct {
  const found = new Map<string, Goods>();
  for (const { product, quantity, net } of lines) {
    const before = found.get(product) ?? NONE;
    found.set(product, {
      quantity: decimal.add(before.quantity, decimal.parse(quantity)),
      net: net === null || before.net === null ? null : decimal.add(before.net, decimal.parse(net)),
    });
  }
  return found;
}

const NONE: Goods = { quantity: decimal.zero(), net: decimal.zero() };

/** Of an order of the ERP that is ours, or may be: a charge of ours under its code is no goods. */
export function goodsThere(ours: Ours, there: readonly LineThere[]): GoodsByProduct {
  const ordered = new Set(ours.lines.map(({ product }) => product));
  const charges = new Set(ours.charges.map(({ charge }) => charge));
  return goodsOf(
    there.flatMap(({ product, quantity, net }) =>
      product === null || (charges.has(product) && !ordered.has(product))
        ? []
        : [{ product, quantity, net }],
    ),
  );
}

/**
 * The products that are there beside all of ours: staff add carriage under a code that nobody told
 * us of, most often. Null: something of ours is missing, or there is another quantity of it; also
 * where nothing is ours.
 */
export function besidesOurs(ours: Ours, there: readonly LineThere[]): readonly string[] | null {
  const [own, held] = [goodsOf(ours.lines), goodsThere(ours, there)];
  const isThere = ([product, { quantity }]: readonly [string, Goods]) => {
    const other = held.get(product);
    return other !== undefined && decimal.compare(other.quantity, quantity) === 0;
  };
  const isAll = own.size > 0 && [...own].every(isThere);
  return isAll ? [...held.keys()].filter((product) => !own.has(product)) : null;
}
