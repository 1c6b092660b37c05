/** The API on a port of this machine. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { randomUUID } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { problemResponse } from "./answering.ts";
import type { DirectLane } from "./direct.ts";
import { LIMITS } from "./limits.ts";
import { PROBLEMS, Problem, problemBody } from "./problem.ts";
import type { ProblemCode } from "./problem.ts";

export interface Listening {
  /** "http://127.0.0.1:4600" */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets the running ones end, and cuts what is left after a grace. */
  close(): Promise<void>;
}

export async function listen(
  app: {
    fetch(request: Request): Response | Promise<Response>;
    /** Answers what it can by itself; false: it left the request as it was. */
    readonly direct?: DirectLane;
  },
  { host = "127.0.0.1", port }: { readonly host?: string; readonly port: number },
): Promise<Listening> {
  const listener = getRequestListener((request) => app.fetch(request), {
    hostname: host,
    errorHandler: unreadable,
  });
  const server = createServer((incoming, outgoing) => {
    if (app.direct?.(incoming, outgoing) !== true) void listener(incoming, outgoing);
  });
  server.requestTimeout = LIMITS.requestTimeoutMs;
  server.headersTimeout = LIMITS.headersTimeoutMs;
  server.keepAliveTimeout = LIMITS.keepAliveTimeoutMs;
  server.on("clientError", refuseUnparsed);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(cannotListen(host, port, cause)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${bound}`, port: bound, close: () => close(server) };
}

/** Its target or Host header is not one; the application never saw it. */
function unreadable(error: unknown): Response {
  const reason = error instanceof Error ? error.message : String(error);
  const detail = `Reading the request: ${reason}. Send an address and a Host header that are whole.`;
  return problemResponse(new Problem("request-malformed", detail), randomUUID());
}

/** What Node's parser could not read gets a problem too, on the bare socket. */
function refuseUnparsed(error: Error & { code?: string }, socket: Socket): void {
  // After an answer the rest of a connection is of no use: another answer would belong to no
  // request.
  if (!socket.writable || socket.bytesWritten > 0 || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [code, detail] = unparsed(error);
  const body = JSON.stringify(problemBody(new Problem(code, detail), randomUUID()));
  const { status, title } = PROBLEMS[code];
  socket.end(
    [
      `HTTP/1.1 ${status} ${title}`,
      "content-type: application/problem+json",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
      "",
      body,
    ].join("\r\n"),
  );
}

function unparsed(error: Error & { code?: string }): [ProblemCode, string] {
  const known = UNPARSED[error.code ?? ""];
  return (
    known ?? [
      "request-malformed",
      `Reading the request: it is not HTTP/1.1 (${error.message}). Use an HTTP client.`,
    ]
  );
}

const UNPARSED: Readonly<Record<string, [ProblemCode, string]>> = {
  HPE_HEADER_OVERFLOW: [
    "headers-too-large",
    "Reading the request: its headers are over 16 KiB. Send fewer.",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    "request-slow",
    `Reading the request: it was not whole within ${LIMITS.requestTimeoutMs / 1000} s. Send it again.`,
  ],
};

function cannotListen(host: string, port: number, cause: Error): Error {
  return new Error(
    `Listening on ${host}:${port}: ${cause.message}. Choose another port under http in the ` +
      "settings, or stop what listens there.",
    { cause },
  );
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // A connection whose request has just ended stays open for another one that must not come.
  const tidy = setInterval(() => server.closeIdleConnections(), 20);
  const cut = setTimeout(() => server.closeAllConnections(), LIMITS.closeGraceMs);
  await closed;
  clearInterval(tidy);
  clearTimeout(cut);
}
