import { readFileSync, writeFileSync, mkdtempSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSettings } from "../../src/config.ts";
import type { Canonical } from "../../src/model/index.ts";
import { openTradepost, type CompanyServices, type Tradepost } from "../../src/main.ts";
import { orderRequest } from "../../src/orders/index.ts";
import type { Books } from "../support/backed-up-erp/backed-up/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { goLive } from "../support/live.ts";

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), "tradepost-live-"));
const erpFile = join(folder, "erp.json");
const logged: string[] = [];
let now = Temporal.Instant.from("2026-03-31T09:00:00Z");
let tradepost: Tradepost;
let live: CompanyServices;
let shadow: CompanyServices;

const SETTINGS = JSON.stringify({
  connectorFolders: [resolve("test/support/backed-up-erp")],
  companies: {
    LIVE: {
      name: "Live",
      connections: {
        erp: {
          connector: "backed-up",
          mode: "live",
          mappings: "tradepost-csv",
          settings: { file: erpFile },
        },
      },
      orders: { checks: { stale: "accept" }, repeatedWithinMinutes: 0, quietSeconds: 1 },
    },
    DROP: {
      name: "Drop",
      connections: {
        erp: {
          connector: "csv",
          mode: "live",
          mappings: "tradepost-csv",
          settings: { folder: join(folder, "drop") },
        },
      },
      orders: { checks: { stale: "accept" }, repeatedWithinMinutes: 0 },
    },
    SHADOW: {
      name: "Shadow",
      connections: {
        erp: {
          connector: "csv",
          mode: "shadow",
          mappings: "tradepost-csv",
          settings: { folder: join(folder, "csv") },
          schedules: {
            answers: { cron: "15 6 1 1 *", streams: ["erp-orders", "order-acknowledgements"] },
          },
        },
      },
      orders: {
        checks: { stale: "accept" },
        repeatedWithinMinutes: 0,
        guests: { account: "CASH1" },
        accountRequests: { pricesOf: "A1" },
      },
      webhooks: { allow: ["10.1.2.0/24", "0.0.0.0/0", "hooks.internal"] },
    },
  },
});

const open = () =>
  openTradepost(
    {
      ...readSettings({ file: "tradepost.yaml", text: SETTINGS }),
      databaseUrl: database.store.url,
    },
    { now: () => now, log: (level, message) => void logged.push(`${level} ${message}`) },
  );

beforeAll(async () => {
  for (const name of ["csv", "drop"]) mkdirSync(join(folder, name, "out"), { recursive: true });
  setBooks({ next: 1001, searches: true, forbids: null, orders: [] });
  for (const company of ["LIVE", "DROP", "SHADOW"]) await fill(company);
  tradepost = await open();
  live = await tradepost.company("LIVE");
  shadow = await tradepost.company("SHADOW");
  for (const { pricing } of [live, shadow]) await pricing.publish();
});
afterAll(async () => {
  await tradepost[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const booksNow = (): Books => JSON.parse(readFileSync(erpFile, "utf8")) as Books;
function setBooks(books: Books): void {
  writeFileSync(erpFile, JSON.stringify(books));
}

async function fill(company: string): Promise<void> {
  const { store } = database;
  await pull(store, company, "customer", [{ account: "A1", name: "Ashby" }]);
  await pull(store, company, "product", [
    { product: "BRICK", name: "Brick" },
    { product: "SAND", name: "Sand" },
  ]);
  const everyone = { customerScope: "everyone", productScope: "product", kind: "fixed" } as const;
  await pull(store, company, "price-rule", [
    { ...everyone, rule: "R1", productCode: "BRICK", value: "4.20" },
    { ...everyone, rule: "R2", productCode: "SAND", value: "10" },
  ]);
}

/** Ten bricks and a bag of sand: 52.00 net, 10.40 VAT. */
async function order(company: CompanyServices, number: string, more: object = {}) {
  const body = orderRequest.parse({
    webOrder: number,
    account: "A1",
    lines: [
      { product: "BRICK", quantity: "10", unitPrice: "4.20" },
      { product: "SAND", quantity: "1", unitPrice: "10.00" },
    ],
    ...more,
  });
  const result = await company.orders.accept({
    idempotencyKey: number,
    body,
    apiKey: "shop",
    test: false,
  });
  return { status: result.status, said: JSON.stringify(result) };
}

async function states(company: CompanyServices, ...numbers: string[]): Promise<string[]> {
  return Promise.all(numbers.map(async (each) => (await company.orders.show(each)).state));
}

const pass = (minutes: number) => {
  now = now.add({ minutes });
};

test("`check` warns of accounts that settings name and the ERP has not, and of webhooks that may go anywhere", async () => {
  const warned = (await shadow.check()).filter(({ state }) => state === "warning");
  expect(warned.map(({ part, about }) => `${part}: ${about.slice(0, 50)}`)).toEqual([
    'orders: The ERP has no account "CASH1", which guests\' orde',
    "webhooks: webhooks.allow lets webhooks go to 0.0.0.0/0: whoe",
  ]);
});

test("check and status say when the service that runs was started with other settings", async () => {
  const otherSettings = async () => [
    (await shadow.status()).service.otherSettings,
    (await shadow.check()).some(({ part }) => part === "service"),
  ];
  await shadow.schedules.tick();
  expect((await shadow.status()).service.runs).toBe(true);
  expect(await otherSettings()).toEqual([false, false]);
  // As one that has read them before they were changed.
  await database.store.affect(
    "update service_instance set settings = 'before' where company = 'SHADOW'",
  );
  expect(await otherSettings()).toEqual([true, true]);
  await shadow.schedules.leave();
  expect(await otherSettings()).toEqual([false, false]);
});

test("going live is one command with a checklist: until it is recorded nothing is sent", async () => {
  expect((await order(live, "W-EARLY")).status).toBe(201);
  await tradepost.drain();
  expect(await states(live, "W-EARLY")).toEqual(["shadowed"]);
  const status = await live.status();
  expect(status.orders).toMatchObject({ mode: "shadow", wished: "live" });
  expect(status.orders.about).toContain("tradepost go-live erp.");
  const checked = await live.check();
  expect(checked.find(({ state }) => state === "warning")).toMatchObject({
    part: "connection erp",
    instruction: "Go through the checklist: tradepost go-live erp.",
  });
  setBooks({ ...booksNow(), forbids: "The user may not enter orders." });
  const items = await live.goLive.checklist("erp");
  expect(items.map(({ item, state }) => `${item} ${state}`)).toEqual([
    "prices not",
    "month not",
    "test-order not",
    "rights not",
    "answers ok",
    "shadow not",
  ]);
  expect(items[3]?.about).toBe("The user may not enter orders.");
  expect(booksNow().orders).toEqual([]);
});

test("where orders go as files and no schedule reads the answers, check and go-live say so", async () => {
  const company = await tradepost.company("DROP");
  const answers = async ({ goLive: desk }: CompanyServices) =>
    (await desk.checklist("erp")).find(({ item }) => item === "answers");
  const unread = await answers(company);
  expect([unread?.state, unread?.about, unread?.instruction]).toMatchInlineSnapshot(`
    [
      "not",
      "Orders are handed over as files, and the ERP's answers come as files, too: no schedule reads erp/erp-orders and erp/order-acknowledgements. Each order would end in doubt while its answer lies there.",
      "Schedule all by which the ERP may answer, erp/erp-orders and erp/order-acknowledgements: schedules: { answers: { cron: "*/10 * * * *", streams: [erp-orders, order-acknowledgements] } }.",
    ]
  `);
  const warned = async (one: CompanyServices) =>
    (await one.check()).filter(({ about }) => about === unread?.about).map(({ state }) => state);
  expect(await warned(company)).toEqual(["warning"]);

  expect(await answers(shadow)).toMatchObject({
    state: "ok",
    about: "Answers are read: erp/erp-orders and erp/order-acknowledgements.",
  });
  expect(await warned(shadow)).toEqual([]);
});

test("a test order is placed, found and cancelled, and what does not hold is waived by name", async () => {
  setBooks({ ...booksNow(), forbids: null });
  const asked = { connection: "erp", who: "J Ross", waive: [], seen: false };
  const trial = { account: "A1", product: "SAND" };
  const first = await live.goLive.goLive({ ...asked, why: null, trial });
  expect(first.live).toBe(false);
  expect(first.items.find(({ item }) => item === "test-order")).toMatchObject({ state: "ok" });
  const [placed] = booksNow().orders;
  expect(placed?.key).toMatch(/^TEST-260331-[0-9A-Z]{5}$/);
  expect(placed?.cancelled).toBe(true);
  expect((await live.status()).orders.mode).toBe("shadow");
  const waive = ["prices", "month", "shadow"];
  const why = "no history yet";
  const second = await live.goLive.goLive({ ...asked, why, waive, trial: null });
  expect(second.live).toBe(true);
  expect(second.items.map(({ item, state, waivedBy }) => [item, state, waivedBy])).toEqual([
    ["prices", "waived", "J Ross"],
    ["month", "waived", "J Ross"],
    ["test-order", "ok", null],
    ["rights", "ok", null],
    ["answers", "ok", null],
    ["shadow", "waived", "J Ross"],
  ]);
  const [entry] = await database.store.query<{ who: string; details: object }>(
    "select who, details from audit where company = 'LIVE' and action = 'go-live'",
  );
  expect(entry).toMatchObject({ who: "J Ross", details: { why } });
  expect((await live.status()).orders).toMatchObject({ mode: "live", about: null });
});

test("going live never sends what was shadowed before, and undone it is in shadow again", async () => {
  await live.orders.advance();
  await tradepost.drain();
  expect(await states(live, "W-EARLY")).toEqual(["shadowed"]);
  await order(live, "W-1");
  await tradepost.drain();
  expect(await states(live, "W-1")).toEqual(["accepted"]);
  expect(await live.goLive.undo("erp", { who: "J Ross", why: "not yet" })).toBe(true);
  expect(await live.goLive.undo("erp", { who: "J Ross", why: "not yet" })).toBe(false);
  await order(live, "W-BACK");
  await tradepost.drain();
  expect(await states(live, "W-BACK")).toEqual(["shadowed"]);
  expect(
    booksNow()
      .orders.map(({ key }) => key)
      .slice(1),
  ).toEqual(["W-1"]);
  await goLive(database.store, "LIVE");
});

test("an order that comes up under another mode than it was taken in is a person's", async () => {
  const KIM = { who: "Kim", reason: "looked there" };
  const release = (number: string) => live.orders.release(number, KIM);
  const stop = { connection: "erp", who: "Kim", why: "trouble there" };
  const began = now;
  /** Taken before `then`, and looked at after it. */
  const meanwhile = async (number: string, then: () => Promise<unknown>) => {
    await live.maintenance.begin({ ...stop, until: null });
    await order(live, number);
    pass(1);
    await then();
    await live.maintenance.end(stop);
    await live.orders.advance();
    await tradepost.drain();
  };
  await meanwhile("W-PROMISED", () => live.goLive.undo("erp", stop));
  expect(await states(live, "W-PROMISED", "W-EARLY")).toEqual(["held", "shadowed"]);
  for (const number of ["W-PROMISED", "W-EARLY"])
    await expect(release(number)).rejects.toThrow("its connection is not live");
  const shadowed = (await live.goLive.checklist("erp")).find(({ item }) => item === "shadow");
  expect(shadowed?.about).toContain("Nobody has keyed W-BACK, W-EARLY");

  await meanwhile("W-ASIDE", () => goLive(database.store, "LIVE"));
  expect((await live.orders.show("W-ASIDE")).reasons[0]).toMatch(/^Taken before .* went live/);
  expect(await states(live, "W-ASIDE", "W-EARLY")).toEqual(["held", "shadowed"]);
  pass(25 * 60);
  const late = (await live.orders.desk()).entries.filter(({ kind }) => kind === "late");
  expect(new Set(late.map(({ webOrder }) => webOrder))).toEqual(new Set(["W-BACK", "W-EARLY"]));
  for (const number of ["W-PROMISED", "W-ASIDE", "W-EARLY"]) await release(number);
  await tradepost.drain();
  expect(await states(live, "W-PROMISED", "W-ASIDE", "W-EARLY")).toEqual(Array(3).fill("accepted"));
  now = began;
});

test("a live ERP is never reached by test keys: over HTTP, through delivery, to amend or cancel", async () => {
  const api = await tradepost.serve({ port: 0 });
  try {
    const key = await tradepost.access.createKey({
      company: "LIVE",
      name: "Test shop",
      scopes: ["orders", "sync"],
      test: true,
      createdBy: "test",
    });
    const ask = (method: string, path: string, body?: object) =>
      fetch(`${api.url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${key.secret}`,
          "content-type": "application/json",
          "idempotency-key": `${method}${path}`,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const before = booksNow();
    const lines = [{ product: "SAND", quantity: "1", unitPrice: "10.00" }];
    const answer = await ask("POST", "/v1/orders", { webOrder: "W-TEST", account: "A1", lines });
    expect(answer.status).toBe(201);
    expect(await answer.json()).toMatchObject({ test: true });
    await live.orders.deliver("W-TEST");
    await live.orders.advance();
    await tradepost.drain();
    const anew = { account: "A1", lines: [{ ...lines[0], quantity: "2" }] };
    for (const [act, given] of [
      ["cancellation", { why: "no" }],
      ["amendments", anew],
    ] as const) {
      const said = await ask("POST", `/v1/orders/W-1/${act}`, given);
      expect([act, said.status]).toEqual([act, 404]);
    }
    expect((await ask("POST", "/v1/orders/W-TEST/amendments", anew)).status).toBe(200);
    expect((await ask("POST", "/v1/orders/W-TEST/cancellation", { why: "no" })).status).toBe(200);
    expect((await ask("POST", "/v1/maintenance", { why: "no" })).status).toBe(403);
    await tradepost.drain();
    expect(booksNow()).toEqual(before);
    expect(await states(live, "W-1")).toEqual(["accepted"]);
  } finally {
    await api.close();
  }
});

test("maintenance on pauses pulls and pushes while orders are still accepted, and ends by itself", async () => {
  const until = now.add({ minutes: 30 });
  const asked = { connection: "erp", who: "J Ross", why: "year end" };
  const begun = await live.maintenance.begin({ ...asked, until });
  expect(begun).toMatchObject({ began: true, underWay: { deliveries: 0, pulls: [] } });
  expect(begun.until?.toString()).toBe(until.toString());
  // It would end what holds.
  await expect(live.maintenance.begin({ ...asked, until: now })).rejects.toThrow(
    "Stopping erp: it was to end at 31/03/2026 10:00, and it is 31/03/2026 10:00 now.",
  );
  const ends = (await live.maintenance.stops()).map((stop) => [stop.scope, stop.until?.toString()]);
  expect(ends).toEqual([["erp", until.toString()]]);
  for (const [time, next] of [
    ["10:30", until],
    ["09:59", now.add({ hours: 23, minutes: 59 })],
    ["10:30", until],
  ] as const) {
    const asksTime = { ...asked, until: Temporal.PlainTime.from(time) };
    const again = await live.maintenance.begin(asksTime);
    expect([again.began, again.until?.toString()]).toEqual([false, next.toString()]);
  }
  const told = now;
  // There is no 01:30 in London on that day, and there is one on the next.
  now = Temporal.Instant.from("2026-03-29T09:00:00Z");
  const nightly = { ...asked, until: Temporal.PlainTime.from("01:30") };
  expect((await live.maintenance.begin(nightly)).until?.toString()).toBe("2026-03-30T00:30:00Z");
  now = told;
  await live.maintenance.begin({ ...asked, until });
  expect((await order(live, "W-2")).status).toBe(201);
  await tradepost.drain();
  await live.orders.advance();
  await tradepost.drain();
  expect(await states(live, "W-2")).toEqual(["queued"]);
  await expect(live.sync("erp", {})).rejects.toThrow(
    "Reading erp: nothing is read now, because of maintenance since 31/03/2026 10:00 until 31/03/2026 10:30 by J Ross: year end.",
  );
  expect((await live.status()).stops).toMatchObject([{ scope: "erp", kind: "maintenance" }]);
  pass(31);
  expect((await live.status()).stops).toEqual([]);
  await live.orders.advance();
  await tradepost.drain();
  expect(await states(live, "W-2")).toEqual(["accepted"]);
  await live.maintenance.begin({ connection: null, who: "J Ross", why: "upgrade", until: null });
  expect((await live.status()).orders.paused).toContain("upgrade");
  const ended = await live.maintenance.end({ connection: null, who: "J Ross", why: "done" });
  expect(ended).toHaveLength(1);
  expect((await live.status()).orders.paused).toBeNull();
});

test("what is being handed over when maintenance begins ends properly, and nothing begins after it", async () => {
  setBooks({ ...booksNow(), slowMs: 600 });
  await order(live, "W-INFLIGHT");
  const handedOver = tradepost.drain();
  while ((await states(live, "W-INFLIGHT"))[0] !== "sending") await sleep(20);
  const asked = { connection: "erp", who: "J Ross", why: "upgrade", until: null };
  const { underWay } = await live.maintenance.begin({ ...asked, waitSeconds: 20 });
  expect(underWay).toEqual({ deliveries: 0, pulls: [] });
  expect(await states(live, "W-INFLIGHT")).toEqual(["accepted"]);
  await handedOver;
  await order(live, "W-AFTER");
  await tradepost.drain();
  expect(await states(live, "W-AFTER")).toEqual(["queued"]);
  setBooks({ ...booksNow(), slowMs: 0 });
  await live.maintenance.end({ connection: "erp", who: "J Ross", why: "done" });
  await tradepost.drain();
  expect(await states(live, "W-AFTER")).toEqual(["accepted"]);
});

test("an order cancelled or archived there, or a search that is away, is no ERP that went backwards", async () => {
  for (const number of ["W-3", "W-4", "W-5"]) await order(live, number);
  await tradepost.drain();
  pass(10);
  const whole = booksNow();
  const gone = (from: number) => whole.orders.filter((_, index) => index < from);
  // Two of the newest are gone: too few to tell.
  setBooks({ ...whole, orders: gone(whole.orders.length - 2) });
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  // All are cancelled: the search hides them, the order itself can be asked for.
  setBooks({ ...whole, orders: whole.orders.map((each) => ({ ...each, cancelled: true })) });
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  // Old ones are archived.
  setBooks({ ...whole, orders: whole.orders.slice(-2) });
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  // Everything is gone: the search is broken, as no older order is found either.
  setBooks({ ...whole, orders: [] });
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  setBooks({ ...whole, orders: [], searches: false });
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  setBooks(whole);
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  expect((await live.status()).stops).toEqual([]);
});

test("an ERP that goes backwards stops its connection and is told what it lost", async () => {
  const backup = booksNow();
  for (const number of ["W-6", "W-7", "W-8"]) await order(live, number);
  await tradepost.drain();
  expect(await states(live, "W-6", "W-7", "W-8")).toEqual(["accepted", "accepted", "accepted"]);
  pass(10);
  setBooks(backup);
  expect(await live.stopIfBackwards({ ask: true })).toBe(true);
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  const { stops, alarms } = await live.status();
  expect(stops).toMatchObject([{ kind: "went-backwards", scope: "erp" }]);
  const alarm = alarms.find(({ key }) => key === "backwards/erp");
  expect(alarm?.detail).toMatch(/Lost: W-6 as SO-\d+ of A1, £52\.00, accepted 31\/03\/2026/);
  const lost = await live.orders.lostOrders();
  expect(lost.map((each) => each.order)).toEqual(["W-6", "W-7", "W-8"]);
  expect((await order(live, "W-9")).status).toBe(201);
  await tradepost.drain();
  expect(await states(live, "W-9")).toEqual(["queued"]);
  const act = { who: "J Ross", why: "restored from Monday" };
  await expect(live.maintenance.end({ connection: "erp", ...act })).rejects.toThrow(
    "the ERP lost W-6, W-7, W-8, and nobody has decided on them",
  );
  const api = await tradepost.serve({ port: 0 });
  const asked = { company: "LIVE", name: "Ops", createdBy: "test" };
  const scopes = ["sync" as const, "desk" as const];
  const { secret } = await tradepost.access.createKey({ ...asked, scopes, test: false });
  const post = async (path: string, body: object) => {
    const answer = await fetch(`${api.url}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({ why: "go on", ...body }),
    });
    return { status: answer.status, said: await answer.json() };
  };
  expect(await post("maintenance/end", { connection: "erp" })).toMatchObject({
    status: 409,
    said: { code: "lost-undecided" },
  });
  // Only what was seen can be linked, whoever says so.
  expect(await post("orders/W-8/resolve", { who: "kim", erpOrder: "SO-9999" })).toMatchObject({
    status: 409,
    said: { detail: expect.stringContaining("no pull has shown an ERP order SO-9999") as string },
  });
  const own = lost.find((each) => each.order === "W-8")?.erpOrder;
  const link = { who: "kim", erpOrder: own, also: ["SO-9998"], seenThere: true };
  expect(await post("orders/W-8/resolve", link)).toMatchObject({
    status: 200,
    said: { state: "confirmed", erpOrder: own },
  });
  await api.close();
  // Staff have keyed one anew under our number: it is found and not placed a second time.
  const number = `SO-${backup.next}`;
  const keyed = { number, key: "W-6", cancelled: false };
  setBooks({ ...backup, next: backup.next + 1, orders: [...backup.orders, keyed] });
  expect(await live.orders.decideLost("W-6", { ...act, decision: "send-again" })).toBe(true);
  expect(await live.orders.decideLost("W-7", { ...act, decision: "send-again" })).toBe(true);
  expect(await live.orders.decideLost("W-8", { ...act, decision: "leave" })).toBe(true);
  expect(await live.orders.decideLost("W-8", { ...act, decision: "leave" })).toBe(false);
  await live.maintenance.end({ connection: "erp", ...act });
  await tradepost.drain();
  const after = booksNow().orders.map(({ key }) => key);
  expect(after.filter((key) => key === "W-6")).toHaveLength(1);
  expect(after.filter((key) => key === "W-7")).toHaveLength(1);
  expect(after.filter((key) => key === "W-8")).toHaveLength(0);
  expect(await states(live, "W-6", "W-7", "W-9")).toEqual(["accepted", "accepted", "accepted"]);
  pass(10);
  expect(await live.stopIfBackwards({ ask: true })).toBe(false);
  expect((await live.alarms.list({ open: true })).map(({ key }) => key)).not.toContain(
    "backwards/erp",
  );
});

test("numbers that fall in orders and invoices at a time stop the connection, one of them does not", async () => {
  const numbers = ["1", "2", "3"];
  const orders = numbers.map((at) => ({
    erpOrder: `CO-${at}`,
    account: "A1",
    orderedOn: "2026-03-31",
  }));
  const documents = numbers.map((at) => ({
    document: `INV-${at}`,
    documentType: "invoice",
    account: "A1",
    documentOn: "2026-03-31",
    net: "10.00",
    vat: "2.00",
    gross: "12.00",
  }));
  const rows = (ofOrders: number, ofDocuments: number) => ({
    "erp-orders": orders.slice(0, ofOrders),
    "sales-documents": documents.slice(0, ofDocuments),
  });
  setBooks({ ...booksNow(), rows: rows(3, 3) });
  expect((await live.sync("erp", {})).map(({ state }) => state)).toEqual([
    "published",
    "published",
  ]);
  // Somebody has deleted the newest order.
  setBooks({ ...booksNow(), rows: rows(2, 3) });
  const [fell] = await live.sync("erp", { streams: ["erp-orders"] });
  expect(fell?.fellBack).toMatch(/^erp-orders stood at .*3.*, and its furthest row is now .*2/);
  expect((await live.status()).stops).toEqual([]);
  setBooks({ ...booksNow(), rows: rows(2, 2) });
  await live.sync("erp", {});
  const [stop] = (await live.status()).stops;
  expect(stop?.why).toContain("sales-documents stood at");
  const [alarm] = await live.alarms.list({ open: true });
  expect(alarm).toMatchObject({ key: "backwards/erp" });
  expect(alarm?.detail).toContain("INV-3");
  await expect(live.sync("erp", {})).rejects.toThrow("the ERP went backwards");
  await live.maintenance.end({ connection: "erp", who: "J Ross", why: "looked at" });
  // It counts on where its backup ended: what has the numbers of then would never be read.
  pass(1);
  await live.sync("erp", {});
  const stands = await database.store.query<{ stream: string; at: number }>(
    `select stream, (cursor ->> 'value')::int as at from stream_state
      where company = 'LIVE' and connection = 'erp' order by stream`,
  );
  expect(stands).toEqual([
    { stream: "erp-orders", at: 2 },
    { stream: "sales-documents", at: 2 },
  ]);
});

test("an ERP that takes files goes backwards where it gives order numbers out anew", async () => {
  const { store } = database;
  await goLive(store, "DROP");
  const drop = await tradepost.company("DROP");
  await drop.pricing.publish();
  const numbers = ["D-1", "D-2", "D-3", "D-4"];
  const lying = () =>
    readdirSync(join(folder, "drop/orders")).filter((name) => !name.startsWith("."));
  for (const [index, number] of numbers.entries()) {
    await order(drop, number);
    await tradepost.drain();
    for (const file of lying()) rmSync(join(folder, "drop/orders", file));
    pass(10);
    await seenThere(`SO-${index + 1}`, number, now);
    await drop.orders.advance();
  }
  expect(await states(drop, ...numbers)).toEqual(numbers.map(() => "confirmed"));
  pass(10);
  expect(await drop.stopIfBackwards({ ask: false })).toBe(false);
  // One number that is another's now may be a slip of the export.
  await seenThere("SO-2", null, now);
  expect(await drop.stopIfBackwards({ ask: false })).toBe(false);
  pass(10);
  await seenThere("SO-3", null, now);
  expect(await drop.stopIfBackwards({ ask: false })).toBe(true);
  const lost = await drop.orders.lostOrders();
  // The last one is only known from before its ERP was restored.
  expect(lost.map((each) => each.order)).toEqual(["D-2", "D-3", "D-4"]);
  const [stop] = (await drop.status()).stops;
  expect(stop?.why).toContain("SO-2 was D-2, and is an order of A2");
  expect(stop?.why).toContain("while D-1 of before is found as SO-1");
  // Its journal shows every drop for ever: only by a person's word is one dropped again.
  const act = { who: "J Ross", why: "gone after the restore" };
  const again = () => drop.orders.decideLost("D-4", { ...act, decision: "send-again" });
  expect(await again()).toBe(true);
  for (const number of ["D-2", "D-3"])
    await drop.orders.decideLost(number, { ...act, decision: "leave" });
  await drop.maintenance.end({ connection: "erp", ...act });
  await tradepost.drain();
  expect(await states(drop, "D-4")).toEqual(["handedOver"]);
  expect(lying()).toContain("D-4.csv");
  expect(readdirSync(join(folder, "drop/orders/.journal/before"))).toEqual(["D-4.json"]);
});

/** What the next export says of an ERP order; without a web order it is the counter's. */
async function seenThere(
  erpOrder: string,
  webOrder: string | null,
  at: Temporal.Instant,
): Promise<void> {
  await database.store.affect("delete from erp_order where company = 'DROP' and erp_order = $1", [
    erpOrder,
  ]);
  await pull(database.store, "DROP", "erp-order", [
    {
      erpOrder,
      account: webOrder === null ? "A2" : "A1",
      orderedOn: "2026-03-31",
      webOrder,
      net: "52.00",
      vat: "10.40",
    },
  ]);
  await database.store.affect(
    "update erp_order set learned_at = $2 where company = 'DROP' and erp_order = $1",
    [erpOrder, at],
  );
}

test("shadow: orders are checked and rendered, never sent, and compared with what staff keyed", async () => {
  for (const number of ["S-EQUAL", "S-TWICE", "S-LIKE", "S-OTHER", "S-NOT"])
    await order(shadow, number, { customerReference: number === "S-OTHER" ? "PO 77" : null });
  await tradepost.drain();
  expect(new Set(await states(shadow, "S-EQUAL", "S-TWICE", "S-LIKE", "S-OTHER", "S-NOT"))).toEqual(
    new Set(["shadowed"]),
  );
  expect(readdirSync(join(folder, "csv"))).toEqual(["out"]);
  expect(JSON.stringify(await shadow.orders.shadowPayload("S-EQUAL"))).toContain("S-EQUAL");
  expect((await shadow.orders.shadowReport()).counts["not-keyed-yet"]).toBe(5);
  const compared = (await shadow.goLive.checklist("csv")).find(({ item }) => item === "shadow");
  expect(compared?.about).toContain("are as staff keyed them (none compared), 0 differ");
  const keyed = async (
    erpOrder: string,
    more: Partial<Canonical<"erp-order">>,
    bricks = "10",
  ): Promise<void> => {
    const net = bricks === "10" ? "52.00" : "60.40";
    const vat = bricks === "10" ? "10.40" : "12.08";
    await pull(database.store, "SHADOW", "erp-order", [
      { erpOrder, account: "A1", orderedOn: "2026-03-31", net, vat, ...more },
    ]);
    await pull(database.store, "SHADOW", "erp-order-line", [
      line(erpOrder, 1, "BRICK", bricks, bricks === "10" ? "42.00" : "50.40"),
      line(erpOrder, 2, "SAND", "1", "10.00"),
    ]);
  };
  await keyed("SO-1", { customerReference: "web s-equal" });
  await keyed("SO-2", { webOrder: "S-TWICE" });
  await keyed("SO-3", { customerReference: "S-TWICE" });
  await keyed("SO-4", { customerReference: "po77" }, "12");
  await keyed("SO-5", {});
  await keyed("SO-6", { webOrder: "S-NOT", state: "cancelled" });
  pass(60 * 25);
  await shadow.orders.advance();
  const { orders, counts, equalPercent } = await shadow.orders.shadowReport();
  expect(
    orders
      .map((each) => `${each.order} ${each.verdict} ${each.erpOrders.join("+")} ${each.knownBy}`)
      .toSorted(),
  ).toEqual([
    "S-EQUAL equal SO-1 web-order",
    "S-LIKE equal SO-5 likeness",
    "S-NOT not-keyed  null",
    "S-OTHER different SO-4 reference",
    "S-TWICE keyed-twice SO-2+SO-3 web-order",
  ]);
  expect(counts).toMatchObject({ equal: 2, different: 1, "keyed-twice": 1, "not-keyed": 1 });
  expect(equalPercent).toBe("40.00");
  expect(orders.find((each) => each.order === "S-OTHER")?.differences).toEqual([
    { what: "quantity of BRICK", ours: "10", theirs: "12", by: "2" },
    { what: "net", ours: "52.00", theirs: "60.40", by: "8.40" },
    { what: "VAT", ours: "10.40", theirs: "12.08", by: "1.68" },
  ]);
});

function line(
  erpOrder: string,
  number: number,
  product: string,
  quantity: string,
  net: string,
): Partial<Canonical<"erp-order-line">> {
  return { erpOrder, line: number, product, quantity, unitPrice: "1", net };
}
