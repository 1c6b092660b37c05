/**
 * The rate of a connection, shared by all instances through one row: the moment from which there is
 * room. Whoever sends moves it on; at high rates by a small block of requests, so that the database
 * is asked about four times a second and not once a request.
 */
import { ConnectorFault } from "../connector/index.ts";
import type { Store } from "../store/index.ts";

export interface TurnContext {
  readonly store: Store;
  readonly company: string;
  readonly connection: string;
  readonly now: () => Temporal.Instant;
  readonly wait: (ms: number) => Promise<void>;
}

/** Times in milliseconds since 1970: of the next request, and where the block ends. */
interface Block {
  next: number;
  readonly end: number;
}

const BLOCKS_PER_SECOND = 4;

export function turnOf(context: TurnContext): (perSecond: number) => Promise<void> {
  const blocks = new Map<number, Block>();
  let before: Promise<unknown> = Promise.resolve();
  return async (perSecond) => {
    if (!(perSecond > 0 && perSecond <= 100_000))
      throw new ConnectorFault(
        "config",
        `The rate of connection "${context.connection}" is ${perSecond} requests a second.`,
        "Give a number above 0.",
      );
    // In the order of asking: one block is reserved for all who wait.
    const slot = before.then(() => nextSlot(context, blocks, perSecond));
    before = slot.catch(() => undefined);
    const ms = (await slot) - context.now().epochMilliseconds;
    if (ms > 0) await context.wait(ms);
  };
}

async function nextSlot(
  context: TurnContext,
  blocks: Map<number, Block>,
  perSecond: number,
): Promise<number> {
  const step = 1000 / perSecond;
  const now = context.now().epochMilliseconds;
  const block = blocks.get(perSecond);
  if (block !== undefined) {
    // Turns that were not taken in time are lost, or they would come all at once.
    if (block.next < now - step) block.next += Math.floor((now - block.next) / step) * step;
    if (block.next < block.end) return turn(block, step);
  }
  const count = Math.max(1, Math.floor(perSecond / BLOCKS_PER_SECOND));
  const reserved = await reserve(context, count * step, step);
  blocks.set(perSecond, reserved);
  return turn(reserved, step);
}

function turn(block: Block, step: number): number {
  const at = block.next;
  block.next += step;
  return at;
}

/** A row so far ahead was left by a clock that went wrong, and would stop the connection. */
const TURNS_AHEAD = 100;
const LEAST_AHEAD_MS = 60_000;

async function reserve(context: TurnContext, length: number, step: number): Promise<Block> {
  const now = context.now();
  const farthest = now.add({
    milliseconds: Math.ceil(Math.max(LEAST_AHEAD_MS, TURNS_AHEAD * step)),
  });
  const [row] = await context.store.query<{ next_free: Temporal.Instant }>(
    `insert into connection_rate as rate (company, connection, next_free)
     values ($1, $2, $3::timestamptz + $4::float8 * interval '1 millisecond')
     on conflict (company, connection) do update set next_free =
       case when rate.next_free > $5::timestamptz then $3::timestamptz
            else greatest(rate.next_free, $3::timestamptz) end
       + $4::float8 * interval '1 millisecond'
     returning next_free`,
    [context.company, context.connection, now.toString(), length, farthest.toString()],
  );
  const end = row?.next_free.epochMilliseconds ?? now.epochMilliseconds;
  return { next: end - length, end: end - step / 2 };
}
