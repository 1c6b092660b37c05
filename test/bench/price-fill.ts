/** The limit of filling a book: `COPY` of the rules into an array of numbers, nothing compiled. */
import type { Store } from "../../src/store/index.ts";

const TAB = 0x09;
const LINE_END = 0x0a;
const POINT = 0x2e;

/** Milliseconds from the first byte asked to the last number stored. */
export async function bareFill(store: Store, rules: number): Promise<number> {
  const since = performance.now();
  const numbers = new Float64Array(rules * COLUMNS);
  let at = 0;
  let value = 0;
  let decimals = 0;
  for await (const bytes of store.copyOut(SELECT))
    for (const byte of bytes) {
      if (byte >= 0x30 && byte <= 0x39) {
        value = value * 10 + byte - 0x30;
        decimals *= 10;
      } else if (byte === TAB || byte === LINE_END) {
        numbers[at] = decimals > 1 ? value / decimals : value;
        at += 1;
        value = 0;
        decimals = 0;
      } else if (byte === POINT) decimals = 1;
    }
  if (at !== rules * COLUMNS) throw new Error(`${at} numbers were read of ${rules * COLUMNS}`);
  return performance.now() - since;
}

const COLUMNS = 6;
/** Codes are read by their number; a date by its digits. */
const SELECT = `COPY (
  SELECT customer_code, product_code, from_quantity, value, valid_from, valid_to
    FROM price_rule WHERE company = 'BENCH') TO STDOUT`;
