/** Work on many lines that lets others have their turn: prices are answered in the same process. */
import { setImmediate } from "node:timers/promises";

/** Milliseconds between two turns of others. */
const AT_ONCE = 2;
/** Lines between two looks at the clock. */
const LOOK = 8;

export async function inSlices<Each, Made>(
  all: readonly Each[],
  make: (each: Each) => Made,
): Promise<Made[]> {
  const made: Made[] = [];
  let since = performance.now();
  for (const [at, each] of all.entries()) {
    if (at % LOOK === 0 && performance.now() - since > AT_ONCE) {
      await setImmediate();
      since = performance.now();
    }
    made.push(make(each));
  }
  return made;
}
