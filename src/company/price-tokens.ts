/** What a company's prices are signed with. */
import type { CompanySettings, Settings } from "../config.ts";
import type { TokenSettings } from "../pricing/index.ts";
import type { Checked } from "./check.ts";

/** As HMAC-SHA-256 wants it: no shorter than its digest. */
const LEAST_CHARACTERS = 32;

/** Keys whose secret is not set are left out: `tradepost check` says so. */
export function tokensOf(settings: Settings, { pricing }: CompanySettings): TokenSettings {
  const keys = pricing.tokens.keys.flatMap(({ id, secret: name }) => {
    const secret = settings.secret(name);
    return secret === null || secret.length < LEAST_CHARACTERS ? [] : [{ id, secret }];
  });
  return { keys, hours: pricing.tokens.hours };
}

export function checkTokens(settings: Settings, { pricing }: CompanySettings): Checked[] {
  return pricing.tokens.keys.map(({ id, secret: name }, at) => {
    const part = `pricing token key ${id}`;
    const variable = `TRADEPOST_SECRET_${name.toUpperCase()}`;
    const length = settings.secret(name)?.length ?? 0;
    const instruction = `Set ${variable} in the environment to at least ${LEAST_CHARACTERS} random characters.`;
    if (length === 0)
      return { part, state: "warning", about: `its secret ${name} is not set`, instruction };
    if (length < LEAST_CHARACTERS)
      return { part, state: "warning", about: `its secret ${name} is too short`, instruction };
    const does = at === 0 ? "signs and verifies" : "verifies";
    return { part, state: "fine", about: `${does} prices`, instruction: null };
  });
}
