/** What is kept of a sign-in between sessions, as the host keeps it: text, encrypted there. */
import { z } from "zod";
import { ConnectorFault, type KeptToken, type TokenStore } from "../contract.ts";

const keptShape = z.object({
  access: z.string().nullable(),
  /** ISO 8601; null: the provider does not say. */
  expiresAt: z.string().nullable(),
  refresh: z.string().nullable(),
  /** Digest of the refresh token of the settings that this sign-in began with. */
  seed: z.string().nullable(),
  /**
   * A renewal was begun with `refresh` then, and its answer is not kept yet: after a crash the
   * provider may have put another in its place.
   */
  renewingSince: z.string().nullable(),
});

export type SignIn = z.infer<typeof keptShape>;

export interface KeptSignIn {
  readonly signIn: SignIn;
  readonly seen: KeptToken;
}

export async function readSignIn(store: TokenStore, name: string): Promise<KeptSignIn | null> {
  const seen = await store.read(name);
  if (seen === null) return null;
  const parsed = keptShape.safeParse(jsonOf(seen.value));
  if (parsed.success) return { signIn: parsed.data, seen };
  throw new ConnectorFault(
    "auth",
    `The sign-in "${name}" that is kept cannot be read.`,
    "Sign in again.",
  );
}

/** False: another has written meanwhile. */
export function writeSignIn(
  store: TokenStore,
  name: string,
  signIn: SignIn,
  seen: KeptToken | null,
): Promise<boolean> {
  return store.write(name, JSON.stringify(signIn), seen);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
