/** `schedule` and `alarms` as a person types them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { SETTINGS, useTradepost } from "../support/tradepost.ts";

const tradepost = useTradepost();
let settings = "";

beforeAll(() => {
  const text = readFileSync(join(tradepost.folder, SETTINGS), "utf8");
  const schedules = "schedules: { nightly: { cron: 15 6 * * 1-5, streams: [price-rules] } }";
  const wanted = "alarms: { webhook: { url: http://127.0.0.1:64999/hooks/T0PSECRET } }";
  settings = tradepost.settings(
    "scheduled.yaml",
    text
      .replace(/^( +)connector: csv$/m, `$1${schedules}\n$1connector: csv`)
      .replace(/^( +)connections:$/m, `$1${wanted}\n$1connections:`),
  );
});

const run = (...words: string[]) => tradepost.run(["--settings", settings, ...words]);

it("lists schedules, pauses and resumes them with who did it", async () => {
  const listed = await run("schedule");
  expect(listed.out).toMatch(/^erp\/nightly +15 6 \* \* 1-5 +Europe\/London +pull: price-rules /m);
  const paused = await run("schedule", "pause", "erp", "--who", "J Ross");
  expect(paused.out).toBe(
    "Paused: erp, by J Ross. What runs ends; what is due meanwhile is caught up once.\n",
  );
  expect((await run("schedule", "list")).out).toMatch(/paused by J Ross since \d\d\/\d\d\/\d{4}/);
  const refused = await run("schedule", "run-now", "erp/nightly", "--who", "J Ross");
  expect([refused.exit, refused.err]).toEqual([
    2,
    "erp/nightly is paused by J Ross: `tradepost schedule resume erp --who NAME` first, or read it by hand with `tradepost sync`.\n",
  ]);
  const resumed = await run("schedule", "resume", "erp", "--who", "A Stone");
  expect(resumed.out).toBe("Resumed: erp, by A Stone.\n");
});

it("asks for a slot now, and shows in the history who did", async () => {
  const asked = await run("schedule", "run-now", "erp/nightly", "--who", "J Ross");
  expect(asked.out).toContain("erp/nightly starts when a service runs");
  expect(asked.out).toContain("No service runs: none was ever seen; 1 slot is due.");
  for (const words of [["status"], ["schedule"]])
    expect((await run(...words)).out).toContain("No service runs: none was ever seen; 1 slot");
  const shown = await run("schedule", "history", "erp/nightly");
  expect(shown.out).toMatch(/^erp\/nightly .* waiting .* asked by J Ross$/m);
  const wrong = await run("schedule", "history", "erp/nigthly");
  expect([wrong.exit, wrong.err]).toEqual([
    2,
    expect.stringContaining("Did you mean erp/nightly?") as string,
  ]);
});

it("sends a trial alarm through every channel, and says what each met, without the address", async () => {
  const tried = await run("alarms", "test", "--who", "J Ross");
  expect(tried.exit).toBe(1);
  expect(tried.out).toMatch(
    /^webhook +127\.0\.0\.1:64999 +127\.0\.0\.1:64999 cannot be reached: \w+$/m,
  );
  expect(tried.out + tried.err).not.toContain("T0PSECRET");
  expect((await run("alarms")).out).toBe("No alarm holds.\n");
});

it("checks schedules with their next three times", async () => {
  const checked = await run("check");
  expect(checked.out).toMatch(/alarms\.webhook\.url +http:\/\/127\.0\.0\.1:64999\/… /);
  expect(checked.out).not.toContain("T0PSECRET");
  expect(checked.out).toMatch(
    /^✓ schedule erp\/nightly: 15 6 \* \* 1-5 \(Europe\/London\): next (?:\d\d\/\d\d\/\d{4} 06:15(?:, )?){3}$/m,
  );
});

it("makes a webhook whose secret it shows once, tries it, and shows what happened to orders", async () => {
  const tell = [
    "webhooks",
    "add",
    "https://127.0.0.1:1/hook",
    "--who",
    "J Ross",
    "--why",
    "new shop",
  ];
  const refused = await run(...tell);
  expect([refused.exit, refused.err]).toEqual([
    1,
    "A webhook cannot go to 127.0.0.1:1: it names the address 127.0.0.1 and no host, which is refused " +
      "unless webhooks.allow of the settings names 127.0.0.1.\n",
  ]);
  const allowing = tradepost.settings(
    "allowing.yaml",
    readFileSync(settings, "utf8").replace(
      /^( +)connections:$/m,
      "$1webhooks: { allow: [127.0.0.1] }\n$&",
    ),
  );
  const allowed = (...words: string[]) => tradepost.run(["--settings", allowing, ...words]);
  const made = await allowed(...tell, "--types", "order.*");
  expect(made.out).toMatch(/^secret +whsec_\S{44}$/m);
  const id = /^webhook +(\S+)$/m.exec(made.out)?.[1] ?? "";
  const tried = await allowed("webhooks", "test", id.slice(-6));
  expect([tried.exit, tried.out]).toEqual([1, "Not taken: nobody listens there (ECONNREFUSED).\n"]);
  expect((await allowed("webhooks")).out).toMatch(/ 127\.0\.0\.1:1 +order\.\* +enabled +– +0 +0$/m);
  expect((await run("orders", "changes", "--limit", "1")).out).toBe("Nothing happened after 0.\n");
});
