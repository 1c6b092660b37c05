/**
 * The direct lane: requests that come so often that the router, and the request and response
 * objects of the web, would cost more than their answer. What is plain is answered here from Node's
 * own request; everything else is left untouched to the application, and both give the same answers
 * and the same problems.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { admit, problemOf } from "./admission.ts";
import { accepted, headersOf, JSON_ONLY, requestIdOf, Written } from "./answering.ts";
import type { Caller, Endpoint, Reply } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import type { HttpServices } from "./modules.ts";
import { PROBLEMS, problemBody } from "./problem.ts";
import { jsonOf } from "./reading.ts";

/** False: the request is not one of these, and nothing of it was read. */
export type DirectLane = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export function directLane(endpoints: readonly Endpoint[], services: HttpServices): DirectLane {
  const known = new Map(
    endpoints
      .filter((one) => one.direct === true && one.body !== undefined)
      .map((one) => [`${one.method.toUpperCase()} ${one.address}`, one]),
  );
  return (incoming, outgoing) => {
    const endpoint = known.get(`${incoming.method ?? ""} ${incoming.url ?? ""}`);
    if (endpoint === undefined || !isPlain(incoming, endpoint)) return false;
    void answer(incoming, outgoing, endpoint, services);
    return true;
  };
}

/** JSON of a stated length that fits, and no special wishes. */
function isPlain({ headers }: IncomingMessage, { body }: Endpoint): boolean {
  const length = headers["content-length"];
  const { accept } = headers;
  return (
    JSON_TYPE.test(headers["content-type"] ?? "") &&
    (accept === undefined || accept === "*/*" || accepted(accept, JSON_ONLY) !== undefined) &&
    length !== undefined &&
    Number(length) <= (body?.limitBytes ?? 0) &&
    headers.host !== undefined
  );
}

const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i;

async function answer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  endpoint: Endpoint,
  services: HttpServices,
): Promise<void> {
  const given = incoming.headers["x-request-id"];
  const requestId = requestIdOf(typeof given === "string" ? given : undefined);
  try {
    const chunks = await chunksOf(incoming);
    // Whoever went away gets no answer.
    if (chunks === null) return;
    const caller = await admit(incoming.headers.authorization, services, endpoint.scope);
    const reply =
      (lengthOf(chunks) < LIMITS.bulkBytes ? null : await bulkReply(chunks, caller, services)) ??
      (await plainReply(chunks, caller, endpoint, incoming));
    send(outgoing, reply, requestId);
  } catch (error) {
    const about = `${endpoint.method.toUpperCase()} ${endpoint.address}`;
    const problem = problemOf(error, about, services, requestId);
    const { status } = PROBLEMS[problem.code];
    const headers = { ...problem.headers, "content-type": "application/problem+json" };
    send(outgoing, { status, body: problemBody(problem, requestId), headers }, requestId);
  }
}

function lengthOf(chunks: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of chunks) bytes += length;
  return bytes;
}

/** Null: no thread can answer it. */
async function bulkReply(
  chunks: readonly Buffer[],
  { services: { pricing } }: Caller,
  { bulk }: HttpServices,
): Promise<Reply<unknown> | null> {
  if (bulk === undefined) return null;
  const body = new Uint8Array(new SharedArrayBuffer(lengthOf(chunks)));
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return bulk.ask(pricing, body);
}

function plainReply(
  chunks: readonly Buffer[],
  caller: Caller,
  endpoint: Endpoint,
  { headers }: IncomingMessage,
): Promise<Reply<unknown>> {
  const [only] = chunks;
  const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  return endpoint.take(jsonOf(whole.toString("utf8")), caller, (name) => {
    const value = headers[name.toLowerCase()];
    return typeof value === "string" ? value : undefined;
  });
}

/** The whole body; null when the connection ended before it. */
function chunksOf(incoming: IncomingMessage): Promise<readonly Buffer[] | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => resolve(chunks));
    incoming.on("error", () => resolve(null));
  });
}

function send(
  outgoing: ServerResponse,
  { status = 200, body, headers }: Reply<unknown>,
  requestId: string,
): void {
  const content = body instanceof Written ? body.content : JSON.stringify(body);
  // One byte a character is written several times faster, and nearly every answer is such.
  const encoding = typeof content === "string" && !/[^\0-\x7f]/.test(content) ? "latin1" : "utf8";
  outgoing.writeHead(status, {
    ...headersOf("application/json", requestId, headers),
    "content-length": encoding === "latin1" ? content.length : Buffer.byteLength(content),
  });
  outgoing.end(content, encoding);
}
