/**
 * By whose terms an order is reckoned that is changed: promotions that ended, began or were taken
 * out of the ERP since, in real exports, pulled at their hours.
 */
import { expect, test } from "vitest";
import { orderRequest } from "../../src/orders/index.ts";
import { useDatabase } from "../support/database.ts";
import { openTrade, type Trade } from "../support/price-round.ts";

const database = useDatabase();
const HEAD =
  "promotion,name,customerScope,productScope,productCode,kind,value,buyQuantity,freeQuantity,freeProduct,thresholdValue,countsOver,lowers,validFrom,validTo";
/** The third of each three is free; P00000 costs 10.00. */
const THREE =
  "THREE,Three for two,everyone,product,P00000,buy-get,,2,1,,,line,line,2026-12-01,2026-12-20";
/** A tenth off all of it from 100.00 on. */
const SPEND =
  "SPEND,A tenth off,everyone,everything,,threshold,10,,,,100,document,document,2026-12-01,2027-12-31";
/** Half off, later. */
const HALF =
  "HALF,Half off,everyone,everything,,threshold,50,,,,1,document,document,2026-12-26,2027-12-31";
/** One of P00003 for each ten of P00001. */
const GIFT =
  "GIFT,A bucket for ten,everyone,product,P00001,free-goods,,10,1,P00003,,line,line,2026-12-01,2026-12-20";

const ASKER = { who: "key shop", why: null, apiKey: "shop", decides: false };
const line = (product: string, quantity: string, unitPrice: string) => ({
  product,
  quantity,
  unitPrice,
});
let keys = 0;

interface Placed {
  readonly trade: Trade;
  readonly number: string;
  readonly net: string;
}

/** An order of 15 December by the promotions of then, which the ERP has. */
async function placed(
  code: string,
  promotions: readonly string[],
  lines: readonly object[],
): Promise<Placed> {
  const trade = await openTrade(database.store, { code, products: 4 });
  trade.export("promotions", [HEAD, ...promotions]);
  await trade.pull();
  const body = orderRequest.parse({ account: "TRADE01", lines });
  const asked = { idempotencyKey: "k1", body, apiKey: "shop", test: false };
  const taken = await trade.company.orders.accept(asked);
  if (!("order" in taken)) throw new Error(JSON.stringify(taken.problem));
  await trade.tradepost.drain();
  return { trade, number: taken.order.webOrder, net: taken.order.net };
}

/** The day after Christmas: prices are up by half, and the ERP has these promotions alone. */
async function afterChristmas({ trade }: Placed, promotions: readonly string[]): Promise<void> {
  trade.at("2026-12-27T09:00:00");
  for (const [product, price] of trade.erp) trade.erp.set(product, String(Number(price) * 1.5));
  trade.export("promotions", [HEAD, ...promotions]);
  await trade.pull();
}

async function netOf(asked: ReturnType<Trade["company"]["orders"]["cancelPart"]>): Promise<string> {
  const result = await asked;
  if ("problem" in result) throw new Error(JSON.stringify(result.problem));
  expect(result.answer.reasons).toEqual([]);
  return result.answer.net ?? "nothing";
}

const cancelled = ({ trade, number }: Placed, of: number, quantity: string) =>
  netOf(
    trade.company.orders.cancelPart(number, {
      ...ASKER,
      idempotencyKey: `c${(keys += 1)}`,
      lines: [{ line: of, quantity }],
    }),
  );
const amended = ({ trade, number }: Placed, lines: readonly object[], more: object = {}) =>
  netOf(
    trade.company.orders.amend(number, {
      ...ASKER,
      idempotencyKey: `a${(keys += 1)}`,
      body: orderRequest.parse({ account: "TRADE01", lines, ...more }),
    }),
  );

const TWO = [line("P00000", "6", "10.00"), line("P00001", "4", "11.00")];

test("what stays keeps a promotion that ended since, by its own terms", async () => {
  const order = await placed("ENDED", [THREE], TWO);
  // 6 for 40.00, and 44.00.
  expect(order.net).toBe("84.00");
  await afterChristmas(order, [THREE]);
  expect(await cancelled(order, 2, "2")).toBe("62.00");
  expect(await cancelled(order, 1, "3")).toBe("42.00");
  // Two are too few for it.
  expect(await cancelled(order, 1, "1")).toBe("42.00");
});

test("what stays gets no promotion that began since, nor a price of today", async () => {
  const order = await placed("BEGAN", [], TWO);
  expect(order.net).toBe("104.00");
  await afterChristmas(order, [HALF]);
  expect(await cancelled(order, 2, "1")).toBe("93.00");
  // A new order gets it: 44 at today's 16.50, half off.
  const { answer } = basketOf(
    await order.trade.company.pricing.basket({
      account: "TRADE01",
      lines: [{ product: "P00001", quantity: "44" }],
    }),
  );
  expect(answer.totals?.net).toBe("363.00");
});

function basketOf(priced: Awaited<ReturnType<Trade["company"]["pricing"]["basket"]>>) {
  if (!("answer" in priced)) throw new Error("nobody to price for");
  return priced;
}

test("a promotion that what stays does not reach any more ends by its terms, though the ERP has it no more", async () => {
  const lines = [line("P00001", "8", "11.00"), line("P00002", "2", "12.00")];
  const order = await placed("SPEND", [SPEND], lines);
  expect(order.net).toBe("100.80");
  await afterChristmas(order, [HALF]);
  expect(await cancelled(order, 2, "1")).toBe("90.00");
  expect(await cancelled(order, 2, "1")).toBe("88.00");
});

test("an amendment that asks for no more keeps what was agreed", async () => {
  const order = await placed("LESS", [THREE, SPEND], TWO);
  // 84.00 is below 100.00.
  expect(order.net).toBe("84.00");
  await afterChristmas(order, [HALF]);
  expect(await amended(order, TWO, { customerReference: "PO 2" })).toBe("84.00");
  const less = [line("P00000", "6", "10.00"), line("P00001", "1", "11.00")];
  expect(await amended(order, less)).toBe("51.00");
});

test("one that asks for more is a new agreement on the whole, and what is cancelled after it keeps that", async () => {
  const order = await placed("MORE", [THREE], TWO);
  await afterChristmas(order, [HALF]);
  // 60.00, 44.00 and 18.00 for what is new, half of it off: no third is free any more.
  const more = [...TWO, line("P00002", "1", "18.00")];
  expect(await amended(order, more)).toBe("61.00");
  order.trade.at("2027-01-05T09:00:00");
  order.trade.export("promotions", [HEAD, THREE]);
  await order.trade.pull();
  expect(await cancelled(order, 2, "4")).toBe("39.00");
});

test("goods that a promotion of then gives stay with what they are given for", async () => {
  const order = await placed("GIFT", [GIFT], [line("P00001", "20", "11.00")]);
  await afterChristmas(order, [HALF]);
  expect(await cancelled(order, 1, "10")).toBe("110.00");
  const { orders } = order.trade.company;
  await order.trade.tradepost.drain();
  for (const { id } of await orders.tasks())
    await orders.closeTask({ id, state: "done", who: "kim", reason: "made in the ERP" });
  const { lines } = (await orders.show(order.number)).order;
  expect(lines.map(({ product, quantity, net }) => [product, Number(quantity), net])).toEqual([
    ["P00001", 10, "110.00"],
    ["P00003", 1, "0.00"],
  ]);
});
