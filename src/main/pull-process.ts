/**
 * The process of one pull, started by `pullApart`: does what it is told, says what came of it, and
 * ends. It ends, too, when the service that started it is gone.
 */
import { constants, setPriority } from "node:os";
import { readSettings } from "../config.ts";
import { ConnectorFault } from "../connector/index.ts";
import { openTradepost } from "../main.ts";
import type { Progress } from "../sync/index.ts";
import { tell } from "./error.ts";
import type { PullFault, PullNews, PullOrder } from "./pulling.ts";

// Whoever waits for a price goes first where there is not enough processor for both.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const stop = new AbortController();

/** How often progress is told at most. */
const PROGRESS_MS = 200;
/** Left alone by its service it stops in order, at most so long. */
const PATIENCE_MS = 60_000;

process.on("message", (message) => {
  const order = message as PullOrder;
  if (order.kind === "stop") stop.abort();
  else void pull(order);
});
process.once("disconnect", () => {
  stop.abort();
  setTimeout(() => process.exit(1), PATIENCE_MS).unref();
});
// A signal to the whole group (Ctrl-C) reaches us too; the service says whether to stop.
process.on("SIGINT", () => undefined);
process.once("SIGTERM", () => {
  stop.abort();
});

async function pull(order: PullOrder & { readonly kind: "pull" }): Promise<void> {
  const news = await newsOf(order);
  await say(news);
  if (process.connected) process.disconnect?.();
}

async function newsOf(order: PullOrder & { readonly kind: "pull" }): Promise<PullNews> {
  const { request, file, databaseUrl, aheadMs } = order;
  try {
    const settings = { ...readSettings({ file }), databaseUrl };
    const ahead = Temporal.Duration.from({ microseconds: Math.round(aheadMs * 1_000) });
    await using tradepost = await openTradepost(settings, {
      now: () => Temporal.Now.instant().add(ahead),
      log: (level, message, facts = {}) => void say({ kind: "log", level, message, facts }),
    });
    const company = await tradepost.company(request.company);
    const results = await company.sync(request.connection, {
      ...request.options,
      progress: nowAndThen((progress) => void say({ kind: "progress", progress })),
      signal: stop.signal,
    });
    return { kind: "done", results, peakMb: process.resourceUsage().maxRSS / 1024 };
  } catch (error) {
    return { kind: "failed", fault: faultOf(error) };
  }
}

function faultOf(error: unknown): PullFault {
  if (error instanceof ConnectorFault) {
    const { name, message, kind, instruction, retryAt } = error;
    const when = retryAt === null ? {} : { retryAt: retryAt.toString() };
    return { name, message, kind, instruction, ...when };
  }
  const name = error instanceof Error ? error.name : "Error";
  return { name, message: tell(error).message };
}

function nowAndThen(told: (progress: Progress) => void): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (now - last < PROGRESS_MS) return;
    last = now;
    told(progress);
  };
}

function say(news: PullNews): Promise<void> {
  return new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(news, () => resolve());
  });
}
