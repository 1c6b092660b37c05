/**
 * Breaks that a case gives as a plain table, as rules. What a shop lets through below the first
 * break is a rule of its own at the first break's price, for the quantities that it is about.
 */
import { decimal } from "../../src/model/index.ts";
import type { PricingCase, Query, Rule } from "./format.ts";

type Tier = NonNullable<PricingCase["tiers"]>[number];

export function tierRules(of: PricingCase): Rule[] {
  const tiers = of.tiers ?? [];
  const rules = tiers.map((tier, at) => ruleOf(tier, `tier ${at + 1}`));
  const [first] = tiers.toSorted((a, b) => Number(a.min_qty) - Number(b.min_qty));
  if (first === undefined) return rules;
  const allowed = Object.entries(of.options ?? {}).flatMap(([option, isAllowed]) => {
    const below = BELOW[option];
    if (below === undefined) throw new Error(`field options.${option} is not understood`);
    return isAllowed ? below(first) : [];
  });
  return [...rules, ...allowed];
}

function ruleOf({ group, ...tier }: Tier, id: string): Rule {
  return {
    id,
    kind: "fixed",
    ...tier,
    ...(group === undefined ? {} : { customer_group: group }),
  };
}

const BELOW: Readonly<Record<string, (first: Tier) => Rule>> = {
  allow_fractional_below_one: (first) => ({
    ...below(first, "1", "below one"),
    attrs: { quantity: "fraction" },
  }),
  allow_fractional_below_first_tier: (first) => ({
    ...below(first, first.min_qty, "fractions below"),
    attrs: { quantity: "fraction" },
  }),
  allow_whole_below_first_tier: (first) => ({
    ...below(first, first.min_qty, "wholes below"),
    attrs: { quantity: "whole" },
  }),
};

/** Quantities have 5 places, so the last one before a bound is that much less. */
function below(first: Tier, bound: string, id: string): Rule {
  const step = decimal.parse("0.00001");
  const last = decimal.canonical(decimal.subtract(decimal.parse(bound), step));
  return { ...ruleOf(first, id), min_qty: "0", max_qty: last };
}

/** "whole", "fraction" where the product is sold in parts, else neither. */
export function sortOf({ qty = "1", qty_decimals_allowed = "1" }: Query): string {
  const { digits, scale } = decimal.parse(decimal.canonical(decimal.parse(qty)));
  if (scale === 0 && digits > 0n) return "whole";
  return Number(qty_decimals_allowed) > 0 ? "fraction" : "impossible";
}
