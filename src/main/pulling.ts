/**
 * A pull in a process of its own: reading and mapping a large file holds up no answer of the API,
 * its memory is given back when it ends, and what kills it kills nothing else. It has the service's
 * environment, so no secret stands on its command line, and it attaches to the service's database.
 */
import { fork, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { CompanyServices, Context } from "../company.ts";
import type { Settings } from "../config.ts";
import type { Log } from "../connections/index.ts";
import { ConnectorFault, type FaultKind, type Json } from "../connector/index.ts";
import type { Progress, RunResult } from "../sync/index.ts";

type SyncOptions = Parameters<CompanyServices["sync"]>[1];

/** What to pull, as it travels to the process. */
export interface PullRequest {
  readonly company: string;
  readonly connection: string;
  readonly options: Omit<SyncOptions, "progress" | "signal">;
}

export interface PullApart {
  /** Aborted: the pull stops at its next safe point, and what it has read is kept. */
  readonly signal?: AbortSignal;
  readonly progress?: (progress: Progress) => void;
  readonly log: Log;
  readonly now: () => Temporal.Instant;
}

/** What the process is told. */
export type PullOrder =
  | {
      readonly kind: "pull";
      readonly request: PullRequest;
      readonly file: string;
      readonly databaseUrl: string | null;
      /** The service's clock against the machine's, in milliseconds. */
      readonly aheadMs: number;
    }
  | { readonly kind: "stop" };

/** What it says. */
export type PullNews =
  | { readonly kind: "progress"; readonly progress: Progress }
  | {
      readonly kind: "log";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly facts: Readonly<Record<string, Json>>;
    }
  | { readonly kind: "done"; readonly results: readonly RunResult[]; readonly peakMb: number }
  | { readonly kind: "failed"; readonly fault: PullFault };

/** An error as it travels; the last three are those of a connector's fault. */
export interface PullFault {
  readonly name: string;
  readonly message: string;
  readonly kind?: FaultKind;
  readonly instruction?: string;
  readonly retryAt?: string;
}

/** The pull's process failed, or was ended by something else than us. */
export class PullFailed extends Error {
  override readonly name = "PullFailed";
}

/** A pull that is told to stop and has not by then is ended. */
const PATIENCE_MS = 60_000;

/**
 * How Node is to manage the memory of a pull: nearly all that it allocates dies at once, so that a
 * larger young space only makes the process larger.
 */
export const PULL_MEMORY = ["--max-semi-space-size=16", "--max-old-space-size=384"];

const TAIL = 2_000;

/**
 * Pulls in a process of its own and answers as `company.sync` does. Rejects with a
 * `ConnectorFault` of the pull, or with `PullFailed` when the process ends without an answer:
 * nothing half done is visible then, and whoever asked may ask again.
 */
export async function pullApart(
  settings: Settings,
  request: PullRequest,
  apart: PullApart,
): Promise<RunResult[]> {
  apart.signal?.throwIfAborted();
  const root = join(import.meta.dirname, "..");
  const child = fork(join(root, "launch.js"), [join(root, "main", "pull-process.ts")], {
    execArgv: PULL_MEMORY,
    serialization: "json",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  using _stop = stopOnAbort(child, apart.signal);
  const { now } = apart;
  const aheadMs = now().since(Temporal.Now.instant()).total("milliseconds");
  const { file, databaseUrl } = settings;
  send(child, { kind: "pull", request, file, databaseUrl, aheadMs });
  return await answerOf(child, request, apart);
}

/** How many an instance runs at a time of those that are due, and of those that were asked for. */
export const PULLS = 3;

/** Pulls as the service does: each in a process of its own; `apart` false: right here. */
export function pullFor(
  { settings, log, now }: Context,
  services: CompanyServices,
  apart: boolean,
) {
  return (
    connection: string,
    options: PullRequest["options"],
    told: Pick<PullApart, "signal" | "progress">,
  ): Promise<RunResult[]> =>
    apart
      ? pullApart(settings, { company: services.code, connection, options }, { ...told, log, now })
      : services.sync(connection, { ...options, ...told });
}

function answerOf(
  child: ChildProcess,
  { company, connection }: PullRequest,
  { progress, log }: PullApart,
): Promise<RunResult[]> {
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-TAIL);
  });
  return new Promise((resolve, reject) => {
    child.on("message", (message) => {
      const news = message as PullNews;
      if (news.kind === "progress") progress?.(news.progress);
      else if (news.kind === "log") log(news.level, news.message, news.facts);
      else if (news.kind === "done") resolve(news.results.map(withInstant));
      else reject(faultOf(news.fault));
    });
    child.once("error", reject);
    // After an answer this says nothing new: a promise is settled once.
    child.once("close", (code, signal) => {
      reject(
        new PullFailed(
          `Pulling ${connection} of ${company}: its process ended with ${signal ?? `exit code ${code}`} ` +
            `before it was done${whyOf(said)}. What it had not published is not visible; the next pull goes on.`,
        ),
      );
    });
  });
}

/** What a process that dies says last is seldom its reason; these lines are. */
function whyOf(said: string): string {
  const line = /^.*(?:FATAL ERROR|Error:).*$/m.exec(said)?.[0].trim();
  return line === undefined ? "" : ` (${line})`;
}

function faultOf({ name, message, kind, instruction, retryAt }: PullFault): Error {
  if (kind !== undefined && instruction !== undefined)
    return new ConnectorFault(
      kind,
      message,
      instruction,
      retryAt === undefined ? {} : { retryAt: Temporal.Instant.from(retryAt) },
    );
  const failed = new PullFailed(message);
  return name === "AbortError" ? new DOMException(message, "AbortError") : failed;
}

function stopOnAbort(child: ChildProcess, signal: AbortSignal | undefined): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    send(child, { kind: "stop" });
    timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  };
  signal?.addEventListener("abort", stop, { once: true });
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    },
  };
}

function send(child: ChildProcess, order: PullOrder): void {
  // One that has ended takes no orders; that it ended is told by its end.
  if (child.connected) child.send(order, () => undefined);
}

/** Moments travel as text. */
function withInstant(result: RunResult): RunResult {
  const { fault } = result;
  if (fault === null || fault.retryAt === null) return result;
  return { ...result, fault: { ...fault, retryAt: Temporal.Instant.from(String(fault.retryAt)) } };
}
