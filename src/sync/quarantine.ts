/**
 * What could not be used waits here with its raw form, the reason and what to do, and nothing that
 * was read is lost. An item closes when its row is replayed well, when the stream's next whole
 * snapshot arrives (what is still bad is then quarantined anew), when a delta brings the same
 * record well, or when a person dismisses it.
 */
import type { Mapping } from "../mapping/index.ts";
import { keyText, type Staging, type Store, type Transaction } from "../store/index.ts";
import type { At } from "./journal.ts";

export interface Problem {
  /** Field of the record, or "" when the whole row is meant. */
  readonly field: string;
  readonly found: string;
  readonly expected: string;
  readonly instruction: string;
}

/** An item about to be stored. */
export interface NewItem {
  readonly mapping: string | null;
  readonly record: string | null;
  /** Key of the record that the row would have been, " / " between; null when it cannot be told. */
  readonly recordKey: string | null;
  readonly originId: string;
  readonly originName: string;
  /** Physical line; 0: the whole file. */
  readonly line: number;
  /** "" when only the archived original has it. */
  readonly raw: string;
  readonly values: Readonly<Record<string, unknown>> | null;
  readonly problems: readonly Problem[];
  /** Money at risk as decimal text; null when the mapping names none. */
  readonly worth: string | null;
}

export interface Item extends Omit<NewItem, "originId"> {
  readonly id: string;
  readonly originId: string;
  readonly connection: string;
  readonly stream: string;
  readonly runId: string;
  readonly state: "open" | "resolved" | "dismissed";
  readonly openedAt: Temporal.Instant;
  readonly closedAt: Temporal.Instant | null;
  readonly closedBy: string | null;
}

const CHUNK = 500;
const COLUMNS = `company, id, connection, stream, mapping, run_id, origin_id, origin_name, line, raw,
  row_values, record, record_key, problems, worth, state, opened_at`;

export async function openItems(tx: Transaction, at: At, items: readonly NewItem[]): Promise<void> {
  for (let start = 0; start < items.length; start += CHUNK) {
    const chunk = items.slice(start, start + CHUNK).map((item) => ({
      id: crypto.randomUUID(),
      ...item,
      raw: item.raw.replaceAll("\u0000", "\u2400"),
    }));
    await tx.query(
      `insert into quarantine (${COLUMNS})
       select $1, i.id, $2, $3, i.mapping, $4, i."originId", i."originName", i.line, i.raw,
              i."values", i.record, i."recordKey", i.problems, i.worth, 'open', $5
         from jsonb_to_recordset($6::jsonb) as i(id uuid, mapping text, "originId" uuid,
              "originName" text, line int, raw text, "values" jsonb, record text,
              "recordKey" text, problems jsonb, worth numeric)`,
      [at.company, at.connection, at.stream, at.runId, at.now.toString(), jsonOf(chunk)],
    );
  }
}

/** jsonb cannot hold NUL: it is shown as the symbol for it. */
function jsonOf(value: unknown): string {
  return JSON.stringify(value).replaceAll("\\u0000", "\\u2400");
}

/**
 * A whole snapshot came, and what was left open is answered by it. `files`: it is the last one
 * again, so only whole files that were refused since are answered.
 */
export async function closeAnswered(
  tx: Transaction,
  at: At,
  what: "everything" | "files",
): Promise<number> {
  return tx.affect(
    `update quarantine set state = 'resolved', closed_at = $4, closed_by = 'a newer snapshot'
      where company = $1 and connection = $2 and stream = $3 and state = 'open'
        and ($5 or (mapping is null and line = 0))`,
    [at.company, at.connection, at.stream, at.now.toString(), what === "everything"],
  );
}

/**
 * Records that are staged have arrived well: rows that would have been the same records are
 * answered.
 */
export async function closeArrivedItems(
  tx: Transaction,
  at: At,
  mapping: Mapping,
  staging: Staging,
): Promise<number> {
  return tx.affect(
    `update quarantine q
        set state = 'resolved', closed_at = $5, closed_by = 'the record arrived well'
      where company = $1 and connection = $2 and stream = $3 and mapping = $4 and state = 'open'
        and exists (select 1 from ${staging.table} s
                     where ${keyText(mapping.record, "s")} = q.record_key)`,
    [at.company, at.connection, at.stream, mapping.id, at.now.toString()],
  );
}

/** False: it was closed already. */
export async function closeItem(
  tx: Transaction,
  company: string,
  close: { id: string; state: "resolved" | "dismissed"; by: string; at: Temporal.Instant },
): Promise<boolean> {
  const closed = await tx.affect(
    `update quarantine set state = $3, closed_at = $4, closed_by = $5
      where company = $1 and id = $2 and state = 'open'`,
    [company, close.id, close.state, close.at.toString(), close.by],
  );
  return closed > 0;
}

const SELECT = `select id, connection, stream, mapping, run_id as "runId", origin_id as "originId",
  origin_name as "originName", line, raw, row_values as "values", record, record_key as "recordKey",
  problems, worth, state, opened_at as "openedAt", closed_at as "closedAt", closed_by as "closedBy" from quarantine`;

/** Open items first by money at risk, then oldest first. */
export async function listItems(
  store: Store,
  company: string,
  filter: { stream?: string; state?: "open" | "resolved" | "dismissed"; limit: number },
): Promise<Item[]> {
  return store.query<Item>(
    `${SELECT} where company = $1 and state = $2 and ($3::text is null or stream = $3)
      order by worth desc nulls last, opened_at, origin_name, line limit $4`,
    [company, filter.state ?? "open", filter.stream ?? null, filter.limit],
  );
}

/** One item by its id, or by the beginning of it as it is printed. */
export async function findItems(store: Store, company: string, id: string): Promise<Item[]> {
  return store.query<Item>(
    `${SELECT} where company = $1 and id::text like $2 order by id limit 2`,
    [company, `${id.toLowerCase().replaceAll(/[^0-9a-f-]/g, "")}%`],
  );
}

export interface QuarantineTotals {
  readonly open: number;
  /** Sum of the open items' money at risk, decimal text. */
  readonly worth: string;
}

export async function quarantineTotals(store: Store, company: string): Promise<QuarantineTotals> {
  const [row] = await store.query<{ open: number; worth: string }>(
    `select count(*)::int as open, coalesce(sum(worth), 0)::numeric(18,2)::text as worth
       from quarantine where company = $1 and state = 'open'`,
    [company],
  );
  return row ?? { open: 0, worth: "0.00" };
}
