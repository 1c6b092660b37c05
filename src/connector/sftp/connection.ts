/**
 * One SSH connection, made when it is first needed, made anew after it was lost, and closed when it
 * idles. The server's key is checked before we sign in.
 */
import { createHash } from "node:crypto";
import type { Client, ConnectConfig, SFTPWrapper } from "ssh2";
import type { Host } from "../contract.ts";
import {
  ConnectionLost,
  noCommonAlgorithm,
  refusedSignIn,
  serverName,
  unreadableKey,
  wrongHostKey,
} from "./fault.ts";
import type { SftpSettings } from "./settings.ts";

export interface Connection extends AsyncDisposable {
  /** Runs work that can be done again; when the connection is lost, it is. */
  repeat<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T>;
  /** Runs work that must not be done twice unseen: `ConnectionLost` leaves open if it was done. */
  once<T>(work: (sftp: SFTPWrapper) => Promise<T>): Promise<T>;
}

export interface Patience {
  /** So long an answer, or the whole sign-in, may take. */
  readonly answerMs: number;
  /** How often a lost connection is made anew before the run gives up. */
  readonly retries: number;
  /** Before the first of them; the double before each further one. */
  readonly retryAfterMs: number;
  readonly idleMs: number;
}

export const PATIENCE: Patience = {
  answerMs: 60_000,
  retries: 4,
  retryAfterMs: 500,
  idleMs: 30_000,
};

interface Line {
  readonly client: Client;
  readonly sftp: SFTPWrapper;
  lost: boolean;
  /** What waits for an answer that will never come once the line is lost. */
  readonly waiting: Set<(error: Error) => void>;
  working: number;
  /** Hangs up on a server that keeps the line open and says nothing more. */
  watch: NodeJS.Timeout | undefined;
  idle: NodeJS.Timeout | undefined;
}

/** By what is asked, so that each answer shows that the line is alive. */
const lines = new WeakMap<SFTPWrapper, Line>();

interface State {
  readonly settings: SftpSettings;
  readonly host: Host;
  readonly patience: Patience;
  line: Promise<Line> | null;
}

export function openConnection(settings: SftpSettings, host: Host, patience: Patience): Connection {
  const state: State = { settings, host, patience, line: null };
  return {
    repeat: (work) => repeat(state, work),
    once: (work) => once(state, work),
    async [Symbol.asyncDispose]() {
      const line = await state.line?.catch(() => null);
      state.line = null;
      if (line !== null && line !== undefined) await hangUp(line);
    },
  };
}

async function repeat<T>(state: State, work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
  const { host, patience } = state;
  for (let tried = 0; ; tried++) {
    try {
      return await once(state, work);
    } catch (error) {
      host.signal.throwIfAborted();
      if (!(error instanceof ConnectionLost) || tried >= patience.retries) throw error;
      host.log("warn", `${serverName(state.settings)}: ${error.message}; trying again.`);
      await host.wait(patience.retryAfterMs * 2 ** tried);
    }
  }
}

async function once<T>(state: State, work: (sftp: SFTPWrapper) => Promise<T>): Promise<T> {
  const { answerMs, idleMs } = state.patience;
  const line = await lineOf(state);
  clearTimeout(line.idle);
  line.working++;
  line.watch ??= setTimeout(() => line.client.destroy(), answerMs);
  try {
    return await work(line.sftp);
  } finally {
    line.working--;
    if (line.working === 0) {
      clearTimeout(line.watch);
      line.watch = undefined;
      line.idle = setTimeout(() => line.client.end(), idleMs).unref();
    }
  }
}

/** One request and its answer. The library leaves some unanswered when the line is lost. */
export function ask<T>(
  sftp: SFTPWrapper,
  request: (done: (error: Error | null | undefined, value?: T) => void) => unknown,
): Promise<T> {
  const line = lines.get(sftp);
  if (line === undefined || line.lost) return Promise.reject(asLost("it is closed"));
  return new Promise((resolve, reject) => {
    line.waiting.add(reject);
    try {
      request((error, value) => {
        line.waiting.delete(reject);
        line.watch?.refresh();
        if (error === null || error === undefined) resolve(value as T);
        else reject(asCoded(error));
      });
    } catch (error) {
      line.waiting.delete(reject);
      reject(asLost(error));
    }
  });
}

const CODES: Readonly<Record<number, string>> = { 2: "ENOENT", 3: "EACCES", 8: "ENOTSUP" };
const [FAILURE, NO_CONNECTION, CONNECTION_LOST] = [4, 6, 7];

/** An answer of the server has a number; none means that the server is gone. */
function asCoded(error: Error & { readonly code?: unknown }): Error {
  const { code } = error;
  if (typeof code !== "number" || code === NO_CONNECTION || code === CONNECTION_LOST)
    return asLost(error);
  const said = code === FAILURE ? "the server says only that it failed" : error.message;
  return Object.assign(new Error(said, { cause: error }), { code: CODES[code] ?? "EFAILED" });
}

function asLost(error: unknown): ConnectionLost {
  if (error instanceof ConnectionLost) return error;
  const said = error instanceof Error ? error.message : String(error);
  return new ConnectionLost(`the connection was lost (${said})`, { cause: error });
}

function lineOf(state: State): Promise<Line> {
  state.host.signal.throwIfAborted();
  if (state.line !== null) return state.line;
  const making = connect(state);
  state.line = making;
  making.then(
    (line) => {
      const forget = () => {
        if (state.line === making) state.line = null;
      };
      if (line.lost) forget();
      else line.client.once("close", forget);
      return null;
    },
    () => {
      if (state.line === making) state.line = null;
    },
  );
  return making;
}

function letGo(line: Line): void {
  line.lost = true;
  clearTimeout(line.idle);
  clearTimeout(line.watch);
  for (const reject of line.waiting) reject(asLost("it was closed"));
  line.waiting.clear();
}

async function connect({ settings, host, patience }: State): Promise<Line> {
  const { default: ssh2 } = await import("ssh2");
  const offered = { fingerprint: "", type: "" };
  const config: ConnectConfig = {
    host: settings.host,
    port: settings.port,
    username: settings.user,
    ...credentials(settings, host, ssh2.utils.parseKey),
    readyTimeout: patience.answerMs,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      Object.assign(offered, { fingerprint: fingerprintOf(key), type: typeOf(key) });
      return settings.hostKeys.includes(offered.fingerprint);
    },
  };
  const client = new ssh2.Client();
  const stop = () => client.destroy();
  host.signal.addEventListener("abort", stop, { once: true });
  client.once("close", () => host.signal.removeEventListener("abort", stop));
  try {
    await ready(client, config);
    const sftp = await sftpOf(client);
    const line: Line = {
      client,
      sftp,
      lost: false,
      waiting: new Set(),
      working: 0,
      watch: undefined,
      idle: undefined,
    };
    lines.set(sftp, line);
    client.once("close", () => letGo(line));
    return line;
  } catch (error) {
    client.destroy();
    host.signal.throwIfAborted();
    if (offered.fingerprint !== "" && !settings.hostKeys.includes(offered.fingerprint))
      throw wrongHostKey(settings, offered);
    throw connectFault(settings, error);
  }
}

function ready(client: Client, config: ConnectConfig): Promise<void> {
  return new Promise((resolve, reject) => {
    // Errors after this one come with `close`, which says all there is to know.
    client.on("error", reject);
    client.once("close", () => reject(new Error("it was closed while it was made")));
    client.once("ready", () => resolve());
    client.on("keyboard-interactive", (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.map(() => config.password ?? "")),
    );
    client.connect(config);
    // Without this each small packet waits for the one before to be confirmed.
    client.setNoDelay(true);
  });
}

function sftpOf(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    client.sftp((error, sftp) => {
      if (error === undefined) resolve(sftp);
      else reject(error);
    });
    client.once("close", () => reject(new Error("it was closed while it was made")));
  });
}

function connectFault(settings: SftpSettings, error: unknown): Error {
  if (!(error instanceof Error)) return asLost(error);
  const level = "level" in error ? error.level : "";
  if (level === "client-authentication") return refusedSignIn(settings, error);
  if (/no matching/i.test(error.message)) return noCommonAlgorithm(settings, error);
  return new ConnectionLost(`no connection to ${serverName(settings)} (${error.message})`, {
    cause: error,
  });
}

/** Read anew for each connection, so that a changed secret holds from the next one on. */
function credentials(
  settings: SftpSettings,
  host: Host,
  parseKey: (key: string, passphrase?: string) => unknown,
): ConnectConfig {
  const { passwordSecret, keySecret, passphraseSecret } = settings;
  const password =
    passwordSecret === undefined
      ? {}
      : { password: host.secret(passwordSecret), tryKeyboard: true };
  if (keySecret === undefined) return password;
  // An environment variable often holds its line breaks as \n.
  const privateKey = `${host
    .secret(keySecret)
    .replaceAll(String.raw`\n`, "\n")
    .trim()}\n`;
  const lock = passphraseSecret === undefined ? {} : { passphrase: host.secret(passphraseSecret) };
  const parsed = parseKey(privateKey, lock.passphrase);
  if (parsed instanceof Error) throw unreadableKey(keySecret, parsed);
  return { ...password, privateKey, ...lock };
}

export function fingerprintOf(key: Buffer): string {
  const digest = createHash("sha256").update(key).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

/** A key begins with its type, and that with its length. */
function typeOf(key: Buffer): string {
  if (key.length < 4) return "unknown";
  const type = key.toString("latin1", 4, Math.min(68, 4 + key.readUInt32BE(0)));
  return /^[\w@.-]+$/.test(type) ? type : "unknown";
}

function hangUp({ client, lost, idle, watch }: Line): Promise<void> {
  clearTimeout(idle);
  clearTimeout(watch);
  if (lost) return Promise.resolve();
  return new Promise((resolve) => {
    client.once("close", () => resolve());
    client.end();
    // It is over for us, whether the server answers or not.
    setTimeout(() => {
      client.destroy();
      resolve();
    }, 1_000).unref();
  });
}
