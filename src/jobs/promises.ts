/** Since when each promised stream has been promised, over restarts. */
import type { Store } from "../store/index.ts";

export interface PromisedStream {
  readonly connection: string;
  readonly stream: string;
}

export interface PromiseSince extends PromisedStream {
  readonly since: Temporal.Instant;
}

/** New promises begin now; one that is not made any more is forgotten. */
export async function promisedSince(
  store: Store,
  company: string,
  promises: readonly PromisedStream[],
  now: Temporal.Instant,
): Promise<readonly PromiseSince[]> {
  const given = [
    company,
    promises.map(({ connection }) => connection),
    promises.map(({ stream }) => stream),
  ];
  const known = await store.query<PromiseSince>(SELECT, [company]);
  const same =
    known.length === promises.length &&
    promises.every(({ connection, stream }) =>
      known.some((each) => each.connection === connection && each.stream === stream),
    );
  if (same) return known;
  return store.transaction(async (tx) => {
    await tx.affect(
      `delete from stream_promise where company = $1 and not (connection, stream) in
         (select * from unnest($2::text[], $3::text[]))`,
      given,
    );
    await tx.affect(
      `insert into stream_promise (company, connection, stream, since)
       select $1, c, s, $4 from unnest($2::text[], $3::text[]) p (c, s) on conflict do nothing`,
      [...given, now],
    );
    return tx.query<PromiseSince>(SELECT, [company]);
  });
}

const SELECT = "select connection, stream, since from stream_promise where company = $1";
