/** Takes known secrets out of a text before anybody reads it. */

/** What stands where a secret was. */
export const HIDDEN = "‹secret›";

/** Shorter ones would tear every text to pieces, and are no secrets. */
const LEAST_LENGTH = 4;

export interface Hider {
  /** Hides this value from now on, in each form in which it may stand in a text. */
  readonly add: (secret: string) => void;
  readonly hide: (text: string) => string;
}

/** Forgets nothing: a token that was replaced may still stand in a text. */
export function createHider(secrets: Iterable<string> = []): Hider {
  // The longest first, or a part of one would be left of it.
  let known: readonly string[] = [];
  const add = (secret: string): void => {
    const forms = formsOf(secret).filter((form) => !known.includes(form));
    if (forms.length > 0) known = [...known, ...forms].sort((a, b) => b.length - a.length);
  };
  for (const secret of secrets) add(secret);
  return {
    add,
    hide: (text) => known.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text),
  };
}

/** As it is, and as it stands in an address, in JSON and in a Basic header. */
function formsOf(secret: string): string[] {
  if (secret.length < LEAST_LENGTH) return [];
  const forms = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
  ];
  return [...new Set(forms)].filter((form) => form.length >= LEAST_LENGTH);
}
