/**
 * The rate of a connection, shared by all instances through one row: the moment from which there is
 * room. Whoever sends moves it on; where many are sent by a small block of requests, so that the
 * database is asked about four times a second and not once a request.
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
  readonly size: number;
  taken: number;
}

/** What all sessions of one connection in this process go by: by requests a second, their block. */
interface Rate {
  readonly blocks: Map<number, Block>;
  before: Promise<unknown>;
}

const rates = new WeakMap<Store, Map<string, Rate>>();

function rateOf({ store, company, connection }: TurnContext): Rate {
  const known = rates.get(store) ?? new Map<string, Rate>();
  rates.set(store, known);
  const key = JSON.stringify([company, connection]);
  const rate = known.get(key) ?? { blocks: new Map(), before: Promise.resolve() };
  known.set(key, rate);
  return rate;
}

const BLOCKS_PER_SECOND = 4;

export function turnOf(context: TurnContext): (perSecond: number) => Promise<void> {
  const rate = rateOf(context);
  return async (perSecond) => {
    if (!(perSecond > 0 && perSecond <= 100_000))
      throw new ConnectorFault(
        "config",
        `The rate of connection "${context.connection}" is ${perSecond} requests a second.`,
        "Give a number above 0.",
      );
    // In the order of asking: one block is reserved for all who wait.
    const slot = rate.before.then(() => nextSlot(context, rate, perSecond));
    rate.before = slot.catch(() => undefined);
    const ms = (await slot) - context.now().epochMilliseconds;
    if (ms > 0) await context.wait(ms);
  };
}

async function nextSlot(
  context: TurnContext,
  { blocks }: Rate,
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
  const most = Math.max(1, Math.floor(perSecond / BLOCKS_PER_SECOND));
  const size = Math.min(most, sizeAfter(block));
  const reserved = { ...(await reserve(context, size * step, step)), size, taken: 0 };
  blocks.set(perSecond, reserved);
  return turn(reserved, step);
}

/** What is reserved and not taken keeps the others waiting, so that a block follows the demand. */
function sizeAfter(block: Block | undefined): number {
  if (block === undefined) return 1;
  return block.taken === block.size ? 2 * block.size : Math.max(1, block.taken);
}

function turn(block: Block, step: number): number {
  const at = block.next;
  block.next += step;
  block.taken += 1;
  return at;
}

/** A row so far ahead was left by a clock that went wrong, and would stop the connection. */
const TURNS_AHEAD = 100;
const LEAST_AHEAD_MS = 60_000;

async function reserve(
  context: TurnContext,
  length: number,
  step: number,
): Promise<Pick<Block, "next" | "end">> {
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
