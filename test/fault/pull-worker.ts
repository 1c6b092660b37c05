/**
 * The process that is killed while it pulls. Reads every stream of one company until nothing fails,
 * and ends with 0. Each batch of rows is a line on standard output.
 *
 *     node test/fault/pull-worker.ts settings.yaml COMPANY
 */
import { setTimeout as sleep } from "node:timers/promises";
import { readSettings } from "../../src/config.ts";
import { openTradepost } from "../../src/main.ts";

const MOST_TRIES = 60;
const [, , file = "", code = ""] = process.argv;

await using tradepost = await openTradepost(readSettings({ file }), { log: () => undefined });
const company = await tradepost.company(code);
for (let attempt = 1; ; attempt += 1) {
  const results = await company.sync("erp", {
    progress: ({ stream, rows }) => {
      process.stdout.write(`${stream} ${rows}\n`);
    },
  });
  const failed = results.filter(({ state }) => state !== "published" && state !== "unchanged");
  if (failed.every(({ state }) => state === "nothing")) break;
  const why = failed.map(({ stream, notes }) => `${stream}: ${notes.join(" ")}`).join("\n");
  process.stderr.write(`attempt ${attempt}: ${why}\n`);
  if (attempt === MOST_TRIES) process.exit(1);
  await sleep(50);
}
