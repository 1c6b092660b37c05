/** What the order comes to, its charges, what was paid, and how much may be owed. Pure. */
import { decimal, type WebOrder } from "../../model/index.ts";
import { sameAmount, sumOf } from "../amounts.ts";
import type { Checking, Note } from "../checks.ts";
import type { PaymentUse } from "../payments.ts";
import { contradict, type Rounded } from "../penny-line.ts";
import { amountText, quantityText } from "../words.ts";

type Order = Pick<WebOrder, "lines" | "charges" | "net" | "vat" | "gross">;

export function checkMoney(checking: Checking, order: Order, rounding: Rounded | null): void {
  checkTotals(checking, order, rounding);
  checkMinimum(checking, order);
  checkCharges(checking);
  checkPayment(checking, order);
  checkCredit(checking, order);
  checkLimits(checking, order);
}

function checkTotals(checking: Checking, { lines, ...totals }: Order, rounding: Rounded | null) {
  const { request, note, currency } = checking;
  for (const [index, line] of request.lines.entries()) {
    const ours = lines[index];
    if (ours === undefined || line.net === undefined || sameAmount(line.net, ours.net)) continue;
    note({
      check: "totals",
      code: "line-net-differs",
      line: index + 1,
      found: line.net,
      expected: ours.net,
      about:
        `Line ${index + 1} comes to ${amountText(ours.net, currency)} net, ` +
        `the order says ${amountText(line.net, currency)}.`,
      instruction: "Leave the net out, or compute it as the price answer does.",
    });
  }
  noteSum(checking);
  if (rounding !== null && rounding.pennyLine !== null)
    return notePennyLine(checking, rounding, rounding.pennyLine);
  for (const name of ["net", "vat", "gross"] as const) {
    const given = request[name];
    if (given === undefined || sameAmount(given, totals[name])) continue;
    note({
      check: "totals",
      code: `${name}-differs`,
      found: given,
      expected: totals[name],
      about:
        `The order's ${NAMES[name]} comes to ${amountText(totals[name], currency)} in the ERP, ` +
        `the order says ${amountText(given, currency)}.`,
      instruction: "Leave the totals out, or send those of the price answer.",
    });
  }
}

/** A shop whose own figures contradict each other: nobody can say what the customer agreed to. */
function noteSum({ request: { net, vat, gross }, note, currency }: Checking): void {
  if (!contradict({ net, vat, gross }) || net === undefined || vat === undefined) return;
  const words = (amount: string) => amountText(amount, currency);
  const sum = sumOf([net, vat]);
  note({
    check: "totals",
    code: "totals-do-not-add-up",
    found: gross ?? "",
    expected: sum,
    about:
      `The order says ${words(net)} net and ${words(vat)} VAT, which come to ${words(sum)}, ` +
      `and ${words(gross ?? "0")} gross.`,
    instruction: "Mend the shop's totals, or send those of the price answer.",
  });
}

const NAMES = { net: "net", vat: "VAT", gross: "gross" } as const;

function notePennyLine({ note, currency }: Checking, { shop, erp }: Rounded, net: string): void {
  note({
    check: "totals",
    policy: "accept",
    code: "penny-line",
    found: shop.gross ?? "",
    expected: erp.gross,
    about:
      `The order comes to ${amountText(erp.gross, currency)} in the ERP and to ` +
      `${amountText(shop.gross ?? "0", currency)} in the shop; a penny line of ` +
      `${amountText(net, currency)} makes up the difference.`,
    instruction: "Nothing; or let the shop add up as the price answer does.",
  });
}

/** The account's own minimum counts before the company's. */
function checkMinimum({ request, facts, settings, currency, note }: Checking, order: Order): void {
  const least = facts.customer?.minimumNet ?? settings.minimumNet;
  const net = sumOf(order.lines.map((line) => line.net));
  if (decimal.compare(decimal.parse(net), decimal.parse(least)) >= 0) return;
  const { smallOrderCharge: small } = settings;
  if (small !== undefined && request.charges.some((charge) => pays(charge, small))) return;
  const offered = small === undefined ? null : amountText(small.net, currency);
  note({
    check: "minimum",
    code: "below-minimum-order",
    found: net,
    expected: `at least ${least}`,
    about:
      `The order's goods come to ${amountText(net, currency)} net; ` +
      `the least order is ${amountText(least, currency)}.`,
    instruction:
      small === undefined
        ? "Add goods to the order."
        : `Add goods to the order, or the charge ${small.charge} of ${offered} net.`,
    ...(small === undefined ? {} : { offeredCharge: small }),
  });
}

function pays(charge: { charge: string; net: string }, small: { charge: string; net: string }) {
  const isEnough = decimal.compare(decimal.parse(charge.net), decimal.parse(small.net)) >= 0;
  return charge.charge === small.charge && isEnough;
}

/** A product sent as a charge would be sold and never leave the stock. */
function checkCharges({ request, facts, settings, note }: Checking): void {
  const known = settings.charges;
  for (const [index, { charge, vatCode }] of request.charges.entries()) {
    const at = { check: "charge", charge: index + 1, found: charge } as const;
    const small = settings.smallOrderCharge?.charge;
    const names = [...Object.keys(known ?? {}), ...(small === undefined ? [] : [small])].join(", ");
    if (facts.products.has(charge))
      note({
        ...at,
        policy: "refuse",
        code: "charge-is-product",
        expected: "a charge code, never a product",
        about: `${charge} is a product; as a charge it would never leave the stock.`,
        instruction: "Order it on a line of its own.",
      });
    const own = chargeOf(charge, settings);
    if (own === undefined && known !== undefined)
      note({
        ...at,
        code: "charge-unknown",
        expected: `one of ${names}`,
        about: `No charge ${charge} is known; the settings name ${names}.`,
        instruction: "Send one of these, or add it to orders.charges of the settings.",
      });
    if (own === undefined || vatCode === undefined || vatCode === own.vatCode) continue;
    note({
      ...at,
      code: "charge-vat-differs",
      found: vatCode,
      expected: own.vatCode,
      about: `Charge ${charge} has VAT code ${own.vatCode}, the order says ${vatCode}.`,
      instruction: "Leave the charge's vatCode out: then it is the settings' own.",
    });
  }
}

/** As the settings know it, the small-order charge and the penny line among them. */
export function chargeOf(
  code: string,
  { charges = {}, smallOrderCharge }: Checking["settings"],
): { readonly vatCode: string } | undefined {
  return charges[code] ?? (smallOrderCharge?.charge === code ? smallOrderCharge : undefined);
}

function checkPayment({ request, facts, currency, note }: Checking, { gross }: Order): void {
  const { payment } = request;
  if (payment === null) return;
  const { provider, reference, amount } = payment;
  const name = `${provider} ${reference}`;
  const isOther = payment.currency !== undefined && payment.currency !== currency;
  if (isOther)
    note({
      check: "payment",
      code: "payment-currency-differs",
      found: payment.currency ?? "",
      expected: currency,
      about:
        `Payment ${name} is of ${amount} ${payment.currency}, the order in ${currency}: it is not ` +
        "the order's, pays nothing of it and is told to no ERP.",
      instruction:
        "Give it back and have it paid in the order's currency; released, it goes on account, and " +
        "what becomes of the payment is finance's to settle.",
    });
  const use = facts.surroundings?.paymentUsedBy ?? null;
  if (use !== null) note(usedPayment(name, use));
  const over = decimal.compare(decimal.parse(amount), decimal.parse(gross));
  if (isOther || over === 0) return;
  const rest = sumOf([over > 0 ? amount : gross, `-${over > 0 ? gross : amount}`]);
  note({
    check: "payment",
    ...(over > 0 ? {} : { policy: "accept" as const }),
    code: over > 0 ? "paid-too-much" : "paid-in-part",
    found: amount,
    expected: gross,
    about:
      `${amountText(amount, currency)} of ${amountText(gross, currency)} was paid: ` +
      (over > 0
        ? `${amountText(rest, currency)} too much.`
        : `${amountText(rest, currency)} goes on account.`),
    instruction:
      over > 0
        ? "Give back what was paid too much, or mend the order; then release it."
        : "Nothing, if the customer was told so.",
  });
}

const USES = {
  used: {
    code: "payment-used-before",
    about: "came with web order",
    ends: " already",
    instruction: "Look it up at the provider: cancel the order if it is the same, or settle it.",
  },
  "owed back": {
    code: "payment-owed-back",
    about: "is owed back for web order",
    ends: ", which ended",
    instruction:
      "Drop that order's refund task and release this one, if it is what was paid for; else have " +
      "the customer pay it.",
  },
  "given back": {
    code: "payment-given-back",
    about: "was given back for web order",
    ends: ", which ended",
    instruction: "Have the customer pay it, and send it with that payment, or cancel it.",
  },
} as const;

function usedPayment(name: string, { order, how }: PaymentUse): Note {
  const { code, about, ends, instruction } = USES[how];
  return {
    check: "payment",
    code,
    found: `${name}, of web order ${order}`,
    expected: "a payment of its own for each order",
    about: `Payment ${name} ${about} ${order}${ends}; it counts for nothing here.`,
    instruction,
  };
}

/** Only money that is in the order's currency and is no other order's. */
function paidFor({ request: { payment }, facts, currency }: Checking): string {
  if (payment === null || (facts.surroundings?.paymentUsedBy ?? null) !== null) return "0";
  return payment.currency !== undefined && payment.currency !== currency ? "0" : payment.amount;
}

/** A payment already taken needs no credit; only what it leaves open counts. */
function checkCredit(checking: Checking, { gross }: Order): void {
  const { request, facts, currency, note } = checking;
  const limit = facts.customer?.creditLimit ?? null;
  if (limit === null) return;
  const onAccount = decimal.subtract(decimal.parse(gross), decimal.parse(paidFor(checking)));
  if (onAccount.digits <= 0n) return;
  const owed = decimal.parse(facts.customer?.balance ?? "0");
  const exposure = decimal.sum([owed, decimal.parse(facts.openGross), onAccount]);
  if (decimal.compare(exposure, decimal.parse(limit)) <= 0) return;
  const words = (amount: string) => amountText(amount, currency);
  note({
    check: "credit",
    code: "over-credit-limit",
    found: decimal.format(exposure),
    expected: `at most ${limit}`,
    about:
      `With this order account ${request.account} would owe ${words(decimal.format(exposure))}: ` +
      `${words(decimal.format(owed))} in the ledger, ${words(facts.openGross)} in web orders not invoiced yet, ` +
      `${words(decimal.format(onAccount))} for this one. Its limit is ${words(limit)}.`,
    instruction: "Credit control releases the order, or the customer pays first.",
  });
}

/** What is far beyond the usual is looked at by a person: a slip of a digit, or a stolen login. */
function checkLimits({ request, settings, currency, note }: Checking, { lines, net }: Order): void {
  const { limits = {} } = settings;
  const instruction = "A person asks the customer and releases the order, or cancels it.";
  const isAbove = (value: string, most: string) =>
    decimal.compare(decimal.parse(value), decimal.parse(most)) > 0;
  if (limits.net !== undefined && isAbove(net, limits.net))
    note({
      check: "limit",
      code: "net-above-limit",
      found: net,
      expected: `at most ${limits.net}`,
      about: `The order comes to ${amountText(net, currency)} net; above ${amountText(limits.net, currency)} a person looks at it.`,
      instruction,
    });
  if (limits.lines !== undefined && request.lines.length > limits.lines)
    note({
      check: "limit",
      code: "lines-above-limit",
      found: String(request.lines.length),
      expected: `at most ${limits.lines}`,
      about: `The order has ${request.lines.length} lines; above ${limits.lines} a person looks at it.`,
      instruction,
    });
  const most = limits.lineQuantity;
  if (most === undefined) return;
  for (const { line, product, quantity } of lines.slice(0, request.lines.length)) {
    if (!isAbove(quantity, most)) continue;
    note({
      check: "limit",
      code: "quantity-above-limit",
      line,
      found: quantityText(quantity),
      expected: `at most ${most}`,
      about: `Line ${line} wants ${quantityText(quantity)} of ${product}; above ${most} a person looks at it.`,
      instruction,
    });
  }
}
