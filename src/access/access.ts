import { randomUUIDv7, timingSafeEqual } from "node:crypto";
import type { Queryable, Store } from "../store/index.ts";
import { readBook, type BookEntry, type BookQuestion } from "./book.ts";
import { AccessError } from "./error.ts";
import { SCOPES, digestOf, hintOf, looksLikeSecret, newSecret } from "./key.ts";
import type { ApiKey, KeyHolder, Scope } from "./key.ts";

export interface Access {
  /** The secret is in this answer and nowhere else, ever. */
  createKey(request: KeyRequest): Promise<{ readonly key: ApiKey; readonly secret: string }>;
  /**
   * Null when the secret is not a key's, or its key was revoked. A revocation is known here at once
   * and in other instances within `CACHE_SECONDS`.
   */
  verify(secret: string): Promise<KeyHolder | null>;
  /** Throws `key-unknown`; revoking a revoked key changes nothing. */
  revokeKey(revoke: { company: string; id: string; revokedBy: string }): Promise<void>;
  /** Newest first, revoked ones included. */
  listKeys(company: string): Promise<ApiKey[]>;
  /** Adds to the book; give the transaction that does the thing, so that both or neither happen. */
  audit(entry: AuditEntry, on?: Queryable): Promise<void>;
  /** What the book says, a page at a time. */
  book(question: BookQuestion): Promise<BookEntry[]>;
}

export interface KeyRequest {
  readonly company: string;
  /** What people call it: "Web shop". */
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly test: boolean;
  readonly createdBy: string;
}

export interface AuditEntry {
  readonly company: string;
  /** A person, or an API key as "key <id>". */
  readonly who: string;
  /** Verb last: key-created, order-released. */
  readonly action: string;
  readonly subject: string;
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
}

/** A key in use is looked up again after this long. */
export const CACHE_SECONDS = 5;
const MOST_CACHED = 10_000;

interface Cached {
  readonly holder: KeyHolder;
  readonly untilMs: number;
}

export function openAccess({ store, now }: { store: Store; now: () => Temporal.Instant }): Access {
  /**
   * By digest, so that no secret stays in memory. Only good keys, so that guesses cannot fill it.
   */
  const cache = new Map<string, Cached>();
  /** A look-up that began before a revocation must not be kept after it. */
  let revocations = 0;
  const audit = (entry: AuditEntry, on: Queryable = store) => writeAudit(on, entry, now());

  return {
    audit,
    book: (question) => readBook(store, question),

    async createKey(request) {
      const refusal = refusalOf(request);
      if (refusal !== null) throw refusal;
      const secret = newSecret(request.test);
      const key = keyOf(request, secret, now());
      await store.transaction(async (tx) => {
        await insertKey(tx, key, digestOf(secret));
        await audit(
          {
            company: key.company,
            who: key.createdBy,
            action: "key-created",
            subject: key.id,
            details: { name: key.name, scopes: key.scopes.join(" "), test: key.test },
          },
          tx,
        );
      });
      return { key, secret };
    },

    async verify(secret) {
      if (!looksLikeSecret(secret)) return null;
      const digest = digestOf(secret);
      const nowMs = now().epochMilliseconds;
      const cached = cache.get(digest);
      if (cached !== undefined && nowMs < cached.untilMs) return cached.holder;
      cache.delete(digest);
      const before = revocations;
      const holder = await findHolder(store, digest);
      if (holder === null || before !== revocations) return holder;
      if (cache.size >= MOST_CACHED) cache.clear();
      cache.set(digest, { holder, untilMs: nowMs + CACHE_SECONDS * 1000 });
      return holder;
    },

    async revokeKey({ company, id, revokedBy }) {
      await store.transaction(async (tx) => {
        await revoke(tx, { company, id, revokedBy, at: now() });
        await audit({ company, who: revokedBy, action: "key-revoked", subject: id }, tx);
      });
      revocations += 1;
      cache.clear();
    },

    listKeys: (company) =>
      store.query<ApiKey>(
        `SELECT ${KEY_COLUMNS} FROM api_key WHERE company = $1 ORDER BY created_at DESC, id DESC`,
        [company],
      ),
  };
}

const KEY_COLUMNS = `company, id, name, hint, scopes, test, created_at AS "createdAt",
  created_by AS "createdBy", revoked_at AS "revokedAt"`;

function refusalOf({ name, scopes, company }: KeyRequest): AccessError | null {
  const what = `Making an API key for ${company}`;
  if (name.trim() === "")
    return new AccessError("name-missing", `${what}: it needs a name, such as "Web shop".`);
  if (scopes.length === 0)
    return new AccessError(
      "scopes-missing",
      `${what}: it opens nothing. Give one or more of: ${SCOPES.join(", ")}.`,
    );
  const unknown = scopes.filter((scope) => !SCOPES.includes(scope));
  if (unknown.length === 0) return null;
  return new AccessError(
    "scope-unknown",
    `${what}: there is no scope ${unknown.map((scope) => `"${scope}"`).join(", ")}. ` +
      `The scopes are: ${SCOPES.join(", ")}.`,
  );
}

function keyOf(request: KeyRequest, secret: string, at: Temporal.Instant): ApiKey {
  return {
    company: request.company,
    id: randomUUIDv7(),
    name: request.name.trim(),
    hint: hintOf(secret),
    scopes: SCOPES.filter((scope) => request.scopes.includes(scope)),
    test: request.test,
    createdAt: at,
    createdBy: request.createdBy,
    revokedAt: null,
  };
}

async function insertKey(on: Queryable, key: ApiKey, digest: string): Promise<void> {
  await on.affect(
    `INSERT INTO api_key (company, id, name, hint, hash, scopes, test, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      key.company,
      key.id,
      key.name,
      key.hint,
      digest,
      key.scopes,
      key.test,
      key.createdAt,
      key.createdBy,
    ],
  );
}

interface KeyRow {
  readonly company: string;
  readonly id: string;
  readonly name: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly test: boolean;
}

async function findHolder(on: Queryable, digest: string): Promise<KeyHolder | null> {
  const rows = await on.query<KeyRow>(
    `SELECT company, id, name, hash, scopes, test FROM api_key
      WHERE hash = $1 AND revoked_at IS NULL`,
    [digest],
  );
  // The index has compared already; this comparison is the one that takes the same time always.
  const row = rows.find(({ hash }) => timingSafeEqual(Buffer.from(hash), Buffer.from(digest)));
  if (row === undefined) return null;
  const { company, id, name, scopes, test } = row;
  return { company, keyId: id, name, scopes: new Set(scopes), test };
}

async function revoke(
  on: Queryable,
  key: { company: string; id: string; revokedBy: string; at: Temporal.Instant },
): Promise<void> {
  const rows = await on.query<{ id: string }>(
    `UPDATE api_key SET revoked_at = coalesce(revoked_at, $3),
            revoked_by = coalesce(revoked_by, $4)
      WHERE company = $1 AND id::text = $2 RETURNING id`,
    [key.company, key.id, key.at, key.revokedBy],
  );
  if (rows.length > 0) return;
  throw new AccessError(
    "key-unknown",
    `Revoking API key ${key.id} of ${key.company}: there is no such key. ` +
      "`tradepost keys` shows them.",
  );
}

async function writeAudit(on: Queryable, entry: AuditEntry, at: Temporal.Instant): Promise<void> {
  await on.affect(
    `INSERT INTO audit (company, id, at, who, action, subject, details)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      entry.company,
      randomUUIDv7(),
      at,
      entry.who,
      entry.action,
      entry.subject,
      JSON.stringify(entry.details ?? {}),
    ],
  );
}
