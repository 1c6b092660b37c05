/**
 * The days on which prices change, as a shop lives them: over HTTP, on a real database, with an ERP
 * that is files. The tables are what the README says of the states, moment by moment.
 */
import { expect, test } from "vitest";
import { useDatabase } from "../support/database.ts";
import { openDay, type DayOptions } from "../support/price-day.ts";
import {
  moment,
  openTrade,
  TOKEN_KEY,
  type Trade,
  type TradeOptions,
} from "../support/price-round.ts";

const database = useDatabase();
const TOKENS = { tokens: { keys: [{ id: "k1", secret: TOKEN_KEY }], hours: 24 } };
const ANN = { who: "Ann", why: "Yearly round, board of 10/12/2026" };

/** All prices go up by 4%. */
function raised({ erp }: Trade): DayOptions["prices"] {
  return new Map(
    [...erp].map(([product, price]) => {
      const pounds = Number(price);
      return [product, { old: pounds.toFixed(4), new: (pounds * 1.04).toFixed(4) }];
    }),
  );
}

function opened(options: TradeOptions): Promise<Trade> {
  return openTrade(database.store, { pricing: TOKENS, ...options });
}

/** Somebody types the new prices into the ERP. */
function typeInto({ erp }: Trade, prices: DayOptions["prices"]): void {
  for (const [product, { new: price }] of prices) erp.set(product, price);
}

async function loadRound(trade: Trade, prices: DayOptions["prices"], startsAt: string) {
  const content = trade.file(
    new Map([...prices].map(([product, { new: price }]) => [product, price])),
  );
  return trade.company.rounds.load({
    name: "2027",
    startsAt: moment(startsAt),
    words: {},
    file: "round-2027.csv",
    content,
    who: "Ann",
  });
}

async function approve(trade: Trade): Promise<void> {
  await trade.company.rounds.approve("2027", ANN);
  await trade.tradepost.drain();
}

test(
  "8,000 prices rise at 00:00, the ERP is updated at 06:10 and pulled at 06:15: each answer before, between and after is as the state table says",
  { timeout: 120_000 },
  async () => {
    const trade = await opened({ products: 8_000, code: "ROUND" });
    await trade.pull();
    const prices = raised(trade);
    const day = await openDay(trade, { prices });
    await day.row("2026-12-15T09:00:00", "no round yet");
    expect(await loadRound(trade, prices, "2027-01-01T00:00:00")).toMatchObject({
      state: "loaded",
      checked: { rules: 8_000, changed: 8_000, new: 0, same: 0, unreached: 0, zero: 0 },
    });
    await trade.tradepost.drain();
    await day.row("2026-12-15T09:10:00", "loaded");
    await approve(trade);
    await day.row("2026-12-15T09:20:00", "approved");
    trade.at("2026-12-31T23:58:00");
    day.sign();
    await day.row("2026-12-31T23:59:00", "a token since 23:58");
    const before = trade.price("P00002").bookVersion;
    await day.row("2026-12-31T23:59:50", "");
    await day.row("2027-01-01T00:00:00", "the round starts");
    // Nothing was rebuilt at that moment: the same book answers.
    expect(trade.price("P00002").bookVersion).toBe(before);
    day.sign();
    await day.row("2027-01-01T00:01:00", "a token since 00:00");
    trade.at("2027-01-01T02:00:00");
    await trade.pull();
    await day.row("2027-01-01T02:00:01", "pulled, ERP as before");
    trade.at("2027-01-01T06:10:00");
    typeInto(trade, prices);
    await day.row("2027-01-01T06:12:00", "ERP updated at 06:10");
    trade.at("2027-01-01T06:15:00");
    await trade.pull();
    await day.row("2027-01-01T06:15:01", "pulled");
    await day.row("2027-01-02T00:01:00", "a day later");
    expect(`\n${day.table()}\n`).toMatchInlineSnapshot(`
      "
      when                | what happens          | prices    | state                                   | valid until          | kept | feed       | order at old           | at new                 | with token
      2026-12-15 09:00:00 | no round yet          | 8,000 old | modelled                                | –                    | 60   | –          | taken                  | refused: price-differs | –
      2026-12-15 09:10:00 | loaded                | 8,000 old | modelled                                | –                    | 60   | –          | taken                  | refused: price-differs | –
      2026-12-15 09:20:00 | approved              | 8,000 old | modelled                                | 2027-01-01T00:00:00Z | 60   | everything | taken                  | refused: price-differs | –
      2026-12-31 23:59:00 | a token since 23:58   | 8,000 old | modelled                                | 2027-01-01T00:00:00Z | 60   | –          | taken                  | refused: price-differs | taken
      2026-12-31 23:59:50 |                       | 8,000 old | modelled                                | 2027-01-01T00:00:00Z | 10   | –          | taken                  | refused: price-differs | taken
      2027-01-01 00:00:00 | the round starts      | 8,000 new | modelled: no pull has confirmed it yet. | 2027-01-02T00:00:00Z | 60   | –          | refused: price-differs | taken                  | refused: token-expired
      2027-01-01 00:01:00 | a token since 00:00   | 8,000 new | modelled: no pull has confirmed it yet. | 2027-01-02T00:00:00Z | 60   | –          | refused: price-differs | taken                  | taken
      2027-01-01 02:00:01 | pulled, ERP as before | 8,000 new | modelled: no pull has confirmed it yet. | 2027-01-02T00:00:00Z | 60   | –          | refused: price-differs | taken                  | taken
      2027-01-01 06:12:00 | ERP updated at 06:10  | 8,000 new | modelled: no pull has confirmed it yet. | 2027-01-02T00:00:00Z | 60   | –          | refused: price-differs | taken                  | taken
      2027-01-01 06:15:01 | pulled                | 8,000 new | confirmed: the ERP has the same price.  | –                    | 60   | everything | refused: price-differs | taken                  | taken
      2027-01-02 00:01:00 | a day later           | 8,000 new | confirmed: the ERP has the same price.  | –                    | 60   | –          | refused: price-differs | taken                  | taken
      "
    `);
    const { company } = trade;
    expect(await company.rounds.find("2027")).toMatchObject({
      state: "confirmed",
      rules: { waiting: 0, confirmed: 8_000, differs: 0 },
    });
    expect(await company.alarms.list({ open: true })).toEqual([]);
    expect(trade.told).toEqual([]);
  },
);

test("without a round the old price answers and is sold until the pull, and the new one from then on", async () => {
  const trade = await opened({ products: 3, code: "NOROUND" });
  await trade.pull();
  const prices = raised(trade);
  const day = await openDay(trade, { prices });
  trade.at("2026-12-31T23:58:00");
  day.sign();
  await day.row("2026-12-31T23:59:00", "a token since 23:58");
  await day.row("2027-01-01T00:01:00", "the prices should rise");
  typeInto(trade, prices);
  await day.row("2027-01-01T06:12:00", "ERP updated at 06:10");
  trade.at("2027-01-01T06:15:00");
  await trade.pull();
  await day.row("2027-01-01T06:15:01", "pulled");
  expect(`\n${day.table()}\n`).toMatchInlineSnapshot(`
    "
    when                | what happens           | prices | state    | valid until | kept | feed                 | order at old           | at new                 | with token
    2026-12-31 23:59:00 | a token since 23:58    | 3 old  | modelled | –           | 60   | –                    | taken                  | refused: price-differs | taken
    2027-01-01 00:01:00 | the prices should rise | 3 old  | modelled | –           | 60   | –                    | taken                  | refused: price-differs | taken
    2027-01-01 06:12:00 | ERP updated at 06:10   | 3 old  | modelled | –           | 60   | –                    | taken                  | refused: price-differs | taken
    2027-01-01 06:15:01 | pulled                 | 3 new  | modelled | –           | 60   | P00000 P00001 P00002 | refused: price-differs | taken                  | taken
    "
  `);
});

test("a round may start at any hour, and waits for its hour when the ERP has its prices early", async () => {
  const trade = await opened({ products: 3, code: "NOON" });
  await trade.pull();
  const prices = raised(trade);
  await loadRound(trade, prices, "2027-01-01T12:30:00");
  await approve(trade);
  const day = await openDay(trade, { prices });
  trade.at("2027-01-01T09:00:00");
  typeInto(trade, prices);
  await trade.pull();
  await day.row("2027-01-01T09:00:01", "pulled, ERP early");
  day.sign();
  await day.row("2027-01-01T12:29:45", "a token since 09:00");
  await day.row("2027-01-01T12:30:00", "the round starts");
  trade.at("2027-01-01T12:45:00");
  await trade.pull();
  await day.row("2027-01-01T12:45:01", "pulled");
  expect(`\n${day.table()}\n`).toMatchInlineSnapshot(`
    "
    when                | what happens        | prices | state                                   | valid until          | kept | feed                 | order at old           | at new                 | with token
    2027-01-01 09:00:01 | pulled, ERP early   | 3 old  | modelled                                | 2027-01-01T12:30:00Z | 60   | –                    | taken                  | refused: price-differs | –
    2027-01-01 12:29:45 | a token since 09:00 | 3 old  | modelled                                | 2027-01-01T12:30:00Z | 15   | –                    | taken                  | refused: price-differs | taken
    2027-01-01 12:30:00 | the round starts    | 3 new  | modelled: no pull has confirmed it yet. | 2027-01-02T12:30:00Z | 60   | –                    | refused: price-differs | taken                  | refused: token-expired
    2027-01-01 12:45:01 | pulled              | 3 new  | confirmed: the ERP has the same price.  | –                    | 60   | P00000 P00001 P00002 | refused: price-differs | taken                  | refused: token-expired
    "
  `);
});
