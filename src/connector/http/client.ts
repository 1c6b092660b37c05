/** The client of a connection: credentials, rate, limits, redirects, retries, faults in words. */
import type { ZodType } from "zod";
import type { Host } from "../contract.ts";
import { createHider, type Hider } from "../hide.ts";
import { readAnswer, wireFault, type HttpAnswer, type Question, type Reader } from "./answer.ts";
import { ACCEPTED_ENCODINGS, jsonOf, textOf } from "./body.ts";
import { HttpFault } from "./fault.ts";
import {
  addressOf,
  baseOf,
  bodyOf,
  credentials,
  hideHeaders,
  type AccessTokens,
  type HttpAuth,
  type Query,
  type SentBody,
} from "./request.ts";
import { retryAfter, withRetries, type RetryRules } from "./retry.ts";
import { openWire, WireFault, type Wire, type WireAnswer } from "./send.ts";

export interface HttpOptions {
  /** `https://erp.example.com/api/v1`; every request stays within its origin. */
  readonly baseUrl: string;
  /** Sent with each request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly auth?: HttpAuth;
  /** Requests a second of the connection, shared by all instances. */
  readonly perSecond: number;
  /** Requests at a time; 4. */
  readonly concurrency?: number;
  /** From the request's start to the answer's last byte; 60 s. */
  readonly timeoutMs?: number;
  /** Until the connection stands; 10 s. */
  readonly connectTimeoutMs?: number;
  /** Of an answer, packed and unpacked; 32 MB. */
  readonly maxBodyBytes?: number;
  /** Of what is sent; 8 MB. */
  readonly maxSentBytes?: number;
  /** Tries after the first; 4. */
  readonly retries?: number;
  /** The first wait between two tries; each further one is twice as long; 500 ms. */
  readonly firstWaitMs?: number;
  /** A longer `Retry-After` is not waited for: it ends the read as `throttled`; 60 s. */
  readonly longestWaitMs?: number;
  /** PEM of the authority that signed the far side's certificate, where no public one did. */
  readonly authority?: string;
}

export interface RequestOptions {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /**
   * Carried out twice, it does no harm. Default: of GET, PUT and DELETE; a POST or PATCH that may
   * have arrived is never sent again.
   */
  readonly idempotent?: boolean;
  /** Values of what is sent that no message may show. */
  readonly secrets?: readonly string[];
}

export interface JsonOptions<Body> extends RequestOptions {
  /** What the answer must be; anything else is a `defect` fault that names the difference. */
  readonly shape?: ZodType<Body>;
}

export interface HttpClient {
  get<Body = unknown>(path: string, options?: JsonOptions<Body>): Promise<HttpAnswer<Body>>;
  getText(path: string, options?: RequestOptions): Promise<HttpAnswer<string>>;
  getBytes(path: string, options?: RequestOptions): Promise<HttpAnswer<Buffer>>;
  post<Body = unknown>(
    path: string,
    body: SentBody | null,
    options?: JsonOptions<Body>,
  ): Promise<HttpAnswer<Body>>;
  put<Body = unknown>(
    path: string,
    body: SentBody | null,
    options?: JsonOptions<Body>,
  ): Promise<HttpAnswer<Body>>;
  patch<Body = unknown>(
    path: string,
    body: SentBody | null,
    options?: JsonOptions<Body>,
  ): Promise<HttpAnswer<Body>>;
  delete<Body = unknown>(path: string, options?: JsonOptions<Body>): Promise<HttpAnswer<Body>>;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface Client {
  readonly host: Host;
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly auth: HttpAuth | null;
  readonly perSecond: number;
  readonly limits: {
    readonly timeoutMs: number;
    readonly connectTimeoutMs: number;
    readonly maxBodyBytes: number;
    readonly maxSentBytes: number;
  };
  readonly rules: RetryRules;
  readonly hider: Hider;
  readonly wire: Wire;
  readonly gate: <T>(work: () => Promise<T>) => Promise<T>;
  /** Nothing is sent before: the far side asked all to wait. */
  pausedUntil: Temporal.Instant | null;
}

/** A client of the far side; its connections close when the session ends. */
export function openHttp(options: HttpOptions, host: Host): HttpClient {
  const { maxBodyBytes = 33_554_432, concurrency = 4, headers = {} } = options;
  const hider = createHider();
  hideHeaders(headers, hider);
  const client: Client = {
    host,
    base: baseOf(options.baseUrl),
    headers,
    auth: options.auth ?? null,
    perSecond: options.perSecond,
    limits: {
      timeoutMs: options.timeoutMs ?? 60_000,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      maxBodyBytes,
      maxSentBytes: options.maxSentBytes ?? 8_388_608,
    },
    rules: {
      retries: options.retries ?? 4,
      firstWaitMs: options.firstWaitMs ?? 500,
      longestWaitMs: options.longestWaitMs ?? 60_000,
    },
    hider,
    wire: openWire({ concurrency, authority: options.authority, signal: host.signal }),
    gate: gateOf(concurrency),
    pausedUntil: null,
  };
  const json =
    (method: Method) =>
    <Body>(path: string, body: SentBody | null, asked: JsonOptions<Body> = {}) =>
      ask(client, { method, path, body, asked, read: jsonReader(asked.shape) });
  const [get, remove] = [json("GET"), json("DELETE")];
  const plain = <Body>(path: string, asked: RequestOptions, read: Reader<Body>) =>
    ask(client, { method: "GET", path, body: null, asked, read });
  return {
    get: (path, asked) => get(path, null, asked),
    getText: (path, asked = {}) => plain(path, asked, textOf),
    getBytes: (path, asked = {}) => plain(path, asked, (bytes) => bytes),
    post: json("POST"),
    put: json("PUT"),
    patch: json("PATCH"),
    delete: (path, asked) => remove(path, null, asked),
  };
}

function jsonReader<Body>(shape: ZodType<Body> | undefined): Reader<Body> {
  return (bytes, type, status) => {
    const empty = bytes.length === 0 && (status === 204 || status === 201 || status === 202);
    const value = empty ? null : jsonOf(bytes, type);
    return shape === undefined ? (value as Body) : shape.parse(value);
  };
}

interface Asked<Body> {
  readonly method: Method;
  readonly path: string;
  readonly body: SentBody | null;
  readonly asked: RequestOptions;
  readonly read: Reader<Body>;
}

/** A request on its way: what is the same in each try, and how it is named in messages. */
interface Prepared {
  readonly method: Method;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer | null;
  readonly again: boolean;
  readonly timeoutMs: number;
  readonly name: string;
}

async function ask<Body>(client: Client, given: Asked<Body>): Promise<HttpAnswer<Body>> {
  const { host, rules } = client;
  const prepared = prepare(client, given);
  return client.gate(() =>
    withRetries({ ...rules, again: prepared.again, host }, async () => {
      const { answer, url } = await follow(client, prepared);
      const retryAt = pauseOf(client, answer);
      const shown = client.hider.hide(url.href);
      return readAnswer(questionOf(client, prepared), {
        answer,
        url: shown,
        retryAt,
        read: given.read,
      });
    }),
  );
}

function prepare<Body>(client: Client, { method, path, body, asked }: Asked<Body>): Prepared {
  hideHeaders(asked.headers ?? {}, client.hider);
  for (const secret of asked.secrets ?? []) client.hider.add(secret);
  const { bytes, type } = bodyOf(body);
  const { maxSentBytes, timeoutMs } = client.limits;
  const url = addressOf(client.base, path, asked.query);
  const name = `${method} ${client.hider.hide(url.href)}`;
  if (bytes !== null && bytes.length > maxSentBytes)
    throw new HttpFault({
      kind: "refused",
      reason: `${name}: its body has ${bytes.length} bytes, and at most ${maxSentBytes} are sent.`,
      instruction: "Send it in smaller parts.",
      inDoubt: false,
    });
  return {
    method,
    url,
    name,
    bytes,
    headers: {
      accept: "application/json, */*;q=0.5",
      "accept-encoding": ACCEPTED_ENCODINGS,
      "user-agent": "Tradepost",
      ...(type === null ? {} : { "content-type": type }),
      ...lowered(client.headers),
      ...lowered(asked.headers ?? {}),
    },
    again: asked.idempotent ?? (method !== "POST" && method !== "PATCH"),
    timeoutMs: asked.timeoutMs ?? timeoutMs,
  };
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}

const REDIRECTS = 3;

/** The answer at the end of at most three redirects, all within the origin. */
async function follow(
  client: Client,
  prepared: Prepared,
): Promise<{ answer: WireAnswer; url: URL }> {
  let url = prepared.url;
  for (let hops = 0; ; hops++) {
    const answer = await signed(client, prepared, url);
    const location = answer.headers["location"];
    if (answer.status < 300 || answer.status > 399 || location === undefined)
      return { answer, url };
    const next = URL.parse(location, url);
    const why = refusedRedirect(prepared, next, hops);
    if (why !== null || next === null)
      throw new HttpFault({
        kind: "config",
        reason: client.hider.hide(
          `${prepared.name}: was sent on (${answer.status}) to ${next === null ? "no address" : next.origin + next.pathname}, ${why ?? ""}.`,
        ),
        instruction: "Set the connection's address to where the far side really answers.",
        status: answer.status,
        inDoubt: false,
      });
    url = next;
  }
}

function refusedRedirect(prepared: Prepared, next: URL | null, hops: number): string | null {
  if (next === null) return "which is none";
  if (next.origin !== prepared.url.origin)
    return `and credentials go to ${prepared.url.origin} alone`;
  if (prepared.method !== "GET") return `and a ${prepared.method} is not sent on`;
  return hops >= REDIRECTS ? `and ${REDIRECTS} redirects were followed already` : null;
}

/** With credentials; a token that was refused is renewed once, and the request sent once more. */
async function signed(client: Client, prepared: Prepared, url: URL): Promise<WireAnswer> {
  const { auth, hider } = client;
  if (auth === null) return once(client, prepared, url, {});
  if (auth.kind !== "tokens") {
    const { header, query } = credentials(auth, hider);
    const address = query === undefined ? url : addressOf(url, url.href, { [query[0]]: query[1] });
    return once(client, prepared, address, header === undefined ? {} : { [header[0]]: header[1] });
  }
  const token = await notSent(auth.current());
  const answer = await withToken(client, prepared, url, token);
  // 401 says that nothing was done, so even an order may be sent once more.
  return answer.status === 401
    ? withToken(client, prepared, url, await renewed(client, auth, token))
    : answer;
}

function renewed({ host }: Client, auth: AccessTokens, refused: string): Promise<string> {
  host.log("info", "The access token was refused; it is renewed.");
  return notSent(auth.renew(refused));
}

/** A renewal that is in doubt says nothing of the request that waits for it: that has not left. */
async function notSent(token: Promise<string>): Promise<string> {
  try {
    return await token;
  } catch (error) {
    if (!(error instanceof HttpFault) || !error.inDoubt) throw error;
    const { kind, message: reason, instruction, retryAt } = error;
    throw new HttpFault({ kind, reason, instruction, retryAt, inDoubt: false, cause: error });
  }
}

function withToken(client: Client, prepared: Prepared, url: URL, token: string) {
  client.hider.add(token);
  return once(client, prepared, url, { authorization: `Bearer ${token}` });
}

async function once(
  client: Client,
  prepared: Prepared,
  url: URL,
  credential: Readonly<Record<string, string>>,
): Promise<WireAnswer> {
  const { host, limits } = client;
  if (client.pausedUntil !== null) await pause(client, client.pausedUntil);
  await host.turn(client.perSecond);
  try {
    return await client.wire.send({
      method: prepared.method,
      url,
      headers: { ...prepared.headers, ...lowered(credential) },
      body: prepared.bytes,
      fresh: !prepared.again,
      timeoutMs: prepared.timeoutMs,
      connectTimeoutMs: limits.connectTimeoutMs,
      maxBodyBytes: limits.maxBodyBytes,
    });
  } catch (error) {
    if (error instanceof WireFault)
      throw wireFault(questionOf(client, prepared), error, {
        timeoutMs: prepared.timeoutMs,
        connectTimeoutMs: limits.connectTimeoutMs,
      });
    throw error;
  }
}

async function pause(client: Client, until: Temporal.Instant): Promise<void> {
  const ms = until.since(client.host.now()).total("milliseconds");
  if (ms > 0 && ms <= client.rules.longestWaitMs) await client.host.wait(ms);
}

/** When the far side asks to be asked again; one that has enough gets no other request before. */
function pauseOf(client: Client, { status, headers }: WireAnswer): Temporal.Instant | null {
  const at = retryAfter(headers["retry-after"], client.host.now());
  if (at !== null && (status === 429 || status === 503)) client.pausedUntil = at;
  return at;
}

function questionOf({ hider, limits }: Client, { name }: Prepared): Question {
  return { name, hider, maxBodyBytes: limits.maxBodyBytes };
}

/** So many at a time, in the order of asking. */
function gateOf(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
