/** `mappings/<name>/pricing.yaml` → a policy, or an error that names every line that is wrong. */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { z } from "zod";
import { DefinitionError, nearest, openDefinition } from "../definition/index.ts";
import type { Definition, DefinitionProblem, DefinitionSource } from "../definition/index.ts";
import type { Policy, PolicyStep } from "./engine/index.ts";
import { policySchema } from "./policy-schema.ts";
import type { FileStep } from "./policy-schema.ts";
import {
  choiceProblems,
  inForce,
  policyFileSchema,
  switchesOf,
  switchProblems,
  withChoices,
} from "./switches.ts";
import type { Choices, PolicySwitch } from "./switches.ts";

/**
 * The policy that the text states, under the choices of its switches; a switch that is not named
 * stands at its default. Throws a `DefinitionError` with every problem in it.
 */
export function readPolicy(source: DefinitionSource, chosen: Choices = {}): Policy {
  const { raw, file, problem } = openFile(source);
  const unknown = choiceProblems(switchesOf(file), chosen);
  if (unknown.length > 0)
    throw new DefinitionError(
      source.file,
      unknown.map(({ name, ...what }) => problem(["switches", name], what)),
    );
  const choices = inForce(file, chosen);
  const value = policySchema.parse(withChoices(raw, file.switches, choices));
  // A step that a choice leaves out is not in the value; its line is found by its name.
  const lines = file.steps.map(({ step }) => step);
  const inFile: Problem = ([steps = "steps", at = 0, ...rest], what) =>
    problem([steps, lines.indexOf(value.steps[Number(at)]?.step ?? ""), ...rest], what);
  const problems = value.steps.flatMap((step, at) => [
    ...nameProblems(value.steps, step, at, inFile),
    ...hitProblems(value.steps, step, at, inFile),
  ]);
  if (problems.length > 0) throw new DefinitionError(source.file, problems);
  return {
    ...value,
    version: createHash("sha256")
      .update(source.text)
      .update(JSON.stringify(choices))
      .digest("hex")
      .slice(0, 12),
    steps: value.steps.map(stepOf),
  };
}

/** What the policy leaves to the site, in the order of the file. */
export function readSwitches(source: DefinitionSource): PolicySwitch[] {
  return switchesOf(openFile(source).file);
}

function openFile(source: DefinitionSource) {
  const { value: file, problem } = openDefinition(source, policyFileSchema);
  const raw: unknown = openDefinition(source, z.unknown()).value;
  const problems = switchProblems(raw, file, problem);
  if (problems.length > 0) throw new DefinitionError(source.file, problems);
  return { raw, file, problem };
}

type Problem = Definition<unknown>["problem"];

/** Steps are called by their names, which therefore differ; `unless` names earlier ones. */
function nameProblems(
  steps: readonly FileStep[],
  { step, unless }: FileStep,
  at: number,
  problem: Problem,
): DefinitionProblem[] {
  const earlier = steps.slice(0, at).map((other) => other.step);
  const doubled = earlier.includes(step)
    ? [
        problem(["steps", at, "step"], {
          found: `a second step called "${step}"`,
          expected: "another name, since `unless` and explanations tell steps apart by it",
        }),
      ]
    : [];
  return [
    ...doubled,
    ...unless.flatMap((name, index) =>
      earlier.includes(name)
        ? []
        : problem(["steps", at, "unless", index], {
            found: `"${name}"`,
            expected:
              earlier.length === 0
                ? "no name, since this is the first step"
                : `the name of an earlier step: ${earlier.join(", ")}`,
            nearest: nearest(name, earlier),
          }),
    ),
  ];
}

/** A price that stops the search would silently replace what came before it. */
function hitProblems(
  steps: readonly FileStep[],
  step: FileStep,
  at: number,
  problem: Problem,
): DefinitionProblem[] {
  if (step.draw === "hidden" || step.hit !== "stop") return [];
  const before = steps
    .slice(0, at)
    .find((other) => other.draw !== "hidden" && other.hit !== "stop");
  if (before === undefined) return [];
  if (step.unless.length > 0 || ("from" in step && step.from === "running")) return [];
  return [
    problem(["steps", at, "hit"], {
      found: `stop after "${before.step}", which goes on`,
      expected:
        "steps with hit: stop first, or an `unless` that names what it stands in for, or from: running",
    }),
  ];
}

/** A step with every word that the engine looks at. */
function stepOf(read: FileStep): PolicyStep {
  if (read.draw === "hidden") return hiddenStep(read);
  const { step, draw, compete, tie, unless, hit } = read;
  const drawn = draw === "rules" || draw === "promotions" ? read : undefined;
  const rules = draw === "rules" ? read : undefined;
  return {
    step,
    draw,
    compete,
    tie,
    unless,
    hit,
    kinds: drawn?.kinds ?? null,
    only: rules?.only ?? "any",
    breaks: rules?.breaks ?? "any",
    sign: drawn?.sign ?? "any",
    takes: drawn?.takes ?? "one",
    from: "from" in read ? read.from : "base",
    withBase: rules?.withBase ?? false,
    applies: draw === "quotations" ? read.applies : "by-itself",
    places:
      drawn?.customers.flatMap((customer) =>
        drawn.products.map((product) => ({ customer, product })),
      ) ?? [],
  };
}

/** It draws nothing; whom it is for says who gets no price. */
function hiddenStep({
  step,
  draw,
  customers,
  unless,
}: Extract<FileStep, { draw: "hidden" }>): PolicyStep {
  return {
    step,
    draw,
    compete: ["lowest"],
    tie: "first",
    unless,
    hit: "continue",
    kinds: null,
    only: "any",
    breaks: "any",
    sign: "any",
    takes: "one",
    from: "base",
    withBase: false,
    applies: "by-itself",
    places: customers.map((customer) => ({ customer, product: "everything" })),
  };
}

const MAPPINGS = new URL("../../mappings/", import.meta.url);

/** The shipped policy of that name under the choices of its switches. */
export async function loadPolicy(name: string, chosen: Choices = {}): Promise<Policy> {
  return readPolicy(await shippedSource(name), chosen);
}

/** What the shipped policy of that name leaves to the site. */
export async function policySwitches(name: string): Promise<PolicySwitch[]> {
  return readSwitches(await shippedSource(name));
}

async function shippedSource(name: string): Promise<DefinitionSource> {
  const file = `mappings/${name}/pricing.yaml`;
  const shipped = await shippedPolicies();
  if (!shipped.includes(name)) {
    const close = nearest(name, shipped);
    throw new Error(
      `the price policy "${name}" of the settings does not exist (looked for ${file}); ` +
        `there are: ${shipped.join(", ")}${close === undefined ? "" : `. Did you mean ${close}?`}`,
    );
  }
  return { file, text: await readFile(new URL(`${name}/pricing.yaml`, MAPPINGS), "utf8") };
}

/** Names of the policies that come with the product. */
export async function shippedPolicies(): Promise<string[]> {
  const found = await readdir(MAPPINGS, { recursive: true });
  return found
    .filter((file) => file.endsWith("pricing.yaml"))
    .map((file) => file.slice(0, -"/pricing.yaml".length))
    .sort();
}

/** Examples beside the shipped policy; null: it has none. */
export async function shippedExamples(
  name: string,
): Promise<{ readonly policy: DefinitionSource; readonly examples: DefinitionSource } | null> {
  const policy = await shippedSource(name);
  const folder = new URL(`${name}/`, MAPPINGS);
  const file = "pricing.examples.yaml";
  if (!(await readdir(folder)).includes(file)) return null;
  const text = await readFile(new URL(file, folder), "utf8");
  return { policy, examples: { file: `mappings/${name}/${file}`, text } };
}
