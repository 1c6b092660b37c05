/** The mapping sets that a company's connections name: compiled, with their examples tried out. */
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CompanySettings, Settings } from "../config.ts";
import { describeProblem, nearest } from "../definition/index.ts";
import {
  checkExamples,
  compileMapping,
  compileOutbound,
  type Mapping,
  type Outbound,
} from "../mapping/index.ts";
import { choiceProblems, knownPolicies, policySwitches } from "../pricing/index.ts";

export interface MappingSet {
  readonly folder: string;
  /** It came with the product, whose next version replaces it. */
  readonly shipped: boolean;
  readonly mappings: readonly Mapping[];
  /** How a web order is written; null: the set hands none over. */
  readonly outbound: Outbound | null;
  /** Files of examples that were tried. */
  readonly exampleFiles: number;
  /** Examples that do not hold, by file and line. */
  readonly problems: readonly string[];
}

/** By name. Throws DefinitionError with every problem of a set, or of the name in the settings. */
export async function readMappingSets(
  settings: Settings,
  code: string,
  company: CompanySettings,
): Promise<ReadonlyMap<string, MappingSet>> {
  const sets = new Map<string, MappingSet>();
  for (const [connection, { mappings }] of Object.entries(company.connections)) {
    if (sets.has(mappings)) continue;
    const path = ["companies", code, "connections", connection, "mappings"];
    sets.set(mappings, await readMappingSet(await folderOf(settings, path, mappings)));
  }
  return sets;
}

const SHIPPED = join(import.meta.dirname, "..", "..", "mappings");

async function folderOf(settings: Settings, path: string[], name: string): Promise<string> {
  const known: string[] = [];
  for (const folder of [...settings.mappingFolders, SHIPPED]) {
    const sets = await setsIn(settings, folder);
    if (sets.includes(name)) return join(folder, name);
    known.push(...sets);
  }
  throw settings.wrong({
    path,
    found: `the mapping set "${name}"`,
    expected: `one of ${known.join(", ")}`,
    nearest: nearest(name, known),
  });
}

/**
 * What is in force, in words. Throws DefinitionError where the settings name a price policy that is
 * not shipped, or switches and choices that it does not have.
 */
export async function checkPolicy(
  settings: Settings,
  code: string,
  { policy, switches }: CompanySettings["pricing"],
): Promise<string> {
  const at = ["companies", code, "pricing"];
  const { mappingFolders } = settings;
  const known = await knownPolicies(mappingFolders);
  if (!known.includes(policy))
    throw settings.wrong({
      path: [...at, "policy"],
      found: `the price policy "${policy}"`,
      expected: `one of ${known.join(", ")}`,
      nearest: nearest(policy, known),
    });
  const problems = choiceProblems(await policySwitches(policy, mappingFolders), switches);
  if (problems.length > 0)
    throw settings.wrong(
      ...problems.map(({ name, ...what }) => ({ path: [...at, "switches", name], ...what })),
    );
  const chosen = Object.entries(switches).map(([name, choice]) => `, ${name}: ${choice}`);
  return `policy ${policy}${chosen.join("")}`;
}

function isPolicy(file: string): boolean {
  return file === "pricing.yaml" || file === "pricing.examples.yaml";
}

/** Folders that hold a mapping; one of a price policy alone is no set. */
async function setsIn(settings: Settings, folder: string): Promise<string[]> {
  const folders = await contentsOf(settings, folder);
  return [...folders]
    .filter(([, files]) => files.some((file) => file.endsWith(".yaml") && !isPolicy(file)))
    .map(([name]) => name);
}

/** The folders of a folder, each with the names of its files. */
async function contentsOf(settings: Settings, folder: string): Promise<Map<string, string[]>> {
  const contents = new Map<string, string[]>();
  try {
    for (const entry of await readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) contents.set(entry.name, await readdir(join(folder, entry.name)));
    return contents;
  } catch (error) {
    throw settings.wrong({
      path: ["mappingFolders"],
      found: `${folder}, which cannot be read (${error instanceof Error ? error.message : String(error)})`,
      expected: "a folder of mapping sets",
    });
  }
}

async function readMappingSet(folder: string): Promise<MappingSet> {
  const sources = new Map<string, { file: string; text: string }>();
  for (const file of (await readdir(folder)).filter((each) => each.endsWith(".yaml")).sort())
    sources.set(file, {
      file: join(folder, file),
      text: await readFile(join(folder, file), "utf8"),
    });
  const mappings: Mapping[] = [];
  const problems: string[] = [];
  let exampleFiles = 0;
  let outbound: Outbound | null = null;
  for (const [file, source] of sources) {
    if (isPolicy(file) || file.endsWith(".examples.yaml")) continue;
    const compiled = file === "web-order.yaml" ? compileOutbound(source) : compileMapping(source);
    if ("render" in compiled) outbound = compiled;
    else mappings.push(compiled);
    const examples = sources.get(file.replace(/\.yaml$/, ".examples.yaml"));
    if (examples === undefined) continue;
    exampleFiles += 1;
    for (const problem of checkExamples(compiled, examples))
      problems.push(describeProblem(examples.file, problem));
  }
  const shipped = dirname(folder) === SHIPPED;
  return { folder, shipped, mappings, outbound, exampleFiles, problems };
}
