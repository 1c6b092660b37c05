/** `price rounds`: new prices that are loaded, looked at and approved before their moment. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Command } from "commander";
import { standing } from "../config.ts";
import { wordsText, type Round, type RoundDifference } from "../pricing/index.ts";
import {
  answer,
  example,
  nextLines,
  notBlank,
  quoted,
  UsageError,
  whoOption,
  wholeNumber,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { unreadable, writeNamed } from "./files.ts";
import { effectText } from "./price-effect.ts";
import { count, csv, moment, pounds, table } from "./print.ts";

export function addRoundCommands(price: Command): void {
  const rounds = price
    .command("rounds")
    .description("New prices, loaded and approved before they start.");
  addLoad(rounds);
  rounds
    .command("status")
    .description("Every round and how it stands.")
    .addHelpText("after", example("price rounds status"))
    .action(async (_options: object, command: Command) => {
      await answer(command, statusOf);
    });
  rounds
    .command("show <round>")
    .description("What a round does, its words, and what the ERP says otherwise.")
    .option("--out <file>", "writes the differences as CSV; as JSON where it ends in .json")
    .addHelpText("after", example("price rounds show 2027"))
    .action(async (name: string, options: { out?: string }, command: Command) => {
      await answer(command, (opened) => shown(opened, name, options.out));
    });
  const deciding = (
    word: "approve" | "cancel" | "take-erp",
    about: string,
    act: (opened: Opened, name: string, by: Act) => Promise<Round>,
  ) =>
    rounds
      .command(`${word} <round>`)
      .description(about)
      .addOption(whoOption())
      .addOption(whyOption("round"))
      .addHelpText("after", example(`price rounds ${word} 2027 --who "Ann Lee" --why "Board"`))
      .action(async (name: string, by: Act, command: Command) => {
        await answer(command, async (opened) => {
          await act(opened, name, by);
          await opened.tradepost.drain();
          return shown(opened, name);
        });
      });
  deciding(
    "approve",
    "Puts a round into the price book; it starts at its moment.",
    (opened, ...by) => opened.company.rounds.approve(...by),
  );
  deciding("cancel", "Takes a round out again.", (opened, ...by) =>
    opened.company.rounds.cancel(...by),
  );
  deciding("take-erp", "Lets count what the ERP has otherwise than the round.", (opened, ...by) =>
    opened.company.rounds.takeErp(...by),
  );
}

interface LoadOptions {
  readonly name: string;
  readonly startsAt: string;
  readonly confirmBy?: string;
  readonly keepBaskets?: number;
  readonly backOrders?: "keep" | "new";
  readonly who: string;
}

function addLoad(rounds: Command): void {
  rounds
    .command("load <file>")
    .description("Checks a file of price rules as they are to be; nothing counts until approved.")
    .requiredOption("--name <name>", "what the round is called", notBlank("--name"))
    .requiredOption(
      "--starts-at <moment>",
      "local time of its start: 2027-01-01 or 2027-01-01T06:00",
    )
    .option("--confirm-by <moment>", "by when the ERP must have it; a day after the start")
    .option(
      "--keep-baskets <minutes>",
      "open baskets keep their prices so long",
      wholeNumber(0, 43_200),
    )
    .option("--back-orders <keep|new>", "what the ERP charges on back orders", backOrders)
    .addOption(whoOption("who loads it"))
    .addHelpText(
      "after",
      example('price rounds load round.csv --name 2027 --starts-at 2027-01-01 --who "Ann Lee"'),
    )
    .action(async (file: string, options: LoadOptions, command: Command) => {
      await answer(command, (opened) => loaded(opened, file, options));
    });
}

function backOrders(text: string): "keep" | "new" {
  if (text === "keep" || text === "new") return text;
  throw new UsageError(`--back-orders was given "${text}"; expected one of keep, new.`);
}

async function loaded(opened: Opened, file: string, options: LoadOptions): Promise<Answer> {
  const content = await readFile(standing(file)).catch((error: unknown) => {
    throw unreadable(file, error, { what: "The file", advice: "Give a CSV file of price rules." });
  });
  const { company, global } = opened;
  const { timeZone } = company.settings;
  const { keepBaskets, confirmBy, name } = options;
  await company.rounds.load({
    name,
    startsAt: localMoment("--starts-at", options.startsAt, timeZone),
    ...(confirmBy === undefined
      ? {}
      : { confirmBy: localMoment("--confirm-by", confirmBy, timeZone) }),
    words: {
      ...(keepBaskets === undefined
        ? {}
        : { openBaskets: "keep", keepBasketsMinutes: keepBaskets }),
      ...(options.backOrders === undefined ? {} : { backOrders: options.backOrders }),
    },
    file: basename(file),
    content,
    who: options.who,
  });
  const next = nextLines(global, [
    `price rounds approve ${quoted(name)} --who … --why …`,
    `price rounds cancel ${quoted(name)} --who … --why …`,
  ]);
  const { text, data } = await shown(opened, name);
  return { text: [text, "", ...next].join("\n"), data };
}

/** A moment of the company's clock. */
function localMoment(option: string, text: string, timeZone: string): Temporal.Instant {
  try {
    const local = Temporal.PlainDateTime.from(text, { overflow: "reject" });
    return local.toZonedDateTime(timeZone, { disambiguation: "reject" }).toInstant();
  } catch {
    throw new UsageError(
      `${option} was given "${text}"; expected a local time such as 2027-01-01 or 2027-01-01T06:00 that the clocks in ${timeZone} show once.`,
    );
  }
}

async function statusOf({ company }: Opened): Promise<Answer> {
  const all = await company.rounds.list();
  const { timeZone } = company.settings;
  const rules = (which: keyof Round["rules"]) => (round: Round) => count(round.rules[which]);
  const text =
    all.length === 0
      ? "No price round was ever loaded."
      : table(all, [
          { head: "round", of: ({ name }) => name },
          { head: "state", of: ({ state }) => state },
          { head: "starts", of: ({ startsAt }) => moment(startsAt, timeZone) },
          { head: "confirm by", of: ({ confirmBy }) => moment(confirmBy, timeZone) },
          { head: "rules", right: true, of: ({ checked }) => count(checked.rules) },
          { head: "waiting", right: true, of: rules("waiting") },
          { head: "confirmed", right: true, of: rules("confirmed") },
          { head: "differ", right: true, of: rules("differs") },
          { head: "decided", right: true, of: rules("decided") },
        ]);
  return { text, data: all };
}

async function shown({ company }: Opened, name: string, out?: string): Promise<Answer> {
  const round = await company.rounds.find(name);
  const differences = await company.rounds.differences(round.id);
  if (out !== undefined) await writeNamed(out, await fileOf(differences, out));
  const { timeZone } = company.settings;
  const isOut = round.state === "cancelled";
  const impact = isOut ? null : await company.pricing.effect({ round: round.id });
  const orders = isOut ? [] : await company.rounds.orders(name);
  return {
    text: [
      roundText(round, differences, timeZone),
      ...(impact === null ? [] : ["", effectText(impact, timeZone)]),
      ...(orders.length === 0 ? [] : ["", ordersText(orders, timeZone)]),
    ].join("\n"),
    data: { ...round, differences, impact, orders },
  };
}

type RoundOrder = Awaited<ReturnType<Opened["company"]["rounds"]["orders"]>>[number];

function ordersText(orders: readonly RoundOrder[], timeZone: string): string {
  const left = orders.length - MOST;
  return [
    `${count(orders.length)} orders placed before the start and not invoiced in full have its products:`,
    table(orders.slice(0, MOST), [
      { head: "order", of: ({ order }) => order },
      { head: "customer", of: ({ account }) => account },
      { head: "placed", of: ({ placedAt }) => moment(placedAt, timeZone) },
      { head: "lines", right: true, of: ({ lines }) => count(lines) },
      { head: "net", right: true, of: ({ net }) => pounds(net) },
      { head: "", of: ({ says }) => says },
    ]),
    ...(left > 0 ? [`… and ${count(left)} more; --json lists all`] : []),
  ].join("\n");
}

async function fileOf(differences: readonly RoundDifference[], out: string): Promise<string> {
  if (out.endsWith(".json")) return `${JSON.stringify(differences, null, 2)}\n`;
  const head = ["rule", "fromQuantity", "customer", "product", "round", "erp", "line"];
  const rows = differences.map(({ rule, fromQuantity, customer, product, round, erp, line }) => [
    rule,
    fromQuantity,
    customer,
    product,
    round,
    erp ?? "",
    String(line),
  ]);
  return `${await csv([head, ...rows])}\n`;
}

const MOST = 20;

function roundText(
  round: Round,
  differences: readonly RoundDifference[],
  timeZone: string,
): string {
  const { checked, rules } = round;
  const effect = checked.effect;
  const by =
    round.decidedBy === null
      ? ""
      : ` by ${round.decidedBy} on ${moment(round.decidedAt, timeZone)}: ${round.why ?? ""}`;
  const lines = [
    `round     ${round.name}, ${round.state}${by}`,
    `starts    ${moment(round.startsAt, timeZone)}; the ERP must have it by ${moment(round.confirmBy, timeZone)}`,
    `file      ${round.file}, loaded by ${round.loadedBy} on ${moment(round.loadedAt, timeZone)}, SHA-256 ${round.fileSha256.slice(0, 12)}`,
    `rules     ${count(checked.rules)}: ${count(checked.changed)} changed, ${count(checked.new)} new, ${count(checked.same)} as the ERP has them, ${count(checked.unreached)} for nobody or nothing, ${count(checked.zero)} at £0.00`,
    ...(effect === null
      ? []
      : [
          `          ${count(effect.up.count)} go up (median ${effect.up.median ?? "–"}%, most ${effect.up.largest ?? "–"}%), ${count(effect.down.count)} down (most ${effect.down.largest ?? "–"}%)`,
        ]),
    `pulled    ${count(rules.confirmed)} confirmed, ${count(rules.waiting)} waiting, ${count(rules.differs)} differ, ${count(rules.decided)} decided`,
    ...wordsText(round.words).map((word, at) => `${at === 0 ? "words" : "     "}     ${word}`),
  ];
  if (differences.length === 0) return lines.join("\n");
  const few = table(differences.slice(0, MOST), [
    { head: "rule", of: ({ rule }) => rule },
    { head: "from", right: true, of: ({ fromQuantity }) => fromQuantity },
    { head: "for", of: ({ customer, product }) => `${customer}, ${product}` },
    { head: "round", of: (each) => each.round },
    { head: "ERP", of: ({ erp }) => erp ?? "has it no more" },
  ]);
  const left = differences.length - MOST;
  return [
    ...lines,
    "",
    few,
    ...(left > 0 ? [`… and ${count(left)} more; --out writes all`] : []),
  ].join("\n");
}
