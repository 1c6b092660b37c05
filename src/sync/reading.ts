/** The pieces of a stream that a run may read: what is new, days of its history, its keys. */
import type { Json, ReadEvent, Session, StreamDefinition } from "../connector/index.ts";
import { brokenPromise } from "./brake.ts";
import type { What } from "./context.ts";

/** As a mark names it: another piece of the stream has marks of its own. */
export function readingOf(what: What): string {
  return what.kind === "days" ? `${what.from.toString()}/${what.to.toString()}` : what.kind;
}

/** `changes`: rows that equal those of the content that the cursor stands for need not be given. */
export function eventsOf(
  session: Session,
  { name }: StreamDefinition,
  what: What,
  from: Json | null,
  changes: boolean,
): AsyncIterable<ReadEvent> {
  switch (what.kind) {
    case "pull":
      return session.read(name, from, changes ? { changes } : {});
    case "days":
      return session.read(name, from, { range: { from: what.from, to: what.to } });
    case "keys":
      if (session.keys !== undefined) return session.keys(name);
      throw brokenPromise(`Stream ${name}: its session gives no keys.`);
    default:
      return what satisfies never;
  }
}

/** Keys tell what is there, not when it changed. */
export function streamAsRead(stream: StreamDefinition, { kind }: What): StreamDefinition {
  const { delta: _delta, ...undated } = stream;
  return kind === "keys" ? undated : stream;
}
