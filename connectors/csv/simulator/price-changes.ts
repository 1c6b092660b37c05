/** The buyer's office raises some agreed prices from tomorrow. */
import { calendar, randomOf, type PriceRule } from "../../../deploy/demo/merchant/index.ts";
import type { Erp } from "./erp.ts";
import { divided, fixed, PRICE, scaled } from "./figures.ts";

/**
 * Closes about one in two thousand account × product
 * prices today and opens their successors tomorrow.
 */
export function changePrices(erp: Erp): void {
  const random = randomOf(erp.seed, "price changes", erp.day);
  const rules = erp.pricing.rules();
  const open = [
    ...new Set(rules.filter((rule) => canChange(rule, erp.today())).map((rule) => rule.rule)),
  ];
  const many = Math.min(open.length, Math.ceil(rules.length / 2000));
  const closed = new Set(Array.from({ length: many }, () => random.pick(open)));
  const raised = random.whole(102, 106);
  const added = rules
    .filter((rule) => closed.has(rule.rule))
    .map((rule) => successor(rule, raised, calendar.isoOf(erp.day + 1)));
  erp.pricing.change(closed, erp.today(), added);
  erp.dirty.add("price-rules");
}

function canChange(rule: PriceRule, today: string): boolean {
  const agreed = rule.customerScope === "account" && rule.productScope === "product";
  const holds = (rule.validFrom === null || rule.validFrom < today) && rule.validTo === null;
  return agreed && rule.kind === "fixed" && holds;
}

function successor(rule: PriceRule, raisedPercent: number, from: string): PriceRule {
  const price4 = scaled(rule.value, PRICE);
  const raised4 = divided(BigInt(price4) * BigInt(raisedPercent), 100n);
  const [base = rule.rule] = rule.rule.split("@");
  return {
    ...rule,
    rule: `${base}@${from}`,
    value: fixed(raised4, PRICE),
    validFrom: from,
    validTo: null,
  };
}
