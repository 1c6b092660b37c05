/**
 * Access tokens that are always fresh, from client credentials or from a refresh token that may be
 * another one after each use.
 *
 * A provider that rotates refresh tokens takes each of them once: two instances that renew
 * together, or a crash between its answer and our write, would lose the sign-in. So a renewal goes
 * in steps:
 *
 * 1. one renewer at a time over all instances (`host.tokens.alone`), which first looks whether
 *    another has just done it;
 * 2. the intent is written beside the old refresh token, which stays;
 * 3. the provider is asked, in a request that the session's end does not cut off;
 * 4. the new tokens are written at once, with several tries, against the version of step 2.
 *
 * After a crash between 3 and 4 the next renewer finds the intent and uses the old refresh token
 * again: providers that allow that for a while give new tokens, and with the others a person must
 * sign in again, which the fault says.
 */
import { hash } from "node:crypto";
import { z } from "zod";
import { ConnectorFault, type Host, type KeptToken } from "../contract.ts";
import { HttpFault, openHttp, type AccessTokens } from "../http/index.ts";
import { readSignIn, writeSignIn, type KeptSignIn, type SignIn } from "./tokens.ts";

interface CommonOptions {
  /** Under what the tokens are kept; one sign-in a name. */
  readonly name?: string;
  /** `https://id.example.com/oauth/token` */
  readonly tokenUrl: string;
  readonly clientId: string;
  /** From `host.secret`. */
  readonly clientSecret: string;
  /** How the client proves itself: in the form (`body`, the default) or by a Basic header. */
  readonly clientAuth?: "body" | "basic";
  /** More of the form, such as audience or resource. */
  readonly extra?: Readonly<Record<string, string>>;
  readonly scope?: string;
  /** How long before its end a token is renewed; 120 s, and never more than a fifth of its life. */
  readonly earlySeconds?: number;
}

export type OAuthOptions =
  | (CommonOptions & { readonly grant: "client" })
  | (CommonOptions & {
      readonly grant: "refresh";
      /**
       * The refresh token of a person's sign-in, from `host.secret`; used once, then the kept ones
       * count. Another one than before means that somebody has signed in again.
       */
      readonly firstRefreshToken?: string | null;
    });

export interface OAuth extends AccessTokens {
  /** Ends a person's sign-in in a browser: the code that the provider gave, for tokens. */
  redeem(code: string, redirectUri: string): Promise<void>;
}

const answerShape = z.object({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().optional(),
  refresh_token: z.string().min(1).optional(),
});

interface State {
  readonly options: OAuthOptions;
  readonly host: Host;
  readonly name: string;
  /** What this session used last. */
  known: SignIn | null;
  under: Promise<string> | null;
}

/** Tokens for `openHttp({ auth })`; nothing is asked of the provider before the first request. */
export function openOAuth(options: OAuthOptions, host: Host): OAuth {
  const state: State = {
    options,
    host,
    name: options.name ?? "oauth",
    known: null,
    under: null,
  };
  return {
    kind: "tokens",
    current: async () => {
      const { known } = state;
      return known !== null && fresh(state, known) ? known.access : renew(state, null);
    },
    renew: (refused) => renew(state, refused),
    redeem: (code, redirectUri) => redeem(state, code, redirectUri),
  };
}

/** The token service is no part of the connection's rate, and is not cut off with the session. */
function untilAnswered(host: Host, signal: AbortSignal): Host {
  return {
    now: () => host.now(),
    timeZone: host.timeZone,
    signal,
    log: (...given) => {
      host.log(...given);
    },
    secret: (name) => host.secret(name),
    appliedBefore: (...given) => host.appliedBefore(...given),
    tokens: host.tokens,
    turn: () => Promise.resolve(),
    wait: (ms) => host.wait(ms),
  };
}

/** `expiresAt` lies before the true end already. */
function fresh({ host }: State, signIn: SignIn): signIn is Granted {
  if (signIn.access === null) return false;
  if (signIn.expiresAt === null) return true;
  return Temporal.Instant.compare(Temporal.Instant.from(signIn.expiresAt), host.now()) > 0;
}

/** One renewal at a time in this session; the others take what it gives. */
async function renew(state: State, refused: string | null): Promise<string> {
  const joined = state.under !== null;
  state.under ??= state.host.tokens
    .alone(state.name, () => renewed(state, refused))
    .finally(() => {
      state.under = null;
    });
  const token = await state.under;
  // The one who began it may have known nothing of the refusal.
  return joined && token === refused ? renew(state, refused) : token;
}

async function renewed(state: State, refused: string | null): Promise<string> {
  const { host, name, options } = state;
  const kept = await readSignIn(host.tokens, name);
  const usable = kept !== null && !seedChanged(options, kept.signIn);
  if (usable && kept.signIn.access !== refused && fresh(state, kept.signIn)) {
    state.known = kept.signIn;
    return kept.signIn.access;
  }
  const next =
    options.grant === "client"
      ? await byClient(state, kept?.seen ?? null)
      : await byRefresh(state, kept);
  state.known = next;
  return next.access;
}

type Granted = SignIn & { readonly access: string };

async function byClient(state: State, seen: KeptToken | null): Promise<Granted> {
  const { scope } = state.options;
  const granted = await grant(state, {
    grant_type: "client_credentials",
    ...(scope === undefined ? {} : { scope }),
  }).catch((error: unknown) => {
    throw (error instanceof HttpFault ? clientRefused(error) : null) ?? error;
  });
  // Whoever wrote meanwhile has a token that is as good; this one is used and not kept.
  await writeSignIn(state.host.tokens, state.name, granted, seen);
  return granted;
}

async function byRefresh(state: State, kept: KeptSignIn | null): Promise<Granted> {
  const { host, name, options } = state;
  const seed = seedOf(options);
  const before = kept !== null && !seedChanged(options, kept.signIn) ? kept.signIn : null;
  const refresh = before?.refresh ?? (options.grant === "refresh" ? options.firstRefreshToken : "");
  if (!refresh) throw signInAgain(name, "nobody has signed in yet");
  const since = before?.renewingSince ?? null;
  const intent: SignIn = {
    access: null,
    expiresAt: null,
    refresh,
    seed,
    renewingSince: host.now().toString(),
  };
  if (!(await writeSignIn(host.tokens, name, intent, kept?.seen ?? null)))
    throw changedMeanwhile(name);
  return askRefresh(state, refresh, { intent, seen: await host.tokens.read(name), since });
}

interface Begun {
  readonly intent: SignIn;
  readonly seen: KeptToken | null;
  /** Since when an earlier renewal has been without its answer; null: there is none. */
  readonly since: string | null;
}

async function askRefresh(
  state: State,
  refresh: string,
  { intent, seen, since }: Begun,
): Promise<Granted> {
  const { host, name } = state;
  try {
    const granted = await grant(state, { grant_type: "refresh_token", refresh_token: refresh });
    const next = { ...granted, refresh: granted.refresh ?? refresh, seed: intent.seed };
    await keep(state, next, { seen, instead: refresh });
    return next;
  } catch (error) {
    if (!(error instanceof HttpFault) || error.status === null || error.status >= 500) throw error;
    // A renewer that was given up for dead may have brought its answer home meanwhile.
    const other = await readSignIn(host.tokens, name);
    if (other !== null && other.signIn.refresh !== refresh && fresh(state, other.signIn))
      return other.signIn;
    // Refused: this renewal is over. Any other fault leaves the intent, as a crash would.
    await writeSignIn(host.tokens, name, { ...intent, renewingSince: since }, seen);
    if (error.kind !== "auth" && error.kind !== "refused") throw error;
    throw clientRefused(error) ?? signInAgain(name, whyRefused(error, since), error);
  }
}

function whyRefused(error: ConnectorFault, since: string | null): string {
  const cut =
    since === null
      ? ""
      : ` A renewal that began at ${since} ended before its tokens could be kept, and the provider does not take the old one again.`;
  return `the provider refuses the refresh token (${error.message})${cut}`;
}

const KEEP_TRIES = 5;

/**
 * New tokens are kept whatever happens: the old refresh token may be worth nothing by now.
 * `instead`: the refresh token that they replace.
 */
async function keep(
  { host, name }: State,
  signIn: SignIn,
  { seen, instead }: { seen: KeptToken | null; instead: string | null },
): Promise<void> {
  let version = seen;
  for (let tries = 1; ; tries++)
    try {
      if (await writeSignIn(host.tokens, name, signIn, version)) return;
      const now = await readSignIn(host.tokens, name);
      if (now !== null && (instead === null || now.signIn.refresh !== instead)) {
        host.log(
          "warn",
          `The sign-in "${name}" was changed while it was renewed; that one counts.`,
        );
        return;
      }
      // Another took this renewal over, with the token that these replace.
      version = now?.seen ?? null;
      if (tries >= KEEP_TRIES) throw changedMeanwhile(name);
    } catch (error) {
      if (tries >= KEEP_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** tries));
    }
}

async function redeem(state: State, code: string, redirectUri: string): Promise<void> {
  await state.host.tokens.alone(state.name, async () => {
    const kept = await state.host.tokens.read(state.name);
    const granted = await grant(state, {
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
    });
    const signIn = { ...granted, seed: seedOf(state.options) };
    await keep(state, signIn, { seen: kept, instead: null });
    state.known = signIn;
  });
}

/** Asks the provider. A refresh token is never sent again by itself: it may have been used up. */
async function grant(state: State, form: Readonly<Record<string, string>>): Promise<Granted> {
  const { host, options } = state;
  const answered = new AbortController();
  const http = openHttp(
    {
      baseUrl: options.tokenUrl,
      perSecond: 1,
      retries: 2,
      timeoutMs: 30_000,
      maxBodyBytes: 1e6,
    },
    untilAnswered(host, answered.signal),
  );
  const basic = options.clientAuth === "basic";
  const pair = `${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`;
  const sent = {
    ...form,
    ...options.extra,
    ...(basic ? {} : { client_id: options.clientId, client_secret: options.clientSecret }),
  };
  const asked = {
    shape: answerShape,
    secrets: [options.clientSecret, ...Object.values(form).slice(1)],
    idempotent: form["grant_type"] === "client_credentials",
    ...(basic
      ? { headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` } }
      : {}),
  };
  // The next token is an hour away: its connection is not kept for that.
  const { body } = await http.post("", { form: sent }, asked).finally(() => answered.abort());
  const life = body.expires_in ?? null;
  const early = Math.min(options.earlySeconds ?? 120, (life ?? 0) / 5);
  return {
    access: body.access_token,
    expiresAt:
      life === null
        ? null
        : host
            .now()
            .add({ milliseconds: Math.floor((life - early) * 1000) })
            .toString(),
    refresh: body.refresh_token ?? null,
    seed: null,
    renewingSince: null,
  };
}

function seedOf(options: OAuthOptions): string | null {
  const first = options.grant === "refresh" ? (options.firstRefreshToken ?? null) : null;
  return first === null || first === "" ? null : hash("sha256", first, "hex");
}

function seedChanged(options: OAuthOptions, { seed }: SignIn): boolean {
  const now = seedOf(options);
  return now !== null && now !== seed;
}

function signInAgain(name: string, why: string, cause?: unknown): ConnectorFault {
  return new ConnectorFault(
    "auth",
    `Signing in as "${name}": ${why}.`,
    "Sign in again with the provider, and give the new refresh token as the connection's secret.",
    cause === undefined ? {} : { cause },
  );
}

/** Null: it is not the client itself that was refused. */
function clientRefused(error: HttpFault): ConnectorFault | null {
  const parsed = z.object({ error: z.string() }).safeParse(error.answer);
  const said = parsed.success ? parsed.data.error : null;
  if (said !== "invalid_client" && said !== "unauthorized_client" && error.status !== 401)
    return null;
  return new ConnectorFault(
    "auth",
    error.message,
    "Correct the client id and the client secret of the connection; the sign-in itself may be good.",
    { cause: error },
  );
}

function changedMeanwhile(name: string): ConnectorFault {
  return new ConnectorFault(
    "transient",
    `Renewing the sign-in "${name}": it was changed by another at the same moment.`,
    "It is tried again.",
  );
}
