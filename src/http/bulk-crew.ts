/** One of the threads for large price requests, as the service's own thread sees it. */
import { Worker } from "node:worker_threads";
import type { BulkNews, Pricing, SharedPrices } from "../pricing/index.ts";
import type { BulkAnswer, BulkQuestion } from "./bulk-words.ts";

export type Prices = Pick<Pricing, "shared" | "secondsUntil">;

export type BulkAsked = Pick<BulkQuestion, "body" | "atMs" | "share"> & {
  readonly pricing: Prices;
};

interface Told {
  readonly identity: object;
  readonly revision: string;
  readonly prices: Prices;
}

type Settle = (answer: BulkAnswer | null) => void;

const NOTHING = new Uint8Array(0);

export class BulkThread {
  readonly #waiting = new Map<number, Settle>();
  /** By company. */
  readonly #told = new Map<string, Told>();
  readonly #worker: Worker;
  #questions = 0;
  #hasAnswered = false;
  #left = 0;

  constructor(log: (level: "warn", message: string) => void, gone: (thread: BulkThread) => void) {
    this.#worker = new Worker(new URL("bulk-thread.ts", import.meta.url), { name: "bulk prices" });
    this.#worker.unref();
    this.#worker.on("message", (answer: BulkAnswer) => {
      this.#hasAnswered = true;
      const settle = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      settle?.(answer);
    });
    this.#worker.on("error", (error) => {
      log("warn", `A thread for large price requests failed: ${String(error)}`);
    });
    this.#worker.once("exit", () => {
      this.#left = this.#waiting.size;
      gone(this);
      for (const settle of this.#waiting.values()) settle(null);
    });
  }

  get worker(): Worker {
    return this.#worker;
  }

  /** Requests that it has and has not answered. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** Requests that it had when it ended. */
  get left(): number {
    return this.#left;
  }

  /** Null: it ended before its answer. */
  ask({ pricing, ...asked }: BulkAsked): Promise<BulkAnswer | null> {
    const id = (this.#questions += 1);
    const shared = pricing.shared();
    const { company } = shared;
    const news = this.#newsOf(pricing, shared);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, company, news, ...asked } satisfies BulkQuestion, []);
    });
  }

  /** Tells it the newest books of the companies that it knows, so that old ones can go. */
  follow(): void {
    for (const { prices } of this.#told.values()) {
      const shared = prices.shared();
      const news = this.#newsOf(prices, shared);
      if (news.book === null) continue;
      const { company } = shared;
      const told = { id: 0, company, news, atMs: 0, body: NOTHING, share: null };
      this.#worker.postMessage(told satisfies BulkQuestion, []);
    }
  }

  #newsOf(prices: Prices, shared: SharedPrices): BulkNews {
    const { company, identity, facts, head, tokens } = shared;
    const before = this.#told.get(company);
    const { revision } = facts;
    // The thread has only told what counts until the next news: facts that are new come with it.
    this.#told.set(company, { identity, revision, prices });
    return {
      book: before?.identity === identity ? null : shared.share(),
      facts: before?.revision === revision ? null : facts,
      head,
      tokens,
    };
  }
}
