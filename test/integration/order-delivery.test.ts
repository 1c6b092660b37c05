/**
 * The law of pushing orders, rule by rule: whatever is answered, lost, late or killed in between,
 * an order is at the ERP once.
 */
import { expect, test, vi } from "vitest";
import { ConnectorFault } from "../../src/connector/index.ts";
import type { Accepted, Found, Outcome, RenderedOrder } from "../../src/connector/index.ts";
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

const companies = useOrderCompanies();

const AGREED = {
  net: "18.40",
  vat: "1.68",
  lines: [
    { product: "BRICK", quantity: "2", net: "8.40" },
    { product: "SAND", quantity: "1", net: "10.00" },
  ],
};

const accepted = (erpOrder: string, more: Partial<Accepted> = {}): Accepted => ({
  kind: "accepted",
  erpOrder,
  net: null,
  vat: null,
  evidence: "HTTP 201",
  ...more,
});

const reset = (): Promise<Outcome> => Promise.reject(new Error("connection reset"));

/** An order whose call may have arrived. */
async function inDoubt(one: Opened, key = "k1"): Promise<string> {
  one.erp.next = reset;
  const { webOrder } = orderIn(await send(one.orders, key));
  await companies.jobs.drain();
  expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
  return webOrder;
}

/** An order that the ERP is known to have. */
async function placed(one: Opened, key: string): Promise<string> {
  const { webOrder } = orderIn(await send(one.orders, key));
  await companies.jobs.drain();
  return webOrder;
}

const placings = ({ erp }: Opened, number: string) =>
  erp.asked.filter((asked) => asked === `place ${number}`).length;

const attempts = (company: string, number: string) =>
  companies.store.query<{ what: string; outcome: string | null; hash: string | null }>(
    `select a.what, a.outcome, a.hash from web_order_attempt a
       join web_order o on o.company = a.company and o.id = a.order_id
      where o.company = $1 and o.number = $2 order by a.attempt`,
    [company, number],
  );

test("after anything unclear the state is in doubt, and not there is believed only after the quiet window", async () => {
  const one = await companies.open("WINDOW", { quietSeconds: 2 });
  await placed(one, "canary");
  const number = await inDoubt(one);
  await one.orders.deliver(number);
  expect((await one.orders.show(number)).state).toBe("inDoubt");
  expect(placings(one, number)).toBe(1);
  await vi.waitFor(
    async () => {
      await one.orders.deliver(number);
      expect((await one.orders.show(number)).state).toBe("handedOver");
    },
    { timeout: 20_000, interval: 200 },
  );
  expect(placings(one, number)).toBe(2);
});

test("an order that turns up within the quiet window is found, not placed again, and the window learns", async () => {
  const one = await companies.open("LATE", { quietSeconds: 5 });
  await placed(one, "canary");
  const number = await inDoubt(one);
  await one.orders.deliver(number);
  one.erp.finds = (): Found => ({ kind: "present", outcome: accepted("SO9") });
  // The queue's own delivery may be at it for a moment.
  await vi.waitFor(
    async () => {
      await one.orders.deliver(number);
      expect(await one.orders.show(number)).toMatchObject({ state: "accepted", erpOrder: "SO9" });
    },
    { timeout: 5_000, interval: 50 },
  );
  expect(placings(one, number)).toBe(1);
  const [lag] = await companies.store.query<{ absent: number; seen: number }>(
    `select absent_seconds as absent, seen_seconds as seen from web_order_lag
      where company = 'LATE'`,
  );
  expect(lag?.seen).toBeGreaterThan(lag?.absent ?? Infinity);
});

test("an order that is sent again and then shows once does not double the window", async () => {
  const one = await companies.open("AGAIN", { quietSeconds: 0.2 });
  one.erp.finding = "searchable";
  await placed(one, "canary");
  const number = await inDoubt(one);
  // Before the canary counts it is searched for and missed; then sent again, in doubt as well.
  one.erp.next = reset;
  await vi.waitFor(
    async () => {
      await one.orders.deliver(number);
      expect(placings(one, number)).toBe(2);
    },
    { timeout: 3_000, interval: 60 },
  );
  const held = { account: "A1", webOrder: number, orderedOn: "2026-03-31", state: "open" } as const;
  await pull(companies.store, "AGAIN", "erp-order", [
    { ...held, erpOrder: "SO1", net: "18.40", vat: "1.68", currency: "GBP" } as never,
  ]);
  await one.orders.advance();
  expect(await one.orders.show(number)).toMatchObject({ state: "confirmed", erpOrder: "SO1" });
  const lags = await companies.store.query(
    "select attempt from web_order_lag where company = 'AGAIN'",
  );
  expect(lags).toEqual([]);
});

test("an order that was made twice teaches the window, and nothing is sent again until it is settled", async () => {
  const one = await companies.open("DOUBLED");
  one.erp.finding = "searchable";
  const canary = await placed(one, "canary");
  const number = await inDoubt(one);
  one.erp.next = async () => accepted("SO2");
  await one.orders.deliver(number);
  expect([placings(one, number), (await one.orders.show(number)).state]).toEqual([2, "accepted"]);
  const held = { account: "A1", webOrder: number, orderedOn: "2026-03-31", state: "open" } as const;
  await pull(
    companies.store,
    "DOUBLED",
    "erp-order",
    ["SO1", "SO2"].map(
      (erpOrder) => ({ ...held, erpOrder, net: "18.40", vat: "1.68", currency: "GBP" }) as never,
    ),
  );
  await one.orders.advance();
  expect([...one.alarms.keys()]).toContain(`orders/duplicate/${number}`);
  const lags = await companies.store.query(
    "select 1 from web_order_lag where company = 'DOUBLED' and seen_seconds > absent_seconds",
  );
  expect(lags).toHaveLength(1);

  await companies.store.affect("delete from web_order_lag where company = 'DOUBLED'");
  one.erp.finds = (key): Found =>
    key === canary ? { kind: "present", outcome: accepted("SO0") } : { kind: "absent" };
  const other = await inDoubt(one, "k2");
  await one.orders.deliver(other);
  const [task] = await one.orders.tasks({ kind: "look" });
  expect([placings(one, other), task?.order]).toEqual([1, (await one.orders.show(other)).id]);
});

test("before believing not there, the same search must show an order that is known to be there", async () => {
  const one = await companies.open("CANARY");
  const canary = await placed(one, "canary");
  const number = await inDoubt(one);
  // The search is broken: it shows nothing at all.
  one.erp.finds = (): Found => ({ kind: "absent" });
  one.erp.asked.length = 0;
  await one.orders.deliver(number);
  expect(one.erp.asked).toEqual([`find ${number}`, `find ${canary}`]);
  expect((await one.orders.show(number)).state).toBe("inDoubt");
  one.erp.finds = null;
  await one.orders.deliver(number);
  expect((await one.orders.show(number)).state).toBe("handedOver");
});

test("a search that was blind for a moment is asked again after it has shown the canary", async () => {
  const one = await companies.open("BLINK");
  const canary = await placed(one, "canary");
  const number = await inDoubt(one);
  let searches = 0;
  one.erp.finds = (key): Found => {
    searches += 1;
    if (key === number && searches === 1) return { kind: "absent" };
    return { kind: "present", outcome: accepted(`SO-${key}`) };
  };
  one.erp.asked.length = 0;
  await one.orders.deliver(number);
  expect(one.erp.asked).toEqual([`find ${number}`, `find ${canary}`, `find ${number}`]);
  expect((await one.orders.show(number)).state).toBe("accepted");
});

test("where no order is known to be there nothing is sent again, and in the end a person is asked", async () => {
  const one = await companies.open("NOCANARY", { maxAttempts: 1 });
  const number = await inDoubt(one);
  for (let look = 0; look < 4; look += 1) await one.orders.deliver(number);
  expect(placings(one, number)).toBe(1);
  const [task] = await one.orders.tasks();
  expect(task).toMatchObject({ kind: "look", webOrder: number });
  expect(task?.instruction).toContain("no other order is known to be there");
  one.erp.finds = (): Found => ({ kind: "present", outcome: accepted("SO1") });
  await one.orders.deliver(number);
  expect((await one.orders.show(number)).state).toBe("accepted");
  expect(await one.orders.tasks()).toEqual([]);
});

test("a far side that knows the key is told again at once, and makes no second order", async () => {
  const one = await companies.open("NATIVE", { quietSeconds: 3_600 });
  one.erp.finding = "native-key";
  one.erp.next = async (order) => {
    one.erp.orders.set(order.key, order);
    throw new Error("connection reset");
  };
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  expect((await states(one.orders, webOrder)).slice(3)).toEqual([
    "sending",
    "inDoubt",
    "sending",
    "handedOver",
  ]);
  expect(one.erp.orders.size).toBe(1);
});

test("a call that takes too long is given up, its signal aborted, and the order in doubt", async () => {
  const one = await companies.open("SLOW", { giveUpAfterSeconds: 0.2 });
  let aborted = false;
  one.erp.next = (_order, signal) =>
    new Promise<Outcome>(() => {
      signal.addEventListener("abort", () => (aborted = true));
    });
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  const { state, reasons } = await one.orders.show(webOrder);
  expect([state, aborted]).toEqual(["inDoubt", true]);
  // What the attempt took to be written is part of it.
  expect(reasons[0]).toMatch(/no answer within 0\.[12] s/);
});

test("what is sent again is what was sent before, whatever the mapping has become", async () => {
  const one = await companies.open("FROZEN");
  await placed(one, "canary");
  const sent: RenderedOrder[] = [];
  one.erp.next = async (order) => {
    sent.push(order);
    throw new Error("connection reset");
  };
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  await companies.store.affect(
    "update web_order set body = jsonb_set(body, '{site}', '\"ELSEWHERE\"') where company = 'FROZEN'",
  );
  await one.orders.deliver(webOrder);
  expect(one.erp.orders.get(webOrder)).toEqual(sent[0]);
  const hashes = (await attempts("FROZEN", webOrder)).flatMap(({ hash }) => hash ?? []);
  expect(hashes).toHaveLength(2);
  expect(new Set(hashes).size).toBe(1);
});

test("one delivery at a time per order across instances, and a sender whose lease ran out records nothing", async () => {
  const settings = { leaseSeconds: 0.3, giveUpAfterSeconds: 5 };
  const one = await companies.open("ZOMBIE", settings);
  const other = await companies.again("ZOMBIE", settings);
  await placed(one, "canary");
  const arrived = Promise.withResolvers<Outcome>();
  one.mode = "read-only";
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  one.mode = "live";
  one.erp.next = () => arrived.promise;
  const zombie = one.orders.deliver(webOrder);
  await vi.waitFor(() => expect(placings(one, webOrder)).toBe(1));
  await other.orders.deliver(webOrder);
  expect((await one.orders.show(webOrder)).state).toBe("sending");
  // It cannot push its lease back any more, as one whose connection hangs, and another takes over.
  await companies.store.affect(
    "update web_order_lease set holder = gen_random_uuid(), until = clock_timestamp() where company = 'ZOMBIE'",
  );
  await other.orders.deliver(webOrder);
  expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
  arrived.resolve(accepted("SO-ZOMBIE"));
  await zombie;
  expect(await one.orders.show(webOrder)).toMatchObject({ state: "inDoubt", erpOrder: null });
  // The window begins only when the lost call must have been given up.
  await other.orders.deliver(webOrder);
  expect(placings(one, webOrder)).toBe(1);
});

test("a sender that died before it placed anything leaves no doubt", async () => {
  const one = await companies.open("ASKED");
  one.mode = "read-only";
  const { id, webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  one.mode = "live";
  // As a killed process leaves it that had only asked.
  await companies.store.affect(
    "update web_order set state = 'sending' where company = 'ASKED' and id = $1",
    [id],
  );
  await companies.store.affect(
    `insert into web_order_attempt (company, order_id, attempt, intent, what, version, holder, started_at)
     values ('ASKED', $1, 1, 1, 'find', 1, gen_random_uuid(), clock_timestamp())`,
    [id],
  );
  await one.orders.advance();
  await companies.jobs.drain();
  expect((await states(one.orders, webOrder)).slice(2)).toEqual([
    "queued",
    "queued",
    "sending",
    "handedOver",
  ]);
});

test("the outcome is recorded though the database lets go of the connection meanwhile", async () => {
  const one = await companies.open("CUT");
  one.erp.next = async () => {
    // All connections but this one break before the answer can be written down.
    await companies.store.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()
          and application_name not like '%jobs%'`,
    );
    return accepted("SO1");
  };
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await vi.waitFor(async () => expect((await one.orders.show(webOrder)).state).toBe("accepted"), {
    timeout: 5_000,
    interval: 50,
  });
  expect(placings(one, webOrder)).toBe(1);
});

test("a draft numbered TBA is not an accepted order", async () => {
  const one = await companies.open("DRAFT");
  const number = "TBA";
  one.erp.next = async () => accepted(number);
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  expect(await one.orders.show(webOrder)).toMatchObject({ state: "inDoubt", erpOrder: null });
  one.erp.finds = () => ({ kind: "present", outcome: accepted(number, { state: "draft" }) });
  await one.orders.deliver(webOrder);
  expect((await one.orders.show(webOrder)).state).toBe("inDoubt");
  one.erp.finds = () => ({ kind: "present", outcome: accepted("SO7") });
  await one.orders.deliver(webOrder);
  expect(await one.orders.show(webOrder)).toMatchObject({ state: "accepted", erpOrder: "SO7" });
  expect(placings(one, webOrder)).toBe(1);
});

test("what the ERP made is read back at once and compared: number, status, lines, net, VAT", async () => {
  const one = await companies.open("BACK");
  const read = async (held: Partial<Accepted>) => {
    one.erp.next = async () => accepted("SO1");
    one.erp.status = () => ({ kind: "present", outcome: { ...accepted("SO1", AGREED), ...held } });
    const { webOrder } = orderIn(await send(one.orders, JSON.stringify(held)));
    await companies.jobs.drain();
    const { state, reasons } = await one.orders.show(webOrder);
    return [state, ...reasons];
  };
  expect(await read({})).toEqual(["confirmed"]);
  expect(await read({ net: "18.41" })).toEqual([
    "conflict",
    "Agreed net is 18.40, the ERP holds 18.41: 0.01.",
  ]);
  expect(await read({ vat: "1.67" })).toEqual([
    "conflict",
    "Agreed VAT is 1.68, the ERP holds 1.67: -0.01.",
  ]);
  expect(await read({ lines: AGREED.lines.slice(1) })).toEqual([
    "conflict",
    "Agreed are 2 of BRICK, the ERP holds 0.",
  ]);
  expect(await read({ erpOrder: "SO2" })).toEqual([
    "conflict",
    "The ERP took it as order SO1, and shows it as SO2.",
  ]);
  expect(await read({ state: "cancelled" })).toEqual([
    "conflict",
    "The ERP holds it as cancelled.",
  ]);
});

test("an order that cannot be read back yet is read back later", async () => {
  const one = await companies.open("LAGS");
  one.erp.next = async () => accepted("SO1");
  one.erp.status = () => ({ kind: "absent" });
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  expect((await one.orders.show(webOrder)).state).toBe("accepted");
  one.erp.status = () => ({ kind: "present", outcome: accepted("SO1", AGREED) });
  one.now = one.now.add({ minutes: 1 });
  await one.orders.advance();
  await companies.jobs.drain();
  expect((await one.orders.show(webOrder)).state).toBe("confirmed");
});

test("a search that shows two documents of one order is a conflict, with an alarm until it is settled", async () => {
  const one = await companies.open("TWICE");
  const number = await inDoubt(one);
  one.erp.finds = () => ({
    kind: "several",
    documents: [accepted("SO1"), accepted("SO2")],
    evidence: "Two documents bear it.",
  });
  await one.orders.deliver(number);
  const { state, reasons } = await one.orders.show(number);
  expect(state).toBe("conflict");
  expect(reasons[0]).toContain(`Duplicate in the ERP: ${number} is there as SO1 and SO2.`);
  expect([...one.alarms.keys()]).toEqual([`orders/duplicate/${number}`]);
  await one.orders.resolve(number, { who: "kim", reason: "SO2 cancelled", erpOrder: "SO1" });
  await one.orders.advance();
  expect([...one.alarms.keys()]).toEqual([]);
});

test("what the far side cannot take just now is tried again when it says so, and was never in doubt", async () => {
  const one = await companies.open("NOTNOW");
  const retryAt = Temporal.Instant.from(NOW).add({ minutes: 7 });
  one.erp.next = async () => ({ kind: "notNow", reason: "the period is being closed", retryAt });
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  const waiting = await one.orders.show(webOrder);
  expect(waiting).toMatchObject({
    state: "queued",
    reasons: ["Not sent yet: the period is being closed"],
  });
  expect(waiting.nextAttemptAt?.equals(retryAt)).toBe(true);
});

test("while the ERP cannot be asked orders wait for it, told by one alarm, and go on by themselves", async () => {
  const one = await companies.open("AWAY", { maxAttempts: 3, retryLongestSeconds: 20 });
  one.erp.opens = () => {
    throw new ConnectorFault("transient", "ECONNREFUSED", "Wait.");
  };
  const numbers: string[] = [];
  for (const key of ["k1", "k2"]) numbers.push(orderIn(await send(one.orders, key)).webOrder);
  const [first = "", second = ""] = numbers;
  // The queue's own delivery may be at it for a moment.
  const waitsSeconds = async () => {
    for (const number of numbers) await one.orders.deliver(number);
    const { nextAttemptAt } = await one.orders.show(first);
    return one.now.until(nextAttemptAt ?? one.now).total("seconds");
  };
  expect(await waitsSeconds()).toBeLessThan(20);
  await expect.poll(waitsSeconds, { timeout: 5_000, interval: 10 }).toBeGreaterThanOrEqual(20);
  await one.orders.advance();
  expect([...one.alarms.keys()]).toEqual(["orders/connection"]);
  expect(one.alarms.get("orders/connection")?.title).toContain("wait for it: 2");

  one.erp.opens = null;
  await one.orders.deliver(first);
  await one.orders.advance();
  await companies.jobs.drain();
  await one.orders.advance();
  expect((await one.orders.show(second)).state).toBe("handedOver");
  expect([...one.alarms.keys()]).toEqual([]);

  // What speaks of the order itself is counted as ever.
  one.erp.finds = () => {
    throw new ConnectorFault("defect", "it cannot be read", "Report it.");
  };
  const { webOrder } = orderIn(await send(one.orders, "k3"));
  const stateOfNext = async () => {
    await one.orders.deliver(webOrder);
    return (await one.orders.show(webOrder)).state;
  };
  await expect.poll(stateOfNext, { timeout: 5_000 }).toBe("held");
});

test("no answer in time is an alarm that holds until the ERP has answered, and nothing is sent", async () => {
  const one = await companies.open("MUTE");
  const number = await placed(one, "k1");
  one.now = one.now.add({ hours: 25 });
  await one.orders.advance();
  await companies.jobs.drain();
  expect(one.alarms.get("orders/late")).toMatchObject({
    title: "Web orders were handed over and never answered: 1",
  });
  expect(placings(one, number)).toBe(1);
  // What nobody has seen there would be looked for by nobody any more.
  for (const seenThere of [false, true])
    await expect(
      one.orders.resolve(number, { who: "kim", reason: "typo", seenThere }),
    ).rejects.toThrow(/no pull shows it there, and no number was given.*--erp-order NUMBER/);
  expect((await one.orders.show(number)).state).not.toBe("confirmed");
  await one.orders.resolve(number, {
    who: "kim",
    reason: "found",
    erpOrder: "SO1",
    seenThere: true,
  });
  await one.orders.advance();
  expect(one.alarms.has("orders/late")).toBe(false);
});

test("an acknowledgement of before an amendment says nothing of what it comes to now", async () => {
  const one = await companies.open("AMENDED");
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  const answer = {
    webOrder,
    outcome: "accepted",
    erpOrder: "SO1",
    answeredOn: "2026-03-31",
  } as const;
  await pull(companies.store, "AMENDED", "order-acknowledgement", [
    { ...answer, net: "18.40", vat: "1.68" },
  ]);
  await one.orders.advance();
  const lines = [{ product: "BRICK", quantity: "7", unitPrice: "4.20" }];
  const asked = { who: "key shop", why: null, apiKey: "shop", decides: false } as const;
  await one.orders.amend(webOrder, { ...asked, idempotencyKey: "a1", body: body({ lines }) });
  await companies.jobs.drain();
  const [task] = await one.orders.tasks();
  const done = { state: "done", who: "kim", reason: "changed there" } as const;
  await one.orders.closeTask({ id: task?.id ?? "", ...done });
  const { net, vat } = await one.orders.show(webOrder);
  one.now = one.now.add({ minutes: 5 });
  const held = { erpOrder: "SO1", account: "A1", webOrder, orderedOn: "2026-03-31" } as const;
  await pull(companies.store, "AMENDED", "erp-order", [
    { ...held, state: "open", net, vat, currency: "GBP" } as never,
  ]);
  await companies.store.affect("update erp_order set learned_at = $1 where company = 'AMENDED'", [
    one.now,
  ]);
  await one.orders.advance();
  expect([net, (await one.orders.show(webOrder)).state]).toEqual(["29.40", "confirmed"]);
});

test("an ERP that cannot be asked whether it went backwards stops nothing that is looked after", async () => {
  const one = await companies.open("UNASKED");
  one.erp.next = async () => accepted("SO1");
  await send(one.orders, "k1");
  await companies.jobs.drain();
  const other = {
    erpOrder: "SO1",
    account: "STOPPED",
    webOrder: "OTHER-1",
    state: "open",
  } as const;
  await pull(companies.store, "UNASKED", "erp-order", [
    { ...other, orderedOn: "2026-03-31", net: "1.00", vat: "0.20", currency: "GBP" } as never,
  ]);
  one.now = one.now.add({ minutes: 30 });
  one.erp.opens = () => {
    throw new ConnectorFault("transient", "ECONNREFUSED", "Wait.");
  };
  expect(await one.orders.wentBackwards({ ask: false })).toBeNull();
  await expect(one.orders.wentBackwards({ ask: true })).rejects.toThrow("ECONNREFUSED");
});

test("what is over is looked at again where something was pulled of it, and all of it twice a day", async () => {
  const one = await companies.open("OVER");
  const { webOrder } = orderIn(await send(one.orders, "k1"));
  await companies.jobs.drain();
  const held = { account: "A1", webOrder, orderedOn: "2026-03-31", state: "open" } as const;
  const sums = { net: "18.40", vat: "1.68", currency: "GBP" } as const;
  const shown = async (erpOrder: string, at: string) => {
    await pull(companies.store, "OVER", "erp-order", [{ ...held, ...sums, erpOrder } as never]);
    await companies.store.affect(
      "update erp_order set learned_at = $2 where company = 'OVER' and erp_order = $1",
      [erpOrder, at],
    );
    await one.orders.advance();
    return (await one.orders.show(webOrder)).state;
  };
  expect(await shown("SO1", NOW)).toBe("confirmed");
  // Of days ago: a look that does not read history cannot see it.
  await companies.store.affect(
    "update web_order set changed_at = '2026-03-28T09:00:00Z' where company = 'OVER'",
  );
  await companies.store.affect("update erp_order set learned_at = '2026-03-28T09:00:00Z'");
  expect(await shown("SO2", "2026-03-28T09:00:00Z")).toBe("confirmed");
  one.now = one.now.add({ hours: 12 });
  await one.orders.advance();
  expect((await one.orders.show(webOrder)).state).toBe("conflict");
});

test("nothing begins once its connection was stopped, though the sender asked just before", async () => {
  const one = await companies.open("STOPPING");
  let asked = 0;
  one.mode = "read-only";
  const number = await placed(one, "k1");
  Object.defineProperty(one, "mode", { get: () => ((asked += 1) === 1 ? "live" : "read-only") });
  await one.orders.deliver(number);
  expect([asked, one.erp.asked, (await one.orders.show(number)).state]).toEqual([2, [], "queued"]);
});

test("a search whose answer cannot be written down is a person's in the end", async () => {
  const one = await companies.open("UNWRITTEN", { maxAttempts: 1 });
  const number = await inDoubt(one);
  for (const net of ["1e40", "99999999999999999999.00"]) {
    one.erp.finds = (): Found => ({ kind: "present", outcome: accepted("SO1", { net }) });
    await one.orders.deliver(number);
  }
  const [task] = await one.orders.tasks({ kind: "look" });
  expect(task?.instruction).toMatch(/^2 searches did not settle it: .*numeric field overflow/);
  expect(placings(one, number)).toBe(1);
});
