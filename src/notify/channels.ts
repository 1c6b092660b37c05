/** How an alarm leaves the house: by POST to a webhook, by e-mail. Throws where it is not taken. */
import type { Letter } from "./letter.ts";

export type Channel = "webhook" | "email";

/** What the settings say of alarms. */
export interface AlarmSettings {
  readonly webhook?: WebhookSettings | undefined;
  readonly email?: EmailSettings | undefined;
  /** An alarm that holds is told again after so many seconds. */
  readonly repeatSeconds: number;
}

/** One of the two: the address, or the name of the secret that is the address. */
interface WebhookSettings {
  readonly url?: string | undefined;
  readonly urlSecret?: string | undefined;
}

interface EmailSettings {
  readonly server: string;
  readonly port: number;
  readonly security: "starttls" | "tls" | "none";
  readonly user?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

export interface ChannelContext {
  readonly settings: AlarmSettings;
  readonly secret: (name: string) => string | null;
}

/** The secret that is the mail user's password. */
const PASSWORD = "alarms_email";
/** A far side that has not answered by then has not been told. */
const PATIENCE_MS = 10_000;

export function channelsOf({ webhook, email }: AlarmSettings): readonly Channel[] {
  return [
    ...(webhook === undefined ? [] : (["webhook"] as const)),
    ...(email === undefined ? [] : (["email"] as const)),
  ];
}

/** Where a channel goes, as it may be shown: a webhook's path is often its password. */
export function destinationOf({ settings, secret }: ChannelContext, channel: Channel): string {
  const { webhook, email } = settings;
  if (channel === "webhook") {
    const address = webhook === undefined ? undefined : addressIn(webhook, secret);
    return URL.canParse(address ?? "") ? new URL(address ?? "").host : "–";
  }
  return email === undefined ? "–" : `${email.to.join(", ")} by ${email.server}`;
}

/** Its error says what was met, and never an address or password. */
export async function send(
  { settings, secret }: ChannelContext,
  channel: Channel,
  letter: Letter,
): Promise<void> {
  const { webhook, email } = settings;
  if (channel === "webhook" && webhook !== undefined)
    return post(addressOf(webhook, secret), letter);
  if (channel === "email" && email !== undefined) return mail(email, secret, letter);
  throw new NotTold(`the settings name no ${channel} any more`);
}

class NotTold extends Error {
  override readonly name = "NotTold";
}

function addressIn(
  { url, urlSecret = "" }: WebhookSettings,
  secret: ChannelContext["secret"],
): string | undefined {
  return url ?? secret(urlSecret) ?? undefined;
}

function addressOf(webhook: WebhookSettings, secret: ChannelContext["secret"]): string {
  const { urlSecret = "" } = webhook;
  const name = `TRADEPOST_SECRET_${urlSecret.toUpperCase()}`;
  const address = addressIn(webhook, secret);
  if (address === undefined) throw new NotTold(`the webhook has no address: set ${name}`);
  if (!URL.canParse(address)) throw new NotTold(`the webhook's address in ${name} is none`);
  return address;
}

async function post(address: string, letter: Letter): Promise<void> {
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new NotTold(`alarms go to http and https addresses only, not to ${url.protocol}`);
  const { username, password } = url;
  const named = [username, password].map(decodeURIComponent).join(":");
  const authorization = username === "" ? {} : { authorization: `Basic ${btoa(named)}` };
  url.username = "";
  url.password = "";
  const answer = await fetch(url, {
    method: "POST",
    // One that redirects would be handed an alarm, and the right to be asked, by somebody else.
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
    headers: { "content-type": "application/json", ...authorization },
    body: JSON.stringify(letter.body),
  }).catch((error: unknown) => {
    // Not as its cause: its own message may hold the address.
    throw new NotTold(`${url.host} cannot be reached: ${codeOf(error)}`);
  });
  await answer.body?.cancel();
  if (answer.ok) return;
  const followed = answer.status >= 300 && answer.status < 400;
  throw new NotTold(
    `${url.host} answered ${answer.status}${followed ? ", and redirects are not followed" : ""}`,
  );
}

function codeOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${PATIENCE_MS / 1_000} s`;
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && cause.message === "bad port") return "HTTP is not spoken there";
  const code: unknown = cause instanceof Error ? Reflect.get(cause, "code") : undefined;
  return typeof code === "string" ? code : "the connection failed";
}

async function mail(
  { server, port, security, user, from, to }: EmailSettings,
  secret: (name: string) => string | null,
  letter: Letter,
): Promise<void> {
  const password = user === undefined ? null : secret(PASSWORD);
  if (user !== undefined && password === null)
    throw new NotTold(
      `the mail user ${user} has no password: set TRADEPOST_SECRET_${PASSWORD.toUpperCase()}`,
    );
  // Loaded by the first e-mail: most processes never send one.
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    host: server,
    port,
    secure: security === "tls",
    // A server that cannot encrypt, or somebody in between who says so, is never given a password.
    requireTLS: security === "starttls",
    ignoreTLS: security === "none",
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    connectionTimeout: PATIENCE_MS,
    greetingTimeout: PATIENCE_MS,
    socketTimeout: PATIENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to: [...to],
      subject: letter.subject,
      text: letter.text,
      // The same letter sent twice, after a kill, is one to whoever files it.
      messageId: `<${letter.id}@tradepost>`,
      headers: { "Auto-Submitted": "auto-generated" },
    });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new NotTold(`${server} did not take the letter: ${withoutSecret(said, password)}`);
  } finally {
    transport.close();
  }
}

/** Some servers repeat what they were given; so do some libraries. */
function withoutSecret(text: string, secret: string | null): string {
  if (secret === null || secret === "") return text;
  return text.replaceAll(secret, "…").replaceAll(btoa(secret), "…");
}
