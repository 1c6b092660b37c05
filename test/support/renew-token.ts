/**
 * Begins to renew a token in a process of its own, says so, and never ends: for tests that kill it.
 * Arguments: the database's address, how long its turn lasts in seconds.
 */
import { readKeys } from "../../src/connections/keys.ts";
import { tokenStore } from "../../src/connections/tokens.ts";
import { openStore } from "../../src/store/index.ts";

const [url = "", seconds = ""] = process.argv.slice(2);
const store = await openStore({ url, migrate: false, connections: 1 });
const tokens = tokenStore({
  store,
  company: "HARROW",
  connection: "erp",
  now: () => Temporal.Now.instant(),
  keys: () => readKeys("an old key of more than 24 characters", null),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  learnt: () => undefined,
  leaseSeconds: Number(seconds),
});
await tokens.alone("killed", async () => {
  await tokens.write("killed", "the intent", await tokens.read("killed"));
  process.stdout.write("renewing\n");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
