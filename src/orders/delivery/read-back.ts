/** What the ERP made of an accepted order, read back at once and compared with what was agreed. */
import type { Found, OrdersCapability } from "../../connector/index.ts";
import type { Transaction } from "../../store/index.ts";
import { move, type Move, type OrderRow } from "../book.ts";
import { differencesOf, isDraft, isGivenUp } from "../compare.ts";
import { openTask } from "../tasks.ts";
import { calling } from "./calling.ts";
import { raiseDuplicate } from "./duplicate.ts";
import { postpone } from "./later.ts";
import { duplicated } from "./outcome.ts";
import { recorded } from "./record.ts";
import { askStatus, type Sender } from "./sender.ts";

type Said = Pick<Move, "event" | "about" | "reasons" | "set">;

export async function readBack(
  sender: Sender,
  capability: OrdersCapability,
  accepted: OrderRow,
): Promise<void> {
  const { context, lease } = sender;
  if (capability.status === undefined) return;
  const doing = `Reading order ${accepted.number} back`;
  const found = await calling(doing, context.settings.giveUpAfterSeconds, lease.lost, (call) =>
    askStatus(capability, accepted.number, call),
  ).catch((error: unknown): Found => ({ kind: "cannotTell", reason: String(error) }));
  await recorded(context, lease, `what was read back of ${accepted.number}`, async (tx, order) => {
    if (order.version !== accepted.version) return;
    const said = judgeReadBack(order, found);
    if (said === null) return again(sender, tx, order, found);
    const by = { who: "tradepost", at: context.now() } as const;
    const set = { ...said.set, nextAttemptAt: null };
    const moved = await move(tx, order, { ...by, ...said, set });
    if (found.kind === "several") await raiseDuplicate(context, tx, moved);
  });
}

/** Null: what was read back says nothing of it yet. */
export function judgeReadBack(order: OrderRow, found: Found): Said | null {
  if (found.kind === "several") return duplicated(order, found.documents, found.evidence);
  if (found.kind !== "present" || found.outcome.kind !== "accepted") return null;
  const held = found.outcome;
  if (isDraft(held)) return null;
  const reasons = [
    ...(order.erpOrder !== null && held.erpOrder.trim() !== order.erpOrder.trim()
      ? [`The ERP took it as order ${order.erpOrder}, and shows it as ${held.erpOrder}.`]
      : []),
    ...(isGivenUp(held.state) ? [`The ERP holds it as ${held.state ?? "cancelled"}.`] : []),
    ...differencesOf({ ...order.body, net: order.net, vat: order.vat }, held),
  ];
  const linesRead = order.linesRead || (held.lines ?? null) !== null;
  const set = { erpNet: held.net ?? order.erpNet, erpVat: held.vat ?? order.erpVat, linesRead };
  if (reasons.length > 0) return { event: "conflict", about: reasons[0] ?? "", reasons, set };
  // Without a sum nothing was compared.
  if (held.net === null) return null;
  const about = `Read back as ERP order ${held.erpOrder}: what was agreed is what the ERP holds.`;
  return { event: "confirm", about, reasons: [], set };
}

/** The search may lag; after too many tries the next pull, or a person, decides. */
async function again(
  { context }: Sender,
  tx: Transaction,
  order: OrderRow,
  found: Found,
): Promise<void> {
  if (order.attempts < context.settings.maxAttempts) return postpone(context, tx, order);
  const said = found.kind === "cannotTell" ? `cannotTell: ${found.reason}` : found.kind;
  await tx.affect(
    "update web_order set next_attempt_at = null where company = $1 and id = $2 and version = $3",
    [order.company, order.id, order.version],
  );
  await openTask(
    tx,
    order.company,
    {
      order: order.id,
      kind: "look",
      about: "It was accepted and cannot be read back",
      instruction: `Look in the ERP at order ${order.erpOrder ?? order.number} (${said}); a later pull confirms it by itself.`,
      amount: order.gross,
    },
    context.now(),
  );
}
