/** `orders release|cancel|resolve|send-again|amend`: what a person may do to an order. */
import type { Command } from "commander";
import { OrderError, orderRequest, type ChangeResult, type OrderView } from "../orders/index.ts";
import {
  answer,
  example,
  notBlank,
  UsageError,
  whoOption,
  whyOption,
  type Act,
  type Answer,
  type Opened,
} from "./command.ts";
import { readNamed } from "./files.ts";
import { pounds, words } from "./print.ts";

export function addActCommands(orders: Command): void {
  addSimple(orders);
  addResolve(orders);
  addCancel(orders);
  addAmend(orders);
}

function addSimple(orders: Command): void {
  act(
    orders,
    "release <order>",
    "Let a held order go on its way.",
    "\nOne that was shadowed, or held because it was taken before its connection went live, is not sent as " +
      "well\nwhere staff have keyed it, as the pulled ERP orders show.\n",
  )
    .option(
      "--another <numbers>",
      "ERP orders that look like it, and that you have seen to be others: SO2,SO3",
      numberList,
    )
    .action(async (number: string, { who, why, another }: ReleaseOptions, command: Command) => {
      const by = { who, reason: why, ...(another !== undefined && { another }) };
      await answer(command, (opened) =>
        sent(opened, number, async ({ orders: here }) => here.release(number, by)),
      );
    });
  act(
    orders,
    "send-again <order>",
    "An order in doubt is not in the ERP, as you saw there, or one that it refused is mended.",
    "\nIt is looked for in the ERP once more, and sent only where it is not found. One that was " +
      "dropped as\nfiles is dropped again: only a person can know that those never came in.\n",
  ).action(async (number: string, { who, why }: Act, command: Command) => {
    await answer(command, (opened) =>
      sent(opened, number, async ({ orders: here }) =>
        here.sendAgain(number, { who, reason: why }),
      ),
    );
  });
}

type ReleaseOptions = Act & { readonly another?: readonly string[] };

async function sent(
  { company, tradepost }: Opened,
  number: string,
  go: (company: Opened["company"]) => Promise<unknown>,
): Promise<Answer> {
  await go(company);
  const asked = await company.orders.show(number);
  await tradepost.drain();
  return acted(await company.orders.show(number), asked.events.length - 1);
}

function addResolve(orders: Command): void {
  act(
    orders,
    "resolve <order>",
    "Settle a conflict or a doubt after looking at the ERP: the order stands there.",
    "\nA number that was given wrongly is corrected in the same way.\n",
  )
    .option("--erp-order <number>", "its number in the ERP", notBlank("--erp-order"))
    .option(
      "--also <numbers>",
      "other ERP orders of it that you have looked at, and that do no harm: SO2,SO3",
      numberList,
    )
    .option("--seen-there", "you saw the ERP order there, though no pull has shown it")
    .action(async (number: string, given: ResolveOptions, command: Command) => {
      const { who, why, ...link } = given;
      await answer(command, async ({ company }) =>
        acted(await company.orders.resolve(number, { who, reason: why, ...link })),
      );
    });
}

type ResolveOptions = Act & {
  readonly erpOrder?: string;
  readonly also?: readonly string[];
  readonly seenThere?: boolean;
};

const numberList = (text: string): string[] =>
  text
    .split(",")
    .map((number) => number.trim())
    .filter((number) => number !== "");

function addCancel(orders: Command): void {
  act(
    orders,
    "cancel <order>",
    "An order, or some of its lines, is not to be.",
    "\nBefore it is handed over it is done at once. Afterwards the ERP is told as far as its " +
      "connector can;\nwhat it cannot do becomes a task. What was paid too much becomes a refund task.\n",
  )
    .option("--lines <lines>", "only these: 2, or 3 pieces of line 4: 2,4:3", lineList)
    .action(async (number: string, given: CancelOptions, command: Command) => {
      const { who, why, lines = null } = given;
      await answer(command, async (opened) => {
        const asked = { ...byPerson(who, why), lines };
        return changed(opened, number, await opened.company.orders.cancelPart(number, asked));
      });
    });
}

type CancelOptions = Act & { readonly lines?: ReturnType<typeof lineList> };

/** 2,4:3 → all of line 2, three of line 4. */
function lineList(text: string): { line: number; quantity: string | null }[] {
  return text.split(",").map((part) => {
    const [, line, quantity = null] = /^\s*(\d+)(?::(\d+(?:\.\d+)?))?\s*$/.exec(part) ?? [];
    if (line !== undefined) return { line: Number(line), quantity };
    throw new UsageError(
      `--lines was given "${text}"; expected lines, each with how many of it where not all: 2,4:3.`,
    );
  });
}

function addAmend(orders: Command): void {
  act(
    orders,
    "amend <order> <file>",
    "The whole order anew, as it is to be: JSON as POST /v1/orders takes it.",
    "\nIt is checked as a new order is, and what is found is told and stops nothing. It keeps its " +
      "number.\nAfter it was handed over the ERP is told as far as its connector can, else a person.\n",
  ).action(async (number: string, file: string, { who, why }: Act, command: Command) => {
    const body = requestOf(
      file,
      await readNamed(file, { what: "The order", advice: "Name a file of JSON." }),
    );
    await answer(command, async (opened) => {
      const asked = { ...byPerson(who, why), body };
      return changed(opened, number, await opened.company.orders.amend(number, asked));
    });
  });
}

function requestOf(file: string, text: string) {
  const read = orderRequest.safeParse(jsonOf(file, text));
  if (read.success) return read.data;
  const faults = read.error.issues
    .slice(0, 10)
    .map(({ path, message }) => `  ${path.join("/") || "the order"}: ${message}`);
  throw new UsageError(`${file} is no order:\n${faults.join("\n")}`);
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** A person's act has no key: it is not sent again by itself. */
function byPerson(who: string, why: string) {
  return { who, why, idempotencyKey: null, apiKey: who, decides: true };
}

async function changed(
  { company, tradepost }: Opened,
  number: string,
  result: ChangeResult,
): Promise<Answer> {
  if ("problem" in result)
    throw new OrderError(
      "change-impossible",
      [result.problem.detail, ...result.problem.problems.map(({ about }) => `  ${about}`)].join(
        "\n",
      ),
    );
  await tradepost.drain();
  const view = await company.orders.show(number);
  const { kind, change, warnings } = result.answer;
  const state = view.changes.find((one) => one.change === change)?.state ?? result.answer.state;
  const what = `${kind === "amend" ? "Amendment" : "Cancellation"} ${change} of ${view.number}`;
  const how = {
    done: "is done",
    asked: "is asked of the ERP",
    held: "waits for a person",
    task: "is a task for a person, since the connector cannot do it: orders tasks",
    refused: "was refused by the ERP",
    dropped: "was dropped",
  }[state];
  const total =
    view.state === "cancelled"
      ? "nothing of it is to come"
      : `it comes to ${pounds(view.net)} net, ${pounds(view.gross)} gross`;
  return {
    text: [
      `${what} ${how}. It is ${words(view.state)}; ${total}.`,
      ...warnings.map(({ about }) => `told: ${about}`),
    ].join("\n"),
    data: view,
  };
}

function act(orders: Command, call: string, about: string, more = ""): Command {
  const called = call.replace("<order>", "WEB-0001").replace("<file>", "order.json");
  return orders
    .command(call)
    .description(about)
    .addOption(whoOption())
    .addOption(whyOption("order"))
    .addHelpText("after", `${more}${example(`orders ${called} --who "J Ross" --why "they rang"`)}`);
}

/** From that event on: what was done, and what came of it. */
function acted(view: OrderView, from = view.events.length): Answer {
  const done = view.events.slice(from).map(({ about }) => `  ${about}`);
  return { text: [`${view.number} is ${words(view.state)}.`, ...done].join("\n"), data: view };
}
