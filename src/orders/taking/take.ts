/** Taking orders in, one or many, in one transaction: all that is kept of them, or nothing. */
import { randomBytes, randomUUIDv7 } from "node:crypto";
import { reservePromotions } from "../../pricing/index.ts";
import type { Transaction } from "../../store/index.ts";
import { takeUp } from "../agreements.ts";
import { numberTakenProblem, type AcceptResult } from "../answer.ts";
import type { Priced } from "../buyers/index.ts";
import type { OrdersContext } from "../context.ts";
import type { Manner, Turned } from "../facts.ts";
import { DELIVER_JOB, jobData } from "../jobs.ts";
import { keepPayments } from "../payments.ts";
import { noteOrders } from "../told.ts";
import { foldedNumber, type Asked } from "./asked.ts";
import { claimKeys, type Claim } from "./claim.ts";
import { entryOf, refusal, type Entry, type Placed } from "./entry.ts";
import { examineAll } from "./examine.ts";
import { writeAll, writeEntries } from "./write.ts";

/** An answer for each request, in their order; or where it has to go instead. */
export async function takeIn(
  tx: Transaction,
  context: OrdersContext,
  requests: readonly Asked[],
  manner: Manner,
): Promise<(AcceptResult | Turned)[]> {
  const examine = manner === "wait" ? claimAndExamine : examineWhileClaiming;
  const examined = await examine(tx, context, requests, manner);
  const entries = requests.flatMap((request, index) => {
    const one = examined[index] ?? "alone";
    return isPriced(one) ? [newEntry(context, request, one)] : [];
  });
  // One that waits may wait here for a key that another kind of request has used.
  if (manner === "wait") await tx.query("set local lock_timeout = '1s'");
  const written = await (manner === "wait" ? write : writeAtOnce)(tx, context, entries);
  const results = new Map(written.map((entry) => [entry.request, said(entry)]));
  return requests.map((request, index) => {
    const one = examined[index] ?? "alone";
    return isPriced(one) ? (results.get(request) ?? "alone") : one;
  });
}

type Examined = Priced | AcceptResult | Turned;

function isPriced(one: Examined): one is Priced {
  return typeof one === "object" && "verdict" in one;
}

/** What was answered before is not examined again: it might wait for others, for nothing. */
async function claimAndExamine(
  tx: Transaction,
  context: OrdersContext,
  requests: readonly Asked[],
  manner: Manner,
): Promise<Examined[]> {
  const claims = await claimKeys(tx, context, requests, manner);
  const free = requests.filter((_, index) => claims[index] === "free");
  const examined = (free.length === 0 ? [] : await examineAll(tx, context, free, manner)).values();
  return requests.map((_, index) => claimed(claims[index]) ?? examined.next().value ?? "alone");
}

/** All is asked at once, also of what was answered before: that is rare, and waits for nobody. */
async function examineWhileClaiming(
  tx: Transaction,
  context: OrdersContext,
  requests: readonly Asked[],
  manner: Manner,
): Promise<Examined[]> {
  const [claims, examined] = await tx.atOnce(
    () => claimKeys(tx, context, requests, manner),
    () => examineAll(tx, context, requests, manner),
  );
  return requests.map((_, index) => claimed(claims[index]) ?? examined[index] ?? "alone");
}

/** Null: it is free, and to be taken in. */
function claimed(claim: Claim = "busy"): Examined | null {
  if (claim === "free") return null;
  return claim === "busy" ? "alone" : claim;
}

function newEntry(context: OrdersContext, request: Asked, priced: Priced): Entry {
  const number = request.body.webOrder ?? madeNumber(priced.order.orderedOn);
  return entryOf(request, priced, { at: context.now(), id: randomUUIDv7(), number });
}

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** W-260331-7K3QD: short enough for an ERP's reference field, and readable on the telephone. */
function madeNumber(orderedOn: string): string {
  const random = [...randomBytes(5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `W-${orderedOn.slice(2).replaceAll("-", "")}-${random}`;
}

function said(entry: Entry): AcceptResult {
  const { status } = entry;
  return entry.kind === "refused"
    ? { status: 422, replayed: false, problem: entry.answer }
    : { status: status === 202 ? 202 : 201, replayed: false, order: entry.answer };
}

/** All is sent without waiting for what comes of it; where a number was used before, none holds. */
async function writeAtOnce(
  tx: Transaction,
  context: OrdersContext,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const placed = entries.filter((entry) => entry.kind === "placed");
  await tx.atOnce(
    () => writeAll(tx, context.company, entries),
    () => follow(tx, context, placed),
  );
  return entries;
}

/** As they were written: an order whose number was used before is refused by then. */
async function write(
  tx: Transaction,
  context: OrdersContext,
  entries: readonly Entry[],
): Promise<readonly Entry[]> {
  const done: Entry[] = [];
  for (let left = entries; left.length > 0;) {
    const written = await writeEntries(tx, context.company, left);
    const isDone = (entry: Entry) => entry.kind === "refused" || written.has(entry.id);
    done.push(...left.filter(isDone));
    const others = left.filter((entry) => !isDone(entry));
    const existing = await existingNumbers(tx, context.company, others);
    left = others.map((entry) => underAnotherNumber(entry, existing));
  }
  await follow(
    tx,
    context,
    done.filter((entry) => entry.kind === "placed"),
  );
  return done;
}

/** Folded number → the number as the order that has it bears it. */
async function existingNumbers(
  tx: Transaction,
  company: string,
  entries: readonly Entry[],
): Promise<ReadonlyMap<string, string>> {
  const asked = entries.flatMap(({ request: { body, test } }) =>
    body.webOrder === undefined ? [] : [foldedNumber(body.webOrder, test)],
  );
  if (asked.length === 0) return new Map();
  const rows = await tx.query<{ folded: string; number: string }>(
    `select number_folded as folded, number from web_order
      where company = $1 and number_folded = any($2::text[])`,
    [company, asked],
  );
  return new Map(rows.map(({ folded, number }) => [folded, number]));
}

function underAnotherNumber(entry: Entry, existing: ReadonlyMap<string, string>): Entry {
  if (entry.kind === "refused") return entry;
  const { request, at, answer, priced } = entry;
  const given = request.body.webOrder;
  if (given !== undefined) {
    const number = existing.get(foldedNumber(given, request.test)) ?? given;
    return refusal(request, at, numberTakenProblem(number));
  }
  const number = madeNumber(priced.order.orderedOn);
  return { ...entry, number, answer: { ...answer, webOrder: number } };
}

/** What goes with orders that are taken: what they use up, what shops are told, their delivery. */
async function follow(
  tx: Transaction,
  context: OrdersContext,
  placed: readonly Placed[],
): Promise<void> {
  const { company, jobs } = context;
  for (const { id: order, at, priced, request } of placed) {
    const { quotation } = request.body;
    if (request.test) continue;
    const { account } = priced.order;
    await reservePromotions(tx, { company, order, account, held: priced.held, at });
    if (quotation !== null) await takeUp(tx, company, quotation, order);
  }
  const queued = placed.filter(({ answer }) => answer.state === "queued");
  await tx.atOnce(
    () => noteOrders(tx, company, placed.map(told)),
    () => keepPayments(tx, company, placed.map(paid)),
    () =>
      jobs.queueAll(
        tx,
        DELIVER_JOB,
        queued.map(({ id }) => jobData(company, id)),
      ),
  );
}

function told({ number, id, at, request: { test }, answer: { state } }: Placed) {
  const states = ["received", state] as const;
  return { number, id, state, version: 1, erpOrder: null, test, at, states };
}

function paid({ id, request: { body } }: Placed) {
  return { id, payment: body.payment };
}
