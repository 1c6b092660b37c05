/**
 * One request, once: limits both ways, time-outs, and whether it may have left. axios stands here
 * and nowhere else; what it throws is never passed on, since it carries headers and bodies.
 */
import http from "node:http";
import https from "node:https";
import axios from "axios";
import type { AxiosResponse } from "axios";

export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | null;
  /** A fresh connection, so that none that the far side just closed leaves it in doubt. */
  readonly fresh: boolean;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxBodyBytes: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it came, still packed. */
  readonly bytes: Buffer;
}

/** Nothing usable came back. `left`: the request may have reached the far side. */
export class WireFault extends Error {
  override readonly name = "WireFault";
  /** `TIMEOUT`, `CONNECT_TIMEOUT`, `TOO_BIG`, `CUT`, or the code of the system's error. */
  readonly code: string;
  readonly left: boolean;

  constructor(code: string, left: boolean) {
    super(code);
    this.code = code;
    this.left = left;
  }
}

export interface Wire {
  send(request: WireRequest): Promise<WireAnswer>;
}

export interface WireOptions {
  readonly concurrency: number;
  /** PEM of the authority that signed the far side's certificate; absent: the public ones. */
  readonly authority?: string | undefined;
  /** Requests under way end with it, and the connections are closed. */
  readonly signal: AbortSignal;
}

/** Connections are kept and used again; all are closed with the signal. */
export function openWire({ concurrency, authority, signal }: WireOptions): Wire {
  const kept = { keepAlive: true, maxSockets: concurrency, maxFreeSockets: concurrency };
  const tls = authority === undefined ? {} : { ca: authority };
  const agents = {
    kept: { "http:": new http.Agent(kept), "https:": new https.Agent({ ...kept, ...tls }) },
    fresh: { "http:": new http.Agent(), "https:": new https.Agent(tls) },
  };
  const all = [...Object.values(agents.kept), ...Object.values(agents.fresh)];
  signal.addEventListener("abort", () => all.forEach((agent) => agent.destroy()), { once: true });
  const client = axios.create({
    adapter: "http",
    responseType: "arraybuffer",
    // Followed by the client, within its origin.
    maxRedirects: 0,
    // Unpacked strictly by the client: here a cut gzip body would pass for a whole one.
    decompress: false,
    // The environment's proxies would get what is sent, unasked.
    proxy: false,
    validateStatus: () => true,
    transformRequest: [],
    transformResponse: [],
  });
  return {
    send: async (request) => {
      signal.throwIfAborted();
      const secure = request.url.protocol === "https:";
      const agent = agents[request.fresh ? "fresh" : "kept"][secure ? "https:" : "http:"];
      const watch = watchOf(request, secure, signal);
      try {
        const answer = await client.request<Buffer>({
          method: request.method,
          url: request.url.href,
          headers: request.headers,
          data: request.body ?? undefined,
          maxContentLength: request.maxBodyBytes,
          maxBodyLength: Infinity,
          signal: watch.signal,
          transport: watch.transport,
          ...(secure ? { httpsAgent: agent } : { httpAgent: agent }),
        });
        return { status: answer.status, headers: headersOf(answer), bytes: answer.data };
      } catch (error) {
        signal.throwIfAborted();
        const code = watch.code() ?? codeOf(error);
        throw new WireFault(code, !NEVER_LEFT.test(code) && !isConnecting(error));
      } finally {
        watch.end();
      }
    },
  };
}

/** There was no connection over which anything could have been sent; in all else there is doubt. */
const NEVER_LEFT =
  /^(?:CONNECT_TIMEOUT|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|CERT_.*|ERR_TLS_.*|.*SELF_SIGNED_CERT.*|UNABLE_TO_.*)$/;

interface Watch {
  readonly signal: AbortSignal;
  readonly transport: { request: typeof http.request };
  /** Why it was ended here; null: it was not. */
  code(): string | null;
  end(): void;
}

/** Two clocks: until the connection stands, and until the last byte of the body. */
function watchOf(
  { timeoutMs, connectTimeoutMs }: WireRequest,
  secure: boolean,
  stop: AbortSignal,
): Watch {
  const ended = new AbortController();
  let code: string | null = null;
  const end = (why: string) => {
    code ??= why;
    ended.abort();
  };
  const whole = setTimeout(end, timeoutMs, "TIMEOUT");
  let connecting: NodeJS.Timeout | undefined;
  const stopped = () => {
    end("STOPPED");
  };
  stop.addEventListener("abort", stopped, { once: true });
  const onRequest = (request: http.ClientRequest) => {
    request.once("socket", (socket) => {
      if (!socket.connecting) return;
      connecting = setTimeout(end, connectTimeoutMs, "CONNECT_TIMEOUT");
      socket.once(secure ? "secureConnect" : "connect", () => {
        clearTimeout(connecting);
      });
    });
    return request;
  };
  const transport = secure ? https : http;
  return {
    signal: ended.signal,
    transport: {
      request: ((...given: Parameters<typeof http.request>) =>
        onRequest(transport.request(...given))) as typeof http.request,
    },
    code: () => code,
    end: () => {
      clearTimeout(whole);
      clearTimeout(connecting);
      stop.removeEventListener("abort", stopped);
    },
  };
}

function headersOf({ headers }: AxiosResponse): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

/** The system's words for a connection that never stood: `connect ETIMEDOUT 10.0.0.7:443`. */
function isConnecting(error: unknown): boolean {
  return error instanceof Error && /^(?:connect|getaddrinfo) /.test(error.message);
}

function codeOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith("maxContentLength")) return "TOO_BIG";
  if (message === "aborted" || message.includes("stream has been aborted")) return "CUT";
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && code !== "" ? code : "UNKNOWN";
}
