/**
 * A process that runs one command of Tradepost after another, each as `npm run tradepost` would:
 * `src/cli.ts` is evaluated anew with the command's own words and environment, so that only what it
 * imports stays loaded between them. Started by `commands.ts`.
 *
 * A command has ended when nothing keeps the process alive any longer, as it would end by itself:
 * one that leaves a connection, a timer or a server open is never told as ended.
 */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** A command to run; `mark` is told at the end of both outputs. */
export interface CommandCall {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly mark: string;
}

const PROGRAM = resolve(import.meta.dirname, "..", "..", "src", "cli.ts");
/** What Node ends with when a module waits for what can never come. */
const NEVER_SETTLED = 13;
/** What the program listens to for as long as its process lives. */
const ITS_EVENTS = ["uncaughtException", "SIGINT", "SIGTERM"] as const;

process.on("message", (message) => void run(message as CommandCall));
// Whoever gave the commands is gone.
process.once("disconnect", () => process.exit(1));

async function run({ words, env, mark }: CommandCall): Promise<void> {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, PROGRAM, ...words];
  process.exitCode = undefined;
  let settled = false;
  process.channel?.unref();
  process.once("beforeExit", (code) => {
    process.channel?.ref();
    for (const event of ITS_EVENTS) process.removeAllListeners(event);
    process.stdout.removeAllListeners("error");
    process.stderr.write(mark);
    process.stdout.write(`${mark}${settled ? code : NEVER_SETTLED}\n`);
  });
  await import(`${pathToFileURL(PROGRAM).href}?${randomUUID()}`);
  settled = true;
}
