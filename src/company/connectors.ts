/** A connection's settings, judged by its connector before anything is opened. */
import type { CompletedSetting, Settings } from "../config.ts";
import { ConnectorFault, listConnectors, loadConnector } from "../connector/index.ts";
import { checkValue, nearest } from "../definition/index.ts";
import type { NamedConnection } from "./check.ts";

/** The settings with the connector's defaults; DefinitionError with all that is wrong, by line. */
export async function checkConnector(
  settings: Settings,
  { company, name, entry }: NamedConnection,
): Promise<CompletedSetting> {
  const at = ["companies", company, "connections", name];
  const folders = settings.connectorFolders;
  const known = await listConnectors(folders).catch((error: unknown) => {
    throw error instanceof ConnectorFault ? wrongFolders(settings, error) : error;
  });
  if (!known.includes(entry.connector))
    throw settings.wrong({
      path: [...at, "connector"],
      found: `the connector "${entry.connector}"`,
      expected: `one of ${known.join(", ")}`,
      nearest: nearest(entry.connector, known),
    });
  const connector = await loadConnector(entry.connector, folders);
  const checked = checkValue(entry.settings, connector.settings);
  if (checked.fine) return { path: [...at, "settings"], value: checked.value };
  throw settings.wrong(
    ...checked.problems.map((problem) => ({
      ...problem,
      path: [...at, "settings", ...problem.path],
    })),
  );
}

function wrongFolders(settings: Settings, { message, instruction }: ConnectorFault): Error {
  return settings.wrong({
    path: ["connectorFolders"],
    found: message.replace(/\.$/, ""),
    expected: `folders of connectors, each of a name of its own. ${instruction}`,
  });
}
