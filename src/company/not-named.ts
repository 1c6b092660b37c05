/** What was named, and is not in the settings. */
import type { CompanySettings, ConnectionSettings } from "../config.ts";
import { nearest } from "../definition/index.ts";

/** A company, connection or file that was named and that is not there. */
export class NotInSettings extends Error {
  override readonly name = "NotInSettings";
  readonly kind = "config";
}

export function notNamed(what: string, name: string, known: readonly string[]): NotInSettings {
  const close = nearest(name, known);
  return new NotInSettings(
    `The ${what} "${name}"; they name ${known.join(", ")}.` +
      (close === undefined ? "" : ` Did you mean ${close}?`),
  );
}

/** A connection of the company as its settings have it; throws when they name no such one. */
export function connectionNamed(
  company: string,
  { connections }: CompanySettings,
  name: string,
): ConnectionSettings {
  const entry = connections[name];
  if (entry !== undefined) return entry;
  throw notNamed(`settings of ${company} name no connection`, name, Object.keys(connections));
}
