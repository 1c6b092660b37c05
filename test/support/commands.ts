/**
 * Runs commands of Tradepost and tells how each ended, in a process that is started once: loading
 * the program takes several times as long as most commands do.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { resolve } from "node:path";
import type { CommandCall } from "./command-process.ts";

export const ROOT = resolve(import.meta.dirname, "..", "..");

export interface Said {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

type Env = Readonly<Record<string, string | undefined>>;

export interface Commands {
  /** In the process that stays, or in one of its own while another command is in that. */
  run(words: readonly string[], env: Env): Promise<Said>;
  /** In a process of its own, left running. */
  begin(words: readonly string[], env: Env): ChildProcess;
  close(): Promise<void>;
}

export function openCommands(): Commands {
  let staying: ChildProcess | undefined;
  let busy = false;
  const begin: Commands["begin"] = (words, env) =>
    spawn(process.execPath, ["src/launch.js", "src/cli.ts", ...words], { cwd: ROOT, env });
  const run: Commands["run"] = async (words, env) => {
    if (busy) return outcome(begin(words, env));
    busy = true;
    staying ??= stay(env);
    const said = await sayOf(staying, { words, env, mark: `\0${randomUUID()} ` });
    // A command may end its process itself; the next one has another.
    if (!staying.connected) staying = undefined;
    busy = false;
    return said;
  };
  const close = async () => {
    if (staying === undefined) return;
    const ended = once(staying, "exit");
    staying.disconnect();
    await ended;
  };
  return { run, begin, close };
}

function stay(env: Env): ChildProcess {
  const words = ["src/launch.js", "test/support/command-process.ts"];
  return spawn(process.execPath, words, { cwd: ROOT, env, stdio: ["pipe", "pipe", "pipe", "ipc"] });
}

/** What a process says until it ends. */
export function outcome(child: ChildProcess): Promise<Said> {
  return new Promise((done, fail) => {
    const said = listen(child);
    child.once("error", fail);
    child.once("close", (exit) => {
      done({ exit, ...said.stop() });
    });
  });
}

/** What a process that stays says until this command has ended, or has ended the process. */
function sayOf(child: ChildProcess, call: CommandCall): Promise<Said> {
  return new Promise((done, fail) => {
    const end = (exit: number | null) => {
      child.off("error", fail).off("close", end);
      const { out, err } = said.stop();
      const [shown = "", code] = out.split(call.mark);
      done({ exit: code === undefined ? exit : Number(code), out: shown, err: cut(err) });
    };
    const cut = (err: string) => err.split(call.mark)[0] ?? "";
    const said = listen(child, ({ out, err }) => {
      if (err.endsWith(call.mark) && out.endsWith("\n") && out.includes(call.mark)) end(null);
    });
    child.once("error", fail).once("close", end);
    child.send(call);
  });
}

interface Heard {
  readonly out: string;
  readonly err: string;
}

function listen(child: ChildProcess, heard?: (said: Heard) => void): { stop(): Heard } {
  const said = { out: "", err: "" };
  const add = (name: "out" | "err") => (text: string) => {
    said[name] += text;
    heard?.(said);
  };
  const [out, err] = [add("out"), add("err")];
  child.stdout?.setEncoding("utf8").on("data", out);
  child.stderr?.setEncoding("utf8").on("data", err);
  const stop = () => {
    child.stdout?.off("data", out);
    child.stderr?.off("data", err);
    return said;
  };
  return { stop };
}
