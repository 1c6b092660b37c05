/** Work on many lines that lets others have their turn: prices are answered in the same process. */
import { setImmediate } from "node:timers/promises";

/** Lines between two turns of others: about a millisecond. */
const AT_ONCE = 100;

export async function inSlices<Each, Made>(
  all: readonly Each[],
  make: (each: Each) => Made,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const [at, each] of all.entries()) {
    if (at % AT_ONCE === AT_ONCE - 1) await setImmediate();
    made.push(make(each));
  }
  return made;
}
