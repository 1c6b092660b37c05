/** `price policy`: how prices are resolved here, and what of it a site can choose. */
import type { Command } from "commander";
import { loadPolicy, policySwitches, knownPolicies, type PolicySwitch } from "../pricing/index.ts";
import { answer, chosen, example, type Answer, type Opened } from "./command.ts";
import { table } from "./print.ts";

export function addPolicyCommand(price: Command): void {
  price
    .command("policy [name]")
    .description("The steps of the price policy, and its switches with their choices.")
    .addHelpText(
      "after",
      '\nA switch is set in the settings: `pricing: { policy: sage-50, switches: { discountByUnitPrice: "yes" } }`.' +
        example("price policy sage-200"),
    )
    .action(async (name: string | undefined, _options: unknown, command: Command) => {
      await answer(command, async (opened) => {
        const known = await knownPolicies(opened.tradepost.settings.mappingFolders);
        return policyOf(opened, name === undefined ? undefined : chosen("The policy", known)(name));
      });
    });
}

async function policyOf({ company, tradepost }: Opened, name: string | undefined): Promise<Answer> {
  const { pricing } = company.settings;
  const own = name === undefined || name === pricing.policy;
  const chosenHere = own ? pricing.switches : {};
  const folders = tradepost.settings.mappingFolders;
  const policy = await loadPolicy(name ?? pricing.policy, chosenHere, folders);
  const switches = await policySwitches(name ?? pricing.policy, folders);
  const inForce = switches.map((each) => ({
    ...each,
    choice: chosenHere[each.name] ?? each.default,
    set: chosenHere[each.name] !== undefined,
  }));
  const { about, steps, arithmetic, decides, base } = policy;
  const head = own ? policy.policy : `${policy.policy} (not the one in force here)`;
  return {
    text: [
      `policy    ${head}`,
      about,
      "",
      stepsTable(steps),
      ...(inForce.length === 0 ? [] : ["", "switches", ...inForce.flatMap(switchLines)]),
    ].join("\n"),
    data: { policy: policy.policy, about, decides, base, steps, arithmetic, switches: inForce },
  };
}

type Step = Awaited<ReturnType<typeof loadPolicy>>["steps"][number];

function stepsTable(steps: readonly Step[]): string {
  return table(steps, [
    { head: "step", of: ({ step }) => step },
    { head: "draws", of: ({ draw, kinds }) => [draw, ...(kinds ?? [])].join(" ") },
    { head: "decided by", of: ({ compete }) => compete.join(", ") },
    { head: "then", of: ({ hit }) => hit },
    { head: "unless", of: ({ unless }) => unless.join(", ") },
  ]);
}

function switchLines(
  each: PolicySwitch & { readonly choice: string; readonly set: boolean },
): string[] {
  return [
    "",
    `  ${each.name}: ${each.choice}${each.set ? "" : " (default)"}`,
    `    ${each.about}`,
    ...each.choices.map(
      ({ choice, about }) => `    ${choice === each.choice ? "→" : " "} ${choice}: ${about}`,
    ),
  ];
}
