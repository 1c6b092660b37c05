/** One message to one address. Never follows a redirect, never keeps an answer's body. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { NotInside, waysTo, type Allowed } from "./address.ts";

export interface PostContext {
  readonly allowed: Allowed;
  /** How names become addresses; the system's way when absent. */
  readonly lookup?: LookupFunction | undefined;
  /** From the first packet to the end of the answer. */
  readonly timeoutMs: number;
}

export interface Outcome {
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** Null: it was taken. */
  readonly problem: string | null;
  /** How long the receiver wants to be left alone; null: it does not say. */
  readonly retryAfterSeconds: number | null;
}

const AGENT = "Tradepost-Webhooks/1";
/** What a receiver says of its failure is shown so far, and no further read than that much. */
const SHOWN_CHARACTERS = 200;
const READ_BYTES = 4_096;

export async function post(
  context: PostContext,
  address: string,
  message: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  stop?: AbortSignal,
): Promise<Outcome> {
  const url = new URL(address);
  const given = AbortSignal.timeout(context.timeoutMs);
  const signal = stop === undefined ? given : AbortSignal.any([given, stop]);
  for (const agent of waysTo(url, context.allowed, context.lookup))
    try {
      return await answerOf(await sent(url, { ...message, agent, signal }));
    } catch (error) {
      if (stop?.aborted === true) throw error;
      if (error instanceof NotInside) continue;
      return failed(problemOf(error, given.aborted, context.timeoutMs));
    }
  return failed(`${url.host} leads to no address that is allowed`);
}

type Sent = Parameters<typeof post>[2] & {
  readonly agent: ReturnType<typeof waysTo>[number];
  readonly signal: AbortSignal;
};

function sent(url: URL, { headers, body, agent, signal }: Sent): Promise<IncomingMessage> {
  const request = url.protocol === "http:" ? httpRequest : httpsRequest;
  const bytes = Buffer.from(body);
  return new Promise((resolve, reject) => {
    const out = request(url, {
      method: "POST",
      // Whatever the environment says: what is signed is still read by whoever stands in between.
      rejectUnauthorized: true,
      agent,
      signal,
      headers: {
        "content-type": "application/json",
        "content-length": bytes.length,
        "user-agent": AGENT,
        ...headers,
      },
    });
    // Both may fail once more after they were heard: a socket that is cut while it is closed.
    const heard = (answer: IncomingMessage) => {
      answer.on("error", () => undefined);
      resolve(answer);
    };
    out.on("error", reject).once("response", heard).end(bytes);
  });
}

async function answerOf(answer: IncomingMessage): Promise<Outcome> {
  const status = answer.statusCode ?? 0;
  const retryAfterSeconds = secondsIn(answer.headers["retry-after"]);
  if (status >= 200 && status < 300) {
    // The status says that it was taken, whatever becomes of the rest.
    answer.destroy();
    return { status, problem: null, retryAfterSeconds };
  }
  const said = await beginningOf(answer);
  const followed = status >= 300 && status < 400 ? ", and redirects are not followed" : "";
  const words = said === "" ? "" : `: ${said}`;
  return { status, problem: `answered ${status}${followed}${words}`, retryAfterSeconds };
}

async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  try {
    for await (const chunk of answer) {
      text += String(chunk);
      if (text.length >= READ_BYTES) break;
    }
  } catch {
    // The status is what counts.
  }
  // Shown on terminals and in tables.
  const line = text.replaceAll(/[\p{C}\s]+/gu, " ").trim();
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

/** Seconds, or a moment by HTTP's writing of it. */
function secondsIn(retryAfter: string | undefined): number | null {
  if (retryAfter === undefined) return null;
  if (/^\d{1,9}$/.test(retryAfter.trim())) return Number(retryAfter);
  const until = Date.parse(retryAfter);
  if (Number.isNaN(until)) return null;
  const now = Temporal.Now.instant().epochMilliseconds;
  return Math.max(0, Math.ceil((until - now) / 1_000));
}

function failed(problem: string): Outcome {
  return { status: null, problem, retryAfterSeconds: null };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "the name is not known",
  EAI_AGAIN: "the name cannot be looked up now",
  ETIMEDOUT: "the connection could not be made in time",
  EPROTO: "TLS is not spoken there",
  CERT_HAS_EXPIRED: "its certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate has signed itself",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is another host's",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not vouched for here",
  HPE_INVALID_CONSTANT: "HTTP is not spoken there",
};

function problemOf(error: unknown, late: boolean, timeoutMs: number): string {
  if (late) return `no answer within ${timeoutMs / 1_000} s`;
  const { code, message } = faultIn(error);
  // What the guard says holds no code; all else that goes wrong on the way has one.
  if (code === "" && message.includes("is not allowed")) return INSIDE;
  const reason = REASONS[code];
  return reason === undefined
    ? `it failed: ${code === "" ? message : code}`
    : `${reason} (${code})`;
}

const INSIDE =
  "the address is none of the public internet (loopback, private, link-local, multicast or " +
  "reserved); a host inside the house is named in webhooks.allow of the settings";

/** Several addresses that all failed come as one error of errors. */
function faultIn(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return faultIn(error.errors[0]);
  if (!(error instanceof Error)) return { code: "", message: String(error) };
  const code: unknown = Reflect.get(error, "code");
  return { code: typeof code === "string" ? code : "", message: error.message };
}
