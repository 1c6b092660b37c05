/** What came back, or did not: a value, or a fault in words. */
import { z } from "zod";
import type { Hider } from "../hide.ts";
import { beginningOf, BodyFault, digestOf, printOf, refusalOf, unpacked } from "./body.ts";
import { HttpFault, judgeNetwork, judgeStatus } from "./fault.ts";
import type { WireAnswer, WireFault } from "./send.ts";

export interface HttpAnswer<Body = unknown> {
  readonly status: number;
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where it came from, without secrets: for origins and messages. */
  readonly url: string;
  readonly body: Body;
  /** Of the body, unpacked. */
  readonly bytes: number;
  /** SHA-256 of the body, hex. */
  digest(): string;
  /** Equal for equal bodies, quickly; to tell the pages of a read apart, never to be kept. */
  fingerprint(): string;
}

export type Reader<Body> = (bytes: Buffer, type: string, status: number) => Body;

/** What was asked, for the words of a fault. */
export interface Question {
  /** `GET https://…`, without secrets. */
  readonly name: string;
  readonly hider: Hider;
  readonly maxBodyBytes: number;
}

/** The body as `read` makes of it. Throws HttpFault for a refusal and for what cannot be used. */
export async function readAnswer<Body>(
  question: Question,
  given: {
    readonly answer: WireAnswer;
    readonly url: string;
    readonly retryAt: Temporal.Instant | null;
    readonly read: Reader<Body>;
  },
): Promise<HttpAnswer<Body>> {
  const { answer, url, read } = given;
  const { status, headers } = answer;
  const type = headers["content-type"] ?? "";
  try {
    const encoding = headers["content-encoding"] ?? "";
    const bytes = await unpacked(answer.bytes, encoding, question.maxBodyBytes);
    if (status < 200 || status > 299) throw refusal(question, answer.status, bytes, given.retryAt);
    return {
      status,
      headers,
      url,
      body: read(bytes, type, status),
      bytes: bytes.length,
      digest: () => digestOf(bytes),
      fingerprint: () => printOf(bytes),
    };
  } catch (error) {
    if (error instanceof BodyFault) throw bodyFault(question, status, error);
    if (error instanceof z.ZodError) throw shapeFault(question, status, error);
    throw error;
  }
}

function refusal(
  { name, hider }: Question,
  status: number,
  bytes: Buffer,
  retryAt: Temporal.Instant | null,
): HttpFault {
  const { kind, instruction } = judgeStatus(status);
  const said = refusalOf(bytes, hider.hide);
  const words =
    said === null ? "" : `: ${beginningOf(typeof said === "string" ? said : JSON.stringify(said))}`;
  const when = retryAt === null ? "" : ` It asks to wait until ${retryAt.toString()}.`;
  return new HttpFault({
    kind,
    reason: `${name}: the far side answered ${status}${words}.${when}`,
    instruction,
    status,
    // 5xx: it may have failed before or after doing what was asked.
    inDoubt: kind === "transient",
    answer: said,
    retryAt,
  });
}

const BODY_INSTRUCTIONS = {
  cut: "It is tried again. Check the network, and proxies between here and the far side.",
  tooBig: "Ask for smaller pages.",
  notReadable:
    "Report it to whoever keeps the connector: the far side answers otherwise than known.",
  otherType:
    "Look at the address from this machine: a page of maintenance, or of a proxy, answers there.",
} as const;

const BODY_KINDS = {
  cut: "transient",
  tooBig: "config",
  notReadable: "defect",
  otherType: "transient",
} as const;

function bodyFault(
  { hider, name }: Question,
  status: number,
  { trouble, message }: BodyFault,
): HttpFault {
  return new HttpFault({
    kind: BODY_KINDS[trouble],
    reason: hider.hide(`${name}: the answer (${status}) cannot be used: ${message}.`),
    instruction: BODY_INSTRUCTIONS[trouble],
    status,
    // What was asked for was answered, and may be done.
    inDoubt: true,
  });
}

function shapeFault({ hider, name }: Question, status: number, error: z.ZodError): HttpFault {
  const what = error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.length === 0 ? "the whole" : path.join(".")}: ${message}`);
  return new HttpFault({
    kind: "defect",
    reason: hider.hide(`${name}: the answer has another shape than known: ${what.join("; ")}.`),
    instruction: "Report it to whoever keeps the connector: the far side has changed its answers.",
    status,
    inDoubt: true,
  });
}

/** No answer: what that is to whoever asked. */
export function wireFault(
  { name, maxBodyBytes }: Question,
  { code, left }: WireFault,
  { timeoutMs, connectTimeoutMs }: { timeoutMs: number; connectTimeoutMs: number },
): HttpFault {
  const seconds = (ms: number) => `${ms / 1000} s`;
  const fault = (kind: "transient" | "config", words: string, instruction: string): HttpFault =>
    new HttpFault({ kind, reason: `${name}: ${words}.`, instruction, inDoubt: left });
  switch (code) {
    case "TIMEOUT":
      return fault(
        "transient",
        `no whole answer within ${seconds(timeoutMs)}`,
        "It is tried again. Where it happens often, ask for smaller pages or allow more time.",
      );
    case "CONNECT_TIMEOUT":
      return fault(
        "transient",
        `no connection within ${seconds(connectTimeoutMs)}`,
        "Check host and port of the address, and the firewalls between here and there.",
      );
    case "TOO_BIG":
      return fault(
        "config",
        `the answer is larger than ${maxBodyBytes} bytes`,
        "Ask for smaller pages.",
      );
    case "CUT":
      return fault(
        "transient",
        "the answer was cut off",
        "It is tried again. Check the network between here and the far side.",
      );
    default: {
      const { kind, words, instruction } = judgeNetwork(code);
      return fault(kind === "config" ? "config" : "transient", words, instruction);
    }
  }
}
