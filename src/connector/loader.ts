/**
 * Finds connectors: each folder of `connectors/`, and of the folders of one's own, with an
 * `index.ts` that exports `connector`.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { closest } from "fastest-levenshtein";
import type { Rig } from "./conformance/rig.ts";
import { ConnectorFault } from "./contract.ts";
import type { Connector } from "./contract.ts";
import { lendPackages } from "./outside.ts";

const SHIPPED = join(import.meta.dirname, "..", "..", "connectors");

/**
 * Names of the connectors that are here, in alphabetical order; `folders`: more folders of
 * connectors. Throws a `config` fault for a folder that cannot be read, and for two connectors of
 * one name.
 */
export async function listConnectors(folders: readonly string[] = []): Promise<readonly string[]> {
  return [...(await foldersByName(folders)).keys()].sort();
}

/**
 * Throws a `config` fault for a name that is not here, a `defect` for a folder that holds no
 * connector.
 */
export async function loadConnector(
  name: string,
  folders: readonly string[] = [],
): Promise<Connector> {
  const file = await connectorFile(name, folders);
  const module = await importConnector(name, file);
  const connector = isConnector(module["connector"]) ? module["connector"] : null;
  if (connector?.name === name) return connector;
  throw new ConnectorFault(
    "defect",
    connector === null
      ? `${shown(file)} exports no connector named "connector".`
      : `${shown(file)} exports a connector named "${connector.name}".`,
    `Let it export \`const connector = defineConnector({ name: "${name}", … })\`.`,
  );
}

async function importConnector(name: string, file: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    throw new ConnectorFault(
      "defect",
      `The connector "${name}" cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      `Mend ${shown(file)}: importing a connector must cost nothing and need nothing.`,
      { cause: error },
    );
  }
}

/**
 * The far side of a connector for the conformance suite, as its simulator's `conformance.ts`
 * exports it; null: there is none, as where simulators are not installed.
 */
export async function loadRig(name: string, folders: readonly string[] = []): Promise<Rig | null> {
  const file = join(await connectorFolder(name, folders), "simulator", "conformance.ts");
  if (!existsSync(file)) return null;
  try {
    const module = (await import(pathToFileURL(file).href)) as { readonly rig?: Rig };
    if (typeof module.rig?.start === "function") return module.rig;
  } catch (error) {
    throw new ConnectorFault(
      "defect",
      `${shown(file)} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      "Mend it, or take it away: then only what needs no far side is checked.",
      { cause: error },
    );
  }
  throw new ConnectorFault(
    "defect",
    `${shown(file)} exports no \`rig\` with a \`start\` function.`,
    "connectors/README.md shows what a rig is.",
  );
}

/** Where a connector's own code lies, for the checks that read it. */
export async function connectorFile(
  name: string,
  folders: readonly string[] = [],
): Promise<string> {
  return join(await connectorFolder(name, folders), "index.ts");
}

/** Only a name from the list becomes a path. */
async function connectorFolder(name: string, folders: readonly string[]): Promise<string> {
  const known = await foldersByName(folders);
  const folder = known.get(name);
  if (folder === undefined) throw unknownConnector(name, [...known.keys()].sort());
  return folder;
}

async function foldersByName(folders: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of new Set([SHIPPED, ...folders])) {
    for (const name of await namesIn(folder)) {
      const other = found.get(name);
      if (other !== undefined) throw twiceNamed(name, other, join(folder, name));
      found.set(name, join(folder, name));
    }
    if (folder !== SHIPPED) lendPackages(folder);
  }
  return found;
}

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new ConnectorFault(
      "config",
      `The folder of connectors ${folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      "Set connectorFolders to folders that hold one folder a connector.",
      { cause: error },
    );
  });
  return entries
    .filter((entry) => existsSync(join(folder, entry.name, "index.ts")))
    .map((entry) => entry.name);
}

function twiceNamed(name: string, one: string, other: string): ConnectorFault {
  return new ConnectorFault(
    "config",
    `Two connectors are named "${name}": ${shown(one)} and ${shown(other)}.`,
    "A connector of one's own never stands in for another: rename its folder, and `name` in its index.ts.",
  );
}

/** A shipped one by its place in the checkout. */
function shown(path: string): string {
  return path.startsWith(SHIPPED) ? `connectors${path.slice(SHIPPED.length)}` : path;
}

function unknownConnector(name: string, known: readonly string[]): ConnectorFault {
  const nearest = known.length === 0 ? "" : ` Did you mean "${closest(name, [...known])}"?`;
  return new ConnectorFault(
    "config",
    `There is no connector "${name}".${nearest}`,
    `Name one of: ${known.join(", ")}. One of your own is found when connectorFolders in the settings names the folder that its folder lies in.`,
  );
}

function isConnector(value: unknown): value is Connector {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "settings" in value &&
    "streams" in value &&
    typeof value.streams === "function" &&
    "open" in value &&
    typeof value.open === "function"
  );
}
