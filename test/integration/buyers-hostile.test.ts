/**
 * Accounts and returns in an ERP that loses answers, commits late and hides what it has: judged by
 * the ERP's own books, none is made twice or changed, and none rests where nobody looks.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { orderPricing } from "../../src/company.ts";
import {
  ConnectorFault,
  loadConnector,
  type NewAccount,
  type NewReturn,
} from "../../src/connector/index.ts";
import { openJobs, type Jobs } from "../../src/jobs/index.ts";
import { compileOutbound, type Outbound } from "../../src/mapping/index.ts";
import {
  ACCOUNT_JOB,
  accountRequestBody,
  openOrders,
  RETURN_JOB,
  returnBody,
  type Orders,
} from "../../src/orders/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import { pull } from "../support/canonical-rows.ts";
import { useDatabase } from "../support/database.ts";
import {
  CONNECTORS,
  QUIET_SECONDS,
  startHostileErp,
  type ErpClass,
  type HostileErp,
} from "../support/hostile-erp/index.ts";
import { kitHost } from "../support/kit-host.ts";
import { salesOf } from "../support/order-sales.ts";
import { ORDER_SETTINGS } from "../support/order-settings.ts";

const EACH = 20;
/** Of all calls: half as many again as orders meet. */
const FAULTS = 0.36;
const who = "J Ross";
const why = "looked into";

const database = useDatabase();
let jobs: Jobs;
let outbound: Outbound;
let folder: string;
const opened = new Map<string, Orders>();

beforeAll(async () => {
  jobs = await openJobs(database.store, { log: () => undefined });
  const of = (data: Readonly<Record<string, unknown>>) =>
    opened.get(String(data["company"]))?.buyers;
  await jobs.work(ACCOUNT_JOB, async (data) =>
    of(data)?.accountRequests.open(String(data["request"])),
  );
  await jobs.work(RETURN_JOB, async (data) => of(data)?.returns.place(String(data["return"])));
  const file = "mappings/tradepost-csv/web-order.yaml";
  outbound = compileOutbound({ file, text: await readFile(file, "utf8") });
  folder = await mkdtemp(join(tmpdir(), "hostile-buyers-"));
});
afterAll(async () => {
  await jobs.close();
  await rm(folder, { recursive: true, force: true });
});

interface World {
  readonly orders: Orders;
  readonly erp: HostileErp;
  /** Hours pass for Tradepost, and moments for the ERP. */
  readonly later: () => Promise<void>;
}

async function open(company: string, erpClass: ErpClass, hold: AsyncDisposableStack) {
  const erp = hold.use(
    await startHostileErp({ class: erpClass, seed: 11, folder, faultShare: FAULTS }),
  );
  const hostile = await loadConnector("hostile", [CONNECTORS]);
  const settings = hostile.settings.parse({ ...erp.connection.settings, timeoutMs: 400 });
  let now = Temporal.Instant.from("2026-03-31T09:00:00Z");
  const rules = { currency: "GBP", timeZone: "Europe/London", vat: { STANDARD: "20" } };
  const pricing = await openPricing({
    store: database.store,
    company,
    settings: rules,
    policy: "generic",
    now: () => now,
    log: () => undefined,
  });
  const orders = openOrders({
    store: database.store,
    company,
    settings: ORDER_SETTINGS,
    pricing: orderPricing(pricing, rules),
    jobs,
    connection: {
      standing: async () => ({ mode: "live", paused: null }),
      openSession: () => hostile.open(settings, kitHost()),
    },
    outbound,
    invoices: (webOrders) => salesOf(database.store, company).documentsOf(webOrders),
    now: () => now,
    log: () => undefined,
  });
  opened.set(company, orders);
  const later = async () => {
    await jobs.drain();
    await sleep(400);
    now = now.add({ hours: 2 });
    await orders.buyers.advance();
    await jobs.drain();
  };
  return { orders, erp, later } satisfies World;
}

/** Work on each again and again, while what a call left behind is still under way in the ERP. */
async function hurry(
  { orders }: World,
  returns: readonly string[],
  accounts: readonly string[],
): Promise<void> {
  const { buyers } = orders;
  for (const number of returns) {
    const { id } = await buyers.returns.show(number);
    for (let once = 0; once < HURRIED; once += 1) await buyers.returns.place(id);
  }
  for (const id of accounts)
    for (let once = 0; once < HURRIED; once += 1)
      await buyers.accountRequests.open(id).catch(ofTheErp);
}

/** One that is held again asks who may be the same; the queue asks again where the ERP fails. */
function ofTheErp(error: unknown): void {
  if (!(error instanceof ConnectorFault)) throw error;
}

/** Fewer than the searches after which a person looks. */
const HURRIED = 3;
const ROUNDS = 5;

/** Until all is settled or with a person, and whatever was under way in the ERP has come. */
async function settle({ later }: World): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) await later();
  await sleep(QUIET_SECONDS * 1000);
}

describe.each(["native-key", "searchable", "eventually-searchable"] as const)(
  "in an ERP that is %s",
  (erpClass) => {
    test("each is made once, whole, or is a person's", { timeout: 120_000 }, async () => {
      await using hold = new AsyncDisposableStack();
      const company = `HOSTILE-${erpClass}`;
      const world = await open(company, erpClass, hold);
      await invoice(company);
      const returns = await askForReturns(world);
      const accounts = await askForAccounts(world);
      await hurry(world, returns, accounts);
      await settle(world);
      const { erp } = world;
      for (const held of [erp.returns(), erp.accounts()]) {
        const keys = held.map(({ key }) => key).sort();
        expect(keys).toEqual([...new Set(keys)]);
      }
      const tasks = (await world.orders.tasks({ state: "open" })).map(({ about }) => about);
      expect(await judgeReturns(world, returns, tasks)).toBeGreaterThan(EACH / 2);
      expect(await judgeAccounts(world, accounts, tasks)).toBeGreaterThan(EACH / 2);
      expect(erp.books().injected.size).toBeGreaterThan(5);
    });
  },
);

const wantedOf = (line: number) => (line % 2 === 0 ? "credit" : "replace");

/** One for each line of the invoice, agreed; their numbers. */
async function askForReturns({ orders }: World): Promise<string[]> {
  const { returns } = orders.buyers;
  const numbers: string[] = [];
  for (let line = 1; line <= EACH; line += 1) {
    const body = returnBody.parse({
      account: "SMITH",
      invoice: "INV1",
      lines: [{ line, quantity: "2" }],
      reason: `"Cracked", £${line}`,
      wanted: wantedOf(line),
    });
    const request = { idempotencyKey: `r${line}`, apiKey: "shop", body, test: false };
    const asked = await returns.ask(request);
    if (!("answer" in asked)) throw new Error(JSON.stringify(asked));
    numbers.push(asked.answer.number);
    await returns.agree(asked.answer.number, { who, why });
  }
  return numbers;
}

/** How many were placed, each as it was asked for; the others are somebody's task. */
async function judgeReturns(
  { orders, erp }: World,
  numbers: readonly string[],
  tasks: readonly string[],
): Promise<number> {
  let placed = 0;
  for (const [at, number] of numbers.entries()) {
    const view = await orders.buyers.returns.show(number);
    const there = erp.returns().find(({ key }) => key === number);
    if (view.erp === "placed") {
      placed += 1;
      expect(there?.number, number).toBe(view.erpReturn);
    } else {
      expect(["byHand", "inDoubt"], number).toContain(view.erp);
      expect(tasks).toContain(number);
    }
    if (there === undefined) continue;
    const sent = there.sent as unknown as NewReturn;
    expect(sent).toMatchObject({
      account: "SMITH",
      invoice: "INV1",
      wanted: wantedOf(at + 1),
      reason: `"Cracked", £${at + 1}`,
    });
    const lines = sent.lines.map(({ line, product, quantity }) => [
      line,
      product,
      Number(quantity),
    ]);
    expect(lines).toEqual([[at + 1, "BRICK", 2]]);
  }
  return placed;
}

/** Each of another customer, approved; their ids. */
async function askForAccounts({ orders }: World): Promise<string[]> {
  const { accountRequests } = orders.buyers;
  const ids: string[] = [];
  for (let at = 0; at < EACH; at += 1) {
    const body = accountRequestBody.parse({
      tradingName: `Builder ${at} & Söhne`,
      address: { address1: `${at} Orrery Row`, postcode: "YO1 7AA" },
      contact: { name: "Wilhelmina Quayle", email: `mina${at}@quayle${at}.example` },
    });
    const request = { idempotencyKey: `a${at}`, apiKey: "shop", body, test: false };
    const asked = await accountRequests.ask(request);
    if (!("answer" in asked)) throw new Error(JSON.stringify(asked));
    ids.push(asked.answer.id);
  }
  await jobs.drain();
  for (const id of ids) await accountRequests.approve(id, { who, why, creditLimit: "2500.00" });
  return ids;
}

/** How many were opened, each as it was asked for; the others are somebody's task. */
async function judgeAccounts(
  { orders, erp }: World,
  ids: readonly string[],
  tasks: readonly string[],
): Promise<number> {
  let done = 0;
  for (const [at, id] of ids.entries()) {
    const view = await orders.buyers.accountRequests.show(id);
    const there = erp.accounts().find(({ key }) => key === view.number);
    if (view.state === "opened" || view.state === "done") {
      done += 1;
      expect(there?.number, view.number).toBe(view.account);
    } else {
      expect(["byHand", "inDoubt"], view.number).toContain(view.state);
      expect(tasks.join("; ")).toContain(view.number);
    }
    if (there === undefined) continue;
    const sent = there.sent as unknown as NewAccount;
    expect(sent.name).toBe(`Builder ${at} & Söhne`);
    expect(Number(sent.creditLimit)).toBe(2500);
    expect(sent.address.address1).toBe(`${at} Orrery Row`);
  }
  return done;
}

/** Ten of each of its lines. */
async function invoice(company: string): Promise<void> {
  const { store } = database;
  await pull(store, company, "customer", [{ account: "SMITH", name: "A. Smith & Sons" }]);
  await pull(store, company, "product", [{ product: "BRICK", name: "Brick" }]);
  const of = { documentType: "invoice", document: "INV1" } as const;
  const each = { net: "42.00", vat: "8.40" };
  await pull(store, company, "sales-document", [
    { ...of, account: "SMITH", documentOn: "2026-03-20", ...each, gross: "50.40" },
  ]);
  await pull(
    store,
    company,
    "sales-line",
    Array.from({ length: EACH }, (_, at) => ({
      ...of,
      line: at + 1,
      product: "BRICK",
      quantity: "10",
      unitPrice: "4.20",
      ...each,
    })),
  );
}
