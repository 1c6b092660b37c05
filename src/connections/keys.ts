/**
 * The keys that tokens are sealed with: from the environment, or from a file that only the
 * service's user may read. The first of several seals, all open: so a key can be replaced by
 * another.
 */
import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from "node:crypto";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ConnectorFault } from "../connector/index.ts";

/** The secret of the environment: one key, or several with commas, the newest first. */
export const KEY_SECRET = "tokens_key";

export interface Sealed {
  readonly keyId: string;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export interface TokenKeys {
  /** `bound`: what the text belongs to; it opens there alone. */
  seal(text: string, bound: readonly string[]): Sealed;
  open(sealed: Sealed, bound: readonly string[]): string;
  /** True when it is sealed with the key that seals now. */
  current(keyId: string): boolean;
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

const LEAST_LENGTH = 24;
const TAG_BYTES = 16;

/**
 * `file` is made when there is neither a secret nor a file. Throws a `config` fault where a key is
 * too short, or the file can be read by others.
 */
export async function readKeys(secret: string | null, file: string | null): Promise<TokenKeys> {
  const texts =
    secret === null
      ? [await keyOfFile(file)]
      : secret
          .split(",")
          .map((each) => each.trim())
          .filter((each) => each !== "");
  return keysOf(texts);
}

function keysOf(texts: readonly string[]): TokenKeys {
  const keys = texts.map(keyOf);
  const [first] = keys;
  if (first === undefined || texts.some((text) => text.length < LEAST_LENGTH))
    throw new ConnectorFault(
      "config",
      `A key for tokens has fewer than ${LEAST_LENGTH} characters.`,
      `Set TRADEPOST_SECRET_TOKENS_KEY to a long random text, such as \`openssl rand -base64 32\` gives.`,
    );
  return {
    current: (keyId) => keyId === first.id,
    seal: (text, bound) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", first.bytes, nonce).setAAD(boundText(bound));
      const body = Buffer.concat([
        cipher.update(text, "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return { keyId: first.id, nonce, sealed: body };
    },
    open: ({ keyId, nonce, sealed }, bound) => {
      const key = keys.find(({ id }) => id === keyId);
      if (key === undefined) throw otherKey(bound);
      const end = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, nonce)
        .setAAD(boundText(bound))
        .setAuthTag(sealed.subarray(end));
      try {
        return Buffer.concat([
          decipher.update(sealed.subarray(0, end)),
          decipher.final(),
        ]).toString();
      } catch (cause) {
        throw new ConnectorFault(
          "config",
          `The token ${bound.join("/")} was changed in the database, or belongs to another connection.`,
          "Sign in again.",
          { cause },
        );
      }
    },
  };
}

function keyOf(text: string): Key {
  const bytes = Buffer.from(hkdfSync("sha256", text, "", "tradepost tokens", 32));
  return { bytes, id: hash("sha256", bytes, "hex").slice(0, 12) };
}

/** No part can be read as the end of one and the beginning of the next. */
function boundText(bound: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(bound));
}

function otherKey(bound: readonly string[]): ConnectorFault {
  return new ConnectorFault(
    "config",
    `The token ${bound.join("/")} was sealed with a key that is not here.`,
    "Set TRADEPOST_SECRET_TOKENS_KEY to the same on every machine, an older key behind a comma; or sign in again.",
  );
}

async function keyOfFile(file: string | null): Promise<string> {
  if (file === null)
    throw new ConnectorFault(
      "config",
      "There is no key to keep tokens with.",
      "Set TRADEPOST_SECRET_TOKENS_KEY to a long random text.",
    );
  return (await readKeyFile(file)) ?? (await makeKeyFile(file));
}

async function readKeyFile(file: string): Promise<string | null> {
  let text: string;
  try {
    text = (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw unreadable(file, error);
  }
  const { mode } = await stat(file);
  // Windows knows no such rights: there the folder's own protect it.
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw new ConnectorFault(
      "config",
      `The key file ${file} can be read by others than its owner.`,
      `Run \`chmod 600 ${file}\`, and sign in again if others had access to it.`,
    );
  return text;
}

async function makeKeyFile(file: string): Promise<string> {
  const key = randomBytes(32).toString("base64");
  await mkdir(dirname(file), { recursive: true });
  try {
    // Made by whoever is first; the others read what it wrote.
    await using made = await open(file, "wx", 0o600);
    await made.writeFile(`${key}\n`);
    await made.sync();
    return key;
  } catch (error) {
    const there = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!there) throw unreadable(file, error);
  }
  for (let tries = 0; tries < 50; tries++) {
    const text = await readKeyFile(file);
    if (text !== null && text.length >= LEAST_LENGTH) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw unreadable(file, new Error("it stays empty"));
}

function unreadable(file: string, cause: unknown): ConnectorFault {
  return new ConnectorFault(
    "config",
    `The key file ${file} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`,
    "Let the service's user read and write it, or set TRADEPOST_SECRET_TOKENS_KEY.",
    { cause },
  );
}
