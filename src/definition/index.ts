/**
 * Strict YAML to a typed value: settings, mappings, policies and plans are all read here.
 * Promises that a file is either wholly understood or refused with every problem at once, each with
 * its line, what was found, what was expected and the nearest match. Never guesses, never ignores a
 * key, never reads a disk: it is given the text.
 *
 *     const plan = readDefinition({ file: "plan.yaml", text }, planSchema); // or DefinitionError
 */
export { describeProblem, DefinitionError } from "./problem.ts";
export type { DefinitionProblem } from "./problem.ts";
export { nearest } from "./nearest.ts";
export { checkValue, openDefinition, readDefinition } from "./read.ts";
export type { Checked, Definition, DefinitionPath, DefinitionSource } from "./read.ts";
export type { ValueProblem } from "./explain.ts";
export { jsonSchemaOf } from "./json-schema.ts";
