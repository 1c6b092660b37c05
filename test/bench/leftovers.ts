/** What a measured process that died leaves running: the database server of its data folder. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PATIENCE_MS = 10_000;

/** Ends the servers whose data is below the folder, and no others. */
export async function stopServersBelow(folder: string): Promise<void> {
  for await (const file of glob("**/postgres/postmaster.pid", { cwd: folder })) {
    const noted = await readFile(join(folder, file), "utf8").catch(() => "");
    const pid = Number(noted.split("\n")[0]);
    if (pid > 0) await stopServer(pid, folder);
  }
}

async function stopServer(pid: number, folder: string): Promise<void> {
  const runs = async () =>
    (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).includes(folder);
  const giveUpAt = performance.now() + PATIENCE_MS;
  // At once and without a last checkpoint: its files go next.
  if (await runs()) process.kill(pid, "SIGQUIT");
  while ((await runs()) && performance.now() < giveUpAt) await sleep(50);
}
