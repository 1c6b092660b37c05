/**
 * The strategies that cases name: which policy of the product's engine says each, and how its words
 * stand in ordinary records. Data only; what a strategy does is in its policy.
 */
import { readFileSync } from "node:fs";
import { readPolicy } from "../../src/pricing/index.ts";

export type Policy = ReturnType<typeof readPolicy>;

export interface Strategy {
  /** File in `policies`. */
  readonly policy: string;
  /** Policy that says what stands beside the price as the original one; none: the base price. */
  readonly original?: string;
  /** Whom a rule is for that names no list: the buyer's own list, or everyone. */
  readonly rulesAre: "on-a-list" | "for-everyone";
  /** Where the product's own price stands, so that it never competes with rules on the product. */
  readonly ownPrice: "for-everyone" | "on-a-list";
  /** What the place of a rule among the rules says: nothing, or which comes first. */
  readonly order: "none" | "first-wins" | "last-wins";
  /** Whether a variant's own rule is more particular than its template's. */
  readonly variants: "alike" | "before-template";
  /** Whether a price that names its currency asks for more than one that does not. */
  readonly currency: "plain" | "condition";
  /** Records in the opposite order, which must make no difference. */
  readonly reversed?: boolean;
  /** Whether a list says of itself that it is used alone. */
  readonly closing: boolean;
}

const PLAIN = {
  rulesAre: "for-everyone",
  ownPrice: "for-everyone",
  order: "none",
  variants: "alike",
  currency: "plain",
  closing: false,
} as const;

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  odoo_specific_first: {
    ...PLAIN,
    policy: "odoo-specific-first",
    rulesAre: "on-a-list",
    order: "last-wins",
    variants: "before-template",
  },
  erpnext_priority: { ...PLAIN, policy: "erpnext-priority", ownPrice: "on-a-list" },
  medusa2_rules: { ...PLAIN, policy: "medusa2-rules", original: "medusa2-original" },
  medusa1_lowest: { ...PLAIN, policy: "medusa1-lowest", original: "own-price" },
  oro_merge: { ...PLAIN, policy: "oro-merge", closing: true },
  oro_minimal: { ...PLAIN, policy: "oro-minimal" },
  tier_all_units: { ...PLAIN, policy: "tier-all-units" },
  bc_best: { ...PLAIN, policy: "bc-best", currency: "condition" },
  tryton_first_line: {
    ...PLAIN,
    policy: "tryton-first-line",
    rulesAre: "on-a-list",
    order: "first-wins",
  },
  date_priority: { ...PLAIN, policy: "date-priority" },
  magento_tier: { ...PLAIN, policy: "magento-tier" },
  vendure_promotions: { ...PLAIN, policy: "vendure-promotions" },
  rounding: { ...PLAIN, policy: "document-line" },
};

const READ = new Map<string, Policy>();

/** A policy of this folder by its file's name, with what the case itself says of arithmetic. */
export function policyOf(name: string): Policy {
  const known = READ.get(name);
  if (known !== undefined) return known;
  const file = `test/cases/policies/${name}.yaml`;
  const text = readFileSync(new URL(`policies/${name}.yaml`, import.meta.url), "utf8");
  const policy = readPolicy({ file, text });
  READ.set(name, policy);
  return policy;
}

const MODES = {
  half_up: "half-up",
  half_even: "half-even",
  half_away: "half-away",
  half_away_from_zero: "half-away",
  down: "down",
  up: "up",
} as const;

/** The same policy with all its amounts rounded as a case says; none: as the policy says. */
export function roundedAs(policy: Policy, rounding: keyof typeof MODES | undefined): Policy {
  if (rounding === undefined) return policy;
  const mode = MODES[rounding];
  const { unitPrice, lineNet, vat } = policy.arithmetic;
  return {
    ...policy,
    arithmetic: {
      ...policy.arithmetic,
      unitPrice: { ...unitPrice, mode },
      lineNet: { ...lineNet, mode },
      vat: { ...vat, mode },
    },
  };
}
