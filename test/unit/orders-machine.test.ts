import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faultOf } from "../../src/http/order-findings.ts";
import { amountsOf, effectivePrice, plainArithmetic } from "../../src/orders/amounts.ts";
import { examine } from "../../src/orders/checks.ts";
import type { CheckName, OrderFacts, Policy } from "../../src/orders/checks.ts";
import { judge } from "../../src/orders/judge.ts";
import type { Acknowledgement, ErpOrderFact, OrderSeen } from "../../src/orders/judgement.ts";
import {
  after,
  DELIVERY_EVENTS,
  DELIVERY_STATES,
  fulfilment,
  mayMove,
  TRANSITIONS,
} from "../../src/orders/machine.ts";
import type { DeliveryEvent, DeliveryState } from "../../src/orders/machine.ts";
import { onAccount, orderRequest, requestHash } from "../../src/orders/request.ts";
import type { Canonical } from "../../src/model/index.ts";
import { record } from "../support/canonical-rows.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

describe("the delivery of an order", () => {
  test("can be read as one table of states and the events that leave them", () => {
    const table = DELIVERY_STATES.map((state) => {
      const moves = DELIVERY_EVENTS.flatMap((event) => {
        const next = after(state, event);
        return next === null ? [] : [`${event} → ${next}`];
      });
      return `${state}: ${moves.join(", ")}`;
    });
    expect(table.join("\n")).toMatchInlineSnapshot(`
      "received: check → checked
      checked: queue → queued, hold → held, cancel → cancelled
      held: check → checked, release → queued, refuse → refused, conflict → conflict, cancel → cancelled
      queued: hold → held, send → sending, accept → accepted, confirm → confirmed, refuse → refused, conflict → conflict, cancel → cancelled, shadow → shadowed
      sending: hold → held, retry → queued, handOver → handedOver, accept → accepted, refuse → refused, doubt → inDoubt, conflict → conflict
      handedOver: accept → accepted, confirm → confirmed, refuse → refused, doubt → inDoubt, conflict → conflict, resolve → confirmed, cancel → cancelled, takeBack → queued
      accepted: confirm → confirmed, conflict → conflict, resolve → confirmed, cancel → cancelled, lost → queued
      confirmed: confirm → confirmed, conflict → conflict, resolve → confirmed, cancel → cancelled, lost → queued
      inDoubt: handOver → handedOver, accept → accepted, confirm → confirmed, refuse → refused, notThere → queued, repeat → sending, conflict → conflict, resolve → confirmed, cancel → cancelled, takeBack → queued
      conflict: accept → accepted, confirm → confirmed, conflict → conflict, resolve → confirmed, cancel → cancelled, lost → queued
      refused: release → queued, conflict → conflict, cancel → cancelled
      cancelled: conflict → conflict
      shadowed: release → queued, cancel → cancelled"
    `);
  });

  test("reaches every state from received", () => {
    const reached = new Set<DeliveryState>(["received"]);
    for (const state of reached)
      for (const event of DELIVERY_EVENTS) {
        const next = after(state, event);
        if (next !== null) reached.add(next);
      }
    expect([...reached].sort()).toEqual([...DELIVERY_STATES].sort());
  });

  test("never goes from a send to another one unless nothing was placed, or it was taken back, or find said so, or a person did", () => {
    const events = fc.array(fc.constantFrom(...DELIVERY_EVENTS), { maxLength: 60 });
    fc.assert(
      fc.property(events, (tried) => {
        let state: DeliveryState = "received";
        let since: DeliveryEvent[] | null = null;
        for (const event of tried) {
          const next = after(state, event);
          if (next === null) continue;
          if (event === "send") {
            const cleared = ["retry", "notThere", "release", "lost", "takeBack"];
            if (since !== null) expect(since.some((one) => cleared.includes(one))).toBe(true);
            since = [];
          } else since?.push(event);
          state = next;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("lets only a person release, resolve, give up what was not asked for, or send a lost order again", () => {
    const alone = TRANSITIONS.filter(({ by }) => by.join() === "person");
    expect([...new Set(alone.map(({ event }) => event))].sort()).toEqual([
      "cancel",
      "check",
      "lost",
      "release",
      "resolve",
    ]);
    expect(mayMove("conflict", "resolve", "kim")).toBe(true);
    expect(mayMove("conflict", "resolve", "tradepost")).toBe(false);
    expect(mayMove("sending", "accept", "kim")).toBe(false);
  });

  test("leaves a doubt for the queue only when find knows nothing of the order, or its files were taken back", () => {
    const leaving = DELIVERY_EVENTS.filter((event) => after("inDoubt", event) === "queued");
    expect(leaving).toEqual(["notThere", "takeBack"]);
    const dropped = DELIVERY_EVENTS.filter((event) => after("handedOver", event) === "queued");
    expect(dropped).toEqual(["takeBack"]);
  });
});

describe("the word for how far an order's lines have got", () => {
  const line = (
    ordered: bigint,
    despatched = 0n,
    invoiced = 0n,
    credited = 0n,
    cancelled = 0n,
  ) => ({
    ordered,
    despatched,
    invoiced,
    credited,
    cancelled,
  });
  test.each([
    ["open", [line(5n), line(3n)]],
    ["part despatched", [line(5n, 2n), line(3n)]],
    ["despatched", [line(5n, 5n), line(3n, 4n)]],
    ["part invoiced", [line(5n, 5n, 5n), line(3n)]],
    ["invoiced", [line(5n, 0n, 5n), line(3n, 0n, 3n)]],
    ["invoiced", [line(5n, 0n, 5n), line(3n, 0n, 2n, 0n, 1n)]],
    ["credited", [line(5n, 5n, 5n, 5n)]],
    ["cancelled", [line(5n, 0n, 0n, 0n, 5n)]],
  ])("is %s", (word, lines) => {
    expect(fulfilment(lines)).toBe(word);
  });
});

describe("what the ERP shows of an order", () => {
  const order: OrderSeen = {
    state: "handedOver",
    number: "W-1",
    account: "A1",
    net: "100.00",
    vat: "20.00",
    lines: [
      { product: "BRICK", quantity: "20", net: "60.00" },
      { product: "SAND", quantity: "4", net: "40.00" },
    ],
    charges: [{ charge: "CARR" }],
    erpOrder: null,
    settled: [],
  };
  const accepted: Acknowledgement = {
    outcome: "accepted",
    erpOrder: "SO1",
    reason: null,
    net: "100.00",
    vat: "20.00",
  };
  const refused: Acknowledgement = {
    outcome: "refused",
    erpOrder: null,
    reason: "account on stop",
    net: null,
    vat: null,
  };
  const held: ErpOrderFact = {
    erpOrder: "SO1",
    account: "A1",
    state: "open",
    net: "100.00",
    vat: "20.00",
  };
  const cases: [
    what: string,
    OrderSeen,
    Acknowledgement[],
    ErpOrderFact[],
    event: string | null,
    reason?: string,
  ][] = [
    ["nothing yet", order, [], [], null],
    ["an acknowledgement", order, [accepted], [], "accept"],
    ["its own order, read back", order, [], [held], "confirm"],
    ["both", order, [accepted], [held], "confirm"],
    [
      "its own order after the acknowledgement",
      { ...order, state: "accepted", erpOrder: "SO1" },
      [accepted],
      [held],
      "confirm",
    ],
    ["its own order without amounts", order, [], [{ ...held, net: null, vat: null }], "accept"],
    ["a refusal", order, [refused], [], "refuse", "account on stop"],
    [
      "another net",
      order,
      [{ ...accepted, net: "99.00" }],
      [],
      "conflict",
      "the ERP holds 99.00: -1.00",
    ],
    [
      "another VAT",
      order,
      [],
      [{ ...held, vat: "20.01" }],
      "conflict",
      "the ERP holds 20.01: 0.01",
    ],
    ["another account", order, [], [{ ...held, account: "B2" }], "conflict", "account B2"],
    [
      "two orders with our number",
      order,
      [],
      [held, { ...held, erpOrder: "SO2" }],
      "conflict",
      "Duplicate in the ERP: W-1 is there as SO1 and SO2",
    ],
    [
      "two numbers in two answers",
      order,
      [accepted, { ...accepted, erpOrder: "SO2" }],
      [],
      "conflict",
      "Duplicate",
    ],
    [
      "two, of which one is cancelled there",
      order,
      [],
      [held, { ...held, erpOrder: "SO2", state: "cancelled", net: "1.00" }],
      "confirm",
    ],
    [
      "two that a person has settled",
      { ...order, state: "confirmed", settled: ["SO1", "SO2"] },
      [],
      [held, { ...held, erpOrder: "SO2" }],
      null,
    ],
    ["a refusal and an order", order, [refused], [held], "conflict", "refused"],
    ["an order that we hold", { ...order, state: "held" }, [], [held], "conflict", "is held here"],
    [
      "an order that was cancelled here",
      { ...order, state: "cancelled" },
      [],
      [held],
      "conflict",
      "is cancelled here",
    ],
    [
      "a change made there after it was confirmed",
      { ...order, state: "confirmed", erpOrder: "SO1" },
      [],
      [{ ...held, net: "80.00" }],
      null,
    ],
    [
      "another quantity of a product, though the sums are the same",
      order,
      [],
      [
        {
          ...held,
          lines: [
            { product: "BRICK", quantity: "19", net: "60.00" },
            { product: "SAND", quantity: "4", net: "40.00" },
          ],
        },
      ],
      "conflict",
      "Agreed are 20 of BRICK, the ERP holds 19.",
    ],
    [
      "another product",
      order,
      [],
      [
        {
          ...held,
          lines: [
            { product: "BRICK2", quantity: "20", net: "60.00" },
            { product: "SAND", quantity: "4", net: "40.00" },
          ],
        },
      ],
      "conflict",
      "Agreed are 0 of BRICK2, the ERP holds 20.",
    ],
    [
      "a line that was split, a text and a charge",
      order,
      [],
      [
        {
          ...held,
          lines: [
            { product: "BRICK", quantity: "12.00000", net: "36.00" },
            { product: "BRICK", quantity: "8", net: "24.00" },
            { product: null, quantity: "0", net: "0.00" },
            { product: "CARR", quantity: "1", net: "5.00" },
            { product: "SAND", quantity: "4", net: "40.00" },
          ],
        },
      ],
      "confirm",
    ],
    [
      "what it held before an amendment, which says nothing of it now",
      { ...order, state: "accepted", erpOrder: "SO1" },
      [accepted],
      [{ ...held, net: "80.00", stale: true }],
      null,
    ],
    ["a draft that waits for its number", order, [], [{ ...held, erpOrder: "TBA" }], null],
    ["an answer that names a draft", order, [{ ...accepted, erpOrder: " " }], [], null],
    [
      "an order that was cancelled here and there",
      { ...order, state: "cancelled", erpOrder: "SO1" },
      [],
      [{ ...held, state: "cancelled" }],
      null,
    ],
    ["an answer to an order in doubt", { ...order, state: "inDoubt" }, [accepted], [], "accept"],
  ];
  test.each(cases)("%s", (_what, seen, answers, orders, event, reason) => {
    const verdict = judge(seen, { acknowledgements: answers, erpOrders: orders });
    expect(verdict?.event ?? null).toBe(event);
    if (reason !== undefined) expect(verdict?.reasons.join(" ")).toContain(reason);
    // The order in which they arrived makes no difference.
    expect(judge(seen, { acknowledgements: answers.toReversed(), erpOrders: orders })?.event).toBe(
      verdict?.event,
    );
    if (verdict !== null) expect(after(seen.state, verdict.event)).not.toBeNull();
  });
});

describe("an order's amounts", () => {
  test.each([
    ["250", "420.00", "1000", "105.00"],
    ["3", "0.335", "1", "1.01"],
    ["1", "0.125", "1", "0.13"],
    ["2.5", "3.333", "1", "8.33"],
    ["7", "10", "3", "23.33"],
  ])("%s selling units at %s per %s come to %s", (quantity, unitPrice, perPricingUnit, net) => {
    const line = { quantity, unitPrice, perPricingUnit, vatPercent: "20" };
    expect(amountsOf({ lines: [line], charges: [] }, PENNIES)?.lines[0]?.net).toBe(net);
  });

  test("add up with two places even when there is nothing", () => {
    expect(amountsOf({ lines: [], charges: [] }, PENNIES)).toMatchObject({
      net: "0.00",
      vat: "0.00",
      gross: "0.00",
    });
  });

  test("are not known when no ledger holds them", () => {
    const line = { quantity: "999999999999", unitPrice: "999999999999", perPricingUnit: "1" };
    const figures = { lines: [{ ...line, vatPercent: "20" }], charges: [] };
    expect(amountsOf(figures, PENNIES)).toBeNull();
  });

  test.each([
    ["90.00", "10", "1", "9.000000"],
    ["10.00", "3", "1", "3.333333"],
    ["85.41", "250", "1000", "341.640000"],
  ])("%s for %s at so much per %s is a price of %s", (net, quantity, perPricingUnit, price) => {
    const line = { quantity, perPricingUnit };
    expect(effectivePrice(net, line, { scale: 2, mode: "half-away" })).toBe(price);
  });
});

const PENNIES = plainArithmetic({ scale: 2, mode: "half-away" });

const GUEST = { name: "Ann Ashby", email: "ann@ashby.example" };

describe("a request", () => {
  const request = { account: "A1", lines: [{ product: "P1", quantity: "1", unitPrice: "2.00" }] };

  test("has the same hash whatever the order of its fields, and another for another content", () => {
    const same = orderRequest.parse({
      lines: [{ unitPrice: "2.00", quantity: "1", product: "P1" }],
      account: "A1",
    });
    expect(requestHash(same)).toBe(requestHash(orderRequest.parse(request)));
    const other = orderRequest.parse({ ...request, account: "A2" });
    expect(requestHash(other)).not.toBe(requestHash(same));
  });

  test("keeps its hash when a later release adds a field that it leaves blank", () => {
    const parsed = orderRequest.parse(request);
    const later = { ...parsed, carrier: null, tags: [], extras: {} };
    expect(requestHash(later)).toBe(requestHash(parsed));
  });

  test.each([
    ["of a guest, on an account that we find", { guest: GUEST }],
    ["of a guest, on the account that is named", { guest: GUEST, account: "CASH" }],
    ["that waits for an account", { accountRequest: "0198" }],
  ])("%s is read without the customer's own account", (_what, buyer) => {
    expect(orderRequest.safeParse({ lines: request.lines, ...buyer }).success).toBe(true);
  });

  test.each([
    ["an unknown field", { ...request, acount: "A1" }, "acount"],
    [
      "a float",
      { ...request, lines: [{ product: "P1", quantity: 1, unitPrice: "2.00" }] },
      "string",
    ],
    [
      "no quantity",
      { ...request, lines: [{ product: "P1", quantity: "0.000", unitPrice: "2" }] },
      "more than 0",
    ],
    ["no lines", { ...request, lines: [] }, ">=1"],
    ["nobody who buys", { lines: request.lines }, "expected the account"],
    ["an account that is still to come beside one", { ...request, accountRequest: "1" }, "still"],
    [
      "a country in words",
      { ...request, deliverTo: { name: "Ashby", address1: "4 Mill Lane", country: "UK!" } },
      "ISO country",
    ],
  ])("with %s is not read", (_what, body, message) => {
    const parsed = orderRequest.safeParse(body);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(message);
  });
});

describe("the checks", () => {
  const settings = { ...ORDER_SETTINGS, minimumNet: "10", maxAttempts: 8 };
  const { checks } = settings;
  const product = (more: Partial<Canonical<"product">> = {}) =>
    record("product", { product: "P1", name: "Brick", ...more });
  const facts = (more: Partial<OrderFacts> = {}): OrderFacts => ({
    customer: record("customer", { account: "A1", name: "Ashby" }),
    site: undefined,
    products: new Map([["P1", product()]]),
    openGross: "0.00",
    vatRates: { STANDARD: "20", ZERO: "0" },
    prices: [{ unitPrice: "10.0000", evidence: null, about: "rule R1" }],
    ...more,
  });
  const request = (more: object = {}) =>
    onAccount(
      orderRequest.parse({
        account: "A1",
        lines: [{ product: "P1", quantity: "2", unitPrice: "10.00" }],
        ...more,
      }),
    );
  const codes = (given: object, known: Partial<OrderFacts>) =>
    examine(request(given), facts(known), settings, "2026-03-31").findings.map((one) => one.code);
  const customer = (more: Partial<Canonical<"customer">>) =>
    record("customer", { account: "A1", name: "Ashby", ...more });

  test.each([
    ["abc.def", '"abc.def", no price token that can be read'],
    [`eyJhbGciOiJ😀${"x".repeat(90)}`, '"eyJhbGciOiJ\ufffd…", no price token that can be read'],
  ])("say of the token %s that it is none", (priceToken, found) => {
    const lines = [{ product: "P1", quantity: "2", unitPrice: "10.00", priceToken }];
    const detail = "it is none";
    const token = { fine: false, code: "token-malformed", detail, claims: null } as const;
    const price = { unitPrice: "10.00", evidence: null, about: "rule R1", token };
    const known = facts({ prices: [price] });
    const { findings } = examine(request({ lines }), known, settings, "2026-03-31");
    expect(findings).toMatchObject([
      { code: "token-malformed", found, expected: "the price token as GET /v1/prices gave it" },
    ]);
  });

  test("say that no price is known, and point at a branch that is not", () => {
    const nothing = [{ unitPrice: null, evidence: null, about: "no rule" }];
    const unknown = facts({ prices: nothing });
    expect(examine(request(), unknown, settings, "2026-03-31").findings).toMatchObject([
      { found: "no price known", expected: "a price of P1 for this customer" },
    ]);
    const ofBranch = { check: "branch", code: "branch-unknown", policy: "refuse" } as const;
    const said = { found: "ZZ", expected: "a branch", about: "", instruction: "" };
    expect(faultOf({ ...ofBranch, ...said, line: null }).pointer).toBe("/branch");
  });

  test("find nothing in an order as it should be, and compute it", () => {
    const examined = examine(request(), facts(), settings, "2026-03-31");
    expect(examined.findings).toEqual([]);
    expect(examined.order).toMatchObject({
      orderedOn: "2026-03-31",
      net: "20.00",
      vat: "4.00",
      gross: "24.00",
      lines: [{ line: 1, net: "20.00", vatCode: "STANDARD", vat: "4.00" }],
    });
  });

  test.each([
    ["account-unknown", {}, { customer: null }],
    ["account-closed", {}, { customer: customer({ state: "closed" }) }],
    ["account-on-stop", {}, { customer: customer({ onStop: true, stopReason: "overdue" }) }],
    ["currency-differs", { currency: "EUR" }, {}],
    ["site-unknown", { site: "S1" }, { site: null }],
    ["product-unknown", {}, { products: new Map() }],
    ["product-not-active", {}, { products: new Map([["P1", product({ state: "blocked" })]]) }],
    ["product-not-on-web", {}, { products: new Map([["P1", product({ soldOnWeb: false })]]) }],
    [
      "product-replaced",
      {},
      { products: new Map([["P1", product({ state: "discontinued", replacedBy: "P2" })]]) },
    ],
    [
      "quantity-below-least",
      {},
      { products: new Map([["P1", product({ leastQuantity: "3.00000" })]]) },
    ],
    [
      "quantity-not-a-multiple",
      {},
      { products: new Map([["P1", product({ multipleQuantity: "1.5" })]]) },
    ],
    ["price-unknown", {}, { prices: [{ unitPrice: null, evidence: null, about: "no rule" }] }],
    ["price-differs", {}, { prices: [{ unitPrice: "10.01", evidence: null, about: "rule R1" }] }],
    ["net-differs", { net: "20.01" }, {}],
    ["vat-differs", { vat: "3.99" }, {}],
    [
      "line-net-differs",
      { lines: [{ product: "P1", quantity: "2", unitPrice: "10.00", net: "19.99" }] },
      {},
    ],
    ["vat-code-unknown", {}, { products: new Map([["P1", product({ vatCode: "REDUCED" })]]) }],
    [
      "below-minimum-order",
      { lines: [{ product: "P1", quantity: "0.9", unitPrice: "10.00" }] },
      {},
    ],
    [
      "over-credit-limit",
      {},
      { customer: customer({ creditLimit: "100.00", balance: "70.00" }), openGross: "6.01" },
    ],
  ] as [string, object, Partial<OrderFacts>][])("say %s", (code, given, known) => {
    expect(codes(given, known)).toEqual([code]);
  });

  test.each([
    ["a limit met to the penny", { creditLimit: "100.00", balance: "70.00" }, "6.00", {}],
    ["no limit", { creditLimit: null, balance: "7000.00" }, "0.00", {}],
    [
      "a payment already taken",
      { creditLimit: "1.00", balance: "1.00" },
      "0.00",
      { payment: { provider: "card", reference: "X", amount: "24.00" } },
    ],
  ] as [string, Partial<Canonical<"customer">>, string, object][])(
    "let %s pass",
    (_what, terms, openGross, given) => {
      expect(codes(given, { customer: customer(terms), openGross })).toEqual([]);
    },
  );

  test("name both prices and the one to order instead, and never swap by themselves", () => {
    const differing = examine(
      request(),
      facts({ prices: [{ unitPrice: "11.50", evidence: null, about: "rule R1 from 1" }] }),
      settings,
      "2026-03-31",
    );
    expect(differing.findings[0]).toMatchObject({ found: "10.00", expected: "11.50", line: 1 });
    expect(differing.findings[0]?.about).toContain("our price now is £11.50 (rule R1 from 1)");
    const replaced = examine(
      request(),
      facts({ products: new Map([["P1", product({ replacedBy: "P2" })]]) }),
      settings,
      "2026-03-31",
    );
    expect(replaced.findings[0]?.instruction).toContain("P2");
    expect(replaced.order.lines[0]?.product).toBe("P1");
  });

  test("mean what the policy says; the strictest finding decides over the whole order", () => {
    const known = facts({
      customer: customer({ onStop: true }),
      prices: [{ unitPrice: "11.00", evidence: null, about: "" }],
    });
    const verdict = (policies: Partial<Record<CheckName, Policy>>) =>
      examine(request(), known, { ...settings, checks: { ...checks, ...policies } }, "2026-03-31")
        .verdict;
    expect(verdict({})).toBe("refuse");
    expect(verdict({ stop: "hold", price: "accept" })).toBe("hold");
    expect(verdict({ stop: "accept", price: "accept" })).toBe("accept");
  });

  test("leave the agreed price as it is where the policy lets it pass", () => {
    const examined = examine(
      request(),
      facts({ prices: [{ unitPrice: "11.00", evidence: null, about: "" }] }),
      { ...settings, checks: { ...checks, price: "accept" } },
      "2026-03-31",
    );
    expect(examined.order).toMatchObject({ net: "20.00", lines: [{ unitPrice: "10.00" }] });
    expect(examined.findings).toHaveLength(1);
  });

  test("take a line's VAT code and rate as pricing resolves them, not as the records say", () => {
    const known = facts({
      customer: customer({ vatCode: "ZERO" }),
      prices: [
        { unitPrice: "10", evidence: null, about: "", vatCode: "STANDARD", vatPercent: "21" },
      ],
    });
    const { order } = examine(request(), known, settings, "2026-03-31");
    expect(order.lines[0]).toMatchObject({ vatCode: "STANDARD", vat: "4.20" });
  });

  test("refuse an amount that no price comes to where the ERP's files hold no amount off", () => {
    const many = { product: "P1", quantity: "2500000", unitPrice: "0.03" };
    const standing = {
      document: {
        price: 30_000,
        quantity: 250_000_000_000,
        perPricingUnit: 100_000,
        vatRate: 0,
        amount: 7_500_000,
        lowered: 749_999,
      },
      amount: "67500.01",
      quantity: "2500000",
    };
    const known = facts({
      prices: [{ unitPrice: "0.03", evidence: null, about: "", vatPercent: "0", standing }],
    });
    const of = (carriesDiscount: boolean) =>
      examine(request({ lines: [many] }), known, settings, "2026-03-31", {
        arithmetic: PENNIES,
        carriesDiscount,
      });
    expect(of(true)).toMatchObject({
      verdict: "accept",
      order: { net: "67500.01", lines: [{ unitPrice: "0.03", discount: "7499.99" }] },
    });
    expect(of(false)).toMatchObject({
      verdict: "refuse",
      findings: [{ code: "net-not-expressible", found: "67500.01", line: 1 }],
    });
  });
});
