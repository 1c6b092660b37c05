/** When something is tried again. */
import { createHash } from "node:crypto";

export interface Patience {
  /** Before the first new try. */
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

const MOST_DOUBLINGS = 20;

/**
 * Twice as long each time, up to the longest, and up to half as long again: spread by the order's
 * own id, so that orders which failed together do not come back together.
 */
export function waitSeconds(id: string, tries: number, patience: Patience): number {
  const doublings = Math.min(Math.max(0, tries - 1), MOST_DOUBLINGS);
  const seconds = Math.min(patience.longestSeconds, patience.firstSeconds * 2 ** doublings);
  const spread = createHash("sha256").update(`${id}/${tries}`).digest().readUInt16BE() / 65_536;
  return seconds * (1 + spread / 2);
}
