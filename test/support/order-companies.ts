/**
 * Companies with web orders for tests: prices, a queue, and a far side in this process that takes
 * orders in and can be told to misbehave.
 */
import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { orderPricing } from "../../src/company.ts";
import type {
  FindingClass,
  Found,
  OrdersCapability,
  Outcome,
  RenderedOrder,
  Session,
} from "../../src/connector/index.ts";
import { openJobs } from "../../src/jobs/index.ts";
import type { Jobs } from "../../src/jobs/index.ts";
import { compileOutbound } from "../../src/mapping/index.ts";
import type { Outbound } from "../../src/mapping/index.ts";
import type { Canonical } from "../../src/model/index.ts";
import type { NewAlarm } from "../../src/notify/index.ts";
import type { Standing } from "../../src/orders/context.ts";
import { DELIVER_JOB, openOrders, orderRequest } from "../../src/orders/index.ts";
import type { AcceptResult, OrderPricing, Orders, OrderSettings } from "../../src/orders/index.ts";
import { openPricing } from "../../src/pricing/index.ts";
import type { Store } from "../../src/store/index.ts";
import { pull } from "./canonical-rows.ts";
import { useDatabase } from "./database.ts";
import { leftOutByMarks } from "./open-marks.ts";
import { salesOf } from "./order-sales.ts";
import { NOW, ORDER_SETTINGS } from "./order-settings.ts";

export { NOW };

/** The far side: takes orders in, and can be told to misbehave once. */
export interface Erp {
  finding: FindingClass;
  readonly orders: Map<string, RenderedOrder>;
  readonly asked: string[];
  /** What the next place does instead of answering `handedOver`. */
  next: ((order: RenderedOrder, signal: AbortSignal) => Promise<Outcome>) | null;
  /** Absent: it answers from `orders`. */
  finds: ((key: string) => Found) | null;
  /** Absent: it cannot be asked how an order stands. */
  status: ((key: string) => Found) | null;
  amend: ((order: RenderedOrder) => Promise<Outcome>) | null;
  cancel: ((key: string) => Promise<Outcome>) | null;
  /** Absent: what was dropped is never dropped again. */
  again: ((key: string) => Promise<string | null>) | null;
  opens: (() => void | Promise<void>) | null;
  /** Takes the place of all of these: a folder that orders are dropped into. */
  desk: OrdersCapability | null;
}

export interface Opened {
  readonly orders: Orders;
  readonly erp: Erp;
  readonly alarms: Map<string, NewAlarm>;
  now: Temporal.Instant;
  mode: "read-only" | "shadow" | "live";
  /** Going live as it was recorded; null: it never was, or nobody asks. */
  live: Standing["live"];
  /** Why its connection stands still, and when it last went on. */
  paused: string | null;
  resumedAt: Temporal.Instant | null;
  /** When answers were looked for last; null: at this moment. */
  lookedAt: Temporal.Instant | null;
  /** When the ERP's own orders were; null: it has no such stream. */
  ordersLookedAt: Temporal.Instant | null;
}

const VAT = { STANDARD: "20", ZERO: "0" };

function farSide(): Erp {
  return {
    finding: "searchable",
    orders: new Map(),
    asked: [],
    next: null,
    finds: null,
    status: null,
    amend: null,
    cancel: null,
    again: null,
    opens: null,
    desk: null,
  };
}

function sessionOf(erp: Erp): Session {
  return {
    // eslint-disable-next-line require-yield
    read: async function* () {
      return;
    },
    orders: capabilityOf(erp),
    async [Symbol.asyncDispose]() {},
  };
}

function capabilityOf(erp: Erp): OrdersCapability {
  if (erp.desk !== null) return erp.desk;
  const { status, amend, cancel, again } = erp;
  const asked = <T>(what: string, key: string, answer: () => T): T => {
    erp.asked.push(`${what} ${key}`);
    return answer();
  };
  return {
    finding: erp.finding,
    find: async (key) =>
      asked("find", key, () => {
        if (erp.finds !== null) return erp.finds(key);
        return erp.orders.has(key)
          ? { kind: "present", outcome: { kind: "handedOver", evidence: "in the journal" } }
          : { kind: "absent" };
      }),
    place: async (order, call) =>
      asked("place", order.key, () => {
        const next = erp.next;
        erp.next = null;
        if (next !== null) return next(order, call?.signal ?? new AbortController().signal);
        erp.orders.set(order.key, order);
        return { kind: "handedOver", evidence: "dropped as two files" };
      }),
    ...(status === null
      ? {}
      : { status: async (key: string) => asked("status", key, () => status(key)) }),
    ...(amend === null
      ? {}
      : { amend: (order: RenderedOrder) => asked("amend", order.key, () => amend(order)) }),
    ...(again === null ? {} : { again: (key: string) => asked("again", key, () => again(key)) }),
    ...(cancel === null
      ? {}
      : { cancel: (key: string) => asked("cancel", key, () => cancel(key)) }),
  };
}

export interface OrderCompanies {
  readonly store: Store;
  readonly jobs: Jobs;
  /** A company with an account, two products at £4.20 and £10.00, and a far side of its own. */
  open(
    company: string,
    settings?: Partial<OrderSettings>,
    customer?: Partial<Canonical<"customer">>,
  ): Promise<Opened>;
  /** The same company once more, as another instance of the service has it. */
  again(company: string, settings?: Partial<OrderSettings>): Promise<Opened>;
}

export function useOrderCompanies(): OrderCompanies {
  const database = useDatabase();
  const opened = new Map<string, Opened>();
  let jobs: Jobs;
  let outbound: Outbound;

  beforeAll(async () => {
    jobs = await openJobs(database.store, { log: () => undefined });
    const file = "mappings/tradepost-csv/web-order.yaml";
    outbound = compileOutbound({ file, text: await readFile(file, "utf8") });
    await jobs.work(DELIVER_JOB, async (data) => {
      await opened.get(String(data["company"]))?.orders.deliver(String(data["order"]));
    });
  });
  // Whatever a test did to orders, what counts of them is found.
  afterEach(async () => expect(await leftOutByMarks(database.store)).toEqual([]));
  afterAll(() => jobs.close());

  async function make(
    company: string,
    settings: Partial<OrderSettings>,
    erp: Erp,
  ): Promise<Opened> {
    const { store } = database;
    const alarms = new Map<string, NewAlarm>();
    let paused: string | null = null;
    let pausedAt: Temporal.Instant | null = null;
    const still: { from: Temporal.Instant; to: Temporal.Instant }[] = [];
    const one: Opened = {
      erp,
      alarms,
      now: Temporal.Instant.from(NOW),
      mode: "live",
      live: null,
      get paused() {
        return paused;
      },
      set paused(why) {
        if (why === null && pausedAt !== null) still.push({ from: pausedAt, to: one.now });
        pausedAt = why === null ? null : (pausedAt ?? one.now);
        paused = why;
      },
      resumedAt: null,
      lookedAt: null,
      ordersLookedAt: null,
      orders: openOrders({
        store,
        company,
        settings: { ...ORDER_SETTINGS, ...settings },
        pricing: await pricesOf(store, company),
        jobs,
        connection: {
          standing: async () => ({
            mode: one.mode,
            paused: one.paused,
            live: one.live ?? null,
            resumedAt: one.resumedAt,
          }),
          name: "erp",
          stoodStill: async () =>
            pausedAt === null ? still : [...still, { from: pausedAt, to: one.now }],
          answers: async () => [
            {
              connection: "erp",
              stream: "order-acknowledgements",
              lookedAt: one.lookedAt ?? one.now,
            },
            ...(one.ordersLookedAt === null
              ? []
              : [{ connection: "erp", stream: "erp-orders", lookedAt: one.ordersLookedAt }]),
          ],
          openSession: async () => {
            await one.erp.opens?.();
            return sessionOf(one.erp);
          },
        },
        outbound,
        invoices: (webOrders) => salesOf(store, company).documentsOf(webOrders),
        alarms: {
          raise: async (alarm) => void alarms.set(alarm.key, alarm),
          clear: async (key) => void alarms.delete(key),
          list: async () =>
            [...alarms.values()].map((alarm) => ({
              ...alarm,
              id: alarm.key,
              company,
              since: one.now,
              overAt: null,
              toldAt: one.now,
              untold: [],
            })),
        },
        now: () => one.now,
        log: () => undefined,
      }),
    };
    return one;
  }

  return {
    get store() {
      return database.store;
    },
    get jobs() {
      return jobs;
    },
    open: async (company, settings = {}, customer = {}) => {
      await pullGoods(database.store, company, customer);
      const one = await make(company, settings, farSide());
      opened.set(company, one);
      return one;
    },
    again: (company, settings = {}) =>
      make(company, settings, opened.get(company)?.erp ?? farSide()),
  };
}

async function pullGoods(
  store: Store,
  company: string,
  customer: Partial<Canonical<"customer">>,
): Promise<void> {
  await pull(store, company, "customer", [
    { account: "A1", name: "Ashby", ...customer },
    { account: "STOPPED", name: "Late Payers", onStop: true, stopReason: "overdue" },
  ]);
  await pull(store, company, "site", [{ account: "A1", site: "YARD", name: "The yard" }]);
  await pull(store, company, "product", [
    { product: "BRICK", name: "Brick" },
    { product: "SAND", name: "Sand", vatCode: "ZERO" },
  ]);
  await pull(store, company, "price-rule", [
    ruleOf("R1", "BRICK", "4.20"),
    ruleOf("R2", "SAND", "10"),
  ]);
}

function ruleOf(rule: string, productCode: string, value: string) {
  return {
    rule,
    customerScope: "everyone",
    productScope: "product",
    productCode,
    kind: "fixed",
    value,
  } as const;
}

async function pricesOf(store: Store, company: string): Promise<OrderPricing> {
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
  return orderPricing(pricing, settings);
}

/** The far side's word for an order or a change that it has. */
export const ACCEPTED = {
  kind: "accepted",
  erpOrder: "SO1",
  net: null,
  vat: null,
  evidence: "it says so",
} as const;

/** Two bricks and a bag of sand: 8.40 + 10.00 net, 1.68 VAT. */
export function body(more: object = {}) {
  return orderRequest.parse({
    account: "A1",
    lines: [
      { product: "BRICK", quantity: "2", unitPrice: "4.20" },
      { product: "SAND", quantity: "1", unitPrice: "10.00" },
    ],
    ...more,
  });
}

export const send = (orders: Orders, idempotencyKey: string, more: object = {}) =>
  orders.accept({ idempotencyKey, body: body(more), apiKey: "shop", test: false });

export function orderIn(result: AcceptResult) {
  if ("order" in result) return result.order;
  throw new Error(JSON.stringify(result.problem));
}

export const states = async (orders: Orders, number: string) =>
  (await orders.show(number)).events.map((event) => event.toState);
