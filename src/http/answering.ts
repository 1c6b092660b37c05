/**
 * What goes back. Responses are built once from text and plain headers: wrapping them afterwards
 * costs more than the work of a small route.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "hono";
import type { Reply } from "./endpoint.ts";
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
    headers: headersOf("application/json", options.requestId, options.headers),
  });
}

export function problemResponse(problem: Problem, requestId: string): Response {
  const { status } = PROBLEMS[problem.code];
  const headers = { ...problem.headers, "content-type": "application/problem+json" };
  return json(problemBody(problem, requestId), { status, requestId, headers });
}

/** A body that is written already, by a route for which that is the work. */
export class Written {
  readonly content: string | Uint8Array<ArrayBuffer>;
  readonly type: string;

  constructor(content: string | Uint8Array<ArrayBuffer>, type = "application/json") {
    this.content = content;
    this.type = type;
  }
}

/** A body that is written as it is read. */
export class Streamed {
  readonly chunks: ReadableStream<Uint8Array>;
  readonly type: string;

  constructor(chunks: ReadableStream<Uint8Array>, type: string) {
    this.chunks = chunks;
    this.type = type;
  }
}

/** What an endpoint replied, as a response. */
export function replied(
  { status = 200, body, headers }: Reply<unknown>,
  requestId: string,
): Response {
  const ready = body instanceof Written || body instanceof Streamed;
  if (!ready) return json(body, { status, requestId, headers });
  const content = body instanceof Written ? body.content : body.chunks;
  return new Response(status === 304 ? null : content, {
    status,
    headers: headersOf(body.type, requestId, headers),
  });
}

export function headersOf(
  type: string,
  requestId: string,
  more: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return { "content-type": type, "x-request-id": requestId, ...SECURITY, ...more };
}

const REQUEST_ID = new RegExp(`^[\\w.-]{1,${LIMITS.requestIdCharacters}}$`);

/** The caller's own id where it is harmless in a log, so that both sides speak of one request. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

export const JSON_ONLY: readonly string[] = ["application/json"];

/** A caller that cannot take the answer is told so before any work is done. */
export function checkAccept(c: Context, types: readonly string[] = JSON_ONLY): void {
  const accept = c.req.header("accept");
  if (accept === undefined || accept === "*/*") return;
  if (accepted(accept, types) !== undefined) return;
  throw new Problem(
    "not-acceptable",
    `Answering ${c.req.method} ${c.req.path}: the Accept header is "${accept}", and the answer is ` +
      `${types.join(" or ")} (errors: application/problem+json). Accept that, or send no Accept header.`,
  );
}

/** The first type that the header takes, the caller's preferences (q) honoured. */
export function accepted(accept: string, types: readonly string[]): string | undefined {
  const ranges = accept.split(",").map(rangeOf);
  const weighed = types.map((type) => ({ type, weight: weightOf(type, ranges) }));
  const best = weighed.reduce((a, b) => (b.weight > a.weight ? b : a));
  return best.weight > 0 ? best.type : undefined;
}

interface Range {
  readonly type: string;
  readonly weight: number;
}

function rangeOf(range: string): Range {
  const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
  const weight = parameters.map((each) => /^q=([01](?:\.\d*)?)$/.exec(each)?.[1]).find(Boolean);
  return { type, weight: weight === undefined ? 1 : Number(weight) };
}

/** A caller that names problem+json alone takes JSON too: it is what our errors are. */
function weightOf(type: string, ranges: readonly Range[]): number {
  const [family] = type.split("/");
  const names = [type, `${family}/*`, "*/*"];
  if (type === "application/json") names.splice(1, 0, "application/problem+json");
  for (const name of names) {
    const found = ranges.find((range) => range.type === name);
    if (found !== undefined) return found.weight;
  }
  return 0;
}
