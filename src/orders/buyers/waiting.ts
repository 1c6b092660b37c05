/** Orders that wait for an account: held until it is there, then checked again as its own. */
import { PricesNotReady, reclaimPromotions, releasePromotions } from "../../pricing/index.ts";
import type { Queryable, Transaction } from "../../store/index.ts";
import { sameAmount } from "../amounts.ts";
import { addEvent, move, ORDER_COLUMNS, type OrderRow } from "../book.ts";
import { madeFrom } from "../changes/made-from.ts";
import { changesOf } from "../changes/rows.ts";
import { replaceContent } from "../content.ts";
import { keepingNumbers } from "../line-numbers.ts";
import { OrderError } from "../error.ts";
import { leftToPersons } from "../held-since.ts";
import { likenessOf } from "../likeness.ts";
import type { OrderRequest } from "../request.ts";
import type { AccountRow } from "./account-store.ts";
import type { BuyersContext, Priced } from "./context.ts";
import { todayOf } from "./numbers.ts";

const WAITING = `company = $1 and body ->> 'accountRequest' = $2`;

export async function waitingFor(
  on: Queryable,
  company: string,
  request: string,
): Promise<{ number: string; state: string; gross: string }[]> {
  return on.query<{ number: string; state: string; gross: string }>(
    `select number, state, gross::text as gross from web_order where ${WAITING} order by id`,
    [company, request],
  );
}

/** A price book of before the account was pulled would find no price for anything. */
export async function isPriced(
  tx: Queryable,
  { company, pricing, settings, ...context }: BuyersContext,
  { id, account }: AccountRow,
): Promise<boolean> {
  const [first] = await held(tx, company, id);
  const [line] = first?.body.lines ?? [];
  if (line === undefined || account === null) return true;
  const question = {
    account,
    site: null,
    branch: null,
    on: todayOf({ ...context, settings }),
    quotation: null,
    conditions: {},
    currency: settings.currency,
    codes: [],
    lines: [{ product: line.product, quantity: line.quantity }],
  };
  const priced = await pricing.price(tx, question).catch((error: unknown) => {
    if (error instanceof PricesNotReady) return null;
    throw error;
  });
  if (priced === null) return false;
  const why: unknown = priced.lines[0]?.evidence;
  return !(typeof why === "object" && why !== null && "code" in why && why.code === NOT_IN_BOOK);
}

const NOT_IN_BOOK = "unknown-account";

async function held(tx: Queryable, company: string, request: string): Promise<OrderRow[]> {
  return tx.query<OrderRow>(
    `select ${ORDER_COLUMNS} from web_order where ${WAITING} and state = 'held'
      order by id for update`,
    [company, request],
  );
}

export async function refuseWaiting(
  tx: Queryable,
  { company, now }: BuyersContext,
  row: AccountRow,
  { who, why }: { readonly who: string; readonly why: string },
): Promise<void> {
  for (const order of await held(tx, company, row.id))
    await move(tx, order, {
      event: "refuse",
      who,
      at: now(),
      about: `Account request ${row.number} was refused: ${why}`,
      reasons: [`The account that it waited for was refused: ${why}`],
    });
}

/**
 * The account is there: each of its orders is checked as its own, and goes on or says why not. One
 * that waits for a person for another reason goes on waiting: an account answers no such question.
 */
export async function bringOn(
  tx: Transaction,
  context: BuyersContext,
  { id, account, number }: AccountRow,
): Promise<void> {
  if (account === null) return;
  for (const order of await held(tx, context.company, id))
    await bringOnOne(tx, context, order, { account, number });
}

async function bringOnOne(
  tx: Transaction,
  context: BuyersContext,
  order: OrderRow,
  { account, number }: { readonly account: string; readonly number: string },
): Promise<void> {
  const at = context.now();
  // As it stands now: it may have been amended, or cancelled in part, while it waited.
  const asked = await madeFrom(tx, order);
  const holder = { company: order.company, order: order.id };
  // What it holds itself (promotions, its payment, its likeness) must not stand in its way.
  await releasePromotions(tx, { ...holder, at });
  await setState(tx, order, "cancelled");
  const request = asked === null ? null : onAccountNow(asked, account, order);
  const examined = request === null ? null : await context.examine(tx, request);
  await setState(tx, order, order.state);
  await reclaimPromotions(tx, { ...holder, beyondLimits: true });
  const changed = (await changesOf(tx, order)).some(({ state }) => state === "done");
  const against = examined === null ? [GONE] : whatDiffers(order, examined, { changed });
  const equal = against.length > 0 || request === null ? null : { examined, request };
  const likeness = asked === null ? null : likenessOf({ ...asked, account });
  const opened = await giveAccount(tx, order, { account, likeness }, equal, at);
  if (order.test) return stays(tx, opened, ["A test order: it is never sent."], at);
  const reasons = [...new Set([...leftToPersons(order.reasons), ...against])];
  if (reasons.length > 0) return stays(tx, opened, reasons, at);
  await move(tx, opened, {
    event: "release",
    who: "tradepost",
    at,
    about: `Account ${account} of request ${number} is there; all checks pass at its own prices.`,
    set: { attempts: 0, nextAttemptAt: null },
  });
  await context.sendOn(tx, order.id);
}

async function setState(tx: Queryable, order: OrderRow, state: OrderRow["state"]): Promise<void> {
  await tx.affect("update web_order set state = $3 where company = $1 and id = $2", [
    order.company,
    order.id,
    state,
  ]);
}

const GONE =
  "What was sent is not kept any more, so that it cannot be checked as the account's own: a " +
  "person checks it and releases it.";

/** Tokens were given for another account's prices, and its date is the day it was taken. */
function onAccountNow(
  asked: OrderRequest,
  account: string,
  { number }: Pick<OrderRow, "number">,
): OrderRequest {
  const { orderedOn: _orderedOn, ...rest } = asked;
  const lines = asked.lines.map(({ priceToken: _priceToken, ...line }) => line);
  return { ...rest, webOrder: number, lines, account, accountRequest: null };
}

/**
 * Never silent: whatever a check says, and any amount that is another at the account's prices. What
 * a change left paid too much is owed back since then.
 */
function whatDiffers(
  order: OrderRow,
  { findings, order: now }: Priced,
  { changed }: { readonly changed: boolean },
): string[] {
  const said = findings
    .filter(({ policy, code }) => policy !== "accept" && !(changed && code === "paid-too-much"))
    .map(({ about }) => about);
  const amounts = (["net", "vat", "gross"] as const)
    .filter((name) => !sameAmount(order[name], now[name]))
    .map((name) => `Its ${name} was ${order[name]}, and is ${now[name]} on the account.`);
  return [...said, ...amounts];
}

/**
 * The order as it was taken, now on its account, whose own prices it has where all is equal. It is
 * known from now on by that account, should it be sent again.
 */
async function giveAccount(
  tx: Queryable,
  order: OrderRow,
  { account, likeness }: { readonly account: string; readonly likeness: string | null },
  equal: { readonly examined: Priced | null; readonly request: OrderRequest } | null,
  at: Temporal.Instant,
): Promise<OrderRow> {
  const { company, id, body } = order;
  await tx.affect(
    `update web_order set account = $3, open_account = case when not test then $3 end,
            likeness = coalesce($4, likeness)
      where company = $1 and id = $2`,
    [company, id, account, likeness],
  );
  const examined = equal?.examined ?? null;
  if (equal !== null && examined !== null) {
    const { webOrder, orderedOn, accountRequest } = body;
    const used = Math.max(...body.lines.map(({ line }) => line));
    const lines = keepingNumbers(examined.order.lines, { before: body.lines, used });
    const content = { ...examined.order, webOrder, orderedOn, accountRequest, lines };
    const evidence = Object.fromEntries(
      lines.map(({ line }, index) => [line, examined.evidence[index] ?? null]),
    );
    const given = { body: content, evidence, held: examined.held, request: null };
    return { ...(await replaceContent(tx, order, given, at)), account };
  }
  const written: OrderRow = {
    ...order,
    account,
    body: { ...body, account },
    version: order.version + 1,
  };
  await tx.affect(
    "update web_order set body = $3, version = $4, changed_at = $5 where company = $1 and id = $2",
    [company, id, JSON.stringify(written.body), written.version, at],
  );
  return written;
}

async function stays(
  tx: Queryable,
  order: OrderRow,
  reasons: readonly string[],
  at: Temporal.Instant,
): Promise<void> {
  await tx.affect("update web_order set reasons = $3 where company = $1 and id = $2", [
    order.company,
    order.id,
    JSON.stringify(reasons),
  ]);
  const about = `Account ${order.account} is there; it stays held. ${reasons.join(" ")}`;
  const page = { at, event: "account", fromState: order.state, toState: order.state };
  await addEvent(tx, order, { ...page, who: "tradepost", about });
}

/** Said before a person releases it: without its account nobody would know whose it is. */
export async function refuseWithoutAccount(tx: Queryable, order: OrderRow): Promise<void> {
  const request = order.body.accountRequest ?? null;
  if (request === null) return;
  const [row] = await tx.query<{ number: string; state: string }>(
    "select number, state from account_request where company = $1 and id::text = $2",
    [order.company, request],
  );
  if (row === undefined || row.state === "done") return;
  throw new OrderError(
    "move-impossible",
    `Releasing web order ${order.number}: it waits for account request ${row.number}, which is ` +
      `"${row.state}". Decide that first: account-requests show ${row.number}`,
  );
}
