/** The quarantine desk over HTTP: what waits, like with like, and what is done about it. */
import type { QuarantineDesk } from "../sync/index.ts";
import { who, whoOf, why } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { Problem } from "./problem.ts";
import { amount, instant, limited, orNull, text } from "./words.ts";

type Item = Awaited<ReturnType<QuarantineDesk["find"]>>;

const STATES = ["open", "resolved", "dismissed", "any"] as const;

const fits = {
  stream: z.string().optional().describe("Only this stream: price-rules."),
  connection: z.string().optional().describe("Only of this connection."),
  field: z.string().optional().describe("Only where this field of the record is wrong."),
  reason: z.string().optional().describe("Only where the reason has these words."),
  account: z.string().optional().describe("Only what is about this customer."),
};

const item = z
  .strictObject({
    id: text("Its identity."),
    state: z.enum(["open", "resolved", "dismissed"]).describe("How it stands."),
    connection: text("Connection it was read from."),
    stream: text("Stream it was read from."),
    record: orNull(z.string(), "Record it should have become."),
    recordKey: orNull(z.string(), "Key of that record."),
    mapping: orNull(z.string(), "Mapping that refused it."),
    runId: text("Run that last read it."),
    origin: text("File, page or table."),
    line: z.number().int().describe("Line in it; 0: the whole."),
    raw: text("The row as it stood; empty when only the kept original has it."),
    columns: orNull(z.record(z.string(), z.unknown()), "The row by column."),
    reason: text("What like rows have in common: unitPrice is blank."),
    problems: z.array(
      z.strictObject({
        field: text("Field, or empty: the whole row."),
        found: text("What stood there."),
        expected: text("What belongs there."),
        instruction: text("What to do about it."),
      }),
    ),
    worth: orNull(z.string(), "Money at risk."),
    customers: orNull(z.number().int(), "How many customers it touches."),
    correctionHolds: z
      .boolean()
      .describe("The source is not mended, and the record stays as a person corrected it."),
    openedAt: instant("Since when it waits."),
    firstSeenAt: instant("When this very row came first."),
    cameAgain: z.number().int().describe("How often it came again unchanged."),
    closedAt: orNull(instant(""), "When it was closed."),
    closedBy: orNull(z.string(), "What closed it, or who."),
  })
  .openapi("QuarantineItem");

function shownItem(one: Item): z.input<typeof item> {
  const { originName, values, openedAt, firstSeenAt, closedAt } = one;
  return {
    id: one.id,
    state: one.state,
    connection: one.connection,
    stream: one.stream,
    record: one.record,
    recordKey: one.recordKey,
    mapping: one.mapping,
    runId: one.runId,
    origin: originName,
    line: one.line,
    raw: one.raw,
    columns: values === null ? null : { ...values },
    reason: one.reason,
    problems: [...one.problems],
    worth: one.worth,
    customers: one.customers,
    correctionHolds: one.correctionHolds,
    openedAt: openedAt.toString(),
    firstSeenAt: firstSeenAt.toString(),
    cameAgain: one.cameAgain,
    closedAt: closedAt?.toString() ?? null,
    closedBy: one.closedBy,
  };
}

export const listQuarantine: Endpoint = endpoint({
  method: "get",
  address: "/v1/quarantine",
  scope: "sync",
  tag: "sync",
  summary: "Rows that could not be used, by money at risk, with what to do",
  query: z.strictObject({
    ...fits,
    state: z.enum(STATES).default("open").describe("How they stand."),
    limit: limited(100, LIMITS.listEntries),
  }),
  answers: { 200: "The items that fit, like ones as groups, and the totals of all that is open." },
  answer: z
    .strictObject({
      open: z.number().int().describe("How many wait in all."),
      worth: amount("Money at risk in all."),
      groups: z.array(
        z.strictObject({
          connection: text("Connection they were read from."),
          stream: text("Stream they were read from."),
          mapping: orNull(z.string(), "Mapping that refused them."),
          reason: text("What they have in common."),
          items: z.number().int().describe("How many they are."),
          worth: orNull(z.string(), "Their money at risk."),
          customers: orNull(z.number().int(), "How many customers they touch."),
          since: instant("Since when the oldest waits."),
        }),
      ),
      items: z.array(item),
    })
    .openapi("Quarantine"),
  problems: [],
  async handle({ query, services }) {
    const { quarantine } = services.sync;
    const [totals, groups, items] = await Promise.all([
      quarantine.totals(),
      quarantine.groups(query),
      quarantine.list(query),
    ]);
    return {
      body: {
        ...totals,
        groups: groups.map((group) => ({
          connection: group.connection,
          stream: group.stream,
          mapping: group.mapping,
          reason: group.reason,
          items: group.items,
          worth: group.worth,
          customers: group.customers,
          since: group.since.toString(),
        })),
        items: items.map(shownItem),
      },
    };
  },
});

const path = z.strictObject({ id: z.uuid().describe("The item's identity.") });

async function itemOf(desk: Pick<QuarantineDesk, "find">, id: string): Promise<Item> {
  try {
    return await desk.find(id);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "ItemUnknown") throw error;
    throw new Problem(
      "quarantine-item-unknown",
      `Looking up quarantine item ${id}: there is none. GET /v1/quarantine lists them.`,
    );
  }
}

export const showQuarantineItem: Endpoint = endpoint({
  method: "get",
  address: "/v1/quarantine/{id}",
  scope: "sync",
  tag: "sync",
  summary: "One row that could not be used, with what is held of its record and what was done",
  path,
  answers: { 200: "The item." },
  answer: item
    .extend({
      held: orNull(
        z.record(z.string(), z.unknown()),
        "Fields of the record that it would be, as it is held now.",
      ),
      history: z.array(
        z.strictObject({
          at: instant("When."),
          who: text("Who did it."),
          action: text("corrected, replayed, dismissed or reopened."),
          details: z.record(z.string(), z.unknown()).describe("Why, or what was put right."),
        }),
      ),
    })
    .openapi("QuarantineItemWhole"),
  problems: ["quarantine-item-unknown"],
  async handle({ path: { id }, services }) {
    const { quarantine } = services.sync;
    const one = await itemOf(quarantine, id);
    const [held, history] = await Promise.all([quarantine.held(one), quarantine.history(one)]);
    return {
      body: {
        ...shownItem(one),
        held: held === null ? null : { ...held.fields },
        history: history.map(({ at, who, action, details }) => ({
          at: at.toString(),
          who,
          action,
          details: { ...details },
        })),
      },
    };
  },
});

export const replayQuarantineItem: Endpoint = endpoint({
  method: "post",
  address: "/v1/quarantine/{id}/replay",
  scope: "sync",
  tag: "sync",
  summary: "Map a row again, with corrected columns where given",
  path,
  body: {
    schema: z
      .strictObject({
        corrections: z
          .record(z.string(), z.string())
          .default({})
          .describe("Text by column of the row; other columns stay as they are."),
        try: z.boolean().default(false).describe("True: only tell what would come of it."),
        who: who.optional(),
      })
      .openapi("QuarantineReplay"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "What came of it." },
  answer: z
    .strictObject({
      outcome: z
        .enum(["resolved", "still-bad", "cannot"])
        .describe("cannot: the item is closed, or no mapping reads its row."),
      records: z.number().int().describe("Records that it made."),
      made: z.array(z.record(z.string(), z.unknown())).describe("These records."),
      why: orNull(z.string(), "Why it is still bad, or cannot be replayed."),
    })
    .openapi("QuarantineReplayed"),
  problems: ["quarantine-item-unknown"],
  async handle({ path: { id }, body, holder, services }) {
    const { quarantine } = services.sync;
    const one = await itemOf(quarantine, id);
    const done = body.try
      ? await quarantine.try(one, body.corrections)
      : await quarantine.replay(one, body.corrections, whoOf(holder, body.who));
    return {
      body:
        done.outcome === "resolved"
          ? { outcome: done.outcome, records: done.records, made: [...done.made], why: null }
          : { outcome: done.outcome, records: 0, made: [], why: done.why },
    };
  },
});

export const replayQuarantine: Endpoint = endpoint({
  method: "post",
  address: "/v1/quarantine/replay",
  scope: "sync",
  tag: "sync",
  summary: "Map every open row that fits again, after a mapping was mended",
  description: "Without any filter that is all of them. Rows are taken in pieces, each whole.",
  body: {
    schema: z.strictObject({ ...fits, who: who.optional() }).openapi("QuarantineReplayAll"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "What came of them." },
  answer: z
    .strictObject({
      items: z.number().int().describe("Items that fitted."),
      resolved: z.number().int().describe("Of them, those that are closed now."),
      records: z.number().int().describe("Records that came of them."),
      left: z
        .array(
          z.strictObject({
            outcome: z.enum(["still-bad", "cannot"]),
            why: text("What is wrong with them."),
            items: z.number().int().describe("How many they are."),
            example: text("Identity of one of them."),
          }),
        )
        .describe("What is left, like with like, most first."),
    })
    .openapi("QuarantineReplayedAll"),
  problems: [],
  async handle({ body: { who: person, ...filter }, holder, services }) {
    const done = await services.sync.quarantine.replayAll(filter, { who: whoOf(holder, person) });
    return { body: { ...done, left: done.left.map((each) => ({ ...each })) } };
  },
});

function decision(name: "dismiss" | "reopen", summary: string): Endpoint {
  return endpoint({
    method: "post",
    address: `/v1/quarantine/{id}/${name}`,
    scope: "sync",
    tag: "sync",
    summary,
    path,
    body: {
      schema: z
        .strictObject({ why, who: who.optional() })
        .openapi(name === "dismiss" ? "QuarantineDismissal" : "QuarantineReopening"),
      limitBytes: LIMITS.deskBodyBytes,
    },
    answers: { 200: "The item as it stands now." },
    answer: item,
    problems: ["quarantine-item-unknown", "quarantine-item-settled"],
    async handle({ path: { id }, body, holder, services }) {
      const { quarantine } = services.sync;
      const decided = { who: whoOf(holder, body.who), why: body.why };
      const refusal = await quarantine[name](await itemOf(quarantine, id), decided);
      if (refusal !== null) throw new Problem("quarantine-item-settled", refusal);
      return { body: shownItem(await itemOf(quarantine, id)) };
    },
  });
}

export const dismissQuarantineItem: Endpoint = decision(
  "dismiss",
  "Close a row that nobody needs; the same row that comes again stays dismissed",
);
export const reopenQuarantineItem: Endpoint = decision(
  "reopen",
  "Open a row again that was dismissed or replayed by hand",
);
