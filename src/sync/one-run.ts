/** One run to its end, whatever its end is; a failure is in its result. */
import { ConnectorFault, type Json } from "../connector/index.ts";
import { RunStopped } from "./brake.ts";
import type { RunFault, RunResult, SyncContext } from "./context.ts";
import { failuresInARow } from "./journal.ts";
import { LeaseLost, type Lease, type StreamKey } from "./lease.ts";
import type { Ending, RunParts } from "./record.ts";
import { Run } from "./run.ts";
import { StopAsked } from "./stop.ts";

/** `more`: another snapshot waits behind the one that was read. */
export async function oneRun(
  parts: RunParts,
  cursor: Json | null,
): Promise<{ readonly result: RunResult; readonly more: boolean }> {
  const { context, key, lease } = parts;
  const run = new Run(parts);
  try {
    const { state, more } = await run.read(cursor);
    return { result: await run.end({ state, ...WELL }), more };
  } catch (error) {
    const ending = await endingOf(context, key, error, lease);
    if (ending.state === "failed")
      context.log("error", ending.error ?? "", { ...key, runId: run.id });
    return { result: await run.end(ending), more: false };
  }
}

const WELL = { error: null, fault: null, resumable: false } as const;

async function endingOf(
  context: SyncContext,
  key: StreamKey,
  error: unknown,
  lease: Lease,
): Promise<Ending> {
  if (error instanceof RunStopped) {
    const fault = { kind: error.kind, retryAt: null };
    return { state: "stopped", error: error.message, fault, resumable: false };
  }
  if (error instanceof StopAsked)
    return { state: "stopped", error: error.message, fault: null, resumable: true };
  const lost = await lostLease(lease);
  const fault = lost === null ? await faultOf(context, key, error) : null;
  const message = lost?.message ?? messageOf(error);
  return { state: "failed", error: message, fault, resumable: true };
}

/** Whoever takes a stream over clears what is in its way: that is the reason, not its traces. */
async function lostLease(lease: Lease): Promise<LeaseLost | null> {
  try {
    await lease.check();
  } catch (lost) {
    if (lost instanceof LeaseLost) return lost;
  }
  return null;
}

/** First wait after a fault that passes by itself; it doubles with each run that fails again. */
const FIRST_WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 3_600;

async function faultOf(
  context: SyncContext,
  key: StreamKey,
  error: unknown,
): Promise<RunFault | null> {
  if (!(error instanceof ConnectorFault)) return null;
  const { kind, retryAt } = error;
  if (kind !== "transient" && kind !== "throttled") return { kind, retryAt };
  const failed = await failuresInARow(context.store, key);
  const wait = Math.min(FIRST_WAIT_SECONDS * 2 ** failed, LONGEST_WAIT_SECONDS);
  return { kind, retryAt: retryAt ?? context.now().add({ seconds: wait }) };
}

/** What went wrong, and what to do where that is known. */
export function messageOf(error: unknown): string {
  if (error instanceof ConnectorFault) return `${error.message} ${error.instruction}`;
  return error instanceof Error ? error.message : String(error);
}
