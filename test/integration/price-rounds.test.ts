/** A price round from loading to confirmation, on a real database, with an ERP that is files. */
import { expect, test } from "vitest";
import type { PriceAnswer } from "../../src/pricing/index.ts";
import { useDatabase } from "../support/database.ts";
import { moment, openTrade, productOf, TOKEN_KEY, type Trade } from "../support/price-round.ts";

const database = useDatabase();
const START = "2027-01-01T00:00:00";
const BY = { who: "Ann", why: "Yearly round, board of 10/12/2026" };

/** All prices go up by 4%. */
function raised(erp: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...erp].map(([product, price]) => [product, (Number(price) * 1.04).toFixed(4)]));
}

function load(trade: Trade, prices: ReadonlyMap<string, string>, words = {}, name = "2027") {
  return trade.company.rounds.load({
    name,
    startsAt: moment(START),
    words,
    file: "round-2027.csv",
    content: trade.file(prices),
    who: "Ann",
  });
}

const stands = ({ unitPrice, state, validUntil, stateReason }: PriceAnswer) => ({
  unitPrice,
  state,
  validUntil,
  stateReason,
});

test("what the pull brings otherwise than the round is told, and its prices answer stale until it is corrected or decided", async () => {
  const trade = await openTrade(database.store, { products: 4, code: "DIFFERS" });
  const { company } = trade;
  await trade.pull();
  const prices = raised(trade.erp);
  await load(trade, prices);
  await company.rounds.approve("2027", BY);
  await trade.tradepost.drain();
  trade.at("2027-01-01T06:15:00");
  for (const [code, price] of prices) trade.erp.set(code, price);
  trade.erp.set(productOf(1), "11.99");
  trade.erp.set(productOf(2), "12.60");
  await trade.pull();
  expect(trade.price(productOf(0)).state).toBe("confirmed");
  expect(stands(trade.price(productOf(1)))).toMatchObject({
    unitPrice: "11.4400",
    state: "stale",
    stateReason:
      "Price round 2027 of 01/01/2027 00:00, approved by Ann on 15/12/2026 09:00; the ERP says otherwise: fixed 11.99.",
  });
  const round = await company.rounds.find("2027");
  expect(round).toMatchObject({
    state: "approved",
    rules: { confirmed: 2, differs: 2, waiting: 0 },
  });
  expect(await company.rounds.differences(round.id)).toMatchObject([
    { rule: `STD ${productOf(1)}`, round: "fixed 11.44", erp: "fixed 11.99" },
    { rule: `STD ${productOf(2)}`, round: "fixed 12.48", erp: "fixed 12.6" },
  ]);
  const [alarm] = await company.alarms.list({ open: true });
  expect(alarm).toMatchObject({
    key: "price-round/2027",
    title: "the ERP has 2 other prices than round 2027",
  });

  // One is corrected in the ERP, the other decided by a person.
  trade.erp.set(productOf(1), "11.44");
  await trade.pull();
  expect(trade.price(productOf(1)).state).toBe("confirmed");
  await company.rounds.takeErp("2027", { who: "Bea", why: "The supplier raised it again" });
  await trade.tradepost.drain();
  expect(stands(trade.price(productOf(2)))).toMatchObject({
    unitPrice: "12.6000",
    state: "modelled",
  });
  await company.watch();
  expect(await company.rounds.find("2027")).toMatchObject({ state: "confirmed" });
  expect(await company.alarms.list({ open: true })).toEqual([]);
  const book = await database.store.query<{ action: string; who: string }>(
    "select action, who from audit where company = $1 order by at, id",
    ["DIFFERS"],
  );
  expect(book).toEqual([
    { action: "price-round-loaded", who: "Ann" },
    { action: "price-round-approved", who: "Ann" },
    { action: "price-round-erp-taken", who: "Bea" },
  ]);
});

test("a price that a pull still brings as it was, beside new ones of the round, is a difference", async () => {
  const trade = await openTrade(database.store, { products: 2, code: "HALF" });
  await trade.pull();
  const prices = raised(trade.erp);
  await load(trade, prices);
  await trade.company.rounds.approve("2027", BY);
  await trade.tradepost.drain();
  trade.at("2027-01-01T06:14:00");
  const lines = [{ product: productOf(1), quantity: "1" }];
  const [explained] = await trade.company.pricing.explain({ account: "TRADE01", lines });
  // Line 3 of the file that the person loaded.
  const rows = [expect.objectContaining({ origin: "round-2027.csv of price round 2027", line: 3 })];
  expect(explained).toMatchObject({
    explanation: {
      candidates: expect.arrayContaining([expect.objectContaining({ taken: true, rows })]),
    },
  });
  trade.at("2027-01-01T06:15:00");
  trade.erp.set(productOf(0), prices.get(productOf(0)) ?? "");
  await trade.pull();
  expect(trade.price(productOf(0)).state).toBe("confirmed");
  expect(stands(trade.price(productOf(1)))).toMatchObject({
    unitPrice: "11.4400",
    state: "stale",
    stateReason: expect.stringContaining("; the ERP says otherwise: fixed 11."),
  });
  trade.erp.set(productOf(1), prices.get(productOf(1)) ?? "");
  await trade.pull();
  expect(trade.price(productOf(1)).state).toBe("confirmed");
});

test("a round that no pull confirms in time answers stale, under an alarm, and can be cancelled", async () => {
  const trade = await openTrade(database.store, { products: 2, code: "OVERDUE" });
  const { company } = trade;
  await trade.pull();
  await load(trade, raised(trade.erp));
  await company.rounds.approve("2027", BY);
  await trade.tradepost.drain();
  trade.at("2027-01-02T00:00:00");
  expect(stands(trade.price(productOf(0)))).toMatchObject({
    unitPrice: "10.4000",
    state: "stale",
    stateReason: expect.stringContaining("the ERP has not confirmed it by 02/01/2027 00:00."),
  });
  await company.watch();
  expect((await company.alarms.list({ open: true })).map(({ key }) => key)).toEqual([
    "price-round/2027",
  ]);
  await company.rounds.cancel("2027", { who: "Ann", why: "The round is put off" });
  await trade.tradepost.drain();
  expect(stands(trade.price(productOf(0)))).toMatchObject({
    unitPrice: "10.0000",
    state: "modelled",
  });
  // A look that was under way may still have seen the round.
  const open = async () => {
    await company.watch();
    return company.alarms.list({ open: true });
  };
  await expect.poll(open, { timeout: 5_000 }).toEqual([]);
});

test("a pull's change past the limit waits for a person; its prices answer as before, stale, with the reason, in every instance and after a restart", async () => {
  const trade = await openTrade(database.store, {
    products: 5,
    code: "HELD",
    pricing: { holdAbove: { percent: 20, products: 3 } },
  });
  const { company } = trade;
  await trade.pull();
  // Two small changes go by themselves.
  trade.erp.set(productOf(3), "13.10");
  await trade.pull();
  expect(stands(trade.price(productOf(3)))).toMatchObject({
    unitPrice: "13.1000",
    state: "modelled",
  });
  expect(await company.holds.list()).toEqual([]);

  trade.at("2026-12-16T10:00:00");
  trade.erp.set(productOf(0), "1.00");
  trade.erp.set(productOf(1), "11.20");
  await trade.pull();
  const reason =
    "A price change of 16/12/2026 10:00 waits for a person: a price moves by 90%, at most 20% goes by itself.";
  const held = { unitPrice: "10.0000", state: "stale", stateReason: reason };
  expect(stands(trade.price(productOf(0)))).toMatchObject(held);
  expect(stands(trade.price(productOf(1)))).toMatchObject({ unitPrice: "11.0000", state: "stale" });
  expect(trade.price(productOf(2)).state).toBe("modelled");
  const second = await trade.second();
  const asked = { account: "TRADE01", lines: [{ product: productOf(0), quantity: "1" }] };
  expect(second.company.pricing.price(asked)).toMatchObject([held]);
  const [waiting] = await company.holds.list({ open: true });
  expect(waiting).toMatchObject({ state: "open", rules: 2, effect: { down: { count: 1 } } });
  expect(await company.holds.rules(waiting?.id ?? "")).toMatchObject([
    { rule: `STD ${productOf(0)}`, before: "fixed 10", after: "fixed 1" },
    { rule: `STD ${productOf(1)}`, before: "fixed 11", after: "fixed 11.2" },
  ]);
  expect((await company.alarms.list({ open: true })).map(({ title }) => title)).toEqual([
    "a change of 2 price rules waits for a person",
  ]);

  // The ERP takes one of the two back: it waits no more.
  trade.erp.set(productOf(0), "10.00");
  await trade.pull();
  expect(trade.price(productOf(0)).state).toBe("modelled");
  await company.holds.approve(waiting?.id ?? "", { who: "Cy", why: "Agreed with the buyer" });
  await trade.tradepost.drain();
  expect(stands(trade.price(productOf(1)))).toMatchObject({
    unitPrice: "11.2000",
    state: "modelled",
  });
  await second.company.pricing.refresh();
  const other = { account: "TRADE01", lines: [{ product: productOf(1), quantity: "1" }] };
  expect(second.company.pricing.price(other)).toMatchObject([
    { unitPrice: "11.2000", state: "modelled" },
  ]);
  await second.close();
  expect(await company.alarms.list({ open: true })).toEqual([]);
});

test("a change that a person rejects answers as before until the ERP takes it back", async () => {
  const trade = await openTrade(database.store, {
    products: 2,
    code: "REJECT",
    pricing: { holdAbove: { percent: 20 } },
  });
  const { company } = trade;
  await trade.pull();
  trade.erp.set(productOf(0), "100.00");
  await trade.pull();
  const [waiting] = await company.holds.list({ open: true });
  await company.holds.reject(waiting?.id ?? "", { who: "Cy", why: "A typing slip" });
  await trade.tradepost.drain();
  expect(stands(trade.price(productOf(0)))).toMatchObject({
    unitPrice: "10.0000",
    state: "stale",
    stateReason: expect.stringContaining("was rejected by Cy, and the ERP still has it."),
  });
  trade.erp.set(productOf(0), "10.00");
  await trade.pull();
  expect(trade.price(productOf(0)).state).toBe("modelled");
  expect(await company.holds.find(waiting?.id ?? "")).toMatchObject({ state: "over" });
});

test("prices whose source was last read longer ago than the setting answer stale, and say so", async () => {
  const trade = await openTrade(database.store, {
    products: 1,
    code: "AGED",
    pricing: { staleAfter: "2d" },
  });
  await trade.pull();
  trade.at("2026-12-17T08:59:00");
  // Whoever keeps the answer, or a signed price, keeps it no longer than it can be trusted.
  expect(stands(trade.price(productOf(0)))).toEqual({
    unitPrice: "10.0000",
    state: "modelled",
    validUntil: "2026-12-17T09:00:00Z",
    stateReason: null,
  });
  trade.at("2026-12-17T09:00:00");
  expect(stands(trade.price(productOf(0)))).toMatchObject({
    unitPrice: "10.0000",
    state: "stale",
    stateReason: expect.stringMatching(
      /^The prices rest on erp\/[a-z-]+, which was last read at 15\/12\/2026 09:00: longer ago than 2 days \(pricing\.staleAfter\)\.$/,
    ),
  });
  await trade.pull();
  expect(trade.price(productOf(0)).state).toBe("modelled");
});

const TOKENS = { tokens: { keys: [{ id: "k1", secret: TOKEN_KEY }], hours: 24 } };

test("a token's price is honoured until validUntil, and a difference is a typed problem", async () => {
  const trade = await openTrade(database.store, { products: 3, code: "TOKENS", pricing: TOKENS });
  const { company } = trade;
  await trade.pull();
  const product = productOf(2);
  const priced = trade.price(product, { tokens: true });
  const priceToken = priced.token ?? "";
  expect(priceToken).not.toBe("");
  // The ERP's price goes up within the token's hours.
  trade.at("2026-12-15T12:00:00");
  trade.erp.set(product, "13.00");
  await trade.pull();
  const codes = async (line: Parameters<Trade["order"]>[0]) => {
    const result = await trade.order(line);
    return "problem" in result
      ? result.problem.problems.map(({ code, line: of }) => `${code} of line ${of ?? "none"}`)
      : result.status;
  };
  expect(await codes({ product, unitPrice: "12.00", priceToken })).toBe(201);
  const [kept] = await database.store.query<{ price: object }>(
    `select l.price from web_order_line l where l.company = 'TOKENS' order by l.order_id desc limit 1`,
  );
  expect(kept?.price).toMatchObject({
    bookVersion: trade.price(product).bookVersion,
    token: {
      unitPrice: "12.0000",
      bookVersion: priced.bookVersion,
      because: priced.because,
      validUntil: "2026-12-16T09:00:00Z",
    },
  });
  expect(await codes({ product, unitPrice: "12.00" })).toEqual(["price-differs of line 1"]);
  expect(await codes({ product, unitPrice: "11.00", priceToken })).toEqual([
    "token-changed of line 1",
  ]);
  // It is for every quantity of its break.
  expect(await codes({ product, unitPrice: "12.00", priceToken, quantity: "2" })).toBe(201);
  expect(await codes({ product: productOf(1), unitPrice: "12.00", priceToken })).toEqual([
    "token-other-product of line 1",
  ]);
  expect(await codes({ product, unitPrice: "12.00", priceToken: `${priceToken}x` })).toEqual([
    "token-bad-signature of line 1",
  ]);
  trade.at("2026-12-16T09:00:00");
  expect(await codes({ product, unitPrice: "12.00", priceToken })).toEqual([
    "token-expired of line 1",
  ]);
  // Its time is over, and the price is the one of now all the same.
  expect(await codes({ product, unitPrice: "13.00", priceToken })).toEqual([
    "token-changed of line 1",
  ]);
  expect(await company.orders.list({})).toHaveLength(2);
});

test.each([
  { says: "until the round starts", code: "ENDS", words: {}, taken: [201, 422, 422] },
  {
    says: "for as long as the round's words say",
    code: "KEPT",
    words: { openBaskets: "keep", keepBasketsMinutes: 30 },
    taken: [201, 201, 422],
  },
])("an open basket keeps its prices $says", async ({ code, words, taken }) => {
  const trade = await openTrade(database.store, { products: 1, code, pricing: TOKENS });
  await trade.pull();
  await load(trade, raised(trade.erp), words);
  await trade.company.rounds.approve("2027", BY);
  await trade.tradepost.drain();
  trade.at("2026-12-31T23:59:00");
  const product = productOf(0);
  const priceToken = trade.price(product, { tokens: true }).token ?? "";
  const found: number[] = [];
  for (const local of ["2026-12-31T23:59:30", "2027-01-01T00:01:00", "2027-01-01T00:30:00"]) {
    trade.at(local);
    found.push((await trade.order({ product, unitPrice: "10.00", priceToken })).status);
  }
  expect(found).toEqual(taken);
});

test("a quotation is ordered by its number, once, and at most its quantity", async () => {
  const trade = await openTrade(database.store, {
    products: 2,
    code: "QUOTE",
    customers: ["TRADE01", "OTHER01"],
  });
  const product = productOf(0);
  const head = "quotation,account,quotedOn,expiresOn,state";
  trade.export("quotations", [
    head,
    "Q1,TRADE01,2026-12-01,2026-12-31,open",
    "Q2,TRADE01,2026-11-01,2026-11-30,open",
    "Q3,OTHER01,2026-12-01,2026-12-31,open",
  ]);
  trade.export("quotation-lines", [
    "quotation,line,product,quantity,orderedQuantity,unitPrice",
    `Q1,1,${product},100,40,8.00`,
    `Q2,1,${product},100,0,8.00`,
    `Q3,1,${product},100,0,8.00`,
  ]);
  await trade.pull();
  const order = async (quotation: string, quantity: string) => {
    const result = await trade.order({ product, unitPrice: "8.00", quantity }, { quotation });
    return "problem" in result ? result.problem.problems.map(({ code }) => code) : result.status;
  };
  expect(await order("Q1", "61")).toContain("quotation-used-up");
  expect(await order("Q2", "10")).toContain("quotation-not-open");
  expect(await order("Q3", "10")).toContain("quotation-unknown");
  expect(await order("Q1", "60")).toBe(201);
  expect(await order("Q1", "1")).toContain("quotation-ordered");
});

test.each([
  ["CONTRACT", "fixed,7.00"],
  // Its reason says more than the contract's name.
  ["CONTRACTOFF", "percent,30"],
])(
  "a contract covers what is left of it, with web orders that are not invoiced yet: %s",
  async (code, gives) => {
    const product = productOf(0);
    const trade = await openTrade(database.store, {
      products: 1,
      code,
      rules: () => [
        `S1,everyone,,product,${product},fixed,10.00,,,`,
        `C1,account,TRADE01,product,${product},${gives},C-17,100,30`,
      ],
    });
    await trade.pull();
    const order = async (quantity: string) => {
      const result = await trade.order({ product, unitPrice: "7.00", quantity });
      return "problem" in result ? result.problem.problems.map(({ code }) => code) : result.status;
    };
    expect(await order("50")).toBe(201);
    expect(await order("21")).toEqual(["contract-used-up"]);
    expect(await order("20")).toBe(201);
  },
);
