/** When the service is asked to stop: by a signal, or by the end of the npm that started it. */
import { isUnderNpm } from "../config.ts";

/** Under npm, the shell between npm and us. */
const PARENT = process.ppid;
const LOOK_MS = 500;

/**
 * npm hands a signal to its shell, and that shell ends without handing it on: then the end of the
 * shell is the signal. Whoever starts us without npm may end and leave us running.
 */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        resolve();
      });
    if (!isUnderNpm()) return;
    const timer = setInterval(() => {
      if (process.ppid === PARENT) return;
      clearInterval(timer);
      resolve();
    }, LOOK_MS);
    timer.unref();
  });
}
