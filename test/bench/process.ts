/**
 * Processes of their own for what is measured: started here, ended by their id, never left behind.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const ROOT = join(import.meta.dirname, "../..");

export interface Child extends AsyncDisposable {
  readonly pid: number;
  running(): boolean;
  /** Lines of its standard output, each the JSON of a value; ends with the process. */
  readonly answers: AsyncIterator<unknown>;
  /** Writes a line of JSON to its standard input; disposing ends that input, and the child. */
  ask(value: unknown): void;
}

export interface ChildOptions {
  readonly arguments?: readonly string[];
  readonly node?: readonly string[];
  /** Beside the environment of the bench. */
  readonly environment?: Readonly<Record<string, string>>;
  /** True: it runs until a signal, as a service does; else until its input ends. */
  readonly service?: boolean;
}

type Started = ChildProcessByStdio<Writable, Readable, Readable>;

const children = new Set<Started>();
let stopping = false;

/** A TypeScript file in a process of its own, started as `npm run` starts one. */
export function startChild(file: string, options: ChildOptions = {}): Child {
  if (stopping) throw new Error("the bench was stopped");
  const started = spawn(
    process.execPath,
    [...(options.node ?? []), "src/launch.js", file, ...(options.arguments ?? [])],
    {
      cwd: ROOT,
      env: { ...process.env, ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const { pid } = started;
  if (pid === undefined) throw new Error(`${file} could not be started`);
  children.add(started);
  const ended = endOf(started, file);
  return {
    pid,
    running: () => started.exitCode === null && started.signalCode === null,
    answers: answersOf(started),
    ask: (value) => void started.stdin.write(`${JSON.stringify(value)}\n`),
    [Symbol.asyncDispose]: () => {
      if (options.service === true) started.kill("SIGTERM");
      started.stdin.end();
      return killLate(started, ended);
    },
  };
}

/** Ends what runs; what waits for its answer fails then, and is cleaned up as after any failure. */
export function stopChildren(): void {
  stopping = true;
  for (const child of children) child.kill("SIGTERM");
}

const TAIL = 4_000;

/** What it said on standard error is shown only when it failed. */
function endOf(child: Started, file: string): Promise<void> {
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-TAIL);
  });
  // A child that has ended takes no more questions; that it ended is told below.
  child.stdin.on("error", () => undefined);
  return new Promise((resolve) => {
    child.once("close", (code, signal) => {
      children.delete(child);
      if (code !== 0 && signal !== "SIGTERM")
        process.stderr.write(`${file} ended with ${code ?? signal}:\n${said}\n`);
      resolve();
    });
  });
}

async function* answersOf(child: Started): AsyncGenerator {
  for await (const line of createInterface({ input: child.stdout }))
    if (line.startsWith("{")) yield JSON.parse(line) as unknown;
}

/** The next answer, in the shape that the file of the child says it gives. */
export async function answer<Value>(child: Child): Promise<Value> {
  const { done, value } = await child.answers.next();
  if (done === true)
    throw new Error(
      stopping ? "the bench was stopped" : "a measured process ended without its answer",
    );
  return value as Value;
}

const PATIENCE_MS = 20_000;

async function killLate(child: Started, ended: Promise<void>): Promise<void> {
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  await ended;
  clearTimeout(timer);
}

/** In a child: what the parent asks. */
export async function* asked(): AsyncGenerator {
  for await (const line of createInterface({ input: process.stdin }))
    yield JSON.parse(line) as unknown;
}

/** In a child: an answer to the parent. */
export function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
