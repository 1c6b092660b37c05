/** The web orders of a company, wired to its prices and to the connection that takes them. */
import type { Context } from "../company.ts";
import { durationSeconds, type ConnectionSettings } from "../config.ts";
import type { Connection } from "../connections/index.ts";
import type { Session } from "../connector/index.ts";
import type { Outbound } from "../mapping/index.ts";
import { openOrders, type Orders } from "../orders/index.ts";
import type { Pricing } from "../pricing/index.ts";
import type { Sales } from "../sales/index.ts";
import { looksAt, quarantinedNames } from "../sync/index.ts";
import { answersOf } from "./answers.ts";
import { connectionNamed } from "./not-named.ts";
import { orderPricing } from "./order-prices.ts";
import type { Parts } from "./pulls.ts";

export function ordersOf(
  context: Context,
  {
    code,
    settings,
    pricing,
    connect,
    sets,
    standings,
    sales,
    alarms,
    owned,
  }: Parts & {
    readonly pricing: Pricing;
    readonly sales: Sales;
  },
): Orders {
  const { store, jobs, now, log, access } = context;
  const name = settings.orders.connection;
  const entry = connectionNamed(code, settings, name);
  const outbound = outboundOf(context, code, entry, sets);
  return openOrders({
    store,
    company: code,
    settings: {
      ...settings.orders,
      currency: settings.currency,
      country: settings.country,
      timeZone: settings.timeZone,
      rounding: { scale: 2, mode: "half-away" },
      leaseSeconds: context.settings.leaseSeconds,
      deskWithinSeconds: durationSeconds(settings.orders.deskWithin),
    },
    pricing: orderPricing(pricing, settings),
    jobs,
    connection: {
      standing: () => standings.of(name, entry.mode),
      name,
      stoodStill: (since) => standings.stoodStill(name, since),
      liveAt: (order) => standings.liveAt(order),
      answers: () => looksAt(store, code, answersOf(settings, owned)),
      unusable: (numbers) => quarantinedNames(store, code, answersOf(settings, owned), numbers),
      openSession: async () => closingAll(await connect(name)),
    },
    outbound,
    now,
    log,
    alarms,
    ...(access === undefined ? {} : { audit: access.audit }),
    invoices: (webOrders) => sales.documentsOf(webOrders),
  });
}

/** Closing the session ends everything that its connection still does. */
function closingAll(connection: Connection): Session {
  return new Proxy(connection.session, {
    get: (session, name) =>
      name === Symbol.asyncDispose
        ? () => connection[Symbol.asyncDispose]()
        : (Reflect.get(session, name) as unknown),
  });
}

/** Where nothing is handed over, a mapping set may do without a web-order.yaml. */
function outboundOf(
  { settings }: Context,
  code: string,
  { mode, mappings }: ConnectionSettings,
  sets: Parts["sets"],
): Outbound {
  const outbound = sets.get(mappings)?.outbound;
  if (outbound !== null && outbound !== undefined) return outbound;
  const missing = settings.wrong({
    path: ["companies", code, "orders", "connection"],
    found: `a connection whose mapping set "${mappings}" has no web-order.yaml`,
    expected: "one whose mapping set says how an order is written, or one with mode: read-only",
  });
  if (mode !== "read-only") throw missing;
  const render = () => {
    throw missing;
  };
  const none = { file: "", id: "", version: "", about: "", tables: [] };
  return { ...none, carriesDiscount: true, carriesPayment: true, render };
}
