/**
 * A process of its own that opens a data folder, says "ready" and its server's start, and stays.
 */
import { openStore } from "../../src/store/index.ts";

const [dataFolder = "", role] = process.argv.slice(2);
const store = await openStore({ dataFolder, service: role === "service", migrate: false });
const [row] = await store.query<{ at: Temporal.Instant }>(
  "SELECT pg_postmaster_start_time() AS at",
);
console.log(`ready ${row?.at.toString()}`);
process.stdin.resume();
process.stdin.once("end", () => {
  void store.close();
});
