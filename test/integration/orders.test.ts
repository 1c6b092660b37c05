import { describe, expect, test } from "vitest";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import { OrderError } from "../../src/orders/index.ts";
import type { AcceptResult, Orders } from "../../src/orders/index.ts";
import { pull } from "../support/canonical-rows.ts";
import {
  body,
  NOW,
  orderIn,
  send,
  states,
  useOrderCompanies,
  type Opened,
} from "../support/order-companies.ts";
import { salesOf } from "../support/order-sales.ts";

const companies = useOrderCompanies();
const database = companies;
const jobs = {
  drain: () => companies.jobs.drain(),
};
const open: typeof companies.open = (...given) => companies.open(...given);

function problemIn(result: AcceptResult) {
  if ("problem" in result) return result.problem;
  throw new Error(`it was taken as ${result.order.webOrder}`);
}

/** What the ERP then writes into its export. */
const acknowledge = (
  company: string,
  webOrder: string,
  more: Partial<Canonical<"order-acknowledgement">> = {},
) =>
  pull(database.store, company, "order-acknowledgement", [
    { webOrder, outcome: "accepted", erpOrder: "SO1", answeredOn: "2026-03-31", ...more },
  ]);
const erpOrder = (company: string, webOrder: string, more: Partial<Canonical<"erp-order">> = {}) =>
  pull(database.store, company, "erp-order", [
    {
      erpOrder: "SO1",
      account: "A1",
      orderedOn: "2026-03-31",
      webOrder,
      net: "18.40",
      vat: "1.68",
      ...more,
    },
  ]);

describe("taking an order", () => {
  test("computes it, gives it a number, and queues its delivery", async () => {
    const { orders, erp } = await open("TAKE");
    const result = await send(orders, "k1", { site: "YARD", customerReference: "PO 7" });
    expect(result).toMatchObject({
      status: 201,
      replayed: false,
      order: {
        state: "queued",
        net: "18.40",
        vat: "1.68",
        gross: "20.08",
        reasons: [],
        warnings: [],
      },
    });
    const { webOrder } = orderIn(result);
    expect(webOrder).toMatch(/^W-260331-[0-9A-Z]{5}$/);
    await jobs.drain();
    expect(await states(orders, webOrder)).toEqual([
      "received",
      "checked",
      "queued",
      "sending",
      "handedOver",
    ]);
    expect(erp.asked).toEqual([`find ${webOrder}`, `place ${webOrder}`]);
    const [lines, header] = erp.orders.get(webOrder)?.tables ?? [];
    expect(lines?.rows).toHaveLength(2);
    expect(header?.rows[0]?.join("|")).toContain(`${webOrder}|A1|2026-03-31|PO 7|YARD`);
    expect((await orders.show(webOrder)).lines[0]?.price).toMatchObject({
      because: expect.any(String),
    });
  });

  test("answers the same key and body the same, and another body under that key not at all", async () => {
    const { orders } = await open("IDEM");
    const first = await send(orders, "k1");
    expect(await send(orders, "k1")).toEqual({ ...first, replayed: true });
    const other = await send(orders, "k1", { customerReference: "another" });
    expect(other).toMatchObject({ status: 422, problem: { code: "idempotency-key-reused" } });
    expect(await orders.list()).toHaveLength(1);
  });

  test("keeps a refusal with its key: asked again it answers the same, though all is well by then", async () => {
    const { orders } = await open("KEPT");
    const refused = await send(orders, "k1", { account: "STOPPED" });
    expect(refused.status).toBe(422);
    expect(problemIn(refused).problems).toMatchObject([
      { code: "account-on-stop", found: "overdue" },
    ]);
    await pull(database.store, "KEPT", "customer", [{ account: "STOPPED", name: "Late Payers" }]);
    expect(await send(orders, "k1", { account: "STOPPED" })).toEqual({
      ...refused,
      replayed: true,
    });
    expect((await send(orders, "k2", { account: "STOPPED" })).status).toBe(201);
    expect(await orders.list()).toHaveLength(1);
  });

  test("makes one order of 100 requests at once with one key, and hands it over once", async () => {
    const { orders, erp } = await open("HUNDRED");
    const results = await Promise.all(Array.from({ length: 100 }, () => send(orders, "one key")));
    const made = results.filter((result) => result.status === 201);
    expect(new Set(made.map((result) => orderIn(result).id)).size).toBe(1);
    expect(made.filter((result) => !result.replayed)).toHaveLength(1);
    for (const result of results) expect([201, 409]).toContain(result.status);
    expect(await orders.list()).toHaveLength(1);
    await jobs.drain();
    expect(erp.orders.size).toBe(1);
  });

  test("says that a request is still being handled when the first one takes its time", async () => {
    const { orders } = await open("BUSY");
    await database.store.transaction(async (tx) => {
      await tx.affect(
        `insert into web_order_request (company, idempotency_key, api_key, body_hash, body, received_at)
         values ('BUSY', 'k1', 'shop', 'x', '{}', $1)`,
        [NOW],
      );
      expect(await send(orders, "k1")).toMatchObject({
        status: 409,
        problem: { code: "request-in-progress" },
      });
      await tx.affect("delete from web_order_request where company = 'BUSY'");
    });
    expect((await send(orders, "k1")).status).toBe(201);
  });

  test("takes a shop's number once for ever", async () => {
    const { orders } = await open("NUMBER");
    const first = await send(orders, "k1", { webOrder: "SHOP-1" });
    expect(orderIn(first).webOrder).toBe("SHOP-1");
    const second = await send(orders, "k2", { webOrder: "SHOP-1" });
    expect(problemIn(second)).toMatchObject({ code: "web-order-number-taken" });
    await orders.cancel("SHOP-1", { who: "kim", reason: "test" }).catch(() => undefined);
    expect((await send(orders, "k3", { webOrder: "SHOP-1" })).status).toBe(422);
    // Whoever looks it up finds it under the number that it bears.
    const told = { detail: expect.stringMatching(/^Web order SHOP-1 exists already;/) as string };
    expect(problemIn(await send(orders, "k4", { webOrder: "shop-1" }))).toMatchObject(told);
    const checked = await orders.check(body({ webOrder: "Shop-1" }));
    expect(checked.problem).toMatchObject(told);
  });

  test("names our price and theirs where they differ, and takes no line of the order", async () => {
    const { orders } = await open("PRICE");
    const result = await send(orders, "k1", {
      lines: [
        { product: "BRICK", quantity: "2", unitPrice: "4.19" },
        { product: "SAND", quantity: "1", unitPrice: "10.00" },
      ],
    });
    expect(problemIn(result).problems).toMatchObject([
      {
        code: "price-differs",
        line: 1,
        found: "4.19",
        expected: expect.stringMatching(/^4\.20*$/),
      },
    ]);
    expect(await orders.list()).toEqual([]);
  });

  test("checks without keeping anything", async () => {
    const { orders } = await open("CHECK");
    expect(await orders.check(body())).toMatchObject({
      verdict: "accept",
      order: { gross: "20.08" },
    });
    expect(await orders.check(body({ account: "NOBODY" }))).toMatchObject({ verdict: "refuse" });
    expect(await orders.list()).toEqual([]);
  });

  test("keeps an order of a test key and never sends it", async () => {
    const { orders, erp } = await open("TESTKEY");
    const result = await orders.accept({
      idempotencyKey: "k1",
      body: body(),
      apiKey: "t",
      test: true,
    });
    expect(orderIn(result)).toMatchObject({ state: "checked", test: true });
    await orders.deliver(orderIn(result).id);
    await orders.advance();
    await jobs.drain();
    expect(erp.asked).toEqual([]);
  });

  test("keeps a held order of a test key where it is when a person lets it go", async () => {
    const { orders, erp } = await open("TESTHELD", {}, { creditLimit: "20.07", balance: "0.00" });
    const given = { idempotencyKey: "k1", body: body(), apiKey: "t", test: true };
    const { webOrder } = orderIn(await orders.accept(given));
    const view = await orders.release(webOrder, { who: "kim", reason: "tried out" });
    expect(view).toMatchObject({ state: "checked", reasons: [] });
    await jobs.drain();
    expect(erp.asked).toEqual([]);
  });
});

describe("a held order", () => {
  test("waits for a person, and goes on its way when released", async () => {
    const { orders, erp } = await open("HOLD", {}, { creditLimit: "20.07", balance: "0.00" });
    const result = await send(orders, "k1");
    expect(result).toMatchObject({
      status: 202,
      order: { state: "held", reasons: [{ code: "over-credit-limit" }] },
    });
    const { webOrder } = orderIn(result);
    await jobs.drain();
    expect(erp.asked).toEqual([]);
    await orders.release(webOrder, { who: "kim", reason: "paid by telephone" });
    await jobs.drain();
    expect((await orders.show(webOrder)).state).toBe("handedOver");
    expect((await orders.show(webOrder)).events).toContainEqual(
      expect.objectContaining({ who: "kim", about: "Released: paid by telephone" }),
    );
  });

  test("counts, with every order not invoiced yet, against the limit; an invoiced or cancelled one does not", async () => {
    const { orders } = await open("LIMIT", {}, { creditLimit: "45.00", balance: "0.00" });
    const numbers: string[] = [];
    for (const key of ["k1", "k2", "k3"]) numbers.push(orderIn(await send(orders, key)).webOrder);
    const [first = "", second = "", third = ""] = numbers;
    await jobs.drain();
    expect((await orders.show(third)).state).toBe("held");
    await orders.cancel(third, { who: "kim", reason: "changed their mind" });
    expect((await send(orders, "k4")).status).toBe(202);
    // The first one is invoiced: now it is the ledger's, whose balance the ERP states.
    await pull(database.store, "LIMIT", "sales-document", [
      {
        documentType: "invoice",
        document: "I1",
        account: "A1",
        documentOn: "2026-03-31",
        webOrder: first,
        net: "18.40",
        vat: "1.68",
        gross: "20.08",
      },
    ]);
    await pull(database.store, "LIMIT", "sales-line", [
      {
        documentType: "invoice",
        document: "I1",
        line: 1,
        product: "BRICK",
        quantity: "2",
        unitPrice: "4.20",
        net: "8.40",
        vat: "1.68",
      },
      {
        documentType: "invoice",
        document: "I1",
        line: 2,
        product: "SAND",
        quantity: "1",
        unitPrice: "10",
        net: "10.00",
        vat: "0.00",
      },
    ]);
    await salesOf(database.store, "LIMIT").post();
    expect(await orders.show(first)).toMatchObject({ fulfilment: "invoiced" });
    expect((await orders.show(first)).events.at(-1)?.about).toBe(
      "Invoiced: line 1 2 of 2; line 2 1 of 1.",
    );
    const held = await orders.list({ state: "held" });
    for (const { number } of held) await orders.cancel(number, { who: "kim", reason: "room" });
    expect((await send(orders, "k5")).status).toBe(201);
    expect((await orders.show(second)).state).toBe("handedOver");
  });

  test("is one of two that come at once and cannot both fit into what is left", async () => {
    const { orders } = await open("RACE", {}, { creditLimit: "25.00", balance: "0.00" });
    await orders.check(body());
    const results = await Promise.all(["k1", "k2", "k3"].map((key) => send(orders, key)));
    expect(results.map((result) => result.status).sort((a, b) => a - b)).toEqual([201, 202, 202]);
  });

  test("is not needed where a payment was taken", async () => {
    const { orders } = await open("PAID", {}, { creditLimit: "1.00", balance: "1.00" });
    const payment = { provider: "card", reference: "P1", amount: "20.08" };
    expect((await send(orders, "k1", { payment })).status).toBe(201);
  });
});

describe("handing an order over", () => {
  test("happens once, however many deliver it at once and however often", async () => {
    const { orders, erp } = await open("ONCE");
    const { id, webOrder } = orderIn(await send(orders, "k1"));
    await Promise.all(Array.from({ length: 12 }, () => orders.deliver(id)));
    await orders.deliver(webOrder);
    await jobs.drain();
    expect(erp.asked.filter((asked) => asked.startsWith("place"))).toEqual([`place ${webOrder}`]);
  });

  test("never happens on a read-only connection, and catches up when it goes live", async () => {
    const one = await open("READONLY");
    one.mode = "read-only";
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    await one.orders.advance();
    await jobs.drain();
    expect(one.erp.asked).toEqual([]);
    expect((await one.orders.show(webOrder)).state).toBe("queued");
    one.mode = "live";
    await one.orders.advance();
    await jobs.drain();
    expect((await one.orders.show(webOrder)).state).toBe("handedOver");
  });

  test("is tried again later when its connector fails on it, and held after too many tries", async () => {
    const one = await open("UNREACHED");
    one.erp.opens = () => {
      throw new ConnectorFault("defect", "the folder is not mounted", "Mount it.");
    };
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    const waiting = await one.orders.show(webOrder);
    expect(waiting).toMatchObject({ state: "queued", attempts: 1 });
    expect(waiting.reasons).toEqual(["Not sent yet: the folder is not mounted Mount it."]);
    expect(waiting.nextAttemptAt?.toString() ?? "").toMatch(/^2026-03-31T09:00:(0[5-9]|1)/);
    // Not due yet: what follows a pull does not hurry it.
    expect((await one.orders.advance()).queued).toBe(0);
    for (let hour = 1; hour <= 2; hour += 1) {
      one.now = one.now.add({ hours: 1 });
      await one.orders.advance();
      await jobs.drain();
    }
    const held = await one.orders.show(webOrder);
    expect(held.state).toBe("held");
    expect(held.reasons[0]).toContain("3 tries placed nothing");
    one.erp.opens = null;
    await one.orders.release(webOrder, { who: "kim", reason: "mounted" });
    await jobs.drain();
    expect((await one.orders.show(webOrder)).state).toBe("handedOver");
    expect(one.erp.asked.filter((asked) => asked.startsWith("place"))).toHaveLength(1);
  });

  test("that broke off while placing is in doubt, and find alone decides: it had arrived", async () => {
    const one = await open("ARRIVED");
    one.erp.next = async (order) => {
      one.erp.orders.set(order.key, order);
      throw new Error("connection reset");
    };
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
    await one.orders.deliver(webOrder);
    expect(await states(one.orders, webOrder)).toEqual([
      "received",
      "checked",
      "queued",
      "sending",
      "inDoubt",
      "handedOver",
    ]);
    expect(one.erp.asked.filter((asked) => asked.startsWith("place"))).toHaveLength(1);
  });

  test("that broke off while placing is in doubt, and find alone decides: it had not", async () => {
    const one = await open("LOST");
    const canary = orderIn(await send(one.orders, "k0")).webOrder;
    await jobs.drain();
    one.erp.asked.length = 0;
    one.erp.next = async () => {
      throw new Error("connection reset");
    };
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    await one.orders.deliver(webOrder);
    expect((await states(one.orders, webOrder)).slice(4)).toEqual([
      "inDoubt",
      "queued",
      "sending",
      "handedOver",
    ]);
    expect(one.erp.asked).toEqual([
      `find ${webOrder}`,
      `place ${webOrder}`,
      `find ${webOrder}`,
      `find ${canary}`,
      `find ${webOrder}`,
      `place ${webOrder}`,
    ]);
  });

  test("stays in doubt while the far side cannot tell", async () => {
    const one = await open("CANNOTTELL");
    one.erp.next = async () => {
      throw new Error("connection reset");
    };
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    one.erp.finds = () => ({ kind: "cannotTell", reason: "the search is down" });
    await one.orders.deliver(webOrder);
    expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
    expect(one.erp.orders.size).toBe(0);
    await one.orders.resolve(webOrder, {
      who: "kim",
      reason: "found it by hand",
      erpOrder: "SO77",
      seenThere: true,
    });
    expect(await one.orders.show(webOrder)).toMatchObject({ state: "confirmed", erpOrder: "SO77" });
  });

  test("whose sender died is found in doubt, not sent again blindly", async () => {
    const one = await open("DIED");
    const { id, webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    // As a killed process leaves it: the attempt is written, the outcome is not, nobody holds the
    // lease.
    await database.store.affect(
      `update web_order set state = 'sending', handed_over_at = null where company = 'DIED'`,
    );
    await one.orders.advance();
    await jobs.drain();
    expect((await states(one.orders, id)).slice(-2)).toEqual(["inDoubt", "handedOver"]);
    expect(one.erp.asked.filter((asked) => asked === `place ${webOrder}`)).toHaveLength(1);
  });

  test("is left alone while another one holds its lease", async () => {
    const one = await open("LEASED");
    one.mode = "read-only";
    const { id, webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    one.mode = "live";
    await database.store.affect(
      `insert into web_order_lease (company, order_id, holder, until)
       select company, id, gen_random_uuid(), clock_timestamp() + interval '1 minute'
         from web_order where company = 'LEASED'`,
    );
    await one.orders.deliver(id);
    expect((await one.orders.show(webOrder)).state).toBe("queued");
    await database.store.affect(
      "update web_order_lease set until = clock_timestamp() where company = 'LEASED'",
    );
    await one.orders.deliver(id);
    expect((await one.orders.show(webOrder)).state).toBe("handedOver");
  });

  test("writes the attempt before the first byte leaves", async () => {
    const one = await open("ATTEMPT");
    let seen: unknown[] = [];
    one.erp.next = async () => {
      seen = await database.store.query(
        `select what, outcome, hash is not null as frozen from web_order_attempt
          where company = 'ATTEMPT' order by attempt`,
      );
      return { kind: "accepted", erpOrder: "SO5", net: "18.40", vat: null, evidence: "HTTP 201" };
    };
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    expect(seen).toEqual([
      { what: "find", outcome: "absent", frozen: false },
      { what: "place", outcome: null, frozen: true },
    ]);
    expect(await one.orders.show(webOrder)).toMatchObject({ state: "accepted", erpOrder: "SO5" });
  });

  test("with another net than agreed is a conflict at once", async () => {
    const one = await open("OTHERNET");
    one.erp.next = async () => ({
      kind: "accepted",
      erpOrder: "SO5",
      net: "18.39",
      vat: "1.68",
      evidence: "HTTP 201",
    });
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    expect(await one.orders.show(webOrder)).toMatchObject({
      state: "conflict",
      reasons: ["Agreed net is 18.40, the ERP holds 18.39: -0.01."],
    });
  });

  test("that the ERP refuses waits for a person, and asks for a refund where it was paid", async () => {
    const one = await open("REFUSED");
    one.erp.next = async () => ({ kind: "refused", reason: "period closed" });
    const payment = { provider: "card", reference: "P1", amount: "20.08" };
    const { webOrder } = orderIn(await send(one.orders, "k1", { payment }));
    await jobs.drain();
    const refused = await one.orders.show(webOrder);
    expect(refused.state).toBe("refused");
    expect(refused.reasons).toEqual([
      "The ERP refused it: period closed",
      "20.08 was paid by card P1: its refund task says what is owed.",
    ]);
  });
});

describe("what follows a pull", () => {
  test("accepts by the acknowledgement, then confirms by the ERP's own order", async () => {
    const one = await open("FOLLOW");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    expect(await one.orders.advance()).toMatchObject({ moved: 0, expired: 0 });
    await acknowledge("FOLLOW", webOrder);
    expect(await one.orders.advance()).toMatchObject({ moved: 1 });
    expect(await one.orders.show(webOrder)).toMatchObject({ state: "accepted", erpOrder: "SO1" });
    await erpOrder("FOLLOW", webOrder);
    await one.orders.advance();
    expect(await one.orders.show(webOrder)).toMatchObject({ state: "confirmed", erpNet: "18.40" });
    expect(await one.orders.advance()).toMatchObject({ moved: 0 });
  });

  test("shows two ERP orders with our number as a duplicate, until a person has settled it", async () => {
    const one = await open("DOUBLE");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    await erpOrder("DOUBLE", webOrder);
    await erpOrder("DOUBLE", webOrder, { erpOrder: "SO2" });
    await one.orders.advance();
    const conflict = await one.orders.show(webOrder);
    expect(conflict.state).toBe("conflict");
    expect(conflict.reasons[0]).toContain(
      `Duplicate in the ERP: ${webOrder} is there as SO1 and SO2`,
    );
    expect([...one.alarms.keys()]).toContain(`orders/duplicate/${webOrder}`);
    const split = { who: "kim", reason: "split for two vans" };
    // A second one is never settled unseen.
    await expect(one.orders.resolve(webOrder, split)).rejects.toThrow(
      "the ERP has it as SO1 and SO2. Name the one that it is",
    );
    await expect(one.orders.resolve(webOrder, { ...split, erpOrder: "SO1" })).rejects.toThrow(
      "the ERP shows SO2 of it as well, not cancelled there.",
    );
    expect([...one.alarms.keys()]).toContain(`orders/duplicate/${webOrder}`);
    await one.orders.resolve(webOrder, { ...split, erpOrder: "SO1", also: ["SO2"] });
    // Its sums, which nobody has compared yet, are compared once.
    expect(await one.orders.advance()).toMatchObject({ moved: 1 });
    expect(await one.orders.advance()).toMatchObject({ moved: 0 });
    expect((await one.orders.show(webOrder)).state).toBe("confirmed");
    expect(one.alarms.size).toBe(0);
  });

  test("compares what the ERP made line by line, and knows our number in capitals", async () => {
    const one = await open("LINES");
    const { webOrder } = orderIn(await send(one.orders, "k1", { webOrder: "shop-77" }));
    await jobs.drain();
    await erpOrder("LINES", "SHOP-77");
    const line = { erpOrder: "SO1", unitPrice: "1", webOrderLine: null };
    await pull(database.store, "LINES", "erp-order-line", [
      { ...line, line: 1, product: "BRICK", quantity: "3", net: "8.40" },
      { ...line, line: 2, product: "SAND", quantity: "1", net: "10.00" },
    ]);
    await one.orders.advance();
    expect(await one.orders.show(webOrder)).toMatchObject({
      state: "conflict",
      erpOrder: "SO1",
      reasons: ["Agreed are 2 of BRICK, the ERP holds 3."],
    });
  });

  test("refuses by the acknowledgement", async () => {
    const one = await open("SAIDNO");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    await acknowledge("SAIDNO", webOrder, {
      outcome: "refused",
      erpOrder: "-",
      reason: "unknown product",
    });
    await one.orders.advance();
    expect(await one.orders.show(webOrder)).toMatchObject({
      state: "refused",
      reasons: ["The ERP refused it: unknown product."],
    });
  });

  test("raises an alarm when no answer comes in time, and never sends twice", async () => {
    const one = await open("SILENT");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    one.now = one.now.add({ hours: 23 });
    expect(await one.orders.advance()).toMatchObject({ expired: 0 });
    one.now = one.now.add({ hours: 1 });
    expect(await one.orders.advance()).toMatchObject({ expired: 1 });
    await jobs.drain();
    const late = await one.orders.show(webOrder);
    expect(late.state).toBe("inDoubt");
    expect(late.reasons[0]).toContain("after 24 hours the ERP has not answered");
    for (let day = 0; day < 3; day += 1) {
      one.now = one.now.add({ hours: 24 });
      await one.orders.advance();
      await jobs.drain();
    }
    expect(one.erp.asked.filter((asked) => asked.startsWith("place"))).toHaveLength(1);
    expect((await one.orders.show(webOrder)).reasons).toEqual(late.reasons);
    await acknowledge("SILENT", webOrder);
    await one.orders.advance();
    expect((await one.orders.show(webOrder)).state).toBe("accepted");
  });

  test("does not send an overdue order again though the far side has forgotten it, until a person says so", async () => {
    const one = await open("FORGOT");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    one.erp.orders.clear();
    one.now = one.now.add({ hours: 25 });
    await one.orders.advance();
    await jobs.drain();
    expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
    expect(one.erp.orders.size).toBe(0);
    await one.orders.sendAgain(webOrder, { who: "kim", reason: "the ERP's folder was wiped" });
    await jobs.drain();
    expect((await one.orders.show(webOrder)).state).toBe("handedOver");
    expect(one.erp.orders.size).toBe(1);
  });

  test("is asked before an order is sent: what was pulled already is not placed again", async () => {
    const one = await open("KEYED");
    one.mode = "read-only";
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    await erpOrder("KEYED", webOrder);
    one.mode = "live";
    await one.orders.deliver(webOrder);
    expect((await one.orders.show(webOrder)).state).toBe("confirmed");
    expect(one.erp.asked).toEqual([]);
  });

  test("takes over what was despatched and what will not come", async () => {
    const one = await open("DESPATCH");
    const { store } = database;
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    const line = { erpOrder: "SO1", unitPrice: "1", net: "1.00" };
    await erpOrder("DESPATCH", webOrder);
    await pull(store, "DESPATCH", "erp-order-line", [
      { ...line, line: 10, product: "BRICK", quantity: "2", webOrderLine: 1 },
      // Told by product: the order has one line of it.
      { ...line, line: 20, product: "SAND", quantity: "1" },
    ]);
    await pull(store, "DESPATCH", "despatch-line", [
      {
        despatch: "D1",
        line: 1,
        erpOrder: "SO1",
        erpOrderLine: 10,
        product: "BRICK",
        quantity: "1",
      },
      {
        despatch: "D2",
        line: 1,
        erpOrder: "SO1",
        erpOrderLine: 20,
        product: "SAND",
        quantity: "1",
      },
    ]);
    await one.orders.advance();
    expect((await one.orders.show(webOrder)).lines).toMatchObject([
      { despatchedQuantity: "1.00000", cancelledQuantity: "0.00000" },
      { despatchedQuantity: "1.00000", cancelledQuantity: "0.00000" },
    ]);
    expect((await one.orders.show(webOrder)).fulfilment).toBe("part despatched");
    await erpOrder("DESPATCH", webOrder, { state: "complete" });
    // The notes tell what left, and another may be on its way.
    one.now = one.now.add({ hours: 4 * 24 + 1 });
    await one.orders.advance();
    expect((await one.orders.show(webOrder)).lines).toMatchObject([
      { cancelledQuantity: "1.00000" },
      { cancelledQuantity: "0.00000" },
    ]);
    expect((await one.orders.show(webOrder)).fulfilment).toBe("despatched");
    // Shops are told each step once, however often it is looked at.
    await one.orders.advance();
    const told = await store.query<{ word: string }>(
      `select data ->> 'fulfilment' as word from event
        where company = 'DESPATCH' and type = 'order.fulfilment' order by noted_at`,
    );
    expect(told.map(({ word }) => word)).toEqual(["part despatched", "despatched"]);
  });
});

describe("a person's acts", () => {
  test("are refused where they cannot happen, and say so", async () => {
    const one = await open("ACTS");
    const { webOrder } = orderIn(await send(one.orders, "k1"));
    await jobs.drain();
    const act = { who: "kim", reason: "too late" };
    await expect(one.orders.release(webOrder, act)).rejects.toThrow(
      `web order ${webOrder}: it is "handedOver"`,
    );
    await expect(one.orders.sendAgain(webOrder, act)).rejects.toThrow(
      `Sending again web order ${webOrder}: it is "handedOver", and only one that is in doubt or was refused is.`,
    );
    await expect(one.orders.show("W-nothing")).rejects.toThrow(OrderError);
    expect(await one.orders.list({ account: "A1", state: "handedOver" })).toHaveLength(1);
    expect(await one.orders.list({ account: "B2" })).toEqual([]);
  });
});

describe("an order that lives again", () => {
  /** The last use of a promotion with a code, on bricks. */
  async function openWithLastUse(company: string): Promise<Opened> {
    await pull(database.store, company, "promotion", [
      {
        promotion: "SPRING",
        name: "Spring",
        customerScope: "everyone",
        customerCode: "*",
        productScope: "product",
        productCode: "BRICK",
        kind: "percent",
        value: "10",
        code: "SPRING",
        mostUses: 1,
        validFrom: "2026-01-01",
        validTo: "2026-12-31",
      },
    ]);
    return open(company);
  }
  const take = (orders: Orders, key: string) =>
    send(orders, key, { codes: ["SPRING"] }).then(orderIn);
  const used = async (company: string) => {
    const [row] = await database.store.query<{ orders: number; given: string }>(
      "select orders, given from promotion_tally where company = $1",
      [company],
    );
    return row;
  };
  const kim = { who: "kim", reason: "not wanted" };

  test("reserves its promotions again, so that nobody else gets the last use", async () => {
    const { orders } = await openWithLastUse("REVIVED");
    const { webOrder, net } = await take(orders, "k1");
    expect(net).toBe("17.56");
    await orders.cancel(webOrder, kim);
    expect(await used("REVIVED")).toEqual({ orders: 0, given: "0.00" });
    await erpOrder("REVIVED", webOrder, { net: "17.56", vat: "1.51" });
    await orders.advance();
    expect((await orders.show(webOrder)).state).toBe("conflict");
    expect(await used("REVIVED")).toEqual({ orders: 1, given: "0.84" });
    expect((await take(orders, "k2")).net).toBe("18.40");
    await orders.resolve(webOrder, kim);
    expect(await used("REVIVED")).toEqual({ orders: 1, given: "0.84" });
  });

  test("waits for a person with the reason where they were used up meanwhile, and has them when it stands", async () => {
    const { orders } = await openWithLastUse("TOOLATE");
    const { webOrder } = await take(orders, "k1");
    await orders.cancel(webOrder, kim);
    expect((await take(orders, "k2")).net).toBe("17.56");
    await erpOrder("TOOLATE", webOrder, { net: "17.56", vat: "1.51" });
    await orders.advance();
    const { state, reasons } = await orders.show(webOrder);
    expect([state, reasons.at(-1)]).toEqual([
      "conflict",
      expect.stringContaining("Promotion SPRING, which its prices rest on, was used up meanwhile"),
    ]);
    expect(await used("TOOLATE")).toEqual({ orders: 1, given: "0.84" });
    await orders.resolve(webOrder, kim);
    expect(await used("TOOLATE")).toEqual({ orders: 2, given: "1.68" });
    expect((await orders.show(webOrder)).reasons).toEqual([]);
  });
});
