/**
 * What a check works on: the connector, its rig, and trials. A trial is a fresh far side with a
 * host of its own; sessions are opened on it, killed and opened again.
 */
import { ConnectorFault } from "../contract.ts";
import type { Connector, Host, Session, StreamDefinition } from "../contract.ts";
import type { FarSide, Rig, Subject } from "./rig.ts";
import { createWorld, type Watch, type World } from "./world.ts";

export interface Bench extends Subject {
  readonly rig: Rig | null;
  readonly watch: Watch;
  /** Whatever was thrown that is no fault of the contract, with what was being done. */
  readonly strays: Map<string, string>;
  /** Rows of the check that looks at memory. */
  readonly manyRows: number;
  /** What several checks look at, found out once. */
  readonly once: Map<string, Promise<unknown>>;
  /** Settings to judge the streams by; null: not known without a rig. */
  readonly settings: unknown;
}

export interface Trial {
  readonly bench: Bench;
  readonly far: FarSide;
  readonly world: World;
  readonly streams: readonly StreamDefinition[];
  open(): Promise<Opened>;
}

export interface Opened {
  readonly session: Session;
  readonly stop: AbortController;
  /** Stops and closes it, as the host does; a second call does nothing. */
  close(): Promise<void>;
}

/** Opens a far side for one piece of work, and closes what was opened, whatever happens. */
export async function trial<T>(bench: Bench, work: (trial: Trial) => Promise<T>): Promise<T> {
  if (bench.rig === null) throw new Error("a trial needs a rig");
  const far = await bench.rig.start();
  const opened: Opened[] = [];
  try {
    const settings = parsedSettings(bench.connector, far.settings);
    for (const secret of Object.values(far.secrets ?? {})) bench.watch.learn(secret);
    const world = createWorld(far.secrets ?? {}, bench.watch);
    const streams = bench.connector.streams(settings);
    return await work({
      bench,
      far,
      world,
      streams,
      open: async () => {
        // Once more: what a rig was asked to do may change them.
        const given = parsedSettings(bench.connector, far.settings);
        const one = await openSession(bench, given, (signal) => world.host(signal));
        opened.push(one);
        return one;
      },
    });
  } finally {
    for (const one of opened) await one.close().catch(() => undefined);
    await far.close();
  }
}

async function openSession(
  bench: Bench,
  settings: unknown,
  host: (signal: AbortSignal) => Host,
): Promise<Opened> {
  const stop = new AbortController();
  const session = await noting(bench, "opening a session", () =>
    bench.connector.open(settings, host(stop.signal)),
  );
  let closed = false;
  return {
    session,
    stop,
    close: async () => {
      if (closed) return;
      closed = true;
      stop.abort(new Error("the session is closed"));
      await noting(bench, "closing a session", async () => session[Symbol.asyncDispose]());
    },
  };
}

/** The same answer for all who ask. */
export async function once<T>(bench: Bench, name: string, find: () => Promise<T>): Promise<T> {
  const found = bench.once.get(name) ?? find();
  bench.once.set(name, found);
  return (await found) as T;
}

export function parsedSettings(connector: Connector, given: unknown): unknown {
  const parsed = connector.settings.safeParse(given);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const wrong = issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
  throw new Error(`the settings that the rig gives do not fit the connector's: ${wrong}`);
}

/** Does something of the connector's, and remembers what it throws. */
export async function noting<T>(bench: Bench, doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    noteThrown(bench, doing, error);
    throw error;
  }
}

export function noteThrown(bench: Bench, doing: string, error: unknown): void {
  bench.watch.look(`what it throws when ${doing}`, textOf(error));
  const stray = strayOf(error);
  if (stray !== null) bench.strays.set(`${doing}: ${stray}`, stray);
}

const KINDS = new Set(["config", "auth", "transient", "throttled", "refused", "defect"]);

/** Why this is no fault as the contract has them; null: it is one. */
function strayOf(error: unknown): string | null {
  if (!(error instanceof Error)) return `${String(error)} was thrown, which is no error`;
  if (error.name !== "ConnectorFault") return `${error.name}: ${error.message}`;
  // By name and parts: a fault made by another copy of the contract's file is a fault all the same.
  const { kind, instruction } = error as ConnectorFault;
  if (!KINDS.has(kind)) return `a fault of the unknown kind "${kind}"`;
  if (error.message.trim() === "") return `a fault of kind ${kind} without a reason`;
  return instruction.trim() === "" ? `a fault of kind ${kind} without an instruction` : null;
}

/** Everything that a person or a log would see of it. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const instruction = error instanceof ConnectorFault ? error.instruction : "";
  const cause = error.cause === undefined ? "" : textOf(error.cause);
  return `${error.message}\n${instruction}\n${cause}`;
}

export function faultOf(error: unknown): ConnectorFault | null {
  return error instanceof Error && error.name === "ConnectorFault"
    ? (error as ConnectorFault)
    : null;
}

export function short(error: unknown): string {
  const fault = faultOf(error);
  if (fault !== null) return `a fault of kind ${fault.kind}: ${fault.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
