/** Checks of handing over orders: found before placed, once whatever happens, four outcomes. */
import { setTimeout } from "node:timers/promises";
import type { FindingClass, OrdersCapability, Outcome as Answer } from "../contract.ts";
import { noteThrown, noting, short, trial, type Bench, type Trial } from "./bench.ts";
import { notHere, untried, type Check, type Outcome } from "./check.ts";
import type { RigOrders } from "./rig.ts";

const KEY = "WEB-CONFORMANCE-1";

export const ORDERING_CHECKS: readonly Check[] = [
  {
    id: "order-class",
    holds: "it says what a doubt may rest on, the same in each session",
    needsRig: true,
    run: (bench) => withOrders(bench, orderClass),
  },
  {
    id: "order-found",
    holds: "an order is absent before it is placed and present afterwards, in a new session too",
    needsRig: true,
    run: (bench) => withOrders(bench, orderFound),
  },
  {
    id: "order-once",
    holds: "placing an order again after a kill makes no second one",
    needsRig: true,
    run: (bench) => withOrders(bench, orderOnce),
  },
  {
    id: "order-refused",
    holds: "a refused order makes nothing, and its reason is told",
    needsRig: true,
    run: (bench) => withOrders(bench, orderRefused),
  },
  {
    id: "order-in-doubt",
    holds: "when the answer is lost the order is in doubt, and find() tells that it is there",
    needsRig: true,
    run: (bench) => withOrders(bench, orderInDoubt),
  },
  {
    id: "order-given-up",
    holds: "a call that the host has given up ends at once, and makes no more than one order",
    needsRig: true,
    run: (bench) => withOrders(bench, orderGivenUp),
  },
  {
    id: "order-read-back",
    holds: "what status() reads back of an accepted order is its number and what it comes to",
    needsRig: true,
    run: (bench) => withOrders(bench, orderReadBack),
  },
  {
    id: "order-taken-back",
    holds:
      "what nobody has taken can be taken back, and nothing of it is left; what was taken stays",
    needsRig: true,
    run: (bench) => withOrders(bench, orderTakenBack),
  },
];

interface Desk {
  readonly one: Trial;
  readonly rig: RigOrders;
  /** The capability of a session of its own. */
  readonly fresh: () => Promise<OrdersCapability>;
}

async function withOrders(bench: Bench, look: (desk: Desk) => Promise<Outcome>): Promise<Outcome> {
  return trial(bench, async (one) => {
    const fresh = async () => (await one.open()).session.orders;
    if ((await fresh()) === undefined) return notHere("it takes no orders");
    const rig = one.far.orders;
    if (rig === undefined) return untried("the rig has no `orders`");
    const desk = async () => {
      const orders = await fresh();
      if (orders === undefined) throw new Error("a second session takes no orders");
      return orders;
    };
    try {
      return await look({ one, rig, fresh: desk });
    } catch (error) {
      noteThrown(bench, "handing over an order", error);
      return [`it throws ${short(error)}`];
    }
  });
}

const CLASSES: ReadonlySet<string> = new Set<FindingClass>([
  "native-key",
  "searchable",
  "eventually-searchable",
  "file-drop",
]);

async function orderClass({ fresh }: Desk): Promise<Outcome> {
  const { finding, quietSeconds = 0 } = await fresh();
  const again = (await fresh()).finding;
  return [
    ...(CLASSES.has(finding)
      ? []
      : [`its finding is ${JSON.stringify(finding)}, and not one of ${[...CLASSES].join(", ")}`]),
    ...(again === finding ? [] : [`its finding is "${finding}", and then "${again}"`]),
    ...(Number.isFinite(quietSeconds) && quietSeconds >= 0
      ? []
      : [`its quietSeconds are ${String(quietSeconds)}`]),
  ];
}

const PLACED = new Set(["accepted", "handedOver"]);

async function orderFound({ rig, fresh }: Desk): Promise<Outcome> {
  const orders = await fresh();
  const before = await orders.find(KEY);
  if (before.kind !== "absent") return [`before it is placed, find() says "${before.kind}"`];
  const answer = await orders.place(rig.order(KEY));
  const wrong = answerFindings(answer);
  if (wrong !== null) return [wrong];
  if (!PLACED.has(answer.kind)) return [`a good order is answered "${answer.kind}"`];
  for (const desk of [orders, await fresh()]) {
    const after = await desk.find(KEY);
    if (after.kind !== "present") return [`after it was placed, find() says "${after.kind}"`];
  }
  return [];
}

/** An outcome that says what it must. */
function answerFindings(answer: Answer): string | null {
  switch (answer.kind) {
    case "accepted":
      return answer.erpOrder.trim() === "" ? "an accepted order has no number" : null;
    case "notNow":
      return answer.reason.trim() === "" ? "an order is put off without a reason" : null;
    case "refused":
      return answer.reason.trim() === "" ? "an order is refused without a reason" : null;
    case "handedOver":
    case "inDoubt":
      return answer.evidence.trim() === "" ? `"${answer.kind}" comes without evidence` : null;
    default:
      return `an order is answered "${JSON.stringify(answer satisfies never)}"`;
  }
}

async function orderOnce({ rig, fresh }: Desk): Promise<Outcome> {
  await (await fresh()).place(rig.order(KEY));
  const again = await (await fresh()).place(rig.order(KEY));
  const count = await rig.held(KEY);
  if (count !== 1) return [`placed twice with one key, the far side holds ${count} of it`];
  return again.kind === "refused" ? ["placed again, an order that is there is called refused"] : [];
}

async function orderRefused({ rig, fresh }: Desk): Promise<Outcome> {
  if (rig.refusable === undefined) return untried("the rig has no `refusable` order");
  const answer = await (await fresh()).place(rig.refusable(KEY));
  const count = await rig.held(KEY);
  if (answer.kind !== "refused") return [`an order to be refused is answered "${answer.kind}"`];
  return [
    ...(count === 0 ? [] : [`a refused order is there ${count} times`]),
    ...(answer.reason.trim() === "" ? ["it is refused without a reason"] : []),
  ];
}

async function orderInDoubt({ one, rig, fresh }: Desk): Promise<Outcome> {
  if ((await rig.loseAnswer?.()) !== true) return untried("the rig cannot `loseAnswer`");
  const orders = await fresh();
  const answer = await noting(one.bench, "placing an order whose answer is lost", () =>
    orders.place(rig.order(KEY)),
  );
  const found = await (await fresh()).find(KEY);
  const count = await rig.held(KEY);
  return [
    ...(answer.kind === "inDoubt" || PLACED.has(answer.kind)
      ? []
      : [`an order whose answer is lost is called "${answer.kind}"`]),
    ...(count === 1 ? [] : [`the far side holds ${count} of it`]),
    ...(found.kind === "present" ? [] : [`find() says "${found.kind}" of an order that is there`]),
  ];
}

const PROMPTLY_MS = 1_000;

async function orderGivenUp({ rig, fresh }: Desk): Promise<Outcome> {
  const orders = await fresh();
  const signal = AbortSignal.abort(new Error("given up by the host"));
  // However it ends: it may have done its work, or thrown, or say that it cannot tell.
  const placing = orders.place(rig.order(KEY), { signal }).then(
    () => "ended",
    () => "ended",
  );
  const late = setTimeout(PROMPTLY_MS, "late", { ref: false });
  if ((await Promise.race([placing, late])) === "late")
    return [`place() still runs ${PROMPTLY_MS} ms after it was given up`];
  const count = await rig.held(KEY);
  return count <= 1 ? [] : [`given up, it made ${count} orders`];
}

async function orderReadBack({ rig, fresh }: Desk): Promise<Outcome> {
  const orders = await fresh();
  if (orders.status === undefined) return notHere("it reads no orders back");
  const answer = await orders.place(rig.order(KEY));
  if (answer.kind !== "accepted") return untried(`a good order is answered "${answer.kind}"`);
  const back = await orders.status(KEY);
  if (back.kind !== "present" || back.outcome.kind !== "accepted")
    return [`status() says "${back.kind}" of an order that was accepted`];
  const { erpOrder, net } = back.outcome;
  return [
    ...(erpOrder === answer.erpOrder
      ? []
      : [`accepted as ${answer.erpOrder}, it is read back as ${erpOrder}`]),
    ...(net === null ? ["status() does not say what the order comes to"] : []),
  ];
}

const CANCELLED = "It was cancelled.";

async function orderTakenBack({ rig, fresh }: Desk): Promise<Outcome> {
  const orders = await fresh();
  if (orders.takeBack === undefined) return notHere("it takes nothing back");
  if (rig.take === undefined) return untried("the rig cannot `take`");
  await orders.place(rig.order(KEY));
  for (const desk of [orders, await fresh()])
    if ((await desk.takeBack?.(KEY, CANCELLED)) === null)
      return ["an order that nobody has taken is not taken back"];
  const left = await rig.held(KEY);
  if (left !== 0) return [`taken back, it is there ${left} times`];
  const after = await (await fresh()).find(KEY);
  if (after.kind !== "absent") return [`after it was taken back, find() says "${after.kind}"`];
  await orders.place(rig.order(KEY));
  await rig.take();
  const said = await (await fresh()).takeBack?.(KEY, CANCELLED);
  const held = await rig.held(KEY);
  return [
    ...(said === null ? [] : ["an order that was taken is said to be taken back"]),
    ...(held === 1 ? [] : [`dropped anew and taken, it is there ${held} times`]),
  ];
}
