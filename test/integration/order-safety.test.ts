/**
 * What shops, staff and the ERP do around an order that goes its way, each of which could lose it
 * or make it twice.
 */
import { expect, test, vi } from "vitest";
import type { Accepted, Outcome } from "../../src/connector/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { body, orderIn, send, useOrderCompanies, type Opened } from "../support/order-companies.ts";

const companies = useOrderCompanies();

const accepted = (erpOrder: string, more: Partial<Accepted> = {}): Accepted => ({
  kind: "accepted",
  erpOrder,
  net: null,
  vat: null,
  evidence: "HTTP 201",
  ...more,
});

const HELD = { limits: { net: "1", lines: 200, lineQuantity: "50000" } };
const KIM = { who: "kim", reason: "looked into it" };

async function placed(one: Opened, key: string, more: object = {}): Promise<string> {
  const { webOrder } = orderIn(await send(one.orders, key, more));
  await companies.jobs.drain();
  return webOrder;
}

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

const erpOrder = (number: string, webOrder: string | null, more: object = {}) => ({
  erpOrder: number,
  account: "A1",
  webOrder,
  orderedOn: "2026-03-31",
  state: "open" as const,
  net: "18.40",
  vat: "1.68",
  currency: "GBP",
  ...more,
});

test("a key that a test key has used answers no live order, and the other way round", async () => {
  const one = await companies.open("SPACES");
  const given = { idempotencyKey: "order-1001", body: body(), apiKey: "shop" };
  const tried = orderIn(await one.orders.accept({ ...given, test: true }));
  const live = await one.orders.accept({ ...given, test: false });
  await companies.jobs.drain();
  expect(live).toMatchObject({ status: 201, replayed: false, order: { test: false } });
  expect(placings(one, orderIn(live).webOrder)).toBe(1);
  const again = await one.orders.accept({ ...given, test: true });
  expect(again).toMatchObject({ replayed: true, order: { webOrder: tried.webOrder, test: true } });
  const asked = { who: "key shop", why: null, apiKey: "shop", decides: false, lines: null };
  const cancel = (number: string, isTest: boolean) =>
    one.orders.cancelPart(number, { ...asked, idempotencyKey: "c1", test: isTest });
  expect(await cancel(tried.webOrder, true)).toMatchObject({ status: 200 });
  expect(await cancel(orderIn(live).webOrder, false)).toMatchObject({ replayed: false });
});

test("a row of the ERP that says what cannot be of one order stops no other order", async () => {
  const one = await companies.open("POISON", HELD);
  const held = orderIn(await send(one.orders, "k1"));
  const other = orderIn(await send(one.orders, "k2", { webOrder: "B" }));
  await one.orders.release(other.webOrder, KIM);
  await companies.jobs.drain();
  await pull(companies.store, "POISON", "order-acknowledgement", [
    { webOrder: held.webOrder, outcome: "refused", reason: "unknown", answeredOn: "2026-03-31" },
  ]);
  one.now = one.now.add({ hours: 50 });
  await one.orders.advance();
  expect((await one.orders.show(held.webOrder)).state).toBe("held");
  expect((await one.orders.show("B")).state).toBe("inDoubt");
  expect([...one.alarms.keys()]).toContain("orders/late");
});

test("an ERP that writes our numbers in capitals did not go backwards", async () => {
  const one = await companies.open("CAPITALS");
  for (const [index, number] of ["W-1", "w-2", "w-3", "w-4"].entries()) {
    const order = `SO-${1001 + index}`;
    one.erp.next = async () => accepted(order);
    await placed(one, number, { webOrder: number, customerReference: number });
    await pull(companies.store, "CAPITALS", "erp-order", [
      erpOrder(order, number.toUpperCase()) as never,
    ]);
    one.now = one.now.add({ minutes: 1 });
  }
  await one.orders.advance();
  one.now = one.now.add({ minutes: 30 });
  expect(await one.orders.wentBackwards({ ask: false })).toBeNull();
});

test("a cancellation that the ERP made of an order handed over is told once", async () => {
  const one = await companies.open("CANCELS");
  const number = await placed(one, "k1");
  let told = 0;
  one.erp.cancel = async (): Promise<Outcome> => {
    told += 1;
    return accepted("SO1", { state: "cancelled" });
  };
  const asked = { who: "key shop", why: null, apiKey: "shop", decides: false, lines: null };
  await one.orders.cancelPart(number, { ...asked, idempotencyKey: "c1" });
  await companies.jobs.drain();
  expect(told).toBe(1);
  expect((await one.orders.show(number)).state).toBe("cancelled");
});

const reset = (): Promise<Outcome> => Promise.reject(new Error("connection reset"));
const shop = { who: "key shop", why: null, apiKey: "shop", decides: false, lines: null } as const;

test("a second order of ours in the ERP is told, whoever learns of it and however the order stands", async () => {
  const one = await companies.open("DOUBLES");
  one.mode = "read-only";
  const [first, second] = [await placed(one, "k1"), await placed(one, "k2", { webOrder: "PENNY" })];
  await pull(companies.store, "DOUBLES", "erp-order", [
    erpOrder("SO1", first) as never,
    erpOrder("SO2", first) as never,
  ]);
  one.mode = "live";
  await one.orders.deliver(first);
  expect([...one.alarms.keys()]).toContain(`orders/duplicate/${first}`);
  one.erp.next = async () => accepted("SO3", { net: "18.41" });
  await one.orders.release(second, KIM).catch(() => undefined);
  await one.orders.deliver(second);
  expect((await one.orders.show(second)).state).toBe("conflict");
  const twice = ["SO3", "SO4"].map((so) => erpOrder(so, "PENNY", { net: "18.41" }) as never);
  await pull(companies.store, "DOUBLES", "erp-order", twice);
  await one.orders.advance();
  expect((await one.orders.show("penny")).reasons).toEqual([
    expect.stringContaining("Duplicate in the ERP: PENNY is there as SO3 and SO4."),
    expect.stringContaining("18.41"),
  ]);
  expect([...one.alarms.keys()]).toContain("orders/duplicate/PENNY");
  expect(await one.orders.advance()).toMatchObject({ moved: 0 });
});

test("what the ERP shows is taken for the order only where it can be it", async () => {
  const one = await companies.open("SHOWS");
  const differently = (key: string) => ({ webOrder: key, customerReference: key });
  const cancelled = await placed(one, "cancelled", differently("cancelled"));
  await pull(companies.store, "SHOWS", "erp-order", [
    erpOrder("SO1", cancelled, { state: "cancelled" }) as never,
    erpOrder("OLD7", "1001", { orderedOn: "2019-05-05", state: "complete" }) as never,
  ]);
  const old = await placed(one, "1001", differently("1001"));
  const invoiced = await placed(one, "invoiced", differently("invoiced"));
  one.erp.next = async () => ({ kind: "refused", reason: "on stop" });
  const refused = await placed(one, "refused", differently("refused"));
  const dearer = await placed(one, "dearer", differently("dearer"));
  await companies.store.affect(
    `update web_order_line l set invoiced_quantity = l.quantity
       from web_order o where o.id = l.order_id and o.number = 'dearer' and o.company = 'SHOWS'`,
  );
  await companies.store.affect(
    `update web_order set invoiced_net = 20.08 where number = 'dearer' and company = 'SHOWS'`,
  );
  await pull(companies.store, "SHOWS", "sales-document", [
    {
      documentType: "invoice",
      document: "INV14",
      account: "A1",
      documentOn: "2026-03-31",
      currency: "GBP",
      webOrder: dearer,
      net: "20.08",
      vat: "0.00",
      gross: "20.08",
    } as never,
    {
      documentType: "invoice",
      document: "INV12",
      account: "A1",
      documentOn: "2026-03-31",
      currency: "GBP",
      webOrder: invoiced,
      net: "18.40",
      vat: "1.68",
      gross: "20.08",
    } as never,
    {
      documentType: "invoice",
      document: "INV13",
      account: "A1",
      documentOn: "2026-03-31",
      currency: "GBP",
      webOrder: refused,
      net: "18.40",
      vat: "1.68",
      gross: "20.08",
    } as never,
  ]);
  one.erp.next = async () => accepted("SO5");
  const given = await placed(one, "given-up", differently("given-up"));
  one.erp.cancel = async () => accepted("SO5", { state: "cancelled" });
  await one.orders.cancelPart(given, { ...shop, idempotencyKey: "c1" });
  await companies.jobs.drain();
  await pull(companies.store, "SHOWS", "erp-order", [erpOrder("SO5", given) as never]);
  for (const table of ["erp_order", "sales_document"])
    await companies.store.affect(
      `update ${table} set learned_at = '2026-04-01T09:00:00Z' where company = 'SHOWS'`,
    );
  await one.orders.advance();
  const stands = async (number: string) => {
    const { state, reasons } = await one.orders.show(number);
    return [state, reasons[0] ?? null];
  };
  expect(await stands(cancelled)).toEqual(["conflict", "The ERP holds it as cancelled."]);
  expect(await stands(old)).toEqual([
    "conflict",
    "ERP order OLD7 bears the number 1001, and is of 05/05/2019: it may be another order of that number.",
  ]);
  expect(placings(one, old)).toBe(0);
  expect((await stands(invoiced))[0]).toBe("accepted");
  expect((await one.orders.show(dearer)).reasons).toEqual([
    "Agreed net is 18.40, invoiced is 20.08: 1.68.",
  ]);
  expect(await stands(refused)).toEqual([
    "conflict",
    "refused is refused here, and the ERP shows it as accepted. Cancel it there, or resolve the order.",
  ]);
  expect(await stands(given)).toEqual([
    "conflict",
    "given-up is cancelled here, and the ERP goes on with it as SO5 (open). Cancel it there, or resolve the order.",
  ]);
});

test("an order is known by its number in any case, also where that looks like an id", async () => {
  const one = await companies.open("NAMES");
  const number = "7B0E1DDE-0B5F-4D1C-9B1B-5D8C5D3C8A10";
  await placed(one, "k1", { webOrder: number });
  expect((await one.orders.show(number.toLowerCase())).number).toBe(number);
});

test("a doubt is asked about ever more rarely, and by a person in the end, whatever the ERP answers since", async () => {
  const one = await companies.open("BOUND", { retryFirstSeconds: 0.01 });
  await placed(one, "canary");
  const busy = async (): Promise<Outcome> => {
    one.erp.next = busy;
    return { kind: "notNow", reason: "HTTP 429" };
  };
  one.erp.next = () => {
    one.erp.next = busy;
    return reset();
  };
  const { webOrder } = orderIn(await send(one.orders, "k1", { customerReference: "k1" }));
  const tasks = async () => (await one.orders.tasks()).map(({ kind }) => kind);
  // A call of ours does nothing while the service's own job is at it.
  await vi.waitFor(
    async () => {
      await one.orders.deliver(webOrder);
      expect(await tasks()).toEqual(["look"]);
    },
    { timeout: 10_000, interval: 20 },
  );
  for (let tries = 0; tries < 10; tries += 1) await one.orders.deliver(webOrder);
  one.erp.next = null;
  expect(placings(one, webOrder)).toBe(3);
  expect(await tasks()).toEqual(["look"]);
});

test("a refusal of what was placed again says nothing of the call before it", async () => {
  const one = await companies.open("AGAIN", { quietSeconds: 3_600, retryFirstSeconds: 3_600 });
  one.erp.finding = "native-key";
  one.erp.next = () => {
    one.erp.next = async () => ({ kind: "refused", reason: "over the credit limit" });
    return reset();
  };
  const { webOrder } = orderIn(
    await send(one.orders, "k1", {
      payment: { provider: "card", reference: "p1", amount: "20.08" },
    }),
  );
  await companies.jobs.drain();
  expect(placings(one, webOrder)).toBe(2);
  expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
  expect(await one.orders.tasks()).toEqual([]);
});

test("a refusal of what was searched for before it was placed anew is the end of it", async () => {
  const one = await companies.open("ANEWKEY", { quietSeconds: 0.2, retryFirstSeconds: 0.05 });
  one.erp.finding = "native-key";
  await placed(one, "canary");
  const refuse = async (): Promise<Outcome> => {
    one.erp.next = refuse;
    return { kind: "refused", reason: "over the credit limit" };
  };
  one.erp.next = () => {
    one.erp.next = refuse;
    return reset();
  };
  const { webOrder } = orderIn(await send(one.orders, "k1", { customerReference: "k1" }));
  await vi.waitFor(
    async () => {
      await one.orders.deliver(webOrder);
      expect((await one.orders.show(webOrder)).state).toBe("refused");
    },
    { timeout: 10_000, interval: 100 },
  );
  // Under the same key without a search, and then once more when it surely was not there.
  expect(placings(one, webOrder)).toBe(3);
});

test("a whole cancellation ends an order of which nothing is there, held or refused", async () => {
  const one = await companies.open("GIVENUP", { maxAttempts: 1 });
  one.erp.next = async () => ({ kind: "notNow", reason: "closed" });
  const held = await placed(one, "k1");
  expect((await one.orders.show(held)).state).toBe("held");
  await one.orders.cancel(held, KIM);
  expect((await one.orders.show(held)).state).toBe("cancelled");
  const answer = Promise.withResolvers<Outcome>();
  one.erp.next = () => answer.promise;
  const { webOrder } = orderIn(await send(one.orders, "k2", { customerReference: "k2" }));
  await vi.waitFor(() => expect(placings(one, webOrder)).toBe(1), { timeout: 5_000 });
  await one.orders.cancelPart(webOrder, { ...shop, idempotencyKey: "c1" });
  answer.resolve({ kind: "refused", reason: "product blocked" });
  await companies.jobs.drain();
  await one.orders.deliver(webOrder);
  expect((await one.orders.show(webOrder)).state).toBe("cancelled");
});

test("what the ERP did with a cancellation is kept though the order is in conflict meanwhile", async () => {
  const one = await companies.open("MEANWHILE");
  one.erp.next = async () => accepted("SO1");
  const number = await placed(one, "k1");
  const gate = Promise.withResolvers<Outcome>();
  let told = 0;
  one.erp.cancel = () => {
    told += 1;
    return gate.promise;
  };
  await one.orders.cancelPart(number, { ...shop, idempotencyKey: "c1" });
  await vi.waitFor(() => expect(told).toBe(1), { timeout: 5_000 });
  await pull(companies.store, "MEANWHILE", "order-acknowledgement", [
    { webOrder: number, outcome: "refused", reason: "x", answeredOn: "2026-03-31" },
  ]);
  await one.orders.advance();
  expect((await one.orders.show(number)).state).toBe("conflict");
  gate.resolve(accepted("SO1", { state: "cancelled" }));
  await companies.jobs.drain();
  expect([(await one.orders.show(number)).state, told]).toEqual(["cancelled", 1]);
});

test("a connection that does not open is given up, and keeps no order", async () => {
  const one = await companies.open("SHUT", { giveUpAfterSeconds: 0.2, atOnce: 1 });
  one.mode = "read-only";
  const number = await placed(one, "k1");
  one.mode = "live";
  one.erp.opens = () => new Promise<void>(() => undefined);
  await one.orders.deliver(number);
  const { state, reasons } = await one.orders.show(number);
  expect([state, reasons[0]]).toEqual([
    "queued",
    expect.stringContaining("no answer within 0.2 s"),
  ]);
});

test("a search that may stand still is believed beside an order that the ERP took after the call", async () => {
  const one = await companies.open("STILL");
  one.erp.finding = "eventually-searchable";
  const before = await placed(one, "before");
  one.erp.finds = (key) =>
    key === before ? { kind: "present", outcome: accepted("SO0") } : { kind: "absent" };
  one.erp.next = reset;
  const { webOrder } = orderIn(await send(one.orders, "k1", { customerReference: "k1" }));
  await companies.jobs.drain();
  await one.orders.deliver(webOrder);
  expect([placings(one, webOrder), (await one.orders.show(webOrder)).state]).toEqual([
    1,
    "inDoubt",
  ]);
  one.erp.finds = null;
  await placed(one, "after", { customerReference: "after" });
  await one.orders.deliver(webOrder);
  expect(placings(one, webOrder)).toBe(2);
});

test("a drop is believed absent in the folder that has what was dropped before it, in no other", async () => {
  const one = await companies.open("MOVED");
  one.erp.finding = "file-drop";
  const before = await placed(one, "before");
  one.erp.next = reset;
  const { webOrder } = orderIn(await send(one.orders, "k1", { customerReference: "k1" }));
  await companies.jobs.drain();
  const kept = one.erp.orders.get(before);
  // The settings name another folder from now on, and what comes later is dropped there.
  one.erp.orders.delete(before);
  await placed(one, "after", { customerReference: "after" });
  await one.orders.deliver(webOrder);
  expect([placings(one, webOrder), (await one.orders.show(webOrder)).state]).toEqual([
    1,
    "inDoubt",
  ]);
  if (kept !== undefined) one.erp.orders.set(before, kept);
  await one.orders.deliver(webOrder);
  expect(placings(one, webOrder)).toBe(2);
});

test("what a far side says when it cannot tell stands with the order", async () => {
  const one = await companies.open("GARBAGE");
  one.erp.finding = "file-drop";
  one.erp.finds = () => ({ kind: "cannotTell", reason: "The entry k1.json cannot be read." });
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  expect((await one.orders.show(webOrder)).reasons).toEqual([
    "Not sent yet: The entry k1.json cannot be read.",
  ]);
});

test("a person's word that a dropped order never came drops it again, and says what was done", async () => {
  const one = await companies.open("DROPPED");
  one.erp.finding = "file-drop";
  const number = await placed(one, "k1");
  one.now = one.now.add({ hours: 25 });
  await one.orders.advance();
  await companies.jobs.drain();
  expect((await one.orders.show(number)).state).toBe("inDoubt");
  await expect(one.orders.sendAgain(number, KIM)).rejects.toThrow(
    "drops an order once and never again (present). Key it in the ERP by hand",
  );
  one.erp.again = async (key) => {
    one.erp.orders.delete(key);
    return "The first drop is set aside.";
  };
  await one.orders.sendAgain(number, KIM);
  await companies.jobs.drain();
  const { state, events } = await one.orders.show(number);
  expect(state).toBe("handedOver");
  expect(placings(one, number)).toBe(2);
  expect(events.map(({ about }) => about)).toContain(
    "To be sent again: looked into it (The first drop is set aside.)",
  );
  // An ERP that was restored from its backup has lost it; the journal has not.
  await pull(companies.store, "DROPPED", "erp-order", [erpOrder("SO1", number) as never]);
  await one.orders.advance();
  const { id } = await one.orders.show(number);
  const lost = { id, order: number, erpOrder: "SO1", account: "A1", net: "18.40" };
  await companies.store.transaction((tx) =>
    one.orders.noteLost(tx, "erp", [{ ...lost, acceptedAt: one.now }]),
  );
  await companies.store.affect(
    "update erp_order set learned_at = '2026-03-30T09:00:00Z' where company = 'DROPPED'",
  );
  await one.orders.decideLost(number, { decision: "send-again", who: "kim", why: "gone there" });
  await companies.jobs.drain();
  expect((await one.orders.show(number)).state).toBe("handedOver");
  expect(placings(one, number)).toBe(3);
});

test("a person who has looked waits until what was sent cannot turn up any more", async () => {
  const one = await companies.open("HASTE", { quietSeconds: 3_600 });
  one.erp.next = reset;
  const number = await placed(one, "k1");
  await expect(one.orders.sendAgain(number, KIM)).rejects.toThrow("may still turn up for 3600 s");
  expect(placings(one, number)).toBe(1);
});

test("resolving takes an ERP order that was seen, of this order, and can be corrected", async () => {
  const one = await companies.open("LINKS");
  const number = await placed(one, "k1", { customerReference: "PO 7" });
  await pull(companies.store, "LINKS", "erp-order", [
    erpOrder("SO77", null, { customerReference: "PO 7" }) as never,
    erpOrder("SO9", "OTHER-9") as never,
  ]);
  const line = { erpOrder: "SO77", unitPrice: "1" };
  await pull(companies.store, "LINKS", "erp-order-line", [
    { ...line, line: 1, product: "BRICK", quantity: "2", net: "8.40" },
    { ...line, line: 2, product: "SAND", quantity: "1", net: "10.00" },
  ]);
  await one.orders.advance();
  // It has none of its own, so cancelling that one would lose it.
  expect(await one.orders.tasks()).toMatchObject([
    {
      about: `ERP order SO77 may be ${number}`,
      instruction: expect.stringContaining(`orders resolve ${number} --erp-order SO77`) as string,
    },
  ]);
  const as = (so: string, more: object = {}) =>
    one.orders.resolve(number, { ...KIM, erpOrder: so, ...more });
  await expect(as("SO7777")).rejects.toThrow("no pull has shown an ERP order SO7777. Pull first");
  await expect(as("SO9")).rejects.toThrow("ERP order SO9 is that of OTHER-9 already");
  await expect(as("TBA")).rejects.toThrow('"TBA" is no order number');
  await as("SO7777", { seenThere: true });
  expect(await as("SO77")).toMatchObject({ state: "confirmed", erpOrder: "SO77" });
  expect(await one.orders.tasks()).toEqual([]);
  // What nobody has compared yet is compared once.
  expect(await one.orders.advance()).toMatchObject({ moved: 1 });
  expect((await one.orders.show(number)).events.at(-1)?.about).toContain(
    "The lines of ERP order SO77 were read",
  );
  expect(await one.orders.advance()).toMatchObject({ moved: 0 });
});

test("an unknown branch is refused as that, and a check sees a used number in any case", async () => {
  await pull(companies.store, "BRANCHES", "branch", [
    { branch: "LEEDS", name: "Leeds", defaultChannel: "counter" } as never,
  ]);
  const one = await companies.open("BRANCHES");
  expect((await one.orders.check(body({ branch: "LEEDS" }))).verdict).toBe("accept");
  const nowhere = await one.orders.check(body({ branch: "NOWHERE" }));
  expect(nowhere.verdict).toBe("refuse");
  expect(nowhere.findings.map(({ code }) => code)).toContain("branch-unknown");
  const made = orderIn(await send(one.orders, "k1"));
  await placed(one, "k2", { webOrder: "Shop-1", customerReference: "k2" });
  for (const webOrder of [made.webOrder, made.webOrder.toLowerCase(), "SHOP-1"]) {
    const { problem } = await one.orders.check(body({ webOrder, customerReference: "k3" }));
    expect(problem?.code).toBe("web-order-number-taken");
  }
});

test("the desk offers to send or amend what the ERP refused only where its number can be sent again", async () => {
  const one = await companies.open("REFUSED");
  const number = await placed(one, "k1");
  await pull(companies.store, "REFUSED", "order-acknowledgement", [
    { webOrder: number, outcome: "refused", reason: "unknown", answeredOn: "2026-03-31" },
  ]);
  await one.orders.advance();
  const { entries } = await one.orders.desk();
  expect(entries.filter(({ kind }) => kind === "refused")).toMatchObject([
    { acts: ["cancel"], next: expect.stringContaining("have it handed in anew") as string },
  ]);
  expect((await one.orders.show(number)).acts).toEqual(["cancel"]);
  await expect(one.orders.sendAgain(number, KIM)).rejects.toThrow("sent under that only once");
});
