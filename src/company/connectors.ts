/** A connection's settings, judged by its connector before anything is opened. */
import type { CompletedSetting, Settings } from "../config.ts";
import { listConnectors, loadConnector } from "../connector/index.ts";
import { checkValue, nearest } from "../definition/index.ts";
import type { NamedConnection } from "./check.ts";

/** The settings with the connector's defaults; DefinitionError with all that is wrong, by line. */
export async function checkConnector(
  settings: Settings,
  { company, name, entry }: NamedConnection,
): Promise<CompletedSetting> {
  const at = ["companies", company, "connections", name];
  const known = await listConnectors();
  if (!known.includes(entry.connector))
    throw settings.wrong({
      path: [...at, "connector"],
      found: `the connector "${entry.connector}"`,
      expected: `one of ${known.join(", ")}`,
      nearest: nearest(entry.connector, known),
    });
  const connector = await loadConnector(entry.connector);
  const checked = checkValue(entry.settings, connector.settings);
  if (checked.fine) return { path: [...at, "settings"], value: checked.value };
  throw settings.wrong(
    ...checked.problems.map((problem) => ({
      ...problem,
      path: [...at, "settings", ...problem.path],
    })),
  );
}
