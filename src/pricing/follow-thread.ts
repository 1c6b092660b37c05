/**
 * The thread that makes the books of a company, started by `openFollowerApart`: reads the tables
 * through connections of its own, compiles and revises, and gives the book as arrays in shared
 * memory.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openStore } from "../store/index.ts";
import { shareBook } from "./engine/index.ts";
import { openFollower } from "./follow.ts";
import type { ThreadNews, ThreadOrder, ThreadTask } from "./follow-apart.ts";

const { url, ...followed } = workerData as ThreadTask;

function say(news: ThreadNews): void {
  parentPort?.postMessage(news, []);
}

const opened = openStore({ url, migrate: false, connections: 2 }).then((store) =>
  openFollower({
    ...followed,
    store,
    log: (level, message, facts = {}) => {
      say({ kind: "log", level, message, facts });
    },
  }),
);
// Told to whoever asks first.
opened.catch(() => undefined);

async function done({ number, what }: ThreadOrder): Promise<void> {
  try {
    const follower = await opened;
    if (what === "keep") {
      await follower.keep();
      say({ kind: "done", number, made: null });
      return;
    }
    const { book, digest, runs } = await follower.follow();
    say({ kind: "done", number, made: { book: shareBook(book), digest, runs } });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    say({ kind: "failed", number, text });
  }
}

parentPort?.on("message", (order: ThreadOrder) => void done(order));
