/**
 * An instance of the service that sends webhooks and nothing else, until it is killed. Waits are
 * shorter by far than the service's, so that days pass in seconds.
 *
 *     DATABASE_URL=… node test/fault/webhook-sender.ts
 */
import { setTimeout as sleep } from "node:timers/promises";
import { openStore } from "../../src/store/index.ts";
import { openSending } from "./webhook-world.ts";

const store = await openStore({ url: process.env["DATABASE_URL"] ?? "" });
const webhooks = openSending(store, (line) => process.stderr.write(`${line}\n`));
process.stdout.write("begun\n");
for (;;) {
  await webhooks.work().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  await sleep(20);
}
