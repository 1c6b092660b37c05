/** What stands still and why, and orders of a connection in shadow. */
import { EndsInThePast, type Stop } from "../connections/index.ts";
import { who as person, whoOf } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import type { CompanyServices, HeldStop } from "./modules.ts";
import { Problem } from "./problem.ts";
import { amount, instant, orNull, text } from "./words.ts";

export const stop = z
  .strictObject({
    kind: z
      .enum(["maintenance", "went-backwards"])
      .describe("maintenance: somebody says so. went-backwards: what the ERP had is gone there."),
    scope: text("Empty: all of the company; else the connection."),
    at: instant("Since when."),
    who: text("Who stopped it."),
    why: text("Why."),
    until: orNull(instant(""), "When it ends by itself; null: when somebody ends it."),
    says: text("All of that in a sentence."),
  })
  .openapi("Stop");

export function shownStop({ kind, scope, at, who, why, until, says }: HeldStop) {
  return { kind, scope, at: at.toString(), who, why, until: until?.toString() ?? null, says };
}

const connection = z
  .string()
  .min(1)
  .nullable()
  .default(null)
  .describe("Connection; null: all of the company.");
const who = person.describe("Who says so; kept.").optional();
const why = z.string().trim().min(1).max(1_000).describe("Why; kept.");

export const listMaintenance: Endpoint = endpoint({
  method: "get",
  address: "/v1/maintenance",
  scope: "sync",
  tag: "sync",
  summary: "What stands still now, and why",
  answers: { 200: "Every stop that holds." },
  answer: z.strictObject({ stops: z.array(stop) }).openapi("Stops"),
  problems: [],
  handle: async ({ services }) => ({
    body: { stops: (await services.maintenance.stops()).map(shownStop) },
  }),
});

export const beginMaintenance: Endpoint = endpoint({
  method: "post",
  address: "/v1/maintenance",
  scope: "sync",
  tag: "sync",
  summary: "Read nothing and hand nothing over; orders are taken as ever",
  description:
    "What was begun before ends properly: a delivery with its outcome, a pull at its next safe " +
    "point. `underWay` says what that is; GET /v1/maintenance and this request again show when it is over.",
  body: {
    schema: z
      .strictObject({
        connection,
        who,
        why,
        until: z.iso
          .datetime({ offset: true })
          .nullable()
          .default(null)
          .describe("It ends by itself then; null: when somebody ends it."),
      })
      .openapi("MaintenanceRequest"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "It stands still." },
  answer: z
    .strictObject({
      began: z.boolean().describe("False: it stood still already; reason and end are taken over."),
      underWay: z.strictObject({
        deliveries: z.number().int().describe("Web orders that are being handed over."),
        pulls: z.array(z.string()).describe("Streams that are being read: erp/customers."),
      }),
      stops: z.array(stop),
    })
    .openapi("MaintenanceBegun"),
  problems: ["connection-unknown"],
  async handle({ body, holder, services }) {
    known(services.sync, body.connection);
    const asked = {
      connection: body.connection,
      who: whoOf(holder, body.who),
      why: body.why,
      until: body.until === null ? null : Temporal.Instant.from(body.until),
    };
    const begun = await services.maintenance.begin(asked).catch((error: unknown) => {
      throw error instanceof EndsInThePast ? new Problem("request-invalid", error.message) : error;
    });
    const { began, underWay } = begun;
    const stops = (await services.maintenance.stops()).map(shownStop);
    return { body: { began, underWay, stops } };
  },
});

export const endMaintenance: Endpoint = endpoint({
  method: "post",
  address: "/v1/maintenance/end",
  scope: "sync",
  tag: "sync",
  summary: "Go on: what waited is read and handed over",
  body: {
    schema: z.strictObject({ connection, who, why }).openapi("MaintenanceEnd"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 200: "What was ended, and what holds still." },
  answer: z
    .strictObject({
      ended: z.number().int().describe("How many stops of this scope were ended; 0: none held."),
      stops: z.array(stop).describe("Those that hold still."),
    })
    .openapi("MaintenanceEnded"),
  problems: ["connection-unknown", "lost-undecided"],
  async handle({ body, holder, services }) {
    // One that was renamed since it was stopped is known by its stop alone.
    const stands = (await services.maintenance.stops()).some(
      ({ scope }) => scope === body.connection,
    );
    if (!stands) known(services.sync, body.connection);
    await decided(services.orders, body.connection);
    const ended: readonly Stop[] = await services.maintenance.end({
      connection: body.connection,
      who: whoOf(holder, body.who),
      why: body.why,
    });
    const stops = (await services.maintenance.stops()).map(shownStop);
    return { body: { ended: ended.length, stops } };
  },
});

/** What goes on must not be what nobody has looked at. */
async function decided(
  orders: Pick<CompanyServices["orders"], "lostOrders">,
  name: string | null,
): Promise<void> {
  const open = (await orders.lostOrders()).filter(
    ({ decision, connection: of }) => decision === null && (name === null || of === name),
  );
  if (open.length === 0) return;
  throw new Problem(
    "lost-undecided",
    `Going on with ${name ?? "everything"}: the ERP lost ${open.map(({ order }) => order).join(", ")}. ` +
      "`tradepost orders lost` lets each be sent again or left as it is.",
  );
}

function known(
  sync: {
    pullRefusal(asked: {
      readonly connection: string;
      readonly streams: readonly string[];
    }): { readonly detail: string } | null;
  },
  name: string | null,
): void {
  const refusal = name === null ? null : sync.pullRefusal({ connection: name, streams: [] });
  if (refusal !== null) throw new Problem("connection-unknown", refusal.detail);
}

const VERDICTS = [
  "equal",
  "different",
  "keyed-twice",
  "not-keyed",
  "not-keyed-yet",
  "not-rendered",
] as const;

const shadowed = z
  .strictObject({
    order: text("Its number."),
    account: text("Who ordered."),
    shadowedAt: instant("When it was written as it would have been handed over."),
    net: amount("Net."),
    vat: amount("VAT."),
    verdict: z.enum(VERDICTS),
    erpOrders: z.array(z.string()).describe("ERP orders that staff keyed for it."),
    knownBy: orNull(
      z.enum(["web-order", "reference", "likeness"]),
      "Our number in its reference; the customer's reference; or the same goods near the day.",
    ),
    differences: z.array(
      z.strictObject({
        what: text("quantity of PLY12, net."),
        ours: text("As agreed."),
        theirs: text("As keyed."),
        by: orNull(z.string(), "Theirs less ours, decimal text."),
      }),
    ),
    problem: orNull(z.string(), "Why it could not be written."),
    sha256: orNull(z.string(), "Of what would have been handed over."),
  })
  .openapi("ShadowedOrder");

export const showShadow: Endpoint = endpoint({
  method: "get",
  address: "/v1/shadow-orders",
  scope: "desk",
  tag: "orders",
  summary: "Orders of a connection in shadow against what staff keyed for them",
  answers: { 200: "Newest first." },
  answer: z
    .strictObject({
      equalPercent: orNull(z.string(), "Share of those that can be compared, rounded down."),
      counts: z.record(z.enum(VERDICTS), z.number().int()),
      orders: z.array(shadowed),
    })
    .openapi("ShadowReport"),
  problems: [],
  async handle({ services }) {
    const { orders, counts, equalPercent } = await services.orders.shadowReport();
    const shown = orders.map((each) => ({ ...each, shadowedAt: each.shadowedAt.toString() }));
    return { body: { equalPercent, counts, orders: shown } };
  },
});
