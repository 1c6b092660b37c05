/**
 * Taking an order in. One transaction holds the request's key, the order, its lines, its book and
 * the delivery job: all of it or nothing, and a key makes at most one order.
 */
import { randomBytes, randomUUIDv7 } from "node:crypto";
import type { Queryable, Transaction } from "../store/index.ts";
import {
  inProgressProblem,
  keyReusedProblem,
  numberTakenProblem,
  refusedProblem,
  type AcceptResult,
  type OrderAnswer,
  type OrderProblem,
} from "./answer.ts";
import { reservePromotions } from "../pricing/index.ts";
import { takeUp } from "./agreements.ts";
import { plainArithmetic } from "./amounts.ts";
import { addEvent } from "./book.ts";
import { buyerOf, type Priced } from "./buyers/index.ts";
import { examine, type Examined, type OrderFacts } from "./checks.ts";
import type { OrdersContext } from "./context.ts";
import { gatherFacts } from "./facts.ts";
import { after, type DeliveryEvent, type DeliveryState } from "./machine.ts";
import { requestHash, type OrderRequest } from "./request.ts";
import { noteOrder } from "./told.ts";

export type { Priced };

export const DELIVER_JOB = "orders.deliver";

export interface AcceptRequest {
  readonly idempotencyKey: string;
  readonly body: OrderRequest;
  /** Which API key sent it; kept beside the request. */
  readonly apiKey: string;
  /** True: checked and kept, never sent, never counted. */
  readonly test: boolean;
}

export async function accept(
  context: OrdersContext,
  request: AcceptRequest,
): Promise<AcceptResult> {
  const hash = requestHash(request.body);
  try {
    return await context.store.transaction(async (tx) =>
      (await claimKey(tx, context, request, hash))
        ? await handle(tx, context, request)
        : await replay(tx, context, request.idempotencyKey, hash),
    );
  } catch (error) {
    if (isLockTimeout(error))
      return { status: 409, replayed: false, problem: inProgressProblem(request.idempotencyKey) };
    throw error;
  }
}

/** What `accept` would answer; keeps nothing. */
export async function check(
  context: OrdersContext,
  body: OrderRequest,
): Promise<Pick<Examined, "verdict" | "findings" | "order">> {
  return context.store.transaction((tx) => examineNow(tx, context, body));
}

/**
 * The unique row of a key. A request that comes while the first is being handled waits here a
 * second for its answer; false: the key is taken.
 */
async function claimKey(
  tx: Transaction,
  context: OrdersContext,
  request: AcceptRequest,
  hash: string,
): Promise<boolean> {
  await tx.query("set local lock_timeout = '1s'");
  const claimed = await tx.affect(
    `insert into web_order_request
       (company, idempotency_key, api_key, body_hash, body, received_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [
      context.company,
      request.idempotencyKey,
      request.apiKey,
      hash,
      JSON.stringify(request.body),
      context.now(),
    ],
  );
  await tx.query("set local lock_timeout = 0");
  return claimed === 1;
}

function isLockTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "55P03";
}

async function replay(
  tx: Queryable,
  context: OrdersContext,
  key: string,
  hash: string,
): Promise<AcceptResult> {
  const [kept] = await tx.query<{ hash: string; status: number; answer: unknown }>(
    `select body_hash as hash, status, answer from web_order_request
      where company = $1 and idempotency_key = $2`,
    [context.company, key],
  );
  if (kept === undefined) return { status: 409, replayed: false, problem: inProgressProblem(key) };
  if (kept.hash !== hash) return { status: 422, replayed: false, problem: keyReusedProblem(key) };
  return kept.status === 422
    ? { status: 422, replayed: true, problem: kept.answer as OrderProblem }
    : {
        status: kept.status === 202 ? 202 : 201,
        replayed: true,
        order: kept.answer as OrderAnswer,
      };
}

async function handle(
  tx: Transaction,
  context: OrdersContext,
  request: AcceptRequest,
): Promise<AcceptResult> {
  const examined = await examineNow(tx, context, request.body);
  if (examined.verdict === "refuse")
    return refuse(tx, context, request, refusedProblem(examined.findings));
  const placed = await insertOrder(tx, context, request, examined);
  if (placed === null)
    return refuse(tx, context, request, numberTakenProblem(request.body.webOrder ?? ""));
  const { id, number } = placed;
  if (!request.test) await reserve(tx, context, id, examined);
  const { quotation } = request.body;
  if (quotation !== null && !request.test) await takeUp(tx, context.company, quotation, id);
  const held = examined.verdict === "hold";
  const state = await writeBook(tx, context, id, request, examined);
  const told = { number, id, state, version: 1, erpOrder: null, test: request.test };
  await noteOrder(tx, context.company, told, { at: context.now(), states: ["received", state] });
  if (state === "queued") await context.jobs.queue(tx, DELIVER_JOB, jobData(context.company, id));
  const order: OrderAnswer = {
    id,
    webOrder: number,
    ...examined.order,
    state,
    test: request.test,
    reasons: examined.findings.filter((finding) => finding.policy === "hold"),
    warnings: examined.findings.filter((finding) => finding.policy === "accept"),
  };
  const status = held ? 202 : 201;
  await keepAnswer(tx, context, request, status, order, id);
  return { status, replayed: false, order };
}

async function reserve(
  tx: Transaction,
  context: OrdersContext,
  order: string,
  { held, order: { account } }: Priced,
): Promise<void> {
  const { company } = context;
  await reservePromotions(tx, { company, order, account, held, at: context.now() });
}

export function jobData(company: string, order: string): { company: string; order: string } {
  return { company, order };
}

export async function examineNow(
  tx: Queryable,
  context: OrdersContext,
  stated: OrderRequest,
): Promise<Priced> {
  const { settings, pricing } = context;
  const buyer = await buyerOf(tx, context, stated);
  const body = buyer.order;
  const today = context.now().toZonedDateTimeISO(settings.timeZone).toPlainDate().toString();
  const facts = await gatherFacts(tx, context.company, body, (branch) =>
    pricing.price(tx, {
      account: body.account,
      site: body.site,
      branch,
      on: today,
      quotation: body.quotation,
      conditions: body.conditions,
      currency: body.currency ?? settings.currency,
      codes: body.codes,
      lines: body.lines,
    }),
  );
  const examined = examine(body, facts, settings, today, {
    arithmetic: pricing.arithmetic ?? plainArithmetic(settings.rounding),
    carriesDiscount: context.outbound.carriesDiscount,
  });
  return buyer.judged({ ...examined, evidence: evidenceOf(facts), held: facts.held ?? [] });
}

/** Where each line's price comes from; goods that a promotion gives name it. */
function evidenceOf({ prices, given = [] }: OrderFacts): unknown[] {
  return [
    ...prices.map(({ evidence }) => evidence),
    ...given.map(({ promotion }) => ({ promotions: [promotion] })),
  ];
}

async function refuse(
  tx: Queryable,
  context: OrdersContext,
  request: AcceptRequest,
  problem: OrderProblem,
): Promise<AcceptResult> {
  await keepAnswer(tx, context, request, 422, problem, null);
  return { status: 422, replayed: false, problem };
}

async function keepAnswer(
  tx: Queryable,
  context: OrdersContext,
  request: AcceptRequest,
  status: number,
  answer: OrderAnswer | OrderProblem,
  orderId: string | null,
): Promise<void> {
  await tx.affect(
    `update web_order_request set status = $3, answer = $4, order_id = $5
      where company = $1 and idempotency_key = $2`,
    [context.company, request.idempotencyKey, status, JSON.stringify(answer), orderId],
  );
}

/** The order with its lines; null when the shop's number was used before. */
async function insertOrder(
  tx: Queryable,
  context: OrdersContext,
  request: AcceptRequest,
  examined: Priced,
): Promise<{ id: string; number: string } | null> {
  const id = randomUUIDv7();
  const given = request.body.webOrder;
  for (;;) {
    const number = given ?? madeNumber(examined.order.orderedOn);
    if (await insertHeader(tx, context, { id, number, request, examined })) {
      await insertLines(tx, context, id, examined);
      return { id, number };
    }
    if (given !== undefined) return null;
  }
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** W-260331-7K3QD: short enough for an ERP's reference field, and readable on the telephone. */
function madeNumber(orderedOn: string): string {
  const random = [...randomBytes(5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `W-${orderedOn.slice(2).replaceAll("-", "")}-${random}`;
}

async function insertHeader(
  tx: Queryable,
  context: OrdersContext,
  made: { id: string; number: string; request: AcceptRequest; examined: Examined },
): Promise<boolean> {
  const { order } = made.examined;
  const body = JSON.stringify({ webOrder: made.number, ...order });
  const at = context.now();
  const inserted = await tx.affect(
    `insert into web_order (company, id, number, account, ordered_on, placed_by, customer_reference,
       currency, net, vat, gross, paid, body, test, state, version, reasons, attempts,
       settled, received_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16, 0,
       '[]', $17, $17)
     on conflict (company, number) do nothing`,
    [
      context.company,
      made.id,
      made.number,
      order.account,
      order.orderedOn,
      order.placedBy,
      order.customerReference,
      order.currency,
      order.net,
      order.vat,
      order.gross,
      order.payment?.amount ?? "0",
      body,
      made.request.test,
      firstState(made.request, made.examined),
      JSON.stringify(heldBecause(made.examined)),
      at,
    ],
  );
  return inserted === 1;
}

function firstState(request: AcceptRequest, examined: Examined): DeliveryState {
  if (examined.verdict === "hold") return "held";
  return request.test ? "checked" : "queued";
}

function heldBecause(examined: Examined): string[] {
  return examined.findings
    .filter((finding) => finding.policy === "hold")
    .map((finding) => finding.about);
}

async function insertLines(
  tx: Queryable,
  context: OrdersContext,
  id: string,
  examined: Priced,
): Promise<void> {
  const rows = examined.order.lines.map((line, index) => ({
    ...line,
    price: examined.evidence[index] ?? null,
  }));
  await tx.affect(
    `insert into web_order_line (company, order_id, line, product, quantity, unit_price, net, vat_code,
       vat, price, despatched_quantity, invoiced_quantity, credited_quantity, cancelled_quantity)
     select $1, $2, row.line, row.product, row.quantity, row."unitPrice", row.net, row."vatCode",
            row.vat, coalesce(row.price, 'null'::jsonb), 0, 0, 0, 0
       from jsonb_to_recordset($3::jsonb) as row (line int, product text, quantity numeric,
            "unitPrice" numeric, net numeric, "vatCode" text, vat numeric, price jsonb)`,
    [context.company, id, JSON.stringify(rows)],
  );
  await tx.affect("insert into web_order_lease (company, order_id) values ($1, $2)", [
    context.company,
    id,
  ]);
}

/** The first pages of the order's book, each step by the machine's table. */
async function writeBook(
  tx: Queryable,
  context: OrdersContext,
  id: string,
  request: AcceptRequest,
  examined: Examined,
): Promise<DeliveryState> {
  const order = { company: context.company, id };
  const at = context.now();
  const steps: { event: DeliveryEvent; about: string }[] = [
    { event: "check", about: `${examined.findings.length} findings.` },
  ];
  const wanted = firstState(request, examined);
  if (wanted === "held") steps.push({ event: "hold", about: heldBecause(examined).join(" ") });
  if (wanted === "queued") steps.push({ event: "queue", about: "Waits to be handed over." });
  let state: DeliveryState = "received";
  const about = `From API key ${request.apiKey} with key ${request.idempotencyKey}.`;
  const received = { at, event: "receive", fromState: null, toState: state, who: "shop", about };
  await addEvent(tx, order, received);
  for (const step of steps) {
    const toState: DeliveryState = after(state, step.event) ?? state;
    await addEvent(tx, order, { at, ...step, fromState: state, toState, who: "tradepost" });
    state = toState;
  }
  return state;
}
