/**
 * A policy with one switch set otherwise, for every switch that it has: what could be wrong about
 * it, one thing at a time.
 */
import { COMPARATORS, DISCOUNTS } from "./engine/index.ts";
import type { Policy, PolicyStep } from "./engine/index.ts";
import { loadPolicy, policySwitches } from "./policy.ts";
import type { Choices } from "./switches.ts";

export interface PolicyVariant {
  /** "decides.date", "arithmetic.unitPrice.places", `steps."Net price".compete`. */
  readonly switch: string;
  /** As the policy has it, and as the variant has it. */
  readonly is: string;
  readonly tried: string;
  readonly policy: Policy;
  /** Choices that it stands for, where a switch that the policy declares makes it. */
  readonly choices?: Choices;
}

/**
 * A shipped policy with one of the switches that it declares set to another choice: what a site
 * can put into its settings. Choices that are not named stand at their defaults.
 */
export async function switchVariants(name: string, chosen: Choices): Promise<PolicyVariant[]> {
  const variants: PolicyVariant[] = [];
  for (const declared of await policySwitches(name)) {
    const is = chosen[declared.name] ?? declared.default;
    for (const { choice } of declared.choices) {
      if (choice === is) continue;
      const choices = { ...chosen, [declared.name]: choice };
      const policy = await loadPolicy(name, choices);
      const told = { switch: `pricing.switches.${declared.name}`, is, tried: choice };
      variants.push({ ...told, policy, choices });
    }
  }
  return variants;
}

/** In the order in which they are told when they explain equally much: most common causes first. */
export function policyVariants(policy: Policy): readonly PolicyVariant[] {
  return [
    ...decidesVariants(policy),
    ...arithmeticVariants(policy),
    ...wholeVariants(policy),
    ...baseVariants(policy),
    ...policy.steps.flatMap((_, at) => stepVariants(policy, at)),
  ];
}

/** One variant for each of the words that is not the policy's own. */
function each<Word extends string | number | boolean>(
  name: string,
  is: Word,
  words: readonly Word[],
  change: (word: Word) => Policy,
): PolicyVariant[] {
  return words
    .filter((word) => word !== is)
    .map((word) => ({
      switch: name,
      is: String(is),
      tried: String(word),
      policy: { ...change(word), version: "trial" },
    }));
}

function decidesVariants(policy: Policy): PolicyVariant[] {
  const { decides } = policy;
  return [
    ...each("decides.date", decides.date, ["order", "despatch", "invoice"], (date) => ({
      ...policy,
      decides: { ...decides, date },
    })),
    ...each(
      "decides.quantity",
      decides.quantity,
      ["line", "product", "group", "document"],
      (quantity) => ({ ...policy, decides: { ...decides, quantity } }),
    ),
  ];
}

const MODES = ["half-away", "half-even", "down", "up"] as const;

function arithmeticVariants(policy: Policy): PolicyVariant[] {
  const { arithmetic } = policy;
  const { unitPrice, lineNet, vat, discount } = arithmetic;
  const set = (part: Partial<Policy["arithmetic"]>): Policy => ({
    ...policy,
    arithmetic: { ...arithmetic, ...part },
  });
  return [
    ...each("arithmetic.unitPrice.places", unitPrice.scale, [2, 3, 4, 5, 6], (scale) =>
      set({ unitPrice: { ...unitPrice, scale } }),
    ),
    ...each("arithmetic.unitPrice.rounding", unitPrice.mode, MODES, (mode) =>
      set({ unitPrice: { ...unitPrice, mode } }),
    ),
    ...each("arithmetic.discount", discount, DISCOUNTS, (word) => set({ discount: word })),
    ...each("arithmetic.lineNet.rounding", lineNet.mode, MODES, (mode) =>
      set({ lineNet: { ...lineNet, mode } }),
    ),
    ...each("arithmetic.vat.per", vat.per, ["line", "rate"], (per) =>
      set({ vat: { ...vat, per } }),
    ),
    ...each("arithmetic.vat.rounding", vat.mode, MODES, (mode) => set({ vat: { ...vat, mode } })),
  ];
}

function wholeVariants(policy: Policy): PolicyVariant[] {
  const { breaks, zero, productGroups, otherCurrency } = policy;
  return [
    ...each("breaks", breaks, ["all-units", "incremental"], (word) => ({
      ...policy,
      breaks: word,
    })),
    ...each("zero", zero, ["price", "not-set"], (word) => ({ ...policy, zero: word })),
    ...each("productGroups", productGroups, ["own", "with-parents"], (word) => ({
      ...policy,
      productGroups: word,
    })),
    ...each("otherCurrency", otherCurrency, ["leave-out", "convert"], (word) => ({
      ...policy,
      otherCurrency: word,
    })),
  ];
}

/** Without each place but the last, and the other way round. */
function baseVariants(policy: Policy): PolicyVariant[] {
  const named = (base: Policy["base"]) =>
    base.map(({ customer, product }) => `${customer} × ${product}`).join(", ");
  if (policy.base.length < 2) return [];
  const others = [
    policy.base.toReversed(),
    ...policy.base.map((_, left) => policy.base.filter((__, at) => at !== left)),
  ];
  return others.map((base) => ({
    switch: "base",
    is: named(policy.base),
    tried: named(base),
    policy: { ...policy, base, version: "trial" },
  }));
}

function stepVariants(policy: Policy, at: number): PolicyVariant[] {
  const step = policy.steps[at];
  if (step === undefined) return [];
  const set = (part: Partial<PolicyStep>): Policy => ({
    ...policy,
    steps: policy.steps.map((other, index) => (index === at ? { ...other, ...part } : other)),
  });
  const name = (word: string) => `steps."${step.step}".${word}`;
  const without: PolicyVariant = {
    switch: `steps."${step.step}"`,
    is: "looked at",
    tried: "left out",
    policy: {
      ...policy,
      version: "trial",
      steps: policy.steps
        .filter((_, index) => index !== at)
        .map((other) => ({ ...other, unless: other.unless.filter((each) => each !== step.step) })),
    },
  };
  const draws = step.draw === "rules" || step.draw === "promotions";
  return [
    ...(policy.steps.length > 1 ? [without] : []),
    ...each(
      name("compete"),
      step.compete[0] ?? "lowest",
      COMPARATORS.filter((word) => COMPETING.has(word)),
      (word) => set({ compete: [word] }),
    ),
    ...(draws || step.draw === "account-discount"
      ? each(name("from"), step.from, ["base", "running"], (from) => set({ from }))
      : []),
    ...(draws
      ? each(name("takes"), step.takes, ["one", "stacked"], (takes) => set({ takes }))
      : []),
    ...each(name("hit"), step.hit, ["stop", "compete"], (hit) => set({ hit })),
  ];
}

/** Those that tell any two rules apart, whatever fields the records fill in. */
const COMPETING: ReadonlySet<string> = new Set(["lowest", "highest", "particular", "newest"]);
