/** Connectors that hand orders over wrongly; their streams are those of the healthy one. */
import type { OrdersCapability, Outcome, Session } from "../../../src/connector/index.ts";
import { connector as csv } from "../../../connectors/csv/index.ts";
import { rig as csvRig } from "../../../connectors/csv/simulator/conformance.ts";
import { opening, type Broken } from "./breaking.ts";

function ordering(
  breaks: string,
  how: string,
  change: (orders: OrdersCapability) => OrdersCapability,
): Broken {
  const changed = (session: Session): Session =>
    session.orders === undefined ? session : { ...session, orders: change(session.orders) };
  return opening(breaks, how, changed, []);
}

export const BROKEN_ORDERS: readonly Broken[] = [
  ordering("order-found", "it cannot tell that an order is not there", (orders) => ({
    ...orders,
    find: async (key) => {
      const found = await orders.find(key);
      return found.kind === "absent" ? { kind: "cannotTell", reason: "no answer" } : found;
    },
  })),
  ordering("order-once", "it places without looking", (orders) => ({
    ...orders,
    place: async (order) => {
      const found = await orders.find(order.key);
      const again = found.kind === "present" ? `${order.key} again` : order.key;
      return orders.place({ ...order, key: again });
    },
  })),
  ordering("order-refused", "it calls a refusal a doubt", (orders) => ({
    ...orders,
    place: async (order) => answered(await orders.place(order), "refused", "inDoubt"),
  })),
  ordering("order-in-doubt", "it calls a doubt a refusal", (orders) => ({
    ...orders,
    place: async (order) => answered(await orders.place(order), "inDoubt", "refused"),
  })),
  ordering("order-class", "it does not say how its search is to be believed", (orders) => ({
    ...orders,
    finding: "somehow" as never,
  })),
  ordering("order-given-up", "it listens to no signal", (orders) => ({
    ...orders,
    place: (order, call) =>
      call?.signal.aborted === true ? new Promise(() => {}) : orders.place(order),
  })),
  ordering("order-read-back", "it reads back what it does not have", (orders) => ({
    ...orders,
    status: async () => ({ kind: "absent" }),
  })),
  {
    // The stockroom has no drops: this one is a folder's.
    breaks: "order-taken-back",
    how: "it says that it took back what it left lying there",
    connector: {
      ...csv,
      open: async (settings, host) => {
        const session = await csv.open(settings as never, host);
        if (session.orders === undefined) return session;
        return { ...session, orders: { ...session.orders, takeBack: async () => "taken back" } };
      },
    },
    rig: csvRig,
  },
];

function answered(outcome: Outcome, from: Outcome["kind"], to: "inDoubt" | "refused"): Outcome {
  if (outcome.kind !== from) return outcome;
  return to === "inDoubt"
    ? { kind: to, evidence: "no good answer" }
    : { kind: to, reason: "no good answer" };
}
