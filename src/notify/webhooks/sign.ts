/** Secrets and signatures as https://www.standardwebhooks.com says: symmetric, version 1. */
import { createHmac, randomBytes } from "node:crypto";

const PREFIX = "whsec_";
/** The standard asks for 24 to 64. */
const SECRET_BYTES = 32;

export function newWebhookSecret(): string {
  return `${PREFIX}${randomBytes(SECRET_BYTES).toString("base64")}`;
}

export interface Message {
  /** The same over all tries and replays. */
  readonly id: string;
  /** Of this try. */
  readonly sentAt: Temporal.Instant;
  readonly body: string;
}

/** One signature a secret, so that a receiver may know the old one or the new one. */
export function signedHeaders(
  { id, sentAt, body }: Message,
  secrets: readonly string[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.trunc(sentAt.epochMilliseconds / 1_000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    const mac = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
    return `v1,${mac}`;
  });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.join(" "),
  };
}
