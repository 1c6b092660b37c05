/** A worker's process: started, heard, and killed at the moment that it was aimed at. */
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Mark } from "./worker.ts";
import type { World } from "./world.ts";

/** Said with the moment, in milliseconds since the process was started. */
export type Heard = Mark & { readonly at: number };

/** When to strike: a while after a mark, or at the n-th file that appears in `orders/`. */
export type Aim =
  | { readonly kind: string; readonly after: string; readonly delayMs: number }
  | { readonly kind: string; readonly file: number; readonly delayMs: number };

export interface Ended {
  /** How it ended by itself; null: it was killed. */
  readonly code: number | null;
  readonly marks: readonly Heard[];
  /** What it wrote to standard error, the last of it. */
  readonly complaints: readonly string[];
  readonly seconds: number;
}

export interface RunOptions {
  readonly aim: Aim | null;
  /** What happens at the aimed moment; the worker's own end when not said. */
  readonly strike?: () => Promise<void>;
}

/** Longest that a worker may take for a day's work. */
const PATIENCE_MS = 240_000;
const WORKER = join(import.meta.dirname, "worker.ts");

/** Processes that run now: whoever is told to stop ends them by their ids. */
export const running = new Set<number>();

export async function runWorker(
  world: World,
  task: string,
  { aim, strike }: RunOptions,
): Promise<Ended> {
  const since = performance.now();
  const { DATABASE_URL: _given, ...environment } = process.env;
  const child = spawn(process.execPath, [WORKER, task], {
    env: {
      ...environment,
      ...(world.databaseUrl === null ? {} : { DATABASE_URL: world.databaseUrl }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the worker could not be started");
  running.add(pid);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", (code) => resolve(code));
  });
  const hit = new AbortController();
  const timeout = new AbortController();
  const marks: Heard[] = [];
  const complaints: string[] = [];
  let files = 0;
  const fire = async (delayMs: number) => {
    if (hit.signal.aborted) return;
    hit.abort();
    if (delayMs > 0) await sleep(delayMs);
    if (strike === undefined) kill(pid);
    else await strike();
  };
  createInterface(child.stdout).on("line", (line) => {
    const mark = JSON.parse(line) as Mark;
    marks.push({ ...mark, at: performance.now() - since });
    if (aim !== null && "after" in aim && aim.after === mark.name) void fire(aim.delayMs);
  });
  createInterface(child.stderr).on("line", (line) => {
    if (complaints.push(line) > 400) complaints.shift();
  });
  const watcher = watch(join(world.folder, "erp", "orders"), () => {
    files += 1;
    if (aim !== null && "file" in aim && aim.file === files) void fire(aim.delayMs);
  });
  const tooLong = sleep(PATIENCE_MS, "late", { signal: timeout.signal }).catch(() => "ended");
  try {
    const first = await Promise.race([ended, tooLong]);
    if (first === "late") {
      kill(pid);
      complaints.push(`It did not end within ${PATIENCE_MS / 1000} s and was stopped.`);
      await ended;
      return { code: -1, marks, complaints, seconds: secondsSince(since) };
    }
    return { code: await ended, marks, complaints, seconds: secondsSince(since) };
  } finally {
    timeout.abort();
    watcher.close();
    running.delete(pid);
  }
}

/** `kill -9`, and of this one process alone. */
export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself just before.
  }
}

function secondsSince(since: number): number {
  return (performance.now() - since) / 1000;
}
