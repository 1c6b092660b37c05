/** What pulls did. */
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import type { CompanyServices } from "./modules.ts";
import { instant, limited, orNull, text } from "./words.ts";

const filter = z.strictObject({
  stream: z.string().optional().describe("Only this stream: price-rules."),
  limit: limited(100, LIMITS.listEntries),
});

const count = z.number().int();
const counts = z
  .strictObject({
    record: text("Record made."),
    mapped: count.describe("Records that the mapping made of the rows."),
    before: count,
    inserted: count,
    updated: count,
    unchanged: count,
    repeated: count,
    removed: count,
    after: count,
    conflicts: count.describe("Records that could not be merged and wait in quarantine."),
  })
  .describe("before + inserted − removed = after.");

export const runSchema = z
  .strictObject({
    id: text("Its identity."),
    connection: text("Connection read."),
    stream: text("Stream read."),
    state: text("running, published, unchanged, stopped, refused or failed."),
    startedAt: instant("When it began."),
    endedAt: orNull(instant(""), "When it ended."),
    rows: z
      .strictObject({
        read: z.number().int(),
        mapped: z.number().int(),
        ignored: z.number().int(),
        repeated: z.number().int(),
        quarantined: z.number().int(),
      })
      .describe("read = mapped + ignored + repeated + quarantined."),
    records: z.record(z.string(), counts).describe("By mapping."),
    error: orNull(z.string(), "Why it did not end well."),
    note: orNull(z.string(), "What a person should know."),
  })
  .openapi("Run");

type RunRow = Awaited<ReturnType<CompanyServices["sync"]["runs"]>>[number];

export function shownRun(row: RunRow): z.input<typeof runSchema> {
  const { read, mapped, ignored, repeated, quarantined, ...run } = row;
  return {
    id: run.id,
    connection: run.connection,
    stream: run.stream,
    state: run.state,
    startedAt: run.startedAt.toString(),
    endedAt: run.endedAt?.toString() ?? null,
    rows: { read, mapped, ignored, repeated, quarantined },
    records: { ...run.counts },
    error: run.error,
    note: run.note,
  };
}

export const listRuns: Endpoint = endpoint({
  method: "get",
  address: "/v1/runs",
  scope: "sync",
  tag: "sync",
  summary: "What the last pulls read and made, newest first",
  query: filter,
  answers: { 200: "The runs." },
  answer: z
    .strictObject({
      runs: z.array(runSchema),
    })
    .openapi("Runs"),
  problems: [],
  async handle({ query, services }) {
    const { stream, limit } = query;
    const rows = await services.sync.runs({ ...(stream === undefined ? {} : { stream }), limit });
    return { body: { runs: rows.map(shownRun) } };
  },
});
