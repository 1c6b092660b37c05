/** How pulls stand: alarms that hold, streams with their promises, schedules with next slots. */
import { endpoint, z } from "./endpoint.ts";
import type { Endpoint, Shown } from "./endpoint.ts";
import type { PullStatus } from "./modules.ts";
import { shownStop, stop } from "./maintenance-routes.ts";
import { deskCounts } from "./order-desk-routes.ts";
import { instant, orNull, text } from "./words.ts";

const alarm = z
  .strictObject({
    key: text("What it is about: late/erp/price-rules. One alarm a key holds at a time."),
    level: z.enum(["warning", "error"]),
    title: text("In a line."),
    detail: text("What was found and what it means."),
    instruction: text("What to do."),
    since: instant("Since when it holds."),
  })
  .openapi("Alarm");

const pause = z
  .strictObject({
    scope: text('Empty: all of the company; "erp": a connection; "erp/nightly": a schedule.'),
    at: instant("Since when."),
    by: text("Who paused it."),
  })
  .openapi("Pause");

const stream = z
  .strictObject({
    connection: text("Connection that it is read from."),
    stream: text("Its name."),
    lastAppliedAt: orNull(instant(""), "When content was applied or confirmed unchanged."),
    freshUntil: orNull(instant(""), "Until when the promise of the settings is kept."),
    late: z.boolean().describe("True: the promise is broken, since freshUntil."),
    lastRun: orNull(
      z.strictObject({
        id: text("Its identity."),
        state: text("running, published, unchanged, stopped, refused or failed."),
        startedAt: instant("When it began."),
        endedAt: orNull(instant(""), "When it ended."),
        rows: z.number().int().describe("Rows read."),
        error: orNull(z.string(), "Why it did not end well."),
      }),
      "The newest run.",
    ),
    asks: z.boolean().describe("True: the newest run stopped, and waits for a person's decision."),
    stoppedBy: orNull(
      z.string(),
      "Who stopped the newest run; the next one goes on from its mark.",
    ),
    runningRows: orNull(z.number().int(), "Rows read so far by the run that reads it now."),
    nextAt: orNull(instant(""), "When a schedule reads it next."),
    paused: z.array(pause).describe("Why its next slot will not start."),
    quarantined: z.number().int().describe("Rows that wait in quarantine."),
    worth: orNull(z.string(), "Money at risk of those that can tell, decimal text."),
  })
  .openapi("StreamStatus");

const schedule = z
  .strictObject({
    connection: text("Connection that it reads."),
    name: text("Its name in the settings."),
    cron: text("minute hour day-of-month month day-of-week; six fields begin with the second."),
    timeZone: text("IANA time zone that the expression is meant in."),
    nextAt: orNull(instant(""), "Its next slot."),
    paused: z.array(pause),
    lastSlotAt: orNull(instant(""), "The last slot that ended."),
    lastState: orNull(z.string(), "done, failed or dropped."),
    problem: orNull(z.string(), "What the last failed try met."),
    overdue: z.number().int().describe("Slots that should have begun by now and did not."),
  })
  .openapi("ScheduleStatus");

const service = z
  .strictObject({
    runs: z.boolean().describe("False: nothing is read by itself, and no alarm is told."),
    lastSeenAt: orNull(instant(""), "When one was seen last; null: none ever was."),
    otherSettings: z
      .boolean()
      .describe("One that runs was started with other settings than this one."),
  })
  .openapi("ServiceStatus");

export const showStatus: Endpoint = endpoint({
  method: "get",
  address: "/v1/status",
  scope: "sync",
  tag: "sync",
  summary: "How fresh each stream is, what runs next, and the alarms that hold",
  answers: { 200: "The status, as of now." },
  answer: z
    .strictObject({
      at: instant("When this was so."),
      orders: z
        .strictObject({
          connection: text("Connection that takes the web orders."),
          mode: z
            .enum(["read-only", "shadow", "live"])
            .describe("What holds: live only once the checklist of go-live was recorded."),
          wished: z.enum(["read-only", "shadow", "live"]).describe("What the settings say."),
          paused: orNull(z.string(), "Why nothing is handed over now, though orders are taken."),
          about: orNull(z.string(), "What must be known of it, and what to do."),
          waiting: deskCounts.describe("What waits for a person: GET /v1/order-desk."),
        })
        .describe("Whether orders are handed over."),
      stops: z
        .array(stop)
        .describe("What stands still: maintenance, or an ERP that went backwards."),
      service: service.describe("Whether any service works for the company's schedules."),
      alarms: z.array(alarm).describe("Those that hold, newest first."),
      streams: z.array(stream),
      schedules: z.array(schedule),
    })
    .openapi("Status"),
  problems: [],
  handle: async ({ services }) => ({ body: shown(await services.sync.status()) }),
});

type Body = Shown<{
  at: string;
  orders: PullStatus["orders"];
  stops: z.input<typeof stop>[];
  service: z.input<typeof service>;
  alarms: z.input<typeof alarm>[];
  streams: z.input<typeof stream>[];
  schedules: z.input<typeof schedule>[];
}>;

function shown({
  at,
  orders,
  stops,
  service: state,
  alarms,
  streams,
  schedules,
}: PullStatus): Body {
  return {
    at: at.toString(),
    orders,
    stops: stops.map(shownStop),
    service: { ...state, lastSeenAt: state.lastSeenAt?.toString() ?? null },
    alarms: alarms.map(({ key, level, title, detail, instruction, since }) => {
      return { key, level, title, detail, instruction, since: since.toString() };
    }),
    streams: streams.map(({ fresh, lastRun, next, paused, lastAppliedAt, ...each }) => ({
      ...each,
      lastAppliedAt: lastAppliedAt?.toString() ?? null,
      freshUntil: fresh?.until.toString() ?? null,
      late: fresh?.late ?? false,
      lastRun:
        lastRun === null
          ? null
          : {
              ...lastRun,
              startedAt: lastRun.startedAt.toString(),
              endedAt: lastRun.endedAt?.toString() ?? null,
            },
      nextAt: next?.at.toString() ?? null,
      paused: paused.map(shownPause),
    })),
    schedules: schedules.map(
      ({ connection, name, cron, timeZone, nextAt, paused, last, current, overdue }) => ({
        connection,
        name,
        cron,
        timeZone,
        nextAt: nextAt?.toString() ?? null,
        paused: paused.map(shownPause),
        lastSlotAt: last?.slotAt.toString() ?? null,
        lastState: last?.state ?? null,
        problem: current?.problem ?? last?.problem ?? null,
        overdue,
      }),
    ),
  };
}

function shownPause({ scope, at, by }: PullStatus["schedules"][number]["paused"][number]) {
  return { scope, at: at.toString(), by };
}
