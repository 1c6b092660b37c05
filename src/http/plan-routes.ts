/** Plans over HTTP: what a pull would do, and doing exactly that. */
import type { PlanDocument, RunResult } from "../sync/index.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { instant, orNull, text } from "./words.ts";

/** The digest in it covers every word, so nothing of it is taken apart here. */
const plan = z
  .looseObject({
    document: z.literal("tradepost plan"),
    kind: z.enum(["pull", "replay"]).describe("Of what waits, or of what was read before."),
    connection: text("Connection that it is about."),
    madeAt: instant("When it was made."),
    expiresAt: instant("Until when it can be applied."),
    streams: z
      .array(z.looseObject({ stream: text("Stream."), state: text("planned, or why not.") }))
      .describe("By stream: origins, rows, changes of records, the effect on prices, bad rows."),
    sha256: text("Digest of all the rest."),
  })
  .openapi("Plan");

export const makePlan: Endpoint = endpoint({
  method: "post",
  address: "/v1/plans",
  scope: "sync",
  tag: "sync",
  summary: "What a pull would insert, change and remove, with the effect on prices",
  description: "Reads what waits and publishes nothing. Keep the answer: it is what is applied.",
  body: {
    schema: z
      .strictObject({
        connection: text("Connection to read: erp."),
        streams: z.array(z.string().min(1)).max(100).default([]).describe("None: all of them."),
      })
      .openapi("PlanRequest"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "The plan." },
  answer: plan,
  problems: ["connection-unknown", "stream-unknown"],
  async handle({ body: { connection, streams }, services }) {
    const refusal = services.sync.pullRefusal({ connection, streams });
    if (refusal !== null) throw new Problem(refusal.code, refusal.detail);
    const made = await services.sync.plan(connection, streams.length === 0 ? {} : { streams });
    return { body: plan.parse(JSON.parse(JSON.stringify(made))) };
  },
});

export const applyPlan: Endpoint = endpoint({
  method: "post",
  address: "/v1/plans/apply",
  scope: "sync",
  tag: "sync",
  summary: "Do exactly what a plan says, or refuse because the world moved",
  body: {
    schema: z
      .strictObject({
        plan: plan.describe("As it was answered, every word of it."),
        acceptRemovals: z
          .boolean()
          .default(false)
          .describe("True: it may remove more than the drop brake allows."),
      })
      .openapi("PlanApplication"),
    limitBytes: LIMITS.planBodyBytes,
  },
  answers: { 200: "It is done." },
  answer: z
    .strictObject({
      runs: z.array(
        z.strictObject({
          id: orNull(z.string(), "Its identity."),
          stream: text("Stream that it read."),
          state: text("published."),
          notes: z.array(z.string()).describe("What a person should know."),
        }),
      ),
    })
    .openapi("PlanApplied"),
  problems: ["connection-unknown", "plan-refused"],
  async handle({ body, services }) {
    // Its digest is compared before a word of it is believed.
    const document = body.plan as unknown as PlanDocument;
    const { connection } = document;
    const refusal = services.sync.pullRefusal({ connection, streams: [] });
    if (refusal !== null) throw new Problem(refusal.code, refusal.detail);
    const { acceptRemovals } = body;
    const runs = await services.sync.apply(document, { acceptRemovals }).catch(refused);
    return {
      body: {
        runs: runs.map(({ runId, stream, state, notes }) => ({
          id: runId,
          stream,
          state,
          notes: [...notes],
        })),
      },
    };
  },
});

function refused(error: unknown): RunResult[] {
  if (error instanceof Error && error.name === "PlanRefused")
    throw new Problem("plan-refused", error.message, { cause: error });
  throw error;
}
