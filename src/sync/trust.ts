/** What a total needs to say how far it can be trusted, and a posting to name its file. */
import type { Queryable } from "../store/index.ts";

export interface OriginFact {
  readonly name: string;
  readonly keptAt: string | null;
  readonly connection: string;
  readonly stream: string;
  readonly runId: string;
}

export interface TrustSources {
  freshness(): Promise<{ source: string; at: Temporal.Instant | null }[]>;
  quarantined(): Promise<{ record: string; rows: number; worth: string | null }[]>;
  setAside(documents: readonly string[]): Promise<ReadonlyMap<string, string>>;
  origin(originId: string): Promise<OriginFact | null>;
}

/** For the streams that the named records are read from. */
export function trustSources(
  store: Queryable,
  company: string,
  watched: { readonly streams: readonly string[]; readonly records: readonly string[] },
): TrustSources {
  return {
    freshness: () =>
      store.query(
        `select connection || '/' || stream as source, last_applied_at as at from stream_state
          where company = $1 and stream = any($2) order by 1`,
        [company, watched.streams],
      ),
    quarantined: () =>
      store.query(
        `select coalesce(record, stream) as record, count(*)::int as rows,
                sum(worth)::numeric(18,2)::text as worth
           from quarantine
          where company = $1 and state = 'open' and (record = any($2) or stream = any($3))
          group by 1 order by 1`,
        [company, watched.records, watched.streams],
      ),
    setAside: (documents) => setAside(store, company, documents, watched.streams),
    origin: (originId) => originOf(store, company, originId),
  };
}

/** Where an origin was read; null: it is not known. */
export async function originOf(
  store: Queryable,
  company: string,
  originId: string,
): Promise<OriginFact | null> {
  const [row] = await store.query<OriginFact>(
    `select name, kept_at as "keptAt", connection, stream, run_id as "runId"
       from origin where company = $1 and id = $2`,
    [company, originId],
  );
  return row ?? null;
}

/**
 * Of these documents, those that stand in a row set aside: searched in its values, else in its
 * text.
 */
async function setAside(
  store: Queryable,
  company: string,
  documents: readonly string[],
  streams: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await store.query<{ document: string; reason: string }>(
    `select distinct on (d.document) d.document,
            q.origin_name || ' line ' || q.line || ': ' || (q.problems -> 0 ->> 'found') as reason
       from unnest($2::text[]) as d(document)
       join quarantine q on q.company = $1 and q.state = 'open' and q.stream = any($3)
        and (exists (select 1 from jsonb_each_text(q.row_values) v where v.value = d.document)
             or (q.row_values is null and q.raw like '%' || d.document || '%'))
      order by d.document, q.opened_at`,
    [company, documents, streams],
  );
  return new Map(rows.map(({ document, reason }) => [document, reason]));
}
