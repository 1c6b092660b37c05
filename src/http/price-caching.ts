/**
 * How long an answer may be kept: privately, by customer, never past its `validUntil`, and never
 * long, since a pull may change any price at any time. Who wants to keep prices longer follows the
 * feed of changes.
 */
import { hash } from "node:crypto";
import type { Pricing } from "../pricing/index.ts";
import { Written } from "./answering.ts";
import type { HeaderParameter, Reply } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";

export const IF_NONE_MATCH: HeaderParameter = {
  name: "If-None-Match",
  required: false,
  about: "The ETag of an answer that is kept.",
};

type Headers = Readonly<Record<string, string>>;
type Clock = Pick<Pricing, "secondsUntil">;

/** For an answer of which a part holds until that moment; null: none has an end. */
export function cachedFor(pricing: Clock, until: string | null): Headers {
  if (until === null) return LONGEST;
  const seconds = Math.min(LIMITS.priceMaxAgeSeconds, pricing.secondsUntil(until));
  return seconds === LIMITS.priceMaxAgeSeconds ? LONGEST : headersOf(seconds);
}

function headersOf(seconds: number): Headers {
  return {
    "cache-control": `private, max-age=${seconds}, must-revalidate`,
    vary: "authorization, accept",
  };
}

const LONGEST = headersOf(LIMITS.priceMaxAgeSeconds);

/** The body with its ETag, or 304 when the caller has that one. */
export function conditional<Answer>(
  pricing: Clock,
  body: Answer,
  until: string | null,
  header: (name: string) => string | undefined,
): Reply<Answer> {
  const text = JSON.stringify(body);
  const etag = `"${hash("sha256", text, "base64url").slice(0, 22)}"`;
  const headers = { ...cachedFor(pricing, until), etag };
  return isHeld(header("if-none-match"), etag)
    ? { status: 304, body: new Written(""), headers }
    : { body: new Written(text), headers };
}

/** Compared weakly, as RFC 9110 wants it of GET. */
export function isHeld(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false;
  return given.split(",").some((each) => {
    const held = each.trim().replace(/^W\//, "");
    return held === etag || held === "*";
  });
}
