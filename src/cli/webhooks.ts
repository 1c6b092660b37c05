/** `webhooks`: where shops are told of what happened to orders, and what became of it. */
import type { Command } from "commander";
import { ORDERS_TOLD, type OrdersTold, type Untaken, type Webhook } from "../notify/index.ts";
import {
  answer,
  chosen,
  example,
  EXIT,
  notBlank,
  UsageError,
  wholeNumber,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { listed } from "./events.ts";
import { count, moment, table } from "./print.ts";

export function addWebhookCommands(program: Command): void {
  const webhooks = program
    .command("webhooks")
    .description("Where shops are told of what happened to orders.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, list);
    });
  webhooks
    .command("list")
    .description("All of them, with what waits and what failed.")
    .action(async (_options: unknown, command: Command) => {
      await answer(command, list);
    });
  webhooks
    .command("show <webhook>")
    .description("One, by its id or the last characters of it.")
    .action(async (id: string, _options: unknown, command: Command) => {
      await answer(command, async (opened) =>
        shown(opened, await opened.company.webhooks.show(id)),
      );
    });
  addMaking(webhooks);
  addStanding(webhooks);
  addSending(webhooks);
}

interface Stated {
  readonly types?: readonly string[];
  readonly about?: string;
  readonly url?: string;
  readonly orders?: OrdersTold;
}

function addMaking(webhooks: Command): void {
  const types = "what it is told: order.accepted,order.refused or order.*; absent: everything";
  const whose = "whose orders it is told of: live, test (those of test keys) or both";
  webhooks
    .command("add <url>")
    .description("Tell an address what happens from now on. Its secret is shown this once.")
    .option("--types <types>", types, listed)
    .option("--orders <orders>", `${whose}; absent: live`, chosen("--orders", ORDERS_TOLD))
    .option("--about <words>", "what it is for", notBlank("--about"))
    .addOption(whoOption())
    .addOption(whyOption("webhook"))
    .addHelpText(
      "after",
      example(
        'webhooks add https://shop.example/hooks --types "order.*" --who "J Ross" --why "new shop"',
      ),
    )
    .action(
      async (
        url: string,
        { types: wanted = [], about = "", orders = "live", ...act }: Stated & Act,
        command: Command,
      ) => {
        await answer(command, async ({ company }) =>
          withSecret(await company.webhooks.add({ url, about, types: wanted, orders }, act)),
        );
      },
    );
  deed(webhooks, "change", "Another address, other types or words for it.")
    .option("--url <url>", "where it goes", notBlank("--url"))
    .option("--types <types>", `${types} ("")`, listed)
    .option("--orders <orders>", whose, chosen("--orders", ORDERS_TOLD))
    .option("--about <words>", "what it is for")
    .action(async (id: string, { who, why, ...change }: Stated & Act, command: Command) => {
      if (Object.keys(change).length === 0)
        throw new UsageError("Change what? Give --url, --types, --orders or --about.");
      await answer(command, async (opened) =>
        shown(opened, await opened.company.webhooks.change(id, change, { who, why })),
      );
    });
  deed(webhooks, "rotate", "A new secret; the one until now signs beside it for a while.")
    .option("--hours <hours>", "for how long", wholeNumber(0, 8_760), 24)
    .action(async (id: string, { hours, ...act }: Act & { hours: number }, command: Command) => {
      await answer(command, async ({ company }) =>
        withSecret(await company.webhooks.rotate(id, hours, act)),
      );
    });
}

function deed(webhooks: Command, name: string, about: string): Command {
  return webhooks
    .command(`${name} <webhook>`)
    .description(about)
    .addOption(whoOption())
    .addOption(whyOption("webhook"));
}

function addStanding(webhooks: Command): void {
  deed(
    webhooks,
    "disable",
    "Send nothing more until it is enabled; what happens is kept for it.",
  ).action(async (id: string, act: Act, command: Command) => {
    await answer(command, async (opened) =>
      shown(opened, await opened.company.webhooks.disable(id, act)),
    );
  });
  deed(webhooks, "enable", "Go on where it stopped.")
    .option("--skip", "leave out what happened meanwhile")
    .action(async (id: string, { skip, ...act }: Act & { skip?: boolean }, command: Command) => {
      await answer(command, async (opened) =>
        shown(opened, await opened.company.webhooks.enable(id, skip === true, act)),
      );
    });
  deed(webhooks, "remove", "Forget it, its secrets and what waits for it.").action(
    async (id: string, act: Act, command: Command) => {
      await answer(command, async ({ company }) => {
        const webhook = await company.webhooks.remove(id, act);
        return { text: `Removed ${webhook.id} (${hostOf(webhook)}).`, data: webhook };
      });
    },
  );
}

function addSending(webhooks: Command): void {
  webhooks
    .command("test <webhook>")
    .description("Send a signed message of the type webhook.test now, and say what came of it.")
    .action(async (id: string, _options: unknown, command: Command) => {
      await answer(command, ({ company }) => tested(company.webhooks.test(id)));
    });
  deed(webhooks, "replay", "Send events again, each under its own id.")
    .option(
      "--from <moment>",
      "first moment: 2026-03-31T08:00Z, or 2026-03-31 in the company's zone",
    )
    .option("--to <moment>", "up to this moment, itself left out; absent: now")
    .option("--event <id>", "this one, whatever its type", notBlank("--event"))
    .option("--failed", "those for which every try has failed")
    .addHelpText("after", example('webhooks replay 4f2a --failed --who "J Ross" --why "mended"'))
    .action(async (id: string, { who, why, ...of }: Replay & Act, command: Command) => {
      await answer(command, async (opened) => {
        const events = await opened.company.webhooks.replay(id, replayOf(opened, of), { who, why });
        const some = `${count(events)} ${events === 1 ? "event is" : "events are"}`;
        return { text: `${some} sent again by the service, at once.`, data: { events } };
      });
    });
  webhooks
    .command("failures [webhook]")
    .description("What was not taken: failed for good, or tried and waiting for its next try.")
    .option("--limit <number>", "how many", wholeNumber(1, 10_000), 100)
    .action(async (webhook: string | undefined, { limit }: { limit: number }, command: Command) => {
      await answer(command, (opened) => failures(opened, webhook, limit));
    });
}

interface Replay {
  readonly from?: string;
  readonly to?: string;
  readonly event?: string;
  readonly failed?: boolean;
}

function replayOf(opened: Opened, { from, to, event, failed }: Replay) {
  const ways = [from, event, failed].filter((each) => each !== undefined);
  if (ways.length !== 1 || (to !== undefined && from === undefined))
    throw new UsageError("Replay what? Give one of --from (with --to), --event or --failed.");
  if (event !== undefined) return { event };
  if (from === undefined) return { failed: true } as const;
  const range = {
    from: momentOf(opened, "--from", from),
    to: to === undefined ? Temporal.Now.instant() : momentOf(opened, "--to", to),
  };
  if (Temporal.Instant.compare(range.from, range.to) < 0) return range;
  throw new UsageError(`--from ${from} is not before --to ${to ?? "now"}.`);
}

function momentOf({ company }: Opened, option: string, text: string): Temporal.Instant {
  try {
    return /[zZ]$|[+-]\d{2}:?\d{2}$/.test(text) && text.includes("T")
      ? Temporal.Instant.from(text)
      : Temporal.PlainDateTime.from(text).toZonedDateTime(company.settings.timeZone).toInstant();
  } catch {
    throw new UsageError(
      `${option} was given "${text}"; expected a moment such as 2026-03-31T08:00Z, or 2026-03-31.`,
    );
  }
}

function withSecret({ webhook, secret }: { webhook: Webhook; secret: string }): Answer {
  return {
    text:
      `webhook     ${webhook.id}\nsecret      ${secret}\n\n` +
      "Give the secret to the shop now: it is kept sealed and never shown again. The shop verifies " +
      "each message with it (Standard Webhooks).",
    data: { ...webhook, secret },
  };
}

async function list({ company }: Opened): Promise<Answer> {
  const webhooks = await company.webhooks.list();
  const { timeZone } = company.settings;
  const text = table(webhooks, [
    { head: "webhook", of: ({ id }) => id },
    { head: "to", of: hostOf },
    { head: "about", of: ({ about }) => about },
    { head: "types", of: ({ types }) => (types.length === 0 ? "everything" : types.join(" ")) },
    { head: "state", of: ({ state }) => state },
    { head: "last taken", of: ({ lastDeliveredAt }) => moment(lastDeliveredAt, timeZone) },
    { head: "waiting", right: true, of: ({ waiting }) => count(waiting) },
    { head: "failed", right: true, of: ({ failed }) => count(failed) },
  ]);
  return {
    text: webhooks.length === 0 ? "No webhook: `webhooks add` makes one." : text,
    data: webhooks,
  };
}

function shown({ company }: Opened, webhook: Webhook): Answer {
  const { timeZone } = company.settings;
  const { failingSince, quietUntil, disabledBecause } = webhook;
  const lines = [
    `webhook     ${webhook.id}`,
    `to          ${webhook.url}`,
    `about       ${webhook.about === "" ? "–" : webhook.about}`,
    `types       ${webhook.types.length === 0 ? "everything" : webhook.types.join(", ")}`,
    `state       ${webhook.state}${disabledBecause === null ? "" : `: ${disabledBecause}`}`,
    `made        ${moment(webhook.madeAt, timeZone)} by ${webhook.madeBy}`,
    `last taken  ${moment(webhook.lastDeliveredAt, timeZone)}`,
    `waiting     ${count(webhook.waiting)}`,
    `failed      ${count(webhook.failed)}`,
    ...(webhook.missed === 0
      ? []
      : [`missed      ${count(webhook.missed)}, which are kept no longer`]),
    ...(failingSince === null ? [] : [`failing     since ${moment(failingSince, timeZone)}`]),
    ...(quietUntil === null ? [] : [`left alone  until ${moment(quietUntil, timeZone)}`]),
  ];
  return { text: lines.join("\n"), data: webhook };
}

/** A path can hold what only the receiver should know. */
function hostOf({ url }: Webhook): string {
  return new URL(url).host;
}

async function tested(
  sent: Promise<{ readonly status: number | null; readonly problem: string | null }>,
): Promise<Answer> {
  const outcome = await sent;
  return {
    text:
      outcome.problem === null
        ? `Taken: it answered ${outcome.status}.`
        : `Not taken: ${outcome.problem}.`,
    data: outcome,
    exit: outcome.problem === null ? EXIT.fine : EXIT.failed,
  };
}

async function failures(
  { company }: Opened,
  webhook: string | undefined,
  limit: number,
): Promise<Answer> {
  const { timeZone } = company.settings;
  const untaken = await company.webhooks.untaken({
    limit,
    ...(webhook === undefined ? {} : { webhook }),
  });
  const text = table<Untaken>(untaken, [
    { head: "event", of: ({ event }) => event },
    { head: "type", of: ({ type }) => type },
    { head: "about", of: ({ subject }) => subject },
    { head: "happened", of: ({ at }) => moment(at, timeZone) },
    { head: "tries", right: true, of: ({ tries }) => String(tries) },
    { head: "next try", of: ({ dueAt }) => (dueAt === null ? "failed" : moment(dueAt, timeZone)) },
    { head: "last met", of: ({ problem }) => problem ?? "–" },
  ]);
  return {
    text: untaken.length === 0 ? "Everything was taken, or waits for its first try." : text,
    data: untaken,
  };
}
