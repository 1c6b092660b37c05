/**
 * The hostile ERP's connector, as plain as connectors are: it says what the ERP said, and what it
 * does not know it leaves in doubt.
 *
 *     erp:
 *       connector: hostile
 *       settings: { baseUrl: "http://127.0.0.1:4701", class: searchable }
 */
import { z } from "zod";
import { ConnectorFault, defineConnector } from "#connector";
import type { Accepted, Found, OrderCall, OrdersCapability, Outcome } from "#connector";
import { HttpFault, openHttp } from "#connector/http";
import type { HttpClient } from "#connector/http";
import { accountsOf, returnsOf } from "./requests.ts";

const settings = z.strictObject({
  baseUrl: z.url().describe("Where the ERP answers."),
  class: z
    .enum(["native-key", "searchable", "eventually-searchable"])
    .describe("What its search and its keys are worth."),
  timeoutMs: z.int().positive().default(1_000).describe("How long an answer may take."),
});

const held = z.object({
  number: z.string(),
  state: z.string(),
  net: z.string().optional(),
  vat: z.string().optional(),
  lines: z
    .array(
      z.object({
        line: z.number(),
        kind: z.string(),
        code: z.string(),
        quantity: z.string(),
        net: z.string(),
      }),
    )
    .optional(),
});
const searched = z.object({ documents: z.array(held) });

export const connector = defineConnector<z.infer<typeof settings>>({
  name: "hostile",
  about: "An ERP that does everything wrong that an ERP can do, for tests.",
  settings,
  streams: () => [],
  open: async (given, host) => {
    const http = openHttp(
      {
        baseUrl: given.baseUrl,
        perSecond: 1_000,
        concurrency: 16,
        timeoutMs: given.timeoutMs,
        retries: 1,
        firstWaitMs: 100,
        longestWaitMs: 1_500,
      },
      host,
    );
    return {
      read: () => {
        throw new ConnectorFault(
          "config",
          "The hostile ERP has no streams.",
          "What it exports is read from its folder.",
        );
      },
      orders: ordersOf(given.class, http),
      accounts: accountsOf(http, ended),
      returns: returnsOf(http, ended),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  },
});

function ordersOf(finding: OrdersCapability["finding"], http: HttpClient): OrdersCapability {
  return {
    finding,
    find: (key, call) => ended(call, find(http, key)),
    status: (key, call) => ended(call, find(http, key)),
    place: (order, call) =>
      ended(
        call,
        http
          .post("orders", { json: order }, { shape: held })
          .then(({ body }) => outcomeOf(body))
          .catch(refusedOrThrown),
      ),
  };
}

async function find(http: HttpClient, key: string): Promise<Found> {
  const { body } = await http.get("orders", { query: { key }, shape: searched });
  const [first, ...more] = body.documents;
  if (first === undefined) return { kind: "absent" };
  if (more.length === 0) return { kind: "present", outcome: outcomeOf(first) };
  const documents = body.documents.map(acceptedOf);
  const numbers = documents.map(({ erpOrder }) => erpOrder).join(" and ");
  return { kind: "several", documents, evidence: `It holds ${numbers} under ${key}.` };
}

function outcomeOf(found: z.infer<typeof held>): Outcome {
  return acceptedOf(found);
}

function acceptedOf({ number, state, net, vat, lines }: z.infer<typeof held>): Accepted {
  return {
    kind: "accepted",
    erpOrder: number,
    state,
    net: net ?? null,
    vat: vat ?? null,
    lines:
      lines?.map((line) => ({
        product: line.kind === "product" ? line.code : null,
        quantity: line.quantity,
        net: line.net,
        line: line.line,
      })) ?? null,
    evidence: `The ERP shows ${number} as ${state}.`,
  };
}

/** 422 says that nothing was made, 429 that nothing was made yet. */
function refusedOrThrown(error: unknown): Outcome {
  if (error instanceof HttpFault && error.status === 422)
    return { kind: "refused", reason: JSON.stringify(error.answer) };
  if (error instanceof HttpFault && error.inDoubt)
    return { kind: "inDoubt", evidence: error.message };
  if (error instanceof HttpFault && error.kind === "throttled")
    return { kind: "notNow", reason: error.message, retryAt: error.retryAt };
  throw error;
}

/** A call that was given up ends at once; what it asked for may still be done. */
async function ended<T>(call: OrderCall | undefined, work: Promise<T>): Promise<T> {
  if (call === undefined) return work;
  const { signal } = call;
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => {
    reject(signal.reason instanceof Error ? signal.reason : new Error("the call was given up"));
  };
  if (signal.aborted) give();
  signal.addEventListener("abort", give, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", give);
  }
}
