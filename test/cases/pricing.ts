/** Cases of prices, one after the other: each is asked of the product's engine and compared. */
import { ASKED } from "./asked.ts";
import { difference } from "./compare.ts";
import type { CaseFile, PricingCase, Rule } from "./format.ts";
import { tierRules } from "./tiers.ts";
import { readCase, readCases } from "./read.ts";
import { STRATEGIES } from "./strategy.ts";
import type { Strategy } from "./strategy.ts";

export interface Outcome {
  readonly passed: number;
  /** One line each. */
  readonly failures: readonly string[];
}

export function runPricing(file: string, order: "given" | "reversed" = "given"): Outcome {
  const cases = readCases(file);
  const failures = cases.cases.flatMap((given) => {
    const problem = tried(given, cases.datasets ?? {}, order);
    return problem === null ? [] : `${given.id}: ${problem}`;
  });
  return { passed: cases.cases.length - failures.length, failures };
}

/** What is wrong with the answer to a case; null: it is as expected. */
function tried(
  given: { readonly id: string },
  datasets: Datasets,
  order: "given" | "reversed",
): string | null {
  const read = readCase(given);
  if (typeof read === "string") return read;
  try {
    return judged(read, datasets, order === "reversed");
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

type Datasets = NonNullable<CaseFile["datasets"]>;

/** A case with what it refers to put into it. */
export interface Given {
  readonly of: PricingCase;
  readonly strategy: Strategy;
  readonly rules: readonly Rule[];
}

/** What came out, by the name under which a case can expect it; asked only when it does. */
export type Answers = Readonly<Record<string, () => unknown>>;

function judged(of: PricingCase, datasets: Datasets, reversed: boolean): string | null {
  const strategy = STRATEGIES[of.strategy];
  if (strategy === undefined) return `strategy ${of.strategy} is not supported`;
  const ask = ASKED[of.kind];
  if (ask === undefined) return `kind ${of.kind} is not supported`;
  const answers = ask({ of, strategy: { ...strategy, reversed }, rules: rulesOf(of, datasets) });
  const differences = Object.entries(of.expect).map(([name, expected]) => {
    const answer = answers[name];
    if (answer === undefined) return `field expect.${name} is not understood`;
    return difference(name, expected, answer());
  });
  const told = differences.filter((line) => line !== null);
  return told.length === 0 ? null : told.join("; ");
}

function rulesOf(of: PricingCase, datasets: Datasets): Rule[] {
  const named = of.dataset === undefined ? undefined : datasets[of.dataset];
  if (of.dataset !== undefined && named === undefined)
    throw new Error(`dataset ${of.dataset} is not in the file`);
  const ofLists = (of.lists ?? []).flatMap((list) =>
    (list.rules ?? []).map((rule): Rule => ({ ...rule, list: list.id })),
  );
  const rules = [...(named?.rules ?? []), ...(of.rules ?? []), ...ofLists, ...tierRules(of)];
  return [...rules, ...(of.extra_rules ?? [])].map((rule) => ofList(of, rule));
}

/** What a list says of itself holds for its rules. */
function ofList(of: PricingCase, rule: Rule): Rule {
  const told = [...(of.lists ?? []), ...(of.lists_in_priority_order ?? [])];
  const list = told.find(({ id }) => id === (rule.list ?? rule.scope?.list));
  if (list === undefined) return rule;
  const said: Partial<Rule> = {
    list_attrs: list.attrs,
    list_status: list.status,
    list_type: list.type,
    valid_from: list.valid_from,
    valid_to: list.valid_to,
  };
  const own = Object.entries(rule).filter(([, value]) => value !== undefined);
  return { ...said, ...Object.fromEntries(own) };
}
