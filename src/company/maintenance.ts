/**
 * A connection, or all of a company, standing still: a person says so before an upgrade or a year
 * end, or it was found that the ERP went backwards. Orders are taken as ever; nothing is read or
 * handed over until it ends.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../company.ts";
import type { CompanySettings } from "../config.ts";
import { stopInWords, type Standings, type Stop } from "../connections/index.ts";
import { ConnectorFault } from "../connector/index.ts";
import type { Pause } from "../jobs/index.ts";
import type { Alarms } from "../notify/index.ts";
import { ADVANCE_JOB } from "../orders/index.ts";
import { streamStates } from "../sync/index.ts";

export interface MaintenanceAsked {
  /** Null: all of the company. */
  readonly connection: string | null;
  readonly who: string;
  readonly why: string;
}

/** What was begun before, and ends by itself. */
export interface UnderWay {
  /** Web orders that are being handed over. */
  readonly deliveries: number;
  /** Streams that are being read: each stops at its next safe point. */
  readonly pulls: readonly string[];
}

export interface Maintenance {
  /** Those that hold, with why. */
  stops(): Promise<readonly (Stop & { readonly says: string })[]>;
  /**
   * Nothing begins any more when it returns. `until`: a time alone is the next one in the company's
   * time zone. `waitSeconds`: for what was begun before. Throws `EndsInThePast`.
   */
  begin(
    asked: MaintenanceAsked & {
      readonly until: Temporal.Instant | Temporal.PlainTime | null;
      readonly waitSeconds?: number;
    },
  ): Promise<{
    readonly began: boolean;
    readonly until: Temporal.Instant | null;
    readonly underWay: UnderWay;
  }>;
  /** Those that it ended; what waited goes on within seconds. */
  end(asked: MaintenanceAsked): Promise<readonly Stop[]>;
}

interface Parts {
  readonly code: string;
  readonly settings: CompanySettings;
  readonly standings: Standings;
  readonly alarms: Alarms;
}

export function maintenanceOf(context: Context, parts: Parts): Maintenance {
  const { standings, settings } = parts;
  return {
    stops: async () =>
      (await standings.stops()).map((stop) => ({
        ...stop,
        says: stopInWords(stop, settings.timeZone),
      })),
    begin: async ({ waitSeconds = 0, until: given, ...asked }) => {
      const until =
        given instanceof Temporal.PlainTime
          ? next(given, context.now().toZonedDateTimeISO(settings.timeZone))
          : given;
      const began = await begin(context, parts, { ...asked, until });
      const deadline = performance.now() + waitSeconds * 1_000;
      let underWay = await whatIsUnderWay(context, parts, asked.connection);
      while (busy(underWay) && performance.now() < deadline) {
        await sleep(LOOK_MS);
        underWay = await whatIsUnderWay(context, parts, asked.connection);
      }
      return { began, until, underWay };
    },
    end: (asked) => end(context, parts, asked),
  };
}

const LOOK_MS = 250;

/** Today's, or tomorrow's once that has passed. */
function next(time: Temporal.PlainTime, now: Temporal.ZonedDateTime): Temporal.Instant {
  const today = now.withPlainTime(time);
  const isAhead = Temporal.ZonedDateTime.compare(today, now) > 0;
  // Not today's and a day: where clocks go forward, today's may be an hour off.
  return (isAhead ? today : now.add({ days: 1 }).withPlainTime(time)).toInstant();
}

export function busy({ deliveries, pulls }: UnderWay): boolean {
  return deliveries > 0 || pulls.length > 0;
}

async function begin(
  { store, access }: Context,
  { code: company, standings }: Parts,
  { connection, who, why, until }: MaintenanceAsked & { readonly until: Temporal.Instant | null },
): Promise<boolean> {
  return store.transaction(async (tx) => {
    const scope = connection ?? "";
    const stop = { kind: "maintenance", scope, who, why, until, evidence: null } as const;
    const made = await standings.stop(tx, stop);
    const details = { why, until: until?.toString() ?? null };
    const entry = { company, who, action: "maintenance-on", subject: scope, details };
    await access?.audit(entry, tx);
    return made;
  });
}

async function end(
  { store, access, jobs }: Context,
  { code: company, standings, alarms }: Parts,
  { connection, who, why }: MaintenanceAsked,
): Promise<readonly Stop[]> {
  const scope = connection ?? "";
  await refuseUndecided(store, company, scope);
  return store.transaction(async (tx) => {
    const ended = await standings.resume(tx, scope, { who, why });
    if (ended.length === 0) return ended;
    if (ended.some(({ kind }) => kind === "went-backwards"))
      await alarms.clear(backwardsAlarm(scope), tx);
    const details = { why, ended: ended.map(({ kind }) => kind).join(", ") };
    await access?.audit({ company, who, action: "maintenance-off", subject: scope, details }, tx);
    await jobs.queue(tx, ADVANCE_JOB, { company });
    return ended;
  });
}

/** What goes on first must not be what nobody has looked at. */
async function refuseUndecided(
  store: Context["store"],
  company: string,
  scope: string,
): Promise<void> {
  const [lost] = await store.query<{ orders: string | null }>(
    `select string_agg(o.number, ', ' order by o.number) as orders
       from web_order_lost g join web_order o on o.company = g.company and o.id = g.order_id
      where g.company = $1 and g.decision is null and $2 in ('', g.connection)`,
    [company, scope],
  );
  if (lost?.orders === null || lost === undefined) return;
  throw new LostUndecided(
    `Going on with ${scope === "" ? "everything" : scope}: the ERP lost ${lost.orders}, and nobody ` +
      "has decided on them. `tradepost orders lost` shows them: send each again or leave it first.",
  );
}

/** An ERP went backwards, and somebody must decide on what it lost. */
export class LostUndecided extends Error {
  override readonly name = "LostUndecided";
  readonly code = "lost-undecided";
}

export function backwardsAlarm(connection: string): string {
  return `backwards/${connection}`;
}

async function whatIsUnderWay(
  { store, now }: Context,
  { code, settings }: Parts,
  connection: string | null,
): Promise<UnderWay> {
  const takesOrders = connection === null || connection === settings.orders.connection;
  const [sending] = takesOrders
    ? await store.query<{ count: number }>(
        `select count(*)::int as count from (
           select id from web_order where company = $1 and state = 'sending'
           union select order_id from web_order_lease
            where company = $1 and until > clock_timestamp()) under_way`,
        [code],
      )
    : [];
  const pulls = (await streamStates(store, code))
    .filter(
      (state) =>
        (connection === null || state.connection === connection) &&
        state.heldUntil !== null &&
        Temporal.Instant.compare(state.heldUntil, now()) > 0,
    )
    .map((state) => `${state.connection}/${state.stream}`);
  return { deliveries: sending?.count ?? 0, pulls };
}

/** How often a pull looks whether its connection was stopped meanwhile. */
const HEED_MS = 1_000;

/**
 * Reads while the connection is not stopped. Throws where it is: nothing is read then, whoever
 * asks. One that is stopped meanwhile ends the reading at its next safe point.
 */
export async function whileNotStopped<T>(
  { standings, settings: { timeZone } }: Pick<Parts, "standings" | "settings">,
  connection: string,
  given: AbortSignal | undefined,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const [stop] = await standings.stops(connection);
  if (stop !== undefined)
    throw new ConnectorFault(
      "transient",
      `Reading ${connection}: nothing is read now, because of ${stopInWords(stop, timeZone)}.`,
      `It ends with \`${endsWith(stop)}\`.`,
      stop.until === null ? {} : { retryAt: stop.until },
    );
  const stopped = new AbortController();
  const look = async () => {
    const [began] = await standings.stops(connection).catch(() => []);
    if (began !== undefined) stopped.abort(`It was stopped by ${stopInWords(began, timeZone)}.`);
  };
  const timer = setInterval(() => void look(), HEED_MS);
  try {
    const signals = [stopped.signal, ...(given === undefined ? [] : [given])];
    return await read(AbortSignal.any(signals));
  } finally {
    clearInterval(timer);
  }
}

function endsWith({ scope }: Stop): string {
  return `tradepost maintenance off${scope === "" ? "" : ` ${scope}`} --who NAME --why WHY`;
}

/** As schedules know pauses. */
export async function heldBack(standings: Standings): Promise<readonly Pause[]> {
  return (await standings.stops()).map((stop) => ({
    scope: stop.scope,
    at: stop.at,
    by: stop.kind === "maintenance" ? `${stop.who} (maintenance)` : "an ERP that went backwards",
    endsWith: endsWith(stop),
  }));
}
