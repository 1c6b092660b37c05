/**
 * Findings about completeness as they are kept: one open finding a stream, kind and subject. It is
 * found again, closes when what it misses is there, or is explained by a person.
 */
import { randomUUIDv7 } from "node:crypto";
import type { Json } from "../connector/index.ts";
import type { Queryable } from "../store/index.ts";
import type { At } from "./journal.ts";

/**
 * gap: numbers left out. late: documents of days that were over. ahead: documents of days to come.
 * orphan: accounts and products that rows name and that are not held.
 * unknown-order: web orders that rows name and that nobody here took.
 * nothing: content in which nothing was new. empty: a file without rows. shrinking: far fewer rows
 * than last time. volume: unlike the same weekday.
 */
export const FINDING_KINDS = [
  "gap",
  "late",
  "ahead",
  "orphan",
  "unknown-order",
  "nothing",
  "empty",
  "shrinking",
  "volume",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface NewFinding {
  readonly kind: FindingKind;
  /** What it is about inside its stream. */
  readonly subject: string;
  readonly title: string;
  readonly detail: string;
  readonly instruction: string;
  readonly facts: Json;
  /** Money in it as decimal text; null when not known. */
  readonly worth: string | null;
}

export interface CompletenessFinding extends NewFinding {
  readonly id: string;
  readonly connection: string;
  readonly stream: string;
  /** How many runs have found it. */
  readonly times: number;
  readonly state: "open" | "explained" | "closed";
  readonly runId: string;
  readonly openedAt: Temporal.Instant;
  readonly lastSeenAt: Temporal.Instant;
  readonly closedAt: Temporal.Instant | null;
  /** What closed it, or who explained it. */
  readonly closedBy: string | null;
  readonly explanation: string | null;
}

/** Opens it, or says that it was found again; one that a person explained stays explained. */
export async function keepFinding(on: Queryable, at: At, finding: NewFinding): Promise<void> {
  const { kind, subject, title, detail, instruction, facts, worth } = finding;
  const what = [title, detail, instruction, JSON.stringify(facts), worth];
  const again = await on.affect(
    `update completeness_finding
        set title = $6, detail = $7, instruction = $8, facts = $9, worth = $10, times = times + 1,
            last_seen_at = $11, run_id = $12
      where company = $1 and connection = $2 and stream = $3 and kind = $4 and subject = $5
        and state in ('open', 'explained')`,
    [at.company, at.connection, at.stream, kind, subject, ...what, at.now.toString(), at.runId],
  );
  if (again > 0) return;
  await on.affect(
    `insert into completeness_finding (company, connection, stream, kind, subject, title, detail,
                                       instruction, facts, worth, last_seen_at, opened_at, run_id,
                                       id, times, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, 1, 'open')`,
    [
      at.company,
      at.connection,
      at.stream,
      kind,
      subject,
      ...what,
      at.now.toString(),
      at.runId,
      randomUUIDv7(),
    ],
  );
}

/** What it missed is there, or is no longer missed. */
export async function closeFinding(
  on: Queryable,
  at: At,
  { kind, subject }: Pick<NewFinding, "kind" | "subject">,
  why: string,
): Promise<void> {
  await on.affect(
    `update completeness_finding set state = 'closed', closed_at = $6, closed_by = $7, run_id = $8
      where company = $1 and connection = $2 and stream = $3 and kind = $4 and subject = $5
        and state in ('open', 'explained')`,
    [at.company, at.connection, at.stream, kind, subject, at.now.toString(), why, at.runId],
  );
}

const SELECT = `select id, connection, stream, kind, subject, title, detail, instruction, facts,
  worth::text as worth, times, state, run_id as "runId", opened_at as "openedAt",
  last_seen_at as "lastSeenAt", closed_at as "closedAt", closed_by as "closedBy", explanation
  from completeness_finding`;

/** What is left out fits everything; `state` is open unless said. */
export interface FindingFilter {
  readonly stream?: string | undefined;
  readonly kind?: FindingKind | undefined;
  readonly state?: CompletenessFinding["state"] | "any" | undefined;
}

/** Most money first, then newest first. */
export async function listFindings(
  on: Queryable,
  company: string,
  { stream, kind, state, limit }: FindingFilter & { readonly limit: number },
): Promise<CompletenessFinding[]> {
  return on.query<CompletenessFinding>(
    `${SELECT} where company = $1 and ($2::text is null or stream = $2)
        and ($3::text is null or kind = $3) and ($4 = 'any' or state = $4)
      order by worth desc nulls last, opened_at desc, id limit $5`,
    [company, stream ?? null, kind ?? null, state ?? "open", limit],
  );
}

/** By id, or by the beginning or end of it. */
export async function findFindings(
  on: Queryable,
  company: string,
  id: string,
): Promise<CompletenessFinding[]> {
  if (!/^[0-9a-f-]{1,36}$/i.test(id)) return [];
  const part = id.toLowerCase();
  return on.query<CompletenessFinding>(
    `${SELECT} where company = $1 and (id::text like $2 or id::text like $3) order by id limit 2`,
    [company, `${part}%`, `%${part}`],
  );
}

/** Findings of a stream that can still close. */
export async function liveFindings(
  on: Queryable,
  at: At,
  kind: FindingKind,
  limit: number,
): Promise<CompletenessFinding[]> {
  return on.query<CompletenessFinding>(
    `${SELECT} where company = $1 and connection = $2 and stream = $3 and kind = $4
        and state in ('open', 'explained') order by id limit $5`,
    [at.company, at.connection, at.stream, kind, limit],
  );
}

/** What a run found or closed. */
export async function findingsOf(
  on: Queryable,
  company: string,
  runId: string,
): Promise<CompletenessFinding[]> {
  return on.query<CompletenessFinding>(`${SELECT} where company = $1 and run_id = $2 order by id`, [
    company,
    runId,
  ]);
}
