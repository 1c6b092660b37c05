/** Rows that name something and could not be used, as whoever waits for it wants to know. */
import type { Queryable } from "../store/index.ts";

export interface QuarantinedName {
  /** As it was asked for; null: a whole file was refused, and whatever it names nobody knows. */
  readonly name: string | null;
  readonly connection: string;
  readonly stream: string;
  /** The file or answer, and the line in it; 0: all of it. */
  readonly origin: string;
  readonly line: number;
  readonly reason: string;
  readonly lastSeenAt: Temporal.Instant;
}

/** Open items of the quarantine, the oldest first. */
export function quarantinedNames(
  store: Queryable,
  company: string,
  reads: readonly { readonly connection: string; readonly stream: string }[],
  names: readonly string[],
): Promise<QuarantinedName[]> {
  return store.query<QuarantinedName>(
    `select n.name, q.connection, q.stream, q.origin_name as origin, q.line, q.reason,
            q.last_seen_at as "lastSeenAt"
       from quarantine q
       join unnest($2::text[], $3::text[]) as r(connection, stream)
         on r.connection = q.connection and r.stream = q.stream
       left join unnest($4::text[]) as n(name)
         on q.line > 0
        and (exists (select 1 from jsonb_each_text(q.row_values) v
                      where lower(btrim(v.value)) = lower(n.name))
             or q.row_values is null and strpos(lower(q.raw), lower(n.name)) > 0)
      where q.company = $1 and q.state = 'open' and (n.name is not null or q.line = 0)
      order by q.opened_at, q.id`,
    [company, reads.map(({ connection }) => connection), reads.map(({ stream }) => stream), names],
  );
}
