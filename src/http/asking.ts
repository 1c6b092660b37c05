/** Who asks for something that is kept: the person who decides, why, and the key of a request. */
import type { KeyHolder } from "../access/index.ts";
import { z } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";

export const who = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .describe("The person who decides; kept with it.");
export const why = z.string().trim().min(1).max(1_000).describe("Why; kept with it.");

/** A person that a program names, and the program's key. */
export function whoOf({ keyId }: Pick<KeyHolder, "keyId">, person: string | undefined): string {
  return person === undefined ? `key ${keyId}` : `${person} (key ${keyId})`;
}

/** What is new for each: "request", "change". */
export function keyHeader(what: string) {
  const about = `Up to ${LIMITS.idempotencyKeyCharacters} visible characters, new for every ${what}.`;
  return { name: "Idempotency-Key", required: true, about };
}
