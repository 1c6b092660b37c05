/**
 * Books made in a thread of their own, so that answers are never held up: what comes back are
 * arrays in shared memory, and codes that changed are taken over a few at a time. A thread that
 * ends is told, and the next call starts another; meanwhile the book of before answers.
 */
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type { ResourceLimits } from "node:worker_threads";
import type { Log } from "../connections/index.ts";
import { openBook } from "./engine/index.ts";
import type { KnownTexts, SharedBook } from "./engine/index.ts";
import { pricedBy } from "./follow.ts";
import type { Followed, Follower, Following } from "./follow.ts";
import type { MadeBook } from "./load.ts";

/** What a thread is started with. */
export interface ThreadTask extends Followed {
  /** Of the database, with its password. */
  readonly url: string;
}

export interface ThreadOrder {
  readonly number: number;
  readonly what: "follow" | "keep";
}

interface SentBook extends Omit<MadeBook, "book"> {
  readonly book: SharedBook;
}

export type ThreadNews =
  | {
      readonly kind: "log";
      readonly level: Parameters<Log>[0];
      readonly message: string;
      readonly facts: NonNullable<Parameters<Log>[2]>;
    }
  | { readonly kind: "done"; readonly number: number; readonly made: SentBook | null }
  | { readonly kind: "failed"; readonly number: number; readonly text: string };

interface Waiting {
  resolve(made: SentBook | null): void;
  reject(error: Error): void;
}

const LAUNCH = join(import.meta.dirname, "../launch.js");
const THREAD = join(import.meta.dirname, "follow-thread.ts");

/** `limits`: of the thread's memory; absent: none but the machine's. */
export function openFollowerApart(following: Following, limits: ResourceLimits = {}): Follower {
  const { company } = following;
  const open = () => new BookThread(following, limits);
  let texts: KnownTexts = new Map();
  let thread = open();
  const ask = (what: ThreadOrder["what"]) => {
    if (thread.ended) thread = open();
    return thread.ask(what);
  };
  return {
    follow: async () => {
      const made = await ask("follow");
      if (made === null) throw new Error(`the thread of ${company}'s price book gave no book`);
      const opened = await openBook(made.book, texts, turn);
      ({ texts } = opened);
      return { ...made, book: opened.book };
    },
    keep: async () => {
      try {
        await ask("keep");
      } catch (error) {
        following.log("warn", String(error));
      }
    },
    close: () => thread.close(),
  };
}

class BookThread {
  readonly #worker: Worker;
  readonly #company: string;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #closing = false;
  ended = false;

  constructor(
    { store, log, company, settings, policy, snapshot }: Following,
    limits: ResourceLimits,
  ) {
    this.#company = company;
    this.#log = log;
    const task: ThreadTask = {
      url: store.url,
      company,
      settings: pricedBy(settings),
      policy,
      ...(snapshot === undefined ? {} : { snapshot }),
    };
    this.#worker = new Worker(LAUNCH, {
      argv: [THREAD],
      workerData: task,
      resourceLimits: limits,
      name: `book of ${company}`,
    });
    this.#worker.unref();
    this.#worker.on("message", (news: ThreadNews) => {
      this.#hear(news);
    });
    this.#worker.on("error", (error) => {
      this.#end(error instanceof Error ? error.message : String(error));
    });
    this.#worker.on("exit", () => {
      this.#end("it was ended");
    });
  }

  ask(what: ThreadOrder["what"]): Promise<SentBook | null> {
    this.#asked += 1;
    const number = this.#asked;
    // The process waits for an answer, but not for a thread that nobody asks.
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, what } satisfies ThreadOrder, []);
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#worker.terminate();
  }

  #hear(news: ThreadNews): void {
    if (news.kind === "log") {
      this.#log(news.level, news.message, news.facts);
      return;
    }
    const waiting = this.#waiting.get(news.number);
    this.#waiting.delete(news.number);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (news.kind === "done") waiting?.resolve(news.made);
    else waiting?.reject(new Error(news.text));
  }

  #end(why: string): void {
    if (this.ended) return;
    this.ended = true;
    const text =
      `the thread that makes the price books of ${this.#company} ended: ${why}. ` +
      "The book of before answers, if there is one; the next publish starts another thread.";
    for (const waiting of this.#waiting.values()) waiting.reject(new Error(text));
    this.#waiting.clear();
    if (!this.#closing) this.#log("warn", text);
  }
}
