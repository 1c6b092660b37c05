/** `mappings/<name>/pricing.yaml` → a policy, or an error that names every line that is wrong. */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
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

const MAPPINGS = fileURLToPath(new URL("../../mappings", import.meta.url));

/**
 * The policy of that name under the choices of its switches: the company's own in one of its
 * `folders`, looked into in their order, else the shipped one.
 */
export async function loadPolicy(
  name: string,
  chosen: Choices = {},
  folders: readonly string[] = [],
): Promise<Policy> {
  return readPolicy((await findPolicy(name, folders)).source, chosen);
}

/** What the policy of that name leaves to the site. */
export async function policySwitches(
  name: string,
  folders: readonly string[] = [],
): Promise<PolicySwitch[]> {
  return readSwitches((await findPolicy(name, folders)).source);
}

interface FoundPolicy {
  readonly source: DefinitionSource;
  /** Where it lies, and that as a person is told. */
  readonly folder: string;
  readonly shown: string;
}

const FILE = "pricing.yaml";
const EXAMPLES = "pricing.examples.yaml";

async function findPolicy(name: string, folders: readonly string[]): Promise<FoundPolicy> {
  for (const parent of [...folders, MAPPINGS]) {
    if (!(await policiesIn(parent)).includes(name)) continue;
    const folder = join(parent, name);
    const shown = parent === MAPPINGS ? `mappings/${name}` : folder;
    const text = await readFile(join(folder, FILE), "utf8");
    return { source: { file: `${shown}/${FILE}`, text }, folder, shown };
  }
  const known = await knownPolicies(folders);
  const close = nearest(name, known);
  throw new Error(
    `the price policy "${name}" of the settings does not exist (looked for ${name}/${FILE} in ` +
      `${[...folders, "mappings"].join(", ")}); there are: ${known.join(", ")}` +
      (close === undefined ? "" : `. Did you mean ${close}?`),
  );
}

/** Names of the policies that come with the product. */
export async function shippedPolicies(): Promise<string[]> {
  return policiesIn(MAPPINGS);
}

/** The same with those of the company's own folders. */
export async function knownPolicies(folders: readonly string[]): Promise<string[]> {
  const found = await Promise.all([...folders, MAPPINGS].map(policiesIn));
  return [...new Set(found.flat())].sort();
}

/** None where there is no such folder: settings that name one are checked elsewhere. */
async function policiesIn(parent: string): Promise<string[]> {
  const found = await readdir(parent, { recursive: true }).catch(() => []);
  return found
    .filter((file) => basename(file) === FILE)
    .map((file) => dirname(file))
    .sort();
}

/** Examples beside the policy of that name; null: it has none. */
export async function policyExamples(
  name: string,
  folders: readonly string[] = [],
): Promise<{ readonly policy: DefinitionSource; readonly examples: DefinitionSource } | null> {
  const { source, folder, shown } = await findPolicy(name, folders);
  if (!(await readdir(folder)).includes(EXAMPLES)) return null;
  const text = await readFile(join(folder, EXAMPLES), "utf8");
  return { policy: source, examples: { file: `${shown}/${EXAMPLES}`, text } };
}
