/**
 * A client that costs less than what it measures: requests made beforehand, written to kept-alive
 * sockets, answers read only as far as their status and length.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Answered {
  /** Answers a second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadOptions {
  readonly port: number;
  /** Whole requests, taken in turn, or one made for each time. */
  readonly requests: readonly Buffer[] | (() => Buffer);
  readonly connections: number;
  /** A signal: until it is aborted. */
  readonly seconds: number | AbortSignal;
  /** Between an answer and the next request of the connection; 0. */
  readonly pauseMs?: number;
}

export async function load(options: LoadOptions): Promise<Answered> {
  const waits: number[] = [];
  const since = performance.now();
  const { seconds } = options;
  const goesOn =
    typeof seconds === "number"
      ? () => performance.now() < since + seconds * 1000
      : () => !seconds.aborted;
  await Promise.all(
    Array.from({ length: options.connections }, (_, at) => converse(options, at, goesOn, waits)),
  );
  const elapsed = (performance.now() - since) / 1000;
  waits.sort((left, right) => left - right);
  const quantile = (share: number) => waits[Math.floor((waits.length - 1) * share)] ?? NaN;
  return { rate: waits.length / elapsed, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** One connection: ask, read the whole answer, ask again. */
async function converse(
  { port, requests, connections, pauseMs = 0 }: LoadOptions,
  first: number,
  goesOn: () => boolean,
  waits: number[],
): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  try {
    const next = answersOn(socket);
    for (let at = first; goesOn(); at += connections) {
      const request =
        typeof requests === "function" ? requests() : (requests[at % requests.length] ?? NOTHING);
      const asked = performance.now();
      socket.write(request);
      await next();
      waits.push(performance.now() - asked);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  } finally {
    socket.destroy();
  }
}

/** The body of one answer, for a look at what is measured. */
export async function askOnce(port: number, request: Buffer): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  try {
    const next = answersOn(socket);
    socket.write(request);
    return (await next()).toString("utf8");
  } finally {
    socket.destroy();
  }
}

const NOTHING = Buffer.alloc(0);
const HEAD_END = Buffer.from("\r\n\r\n");

/** Resolves with the next answer's body; all but a 200 or 201 of a stated length is an error. */
function answersOn(socket: Socket): () => Promise<Buffer> {
  let parts: Buffer[] = [];
  let missing = -1;
  let settle: { resolve(body: Buffer): void; reject(error: Error): void } | null = null;
  const fail = (error: Error) => settle?.reject(error);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed the connection")));
  socket.on("data", (chunk: Buffer) => {
    let part = chunk;
    if (missing < 0) {
      const head = parts.length === 0 ? chunk : Buffer.concat([...parts, chunk]);
      const end = head.indexOf(HEAD_END);
      if (end < 0) {
        parts = [head];
        return;
      }
      const text = head.toString("latin1", 0, end);
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (!/^HTTP\/1\.1 20[01]/.test(text) || length === undefined) {
        fail(new Error(`an answer was not a 200 of a stated length: ${head.toString("utf8")}`));
        return;
      }
      missing = Number(length);
      parts = [];
      part = head.subarray(end + HEAD_END.length);
    }
    parts.push(part);
    missing -= part.length;
    if (missing > 0) return;
    const body = parts.length === 1 ? part : Buffer.concat(parts);
    parts = [];
    missing = -1;
    settle?.resolve(body);
  });
  return () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
}

export function postOf(address: string, body: string, headers: readonly string[] = []): Buffer {
  return Buffer.from(
    [
      `POST ${address} HTTP/1.1`,
      "host: 127.0.0.1",
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      ...headers,
      "",
      body,
    ].join("\r\n"),
  );
}
