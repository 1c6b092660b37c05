/** Waits as the service does until it is asked to stop, and says so. */
import { stopSignal } from "../../src/main.ts";

const alive = setInterval(() => undefined, 1_000);
process.stdout.write(`waits as ${process.pid}\n`);
await stopSignal();
process.stdout.write("was asked to stop\n");
clearInterval(alive);
