/**
 * What goes back. Responses are built once from text and plain headers: wrapping them afterwards
 * costs more than the work of a small route.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import { LIMITS } from "./limits.ts";
import { PROBLEMS, Problem, problemBody } from "./problem.ts";

/** An answer is data: never shown as a page, never kept by a cache, never framed. */
const SECURITY = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

export function json(
  body: unknown,
  options: {
    readonly status: number;
    readonly requestId: string;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  },
): Response {
  return new Response(JSON.stringify(body), {
    status: options.status,
    headers: {
      "content-type": "application/json",
      "x-request-id": options.requestId,
      ...SECURITY,
      ...options.headers,
    },
  });
}

export function problemResponse(problem: Problem, requestId: string): Response {
  const { status } = PROBLEMS[problem.code];
  const headers = { ...problem.headers, "content-type": "application/problem+json" };
  return json(problemBody(problem, requestId), { status, requestId, headers });
}

const REQUEST_ID = new RegExp(`^[\\w.-]{1,${LIMITS.requestIdCharacters}}$`);

/** The caller's own id where it is harmless in a log, so that both sides speak of one request. */
export function requestIdOf(c: Context): string {
  const given = c.req.header("x-request-id");
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Every answer is JSON; a caller that cannot take it is told so before any work is done. */
export function checkAccept(c: Context): void {
  const accept = c.req.header("accept");
  if (accept === undefined || accept === "*/*" || takesJson(accept)) return;
  throw new Problem(
    "not-acceptable",
    `Answering ${c.req.method} ${c.req.path}: the Accept header is "${accept}", and the answer is ` +
      "application/json (errors: application/problem+json). Accept that, or send no Accept header.",
  );
}

function takesJson(accept: string): boolean {
  return accept.split(",").some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && /^(?:\*\/\*|application\/(?:\*|json|problem\+json))$/.test(type);
  });
}
