/** Quantities of a document's lines taken together, where the policy compares breaks with those. */
import type { Trial } from "../pricing/index.ts";
import type { ChargedLine } from "./facts.ts";
import type { Pooled } from "./judge.ts";

export function pooledBy(
  over: Trial["policy"]["decides"]["quantity"],
  lines: readonly ChargedLine[],
): Pooled {
  if (over === "line") return { quantity: () => null };
  const keyOf = (line: ChargedLine) => {
    const document = `${line.documentType} ${line.document}`;
    if (over === "document") return document;
    return `${document} ${(over === "product" ? line.product : line.productGroup) ?? ""}`;
  };
  const sums = new Map<string, bigint>();
  for (const line of lines)
    if (line.lineClass === "goods")
      sums.set(keyOf(line), (sums.get(keyOf(line)) ?? 0n) + digits(line.quantity));
  return { quantity: (line) => textOf(sums.get(keyOf(line)) ?? digits(line.quantity)) };
}

/** The column has 5 places. */
function digits(quantity: string): bigint {
  return BigInt(quantity.replace(".", ""));
}

function textOf(units: bigint): string {
  const text = units.toString().padStart(6, "0");
  return `${text.slice(0, -5)}.${text.slice(-5)}`;
}
