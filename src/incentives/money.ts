/** Pence of the engine as the texts that the database, JSON and people read. */
import { decimal } from "../model/index.ts";

/** 1250n → "12.50". */
export function poundsText(pence: bigint): string {
  return decimal.format({ digits: pence, scale: 2 });
}

/** Sum of decimal texts with two places: "12.50" + "0.37" → "12.87". */
export function addPounds(texts: Iterable<string>): string {
  let pence = 0n;
  for (const text of texts) pence += decimal.digitsAt(decimal.parse(text), 2);
  return poundsText(pence);
}
