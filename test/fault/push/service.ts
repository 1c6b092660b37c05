/** Real services, killed and started again: each a place that one process after another holds. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { kill, running } from "../child.ts";

const ROOT = resolve(import.meta.dirname, "..", "..", "..");
/** A service that does not answer by then will not. */
const START_MS = 60_000;

export interface Service {
  /** Where it answers; null: it is down or still starting. */
  url(): string | null;
  /** Ready, or ended before it was. */
  ready(): Promise<unknown>;
  /** `kill -9`, and returns when the process is gone. */
  kill(): Promise<void>;
  /** Once more, after it was killed. */
  start(): void;
  stop(): Promise<void>;
  /** Seconds from start to answering, of each start that was not killed meanwhile. */
  readonly starts: readonly number[];
  /** It ended by itself: what it said last. */
  readonly crashes: readonly string[];
}

export function openService(settingsFile: string, databaseUrl: string): Service {
  const starts: number[] = [];
  const crashes: string[] = [];
  let current: Running | null = null;
  const start = () => {
    const one = run(settingsFile, databaseUrl, starts);
    current = one;
    void one.ended.then((code) => {
      if (!one.wanted) crashes.push(`ended with ${code}: ${one.complaints.slice(-10).join("\n")}`);
    });
  };
  start();
  return {
    starts,
    crashes,
    start,
    url: () => current?.url ?? null,
    ready: () => Promise.race([current?.ready, current?.ended]),
    kill: () => end(current, "SIGKILL"),
    stop: () => end(current, "SIGTERM"),
  };
}

interface Running {
  readonly pid: number;
  url: string | null;
  /** Its end is our doing. */
  wanted: boolean;
  readonly ready: Promise<void>;
  readonly ended: Promise<number | null>;
  readonly complaints: readonly string[];
}

function run(settingsFile: string, databaseUrl: string, starts: number[]): Running {
  const began = performance.now();
  const child = spawn(process.execPath, ["src/launch.js", "src/main.ts", settingsFile], {
    cwd: ROOT,
    env: { ...process.env, DATABASE_URL: databaseUrl },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 0,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("a service could not be started");
  running.add(pid);
  const complaints: string[] = [];
  createInterface(child.stderr).on("line", (line) => {
    if (complaints.push(line) > 200) complaints.shift();
  });
  const ended = once(child, "close").then(([code]) => {
    running.delete(pid);
    one.url = null;
    return code as number | null;
  });
  const { promise: ready, resolve: answered } = Promise.withResolvers<void>();
  const late = setTimeout(() => kill(pid), START_MS);
  createInterface(child.stdout).once("line", (line) => {
    clearTimeout(late);
    starts.push((performance.now() - began) / 1000);
    one.url = /http:\S+/.exec(line)?.[0] ?? null;
    answered();
  });
  const one: Running = { pid, url: null, wanted: false, ready, ended, complaints };
  return one;
}

async function end(one: Running | null, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
  if (one === null) return;
  one.wanted = true;
  one.url = null;
  if (signal === "SIGKILL") kill(one.pid);
  else process.kill(one.pid, signal);
  await one.ended;
}
