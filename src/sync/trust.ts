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
  /** One for each stream that is read for it; null: it was never read with success. */
  freshness(): Promise<{ source: string; at: Temporal.Instant | null }[]>;
  quarantined(): Promise<{ record: string; rows: number; worth: string | null }[]>;
  setAside(documents: readonly string[]): Promise<ReadonlyMap<string, string>>;
  origin(originId: string): Promise<OriginFact | null>;
}

/** The records that something rests on, and the streams that mappings read them from. */
export interface Rested {
  readonly records: readonly string[];
  readonly reads: readonly { readonly connection: string; readonly stream: string }[];
}

export function trustSources(store: Queryable, company: string, watched: Rested): TrustSources {
  const connections = watched.reads.map(({ connection }) => connection);
  const streams = watched.reads.map(({ stream }) => stream);
  return {
    freshness: () =>
      store.prepared(
        `select distinct r.connection || '/' || r.stream as source, s.last_applied_at as at
           from unnest($2::text[], $3::text[]) as r(connection, stream)
           left join stream_state s
             on s.company = $1 and s.connection = r.connection and s.stream = r.stream
          order by 1`,
        [company, connections, streams],
      ),
    quarantined: () =>
      store.query(
        `select coalesce(record, stream) as record, count(*)::int as rows,
                sum(worth)::numeric(18,2)::text as worth
           from quarantine
          where company = $1 and state = 'open' and (record = any($2) or stream = any($3))
          group by 1 order by 1`,
        [company, watched.records, streams],
      ),
    setAside: (documents) => setAside(store, company, documents, streams),
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
