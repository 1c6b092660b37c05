/** Whether a policy's VAT is what documents carry, worked out from the nets that they show. */
import type { Trial } from "../pricing/index.ts";
import { decimal } from "../model/index.ts";
import type { Certificate } from "./certify.ts";
import type { ChargedLine } from "./facts.ts";
import { decidingDate } from "./judge.ts";
import type { Sample } from "./sample.ts";

type Policy = Trial["policy"];
type VatRule = Policy["arithmetic"]["vat"];
/** A line with the rate of its code on the day that decides; null: it has no code. */
type Rated = ChargedLine & { readonly rate: string | null };

export function vatFits(
  vatOn: (date: string) => Readonly<Record<string, string>>,
  sample: Sample,
  policy: Policy,
): Certificate["vat"] {
  const { arithmetic } = policy;
  const ratesOf = remembered(vatOn);
  const rateOf = (line: ChargedLine): string | null | undefined =>
    line.vatCode === null ? null : ratesOf(decidingDate(line, { policy }))[line.vatCode];
  const documents = [
    ...Map.groupBy(sample.lines, (line) => `${line.documentType}/${line.document}`).values(),
  ].flatMap((lines) => {
    const rated = lines.flatMap((line): Rated[] => {
      const rate = rateOf(line);
      return rate === undefined || line.net === null ? [] : [{ ...line, rate }];
    });
    return rated.length === lines.length ? [rated] : [];
  });
  const fitting = (rule: VatRule) =>
    documents.filter((lines) => vatOf(lines, rule) === sumOf(lines)).length;
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

function remembered<Value>(find: (date: string) => Value): (date: string) => Value {
  const known = new Map<string, Value>();
  return (date) => {
    const value = known.get(date) ?? find(date);
    known.set(date, value);
    return value;
  };
}

function sumOf(lines: readonly ChargedLine[]): bigint {
  return lines.reduce((sum, { vat }) => sum + pence(vat), 0n);
}

function vatOf(lines: readonly Rated[], { per, scale, mode }: VatRule): bigint {
  const nets = new Map<string, bigint>();
  let vat = 0n;
  const on = (net: bigint, percent: string) => {
    const rate = decimal.digitsAt(decimal.parse(percent), 4);
    // Pence × percent with 4 places are millionths of a penny.
    const rounded = decimal.divideRounded(net * rate, 10n ** BigInt(8 - scale), mode);
    return scale <= 2 ? rounded * 10n ** BigInt(2 - scale) : rounded / 10n ** BigInt(scale - 2);
  };
  for (const { net, rate } of lines) {
    if (net === null || rate === null) continue;
    if (per === "line") vat += on(pence(net), rate);
    else nets.set(rate, (nets.get(rate) ?? 0n) + pence(net));
  }
  for (const [rate, net] of nets) vat += on(net, rate);
  return vat;
}

function pence(text: string): bigint {
  return BigInt(text.replace(".", ""));
}
