/**
 * Large price requests in threads of their own. Promises the very answers and problems of the
 * route, all lines of one book, and an answer even when a thread dies: then the service's own
 * thread gives it. Never holds up single answers for longer than it takes to move the bytes.
 */
import type { Worker } from "node:worker_threads";
import { joinColumns } from "../pricing/index.ts";
import { Written } from "./answering.ts";
import { BulkThread } from "./bulk-crew.ts";
import type { Prices } from "./bulk-crew.ts";
import type { BulkAnswer } from "./bulk-words.ts";
import type { Reply } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";
import { whenReady } from "./price-asker.ts";
import { cachedFor } from "./price-caching.ts";
import { Problem } from "./problem.ts";

export interface BulkLane extends AsyncDisposable {
  /** The reply to a request's bytes; null: the own thread must answer. Throws its `Problem`. */
  ask(pricing: Prices, body: Uint8Array): Promise<Reply<unknown> | null>;
  /** Starts the threads now and not with the first large request. */
  start(): void;
  /** Gives the threads the newest books of companies that they know. */
  follow(): void;
  /** How many threads answer; for tests and the log. */
  readonly threads: readonly Worker[];
}

export interface BulkOptions {
  /** 0: all is answered in the service's own thread. */
  readonly threads: number;
  readonly nowMs: () => number;
  readonly log: (level: "warn", message: string) => void;
}

/** Threads that die without an answer so often in a row are tried again only after a rest. */
const MOST_FAILURES = 3;
const REST_MS = 60_000;

export function openBulkLane(options: BulkOptions): BulkLane {
  const threads: BulkThread[] = [];
  const end = { failures: 0, closing: false, restsUntilMs: 0 };
  const start = (): void => {
    const rests = end.failures >= MOST_FAILURES && performance.now() < end.restsUntilMs;
    const wanted = end.closing || rests ? 0 : options.threads;
    for (let count = threads.length; count < wanted; count += 1)
      threads.push(new BulkThread(options.log, gone));
  };
  const gone = (thread: BulkThread): void => {
    threads.splice(threads.indexOf(thread), 1);
    if (end.closing) return;
    end.failures = thread.hasAnswered ? 0 : end.failures + 1;
    end.restsUntilMs = performance.now() + REST_MS;
    options.log("warn", wordsOf(thread.left, end.failures));
    start();
  };
  const ask: BulkLane["ask"] = async (pricing, body) => {
    const able = threads.toSorted((one, other) => one.waiting - other.waiting);
    if (able.length === 0) start();
    const [first] = able;
    if (first === undefined) return null;
    const asked = { pricing, body, atMs: options.nowMs() };
    const shares = sharesOf(able, body);
    // All are asked before any other work: whatever is published meanwhile comes after them.
    const parts = await Promise.all(
      shares.map((thread, at) => thread.ask({ ...asked, share: [at, shares.length] })),
    );
    const joined = joinedReply(pricing, parts);
    if (joined !== null) return joined;
    return threads.includes(first) ? replyOf(await first.ask({ ...asked, share: null })) : null;
  };
  return {
    start,
    get threads() {
      return threads.map(({ worker }) => worker);
    },
    ask: (pricing, body) => whenReady(() => ask(pricing, body)),
    follow: () => {
      for (const thread of threads) thread.follow();
    },
    async [Symbol.asyncDispose]() {
      end.closing = true;
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** A large one by all that wait for nothing, so that each has a share of the lines. */
function sharesOf(able: readonly BulkThread[], body: Uint8Array): BulkThread[] {
  const idle = able.filter(({ waiting }) => waiting === 0);
  const worth = Math.max(1, Math.floor(body.length / LIMITS.bulkShareBytes));
  return idle.length < 2 || worth < 2 ? able.slice(0, 1) : idle.slice(0, worth);
}

/** Null: they are no shares of one answer. */
function joinedReply(
  pricing: Prices,
  answers: readonly (BulkAnswer | null)[],
): Reply<unknown> | null {
  const parts = answers.flatMap((answer) => (answer?.is === "part" ? [answer] : []));
  const [first] = parts;
  if (first === undefined || parts.length < answers.length) return null;
  let until: string | null = null;
  for (const { part } of parts)
    if (part.until !== null && (until === null || part.until < until)) ({ until } = part);
  const json = joinColumns(
    first.account,
    parts.map(({ part }) => part),
  );
  return { body: new Written(json), headers: cachedFor(pricing, until) };
}

function replyOf(answer: BulkAnswer | null): Reply<unknown> | null {
  if (answer === null || answer.is === "not-mine" || answer.is === "part") return null;
  if (answer.is === "problem") {
    const { code, detail, faults, headers } = answer;
    throw new Problem(code, detail, { faults, headers });
  }
  const { status, headers, body } = answer;
  return { status, headers, body: new Written(body) };
}

function wordsOf(left: number, failures: number): string {
  const next =
    failures < MOST_FAILURES
      ? "another takes its place"
      : `the next is started in a minute: ${failures} in a row ended without an answer`;
  return (
    `A thread for large price requests ended; its ${left} requests are answered by the ` +
    `service's own thread, and ${next}.`
  );
}
