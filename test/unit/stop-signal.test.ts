/** The service stops when npm is told to, though npm's shell keeps the signal to itself. */
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";

const ROOT = resolve(import.meta.dirname, "..", "..");

/** The service's waiting below a shell, as npm starts it or as a person does. */
async function waiting(env: Readonly<Record<string, string>>) {
  const { npm_lifecycle_event: _, ...others } = process.env;
  const command = `"${process.execPath}" src/launch.js test/support/wait-for-stop.ts; true`;
  const shell = spawn("sh", ["-c", command], {
    cwd: ROOT,
    env: { ...others, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  shell.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const pid = await vi.waitFor(
    () => Number(/waits as (\d+)/.exec(said)?.[1] ?? failed(said)),
    10_000,
  );
  onTestFinished(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  });
  return { shell, pid, said: () => said };
}

function failed(said: string): never {
  throw new Error(`It does not wait yet: ${said}`);
}

test("the end of npm's shell stops the service", async () => {
  const { shell, said } = await waiting({ npm_lifecycle_event: "tradepost" });
  shell.kill("SIGTERM");
  await vi.waitFor(() => expect(said()).toContain("was asked to stop"), 5_000);
});

test("a service that was started without npm outlives its shell, and stops at a signal", async () => {
  const { shell, pid, said } = await waiting({});
  shell.kill("SIGTERM");
  await new Promise((later) => setTimeout(later, 1_200));
  expect(said()).not.toContain("was asked to stop");
  process.kill(pid, "SIGTERM");
  await vi.waitFor(() => expect(said()).toContain("was asked to stop"), 5_000);
});
