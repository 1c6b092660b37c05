/** A price round from loading to confirmation, on a real database, with an ERP that is files. */
import { expect, test } from "vitest";
import type { PriceAnswer } from "../../src/pricing/index.ts";
import { useDatabase } from "../support/database.ts";
import { moment, openTrade, productOf, type Trade } from "../support/price-round.ts";

const database = useDatabase();
const START = "2027-01-01T00:00:00";
const BY = { who: "Ann", why: "Yearly round, board of 10/12/2026" };

/** 8,000 prices go up by 4%. */
function raised(erp: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...erp].map(([product, price]) => [product, (Number(price) * 1.04).toFixed(4)]));
}

function load(trade: Trade, prices: ReadonlyMap<string, string>, name = "2027") {
  return trade.company.rounds.load({
    name,
    startsAt: moment(START),
    words: {},
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

test(
  "8,000 prices rise at 00:00, the ERP is updated at 06:10 and pulled at 06:15: each answer before, between and after is as the state table says",
  { timeout: 60_000 },
  async () => {
    const trade = await openTrade(database.store, { products: 8_000 });
    const { company } = trade;
    await trade.pull();
    const product = productOf(2);
    expect(stands(trade.price(product))).toEqual({
      unitPrice: "12.0000",
      state: "modelled",
      validUntil: null,
      stateReason: null,
    });
    const prices = raised(trade.erp);
    const loaded = await load(trade, prices);
    expect(loaded).toMatchObject({
      state: "loaded",
      checked: { rules: 8_000, changed: 8_000, new: 0, same: 0, unreached: 0, zero: 0 },
    });
    expect(loaded.checked.effect).toMatchObject({
      up: { count: 8_000, median: "4.00" },
      customers: 1,
    });
    await trade.tradepost.drain();
    expect(trade.price(product).validUntil).toBeNull();

    await company.rounds.approve("2027", BY);
    await trade.tradepost.drain();
    trade.at("2026-12-31T23:59:00");
    const before = trade.price(product);
    expect(stands(before)).toEqual({
      unitPrice: "12.0000",
      state: "modelled",
      validUntil: "2027-01-01T00:00:00Z",
      stateReason: null,
    });
    const early = await trade.order({ product, unitPrice: "12.00" });
    expect(early.status).toBe(201);

    trade.at("2027-01-01T00:00:00");
    const between = trade.price(product);
    expect(stands(between)).toEqual({
      unitPrice: "12.4800",
      state: "modelled",
      validUntil: null,
      stateReason:
        "Price round 2027 of 01/01/2027 00:00, approved by Ann on 15/12/2026 09:00; no pull has confirmed it yet.",
    });
    // Nothing was rebuilt at that moment: the same book answers.
    expect(between.bookVersion).toBe(before.bookVersion);
    trade.at("2027-01-01T00:01:00");
    expect((await trade.order({ product, unitPrice: "12.48" })).status).toBe(201);
    expect((await trade.order({ product, unitPrice: "12.00" })).status).toBe(422);

    // A pull of the night, before anybody touched the ERP, says nothing yet.
    trade.at("2027-01-01T02:00:00");
    await trade.pull();
    expect(trade.price(product).state).toBe("modelled");

    trade.at("2027-01-01T06:10:00");
    for (const [code, price] of prices) trade.erp.set(code, price);
    expect(trade.price(product).state).toBe("modelled");
    trade.at("2027-01-01T06:12:00");
    expect((await trade.order({ product, unitPrice: "12.48" })).status).toBe(201);
    trade.at("2027-01-01T06:15:00");
    await trade.pull();
    expect(stands(trade.price(product))).toEqual({
      unitPrice: "12.4800",
      state: "confirmed",
      validUntil: null,
      stateReason:
        "Price round 2027 of 01/01/2027 00:00, approved by Ann on 15/12/2026 09:00; the ERP has the same price.",
    });
    expect(await company.rounds.find("2027")).toMatchObject({
      state: "confirmed",
      rules: { waiting: 0, confirmed: 8_000, differs: 0 },
    });
    expect(await company.alarms.list({ open: true })).toEqual([]);
  },
);
