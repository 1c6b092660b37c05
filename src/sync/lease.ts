/**
 * One run per stream at a time, over all instances. A lease is a row; it is renewed while the run
 * lives, and the publishing transaction checks it again, so that a run that lost it can never
 * publish.
 */
import type { Queryable, Store, Transaction } from "../store/index.ts";

export interface StreamKey {
  readonly company: string;
  readonly connection: string;
  readonly stream: string;
}

export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export interface Lease extends AsyncDisposable {
  readonly holder: string;
  /**
   * Locks the stream's row until the transaction ends, and renews the lease with it; throws
   * LeaseLost when another run has taken over.
   */
  hold(tx: Transaction): Promise<void>;
  /** Throws LeaseLost when another run has taken over; locks nothing. */
  check(): Promise<void>;
}

const keyOf = (key: StreamKey) => [key.company, key.connection, key.stream];

/** Takes the stream, or says until when another run has it. */
export async function takeLease(
  store: Store,
  key: StreamKey,
  options: { holder: string; now: () => Temporal.Instant; seconds: number },
): Promise<Lease | { readonly heldUntil: Temporal.Instant }> {
  const { holder, now, seconds } = options;
  const until = () => now().add({ seconds }).toString();
  const taken = await store.query(
    `insert into stream_state (company, connection, stream, holder, lease_until)
     values ($1, $2, $3, $4, $5)
     on conflict (company, connection, stream) do update set holder = $4, lease_until = $5
       where stream_state.holder is null or stream_state.lease_until < $6
     returning 1`,
    [...keyOf(key), holder, until(), now().toString()],
  );
  if (taken.length === 0) {
    const [row] = await store.query<{ lease_until: Temporal.Instant | null }>(
      `select lease_until from stream_state where company = $1 and connection = $2 and stream = $3`,
      keyOf(key),
    );
    return { heldUntil: row?.lease_until ?? now() };
  }
  const timer = setInterval(
    () => {
      // One that cannot reach the database is no fault: the lease runs out, and `hold` tells.
      renew(store, key, holder, until()).catch(() => undefined);
    },
    (seconds * 1000) / 3,
  );
  timer.unref();
  return {
    holder,
    hold: async (tx) => {
      if (!(await renew(tx, key, holder, until()))) throw lost(key);
    },
    check: async () => {
      if (!(await renew(store, key, holder, until()))) throw lost(key);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await store.affect(
        `update stream_state set holder = null, lease_until = null
          where company = $1 and connection = $2 and stream = $3 and holder = $4`,
        [...keyOf(key), holder],
      );
    },
  };
}

/** Whoever writes to a stream's records without reading it waits for the run that publishes now. */
export async function lockStream(tx: Transaction, key: StreamKey): Promise<void> {
  await tx.query(
    `select 1 from stream_state where company = $1 and connection = $2 and stream = $3 for update`,
    keyOf(key),
  );
}

/** False: another run has the stream now. */
async function renew(
  on: Queryable,
  key: StreamKey,
  holder: string,
  until: string,
): Promise<boolean> {
  const renewed = await on.affect(
    `update stream_state set lease_until = $5
      where company = $1 and connection = $2 and stream = $3 and holder = $4`,
    [...keyOf(key), holder, until],
  );
  return renewed > 0;
}

function lost(key: StreamKey): LeaseLost {
  return new LeaseLost(
    `Publishing ${key.connection}/${key.stream}: another run has taken the stream over. ` +
      "Nothing of this run was published; the other run does the work.",
  );
}
