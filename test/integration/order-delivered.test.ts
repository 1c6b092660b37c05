/**
 * What is still to come of a paid order, while the ERP delivers, ends and charges it: nobody is
 * paid back for what is on its way, and what does not come is told once that is known.
 */
import { expect, test } from "vitest";
import { OPEN_LINES } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();

const PAID = { payment: { provider: "card", reference: "pi_1", amount: "20.08" } };
const PRICES = { BRICK: 4.2, SAND: 10 } as const;
type Product = keyof typeof PRICES;
/** Of each product: how many, despatched and invoiced as the ERP's line says it. */
type There = Partial<
  Record<Product, readonly [ordered: number, despatched: number, invoiced: number]>
>;
const OPEN: There = { BRICK: [2, 0, 0], SAND: [1, 0, 0] };

/** Two bricks and a bag of sand, 20.08 with VAT, paid and taken. */
async function confirmed(company: string) {
  const one = await companies.open(company);
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  const world = worldOf(company, one);
  await world.pulled({ state: "open", lines: OPEN });
  expect((await one.orders.show("W1")).state).toBe("confirmed");
  return world;
}

interface Paper {
  readonly day?: number;
  readonly vat?: number;
  readonly among?: boolean;
}

function worldOf(company: string, one: Opened) {
  const { store } = companies;
  const at = () => one.now.toString();
  const line = (product: Product, quantity: number) => ({
    product,
    quantity: String(quantity),
    unitPrice: String(PRICES[product]),
    net: (PRICES[product] * quantity).toFixed(2),
  });
  const vatOf = (product: Product, quantity: number) =>
    product === "BRICK" ? PRICES.BRICK * quantity * 0.2 : 0;
  const look = async () => {
    await salesOf(store, company, () => one.now).post();
    await one.orders.advance();
    await companies.jobs.drain();
    await one.orders.advance();
  };
  return {
    one,
    look,
    /** Time passes, and nothing is pulled. */
    wait: async (time: Temporal.DurationLike) => {
      one.now = one.now.add(time);
      await look();
    },
    pulled: async ({ state, lines }: { state?: "open" | "complete"; lines?: There }) => {
      one.now = one.now.add({ minutes: 5 });
      const order = { erpOrder: "SO1", account: "A1", webOrder: "W1", orderedOn: "2026-03-31" };
      const sums = { net: "18.40", vat: "1.68", currency: "GBP" };
      if (state !== undefined)
        await pull(store, company, "erp-order", [{ ...order, ...sums, state }], at());
      const rows = Object.entries(lines ?? {}).map(
        ([product, [ordered, gone, invoiced]], place) => ({
          erpOrder: "SO1",
          line: place + 1,
          ...line(product as Product, ordered),
          despatchedQuantity: String(gone),
          invoicedQuantity: String(invoiced),
        }),
      );
      await pull(store, company, "erp-order-line", rows, at());
      await look();
    },
    /** `day`: of March; `vat`: other than of its goods; `among`: an invoice for several orders. */
    paper: async (
      documentType: "invoice" | "credit",
      document: string,
      quantities: Partial<Record<Product, number>>,
      { day = 31, vat: said, among = false }: Paper = {},
    ) => {
      one.now = one.now.add({ minutes: 5 });
      const of = Object.entries(quantities) as [Product, number][];
      const net = of.reduce((sum, [product, many]) => sum + PRICES[product] * many, 0);
      const vat = said ?? of.reduce((sum, [product, many]) => sum + vatOf(product, many), 0);
      const head = { documentType, document, account: "A1", documentOn: `2026-03-${day}` };
      const sums = { net: net.toFixed(2), vat: vat.toFixed(2), gross: (net + vat).toFixed(2) };
      const names = among ? {} : { webOrder: "W1", erpOrder: "SO1" };
      await pull(store, company, "sales-document", [{ ...head, ...names, ...sums }], at());
      const rows = of.map(([product, many], place) => {
        const own = said !== undefined && place === 0 ? said : vatOf(product, many);
        const vatOfLine = said !== undefined && place > 0 ? 0 : own;
        const of = among ? { erpOrder: "SO1", erpOrderLine: place + 1 } : {};
        const key = { documentType, document, line: place + 1, ...of };
        return { ...key, ...line(product, many), vat: vatOfLine.toFixed(2) };
      });
      await pull(store, company, "sales-line", rows, at());
      await look();
    },
    /** Open refunds. */
    owed: async () =>
      (await one.orders.tasks({ kind: "refund", state: "open" })).map(({ amount }) => amount),
    fulfilment: async () => (await one.orders.show("W1")).fulfilment,
    stock: async () =>
      companies.store.query(
        `select product, quantity::int as quantity from ${OPEN_LINES} l
          where company = $1 and quantity > 0 order by product`,
        [company],
      ),
  };
}

test("an order that is complete before its lines and its invoice are pulled is delivered", async () => {
  const { paper, pulled, owed, fulfilment } = await confirmed("HEADFIRST");
  await pulled({ state: "complete" });
  expect([await owed(), await fulfilment()]).toEqual([[], "open"]);
  await pulled({ lines: { BRICK: [2, 2, 2], SAND: [1, 1, 1] } });
  await paper("invoice", "I1", { BRICK: 2, SAND: 1 });
  expect([await owed(), await fulfilment()]).toEqual([[], "invoiced"]);
});

test("what lines said before the end counts an hour later, and what they say of it at once", async () => {
  const before = await confirmed("LINESBEFORE");
  await before.pulled({ lines: { BRICK: [2, 2, 2], SAND: [1, 0, 0] } });
  await before.paper("invoice", "I1", { BRICK: 2 });
  await before.pulled({ state: "complete" });
  expect(await before.owed()).toEqual([]);
  await before.wait({ hours: 1 });
  expect(await before.owed()).toEqual(["10.00"]);
  await before.pulled({ lines: { BRICK: [2, 2, 2], SAND: [1, 1, 1] } });
  expect(await before.owed()).toEqual([]);
  const after = await confirmed("LINESAFTER");
  await after.paper("invoice", "I1", { BRICK: 2 });
  await after.pulled({ state: "complete", lines: { BRICK: [2, 2, 2], SAND: [1, 0, 0] } });
  expect(await after.owed()).toEqual(["10.00"]);
});

test("lines that tell of nothing end nothing: the invoices of the next days tell what came", async () => {
  const { pulled, paper, wait, owed, fulfilment } = await confirmed("UNTOLD");
  await pulled({ state: "complete", lines: { BRICK: [2, 0, 0], SAND: [1, 0, 0] } });
  // Nothing shows yet that anything came.
  await wait({ hours: 24 * 30 });
  expect([await owed(), await fulfilment()]).toEqual([[], "open"]);
  await paper("invoice", "I1", { BRICK: 2 });
  await wait({ hours: 24 * 3 });
  expect(await owed()).toEqual([]);
  await paper("invoice", "I2", { SAND: 1 });
  await wait({ hours: 24 * 10 });
  expect([await owed(), await fulfilment()]).toEqual([[], "invoiced"]);
});

test("of one that was invoiced in part and is complete the rest is told once no invoice came for days, without another pull", async () => {
  const world = await confirmed("LASTPART");
  const { pulled, paper, wait, owed } = world;
  await paper("invoice", "I1", { BRICK: 1 });
  await pulled({ state: "complete" });
  await wait({ hours: 24 * 3 });
  expect(await owed()).toEqual([]);
  await paper("invoice", "I2", { BRICK: 1 });
  await wait({ hours: 24 * 3 });
  expect(await owed()).toEqual([]);
  // Looks of every few hours, at nothing that is new.
  for (let looks = 0; looks < 6; looks += 1) await wait({ hours: 6 });
  expect(await owed()).toEqual(["10.00"]);
});

test("a back order is still to come when the invoice of the first part is credited and made anew", async () => {
  const { one, pulled, paper, owed, stock } = await confirmed("ANEW");
  await pulled({ lines: { BRICK: [2, 1, 1], SAND: [1, 1, 1] } });
  await paper("invoice", "I1", { BRICK: 1, SAND: 1 });
  await paper("credit", "C1", { BRICK: 1, SAND: 1 });
  await paper("invoice", "I2", { BRICK: 1, SAND: 1 });
  expect([await owed(), await stock()]).toEqual([[], [{ product: "BRICK", quantity: 1 }]]);
  one.erp.cancel = null;
  const by = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };
  const answer = await one.orders.cancelPart("W1", { ...by, lines: [{ line: 1, quantity: "1" }] });
  expect(answer).toMatchObject({ status: 202 });
});

test("where no ERP states what went out, goods that are credited and charged again may be either", async () => {
  const { pulled, paper, wait, owed, stock } = await confirmed("UNSTATED");
  await paper("invoice", "I1", { BRICK: 1, SAND: 1 }, { day: 10 });
  await paper("credit", "C1", { BRICK: 1 }, { day: 12 });
  // It came back, as far as is known.
  expect(await owed()).toEqual(["5.04"]);
  await paper("invoice", "I2", { BRICK: 1 }, { day: 14 });
  expect([await owed(), await stock()]).toEqual([[], [{ product: "BRICK", quantity: 1 }]]);
  await pulled({ state: "complete" });
  await wait({ hours: 24 * 5 });
  // Either it came back, or the other one does not come.
  expect(await owed()).toEqual(["5.04"]);
});

test("goods that came back are owed back, also beside a back order, where the ERP states what went out", async () => {
  const { pulled, paper, owed } = await confirmed("CAMEBACK");
  await pulled({ lines: { BRICK: [2, 1, 1], SAND: [1, 1, 1] } });
  await paper("invoice", "I1", { BRICK: 1, SAND: 1 }, { day: 10 });
  await paper("credit", "C1", { BRICK: 1 }, { day: 12 });
  expect(await owed()).toEqual(["5.04"]);
  await pulled({ lines: { BRICK: [2, 2, 2], SAND: [1, 1, 1] } });
  await paper("invoice", "I2", { BRICK: 1 }, { day: 14 });
  expect(await owed()).toEqual(["5.04"]);
});

test("a refund that papers leave nothing over for is taken back while the order is in conflict", async () => {
  const { one, paper, owed } = await confirmed("WITHDRAWN");
  const all = { BRICK: 2, SAND: 1 };
  await paper("invoice", "I1", all);
  await paper("credit", "C1", all);
  expect(await owed()).toEqual(["20.08"]);
  await paper("invoice", "I2", { BRICK: 4, SAND: 2 });
  expect([(await one.orders.show("W1")).state, await owed()]).toEqual(["conflict", []]);
  // What they still leave over stays asked for, and nothing more.
  const part = await confirmed("LEFTOVER");
  await part.paper("invoice", "I1", all, { day: 10 });
  await part.paper("credit", "C1", { SAND: 1 }, { day: 12 });
  await part.paper("invoice", "I2", { BRICK: 1 }, { day: 14 });
  expect((await part.one.orders.show("W1")).state).toBe("conflict");
  expect(await part.owed()).toEqual(["4.96"]);
});

test("one invoice makes anew what one credit note took back, and what another one did came back", async () => {
  const { paper, owed } = await confirmed("TWONOTES");
  await paper("invoice", "I1", { BRICK: 1 }, { day: 10 });
  await paper("invoice", "I2", { BRICK: 1 }, { day: 11 });
  await paper("credit", "C1", { BRICK: 1 }, { day: 12 });
  await paper("credit", "C2", { BRICK: 1 }, { day: 13 });
  await paper("invoice", "I3", { BRICK: 1 }, { day: 14 });
  expect(await owed()).toEqual(["5.04"]);
});

test("pennies by which VAT was rounded are owed by nobody, however often it was invoiced", async () => {
  const all = { BRICK: 2, SAND: 1 };
  const anew = await confirmed("PENNYANEW");
  await anew.paper("invoice", "I1", all);
  await anew.paper("credit", "C1", all);
  await anew.paper("invoice", "I2", all, { vat: 1.67 });
  expect(await anew.owed()).toEqual([]);
  const back = await confirmed("PENNYBACK");
  await back.paper("invoice", "I1", all, { vat: 1.67 });
  expect(await back.owed()).toEqual([]);
  await back.paper("credit", "C1", all, { vat: 1.67 });
  expect(await back.owed()).toEqual(["20.08"]);
  const among = await confirmed("PENNYAMONG");
  await among.paper("invoice", "I1", { BRICK: 1 }, { vat: 0.83, among: true });
  await among.paper("invoice", "I2", { BRICK: 1 }, { vat: 0.83, among: true });
  expect(await among.owed()).toEqual([]);
});

test("pennies are none's debt either where a person let something else stand than sums", async () => {
  const one = await companies.open("PENNYSTANDS");
  orderIn(await send(one.orders, "W1", { webOrder: "W1", ...PAID }));
  await companies.jobs.drain();
  const { paper, owed, pulled } = worldOf("PENNYSTANDS", one);
  const there = { erpOrder: "SO1", account: "STOPPED", webOrder: "W1", orderedOn: "2026-03-31" };
  await pull(companies.store, "PENNYSTANDS", "erp-order", [
    { ...there, net: "18.40", vat: "1.68", state: "open" },
  ]);
  await pulled({ lines: OPEN });
  expect((await one.orders.show("W1")).state).toBe("conflict");
  await one.orders.resolve("W1", { who: "kim", reason: "that is right", erpOrder: "SO1" });
  await paper("invoice", "I1", { BRICK: 2, SAND: 1 }, { vat: 1.67 });
  expect([(await one.orders.show("W1")).state, await owed()]).toEqual(["confirmed", []]);
});
