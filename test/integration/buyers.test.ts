import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAccess } from "../../src/access/index.ts";
import { orderPricing } from "../../src/company.ts";
import type {
  AccountOutcome,
  Found,
  FoundAccount,
  NewAccount,
  NewReturn,
  Outcome,
  Session,
} from "../../src/connector/index.ts";
import { openJobs } from "../../src/jobs/index.ts";
import type { Jobs } from "../../src/jobs/index.ts";
import { compileOutbound } from "../../src/mapping/index.ts";
import {
  ACCOUNT_JOB,
  accountRequestBody,
  DELIVER_JOB,
  openOrders,
  orderRequest,
  RETURN_JOB,
  returnBody,
} from "../../src/orders/index.ts";
import type { AcceptResult, Orders, OrderSettings } from "../../src/orders/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import type { Pricing } from "../../src/pricing/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import { salesOf } from "../support/order-sales.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

const database = useDatabase();
let jobs: Jobs;

beforeAll(async () => {
  jobs = await openJobs(database.store, { log: () => undefined });
  const of = (data: Readonly<Record<string, unknown>>) => opened.get(String(data["company"]));
  await jobs.work(DELIVER_JOB, async (data) => of(data)?.orders.deliver(String(data["order"])));
  await jobs.work(ACCOUNT_JOB, async (data) =>
    of(data)?.orders.buyers.accountRequests.open(String(data["request"])),
  );
  await jobs.work(RETURN_JOB, async (data) =>
    of(data)?.orders.buyers.returns.place(String(data["return"])),
  );
});
afterAll(() => jobs.close());

interface Erp {
  /** Of each account that it made: our request's number. */
  readonly accounts: Map<string, string>;
  /** Written tables of the orders that it was handed. */
  readonly orders: string[];
  readonly asked: string[];
  /** What `create` does instead. */
  create: ((account: NewAccount) => Promise<AccountOutcome>) | null;
  find: (() => readonly FoundAccount[]) | null;
  /** Null: it is told of no returns. */
  returns: Map<string, NewReturn> | null;
  /** What placing a return does instead. */
  place: ((goods: NewReturn) => Promise<Outcome>) | null;
}

interface Opened {
  readonly company: string;
  readonly orders: Orders;
  readonly pricing: Pricing;
  readonly erp: Erp;
  readonly logged: string[];
  now: Temporal.Instant;
  /** Nothing is handed over. */
  paused: boolean;
}

const opened = new Map<string, Opened>();
const VAT = { STANDARD: "20" };
const NOW = "2026-03-31T09:00:00Z";
const who = "J Ross";
const why = "looked into";

function returnsOf(erp: Erp, held: Map<string, NewReturn>): NonNullable<Session["returns"]> {
  const accepted = (key: string) => {
    const erpOrder = `R-${[...held.keys()].indexOf(key) + 1}`;
    return { kind: "accepted", erpOrder, net: null, vat: null, evidence: "Keyed." } as const;
  };
  return {
    find: async (key): Promise<Found> => {
      erp.asked.push("find");
      return held.has(key) ? { kind: "present", outcome: accepted(key) } : { kind: "absent" };
    },
    place: async (goods) => {
      erp.asked.push("place");
      if (erp.place !== null) return erp.place(goods);
      held.set(goods.key, goods);
      return accepted(goods.key);
    },
  };
}

function sessionOf(erp: Erp, opens: boolean): Session {
  return {
    ...(erp.returns !== null && { returns: returnsOf(erp, erp.returns) }),
    // eslint-disable-next-line require-yield
    read: async function* () {
      return;
    },
    orders: {
      finding: "native-key",
      find: async () => ({ kind: "absent" }),
      place: async (order) => {
        erp.orders.push(JSON.stringify(order));
        return { kind: "handedOver", evidence: "dropped" };
      },
    },
    ...(opens && {
      accounts: {
        find: async ({ request }) => {
          erp.asked.push("find");
          if (erp.find !== null) return erp.find();
          return [...erp.accounts]
            .filter(([, number]) => number === request)
            .map(([account]) => ({ account, name: "As asked", request }));
        },
        create: async (account) => {
          erp.asked.push("create");
          if (erp.create !== null) return erp.create(account);
          const made = `NEW${erp.accounts.size + 1}`;
          erp.accounts.set(made, account.request);
          return { kind: "opened", account: made, evidence: `It keeps ${account.request}.` };
        },
      },
    }),
    async [Symbol.asyncDispose]() {},
  };
}

interface Options {
  readonly settings?: Partial<OrderSettings>;
  /** The connector can open accounts; default true. */
  readonly opens?: boolean;
  /** The order's mapping has no place for a payment. */
  readonly noPayment?: boolean;
}

/** Bricks are £4.20 for everybody, and £4.00 for account DEAR, who is to come. */
async function open(company: string, options: Options = {}): Promise<Opened> {
  const { store } = database;
  await pull(store, company, "customer", [
    { account: "CASH1", name: "Cash sales", cashAccount: true },
    {
      account: "SMITH",
      name: "A. Smith & Sons (Leeds) Ltd",
      postcode: "LS1 4AP",
      email: "orders@smith-leeds.example",
      telephone: "0113 496 0000",
    },
  ]);
  await pull(store, company, "product", [{ product: "BRICK", name: "Brick" }]);
  const rule = { productScope: "product", productCode: "BRICK", kind: "fixed" } as const;
  await pull(store, company, "price-rule", [
    { rule: "R1", customerScope: "everyone", ...rule, value: "4.20" },
    { rule: "R2", customerScope: "account", customerCode: "DEAR", ...rule, value: "4.00" },
  ]);
  const settings = { currency: "GBP", timeZone: "Europe/London", vat: VAT };
  const pricing = await openPricing({
    store,
    company,
    settings,
    policy: "generic",
    now: () => Temporal.Instant.from(NOW),
    log: () => undefined,
  });
  await pricing.publish();
  const file = "mappings/tradepost-csv/web-order.yaml";
  const text = await readFile(file, "utf8");
  const unpaid = text.replaceAll(/^.*payment\..*\n/gm, "");
  const erp: Erp = {
    accounts: new Map(),
    orders: [],
    asked: [],
    create: null,
    find: null,
    returns: null,
    place: null,
  };
  const logged: string[] = [];
  const one: Opened = {
    company,
    erp,
    pricing,
    logged,
    now: Temporal.Instant.from(NOW),
    paused: false,
    orders: openOrders({
      store,
      company,
      settings: { ...ORDER_SETTINGS, guests: { account: "CASH1" }, ...options.settings },
      pricing: orderPricing(pricing, settings),
      jobs,
      connection: {
        standing: async () => ({ mode: "live", paused: one.paused ? "for a test" : null }),
        openSession: async () => sessionOf(erp, options.opens ?? true),
      },
      outbound: compileOutbound({ file, text: options.noPayment === true ? unpaid : text }),
      invoices: (webOrders) => salesOf(database.store, company).documentsOf(webOrders),
      audit: (act, on) => openAccess({ store, now: () => one.now }).audit(act, on),
      now: () => one.now,
      log: (_level, message) => void logged.push(message),
    }),
  };
  opened.set(company, one);
  return one;
}

const GUEST = { name: "Wilhelmina Quayle", email: "mina@quayle.example", telephone: null };
const HOME = { name: "Wilhelmina Quayle", address1: "7 Orrery Row", postcode: "YO1 7AA" };
const PAID = { provider: "stripe", reference: "ch_1", amount: "10.08" };

/** Two bricks: 8.40 net, 1.68 VAT. */
function send(one: Opened, key: string, more: object): Promise<AcceptResult> {
  const lines = [{ product: "BRICK", quantity: "2", unitPrice: "4.20" }];
  const body = orderRequest.parse({ lines, ...more });
  return one.orders.accept({ idempotencyKey: key, body, apiKey: "shop", test: false });
}

const guestOrder = (one: Opened, key: string, more: object = {}) =>
  send(one, key, { guest: GUEST, deliverTo: HOME, payment: PAID, ...more });

const codesOf = (result: AcceptResult) =>
  "problem" in result
    ? result.problem.problems.map(({ code }) => code)
    : [...result.order.reasons, ...result.order.warnings].map(({ code }) => code);

function numberOf(result: AcceptResult): string {
  if ("order" in result) return result.order.webOrder;
  throw new Error(JSON.stringify(result.problem));
}

const stateOf = async (one: Opened, number: string) => (await one.orders.show(number)).state;
const tasksOf = (one: Opened) => one.orders.tasks();

/** What the book of who did what says of a request or return, oldest first. */
const bookOf = ({ company }: Opened, subject: string) =>
  database.store.query<{ who: string; action: string; details: object }>(
    `select who, action, details from audit
      where company = $1 and subject = $2 order by at, id`,
    [company, subject],
  );

const ASKED = {
  tradingName: "Quayle Roofing",
  address: { address1: "7 Orrery Row", postcode: "YO1 7AA" },
  contact: { name: "Wilhelmina Quayle", email: "mina@quayle.example" },
  creditLimit: "2500.00",
};

async function ask(one: Opened, key = "a1", more: object = {}) {
  const body = accountRequestBody.parse({ ...ASKED, ...more });
  const request = { idempotencyKey: key, apiKey: "shop", body, test: false };
  const result = await one.orders.buyers.accountRequests.ask(request);
  await jobs.drain();
  if ("problem" in result) throw new Error(result.problem.detail);
  return result.answer;
}

/** The next pull brings the account, and its prices are published. */
async function pulled(one: Opened, account: string): Promise<void> {
  await pull(database.store, one.company, "customer", [{ account, name: "Quayle Roofing" }]);
  await one.pricing.publish();
  await one.orders.advance();
  await jobs.drain();
}

describe("a guest", () => {
  test("goes to the company's cash account with payment, and name and address travel to the ERP", async () => {
    const one = await open("GUEST");
    const taken = await guestOrder(one, "g1");
    expect(taken).toMatchObject({ status: 201, order: { account: "CASH1", gross: "10.08" } });
    await jobs.drain();
    expect(one.erp.orders).toHaveLength(1);
    for (const said of ["CASH1", GUEST.name, GUEST.email, HOME.address1, PAID.reference])
      expect(one.erp.orders[0]).toContain(said);
  });

  test("is refused without payment in full, without an address, and where no cash account is set", async () => {
    const one = await open("UNPAID");
    const short = { ...PAID, amount: "10.07" };
    expect(codesOf(await guestOrder(one, "g1", { payment: null }))).toEqual(["guest-not-paid"]);
    expect(codesOf(await guestOrder(one, "g2", { payment: short }))).toEqual(["guest-not-paid"]);
    expect(codesOf(await guestOrder(one, "g3", { deliverTo: null }))).toEqual([
      "guest-address-missing",
    ]);
    const collected = { deliverTo: null, conditions: { delivery: "collect" } };
    expect((await guestOrder(one, "g4", collected)).status).toBe(201);
    const none = await open("NOGUESTS", { settings: { guests: undefined } });
    expect(codesOf(await guestOrder(none, "g1"))).toContain("guests-not-taken");
  });

  test("leaves no personal data in events or logs, and is blanked after the days that were set, the chain intact", async () => {
    const guests = { account: "CASH1", forgetAfterDays: 30 };
    const one = await open("FORGET", { settings: { guests } });
    one.paused = true;
    const number = numberOf(await guestOrder(one, "g1"));
    await guestOrder(one, "g2", { payment: null });
    const lines = [{ product: "BRICK", quantity: "2", unitPrice: "4.20" }];
    const body = orderRequest.parse({
      lines,
      guest: GUEST,
      deliverTo: HOME,
      customerReference: "PO",
    });
    const shop = { who: "key shop", why: null, apiKey: "shop", decides: false };
    const amended = await one.orders.amend(number, { ...shop, idempotencyKey: "amended", body });
    expect(amended).toMatchObject({ answer: { state: "done" } });
    one.paused = false;
    await one.orders.advance();
    await jobs.drain();
    expect(await tablesWith(one.company, "web_order_event", "event", "web_order_task")).toEqual([]);
    expect(one.logged.filter((line) => /Quayle|quayle|Orrery/.test(line))).toEqual([]);
    await pull(database.store, one.company, "erp-order", [
      {
        erpOrder: "SO1",
        account: "CASH1",
        orderedOn: "2026-03-31",
        webOrder: number,
        net: "8.40",
        vat: "1.68",
      },
    ]);
    await one.orders.advance();
    expect(await stateOf(one, number)).toBe("confirmed");
    const before = await one.orders.show(number);
    one.now = one.now.add({ hours: 24 * 29 });
    expect(await one.orders.buyers.forget()).toBe(0);
    one.now = one.now.add({ hours: 24 * 2 });
    // The order, the request that was refused, and that of its amendment.
    expect(await one.orders.buyers.forget()).toBe(3);
    expect(await tablesWith(one.company)).toEqual([]);
    const after = await one.orders.show(number);
    expect([after.lines, after.events, after.erpOrder]).toEqual([
      before.lines,
      before.events,
      before.erpOrder,
    ]);
    expect(await one.orders.buyers.forget()).toBe(0);
    // The key still answers for its order.
    expect(await guestOrder(one, "g1")).toMatchObject({
      replayed: true,
      order: { webOrder: number },
    });
  });

  test("is forgotten whatever became of the order, and nothing of a forgotten guest is sent again", async () => {
    const guests = { account: "CASH1", forgetAfterDays: 30 };
    const one = await open("AGES", { settings: { guests } });
    const taken: string[] = [];
    for (const key of ["away", "refused", "changing"]) {
      const more = { customerReference: key, payment: { ...PAID, reference: key } };
      taken.push(numberOf(await guestOrder(one, key, more)));
    }
    const [away = "", refused = "", changing = ""] = taken;
    await jobs.drain();
    await database.store.affect(
      "update web_order set state = 'refused' where company = 'AGES' and number = $1",
      [refused],
    );
    const part = (number: string) =>
      one.orders.cancelPart(number, {
        who: "key shop",
        why: null,
        apiKey: "shop",
        idempotencyKey: `part ${number}`,
        decides: false,
        lines: [{ line: 1, quantity: "1" }],
      });
    expect(await part(changing)).toMatchObject({ status: 202 });
    one.now = one.now.add({ hours: 24 * 40 });
    expect(await one.orders.buyers.forget()).toBe(2);
    const left = await database.store.query(
      `select number from web_order where company = 'AGES' and body -> 'guest' ->> 'name' = $1`,
      [GUEST.name],
    );
    expect(left).toEqual([{ number: changing }]);
    await expect(one.orders.sendAgain(refused, { who, reason: why })).rejects.toThrow(/forgotten/);
    await expect(part(away)).rejects.toThrow(/guest was forgotten/);
  });
});

/** Tables in which a row of the company still says something of the guest. */
async function tablesWith(company: string, ...only: readonly string[]): Promise<string[]> {
  const tables = await database.store.query<{ table: string }>(
    `select table_name as "table" from information_schema.columns
      where table_schema = 'public' and column_name = 'company'
        and (cardinality($1::text[]) = 0 or table_name = any($1))`,
    [only],
  );
  const found: string[] = [];
  for (const { table } of tables) {
    const [row] = await database.store.query<{ rows: number }>(
      `select count(*)::int as rows from "${table}" t
        where company = $1 and t::text ~* 'quayle|orrery|YO1 7AA'`,
      [company],
    );
    if ((row?.rows ?? 0) > 0) found.push(table);
  }
  return found;
}

describe("a new trade customer", () => {
  test("is an account request: duplicates suggested with reasons, held for credit control", async () => {
    const one = await open("ASK");
    one.erp.find = () => [
      { account: "OLD7", name: "Quayle", request: null, because: "same owner" },
    ];
    const like = {
      tradingName: "A Smith and Sons Limited",
      legalName: "A Smith & Sons (Leeds)",
      contact: {
        name: "A Smith",
        email: "bert@smith-leeds.example",
        telephone: "+44 113 496 0000",
      },
      address: { address1: "1 High St", postcode: "ls14ap" },
    };
    const { number, state } = await ask(one, "a1", like);
    expect([number, state]).toEqual([expect.stringMatching(/^AR-260331-[0-9A-Z]{6}$/), "held"]);
    const { duplicates } = await one.orders.buyers.accountRequests.show(number);
    expect(duplicates).toEqual([
      { account: "OLD7", name: "Quayle", score: 100, reasons: ["same owner"], from: "erp" },
      {
        account: "SMITH",
        name: "A. Smith & Sons (Leeds) Ltd",
        score: 100,
        reasons: ["same e-mail domain", "same telephone", "same name", "same postcode"],
        from: "records",
      },
    ]);
    expect(await ask(one, "a1", like)).toEqual(expect.objectContaining({ number }));
    expect(await one.orders.buyers.accountRequests.list()).toHaveLength(1);
  });

  test("is created by the connector's accounts capability; the waiting orders then go on", async () => {
    const one = await open("CREATE");
    const { id, number } = await ask(one);
    const taken = await send(one, "o1", { accountRequest: id });
    expect(taken).toMatchObject({ status: 202, order: { state: "held", account: number } });
    expect(codesOf(taken)).toEqual(["account-requested"]);
    const order = numberOf(taken);
    await expect(one.orders.release(order, { who, reason: why })).rejects.toThrow(
      "waits for account request",
    );
    const [entry] = (await one.orders.desk()).entries.filter(({ webOrder }) => webOrder === order);
    expect(entry).toMatchObject({
      acts: ["amend", "cancel"],
      next: `Decide on its account request first: tradepost account-requests show ${number}.`,
    });
    expect((await one.orders.show(order)).acts).toEqual(entry?.acts);
    const { accountRequests } = one.orders.buyers;
    await accountRequests.approve(number, { who, why, creditLimit: "1000.00" });
    await jobs.drain();
    expect(await accountRequests.show(number)).toMatchObject({ state: "opened", account: "NEW1" });
    const details = { why, creditLimit: "1000.00" };
    expect(await bookOf(one, number)).toEqual([
      { who, action: "account-request-approved", details },
    ]);
    expect(await stateOf(one, order)).toBe("held");
    await pulled(one, "NEW1");
    expect(await accountRequests.show(number)).toMatchObject({ state: "done" });
    expect(await one.orders.show(order)).toMatchObject({ state: "handedOver", account: "NEW1" });
    expect(one.erp.orders[0]).toContain("NEW1");
    expect(one.erp.asked.filter((asked) => asked === "create")).toHaveLength(1);
    // Whoever names it from now on orders on the account.
    expect(await send(one, "o2", { accountRequest: id })).toMatchObject({
      status: 201,
      order: { account: "NEW1" },
    });
  });

  test("is created once: what was made though the answer was lost is found, and never made again", async () => {
    const one = await open("LOST");
    const { number } = await ask(one);
    one.erp.create = async ({ request }) => {
      one.erp.accounts.set("NEW1", request);
      throw new Error("the connection was cut");
    };
    const { accountRequests } = one.orders.buyers;
    const { id } = await accountRequests.approve(number, { who, why });
    await jobs.drain();
    expect((await accountRequests.show(number)).state).toBe("inDoubt");
    await accountRequests.open(id);
    expect(await accountRequests.show(number)).toMatchObject({ state: "opened", account: "NEW1" });
    expect(one.erp.asked.filter((asked) => asked === "create")).toHaveLength(1);
  });

  test("that stays in doubt is for a person: no search that shows nothing ever makes a second account", async () => {
    const one = await open("DOUBT");
    const { number } = await ask(one);
    one.erp.create = async () => ({ kind: "inDoubt", evidence: "503" });
    const { accountRequests } = one.orders.buyers;
    const { id } = await accountRequests.approve(number, { who, why });
    await jobs.drain();
    for (let search = 0; search < 8; search += 1) await accountRequests.open(id);
    expect((await accountRequests.show(number)).state).toBe("inDoubt");
    expect(one.erp.asked.filter((asked) => asked === "create")).toHaveLength(1);
    expect(await tasksOf(one)).toMatchObject([{ kind: "account", about: number }]);
    // A person looked, and it is not there: then it is made, once the call cannot arrive any more.
    one.erp.create = null;
    await expect(accountRequests.approve(number, { who, why })).rejects.toThrow(
      /may still turn up/,
    );
    one.now = one.now.add({ minutes: 10 });
    await accountRequests.approve(number, { who, why });
    await jobs.drain();
    expect((await accountRequests.show(number)).state).toBe("opened");
  });

  test("whose opener died is in doubt, and only searched for", async () => {
    const one = await open("DIED");
    const { number, id } = await ask(one);
    await database.store.affect(
      `update account_request set state = 'creating', holder = 'dead',
              held_until = clock_timestamp() - interval '1 second' where company = 'DIED'`,
    );
    const { accountRequests } = one.orders.buyers;
    await accountRequests.open(id);
    await accountRequests.open(id);
    expect((await accountRequests.show(number)).state).toBe("inDoubt");
    expect(one.erp.asked).not.toContain("create");
  });

  test("found under our number before anything was made is taken as it is", async () => {
    const one = await open("BEFORE");
    const { number } = await ask(one);
    one.erp.accounts.set("THERE", number);
    await one.orders.buyers.accountRequests.approve(number, { who, why });
    await jobs.drain();
    expect(await one.orders.buyers.accountRequests.show(number)).toMatchObject({
      account: "THERE",
    });
    expect(one.erp.asked).not.toContain("create");
  });

  test("is opened by a person where the connector cannot, who links the account", async () => {
    const one = await open("BYHAND", { opens: false });
    const { id, number } = await ask(one);
    const order = numberOf(await send(one, "o1", { accountRequest: id }));
    const { accountRequests } = one.orders.buyers;
    await accountRequests.approve(number, { who, why });
    await jobs.drain();
    expect((await accountRequests.show(number)).state).toBe("byHand");
    expect(await tasksOf(one)).toMatchObject([{ kind: "account", about: number }]);
    const slip = await accountRequests.link(number, { who, why, account: "HNAD1" });
    expect(slip.reason).toContain("No pull has shown an account HNAD1 yet");
    await pull(database.store, "BYHAND", "customer", [{ account: "HAND1", name: "By hand" }]);
    const there = await accountRequests.link(number, { who, why, account: "HAND1" });
    expect(there.reason).toContain("Account HAND1 is there");
    expect((await bookOf(one, number)).slice(1)).toEqual(
      ["HNAD1", "HAND1"].map((account) => ({
        who,
        action: "account-request-linked",
        details: { why, account },
      })),
    );
    expect(await tasksOf(one)).toEqual([]);
    await pulled(one, "HAND1");
    expect(await one.orders.show(order)).toMatchObject({ state: "handedOver", account: "HAND1" });
  });

  test("whose account has other prices finds its orders held with the reason, never changed in silence", async () => {
    const one = await open("DEARER");
    const { id, number } = await ask(one);
    const order = numberOf(await send(one, "o1", { accountRequest: number }));
    expect((await one.orders.show(order)).order.accountRequest).toBe(id);
    await one.orders.buyers.accountRequests.link(number, { who, why, account: "DEAR" });
    await pulled(one, "DEAR");
    const held = await one.orders.show(order);
    expect(held).toMatchObject({ state: "held", account: "DEAR", net: "8.40" });
    expect(held.reasons[0]).toContain("our price now is £4");
    // What was agreed goes, once a person says so.
    await one.orders.release(order, { who, reason: why });
    await jobs.drain();
    expect(await one.orders.show(order)).toMatchObject({ state: "handedOver", net: "8.40" });
  });

  test("lets go of no order that a person is to look at for another reason", async () => {
    const one = await open("TWICE", { settings: { repeatedWithinMinutes: 10 } });
    const { id, number } = await ask(one);
    const [first, again] = [
      numberOf(await send(one, "o1", { accountRequest: id })),
      numberOf(await send(one, "o2", { accountRequest: id })),
    ];
    // Long after anybody would find it repeated by its time.
    one.now = one.now.add({ hours: 26 });
    one.erp.find = () => [];
    await one.orders.buyers.accountRequests.approve(number, { who, why });
    await jobs.drain();
    await pulled(one, "NEW1");
    expect(await one.orders.show(first)).toMatchObject({ state: "handedOver", account: "NEW1" });
    const held = await one.orders.show(again);
    expect(held).toMatchObject({ state: "held", account: "NEW1" });
    expect(held.reasons).toEqual([expect.stringContaining("It may be this one, sent again.")]);
    expect(one.erp.orders).toHaveLength(1);
    // Its content is no answer, either; a person's word is.
    const body = orderRequest.parse({
      account: "NEW1",
      lines: [{ product: "BRICK", quantity: "3", unitPrice: "4.20" }],
    });
    const asker = { who: "key shop", why: null, apiKey: "shop", decides: false };
    await one.orders.amend(again, { ...asker, idempotencyKey: "c1", body });
    expect(await one.orders.show(again)).toMatchObject({ state: "held", reasons: held.reasons });
    await one.orders.release(again, { who, reason: why });
    await jobs.drain();
    expect(await one.orders.show(again)).toMatchObject({ state: "handedOver" });
    expect(one.erp.orders).toHaveLength(2);
  });

  test("that sends an order twice is known by it, whether its account is there by then or not", async () => {
    const one = await open("AGAIN", { settings: { repeatedWithinMinutes: 10 } });
    const { id, number } = await ask(one);
    await send(one, "o1", { accountRequest: id });
    expect(codesOf(await send(one, "o2", { accountRequest: id }))).toContain("order-repeated");
    one.erp.find = () => [];
    await one.orders.buyers.accountRequests.approve(number, { who, why });
    await jobs.drain();
    await pulled(one, "NEW1");
    for (const buyer of [{ accountRequest: id }, { account: "NEW1" }])
      expect(codesOf(await send(one, `o of ${JSON.stringify(buyer)}`, buyer))).toEqual([
        "order-repeated",
      ]);
  });

  test("gets its waiting orders as they were changed meanwhile, never as they were first sent", async () => {
    const one = await open("CHANGED");
    const { id, number } = await ask(one);
    const asker = { who: "key shop", why: null, apiKey: "shop", decides: false };
    const first = { customerReference: "OLD", deliverTo: { ...HOME, name: "Old place" } };
    const sent = async (key: string, more: object = {}) =>
      numberOf(await send(one, key, { accountRequest: id, ...first, ...more }));
    const brick = { product: "BRICK", unitPrice: "4.20" };
    const amended = await sent("o1");
    const body = orderRequest.parse({
      accountRequest: id,
      customerReference: "NEW",
      requestedOn: "2026-04-01",
      deliverTo: { ...HOME, name: "New place" },
      lines: [{ ...brick, quantity: "2" }],
    });
    const change = { ...asker, idempotencyKey: "c1", body };
    expect(await one.orders.amend(amended, change)).toMatchObject({ answer: { state: "done" } });
    const more = await sent("o2", { customerReference: "more" });
    const five = { ...body, lines: [{ ...brick, quantity: "5" }] };
    await one.orders.amend(more, { ...asker, idempotencyKey: "c2", body: five });
    const payment = { ...PAID, amount: "25.20" };
    const lines = ["1", "4"].map((quantity) => ({ ...brick, quantity }));
    const less = await sent("o3", { customerReference: "less", payment, lines });
    const off = { ...asker, idempotencyKey: "c3", lines: [{ line: 1, quantity: null }] };
    expect(await one.orders.cancelPart(less, off)).toMatchObject({ answer: { net: "16.80" } });
    one.erp.find = () => [];
    await one.orders.buyers.accountRequests.approve(number, { who, why });
    await jobs.drain();
    await pulled(one, "NEW1");
    const all = await Promise.all([amended, more, less].map((each) => one.orders.show(each)));
    expect(all).toMatchObject([
      {
        state: "handedOver",
        net: "8.40",
        order: { customerReference: "NEW", requestedOn: "2026-04-01", account: "NEW1" },
      },
      { state: "handedOver", net: "21.00" },
      { state: "handedOver", net: "16.80", order: { lines: [{ quantity: "4" }] } },
    ]);
    const written = (each: string) => one.erp.orders.find((order) => order.includes(`"${each}"`));
    expect(written(amended)).toMatch(/NEW.*New place/);
    expect(written(amended)).not.toContain("Old place");
    expect(await tasksOf(one)).toMatchObject([{ kind: "refund", amount: "5.04" }]);
  });

  test("that is refused: its orders are refused, and what was paid for them is owed back", async () => {
    const one = await open("REFUSED");
    const { id, number } = await ask(one);
    const order = numberOf(await send(one, "o1", { accountRequest: id, payment: PAID }));
    await one.orders.buyers.accountRequests.refuse(number, { who, why: "no references" });
    const details = { why: "no references" };
    const refused = { who, action: "account-request-refused", details };
    expect(await bookOf(one, number)).toEqual([refused]);
    // What is not done is not in the book, and nobody acts under a name of Tradepost's own.
    const { accountRequests } = one.orders.buyers;
    await expect(accountRequests.approve(number, { who, why })).rejects.toThrow(number);
    await expect(accountRequests.refuse(number, { who: "tradepost", why })).rejects.toThrow(
      "is no person",
    );
    expect(await bookOf(one, number)).toEqual([refused]);
    expect(await stateOf(one, order)).toBe("refused");
    expect(await tasksOf(one)).toMatchObject([
      { kind: "refund", webOrder: order, amount: "10.08", about: `${order} is refused` },
    ]);
    const after = await send(one, "o2", { accountRequest: id });
    expect(codesOf(after)).toEqual(["account-request-refused"]);
  });
});

describe("money that was taken", () => {
  test("for what a cancelled order will not bring is owed back, and for one that came short in part", async () => {
    const one = await open("SHORT");
    const cancelled = numberOf(await guestOrder(one, "g1", { accountRequest: null }));
    await one.orders.cancel(cancelled, { who, reason: why });
    expect(await tasksOf(one)).toMatchObject([
      { about: `${cancelled} is cancelled`, amount: "10.08" },
    ]);
    const short = numberOf(
      await guestOrder(one, "g2", { payment: { ...PAID, reference: "ch_2" } }),
    );
    await jobs.drain();
    await pull(database.store, one.company, "erp-order", [
      {
        erpOrder: "SO2",
        account: "CASH1",
        orderedOn: "2026-03-31",
        webOrder: short,
        net: "8.40",
        vat: "1.68",
        state: "complete",
      },
    ]);
    await pull(database.store, one.company, "erp-order-line", [
      {
        erpOrder: "SO2",
        line: 1,
        product: "BRICK",
        quantity: "2",
        despatchedQuantity: "1",
        invoicedQuantity: "1",
        unitPrice: "4.2",
        net: "8.40",
        webOrderLine: 1,
      },
    ]);
    await one.orders.advance();
    await one.orders.advance();
    const tasks = (await tasksOf(one)).filter(({ webOrder }) => webOrder === short);
    expect(tasks).toMatchObject([{ kind: "refund", amount: "5.04" }]);
    expect(tasks[0]?.instruction).toContain("ch_2");
  });

  test("for what a credit note gives back is owed back, once, and never more than was paid", async () => {
    const one = await open("CREDITED");
    const number = numberOf(await guestOrder(one, "g1"));
    await jobs.drain();
    let of = number;
    const post = async (
      documentType: "invoice" | "credit",
      document: string,
      quantity: string,
      [net, vat, gross]: readonly [string, string, string],
    ) => {
      const paper = { account: "CASH1", documentOn: "2026-03-31", webOrder: of };
      await pull(database.store, one.company, "sales-document", [
        { documentType, document, ...paper, net, vat, gross },
      ]);
      const line = { line: 1, product: "BRICK", unitPrice: "4.20", webOrderLine: 1 };
      await pull(database.store, one.company, "sales-line", [
        { documentType, document, ...line, quantity, net, vat },
      ]);
      await salesOf(database.store, one.company).post();
      await one.orders.advance();
      await one.orders.advance();
      return (await tasksOf(one))
        .filter(({ kind }) => kind === "refund")
        .map(({ amount, about }) => `${about} → ${amount ?? ""}`)
        .sort();
    };
    const all = ["8.40", "1.68", "10.08"] as const;
    const half = ["4.20", "0.84", "5.04"] as const;
    expect(await post("invoice", "I1", "2", all)).toEqual([]);
    const first = `${number} credited by C1: 5.04 → 5.04`;
    expect(await post("credit", "C1", "1", half)).toEqual([first]);
    const [task] = await tasksOf(one);
    expect(task?.instruction).toContain("Refund 5.04 by stripe, payment ch_1");
    // The rest and more: capped at what was paid.
    const dear = ["5.00", "1.00", "6.00"] as const;
    const second = `${number} credited by C1, C2: 11.04 → 5.04`;
    expect(await post("credit", "C2", "1", dear)).toEqual([second, first]);
    expect(await post("credit", "C3", "1", half)).toEqual([second, first]);
    // Invoiced wrongly, invoiced anew and the first one credited: the customer has the goods.
    of = numberOf(await guestOrder(one, "g2", { payment: { ...PAID, reference: "ch_2" } }));
    await jobs.drain();
    await post("invoice", "I2", "2", all);
    await post("invoice", "I3", "2", all);
    expect(await post("credit", "C4", "2", all)).toEqual([second, first]);
  });

  test("goes where the ERP keeps it, else finance is asked to enter the receipt, once", async () => {
    const kept = await open("KEPT");
    const asked = await open("RECEIPT", { noPayment: true });
    for (const one of [kept, asked]) {
      const number = numberOf(await guestOrder(one, "g1"));
      await jobs.drain();
      await pull(database.store, one.company, "erp-order", [
        {
          erpOrder: "SO1",
          account: "CASH1",
          orderedOn: "2026-03-31",
          webOrder: number,
          net: "8.40",
          vat: "1.68",
        },
      ]);
      await one.orders.advance();
      await one.orders.advance();
    }
    expect(await tasksOf(kept)).toEqual([]);
    expect(await tasksOf(asked)).toMatchObject([{ kind: "receipt", amount: "10.08" }]);
  });

  test("is entered as the order is paid by now, and what was entered is not entered again", async () => {
    const one = await open("REENTER", { noPayment: true });
    const number = numberOf(await guestOrder(one, "g1"));
    await jobs.drain();
    const bears = { account: "CASH1", orderedOn: "2026-03-31", webOrder: number };
    await pull(database.store, one.company, "erp-order", [
      { erpOrder: "SO1", ...bears, net: "8.40", vat: "1.68" },
    ]);
    await one.orders.advance();
    const end = async (kind: string, state: "done" | "dropped" = "done") => {
      const task = (await tasksOf(one)).find((each) => each.kind === kind);
      const reference = kind === "amend" ? null : "E1";
      await one.orders.closeTask({ id: task?.id ?? "", state, who, reason: why, reference });
    };
    const amendedTo = async (quantity: string, reference: string, amount: string) => {
      const body = orderRequest.parse({
        lines: [{ product: "BRICK", quantity, unitPrice: "4.20" }],
        guest: GUEST,
        deliverTo: HOME,
        payment: { ...PAID, reference, amount },
      });
      const asked = { who, why, apiKey: who, decides: true, idempotencyKey: null };
      await one.orders.amend(number, { ...asked, body });
      await jobs.drain();
      await end("amend");
      await one.orders.advance();
      return (await tasksOf(one))
        .map(({ kind, instruction }) => `${kind}: ${instruction.split(", on account")[0]}`)
        .toSorted();
    };
    expect(await amendedTo("4", "ch_1", "20.16")).toEqual([
      "receipt: Enter 20.16 received by stripe, payment ch_1",
    ]);
    const back = expect.stringMatching(/^refund: .*Refund 20\.16 by stripe, payment ch_1/);
    expect(await amendedTo("4", "ch_2", "20.16")).toEqual([
      "receipt: Enter 20.16 received by stripe, payment ch_2",
      back,
    ]);
    await end("receipt");
    expect(await amendedTo("5", "ch_2", "25.20")).toEqual([
      "receipt: Enter 5.04 received by stripe, payment ch_2",
      back,
    ]);
    await end("receipt", "dropped");
    await one.orders.advance();
    expect((await tasksOf(one)).map(({ kind }) => kind)).toEqual(["refund"]);
  });
});

describe("a return", () => {
  const back = (one: Opened, key: string, quantity: string, more: object = {}) => {
    const lines = [{ line: 1, quantity }];
    const body = returnBody.parse({
      account: "SMITH",
      invoice: "INV1",
      lines,
      reason: "too many",
      wanted: "credit",
      ...more,
    });
    const { returns } = one.orders.buyers;
    return returns.ask({ idempotencyKey: key, apiKey: "shop", body, test: false });
  };

  async function invoiced(company: string): Promise<Opened> {
    const one = await open(company);
    const document = {
      account: "SMITH",
      documentOn: "2026-03-20",
      net: "42.00",
      vat: "8.40",
      gross: "50.40",
    };
    const line = { product: "BRICK", unitPrice: "4.20", net: "42.00", vat: "8.40", line: 1 };
    await pull(database.store, company, "sales-document", [
      { documentType: "invoice", document: "INV1", ...document },
    ]);
    await pull(database.store, company, "sales-line", [
      { documentType: "invoice", document: "INV1", quantity: "10", ...line },
    ]);
    return one;
  }

  const credit = async (
    one: Opened,
    document: string,
    quantity: string,
    reference: string | null,
  ) => {
    const of = (each: number) => (each * Number(quantity)).toFixed(2);
    const amounts = { net: of(4.2), vat: of(0.84) };
    await pull(database.store, one.company, "sales-document", [
      {
        documentType: "credit",
        document,
        account: "SMITH",
        documentOn: "2026-03-31",
        customerReference: reference,
        ...amounts,
        gross: of(5.04),
      },
    ]);
    const line = { documentType: "credit", document, line: 1, product: "BRICK", quantity } as const;
    await pull(database.store, one.company, "sales-line", [
      { ...line, unitPrice: "4.20", ...amounts, creditsDocument: "INV1", creditsLine: 1 },
    ]);
    await one.orders.advance();
  };

  test("is never more than was invoiced, less what is credited, less what is asked for already", async () => {
    const one = await invoiced("RETURN");
    const first = await back(one, "r1", "6");
    expect(first).toMatchObject({ status: 201, replayed: false });
    expect(await back(one, "r1", "6")).toMatchObject({ replayed: true });
    await expect(back(one, "r2", "4.5")).rejects.toMatchObject({
      code: "return-too-much",
      excess: [{ pointer: "/lines/0/quantity", found: "4.5", expected: "at most 4" }],
    });
    const both = await Promise.allSettled([back(one, "r3", "3"), back(one, "r4", "3")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await credit(one, "CN1", "1", null);
    await expect(back(one, "r5", "1")).rejects.toThrow("10 were invoiced, 1 are credited and 9");
    await expect(back(one, "r6", "1", { account: "CASH1" })).rejects.toThrow("has no invoice INV1");
  });

  test("counts what credit notes credit that name the order alone, once over all invoices of it", async () => {
    const one = await invoiced("BYORDER");
    const { store } = database;
    const amounts = { net: "42.00", vat: "8.40" };
    const document = { account: "SMITH", documentOn: "2026-03-25", gross: "50.40", ...amounts };
    const line = { product: "BRICK", unitPrice: "4.20", line: 1, ...amounts } as const;
    await pull(store, one.company, "sales-document", [
      { documentType: "invoice", document: "INV1", ...document, documentOn: "2026-03-20" },
      { documentType: "invoice", document: "INV2", ...document, erpOrder: "SO1" },
      { documentType: "credit", document: "CN1", ...document, erpOrder: "SO1" },
      { documentType: "credit", document: "CN2", ...document },
    ]);
    await pull(store, one.company, "sales-line", [
      { documentType: "invoice", document: "INV1", quantity: "10", ...line, erpOrder: "SO1" },
      { documentType: "invoice", document: "INV2", quantity: "5", ...line, net: "21.00" },
      { documentType: "credit", document: "CN1", quantity: "2", ...line },
      // Beyond what is left of the first invoice.
      { documentType: "credit", document: "CN2", quantity: "9", ...line, erpOrder: "SO1" },
      { documentType: "credit", document: "CN2", quantity: "7", ...line, line: 2, product: "SAND" },
    ]);
    await expect(back(one, "r1", "1")).rejects.toThrow("10 were invoiced, 10 are credited and 0");
    const second = (key: string, quantity: string) => back(one, key, quantity, { invoice: "INV2" });
    await expect(second("r2", "5")).rejects.toThrow("5 were invoiced, 1 are credited and 0");
    expect(await second("r3", "4")).toMatchObject({ status: 201 });
  });

  test("is ended by a credit note that names the order alone, and does not come back again", async () => {
    const one = await invoiced("ENDORDER");
    const { returns } = one.orders.buyers;
    const result = await back(one, "r1", "4");
    const number = "answer" in result ? result.answer.number : "";
    await returns.agree(number, { who, why });
    await jobs.drain();
    const amounts = { net: "16.80", vat: "3.36" };
    const line = { product: "BRICK", unitPrice: "4.20", line: 1, ...amounts } as const;
    await pull(database.store, one.company, "sales-line", [
      { documentType: "invoice", document: "INV1", quantity: "10", ...line, erpOrder: "SO1" },
      { documentType: "credit", document: "CN1", quantity: "4", ...line, erpOrder: "SO1" },
    ]);
    await pull(database.store, one.company, "sales-document", [
      {
        account: "SMITH",
        documentOn: "2026-03-31",
        documentType: "credit",
        document: "CN1",
        ...amounts,
        gross: "20.16",
      },
    ]);
    await one.orders.advance();
    expect(await returns.show(number)).toMatchObject({ state: "credited", creditNotes: ["CN1"] });
    await expect(back(one, "r2", "7")).rejects.toThrow("10 were invoiced, 4 are credited and 0");
  });

  test("that its credit note names alone is not taken a second time", async () => {
    const one = await invoiced("NAMED");
    const result = await back(one, "r1", "4");
    const number = "answer" in result ? result.answer.number : "";
    await pull(database.store, one.company, "sales-document", [
      {
        account: "SMITH",
        documentOn: "2026-03-31",
        documentType: "credit",
        document: "CN1",
        customerReference: number,
        net: "16.80",
        vat: "3.36",
        gross: "20.16",
      },
    ]);
    await one.orders.advance();
    expect(await one.orders.buyers.returns.show(number)).toMatchObject({ state: "credited" });
    await expect(back(one, "r2", "7")).rejects.toThrow("10 were invoiced, 4 are credited and 0");
    expect(await back(one, "r3", "6")).toMatchObject({ status: 201 });
  });

  test("is a task linked to its invoice line, is agreed by a person, and ends with its credit note", async () => {
    const one = await invoiced("CREDIT");
    const { returns } = one.orders.buyers;
    const number = async (key: string, quantity: string) => {
      const result = await back(one, key, quantity);
      return "answer" in result ? result.answer.number : "";
    };
    const [first, second, third] = [
      await number("r1", "2"),
      await number("r2", "3"),
      await number("r3", "1"),
    ];
    expect(await tasksOf(one)).toHaveLength(3);
    await returns.agree(first, { who, why });
    await returns.agree(second, { who, why });
    await returns.refuse(third, { who, why });
    await jobs.drain();
    await expect(returns.agree(third, { who, why })).rejects.toThrow('"refused" already');
    const details = { why };
    expect(await bookOf(one, first)).toEqual([{ who, action: "return-agreed", details }]);
    expect(await bookOf(one, third)).toEqual([{ who, action: "return-refused", details }]);
    const tasks = await tasksOf(one);
    expect(tasks.map(({ about, kind }) => `${kind} ${about}`).sort()).toEqual(
      [first, second].sort().map((about) => `return ${about}`),
    );
    expect(tasks[0]?.instruction).toContain("invoice INV1 (SMITH) line 1: 3 of BRICK");
    // The second is named by its credit note; the first is known by the line that is credited.
    await credit(one, "CN1", "3", second);
    expect((await returns.show(second)).state).toBe("credited");
    expect((await returns.show(first)).state).toBe("agreed");
    await credit(one, "CN2", "2", null);
    expect(await returns.show(first)).toMatchObject({ state: "credited", account: "SMITH" });
    expect(await tasksOf(one)).toEqual([]);
  });

  /** Asked for and agreed to, with an ERP that is told of returns. */
  async function agreed(company: string, more: object = {}, place: Erp["place"] = null) {
    const one = await invoiced(company);
    one.erp.returns = new Map();
    one.erp.place = place;
    const result = await back(one, "r1", "2", more);
    const number = "answer" in result ? result.answer.number : "";
    const { returns } = one.orders.buyers;
    await returns.agree(number, { who, why });
    await jobs.drain();
    return { one, number, returns, show: () => returns.show(number) };
  }

  test("that nobody agreed to is not ended by the credit note of another", async () => {
    const one = await invoiced("UNASKED");
    const { returns } = one.orders.buyers;
    await credit(one, "CN0", "1", null);
    const number = async (key: string, quantity: string) => {
      const result = await back(one, key, quantity);
      return "answer" in result ? result.answer.number : "";
    };
    const [agreed, asked] = [await number("r1", "5"), await number("r2", "0.5")];
    await returns.agree(agreed, { who, why });
    await jobs.drain();
    // Part of what was agreed: more than the other one asks for.
    await credit(one, "CN1", "3", null);
    expect((await returns.show(asked)).state).toBe("asked");
    expect((await returns.show(agreed)).state).toBe("agreed");
    await credit(one, "CN2", "2", null);
    expect(await returns.show(agreed)).toMatchObject({
      state: "credited",
      creditNotes: ["CN1", "CN2"],
    });
    expect((await returns.show(asked)).state).toBe("asked");
    expect(await tasksOf(one)).toMatchObject([{ kind: "return", about: asked }]);
    // Staff credit it without a word to anybody: just its goods, and nothing else waits.
    await credit(one, "CN3", "0.5", null);
    expect((await returns.show(asked)).state).toBe("credited");
    expect(await tasksOf(one)).toEqual([]);
  });

  test("that is agreed becomes an ERP return: found before it is placed, the attempt written first", async () => {
    let written = "";
    let taken: NewReturn | null = null;
    const { one, number, returns, show } = await agreed("RETERP", {}, async (goods) => {
      // Committed before the first byte leaves: another connection sees it.
      const [row] = await database.store.query<{ erp: string }>(
        "select erp from return_request where company = 'RETERP'",
      );
      written = row?.erp ?? "";
      taken = goods;
      return { kind: "accepted", erpOrder: "R-1", net: null, vat: null, evidence: "Keyed." };
    });
    expect(written).toBe("placing");
    expect(one.erp.asked).toEqual(["find", "place"]);
    expect(taken).toMatchObject({
      key: number,
      account: "SMITH",
      invoice: "INV1",
      wanted: "credit",
      lines: [{ line: 1, product: "BRICK", quantity: "2" }],
    });
    expect(await show()).toMatchObject({ state: "agreed", erp: "placed", erpReturn: "R-1" });
    expect(await tasksOf(one)).toEqual([]);
    const about = (await returns.events(await show())).map(({ event }) => event);
    expect(about).toEqual(["ask", "agree", "place", "placed"]);
    await credit(one, "CN1", "2", number);
    expect(await show()).toMatchObject({ state: "credited", creditNotes: ["CN1"] });
  });

  test("whose answer was lost is only searched for, and never placed a second time", async () => {
    const { one, number, returns, show } = await agreed("RETLOST", {}, async () => {
      throw new Error("socket hang up");
    });
    expect(await show()).toMatchObject({ erp: "inDoubt" });
    const { id } = await show();
    for (let search = 0; search < 6; search++) await returns.place(id);
    expect(one.erp.asked.filter((what) => what === "place")).toHaveLength(1);
    const [task] = await tasksOf(one);
    expect(task?.instruction).toContain(`Look in the ERP whether return ${number} is there`);
    // Nobody agrees again while the lost call may still arrive.
    await expect(returns.agree(number, { who, why })).rejects.toThrow("may still turn up");
    // It turns up after all.
    one.erp.returns?.set(number, { ...(await show()), key: number });
    await returns.place(id);
    expect(await show()).toMatchObject({ erp: "placed", erpReturn: "R-1" });
    expect(await tasksOf(one)).toEqual([]);
  });

  test("that the ERP refuses is a task for a person, with the reason", async () => {
    const { one, returns, number, show } = await agreed("RETNO", {}, async () => ({
      kind: "refused",
      reason: "The period is closed.",
    }));
    expect(await show()).toMatchObject({ erp: "byHand" });
    const [task] = await tasksOf(one);
    expect(task?.instruction).toContain("The ERP refused it: The period is closed. Take back");
    await returns.entered(number, { who, why, erpReturn: "R-9" });
    expect(await show()).toMatchObject({ erp: "placed", erpReturn: "R-9" });
    const details = { why, erpReturn: "R-9" };
    expect((await bookOf(one, number)).at(-1)).toEqual({ who, action: "return-entered", details });
    expect(await tasksOf(one)).toEqual([]);
  });

  test("to be replaced ends with the number of the order or despatch that brings other goods", async () => {
    const { one, returns, number, show } = await agreed("RETNEW", { wanted: "replace" });
    const [task] = await tasksOf(one);
    expect(task?.instruction).toContain(`returns replaced ${number} --by`);
    await pull(database.store, "RETNEW", "despatch", [
      { despatch: "D1", account: "CASH1", despatchedOn: "2026-03-31" },
      { despatch: "D2", account: "SMITH", despatchedOn: "2026-03-31" },
    ]);
    const by = { who, why, by: "D1" };
    await expect(returns.replaced(number, by)).rejects.toThrow("is account CASH1's");
    const end = { id: task?.id ?? "", state: "done", who, reason: "sent" } as const;
    await expect(one.orders.closeTask(end)).rejects.toThrow("give the number of the order");
    await pull(database.store, "RETNEW", "despatch", [
      { despatch: "D0", account: "SMITH", despatchedOn: "2026-03-30" },
    ]);
    for (const [wrong, found] of [
      ["NOPE", "no order or despatch NOPE is known here"],
      ["D0", "despatch D0 is older than the return"],
    ] as const) {
      await expect(returns.replaced(number, { ...by, by: wrong })).rejects.toThrow(found);
      await expect(one.orders.closeTask({ ...end, reference: wrong })).rejects.toThrow(found);
    }
    await one.orders.closeTask({ ...end, reference: "D2" });
    expect(await show()).toMatchObject({ state: "replaced", replacedBy: "D2" });
    expect((await bookOf(one, number)).slice(1)).toEqual([
      { who, action: "return-replaced", details: { why: "sent", by: "D2" } },
    ]);
    expect(await tasksOf(one)).toEqual([]);
    await expect(returns.replaced(number, by)).rejects.toThrow('"replaced" already');
    // An order of ours that the ERP has answered is known by its number there.
    const answered = await agreed("RETORDER", { wanted: "replace" });
    answered.one.now = answered.one.now.add({ minutes: 1 });
    const order = numberOf(await send(answered.one, "o1", { account: "SMITH" }));
    await database.store.affect("update web_order set erp_order = 'SO9' where number = $1", [
      order,
    ]);
    await answered.returns.replaced(answered.number, { ...by, by: "SO9" });
    expect(await answered.show()).toMatchObject({ state: "replaced", replacedBy: "SO9" });
    const brought = { who, action: "return-replaced", details: { why, by: "SO9" } };
    expect((await bookOf(answered.one, answered.number)).at(-1)).toEqual(brought);
    // What no pull brings is seen by a person.
    const unseen = await agreed("RETSEEN", { wanted: "replace" });
    await unseen.returns.replaced(unseen.number, { ...by, by: "D9", seenThere: true });
    expect(await unseen.show()).toMatchObject({ state: "replaced", replacedBy: "D9" });
  });
});
