/** Whatever acts on an order at the far side looks first at what was pulled of it. */
import type { OrderRow } from "../book.ts";
import { judgeFromPulled } from "../seen.ts";
import { moveAsSeen } from "./duplicate.ts";
import { fenced } from "./record.ts";
import type { Sender } from "./sender.ts";

/** True: it says something new, and the order is what it says; or somebody moved it meanwhile. */
export async function movedAsPulled({ context, lease }: Sender, order: OrderRow): Promise<boolean> {
  const known = await judgeFromPulled(context, order);
  if (known === null) return false;
  await fenced(context, lease, (tx, now) =>
    now.version === order.version ? moveAsSeen(context, tx, now, known) : Promise.resolve(now),
  );
  return true;
}
