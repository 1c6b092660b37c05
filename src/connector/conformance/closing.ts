/** Checks of a session's ends: what it leaves open, how it stops, what it holds, what it shows. */
import { readdirSync } from "node:fs";
import { setImmediate, setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Session, StreamDefinition } from "../contract.ts";
import {
  faultOf,
  noteThrown,
  noting,
  short,
  trial,
  type Bench,
  type Opened,
  type Trial,
} from "./bench.ts";
import { eachStream, every, notHere, streamsUnderTest, untried } from "./check.ts";
import type { Check, Outcome } from "./check.ts";
import { freshStand, pull, pullFresh } from "./pulling.ts";

export const CLOSING_CHECKS: readonly Check[] = [
  {
    id: "closes-whole",
    holds: "a session that read and was closed leaves no connection, file or timer open",
    needsRig: true,
    run: (bench) => eachStream(bench, every, (one, stream) => leaves(one, stream, "read")),
  },
  {
    id: "left-early",
    holds: "a reading that nobody takes to its end leaves nothing open either",
    needsRig: true,
    run: (bench) => eachStream(bench, every, (one, stream) => leaves(one, stream, "left")),
  },
  {
    id: "stops-at-once",
    holds: "the host's signal ends a reading that waits for the far side, and leaves nothing open",
    needsRig: true,
    run: (bench) => eachStream(bench, every, stopsAtOnce),
  },
  {
    id: "flat-memory",
    holds: "memory does not grow with the rows of a reading",
    needsRig: true,
    run: (bench) => eachStream(bench, every, flatMemory),
  },
  {
    id: "absent-is-absent",
    holds: "what it cannot do is no property of a session, and what is there works",
    needsRig: true,
    run: absentIsAbsent,
  },
  {
    id: "unknown-stream",
    holds: "a stream that it does not have is a config fault",
    needsRig: true,
    run: unknownStream,
  },
  {
    id: "originals-kept",
    holds: "an origin that says where it is kept can be read again, rows and lines",
    needsRig: true,
    run: (bench) => eachStream(bench, every, originalsKept),
  },
];

/** These look at what all others met, so they are run last. */
export const LAST_CHECKS: readonly Check[] = [
  {
    id: "faults-only",
    holds: "whatever it throws is a ConnectorFault with a kind, a reason and an instruction",
    needsRig: true,
    run: async ({ strays }) => [...strays.keys()].slice(0, 3),
  },
  {
    id: "secrets-stay-inside",
    holds: "no secret or token shows in events, logs or faults",
    needsRig: true,
    run: async ({ watch, rig }) => {
      if (rig === null) return [];
      return [...watch.sightings].map((where) => `a secret or token shows in ${where}`);
    },
  },
];

/** Open files and sockets, and what keeps the process alive. */
interface Held {
  readonly descriptors: number;
  readonly timers: number;
}

function held(): Held {
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  return { descriptors: descriptors(), timers };
}

function descriptors(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Other systems do not list them: what keeps the process alive is counted instead.
    return process.getActiveResourcesInfo().filter((kind) => /Wrap|Handle/.test(kind)).length;
  }
}

/** The far side closes its end of a connection a moment later than we do. */
const SETTLE_MS = 25;
const SETTLE_TIMES = 20;

async function leftOpen(before: Held): Promise<string | null> {
  let now = held();
  for (let look = 0; look < SETTLE_TIMES; look += 1) {
    now = held();
    if (now.descriptors <= before.descriptors && now.timers <= before.timers) return null;
    await setTimeout(SETTLE_MS);
  }
  const files = now.descriptors - before.descriptors;
  const timers = now.timers - before.timers;
  return [
    ...(files > 0 ? [`${files} files or connections`] : []),
    ...(timers > 0 ? [`${timers} timers`] : []),
  ].join(" and ");
}

async function leaves(
  one: Trial,
  stream: StreamDefinition,
  how: "read" | "left",
): Promise<Outcome> {
  const before = held();
  const opened = await one.open();
  const { thrown } = await pull(
    one,
    opened,
    stream,
    freshStand(),
    how === "left" ? { kill: { at: 1 } } : {},
  );
  if (thrown !== null && how === "read") return untried(`its reading fails: ${short(thrown)}`);
  try {
    await opened.close();
    // The host may close twice, when it stops while a command ends.
    await opened.session[Symbol.asyncDispose]();
  } catch (error) {
    return [`closing it throws ${short(error)}`];
  }
  const left = await leftOpen(before);
  return left === null ? [] : [`${left} stay open when it is closed`];
}

/** Long enough for a busy machine, short for a person who waits. */
const PROMPTLY_MS = 2_000;
/**
 * Behind the first event: what comes next is asked for by then, and hangs. So long at least, and
 * three times as long as the first event took: a busy machine is as slow with the next one.
 */
const UNTIL_IT_HANGS_MS = 25;
const AS_LONG_AGAIN = 3;

async function stopsAtOnce(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  if ((await one.far.misbehave?.("hangs", stream.name)) !== true)
    return untried('the rig does not play "hangs"');
  const before = held();
  const opened = await one.open();
  const since = performance.now();
  const begun = Promise.withResolvers<void>();
  const reading = readThrough(one.bench, opened, stream, begun.resolve);
  await Promise.race([reading, begun.promise, setTimeout(PROMPTLY_MS, null, { ref: false })]);
  const again = Math.min(PROMPTLY_MS, AS_LONG_AGAIN * (performance.now() - since));
  await Promise.race([reading, setTimeout(Math.max(UNTIL_IT_HANGS_MS, again))]);
  opened.stop.abort(new Error("stopped by the host"));
  const late = Symbol("late");
  const ended = await Promise.race([reading, setTimeout(PROMPTLY_MS, late, { ref: false })]);
  if (ended === late) {
    // The far side lets go when the trial closes it, and the reading with it.
    reading.catch(() => undefined);
    return [`it still reads ${PROMPTLY_MS} ms after the signal`];
  }
  await opened.close();
  const left = await leftOpen(before);
  return left === null ? [] : [`${left} stay open when it is stopped`];
}

/** Ends however it ends; the signal's own reason is no fault, and need not be one. */
async function readThrough(
  bench: Bench,
  opened: Opened,
  stream: StreamDefinition,
  begun: () => void,
): Promise<void> {
  try {
    for await (const event of opened.session.read(stream.name, null)) {
      begun();
      bench.watch.lookAt(event);
    }
  } catch (error) {
    if (!opened.stop.signal.aborted) noteThrown(bench, `reading ${stream.name}`, error);
  }
}

/** The heap may be this much larger while rows are read, whatever their number. */
const MOST_GROWTH_BYTES = 24 * 1024 * 1024;
const LOOKS = 4;
/** The batch in hand, and pages that were asked for ahead. */
const MOST_KEPT = 8;

async function flatMemory(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const { manyRows } = one.bench;
  if (manyRows === 0) return untried("it was not asked for");
  if (one.far.fill === undefined) return untried("the rig cannot `fill` a stream");
  await one.far.fill(stream.name, manyRows);
  const collect = collector();
  const { session } = await one.open();
  const before = await memory(collect);
  const given: WeakRef<object>[] = [];
  let rows = 0;
  let most = 0;
  let kept = 0;
  try {
    for await (const event of session.read(stream.name, null)) {
      if (event.kind !== "rows") continue;
      const looks = Math.floor((rows * LOOKS) / manyRows);
      rows += event.rows.length;
      given.push(new WeakRef(event));
      if (rows > event.rows.length && Math.floor((rows * LOOKS) / manyRows) === looks) continue;
      // Waiting also lets go of what was referred to in this turn.
      most = Math.max(most, (await memory(collect)) - before);
      kept = Math.max(kept, given.filter((batch) => batch.deref() !== undefined).length);
    }
  } catch (error) {
    noteThrown(one.bench, `reading ${manyRows} rows of ${stream.name}`, error);
    return [`reading ${manyRows} rows ends with ${short(error)}`];
  }
  if (rows < manyRows) return [`${rows} of ${manyRows} rows came`];
  return [
    ...(kept > MOST_KEPT ? [`it still holds ${kept} of ${given.length} batches of rows`] : []),
    ...(most > MOST_GROWTH_BYTES ? [`it holds ${Math.round(most / 1_048_576)} MB more`] : []),
  ];
}

/** Twice: what lies outside the heap goes only after what stands for it inside. */
async function memory(collect: () => void): Promise<number> {
  collect();
  await setImmediate();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** V8's collector, which Node shows only when asked. */
function collector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

const FUNCTIONS = [
  "keys",
  "applied",
  "setAside",
  "asideAt",
  "original",
  "again",
  "layFile",
  "survey",
  "check",
] as const;
const GROUPS = {
  orders: { must: ["find", "place"], may: ["again", "takeBack", "status", "amend", "cancel"] },
  accounts: { must: ["find", "create"], may: [] },
  returns: { must: ["find", "place"], may: [] },
  prices: { must: ["price"], may: [] },
} as const;

/** What a session offers besides reading. */
export async function offered(bench: Bench): Promise<readonly string[]> {
  return trial(bench, async (one) => {
    const { session } = await one.open();
    const held = session as unknown as Readonly<Record<string, unknown>>;
    return [...FUNCTIONS, ...Object.keys(GROUPS)].filter((name) => held[name] !== undefined);
  });
}

async function absentIsAbsent(bench: Bench): Promise<Outcome> {
  const tried = await streamsUnderTest(bench);
  return trial(bench, async (one) => {
    const { session } = await one.open();
    const held = session as unknown as Readonly<Record<string, unknown>>;
    const findings: string[] = [];
    for (const name of FUNCTIONS)
      if (name in held && typeof held[name] !== "function")
        findings.push(`${name} is there and is ${String(held[name])}`);
    for (const [name, { must, may }] of Object.entries(GROUPS))
      if (name in held) findings.push(...groupFindings(name, held[name], must, may));
    const wantsKeys = one.streams.some(({ deletions }) => deletions === "keys");
    if (wantsKeys && session.keys === undefined)
      findings.push('a stream promises removals by "keys", and there is no keys()');
    if (findings.length > 0) return findings;
    return works(bench, session, tried);
  });
}

function groupFindings(
  name: string,
  group: unknown,
  must: readonly string[],
  may: readonly string[],
): string[] {
  if (typeof group !== "object" || group === null)
    return [`${name} is there and is ${String(group)}`];
  const parts = group as Readonly<Record<string, unknown>>;
  return [
    ...must
      .filter((part) => typeof parts[part] !== "function")
      .map((part) => `${name} lacks ${part}()`),
    ...may
      .filter((part) => part in parts && typeof parts[part] !== "function")
      .map((part) => `${name}.${part} is there and is ${String(parts[part])}`),
  ];
}

/** The capabilities that only look, called: "not supported" would be thrown here. */
async function works(
  bench: Bench,
  session: Session,
  streams: readonly StreamDefinition[],
): Promise<readonly string[]> {
  const findings: string[] = [];
  const call = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await noting(bench, name, work);
    } catch (error) {
      findings.push(`${name} throws ${short(error)}: let what cannot be done be absent`);
    }
  };
  await call("survey()", async () => session.survey?.());
  await call("check()", async () => session.check?.());
  await call("orders.status()", async () => session.orders?.status?.("NO-SUCH-ORDER"));
  // The host asks for the keys of no other streams.
  for (const { name } of streams.filter(({ deletions }) => deletions === "keys"))
    await call(`keys("${name}")`, async () => {
      for await (const event of session.keys?.(name) ?? []) bench.watch.lookAt(event);
    });
  return findings;
}

async function unknownStream(bench: Bench): Promise<Outcome> {
  return trial(bench, async (one) => {
    const { session } = await one.open();
    try {
      for await (const event of session.read("no-such-stream", null))
        return [`reading a stream that is not there gives "${event.kind}"`];
    } catch (error) {
      noteThrown(bench, "reading a stream that is not there", error);
      const kind = faultOf(error)?.kind;
      return kind === "config" || kind === undefined
        ? []
        : [`it throws ${short(error)}, expected kind config`];
    }
    return ["reading a stream that is not there ends as if all were well"];
  });
}

async function originalsKept(one: Trial, stream: StreamDefinition): Promise<Outcome> {
  const { thrown, events } = await pullFresh(one, stream, freshStand());
  if (thrown !== null) return untried(`its reading fails: ${short(thrown)}`);
  const { session } = await one.open();
  let origin = null;
  let looked = 0;
  for (const event of events) {
    if (event.kind === "origin") ({ origin } = event);
    if (event.kind !== "rows" || origin?.keptAt === undefined) continue;
    const [row] = event.rows;
    if (row === undefined) continue;
    if (session.original === undefined) return ["origins are kept, and there is no original()"];
    looked += 1;
    const text = await session.original(origin, row.line);
    if (text !== row.raw)
      return [
        `line ${row.line} of ${origin.name} is ${text ?? "gone"} in the original, and was ${row.raw}`,
      ];
    if (session.again === undefined) continue;
    const again = await session.again(stream.name, origin);
    let found = false;
    for await (const read of again ?? [])
      found ||=
        read.kind === "rows" &&
        read.rows.some(({ line, raw }) => line === row.line && raw === row.raw);
    if (!found) return [`again() of ${origin.name} does not give line ${row.line}`];
  }
  return looked === 0 ? notHere("no origin says where it is kept") : [];
}
