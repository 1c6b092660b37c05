/** What went wrong with a request, by what the reader must do; never with a secret in it. */
import { ConnectorFault, type FaultKind } from "../contract.ts";

/**
 * A request that failed. A connector tells `status` apart where a refusal means something to it.
 *
 */
export class HttpFault extends ConnectorFault {
  /** What the far side answered; null: it did not. */
  readonly status: number | null;
  /**
   * The far side may have carried the request out all the same. Of a request that creates something
   * only looking it up decides; sending it again may do it twice.
   */
  readonly inDoubt: boolean;
  /** The body of a refusal: JSON when it is, else its text, cut; null when there is none. */
  readonly answer: unknown;

  constructor(given: {
    readonly kind: FaultKind;
    readonly reason: string;
    readonly instruction: string;
    readonly status?: number;
    readonly inDoubt: boolean;
    readonly answer?: unknown;
    readonly cause?: unknown;
    readonly retryAt?: Temporal.Instant | null;
  }) {
    super(given.kind, given.reason, given.instruction, {
      ...(given.cause === undefined ? {} : { cause: given.cause }),
      ...(given.retryAt === undefined || given.retryAt === null ? {} : { retryAt: given.retryAt }),
    });
    this.status = given.status ?? null;
    this.inDoubt = given.inDoubt;
    this.answer = given.answer ?? null;
  }
}

/** Kind and instruction of an answer that is no success. */
export function judgeStatus(status: number): { kind: FaultKind; instruction: string } {
  if (status === 429)
    return {
      kind: "throttled",
      instruction: "Wait. Where it happens often, lower the requests per second of the connection.",
    };
  if (status === 401)
    return {
      kind: "auth",
      instruction: "Sign in again, or correct the user, password or key of the connection.",
    };
  if (status === 403)
    return {
      kind: "auth",
      instruction: "Give the signed-in user the right to this part of the far side's data.",
    };
  if (status === 404 || status === 405 || status === 410 || status === 501)
    return {
      kind: "config",
      instruction:
        "Check the connection's address: this path is not there, or not in the far side's version.",
    };
  if (status === 408 || status === 425 || status >= 500)
    return {
      kind: "transient",
      instruction: "The far side has trouble of its own; it is tried again. Tell who runs it.",
    };
  return {
    kind: "refused",
    instruction: "Correct what was sent, as the far side's answer says.",
  };
}

/** Faults of a connection that no waiting mends. */
const CERTIFICATE =
  /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_SSL_)/;

/** Kind, words and instruction of a connection that failed, by the code of its error. */
export function judgeNetwork(code: string): {
  kind: FaultKind;
  words: string;
  instruction: string;
} {
  if (CERTIFICATE.test(code))
    return {
      kind: "config",
      words: `its certificate is not trusted (${code})`,
      instruction:
        "Let the far side show a valid certificate for this name, or give its authority in the settings.",
    };
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return {
      kind: "transient",
      words: `the name is not known (${code})`,
      instruction: "Check the host in the address, and that names are resolved on this machine.",
    };
  if (code === "ECONNREFUSED")
    return {
      kind: "transient",
      words: "nothing listens there (ECONNREFUSED)",
      instruction: "Check host and port of the address, and that the far side is running.",
    };
  return {
    kind: "transient",
    words: `the connection broke (${code})`,
    instruction: "It is tried again. Check the network between here and the far side.",
  };
}
