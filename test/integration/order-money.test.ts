/**
 * What was paid for orders: whatever becomes of them, what is owed back and what was given back
 * come to what was paid beyond what they still come to.
 */
import { expect, test } from "vitest";
import type { Accepted } from "../../src/connector/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { exportRows, exportTotals, type Task } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();

const CARD = { provider: "card", reference: "pi_1" };
/** With VAT, of one; sand bears none. */
const EACH = { BRICK: 5.04, SAND: 10 } as const;
const NET = { BRICK: 4.2, SAND: 10 } as const;
const CARRIAGE = 9;
type Product = keyof typeof EACH;
const PRODUCTS: readonly Product[] = ["BRICK", "SAND"];

const kim = { who: "kim", reason: "they rang" };
const person = { who: "kim", why: "they rang", apiKey: "kim", idempotencyKey: null, decides: true };

const accepted: Accepted = {
  kind: "accepted",
  erpOrder: "SO1",
  net: null,
  vat: null,
  evidence: "it says so",
};

const line = (product: Product, quantity: number) => ({
  product,
  quantity: String(quantity),
  unitPrice: NET[product].toFixed(2),
});

function wanted(quantities: Readonly<Record<Product, number>>, more: object = {}) {
  return {
    webOrder: "W1",
    lines: PRODUCTS.filter((product) => quantities[product] > 0).map((product) =>
      line(product, quantities[product]),
    ),
    charges: [{ charge: "CARR", net: "7.50" }],
    ...more,
  };
}

/** Of goods of the order; `part`: of the price agreed. */
interface Paper {
  readonly kind: "invoice" | "credit";
  readonly product: Product;
  readonly quantity: number;
  readonly part: number;
}

/** An ERP that holds the order, delivers it, invoices it, credits it and gives it up. */
class ErpOrder {
  state: "open" | "complete" | "cancelled" = "open";
  readonly ordered: Record<Product, number>;
  readonly invoiced = { BRICK: 0, SAND: 0 };
  readonly credited = { BRICK: 0, SAND: 0 };
  /** What went out of it. */
  readonly sent = { BRICK: 0, SAND: 0 };
  /** True: its lines say what went out. */
  states = false;
  /** What its invoices less its credit notes come to, with VAT. */
  papers = 0;
  /** How often its carriage was. */
  readonly carriages = { invoice: 0, credit: 0 };
  #invoiced = 0;
  #documents = 0;
  readonly #papers: Paper[] = [];
  readonly #company: string;
  readonly #one: Opened;

  constructor(company: string, one: Opened, ordered: Readonly<Record<Product, number>>) {
    this.#company = company;
    this.#one = one;
    this.ordered = { ...ordered };
  }

  /** What is pulled and followed, until nothing moves any more. */
  async pulled(): Promise<void> {
    const [company, { store }] = [this.#company, companies];
    const net = PRODUCTS.reduce((sum, each) => sum + this.ordered[each] * NET[each], 7.5);
    const gross = PRODUCTS.reduce((sum, each) => sum + this.ordered[each] * EACH[each], CARRIAGE);
    await pull(store, company, "erp-order", [
      {
        erpOrder: "SO1",
        account: "A1",
        orderedOn: "2026-03-31",
        webOrder: "W1",
        state: this.state,
        net: net.toFixed(2),
        vat: (gross - net).toFixed(2),
      },
    ]);
    await store.affect("delete from erp_order_line where company = $1", [company]);
    const rows = PRODUCTS.filter((product) => this.ordered[product] > 0).map((product, index) => ({
      erpOrder: "SO1",
      line: (index + 1) * 10,
      product,
      quantity: String(this.ordered[product]),
      invoicedQuantity: String(this.invoiced[product]),
      despatchedQuantity: this.states ? String(this.sent[product]) : "0",
      net: (NET[product] * this.ordered[product]).toFixed(2),
      unitPrice: String(NET[product]),
    }));
    const carriage = { line: 90, product: "CARR", quantity: "1", net: "7.50", unitPrice: "7.50" };
    await pull(store, company, "erp-order-line", [...rows, { erpOrder: "SO1", ...carriage }]);
    for (const table of ["erp_order", "erp_order_line"])
      await store.affect(`update ${table} set learned_at = clock_timestamp() where company = $1`, [
        company,
      ]);
    await salesOf(store, company).post();
    await this.#one.orders.advance();
    await companies.jobs.drain();
    await this.#one.orders.advance();
  }

  /** `part`: of the price agreed. */
  async invoice(product: Product, quantity: number, part = 1): Promise<void> {
    this.sent[product] += quantity;
    await this.#goods("invoice", product, quantity, part);
  }

  async credit(product: Product, quantity: number, part = 1): Promise<void> {
    await this.#goods("credit", product, quantity, part);
  }

  /** An invoice at the price agreed is credited and made anew; no goods move. */
  async invoiceAnew(): Promise<void> {
    const wrong = this.#papers.findLast(
      ({ kind, product, quantity, part }) =>
        kind === "invoice" &&
        part === 1 &&
        quantity <= this.invoiced[product] - this.credited[product],
    );
    if (wrong === undefined) return;
    await this.#goods("credit", wrong.product, wrong.quantity, 1);
    await this.#goods("invoice", wrong.product, wrong.quantity, 1);
  }

  /** Some of the price, and no goods that come back. */
  async creditPrice(product: Product, quantity: number): Promise<void> {
    await this.#post("credit", product, quantity, 0.1);
  }

  /** Under a code that is no product here. */
  async surcharge(documentType: "invoice" | "credit", pounds: number): Promise<void> {
    const row = { product: "FUEL", quantity: "1", unitPrice: pounds.toFixed(2) };
    const [net, vat] = [pounds.toFixed(2), (pounds * 0.2).toFixed(2)];
    await this.#paper(documentType, { ...row, net, vat });
  }

  /**
   * Known to the ERP where it says what went out. Else what is charged is, and what papers took
   * back went out and came back, unless as much was charged once more.
   */
  delivered(product: Product): number {
    if (this.states) return this.sent[product];
    const own = this.#papers.filter((paper) => paper.product === product);
    const anew = own.filter(
      ({ kind, quantity }, at) =>
        kind === "credit" &&
        own.slice(0, at).some((paper) => paper.kind === "invoice" && paper.quantity === quantity) &&
        own
          .slice(at)
          .reduce((sum, paper) => sum + (paper.kind === "invoice" ? paper.quantity : 0), 0) >=
          quantity,
    );
    return this.invoiced[product] - anew.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** What its papers say, and what is still to come of what is ordered here and its carriage. */
  comesTo(ordered: Readonly<Record<Product, number>>): number {
    const tells = PRODUCTS.some((each) => this.invoiced[each] > 0);
    const isOpen = this.state === "open" || (this.state === "complete" && !tells);
    const toCome = PRODUCTS.reduce((sum, each) => {
      const rest = isOpen ? ordered[each] - this.delivered(each) : 0;
      return sum + Math.max(0, rest) * EACH[each];
    }, 0);
    const isAny = toCome > 0 || this.#invoiced !== 0;
    const carriage = isAny && this.carriages.invoice === 0 ? CARRIAGE : 0;
    return Math.max(0, this.papers + toCome + carriage);
  }

  /** Grit, which nobody ordered, on a paper of its own. */
  async substitute(quantity: number): Promise<void> {
    const net = quantity.toFixed(2);
    const row = { product: "GRIT", quantity: String(quantity), unitPrice: "1.00" };
    await this.#paper("invoice", { ...row, net, vat: (quantity * 0.2).toFixed(2) });
  }

  /** The carriage, on a paper of its own. */
  async carriage(
    documentType: "invoice" | "credit",
    as: Partial<Canonical<"sales-line">> = { lineClass: "carriage", product: null },
  ): Promise<void> {
    this.carriages[documentType] += 1;
    const row = { ...as, quantity: "1", unitPrice: "7.50" };
    await this.#paper(documentType, { ...row, net: "7.50", vat: "1.50" });
  }

  async #goods(
    kind: "invoice" | "credit",
    product: Product,
    quantity: number,
    part: number,
  ): Promise<void> {
    this[kind === "invoice" ? "invoiced" : "credited"][product] += quantity;
    this.#papers.push({ kind, product, quantity, part });
    await this.#post(kind, product, quantity, part);
  }

  async #post(
    documentType: "invoice" | "credit",
    product: Product,
    quantity: number,
    part: number,
  ): Promise<void> {
    const net = Math.round(NET[product] * quantity * part * 100) / 100;
    const gross = product === "BRICK" ? Math.round(net * 120) / 100 : net;
    await this.#paper(documentType, {
      product,
      quantity: String(quantity),
      unitPrice: String(NET[product] * part),
      net: net.toFixed(2),
      vat: (gross - net).toFixed(2),
    });
  }

  async #paper(
    documentType: "invoice" | "credit",
    row: Partial<Canonical<"sales-line">> & { readonly net: string; readonly vat: string },
  ): Promise<void> {
    const [company, { store }] = [this.#company, companies];
    this.#documents += 1;
    const document = `${documentType === "invoice" ? "I" : "C"}${this.#documents}`;
    const { net, vat } = row;
    const gross = (Number(net) + Number(vat)).toFixed(2);
    this.papers += Number(gross) * (documentType === "invoice" ? 1 : -1);
    if (documentType === "invoice") this.#invoiced += Number(gross);
    const documentOn = Temporal.PlainDate.from("2026-03-31").add({ days: this.#documents });
    const paper = { account: "A1", documentOn: documentOn.toString(), webOrder: "W1" };
    await pull(store, company, "sales-document", [
      { documentType, document, ...paper, net, vat, gross },
    ]);
    await pull(store, company, "sales-line", [{ documentType, document, line: 1, ...row }]);
  }
}

/** Paid in full, taken by an ERP that does what it is asked, and confirmed. */
async function confirmed(
  company: string,
  ordered: Readonly<Record<Product, number>>,
  customer: object = {},
): Promise<{ one: Opened; erp: ErpOrder; paid: number }> {
  const one = await companies.open(company, {}, customer);
  await pull(companies.store, company, "product", [{ product: "GRIT", name: "Grit" }]);
  const paid = PRODUCTS.reduce((sum, each) => sum + ordered[each] * EACH[each], CARRIAGE);
  one.erp.next = async () => accepted;
  one.erp.amend = async () => accepted;
  one.erp.cancel = async () => accepted;
  const payment = { ...CARD, amount: paid.toFixed(2) };
  orderIn(await send(one.orders, "k1", wanted(ordered, { payment })));
  await companies.jobs.drain();
  const erp = new ErpOrder(company, one, ordered);
  await erp.pulled();
  expect((await one.orders.show("W1")).state).toBe("confirmed");
  return { one, erp, paid };
}

const refunds = ({ orders }: Opened, state: Task["state"]) =>
  orders.tasks({ kind: "refund", state });
const sumOf = (tasks: readonly Task[]) =>
  tasks.reduce((sum, { amount }) => sum + Math.round(Number(amount) * 100), 0) / 100;
const owed = async (one: Opened) => sumOf(await refunds(one, "open"));
const looks = async ({ orders }: Opened) =>
  (await orders.tasks({ kind: "look" })).map(({ about, amount }) => `${about}: ${amount ?? ""}`);

async function payBack(one: Opened, reference = "RF1"): Promise<void> {
  const [task] = await refunds(one, "open");
  const end = { state: "done", who: "fin", reason: "paid back", reference } as const;
  await one.orders.closeTask({ id: task?.id ?? "", ...end });
}

const cancelBricks = async (one: Opened, quantity: string) => {
  const { lines } = await one.orders.show("W1");
  const brick = lines.find(({ product }) => product === "BRICK")?.line ?? 1;
  const answer = await one.orders.cancelPart("W1", {
    ...person,
    lines: [{ line: brick, quantity }],
  });
  await companies.jobs.drain();
  return answer;
};
const amend = async (one: Opened, asked: object, key: string | null = null) => {
  const by = { ...person, decides: key === null, idempotencyKey: key };
  const answer = await one.orders.amend("W1", { ...by, body: body(asked) });
  await companies.jobs.drain();
  return answer;
};

test("what the ERP delivers after all is owed back no more", async () => {
  const { one, erp } = await confirmed("AFTER", { BRICK: 10, SAND: 0 });
  await erp.invoice("BRICK", 6);
  erp.state = "complete";
  await erp.pulled();
  expect(await owed(one)).toBe(20.16);
  // More than it first had, and less than all.
  await erp.invoice("BRICK", 1);
  await erp.pulled();
  expect((await refunds(one, "open")).map(({ amount }) => amount)).toEqual(["15.12"]);
  await erp.invoice("BRICK", 3);
  await erp.pulled();
  expect(await refunds(one, "open")).toEqual([]);
  expect((await refunds(one, "dropped")).map(({ reason }) => reason)).toEqual([
    "The order comes to 44.28 now.",
    "The order comes to 59.40 now.",
  ]);
  // Paid by finance before that was known: it counts, and a person hears of it.
  const [told] = await refunds(one, "dropped");
  const end = { state: "done", who: "fin", reason: "paid on Monday", reference: "RF2" } as const;
  await one.orders.closeTask({ id: told?.id ?? "", ...end });
  expect(await looks(one)).toEqual(["W1 stands, and 20.16 of it is not paid: 20.16"]);
});

test("a charge that the ERP keeps as a product is the order's charge, and no other goods", async () => {
  const { one, erp } = await confirmed("KEPT", { BRICK: 10, SAND: 0 });
  await pull(companies.store, "KEPT", "product", [{ product: "CARR", name: "Carriage" }]);
  await erp.invoice("BRICK", 6);
  await erp.carriage("invoice", { lineClass: "goods", product: "CARR" });
  erp.state = "complete";
  await erp.pulled();
  expect(await owed(one)).toBe(20.16);
});

test("an order that is amended to what it was owes nothing back", async () => {
  const { one } = await confirmed("GROWN", { BRICK: 10, SAND: 0 });
  await cancelBricks(one, "4");
  expect(await owed(one)).toBe(20.16);
  await amend(one, wanted({ BRICK: 10, SAND: 0 }));
  expect(await refunds(one, "open")).toEqual([]);
  await cancelBricks(one, "4");
  expect(await owed(one)).toBe(20.16);
});

test("what was given back pays nothing when the order grows: payment and credit are those of a new one", async () => {
  const { one } = await confirmed(
    "REGROWN",
    { BRICK: 10, SAND: 0 },
    { creditLimit: "15", balance: "0" },
  );
  await cancelBricks(one, "4");
  await payBack(one);
  const all = wanted({ BRICK: 10, SAND: 0 }, { payment: { ...CARD, amount: "59.40" } });
  const answer = await amend(one, all, "grow");
  expect(answer).toMatchObject({
    status: 202,
    answer: {
      state: "held",
      reasons: [{ code: "over-credit-limit", found: "20.16" }],
      warnings: [
        {
          code: "paid-in-part",
          about:
            "£39.24 of £59.40 was paid: £20.16 goes on account. " +
            "Of its payment 20.16 was given back.",
        },
      ],
    },
  });
  const [look] = await one.orders.tasks({ kind: "look" });
  const end = { state: "done", who: "kim", reason: "they pay later" } as const;
  await one.orders.closeTask({ id: look?.id ?? "", ...end });
  await companies.jobs.drain();
  // The ERP and the shop are told what is left of it, and so much is owed back where it ends.
  expect(await one.orders.show("W1")).toMatchObject({
    gross: "59.40",
    order: { payment: { ...CARD, amount: "39.24" } },
  });
  await one.orders.advance();
  expect([await owed(one), await looks(one)]).toEqual([0, []]);
  const view = await one.orders.show("W1");
  expect(exportTotals(view, exportRows(view))).toMatchObject({ paid: "59.40", refunded: "20.16" });
  await one.orders.cancel("W1", kim);
  await companies.jobs.drain();
  expect(await owed(one)).toBe(39.24);
});

test("what is given back while an amendment waits for the ERP is told to a person once it is done", async () => {
  const { one } = await confirmed("MEANWHILE", { BRICK: 10, SAND: 0 });
  await cancelBricks(one, "4");
  one.erp.amend = null;
  await amend(one, wanted({ BRICK: 10, SAND: 0 }));
  await payBack(one);
  const [task] = await one.orders.tasks({ kind: "amend" });
  expect(task?.instruction).toContain("is to be 10 × BRICK at 4.20, 42.00 net");
  const end = { state: "done", who: "kim", reason: "made there" } as const;
  await one.orders.closeTask({ id: task?.id ?? "", ...end });
  expect(await looks(one)).toEqual(["W1 stands, and 20.16 of it is not paid: 20.16"]);
  await cancelBricks(one, "1");
  const [less] = await one.orders.tasks({ kind: "cancel" });
  await one.orders.closeTask({ id: less?.id ?? "", ...end });
  // What is asked for from then on says how much is paid.
  expect([await owed(one), await looks(one)]).toEqual([0, []]);
  expect((await one.orders.show("W1")).order.payment?.amount).toBe("39.24");
});

test("of an order that the ERP gives up as a whole all is owed back, its charges too", async () => {
  const { one, erp, paid } = await confirmed("GIVENUP", { BRICK: 10, SAND: 0 });
  erp.state = "cancelled";
  await erp.pulled();
  expect(await owed(one)).toBe(paid);
  const view = await one.orders.show("W1");
  expect(exportTotals(view, exportRows(view))).toMatchObject({
    grossNow: "0.00",
    refundOwed: paid.toFixed(2),
  });
  const [task] = await refunds(one, "open");
  const end = { state: "dropped", who: "fin", reason: "a voucher instead" } as const;
  await one.orders.closeTask({ id: task?.id ?? "", ...end });
  await erp.pulled();
  expect(await refunds(one, "open")).toEqual([]);
  // That was said of this time: given up anew, it is asked anew.
  erp.state = "open";
  await erp.pulled();
  erp.state = "cancelled";
  await erp.pulled();
  expect(await owed(one)).toBe(paid);
});

test("an order that staff cancel in the ERP and key anew under its number is delivered, and owes nothing back", async () => {
  const { one, erp, paid } = await confirmed("REKEYED", { BRICK: 2, SAND: 0 });
  const { store } = companies;
  erp.state = "cancelled";
  await erp.pulled();
  expect(await owed(one)).toBe(paid);
  const anew = { erpOrder: "SO2", account: "A1", orderedOn: "2026-03-31", webOrder: "W1" };
  await pull(store, "REKEYED", "erp-order", [{ ...anew, net: "15.90", vat: "3.18" }]);
  await store.affect("update erp_order set learned_at = clock_timestamp() where erp_order = 'SO2'");
  // Its lines come with the next pull.
  await one.orders.advance();
  const goods = { product: "BRICK", quantity: "2", net: "8.40", unitPrice: "4.20" };
  await pull(store, "REKEYED", "erp-order-line", [{ erpOrder: "SO2", line: 10, ...goods }]);
  await one.orders.advance();
  expect(await refunds(one, "open")).toEqual([]);
  await store.affect("update erp_order_line set despatched_quantity = 2 where erp_order = 'SO2'");
  await one.orders.advance();
  expect((await one.orders.show("W1")).lines[0]).toMatchObject({
    despatchedQuantity: "2.00000",
    cancelledQuantity: "0.00000",
  });
  expect([await refunds(one, "open"), await looks(one)]).toEqual([[], []]);
});

test("of an order that is paid in part only what is too much of it is owed back", async () => {
  const one = await companies.open("INPART");
  one.mode = "read-only";
  const payment = { ...CARD, amount: "30.00" };
  await send(one.orders, "k1", wanted({ BRICK: 10, SAND: 0 }, { payment }));
  await cancelBricks(one, "4");
  expect(await owed(one)).toBe(0);
  await cancelBricks(one, "3");
  expect(await owed(one)).toBe(5.88);
});

test("a payment in whose place another came is owed back; one of a change that was not made, too", async () => {
  const { one, paid } = await confirmed("REPLACED", { BRICK: 2, SAND: 0 });
  one.erp.amend = async () => ({ kind: "refused", reason: "it is being picked" });
  const more = { BRICK: 3, SAND: 0 };
  await amend(one, wanted(more, { payment: { ...CARD, reference: "pi_2", amount: "24.12" } }));
  expect((await refunds(one, "open")).map(({ about, amount }) => [about, amount])).toEqual([]);
  await one.orders.advance();
  expect((await refunds(one, "open")).map(({ about, amount }) => [about, amount])).toEqual([
    ["W1 is not paid by card pi_2 any more", "24.12"],
  ]);
  one.erp.amend = async () => accepted;
  await amend(one, wanted(more, { payment: { ...CARD, reference: "pi_3", amount: "24.12" } }));
  expect((await refunds(one, "open")).map(({ instruction }) => instruction)).toEqual([
    expect.stringContaining("Refund 24.12 by card, payment pi_2,"),
    expect.stringContaining(`Refund ${paid.toFixed(2)} by card, payment pi_1,`),
  ]);
  const other = { webOrder: "W2", payment: { ...CARD, amount: "10.00" } };
  const next = orderIn(await send(one.orders, "k2", other));
  expect(next.reasons.map(({ code }) => code)).toEqual(["payment-used-before"]);
});

test("more of the same payment that came with a change which was not made is owed back, until one is made with it", async () => {
  const { one } = await confirmed("MORE", { BRICK: 2, SAND: 0 });
  const said = async () =>
    (await refunds(one, "open")).map(({ about, amount }) => [about, amount ?? ""]);
  const [sum, more] = ["24.12", { BRICK: 3, SAND: 0 }];
  const all = wanted(more, { payment: { ...CARD, amount: sum } });
  one.erp.amend = async () => ({ kind: "refused", reason: "it is being picked" });
  await amend(one, all);
  await one.orders.advance();
  expect(await said()).toEqual([["W1 is paid too much by 5.04", "5.04"]]);
  const view = await one.orders.show("W1");
  expect(exportTotals(view, exportRows(view))).toMatchObject({ paid: sum, refundOwed: "5.04" });
  // It is what was paid for once the change is made after all.
  one.erp.amend = async () => accepted;
  await amend(one, all);
  expect(await said()).toEqual([]);
  await amend(one, wanted({ BRICK: 2, SAND: 0 }));
  expect(await said()).toEqual([["W1 is paid too much by 5.04 (2)", "5.04"]]);
  await payBack(one);
  // Of what was taken after that nothing was given back.
  one.now = one.now.add({ minutes: 1 });
  one.erp.amend = null;
  await amend(one, wanted(more, { payment: { ...CARD, amount: "29.16" } }));
  const [task] = await one.orders.tasks({ kind: "amend" });
  const end = { state: "dropped", who: "kim", reason: "it went out" } as const;
  await one.orders.closeTask({ id: task?.id ?? "", ...end });
  await one.orders.advance();
  expect(await said()).toEqual([["W1 is paid too much by 10.08", "5.04"]]);
  await payBack(one, "RF2");
  await one.orders.cancel("W1", kim);
  await companies.jobs.drain();
  expect(await said()).toEqual([["W1 is cancelled", "19.08"]]);
});

/** As the ERP has it before it was read back; brick at another price. */
async function atAnotherPrice(company: string, brick: number) {
  const one = await companies.open(company);
  one.erp.next = async () => accepted;
  const payment = { ...CARD, amount: "29.08" };
  orderIn(await send(one.orders, "k1", wanted({ BRICK: 2, SAND: 1 }, { payment })));
  await companies.jobs.drain();
  const [goods, net] = [(2 * brick).toFixed(2), 2 * brick + 17.5];
  const vat = (0.4 * brick + 1.5).toFixed(2);
  const bears = { account: "A1", orderedOn: "2026-03-31", webOrder: "W1", state: "open" } as const;
  await pull(companies.store, company, "erp-order", [
    { erpOrder: "SO1", ...bears, net: net.toFixed(2), vat },
  ]);
  await pull(companies.store, company, "erp-order-line", [
    { erpOrder: "SO1", line: 1, product: "BRICK", quantity: "2", net: goods, unitPrice: goods },
    { erpOrder: "SO1", line: 2, product: "SAND", quantity: "1", net: "10.00", unitPrice: "10" },
    { erpOrder: "SO1", line: 3, product: "CARR", quantity: "1", net: "7.50", unitPrice: "7.50" },
  ]);
  await one.orders.advance();
  const [entry] = (await one.orders.desk()).entries;
  const told = entry?.next.split(" As it stands there ")[1];
  await one.orders.resolve("W1", { ...kim, erpOrder: "SO1" });
  await one.orders.advance();
  return { one, erp: new ErpOrder(company, one, { BRICK: 2, SAND: 1 }), told };
}

const post = async (company: string, one: Opened) => {
  await salesOf(companies.store, company).post();
  await one.orders.advance();
};

test("what a person lets stand at less is owed back, part by part as it is invoiced, and the desk says so before", async () => {
  const { one, erp, told } = await atAnotherPrice("CHEAPER", 3.2);
  expect(told).toBe("it comes to 26.68, and 29.08 was paid: 2.40 is to be given back in all.");
  expect(await owed(one)).toBe(2.4);
  const { events } = await one.orders.show("W1");
  expect(events.find(({ event }) => event === "resolve")?.about).toContain("2.40 is to be given");
  for (const invoice of [
    () => erp.invoice("SAND", 1),
    () => erp.invoice("BRICK", 1, 3.2 / 4.2),
    () => erp.carriage("invoice"),
    () => erp.invoice("BRICK", 1, 3.2 / 4.2),
  ]) {
    await invoice();
    await post("CHEAPER", one);
    expect((await one.orders.show("W1")).state).toBe("confirmed");
    expect((await refunds(one, "open")).map(({ amount }) => amount)).toEqual(["2.40"]);
  }
  // Amended, it is as it was agreed again.
  one.erp.amend = async () => accepted;
  await amend(one, wanted({ BRICK: 3, SAND: 1 }));
  expect(await owed(one)).toBe(0);
});

test("what a person lets stand at more is still to be paid: they are told, until it is put right there", async () => {
  const { one, erp, told } = await atAnotherPrice("DEARER", 5.2);
  expect(told).toBe("it comes to 31.48, and 29.08 was paid: 2.40 is still to be paid.");
  expect(await looks(one)).toEqual(["W1 stands, and 2.40 of it is not paid: 2.40"]);
  const [look] = await one.orders.tasks({ kind: "look" });
  expect(look?.instruction).toContain("The ERP has it at 31.48 by now, and 29.08 was paid");
  await erp.invoice("BRICK", 2, 5.2 / 4.2);
  await erp.invoice("SAND", 1);
  await erp.carriage("invoice");
  await erp.surcharge("credit", 2);
  await post("DEARER", one);
  expect([await looks(one), await owed(one)]).toEqual([[], 0]);
});

test("a credit note and a new invoice at less leave owed what is charged less", async () => {
  const { one, erp } = await confirmed("REBILLED", { BRICK: 2, SAND: 1 });
  await erp.invoice("BRICK", 2);
  await erp.invoice("SAND", 1);
  await erp.carriage("invoice");
  await erp.pulled();
  await erp.credit("BRICK", 2);
  await erp.pulled();
  expect(await owed(one)).toBe(10.08);
  await erp.invoice("BRICK", 2, 0.5);
  await erp.pulled();
  expect(await owed(one)).toBe(5.04);
  // Of what is left of the price some is taken off, and no goods come back.
  await erp.creditPrice("BRICK", 2);
  await erp.pulled();
  expect(await owed(one)).toBe(6.05);
});

test("other goods under a code that is no product here count as they are charged, and so does what is taken off of them", async () => {
  const { one, erp } = await confirmed("UNLISTED", { BRICK: 2, SAND: 1 });
  await erp.invoice("BRICK", 2);
  await erp.surcharge("invoice", 7);
  erp.state = "complete";
  await erp.pulled();
  expect(await owed(one)).toBe(1.6);
  await erp.surcharge("credit", 7);
  await erp.pulled();
  expect(await owed(one)).toBe(10);
  // Nobody paid for what was charged beside all of it.
  const beside = await confirmed("BESIDE", { BRICK: 2, SAND: 0 });
  await beside.erp.invoice("BRICK", 2);
  await beside.erp.surcharge("invoice", 2);
  await beside.erp.pulled();
  await beside.erp.surcharge("credit", 2);
  await beside.erp.pulled();
  expect([await owed(beside.one), await looks(beside.one)]).toEqual([0, []]);
});

test("carriage and VAT that stand on the head of an invoice are charged, and carriage that staff took off is owed back", async () => {
  const { one, erp } = await confirmed("HEAD", { BRICK: 2, SAND: 1 });
  const { store } = companies;
  const paper = { documentType: "invoice", document: "I1" } as const;
  const of = { account: "A1", documentOn: "2026-03-31", webOrder: "W1" };
  await pull(store, "HEAD", "sales-document", [
    { ...paper, ...of, net: "25.90", vat: "3.18", gross: "29.08" },
  ]);
  const lines = [
    { product: "BRICK", quantity: "2", unitPrice: "4.20", net: "8.40", vat: "0" },
    { product: "SAND", quantity: "1", unitPrice: "10.00", net: "10.00", vat: "0" },
  ];
  await pull(
    store,
    "HEAD",
    "sales-line",
    lines.map((line, at) => ({ ...paper, line: at + 1, ...line })),
  );
  await erp.pulled();
  const { state } = await one.orders.show("W1");
  expect([state, await owed(one)]).toEqual(["confirmed", 0]);

  const other = await confirmed("TAKENOFF", { BRICK: 2, SAND: 1 });
  await other.erp.invoice("BRICK", 2);
  await other.erp.invoice("SAND", 1);
  await other.erp.pulled();
  expect(await owed(other.one)).toBe(0);
  const sums = { net: "18.40", vat: "1.68", state: "complete" } as const;
  const bears = { account: "A1", orderedOn: "2026-03-31", webOrder: "W1" };
  await pull(store, "TAKENOFF", "erp-order", [{ erpOrder: "SO1", ...bears, ...sums }]);
  await store.affect("delete from erp_order_line where company = 'TAKENOFF' and product = 'CARR'");
  await other.one.orders.advance();
  expect(await owed(other.one)).toBe(9);
});

test("an order that the ERP refuses needs no cancelling there any more", async () => {
  const one = await companies.open("REFUSED");
  const payment = { ...CARD, amount: "59.40" };
  await send(one.orders, "k1", wanted({ BRICK: 10, SAND: 0 }, { payment }));
  await companies.jobs.drain();
  await amend(one, wanted({ BRICK: 11, SAND: 0 }));
  await one.orders.cancel("W1", kim);
  await companies.jobs.drain();
  expect((await one.orders.tasks()).map(({ kind }) => kind).sort()).toEqual(["amend", "cancel"]);
  await pull(companies.store, "REFUSED", "order-acknowledgement", [
    { webOrder: "W1", outcome: "refused", answeredOn: "2026-03-31", reason: "no such account" },
  ]);
  await companies.store.affect(
    "update order_acknowledgement set learned_at = clock_timestamp() where company = 'REFUSED'",
  );
  await one.orders.advance();
  const view = await one.orders.show("W1");
  expect(view.state).toBe("cancelled");
  expect(view.changes.map(({ kind, state }) => `${kind} ${state}`)).toEqual([
    "amend refused",
    "cancel done",
  ]);
  expect((await one.orders.tasks()).map(({ kind, amount }) => [kind, amount])).toEqual([
    ["refund", "59.40"],
  ]);
});

test.for([
  [1, "says"],
  [3, "says"],
  [4, "does not say"],
  [7, "does not say"],
  [9, "says"],
  [12, "does not say"],
] as const)(
  "after any sequence of what becomes of a paid order, as much is owed back as it is paid too much (%i, the ERP %s what went out)",
  async ([run, says]) => {
    const company = `LAW${run}`;
    let seed = run * 7919;
    const pick = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    const ordered = { BRICK: 6 + pick(5), SAND: 1 + pick(4) };
    const { one, erp, paid: taken } = await confirmed(company, ordered);
    erp.states = says === "says";
    let paid = taken;
    let isLetStand = false;
    const did: string[] = [];
    const some = () => PRODUCTS[pick(2)] ?? "BRICK";
    const acts: Record<string, () => Promise<unknown>> = {
      invoice: async () => {
        const product = some();
        const most = erp.ordered[product] + erp.credited[product] - erp.invoiced[product];
        if (most > 0) await erp.invoice(product, 1 + pick(most));
      },
      credit: async () => {
        const product = some();
        const most = erp.invoiced[product] - erp.credited[product];
        if (most > 0) await erp.credit(product, 1 + pick(most));
      },
      invoiceAnew: async () => erp.invoiceAnew(),
      carriage: async () => {
        const { invoice, credit } = erp.carriages;
        await erp.carriage(invoice > credit ? "credit" : "invoice");
      },
      substitute: async () => erp.substitute(1 + pick(9)),
      surcharge: async () => erp.surcharge("invoice", 1 + pick(4)),
      takenOff: async () => {
        if (erp.papers > 5) await erp.surcharge("credit", 1 + pick(4));
      },
      priceCredit: async () => {
        const product = some();
        const most = erp.invoiced[product] - erp.credited[product];
        if (most > 0) await erp.creditPrice(product, 1 + pick(most));
      },
      invoicedOtherwise: async () => {
        const product = some();
        const most = erp.ordered[product] + erp.credited[product] - erp.invoiced[product];
        if (most > 0) await erp.invoice(product, 1 + pick(most), pick(2) === 0 ? 0.5 : 1.5);
      },
      complete: async () => {
        erp.state = "complete";
      },
      reopen: async () => {
        erp.state = "open";
      },
      giveUp: async () => {
        erp.state = "cancelled";
      },
      less: async () => {
        const product = some();
        const least = Math.max(1, erp.delivered(product));
        await change({ ...ordered, [product]: Math.min(ordered[product], least + pick(3)) });
      },
      more: async () => {
        const product = some();
        await change({ ...ordered, [product]: ordered[product] + 1 + pick(3) });
      },
      // More is taken for a change that is not made then.
      unmade: async () => {
        if (erp.state !== "open") return;
        paid = Math.max(paid, Number((taken + 1 + pick(30)).toFixed(2)));
        one.erp.amend = async () => ({ kind: "refused", reason: "it is being picked" });
        const payment = { ...CARD, amount: paid.toFixed(2) };
        const asked = wanted({ ...ordered, SAND: ordered.SAND + 1 }, { payment });
        expect(await amend(one, asked)).toMatchObject({ status: 202 });
        one.erp.amend = async () => accepted;
      },
      payBack: async () => {
        if ((await refunds(one, "open")).length > 0) await payBack(one, `RF${seed}`);
      },
    };
    const change = async (to: Record<Product, number>) => {
      if (erp.state !== "open") return;
      const answer = await amend(one, wanted(to));
      expect(answer).toMatchObject({ status: 202 });
      isLetStand = false;
      Object.assign(ordered, to);
      Object.assign(erp.ordered, to);
    };
    const often = [
      "invoice",
      "credit",
      "invoiceAnew",
      "reopen",
      "less",
      "more",
      "unmade",
      "payBack",
    ];
    const names = [...Object.keys(acts), ...often, ...often];
    for (let step = 0; step < 14; step += 1) {
      // What came in part and is charged once more before the rest is what sums alone cannot tell.
      const name = ["invoice", "invoiceAnew"][step] ?? names[pick(names.length)] ?? "";
      await acts[name]?.();
      await erp.pulled();
      one.now = one.now.add({ seconds: 1 });
      did.push(`${name} ${JSON.stringify([ordered, erp])}`);
      const where = did.join("\n");
      // A person lets stand what the ERP made of it.
      if ((await one.orders.show("W1")).state === "conflict") {
        await one.orders.resolve("W1", { ...kim, erpOrder: "SO1" });
        isLetStand = true;
        await erp.pulled();
      }
      const view = await one.orders.show("W1");
      expect(view.state, where).toBe("confirmed");
      const comesTo = erp.comesTo(ordered);
      const given = sumOf(await refunds(one, "done"));
      const tooMuch = Math.max(given, paid - comesTo, 0);
      expect(given + (await owed(one)), where).toBeCloseTo(tooMuch, 5);
      // What it lacks of its payment is told, unless it says itself what is left of that.
      const said = Number(view.order.payment?.amount);
      const isWhole = isLetStand && paid >= Number(view.gross);
      const lacks = (isWhole ? comesTo : Math.min(said, comesTo)) - (paid - given);
      const told = sumOf(await one.orders.tasks({ kind: "look" }));
      expect(told, where).toBeCloseTo(Math.max(0, lacks), 5);
    }
  },
);
