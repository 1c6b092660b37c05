/** Where the settings wish one thing of a connection, and what is recorded of it says another. */
import type { Mode, Standings } from "../connections/index.ts";
import { momentText } from "../model/index.ts";

export interface Contradiction {
  readonly about: string;
  readonly instruction: string;
}

interface Asked {
  readonly name: string;
  /** As the settings have it. */
  readonly wished: Mode;
  readonly timeZone: string;
}

/** Of the connection that takes the orders; null: the two agree. */
export async function contradictionOf(
  standings: Standings,
  { name, wished, timeZone }: Asked,
): Promise<Contradiction | null> {
  const live = await standings.goLive(name);
  if (wished === "live") return live === null ? notRecorded(name) : null;
  if (live === null) return null;
  const went = `${name} went live ${momentText(live.at, timeZone)}, by ${live.who}, and nobody has undone that`;
  const undo = `tradepost go-live ${name} --undo --who NAME --why WHY`;
  return wished === "shadow"
    ? {
        about: `${went}, while the settings have it in shadow: orders are held for a person, neither sent nor shadowed.`,
        instruction: `To have them shadowed: ${undo}. To have them sent: mode: live.`,
      }
    : {
        about: `${went}, while the settings have it read-only: orders wait, and are sent as soon as the settings say live, whether staff have keyed them meanwhile or not.`,
        instruction: `For a pause: mode: live, and tradepost maintenance on ${name} --who NAME --why WHY. Where staff key the orders: ${undo}.`,
      };
}

/** The settings wish what nobody has recorded yet. */
function notRecorded(name: string): Contradiction {
  return {
    about:
      `The settings say that ${name} is live, and no checklist is recorded for it: it is in shadow, ` +
      "so web orders are taken, written and compared, and none is handed over.",
    instruction: `Go through the checklist: tradepost go-live ${name}.`,
  };
}
