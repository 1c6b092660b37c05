/** Alarms as rows: raised once, told durably, told again while they hold, told when over. */
import { randomUUIDv7 } from "node:crypto";
import type { JobData, Jobs } from "../jobs/index.ts";
import type { Store, Transaction } from "../store/index.ts";
import { channelsOf, destinationOf, send, type AlarmSettings, type Channel } from "./channels.ts";
import { letterOf, type AlarmFacts, type Occasion } from "./letter.ts";
import { tellWaiting } from "./tell.ts";

/** The job that sends what waits for a channel; its data is `{ company, channel }`. */
export const TELL_JOB = "alarms.tell";

export interface AlarmsContext {
  readonly store: Store;
  readonly jobs: Jobs;
  readonly company: string;
  /** IANA zone in which moments are written. */
  readonly timeZone: string;
  readonly settings: AlarmSettings;
  readonly secret: (name: string) => string | null;
  readonly now: () => Temporal.Instant;
  readonly log: (
    level: "info" | "warn" | "error",
    message: string,
    facts?: Readonly<Record<string, string>>,
  ) => void;
}

export interface NewAlarm {
  /** What it is about: one alarm a key holds at a time. */
  readonly key: string;
  readonly level: "warning" | "error";
  /** One line: "Price rules of erp are late". */
  readonly title: string;
  /** What was found and what it means. No durations up to now: the text stands while it holds. */
  readonly detail: string;
  readonly instruction: string;
  /** Since when it holds; now where it is not known better. */
  readonly since?: Temporal.Instant;
}

export interface Alarm extends AlarmFacts {
  readonly toldAt: Temporal.Instant;
  /** Channels that have not been told yet, with what the last try met. */
  readonly untold: readonly { readonly channel: Channel; readonly problem: string | null }[];
}

export interface Alarms {
  /** Told when it begins, and at once again when a warning becomes an error; else only kept. */
  raise(alarm: NewAlarm, tx?: Transaction): Promise<void>;
  /** It is over; told once. Nothing happens where no such alarm holds. */
  clear(key: string, tx?: Transaction): Promise<void>;
  /** Newest first; `open`: only those that hold, or only those that are over. */
  list(filter?: { readonly open?: boolean; readonly limit?: number }): Promise<readonly Alarm[]>;
  /** Tells again what still holds after `repeatSeconds`. */
  remind(): Promise<void>;
  /** Sends what waits for a channel; throws when something could not be sent. */
  tell(channel: string): Promise<void>;
  /** Sends a trial alarm through every channel now, and says what each met; null: it was taken. */
  test(who: string): Promise<readonly Tried[]>;
}

export interface Tried {
  readonly channel: Channel | "log";
  readonly to: string;
  readonly problem: string | null;
}

export function openAlarms(context: AlarmsContext): Alarms {
  const { store } = context;
  const within = <T>(tx: Transaction | undefined, work: (tx: Transaction) => Promise<T>) =>
    tx === undefined ? store.transaction(work) : work(tx);
  return {
    raise: (alarm, tx) => within(tx, (on) => raise(context, on, alarm)),
    clear: async (key, tx) => {
      // Most often there is nothing to clear: that costs no transaction.
      if (tx !== undefined || (await holds(context, key)))
        await within(tx, (on) => clear(context, on, key));
    },
    list: (filter = {}) => list(context, filter),
    remind: () => store.transaction((tx) => remind(context, tx)),
    tell: (channel) => tellWaiting(context, channel),
    test: (who) => tryChannels(context, who),
  };
}

const FACTS = `id, company, key, level, title, detail, instruction, since, over_at as "overAt"`;

async function raise(context: AlarmsContext, tx: Transaction, alarm: NewAlarm): Promise<void> {
  const { company, now } = context;
  const { key, level, title, detail, instruction, since = now() } = alarm;
  const given = [company, key, level, title, detail, instruction];
  const [made] = await tx.query<AlarmFacts>(
    `insert into alarm (company, key, level, title, detail, instruction, id, open_key, since, told_at)
     values ($1, $2, $3, $4, $5, $6, $7, $2, $8, $9)
     on conflict (company, open_key) do nothing returning ${FACTS}`,
    [...given, randomUUIDv7(), since, now()],
  );
  if (made !== undefined) return announce(context, tx, made, "raised");
  const [held] = await tx.query<{ level: string }>(
    "select level from alarm where company = $1 and open_key = $2 for update",
    [company, key],
  );
  const [changed] = await tx.query<AlarmFacts>(
    `update alarm set level = $3, title = $4, detail = $5, instruction = $6
      where company = $1 and open_key = $2
        and (level, title, detail, instruction) is distinct from ($3, $4, $5, $6)
     returning ${FACTS}`,
    given,
  );
  if (changed !== undefined && level === "error" && held?.level === "warning")
    await announce(context, tx, changed, "raised");
}

async function holds({ store, company }: AlarmsContext, key: string): Promise<boolean> {
  const sql = "select 1 from alarm where company = $1 and open_key = $2";
  return (await store.query(sql, [company, key])).length > 0;
}

async function clear(context: AlarmsContext, tx: Transaction, key: string): Promise<void> {
  const [over] = await tx.query<AlarmFacts>(
    `update alarm set open_key = null, over_at = $3 where company = $1 and open_key = $2
     returning ${FACTS}`,
    [context.company, key, context.now()],
  );
  if (over !== undefined) await announce(context, tx, over, "over");
}

async function remind(context: AlarmsContext, tx: Transaction): Promise<void> {
  const { company, now, settings } = context;
  const before = now().subtract({ seconds: settings.repeatSeconds });
  const due = await tx.query<AlarmFacts>(
    `update alarm set told_at = $2 where company = $1 and id in (
       select id from alarm where company = $1 and open_key is not null and told_at <= $3
          for update skip locked)
     returning ${FACTS}`,
    [company, now(), before],
  );
  for (const alarm of due) await announce(context, tx, alarm, "again");
}

/** To the log when this is committed; to each channel by a job that is committed with it. */
async function announce(
  { company, jobs, settings, now, log, timeZone }: AlarmsContext,
  tx: Transaction,
  alarm: AlarmFacts,
  occasion: Occasion,
): Promise<void> {
  const id = randomUUIDv7();
  const { text } = letterOf(alarm, { id, occasion, timeZone });
  const level = occasion === "over" ? "info" : alarm.level === "error" ? "error" : "warn";
  tx.afterCommit(() => {
    log(level, text, { company, alarm: alarm.key });
  });
  for (const channel of channelsOf(settings)) {
    await tx.affect(
      `update alarm_telling set state = 'overtaken', ended_at = $4
        where company = $1 and alarm_id = $2 and channel = $3 and state = 'waiting'`,
      [company, alarm.id, channel, now()],
    );
    await tx.affect(
      `insert into alarm_telling (company, id, alarm_id, channel, occasion, queued_at, state, tries)
       values ($1, $2, $3, $4, $5, $6, 'waiting', 0)`,
      [company, randomUUIDv7(), alarm.id, channel, occasion, now()],
    );
    const data: JobData = { company, channel };
    await jobs.queue(tx, TELL_JOB, data, { singletonKey: `${company} ${channel}` });
  }
}

async function list(
  { store, company }: AlarmsContext,
  { open, limit = 100 }: { readonly open?: boolean; readonly limit?: number },
): Promise<readonly Alarm[]> {
  return store.query<Alarm>(
    `select ${FACTS}, told_at as "toldAt", coalesce((
              select jsonb_agg(jsonb_build_object('channel', t.channel, 'problem', t.problem)
                               order by t.channel)
                from alarm_telling t where t.company = a.company and t.alarm_id = a.id
                 and t.state in ('waiting', 'given-up')), '[]') as untold
       from alarm a where company = $1 and ($2::boolean is null or (open_key is not null) = $2)
      order by open_key is null, since desc, id desc limit $3`,
    [company, open ?? null, limit],
  );
}

async function tryChannels(context: AlarmsContext, who: string): Promise<readonly Tried[]> {
  const { company, timeZone, settings, now, log } = context;
  const id = randomUUIDv7();
  const alarm: AlarmFacts = {
    id,
    company,
    key: "test",
    level: "warning",
    title: "a trial alarm",
    detail: `${who} asked for it, to see that alarms arrive. Nothing is wrong.`,
    instruction: "Nothing.",
    since: now(),
    overAt: null,
  };
  const letter = letterOf(alarm, { id, occasion: "test", timeZone });
  log("info", letter.text, { company, alarm: alarm.key });
  const tried = channelsOf(settings).map(async (channel): Promise<Tried> => {
    const to = destinationOf(context, channel);
    const problem = await send(context, channel, letter).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    );
    return { channel, to, problem };
  });
  return [
    { channel: "log", to: "the service's log", problem: null },
    ...(await Promise.all(tried)),
  ];
}
