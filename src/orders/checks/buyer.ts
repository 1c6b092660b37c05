/** The customer: account, stop, currency, its own reference, a repeated order. Pure. */
import type { Checking } from "../checks.ts";
import { SENT_AGAIN } from "../held-since.ts";
import { momentText } from "../../model/index.ts";

export function checkBuyer(checking: Checking): void {
  checkAccount(checking);
  checkReference(checking);
  checkRepeat(checking);
}

function checkAccount({ request: { account }, facts: { customer }, currency, note }: Checking) {
  if (customer === null || customer.state === "closed")
    note({
      check: "account",
      code: customer === null ? "account-unknown" : "account-closed",
      found: customer === null ? account : `${account}, closed`,
      expected: "an account that is open in the ERP",
      about: `Account ${account} is ${customer === null ? "not known" : "closed"}.`,
      instruction: "Open the account in the ERP, or order on another one.",
    });
  if (customer?.onStop === true)
    note({
      check: "stop",
      code: "account-on-stop",
      found: customer.stopReason ?? "on stop",
      expected: "an account that is not on stop",
      about: `Account ${account} is on stop${customer.stopReason === null ? "" : `: ${customer.stopReason}`}.`,
      instruction: "Credit control lifts the stop in the ERP.",
    });
  if (customer !== null && customer.currency !== currency)
    note({
      check: "totals",
      code: "currency-differs",
      found: currency,
      expected: customer.currency,
      about: `The order is in ${currency}, account ${account} in ${customer.currency}.`,
      instruction: `Send prices in ${customer.currency}.`,
    });
}

function checkReference({ request, facts: { customer }, note }: Checking): void {
  if (customer?.referenceRequired !== true) return;
  if ((request.customerReference ?? "").trim() !== "") return;
  note({
    check: "reference",
    code: "reference-missing",
    found: "no customerReference",
    expected: "the customer's own reference, such as a purchase order's number",
    about: `${customer.name} pays no invoice without a reference of its own, and the order has none.`,
    instruction: "Ask the buyer for the reference and send it as customerReference.",
  });
}

/** A shop that lost its key sends the order again under a new one, and with a new number. */
function checkRepeat({ facts: { surroundings }, settings, note }: Checking): void {
  const repeats = surroundings?.repeats ?? null;
  if (repeats === null) return;
  const when = momentText(repeats.receivedAt, settings.timeZone);
  note({
    check: "repeat",
    code: "order-repeated",
    found: `the same as web order ${repeats.number}`,
    expected: `no two such orders within ${settings.repeatedWithinMinutes ?? 0} minutes`,
    about:
      `Web order ${repeats.number} of ${when} has the same buyer, goods, reference, place and day. ` +
      SENT_AGAIN,
    instruction: `Ask the customer: release it if both are wanted, cancel it if web order ${repeats.number} is the one.`,
  });
}
