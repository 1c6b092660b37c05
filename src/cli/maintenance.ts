/** `maintenance`: a connection, or all of a company, stands still while its ERP is worked on. */
import type { Command } from "commander";
import { EndsInThePast } from "../connections/index.ts";
import type { CompanyServices } from "../main.ts";
import {
  answer,
  chosen,
  example,
  NotFound,
  UsageError,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { count, moment, table } from "./print.ts";

type Stop = Awaited<ReturnType<CompanyServices["maintenance"]["stops"]>>[number];

/** What was begun may take as long as one call to the ERP. */
const WAIT_SECONDS = 60;

export function addMaintenanceCommands(program: Command): void {
  const maintenance = program
    .command("maintenance")
    .description("What stands still now, and why.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, list);
    });
  maintenance
    .command("on [connection]")
    .description("Read nothing and hand nothing over; orders are taken as ever.")
    .addOption(whoOption("who says so; kept"))
    .addOption(whyOption("maintenance"))
    .option(
      "--until <moment>",
      "it ends by itself then: 2026-04-01T06:00; or 06:00: today's by the service's clock, " +
        "tomorrow's once that has passed",
    )
    .addHelpText(
      "after",
      example('maintenance on erp --who "J Ross" --why "year end" --until 06:00'),
    )
    .action(
      async (name: string | undefined, options: Act & { until?: string }, command: Command) => {
        await answer(command, (opened) => on(opened, name, options));
      },
    );
  maintenance
    .command("off [connection]")
    .description("Go on: what waited is read and handed over within seconds.")
    .addOption(whoOption("who says so; kept"))
    .addOption(whyOption("maintenance"))
    .addHelpText("after", example('maintenance off erp --who "J Ross" --why "upgrade done"'))
    .action(async (name: string | undefined, act: Act, command: Command) => {
      await answer(command, (opened) => off(opened, name, act));
    });
}

async function list({ company }: Opened): Promise<Answer> {
  const stops = await company.maintenance.stops();
  const { timeZone } = company.settings;
  const text = table(stops, [
    { head: "stands still", of: ({ scope }) => (scope === "" ? "everything" : scope) },
    {
      head: "why",
      of: ({ kind, why }) => (kind === "maintenance" ? why : `went backwards: ${why}`),
    },
    { head: "since", of: ({ at }) => moment(at, timeZone) },
    { head: "until", of: ({ until }) => moment(until, timeZone) },
    { head: "by", of: ({ who }) => who },
  ]);
  return { text: stops.length === 0 ? "Nothing stands still." : text, data: stops };
}

/** What `status` says on top. */
export function stopText({ scope, says }: Stop): string {
  const what = scope === "" ? "Everything" : scope;
  return (
    `! ${what} stands still: ${says}. Nothing is read or handed over; orders are taken as ever. ` +
    `It ends with \`tradepost maintenance off${scope === "" ? "" : ` ${scope}`} --who NAME --why WHY\`.`
  );
}

function scopeOf({ company }: Opened, name: string | undefined): string | null {
  return name === undefined
    ? null
    : chosen("The connection", Object.keys(company.settings.connections))(name);
}

async function on(
  opened: Opened,
  name: string | undefined,
  { who, why, until }: Act & { until?: string },
): Promise<Answer> {
  const { company } = opened;
  const { timeZone } = company.settings;
  const asked = {
    connection: scopeOf(opened, name),
    who,
    why,
    until: until === undefined ? null : momentOf(until, timeZone),
    waitSeconds: WAIT_SECONDS,
  };
  const begun = await company.maintenance.begin(asked).catch((error: unknown) => {
    throw error instanceof EndsInThePast ? new UsageError(error.message) : error;
  });
  const { began, until: ends, underWay } = begun;
  const { deliveries, pulls } = underWay;
  const what = name ?? "Everything";
  const left = [
    ...(deliveries > 0 ? [`${count(deliveries)} orders are still being handed over`] : []),
    ...(pulls.length > 0 ? [`${pulls.join(", ")} are still being read`] : []),
  ];
  return {
    text: [
      `${what} ${began ? "stands still" : "stood still already"}, by ${who}: ${why}.` +
        (ends === null ? "" : ` It ends by itself at ${moment(ends, timeZone)}.`),
      left.length === 0
        ? "Nothing is being read or handed over any more."
        : `After ${WAIT_SECONDS} s ${left.join(", and ")}: wait for them, or look at \`tradepost status\`.`,
    ].join("\n"),
    data: { connection: name ?? null, began, until: ends, underWay },
  };
}

async function off(opened: Opened, name: string | undefined, { who, why }: Act): Promise<Answer> {
  // One that was renamed since it was stopped is known by its stop alone.
  const stands = (await opened.company.maintenance.stops()).some(({ scope }) => scope === name);
  const connection = name !== undefined && stands ? name : scopeOf(opened, name);
  const ended = await opened.company.maintenance.end({ connection, who, why });
  if (ended.length === 0)
    throw new NotFound(
      `${name ?? "The company as a whole"} does not stand still. \`tradepost maintenance\` shows what does.`,
    );
  const still = await opened.company.maintenance.stops();
  return {
    text: [
      `${name ?? "Everything"} goes on, by ${who}.`,
      ...still.map(({ scope, says }) => `Still: ${scope === "" ? "everything" : scope}, ${says}.`),
    ].join("\n"),
    data: { connection: name ?? null, ended, still },
  };
}

/** "2026-04-01T06:00" in the company's zone, an instant, or a time alone. */
function momentOf(text: string, timeZone: string): Temporal.Instant | Temporal.PlainTime {
  try {
    if (/^\d{1,2}:\d{2}$/.test(text)) return Temporal.PlainTime.from(text.padStart(5, "0"));
    if (/(?:Z|[+-]\d{2}:?\d{2})$/.test(text)) return Temporal.Instant.from(text);
    return Temporal.PlainDateTime.from(text.replace(" ", "T"))
      .toZonedDateTime(timeZone)
      .toInstant();
  } catch {
    throw new UsageError(`"${text}" is no moment. Write 2026-04-01T06:00, or 06:00.`);
  }
}
