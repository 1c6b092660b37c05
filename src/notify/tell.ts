/** Sends what waits for a channel; what is not taken waits for the job's next try. */
import type { AlarmsContext } from "./alarms.ts";
import { channelsOf, send, type Channel } from "./channels.ts";
import { letterOf, type AlarmFacts, type Occasion } from "./letter.ts";

/** News of an alarm that could not be told for so long is none any more. */
const GIVE_UP_HOURS = 48;

interface Waiting extends AlarmFacts {
  readonly telling: string;
  readonly occasion: Occasion;
  readonly queuedAt: Temporal.Instant;
}

/**
 * A process that is killed between a letter and its mark sends it once more, under the same id. One
 * that the far side refuses does not keep the others back.
 */
export async function tellWaiting(context: AlarmsContext, named: string): Promise<void> {
  const channel = channelsOf(context.settings).find((each) => each === named);
  if (channel === undefined) return giveUp(context, named);
  const problems: string[] = [];
  for (const waiting of await waitingFor(context, channel)) {
    const problem = await tellOne(context, channel, waiting);
    if (problem !== null) problems.push(problem);
  }
  if (problems.length > 0)
    throw new Error(`Telling ${problems.length} alarms by ${channel}: ${problems[0]}`);
}

async function waitingFor(
  { store, company }: AlarmsContext,
  channel: Channel,
): Promise<readonly Waiting[]> {
  return store.query<Waiting>(
    `select a.id, a.company, a.key, a.level, a.title, a.detail, a.instruction, a.since,
            a.over_at as "overAt", t.id as telling, t.occasion, t.queued_at as "queuedAt"
       from alarm_telling t join alarm a on a.company = t.company and a.id = t.alarm_id
      where t.company = $1 and t.state = 'waiting' and t.channel = $2
      order by t.queued_at, t.id limit 200`,
    [company, channel],
  );
}

/** Null: it was taken. */
async function tellOne(
  context: AlarmsContext,
  channel: Channel,
  { telling, occasion, queuedAt, ...alarm }: Waiting,
): Promise<string | null> {
  const { timeZone, now } = context;
  try {
    await send(context, channel, letterOf(alarm, { id: telling, occasion, timeZone }));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const late = now().since(queuedAt).total("hours") > GIVE_UP_HOURS;
    await mark(context, telling, late ? "given-up" : "waiting", problem);
    return problem;
  }
  await mark(context, telling, "told", null);
  return null;
}

/** One that a later telling has overtaken meanwhile stays so. */
async function mark(
  { store, company, now }: AlarmsContext,
  telling: string,
  state: "told" | "waiting" | "given-up",
  problem: string | null,
): Promise<void> {
  await store.affect(
    `update alarm_telling set state = $3, problem = $4, tries = tries + 1, ended_at = $5
      where company = $1 and id = $2 and (state = 'waiting' or $3 = 'told')`,
    [company, telling, state, problem, state === "waiting" ? null : now()],
  );
}

/** The settings name the channel no more. */
async function giveUp({ store, company, now }: AlarmsContext, channel: string): Promise<void> {
  await store.affect(
    `update alarm_telling set state = 'given-up', ended_at = $3,
            problem = 'the settings do not name the channel any more'
      where company = $1 and channel = $2 and state = 'waiting'`,
    [company, channel, now()],
  );
}
