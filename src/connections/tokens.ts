/**
 * What a connection keeps between sessions: sealed rows, changed only by who saw the newest
 * version, and a lease for who renews. The version is the fence: a renewer that was given up for
 * dead and comes back finds its version gone.
 */
import type { KeptToken, TokenStore } from "../connector/index.ts";
import type { Store } from "../store/index.ts";
import type { Sealed, TokenKeys } from "./keys.ts";

export interface TokenContext {
  readonly store: Store;
  readonly company: string;
  readonly connection: string;
  readonly now: () => Temporal.Instant;
  /** Read when the first token is: most connections have none. */
  readonly keys: () => Promise<TokenKeys>;
  readonly wait: (ms: number) => Promise<void>;
  /** Every text that goes in or out, so that it is never shown. */
  readonly learnt: (secret: string) => void;
  readonly leaseSeconds: number;
}

interface Row {
  readonly version: number;
  readonly key_id: string;
  readonly nonce: Buffer;
  readonly sealed: Buffer;
}

export function tokenStore(context: TokenContext): TokenStore {
  return {
    read: (name) => read(context, name),
    write: (name, value, seen) => write(context, name, value, seen),
    alone: (name, refresh) => alone(context, name, refresh),
  };
}

async function read(context: TokenContext, name: string): Promise<KeptToken | null> {
  const [row] = await context.store.query<Row>(
    `select version, key_id, nonce, sealed from connection_token
      where company = $1 and connection = $2 and name = $3`,
    keyOf(context, name),
  );
  if (row === undefined) return null;
  const keys = await context.keys();
  const sealed = { keyId: row.key_id, nonce: row.nonce, sealed: row.sealed };
  const value = keys.open(sealed, keyOf(context, name));
  context.learnt(value);
  // A key that was replaced is soon needed no more.
  if (!keys.current(row.key_id))
    await put(context, name, {
      sealed: keys.seal(value, keyOf(context, name)),
      seen: row.version,
      version: row.version,
    });
  return { value, version: row.version };
}

async function write(
  context: TokenContext,
  name: string,
  value: string,
  seen: KeptToken | null,
): Promise<boolean> {
  context.learnt(value);
  const sealed = (await context.keys()).seal(value, keyOf(context, name));
  if (seen !== null)
    return put(context, name, { sealed, seen: seen.version, version: seen.version + 1 });
  const written = await context.store.affect(
    `insert into connection_token
       (company, connection, name, version, key_id, nonce, sealed, changed_at)
     values ($1, $2, $3, 1, $4, $5, $6, $7) on conflict do nothing`,
    [...keyOf(context, name), ...sealedValues(sealed), context.now().toString()],
  );
  return written > 0;
}

async function put(
  context: TokenContext,
  name: string,
  { sealed, seen, version }: { sealed: Sealed; seen: number; version: number },
): Promise<boolean> {
  const written = await context.store.affect(
    `update connection_token set key_id = $4, nonce = $5, sealed = $6, changed_at = $7, version = $8
      where company = $1 and connection = $2 and name = $3 and version = $9`,
    [...keyOf(context, name), ...sealedValues(sealed), context.now().toString(), version, seen],
  );
  return written > 0;
}

function sealedValues({ keyId, nonce, sealed }: Sealed): readonly unknown[] {
  return [keyId, nonce, sealed];
}

function keyOf({ company, connection }: TokenContext, name: string): readonly string[] {
  return [company, connection, name];
}

const LOOK_AGAIN_MS = 100;

/** The lease is renewed while the work goes on, and runs out by itself when its holder is dead. */
async function alone<T>(
  context: TokenContext,
  name: string,
  refresh: () => Promise<T>,
): Promise<T> {
  const holder = crypto.randomUUID();
  while (!(await take(context, name, holder)))
    await context.wait(LOOK_AGAIN_MS * (0.5 + Math.random()));
  const timer = setInterval(
    () => {
      // One that cannot reach the database is no fault: the lease runs out, and the version tells.
      take(context, name, holder).catch(() => undefined);
    },
    (context.leaseSeconds * 1000) / 3,
  );
  timer.unref();
  try {
    return await refresh();
  } finally {
    clearInterval(timer);
    await context.store
      .affect(
        `delete from connection_lease
          where company = $1 and connection = $2 and name = $3 and holder = $4`,
        [...keyOf(context, name), holder],
      )
      .catch(() => undefined);
  }
}

/** Takes or renews it. False: another has it. */
async function take(context: TokenContext, name: string, holder: string): Promise<boolean> {
  const now = context.now();
  const taken = await context.store.affect(
    `insert into connection_lease as held (company, connection, name, holder, lease_until)
     values ($1, $2, $3, $4, $5)
     on conflict (company, connection, name) do update set holder = $4, lease_until = $5
       where held.holder = $4 or held.lease_until < $6`,
    [
      ...keyOf(context, name),
      holder,
      now.add({ milliseconds: context.leaseSeconds * 1000 }).toString(),
      now.toString(),
    ],
  );
  return taken > 0;
}
