/** Whether a policy's VAT is what documents carry, worked out from the nets that they show. */
import type { Trial } from "../pricing/index.ts";
import { decimal } from "../model/index.ts";
import type { Certificate } from "./certify.ts";
import type { ChargedLine } from "./facts.ts";
import type { Sample } from "./sample.ts";

type VatRule = Trial["policy"]["arithmetic"]["vat"];

export function vatFits(
  rates: Readonly<Record<string, string>>,
  sample: Sample,
  { arithmetic }: Trial["policy"],
): Certificate["vat"] {
  const documents = [
    ...Map.groupBy(sample.lines, (line) => `${line.documentType}/${line.document}`).values(),
  ].filter((lines) =>
    lines.every(({ net, vatCode }) => net !== null && (vatCode === null || vatCode in rates)),
  );
  const fitting = (rule: VatRule) =>
    documents.filter((lines) => vatOf(rates, lines, rule) === sumOf(lines)).length;
  const is = arithmetic.vat;
  const found = fitting(is);
  const others = [
    ...(["line", "rate"] as const).map(
      (per) => ["arithmetic.vat.per", per, { ...is, per }] as const,
    ),
    ...(["half-away", "half-even", "down", "up"] as const).map(
      (mode) => ["arithmetic.vat.rounding", mode, { ...is, mode }] as const,
    ),
  ];
  const better = others
    .map(([name, tried, rule]) => ({ switch: name, tried, fits: fitting(rule) }))
    .filter(({ fits }) => fits > found)
    .sort((left, right) => right.fits - left.fits);
  return { documents: documents.length, fits: found, better };
}

function sumOf(lines: readonly ChargedLine[]): bigint {
  return lines.reduce((sum, { vat }) => sum + pence(vat), 0n);
}

function vatOf(
  rates: Readonly<Record<string, string>>,
  lines: readonly ChargedLine[],
  { per, scale, mode }: VatRule,
): bigint {
  const nets = new Map<string, bigint>();
  let vat = 0n;
  const on = (net: bigint, code: string) => {
    const rate = decimal.digitsAt(decimal.parse(rates[code] ?? "0"), 4);
    // Pence × percent with 4 places are millionths of a penny.
    const rounded = decimal.divideRounded(net * rate, 10n ** BigInt(8 - scale), mode);
    return scale <= 2 ? rounded * 10n ** BigInt(2 - scale) : rounded / 10n ** BigInt(scale - 2);
  };
  for (const { net, vatCode } of lines) {
    if (net === null || vatCode === null) continue;
    if (per === "line") vat += on(pence(net), vatCode);
    else nets.set(vatCode, (nets.get(vatCode) ?? 0n) + pence(net));
  }
  for (const [code, net] of nets) vat += on(net, code);
  return vat;
}

function pence(text: string): bigint {
  return BigInt(text.replace(".", ""));
}
