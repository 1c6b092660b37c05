/** Pulls asked for, looked at and stopped over HTTP, and what looks incomplete in them. */
import { whoOf } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { runSchema, shownRun } from "./sync-routes.ts";
import { instant, limited, orNull, text } from "./words.ts";
import { FINDING_KINDS } from "../sync/index.ts";

export const startPull: Endpoint = endpoint({
  method: "post",
  address: "/v1/runs",
  scope: "sync",
  tag: "sync",
  summary: "Read what waits at a connection now",
  description: "It is queued and read by the service; GET /v1/runs shows its runs as they begin.",
  body: {
    schema: z
      .strictObject({
        connection: text("Connection to read: erp."),
        streams: z
          .array(z.string().min(1))
          .max(100)
          .default([])
          .describe("Streams to read; none: all that a mapping reads."),
        acceptRemovals: z
          .boolean()
          .default(false)
          .describe("True: a snapshot may remove more than the drop brake allows."),
      })
      .openapi("PullRequest"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 202: "It is queued." },
  answer: z
    .strictObject({
      connection: text("Connection that is read."),
      streams: z.array(z.string()).describe("Streams that are read; none: all."),
    })
    .openapi("PullQueued"),
  problems: ["connection-unknown", "stream-unknown"],
  async handle({ body, holder, services }) {
    const refusal = await services.sync.askToPull(body, whoOf(holder, undefined));
    if (refusal !== null) throw new Problem(refusal.code, refusal.detail);
    return { status: 202, body: { connection: body.connection, streams: body.streams } };
  },
});

const path = z.strictObject({ id: z.uuid().describe("The run's identity.") });

function unknownRun(id: string): Problem {
  return new Problem(
    "run-unknown",
    `Looking up run ${id}: there is none. GET /v1/runs lists the last ones.`,
  );
}

export const showRun: Endpoint = endpoint({
  method: "get",
  address: "/v1/runs/{id}",
  scope: "sync",
  tag: "sync",
  summary: "What one pull of a stream read and made",
  path,
  answers: { 200: "The run." },
  answer: runSchema,
  problems: ["run-unknown"],
  async handle({ path: { id }, services }) {
    const run = await services.sync.run(id);
    if (run === null) throw unknownRun(id);
    return { body: shownRun(run) };
  },
});

export const stopRun: Endpoint = endpoint({
  method: "post",
  address: "/v1/runs/{id}/stop",
  scope: "sync",
  tag: "sync",
  summary: "Ask a running pull to stop at its next safe point",
  description: "What it has read is kept, and the next run goes on with it.",
  path,
  answers: { 202: "It is asked to stop." },
  answer: runSchema,
  problems: ["run-unknown", "run-ended"],
  async handle({ path: { id }, holder, services }) {
    const run = await services.sync.run(id);
    if (run === null) throw unknownRun(id);
    if (!(await services.sync.stopRun(id, whoOf(holder, undefined))))
      throw new Problem("run-ended", `Stopping run ${id}: it is ${run.state}, and runs no more.`);
    return { status: 202, body: shownRun(run) };
  },
});

export const showCompleteness: Endpoint = endpoint({
  method: "get",
  address: "/v1/completeness",
  scope: "sync",
  tag: "sync",
  summary:
    "What looks incomplete: numbers left out, documents late or dated ahead, codes unmapped, odd files",
  query: z.strictObject({
    stream: z.string().optional().describe("Only this stream: sales-documents."),
    kind: z.enum(FINDING_KINDS).optional().describe("Only of this kind."),
    state: z
      .enum(["open", "explained", "closed", "any"])
      .default("open")
      .describe("How they stand."),
    limit: limited(100, LIMITS.listEntries),
  }),
  answers: { 200: "The findings that fit." },
  answer: z
    .strictObject({
      findings: z.array(
        z.strictObject({
          id: text("Its identity."),
          connection: text("Connection it was found in."),
          stream: text("Stream it was found in."),
          kind: text(`One of ${FINDING_KINDS.join(", ")}.`),
          state: text("open, explained or closed."),
          title: text("What was found."),
          detail: text("Where, and the figures."),
          instruction: text("What to do about it."),
          facts: z.unknown().describe("Its figures, by kind."),
          worth: orNull(z.string(), "Money in it."),
          times: z.number().int().describe("How many runs have found it."),
          openedAt: instant("Since when."),
          closedAt: orNull(instant(""), "When it was closed or explained."),
          closedBy: orNull(z.string(), "What closed it, or who explained it."),
          explanation: orNull(z.string(), "What a person says of it."),
        }),
      ),
    })
    .openapi("Completeness"),
  problems: [],
  async handle({ query, services }) {
    const findings = await services.sync.completeness.list(query);
    return {
      body: {
        findings: findings.map((each) => ({
          id: each.id,
          connection: each.connection,
          stream: each.stream,
          kind: each.kind,
          state: each.state,
          title: each.title,
          detail: each.detail,
          instruction: each.instruction,
          facts: each.facts,
          worth: each.worth,
          times: each.times,
          openedAt: each.openedAt.toString(),
          closedAt: each.closedAt?.toString() ?? null,
          closedBy: each.closedBy,
          explanation: each.explanation,
        })),
      },
    };
  },
});
