/**
 * An order that is to be changed, examined by the checks of a new one as if it were not there
 * itself: its credit, promotions, quotation and contract are free for what it is to become. Of what
 * they find that counts which is about the change.
 */
import { decimal, type WebOrder } from "../../model/index.ts";
import { releasePromotions } from "../../pricing/index.ts";
import type { Queryable } from "../../store/index.ts";
import { examineNow, type Priced } from "../accept.ts";
import { OrderError, type OrderRow } from "../book.ts";
import type { OrderFinding, Policy } from "../checks.ts";
import type { Content } from "../content.ts";
import type { OrdersContext } from "../context.ts";
import { delivered } from "../delivered.ts";
import { keepingNumbers, type Numbering } from "../line-numbers.ts";
import { leftOf, UNPAID } from "../payments.ts";
import { sameAmount } from "../amounts.ts";
import type { OrderRequest } from "../request.ts";
import { concerned } from "./concerned.ts";
import { madeFrom } from "./made-from.ts";
import {
  changesOf,
  evidenceOfLines,
  groundOf,
  type ChangeKind,
  type ChangeRow,
  type Ground,
} from "./rows.ts";

export interface Anew {
  readonly verdict: Policy;
  readonly findings: readonly OrderFinding[];
  /** A part is cancelled of what a person has yet to decide on. */
  readonly ofHeld: boolean;
  readonly content: Content;
  readonly request: OrderRequest;
  /** Puts the order back as it was: for a change that is not made now. */
  undo(): Promise<void>;
  /** Only its promotions stay given back: they are reserved anew with the new content. */
  keep(): Promise<void>;
}

/** What an order is to be. */
export interface ToBe {
  readonly kind: ChangeKind;
  readonly body: OrderRequest;
  /** By place: the number that its line has; absent: it is found. */
  readonly numbers?: readonly (number | null)[];
}

/** Whoever calls it holds the order's row, and ends with `undo` or `keep`. */
export async function examineAnew(
  tx: Queryable,
  context: OrdersContext,
  order: OrderRow,
  asked: ToBe,
  changes: readonly ChangeRow[],
): Promise<Anew> {
  const ground = groundOf(order, changes);
  const { last, agreed } = ground;
  const before = agreed?.body ?? order.body;
  const evidence = agreed?.evidence ?? (await evidenceOfLines(tx, order));
  const madeOf = await madeFrom(tx, order, agreed);
  const { request, given } = await paidWithRest(tx, order, completed(order, asked.body, ground));
  await tx.query("savepoint anew");
  const { company, id } = order;
  await releasePromotions(tx, { company, order: id, at: context.now() });
  // Neither counts for anything; of a refused one the checks know that its payment may be lost.
  if (order.state !== "refused") await setState(tx, order, "cancelled");
  const { orderedOn: _dated, ...undated } = request;
  const priced = await examineNow(tx, context, undated, { test: order.test });
  const came = await cameOf(tx, order);
  const numbering = {
    before: withLinesOf(last?.body ?? order.body, order.body),
    used: await lastNumber(tx, order),
    known: asked.numbers ?? [],
    came: new Map(came.map((one) => [one.line, decimal.parse(one.came)])),
  };
  const content = contentOf(order, priced, request, numbering);
  const ofHeld = asked.kind === "cancel" && last?.state === "held";
  const changing = { kind: asked.kind, ofHeld, state: order.state, before: madeOf, now: request };
  const found = priced.findings.map((finding) =>
    ofPayment(order, [order.body.payment, before.payment], request, given, finding),
  );
  const findings = [
    ...concerned(found, { ...changing, was: before, is: content.body }),
    ...sameBuyer(order, content.body),
    ...notBelowDelivered(content.body, came),
  ];
  return {
    verdict: worst(findings),
    findings,
    ofHeld,
    content: { ...content, evidence: keptEvidence(content, before, evidence) },
    request,
    undo: async () => void (await tx.query("rollback to savepoint anew")),
    keep: () => setState(tx, order, order.state),
  };
}

/** What nobody can decide otherwise. */
export function isImpossible({ findings }: Pick<Anew, "findings">): boolean {
  return findings.some(
    ({ code, policy }) => NEVER.has(code) || (policy === "refuse" && UNPAID.has(code)),
  );
}

const NEVER = new Set(["below-delivered", "account-differs", "currency-differs"]);

/** A payment that it was taken with holds no change: what is too much of it is given back. */
function ofPayment(
  order: OrderRow,
  agreed: readonly WebOrder["payment"][],
  request: OrderRequest,
  given: string | null,
  finding: OrderFinding,
): OrderFinding {
  if (given !== null && PAID_IN_PART.has(finding.code))
    return { ...finding, about: `${finding.about} Of its payment ${given} was given back.` };
  if (order.state === "refused" && UNPAID.has(finding.code))
    return { ...finding, policy: "refuse" };
  const kept = agreed.some(
    (payment) =>
      payment?.provider === request.payment?.provider &&
      payment?.reference === request.payment?.reference,
  );
  if (!kept || finding.code !== "paid-too-much") return finding;
  const instruction = "Nothing: a task for finance gives back what is too much, once it is done.";
  return { ...finding, policy: "accept", instruction };
}

const PAID_IN_PART: ReadonlySet<string> = new Set(["paid-in-part", "guest-not-paid"]);

/** What was given back of a payment pays nothing any more, whatever is said to have been taken. */
async function paidWithRest(
  tx: Queryable,
  order: OrderRow,
  request: OrderRequest,
): Promise<{ readonly request: OrderRequest; readonly given: string | null }> {
  const { payment } = request;
  const rest = payment === null ? null : await leftOf(tx, order, payment);
  // All of it given back is found by the check of payments.
  if (payment === null || rest === null || !/[1-9]/.test(rest.left) || rest.left.startsWith("-"))
    return { request, given: null };
  const isMore = decimal.compare(decimal.parse(payment.amount), decimal.parse(rest.left)) > 0;
  const amount = isMore ? rest.left : payment.amount;
  return { request: { ...request, payment: { ...payment, amount } }, given: rest.given };
}

/**
 * What an order cannot change keeps standing; a payment that was taken stays taken, also one that
 * came with a change which is still to be made.
 */
function completed(order: OrderRow, asked: OrderRequest, { payment }: Ground): OrderRequest {
  if (asked.webOrder !== undefined && asked.webOrder !== order.number)
    throw new OrderError(
      "change-impossible",
      `Amending web order ${order.number}: what is sent says it is ${asked.webOrder}. An order ` +
        "keeps its number; leave webOrder out, or send it to that order's address.",
    );
  const { orderedOn } = order.body;
  return { ...asked, webOrder: order.number, orderedOn, payment: asked.payment ?? payment };
}

async function setState(tx: Queryable, order: OrderRow, state: OrderRow["state"]): Promise<void> {
  await tx.affect("update web_order set state = $3 where company = $1 and id = $2", [
    order.company,
    order.id,
    state,
  ]);
}

/** Also those that a change which is pending takes out: the ERP has them still. */
function withLinesOf({ lines }: WebOrder, there: WebOrder): WebOrder["lines"] {
  return [...lines, ...there.lines.filter(({ line }) => !lines.some((one) => one.line === line))];
}

/** The highest that a line of it ever had, also of a change that was not made. */
async function lastNumber(tx: Queryable, order: OrderRow): Promise<number> {
  const bodies = (await changesOf(tx, order)).flatMap(({ body, before }) => [body, before?.body]);
  const numbers = [order.body, ...bodies].flatMap(
    (body) => body?.lines.map(({ line }) => line) ?? [],
  );
  return Math.max(0, ...numbers);
}

function contentOf(
  order: OrderRow,
  priced: Priced,
  request: OrderRequest,
  numbering: Numbering,
): Content {
  const lines = keepingNumbers(priced.order.lines, numbering);
  return {
    body: { webOrder: order.number, ...priced.order, orderedOn: order.body.orderedOn, lines },
    evidence: Object.fromEntries(
      lines.map(({ line }, index) => [String(line), priced.evidence[index] ?? null]),
    ),
    held: priced.held,
    request,
  };
}

/** A line at the price that was agreed keeps where that came from, whatever the price is now. */
function keptEvidence(
  { body, evidence }: Content,
  before: WebOrder,
  kept: Content["evidence"],
): Content["evidence"] {
  const stays = body.lines.filter(({ line, product, unitPrice, net, quantity }) =>
    before.lines.some(
      (one) =>
        one.line === line &&
        one.product === product &&
        sameAmount(one.unitPrice, unitPrice) &&
        (sameAmount(one.net, net) || !sameAmount(one.quantity, quantity)),
    ),
  );
  const own = stays.flatMap(({ line }) => {
    const price = kept[String(line)] ?? null;
    return price === null ? [] : [[String(line), price] as const];
  });
  return { ...evidence, ...Object.fromEntries(own) };
}

/** Of a line of the order. */
interface Came {
  readonly line: number;
  readonly product: string;
  /** Selling units. */
  readonly came: string;
}

/** What came of lines since a change was asked for that it takes out, in sentences. */
export async function cameSince(
  tx: Queryable,
  order: OrderRow,
  { body }: Pick<ChangeRow, "body">,
): Promise<readonly string[]> {
  if (body === null) return [];
  return notBelowDelivered(body, await cameOf(tx, order)).map(({ about }) => about);
}

async function cameOf(tx: Queryable, { company, id }: OrderRow): Promise<readonly Came[]> {
  return tx.query<Came>(
    `select l.line, l.product, least(l.quantity, ${delivered()})::text as came
       from web_order o join web_order_line l on l.company = o.company and l.order_id = o.id
      where o.company = $1 and o.id = $2 order by l.line`,
    [company, id],
  );
}

/** What came of a line stays in it: the ERP has it under that number. */
function notBelowDelivered({ lines }: WebOrder, came: readonly Came[]): readonly OrderFinding[] {
  return came.flatMap(({ line, product, came: delivered }) => {
    const at = lines.findIndex((one) => one.line === line);
    const [least, left] = [delivered, lines[at]?.quantity ?? "0"].map((text) =>
      decimal.canonical(decimal.parse(text)),
    );
    if (least === undefined || left === undefined) return [];
    if (decimal.compare(decimal.parse(left), decimal.parse(least)) >= 0) return [];
    return [
      {
        check: "quantity",
        policy: "refuse",
        code: "below-delivered",
        line: at < 0 ? null : at + 1,
        found: left,
        expected: `at least ${least}`,
        about:
          `Of ${product} ${least} are despatched or invoiced already on line ${line} of the order; ` +
          `it would have ${left} there.`,
        instruction:
          "Leave them in the order, on a line of their own; ask for a return of what is not wanted.",
      },
    ];
  });
}

function sameBuyer(order: OrderRow, body: WebOrder): readonly OrderFinding[] {
  const differing = (["account", "currency"] as const).filter(
    (name) => order.body[name] !== "" && order.body[name] !== body[name],
  );
  return differing.map((name) => ({
    check: name === "account" ? "account" : "totals",
    policy: "refuse",
    code: `${name}-differs`,
    line: null,
    found: body[name],
    expected: order.body[name],
    about: `The order is of ${name} ${order.body[name]}; that cannot be changed.`,
    instruction: "Cancel this order and hand in another one.",
  }));
}

function worst(findings: readonly OrderFinding[]): Policy {
  if (findings.some(({ policy }) => policy === "refuse")) return "refuse";
  return findings.some(({ policy }) => policy === "hold") ? "hold" : "accept";
}
