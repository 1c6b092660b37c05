/** How far a run is: rows, rate, and the time left where it can be told. */
import { addRows } from "./accounting.ts";
import type { Progress, SyncContext } from "./context.ts";
import type { Gathering } from "./gathering.ts";
import type { StreamKey } from "./lease.ts";
import type { Published } from "./publish.ts";

/** Called when rows came. */
export type Teller = (gathering: Gathering, published: Published) => void;

/** What is known of the work before it is done. */
export interface Outlook {
  /** Rows that will come in this run. */
  readonly rows?: number;
  /** Of a long history: slices before and after this run's, and how long one took. */
  readonly slices?: { readonly done: number; readonly of: number };
  readonly secondsASlice?: number;
}

/** A line of the log at most so often; a short run leaves none. */
const LOG_SECONDS = 5;

/** Tells whoever asked; where nobody did, the log, now and then. */
export function teller(
  { now, log }: SyncContext,
  key: StreamKey,
  outlook: Outlook,
  progress: ((progress: Progress) => void) | undefined,
): Teller {
  const startedAt = now();
  let toldAt = startedAt;
  // What an earlier run had read says nothing about this one's speed.
  let first: number | null = null;
  const tell =
    progress ??
    ((told: Progress) => {
      const at = now();
      if (at.since(toldAt).total("seconds") < LOG_SECONDS) return;
      toldAt = at;
      log("info", sentence(key, told), { ...key });
    });
  return (gathering, published) => {
    const { read, quarantined } = addRows(published.rows, gathering.rows());
    first ??= read;
    const seconds = now().since(startedAt).total("seconds");
    const rate = seconds > 0 ? (read - first) / seconds : 0;
    tell({
      stream: key.stream,
      origin: gathering.origins.at(-1)?.name ?? "",
      rows: read,
      quarantined,
      rowsPerSecond: Math.round(rate),
      secondsLeft: secondsLeft(outlook, read, rate, seconds),
      ...(outlook.slices === undefined ? {} : { slices: outlook.slices }),
    });
  };
}

function secondsLeft(
  { rows, slices, secondsASlice }: Outlook,
  read: number,
  rate: number,
  seconds: number,
): number | null {
  if (slices !== undefined && secondsASlice !== undefined) {
    const others = (slices.of - slices.done - 1) * secondsASlice;
    return Math.round(others + Math.max(0, secondsASlice - seconds));
  }
  return rows === undefined || rate <= 0 || read > rows ? null : Math.round((rows - read) / rate);
}

function sentence({ connection, stream }: StreamKey, told: Progress): string {
  const { rows, rowsPerSecond, secondsLeft, slices } = told;
  const part = slices === undefined ? "" : `, month ${slices.done + 1} of ${slices.of}`;
  const left = secondsLeft === null ? "" : `, ${durationText(secondsLeft)} left`;
  return `Reading ${connection}/${stream}${part}: ${rows} rows, ${rowsPerSecond} a second${left}.`;
}

/** `1 h 5 min`, `3 min`, `20 s` */
export function durationText(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
