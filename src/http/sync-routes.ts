/** What pulls did, and what waits in quarantine. */
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { amount, instant, limited, orNull, text } from "./words.ts";

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
      runs: z.array(
        z.strictObject({
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
        }),
      ),
    })
    .openapi("Runs"),
  problems: [],
  async handle({ query, services }) {
    const { stream, limit } = query;
    const rows = await services.sync.runs({ ...(stream === undefined ? {} : { stream }), limit });
    return {
      body: {
        runs: rows.map(({ read, mapped, ignored, repeated, quarantined, ...run }) => ({
          id: run.id,
          connection: run.connection,
          stream: run.stream,
          state: run.state,
          startedAt: run.startedAt.toString(),
          endedAt: run.endedAt?.toString() ?? null,
          rows: { read, mapped, ignored, repeated, quarantined },
          records: run.counts,
          error: run.error,
          note: run.note,
        })),
      },
    };
  },
});

export const listQuarantine: Endpoint = endpoint({
  method: "get",
  address: "/v1/quarantine",
  scope: "sync",
  tag: "sync",
  summary: "Rows that could not be used, by money at risk, with what to do",
  query: filter,
  answers: { 200: "The open items and their totals." },
  answer: z
    .strictObject({
      open: z.number().int().describe("How many wait in all."),
      worth: amount("Money at risk in all."),
      items: z.array(
        z.strictObject({
          id: text("Its identity."),
          connection: text("Connection it was read from."),
          stream: text("Stream it was read from."),
          record: orNull(z.string(), "Record it should have become."),
          mapping: orNull(z.string(), "Mapping that refused it."),
          origin: text("File, page or table."),
          line: z.number().int().describe("Line in it; 0: the whole."),
          raw: text("The row as it stood; empty when only the kept original has it."),
          problems: z.array(
            z.strictObject({
              field: text("Field, or empty: the whole row."),
              found: text("What stood there."),
              expected: text("What belongs there."),
              instruction: text("What to do about it."),
            }),
          ),
          worth: orNull(z.string(), "Money at risk."),
          openedAt: instant("Since when it waits."),
        }),
      ),
    })
    .openapi("Quarantine"),
  problems: [],
  async handle({ query, services }) {
    const { stream, limit } = query;
    const { quarantine } = services.sync;
    const [totals, items] = await Promise.all([
      quarantine.totals(),
      quarantine.list({ ...(stream === undefined ? {} : { stream }), limit }),
    ]);
    return {
      body: {
        open: totals.open,
        worth: totals.worth,
        items: items.map((item) => ({
          id: item.id,
          connection: item.connection,
          stream: item.stream,
          record: item.record,
          mapping: item.mapping,
          origin: item.originName,
          line: item.line,
          raw: item.raw,
          problems: item.problems,
          worth: item.worth,
          openedAt: item.openedAt.toString(),
        })),
      },
    };
  },
});
