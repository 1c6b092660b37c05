/**
 * Who buys: an account that the order names, the cash account for a guest, or nobody yet, since
 * the account is asked for. What speaks against a buyer is found here; all else by the checks.
 */
import { decimal } from "../../model/index.ts";
import type { Queryable } from "../../store/index.ts";
import type { OrderFinding, Policy } from "../checks.ts";
import type { OrdersContext } from "../context.ts";
import { onAccount, type AccountedOrder, type OrderRequest } from "../request.ts";
import type { AccountRow } from "./account-store.ts";
import { findAccountRequest } from "./account-store.ts";
import type { Priced } from "./context.ts";

/** An order with the account it is examined as, and what that makes of the result. */
export interface Buyer {
  readonly order: AccountedOrder;
  judged(examined: Priced): Priced;
}

export async function buyerOf(
  tx: Queryable,
  context: OrdersContext,
  request: OrderRequest,
  test: boolean,
): Promise<Buyer> {
  if (request.accountRequest !== null) return waitingBuyer(tx, context, request, test);
  if (request.guest !== null) return guest(context, request);
  return { order: onAccount(request), judged: (examined) => examined };
}

type Found = Omit<OrderFinding, "line" | "policy"> & { readonly policy: Policy };

function withFindings(examined: Priced, found: readonly Found[]): Priced {
  const findings = [...found.map((one) => ({ ...one, line: null })), ...examined.findings];
  return { ...examined, findings, verdict: worstOf(findings) };
}

function worstOf(findings: readonly Pick<OrderFinding, "policy">[]): Policy {
  if (findings.some(({ policy }) => policy === "refuse")) return "refuse";
  return findings.some(({ policy }) => policy === "hold") ? "hold" : "accept";
}

function guest(context: OrdersContext, request: OrderRequest): Buyer {
  const { guests, checks } = context.settings;
  const own = request.account ?? null;
  const account = guests?.account ?? "";
  const policy = checks.guest;
  const found: Found[] = [];
  if (guests === undefined)
    found.push({
      check: "guest",
      policy: "refuse",
      code: "guests-not-taken",
      found: "a guest",
      expected: "an account",
      about: "Orders of guests are not taken here.",
      instruction: "Order on an account, or name the cash account under orders.guests.",
    });
  if (own !== null && own !== account)
    found.push({
      check: "guest",
      policy: "refuse",
      code: "guest-has-account",
      found: own,
      expected: "a guest without an account, or an account without a guest",
      about: `The order names a guest and account ${own}.`,
      instruction: "Leave one of them out.",
    });
  if (request.deliverTo === null && request.conditions["delivery"] !== "collect")
    found.push({
      check: "guest",
      policy,
      code: "guest-address-missing",
      found: "no deliverTo",
      expected: 'an address in deliverTo, or conditions { "delivery": "collect" }',
      about: "The ERP has no address of a guest, and the order gives none.",
      instruction: "Send the guest's address with the order.",
    });
  return {
    order: onAccount(request, account),
    judged: (examined) => {
      const money = guestMoney(examined, policy);
      const rest = guests === undefined ? withoutAccount(examined) : examined;
      // Said of a payment in general; of a guest's there is more to say.
      const other = without(rest, ({ code }) => PAID_OTHERWISE.includes(code));
      return withFindings(other, money === null ? found : [...found, money]);
    },
  };
}

const PAID_OTHERWISE = ["paid-in-part", "paid-too-much"];

function without(examined: Priced, isGone: (finding: OrderFinding) => boolean): Priced {
  const findings = examined.findings.filter((finding) => !isGone(finding));
  return { ...examined, findings, verdict: worstOf(findings) };
}

/** Nobody is owed credit whom the ERP does not know: all of it is paid, or it is found. */
function guestMoney({ order }: Priced, policy: Policy): Found | null {
  const paid = order.payment?.amount ?? "0.00";
  const differs = decimal.compare(decimal.parse(paid), decimal.parse(order.gross));
  if (differs === 0) return null;
  const little = differs < 0;
  return {
    check: "guest",
    policy: little ? policy : "accept",
    code: little ? "guest-not-paid" : "guest-paid-more",
    found: paid,
    expected: order.gross,
    about: `The guest's order comes to ${order.gross}, and ${paid} was paid.`,
    instruction: little
      ? "Take the payment in full before the order is handed in."
      : "Give back what was paid too much.",
  };
}

/** Said of an account that stands in for the buyer's, or of none: it is not the buyer's doing. */
const OF_ACCOUNT: readonly OrderFinding["check"][] = ["account", "stop", "credit"];

function withoutAccount(examined: Priced): Priced {
  return without(examined, ({ check }) => OF_ACCOUNT.includes(check));
}

async function waitingBuyer(
  tx: Queryable,
  context: OrdersContext,
  request: OrderRequest,
  test: boolean,
): Promise<Buyer> {
  const named = request.accountRequest ?? "";
  // Whoever decides it waits for this order, or this order sees what was decided.
  const found = await findAccountRequest(tx, context.company, named, "for share");
  // No live order waits for an account that was asked for on trial, nor the other way round.
  const row = found?.test === test ? found : null;
  if (row === null || row.state === "refused") return refused(request, named, row);
  const asked = { ...request, accountRequest: row.id };
  // As any order of the account, now that there is one.
  if (row.state === "done") return { order: onAccount(asked, row.account ?? ""), judged: same };
  const { settings } = context;
  const standIn = settings.accountRequests?.pricesOf ?? settings.guests?.account;
  return {
    order: { ...onAccount(asked, standIn ?? row.number), keptUnder: row.number },
    judged: (examined) => waiting(examined, row, standIn !== undefined),
  };
}

const same = (examined: Priced): Priced => examined;

function refused(request: OrderRequest, named: string, row: AccountRow | null): Buyer {
  const found: Found = {
    check: "account",
    policy: "refuse",
    code: row === null ? "account-request-unknown" : "account-request-refused",
    found: named,
    expected: "an account request that was not refused",
    about: `Account request ${named} is ${row === null ? "not known" : "refused"}.`,
    instruction: "Ask for an account first, and send its id with the order.",
  };
  return {
    order: onAccount(request),
    judged: (examined) => withFindings(without(withoutAccount(examined), isOfPrice), [found]),
  };
}

/** Checked as far as possible: what only the account can tell is looked at when it is there. */
function waiting(examined: Priced, row: AccountRow, priced: boolean): Priced {
  const findings = withoutAccount(examined).findings.map((finding) =>
    finding.check === "site" || (!priced && finding.policy === "refuse" && isOfPrice(finding))
      ? { ...finding, policy: "hold" as const }
      : finding,
  );
  const found: Found = {
    check: "account",
    policy: "hold",
    code: "account-requested",
    found: row.number,
    expected: "an account that is open in the ERP",
    about: waitsFor(row.number),
    instruction: `Decide it: tradepost account-requests show ${row.number}`,
  };
  const order = { ...examined.order, account: row.number };
  return withFindings({ ...examined, findings, order }, [found]);
}

export function waitsFor(number: string): string {
  return `It waits for its account: request ${number} is not decided, or its account was not pulled yet.`;
}

function isOfPrice({ check, code }: OrderFinding): boolean {
  return check === "price" || check === "agreement" || code === "unit-unknown";
}
