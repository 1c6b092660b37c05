/** Finds connectors: each folder of `connectors/` with an `index.ts` that exports `connector`. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { closest } from "fastest-levenshtein";
import type { Rig } from "./conformance/rig.ts";
import { ConnectorFault } from "./contract.ts";
import type { Connector } from "./contract.ts";

const FOLDER = new URL("../../connectors/", import.meta.url);

/** Names of the connectors that are here, in alphabetical order. */
export async function listConnectors(): Promise<readonly string[]> {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/index.ts`, FOLDER)))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Throws a `config` fault for a name that is not here, a `defect` for a folder that holds no
 * connector.
 */
export async function loadConnector(name: string): Promise<Connector> {
  const known = await listConnectors();
  // Only a name from the list becomes a path.
  if (!known.includes(name)) throw unknownConnector(name, known);
  const module = await importConnector(name);
  const connector = isConnector(module["connector"]) ? module["connector"] : null;
  if (connector?.name === name) return connector;
  throw new ConnectorFault(
    "defect",
    connector === null
      ? `connectors/${name}/index.ts exports no connector named "connector".`
      : `connectors/${name}/index.ts exports a connector named "${connector.name}".`,
    `Let it export \`const connector = defineConnector({ name: "${name}", … })\`.`,
  );
}

async function importConnector(name: string): Promise<Record<string, unknown>> {
  try {
    return (await import(`../../connectors/${name}/index.ts`)) as Record<string, unknown>;
  } catch (error) {
    throw new ConnectorFault(
      "defect",
      `The connector "${name}" cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      `Mend connectors/${name}/index.ts: importing a connector must cost nothing and need nothing.`,
      { cause: error },
    );
  }
}

/**
 * The far side of a connector for the conformance suite, as its simulator's `conformance.ts`
 * exports it; null: there is none, as where simulators are not installed.
 */
export async function loadRig(name: string): Promise<Rig | null> {
  const known = await listConnectors();
  if (!known.includes(name)) throw unknownConnector(name, known);
  if (!existsSync(new URL(`${name}/simulator/conformance.ts`, FOLDER))) return null;
  const path = `connectors/${name}/simulator/conformance.ts`;
  try {
    const module = (await import(`../../connectors/${name}/simulator/conformance.ts`)) as {
      readonly rig?: Rig;
    };
    if (typeof module.rig?.start === "function") return module.rig;
  } catch (error) {
    throw new ConnectorFault(
      "defect",
      `${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
      "Mend it, or take it away: then only what needs no far side is checked.",
      { cause: error },
    );
  }
  throw new ConnectorFault(
    "defect",
    `${path} exports no \`rig\` with a \`start\` function.`,
    "connectors/README.md shows what a rig is.",
  );
}

/** Where a connector's own code lies, for the checks that read it. */
export function connectorFile(name: string): string {
  return fileURLToPath(new URL(`${name}/index.ts`, FOLDER));
}

function unknownConnector(name: string, known: readonly string[]): ConnectorFault {
  const nearest = known.length === 0 ? "" : ` Did you mean "${closest(name, [...known])}"?`;
  return new ConnectorFault(
    "config",
    `There is no connector "${name}".${nearest}`,
    `Name one of: ${known.join(", ")}.`,
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
