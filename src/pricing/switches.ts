/**
 * Switches of a policy: what is not known of the ERP, or is set at each site, said once in the
 * policy's file with its choices. A choice is laid over the file before it is read as a policy.
 */
import { z } from "zod";
import { checkValue, nearest } from "../definition/index.ts";
import type { Definition, DefinitionPath, DefinitionProblem } from "../definition/index.ts";
import { policySchema } from "./policy-schema.ts";

const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/);
const loose = z.record(z.string(), z.unknown());

const overlay = z
  .strictObject({
    steps: z
      .record(z.string(), z.union([z.literal("off"), loose]))
      .optional()
      .describe(
        "By the name of a step: off leaves it out, else words that replace its own; `unless: { without: [NAME] }` takes names away.",
      ),
    base: z.array(z.unknown()).optional(),
    decides: loose.optional(),
    arithmetic: loose.optional(),
    productGroups: z.string().optional(),
    breaks: z.string().optional(),
    zero: z.string().optional(),
    otherCurrency: z.string().optional(),
  })
  .describe("What the choice changes in this file; left out: the file as it stands.");

type Overlay = z.infer<typeof overlay>;

const aSwitch = z.strictObject({
  about: z.string().min(1).describe("What is asked, and where the answer is seen in the ERP."),
  default: word.describe("The choice that holds where the settings name none."),
  choices: z
    .record(word, z.strictObject({ about: z.string().min(1), set: overlay.optional() }))
    .refine((all) => Object.keys(all).length > 1, "at least two choices"),
});

/** What a policy's file may hold, switches included. */
export const policyFileSchema = policySchema.extend({
  switches: z
    .record(word, aSwitch)
    .default({})
    .describe("What a site must choose, or nobody knows for sure; set by pricing.switches."),
});

type PolicyFile = z.infer<typeof policyFileSchema>;
type Switches = PolicyFile["switches"];
/** Switch → choice, as the settings name them. */
export type Choices = Readonly<Record<string, string>>;

export interface PolicySwitch {
  readonly name: string;
  readonly about: string;
  readonly default: string;
  readonly choices: readonly { readonly choice: string; readonly about: string }[];
}

export function switchesOf({ switches }: PolicyFile): PolicySwitch[] {
  return Object.entries(switches).map(([name, { choices, ...each }]) => ({
    name,
    about: each.about,
    default: each.default,
    choices: Object.entries(choices).map(([choice, { about }]) => ({ choice, about })),
  }));
}

export interface ChoiceProblem {
  /** Switch that the problem is about. */
  readonly name: string;
  readonly found: string;
  readonly expected: string;
  readonly nearest?: string | undefined;
}

/** Names of switches and choices that the policy does not have. */
export function choiceProblems(switches: readonly PolicySwitch[], chosen: Choices) {
  return Object.entries(chosen).flatMap(([name, choice]): ChoiceProblem[] => {
    const known = switches.find((each) => each.name === name);
    const names = switches.map((each) => each.name);
    if (known === undefined)
      return [
        {
          name,
          found: `the switch "${name}"`,
          expected:
            names.length === 0 ? "no switch: the policy has none" : `one of ${names.join(", ")}`,
          nearest: nearest(name, names),
        },
      ];
    const choices = known.choices.map((each) => each.choice);
    if (choices.includes(choice)) return [];
    const expected = `one of ${choices.join(", ")}`;
    return [{ name, found: `"${choice}"`, expected, nearest: nearest(choice, choices) }];
  });
}

/** Every choice in force: the chosen ones, and the defaults of the rest. */
export function inForce({ switches }: PolicyFile, chosen: Choices): Choices {
  return Object.fromEntries(
    Object.entries(switches).map(([name, each]) => [name, chosen[name] ?? each.default]),
  );
}

/** The file's value with the choices laid over it, in the order of the switches; not yet read. */
export function withChoices(raw: unknown, switches: Switches, choices: Choices): unknown {
  const { switches: _, ...plain } = loose.parse(raw);
  return Object.entries(switches).reduce<Raw>(
    (value, [name, { choices: all }]) => overlaid(value, all[choices[name] ?? ""]?.set ?? {}),
    plain,
  );
}

type Raw = Readonly<Record<string, unknown>>;

function overlaid(value: Raw, { steps = {}, decides, arithmetic, ...rest }: Overlay): Raw {
  return {
    ...value,
    ...rest,
    ...(decides === undefined ? {} : { decides: { ...rawOf(value["decides"]), ...decides } }),
    ...(arithmetic === undefined
      ? {}
      : { arithmetic: { ...rawOf(value["arithmetic"]), ...arithmetic } }),
    steps: overlaidSteps(z.array(loose).parse(value["steps"]), steps),
  };
}

function rawOf(value: unknown): Raw {
  return loose.safeParse(value).data ?? {};
}

const names = z.array(z.string());
/** So that two choices can each take their own name away. */
const withoutNames = z.strictObject({ without: names.min(1) });

/** What is left out is not waited for by the steps after it. */
function overlaidSteps(steps: readonly Raw[], changes: NonNullable<Overlay["steps"]>): Raw[] {
  const off = Object.keys(changes).filter((name) => changes[name] === "off");
  return steps.flatMap((step): Raw[] => {
    const change = changes[String(step["step"])];
    if (change === "off") return [];
    const changed: Raw = { ...step, ...change };
    const { without } = withoutNames.safeParse(changed["unless"]).data ?? { without: [] };
    const unless = names.safeParse(without.length > 0 ? step["unless"] : changed["unless"]).data;
    if (unless === undefined) return [changed];
    const gone = [...off, ...without];
    return [{ ...changed, unless: unless.filter((name) => !gone.includes(name)) }];
  });
}

/** What is wrong with the switches of a file: defaults, steps that are not there, odd words. */
export function switchProblems(
  raw: unknown,
  file: PolicyFile,
  problem: Definition<unknown>["problem"],
): DefinitionProblem[] {
  const steps = file.steps.map(({ step }) => step);
  return Object.entries(file.switches).flatMap(([name, each]) => {
    const at = ["switches", name];
    const choices = Object.keys(each.choices);
    const odd = choices.includes(each.default)
      ? []
      : [
          problem([...at, "default"], {
            found: `"${each.default}"`,
            expected: `one of its choices: ${choices.join(", ")}`,
            nearest: nearest(each.default, choices),
          }),
        ];
    const inChoices = Object.entries(each.choices).flatMap(([choice, { set = {} }]) =>
      choiceFaults(
        raw,
        file,
        { name, choice, set, steps, at: [...at, "choices", choice] },
        problem,
      ),
    );
    return [...odd, ...inChoices];
  });
}

interface Tried {
  readonly name: string;
  readonly choice: string;
  readonly set: Overlay;
  readonly steps: readonly string[];
  readonly at: DefinitionPath;
}

function choiceFaults(
  raw: unknown,
  file: PolicyFile,
  { name, choice, set, steps, at }: Tried,
  problem: Definition<unknown>["problem"],
): DefinitionProblem[] {
  const unknown = Object.keys(set.steps ?? {}).filter((step) => !steps.includes(step));
  if (unknown.length > 0)
    return unknown.map((step) =>
      problem([...at, "set", "steps", step], {
        found: `the step "${step}"`,
        expected: `one of ${steps.join(", ")}`,
        nearest: nearest(step, steps),
      }),
    );
  const chosen = { ...inForce(file, {}), [name]: choice };
  const checked = checkValue(withChoices(raw, file.switches, chosen), policySchema);
  if (checked.fine) return [];
  return checked.problems.map(({ path, found, expected, nearest: close }) =>
    problem(at, { found: `${path.join(".")}: ${found}`, expected, nearest: close }),
  );
}
