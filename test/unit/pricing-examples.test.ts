import { describe, expect, test } from "vitest";
import {
  checkPolicyExamples,
  loadPolicy,
  policySwitches,
  shippedPolicies,
} from "../../src/pricing/index.ts";

const policies = await shippedPolicies();
const tried = await Promise.all(
  policies.map(async (name) => ({
    name,
    examples: (await checkPolicyExamples(name))?.results ?? [],
  })),
);

describe.each(tried.filter(({ examples }) => examples.length > 0))(
  "the examples of the price policy $name",
  ({ examples }) => {
    test.each(examples)("$example", ({ problems }) => {
      expect(problems).toEqual([]);
    });
  },
);

test("every policy of a system of the trade has examples", async () => {
  for (const { name, examples } of tried) {
    if (name === "generic") continue;
    expect(examples.length, name).toBeGreaterThan(0);
  }
  expect(policies).toEqual(
    expect.arrayContaining(["generic", "opera-3", "sage-200", "sage-50", "sage-accounting"]),
  );
});

test("every choice of every switch makes a policy of its own", async () => {
  expect.hasAssertions();
  for (const name of policies) {
    const versions = new Set<string>();
    let choices = 0;
    for (const each of await policySwitches(name))
      for (const { choice } of each.choices) {
        versions.add((await loadPolicy(name, { [each.name]: choice })).version);
        choices += choice === each.default ? 0 : 1;
      }
    // All defaults are one and the same policy.
    if (choices > 0) expect(versions.size, name).toBe(choices + 1);
  }
});
