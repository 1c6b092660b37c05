/** New customers who ask for an account, and goods that come back. */
import {
  accountRequestBody,
  BuyerError,
  RETURN_ENTRIES,
  RETURN_STATES,
  returnBody,
} from "../orders/index.ts";
import type { AccountSummary, AccountView, ReturnRow } from "../orders/index.ts";
import type { KeyHolder } from "../access/index.ts";
import { keyHeader, who, whoOf, why } from "./asking.ts";
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { idempotencyKeyOf, refusal } from "./order-routes.ts";
import { ofAccount } from "./order-status.ts";
import { Problem } from "./problem.ts";
import { amount, given, instant, limited, orNull, tests, text } from "./words.ts";

async function refusable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof BuyerError)) throw cause;
    const faults = cause.excess.map(({ about: _about, ...excess }) => ({
      in: "body" as const,
      ...excess,
    }));
    throw new Problem(cause.code, cause.message, { cause, faults });
  }
}

/** A key sees what keys of its kind asked for; another kind's is not there for it. */
function own<Found extends { readonly test: boolean }>(
  found: Found,
  { test }: KeyHolder,
  { code, asked }: { readonly code: "account-request-unknown" | "return-unknown"; asked: string },
): Found {
  if (found.test === test) return found;
  const kind = test
    ? "a test key, which sees those of test keys"
    : "a live key, which sees live ones";
  throw new Problem(code, `There is no "${asked}" for ${kind}.`);
}

const KEYED = ["idempotency-key-missing", "request-in-progress", "idempotency-key-reused"] as const;
const replayed = (again: boolean) => (again ? { "idempotency-replayed": "true" } : {});

const accounts = { tag: "orders", scope: "orders" } as const;
const accountPath = z.strictObject({ request: z.string().describe("Number or id of it.") });
const state = text("held, opening, creating, inDoubt, byHand, opened, done or refused.");

const asked = z
  .strictObject({
    id: text("Send it with orders: accountRequest."),
    number: text("By which people know it."),
    state,
    test: z.boolean(),
    receivedAt: instant("When we took it."),
  })
  .openapi("AccountAsked");

export const askForAccount: Endpoint = endpoint({
  ...accounts,
  method: "post",
  address: "/v1/account-requests",
  summary: "A new trade customer asks for an account",
  description:
    "Held for credit control. Orders that name its id instead of an account are taken and wait " +
    "for it; they are checked again at the account's own prices.",
  headers: [keyHeader("request")],
  body: {
    schema: accountRequestBody.clone().openapi("AccountRequest"),
    limitBytes: LIMITS.deskBodyBytes,
  },
  answers: { 201: "It waits for credit control." },
  answer: asked,
  problems: [...KEYED],
  async handle({ body, holder, services, header }) {
    const result = await services.orders.buyers.accountRequests.ask({
      idempotencyKey: idempotencyKeyOf(header("idempotency-key")),
      apiKey: holder.keyId,
      body,
      test: holder.test,
    });
    if ("problem" in result) throw refusal(result.problem, replayed(result.replayed));
    const location = `/v1/account-requests/${result.answer.number}`;
    const headers = { location, ...replayed(result.replayed) };
    return { status: 201, body: result.answer, headers };
  },
});

const waiting = z.array(
  z.strictObject({
    number: text("Web order."),
    state: text("Where it stands."),
    gross: amount("What it comes to."),
  }),
);

export const showAccountRequest: Endpoint = endpoint({
  ...accounts,
  method: "get",
  address: "/v1/account-requests/{request}",
  summary: "Where a request for an account stands",
  path: accountPath,
  answers: { 200: "The request." },
  answer: asked
    .extend({
      account: orNull(z.string(), "The account that it was given."),
      orders: waiting.describe("Orders that wait for it, or waited."),
    })
    .openapi("AccountRequestStanding"),
  problems: ["account-request-unknown"],
  async handle({ path, holder, services }) {
    const { accountRequests } = services.orders.buyers;
    const found = await refusable(() => accountRequests.show(path.request));
    const view = own(found, holder, { code: "account-request-unknown", asked: path.request });
    const { id, number, state, test, account, orders, receivedAt } = view;
    return {
      body: { id, number, state, test, account, orders, receivedAt: receivedAt.toString() },
    };
  },
});

const duplicate = z.strictObject({
  account: text("Account that may be the same customer."),
  name: text("Its name."),
  score: z.number().int().describe("0 to 100."),
  reasons: z.array(z.string()).describe("What is the same."),
  from: z.enum(["records", "erp"]).describe("As last pulled, or as the ERP itself answered."),
});

const summary = z
  .strictObject({
    id: text("Its identity."),
    number: text("By which people know it."),
    state,
    tradingName: text("Who asks."),
    account: orNull(z.string(), "The account that it was given."),
    creditLimit: orNull(z.string(), "Granted, or else asked for. Decimal text."),
    reason: orNull(z.string(), "Why it stands there."),
    test: z.boolean(),
    duplicates: z.array(duplicate),
    receivedAt: instant("When we took it."),
    orders: z.number().int().describe("Orders that wait for it."),
    gross: amount("What they come to."),
  })
  .openapi("AccountRequestSummary");

function shownSummary({ receivedAt, ...row }: AccountSummary): Shown<z.input<typeof summary>> {
  return { ...row, receivedAt: receivedAt.toString() };
}

const desk = { tag: "orders", scope: "desk" } as const;

export const listAccountRequests: Endpoint = endpoint({
  ...desk,
  method: "get",
  address: "/v1/account-requests",
  summary: "Requests for an account, those that keep most money waiting first",
  query: z.strictObject({
    state: z
      .enum(["open", "all", "held", "inDoubt", "byHand", "opened", "done", "refused"])
      .default("open"),
    test: tests,
    limit: limited(100, LIMITS.listEntries),
  }),
  answers: { 200: "The requests." },
  answer: z.strictObject({ requests: z.array(summary) }).openapi("AccountRequests"),
  problems: [],
  async handle({ query, services }) {
    const requests = await services.orders.buyers.accountRequests.list(given(query));
    return { body: { requests: requests.map(shownSummary) } };
  },
});

const file = z
  .strictObject({
    company: text("Company that was asked."),
    id: text("Its identity."),
    number: text("By which people know it."),
    state,
    body: z.unknown().describe("What was asked, as it came."),
    duplicates: z.array(duplicate),
    account: orNull(z.string(), "The account that it was given."),
    reason: orNull(z.string(), "Why it stands there."),
    test: z.boolean(),
    creditLimit: orNull(z.string(), "Granted by credit control. Decimal text."),
    receivedAt: instant("When we took it."),
    changedAt: instant("When it last moved."),
    orders: waiting,
    events: z.array(
      z.strictObject({
        at: instant("When."),
        event: text("What happened."),
        state: text("State after."),
        who: text("A person, shop, erp or tradepost."),
        about: text("The same as a sentence."),
      }),
    ),
  })
  .openapi("AccountRequestFile");

function shownFile(view: AccountView): Shown<z.input<typeof file>> {
  return {
    ...view,
    receivedAt: view.receivedAt.toString(),
    changedAt: view.changedAt.toString(),
    events: view.events.map((event) => ({ ...event, at: event.at.toString() })),
  };
}

export const showAccountFile: Endpoint = endpoint({
  ...desk,
  method: "get",
  address: "/v1/account-requests/{request}/file",
  summary: "All there is to decide a request for an account by",
  path: accountPath,
  answers: { 200: "The request." },
  answer: file,
  problems: ["account-request-unknown"],
  async handle({ path, services }) {
    const { accountRequests } = services.orders.buyers;
    return { body: shownFile(await refusable(() => accountRequests.show(path.request))) };
  },
});

const credit = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,2})?$/, 'a decimal in quotes, such as "2500.00"')
  .optional()
  .describe("Credit limit that is granted; absent: none is told to the ERP.");
const account = z.string().trim().min(1).max(40).describe("Account of the ERP.");

function decideAccount<Body extends z.ZodObject>(
  word: "approve" | "link" | "refuse",
  summary: string,
  schema: Body,
): Endpoint {
  return endpoint({
    ...desk,
    method: "post",
    address: `/v1/account-requests/{request}/${word}`,
    summary,
    path: accountPath,
    body: { schema: schema.openapi(`AccountRequest-${word}`), limitBytes: LIMITS.deskBodyBytes },
    answers: { 200: "The request as it stands now." },
    answer: file,
    problems: ["account-request-unknown", "account-request-settled", "account-closed"],
    async handle({ path, body, holder, services }) {
      const { accountRequests } = services.orders.buyers;
      const said = decision.parse(body);
      const by = { ...said, who: whoOf(holder, said.who), account: said.account ?? "" };
      return {
        body: shownFile(await refusable(() => accountRequests[word](path.request, given(by)))),
      };
    },
  });
}

const decision = z.object({ who, why, creditLimit: credit, account: account.optional() });

const returned = z
  .strictObject({
    id: text("Its identity."),
    number: text("By which people and the ERP know it."),
    account: text("Account that was invoiced."),
    invoice: text("Invoice that the goods were on."),
    state: z.enum(RETURN_STATES),
    wanted: z.enum(["credit", "replace"]),
    reason: text("Why, in the customer's words."),
    lines: z.array(
      z.strictObject({
        line: z.number().int().describe("Line of the invoice."),
        product: orNull(z.string(), "Product of the line."),
        quantity: amount("Selling units."),
      }),
    ),
    amount: orNull(z.string(), "What these goods were invoiced at, with VAT. Decimal text."),
    webOrder: orNull(z.string(), "Web order that the invoice belongs to."),
    creditNotes: z.array(z.string()).describe("Credit notes that end it."),
    replacedBy: orNull(z.string(), "Order or despatch that brought other goods for them."),
    erp: z.enum(RETURN_ENTRIES).describe("How far it is on its way into the ERP."),
    erpReturn: orNull(z.string(), "Its number there."),
    decidedBy: orNull(z.string(), "Who decided."),
    decidedWhy: orNull(z.string(), "Why."),
    test: z.boolean(),
    receivedAt: instant("When we took it."),
    changedAt: instant("When it last moved."),
  })
  .openapi("Return");

function shownReturn(row: ReturnRow): Shown<z.input<typeof returned>> {
  const { company: _company, version: _version, orderId: _orderId, ...open } = row;
  const { attempts: _attempts, nextTryAt: _nextTryAt, ...shown } = open;
  return {
    ...shown,
    receivedAt: row.receivedAt.toString(),
    changedAt: row.changedAt.toString(),
  };
}

const returnPath = z.strictObject({ return: z.string().describe("Number or id of it.") });

export const askForReturn: Endpoint = endpoint({
  ...accounts,
  method: "post",
  address: "/v1/returns",
  summary: "A customer wants to give goods back",
  description:
    "At most what was invoiced of each line, less what is credited and asked for. A person agrees; " +
    "the ERP's credit note ends it, or the order or despatch that brings other goods.",
  headers: [keyHeader("request")],
  body: { schema: returnBody.clone().openapi("ReturnRequest"), limitBytes: LIMITS.deskBodyBytes },
  answers: { 201: "It waits for a person." },
  answer: returned,
  problems: [...KEYED, "invoice-unknown", "return-too-much"],
  async handle({ body, holder, services, header }) {
    const { returns } = services.orders.buyers;
    const idempotencyKey = idempotencyKeyOf(header("idempotency-key"));
    const request = { idempotencyKey, apiKey: holder.keyId, body, test: holder.test };
    const result = await refusable(() => returns.ask(request));
    if ("problem" in result) throw refusal(result.problem, replayed(result.replayed));
    const { number } = result.answer;
    const headers = { location: `/v1/returns/${number}`, ...replayed(result.replayed) };
    return { status: 201, body: shownReturn(await returns.show(number)), headers };
  },
});

export const listReturns: Endpoint = endpoint({
  ...accounts,
  method: "get",
  address: "/v1/returns",
  summary: "Returns, most money first",
  query: z.strictObject({
    state: z.enum(["open", "all", ...RETURN_STATES]).default("open"),
    account: z.string().min(1).max(40).optional(),
    limit: limited(100, LIMITS.listEntries),
  }),
  answers: { 200: "The returns." },
  answer: z.strictObject({ returns: z.array(returned) }).openapi("Returns"),
  problems: [],
  async handle({ query, holder: { test }, services }) {
    const rows = await services.orders.buyers.returns.list({ ...given(query), test });
    return { body: { returns: rows.map(shownReturn) } };
  },
});

export const showReturn: Endpoint = endpoint({
  ...accounts,
  method: "get",
  address: "/v1/returns/{return}",
  summary: "Where a return stands",
  path: returnPath,
  query: ofAccount,
  answers: { 200: "The return." },
  answer: returned,
  problems: ["return-unknown"],
  async handle({ path, query: { account }, holder, services }) {
    const found = await refusable(() => services.orders.buyers.returns.show(path.return));
    const seen = own(found, holder, { code: "return-unknown", asked: path.return });
    if (account === undefined || account === seen.account) return { body: shownReturn(seen) };
    throw new Problem(
      "return-unknown",
      `There is no return "${path.return}" of the account "${account}".`,
    );
  },
});

const by = { who, why };
const number = (about: string) => z.string().trim().min(1).max(60).describe(about);
const decisions = z.object({
  ...by,
  erpReturn: z.string().default(""),
  by: z.string().default(""),
  seenThere: z.boolean().default(false),
});

function decideReturn<Body extends z.ZodObject>(
  word: "agree" | "refuse" | "entered" | "replaced",
  summary: string,
  schema: Body,
): Endpoint {
  return endpoint({
    ...desk,
    method: "post",
    address: `/v1/returns/{return}/${word}`,
    summary,
    path: returnPath,
    body: { schema: schema.openapi(`Return-${word}`), limitBytes: LIMITS.deskBodyBytes },
    answers: { 200: "The return as it stands now." },
    answer: returned,
    problems: ["return-unknown", "return-settled", "replacement-of-another", "replacement-unknown"],
    async handle({ path, body, holder, services }) {
      const said = decisions.parse(body);
      const { returns } = services.orders.buyers;
      const decided = { ...said, who: whoOf(holder, said.who) };
      return { body: shownReturn(await refusable(() => returns[word](path.return, decided))) };
    },
  });
}

/** In the order in which the OpenAPI lists them. */
export const BUYER_ENDPOINTS: readonly Endpoint[] = [
  askForAccount,
  showAccountRequest,
  listAccountRequests,
  showAccountFile,
  decideAccount(
    "approve",
    "Have the account opened: by the connector, or by a person",
    z.strictObject({ who, why, creditLimit: credit }),
  ),
  decideAccount("link", "It is, or was given, this account", z.strictObject({ who, why, account })),
  decideAccount(
    "refuse",
    "There will be no account: its orders are refused, payments are owed back",
    z.strictObject({ who, why }),
  ),
  askForReturn,
  listReturns,
  showReturn,
  decideReturn("agree", "The goods may come back", z.strictObject(by)),
  decideReturn("refuse", "They may not", z.strictObject(by)),
  decideReturn(
    "entered",
    "It is in the ERP, where a person entered or found it",
    z.strictObject({ ...by, erpReturn: number("Its number in the ERP.") }),
  ),
  decideReturn(
    "replaced",
    "Other goods went out for it",
    z.strictObject({
      ...by,
      by: number("Number of the order or despatch that brings them."),
      seenThere: z
        .boolean()
        .optional()
        .describe("True: somebody saw there that it brings them, though no pull has shown so."),
    }),
  ),
];
